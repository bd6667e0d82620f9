"""The names of nodes and derivatives, and expressions as text, wherever a person reads them."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Mapping
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING

from engine.constant_folding import number_in
from engine.formatting import format_number, printable
from engine.graph import topological_order

if TYPE_CHECKING:
    from engine.value import Value

MAX_NAME_LENGTH = 16  # characters of an expression that serves as a name
MAX_ERROR_NAME_LENGTH = 32  # the same, in an error
MAX_LISTED_OPERANDS = 16  # of an operation on lists
MAX_NAMED_NODES = 10_000  # in larger graphs unlabelled nodes are only numbered, since building the expressions is slow


class Names:
    """The name of every node in the graph of `root`.

    The name of a node is its label; of a constant, its number; of another inner node, its expression if that is short.
    The remaining nodes are v1, v2, ... in topological order, skipping existing labels.

    >>> from engine import Value
    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> d = a * b + 10
    >>> names = Names(d)
    >>> names[d], names.expression(d), names[d.parents[0]]
    ('a*b + 10', 'a*b + 10', 'a*b')
    """

    def __init__(self, root: Value) -> None:
        self.root = root

    @cached_property
    def _expressions(self) -> dict[Value, ast.expr]:
        order = topological_order(self.root)
        names = {node.label for node in order}
        numbered = (name for name in map("v{}".format, count(1)) if name not in names)
        expressions: dict[Value, ast.expr] = {}
        for node in order:
            name = label_expression(node)
            if name is None and node.parents and len(order) <= MAX_NAMED_NODES:
                candidate = expression(node, [expressions[x] for x in node.parents])
                text = unparse(candidate)
                if len(text) <= MAX_NAME_LENGTH and text not in names:
                    names.add(text)
                    name = candidate
            expressions[node] = name or ast.Name(next(numbered))
        return expressions

    def __getitem__(self, node: Value) -> str:
        return unparse(self.tree(node))

    def tree(self, node: Value) -> ast.expr:
        """Return the name of a node as an expression."""
        return self._expressions[node]

    def expression(self, node: Value) -> str:
        """Return the operation on the names of its operands, `a*b`; of a constant its number; of a leaf ""."""
        if node.is_constant:
            return unparse(literal(node.data))
        return unparse(expression(node, [self._expressions[x] for x in node.parents])) if node.parents else ""

    def definition(self, node: Value) -> str:
        """Return name and expression of a node, `d = a*b + c`; only the name if they are the same."""
        return " = ".join(dict.fromkeys(filter(None, [self[node], self.expression(node)])))

    def term(self, node: Value, row: tuple[Value, ...]) -> str:
        """Return one term of an operation on lists: `w1*x1` of a `dot`."""
        return unparse(substitute(node._rule.value, self._letters(row)))

    def gradient(self, node: Value) -> str:
        """Return the symbol of the gradient of a node: `dL/da`."""
        return self.derivative(self.root, node)

    def derivative(self, of: Value, by: Value) -> str:
        """Return the symbol of the derivative of one node with respect to another: `d(a*b)/da`."""
        return f"d{_bracketed(self[of])}/d{_bracketed(self[by])}"

    def local_derivative(self, node: Value, row: tuple[Value, ...], operand: int) -> str:
        """Return the local derivative of a node with respect to one of the operands in a row, as a factor.

        With respect to a, it is `b` for `a*b` and `(1 - tanh(a)**2)` for `tanh(a)`.
        """
        letters = self._letters(row) | {"out": self._expressions[node]}
        local = substitute(node._rule.partial_notation[operand], letters)
        return unparse(local) if isinstance(local, (ast.Name, ast.Constant, ast.Call)) else f"({unparse(local)})"

    def _letters(self, row: tuple[Value, ...]) -> dict[str, ast.expr]:
        return {letter: self._expressions[x] for letter, x in zip("ab", row, strict=False)}


def expression(node: Value, names: list[ast.expr]) -> ast.expr:
    """Return the expression of an inner node from those of its operands."""
    rule = node._rule
    if not rule.finalize:
        return substitute(rule.value_notation, dict(zip("ab", names, strict=False)))
    if len(names) > MAX_LISTED_OPERANDS:
        return ast.Name(summarize_operands(node))
    size = len(names) // rule.arity
    lists: list[ast.expr] = [ast.List(names[i : i + size]) for i in range(0, len(names), size)]
    return ast.Call(ast.Name(rule.symbol), lists, [])


def summarize_operands(node: Value) -> str:
    """Return an operation on a long list of operands in words: `sum of 100 operands`."""
    return f"{node.op} of {len(node.parents)} operands"


def literal(x: float) -> ast.expr:
    """Return a number as an expression: `3` for 3.0, `0.333333`, `-2`; to 6 digits, or all those before the point."""
    n_whole_digits = len(f"{abs(x):.0f}")
    digits = format_number(abs(x), n_whole_digits if 6 < n_whole_digits <= 16 else 6).removesuffix(".0")
    magnitude = ast.Constant(int(digits) if digits.isdigit() else float(digits))
    return ast.UnaryOp(ast.USub(), magnitude) if x < 0 else magnitude


def label_expression(node: Value) -> ast.expr | None:
    """Return the label of a node, or the number of a constant, as an expression; None if it has neither."""
    if node.label:
        return ast.Name(printable(node.label))
    return literal(node.data) if node.is_constant else None


def short_expression(node: Value, depth: int = 2) -> ast.expr:
    """Return the label, the number or, for an unlabelled inner node, the expression in one line.

    Unlabelled nodes more than `depth` operations below appear as numbers.
    """
    if node.label or not node.parents or not depth:
        return label_expression(node) or literal(node.data)
    if len(node.parents) > MAX_LISTED_OPERANDS:
        return ast.Name(summarize_operands(node))
    short = expression(node, [short_expression(x, depth - 1) for x in node.parents])
    return short if depth == 1 or len(unparse(short)) <= MAX_ERROR_NAME_LENGTH else short_expression(node, depth - 1)


def substitute(template: str, operands: Mapping[str, ast.expr]) -> ast.expr:
    """Return the expression `template` with operands in place of their letters."""
    expr: ast.expr = _Substitution(operands).visit(ast.parse(template, mode="eval").body)
    return expr


class _Substitution(ast.NodeTransformer):
    def __init__(self, operands: Mapping[str, ast.expr]) -> None:
        self.operands = operands

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.copy(self.operands.get(node.id, node))  # ast.unparse needs each node only once in its tree

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Compute the exponent `b - 1` if it is a number: the derivative of a**2 reads `2*a`, not `2*a**(2 - 1)`."""
        before = copy.copy(node)
        self.generic_visit(node)
        left, right = number_in(node.left), number_in(node.right)
        match before:
            case ast.BinOp(_, ast.Sub(), ast.Constant(int() | float() as subtrahend)) if left is not None:
                return literal(left - subtrahend)
            case ast.BinOp(_, ast.Pow(), ast.BinOp(_, ast.Sub())) if right in (0.0, 1.0):
                return node.left if right else literal(1.0)
            case ast.BinOp(_, ast.Mult(), ast.BinOp(_, ast.Pow())) if right == 1.0:
                return node.left
        return node


def unparse(expr: ast.expr) -> str:
    """Return an expression as text, with products closer than sums: `a*b + c`."""
    return expr.id if isinstance(expr, ast.Name) else re.sub(r" (\*\*?|/) ", r"\1", ast.unparse(expr))


def _bracketed(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) else f"({name})"
