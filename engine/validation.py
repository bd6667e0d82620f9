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
from typing import TypeAlias

Number: TypeAlias = float | Real | Decimal


def describe(thing: object) -> str:
    return f"{type(thing).__name__} {reprlib.repr(thing)}"


def as_finite(data: Number, taker: str) -> float:
    """A finite real number as a float.

    Raises:
        TypeError: `data` is no real number.
        ValueError: `data` is infinite or not a number.
        OverflowError: `data` is too large for a float.
    """
    value = as_float(data)
    if value is None:
        raise TypeError(f"{taker} takes a real number, got {describe(data)}")
    if not isfinite(value):
        raise ValueError(f"{taker} takes a finite number, got {value}")
    return value


def as_float(data: object) -> float | None:
    if type(data) is float:
        return data
    if isinstance(data, (Real, Decimal)) and not isinstance(data, bool):
        try:
            return float(data)
        except OverflowError:
            raise OverflowError(f"{describe(data)} is too large for a float (up to 1.8e308)") from None
    return None


def at_least(least: int, n: int, what: str) -> int:
    """A number of inputs, neurons, epochs.

    Raises:
        TypeError: it is no int.
        ValueError: it is less than `least`.
    """
    try:
        number = operator.index(None if isinstance(n, bool) else n)  # type: ignore[arg-type]
    except TypeError:  # of an array too, which has an __index__
        raise TypeError(f"{what} is an int, got {describe(n)}") from None
    if number < least:
        raise ValueError(f"{what} is {least} or more, got {number}")
    if number > sys.maxsize:
        raise ValueError(f"{what} is no more than a list can hold, got {describe(n)}")
    return number


def in_range(x: float, what: str, below: float = math.inf) -> float:
    """A number from 0 to below `below`.

    Raises:
        TypeError: it is no real number.
        ValueError: it is outside that range, or not finite.
    """
    number = as_finite(x, what)
    if not 0.0 <= number < below:
        raise ValueError(f"{what} is 0 or more{f' and below {below:g}' * (below < math.inf)}, got {x}")
    return number


@contextmanager
def error_context(where: str) -> Iterator[None]:
    """Puts `where` before the message of what goes wrong within."""
    try:
        yield
    except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
        error.args = (f"{where}: {error}",)
        raise
