"""The outputs and inputs of a recorded graph, as a caller passes them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence, Set
from typing import TypeAlias

from engine import errors
from engine.rules import LEAF
from engine.validation import describe
from engine.value import Value

Values: TypeAlias = Value | Iterable[Value]


def value_list(values: Values, name: str) -> list[Value]:
    """Return one Value, or Values that have an order, in a list; errors call them by `name`: `input`, `output`.

    Raises:
        TypeError: `values` is anything else.
    """
    if isinstance(values, Value):
        return [values]
    if not isinstance(values, Iterable) or isinstance(values, Set):
        raise TypeError(f"{name}s must be a Value or a list of Values, in order, got {describe(values)}")
    items = list(values)
    for i, x in enumerate(items):
        if not isinstance(x, Value):
            raise TypeError(f"{name} {i} must be a Value, got {describe(x)}")
    return items


def outputs_and_leaves(output: Values, inputs: Values) -> tuple[list[Value], list[Value]]:
    """Return the outputs of a graph and the leaves that are its inputs, for a function that replays the graph.

    Raises:
        TypeError: an output or an input is not a Value.
        ValueError: an input is not a leaf, or occurs twice; or outputs or inputs are empty.
        RuntimeError: an output is a constant.
    """
    outputs, leaves = value_list(output, "output"), value_list(inputs, "input")
    for name, values in {"output": outputs, "input": leaves}.items():
        if not values:
            raise ValueError(f"{name}s must be one Value or more, got none")
    for value in outputs:
        if value.is_constant:
            raise errors.no_graph(value)
    before = set[Value]()
    for i, leaf in enumerate(leaves):
        if leaf.op or leaf.is_constant:
            raise ValueError(f"input {i} must be a leaf, made by Value(...), got {leaf!r}")
        if leaf in before:
            raise ValueError(f"inputs must be different leaves, got {leaf!r} twice, the second time as input {i}")
        before.add(leaf)
    return outputs, leaves


def check_contains(graph: Container[Value], leaves: Sequence[Value]) -> None:
    """Check that the nodes of a graph contain its inputs.

    Raises:
        ValueError: they do not.
    """
    for i, leaf in enumerate(leaves):
        if leaf not in graph:
            raise ValueError(f"input {i} must be in the graph of the output, got {leaf!r}")


def leaf_data(things: Sequence[object]) -> list[float] | None:
    """Return the data of leaves that take a gradient; None if anything else is among them.

    >>> from engine import Value
    >>> leaf_data([Value(1.0), Value(2.0)]), leaf_data([Value(1.0), 2.0]), leaf_data([-Value(1.0)])
    ([1.0, 2.0], None, None)
    """
    data = [x._data for x in things if type(x) is Value and x._rule is LEAF]
    return data if len(data) == len(things) else None
