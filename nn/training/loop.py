"""The training loop: for all (x, r) in random order, until convergence (P31)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from operator import truediv
from statistics import fmean
from typing import Any, TypeAlias

import engine
from engine import RULES, Value
from engine.foreign import usage
from engine.recording import recording
from engine.validation import at_least, describe, error_context
from engine.value import number_of
from nn.history import History, Plateau, Stop, check_convergence, plateau
from nn.initialization import generator
from nn.inputs import Data, Pairs, examples, format_indices
from nn.losses import Accuracy, Loss, accuracy_by
from nn.module import Module
from nn.optimizers import Adam, Optimizer
from nn.schedules import Schedule
from nn.training.choice import is_worth_compiling, reads_arguments_only
from nn.training.progress import Progress
from nn.training.steps import Steps

Model: TypeAlias = Callable[[Any], Any]


@usage("nn.train(model, nn.mse, zip(xs, rs), epochs=1000, optimizer=nn.Adam(model.parameters(), learning_rate=0.02))")
def train(
    model: Model,
    loss: Loss,
    data: Data,
    *,
    optimizer: Optimizer | None = None,
    epochs: int = 1000,
    batch_size: int | None = 16,
    schedule: Schedule | None = None,
    until: Stop | None = None,
    accuracy: Accuracy | None = None,
    callback: Callable[[History], object] | None = None,
    shuffle: bool = True,
    seed: int | random.Random | None = None,
    compiled: bool | None = None,
    progress: bool = True,
) -> History:
    """Fit the parameters of a model to the data by mini-batch gradient descent.

    Every step takes the next examples in random order: outputs, the mean of their losses, its gradient, an update of
    the parameters. Ctrl-C ends the training and keeps what was learned.

    Args:
        model: a Module, or any function of x whose parameters the optimizer has.
        loss: a function of the output and the target that returns a Value, such as `nn.mse`.
        data: pairs (x, r) of input and target; the list of them is copied.
        optimizer: by default `nn.Adam(model.parameters())`.
        epochs: the maximum number of passes through the data.
        batch_size: the number of examples per step; 1 as in P31, None for all of them.
        schedule: the learning rate as a function of the epoch, which counts from 0; midway through the first it is 0.5.
            It is called before every step, and may read and change the parameters and the optimizer.
        until: a function of the history that decides after every epoch whether it has converged; by default
            `nn.plateau()`. `lambda history: False` goes through all epochs.
        accuracy: a function of output and target that returns 1 (True) if the output is right; by default that of
            the loss, if it is for classes. It may read the parameters, but not change them.
        callback: a function of the history, called after every epoch. What it changes counts from the next step on:
            parameters, examples (in place), the optimizer with its parameters and settings.
        shuffle: draw a new random order in every epoch.
        seed: an int, for the same orders every time.
        compiled: record the losses once and replay them as machine code (`engine.compile`), at least a thousand times
            as fast. By default this is done if llvmlite is installed, model and loss are of this package, and the
            training would take more than about half a second on Values: the first compilation on a machine takes about
            a second. The results are the same except for rounding. True does it for any model and loss that record the
            same graph for an example every time, without random numbers: each example is recorded once, at the start;
            of examples that consist of leaf Values one per shape, unless their numbers are compared or their `data` is
            read. False never does it.
        progress: show a bar in the terminal if it takes longer than a second.

    Returns:
        The losses and accuracies of every epoch, and whether it converged. If the gradients of all parameters were 0
        in every step, the history says why; because of a threshold or of a graph that is cut off, it never converges.

    Raises:
        ArithmeticError: a loss or a gradient is not finite; the message names epoch and example, and the parameters
            are those before that batch.
        ValueError, TypeError: the data do not suit the model or the loss; the message names the example. Or
            `compiled` is True and model and loss record another graph or other numbers the second time.

    Warns:
        engine.FrozenBranchWarning: compiled training replays a graph that a comparison of Values, such as
            `if error > 1:`, `max(a, b)` or `sorted`, has decided; the warning names its line. Comparisons of `v.data`
            cannot be seen.

    >>> from nn import MLP, mse
    >>> line = MLP(1, [1], seed=1)
    >>> train(line, mse, [(x, 2 * x + 1) for x in (-1.0, 0.0, 1.0)], seed=1).converged
    True
    >>> [round(p.data, 1) for p in line.parameters()]
    [1.0, 2.0]
    """
    _check_functions(model=model, loss=loss, schedule=schedule, until=until, accuracy=accuracy, callback=callback)
    if isinstance(loss, Module):
        raise TypeError(
            f"loss must be a function such as nn.mse, got {describe(loss)}: write nn.train(model, loss, data)"
        )
    if not isinstance(optimizer, Optimizer | None):
        raise TypeError(f"optimizer must be one such as nn.Adam(model.parameters()), got {describe(optimizer)}")
    pairs, rng, history = examples(data), generator(seed), History()
    if optimizer is None:
        if not isinstance(model, Module):
            raise TypeError(f"model must be a Module, got {describe(model)}: for a function, pass an optimizer")
        optimizer = Adam(model.parameters())
    size = len(pairs) if batch_size is None else at_least(1, batch_size, "batch_size")
    batches = range(0, len(pairs), size)
    sizes = [min(size, len(pairs) - start) for start in batches]
    # Whether a callback or criterion of the user, which may use and change the Values, runs between epochs.
    watched = callback is not None or not (until is None or isinstance(until, Plateau))
    scheduled_by_values = schedule is not None and not reads_arguments_only(schedule)
    until = plateau() if until is None else until
    accuracy = accuracy_by(loss) if accuracy is None else accuracy
    order = list(range(len(pairs)))
    at_least(1, epochs, "epochs")
    if compiled is None and not is_worth_compiling(model, loss, pairs, epochs * len(pairs), epochs * len(batches)):
        compiled = False
    steps = _steps(model, loss, pairs, optimizer, accuracy, compiled, 1, watched)
    steps.set_order(order)
    at_once = 1 if scheduled_by_values else steps.at_once(size)
    learns = False
    with Progress(epochs * len(batches), shown=progress) as bar:
        try:
            if schedule is None and callback is None and type(until) is Plateau and not (shuffle and len(batches) > 1):
                while not history.converged and _run_epochs(steps, history, until, epochs, size, sizes):
                    bar.advance(history, history.epochs * len(batches) - bar.done)
            for epoch in range(history.epochs, epochs):
                if history.converged:
                    break
                if watched and epoch and steps.is_outdated():
                    learns = learns or steps.learns
                    steps = _steps(model, loss, pairs, optimizer, accuracy, compiled, epoch + 1, watched)
                    steps.set_order(order)
                    at_once = 1 if scheduled_by_values else steps.at_once(size)
                if shuffle and len(batches) > 1:
                    rng.shuffle(order)
                    steps.set_order(order)
                losses: list[float] = []
                while len(losses) < len(batches):
                    starts = batches[len(losses) :][:at_once]
                    rates = []
                    for start in starts:
                        if schedule is not None:
                            if scheduled_by_values:
                                steps.write_back()
                            optimizer.learning_rate = schedule(epoch + start / len(pairs))
                            if scheduled_by_values:
                                steps.read_back()
                        rates.append(optimizer.learning_rate)
                    losses += steps.run(epoch + 1, starts, size, rates)
                    bar.advance(history, len(starts))
                rights = steps.pop_rights()
                _add_epoch(history, losses, sizes, rights if accuracy is not None else None)
                if watched:
                    steps.write_back()
                try:
                    if callback is not None:
                        callback(history)
                    check_convergence(history, until)
                finally:  # what the callback did to the Values remains, even if an error ends the training
                    if watched:
                        steps.read_back()
        except KeyboardInterrupt:
            history.interrupted = True
        finally:
            steps.write_back()
    if history.epochs and history.loss[-1] and not (learns or steps.learns):
        obstacle = _obstacle(model, loss, pairs, optimizer)
        history.converged = history.converged and not obstacle
        stationary = "every gradient is exactly 0 (the first weights are a minimum or a saddle)"
        history.reason = f"no parameter learns: {obstacle or stationary}"
    return history


def _run_epochs(steps: Steps, history: History, until: Stop, epochs: int, size: int, sizes: list[int]) -> bool:
    """Do several epochs at once, up to convergence; return False if the next has to be done step by step."""
    first = history.epochs
    try:
        losses, rights = steps.run_epochs(epochs - first, size, steps.optimizer.learning_rate)
        starts = range(0, len(losses), len(sizes))
        for k, start in enumerate(starts):
            _add_epoch(history, losses[start : start + len(sizes)], sizes, rights[k] if rights else None)
            if check_convergence(history, until):
                break
    except OverflowError:  # in the sum of the losses, after all steps of an epoch
        steps.rewind(history.epochs - first + 1)
        raise
    finally:  # Ctrl-C, too, leaves whole epochs
        steps.rewind(history.epochs - first)
    return history.epochs > first


def _add_epoch(history: History, losses: list[float], sizes: list[int], n_right: float | None) -> None:
    """Append an epoch to the history: for each batch the sum of the losses and the number of examples."""
    total, n = sum(losses), sum(sizes)
    if not math.isfinite(total):
        raise OverflowError(f"epoch {history.epochs + 1}: the sum of the losses overflows")
    history.steps += map(truediv, losses, sizes)
    history.add(total / n, n_right / n if n_right is not None else None)


def _obstacle(model: Model, loss: Loss, pairs: Pairs, optimizer: Optimizer) -> str:
    """Return what in the graph of the first example makes every gradient 0; "" if nothing does."""
    with recording():
        nodes = engine.topological_order(loss(model(pairs[0][0]), pairs[0][1]))
    if set(nodes).isdisjoint(optimizer.parameters):
        return "none is in the graph of the loss (did .data, detach() or no_grad() cut it off?)"
    flat = sorted({node.op for node in nodes if node.op and {*RULES[node.op].partials} <= {"0", "0.0"}})
    return f"the derivative of {' and '.join(flat)} is 0 everywhere (use a smooth one, such as tanh)" if flat else ""


@usage("nn.evaluate(model, nn.mse, zip(xs, rs))")
def evaluate(model: Model, loss: Loss, data: Data, *, accuracy: Accuracy | None = None) -> tuple[float, float | None]:
    """Return the mean loss of a model over the data, and its accuracy in [0, 1], None for a regression.

    Arguments and errors are those of `train`; nothing changes.

    >>> from nn import Perceptron, hinge
    >>> evaluate(Perceptron(1, "linear", init=[0.0, 2.0]), hinge, [(1.0, 1), (-2.0, -1), (0.25, -1)])
    (0.5, 0.6666666666666666)
    """
    _check_functions(model=model, loss=loss, accuracy=accuracy)
    pairs, accuracy = examples(data), accuracy_by(loss) if accuracy is None else accuracy
    with engine.no_grad():
        losses, rights = _evaluate(model, loss, accuracy, pairs, range(len(pairs)), "")
    return fmean(x.data for x in losses), fmean(rights) if accuracy is not None else None


def _check_functions(**functions: object) -> None:
    """Check that arguments are functions; `model` and `loss` are required."""
    for name, function in functions.items():
        if not callable(function) and (function is not None or name in ("model", "loss")):
            example = ", such as nn.mse" if name == "loss" else ""
            raise TypeError(f"{name} must be a function{example}, got {describe(function)}")


def _evaluate(
    model: Model, loss: Loss, accuracy: Accuracy | None, pairs: Pairs, indices: Sequence[int], epoch: str
) -> tuple[list[Value], list[float]]:
    """Return the losses of some examples, and which outputs are right (1.0 or 0.0); errors name epoch and example."""
    losses, rights = [], []
    for i in indices:
        with error_context(f"{epoch}data[{i}]"):
            x, r = pairs[i]
            output = model(x)
            losses.append(loss(output, r))
            if not isinstance(losses[-1], Value):
                raise TypeError(
                    f"loss must return a Value, got {describe(losses[-1])}: use engine.maximum, not max, and no `.data`"
                )
            rights.append(number_of(accuracy(output, r)) if accuracy is not None else 0.0)
    return losses, rights


def _steps(
    model: Model,
    loss: Loss,
    pairs: Pairs,
    optimizer: Optimizer,
    accuracy: Accuracy | None,
    compiled: bool | None,
    epoch: int,
    watched: bool,
) -> Steps:
    """Return steps on arrays if `compiled` is True, or is None and they are possible, else steps on Values."""
    if compiled is not False:
        try:
            from nn.training.compiled import CompiledSteps
            from nn.training.recorded import record_examples
        except ImportError as error:
            if compiled:
                raise ImportError(f"compiled training needs {error.name}: pip install 'glassgrad[fast]'") from error
        else:
            with recording(lasting=True):
                groups = record_examples(model, loss, pairs, optimizer, f"epoch {epoch}, ", any_model=bool(compiled))
            if groups:
                return CompiledSteps(groups, model, pairs, optimizer, loss, accuracy, watched=watched)
    return EagerSteps(model, loss, pairs, optimizer, accuracy)


class EagerSteps(Steps):
    """Steps on Values, which record the loss of every example again."""

    def __init__(self, model: Model, loss: Loss, pairs: Pairs, optimizer: Optimizer, accuracy: Accuracy | None) -> None:
        super().__init__(pairs, optimizer, accuracy)
        self.model, self.loss = model, loss
        self.read_back()

    def read_back(self) -> None:
        """Find the leaves again whose gradients a step sets to 0.0."""
        super().read_back()
        parameters = self.model.parameters() if isinstance(self.model, Module) else []
        self.leaves = list(dict.fromkeys([*self.optimizer.parameters, *parameters]))

    def step(self, epoch: int, start: int, stop: int) -> float:
        """Update the parameters by the examples `start` to `stop` of the order, and return the sum of their losses."""
        indices = self.order[start:stop]
        with recording():
            losses, rights = _evaluate(self.model, self.loss, self.accuracy, self.pairs, indices, f"epoch {epoch}, ")
            mean = engine.sum(losses) / len(losses)
        with error_context(f"epoch {epoch}, the batch of {format_indices(indices)}"):
            for leaf in self.leaves:
                leaf.grad = 0.0
            mean.backward()
            self.learns = self.learns or any(p.grad for p in self.optimizer.parameters)
            self.optimizer.step()
        self.rights += sum(rights)
        return math.fsum(loss.data for loss in losses)
