"""Training on arrays: recorded losses are replayed, with parameters and the optimizer's state in arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from engine import Value
from engine.compiler.program import CHUNK, Floats, NotFiniteError
from engine.validation import error_context
from engine.value import constant, number_of
from nn.inputs import Pairs, format_indices
from nn.layer import Layer
from nn.losses import Accuracy, Loss, accuracy_by, binary_cross_entropy, cross_entropy, hinge
from nn.mlp import MLP
from nn.module import Module
from nn.optimizers import Optimizer
from nn.perceptron import Perceptron
from nn.signals import layers_of
from nn.training.choice import reads_arguments_only
from nn.training.compiled_update import CompiledFit, compiled_step
from nn.training.recorded import ExampleGroup, Indices, flat_list
from nn.training.steps import Steps

Decision: TypeAlias = Callable[[Floats], npt.NDArray[Any]]

ROWS_AT_ONCE = 4 * CHUNK  # in a step by one thread: starting several takes longer than they save

# For each loss the decisions of outputs and of targets, one row per example; the output is right where they are equal.
# This is `nn.losses.accuracy_by` on arrays.
DECISIONS: dict[Loss, tuple[Decision, Decision]] = {
    hinge: (lambda y: y > 0, lambda r: r > 0),
    binary_cross_entropy: (lambda y: y > 0, lambda r: r > 0.5),
    cross_entropy: (lambda y: y.argmax(axis=1)[:, None], lambda r: r.argmax(axis=1)[:, None]),
}


def _contents(nested: Any, parameters: set[Value]) -> Any:
    """Return a copy of the numbers in lists, tuples, dicts, arrays and Values that are not parameters."""
    if isinstance(nested, list | tuple):
        numbers = {*map(type, nested)} <= {float, int}
        return list(nested) if numbers else [_contents(part, parameters) for part in nested]
    if isinstance(nested, dict):
        return {key: _contents(part, parameters) for key, part in nested.items()}
    if isinstance(nested, Value):
        return nested, nested not in parameters and nested.data
    return nested.tolist() if hasattr(nested, "tolist") else nested


def _refill(output: Any, numbers: Iterator[float]) -> Any:
    """Return lists and tuples like those of `output`, with the next `numbers` as constants."""
    if isinstance(output, list | tuple):
        make = getattr(output, "_make", type(output))  # of a named tuple
        return make([_refill(part, numbers) for part in output])
    return constant(next(numbers), "an output")


class CompiledSteps(Steps):
    """Steps on arrays. Between `read_back` and `write_back`, the Values and the optimizer are out of date.

    Only if `watched` can `is_outdated` tell what a callback has changed.
    """

    def __init__(
        self,
        groups: list[ExampleGroup],
        model: Any,
        pairs: Pairs,
        optimizer: Optimizer,
        loss: Loss,
        accuracy: Accuracy | None,
        *,
        watched: bool,
    ) -> None:
        super().__init__(pairs, optimizer, accuracy)
        self.groups, self.model = groups, model
        self.group_of, self.row_of = np.zeros((2, len(pairs)), np.intp)  # of every example
        for k, group in enumerate(groups):
            self.group_of[group.examples], self.row_of[group.examples] = k, np.arange(len(group.examples))
        self.decide: Decision | None = None
        if accuracy is not None and accuracy is accuracy_by(loss) and groups[0].targets is not None:
            self.decide, decide_targets = DECISIONS[loss]
            self.right_decisions = decide_targets(groups[0].targets)
        self.leaves = groups[0].program.parameters
        self.recorded = self._contents() if watched else None
        self.accuracy_reads_values = (
            accuracy is not None
            and self.decide is None
            and (not reads_arguments_only(accuracy) or any(type(x) is Value for x in flat_list(pairs)))
        )
        self.gradient = np.zeros(len(self.leaves))
        self.undecided: list[tuple[Indices, Floats]] = []  # examples with their losses and outputs
        self.fit: CompiledFit | None = None
        self.undo: tuple[int, Any, Callable[[int], object]] | None = None
        self.arranged = 0  # the size of the steps into which `fit` has divided the order
        if not self.accuracy_reads_values:
            programs, tables = zip(*[(group.program, group.data) for group in groups], strict=True)
            self.fit = CompiledFit(programs, tables, optimizer.memory, len(optimizer.parameters))
        self.read_back()

    def read_back(self) -> None:
        """Read the Values and the optimizer, in case a callback changed them."""
        super().read_back()
        data = np.array([leaf._data for leaf in self.leaves])
        state = np.fromiter(chain.from_iterable(self.optimizer.state), np.float64)
        self.now = data, state.reshape(len(self.optimizer.state), -1).T.copy(), self.optimizer.steps

    def is_outdated(self) -> bool:
        """Return whether examples, parts of the model or parameters of the optimizer are others than recorded.

        A model that is a function, or of another class, is called to find out.
        """
        if self._contents() != self.recorded:
            return True
        with suppress(ArithmeticError):  # the next step raises it
            return not all(group.is_same() for group in self.groups if group.is_same)
        return False

    def _contents(self) -> list[Any]:
        parts: list[Any] = []
        if isinstance(self.model, Perceptron | Layer | MLP):
            parts = [(neuron.weights, neuron.activation) for layer in layers_of(self.model, "") for neuron in layer]
        elif isinstance(self.model, Module):
            parts = self.model.parameters()
        return [parts, [*self.optimizer.parameters], _contents(self.pairs, set(self.leaves))]

    def write_back(self) -> None:
        """Write the arrays back to the Values and the optimizer."""
        data, state, self.optimizer.steps = self.now
        for leaf, number, grad in zip(self.leaves, data.tolist(), self.gradient.tolist(), strict=True):
            leaf._data, leaf._grad = number, grad  # finite floats, which need no check
        self.optimizer.state = list(zip(*state.tolist(), strict=True)) or [()] * state.shape[1]

    def set_order(self, order: list[int]) -> None:
        """Take the examples in this order from now on."""
        super().set_order(order)
        self.order_array = np.array(order)
        self.arranged = 0

    def run(self, epoch: int, starts: Sequence[int], size: int, rates: Sequence[float]) -> list[float]:
        """Do the steps that begin at `starts` in the order, and return the sums of their losses."""
        losses: list[float] = []
        fit = self.fit
        if fit and min(size, len(self.order)) <= ROWS_AT_ONCE:
            first = starts[0] // size
            losses = self._run_at_once(fit, first, first + len(starts), size, rates)
            if self.accuracy is not None:
                for k, places in fit.places(first, first + len(losses)):
                    group = self.groups[k]
                    self._count_rights(group, group.examples[fit.orders[k][places]], fit.outputs[k][places])
        done = len(losses)
        return losses + (super().run(epoch, starts[done:], size, rates[done:]) if done < len(starts) else [])

    def run_epochs(self, n: int, size: int, rate: float) -> tuple[list[float], list[float]]:
        """Do up to n whole epochs in one call, if the accuracy is that of the loss; keep what `rewind` needs."""
        fit, length = self.fit, len(self.order)
        size = min(size, length)
        n = min(n, fit.n_epochs) if fit else 0
        if (
            not fit
            or n < 2
            or self.at_once(size) < 2
            or size > ROWS_AT_ONCE
            or not (self.accuracy is None or self.decide)
        ):
            return [], []
        n_steps = len(range(0, length, size))
        rates = [rate] * (n * n_steps)
        data, state, steps = self.now
        before = (data.copy(), state.copy(), steps), self.gradient.copy(), self.learns
        self.undo = n, before, lambda k: self._run_at_once(fit, 0, k * n_steps, size, rates[: k * n_steps])
        losses = self._run_at_once(fit, 0, n * n_steps, size, rates)
        done = len(losses) // n_steps
        rights: list[float] = []
        if self.decide and done:
            decisions = self.decide(fit.outputs[0][: done * length, 1:]).reshape(done, length, -1)
            right = decisions == self.right_decisions[self.order_array]
            rights = (np.count_nonzero(right, axis=(1, 2)) / right.shape[2]).tolist()
        return losses[: done * n_steps], rights

    def rewind(self, n: int) -> None:
        """Undo the epochs of the last `run_epochs` after the first n: go back to its start, and repeat those."""
        undo, self.undo = self.undo, None
        if undo and n < undo[0] and self.fit:
            _, (self.now, self.gradient, self.learns), run_again = undo
            self.fit.learns = self.learns
            if n:
                run_again(n)

    def at_once(self, size: int) -> int:
        """Return how many steps of this size `run` should do in one call: in about a thousandth of a second."""
        return self.fit.at_once(self.optimizer, size) if self.fit else 1

    def step(self, epoch: int, start: int, stop: int) -> float:
        """Update the parameters by the examples `start` to `stop` of the order, and return the sum of their losses."""
        batch = self.order_array[start:stop]
        gradients: list[Floats] = []
        losses = 0.0
        for group, examples, rows in self._by_group(batch):
            try:
                results, gradient = group.program.run(self.now[0], group.data, rows, backward=True)
            except NotFiniteError as stopped:
                self.gradient = np.zeros(len(self.leaves))  # as on Values
                self.write_back()
                row, error = group.program.explain(stopped.rows, self.now[0], group.data, backward=True)
                raise type(error)(f"epoch {epoch}, data[{group.examples[row]}]: {error}") from None
            losses += sum(results[:, 0].tolist())  # the sum of NumPy would warn of an overflow
            if self.accuracy_reads_values:
                self.write_back()
            self._count_rights(group, examples, results)
            if self.accuracy_reads_values and [leaf.data for leaf in self.leaves] != self.now[0].tolist():
                raise RuntimeError(f"epoch {epoch}: accuracy must leave the parameters unchanged: use a callback")
            gradients.append(gradient if len(rows) == len(batch) else gradient * (len(rows) / len(batch)))
        self.gradient = gradients[0] if len(gradients) == 1 else np.sum(gradients, axis=0)
        data, state, steps = self.now
        self.learns = self.learns or bool(self.gradient[: state.shape[1]].any())
        self.optimizer.steps = steps + 1
        updated = compiled_step(self.optimizer, data, self.gradient, state)
        if updated:
            self.now = *updated, steps + 1
        else:
            self.write_back()
            with error_context(f"epoch {epoch}, the batch of {format_indices(self.order[start:stop])}"):
                self.optimizer.step()  # of an optimizer without a rule; or it names the parameter that overflows
            self.read_back()
        return losses

    def _run_at_once(self, fit: CompiledFit, first: int, last: int, size: int, rates: Sequence[float]) -> list[float]:
        """Do steps until a number would not be finite, and return the sums of their losses."""
        if self.arranged != size:
            fit.set_order(self.group_of[self.order_array], self.row_of[self.order_array], size)
            self.arranged = size
        data, state, steps = self.now
        if data is not fit.data:  # a single step, or a callback, has replaced it
            fit.data[:], fit.state[:] = data, state
        self.optimizer.steps = steps + 1
        losses = fit.run(self.optimizer, first, last, rates)
        if losses:
            self.now = fit.data, fit.state, steps + len(losses)
            self.gradient, self.optimizer.steps = fit.gradient, steps + len(losses)
            self.learns = self.learns or fit.learns
        return losses

    def _count_rights(self, group: ExampleGroup, examples: Indices, results: Floats) -> None:
        """Count the right outputs, or keep the results of the examples for `pop_rights`."""
        if self.decide:
            self.undecided.append((examples, results))
        elif self.accuracy is not None:
            for outputs, example in zip(results[:, 1:].tolist(), examples.tolist(), strict=True):
                output = _refill(group.output, iter(outputs))
                self.rights += number_of(self.accuracy(output, self.pairs[example][1]))

    def _by_group(self, batch: Indices) -> list[tuple[ExampleGroup, Indices, Indices]]:
        """Return the groups in a batch, each with its examples there and their rows."""
        if len(self.groups) == 1:
            return [(self.groups[0], batch, batch)]
        numbers, rows = self.group_of[batch], self.row_of[batch]
        return [(self.groups[k], batch[numbers == k], rows[numbers == k]) for k in np.unique(numbers)]

    def pop_rights(self) -> float:
        """Return the number of right outputs since the last call."""
        if self.decide and self.undecided:
            examples, results = self.undecided[0]
            if len(self.undecided) > 1:
                examples, results = map(np.concatenate, zip(*self.undecided, strict=True))
            self.undecided.clear()
            right = self.decide(results[:, 1:]) == self.right_decisions[examples]
            self.rights = int(np.count_nonzero(right)) / right.shape[1]
        return super().pop_rights()
