"""What networks and trainings take: inputs, examples, sizes; and errors that name the example."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from engine import Value
from engine.value import Number, as_finite, as_float, constant, shown


def with_bias(x: Any, n_inputs: int, taker: object) -> tuple[Value, ...]:
    """x0 = 1 and the inputs of `taker` as Values; numbers become constants with the labels x0, x1, x2...

    Raises:
        ValueError: there are not `n_inputs` of them, or one is not finite.
        TypeError: one is neither a Value nor a real number.
    """
    xs = as_list(x)
    if xs is None and n_inputs == 1 and (isinstance(x, Value) or as_float(x) is not None):
        xs = [x]
    if xs is None:
        raise TypeError(f"{taker!r} takes {_many(n_inputs)} in a list, a tuple or a NumPy row, got {shown(x)}")
    if len(xs) != n_inputs:
        raise ValueError(f"{taker!r} takes {_many(n_inputs)}, got {len(xs)}: {shown(x)}")
    return tuple([given if type(given) is Value else _input(given, f"x{i}") for i, given in enumerate((1.0, *xs))])


def _input(x: Number, label: str) -> Value:
    node = constant(x, label)
    node.label = label
    return node


def _many(n_inputs: int) -> str:
    return f"{n_inputs} input{'s' * (n_inputs > 1)}"


def as_list(x: Any) -> Sequence[Any] | None:
    """A list or a tuple as it is, a NumPy array as a list of Python's numbers; None for what is no such thing."""
    if hasattr(x, "tolist"):
        x = x.tolist()
    return x if isinstance(x, Sequence) and not isinstance(x, str | bytes | bytearray) else None


def examples(data: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """The pairs (x, r) of a training.

    Raises:
        TypeError: `data` cannot be gone through, or an entry is no pair.
        ValueError: there is none.
    """
    hint = "data is pairs (x, r) of input and target; of xs and rs apart, zip(xs, rs) makes them"
    if not isinstance(data, Iterable):
        raise TypeError(f"{hint}; got {shown(data)}")
    found = list(data)
    if not found:
        raise ValueError(f"{hint}; got none")
    for i, pair in enumerate(found):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(f"{hint}; data[{i}] is {shown(pair)}")
    return found


def listed(indices: list[int]) -> str:
    """Some examples in words: `data[3], data[1]`."""
    named = ", ".join(f"data[{i}]" for i in indices[:4])
    return named + f" and {len(indices) - 4} more" * (len(indices) > 4)


@contextmanager
def named(where: str) -> Iterator[None]:
    """Puts `where` before the message of what goes wrong within."""
    try:
        yield
    except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
        error.args = (f"{where}: {error}",)
        raise


def prefixed(label: str) -> str:
    """What stands before the labels of the weights of a part called `label`: `hidden.`, "" for "".

    Raises:
        TypeError: the label is no text.
    """
    if not isinstance(label, str):
        raise TypeError(f"a label is a str, got {shown(label)}")
    return f"{label}." if label else ""


def at_least(least: int, n: int, what: str) -> int:
    """A number of inputs, neurons, epochs.

    Raises:
        TypeError: it is no int.
        ValueError: it is less than `least`.
    """
    try:
        number = operator.index(None if isinstance(n, bool) else n)  # type: ignore[arg-type]
    except TypeError:  # of an array too, which has an __index__
        raise TypeError(f"{what} is an int, got {shown(n)}") from None
    if number < least:
        raise ValueError(f"{what} is {least} or more, got {number}")
    if number > sys.maxsize:
        raise ValueError(f"{what} is no more than a list can hold, got {shown(n)}")
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
