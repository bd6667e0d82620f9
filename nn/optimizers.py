"""Optimizers: from the gradients to the new parameters (P24)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from engine import Value
from engine.foreign import usage
from engine.formatting import format_number
from engine.formulas import names
from engine.restore import restored
from engine.rules import LEAF
from engine.validation import describe, in_range


@dataclass(frozen=True, eq=False)
class UpdateRule:
    """The step of an optimizer for one parameter, as formulas.

    The formulas are Python arithmetic in `data`, `grad` (which includes the weight decay), the names of the state and
    attributes of the optimizer. They are computed in order, each with the results of those before it.

    Attributes:
        state: the new values of the numbers that are stored for a parameter, by name; they begin at 0.0.
        data: the new data of the parameter.

    >>> print(SGD.rule.source())
    def update(data, grad, velocity, learning_rate, momentum):
        velocity = momentum*velocity + grad if momentum else grad
        data = data - learning_rate*velocity
        return (data, velocity,)
    """

    state: dict[str, str]
    data: str

    @cached_property
    def settings(self) -> list[str]:
        """The attributes of the optimizer that the formulas name, sorted."""
        return sorted(set().union(*map(names, [*self.state.values(), self.data])) - {"data", "grad", *self.state})

    def source(self) -> str:
        """Return the rule as a Python function of data, gradient, state and settings."""
        rows = [f"    {name} = {text}" for name, text in [*self.state.items(), ("data", self.data)]]
        arguments = ", ".join(["data", "grad", *self.state, *self.settings])
        return "\n".join([f"def update({arguments}):", *rows, f"    return ({', '.join(['data', *self.state])},)"])

    @cached_property
    def method(self) -> Callable[..., tuple[float, ...]]:
        """The rule as a method of the optimizer: `update`."""
        arguments = ", ".join(["data", "grad", *self.state])
        settings = "".join(f", self.{name}" for name in self.settings)
        namespace: dict[str, Callable[..., tuple[float, ...]]] = {}
        exec(f"{self.source()}\nmethod = lambda self, {arguments}: update({arguments}{settings})", namespace)
        return namespace["method"]


class Optimizer:
    """The base of all optimizers. A subclass sets `rule`, or defines `update`.

    Attributes:
        rule: the update of one parameter, as formulas; training on arrays compiles it.
        parameters: the Values to update; they may change between steps.
        state: for each parameter `memory` numbers, 0.0 at first.
        steps: the number of steps so far; during a step, its number from 1.

    >>> class SignDescent(Optimizer):
    ...     def update(self, data, grad, *state):
    ...         return (data - math.copysign(self.learning_rate, grad),)
    >>> w = Value(1.0, "w")
    >>> w.grad = 8.0
    >>> SignDescent([w], learning_rate=0.25, weight_decay=0.0, memory=0).step()
    >>> w.data
    0.75
    """

    rule: UpdateRule | None = None

    def __init__(self, parameters: Iterable[Value], learning_rate: float, weight_decay: float, memory: int) -> None:
        self.parameters = _leaves(parameters)
        self.learning_rate = learning_rate
        self.weight_decay = in_range(weight_decay, "weight_decay")
        self.memory = memory
        self.state: list[tuple[float, ...]] = [(0.0,) * memory for _ in self.parameters]
        self._owners = [*self.parameters]  # of the state
        self.steps = 0

    @property
    def learning_rate(self) -> float:
        """The learning rate eta, 0 or more; it can be set at any time."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: float) -> None:
        self._learning_rate = in_range(learning_rate, "learning_rate")

    def update(self, data: float, grad: float, *state: float) -> tuple[float, ...]:
        """Return the new data of one parameter, followed by its new state."""
        if self.rule is None:
            raise NotImplementedError(f"{type(self).__name__} must have a rule or define update")
        return self.rule.method(self, data, grad, *state)

    def match_state(self) -> None:
        """Let every parameter keep its own state after `parameters` has changed; that of a new one begins at 0.0."""
        if self.parameters != self._owners:
            self.parameters = _leaves(self.parameters)
            state = dict(zip(self._owners, self.state, strict=False))
            self.state = [state.get(p, (0.0,) * self.memory) for p in self.parameters]
            self._owners = [*self.parameters]

    @usage("optimizer.step() after loss.backward()")
    def step(self) -> None:
        """Update every parameter by its gradient; if anything is wrong, none.

        Raises:
            ArithmeticError: a parameter or its state would become infinite.
            TypeError, ValueError: `parameters` has been changed to something other than leaf Values.
        """
        self.match_state()
        state, steps = self.state, self.steps
        try:
            self.steps += 1
            with restored(self.parameters, on_error=True):
                updates = [
                    self.update(p.data, p.grad + self.weight_decay * p.data, *numbers)
                    for p, numbers in zip(self.parameters, state, strict=True)
                ]
                for p, numbers in zip(self.parameters, updates, strict=True):
                    if not all(map(math.isfinite, numbers)):
                        raise OverflowError(
                            f"the step of {p.label or 'a parameter'} overflows, from {format_number(p.data)} with the "
                            f"gradient {format_number(p.grad)}: use a learning rate below {self.learning_rate:g}"
                        )
                self.state = [tuple(numbers) for _, *numbers in updates]
                for p, (data, *_) in zip(self.parameters, updates, strict=True):
                    p.data = data
        except BaseException:
            self.state, self.steps = state, steps
            raise

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0.0."""
        for p in self.parameters:
            p.grad = 0.0


def _leaves(parameters: Iterable[Value]) -> list[Value]:
    if not isinstance(parameters, Iterable):
        raise TypeError(f"parameters must be a list of Values, got {describe(parameters)}; write model.parameters()")
    leaves = list(parameters)
    for p in leaves:
        if type(p) is not Value or p._rule is not LEAF:
            raise TypeError(f"parameters must be leaf Values, got {describe(p)}")
    if not leaves:
        raise ValueError("parameters must be one leaf Value or more, got none: make weights by Value(0.5, 'w')")
    return list(dict.fromkeys(leaves))


class SGD(Optimizer):
    """Stochastic gradient descent: theta <- theta - learning_rate * gradient (P24).

    Args:
        parameters: the leaf Values to update.
        learning_rate: eta, 0 or more.
        momentum: the share of the last velocity that remains, in [0, 1): v <- momentum * v + gradient, theta <- theta -
            learning_rate * v (Polyak 1964, in PyTorch's form).
        weight_decay: adds weight_decay * theta to each gradient, that of the penalty weight_decay / 2 * theta**2.

    Raises:
        TypeError: a parameter is not a leaf Value, or a number is not real.
        ValueError: there are no parameters, or a number is out of its range.

    >>> w = Value(1.0, "w")
    >>> optimizer = SGD([w], learning_rate=0.25)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w.data
    0.5
    """

    rule = UpdateRule({"velocity": "momentum*velocity + grad if momentum else grad"}, "data - learning_rate*velocity")

    @usage("nn.SGD(model.parameters(), learning_rate=0.1)")
    def __init__(
        self, parameters: Iterable[Value], learning_rate: float = 0.1, momentum: float = 0.0, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, memory=1)
        self.momentum = in_range(momentum, "momentum", below=1.0)


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015): each parameter moves by about learning_rate, however large its gradient.

    Args:
        parameters: the leaf Values to update.
        learning_rate: 0 or more.
        betas: the decay rates of the running means of the gradient and of its square, each in [0, 1).
        epsilon: added to the divisor, above 0.
        weight_decay: as for `SGD`, whose errors are raised too.

    >>> w = Value(1.0, "w")
    >>> optimizer = Adam([w], learning_rate=0.25)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.75
    """

    # Both means begin at 0; the divisors correct their bias towards it.
    rule = UpdateRule(
        state={"mean": "betas[0]*mean + (1 - betas[0])*grad", "square": "betas[1]*square + (1 - betas[1])*grad*grad"},
        data="data - learning_rate*((mean/(1 - betas[0]**steps)) / ((square/(1 - betas[1]**steps))**0.5 + epsilon))",
    )

    @usage("nn.Adam(model.parameters(), learning_rate=0.02)")
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
            raise TypeError(f"betas must be two numbers, got {describe(betas)}")
        self.betas = in_range(betas[0], "betas[0]", below=1.0), in_range(betas[1], "betas[1]", below=1.0)
        self.epsilon = in_range(epsilon, "epsilon")
        if not self.epsilon:
            raise ValueError("epsilon must be above 0, got 0")
