"""Training on arrays: losses recorded and replayed, parameters and the optimizer's state in arrays."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from engine import Value
from engine.compiler.program import Floats, NotFiniteError, Program, graph_signature
from engine.validation import error_context
from engine.value import constant
from nn.inputs import format_indices
from nn.layer import Layer
from nn.losses import accuracy_by, binary_cross_entropy, cross_entropy, hinge, mse
from nn.mlp import MLP
from nn.module import Module
from nn.optimizers import Optimizer
from nn.perceptron import Perceptron
from nn.training.compiled_update import compiled_step

Pairs: TypeAlias = list[tuple[Any, Any]]
Indices: TypeAlias = npt.NDArray[np.intp]
Decision: TypeAlias = Callable[[Floats], npt.NDArray[Any]]

# The decisions that outputs and targets stand for, a row for each example; an output is right where they are the same,
# which is what `nn.losses.accuracy_by` says of one.
DECISIONS: dict[Any, tuple[Decision, Decision]] = {
    hinge: (lambda y: y > 0, lambda r: r > 0),
    binary_cross_entropy: (lambda y: y > 0, lambda r: r > 0.5),
    cross_entropy: (lambda y: y.argmax(axis=1)[:, None], lambda r: r.argmax(axis=1)[:, None]),
}


@dataclass
class Like:
    """Examples whose losses have one graph, but for some numbers.

    Attributes:
        program: that graph; its outputs are the loss and then those of the model.
        output: what the model gave for one of them: a Value, or Values in lists.
        data: the numbers, a row for each example.
        targets: the targets, a row for each example; None where they are not known apart.
    """

    program: Program
    output: Any
    data: Floats
    targets: Floats | None = None


@dataclass
class Examples:
    """All examples in groups of like ones.

    Attributes:
        likes: the groups, whose programs have the same parameters.
        groups, rows: for every example its group, and its row there.
    """

    likes: list[Like]
    groups: Indices
    rows: Indices


def recorded(model: Any, loss: Any, pairs: Pairs, optimizer: Optimizer, *, any_model: bool) -> Examples | None:
    """The losses of all examples, recorded; None if they cannot be.

    A model and a loss of this package do the same with every example, so that recording one is enough. Of others, if
    `any_model` allows them, every example is recorded.
    """
    if type(model) in (Perceptron, Layer, MLP) and loss in (mse, *DECISIONS):
        like = _of_this_package(model, loss, pairs, optimizer.parameters)
        if like:
            return Examples([like], np.zeros(len(pairs), np.intp), np.arange(len(pairs)))
    if not any_model:
        return None
    parameters = [*optimizer.parameters, *(model.parameters() if isinstance(model, Module) else ())]
    return _of_any(model, loss, pairs, list(dict.fromkeys(parameters)))


def _of_this_package(model: Perceptron | Layer | MLP, loss: Any, pairs: Pairs, parameters: list[Value]) -> Like | None:
    xs, rs = _matrix([x for x, _ in pairs]), _matrix([r for _, r in pairs])
    if xs is None or rs is None or xs.shape[1] != model.n_inputs:
        return None
    inputs = [Value(x, f"x{i}") for i, x in enumerate(xs[0], start=1)]
    with error_context("epoch 1, data[0]"):
        output = model(inputs)
    different: dict[Hashable, int] = {}
    for i, (_, r) in enumerate(pairs):
        different.setdefault((type(r), *(rs[i] if loss in DECISIONS else ())), i)
    for i in different.values():
        with error_context(f"epoch 1, data[{i}]"):
            loss(output, pairs[i][1])  # tells what target it does not take
    outputs = _outputs(output)
    if loss is cross_entropy and rs.shape[1] == 1:
        rs = np.eye(len(outputs))[rs[:, 0].astype(np.intp)]
    targets = [Value(r, f"r{k}") for k, r in enumerate(rs[0], start=1)]
    example = loss(output, targets if isinstance(output, list) else targets[0])
    return Like(Program([example, *outputs], [*inputs, *targets], parameters), output, np.hstack([xs, rs]), rs)


def _of_any(model: Any, loss: Any, pairs: Pairs, parameters: list[Value]) -> Examples:
    known = set(parameters)
    shapes: dict[Hashable, list[int]] = {}
    values: list[list[Any]] = []
    for i, pair in enumerate(pairs):
        values.append([])
        shape = _shape(pair, values[i])
        leaves = all(type(x) is Value and not x.op and not x.is_constant for x in values[i])
        if not leaves or len(set(values[i])) < len(values[i]) or not known.isdisjoint(values[i]):
            shape = None
        shapes.setdefault(shape, []).append(i)

    def record(i: int) -> tuple[Any, list[Value], Hashable, list[Value]]:
        with error_context(f"epoch 1, data[{i}]"):
            x, r = pairs[i]
            output = model(x)
            results = [loss(output, r), *_outputs(output)]
            return output, results, *graph_signature(results, known)

    found: dict[Hashable, tuple[int, Any, list[Value], list[Value], list[Value], list[list[float]]]] = {}
    groups, rows = np.zeros(len(pairs), np.intp), np.zeros(len(pairs), np.intp)
    for shape, members in shapes.items():
        first, last = members[0], members[-1]
        output, results, graph, others = record(first)
        alike = shape is not None
        if alike and last != first:
            # Of examples of Values alone, which stand for numbers that change, the first and the last tell for all.
            *_, graph_of_last, others_of_last = record(last)
            fixed, fixed_of_last = _rest(others, values[first]), _rest(others_of_last, values[last])
            alike = graph == graph_of_last and [x.data for x in fixed] == [x.data for x in fixed_of_last]
        for i in members:
            if not alike and i != first:
                output, results, graph, others = record(i)
            inputs = values[i] if alike else others
            key = shape if alike else graph
            group, *_, data = found.setdefault(key, (len(found), output, results, inputs, others, []))
            groups[i], rows[i] = group, len(data)
            data.append([node.data for node in inputs])

    recordings: list[tuple[Any, list[Value], list[Value], Floats]] = []
    for _, output, results, inputs, others, data in found.values():
        table = np.array(data).reshape(len(data), len(inputs))
        if inputs is others:  # those that are the same in all examples are no inputs
            differ = np.ptp(table, axis=0) > 0.0
            inputs = [node for node, differs in zip(others, differ, strict=True) if differs]
            table = np.ascontiguousarray(table[:, differ])
        recordings.append((output, results, inputs, table))
        more = [x for x in _rest(others, inputs) if not x.is_constant]
        parameters = list(dict.fromkeys([*parameters, *more]))
    likes = [Like(Program(results, inputs, parameters), output, table) for output, results, inputs, table in recordings]
    return Examples(likes, groups, rows)


def _rest(leaves: list[Value], inputs: list[Value]) -> list[Value]:
    """The leaves that are no inputs."""
    given = set(inputs)
    return [leaf for leaf in leaves if leaf not in given]


def _shape(thing: Any, parts: list[Any]) -> Hashable:
    """The lists in an example by their lengths; what is in them is added to `parts`."""
    if not isinstance(thing, list | tuple):
        parts.append(thing)
        return None
    if not any(isinstance(x, list | tuple) for x in thing):
        parts += thing
        return len(thing)
    return tuple([_shape(x, parts) for x in thing])


def _outputs(output: Any) -> list[Value]:
    """What a model gave, in order: a Value, or Values in lists."""
    return [y for part in output for y in _outputs(part)] if isinstance(output, list | tuple) else [output]


def _shaped(output: Any, numbers: Iterator[float]) -> Any:
    """The numbers as a model gives them: in lists as those of `output`."""
    if isinstance(output, list | tuple):
        make = getattr(output, "_make", type(output))  # of a named tuple
        return make([_shaped(part, numbers) for part in output])
    return constant(next(numbers), "an output")


def _matrix(rows: list[Any]) -> Floats | None:
    """Lists of as many finite numbers, or single numbers, as an array; None if they are not that."""
    try:
        table = np.array(rows)
    except ValueError:  # lists of different lengths
        return None
    if table.dtype.kind not in "iuf" or table.ndim > 2 or not np.isfinite(table).all():
        return None
    if any(not {bool, np.bool_}.isdisjoint(map(type, x)) for x in [rows, *rows] if isinstance(x, list | tuple)):
        return None  # True is no 1, though NumPy takes it for one
    return table.reshape(len(rows), -1).astype(np.float64)


class Replayed:
    """Steps of an optimizer on arrays. `settle` makes the Values say what the arrays do, `look` goes the other way."""

    def __init__(
        self, examples: Examples, pairs: Pairs, optimizer: Optimizer, loss: Any, accuracy: Callable[..., Any] | None
    ) -> None:
        self.examples, self.pairs, self.optimizer, self.accuracy = examples, pairs, optimizer, accuracy
        self.decide: Decision | None = None
        if accuracy is not None and accuracy is accuracy_by(loss) and examples.likes[0].targets is not None:
            self.decide, of_targets = DECISIONS[loss]
            self.decided = of_targets(examples.likes[0].targets)
        self.leaves = examples.likes[0].program.parameters
        self.gradient = np.zeros(len(self.leaves))
        self.seen: list[tuple[Indices, Floats]] = []  # examples, and what the model gave
        self.losses: list[float] = []
        self.rights = 0.0
        self.look()

    def look(self) -> None:
        """Take over the data of the Values and the state of the optimizer."""
        data = np.array([leaf.data for leaf in self.leaves])
        self.now = data, np.array(self.optimizer.state).T.copy(), self.optimizer.steps

    def settle(self) -> None:
        """Give the Values and the optimizer what the arrays have."""
        data, state, self.optimizer.steps = self.now
        for leaf, number, grad in zip(self.leaves, data.tolist(), self.gradient.tolist(), strict=True):
            leaf.data, leaf.grad = number, grad
        self.optimizer.state = list(map(tuple, state.T.tolist()))

    def arrange(self, order: list[int]) -> None:
        """Take the examples in this order from now on."""
        self.order = np.array(order)

    def step(self, epoch: int, start: int, stop: int) -> None:
        """One step from a batch."""
        chosen = self.order[start:stop]
        gradients: list[Floats] = []
        losses = 0.0
        for group, here, rows in self._by_group(chosen):
            like = self.examples.likes[group]
            try:
                results, gradient = like.program.run(self.now[0], like.data, rows, backward=True)
            except NotFiniteError as stopped:
                self.settle()
                row, error = like.program.explained(stopped.rows, like.data, backward=True)
                example = np.flatnonzero((self.examples.groups == group) & (self.examples.rows == row))[0]
                raise type(error)(f"epoch {epoch}, data[{example}]: {error}") from None
            losses += sum(results[:, 0].tolist())  # NumPy's own would warn of an overflow
            if self.decide:
                self.seen.append((here, results))
            elif self.accuracy:
                for outputs, example in zip(results[:, 1:].tolist(), here.tolist(), strict=True):
                    output = _shaped(like.output, iter(outputs))
                    self.rights += float(self.accuracy(output, self.pairs[example][1]))
            gradients.append(gradient if len(here) == len(chosen) else gradient * (len(here) / len(chosen)))
        self.gradient = gradients[0] if len(gradients) == 1 else np.sum(gradients, axis=0)
        self.losses.append(losses)
        self._update(epoch, chosen)

    def _by_group(self, chosen: Indices) -> list[tuple[int, Indices, Indices]]:
        """The groups in a batch, with the examples that are in each, and their rows there."""
        if len(self.examples.likes) == 1:
            return [(0, chosen, chosen)]
        groups, rows = self.examples.groups[chosen], self.examples.rows[chosen]
        return [(group, chosen[groups == group], rows[groups == group]) for group in np.unique(groups).tolist()]

    def tally(self) -> tuple[list[float], float]:
        """For each step since the last call the sum of its losses; and how many of the outputs were right in all."""
        losses, rights, self.losses, self.rights = self.losses, self.rights, [], 0.0
        if self.decide and self.seen:
            one = len(self.seen) == 1
            chosen, results = self.seen[0] if one else map(np.concatenate, zip(*self.seen, strict=True))
            self.seen.clear()
            right = self.decide(results[:, 1:]) == self.decided[chosen]
            rights = int(np.count_nonzero(right)) / right.shape[1]
        return losses, rights

    def _update(self, epoch: int, chosen: Indices) -> None:
        data, state, steps = self.now
        self.optimizer.steps = steps + 1
        after = compiled_step(self.optimizer, data, self.gradient, state)
        if after:
            self.now = *after, steps + 1
            return
        self.settle()
        with error_context(f"epoch {epoch}, the batch of {format_indices(chosen.tolist())}"):
            self.optimizer.step()  # of an optimizer of one's own; or it tells which parameter is not finite
        self.look()
