"""The errors that mathematics makes, each naming the operation, the operands and their numbers."""

from __future__ import annotations

import ast
from string import ascii_letters
from typing import TYPE_CHECKING

from engine.formatting import format_number, printable
from engine.formulas import StaleGraphError
from engine.graph import operand_rows
from engine.labels import expression, label_expression, literal, substitute, summarize_operands, unparse

if TYPE_CHECKING:
    from engine.rules import Rule
    from engine.value import Value


KERNEL_ERRORS = (ArithmeticError, ValueError, StaleGraphError)  # what a kernel may raise; below is what its user sees


def no_graph(root: Value) -> RuntimeError:
    """For a constant, which has nothing to go back through."""
    return RuntimeError(f"{root!r} is a constant: it was made of numbers alone or inside no_grad()")


def no_value(node: Value, error: Exception) -> ArithmeticError:
    """For an operation that has no value at its operands: log(-1), 1/0, exp(1000)."""
    rule: Rule = node._rule  # type: ignore[assignment]
    if isinstance(error, OverflowError):
        return OverflowError(f"{_operation(node)} overflows{_here(node)}: a float ends at 1.8e308")
    needs = f": it needs {unparse(substitute(rule.domain, _letters(node)))}" if rule.domain else ""
    kind = ZeroDivisionError if isinstance(error, ZeroDivisionError) else ArithmeticError
    return kind(f"{_operation(node)} has no value{_here(node)}{needs}")


def no_derivative(node: Value) -> Exception:
    """For a local derivative that has no value where its operation has one, as that of sqrt at 0; or `stale_graph`."""
    if is_stale(node):
        return stale_graph(node)
    rule: Rule = node._rule  # type: ignore[assignment]
    names = _letters(node)
    for row in operand_rows(node):
        for letter, operand, partial in zip("ab", row, rule.partial_functions, strict=False):
            try:
                partial(*(x.data for x in row), node.data)
            except (ArithmeticError, ValueError):
                if not operand.is_constant:
                    by = unparse(names[letter])
    return ArithmeticError(f"the derivative of {_operation(node)} by {by} has no value{_here(node)}")


def gradient_overflow(node: Value, users: list[Value]) -> OverflowError:
    """For a gradient that became infinite by what `users`, nodes made of `node`, handed on to it."""
    through = " and ".join(f"{_operation(user)}{_here(user)}" for user in users) or "what it was set to"
    return OverflowError(f"the gradient of {node!r} overflows; it came through {through}")


def is_stale(node: Value) -> bool:
    """Whether the data of an inner node no longer follow from those of its operands."""
    rule: Rule = node._rule  # type: ignore[assignment]
    try:
        return rule.evaluate(node) != node.data
    except (ArithmeticError, ValueError):
        return True


def stale_graph(node: Value) -> RuntimeError:
    """For a node whose data no longer follow from its operands."""
    return RuntimeError(
        f"an operand of {_operation(node)} was changed after it was recorded as {format_number(node.data)}"
        f"{_here(node)}: call forward() on the output to refresh the graph, or record it anew"
    )


def _letters(node: Value) -> dict[str, ast.expr]:
    taken = {y.label for x in node.parents for y in (x, *x.parents)}
    free = (letter for letter in ascii_letters if letter not in taken)
    return {letter: label_expression(x) or ast.Name(next(free)) for letter, x in zip("ab", node.parents, strict=False)}


def _operation(node: Value) -> str:
    """The operation with its operands, `log(x)`; where it has a list of them, how many."""
    rule: Rule = node._rule  # type: ignore[assignment]
    if rule.finalize:
        return summarize_operands(node)
    return unparse(substitute(rule.value_notation, _letters(node)))


def _here(node: Value) -> str:
    """The operands in numbers and how each was made; of a list of them, the largest."""
    rule: Rule = node._rule  # type: ignore[assignment]
    if rule.finalize:
        x = max(node.parents, key=lambda x: abs(x.data))
        operands = {unparse(label_expression(x) or ast.Name("the largest")): x}
    else:
        names = _letters(node)
        operands = {unparse(names[letter]): x for letter, x in zip("ab", node.parents, strict=False) if x._rule}
    at = ", ".join(f"{name} = {format_number(x.data)}" for name, x in operands.items())
    made = [f"{name} was made as {_made(x)}" for name, x in operands.items() if x.parents]
    return f" at {at}" * bool(at) + f" ({'; '.join(made)})" * bool(made)


def _made(node: Value) -> str:
    """How an inner node was made: `x - y at x = 1.0, y = 2.0`, unlabelled operands by their numbers."""
    rule: Rule = node._rule  # type: ignore[assignment]
    if rule.finalize:
        return summarize_operands(node)
    labelled = ", ".join(f"{printable(x.label)} = {format_number(x.data)}" for x in node.parents if x.label)
    made = unparse(expression(node, [label_expression(x) or literal(x.data) for x in node.parents]))
    return f"{made} at {labelled}" if labelled else made
