"""WebAssembly: Python arithmetic as instructions, from which the page assembles functions.

A `Code` is a list of instructions and of names: of operands, whose code the page inserts, and of functions, whose
numbers are only known when a module is complete. The encoding is that of the WebAssembly Core Specification 1.0,
chapter 5.
"""

from __future__ import annotations

import ast
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from engine.canonical_form import canonical
from engine.formulas import MATH_FUNCTIONS
from engine.rules import Rule

Code: TypeAlias = list[bytes | str]  # instructions, and the names of operands and functions

F64, I32 = b"\x7c", b"\x7f"
FALSE, TRUE = b"\x41\x00", b"\x41\x01"
IF, ELSE, END, SELECT, IS_ZERO = b"\x04", b"\x05", b"\x0b", b"\x1b", b"\x45"
ABS, NEGATE, ADD, MULTIPLY, DIVIDE = b"\x99", b"\x9a", b"\xa0", b"\xa2", b"\xa3"
OPERATORS: dict[type[ast.operator], bytes] = {ast.Add: ADD, ast.Sub: b"\xa1", ast.Mult: MULTIPLY}
COMPARISONS: dict[type[ast.cmpop], bytes] = {
    ast.Eq: b"\x61", ast.NotEq: b"\x62", ast.Lt: b"\x63", ast.Gt: b"\x64", ast.LtE: b"\x65", ast.GtE: b"\x66",
}  # fmt: skip
# Operations that raise an error in Python where WebAssembly gives infinity or nan: functions of the page.
CHECKED_OPERATORS: dict[type[ast.operator], str] = {
    ast.Div: "divide",
    ast.Mod: "modulo",
    ast.FloorDiv: "floorDivide",
}
GREATER = COMPARISONS[ast.Gt]


def constant(x: float) -> bytes:
    """Return the instruction for a float constant."""
    return b"\x44" + struct.pack("<d", x)


class Formulas:
    r"""The code of formulas, and of the rows of the table that they call.

    Attributes:
        functions: the rows that formulas call, by the name in the code: the code of the value, and the arity.

    >>> from engine import RULES
    >>> Formulas().formula(RULES["*"], "a * b", {"a": ["a"], "b": 2.0})
    ['a', b'D\x00\x00\x00\x00\x00\x00\x00@', b'\xa2']
    """

    def __init__(self) -> None:
        self.functions: dict[str, tuple[Code, int]] = {}
        self._rows: dict[Rule, str] = {}

    def formula(self, rule: Rule, text: str, operands: Mapping[str, Code | float]) -> Code:
        """Return the code of a formula of a row.

        Args:
            rule: the row.
            text: its value, a partial derivative, or its `finalize`.
            operands: for every letter in the text a number, or code without effects.
        """
        numbers = {letter: x for letter, x in operands.items() if isinstance(x, float)}
        tree = _Folding({**numbers, "pi": math.pi}).visit(ast.parse(canonical(text), mode="eval")).body
        codes = {letter: x for letter, x in operands.items() if isinstance(x, list)}
        rows = {name: self._function_of(row) for name, row in rule.called(ast.unparse(tree)).items()}
        return _Formula(codes, rows).number(tree)

    def _function_of(self, row: Rule) -> str:
        """Return the name of the function for the value of a row, which is added when it is first called."""
        if row not in self._rows:
            self._rows[row] = f"row {len(self._rows)}"
            letters = "ab"[: row.arity]
            code = self.formula(row, row.value, {letter: [letter] for letter in letters})
            self.functions[self._rows[row]] = (code, row.arity)
        return self._rows[row]


