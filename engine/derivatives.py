"""Derivatives as results: gradients, Jacobians, Hessians and products with them, as numbers or as graphs.

Nothing here changes the `grad` of a node. `_backward` is reverse mode, `_forward` is forward mode. Both evaluate the
partial derivatives of the table on the data of the nodes, which gives numbers, or on the nodes themselves, which gives
Values that can be differentiated again.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Container, Iterable, Set
from functools import partial
from math import isfinite
from operator import attrgetter
from typing import Any, Literal, TypeAlias, overload

from engine import errors
from engine.arguments import Values, value_list
from engine.comparisons import Comparisons
from engine.foreign import usage
from engine.graph import dependents, operand_rows, topological_order
from engine.recording import noted_comparisons, recording
from engine.simplify import Derivative, simplify, total
from engine.validation import Number, as_finite, describe
from engine.value import Value

Direction: TypeAlias = Number | Iterable[Number]
Read: TypeAlias = Callable[[Value], Derivative]  # returns the data of a node, or the node

_data = attrgetter("data")


@overload
def grad(output: Value, inputs: Value, create_graph: Literal[False] = ...) -> float: ...
@overload
def grad(output: Value, inputs: Iterable[Value], create_graph: Literal[False] = ...) -> list[float]: ...
@overload
def grad(output: Value, inputs: Value, create_graph: Literal[True]) -> Value: ...
@overload
def grad(output: Value, inputs: Iterable[Value], create_graph: Literal[True]) -> list[Value]: ...
@usage("engine.grad(L, [x, y])")
def grad(output: Value, inputs: Value | Iterable[Value], create_graph: bool = False) -> Any:
    """Return the derivative of `output` with respect to each of `inputs`; no `grad` changes.

    Args:
        output: the node to differentiate.
        inputs: a Value, or Values in a list: leaves or inner nodes. If `output` does not depend on one, its derivative
            is 0.0, and a warning says so.
        create_graph: return Values, even inside `no_grad()`: graphs that can be drawn, stepped through and
            differentiated again, to any order. Such a graph stays correct across a kink of `relu` or `abs`, after
            `forward()` or compiled. The one of `a**b` recorded at a = 0 has no value at other points, and a
            `FrozenBranchWarning` warns of a branch in a custom rule.

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
    input_list = _as_list(inputs)
    (derivatives,) = gradients([output], input_list, create_graph=create_graph, warn=True)
    return derivatives[0] if isinstance(inputs, Value) else derivatives


@overload
def jacobian(outputs: Value, inputs: Value) -> float: ...
@overload
def jacobian(outputs: Value, inputs: Iterable[Value]) -> list[float]: ...
@overload
def jacobian(outputs: Iterable[Value], inputs: Value) -> list[float]: ...
@overload
def jacobian(outputs: Iterable[Value], inputs: Iterable[Value]) -> list[list[float]]: ...
@usage("engine.jacobian([y1, y2], [x1, x2])")
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
    rows = gradients(value_list(outputs, "output"), _as_list(inputs), warn=True)
    matrix = [row[0] for row in rows] if isinstance(inputs, Value) else rows
    return matrix[0] if isinstance(outputs, Value) else matrix


@overload
def hessian(output: Value, inputs: Value) -> float: ...
@overload
def hessian(output: Value, inputs: Iterable[Value]) -> list[list[float]]: ...
@usage("engine.hessian(L, [x, y])")
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
    (first,) = gradients([output], input_list, create_graph=True, warn=True)
    lower = [gradients([derivative], input_list[: i + 1])[0] for i, derivative in enumerate(first)]
    matrix = [row + [below[i] for below in lower[i + 1 :]] for i, row in enumerate(lower)]
    return matrix[0][0] if isinstance(inputs, Value) else matrix


