"""From the text of a row to Python that runs: the kernels of a rule.

What is made is what one would write by hand. Of the row `*`, `inspect.getsource(RULES["*"].backward)` shows

    def backward(node):
        x = node._a
        y = node._b
        a = x._data
        b = y._data
        out = node._data
        upstream = node.grad
        if (a * b) != out: raise StaleGraphError
        if x._rule is not None: x.grad += upstream * (b)
        if y._rule is not None: y.grad += upstream * (a)

A node without a rule is a constant: it takes no gradient.
"""

from __future__ import annotations

import ast
import difflib
import linecache
import math
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.rules import Rule
    from engine.value import Value


class StaleGraphError(Exception):
    """The data of a node no longer follow from those of its operands."""


# What Python has for the text of a value, on floats.
MATH_FUNCTIONS: dict[str, Any] = {"pi": math.pi, "abs": abs, "max": max}
for _name in (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "erf", "erfc", "exp", "expm1", "gamma",
    "hypot", "lgamma", "log", "log10", "log1p", "pow", "sin", "sinh", "sqrt", "tan", "tanh",
):  # fmt: skip
    MATH_FUNCTIONS[_name] = getattr(math, _name)
BINARY_FUNCTIONS = {"atan2", "hypot", "max", "pow"}  # the operands of the rest are one
# The functions of the table join as their rows are read.
VALUE_NAMESPACE: dict[str, Any] = MATH_FUNCTIONS | {"StaleGraphError": StaleGraphError}
# The same for the text of a partial, on floats and Values alike; the functions of the table join as they are published.
PARTIAL_NAMESPACE: dict[str, Any] = {"pi": math.pi}

# What cannot be the name of a function: the kernels' own names.
RESERVED = {"a", "b", "out", "x", "y", "node", "upstream", "top", "total", "pi", "StaleGraphError"}
ARITHMETIC: tuple[type[ast.AST], ...] = (
    *(ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call),
    *(ast.Load, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)


def build(rule: Rule) -> tuple[Callable[[Value], float], Callable[[Value], None]]:
    """The two kernels of a rule: `evaluate(node)` and `backward(node)`."""
    operands = list(zip("ab", "xy", rule.partials, strict=False))
    take = [f"{a} = {x}._data" for a, x, _ in operands]
    give = [f"if {x}._rule is not None: {x}.grad += upstream * ({partial})" for _, x, partial in operands]
    finite = ["if out - out != 0.0: raise OverflowError", "return out"]  # inf - inf and nan - nan are nan
    hand_on = ["out = node._data", "upstream = node.grad"]
    if rule.finalize:
        each = "for x in node._a:" if rule.arity == 1 else "for x, y in zip(node._a, node._b):"
        start = ["top = max([x._data for x in node._a])"] * ("top" in rule.finalize) + ["total = 0.0"]
        add = f"total += {rule.value}"
        evaluate = [*start, each, *_indent([*take, add]), f"out = {rule.finalize}", *finite]
        backward = [
            *hand_on,
            *start,
            each,
            *_indent([*take, add, *give]),
            f"if {rule.finalize} != out: raise StaleGraphError",
        ]
    else:
        operate = [f"{x} = node._{a}" for a, x, _ in operands] + take
        evaluate = [*operate, f"out = {rule.value}", *finite]
        backward = [*operate, *hand_on, f"if ({rule.value}) != out: raise StaleGraphError", *give]
        if rule.symbol.isidentifier():
            arguments = ", ".join("ab"[: rule.arity])
            itself = rule.symbol in names(rule.value)  # the `tanh(a)` of tanh is Python's
            function = (
                MATH_FUNCTIONS[rule.symbol] if itself else eval(f"lambda {arguments}: {rule.value}", VALUE_NAMESPACE)
            )
            VALUE_NAMESPACE[rule.symbol] = function
    return _compile(rule, "evaluate", evaluate), _compile(rule, "backward", backward)


def partial_functions(rule: Rule) -> tuple[Callable[..., Any], ...]:
    """The partials of a rule as functions of its operands and `out`, for floats and Values alike."""
    arguments = ", ".join([*"ab"[: rule.arity], "out"])
    return tuple(eval(f"lambda {arguments}: {partial}", PARTIAL_NAMESPACE) for partial in rule.partials)


def names(text: str) -> set[str]:
    """What is named in the text of a row."""
    return {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}


def check(what: str, text: str, letters: Collection[str], functions: Mapping[str, int] | None) -> None:
    """Make sure that a text is arithmetic out of `letters`, `pi` and `functions` of so many operands, None for any.

    Raises:
        ValueError: it is not; the message begins with `what` it is.

    >>> check("the value of double", "2*c", "ab", {})
    Traceback (most recent call last):
    ValueError: the value of double, '2*c', names c, and there are a, b, pi
    """
    what = f"{what}, {text!r},"
    try:
        nodes = list(ast.walk(ast.parse(text, mode="eval").body))
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{what} is no expression: {error}") from None
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    for node in nodes:
        number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
        if not isinstance(node, ARITHMETIC) or (isinstance(node, ast.Constant) and not number):
            raise ValueError(f"{what} is no arithmetic: {ast.unparse(node)!r} is in it")
        if isinstance(node, ast.Name):
            known = [*letters, "pi"] if node not in called else [node.id] if functions is None else sorted(functions)
            if node.id not in known:
                near = difflib.get_close_matches(node.id, known)
                hint = f"did you mean {near[0]}?" if near else f"and there are {', '.join(known)}"
                raise ValueError(f"{what} names {node.id}, {hint}")
        if isinstance(node, ast.Call) and functions:
            name, given = ast.unparse(node.func), len(node.args)
            takes = functions.get(name, given)
            if given != takes:
                raise ValueError(f"{what} gives {given} operand(s) to {name}, which takes {takes}")


def floating(what: str, text: str) -> str:
    """The text of a value with pow(a, b) for a**b, which Python makes complex where it is not real.

    Raises:
        ValueError: it may give an int, True or False, of which a node would not make a float.

    >>> floating("the value of cube", "2*a**3")
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
            raise ValueError(
                f"{what}, {text!r}, gives {ast.unparse(branch)}, which is no float: write 1.0 for 1 and True"
            )
    return ast.unparse(_Powers().visit(tree))


class _Powers(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return ast.Call(ast.Name("pow"), [node.left, node.right], []) if isinstance(node.op, ast.Pow) else node


def _indent(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def _compile(rule: Rule, name: str, lines: list[str]) -> Callable[..., Any]:
    source = "\n".join([f"def {name}(node):", *_indent(lines), ""])
    filename = f"<{name} of {rule.symbol}>"
    # With this, tracebacks and inspect.getsource show the kernel's lines.
    linecache.cache[filename] = len(source), None, source.splitlines(keepends=True), filename
    namespace: dict[str, Any] = {}
    exec(compile(source, filename, "exec"), VALUE_NAMESPACE, namespace)
    function: Callable[..., Any] = namespace[name]
    return function
