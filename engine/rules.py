"""The derivative table: one row per operation. A row holds everything the library knows about its operation.

A row is text in Python arithmetic, as a mathematician would write it. In it

    a, b      are the operands,
    out       is the value of the operation,

and in an operation on lists of operands, such as `sum` or `dot`,

    value     is the term of one operand `a`, or of one pair `a`, `b`,
    total     is the sum of the terms, from left to right,
    top       is the largest `a`,
    finalize  is the value of the operation, in terms of `total` and `top`.

`value` works on floats and may use the functions of this table and of `engine.formulas.MATH_FUNCTIONS`. A partial
derivative works on floats and on Values, which gives derivatives of any order, so it may use only arithmetic,
comparisons, `float`, `pi` and the functions of this table. A graph of it may be replayed at other numbers, so there a
condition on `a` becomes arithmetic with `sign` if the text allows it, or `graph_partials` holds another text; a
condition on `float(a)` chooses between two formulas for the same number. Where the accurate formula differs from the
textbook's, `notation` holds the textbook's: `1 - out**2` loses every digit of the derivative of tanh in the tails.

`Rule.backward` below is the chain rule. Subclasses repeat it for a fixed number of operands; the general loops would
take 60 % more time.

To add an operation, add a row here and a method to `Value`; the function, the stepper's line, the drawing, the compiled
kernel and the tests over the table follow. `engine.rule` adds a row at run time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

from engine.canonical_form import canonical, canonical_on_values
from engine.errors import StaleGraphError
from engine.formulas import MATH_FUNCTIONS, compile_formula, names
from engine.graph import operand_rows

if TYPE_CHECKING:
    from engine.value import Value

RULES: dict[str, Rule] = {}  # by symbol; the table stands at the end


@dataclass(frozen=True, eq=False)
class Rule:
    """One row of the table.

    Attributes:
        symbol: the name, or the sign of the operator.
        value: the formula of the value, as text.
        partials: the partial derivative with respect to each operand, as text.
        summary: what the operation is, in a few words.
        domain: where it has a value, such as "a > 0"; "" for everywhere.
        notation: the value, or the value and each partial derivative, as mathematics writes them, where that differs.
        finalize: for an operation on lists of operands, its value in terms of `total` and `top`.
        graph_partials: the partial derivatives on Values, if they differ.
        identity: the operand that leaves the other one unchanged, such as 1 for the product.
        scope: the rows that the texts name, those of a custom rule as they were when it was defined.

    >>> cube = Unary("cube", "a**3", ("3 * a**2",), "a to the third")
    >>> cube.partial_functions[0](2.0, 8.0)
    12.0
    """

    symbol: str
    value: str
    partials: tuple[str, ...]
    summary: str = ""
    domain: str = ""
    notation: tuple[str, ...] = ()
    finalize: str = ""
    identity: float | None = None
    graph_partials: tuple[str, ...] = ()
    scope: Mapping[str, Rule] = field(default_factory=lambda: RULES, repr=False)

    @property
    def arity(self) -> int:
        """The number of operands, or of lists of operands."""
        return len(self.partials)

    @property
    def texts(self) -> tuple[str | tuple[str, ...], ...]:
        """The texts that define it."""
        return self.symbol, self.value, self.partials, self.summary, self.domain, self.notation, self.finalize

    @property
    def value_notation(self) -> str:
        """The value as mathematics writes it, in the operands' letters: `a**b`, `tanh(a)`."""
        return self.notation[0] if self.notation else f"{self.symbol}({', '.join('ab'[: self.arity])})"

    @property
    def partial_notation(self) -> tuple[str, ...]:
        """The partial derivatives as mathematics writes them, in the operands' letters and `out`."""
        return self.notation[1:] or self.partials

    @cached_property
    def function(self) -> Callable[..., float]:
        """`value` as a function of the operands (and `top`), on floats."""
        letters = [*"ab"[: self.arity], "top"] if self.finalize else "ab"[: self.arity]
        return self._on_floats(self.value, letters)

    @cached_property
    def partial_functions(self) -> tuple[Callable[..., Any], ...]:
        """`partials` as functions of the operands and `out`, on floats."""
        letters = [*"ab"[: self.arity], "out"]
        return tuple(self._on_floats(text, letters, own=True) for text in self.partials)

    @cached_property
    def partial_graphs(self) -> tuple[Callable[..., Any], ...]:
        """`partials` as functions of the operands and `out`, on Values, some of which may be floats."""
        letters = [*"ab"[: self.arity], "out"]
        functions = {**self.scope, "pow": RULES["**"], "_compared": _compared, "_sign": RULES["sign"]}
        functions["float"] = _number if self.scope is RULES else _compared
        return tuple(
            compile_formula(canonical_on_values(text), letters, functions, f"the derivative of {self.symbol}")
            for text in self.graph_partials or self.partials
        )

    def called(self, text: str) -> dict[str, Rule]:
        """Return the rows whose values a text calls, by name, but not those that are functions of Python."""
        return {name: self.scope[name] for name in sorted(names(text) & self.scope.keys() - MATH_FUNCTIONS.keys())}

    def _on_floats(self, text: str, letters: Iterable[str], *, own: bool = False) -> Callable[..., float]:
        """Return a text as a function; the rule's name in it is the rule if `own`, else a function of `math`."""
        rows = {name: self.scope[name] for name in names(text) & self.scope.keys()}
        functions = {name: row.function for name, row in rows.items() if own or row is not self}
        return compile_formula(canonical(text), letters, functions)

    def __call__(self, *operands: Any) -> Any:
        """Return the operation on numbers as a float, on Values as a node."""
        for x in operands:
            if hasattr(x, "_record"):
                return x._record(self, operands)
        return self.function(*operands)

    def evaluate(self, node: Value) -> float:
        """Return the value of `node` from the data of its operands.

        Raises:
            ArithmeticError, ValueError: the operation has no value there.
        """
        raise NotImplementedError

    def backward(self, node: Value) -> None:
        """Pass the gradient of `node` back: the chain rule.

        Each operand accumulates the upstream gradient times its local derivative.

        Raises:
            StaleGraphError: an operand changed after `node` was recorded.
            ArithmeticError, ValueError: a local derivative has no value.
        """
        out, upstream = node._data, node._grad
        if self.evaluate(node) != out:
            raise StaleGraphError
        for operands in operand_rows(node):
            numbers = [x._data for x in operands]
            for x, partial in zip(operands, self.partial_functions, strict=True):
                if x._grad is not None:
                    x._grad += upstream * partial(*numbers, out)

    def __reduce__(self) -> str | tuple[Callable[..., Rule], tuple[Any, ...]]:
        if not self.symbol:
            return "LEAF" if self is LEAF else "CONSTANT"
        if RULES.get(self.symbol) is not self:
            raise PicklingError(f"rule {self.symbol!r} was redefined: record the graph again to pickle it")
        if self.scope is RULES:
            return rule_named, (self.symbol,)
        custom = [rule for rule in self.scope.values() if rule.scope is not RULES and rule is not self]
        return sys.modules["engine.custom"].restore_rule, (custom, *self.texts)

    def __deepcopy__(self, memo: dict[int, Any]) -> Rule:
        return self


