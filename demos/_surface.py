"""Losses of two parameters, w1 and w2, typed in as expressions."""

from __future__ import annotations

import math

from demos._expression import parse
from engine import Value


class Surface:
    """The graph of a loss L, whose parameters move from point to point."""

    def __init__(self, loss: str, start: tuple[float, float]) -> None:
        self.w1, self.w2 = Value(start[0], "w1"), Value(start[1], "w2")
        self.L = parse(loss, {"w1": self.w1, "w2": self.w2})

    def move(self, w1: float, w2: float) -> None:
        """Set the parameters and compute the loss there."""
        self.w1.data, self.w2.data = w1, w2
        self.L.forward()

    def step(self, t: int, change: tuple[float, float], advice: str) -> None:
        """Add a change to the parameters; if the loss is undefined there, raise an ArithmeticError with the advice."""
        try:
            self.move(self.w1.data + change[0], self.w2.data + change[1])
        except (ArithmeticError, ValueError) as error:
            raise ArithmeticError(f"step {t} goes too far: {error}\n{advice}") from None

    def height(self, w1: float, w2: float) -> float:
        """Return the loss at a point, NaN where it is undefined."""
        try:
            self.move(w1, w2)
        except ArithmeticError:
            return math.nan
        return self.L.data
