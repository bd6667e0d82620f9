"""Steps: what steps on Values and steps on arrays have in common."""

from __future__ import annotations

from collections.abc import Sequence

from nn.inputs import Pairs
from nn.losses import Accuracy
from nn.optimizers import Optimizer


class Steps:
    """The steps of a training.

    Attributes:
        rights: the number of right outputs so far in this epoch.
        learns: whether a gradient of a parameter has been other than 0.
    """

    def __init__(self, pairs: Pairs, optimizer: Optimizer, accuracy: Accuracy | None) -> None:
        self.pairs, self.optimizer, self.accuracy = pairs, optimizer, accuracy
        self.rights = 0.0
        self.learns = False

    def set_order(self, order: list[int]) -> None:
        """Take the examples in this order from now on."""
        self.order = order

    def run(self, epoch: int, starts: Sequence[int], size: int, rates: Sequence[float]) -> list[float]:
        """Do the steps that begin at `starts` in the order, and return the sums of their losses.

        Args:
            epoch: the number of the epoch, from 1, for error messages.
            starts: equidistant positions in the order; at most `at_once(size)`.
            size: the number of examples per step.
            rates: the learning rate of every step.

        Raises:
            ArithmeticError: a number is not finite; parameters and optimizer are as they were before that step.
        """
        losses = []
        for start, rate in zip(starts, rates, strict=True):
            self.optimizer.learning_rate = rate
            losses.append(self.step(epoch, start, start + size))
        return losses

    def run_epochs(self, n: int, size: int, rate: float) -> tuple[list[float], list[float]]:
        """Do up to n whole epochs in the same order, in about a thousandth of a second.

        Returns:
            The sums of the losses of their steps, and the number of right outputs in every epoch, [] without an
            accuracy. If there are fewer than n epochs, the next has to be done step by step.
        """
        return [], []

    def rewind(self, n: int) -> None:
        """Undo the epochs of the last `run_epochs` after the first n; only once, and before any other step."""

    def at_once(self, size: int) -> int:
        """Return how many steps of this size `run` should do in one call: in about a thousandth of a second."""
        return 1

    def step(self, epoch: int, start: int, stop: int) -> float:
        """Update the parameters by the examples `start` to `stop` of the order, and return the sum of their losses."""
        raise NotImplementedError

    def pop_rights(self) -> float:
        """Return the number of right outputs since the last call."""
        rights, self.rights = self.rights, 0.0
        return rights

    def write_back(self) -> None:
        """Do nothing: steps on Values update them directly."""

    def read_back(self) -> None:
        """Read the parameters and their state again, in case a callback changed them."""
        self.optimizer.match_state()

    def is_outdated(self) -> bool:
        """Return whether a callback has changed something else that was recorded."""
        return False
