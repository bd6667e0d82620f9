"""Recordings of the losses of examples, which share a graph where possible."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from engine import Value
from engine.arguments import leaf_data
from engine.comparisons import Comparisons, warn_of_frozen
from engine.compiler.numbering import NumberedGraph
from engine.compiler.program import Floats, Program
from engine.graph import topological_order
from engine.recording import recording as recording_on
from engine.validation import error_context
from nn.inputs import Pairs
from nn.layer import Layer
from nn.losses import ACCURACIES, Loss, cross_entropy
from nn.mlp import MLP
from nn.module import Module
from nn.optimizers import Optimizer
from nn.perceptron import Perceptron
from nn.training.choice import records_one_graph

Indices: TypeAlias = npt.NDArray[np.intp]
_Flat: TypeAlias = tuple[Hashable, Sequence[Any], list[float] | None]

REPLAY = (
    "compiled training repeats the outcome in every step: use engine.maximum, minimum, relu or abs in the model or the "
    "loss, or nn.train(..., compiled=False)"
)

SAMPLE = 10  # the number of graphs that are recorded twice


@dataclass
class ExampleGroup:
    """Examples whose losses have the same graph, except for some numbers.

    Attributes:
        program: that graph; its outputs are the loss, then the outputs of the model.
        output: the output of the model for one of them: a Value, or Values in lists.
        examples: their indices.
        data: the numbers, one row per example.
        targets: the targets, one row per example; None if they are among the numbers of `data`.
        is_same: records the first example again, and returns whether the graph is the same; None if it has to be.
    """

    program: Program
    output: Any
    examples: Indices
    data: Floats
    targets: Floats | None = None
    is_same: Callable[[], bool] | None = None


def record_examples(
    model: Any, loss: Loss, pairs: Pairs, optimizer: Optimizer, epoch: str, *, any_model: bool
) -> list[ExampleGroup] | None:
    """Record the losses of all examples; return None if that is impossible.

    Models and losses of this package record the same graph for every example, so one recording is enough. For others,
    if `any_model` allows them, every example is recorded. Errors name `epoch` and the example.
    """
    if records_one_graph(model, loss):
        group = _record_one(model, loss, pairs, optimizer.parameters, epoch)
        if group:
            return [group]
    if not any_model:
        return None
    parameters = [*optimizer.parameters, *(model.parameters() if isinstance(model, Module) else ())]
    return _record_each(model, loss, pairs, list(dict.fromkeys(parameters)), epoch)


def _record_one(
    model: Perceptron | Layer | MLP, loss: Loss, pairs: Pairs, parameters: list[Value], epoch: str
) -> ExampleGroup | None:
    """Record the first example for all; return None if the examples are not rows of numbers for the model."""
    xs, rs = _matrix([x for x, _ in pairs]), _matrix([r for _, r in pairs])
    if xs is None or rs is None or xs.shape[1] != model.n_inputs:
        return None
    inputs = [Value(x, f"x{i}") for i, x in enumerate(xs[0], start=1)]
    with error_context(f"{epoch}data[0]"):
        output = model(inputs)
    numbers = map(tuple, rs.tolist()) if loss in ACCURACIES else repeat(())
    targets = list(zip([type(r) for _, r in pairs], numbers, strict=False))
    first = dict(zip(reversed(targets), reversed(range(len(pairs))), strict=True))  # of all equal targets
    for i in sorted(first.values()):  # the loss checks every different target
        with error_context(f"{epoch}data[{i}]"):
            loss(output, pairs[i][1])
    outputs = flat_list(output)
    if loss is cross_entropy and rs.shape[1] == 1:
        rs = np.eye(len(outputs))[rs[:, 0].astype(np.intp)]
    leaves = [Value(r, f"r{k}") for k, r in enumerate(rs[0], start=1)]
    example = loss(output, leaves if isinstance(output, list) else leaves[0])
    program = Program(NumberedGraph([example, *outputs], parameters), [*inputs, *leaves], parameters)
    return ExampleGroup(program, output, np.arange(len(pairs)), np.hstack([xs, rs]), rs)


@dataclass
class _Recording:
    """A recorded graph, and the examples that share it."""

    output: Any
    graph: NumberedGraph  # of the loss, then the outputs
    leaves: list[Value]  # without the parameters
    numbers: list[float]  # the data of the leaves
    inputs: list[Value] = field(default_factory=list)  # the leaves whose numbers are those in `data`
    examples: list[int] = field(default_factory=list)
    data: list[list[float]] = field(default_factory=list)
    repeated: bool = False  # whether another example had the same graph, as far as it does not depend on the inputs

    def non_inputs(self, inputs: list[Value]) -> list[Value]:
        others = set(inputs)
        return [leaf for leaf in self.leaves if leaf not in others]


def _record_each(
    model: Callable[[Any], Any], loss: Loss, pairs: Pairs, parameters: list[Value], epoch: str
) -> list[ExampleGroup]:
    """Record every example, or of examples that consist of different leaf Values one per shape, and group them."""
    known = set(parameters)
    memory: dict[int, _Flat] = {}
    shapes, flat, numbers = zip(*[_flatten(pair, memory) for pair in pairs], strict=True)
    comparisons = Comparisons()

    def record(i: int) -> _Recording:
        with error_context(f"{epoch}data[{i}]"), recording_on(comparisons):
            x, r = pairs[i]
            output = model(x)
            graph = NumberedGraph([loss(output, r), *flat_list(output)], parameters)
            leaves = graph.leaves()
            return _Recording(output, graph, leaves, [leaf.data for leaf in leaves])

    def is_same(recording: _Recording) -> bool:
        other = record(recording.examples[0])
        return (other.graph.signature(), other.numbers) == (recording.graph.signature(), recording.numbers)

    # The key None holds the examples that contain anything but distinct leaf Values; they are recorded one by one.
    by_shape: dict[Hashable, list[int]] = {}
    for i, values in enumerate(flat):
        distinct = numbers[i] is not None and len(set(values)) == len(values) and known.isdisjoint(values)
        by_shape.setdefault(shapes[i] if distinct else None, []).append(i)

    recordings: dict[Hashable, _Recording] = {}
    for shape, members in by_shape.items():
        first, last = members[0], members[-1]
        recording = record(first)
        # Without comparisons, since examples may take different branches.
        uniform = shape is not None and not comparisons.frozen([], flat[first], [])
        if uniform and last != first:  # if the first and the last have the same graph, all have
            other = record(last)
            fixed = [x.data for x in recording.non_inputs(flat[first])]
            uniform = recording.graph.signature() == other.graph.signature() and fixed == [
                x.data for x in other.non_inputs(flat[last])
            ]
            recording.repeated = uniform
        for i in members:
            if not uniform and i != first:
                recording = record(i)
            inputs = flat[i] if uniform else recording.leaves
            shared = recordings.setdefault(shape if uniform else recording.graph.signature(), recording)
            shared.inputs = shared.inputs or inputs
            shared.examples.append(i)
            shared.data.append(numbers[i] if uniform else recording.numbers)

    tables = []
    all_parameters = dict.fromkeys(parameters)
    for one in recordings.values():
        table = np.array(one.data).reshape(len(one.data), len(one.inputs))
        if one.inputs is one.leaves:  # leaves with the same number in all examples are not inputs
            differs = np.ptp(table, axis=0) > 0.0
            one.inputs = [x for x, differ in zip(one.inputs, differs, strict=True) if differ]
            table = np.ascontiguousarray(table[:, differs])
        tables.append(table)
        all_parameters |= dict.fromkeys([x for x in one.non_inputs(one.inputs) if not x.is_constant])
    for k, one in enumerate([*recordings.values()][:SAMPLE]):
        if not ((k and one.repeated) or is_same(one)):  # the first again in any case, as chance may repeat a graph
            raise ValueError(
                f"{epoch}data[{one.examples[0]}]: model and loss must record the same graph and numbers every time to "
                "be compiled, got others the second time (from random numbers, or a state that changes): pass "
                "compiled=False"
            )
    groups = []
    for one, table in zip(recordings.values(), tables, strict=True):
        program = Program(one.graph, one.inputs, [*all_parameters])
        same = functools.partial(is_same, one)
        groups.append(ExampleGroup(program, one.output, np.array(one.examples), table, is_same=same))
    if not comparisons.is_empty():
        examples = {x for values in flat for x in values if type(x) is Value} - known
        may_change = {x for group in groups for x in group.program.parameters} - examples
        graphs = (x for group in groups for x in topological_order(*group.program.outputs) if x not in examples)
        warn_of_frozen(comparisons.frozen([], may_change, graphs), REPLAY, again=epoch == "epoch 1, ")
    return groups


def flat_list(nested: Any) -> list[Any]:
    """Return the items of nested lists and tuples, in order."""
    return [x for part in nested for x in flat_list(part)] if isinstance(nested, list | tuple) else [nested]


def _flatten(nested: Any, memory: dict[int, _Flat]) -> _Flat:
    """Return the shape of nested lists and tuples, their items in order, and the data of the items.

    The shape of a list of Values is its length, of another list the shapes of its items, and of any other item None.
    The data is None if an item is not a leaf. `memory` stores results by id, since examples may share parts; ids stay
    unique as long as the examples live.
    """
    if not isinstance(nested, list | tuple):
        return None, [nested], leaf_data([nested])
    if id(nested) not in memory:
        if {*map(type, nested)} == {Value}:
            memory[id(nested)] = len(nested), nested, leaf_data(nested)
        else:
            shapes, parts, numbers = (
                zip(*[_flatten(part, memory) for part in nested], strict=True) if nested else [()] * 3
            )
            data = None if None in numbers else [*chain.from_iterable(numbers)]
            memory[id(nested)] = shapes, [*chain.from_iterable(parts)], data
    return memory[id(nested)]


def _matrix(rows: list[Any]) -> Floats | None:
    """Return single numbers, or lists of as many finite numbers, as an array; None if they are anything else."""
    try:
        table = np.array(rows)
    except ValueError:  # lists of different lengths
        return None
    if table.dtype.kind not in "iuf" or table.ndim > 2 or not np.isfinite(table).all():
        return None
    entries = chain.from_iterable([rows, *[row for row in rows if isinstance(row, (list, tuple))]])
    if not {bool, np.bool_}.isdisjoint(map(type, entries)):  # NumPy takes True for 1 beside other numbers
        return None
    return table.reshape(len(rows), -1).astype(np.float64, copy=False)
