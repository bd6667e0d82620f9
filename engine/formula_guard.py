"""Formulas in languages without exceptions: NaN where Python raises an error."""

from __future__ import annotations

import ast

from engine.canonical_form import DEFINED_EVERYWHERE
from engine.formulas import MATH_FUNCTIONS

TOTAL = DEFINED_EVERYWHERE | {"asinh", "atan", "erf", "float", "max"}  # functions with a value at every number


def guarded(text: str) -> str:
    """Make a custom formula yield NaN wherever Python would raise part-way.

    In max(0, log(a)), for example, the result may still be finite. Built-in rules need no such guard. The text calls
    `_undefined(result, a, b)`, which is NaN if Python raises an error instead of that result of a function of `a` and
    `b`, else 0; and `inf`.

    >>> guarded("max(0.0, log(a))")
    '(max(0.0, log(a))) + ((_undefined(log(a), a, a)))'
    """
    return f"({text}) + {_poison(ast.parse(text, mode='eval').body)}"


def may_hide(text: str) -> bool:
    """Return whether a formula may have a value although a part of it has none.

    >>> may_hide("max(0.0, log(a))"), may_hide("1.0 + log(a)")
    (True, False)
    """
    return _hides(ast.parse(text, mode="eval").body, inside=False)


def _hides(node: ast.expr, *, inside: bool) -> bool:
    """Return whether a part that may have no value lies inside a branch, a divisor or the argument of a function."""
    match node:
        case ast.Call(ast.Name(name), args):
            return (inside and name not in TOTAL) or any(_hides(x, inside=True) for x in args)
        case ast.BinOp(left, ast.Div() | ast.Mod() | ast.FloorDiv(), right):
            may_fail = inside and not isinstance(right, ast.Constant)
            return may_fail or _hides(left, inside=inside) or _hides(right, inside=True)
    parts = [x for x in ast.iter_child_nodes(node) if isinstance(x, ast.expr)]
    return any(_hides(x, inside=inside or isinstance(node, ast.IfExp)) for x in parts)


def _poison(node: ast.expr) -> str:
    """Return an expression that is 0, but NaN where Python raises an error in computing `node`.

    In Python, a product or quotient may be infinite without an error; a division by 0 raises one, and so do functions.
    """
    match node:
        case ast.IfExp(test, body, orelse):
            return f"({_poison(test)} + ({_poison(body)} if ({ast.unparse(test)}) else {_poison(orelse)}))"
        case ast.Call(ast.Name(name), args):
            # The functions of custom rules are guarded themselves, and pass NaN on.
            first, *_, last = [*args, *args] if name in MATH_FUNCTIONS else [ast.Name("inf")] * 2
            terms = [_poison(x) for x in args]
            if name not in ("abs", "float", "max"):
                terms.append(f"_undefined({ast.unparse(node)}, {ast.unparse(first)}, {ast.unparse(last)})")
        case ast.BinOp(left, operator, right):
            terms = [_poison(left), _poison(right)]
            if isinstance(operator, ast.Div | ast.FloorDiv | ast.Mod):
                terms.append(f"0.0 / ({ast.unparse(right)})")
        case ast.UnaryOp(_, operand):
            terms = [_poison(operand)]
        case ast.Compare(left, _, comparators):
            terms = [_poison(x) for x in (left, *comparators)]
        case ast.BoolOp(operator, [first, *rest]):  # Python evaluates the others only if the first does not decide
            others = _poison(rest[0] if len(rest) == 1 else ast.BoolOp(operator, rest))
            alternatives = f"{others} if ({ast.unparse(first)}) else 0.0"
            if isinstance(operator, ast.Or):
                alternatives = f"0.0 if ({ast.unparse(first)}) else {others}"
            return f"({_poison(first)} + ({alternatives}))"
        case _:
            terms = []
    terms = [term for term in terms if term != "0.0"]
    return f"({' + '.join(terms)})" if terms else "0.0"
