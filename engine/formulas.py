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

# The functions of the table that have a value for every operand.
DEFINED_EVERYWHERE = {
    "abs", "cos", "elu", "erfc", "gelu", "leaky_relu", "maximum", "minimum", "relu", "sigmoid", "sign", "silu", "sin",
    "softplus", "tanh",
}  # fmt: skip
RESERVED = {"a", "b", "out", "top", "total", "pi"}  # the names in a row that are not functions
ARITHMETIC: tuple[type[ast.AST], ...] = (
    *(ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call),
    *(ast.Load, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub, ast.UAdd),
    *(ast.boolop, ast.Not, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE),
)


def compile_formula(
    text: str, letters: Iterable[str], functions: Mapping[str, Any], name: str = "a formula"
) -> Callable[..., Any]:
    """Return a text as a function of its letters; it may call `functions` and those of Python's `math`.

    A traceback or a warning calls it `name`.

    >>> compile_formula("a * cos(b)", "ab", {})(2.0, 0.0)
    2.0
    """
    arguments = ", ".join(letters)
    called = text.removesuffix(f"({arguments})")
    if called in MATH_FUNCTIONS and called not in functions:
        return MATH_FUNCTIONS[called]  # type: ignore[no-any-return]
    code = compile(f"lambda {arguments}: {text}", f"<{name}>", "eval")
    compiled: Callable[..., Any] = eval(code, {**MATH_FUNCTIONS, "pi": math.pi, **functions})
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


def canonical(text: str) -> str:
    """Return a text in which every number is a float, so that it means the same eagerly and compiled.

    An int becomes a float, since machine code has ints of 64 bits; a power becomes `pow(a, b)`, since Python makes one
    complex if it is not real; a condition that is used as a number becomes 1.0 or 0.0; and a chain of comparisons
    becomes its parts joined by `and`, since Python does not compute those after one that is false.

    Raises:
        OverflowError, ValueError: a number in it is not a finite float, or has no real power.

    >>> canonical("10**-3 * a**3 + (a > 1)")
    '0.001 * pow(a, 3.0) + (1.0 if a > 1.0 else 0.0)'
    >>> canonical("a if 0 < a < 1 / a else 0")
    'a if 0.0 < a and a < 1.0 / a else 0.0'
    """
    return ast.unparse(_Canonical().visit(ast.parse(text, mode="eval")))


def canonical_on_values(text: str) -> str:
    """Return the canonical text of a partial derivative, which means the same on Values as on their data.

    A graph of it is replayed at other numbers. So if all parts of a choice have a value everywhere, it becomes the sum
    of both alternatives, each times 1 or 0. Other conditions compare the data of Values, and a replay warns of them.

    >>> canonical_on_values("b if a > 0 else 1/b")
    'b if a > 0.0 else 1.0 / b'
    >>> canonical_on_values("b if a > 0 else 1")
    '(1.0 + _sign(a)) / 2.0 * b + (1.0 - (1.0 + _sign(a)) / 2.0) * 1.0'
    >>> canonical_on_values("a if a == 1/b and not out else 0")
    'a if _compared(a) == _compared(1.0 / b) and (not _compared(out)) else 0.0'
    """
    return ast.unparse(_CanonicalOnValues().visit(ast.parse(text, mode="eval")))


def guarded(text: str) -> str:
    """Make a custom formula yield NaN wherever Python would raise part-way.

    In max(0, log(a)), for example, the result may still be finite. Built-in rules need no such guard. The text calls
    `_undefined(result, a, b)`, which is NaN if Python raises an error instead of that result of a function of `a` and
    `b`, else 0; and `inf`.

    >>> guarded("max(0.0, log(a))")
    '(max(0.0, log(a))) + ((_undefined(log(a), a, a)))'
    """
    return f"({text}) + {_poison(ast.parse(text, mode='eval').body)}"


