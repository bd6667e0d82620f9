"""Tapes: a graph as arrays of numbers, which the kernels run on many rows of data.

Nodes that do not depend on an input are the same in every row: they are on a uniform tape, which runs once. The others
are on a varying tape, which runs for every row. Equal expressions become one node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.compiler.codegen import opcodes, runtime_code
from engine.compiler.numbering import KINDS, Integers, NumberedGraph, merge_equal
from engine.compiler.python_to_llvm import pack
from engine.custom import CUSTOM_RULES
from engine.rules import CONSTANT, LEAF, RULES, Rule
from engine.value import Value

Operands: TypeAlias = tuple[Integers, Integers, Integers, Integers, Integers]


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
    n = graph.kinds.size  # also the number of a leaf that is not in the graph
    varying_leaves, known = ([graph.numbers.get(leaf, n) for leaf in leaves] for leaves in (inputs, parameters))
    kinds = np.append(graph.kinds, -1)
    kinds[varying_leaves + known] = -1
    others, constants = (np.flatnonzero(kinds == KINDS[rule]) for rule in (LEAF, CONSTANT))
    merged = merge_equal(graph, constants)
    constants = constants[merged.same[constants] == constants]
    results = merged.same[graph.results]
    uniform_leaves = known + others.tolist()

    custom = sorted((rule for rule in graph.rules if rule.symbol in CUSTOM_RULES), key=attrgetter("symbol"))
    codes = opcodes(custom)
    node_codes = np.array([codes.get(rule, 0) for rule in graph.rules])[graph.kinds]
    varies, requires_grad, common = np.zeros((3, n + 1), bool)
    varies[varying_leaves] = requires_grad[varying_leaves if wrt_inputs else uniform_leaves] = True
    root = int(results.max() if wrt_inputs else results[0])
    operands = merged.first, merged.second, merged.items, graph.sizes, graph.ends
    groups = np.zeros((n, 4), np.int64)
    words = pack(node_codes, codes[RULES["dot"]], root, *operands, varies, requires_grad, common, groups)
    runtime_code().call("group", words)

    varies, common = varies[:n], common[:n]
    operations = (node_codes > 0) & (merged.same[:n] == np.arange(n))
    uniform = _tape(operations & ~varies, [*uniform_leaves, *constants], groups, operands)
    common[results] = True
    shared = np.flatnonzero(common & ~varies)
    varying = _tape(operations & varies, [*varying_leaves, *shared.tolist()], groups, operands)
    used = {*uniform.operations[:, 0].tolist(), *varying.operations[:, 0].tolist()}
    return TapedGraph(
        [*parameters, *(graph.nodes[k] for k in others)],
        [graph.nodes[k].data for k in constants],
        uniform,
        varying,
        uniform.slots[shared],
        uniform.slots[varying.weights],
        varying.slots[results],
        {codes[rule]: rule for rule in graph.rules if codes.get(rule) in used},
    )


def _tape(is_operation: npt.NDArray[np.bool_], sources: list[int], groups: Integers, operands: Operands) -> Tape:
    """Return the tape of some operations; `sources` have its first slots."""
    first, second, items, sizes, ends = operands
    nodes = np.flatnonzero(is_operation)
    nodes = nodes[np.lexsort(groups[nodes].T[::-1])]
    placed = np.concatenate([np.array(sources, np.int64), nodes])
    slots = np.zeros(is_operation.size + 1, np.int64)
    slots[placed] = np.arange(placed.size)
    operations = np.zeros((nodes.size + 1, 6), np.int64)
    index = np.empty((2 + sizes[first[nodes]] + sizes[second[nodes]]).sum(), np.uint32)
    n_groups = runtime_code().call("write_tape", pack(nodes, groups, *operands, slots, operations, index))
    index, operations = index[: operations[n_groups, 2]], operations[:n_groups]

    weights, n_weights = [np.zeros(0, np.int64)], 0
    known: dict[bytes, int] = {}  # layers may share their weights
    last = np.cumsum(operations[:, 3])
    for row in np.flatnonzero(operations[:, 4]):
        size, lists = operations[row, 4], second[nodes[last[row] - operations[row, 3] : last[row]]]
        operations[row, 5] = known.setdefault(lists.tobytes(), n_weights)
        if operations[row, 5] == n_weights:
            weights.append(items[(ends[lists] - size)[:, None] + np.arange(size)].ravel())
            n_weights += weights[-1].size
    return Tape(operations, index, slots, placed.size, np.concatenate(weights))
