"""What networks and trainings take: inputs, examples, sizes; and errors that name the example."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine import Value
from engine.validation import Number, as_float, describe
from engine.value import constant


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
        raise TypeError(f"{taker!r} takes {_many(n_inputs)} in a list, a tuple or a NumPy row, got {describe(x)}")
    if len(xs) != n_inputs:
        raise ValueError(f"{taker!r} takes {_many(n_inputs)}, got {len(xs)}: {describe(x)}")
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
        raise TypeError(f"{hint}; got {describe(data)}")
    found = list(data)
    if not found:
        raise ValueError(f"{hint}; got none")
    for i, pair in enumerate(found):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(f"{hint}; data[{i}] is {describe(pair)}")
    return found


def format_indices(indices: list[int]) -> str:
    """Some examples in words: `data[3], data[1]`."""
    named = ", ".join(f"data[{i}]" for i in indices[:4])
    return named + f" and {len(indices) - 4} more" * (len(indices) > 4)


def label_prefix(label: str) -> str:
    """What stands before the labels of the weights of a part called `label`: `hidden.`, "" for "".

    Raises:
        TypeError: the label is no text.
    """
    if not isinstance(label, str):
        raise TypeError(f"a label is a str, got {describe(label)}")
    return f"{label}." if label else ""
