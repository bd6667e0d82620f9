"""A graph flattened: its operations as numbers in arrays, ready to be run on many rows of data.

What is the same in every row, because no input leads to it, is one tape, to be run once; the rest is another, to be run
for every row. An expression that is there twice becomes one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.graph import topological_order
from engine.lanes import LAYER, opcodes
from engine.rules import LEAF, RULES, Rule
from engine.value import Value

DOT = RULES["dot"]


class Node:
    """An operation, or what is given: an input, a parameter, a constant."""

    __slots__ = ("learns", "level", "rule", "taken", "varies", "weights")

    def __init__(self, rule: Rule, taken: tuple[Operands, ...], *, varies: bool = False, learns: bool = False):
        self.rule = rule
        self.taken = taken
        self.varies = varies  # from row to row
        self.learns = learns  # some parameter leads to it
        self.level = 0
        for x in taken:
            self.varies = self.varies or x.varies
            self.learns = self.learns or x.learns
            if x.level >= self.level:
                self.level = x.level + 1
        # Of a weighted sum of what varies by weights that do not, the weights.
        self.weights: Operands | None = None
        if rule is DOT and self.varies:
            self.weights = next((x for x in taken if not x.varies), None)


class Operands:
    """What an operation takes: one node, or a list of them in a fold."""

    __slots__ = ("learns", "level", "nodes", "varies")

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self.nodes = nodes
        self.varies = self.learns = False
        self.level = 0
        for node in nodes:
            self.varies = self.varies or node.varies
            self.learns = self.learns or node.learns
            if node.level > self.level:
                self.level = node.level


class Tape:
    """Operations, each after those that it takes from, on numbered slots.

    Attributes:
        operations: a row for each group of like operations: the opcode, which operands want a gradient (1 the first, 2
            the second), where it begins in `index`, how many there are, and of a layer the operands and first weight.
        index: the slots that are taken and made.
        slots: the slot of every node.
        size: how many slots there are.
        weights: what the layers take as weights, in their order.
    """

    def __init__(self, sources: Iterable[Node], inner: Iterable[Node]) -> None:
        self.slots: dict[Node, int] = {}
        self.weights: list[Node] = []
        self._place(sources)
        operations: list[tuple[int, ...]] = []
        index: list[int] = []
        for (_, code, mask, operands), nodes in _groups(inner).items():
            begin, size, first_weight = len(index), 0, len(self.weights)
            if operands is not None:
                size = len(operands.nodes)
                index += [self.slots[x] for x in operands.nodes]
            self._place(nodes)
            for node in nodes:
                made = self.slots[node]
                if node.weights:
                    self.weights += node.weights.nodes
                    index.append(made)
                elif node.rule.fold:
                    index += (len(node.taken[0].nodes), made, *[self.slots[x] for xs in node.taken for x in xs.nodes])
                else:
                    index += (*[self.slots[xs.nodes[0]] for xs in node.taken], made)
            operations.append((code, mask, begin, len(nodes), size, first_weight))
        self.operations = np.array(operations, np.int64).reshape(-1, 6)
        self.index = np.array([*index, 0], np.uint32)

    def _place(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            self.slots[node] = len(self.slots)

    @property
    def size(self) -> int:
        return len(self.slots)


@dataclass
class Flat:
    """The graph of some outputs on two tapes.

    Attributes:
        parameters: the leaves that are no inputs and no constants; their slots are the first on the uniform tape.
        constants: the numbers in the slots after them.
        uniform: the tape of what is the same in every row.
        varying: the tape of the rest; its slots begin with the inputs, then what is common to all rows.
        common: the uniform slots that varying operations take as they take what varies, and those of uniform outputs.
        weights: the uniform slots that layers take as weights, in their order.
        outputs: the slot of each output on the varying tape.
    """

    parameters: list[Value]
    constants: list[float]
    uniform: Tape
    varying: Tape
    common: list[int]
    weights: list[int]
    outputs: list[int]


def flatten(outputs: Sequence[Value], inputs: Sequence[Value], first: Sequence[Value] = ()) -> Flat:
    """The graph of `outputs`, in which `inputs` vary from row to row; `first` are the first of the parameters."""
    nodes = {x: Node(LEAF, (), varies=True) for x in inputs}
    sources = list(nodes.values())
    nodes |= {x: Node(LEAF, (), learns=True) for x in first}
    leaves, inner = _numbered(outputs, nodes)
    leaves = {nodes[x]: x for x in first} | leaves
    parameters = {node: value for node, value in leaves.items() if not value.is_constant}
    constants = {node: value.data for node, value in leaves.items() if value.is_constant}
    uniform = Tape([*parameters, *constants], [node for node in inner if not node.varies])
    rows = [node for node in inner if node.varies]
    results = [nodes[output] for output in outputs]
    taken = [*(x for node in rows for xs in _slotted(node) for x in xs.nodes), *results]
    common = dict.fromkeys(x for x in taken if not x.varies)
    varying = Tape([*sources, *common], rows)
    return Flat(
        list(parameters.values()),
        list(constants.values()),
        uniform,
        varying,
        [uniform.slots[x] for x in common],
        [uniform.slots[x] for x in varying.weights],
        [varying.slots[x] for x in results],
    )


def _slotted(node: Node) -> list[Operands]:
    """The operands that need a slot on the tape of their node: all but weights."""
    return [operands for operands in node.taken if operands is not node.weights]


def _groups(inner: Iterable[Node]) -> dict[tuple[int, int, int, Operands | None], list[Node]]:
    """Operations of one level and kind together, and those of one layer; in order of level."""
    codes = opcodes()
    groups: dict[tuple[int, int, int, Operands | None], list[Node]] = {}
    for node in sorted(inner, key=lambda node: node.level):
        key: tuple[int, int, int, Operands | None]
        if node.weights:
            (operands,) = _slotted(node)
            key = node.level, LAYER, operands.learns + 2 * node.weights.learns, operands
        else:
            first, *second = node.taken
            mask = first.learns + 2 * second[0].learns if second else int(first.learns)
            key = node.level, codes[node.rule], mask, None
        groups.setdefault(key, []).append(node)
    return groups


def _numbered(outputs: Sequence[Value], nodes: dict[Value, Node]) -> tuple[dict[Node, Value], list[Node]]:
    """Add every Value to `nodes`, equal expressions as one; the leaves, and the operations in their order."""
    leaves: dict[Node, Value] = {}
    inner: list[Node] = []
    known: dict[object, Node] = {}
    lists: dict[object, Operands] = {}  # by the identity of a tuple of Values, and by the nodes in it

    def operands(x: Value | tuple[Value, ...]) -> Operands:
        found = lists.get(id(x))
        if found is None:
            listed = tuple([nodes[operand] for operand in (x if isinstance(x, tuple) else (x,))])
            found = lists.get(listed)
            if found is None:
                found = lists[listed] = Operands(listed)
            lists[id(x)] = found
        return found

    for value in topological_order(*outputs):
        if value in nodes:
            continue
        if value._x is None:
            key: object = str(value.data) if value.is_constant else value  # of constants 0.0 and -0.0 are two
            if key not in known:
                known[key] = Node(LEAF, (), learns=not value.is_constant)
                leaves[known[key]] = value
        else:
            taken = (operands(value._x),) if value._y is None else (operands(value._x), operands(value._y))
            key = (value._rule, *taken)
            if key not in known:
                known[key] = Node(value._rule, taken)  # type: ignore[arg-type]
                inner.append(known[key])
        nodes[value] = known[key]
    return leaves, inner
