"""Recordings of the losses of examples, which share a graph where possible."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from engine import Value
from engine.arguments import leaf_data
from engine.comparisons import Comparisons, warn_of_frozen
from engine.compiler.equality import equal_graphs
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
# Items, and their data if all are leaf Values, but not parameters.
_Block: TypeAlias = tuple[Sequence[Any], Floats | None]

REPLAY = (
    "compiled training repeats the outcome in every step: use engine.maximum, minimum, relu or abs in the model or the "
    "loss, or nn.train(..., compiled=False)"
)

SAMPLE = 10  # the number of graphs that are recorded twice
SHAPES = 4  # the number of shapes of which two examples are recorded


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
    model_inputs, targets = zip(*pairs, strict=True)
    xs, rs = _matrix(model_inputs), _matrix(targets)
    if xs is None or rs is None or xs.shape[1] != model.n_inputs:
        return None
    inputs = [Value(x, f"x{i}") for i, x in enumerate(xs[0].tolist(), start=1)]
    with error_context(f"{epoch}data[0]"):
        output = model(inputs)
    columns = rs.T.tolist() if loss in ACCURACIES else []
    keys = list(zip(map(type, targets), *columns, strict=True))
    first = dict(zip(reversed(keys), reversed(range(len(keys))), strict=True))  # of all equal targets
    for i in sorted(first.values()):  # the loss checks every different target
        with error_context(f"{epoch}data[{i}]"):
            loss(output, targets[i])
    outputs = flat_list(output)
    if loss is cross_entropy and rs.shape[1] == 1:
        rs = np.eye(len(outputs))[rs[:, 0].astype(np.intp)]
    leaves = [Value(r, f"r{k}") for k, r in enumerate(rs[0].tolist(), start=1)]
    example = loss(output, leaves if isinstance(output, list) else leaves[0])
    program = Program(NumberedGraph([example, *outputs], parameters), [*inputs, *leaves], parameters)
    return ExampleGroup(program, output, np.arange(len(pairs)), np.hstack([xs, rs]), rs)


@dataclass
class _Recording:
    """A recorded graph, and the examples that share it."""

    output: Any
    graph: NumberedGraph  # of the loss, then the outputs
    inputs: list[Value]  # the leaves whose numbers are those in `data`
    examples: list[int] = field(default_factory=list)
    data: list[Floats] = field(default_factory=list)  # in one or more arrays per example
    uniform: bool = False  # whether `inputs` are the items of an example, so that one recording was enough
    separate: set[Value] = field(default_factory=set)  # inputs for which another example has another leaf

    def add(self, example: int, leaves: list[Value]) -> None:
        """Add an example with the same graph, whose leaves stand in the places of `inputs`."""
        self.examples.append(example)
        self.data.append(np.array([leaf.data for leaf in leaves]))
        self.separate.update(
            x for x, leaf in zip(self.inputs, leaves, strict=True) if leaf is not x and not leaf.is_constant
        )

    def table(self) -> Floats:
        """Return the numbers, one row per example, of inputs that differ; if not `uniform`, the others are dropped."""
        table = np.concatenate([np.empty(0), *self.data]).reshape(len(self.examples), len(self.inputs))
        if not self.uniform:
            differs = (np.ptp(table, axis=0) > 0.0) | np.array([x in self.separate for x in self.inputs], dtype=bool)
            self.inputs = [x for x, differ in zip(self.inputs, differs, strict=True) if differ]
            table = np.ascontiguousarray(table[:, differs])
        return table

    def other_parameters(self) -> list[Value]:
        """Return the leaves that take gradients, without the inputs and the parameters of the graph."""
        inputs = set(self.inputs)
        return [leaf for leaf in self.graph.leaves() if not (leaf.is_constant or leaf in inputs)]


def _record_each(
    model: Callable[[Any], Any], loss: Loss, pairs: Pairs, parameters: list[Value], epoch: str
) -> list[ExampleGroup]:
    """Record every example, or of examples that consist of different leaf Values one per shape, and group them."""
    known = dict(zip(parameters, parameters, strict=True))
    comparisons, reads = Comparisons(), list[Value]()
    memory: dict[int, _Block] = {}
    blocks: list[list[_Block]] = [[] for _ in pairs]

    def items(i: int) -> list[Any]:
        return [*chain.from_iterable([block for block, _ in blocks[i]])]

    def outputs_of(i: int) -> tuple[Any, list[Value]]:
        reads.clear()
        with error_context(f"{epoch}data[{i}]"), recording_on(comparisons, reads):
            x, r = pairs[i]
            output = model(x)
            return output, [loss(output, r), *flat_list(output)]

    def record(i: int) -> _Recording:
        output, outputs = outputs_of(i)
        graph = NumberedGraph(outputs, parameters)
        return _Recording(output, graph, graph.leaves())

    def is_same(recording: _Recording, first: int, other: int) -> bool:
        """Record an example again, or another one, and return whether the graph is that of the first."""
        inputs = {x: y for x, y in zip(items(first), items(other), strict=True) if type(x) is Value}
        return equal_graphs(recording.graph, outputs_of(other)[1], known | inputs)

    # The key None holds the examples that contain anything but leaf Values; they are recorded one by one.
    by_shape: dict[Hashable, list[int]] = {}
    for i, pair in enumerate(pairs):
        shape = _shape(pair, blocks[i], memory, known)
        by_shape.setdefault(None if any(data is None for _, data in blocks[i]) else shape, []).append(i)

    # The smallest and the largest are among them, since a model may be random for long examples only.
    by_size = sorted(by_shape, key=lambda shape: len(items(by_shape[shape][0])))
    checked = {by_size[i] for i in np.linspace(0, len(by_size) - 1, SHAPES).astype(int).tolist()}

    recordings: dict[Hashable, _Recording] = {}
    for shape, members in by_shape.items():
        first, last = members[0], members[-1]
        recording = record(first)
        inputs = items(first)
        # The numbers of other examples may lead to other branches.
        if (
            shape is not None
            and len(set(inputs)) == len(inputs)
            and not comparisons.frozen([], inputs, [])
            and set(inputs).isdisjoint(topological_order(*reads))
            and (first == last or shape not in checked or is_same(recording, first, last))
        ):
            data = [data for i in members for _, data in blocks[i] if data is not None]
            recordings[shape] = _Recording(recording.output, recording.graph, inputs, members, data, uniform=True)
            continue
        for i in members:
            if i != first:
                recording = record(i)
            recordings.setdefault(recording.graph.signature(), recording).add(i, recording.inputs)

    tables = [one.table() for one in recordings.values()]
    all_parameters = dict.fromkeys(chain(parameters, *[one.other_parameters() for one in recordings.values()]))
    groups: list[ExampleGroup] = []
    repeated = [one.uniform and len(one.examples) > 1 for one in recordings.values()]
    repeated[0] = repeated[0] and sum(repeated) > 1  # chance may repeat one graph
    for one, table, sure in zip(recordings.values(), tables, repeated, strict=True):
        same = functools.partial(is_same, one, one.examples[0], one.examples[0])
        if len(groups) < SAMPLE and not sure and not same():
            raise ValueError(
                f"{epoch}data[{one.examples[0]}]: model and loss must record the same graph and numbers every time to "
                "be compiled, got others the second time (from random numbers, or a state that changes): pass "
                "compiled=False"
            )
        program = Program(one.graph, one.inputs, [*all_parameters])
        groups.append(ExampleGroup(program, one.output, np.array(one.examples), table, is_same=same))
    if not comparisons.is_empty():
        examples = {x for i in range(len(pairs)) for x in items(i) if type(x) is Value}.difference(known)
        may_change = {x for group in groups for x in group.program.parameters} - examples
        graphs = (x for group in groups for x in topological_order(*group.program.outputs) if x not in examples)
        warn_of_frozen(comparisons.frozen([], may_change, graphs), REPLAY, again=epoch == "epoch 1, ")
    return groups


def flat_list(nested: Any) -> list[Any]:
    """Return the items of nested lists and tuples, in order."""
    return [x for part in nested for x in flat_list(part)] if isinstance(nested, list | tuple) else [nested]


def _shape(nested: Any, blocks: list[_Block], memory: dict[int, _Block], parameters: dict[Value, Value]) -> Hashable:
    """Return the shape of nested lists and tuples, and append their innermost lists to `blocks`.

    The shape of a list of items is its length, of a list of lists their shapes, and of an item None. `memory` stores
    blocks by id, since examples may share lists; ids stay unique as long as the examples live.
    """
    block = memory.get(id(nested))
    if block is None:
        if not isinstance(nested, list | tuple):
            blocks.append(_block((nested,), parameters))
            return None
        if any(issubclass(kind, list | tuple) for kind in {*map(type, nested)}):
            return tuple([_shape(part, blocks, memory, parameters) for part in nested])
        block = memory[id(nested)] = _block(nested, parameters)
    blocks.append(block)
    return len(nested)


def _block(items: Sequence[Any], parameters: dict[Value, Value]) -> _Block:
    data = leaf_data(items)
    return items, np.array(data) if data is not None and parameters.keys().isdisjoint(items) else None


def _matrix(rows: Sequence[Any]) -> Floats | None:
    """Return single numbers, or lists of as many finite numbers, as an array; None if they are anything else."""
    try:
        table = np.array(rows)
    except ValueError:  # lists of different lengths
        return None
    if table.dtype.kind not in "iuf" or table.ndim > 2 or not np.isfinite(table).all():
        return None
    kinds = {*map(type, rows)}
    if any(issubclass(kind, list | tuple) for kind in kinds):
        kinds.update(map(type, chain.from_iterable(rows)))
    if not kinds.isdisjoint({bool, np.bool_}):  # NumPy takes True for 1 beside other numbers
        return None
    return table.reshape(len(rows), -1).astype(np.float64, copy=False)
