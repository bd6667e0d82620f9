"""Steps: what steps on Values and steps on arrays have in common."""

from __future__ import annotations

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