class Unary(Rule):
    """An operation on one operand."""

    def evaluate(self, node: Value) -> float:
        return self.function(node._a._data)

    def backward(self, node: Value) -> None:
        a, out = node._a, node._data
        if self.function(a._data) != out:
            raise StaleGraphError
        if a._grad is not None:
            a._grad += node._grad * self.partial_functions[0](a._data, out)


class Binary(Rule):
    """An operation on two operands."""

    def evaluate(self, node: Value) -> float:
        return self.function(node._a._data, node._b._data)

    def backward(self, node: Value) -> None:
        a, b, out = node._a, node._b, node._data
        if self.function(a._data, b._data) != out:
            raise StaleGraphError
        partial_a, partial_b = self.partial_functions
        if a._grad is not None:
            a._grad += node._grad * partial_a(a._data, b._data, out)
        if b._grad is not None:
            b._grad += node._grad * partial_b(a._data, b._data, out)


class Fold(Rule):
    """An operation on a list of operands, or on two lists, pair by pair."""

    @cached_property
    def finalizer(self) -> Callable[[float, float], float]:
        """`finalize` as a function of `total` and `top`."""
        return self._on_floats(self.finalize, ["total", "top"])

    def evaluate(self, node: Value) -> float:
        top, total = max([x._data for x in node._a]), 0.0
        for operands in operand_rows(node):
            total += self.function(*[x._data for x in operands], top)
        return self.finalizer(total, top)


class Plus(Binary):
    """The sum of two operands."""

    def evaluate(self, node: Value) -> float:
        return node._a._data + node._b._data  # type: ignore[no-any-return]

    def backward(self, node: Value) -> None:
        a, b = node._a, node._b
        if a._data + b._data != node._data:
            raise StaleGraphError
        if a._grad is not None:
            a._grad += node._grad
        if b._grad is not None:
            b._grad += node._grad


