"""Substitution for the letters of formulas, and constant folding: computing what contains only numbers."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping

from engine.formulas import MATH_FUNCTIONS


def number_in(node: ast.expr) -> float | bool | None:
    """Return the value of an expression that is a number or a truth value; None for any other."""
    match node:
        case ast.Constant(int() | float() as value):  # a bool is an int
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
            return -value
    return None


def simplified(text: str, operands: Mapping[str, str] | None = None, function_name: Callable[[str], str] = str) -> str:
    """Return a text with other expressions for its letters, other names of functions, and numbers computed.

    No digit of a result changes: numbers are combined as the program would combine them, and factors of 1 dropped.

    >>> simplified("(a >= 0 or b % 1 == 0) and (a != 0 or b >= 0)", {"b": "0.5"})
    'a >= 0'
    >>> simplified("b * pow(a, b - 1.0) if b > 0.5 else log(a)", {"a": "x", "b": "3.0"})
    '3.0 * (x * x)'
    """
    letters = {letter: ast.parse(text, mode="eval").body for letter, text in (operands or {}).items()}
    return ast.unparse(_Substitution(letters, function_name).visit(ast.parse(text, mode="eval")))


class _Substitution(ast.NodeTransformer):
    def __init__(self, letters: Mapping[str, ast.expr], function_name: Callable[[str], str]) -> None:
        self.letters, self.function_name = letters, function_name

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.letters.get(node.id, node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name, arguments = ast.unparse(node.func), [self.visit(x) for x in node.args]
        match name, [(x, number_in(x)) for x in arguments]:
            case "float", [(operand, _)]:
                return operand  # type: ignore[no-any-return]
            case "pow", [(base, _), (_, 1.0)]:
                return base  # type: ignore[no-any-return]
            case "pow", [(ast.Name() as base, _), (_, 2.0)]:
                return ast.BinOp(base, ast.Mult(), base)
        return _computed(ast.Call(ast.Name(self.function_name(name)), arguments, []))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        match node.op, number_in(left), number_in(right):
            case (ast.Mult() | ast.Div(), _, 1.0):
                return left  # type: ignore[no-any-return]
            case (ast.Mult(), 1.0, _):
                return right  # type: ignore[no-any-return]
            case (ast.Mult(), _, -1.0):
                return ast.UnaryOp(ast.USub(), left)
            case (ast.Mult(), -1.0, _):
                return ast.UnaryOp(ast.USub(), right)
        return _computed(ast.BinOp(left, node.op, right))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        match node.op, operand := self.visit(node.operand):
            case ast.USub(), ast.UnaryOp(ast.USub(), inner):
                return inner
        return _computed(ast.UnaryOp(node.op, operand))

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        return _computed(ast.Compare(self.visit(node.left), node.ops, [self.visit(x) for x in node.comparators]))

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        decides = isinstance(node.op, ast.Or)
        conditions: list[ast.expr] = []
        for condition in map(self.visit, node.values):
            truth = number_in(condition)
            if truth is None:
                conditions.append(condition)
            elif bool(truth) is decides:
                if not any(map(_may_fail, conditions)):
                    return condition  # type: ignore[no-any-return]
                conditions.append(condition)
                break
        if not conditions:
            return ast.Constant(not decides)
        return conditions[0] if len(conditions) == 1 else ast.BoolOp(node.op, conditions)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test = self.visit(node.test)
        truth = number_in(test)
        if truth is None:
            return ast.IfExp(test, self.visit(node.body), self.visit(node.orelse))
        return self.visit(node.body if truth else node.orelse)  # type: ignore[no-any-return]


def _computed(node: ast.expr) -> ast.expr:
    """Return an expression that contains only numbers as a number, if it has a finite value; any other as it is."""
    if not {x.id for x in ast.walk(node) if isinstance(x, ast.Name)} <= MATH_FUNCTIONS.keys():
        return node
    try:
        value = eval(ast.unparse(node), {**MATH_FUNCTIONS})
    except (ArithmeticError, ValueError):
        return node
    return ast.parse(repr(value), mode="eval").body if math.isfinite(value) else node


def _may_fail(condition: ast.expr) -> bool:
    """Return whether a condition may have no value; only one without calculations always has one."""
    return any(isinstance(x, ast.BinOp | ast.Call) for x in ast.walk(condition))
