"""What nodes, derivatives and numbers are called, wherever a person reads them."""

from __future__ import annotations

import ast
import copy
import re
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING

from engine.formatting import format_number, printable
from engine.graph import topological_order

if TYPE_CHECKING:
    from engine.rules import Rule
    from engine.value import Value

LONGEST = 16  # characters that an expression may have to serve as a name
MOST_EXPRESSIONS = 10_000  # nodes, above which no expression is tried: nobody reads so large a graph node by node


class Names:
    """The name of every node in the graph of `root`.

    A label is its node's name and a constant's is its number. Other inner nodes are named by their expression where
    that is short, the rest v1, v2, ... in topological order, leaving out what is taken by a label.

    >>> from engine import Value
    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> d = a * b + 10
    >>> names = Names(d)
    >>> names[d], names.made(d), names[d.parents[0]]
    ('a*b + 10', 'a*b + 10', 'a*b')
    """

    def __init__(self, root: Value) -> None:
        self.root = root

    @cached_property
    def _expressions(self) -> dict[Value, ast.expr]:
        order = topological_order(self.root)
        taken = {node.label for node in order}
        fresh = (name for name in map("v{}".format, count(1)) if name not in taken)
        expressions: dict[Value, ast.expr] = {}
        for node in order:
            name = label_expression(node)
            if name is None and node.parents and len(order) <= MOST_EXPRESSIONS:
                made = expression(node, [expressions[x] for x in node.parents])
                if len(unparse(made)) <= LONGEST and unparse(made) not in taken:
                    taken.add(unparse(made))
                    name = made
            expressions[node] = name or ast.Name(next(fresh))
        return expressions

    def __getitem__(self, node: Value) -> str:
        return unparse(self._expressions[node])

    def made(self, node: Value) -> str:
        """How an inner node was made, by the names of its operands: `a*b`; a constant's number; "" for a leaf."""
        if node.is_constant:
            return unparse(literal(node.data))
        return unparse(expression(node, [self._expressions[x] for x in node.parents])) if node.parents else ""

    def definition(self, node: Value) -> str:
        """Name and making of a node: `d = a*b + c`; the name alone where that says it all."""
        return " = ".join(dict.fromkeys(filter(None, [self[node], self.made(node)])))

    def term(self, node: Value, row: tuple[Value, ...]) -> str:
        """One term of a sum of many: `w1*x1` of a `dot`."""
        rule: Rule = node._rule  # type: ignore[assignment]
        return unparse(substitute(rule.value, self._letters(row)))

    def gradient(self, node: Value) -> str:
        """The gradient of a node: `dL/da`."""
        return f"d{_bracketed(self[self.root])}/d{_bracketed(self[node])}"

    def local(self, node: Value, row: tuple[Value, ...], operand: int) -> str:
        """The local derivative of a node by one of the operands in a row, as it stands in a product.

        Of `a*b` by a it is `b`, of `tanh(a)` it is `(1 - tanh(a)**2)`.
        """
        rule: Rule = node._rule  # type: ignore[assignment]
        local = substitute(rule.partial_notation[operand], self._letters(row) | {"out": self._expressions[node]})
        return unparse(local) if isinstance(local, (ast.Name, ast.Constant, ast.Call)) else f"({unparse(local)})"

    def _letters(self, row: tuple[Value, ...]) -> dict[str, ast.expr]:
        return {letter: self._expressions[x] for letter, x in zip("ab", row, strict=False)}


def expression(node: Value, names: list[ast.expr]) -> ast.expr:
    """The expression of an inner node, given those of its parents."""
    rule: Rule = node._rule  # type: ignore[assignment]
    if not rule.finalize:
        return substitute(rule.value_notation, dict(zip("ab", names, strict=False)))
    if len(names) > LONGEST:
        return ast.Name(summarize_operands(node))
    size = len(names) // rule.arity
    lists: list[ast.expr] = [ast.List(names[i : i + size]) for i in range(0, len(names), size)]
    return ast.Call(ast.Name(rule.symbol), lists, [])


def summarize_operands(node: Value) -> str:
    """An operation on a list of operands, where these are too many to name: `sum of 100 operands`."""
    return f"{node.op} of {len(node.parents)} operands"


def literal(x: float) -> ast.expr:
    """A plain number as an expression, to 6 digits or to all in front of the point: `3` for 3.0, `0.333333`, `-2`."""
    whole = len(f"{abs(x):.0f}")
    digits = format_number(abs(x), whole if 6 < whole <= 16 else 6).removesuffix(".0")
    size = ast.Constant(int(digits) if digits.isdigit() else float(digits))
    return ast.UnaryOp(ast.USub(), size) if x < 0 else size


def label_expression(node: Value) -> ast.expr | None:
    """A node by its label, a constant by its number; None for the rest."""
    if node.label:
        return ast.Name(printable(node.label))
    return literal(node.data) if node._rule is None else None


def substitute(template: str, operands: dict[str, ast.expr]) -> ast.expr:
    """The expression `template` with operands in place of their letters."""
    expr: ast.expr = _Filled(operands).visit(ast.parse(template, mode="eval").body)
    return expr


class _Filled(ast.NodeTransformer):
    def __init__(self, operands: dict[str, ast.expr]) -> None:
        self.operands = operands

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.copy(self.operands.get(node.id, node))  # unparse wants each node once

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        less = _plain(node.right) if isinstance(node.op, ast.Sub) else None
        self.generic_visit(node)
        known = _plain(node.left)
        return node if less is None or known is None else literal(known - less)  # the `b - 1` of a known power


def _plain(expr: ast.expr) -> float | None:
    """The number that `literal` made the expression of, if it did."""
    match expr:
        case ast.Constant(int() | float() as size):
            return size
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as size)):
            return -size
    return None


def unparse(expr: ast.expr) -> str:
    """An expression as it is read, products closer than sums: `a*b + c`."""
    return expr.id if isinstance(expr, ast.Name) else re.sub(r" (\*\*?|/) ", r"\1", ast.unparse(expr))


def _bracketed(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) else f"({name})"
