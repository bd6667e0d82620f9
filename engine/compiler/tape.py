"""A graph flattened: its operations as numbers in arrays, ready to be run on many rows of data.

What is the same in every row, because no input leads to it, is one tape, to be run once; the rest is another, to be run
for every row. An expression that is there twice becomes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.compiler import codegen
from engine.custom import CUSTOM_RULES
from engine.graph import topological_order
from engine.rules import RULES, Rule
from engine.value import Value

Numbers: TypeAlias = npt.NDArray[np.int64]
NOTHING = -1  # in place of a second operand that is not there


@dataclass
class Tape:
    """Operations, each after those that it takes from, on numbered slots.

    Attributes:
        operations: a row for each group of like operations: the opcode, which operands want a gradient (1 the first, 2
            the second), where it begins in `index`, how many there are, and of a layer the operands and first weight.
        index: the slots that are taken and made.
        slots: the slot of every node.
        size: how many slots there are.
        weights: the nodes that layers take as weights.
    """

    operations: Numbers
    index: npt.NDArray[np.uint32]
    slots: Numbers
    size: int
    weights: Numbers


@dataclass
class Flat:
    """The graph of some outputs on two tapes.

    Attributes:
        parameters: the leaves that are no inputs and no constants; their slots are the first on the uniform tape.
        constants: the numbers in the slots after them.
        uniform: the tape of what is the same in every row.
        varying: the tape of the rest; its slots begin with the inputs, then what is common to all rows.
        common: the uniform slots that varying operations take as they take what varies, and those of uniform outputs.
        weights: the uniform slots that layers take as weights.
        outputs: the slot of each output on the varying tape.
        own: the rules that are no part of the table.
    """

    parameters: list[Value]
    constants: list[float]
    uniform: Tape
    varying: Tape
    common: Numbers
    weights: Numbers
    outputs: Numbers
    own: tuple[Rule, ...]


@dataclass
class Nodes:
    """The nodes of a graph by their numbers, each after its operands.

    An operand is the number of a node, or of a list of operands in a fold: -2 for the first list, -3 for the second.

    Attributes:
        numbers: the number of every Value; equal expressions have one.
        codes: the opcode of every node; of a leaf 0.
        first, second: the operands.
        lists: the lists of nodes, and how they are called.
        parameters, constants: the leaves that are no inputs, by their numbers.
        own: the rules that are no part of the table.
    """

    numbers: dict[Value, int] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    second: list[int] = field(default_factory=list)
    lists: dict[tuple[int, ...], int] = field(default_factory=dict)
    parameters: dict[int, Value] = field(default_factory=dict)
    constants: dict[int, float] = field(default_factory=dict)
    own: tuple[Rule, ...] = ()

    def add(self, code: int = 0, first: int = NOTHING, second: int = NOTHING) -> int:
        self.codes.append(code)
        self.first.append(first)
        self.second.append(second)
        return len(self.codes) - 1


def flatten(outputs: Sequence[Value], inputs: Sequence[Value], first: Sequence[Value] = ()) -> Flat:
    """The graph of `outputs`, in which `inputs` vary from row to row; `first` are the first of the parameters."""
    nodes = _numbered(outputs, inputs, first)
    results = np.array([nodes.numbers[output] for output in outputs])
    graph = _Survey(nodes, len(inputs), results[0])
    uniform = graph.tape([*nodes.parameters, *nodes.constants], varies=False)
    graph.common[results] = True
    common = np.flatnonzero(graph.common & ~graph.varies)
    varying = graph.tape([*range(len(inputs)), *common.tolist()], varies=True)
    return Flat(
        list(nodes.parameters.values()),
        list(nodes.constants.values()),
        uniform,
        varying,
        uniform.slots[common],
        uniform.slots[varying.weights],
        varying.slots[results],
        nodes.own,
    )


def _numbered(outputs: Sequence[Value], inputs: Sequence[Value], first: Sequence[Value]) -> Nodes:
    nodes = Nodes()
    numbers, add = nodes.numbers, nodes.add
    for value in inputs:
        numbers[value] = add()
    for value in first:
        numbers[value] = add()
        nodes.parameters[numbers[value]] = value
    order = topological_order(*outputs)
    if CUSTOM_RULES:
        rules = (value._rule for value in order)
        nodes.own = tuple(dict.fromkeys(rule for rule in rules if rule.symbol in CUSTOM_RULES))
    codes = codegen.opcodes(nodes.own)
    known: dict[object, int] = {}

    def listed(x: tuple[Value, ...]) -> int:
        return nodes.lists.setdefault(tuple([numbers[value] for value in x]), NOTHING - 1 - len(nodes.lists))

    for value in order:
        if value in numbers:
            continue
        rule, x, y = value._rule, value._a, value._b
        if value.is_constant:
            key: object = value._data or str(value._data)  # of constants 0.0 and -0.0 are two
            number = known.get(key)
            if number is None:
                number = known[key] = add()
                nodes.constants[number] = value._data
        elif x is None:
            number = add()
            nodes.parameters[number] = value
        else:
            a = listed(x) if type(x) is tuple else numbers[x]
            b = NOTHING if y is None else listed(y) if type(y) is tuple else numbers[y]
            key = rule, a, b
            number = known.get(key)
            if number is None:
                number = known[key] = add(codes[rule], a, b)
        numbers[value] = number
    return nodes


class _Survey:
    """What follows from the operands of every node, in arrays."""

    def __init__(self, nodes: Nodes, inputs: int, root: int) -> None:
        codes, first, second = (np.fromiter(x, np.int64) for x in (nodes.codes, nodes.first, nodes.second))
        numbers = np.arange(len(codes))
        # The nodes of every operand: how many, and where they end in `items`. What is no node counts from the end.
        ends = np.cumsum([len(codes), *map(len, nodes.lists)])
        listed = np.fromiter(chain.from_iterable(nodes.lists), np.int64)
        self.items = np.concatenate([numbers, listed])
        self.sizes = np.concatenate([np.ones_like(codes), np.diff(ends, prepend=len(codes))[::-1]])
        self.ends = np.concatenate([numbers + 1, ends[::-1]])
        self.inner = codes > 0
        self.varies = numbers < inputs
        learns, level = np.zeros(len(codes), bool), np.zeros_like(codes)
        learns[list(nodes.parameters)] = True
        operands = np.zeros((len(codes), 4), bool)
        codegen.kernels(nodes.own).survey(first, second, ends, self.items, self.varies, learns, level, operands)
        first_varies, second_varies, first_learns, second_learns = operands.T
        # A weighted sum of what varies by weights that do not is one of a layer: its weights are taken as the second.
        layer = (codes == codegen.opcodes()[RULES["dot"]]) & (first_varies != second_varies)
        swap = layer & second_varies
        self.first, self.second = np.where(swap, second, first), np.where(swap, first, second)
        mask = np.where(swap, second_learns | 2 * first_learns, first_learns | 2 * second_learns)
        mask *= numbers <= root  # no later node leads to the root, from which the gradients come
        # What is alike in all of these is one group: level, kind, mask, and of a layer the operands.
        self.alike = np.stack([level, np.where(layer, codegen.LAYER, codes), mask, layer * self.first])
        taken = np.unique(np.concatenate([self.first[self.varies], self.second[self.varies & ~layer]]))
        self.common = np.zeros(len(codes), bool)  # to all rows, and taken by what varies
        self.common[self.nodes(taken)] = True

    def nodes(self, operands: Numbers) -> Numbers:
        """The nodes of one operand after another."""
        return self.items[_spans(self.ends[operands], self.sizes[operands])]

    def tape(self, sources: list[int], *, varies: bool) -> Tape:
        """The tape of the nodes that vary, or of those that do not; the slots of `sources` are the first."""
        inner = np.flatnonzero(self.inner & (self.varies == varies))
        inner = inner[np.lexsort(self.alike[::-1, inner])]
        slots = np.zeros_like(self.first)
        placed = np.concatenate([np.array(sources, np.int64), inner])
        slots[placed] = np.arange(placed.size)

        alike, first, second = self.alike[:, inner], self.first[inner], self.second[inner]
        begins = np.flatnonzero(np.diff(alike, prepend=0).any(axis=0))  # a level is 1 or more
        _, kind, mask, _ = alike
        layer, fold = kind == codegen.LAYER, (first < 0) & (kind != codegen.LAYER)
        n_first, n_second = self.sizes[first], self.sizes[second]
        heads = np.zeros_like(inner)  # of a group of layers its operands come first
        heads[begins] = (layer * n_first)[begins]
        lengths = np.where(layer, 1, 1 + fold + n_first + n_second)
        ends = np.cumsum(heads + lengths)
        starts = ends - lengths

        index = np.zeros((heads + lengths).sum(), np.uint32)
        index[np.where(fold, starts + 1, ends - 1)] = slots[inner]
        index[starts[fold]] = n_first[fold]
        after = starts + 2 * fold + n_first
        for x, end, which in (first, starts, heads > 0), (first, after, ~layer), (second, after + n_second, ~layer):
            index[_spans(end[which], self.sizes[x[which]])] = slots[self.nodes(x[which])]

        counts = np.diff(begins, append=inner.size)
        kind, mask, start, size = np.stack([kind, mask, starts - heads, layer * n_first])[:, begins]
        first_weight, weights, n_weights = np.zeros_like(size), [np.zeros(0, np.int64)], 0
        known: dict[bytes, int] = {}  # where the weights of a layer begin; another one may have the same
        for group in np.flatnonzero(size):
            lists = second[begins[group] :][: counts[group]]
            first_weight[group] = known.setdefault(lists.tobytes(), n_weights)
            if first_weight[group] == n_weights:
                weights.append(self.nodes(lists))
                n_weights += weights[-1].size
        return Tape(
            np.ascontiguousarray(np.stack([kind, mask, start, counts, size, first_weight], axis=1)),
            index,
            slots,
            placed.size,
            np.concatenate(weights),
        )


def _spans(ends: Numbers, sizes: Numbers) -> Numbers:
    """The numbers up to each end, without it, as many as its size."""
    return np.repeat(ends - np.cumsum(sizes), sizes) + np.arange(sizes.sum())
