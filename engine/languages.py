"""The text of a row in other programming languages: JavaScript for the live pages, and the languages of `source`.

A text is translated through the syntax tree of its canonical form (`engine.canonical_form`), in which every number
is a float, a power is a call of `pow`, and a condition occurs only where a condition belongs. Sums, products, calls and
parentheses are written and rounded alike in Python, C and JavaScript, so a `Language` holds only the differences.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

from engine.canonical_form import canonical
from engine.formulas import MATH_FUNCTIONS
from engine.rules import Rule


@dataclass(frozen=True)
class Language:
    """How a programming language writes what differs from Python.

    Attributes:
        functions: the names of Python's functions; without an entry, a function keeps its name.
        operators: the functions that do the work of the operators `/`, `%` and `//`, by the operator's class.
        numbers: the texts of `pi`, `inf` and `nan`; without an entry, a number keeps its name.
        conditional: the form of `body if test else orelse`.
        conjunction: the form of `left and right`.
        disjunction: the form of `left or right`.
        negation: the form of `not test`.
        equal: the sign of `==`.
        unequal: the sign of `!=`.
    """

    functions: Mapping[str, str] = field(default_factory=dict)
    operators: Mapping[type[ast.operator], str] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    conditional: str = "({test} ? {body} : {orelse})"
    conjunction: str = "({left} && {right})"
    disjunction: str = "({left} || {right})"
    negation: str = "!({test})"
    equal: str = "=="
    unequal: str = "!="


JAVASCRIPT = Language(
    functions={name: f"math.{name}" for name in MATH_FUNCTIONS},
    operators={ast.Div: "math.divide", ast.Mod: "math.modulo", ast.FloorDiv: "math.floorDivide"},
    numbers={"pi": "Math.PI"},
    equal="===",
    unequal="!==",
)

# The languages of `engine.source`. Except in Python, an operation without a value gives nan or infinity there.
PYTHON = Language(
    conditional="({body} if {test} else {orelse})",
    conjunction="({left} and {right})",
    disjunction="({left} or {right})",
    negation="not ({test})",
)
NUMPY = Language(
    functions={
        **{name: f"np.{name}" for name in MATH_FUNCTIONS.keys() - {"erf", "erfc", "gamma", "lgamma"}},
        **{name: f"np.arc{name[1:]}" for name in ("acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh")},
        "_undefined": "nan_if_error",
        "isfinite": "np.isfinite",
        "max": "np.maximum",
        "ones_like": "np.ones_like",
        "pow": "np.power",
    },
    operators={ast.Mod: "np.mod", ast.FloorDiv: "np.floor_divide"},
    numbers={"pi": "np.pi", "inf": "np.inf", "nan": "np.nan"},
    conditional="np.where({test}, {body}, {orelse})",
    conjunction="(({left}) & ({right}))",
    disjunction="(({left}) | ({right}))",
    negation="np.logical_not({test})",  # ~True is -2
)
C = Language(
    functions={"_undefined": "nan_if_error", "abs": "fabs", "gamma": "tgamma", "max": "larger"},
    operators={ast.Mod: "modulo", ast.FloorDiv: "floor_divide"},
    numbers={"pi": repr(math.pi), "inf": "INFINITY", "nan": "NAN"},
)
PLAIN_JAVASCRIPT = replace(
    JAVASCRIPT,
    functions={
        **{name: f"Math.{name}" for name in MATH_FUNCTIONS.keys() - {"erf", "erfc", "gamma", "lgamma"}},
        "_undefined": "nan_if_error",
        "isfinite": "Number.isFinite",
    },
    operators={ast.Mod: "modulo", ast.FloorDiv: "floorDivide"},
    numbers={"pi": "Math.PI", "inf": "Infinity", "nan": "NaN"},
)


def translate(text: str, language: Language, functions: Mapping[str, str] | None = None) -> str:
    """Return the text of a row, or a part of one, in another language.

    Args:
        text: the text of a value or of a partial derivative.
        language: the language.
        functions: names in the other language of functions that `text` calls; by default those of `language`.

    >>> translate("a**3 if a > 0 else float(b) / 2", JAVASCRIPT)
    '(a > 0.0 ? math.pow(a, 3.0) : b / 2.0)'
    """
    translation = _Translation(language, {**language.functions, **(functions or {})})
    return ast.unparse(translation.visit(ast.parse(canonical(text), mode="eval")))


class _Translation(ast.NodeTransformer):
    """Rewrites an expression. A part with another syntax than Python's becomes a name whose text is its translation."""

    def __init__(self, language: Language, functions: Mapping[str, str]) -> None:
        self.language, self.functions = language, functions

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.language.numbers.get(node.id, node.id))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name, arguments = ast.unparse(node.func), [self.visit(x) for x in node.args]
        return arguments[0] if name == "float" else ast.Call(ast.Name(self.functions.get(name, name)), arguments, [])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        operand: ast.expr = self.visit(node.operand)
        if isinstance(node.op, ast.UAdd):
            return operand
        text = ast.unparse(operand)
        return ast.UnaryOp(node.op, ast.Name(f"({text})") if text.startswith("-") else operand)  # --a decrements

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        function = self.language.operators.get(type(node.op))
        is_safe = isinstance(node.op, ast.Div) and isinstance(right, ast.Constant) and right.value != 0.0
        if function is None or is_safe:
            return ast.BinOp(left, node.op, right)
        return ast.Call(ast.Name(function), [left, right], [])

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test, body, orelse = self.condition(node.test), self.text(node.body), self.text(node.orelse)
        return ast.Name(self.language.conditional.format(test=test, body=body, orelse=orelse))

    def text(self, node: ast.expr) -> str:
        return ast.unparse(self.visit(node))

    def condition(self, node: ast.expr) -> str:
        language = self.language
        match node:
            case ast.BoolOp(op, [*values]):
                form = language.conjunction if isinstance(op, ast.And) else language.disjunction
                return reduce(lambda left, right: form.format(left=left, right=right), map(self.condition, values))
            case ast.UnaryOp(ast.Not(), operand):
                return language.negation.format(test=self.condition(operand))
            case ast.Compare(left, [op], [right]):
                return self.comparison(left, op, right)
            case ast.Call(ast.Name("isfinite")):
                return self.text(node)
        return self.comparison(node, ast.NotEq(), ast.Constant(0.0))

    def comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> str:
        sign = {ast.Eq: self.language.equal, ast.NotEq: self.language.unequal}.get(type(op))
        if sign is None:
            return ast.unparse(ast.Compare(self.visit(left), [op], [self.visit(right)]))
        return f"{self.text(left)} {sign} {self.text(right)}"


