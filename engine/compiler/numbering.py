"""The nodes of a graph by number, as arrays, and equal expressions as one node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from operator import attrgetter
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.compiler.codegen import runtime_code
from engine.compiler.python_to_llvm import pack
from engine.graph import unseen
from engine.rules import CONSTANT, LEAF, Rule
from engine.value import Value

Integers: TypeAlias = npt.NDArray[np.int64]

KINDS = {LEAF: 0, CONSTANT: 1}  # the first rules of every graph
SPARE = 2  # slots of a hash table per entry, at least


def _ids(things: Iterable[object]) -> Integers:
    return np.fromiter(map(id, things), np.int64)


class NumberedGraph:
    """The graph of some outputs.

    An operand is a reference: the number of a node, or of a list of nodes; lists have the numbers after those of nodes.
    The first list is empty, in place of an operand that is absent.

    Attributes:
        outputs: the nodes to compute.
        nodes: all nodes, each after its operands. The `parameters` are first, even if they are not in the graph.
        n_parameters: the number of these.
        numbers: the number of every leaf.
        results: the numbers of the outputs.
        rules: the different rules of nodes, LEAF and CONSTANT first.
        kinds: for every node the index of its rule.
        first, second: the operands of every node.
        items, sizes, ends: operand `x` is the nodes items[ends[x] - sizes[x] : ends[x]].
    """

    def __init__(self, outputs: Sequence[Value], parameters: Iterable[Value] = ()) -> None:
        self.outputs = outputs
        known = list(dict.fromkeys(parameters))
        order = unseen(outputs, set(known))
        self.nodes, self.n_parameters = known + order, len(known)
        n, kinds = len(self.nodes), defaultdict(count(len(KINDS)).__next__, KINDS)
        self.kinds = self._column(map(kinds.__getitem__, map(attrgetter("_rule"), order)), KINDS[LEAF])
        self.rules: list[Rule] = list(kinds)
        is_fold = np.array([bool(rule.finalize) for rule in self.rules])[self.kinds]
        folds = [self.nodes[k] for k in np.flatnonzero(is_fold).tolist()]
        # By id, since many operations may share a list. None has the number of the empty list.
        lists = {id(x): x for node in folds for x in (node._a, node._b) if x is not None}
        ids = _ids(chain(self.nodes, [None], lists.values()))
        self.first, self.second = (
            self._column(map(id, map(attrgetter(name), order)), id(None)) for name in ("_a", "_b")
        )
        members, self.results = _ids(chain.from_iterable(lists.values())), _ids(outputs)
        table = np.zeros(1 << (SPARE * ids.size).bit_length(), np.uint32)
        runtime_code().call("number", pack(ids, table, self.first, self.second, members, self.results))
        self.items = np.concatenate([np.arange(n), members])
        self.sizes = np.concatenate([np.ones(n, np.int64), [0], np.array([*map(len, lists.values())], np.int64)])
        self.ends = np.cumsum(self.sizes)
        self.numbers = {self.nodes[k]: k for k in np.flatnonzero(self.kinds < len(KINDS)).tolist()}

    def _column(self, numbers: Iterable[int], of_parameters: int) -> Integers:
        column = np.full(len(self.nodes), of_parameters)
        column[self.n_parameters :] = np.fromiter(numbers, np.int64)
        return column

    def leaves(self) -> list[Value]:
        """Return the leaves outside `parameters`, constants among them."""
        numbers = np.flatnonzero(self.kinds < len(KINDS)).tolist()
        return [self.nodes[n] for n in numbers[self.n_parameters :]]

    def signature(self) -> Hashable:
        """Return a signature, equal for graphs of the same parameters that differ only in the data of other leaves."""
        arrays = self.kinds, self.first, self.second, self.items, self.sizes, self.results
        return tuple(self.rules), *map(bytes, arrays)


@dataclass
class MergedGraph:
    """The operands of a graph in which equal expressions are one node, the first of them.

    Attributes:
        same: the number of the first node or list that is equal, for every node and list.
        first, second, items: as in `NumberedGraph`.
    """

    same: Integers
    first: Integers
    second: Integers
    items: Integers


def merge_equal(graph: NumberedGraph, constants: Integers) -> MergedGraph:
    """Merge equal expressions, and these of the constants, if they have equal data."""
    data = np.array([graph.nodes[n]._data for n in constants.tolist()])
    _, place, number = np.unique(data.view(np.int64), return_index=True, return_inverse=True)  # 0.0 is not -0.0
    n, n_lists = graph.kinds.size, graph.sizes.size - graph.kinds.size
    same = np.concatenate([np.arange(n), np.full(n_lists, -1)])
    same[constants] = constants[place[number]]
    merged = MergedGraph(same, graph.first.copy(), graph.second.copy(), graph.items.copy())
    tables = [np.zeros(1 << (SPARE * size).bit_length(), np.uint32) for size in (n, n_lists)]
    operands = merged.first, merged.second, merged.items, graph.sizes, graph.ends
    runtime_code().call("merge_equal", pack(graph.kinds, *operands, same, *tables))
    return merged
