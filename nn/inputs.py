"""The inputs of models and trainings, checked, with errors that name the example."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from engine import Value
from engine.validation import as_float, describe
from engine.value import constant

Data: TypeAlias = Iterable[tuple[Any, Any]]  # input and target of every example
Pairs: TypeAlias = list[tuple[Any, Any]]


def with_bias(x: Any, n_inputs: int, caller: object) -> tuple[Value, ...]:
    """Return x0 = 1 and the inputs as Values; numbers become constants with the labels x0, x1, x2...

    Args:
        x: numbers or Values in a list, a tuple or a NumPy row; a single input may be by itself.
        n_inputs: how many there must be.
        caller: the model, for errors.

    Raises:
        ValueError: there are more or fewer of them, or one is not finite.
        TypeError: one is neither a Value nor a real number.

    >>> with_bias([2.0], 1, "model")
    (Value(data=1.0, grad=0.0, label='x0'), Value(data=2.0, grad=0.0, label='x1'))
    """
    xs = as_list(x)
    if xs is None and n_inputs == 1 and (isinstance(x, Value) or as_float(x) is not None):
        xs = [x]
    if xs is None or len(xs) != n_inputs:
        rule = f"x must have {n_inputs} input{'' if n_inputs == 1 else 's'} for {caller!r}"
        if xs is None:
            raise TypeError(f"{rule}, in a list, a tuple or a NumPy row, got {describe(x)}")
        raise ValueError(f"{rule}, got {len(xs)}: {describe(x)}{_one_at_a_time(xs)}")
    try:
        inputs = enumerate((1.0, *xs))
        return tuple([x_i if type(x_i) is Value else constant(x_i, label := f"x{i}", label) for i, x_i in inputs])
    except TypeError as error:
        error.args = (f"{error}{_one_at_a_time(xs)}",)
        raise


def _one_at_a_time(xs: Sequence[Any]) -> str:
    """Return what to do if the inputs are those of many examples."""
    return "; write [model(x) for x in xs] for many examples" if xs and as_list(xs[0]) is not None else ""


def as_list(x: Any) -> Sequence[Any] | None:
    """Return a list or a tuple as it is, a NumPy array as a list of Python's numbers, None for anything else."""
    if hasattr(x, "tolist"):
        x = x.tolist()
    return x if isinstance(x, Sequence) and not isinstance(x, str | bytes | bytearray) else None


def examples(data: Data) -> Pairs:
    """Return the pairs (x, r) of a training as a list.

    Raises:
        TypeError: `data` is not iterable, or an entry is not a pair.
        ValueError: there are none.
    """
    rule = "data must be pairs (x, r) of input and target; zip(xs, rs) makes them from two lists"
    if not isinstance(data, Iterable):
        raise TypeError(f"{rule}; got {describe(data)}")
    pairs = list(data)
    if not pairs:
        raise ValueError(f"{rule}; got none")
    for i, pair in enumerate(pairs):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(f"{rule}; data[{i}] is {describe(pair)}")
    return pairs


def format_indices(indices: list[int]) -> str:
    """Return the examples of a batch in words: `data[3], data[1] and 2 more`."""
    text = ", ".join(f"data[{i}]" for i in indices[:4])
    return text if len(indices) <= 4 else f"{text} and {len(indices) - 4} more"


def label_prefix(label: str) -> str:
    """Return the prefix of a component's weight labels: "hidden." for "hidden", "" for ""."""
    if not isinstance(label, str):
        raise TypeError(f"label must be a str, got {describe(label)}")
    return f"{label}." if label else ""