def javascript(rules: Iterable[Rule]) -> str:
    """Return rows of the table as JavaScript: the array `RULES`, in the order of `rules`, then the rows that they call.

    An element has the `symbol`, the `value` and `partials` as functions of numbers, and, for an operation on lists,
    `finalize`. They call functions of `math`, which `viz/pages/assets/functions.js` defines.

    >>> from engine import RULES
    >>> print(javascript([RULES["*"], RULES["relu"]]))
    const RULES = [
      { symbol: "*", value: (a, b) => a * b, partials: [(a, b, out) => b, (a, b, out) => a] },
      { symbol: "relu", value: (a) => (a > 0.0 ? a : 0.0), partials: [(a, out) => (a > 0.0 ? 1.0 : 0.0)] },
    ];
    """
    order = list(dict.fromkeys(rules))
    rows = []
    for rule in order:  # which grows by the rows that are called
        operands = list("ab"[: rule.arity])
        texts = [rule.value, *rule.partials, rule.finalize]
        called = {name: row for text in texts if text for name, row in rule.called(text).items()}
        order += [row for row in called.values() if row not in order]
        calls = {name: f"RULES[{order.index(row)}].value" for name, row in called.items()}
        letters = [*operands, "top"] if rule.finalize else operands
        parts = {"symbol": json.dumps(rule.symbol), "value": _function(rule.value, letters, calls)}
        parts["partials"] = f"[{', '.join(_function(text, [*operands, 'out'], calls) for text in rule.partials)}]"
        if rule.finalize:
            parts["finalize"] = _function(rule.finalize, ["total", "top"], calls)
        rows.append(f"  {{ {', '.join(f'{name}: {text}' for name, text in parts.items())} }},\n")
    return f"const RULES = [\n{''.join(rows)}];"


def _function(text: str, letters: Iterable[str], functions: Mapping[str, str]) -> str:
    return f"({', '.join(letters)}) => {translate(text, JAVASCRIPT, functions)}"
