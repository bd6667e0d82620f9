"""Formulas in canonical form, which means the same eagerly, compiled, on Values and in other languages."""

from __future__ import annotations

import ast
import math

# The functions of the table that have a value for every operand.
DEFINED_EVERYWHERE = {
    "abs", "cos", "elu", "erfc", "gelu", "leaky_relu", "maximum", "minimum", "relu", "sigmoid", "sign", "silu", "sin",
    "softplus", "tanh",
}  # fmt: skip


def canonical(text: str) -> str:
    """Return a text in which every number is a float, so that it means the same eagerly and compiled.

    An int becomes a float, since machine code has ints of 64 bits; a power becomes `pow(a, b)`, since Python makes one
    complex if it is not real; a condition that is used as a number becomes 1.0 or 0.0; and a chain of comparisons
    becomes its parts joined by `and`, since Python does not compute those after one that is false.

    Raises:
        OverflowError, ValueError: a number in it is not a finite float, or has no real power.

    >>> canonical("10**-3 * a**3 + (a > 1)")
    '0.001 * pow(a, 3.0) + (1.0 if a > 1.0 else 0.0)'
    >>> canonical("a if 0 < a < 1 / a else 0")
    'a if 0.0 < a and a < 1.0 / a else 0.0'
    """
    return ast.unparse(_Canonical().visit(ast.parse(text, mode="eval")))


def canonical_on_values(text: str) -> str:
    """Return the canonical text of a partial derivative, which means the same on Values as on their data.

    A graph of it is replayed at other numbers. So if all parts of a choice have a value everywhere, it becomes the sum
    of both alternatives, each times 1 or 0. Other conditions compare the data of Values, and a replay warns of them.

    >>> canonical_on_values("b if a > 0 else 1/b")
    'b if a > 0.0 else 1.0 / b'
    >>> canonical_on_values("b if a > 0 else 1")
    '(1.0 + _sign(a)) / 2.0 * b + (1.0 - (1.0 + _sign(a)) / 2.0) * 1.0'
    >>> canonical_on_values("a if a == 1/b and not out else 0")
    'a if _compared(a) == _compared(1.0 / b) and (not _compared(out)) else 0.0'
    """
    return ast.unparse(_CanonicalOnValues().visit(ast.parse(text, mode="eval")))


class _Canonical(ast.NodeTransformer):
    """Rewrites expressions that give a number; `condition` rewrites those of which only the truth is used."""

    def condition(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.BoolOp(op, values):
                return ast.BoolOp(op, [*map(self.condition, values)])
            case ast.UnaryOp(ast.Not(), operand):
                return ast.UnaryOp(ast.Not(), self.condition(operand))
            case ast.Compare(left, ops, comparators):
                numbers = [self.visit(x) for x in (left, *comparators)]
                pairs = [self.comparison(*triple) for triple in zip(numbers, ops, numbers[1:], strict=False)]
                return pairs[0] if len(pairs) == 1 else ast.BoolOp(ast.And(), pairs)
        return self.truth(self.visit(node))

    def comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> ast.expr:
        return ast.Compare(left, [op], [right])

    def truth(self, number: ast.expr) -> ast.expr:
        return number

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(_finite(float(node.value)))  # type: ignore[arg-type]

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Pow):
            return node
        power = ast.Call(ast.Name("pow"), [node.left, node.right], [])
        if any(isinstance(x, ast.Name) for x in ast.walk(ast.Tuple([node.left, node.right]))):
            return power
        return ast.Constant(_finite(eval(ast.unparse(power), {"pow": math.pow})))

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        return ast.IfExp(self.condition(node.test), self.visit(node.body), self.visit(node.orelse))

    def visit_Compare(self, node: ast.Compare | ast.UnaryOp) -> ast.expr:
        """Rewrite a condition as 1.0 or 0.0."""
        return self.visit_IfExp(ast.IfExp(node, ast.Constant(1.0), ast.Constant(0.0)))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        return self.visit_Compare(node) if isinstance(node.op, ast.Not) else self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """Rewrite `a or b` as `a if a else b`."""
        first, *rest = node.values
        other = ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
        branches = (first, other) if isinstance(node.op, ast.Or) else (other, first)
        return self.visit_IfExp(ast.IfExp(first, *branches))


class _CanonicalOnValues(_Canonical):
    """Rewrites partial derivatives, as `canonical_on_values` describes."""

    def comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> ast.expr:
        if isinstance(op, ast.Eq | ast.NotEq):
            left, right = self.truth(left), self.truth(right)
        return super().comparison(left, op, right)

    def truth(self, number: ast.expr) -> ast.expr:
        return number if isinstance(number, ast.Constant) else ast.Call(ast.Name("_compared"), [number], [])

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        return _Unconditional().visit(node) if _has_value_everywhere(node) else super().visit_IfExp(node)


class _Unconditional(_Canonical):
    """Rewrites choices between expressions that have a value everywhere as sums of both, each times 1 or 0."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test = _indicator(self.condition(node.test))
        body, orelse = self.visit(node.body), self.visit(node.orelse)
        text = f"{test} * ({ast.unparse(body)}) + (1.0 - {test}) * ({ast.unparse(orelse)})"
        return ast.parse(text, mode="eval").body


def _has_value_everywhere(node: ast.expr) -> bool:
    """Return whether an expression has a value at all numbers, unless it is too large for a float."""
    return not any(
        isinstance(x, ast.Div | ast.FloorDiv | ast.Mod | ast.Pow)
        or (isinstance(x, ast.Call) and ast.unparse(x.func) not in DEFINED_EVERYWHERE)
        for x in ast.walk(node)
    )


def _indicator(condition: ast.expr) -> str:
    """Return the text of a number that is 1 if a condition is true, else 0."""
    match condition:
        case ast.Compare(left, [op], [right]):
            below, above = _is_positive(right, left), _is_positive(left, right)
            return {
                ast.Lt: below, ast.Gt: above, ast.LtE: f"(1.0 - {above})", ast.GtE: f"(1.0 - {below})",
                ast.NotEq: f"({below} + {above})", ast.Eq: f"(1.0 - {below} - {above})",
            }[type(op)]  # fmt: skip
        case ast.BoolOp(ast.And(), values):
            return " * ".join(map(_indicator, values))
        case ast.BoolOp(_, values):
            return f"(1.0 - {' * '.join(f'(1.0 - {_indicator(x)})' for x in values)})"
        case ast.UnaryOp(ast.Not(), operand):
            return f"(1.0 - {_indicator(operand)})"
    return _indicator(ast.Compare(condition, [ast.NotEq()], [ast.Constant(0.0)]))


def _is_positive(a: ast.expr, b: ast.expr) -> str:
    """Return the text of a number that is 1 if a > b, else 0."""
    difference: ast.expr = ast.BinOp(a, ast.Sub(), b)
    if isinstance(a, ast.Constant) and a.value == 0.0:
        difference = ast.UnaryOp(ast.USub(), b)
    elif isinstance(b, ast.Constant) and b.value == 0.0:
        difference = a
    return f"(1.0 + _sign({ast.unparse(difference)})) / 2.0"


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise OverflowError(f"{number} is not finite")
    return number