class _Folding(ast.NodeTransformer):
    """Replaces names by their numbers, folds constants, and removes branches that cannot be taken."""

    def __init__(self, numbers: Mapping[str, float]) -> None:
        self.numbers = numbers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.numbers[node.id]) if node.id in self.numbers else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(x) for x in node.args]
        match node:
            case ast.Call(ast.Name("float"), [x]):
                return x
            case ast.Call(ast.Name("pow"), [ast.Name() as x, ast.Constant(2.0)]):
                return ast.BinOp(x, ast.Mult(), x)
            case ast.Call(ast.Name("pow"), [x, ast.Constant(1.0)]):
                return x
        return self._computed(node, node.args)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        node.operand = self.visit(node.operand)
        return self._computed(node, [node.operand])

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        node.left, node.right = self.visit(node.left), self.visit(node.right)
        match node:
            case ast.BinOp(x, ast.Mult(), ast.Constant(1.0)) | ast.BinOp(ast.Constant(1.0), ast.Mult(), x):
                return x
        return self._computed(node, [node.left, node.right])

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        node.left, node.comparators = self.visit(node.left), [self.visit(x) for x in node.comparators]
        return self._computed(node, [node.left, *node.comparators])

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        decides = isinstance(node.op, ast.Or)
        values: list[ast.expr] = []
        for value in map(self.visit, node.values):
            is_known = isinstance(value, ast.Constant)
            if not is_known or bool(value.value) is decides:
                values.append(value)
            if is_known and bool(value.value) is decides:
                break
        if not values:
            return ast.Constant(not decides)
        node.values = values
        return values[0] if len(values) == 1 else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test = self.visit(node.test)
        if isinstance(test, ast.Constant):
            branch: ast.expr = self.visit(node.body if test.value else node.orelse)
            return branch
        return ast.IfExp(test, self.visit(node.body), self.visit(node.orelse))

    def _computed(self, node: ast.expr, operands: Sequence[ast.expr]) -> ast.expr:
        """Return the value of a node whose operands are numbers, if it has one."""
        if not all(isinstance(x, ast.Constant) for x in operands):
            return node
        if isinstance(node, ast.Call) and ast.unparse(node.func) not in MATH_FUNCTIONS:
            return node
        try:
            return ast.Constant(eval(ast.unparse(node), {**MATH_FUNCTIONS, "inf": math.inf}))
        except (ArithmeticError, ValueError):
            return node  # it has no value: an error when it is computed


@dataclass(frozen=True)
class _Formula:
    """Writes the code of an expression in a row."""

    operands: Mapping[str, Code]
    rows: Mapping[str, str]  # the functions of the rows that it calls; the other functions are Python's

    def number(self, node: ast.expr) -> Code:
        match node:
            case ast.Constant(x) if isinstance(x, (int, float)):
                return [constant(float(x))]
            case ast.Name(name):
                return self.operands[name]
            case ast.UnaryOp(ast.USub(), x):
                return [*self.number(x), NEGATE]
            case ast.UnaryOp(ast.UAdd(), x):
                return self.number(x)
            case ast.BinOp(a, ast.Div(), ast.Constant(x)) if x != 0.0:
                return [*self.number(a), *self.number(node.right), DIVIDE]
            case ast.BinOp(a, op, b):
                instruction = OPERATORS.get(type(op)) or CHECKED_OPERATORS[type(op)]
                return [*self.number(a), *self.number(b), instruction]
            case ast.IfExp(test, body, orelse):
                return [*self.condition(test), IF + F64, *self.number(body), ELSE, *self.number(orelse), END]
            case ast.Call(ast.Name("abs"), [x]):
                return [*self.number(x), ABS]
            case ast.Call(ast.Name("max"), [ast.Name() | ast.Constant(), ast.Name() | ast.Constant()]):
                first, second = map(self.number, node.args)
                return [*second, *first, *second, *first, GREATER, SELECT]
            case ast.Call(ast.Name(name), arguments):
                codes = [part for x in arguments for part in self.number(x)]
                return [*codes, self.rows.get(name, name)]
        raise ValueError(f"a formula must be arithmetic, got {ast.unparse(node)!r}")

    def condition(self, node: ast.expr) -> Code:
        """Return the code of a condition: an integer, 1 or 0."""
        match node:
            case ast.BoolOp(op, [first, *others]):
                code = self.condition(first)
                for other in others:
                    rest = self.condition(other)
                    yes, no = (rest, [FALSE]) if isinstance(op, ast.And) else ([TRUE], rest)
                    code = [*code, IF + I32, *yes, ELSE, *no, END]
                return code
            case ast.UnaryOp(ast.Not(), x):
                return [*self.condition(x), IS_ZERO]
            case ast.Compare(a, [op], [b]):
                return [*self.number(a), *self.number(b), COMPARISONS[type(op)]]
        return [*self.number(node), constant(0.0), COMPARISONS[ast.NotEq]]
