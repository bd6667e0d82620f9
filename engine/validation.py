"""Checks of what a caller passes, and the errors that name it."""

from __future__ import annotations

import math
import operator
import reprlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from math import isfinite
from numbers import Real
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TypeAlias

Number: TypeAlias = float | Real | Decimal

FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType)


_short = reprlib.Repr()
_short.maxother = 60  # characters


def describe(thing: object) -> str:
    """Return the type and the beginning of the text of what a caller passed, for an error: `int 3`.

    >>> describe(sum), describe(int), describe(Decimal(3))
    ('function sum', 'class int', "Decimal('3')")
    """
    if isinstance(thing, type):
        return f"class {thing.__name__}"
    if isinstance(thing, FUNCTIONS):
        return f"function {thing.__name__}"
    kind, text = type(thing).__name__, _short.repr(thing)
    return text if text.startswith(f"{kind}(") else f"{kind} {text}"


def conversion(x: object) -> str:
    """Return advice on how to get a number from `x`, for the end of an error; "" if there is none.

    >>> conversion("3.5")
    ': convert a text by float()'
    """
    if x is None:
        return ": a function without return gives None"
    if isinstance(x, str):
        return ": convert a text by float()"
    if isinstance(x, bool):
        return f": write {float(x)}"
    if hasattr(x, "_data"):
        return ": write v.data for the number of a Value"
    return ": write one number at a time" if isinstance(x, (list, tuple)) or hasattr(x, "__array__") else ""


def as_float(x: object) -> float | None:
    """Return a real number as a float; None if `x` is anything else, a bool included.

    Raises:
        OverflowError: the number is too large for a float.
    """
    if type(x) is float:
        return x
    if isinstance(x, (Real, Decimal)) and not isinstance(x, bool):
        try:
            return float(x)
        except OverflowError:
            raise OverflowError(f"a number must fit into a float (up to 1.8e308), got {describe(x)}") from None
    return None


def as_finite(x: Number, name: str) -> float:
    """Return a finite real number as a float; errors call it `name`.

    Raises:
        TypeError: `x` is not a real number.
        ValueError: `x` is infinite or not a number.
        OverflowError: `x` is too large for a float.
    """
    value = x if type(x) is float else as_float(x)
    if value is None:
        raise TypeError(f"{name} must be a real number, got {describe(x)}{conversion(x)}")
    if not isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")
    return value


def check_flag(x: object, name: str) -> None:
    """Check that an option is a bool; a text such as "no" would be true.

    Raises:
        TypeError: `x` is not a bool.
    """
    if not isinstance(x, bool):
        raise TypeError(f"{name} must be True or False, got {describe(x)}")


def at_least(least: int, n: int, name: str) -> int:
    """Return a count, such as the number of inputs, neurons or epochs.

    Raises:
        TypeError: `n` is not an int.
        ValueError: `n` is less than `least`, or more than a list can hold.
    """
    try:
        number = operator.index(None if isinstance(n, bool) else n)  # type: ignore[arg-type]
    except TypeError:  # raised for an array too, although it has an __index__
        raise TypeError(f"{name} must be an int, got {describe(n)}") from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    if number > sys.maxsize:
        raise ValueError(f"{name} must be at most {sys.maxsize} (sys.maxsize), got {describe(n)}")
    return number


def in_range(x: float, name: str, below: float = math.inf) -> float:
    """Return a number that is at least 0 and less than `below`.

    Raises:
        TypeError: `x` is not a real number.
        ValueError: `x` is outside that range, or not finite.
    """
    number = as_finite(x, name)
    if not 0.0 <= number < below:
        limit = f" and less than {below:g}" if below < math.inf else ""
        raise ValueError(f"{name} must be at least 0{limit}, got {x}")
    return number


@contextmanager
def error_context(where: str) -> Iterator[None]:
    """Put `where` in front of the message of an error that the `with` block raises."""
    try:
        yield
    except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
        error.args = (f"{where}: {error}",)
        raise