class Times(Binary):
    """The product of two operands."""

    def evaluate(self, node: Value) -> float:
        return node._a._data * node._b._data  # type: ignore[no-any-return]

    def backward(self, node: Value) -> None:
        a, b = node._a, node._b
        if a._data * b._data != node._data:
            raise StaleGraphError
        if a._grad is not None:
            a._grad += node._grad * b._data
        if b._grad is not None:
            b._grad += node._grad * a._data


class Sum(Fold):
    """The sum of a list of operands."""

    def evaluate(self, node: Value) -> float:
        total = 0.0
        for a in node._a:
            total += a._data
        return total

    def backward(self, node: Value) -> None:
        total, upstream = 0.0, node._grad
        for a in node._a:
            total += a._data
            if a._grad is not None:
                a._grad += upstream
        if total != node._data:
            raise StaleGraphError


class Dot(Fold):
    """The sum of the products of two lists of operands: a weighted sum."""

    def evaluate(self, node: Value) -> float:
        total = 0.0
        for a, b in zip(node._a, node._b):
            total += a._data * b._data
        return total

    def backward(self, node: Value) -> None:
        total, upstream = 0.0, node._grad
        for a, b in zip(node._a, node._b):
            a_data, b_data = a._data, b._data
            total += a_data * b_data
            if a._grad is not None:
                a._grad += upstream * b_data
            if b._grad is not None:
                b._grad += upstream * a_data
        if total != node._data:
            raise StaleGraphError


def _number(x: Any) -> float:
    """Return a number, or the data of a Value, where the text of a partial derivative says `float(x)`."""
    return float(x) if isinstance(x, (int, float)) else x._data


def _compared(x: Any) -> float:
    """Return a number, or the data of a Value, where a condition compares it; a replayed graph does not."""
    return float(x) if isinstance(x, (int, float)) else x._compared()


def rule_named(symbol: str) -> Rule:
    """Return the row of a symbol, for a graph that is loaded.

    Raises:
        LookupError: the table has no such row.
    """
    if symbol not in RULES:
        raise LookupError(f"unknown rule {symbol!r}: define it with engine.rule before loading this graph")
    return RULES[symbol]


LEAF = Rule("", "", (), "a leaf: it has no operands, and takes a gradient")
CONSTANT = Rule("", "", (), "a constant: it has no operands, and takes no gradient")

