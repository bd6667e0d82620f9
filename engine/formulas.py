"""The text of a row as a function of floats, or of floats and Values; and the check of a text that a user wrote."""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any


class StaleGraphError(Exception):
    """The data of a node no longer follows from the data of its operands."""


# The functions of Python that the text of a value may use, on floats.
MATH_FUNCTIONS: dict[str, Any] = {"abs": abs, "max": max}
for _name in (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "erf", "erfc", "exp", "expm1", "gamma",
    "hypot", "lgamma", "log", "log10", "log1p", "pow", "sin", "sinh", "sqrt", "tan", "tanh",
):  # fmt: skip
    MATH_FUNCTIONS[_name] = getattr(math, _name)
BINARY_FUNCTIONS = {"atan2", "hypot", "max", "pow"}  # the others take one argument

# What a value may name; the functions of the table are added when it is read.
VALUE_NAMESPACE: dict[str, Any] = MATH_FUNCTIONS | {"pi": math.pi}
# What a partial derivative may name: functions of floats and Values alike, added in engine.functions.
PARTIAL_NAMESPACE: dict[str, Any] = {"pi": math.pi}

RESERVED = {"a", "b", "out", "top", "total", "pi"}  # the names in a row that are not functions
ARITHMETIC: tuple[type[ast.AST], ...] = (
    *(ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call),
    *(ast.Load, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)


def compile_formula(text: str, letters: Iterable[str], namespace: dict[str, Any]) -> Callable[..., Any]:
    """Return a text as a function of its letters.

    >>> compile_formula("a * cos(b)", "ab", VALUE_NAMESPACE)(2.0, 0.0)
    2.0
    """
    arguments = ", ".join(letters)
    name = text.removesuffix(f"({arguments})")
    if name in MATH_FUNCTIONS:
        return MATH_FUNCTIONS[name]  # type: ignore[no-any-return]
    compiled: Callable[..., Any] = eval(f"lambda {arguments}: {text}", namespace)
    return compiled


def names(text: str) -> set[str]:
    """Return the names in a text."""
    return {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}


def check(what: str, text: str, letters: Collection[str], functions: Mapping[str, int] | None) -> None:
    """Check that a text is arithmetic in `letters`, `pi` and `functions`.

    Args:
        what: the role of the text, which begins the error message.
        text: the text of a value, a partial derivative, a domain.
        letters: the names that it may contain.
        functions: the number of arguments of each function by its name; None allows any function.

    Raises:
        ValueError: the text is anything else.

    >>> check("the value of double", "2*c", "ab", {})
    Traceback (most recent call last):
    ValueError: the value of double, '2*c', contains the unknown name c: it may contain a, b, pi
    """
    what = f"{what}, {text!r},"
    try:
        nodes = list(ast.walk(ast.parse(text, mode="eval").body))
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{what} must be an expression: {error}") from None
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    for node in nodes:
        number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
        if not isinstance(node, ARITHMETIC) or (isinstance(node, ast.Constant) and not number):
            raise ValueError(f"{what} must be arithmetic, got {ast.unparse(node)!r} in it")
        if isinstance(node, ast.Name):
            known = [*letters, "pi"] if node not in called else [node.id] if functions is None else sorted(functions)
            if node.id not in known:
                near = difflib.get_close_matches(node.id, known)
                hint = f"did you mean {near[0]}?" if near else f"it may contain {', '.join(known)}"
                raise ValueError(f"{what} contains the unknown name {node.id}: {hint}")
        if isinstance(node, ast.Call) and functions:
            name, n_arguments = ast.unparse(node.func), len(node.args)
            arity = functions.get(name, n_arguments)
            if n_arguments != arity:
                raise ValueError(f"{what} must call {name} with {arity} argument(s), got {n_arguments}")


def with_real_powers(what: str, text: str) -> str:
    """Return the text of a value with `pow(a, b)` for `a**b`, which Python makes complex where it is not real.

    Raises:
        ValueError: the value may be an int, True or False; a node needs a float.

    >>> with_real_powers("the value of cube", "2*a**3")
    '2 * pow(a, 3)'
    """
    tree = ast.parse(text, mode="eval").body
    branches = [tree]
    for branch in branches:
        if isinstance(branch, ast.IfExp):
            branches += branch.body, branch.orelse
            continue
        kinds = {type(x.value) if isinstance(x, ast.Constant) else type(x) for x in ast.walk(branch)}
        if isinstance(branch, (ast.Compare, ast.BoolOp)) or ast.Not in kinds or not kinds & {ast.Name, float}:
            raise ValueError(f"{what}, {text!r}, must be a float, got {ast.unparse(branch)}: write 1.0 for 1 and True")
    return ast.unparse(_Powers().visit(tree))


class _Powers(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return ast.Call(ast.Name("pow"), [node.left, node.right], []) if isinstance(node.op, ast.Pow) else node
