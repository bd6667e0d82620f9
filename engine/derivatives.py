"""Derivatives as results: gradients, Jacobians and Hessians, as numbers or as graphs to differentiate again.

Nothing here changes the `grad` of a node. One walk back through the graph serves both results: on the data of the nodes
the partial derivatives of the table give numbers, and on the nodes themselves they give Values.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Set
from contextvars import Context
from math import isfinite
from typing import Any, Literal, overload

from engine import errors
from engine.graph import operand_rows, topological_order
from engine.simplify import Derivative, simplify, total
from engine.validation import describe
from engine.value import Value


@overload
def grad(output: Value, inputs: Value, create_graph: Literal[False] = ...) -> float: ...
@overload
def grad(output: Value, inputs: Iterable[Value], create_graph: Literal[False] = ...) -> list[float]: ...
@overload
def grad(output: Value, inputs: Value, create_graph: Literal[True]) -> Value: ...
@overload
def grad(output: Value, inputs: Iterable[Value], create_graph: Literal[True]) -> list[Value]: ...
def grad(output: Value, inputs: Value | Iterable[Value], create_graph: bool = False) -> Any:
    """Return the derivative of `output` with respect to each of `inputs`; no `grad` changes.

    Args:
        output: the node to differentiate.
        inputs: a Value, or Values in a list: leaves or inner nodes. If `output` does not depend on one, its derivative
            is 0.0.
        create_graph: return Values, even inside `no_grad()`: graphs that can be drawn, stepped through and
            differentiated again, to any order. Such a graph is valid for the branches that were taken: beyond a kink of
            `relu` or `abs`, differentiate again.

    Returns:
        One derivative for one Value, a list for a list. They are floats, or Values with `create_graph=True`. Existing
        nodes are reused: the derivative of a*b with respect to a is the node b.

    Raises:
        TypeError: `output` or an input is not a Value.
        ValueError: an input is a constant.
        RuntimeError: the graph is stale, or `output` is a constant.
        ArithmeticError: a derivative has no value or overflows.

    >>> x = Value(3.0, "x")
    >>> y = x**4
    >>> grad(y, x)
    108.0
    >>> first = grad(y, x, create_graph=True)  # 4 x**3
    >>> second = grad(first, x, create_graph=True)  # 12 x**2
    >>> first.data, second.data, grad(second, x)
    (108.0, 108.0, 72.0)
    """
    if not isinstance(output, Value):
        raise TypeError(f"output must be a Value, got {describe(output)}")
    input_list = _as_list(inputs)
    if output.is_constant:
        raise errors.no_graph(output)
    order = topological_order(output)
    for node in order:
        if node._a is not None and errors.is_stale(node):
            raise errors.stale_graph(node)
    path = _dependents(order, input_list)
    if create_graph:
        # In a new context operations record, even inside no_grad().
        derivatives: Any = Context().run(_derivative_graphs, order, path, input_list)
    else:
        derivatives = _backward(path, input_list, _data)
    return derivatives[0] if isinstance(inputs, Value) else derivatives


@overload
def jacobian(outputs: Value, inputs: Value) -> float: ...
@overload
def jacobian(outputs: Value, inputs: Iterable[Value]) -> list[float]: ...
@overload
def jacobian(outputs: Iterable[Value], inputs: Value) -> list[float]: ...
@overload
def jacobian(outputs: Iterable[Value], inputs: Iterable[Value]) -> list[list[float]]: ...
def jacobian(outputs: Value | Iterable[Value], inputs: Value | Iterable[Value]) -> Any:
    """Return the derivatives of several outputs: per output, the row of its derivatives with respect to the inputs.

    Args:
        outputs: a Value, or Values in a list.
        inputs: a Value, or Values in a list.

    Raises:
        TypeError, ValueError, RuntimeError, ArithmeticError: as for `grad`.

    >>> r, phi = Value(2.0, "r"), Value(0.0, "phi")
    >>> jacobian([r * phi.cos(), r * phi.sin()], [r, phi])
    [[1.0, 0.0], [0.0, 2.0]]
    """
    if isinstance(outputs, Value):
        return grad(outputs, inputs)
    if not isinstance(outputs, Iterable):
        raise TypeError(f"outputs must be a Value or a list of Values, got {describe(outputs)}")
    columns = inputs if isinstance(inputs, Value) else _as_list(inputs)
    return [grad(output, columns) for output in outputs]


@overload
def hessian(output: Value, inputs: Value) -> float: ...
@overload
def hessian(output: Value, inputs: Iterable[Value]) -> list[list[float]]: ...
def hessian(output: Value, inputs: Value | Iterable[Value]) -> Any:
    """Return the second derivatives of `output`: a symmetric matrix, or one number for one Value.

    Each entry is a derivative of the graph of a first derivative.

    Args:
        output: the node to differentiate.
        inputs: a Value, or Values in a list.

    Raises:
        TypeError, ValueError, RuntimeError, ArithmeticError: as for `grad`.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> hessian(a**2 * b, [a, b])
    [[-6.0, 4.0], [4.0, 0.0]]
    """
    input_list = _as_list(inputs)
    first = grad(output, input_list, create_graph=True)
    lower = [grad(derivative, input_list[: i + 1]) for i, derivative in enumerate(first)]
    matrix = [row + [below[i] for below in lower[i + 1 :]] for i, row in enumerate(lower)]
    return matrix[0][0] if isinstance(inputs, Value) else matrix


def _as_list(inputs: Value | Iterable[Value]) -> list[Value]:
    """Return the inputs in a list.

    Raises:
        TypeError, ValueError: as for `grad`.
    """
    if isinstance(inputs, Value):
        inputs = [inputs]
    elif not isinstance(inputs, Iterable) or isinstance(inputs, Set):
        raise TypeError(f"inputs must be a Value or a list of Values, in order, got {describe(inputs)}")
    input_list = list(inputs)
    for i, value in enumerate(input_list):
        if not isinstance(value, Value):
            raise TypeError(f"input {i} must be a Value, got {describe(value)}")
        if value.is_constant:
            raise ValueError(f"input {i} must take a gradient, got the constant {value!r}")
    return input_list


def _dependents(order: list[Value], inputs: list[Value]) -> list[Value]:
    """Return the nodes that depend on some input, in their order."""
    dependent = set(inputs)
    for node in order:
        if node not in dependent and any(x in dependent for x in node.parents):
            dependent.add(node)
    return [node for node in order if node in dependent]


def _backward(path: list[Value], inputs: list[Value], operand: Callable[[Value], Derivative]) -> list[Derivative]:
    """Return the derivatives of the last node of `path`: numbers or Values, depending on what `operand` returns."""
    derivatives: dict[Value, Derivative] = dict.fromkeys(inputs, 0.0)
    on_path = set(path)
    contributions: dict[Value, list[Derivative]] = {path[-1]: [1.0]} if path else {}
    for node in reversed(path):
        upstream = total(contributions.pop(node))
        if node in derivatives:
            derivatives[node] = upstream
        if not isinstance(upstream, Value) and not isfinite(upstream):
            raise errors.gradient_overflow(node, [user for user in path if node in user.parents])
        if node._a is None:
            continue
        # An input is a variable of its own, so it must not stand for the value of its operation in a derivative.
        out = operand(copy.copy(node) if node in derivatives else node)
        try:
            for row in operand_rows(node):
                operands = [operand(x) for x in row]
                for x, partial in zip(row, node._rule.partial_functions, strict=True):
                    if x in on_path:
                        contributions.setdefault(x, []).append(upstream * partial(*operands, out))
        except (ArithmeticError, ValueError):
            if isinstance(out, Value):
                raise
            raise errors.no_derivative(node) from None
    return [derivatives[x] for x in inputs]


def _derivative_graphs(order: list[Value], path: list[Value], inputs: list[Value]) -> list[Value]:
    """Return the derivatives of the last node of `path` as Values, simplified."""
    try:
        derivatives = _backward(path, inputs, lambda x: x.data if x.is_constant else x)
    except (ArithmeticError, ValueError):
        _backward(path, inputs, _data)  # with numbers, the error names the operation
        raise
    # A number becomes a leaf, not a constant, so that it has a graph and the derivative 0.
    return [x if isinstance(x, Value) else Value(x) for x in simplify(derivatives, order, inputs)]


def _data(node: Value) -> float:
    return node.data
