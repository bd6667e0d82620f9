"""Optimizers: from gradients to the next parameters (lecture P24)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from engine import Value
from engine.formatting import format_number
from engine.validation import describe, in_range


class Optimizer:
    """What the optimizers share. A subclass says in `update` how one parameter moves; floats and arrays serve alike.

    Attributes:
        parameters: the Values that it moves.
        state: for every parameter the numbers that `update` wants to see again.
        steps: how many steps were made.
    """

    def __init__(self, parameters: Iterable[Value], learning_rate: float, weight_decay: float, memory: int) -> None:
        if not isinstance(parameters, Iterable):
            raise TypeError(f"an optimizer takes a list of Values, got {describe(parameters)}")
        self.parameters = list(parameters)
        for p in self.parameters:
            if not isinstance(p, Value) or p.op or p.is_constant:
                raise TypeError(f"an optimizer moves leaf Values, got {describe(p)}")
        self.parameters = list(dict.fromkeys(self.parameters))
        if not self.parameters:
            raise ValueError("an optimizer takes one parameter or more, got none")
        self.learning_rate = learning_rate
        self.weight_decay = in_range(weight_decay, "weight_decay")
        self.state: list[tuple[float, ...]] = [(0.0,) * memory for _ in self.parameters]
        self.steps = 0

    @property
    def learning_rate(self) -> float:
        """The eta of the lecture, 0 or more; it may be set at any time."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: float) -> None:
        self._learning_rate = in_range(learning_rate, "learning_rate")

    def update(self, data: Any, grad: Any, *state: Any) -> tuple[Any, ...]:
        """The new data of a parameter, and its new state, in step number `steps`."""
        raise NotImplementedError

    def step(self) -> None:
        """Move every parameter by its gradient; when anything is wrong, none.

        Raises:
            ArithmeticError: a parameter or its state would become infinite.
        """
        before = [p.data for p in self.parameters], self.state, self.steps
        self.steps += 1
        try:
            moved = [
                self.update(p.data, p.grad + self.weight_decay * p.data, *state)
                for p, state in zip(self.parameters, self.state, strict=True)
            ]
            for p, numbers in zip(self.parameters, moved, strict=True):
                if not all(map(math.isfinite, numbers)):
                    raise OverflowError(
                        f"the step of {p.label or 'a parameter'} overflows, from {format_number(p.data)} with the "
                        f"gradient {format_number(p.grad)}: take a learning rate smaller than {self.learning_rate:g}"
                    )
            self.state = [tuple(state) for _, *state in moved]
            for p, (data, *_) in zip(self.parameters, moved, strict=True):
                p.data = data
        except BaseException:
            for p, data in zip(self.parameters, before[0], strict=True):
                p.data = data
            _, self.state, self.steps = before
            raise

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0.0."""
        for p in self.parameters:
            p.grad = 0.0


class SGD(Optimizer):
    """Gradient descent: theta <- theta - learning_rate * gradient (lecture P24), stochastic where the data are.

    Args:
        parameters: the Values to move.
        learning_rate: the eta of the lecture, 0 or more.
        momentum: the share of the last move that is kept, in [0, 1): v <- momentum * v + gradient, theta <- theta -
            learning_rate * v (Polyak 1964, as PyTorch has it).
        weight_decay: adds weight_decay * theta to the gradient, that of the penalty weight_decay / 2 * theta**2.

    Raises:
        TypeError: a parameter is no leaf Value.
        ValueError: there is none, or a number is out of its range.

    >>> w = Value(1.0, "w")
    >>> optimizer = SGD([w], learning_rate=0.25)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w.data
    0.5
    """

    def __init__(
        self, parameters: Iterable[Value], learning_rate: float = 0.1, momentum: float = 0.0, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, memory=1)
        self.momentum = in_range(momentum, "momentum", below=1.0)

    def update(self, data: Any, grad: Any, *state: Any) -> tuple[Any, ...]:
        (velocity,) = state
        velocity = self.momentum * velocity + grad if self.momentum else grad
        return data - self.learning_rate * velocity, velocity


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015): every parameter moves by about learning_rate, whatever the size of its gradient.

    Args:
        parameters: the Values to move.
        learning_rate: 0 or more.
        betas: how much is kept of the running means of the gradient and of its square, each in [0, 1).
        epsilon: what keeps the quotient of the two finite, above 0.
        weight_decay: adds weight_decay * theta to the gradient.

    Raises:
        TypeError: a parameter is no leaf Value.
        ValueError: there is none, or a number is out of its range.

    >>> w = Value(1.0, "w")
    >>> optimizer = Adam([w], learning_rate=0.25)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.75
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.02,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, memory=2)
        if not isinstance(betas, Sequence) or len(betas) != 2:
            raise TypeError(f"betas is two numbers, got {describe(betas)}")
        self.betas = in_range(betas[0], "betas[0]", below=1.0), in_range(betas[1], "betas[1]", below=1.0)
        self.epsilon = in_range(epsilon, "epsilon")
        if not self.epsilon:
            raise ValueError("epsilon is above 0, got 0")

    def update(self, data: Any, grad: Any, *state: Any) -> tuple[Any, ...]:
        first, second = state
        b1, b2 = self.betas
        first = b1 * first + (1 - b1) * grad
        second = b2 * second + (1 - b2) * grad * grad
        # Both means begin at 0; the divisors undo their bias towards it.
        step = (first / (1 - b1**self.steps)) / ((second / (1 - b2**self.steps)) ** 0.5 + self.epsilon)
        return data - self.learning_rate * step, first, second