def _poison(node: ast.expr) -> str:
    """Return an expression that is 0, but NaN where Python raises an error in computing `node`.

    Python divides and multiplies to infinity without an error, but not by 0, and its functions raise errors instead.
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


class _Canonical(ast.NodeTransformer):
    """Rewrites expressions that give a number; `condition` rewrites those of which only the truth is used."""

    def condition(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.BoolOp(op, values):
                return ast.BoolOp(op, [*map(self.condition, values)])
            case ast.UnaryOp(ast.Not(), operand):
                return ast.UnaryOp(ast.Not(), self.condition(operand))
            case ast.Compare(left, ops, comparators):
                numbers = [self.visit(x) for x in (left, *comparators)]
                pairs = [self.comparison(*triple) for triple in zip(numbers, ops, numbers[1:], strict=False)]
                return pairs[0] if len(pairs) == 1 else ast.BoolOp(ast.And(), pairs)
        return self.truth(self.visit(node))

    def comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> ast.expr:
        return ast.Compare(left, [op], [right])

    def truth(self, number: ast.expr) -> ast.expr:
        return number

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(_finite(float(node.value)))  # type: ignore[arg-type]

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Pow):
            return node
        power = ast.Call(ast.Name("pow"), [node.left, node.right], [])
        if any(isinstance(x, ast.Name) for x in ast.walk(ast.Tuple([node.left, node.right]))):
            return power
        return ast.Constant(_finite(eval(ast.unparse(power), {"pow": math.pow})))

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        return ast.IfExp(self.condition(node.test), self.visit(node.body), self.visit(node.orelse))

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        return self.visit_IfExp(ast.IfExp(node, ast.Constant(1.0), ast.Constant(0.0)))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.Not):
            return self.visit_IfExp(ast.IfExp(node, ast.Constant(1.0), ast.Constant(0.0)))
        self.generic_visit(node)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """Rewrite `a or b` as `a if a else b`."""
        first, *rest = node.values
        other = ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
        branches = (first, other) if isinstance(node.op, ast.Or) else (other, first)
        return self.visit_IfExp(ast.IfExp(first, *branches))


class _CanonicalOnValues(_Canonical):
    def comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> ast.expr:
        if isinstance(op, ast.Eq | ast.NotEq):
            left, right = self.truth(left), self.truth(right)
        return super().comparison(left, op, right)

    def truth(self, number: ast.expr) -> ast.expr:
        return number if isinstance(number, ast.Constant) else ast.Call(ast.Name("_compared"), [number], [])

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        return _Unconditional().visit(node) if _has_value_everywhere(node) else super().visit_IfExp(node)


class _Unconditional(_Canonical):
    """Rewrites choices between expressions that have a value everywhere as sums of both, each times 1 or 0."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test = _indicator(self.condition(node.test))
        body, orelse = self.visit(node.body), self.visit(node.orelse)
        return _expression(f"{test} * ({ast.unparse(body)}) + (1.0 - {test}) * ({ast.unparse(orelse)})")


def _has_value_everywhere(node: ast.expr) -> bool:
    """Return whether an expression has a value at all numbers, unless it is too large for a float."""
    return not any(
        isinstance(x, ast.Div | ast.FloorDiv | ast.Mod | ast.Pow)
        or (isinstance(x, ast.Call) and ast.unparse(x.func) not in DEFINED_EVERYWHERE)
        for x in ast.walk(node)
    )


def _indicator(condition: ast.expr) -> str:
    """Return the text of a number that is 1 if a condition is true, else 0."""
    match condition:
        case ast.Compare(left, [op], [right]):
            below, above = _is_positive(right, left), _is_positive(left, right)
            return {
                ast.Lt: below, ast.Gt: above, ast.LtE: f"(1.0 - {above})", ast.GtE: f"(1.0 - {below})",
                ast.NotEq: f"({below} + {above})", ast.Eq: f"(1.0 - {below} - {above})",
            }[type(op)]  # fmt: skip
        case ast.BoolOp(ast.And(), values):
            return " * ".join(map(_indicator, values))
        case ast.BoolOp(_, values):
            return f"(1.0 - {' * '.join(f'(1.0 - {_indicator(x)})' for x in values)})"
        case ast.UnaryOp(ast.Not(), operand):
            return f"(1.0 - {_indicator(operand)})"
    return _indicator(ast.Compare(condition, [ast.NotEq()], [ast.Constant(0.0)]))


def _is_positive(a: ast.expr, b: ast.expr) -> str:
    """Return the text of a number that is 1 if a > b, else 0."""
    difference: ast.expr = ast.BinOp(a, ast.Sub(), b)
    if isinstance(a, ast.Constant) and a.value == 0.0:
        difference = ast.UnaryOp(ast.USub(), b)
    elif isinstance(b, ast.Constant) and b.value == 0.0:
        difference = a
    return f"(1.0 + _sign({ast.unparse(difference)})) / 2.0"


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise OverflowError(f"{number} is not finite")
    return number
