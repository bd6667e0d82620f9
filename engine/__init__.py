"""A scalar autograd engine that you can see through: the graph and the calculus.

>>> from engine import Value, tanh
>>> a, b = Value(2.0, "a"), Value(-3.0, "b")
>>> L = tanh(a * b + 5)
>>> L.backward()
>>> L.data, a.grad, b.grad
(-0.7615941559557649, -1.2599230248420779, 0.8399486832280519)

Every row of the table `RULES` that is no operator is a function here and a method of Value; `rule` adds a row.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.backprop import Backprop, Contribution, Step
from engine.compiler import compile
from engine.derivatives import grad, hessian, jacobian
from engine.functions import FUNCTIONS, dot, logsumexp, rule, softmax, sum
from engine.gradcheck import GradientError, check_gradients
from engine.graph import topological_order
from engine.recording import no_grad
from engine.rules import RULES, Rule
from engine.value import Value

__all__ = [
    "RULES",
    "Backprop",
    "Contribution",
    "GradientError",
    "Rule",
    "Step",
    "Value",
    "check_gradients",
    "compile",
    "dot",
    "grad",
    "hessian",
    "jacobian",
    "logsumexp",
    "no_grad",
    "rule",
    "softmax",
    "sum",
    "topological_order",
]
__all__ += FUNCTIONS

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable[..., Value]: ...
