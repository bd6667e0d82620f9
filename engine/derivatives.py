"""Derivatives as results: gradients, Jacobians and Hessians, in numbers or as graphs that can be differentiated again.

Nothing here touches the `grad` of a node. One walk back through the graph serves both: on the data of the nodes the
partials of the table give numbers, and on the nodes themselves they give Values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any

from engine import errors
from engine.graph import operand_rows, topological_order
from engine.simplify import Derivative, simplified, total
from engine.validation import describe
from engine.value import Value


def grad(output: Value, inputs: Value | Iterable[Value], create_graph: bool = False) -> Any:
    """The derivative of `output` by each of `inputs`, and no `grad` changed.

    Args:
        output: what is differentiated.
        inputs: a Value, or Values in a list: leaves or inner nodes. One that `output` does not depend on has 0.0.
        create_graph: whether the derivatives are Values that remember how they were made, even inside `no_grad()`.
            They can be drawn, stepped through and differentiated again, to any order. Like any graph theirs holds
            for the branches that were taken: beyond a kink of `relu` or `abs`, differentiate anew.

    Returns:
        For one Value its derivative, for a list a list: floats, or Values. An expression that is a node already is
        that node: the derivative of a*b by a is b.

    Raises:
        TypeError: `output` or an input is no Value.
        ValueError: an input is a constant.
        RuntimeError, ArithmeticError: as `backward` does.

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
        raise TypeError(f"grad differentiates a Value, got {describe(output)}")
    chosen = _chosen(inputs)
    if output.is_constant:
        raise errors.no_graph(output)
    order = topological_order(output)
    for node in order:
        if node._a is not None and errors.is_stale(node):
            raise errors.stale_graph(node)
    path = _path(order, chosen)
    if create_graph:
        # In a context of its own operations record, even inside no_grad().
        derivatives: Any = Context().run(_derivative_graphs, order, path, chosen)
    else:
        derivatives = _backward(path, chosen, _data)
    return derivatives[0] if isinstance(inputs, Value) else derivatives


def jacobian(outputs: Value | Iterable[Value], inputs: Value | Iterable[Value]) -> Any:
    """The derivatives of several outputs: for each the row of its derivatives by the inputs, as `grad` gives it.

    Raises:
        TypeError, ValueError, RuntimeError, ArithmeticError: as `grad` does.

    >>> r, phi = Value(2.0, "r"), Value(0.0, "phi")
    >>> jacobian([r * phi.cos(), r * phi.sin()], [r, phi])
    [[1.0, 0.0], [0.0, 2.0]]
    """
    if isinstance(outputs, Value):
        return grad(outputs, inputs)
    if not isinstance(outputs, Iterable):
        raise TypeError(f"outputs are a Value, or Values in a list, got {describe(outputs)}")
    by = inputs if isinstance(inputs, Value) else _chosen(inputs)
    return [grad(output, by) for output in outputs]


def hessian(output: Value, inputs: Value | Iterable[Value]) -> Any:
    """The second derivatives of `output` by every two of `inputs`: a symmetric matrix; of one Value a number.

    Each entry is a derivative of the graph of a first derivative.

    Raises:
        TypeError, ValueError, RuntimeError, ArithmeticError: as `grad` does.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> hessian(a**2 * b, [a, b])
    [[-6.0, 4.0], [4.0, 0.0]]
    """
    chosen = _chosen(inputs)
    first = grad(output, chosen, create_graph=True)
    lower = [grad(derivative, chosen[: i + 1]) for i, derivative in enumerate(first)]
    matrix = [row + [below[i] for below in lower[i + 1 :]] for i, row in enumerate(lower)]
    return matrix[0][0] if isinstance(inputs, Value) else matrix


def _chosen(inputs: Value | Iterable[Value]) -> list[Value]:
    """The inputs in a list.

    Raises:
        TypeError, ValueError: as `grad` does.
    """
    if isinstance(inputs, Value):
        chosen = [inputs]
    elif isinstance(inputs, Iterable):
        chosen = list(inputs)
    else:
        raise TypeError(f"inputs are a Value, or Values in a list, got {describe(inputs)}")
    for i, value in enumerate(chosen):
        if not isinstance(value, Value):
            raise TypeError(f"an input is a Value; input {i} is {describe(value)}")
        if value.is_constant:
            raise ValueError(f"a constant takes no gradient, and input {i}, {value!r}, is one")
    return chosen


def _path(order: list[Value], inputs: list[Value]) -> list[Value]:
    """The nodes that some input leads to, in their order."""
    led_to = set(inputs)
    for node in order:
        if node not in led_to and any(x in led_to for x in node.parents):
            led_to.add(node)
    return [node for node in order if node in led_to]


def _backward(path: list[Value], inputs: list[Value], of: Callable[[Value], Derivative]) -> list[Derivative]:
    """The derivatives of the last node of `path` by the inputs: numbers or Values, by what `of` makes of a node."""
    derivatives: dict[Value, Derivative] = dict.fromkeys(inputs, 0.0)
    on_path = set(path)
    given: dict[Value, list[Derivative]] = {path[-1]: [1.0]} if path else {}
    for node in reversed(path):
        upstream = total(given.pop(node))
        if node in derivatives:
            derivatives[node] = upstream
        if not isinstance(upstream, Value) and upstream - upstream != 0.0:  # infinite or not a number
            raise errors.gradient_overflow(node, [user for user in path if node in user.parents])
        if node._a is None:
            continue
        out = of(node)
        try:
            for row in operand_rows(node):
                operands = [of(x) for x in row]
                for x, derivative in zip(row, node._rule.partial_functions, strict=True):  # type: ignore[union-attr]
                    if x in on_path:
                        given.setdefault(x, []).append(upstream * derivative(*operands, out))
        except (ArithmeticError, ValueError):
            if isinstance(out, Value):
                raise
            raise errors.no_derivative(node) from None
    return [derivatives[x] for x in inputs]


def _derivative_graphs(order: list[Value], path: list[Value], inputs: list[Value]) -> list[Value]:
    """The derivatives of the last node of `path` by the inputs as Values, in their simplest form."""
    try:
        derivatives = _backward(path, inputs, lambda x: x.data if x.is_constant else x)
    except (ArithmeticError, ValueError):
        _backward(path, inputs, _data)  # tells as `backward` does what has no derivative
        raise
    # A number is a leaf, and no constant, so that it has a graph and a derivative: 0.
    return [x if isinstance(x, Value) else Value(x) for x in simplified(derivatives, order, inputs)]


def _data(node: Value) -> float:
    return node.data
