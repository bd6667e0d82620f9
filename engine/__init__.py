"""A scalar autograd engine that you can see through: the graph and the calculus.

>>> from engine import Value, tanh
>>> a, b = Value(2.0, "a"), Value(-3.0, "b")
>>> L = tanh(a * b + 5)
>>> L.backward()
>>> L.data, a.grad, b.grad
(-0.7615941559557649, -1.2599230248420779, 0.8399486832280519)

Every named row of the table `RULES` is a function here and a method of Value; `rule` adds a row.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine import functions
from engine.backprop import Backprop, Contribution, Step
from engine.comparisons import FrozenBranchWarning
from engine.compiler import compile
from engine.custom import rule
from engine.derivatives import grad, hessian, hvp, jacobian, jvp
from engine.export import source
from engine.foreign import PACKAGE_NAMES, missing_name
from engine.forward_mode import ForwardMode, ForwardStep
from engine.functions import *  # noqa: F403
from engine.gradcheck import GradientError, check_gradients
from engine.graph import topological_order
from engine.recording import no_grad
from engine.rules import RULES, Rule
from engine.uncertainty_budget import UncertaintyBudget, uncertainty
from engine.value import Value

__all__ = [
    "RULES", "Backprop", "Contribution", "ForwardMode", "ForwardStep", "FrozenBranchWarning", "GradientError", "Rule",
    "Step", "UncertaintyBudget", "Value", "check_gradients", "compile", "grad", "hessian", "hvp", "jacobian", "jvp",
    "no_grad", "rule", "source", "topological_order", "uncertainty",
]  # fmt: skip
__all__ += functions.__all__
__version__ = "0.1.0"

if not TYPE_CHECKING:  # a type checker knows only the names above

    def __getattr__(name: str) -> Callable[..., Value]:
        """Return the function of a custom rule, or raise an error that says what to write instead."""
        if name in functions.FUNCTIONS:
            return functions.FUNCTIONS[name]
        raise missing_name("engine", name, PACKAGE_NAMES, [*__all__, *functions.FUNCTIONS])