RULES |= {
    row.symbol: row
    for row in (
        Plus("+", "a + b", ("1", "1"), "the sum", notation=("a + b",), identity=0.0),
        Binary("-", "a - b", ("1", "-1"), "the difference", notation=("a - b",)),
        Times("*", "a * b", ("b", "a"), "the product", notation=("a*b",), identity=1.0),
        Binary("/", "a / b", ("1/b", "-out/b"), "the quotient", "b != 0", notation=("a/b", "1/b", "-a/b**2")),
        Binary(
            "**",
            "pow(a, b)",
            # b - 1 is inexact for |b| < 1/2. For |b| >= 2**53 it rounds to b, so that (-1)**(b - 1) has the wrong sign.
            # The last alternatives are for a = 0, where they are 0. Their own derivatives are 0 there too, or raise an
            # error where the power has no such derivative.
            (
                "b * a**(b - 1) if 0.5 <= abs(b) < 2**53 or (abs(b) >= 2**53 and a == 0)"
                " else b*out/a if b != 0 or a != 0 else sqrt(b) / (1 + a)",
                "out * log(a) if a != 0 or out != 0 else a**(-(-float(b) // 1) - 0.5) / (1 + b)",
            ),
            "the power",
            "(a >= 0 or b % 1 == 0) and (a != 0 or b >= 0)",
            notation=("a**b", "b * a**(b - 1)", "a**b * log(a)"),
            # `float` reads data, to choose between formulas for the same number. The formulas for a = 0 hold only
            # there, so they divide by 0 elsewhere.
            graph_partials=(
                "b * a**(b - 1) if 0.5 <= abs(float(b)) < 2**53 or (abs(float(b)) >= 2**53 and float(a) == 0)"
                " else b*out/a if float(b) != 0 or float(a) != 0"
                " else sqrt(b) / (1 + a) / ((1 + sign(a) * sign(-a)) / 2) / ((1 + sign(b) * sign(-b)) / 2)",
                "out * log(a) if float(a) != 0 or float(out) != 0"
                " else a**(-(-float(b) // 1) - 0.5) / (1 + b) / ((1 + sign(a) * sign(-a)) / 2)",
            ),
        ),
        Unary("neg", "-a", ("-1",), "the negative", notation=("-a",)),
        Unary(
            "abs",
            "abs(a)",
            ("1 if a > 0 else -1 if a < 0 else 0",),
            "the absolute value; slope 0 at 0",
            graph_partials=("(sign(a) - sign(-a)) / 2",),
        ),
        Unary("exp", "exp(a)", ("out",), "e to the power a"),
        Unary("log", "log(a)", ("1/a",), "the natural logarithm", "a > 0"),
        Unary("log1p", "log1p(a)", ("1/(1 + a)",), "log(1 + a), exact for small a", "a > -1"),
        Unary("sqrt", "sqrt(a)", ("a**-0.5/2",), "the square root", "a >= 0", notation=("sqrt(a)", "1/(2*out)")),
        Unary("sin", "sin(a)", ("cos(a)",), "the sine of a, in radians"),
        Unary("cos", "cos(a)", ("-sin(a)",), "the cosine of a, in radians"),
        Unary("tan", "tan(a)", ("1 + out**2",), "the tangent of a, in radians"),
        Unary("erfc", "erfc(a)", ("-2/pi**0.5 * exp(-a*a)",), "the complementary error function, 1 - erf(a)"),
        Unary(
            "tanh",
            "tanh(a)",
            # Beyond |out| = 0.64, 1 - out**2 cancels. There |2a| > 1.5, where the row of sigmoid uses only sigmoids,
            # so that higher derivatives contain no tanh.
            ("1 - out**2 if abs(float(out)) < 0.64 else 4 * sigmoid(2*a) * sigmoid(-2*a)",),
            "the hyperbolic tangent, in (-1, 1)",
            notation=("tanh(a)", "1 - out**2"),
        ),
        Unary(
            "sigmoid",
            # At a <= -37, where 1 + exp(-a) rounds to exp(-a), the second form is as accurate and cannot overflow.
            "1/(1 + exp(-a)) if a > -37 else exp(a)/(1 + exp(a))",
            # Near 0 the derivative of the product of sigmoids would lose every digit.
            ("sigmoid(a) * sigmoid(-a) if abs(float(a)) > 1.5 else (1 - tanh(a/2)**2)/4",),
            "1/(1 + exp(-a)), in (0, 1) (P14)",
            notation=("sigmoid(a)", "out*(1 - out)"),
        ),
        Unary("softplus", "max(a, 0.0) + log1p(exp(-abs(a)))", ("sigmoid(a)",), "log(1 + exp(a)), a smooth relu"),
        Unary("relu", "a if a > 0 else 0.0", ("1 if a > 0 else 0",), "the larger of a and 0; slope 0 at 0"),
        Unary("leaky_relu", "a if a > 0 else 0.01*a", ("1 if a > 0 else 0.01",), "a if a > 0, else 0.01*a"),
        Unary(
            "elu",
            "a if a > 0 else expm1(a)",
            ("1 if a > 0 else exp(a)",),
            "a if a > 0, else exp(a) - 1",
            graph_partials=("exp(-relu(-a))",),
        ),
        Unary(
            "gelu",
            "a * erfc(-a/2**0.5) / 2",
            ("erfc(-a/2**0.5)/2 + a*exp(-a*a/2)/(2*pi)**0.5",),
            "a times the normal distribution function of a, exact (Hendrycks and Gimpel 2016)",
        ),
        Unary("silu", "a * sigmoid(a)", ("sigmoid(a) * (1 + a*sigmoid(-a))",), "a times sigmoid(a)"),
        Unary("sign", "1.0 if a > 0 else -1.0", ("0",), "the threshold: 1 if a > 0, else -1 (P7)"),
        Binary(
            "maximum",
            "a if a > b else b",
            ("1 if a > b else 0 if a < b else 0.5", "1 if b > a else 0 if b < a else 0.5"),
            "the larger of a and b; at a tie each has slope 1/2",
            graph_partials=("(2 + sign(a - b) - sign(b - a)) / 4", "(2 + sign(b - a) - sign(a - b)) / 4"),
        ),
        Binary(
            "minimum",
            "a if a < b else b",
            ("1 if a < b else 0 if a > b else 0.5", "1 if b < a else 0 if b > a else 0.5"),
            "the smaller of a and b; at a tie each has slope 1/2",
            graph_partials=("(2 + sign(b - a) - sign(a - b)) / 4", "(2 + sign(a - b) - sign(b - a)) / 4"),
        ),
        Sum("sum", "a", ("1",), "the sum of all operands", finalize="total"),
        Dot("dot", "a * b", ("b", "a"), "the sum of the products, pair by pair", finalize="total"),
        Fold("logsumexp", "exp(a - top)", ("exp(a - out)",), "log(sum of exp(a))", finalize="top + log(total)"),
    )
}
