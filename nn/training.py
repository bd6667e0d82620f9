"""Training: for all (x, r) in random order, until convergence (lecture P31)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from statistics import fmean
from typing import Any

import engine
from engine import Value
from engine.value import shown
from nn.history import History, Stop, plateau
from nn.initialization import generator
from nn.inputs import at_least, examples, named
from nn.losses import accuracy_by
from nn.module import Module
from nn.optimizers import Adam, Optimizer
from nn.progress import Progress
from nn.schedules import Schedule


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
        schedule: the learning rate as a function of the epoch, which counts from 0.
        until: a function of the history that tells convergence, asked after every epoch; by default `nn.plateau()`,
            while `lambda history: False` goes through all epochs.
        accuracy: a function of output and target that gives 1 (True) where the output is right; the losses for
            classes bring theirs.
        callback: a function of the history, called after every epoch.
        shuffle: go through the data in random order, a new one in every epoch.
        seed: an int for the same orders every time.
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
            raise TypeError(f"without an optimizer, train takes a model that is a Module, got {shown(model)}")
        optimizer = Adam(model.parameters())
    size = len(pairs) if batch_size is None else at_least(1, batch_size, "batch_size")
    batches = range(0, len(pairs), size)
    until, accuracy = until or plateau(), accuracy or accuracy_by(loss)
    order = list(range(len(pairs)))
    leaves = dict.fromkeys([*optimizer.parameters, *(model.parameters() if isinstance(model, Module) else ())])
    with Progress(at_least(1, epochs, "epochs") * len(batches), shown=progress) as bar:
        try:
            for epoch in range(epochs):
                if schedule:
                    optimizer.learning_rate = schedule(epoch)
                if shuffle:
                    rng.shuffle(order)
                losses, rights = [], []
                for start in batches:
                    indices = order[start : start + size]
                    batch = []
                    for i in indices:
                        with named(f"epoch {epoch + 1}, data[{i}]"):
                            x, r = pairs[i]
                            output = model(x)
                            batch.append(_checked(loss(output, r)))
                            rights.append(float(accuracy(output, r)) if accuracy else 0.0)
                    with named(f"epoch {epoch + 1}, the batch of {_listed(indices)}"):
                        for leaf in leaves:
                            leaf.grad = 0.0
                        (engine.sum(batch) / len(batch)).backward()
                        optimizer.step()
                    losses += [example.data for example in batch]
                    bar.advance(history)
                with named(f"epoch {epoch + 1}, the mean loss"):
                    history.add(fmean(losses), fmean(rights) if accuracy else None)
                if callback:
                    callback(history)
                if until(history):
                    history.converged = True
                    break
        except KeyboardInterrupt:
            history.interrupted = True
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
            with named(f"data[{i}]"):
                output = model(x)
                losses.append(_checked(loss(output, r)).data)
                rights.append(float(accuracy(output, r)) if accuracy else 0.0)
    return fmean(losses), fmean(rights) if accuracy else None


def _checked(loss: Value) -> Value:
    if not isinstance(loss, Value):
        raise TypeError(f"a loss gives a Value, got {shown(loss)}")
    return loss


def _listed(indices: list[int]) -> str:
    listed = ", ".join(f"data[{i}]" for i in indices[:4])
    return listed + f" and {len(indices) - 4} more" * (len(indices) > 4)
