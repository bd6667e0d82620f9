"""The derivative table: one row an operation, and a row says all there is to know of it.

A row is text in ordinary Python arithmetic, as a mathematician would write it. In it

    a, b   are the operands,
    out    is the value of the operation,

and in a row with a `finalize`, which takes any number of operands,

    value  is the term of one operand `a` (or of one pair `a`, `b`),
    total  is the sum of the terms, from left to right,
    top    is the largest `a`.

`value` works on floats and may use what `engine.formulas.VALUE_NAMESPACE` names. A partial also works on Values, which
gives derivatives of any order, so it may use nothing but arithmetic, comparisons, `float`, `pi` and the functions
of this table. Where the exact text and the textbook differ (the textbook's `1 - out**2` loses every digit of the
derivative of tanh in the tails), `notation` has the textbook's.

To add an operation is to add a row: its function, its method on Value, backward, the stepper's line, the drawing
and the tests that go over the table follow from it. `engine.rule` adds one from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine import formulas

if TYPE_CHECKING:
    from engine.value import Value


@dataclass(frozen=True, eq=False)
class Rule:
    """One row of the table.

    Its kernels are made from the text when the row is: `evaluate(node)` is the node's value by the data of its
    parents, `backward(node)` adds the node's contributions to the gradients of its parents, and
    `partial_functions` are the partials as functions of the operands and `out`, for floats and Values alike.

    >>> rule = Rule("cube", "a**3", ("3 * a**2",), summary="a to the third")
    >>> rule.partial_functions[0](2.0, 8.0)
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
    evaluate: Callable[[Value], float] = field(init=False, repr=False)
    backward: Callable[[Value], None] = field(init=False, repr=False)
    partial_functions: tuple[Callable[..., Any], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        evaluate, backward = formulas.build(self)
        object.__setattr__(self, "evaluate", evaluate)
        object.__setattr__(self, "backward", backward)
        object.__setattr__(self, "partial_functions", formulas.partial_functions(self))

    @property
    def arity(self) -> int:
        """The number of operands; of a row with a `finalize`, the number of operand lists."""
        return len(self.partials)

    @property
    def value_notation(self) -> str:
        """The value as maths has it, in the operands' letters: `a**b`, `tanh(a)`."""
        return self.notation[0] if self.notation else f"{self.symbol}({', '.join('ab'[: self.arity])})"

    @property
    def partial_notation(self) -> tuple[str, ...]:
        """The partials as maths has them, in the operands' letters and `out`."""
        return self.notation[1:] or self.partials

    def __reduce__(self) -> tuple[Callable[[str], Rule], tuple[str]]:
        return _rule_of, (self.symbol,)


def _rule_of(symbol: str) -> Rule:
    if symbol and symbol not in RULES:
        raise LookupError(f"there is no rule {symbol!r} here: add it by engine.rule, as where the graph was made")
    return RULES[symbol] if symbol else LEAF


LEAF = Rule("", "a", ("1",), "no operation: a leaf")

RULES: dict[str, Rule] = {
    rule.symbol: rule
    for rule in (
        Rule("+", "a + b", ("1", "1"), "the sum", notation=("a + b",), identity=0.0),
        Rule("-", "a - b", ("1", "-1"), "the difference", notation=("a - b",)),
        Rule("*", "a * b", ("b", "a"), "the product", notation=("a*b",), identity=1.0),
        Rule("/", "a / b", ("1/b", "-out/b"), "the quotient", "b != 0", notation=("a/b", "1/b", "-a/b**2")),
        Rule(
            "**",
            "pow(a, b)",
            # b - 1 loses digits of other numbers below 1/2, and from 2**53 on it is b, without the sign of a power.
            (
                "b * a**(b - 1) if 0 < abs(b) < 2**53 and (abs(b) >= 0.5 or float(b) % 1 == 0)"
                " else b*out/a if float(a) or 0 < abs(b) < 0.5 else 0",
                "out * log(a) if float(a) or float(out) else 0",
            ),
            "the power",
            "a > 0 or (a < 0 and b % 1 == 0) or (a == 0 and b >= 0)",
            notation=("a**b", "b * a**(b - 1)", "a**b * log(a)"),
        ),
        Rule("neg", "-a", ("-1",), "the negative", notation=("-a",)),
        Rule("abs", "abs(a)", ("1 if a > 0 else -1 if a < 0 else 0",), "the absolute value; slope 0 at 0"),
        Rule("exp", "exp(a)", ("out",), "e to the power a"),
        Rule("log", "log(a)", ("1/a",), "the natural logarithm", "a > 0"),
        Rule("log1p", "log1p(a)", ("1/(1 + a)",), "log(1 + a), exact for small a", "a > -1"),
        Rule("sqrt", "sqrt(a)", ("a**-0.5/2",), "the square root", "a >= 0", notation=("sqrt(a)", "1/(2*out)")),
        Rule("sin", "sin(a)", ("cos(a)",), "the sine of a, in radians"),
        Rule("cos", "cos(a)", ("-sin(a)",), "the cosine of a, in radians"),
        Rule("tan", "tan(a)", ("1 + out**2",), "the tangent of a, in radians"),
        Rule("erfc", "erfc(a)", ("-2/pi**0.5 * exp(-a*a)",), "the complementary error function, 1 - erf(a)"),
        Rule(
            "tanh",
            "tanh(a)",
            # Near 0 the textbook's is as exact, and its derivative more so. From tanh(1.5/2) on, which is less
            # than 0.64, the derivatives of the sigmoids are made of sigmoids, and do not come back to tanh.
            ("1 - out**2 if abs(float(out)) < 0.64 else 4 * sigmoid(2*a) * sigmoid(-2*a)",),
            "the hyperbolic tangent, in (-1, 1)",
            notation=("tanh(a)", "1 - out**2"),
        ),
        Rule(
            "sigmoid",
            # The first is the more exact, but exp(-a) overflows.
            "1/(1 + exp(-a)) if a > -37 else exp(a)/(1 + exp(a))",
            # Near 0 the derivative of the product would lose every digit.
            ("sigmoid(a) * sigmoid(-a) if abs(float(a)) > 1.5 else (1 - tanh(a/2)**2)/4",),
            "1/(1 + exp(-a)), in (0, 1) (lecture P14)",
            notation=("sigmoid(a)", "out*(1 - out)"),
        ),
        Rule("softplus", "max(a, 0.0) + log1p(exp(-abs(a)))", ("sigmoid(a)",), "log(1 + exp(a)), a smooth relu"),
        Rule("relu", "a if a > 0 else 0.0", ("1 if a > 0 else 0",), "the larger of a and 0; slope 0 at 0"),
        Rule("leaky_relu", "a if a > 0 else 0.01*a", ("1 if a > 0 else 0.01",), "relu with slope 0.01 up to 0"),
        Rule("elu", "a if a > 0 else expm1(a)", ("1 if a > 0 else exp(a)",), "a above 0, exp(a) - 1 below"),
        Rule(
            "gelu",
            "a * erfc(-a/2**0.5) / 2",
            ("erfc(-a/2**0.5)/2 + a*exp(-a*a/2)/(2*pi)**0.5",),
            "a times the normal distribution function of a, exact (Hendrycks and Gimpel 2016)",
        ),
        Rule("silu", "a * sigmoid(a)", ("sigmoid(a) * (1 + a*sigmoid(-a))",), "a times sigmoid(a)"),
        Rule("sign", "1.0 if a > 0 else -1.0", ("0",), "the threshold: 1 if a > 0, else -1 (lecture P7)"),
        Rule(
            "maximum",
            "a if a > b else b",
            ("1 if a > b else 0 if a < b else 0.5", "1 if b > a else 0 if b < a else 0.5"),
            "the larger of a and b; at a tie each has slope 1/2",
        ),
        Rule(
            "minimum",
            "a if a < b else b",
            ("1 if a < b else 0 if a > b else 0.5", "1 if b < a else 0 if b > a else 0.5"),
            "the smaller of a and b; at a tie each has slope 1/2",
        ),
        Rule("sum", "a", ("1",), "the sum of all operands", finalize="total"),
        Rule("dot", "a * b", ("b", "a"), "the sum of the products, pair by pair", finalize="total"),
        Rule("logsumexp", "exp(a - top)", ("exp(a - out)",), "log(sum of exp(a))", finalize="top + log(total)"),
    )
}
