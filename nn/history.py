"""History: the losses of a training, and when they have converged."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from engine.validation import at_least


@dataclass(repr=False)
class History:
    """A training, epoch by epoch.

    Attributes:
        loss: the mean loss of the examples in every epoch, each measured just before the step that used it.
        accuracy: the share of right outputs in every epoch, in [0, 1], measured likewise; [] for a regression.
        converged: whether the training stopped because its criterion was met.
        reason: which criterion that was, or why no parameter learns; "" for others.
        interrupted: whether Ctrl-C stopped it.
        steps: the mean loss of the batch in every step.

    >>> history = History()
    >>> history.add(0.5, 0.75)
    >>> history.epochs, history
    (1, History: 1 epoch, not converged, loss 0.5, accuracy 75.0 %)
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    converged: bool = False
    interrupted: bool = False
    steps: list[float] = field(default_factory=list)
    reason: str = ""

    @property
    def epochs(self) -> int:
        """The number of complete epochs."""
        return len(self.loss)

    def add(self, loss: float, accuracy: float | None) -> None:
        """Append an epoch."""
        self.loss.append(loss)
        if accuracy is not None:
            self.accuracy.append(accuracy)

    @property
    def latest(self) -> str:
        """The last epoch in words: `loss 0.5, accuracy 75.0 %`; "" before the first."""
        loss = [f"loss {self.loss[-1]:.4g}"] if self.loss else []
        accuracy = [f"accuracy {100 * self.accuracy[-1]:.1f} %"] if self.accuracy else []
        return ", ".join(loss + accuracy)

    @property
    def ending(self) -> str:
        """How long the training took and why it ended, in words: `1 epoch, not converged`."""
        epochs = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        state = "converged" if self.converged else "stopped by Ctrl-C" if self.interrupted else "not converged"
        return f"{epochs}, {self.reason or state}"

    def __repr__(self) -> str:
        return "History: " + ", ".join(filter(None, [self.ending, self.latest]))


Stop: TypeAlias = Callable[[History], bool]


class Plateau:
    """The criterion that the loss has not fallen by `tolerance` in the last `patience` epochs.

    It reads each loss of a history once.

    Raises:
        ValueError, TypeError: `patience` is not an int of at least 1.

    >>> stop = plateau(tolerance=0.01, patience=2)
    >>> stop(History([1.0, 0.5, 0.4])), stop(History([1.0, 0.5, 0.5, 0.495]))
    (False, True)
    """

    def __init__(self, tolerance: float = 1e-4, patience: int = 20) -> None:
        self.tolerance = tolerance
        self.patience = at_least(1, patience, "patience")
        self._history: History | None = None
        self._read, self._lowest = 0, math.inf

    @property
    def reason(self) -> str:
        """The criterion in words."""
        return f"the loss has not fallen for {self.patience} epoch{'' if self.patience == 1 else 's'}"

    def __call__(self, history: History) -> bool:
        """Return whether the training has converged."""
        losses = history.loss
        if history is not self._history or len(losses) < self._read + self.patience:
            self._history, self._read, self._lowest = history, 0, math.inf
        for loss in losses[self._read : -self.patience]:
            self._read += 1
            self._lowest = min(self._lowest, loss)
        bound = self._lowest - self.tolerance  # while the loss falls, the last one alone is below it
        return self._read > 0 and losses[-1] > bound and min(losses[-self.patience :]) > bound


plateau = Plateau  # its public name


def check_convergence(history: History, until: Stop) -> bool:
    """Ask the criterion `until` whether a training has converged, and note the answer in its history."""
    history.converged = bool(until(history))
    history.reason = until.reason if history.converged and isinstance(until, Plateau) else ""
    return history.converged
