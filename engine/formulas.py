"""Formulas: the text of a row as a function."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

# The functions of Python that the text of a value may use, on floats.
MATH_FUNCTIONS: dict[str, Any] = {"abs": abs, "max": max}
for _name in (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "erf", "erfc", "exp", "expm1", "gamma",
    "hypot", "lgamma", "log", "log10", "log1p", "pow", "sin", "sinh", "sqrt", "tan", "tanh",
):  # fmt: skip
    MATH_FUNCTIONS[_name] = getattr(math, _name)
BINARY_FUNCTIONS = {"atan2", "hypot", "max", "pow"}  # the others take one argument


def compile_formula(
    text: str, letters: Iterable[str], functions: Mapping[str, Any], name: str = "a formula"
) -> Callable[..., Any]:
    """Return a text as a function of its letters; it may call `functions` and those of Python's `math`.

    A traceback or a warning calls it `name`.

    >>> compile_formula("a * cos(b)", "ab", {})(2.0, 0.0)
    2.0
    """
    arguments = ", ".join(letters)
    called = text.removesuffix(f"({arguments})")
    if called in MATH_FUNCTIONS and called not in functions:
        return MATH_FUNCTIONS[called]  # type: ignore[no-any-return]
    code = compile(f"lambda {arguments}: {text}", f"<{name}>", "eval")
    compiled: Callable[..., Any] = eval(code, {**MATH_FUNCTIONS, "pi": math.pi, **functions})
    return compiled


@lru_cache
def names(text: str) -> frozenset[str]:
    """Return the names in a text."""
    return frozenset(node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name))
