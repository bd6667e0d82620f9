"""The nodes of a graph by number, and equal expressions as one node.

An operand is a reference: the number of a node, NO_OPERAND, or, in a fold, the number of a list of nodes, which is
negative. Loops over all nodes are list comprehensions where possible, since they take most of a compilation's time.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from operator import attrgetter
from typing import Any

from engine.compiler.codegen import opcodes
from engine.custom import CUSTOM_RULES
from engine.graph import unseen
from engine.rules import LEAF, Rule
from engine.value import Value

NO_OPERAND = -1  # in place of an operand that is absent
FIRST_LIST = -2  # the number of the first list; the next one has -3


class NumberedGraph:
    """The graph of some outputs.

    Attributes:
        outputs: the nodes to compute.
        parameters: leaves that have the first numbers, even if they are not in the graph.
        nodes: all other nodes, each after its operands.
        numbers: the number of every node.
        rules, first, second: the rule and the operands of every node in `nodes`.
        lists: the numbers of the nodes of every different list.
    """

    def __init__(self, outputs: Sequence[Value], parameters: Iterable[Value] = ()) -> None:
        self.outputs = outputs
        self.parameters = dict.fromkeys(parameters)
        self.nodes = unseen(outputs, set(self.parameters))
        self.numbers: dict[Value, int] = dict(zip((*self.parameters, *self.nodes), count()))
        lists: dict[tuple[int, ...], int] = {}
        references: dict[int, int] = {}  # of lists, by the id of the tuple, which many operations may share
        columns = [node._a for node in self.nodes], [node._b for node in self.nodes]
        number_of: Any = self.numbers.__getitem__
        for operands in {id(x): x for column in columns for x in column if type(x) is tuple}.values():
            references[id(operands)] = lists.setdefault(tuple(map(number_of, operands)), FIRST_LIST - len(lists))
        self.lists = list(lists)
        self.rules = [node._rule for node in self.nodes]
        self.first, self.second = (
            [NO_OPERAND if x is None else references[id(x)] if type(x) is tuple else number_of(x) for x in column]
            for column in columns
        )

    def leaves(self) -> list[Value]:
        """Return the leaves outside `parameters`, constants among them."""
        return [node for node in self.nodes if node._a is None]

    def signature(self) -> Hashable:
        """Return a signature, equal for graphs of the same parameters that differ only in the data of other leaves."""
        return (
            tuple(self.rules),
            tuple(self.first),
            tuple(self.second),
            tuple(self.lists),
            tuple([self.numbers[output] for output in self.outputs]),
        )


@dataclass
class MergedGraph:
    """A graph in which equal expressions are one node.

    Attributes:
        rules: all rules, by opcode.
        codes: the opcode of every node, 0 for leaves. The inputs come first, then the parameters that were passed.
        first, second: the operands of every node.
        lists: the lists of nodes, and their numbers.
        parameters, constants: the leaves that are not inputs, by number.
        outputs: the numbers of the outputs.
    """

    rules: dict[int, Rule]
    codes: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    second: list[int] = field(default_factory=list)
    lists: dict[tuple[int, ...], int] = field(default_factory=dict)
    parameters: dict[int, Value] = field(default_factory=dict)
    constants: dict[int, float] = field(default_factory=dict)
    outputs: list[int] = field(default_factory=list)

    def reference(self, nodes: Iterable[int]) -> int:
        """Return the number of a list of nodes."""
        return self.lists.setdefault(tuple(nodes), FIRST_LIST - len(self.lists))


def merge_equal(graph: NumberedGraph, inputs: Sequence[Value], parameters: Sequence[Value]) -> MergedGraph:
    """Merge equal expressions, and constants with equal data; `parameters` include those of `graph`."""
    custom = [rule for rule in dict.fromkeys(graph.rules) if rule.symbol in CUSTOM_RULES]
    codes = opcodes(sorted(custom, key=attrgetter("symbol")))
    leaves = [*inputs, *parameters]
    none = [NO_OPERAND] * len(leaves)
    merged = MergedGraph({code: rule for rule, code in codes.items()}, [0] * len(leaves), none, [*none])
    merged.parameters = dict(enumerate(parameters, len(inputs)))
    # The merged reference of every reference; negative references index from the end, as in Python.
    new: list[Any] = [None] * (len(graph.numbers) + len(graph.lists)) + [NO_OPERAND]
    for number, leaf in enumerate(leaves):
        if leaf in graph.numbers:
            new[graph.numbers[leaf]] = number
    known: dict[object, int] = {}
    for n, rule, a, b in zip(count(len(graph.parameters)), graph.rules, graph.first, graph.second):
        if new[n] is not None:
            continue
        first, second = new[a], new[b]
        number = len(merged.codes)
        if a == NO_OPERAND:
            leaf = graph.nodes[n - len(graph.parameters)]
            if rule is LEAF:
                merged.parameters[number] = leaf
            else:
                number = known.setdefault(leaf.data or str(leaf.data), number)  # 0.0 and -0.0 are different constants
                merged.constants[number] = leaf.data
        else:
            if first is None:  # a list, of nodes that are merged already
                first = new[a] = merged.reference(new[x] for x in graph.lists[FIRST_LIST - a])
            if second is None:
                second = new[b] = merged.reference(new[x] for x in graph.lists[FIRST_LIST - b])
            number = known.setdefault((rule, first, second), number)
        new[n] = number
        if number == len(merged.codes):
            merged.codes.append(codes.get(rule, 0))
            merged.first.append(first)
            merged.second.append(second)
    merged.outputs = [new[graph.numbers[output]] for output in graph.outputs]
    return merged