@overload
def jvp(output: Value, inputs: Values, direction: Direction, create_graph: Literal[False] = ...) -> float: ...
@overload
def jvp(
    output: Iterable[Value], inputs: Values, direction: Direction, create_graph: Literal[False] = ...
) -> list[float]: ...
@overload
def jvp(output: Value, inputs: Values, direction: Direction, create_graph: Literal[True]) -> Value: ...
@overload
def jvp(output: Iterable[Value], inputs: Values, direction: Direction, create_graph: Literal[True]) -> list[Value]: ...
def jvp(
    output: Value | Iterable[Value],
    inputs: Value | Iterable[Value],
    direction: Number | Iterable[Number],
    create_graph: bool = False,
) -> Any:
    """Return the directional derivative: the Jacobian of the outputs times `direction` (a "Jacobian-vector product").

    This is forward-mode differentiation: one pass from the inputs to the outputs, whatever the number of outputs. With
    a direction that is 1 for one input and 0 for the others, it returns a column of the Jacobian; `grad` returns a row.

    Args:
        output: a Value, or Values in a list.
        inputs: a Value, or Values in a list: leaves or inner nodes.
        direction: a number for each input: how fast it changes. Inputs whose number is 0 are held fixed.
        create_graph: return Values instead of floats, as in `grad`.

    Returns:
        One derivative for one output, a list for a list.

    Raises:
        TypeError: an output or an input is not a Value, or an entry of `direction` is not a number.
        ValueError: an input is a constant; `direction` differs from `inputs` in length, or is not finite.
        RuntimeError: the graph is stale, or an output is a constant.
        ArithmeticError: a derivative has no value or overflows.

    >>> r, phi = Value(2.0, "r"), Value(0.0, "phi")
    >>> jvp([r * phi.cos(), r * phi.sin()], [r, phi], [0.0, 1.0])
    [0.0, 2.0]
    >>> jvp(r**3, r, 1.0, create_graph=True)  # 3 r**2
    Value(data=12.0, grad=0.0, op='*')
    """
    input_list = _as_list(inputs)
    seeds = _as_seeds(inputs, input_list, direction)
    outputs = value_list(output, "output")
    order = _fresh_order(outputs)
    path = dependents(order, seeds)
    derivatives = _evaluate(partial(_forward, path, seeds, outputs), create_graph, order, input_list)
    return derivatives[0] if isinstance(output, Value) else derivatives


@overload
def hvp(output: Value, inputs: Value, direction: Number, create_graph: Literal[False] = ...) -> float: ...
@overload
def hvp(
    output: Value, inputs: Iterable[Value], direction: Iterable[Number], create_graph: Literal[False] = ...
) -> list[float]: ...
@overload
def hvp(output: Value, inputs: Value, direction: Number, create_graph: Literal[True]) -> Value: ...
@overload
def hvp(
    output: Value, inputs: Iterable[Value], direction: Iterable[Number], create_graph: Literal[True]
) -> list[Value]: ...
def hvp(output: Value, inputs: Any, direction: Any, create_graph: Any = False) -> Any:
    """Return the Hessian of `output` times `direction`, without computing the Hessian.

    Forward over reverse: `jvp` of the graph of the gradient. It takes one backward and one forward pass, whatever the
    number of inputs (Pearlmutter 1994, "Fast exact multiplication by the Hessian"). For several directions at the same
    point, call `grad(output, inputs, create_graph=True)` once, and `jvp` of its result for each of them.

    Args:
        output: the node to differentiate.
        inputs: a Value, or Values in a list.
        direction: a number for each input.
        create_graph: return Values instead of floats, as in `grad`.

    Returns:
        One number for one Value, a list for a list.

    Raises:
        TypeError, ValueError, RuntimeError, ArithmeticError: as for `jvp`.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> hvp(a**2 * b, [a, b], [1.0, 10.0])  # the Hessian is [[-6, 4], [4, 0]]
    [34.0, 4.0]
    """
    xs: Any = inputs if isinstance(inputs, Value) else _as_list(inputs)
    return jvp(grad(output, xs, create_graph=True), xs, direction, create_graph)


def _as_list(inputs: Value | Iterable[Value]) -> list[Value]:
    """Return the inputs in a list.

    Raises:
        TypeError, ValueError: as for `grad`.
    """
    input_list = value_list(inputs, "input")
    for i, value in enumerate(input_list):
        if value.is_constant:
            raise ValueError(f"input {i} must take a gradient, got the constant {value!r}")
    return input_list


def _as_seeds(inputs: object, input_list: list[Value], direction: Any) -> dict[Value, float]:
    """Return the numbers of a direction that are not 0, by input.

    Raises:
        TypeError, ValueError: as for `jvp`.
    """
    if isinstance(inputs, Value):
        numbers = [as_finite(direction, "direction")]
    elif not isinstance(direction, Iterable) or isinstance(direction, Set):
        raise TypeError(f"direction must be a list of numbers, one per input, got {describe(direction)}")
    else:
        numbers = [as_finite(x, f"direction[{i}]") for i, x in enumerate(direction)]
    if len(numbers) != len(input_list):
        raise ValueError(f"direction must have one number per input, {len(input_list)}, got {len(numbers)}")
    seeds: dict[Value, float] = {}
    for x, number in zip(input_list, numbers, strict=True):
        if number != 0.0:
            seeds[x] = seeds.get(x, 0.0) + number
    return seeds


