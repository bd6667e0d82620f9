"""The errors of mathematics: each names the operation, its operands and their numbers."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from engine.constant_folding import simplified
from engine.formatting import format_number, printable
from engine.graph import operand_rows
from engine.labels import expression, short_expression, substitute, summarize_operands, unparse

if TYPE_CHECKING:
    from engine.value import Value


class StaleGraphError(Exception):
    """The data of a node no longer follows from the data of its operands."""


RULE_ERRORS = (ArithmeticError, ValueError, StaleGraphError)  # of Rule.evaluate and backward; below, those of users


def no_graph(root: Value) -> RuntimeError:
    """Return the error for a constant, which has no graph to go back through."""
    return RuntimeError(
        f"the output must depend on a leaf, got the constant {root!r}: "
        "it was computed from numbers only, or inside no_grad()"
    )


def no_value(node: Value, error: Exception) -> ArithmeticError:
    """Return the error for an operation that has no value at its operands: log(-1), 1/0, exp(1000)."""
    if isinstance(error, OverflowError):
        return OverflowError(f"{_operation(node)} overflows{place(node)}: a float ends at 1.8e308")
    kind, reason = ArithmeticError, _unmet(node)
    if isinstance(error, ZeroDivisionError):
        kind, reason = ZeroDivisionError, reason if _has_name(node.parents[-1]) else "the divisor is 0"
    return kind(f"{_operation(node)} has no value{place(node)}" + (f": {reason}" if reason else ""))


def no_derivative(node: Value) -> Exception:
    """Return the error for a local derivative without a value, as of sqrt at 0; or the one for a stale graph."""
    if is_stale(node):
        return stale_graph(node)
    culprit = None
    for row in operand_rows(node):
        for operand, partial in zip(row, node._rule.partial_functions, strict=False):
            try:
                partial(*(x.data for x in row), node.data)
            except (ArithmeticError, ValueError):
                if not operand.is_constant:
                    culprit = operand
    return undefined_derivative(node, culprit)


def undefined_derivative(node: Value, operand: Value | None) -> ArithmeticError:
    """Return the error for the derivative of `node` with respect to `operand`, which has no value."""
    name = unparse(short_expression(operand)) if operand is not None else "an operand"
    return ArithmeticError(f"the derivative of {_operation(node)} with respect to {name} has no value{place(node)}")


def gradient_overflow(node: Value, users: list[Value], *, name: str = "") -> OverflowError:
    """Return the error for a gradient of `node`, called `name`, that overflowed; `users` are the nodes it came from."""
    sources = " and ".join(f"{_operation(user)}{place(user)}" for user in users) or "the number it was set to"
    return OverflowError(f"the gradient of {name or repr(node)} overflows; it came from {sources}")


def tangent_overflow(node: Value) -> OverflowError:
    """Return the error for a tangent of `node`, its derivative with respect to an input, that overflows."""
    return OverflowError(f"the tangent of {_operation(node)} overflows{place(node)}: a float ends at 1.8e308")


def is_stale(node: Value) -> bool:
    """Return whether the data of an inner node no longer follows from the data of its operands."""
    try:
        return node._rule.evaluate(node) != node.data
    except (ArithmeticError, ValueError):
        return True


def check_current(nodes: Iterable[Value]) -> None:
    """Check that the data of inner nodes follows from their operands.

    Raises:
        RuntimeError: a leaf was changed since the graph was recorded.
    """
    for node in nodes:
        if node.parents and is_stale(node):
            raise stale_graph(node)


def warn_of_stale(nodes: Iterable[Value]) -> None:
    """Warn the caller of a public function if its picture shows a graph whose leaves have changed."""
    try:
        check_current(nodes)
    except RuntimeError as error:
        warnings.warn(f"the graph is stale: {error}", stacklevel=4)


def stale_graph(node: Value) -> RuntimeError:
    """Return the error for a node whose data no longer follows from its operands."""
    return RuntimeError(
        f"an operand of {_operation(node)} has changed since it was recorded as {format_number(node.data)}"
        f"{place(node)}: call forward() on the output to refresh the graph, or record it again"
    )


def _unmet(node: Value) -> str:
    """Return the condition that the operands do not meet, with the plain numbers put in; "" if there is none."""
    operands = dict(zip("ab", node.parents, strict=False))
    numbers = {letter: repr(x.data) for letter, x in operands.items() if not _has_name(x)}
    domain = node._rule.domain
    condition = simplified(domain, numbers) if domain else ""
    if condition == "True":
        return ""
    names = {letter: short_expression(x) for letter, x in operands.items()}
    if condition == "False":
        whole = ast.parse(domain, mode="eval").body
        parts = whole.values if isinstance(whole, ast.BoolOp) and isinstance(whole.op, ast.And) else [whole]
        condition = next(part for part in map(ast.unparse, parts) if simplified(part, numbers) == "False")
        words = ["the first operand", "the second operand"] if "b" in operands else ["the operand"]
        names = {letter: ast.Name(word) for letter, word in zip(operands, words, strict=True)}
    return condition and f"it needs {unparse(substitute(condition, names))}"


def _has_name(node: Value) -> bool:
    """Return whether an error calls a node by a label or an expression, not by its number."""
    return bool(node.label or node.parents)


def _operation(node: Value, depth: int = 2) -> str:
    """Return the operation with its operands, `log(x)`; with the number of operands if it has a list of them."""
    if node._rule.finalize:
        return summarize_operands(node)
    return unparse(expression(node, [short_expression(x, depth) for x in node.parents]))


def place(node: Value) -> str:
    """Return the operands' numbers and the definition of each operand; of a list of operands, those of the largest."""
    if node._rule.finalize:
        return numbers_of([max(node.parents, key=lambda x: abs(x.data))])
    return numbers_of(filter(_has_name, node.parents))


def numbers_of(nodes: Iterable[Value]) -> str:
    """Return the numbers of operands, and the definition of each, for the end of an error; "" if there is none."""
    operands = {unparse(short_expression(x)) if _has_name(x) else "the largest": x for x in nodes}
    details = [
        f"{name} is {_definition(x)}" if x.label else _numbers(_labelled(x.parents))
        for name, x in operands.items()
        if x.parents
    ]
    numbers = ", ".join(f"{name} = {format_number(x.data)}" for name, x in operands.items())
    definitions = "; ".join(filter(None, dict.fromkeys(details)))
    return (f" at {numbers}" if numbers else "") + (f" ({definitions})" if definitions else "")


def _definition(node: Value) -> str:
    """Return the operation of an inner node and its operands: `x - y at x = 1.0, y = 2.0`."""
    operation, numbers = _operation(node, depth=0), _numbers(node.parents)
    return f"{operation} at {numbers}" if numbers and not node._rule.finalize else operation


def _labelled(nodes: Iterable[Value]) -> Iterator[Value]:
    """Yield the nodes, and for unlabelled ones their operands: those that a short expression names."""
    for node in nodes:
        yield from [node] if node.label else node.parents


def _numbers(nodes: Iterable[Value]) -> str:
    labelled = {printable(x.label): format_number(x.data) for x in nodes if x.label}
    return ", ".join(f"{label} = {number}" for label, number in labelled.items())
