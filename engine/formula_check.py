"""The check of a formula that a user wrote: it must be arithmetic, since it is executed."""

from __future__ import annotations

import ast
import difflib
import reprlib
from collections.abc import Collection, Mapping

from engine.canonical_form import canonical

MAX_QUOTED = 500  # characters of a formula that an error quotes
RESERVED = {"a", "b", "out", "top", "total", "pi"}  # the names in a row that are not functions
ARITHMETIC: tuple[type[ast.AST], ...] = (
    *(ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call),
    *(ast.Load, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub, ast.UAdd),
    *(ast.boolop, ast.Not, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE),
)


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
    what = f"{what}, {reprlib.repr(text) if len(text) > MAX_QUOTED else repr(text)},"
    try:
        nodes = list(ast.walk(ast.parse(text, mode="eval").body))
    except (SyntaxError, ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else error
        raise ValueError(f"{what} must be an expression such as 3 * a**2: {reason}") from None
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    is_partial = functions is not None and "float" in functions
    for node in nodes:
        number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
        parts = [node, *ast.iter_child_nodes(node)]  # an operator is part of an expression
        if not all(isinstance(x, ARITHMETIC) for x in parts) or (isinstance(node, ast.Constant) and not number):
            power = ": write ** for a power" if any(isinstance(x, ast.BitXor) for x in parts) else ""
            raise ValueError(f"{what} must be arithmetic, got {ast.unparse(node)!r} in it{power}")
        if is_partial and {ast.Mod, ast.FloorDiv} & {*map(type, parts)} and not _reads_data(node):
            raise ValueError(f"{what} must take % and // of float(...) only, got {ast.unparse(node)!r}")
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
    try:
        canonical(text)
    except RecursionError as error:  # of an expression that newer Pythons parse
        raise ValueError(f"{what} must be a shorter expression: {error}") from None
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{what} must contain finite real numbers only: {error}") from None


def _reads_data(node: ast.AST) -> bool:
    """Return whether a text reads Values by `float(...)` only."""
    match node:
        case ast.Call(ast.Name(name), args):
            return name == "float" or all(map(_reads_data, args))
        case ast.Name(name):
            return name == "pi"
    return all(map(_reads_data, ast.iter_child_nodes(node)))
