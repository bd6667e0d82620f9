"""The errors of mathematics: each names the operation, its operands and their numbers."""

from __future__ import annotations

import ast
from string import ascii_letters
from typing import TYPE_CHECKING

from engine.formatting import format_number, printable
from engine.formulas import StaleGraphError
from engine.graph import operand_rows
from engine.labels import expression, label_expression, literal, substitute, summarize_operands, unparse

if TYPE_CHECKING:
    from engine.value import Value


KERNEL_ERRORS = (ArithmeticError, ValueError, StaleGraphError)  # what a rule may raise; below is what a user sees


def no_graph(root: Value) -> RuntimeError:
    """Return the error for a constant, which has no graph to go back through."""
    return RuntimeError(
        f"the output must depend on a leaf, got the constant {root!r}: "
        "it was computed from numbers only, or inside no_grad()"
    )


def no_value(node: Value, error: Exception) -> ArithmeticError:
    """Return the error for an operation that has no value at its operands: log(-1), 1/0, exp(1000)."""
    if isinstance(error, OverflowError):
        return OverflowError(f"{_operation(node)} overflows{_place(node)}: a float ends at 1.8e308")
    domain = node._rule.domain
    condition = f": it needs {unparse(substitute(domain, _letters(node)))}" if domain else ""
    kind = ZeroDivisionError if isinstance(error, ZeroDivisionError) else ArithmeticError
    return kind(f"{_operation(node)} has no value{_place(node)}{condition}")


def no_derivative(node: Value) -> Exception:
    """Return the error for a local derivative without a value, as of sqrt at 0; or the one for a stale graph."""
    if is_stale(node):
        return stale_graph(node)
    letters, name = _letters(node), "an operand"
    for row in operand_rows(node):
        for letter, operand, partial in zip("ab", row, node._rule.partial_functions, strict=False):
            try:
                partial(*(x.data for x in row), node.data)
            except (ArithmeticError, ValueError):
                if not operand.is_constant:
                    name = unparse(letters[letter])
    return ArithmeticError(f"the derivative of {_operation(node)} with respect to {name} has no value{_place(node)}")


def gradient_overflow(node: Value, users: list[Value]) -> OverflowError:
    """Return the error for a gradient of `node` that overflowed; `users` are the nodes it came from."""
    sources = " and ".join(f"{_operation(user)}{_place(user)}" for user in users) or "the number it was set to"
    return OverflowError(f"the gradient of {node!r} overflows; it came from {sources}")


def is_stale(node: Value) -> bool:
    """Return whether the data of an inner node no longer follows from the data of its operands."""
    try:
        return node._rule.evaluate(node) != node.data
    except (ArithmeticError, ValueError):
        return True


def stale_graph(node: Value) -> RuntimeError:
    """Return the error for a node whose data no longer follows from its operands."""
    return RuntimeError(
        f"an operand of {_operation(node)} has changed since it was recorded as {format_number(node.data)}"
        f"{_place(node)}: call forward() on the output to refresh the graph, or record it again"
    )


def _letters(node: Value) -> dict[str, ast.expr]:
    """Return the names of the first two operands by their letters in a rule; unlabelled ones get a free letter."""
    labels = {y.label for x in node.parents for y in (x, *x.parents)}
    free = (letter for letter in ascii_letters if letter not in labels)
    return {letter: label_expression(x) or ast.Name(next(free)) for letter, x in zip("ab", node.parents, strict=False)}


def _operation(node: Value) -> str:
    """Return the operation with its operands, `log(x)`; with the number of operands if it has a list of them."""
    if node._rule.finalize:
        return summarize_operands(node)
    return unparse(substitute(node._rule.value_notation, _letters(node)))


def _place(node: Value) -> str:
    """Return the operands' numbers and the definition of each operand; of a list of operands, those of the largest."""
    if node._rule.finalize:
        x = max(node.parents, key=lambda x: abs(x.data))
        operands = {unparse(label_expression(x) or ast.Name("the largest")): x}
    else:
        letters, pairs = _letters(node), zip("ab", node.parents, strict=False)
        operands = {unparse(letters[letter]): x for letter, x in pairs if not x.is_constant}
    numbers = ", ".join(f"{name} = {format_number(x.data)}" for name, x in operands.items())
    definitions = "; ".join(f"{name} is {_definition(x)}" for name, x in operands.items() if x.parents)
    return (f" at {numbers}" if numbers else "") + (f" ({definitions})" if definitions else "")


def _definition(node: Value) -> str:
    """Return the operation of an inner node and its operands: `x - y at x = 1.0, y = 2.0`."""
    if node._rule.finalize:
        return summarize_operands(node)
    text = unparse(expression(node, [label_expression(x) or literal(x.data) for x in node.parents]))
    numbers = ", ".join(f"{printable(x.label)} = {format_number(x.data)}" for x in node.parents if x.label)
    return f"{text} at {numbers}" if numbers else text