def _fresh_order(outputs: list[Value]) -> list[Value]:
    """Return the topological order of a graph whose numbers belong to one point.

    Raises:
        TypeError, RuntimeError: as for `jvp`.
    """
    order = topological_order(*outputs)
    for output in outputs:
        if output.is_constant:
            raise errors.no_graph(output)
    errors.check_current(order)
    return order


def gradients(
    outputs: list[Value], inputs: list[Value], *, create_graph: bool = False, warn: bool = False
) -> list[list[Any]]:
    """Return for each output the row of its derivatives: floats, or Values with `create_graph`.

    With `warn`, warn the caller of a public function of inputs that no output depends on. An output without operands
    and label, such as the derivative of `2*x`, is a number and depends on none.
    """
    rows = []
    unused = dict.fromkeys(inputs)
    for output in outputs:
        order = _fresh_order([output])
        path = dependents(order, inputs)
        rows.append(_evaluate(partial(_backward, path, inputs), create_graph, order, inputs))
        for x in path if output.parents or output.label else inputs:
            unused.pop(x, None)
    for x in unused if warn else ():
        warnings.warn(f"the output does not depend on {x!r}: its derivative is 0.0", stacklevel=4)
    return rows


def _backward(path: list[Value], inputs: list[Value], read: Read) -> list[Derivative]:
    """Return the derivatives of the last node of `path`: numbers or Values, depending on `read`."""
    derivatives: dict[Value, Derivative] = dict.fromkeys(inputs, 0.0)
    on_path = set(path)
    contributions: dict[Value, list[Derivative]] = {path[-1]: [1.0]} if path else {}
    for node in reversed(path):
        upstream = total(contributions.pop(node))
        if node in derivatives:
            derivatives[node] = upstream
        if not isinstance(upstream, Value) and not isfinite(upstream):
            raise errors.gradient_overflow(node, [user for user in path if node in user.parents])
        for x, local in _local_derivatives(node, on_path, node in derivatives, read):
            contributions.setdefault(x, []).append(upstream * local)
    return [derivatives[x] for x in inputs]


def _forward(path: list[Value], seeds: dict[Value, float], outputs: list[Value], read: Read) -> list[Derivative]:
    """Return the tangents of the outputs: numbers or Values, depending on `read`."""
    tangents: dict[Value, Derivative] = {}
    for node in path:
        local_derivatives = _local_derivatives(node, tangents, node in seeds, read)
        terms: list[Derivative] = [tangents[x] * local for x, local in local_derivatives]
        tangents[node] = tangent = total([seeds[node], *terms] if node in seeds else terms)
        if not isinstance(tangent, Value) and not isfinite(tangent):
            raise errors.tangent_overflow(node)
    return [tangents.get(output, 0.0) for output in outputs]


def _local_derivatives(
    node: Value, wanted: Container[Value], is_input: bool, read: Read
) -> list[tuple[Value, Derivative]]:
    """Return the operands of a node that are in `wanted`, each with the local derivative with respect to it."""
    if node._a is None:
        return []
    # An input is an independent variable: a derivative must not contain it in place of the value of its operation.
    out = read(copy.copy(node) if is_input else node)
    partials = node._rule.partial_functions if read is _data else node._rule.partial_graphs
    try:
        return [
            (x, partial(*map(read, row), out))
            for row in operand_rows(node)
            for x, partial in zip(row, partials, strict=True)
            if x in wanted
        ]
    except (ArithmeticError, ValueError):
        if isinstance(out, Value):
            raise
        raise errors.no_derivative(node) from None


def _evaluate(
    derive: Callable[[Read], list[Derivative]], create_graph: bool, order: list[Value], inputs: list[Value]
) -> list[Any]:
    """Return the derivatives that `derive` computes of the data of nodes, or of nodes, simplified."""
    if not create_graph:
        return derive(_data)
    comparisons, in_partials = noted_comparisons(), Comparisons()
    with recording(in_partials):
        try:
            derivatives = derive(lambda x: x.data if x.is_constant else x)
        except (ArithmeticError, ValueError):
            derive(_data)  # with numbers, the error names the operation
            raise
        # A number becomes a leaf, not a constant, so that it has a graph and the derivative 0.
        graphs = [x if isinstance(x, Value) else Value(x) for x in simplify(derivatives, order, inputs)]
    if comparisons is not None:
        places = [*in_partials.places(), *comparisons.frozen(order[-1:], [], order)]
        comparisons.decide(places, set(graphs) - set(order))
    return graphs
