"""NumPy's functions on Values: `np.tanh(v)`, `array * v`. NumPy is not imported here: it calls `apply_ufunc` itself."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

from engine.rules import RULES

COMPARISONS: dict[str, Callable[..., Any]] = {
    "less": operator.lt, "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
    "equal": operator.eq, "not_equal": operator.ne,
}  # fmt: skip
OPERATORS: dict[str, Callable[..., Any]] = COMPARISONS | {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
    "true_divide": operator.truediv, "power": operator.pow, "negative": operator.neg, "positive": operator.pos,
    "absolute": abs, "square": lambda v: v**2, "reciprocal": lambda v: 1 / v,
}  # fmt: skip
DIFFERENT = {"sign"}  # functions that differ from those of NumPy with the same name


def apply_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Return a function of NumPy on Values and numbers, element by element: a Value, or an array of Values.

    Raises:
        TypeError: the engine has no such function, or it is called in another way than `np.exp(v)`.

    >>> import numpy as np
    >>> from engine import Value
    >>> v = Value(2.0)
    >>> [product.data for product in np.array([1.0, 2.0]) * v]
    [2.0, 4.0]
    """
    name, np = ufunc.__name__, sys.modules["numpy"]
    function = OPERATORS.get(name) or _function(name, ufunc.nin)
    if function is None:
        advice = f"write engine.{name}(v), which is -1 at 0" if name in DIFFERENT else "define it by engine.rule"
        raise TypeError(f"np.{name} must get numbers, got a Value: write v.data, or to keep the gradient, {advice}")
    if method != "__call__":
        raise TypeError(f"np.{name}.{method} must get numbers, got a Value: write engine.sum(values) for a sum")
    if options:
        raise TypeError(f"np.{name} of a Value must have no {', '.join(options)}=: write xs = xs + v, not xs += v")
    operands = [_unwrapped(x) for x in inputs]
    if not any(hasattr(x, "__len__") for x in operands):
        return function(*operands)
    result = np.frompyfunc(function, ufunc.nin, 1)(*[_boxed(x) for x in operands])
    return result.astype(bool) if name in COMPARISONS else result


def _function(name: str, n_operands: int) -> Callable[..., Any] | None:
    rule = RULES.get(name)
    return None if rule is None or rule.finalize or rule.arity != n_operands or name in DIFFERENT else rule


def _unwrapped(x: Any) -> Any:
    """Return one number of NumPy as a number of Python; otherwise Value's operators would come back here."""
    np = sys.modules["numpy"]
    if isinstance(x, np.ndarray) and x.ndim == 0:
        x = x[()]
    return float(x) if isinstance(x, np.floating) else x.item() if isinstance(x, np.generic) else x


def _boxed(x: Any) -> Any:
    """Return a Value in an array without dimensions, for which NumPy does not ask the Value again."""
    if not hasattr(x, "_record"):
        return x
    box = sys.modules["numpy"].empty((), object)
    box[()] = x
    return box
