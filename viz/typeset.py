"""Expressions as mathematics: MathML, which browsers draw by themselves, and LaTeX.

An expression is a tree of Python's `ast`, as `engine.labels` builds it from the text of a row. One walk over the tree
decides what becomes a fraction, a root or a power, and where parentheses are needed; a writer per language says how
that is written. Three kinds of leaves are additions to Python:

    ast.Name("w12")          a label, any text: w with the subscript 12
    ast.Constant(Number(x))  a number in place of a symbol, which may be a slot that a page fills
    ast.Constant(...)        dots in place of omitted operands

and so is one call: `∂(y, x)` is the derivative of y with respect to x.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import reduce

from engine.labels import substitute
from viz.latex_writer import LaTeXWriter
from viz.mathml_writer import MathMLWriter
from viz.notation import AND, ATOM, CALL, CASES, COMPARISON, NEGATIVE, NOT, OR, POWER, PRODUCT, SUM, Number, Symbol

# Functions that mathematics writes with other functions, or by another name
TEMPLATES = {
    "expm1": "exp(a) - 1", "float": "a", "hypot": "sqrt(a**2 + b**2)", "lgamma": "log(abs(gamma(a)))",
    "log1p": "log(1 + a)", "pow": "a**b",
}  # fmt: skip
FUNCTION_NAMES = {
    "acos": "arccos", "acosh": "arcosh", "asin": "arcsin", "asinh": "arsinh", "atan": "arctan", "atanh": "artanh",
    "gamma": "Γ", "maximum": "max", "minimum": "min",
}  # fmt: skip
SQUARED_BY_NAME = {"cos", "cosh", "sin", "sinh", "tan", "tanh"}  # whose square is written tanh²(a)
TERMS = {"sum": "a", "dot": "a * b", "logsumexp": "exp(a)"}  # of the operations on lists
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.FloorDiv)
RELATIONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "=", ast.NotEq: "≠", ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥",
}  # fmt: skip


def plugged_in(x: float, slot: str = "") -> ast.expr:
    """Return a number as a leaf of an expression, in place of a symbol."""
    return ast.Constant(Number(x, slot))


def derivative(output: ast.expr, variable: ast.expr) -> ast.expr:
    """Return the symbol of the derivative of `output` with respect to `variable`."""
    return ast.Call(ast.Name("∂"), [output, variable], [])


def mathml(expr: ast.expr) -> str:
    """Return an expression as presentation MathML, without the `math` element around it.

    >>> mathml(ast.parse("a**2", mode="eval").body)
    '<msup><mi>a</mi><mn>2</mn></msup>'
    """
    return _Walk(MathMLWriter()).at(expr, CASES)


def latex_source(expr: ast.expr) -> str:
    r"""Return an expression as LaTeX in math mode; it needs the package amsmath.

    >>> print(latex_source(ast.parse("1/(1 + exp(-w12))", mode="eval").body))
    \frac{1}{1 + e^{-w_{12}}}
    """
    return _Walk(LaTeXWriter()).at(expr, CASES)


def latex_text(text: str) -> str:
    """Return any text as LaTeX in math mode, upright, with everything escaped that LaTeX would interpret."""
    return LaTeXWriter().text(text)


class _Walk:
    """A walk over a tree that calls the writer of one language."""

    def __init__(self, writer: MathMLWriter | LaTeXWriter) -> None:
        self.writer = writer
        self.is_script = False  # inside an exponent, where a fraction is written a/b

    def at(self, expr: ast.expr, least: int) -> str:
        """Return an expression, in parentheses if its precedence is below `least`."""
        expr = _normal(expr)
        if isinstance(expr, ast.Constant) and isinstance(expr.value, Number):
            return self.writer.number(expr.value, expr.value.slot, least)
        text, level = self.write(expr)
        return text if level >= least else self.writer.fenced("(", text, ")")

    def write(self, expr: ast.expr) -> tuple[str, int]:
        """Return an expression and its precedence."""
        writer = self.writer
        match expr:
            case ast.Constant(int() | float() as value):
                return writer.number(str(value), "", CASES), ATOM
            case ast.Constant(value) if value is Ellipsis:
                return writer.operator("⋯"), ATOM
            case ast.Name(name):
                symbol = Symbol.parse(name)
                return writer.symbol(symbol), CALL if symbol.superscript else ATOM
            case ast.UnaryOp(ast.Not(), operand):
                return writer.row(writer.words("not"), self.at(operand, NOT)), NOT
            case ast.UnaryOp(ast.USub(), operand):
                return writer.negative(self.at(operand, PRODUCT)), NEGATIVE
            case ast.BinOp(left, ast.Pow(), right):
                return self.power(left, right)
            case ast.BinOp(left, operator, right) if isinstance(operator, ARITHMETIC):
                return self.operation(left, operator, right)
            case ast.Compare(left, operators, comparators) if RELATIONS.keys() >= set(map(type, operators)):
                parts = [self.at(left, NEGATIVE)]
                for sign, x in zip(operators, comparators, strict=True):
                    parts += writer.operator(RELATIONS[type(sign)]), self.at(x, NEGATIVE)
                return writer.row(*parts), COMPARISON
            case ast.BoolOp(operator, values):
                word, level = ("and", AND) if isinstance(operator, ast.And) else ("or", OR)
                parts = [part for x in values for part in (writer.words(word), self.at(x, level + 1))]
                return writer.row(*parts[1:]), level
            case ast.IfExp():
                return self.cases(expr), CASES
            case ast.Call(ast.Name(name), arguments, []):
                return self.call(name, arguments)
        raise ValueError(f"an expression must be arithmetic, got {ast.dump(expr)}")

    def operation(self, left: ast.expr, operator: ast.operator, right: ast.expr) -> tuple[str, int]:
        writer = self.writer
        match operator:
            case ast.Add():
                return writer.row(self.at(left, NEGATIVE), writer.operator("+"), self.at(right, SUM)), SUM
            case ast.Sub():
                return writer.row(self.at(left, NEGATIVE), writer.operator("−"), self.at(right, PRODUCT)), SUM
            case ast.Mult():
                sign = "" if _is_coefficient(left) and not _needs_dot(right) else "·"
                level = CASES if isinstance(right, ast.IfExp) else PRODUCT  # cases extend to the end of the row
                return writer.row(self.at(left, PRODUCT), writer.operator(sign), self.at(right, level)), level
            case ast.Div() if self.is_script:
                return writer.row(self.at(left, PRODUCT), writer.operator("/"), self.at(right, POWER)), PRODUCT
            case ast.Div():
                return writer.fraction(self.at(left, CASES), self.at(right, CASES)), PRODUCT
            case ast.Mod():
                return writer.row(self.at(left, POWER), writer.words("mod"), self.at(right, POWER)), COMPARISON
        quotient = self.at(ast.BinOp(left, ast.Div(), right), CASES)
        return self.writer.fenced("⌊", quotient, "⌋"), ATOM

    def power(self, base: ast.expr, exponent: ast.expr) -> tuple[str, int]:
        match exponent:
            case ast.Constant(0.5):
                return self.writer.root(self.at(base, CASES), ""), ATOM
            case ast.UnaryOp(ast.USub(), ast.Constant(0.5)):
                return self.write(ast.BinOp(ast.Constant(1), ast.Div(), ast.BinOp(base, ast.Pow(), exponent.operand)))
            case ast.BinOp(ast.Constant(1), ast.Div(), ast.Constant(int() as degree)):
                return self.writer.root(self.at(base, CASES), "" if degree == 2 else self.script(exponent.right)), ATOM
        match base, exponent:
            case ast.Call(ast.Name(name), [argument]), ast.Constant(int()) if name in SQUARED_BY_NAME:
                function = self.writer.function(Symbol(name), self.script(exponent))
                return self.writer.row(function, self.arguments([argument])), POWER
        return self.writer.power(self.at(base, ATOM), self.script(exponent)), POWER

    def script(self, expr: ast.expr, least: int = CASES) -> str:
        """Return an expression for an exponent, or for another place where fractions are written in one line."""
        before, self.is_script = self.is_script, True
        text = self.at(expr, least)
        self.is_script = before
        return text

    def call(self, name: str, arguments: list[ast.expr]) -> tuple[str, int]:
        match name, arguments:
            case "∂", [output, variable]:
                operator = self.writer.operator("∂")
                parts = [self.writer.row(operator, self.script(x, CALL)) for x in (output, variable)]
                return self.writer.fraction(*parts), PRODUCT
            case "exp", [x]:
                return self.writer.power(self.writer.symbol(Symbol("e")), self.script(x)), POWER
            case "sqrt", [x]:
                return self.writer.root(self.at(x, CASES), ""), ATOM
            case "abs", [x]:
                return self.writer.fenced("|", self.at(x, CASES), "|"), ATOM
        function = self.writer.function(_function_name(name), "")
        operands = [y for x in arguments for y in (x.elts if isinstance(x, ast.List) else [x])]
        return self.writer.row(function, self.arguments(operands)), CALL

    def arguments(self, operands: Sequence[ast.expr]) -> str:
        parts = [part for x in operands for part in (self.writer.operator(","), self.at(x, CASES))]
        return self.writer.fenced("(", self.writer.row(*parts[1:]), ")")

    def cases(self, expr: ast.expr) -> str:
        rows = []
        while isinstance(expr, ast.IfExp):
            rows.append((self.at(expr.body, CASES + 1), self.at(expr.test, CASES)))
            expr = expr.orelse
        return self.writer.cases([*rows, (self.at(expr, CASES), "")])


def _normal(expr: ast.expr) -> ast.expr:
    """Return an expression in the form that is usual on a board.

    Functions that mathematics writes with other functions are replaced. The sign of the first factor of a product or
    fraction is moved to the front of the whole.
    """
    match expr:
        case ast.UnaryOp(ast.UAdd(), operand):
            return _normal(operand)
        case ast.Call(ast.Name(name), arguments, []) if name in TEMPLATES:
            return _normal(substitute(TEMPLATES[name], dict(zip("ab", arguments, strict=False))))
        case ast.Call(ast.Name(name), [ast.List(), *_] as lists, []) if name in TERMS:
            total = _total(TERMS[name], [x.elts for x in lists if isinstance(x, ast.List)])
            return ast.Call(ast.Name("log"), [total], []) if name == "logsumexp" else _normal(total)
        case ast.BinOp(left, (ast.Mult() | ast.Div()) as operator, right):
            match _normal(left):
                case ast.UnaryOp(ast.USub(), factor):
                    return ast.UnaryOp(ast.USub(), ast.BinOp(factor, operator, right))
    return expr


def _is_coefficient(expr: ast.expr) -> bool:
    return isinstance(expr, ast.Constant) and isinstance(expr.value, int | float)


def _needs_dot(expr: ast.expr) -> bool:
    """Return whether a number before an expression needs a dot: `2 · 3` and `2 · (1/2)`, but `2 a`."""
    match expr:
        case ast.BinOp(_, ast.Div() | ast.FloorDiv(), _) | ast.Call(ast.Name("∂")) | ast.IfExp() | ast.Constant():
            return True
        case ast.BinOp(left, ast.Mult() | ast.Pow() | ast.Mod(), _):
            return _needs_dot(left)
    return False


def _total(term: str, lists: list[list[ast.expr]]) -> ast.expr:
    """Return the sum of the terms of an operation on lists."""
    terms = [
        operands[0]
        if isinstance(operands[0], ast.Constant) and operands[0].value is Ellipsis
        else substitute(term, dict(zip("ab", operands, strict=False)))
        for operands in zip(*lists, strict=True)
    ]
    return reduce(lambda total, x: ast.BinOp(total, ast.Add(), x), terms)


def _function_name(name: str) -> Symbol:
    """Return the name of a function: `log10` has the subscript 10, `leaky_relu` no subscript."""
    match = re.fullmatch(r"([^\W\d_]+)(\d+)", name)
    return Symbol(match[1], (match[2],)) if match else Symbol(FUNCTION_NAMES.get(name, name))
