"""Training: for all (x, r) in random order, until convergence (lecture P31)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from statistics import fmean
from typing import Any, Protocol

import engine
from engine import Value
from engine.validation import at_least, describe, error_context
from nn.history import History, Plateau, Stop, plateau
from nn.initialization import generator
from nn.inputs import examples, format_indices
from nn.losses import accuracy_by
from nn.module import Module
from nn.optimizers import Adam, Optimizer
from nn.schedules import Schedule
from nn.training.progress import Progress


def train(
    model: Callable[[Any], Any],
    loss: Callable[[Any, Any], Value],
    data: Iterable[tuple[Any, Any]],
    *,
    optimizer: Optimizer | None = None,
    epochs: int = 1000,
    batch_size: int | None = 16,
    schedule: Schedule | None = None,
    until: Stop | None = None,
    accuracy: Callable[[Any, Any], float] | None = None,
    callback: Callable[[History], object] | None = None,
    shuffle: bool = True,
    seed: int | random.Random | None = None,
    compiled: bool | None = None,
    progress: bool = True,
) -> History:
    """Change the parameters until the model answers every x of the data with its target r, as nearly as it can.

    In every epoch the data are gone through in random order, batch by batch: outputs, the mean of their losses, its
    gradient, a step of the optimizer. Ctrl-C ends it and keeps what was learned.

    Args:
        model: a Module, or any function of x whose parameters the optimizer has.
        loss: a function of the output and the target that gives a Value: `nn.mse`, `nn.hinge`, one of your own.
        data: pairs (x, r).
        optimizer: by default `nn.Adam(model.parameters())`.
        epochs: how often to go through the data at most.
        batch_size: how many examples to make a step from; 1 is the lecture's way, None takes them all.
        schedule: the learning rate as a function of the epoch, which counts from 0; midway through the first it is 0.5.
        until: a function of the history that tells convergence, asked after every epoch; by default `nn.plateau()`,
            while `lambda history: False` goes through all epochs.
        accuracy: a function of output and target that gives 1 (True) where the output is right; the losses for
            classes bring theirs.
        callback: a function of the history, called after every epoch.
        shuffle: go through the data in random order, a new one in every epoch.
        seed: an int for the same orders every time.
        compiled: record the losses once and replay them (`engine.compile`), a thousand times as fast and more. By
            default where numba is there and model and loss are of this package. True does it with any model and loss
            that make the same graph of an example every time: each is recorded once, at the start; of examples made
            of leaf Values alone, which stand for numbers that change, one of each shape.
        progress: show a bar in the terminal when it takes longer than a second.

    Returns:
        The losses and accuracies of every epoch, and whether it converged.

    Raises:
        ArithmeticError: a loss or a gradient is not finite; the message names epoch and example, and the parameters
            are those before that batch.
        ValueError, TypeError: the data do not suit the model or the loss; the message names the example.

    >>> from nn import MLP, mse
    >>> line = MLP(1, [1], seed=1)
    >>> train(line, mse, [(x, 2 * x + 1) for x in (-1.0, 0.0, 1.0)], seed=1).converged
    True
    >>> [round(p.data, 1) for p in line.parameters()]
    [1.0, 2.0]
    """
    pairs, rng, history = examples(data), generator(seed), History()
    if optimizer is None:
        if not isinstance(model, Module):
            raise TypeError(f"without an optimizer, train takes a model that is a Module, got {describe(model)}")
        optimizer = Adam(model.parameters())
    size = len(pairs) if batch_size is None else at_least(1, batch_size, "batch_size")
    batches = range(0, len(pairs), size)
    sizes = [min(size, len(pairs) - start) for start in batches]
    watched = bool(callback) or not (until is None or isinstance(until, Plateau))
    until, accuracy = until or plateau(), accuracy or accuracy_by(loss)
    order = list(range(len(pairs)))
    steps = _steps(model, loss, pairs, optimizer, accuracy, compiled)
    steps.arrange(order)
    with Progress(at_least(1, epochs, "epochs") * len(batches), shown=progress) as bar:
        try:
            for epoch in range(epochs):
                if shuffle and len(batches) > 1:
                    rng.shuffle(order)
                    steps.arrange(order)
                for start in batches:
                    if schedule:
                        optimizer.learning_rate = schedule(epoch + start / len(pairs))
                    steps.step(epoch + 1, start, start + size)
                    bar.advance(history)
                losses, rights = steps.tally()
                total = sum(losses)
                if not math.isfinite(total):
                    raise OverflowError(f"epoch {epoch + 1}: the sum of the losses overflows")
                history.steps += [loss / n for loss, n in zip(losses, sizes, strict=True)]
                history.add(total / len(pairs), rights / len(pairs) if accuracy else None)
                if watched:
                    steps.settle()
                try:
                    if callback:
                        callback(history)
                    history.converged = bool(until(history))
                finally:  # what was done to the Values stays, whatever ends the training
                    if watched:
                        steps.look()
                if history.converged:
                    break
        except KeyboardInterrupt:
            history.interrupted = True
        finally:
            steps.settle()
    return history


def evaluate(
    model: Callable[[Any], Any],
    loss: Callable[[Any, Any], Value],
    data: Iterable[tuple[Any, Any]],
    *,
    accuracy: Callable[[Any, Any], float] | None = None,
) -> tuple[float, float | None]:
    """The mean loss of a model over the data, and its accuracy in [0, 1], None where the loss tells none.

    Takes and raises what `train` does, and changes nothing.

    >>> from nn import Perceptron, hinge
    >>> evaluate(Perceptron(1, "linear", init=[0.0, 2.0]), hinge, [(1.0, 1), (-2.0, -1), (0.25, -1)])
    (0.5, 0.6666666666666666)
    """
    accuracy = accuracy or accuracy_by(loss)
    losses, rights = [], []
    with engine.no_grad():
        for i, (x, r) in enumerate(examples(data)):
            with error_context(f"data[{i}]"):
                example, right = _example(model, loss, accuracy, x, r)
                losses.append(example.data)
                rights.append(right)
    return fmean(losses), fmean(rights) if accuracy else None


def _example(model: Any, loss: Any, accuracy: Any, x: Any, r: Any) -> tuple[Value, float]:
    """The loss of an example, and whether its output is right; 0.0 where nothing tells that."""
    output = model(x)
    example = loss(output, r)
    if not isinstance(example, Value):
        raise TypeError(f"a loss gives a Value, got {describe(example)}")
    return example, float(accuracy(output, r)) if accuracy else 0.0


def _steps(
    model: Any, loss: Any, pairs: list[tuple[Any, Any]], optimizer: Optimizer, accuracy: Any, compiled: bool | None
) -> Steps:
    """Steps on arrays where `compiled` asks for them, or allows them (None) and they are possible; else on Values."""
    if compiled is not False:
        try:
            from nn.training.compiled import Replayed, recorded
        except ImportError as error:
            if compiled:
                raise ImportError(f"compiled training needs {error.name}: pip install 'glassgrad[fast]'") from error
        else:
            examples = recorded(model, loss, pairs, optimizer, any_model=bool(compiled))
            if examples:
                return Replayed(examples, pairs, optimizer, loss, accuracy)
    return Eager(model, loss, pairs, optimizer, accuracy)


class Steps(Protocol):
    """Steps of a training, on Values or on arrays."""

    def arrange(self, order: list[int]) -> None:
        """Take the examples in this order from now on."""

    def step(self, epoch: int, start: int, stop: int) -> None:
        """One step from a batch."""

    def tally(self) -> tuple[list[float], float]:
        """For each step since the last call the sum of its losses; and how many of the outputs were right in all."""

    def settle(self) -> None:
        """Make the Values what they are by the last step."""

    def look(self) -> None:
        """Take over what was done to the Values since."""


class Eager:
    """Steps on Values, which record every loss anew."""

    def __init__(
        self, model: Any, loss: Any, pairs: list[tuple[Any, Any]], optimizer: Optimizer, accuracy: Any
    ) -> None:
        self.model, self.loss, self.pairs, self.optimizer, self.accuracy = model, loss, pairs, optimizer, accuracy
        parameters = model.parameters() if isinstance(model, Module) else []
        self.leaves = list(dict.fromkeys([*optimizer.parameters, *parameters]))
        self.losses: list[float] = []
        self.rights = 0.0

    def arrange(self, order: list[int]) -> None:
        self.order = order

    def step(self, epoch: int, start: int, stop: int) -> None:
        losses, rights = [], 0.0
        indices = self.order[start:stop]
        for i in indices:
            with error_context(f"epoch {epoch}, data[{i}]"):
                example, right = _example(self.model, self.loss, self.accuracy, *self.pairs[i])
                losses.append(example)
                rights += right
        with error_context(f"epoch {epoch}, the batch of {format_indices(indices)}"):
            for leaf in self.leaves:
                leaf.grad = 0.0
            (engine.sum(losses) / len(losses)).backward()
            self.optimizer.step()
        self.losses.append(math.fsum(example.data for example in losses))
        self.rights += rights

    def tally(self) -> tuple[list[float], float]:
        losses, rights, self.losses, self.rights = self.losses, self.rights, [], 0.0
        return losses, rights

    def settle(self) -> None:
        pass

    def look(self) -> None:
        pass
