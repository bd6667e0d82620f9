"""The formulas of the table, as the parts of a program: their texts, their arguments, and whether they hide errors."""

from __future__ import annotations

import ast
from functools import lru_cache

from engine.canonical_form import DEFINED_EVERYWHERE, canonical
from engine.custom import CUSTOM_RULES
from engine.formulas import names
from engine.rules import Rule

TOTAL = DEFINED_EVERYWHERE | {"asinh", "atan", "erf", "float", "max"}  # functions with a value at every number

cached_canonical = lru_cache(canonical)


def text_of(rule: Rule, part: str) -> str:
    """Return the text of a part of a row: `value`, `finalize`, or the partial derivative with respect to `a` or `b`."""
    return {"value": rule.value, "finalize": rule.finalize}.get(part) or rule.partials["ab".index(part)]


def arguments_of(rule: Rule, part: str) -> list[str]:
    """Return the arguments of the function for a part of a row; a value is called with all operands."""
    if part == "value" and not rule.finalize:
        return list("ab"[: rule.arity])
    return [letter for letter in ("a", "b", "out", "total", "top") if letter in names(text_of(rule, part))]


def may_hide(rule: Rule, text: str) -> bool:
    """Return whether a custom formula may have a value although a part of it has none, as in max(0, log(a))."""
    return rule.symbol in CUSTOM_RULES and _hides(ast.parse(cached_canonical(text), mode="eval").body, inside=False)


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
