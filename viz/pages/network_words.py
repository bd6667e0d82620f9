"""The words and formulas of the page of a network, as markup with slots for the numbers (P35-P77)."""

from __future__ import annotations

import ast
import copy
import html
import re
from collections.abc import Mapping, Sequence
from functools import reduce

from engine import Value, topological_order
from engine.labels import expression, label_expression, literal, unparse
from viz.equations import Equation
from viz.notation import Number, slot_mark
from viz.pages.words import formula, latex, markup, spoken
from viz.typeset import derivative, mathml, plugged_in

MAX_TERMS = 5  # the most terms of a sum; the middle of a longer sum is left out
MAX_FORMULA = 60  # the most characters of the formula of a loss; a longer one is not shown
MAX_UNBROKEN = 24  # the most characters of a right side; a longer one begins a new line
DOTS = ast.Constant(...)

Term = ast.expr | str  # an expression or a label
Right = Term | tuple[str, ast.expr]  # a right side, perhaps with a relation other than "="


def symbol(label: Term) -> ast.expr:
    """Return a label as a part of a formula; that of P58-P77 for a weight of an input, w(x1)3, as w with subscripts."""
    if isinstance(label, ast.expr):
        return label
    return ast.Name(re.sub(r"^w\((\w+)\)(\d+)$", r"w_\1,\2", label))


def slot(kind: str, *args: int) -> ast.expr:
    """Return a number that the page computes, such as `slot("data", 5)`, as a part of a formula."""
    return plugged_in(0.0, " ".join(map(str, (kind, *args))))


def product(*factors: Term) -> ast.expr:
    """Return factors as a product."""
    return reduce(lambda left, right: ast.BinOp(left, ast.Mult(), right), map(symbol, factors))


def total(terms: Sequence[ast.expr]) -> ast.expr:
    """Return terms as a sum, with dots for the middle of a long one."""
    return reduce(plus, shortened(terms))


def plus(left: Term, right: ast.expr) -> ast.expr:
    """Return the sum of two terms."""
    return ast.BinOp(symbol(left), ast.Add(), right)


def cross_entropy(pairs: Sequence[tuple[ast.expr, ast.expr]]) -> ast.expr:
    """Return the sum of -r log y over the classes, from pairs (r, y).

    A single pair belongs to the first of two classes; the second has 1 - r and 1 - y.
    """
    if len(pairs) == 1:
        one = ast.Constant(1)
        pairs = [*pairs, (minus(one, pairs[0][0]), minus(one, pairs[0][1]))]
    terms = shortened([product(r, ast.Call(ast.Name("log"), [y], [])) for r, y in pairs])
    return reduce(minus, [ast.UnaryOp(ast.USub(), terms[0]), *terms[1:]])


def minus(left: Term, right: ast.expr) -> ast.expr:
    """Return a difference."""
    return ast.BinOp(symbol(left), ast.Sub(), right)


def shortened(terms: Sequence[ast.expr]) -> list[ast.expr]:
    """Return the terms of a sum, with dots for the middle of a long one."""
    return [*terms] if len(terms) <= MAX_TERMS else [*terms[: MAX_TERMS - 2], DOTS, terms[-1]]


def line(left: Term, *rights: Right, condition: str = "", result: bool = True) -> str:
    """Return a line of formulas, which can break before each relation and each term of a sum.

    The result contains it as MathML, as text for screen readers, and as LaTeX to copy.

    Args:
        left: the left side.
        rights: the right sides, each with its relation if that is not "=".
        condition: the slot that must not be 0 for the line to be shown.
        result: whether the last right side is the result, which stands out.
    """
    left = symbol(left)
    pairs = tuple(right if isinstance(right, tuple) else ("=", symbol(right)) for right in rights)
    words, shown = [_plain(left)], [_math("", left)]
    for i, (relation, right) in enumerate(pairs):
        text = _plain(right)
        words.append(f"{relation} {text}")
        is_long = len(text) > MAX_UNBROKEN
        if i and is_long:
            shown.append("<br>")
        terms = terms_of(relation, right) if is_long else [(relation, right)]
        shown += [_math(sign, term) for sign, term in terms]
    if result:
        shown[-1] = shown[-1].replace("<math ", '<math class="result" ', 1)
    markup_of_line = formula(" ".join(shown)) + spoken(markup(" ".join(words))) + latex([Equation(left, pairs)])
    return f'<div data-if="{condition}">{markup_of_line}</div>' if condition else markup_of_line


def _math(sign: str, expr: ast.expr) -> str:
    operator = f'<mo form="infix">{sign}</mo>' if sign else ""
    return f'<math displaystyle="true"><mrow>{operator}{mathml(expr)}</mrow></math>'


def terms_of(relation: str, expr: ast.expr) -> list[tuple[str, ast.expr]]:
    """Return a right side as pieces, one per term of a sum, each with the sign in front of it."""
    match expr:
        case ast.BinOp(left, ast.Add(), right):
            return [*terms_of(relation, left), ("+", right)]
        case ast.BinOp(left, ast.Sub(), right):
            return [*terms_of(relation, left), ("−", right)]
    return [(relation, expr)]


def _plain(expr: ast.expr) -> str:
    """Return an expression as text with slots."""
    return unparse(_with_marks(expr))


def _with_marks(node: ast.expr) -> ast.expr:
    """Return an expression with marks in place of its slots, and with derivatives as text, such as dL/da."""
    match node:
        case ast.Constant(Number() as number):
            return ast.Name(slot_mark(number.slot))
        case ast.Call(ast.Name("∂"), [output, variable]):
            return ast.Name(f"d{unparse(output)}/d{unparse(variable)}")
    result = copy.copy(node)
    for name, value in ast.iter_fields(node):
        if isinstance(value, list):
            setattr(result, name, [*map(_with_marks, value)])
        elif isinstance(value, ast.expr):
            setattr(result, name, _with_marks(value))
    return result


def sentence(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{html.escape(text)}</p>"


def inline(expr: ast.expr) -> str:
    """Return a formula inside a text."""
    return f"<math>{mathml(expr)}</math>"


def heading(text: str, part: ast.expr | None = None) -> str:
    """Return the heading of a step, which may end in a formula."""
    return f"<h2>{html.escape(text)}{inline(part) if part else ''}</h2>"


def expanded(root: Value, known: Mapping[Value, ast.expr]) -> ast.expr:
    """Return the expression of a node down to the nodes in `known`, to labelled leaves and to constants."""
    parts: dict[Value, ast.expr] = {}
    for node in topological_order(root):
        if node in known:
            parts[node] = known[node]
        elif node.parents:
            parts[node] = expression(node, [parts[x] for x in node.parents])
        else:
            parts[node] = label_expression(node) or literal(node.data)
    return parts[root]


def is_short(expr: ast.expr) -> bool:
    """Return whether a formula is short enough to be read."""
    return len(unparse(expr)) <= MAX_FORMULA


def apply(function: str, argument: Term) -> ast.expr:
    """Return a function of an argument; of "linear" the argument itself."""
    return symbol(argument) if function == "linear" else ast.Call(ast.Name(function), [symbol(argument)], [])


def derivative_of(output: str, variable: str) -> ast.expr:
    """Return the symbol of a derivative, from two labels."""
    return derivative(symbol(output), symbol(variable))
