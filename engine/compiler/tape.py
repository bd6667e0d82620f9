"""Tapes: a graph as arrays of numbers, which the kernels run on many rows of data.

Nodes that do not depend on an input are the same in every row: they are on a uniform tape, which runs once. The others
are on a varying tape, which runs for every row. Equal expressions become one node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.compiler.codegen import opcodes, runtime_code
from engine.compiler.numbering import MergedGraph, NumberedGraph, merge_equal
from engine.compiler.python_to_llvm import pack
from engine.compiler.runtime import LAYER
from engine.rules import RULES, Rule
from engine.value import Value

Integers: TypeAlias = npt.NDArray[np.int64]


@dataclass
class Tape:
    """Operations on numbered slots, each after those of its operands.

    Attributes:
        operations: a row for each group of equal operations: the opcode, a bit mask of the operands that require a
            gradient (1: first, 2: second), where the group begins in `index`, and the number of operations; for a
            layer also the number of operands and the first weight.
        index: the slots of operands and results.
        slots: the slot of every node.
        size: the number of slots.
        weights: the nodes that are weights of layers.
    """

    operations: Integers
    index: npt.NDArray[np.uint32]
    slots: Integers
    size: int
    weights: Integers


@dataclass
class TapedGraph:
    """The graph of some outputs on two tapes.

    Attributes:
        parameters: the leaves that are neither inputs nor constants; they have the first slots of the uniform tape.
        constants: the numbers in the slots after them.
        uniform: the tape of the nodes that are the same in every row.
        varying: the tape of the others. The inputs have its first slots, then the nodes that are common to all rows.
        common: the uniform slots that are copied to every lane: outputs, and operands of varying operations.
        weights: the uniform slots that are weights of layers.
        outputs: the varying slot of each output.
        rules: the rules of the operations on the tapes, by opcode.
    """

    parameters: list[Value]
    constants: list[float]
    uniform: Tape
    varying: Tape
    common: Integers
    weights: Integers
    outputs: Integers
    rules: dict[int, Rule]


def linearize(
    graph: NumberedGraph, inputs: Sequence[Value], parameters: Sequence[Value] = (), *, wrt_inputs: bool = False
) -> TapedGraph:
    """Put a graph on tapes.

    Args:
        graph: its outputs are computed; gradients are those of the first one, or with `wrt_inputs` of each.
        inputs: the leaves that vary from row to row.
        parameters: leaves that become the first parameters, even if they are not in the graph; those of `graph` are
            among them.
        wrt_inputs: differentiate with respect to the inputs instead of the parameters.

    >>> x, w = Value(1.0), Value(0.5)
    >>> tapes = linearize(NumberedGraph([(w * x).tanh()]), [x])
    >>> tapes.varying.operations[:, 1:4], tapes.varying.index
    (array([[1, 0, 1],
           [1, 4, 1]]), array([1, 2, 1, 0, 1, 3, 2], dtype=uint32))
    """
    nodes = merge_equal(graph, inputs, parameters)
    results = np.array(nodes.outputs)
    active = [*range(len(inputs))] if wrt_inputs else [*nodes.parameters]
    dependencies = _Dependencies(nodes, len(inputs), active, results.max() if wrt_inputs else results[0])
    uniform = dependencies.tape([*nodes.parameters, *nodes.constants], varies=False)
    dependencies.common[results] = True
    common = np.flatnonzero(dependencies.common & ~dependencies.varies)
    varying = dependencies.tape([*range(len(inputs)), *common.tolist()], varies=True)
    return TapedGraph(
        list(nodes.parameters.values()), list(nodes.constants.values()), uniform, varying,
        uniform.slots[common], uniform.slots[varying.weights], varying.slots[results],
        {code: nodes.rules[code] for tape in (uniform, varying) for code in tape.operations[:, 0].tolist() if code},
    )  # fmt: skip


class _Dependencies:
    """Properties of every node that follow from its operands, as arrays.

    Attributes:
        items, sizes, ends: operand `x` is the nodes items[ends[x] - sizes[x] : ends[x]]. Negative references (operand
            lists, NO_OPERAND) index from the end, as in Python.
        inner: whether a node is not a leaf.
        varies: whether a node depends on an input.
        first, second: the operands; for a layer the inputs and the weights.
        groups: nodes are a group if they are equal in all four rows: the level above the leaves, the opcode, the mask
            of the operands that require a gradient, and for a layer the operands.
        common: whether a node is the same in every row and an operand of one that varies.
    """

    def __init__(self, nodes: MergedGraph, n_inputs: int, active: list[int], root: int) -> None:
        codes, first, second = (np.fromiter(x, np.int64) for x in (nodes.codes, nodes.first, nodes.second))
        numbers = np.arange(len(codes))
        list_ends = np.cumsum([len(codes), *map(len, nodes.lists)])
        self.items = np.concatenate([numbers, np.fromiter(chain.from_iterable(nodes.lists), np.int64)])
        self.sizes = np.concatenate([np.ones_like(codes), np.diff(list_ends, prepend=len(codes))[::-1]])
        self.ends = np.concatenate([numbers + 1, list_ends[::-1]])
        self.inner = codes > 0
        self.varies = numbers < n_inputs
        requires_grad, level = np.zeros(len(codes), bool), np.zeros_like(codes)
        requires_grad[active] = True
        flags = np.zeros((len(codes), 4), bool)
        from_start = first % self.sizes.size, second % self.sizes.size
        runtime_code().call(
            "propagate_flags",
            pack(*from_start, self.items, self.sizes, self.ends, self.varies, requires_grad, level, flags),
        )
        first_varies, second_varies, first_grad, second_grad = flags.T
        # A weighted sum of operands that vary by weights that do not belongs to a layer, with its weights second.
        layer = (codes == opcodes()[RULES["dot"]]) & (first_varies != second_varies)
        swap = layer & second_varies
        self.first, self.second = np.where(swap, second, first), np.where(swap, first, second)
        mask = np.where(swap, second_grad | 2 * first_grad, first_grad | 2 * second_grad)
        mask *= numbers <= root  # the root does not depend on later nodes
        self.groups = np.stack([level, np.where(layer, LAYER, codes), mask, layer * self.first])
        used = np.zeros_like(self.sizes, bool)
        used[self.first[self.varies]] = used[self.second[self.varies & ~layer]] = True
        self.common = np.zeros(len(codes), bool)
        self.common[self.nodes(np.flatnonzero(used))] = True

    def nodes(self, operands: Integers) -> Integers:
        """Return the nodes of one operand after another."""
        return self.items[_ranges(self.ends[operands], self.sizes[operands])]

    def tape(self, sources: list[int], *, varies: bool) -> Tape:
        """Return the tape of the nodes that vary, or of the others; `sources` have its first slots."""
        inner = np.flatnonzero(self.inner & (self.varies == varies))
        inner = inner[np.lexsort(self.groups[::-1, inner])]
        slots = np.zeros_like(self.first)
        placed = np.concatenate([np.array(sources, np.int64), inner])
        slots[placed] = np.arange(placed.size)

        groups, first, second = self.groups[:, inner], self.first[inner], self.second[inner]
        begins = np.flatnonzero(np.diff(groups, prepend=0).any(axis=0))  # levels begin with 1, so the first group too
        _, code, mask, _ = groups
        layer = code == LAYER
        n_first, n_second = self.sizes[first], self.sizes[second]
        heads = np.zeros_like(inner)  # the index of a layer begins with its operands
        heads[begins] = (layer * n_first)[begins]
        lengths = np.where(layer, 1, 2 + n_first + n_second)
        ends = np.cumsum(heads + lengths)
        starts = ends - lengths

        index = np.zeros((heads + lengths).sum(), np.uint32)
        index[np.where(layer, starts, starts + 1)] = slots[inner]
        index[starts[~layer]] = n_first[~layer]
        after = starts + 2 + n_first
        for x, end, where in (first, starts, heads > 0), (first, after, ~layer), (second, after + n_second, ~layer):
            index[_ranges(end[where], self.sizes[x[where]])] = slots[self.nodes(x[where])]

        counts = np.diff(begins, append=inner.size)
        code, mask, start, size = np.stack([code, mask, starts - heads, layer * n_first])[:, begins]
        first_weight, weights, n_weights = np.zeros_like(size), [np.zeros(0, np.int64)], 0
        known: dict[bytes, int] = {}  # layers may share their weights
        for group in np.flatnonzero(size):
            lists = second[begins[group] :][: counts[group]]
            first_weight[group] = known.setdefault(lists.tobytes(), n_weights)
            if first_weight[group] == n_weights:
                weights.append(self.nodes(lists))
                n_weights += weights[-1].size
        return Tape(
            np.ascontiguousarray(np.stack([code, mask, start, counts, size, first_weight], axis=1)),
            index,
            slots,
            placed.size,
            np.concatenate(weights),
        )


def _ranges(ends: Integers, sizes: Integers) -> Integers:
    """Return the concatenated ranges `end - size .. end - 1`."""
    return np.repeat(ends - np.cumsum(sizes), sizes) + np.arange(sizes.sum())
