"""The accuracy of the table: every value and every first and second derivative against mpmath at 50 digits.

`python -m tests.accuracy` prints the largest error of every row in ulp, the distance between two neighbouring floats.
"""

import argparse
import math
import operator
import random
import re
import sys
from dataclasses import dataclass, field
from functools import cache

from mpmath import mp
from rich.console import Console
from rich.progress import track
from rich.table import Table

import engine
from engine import RULES, Value

ROWS = [rule for rule in RULES.values() if not rule.finalize]
KINKED = {"abs", "relu", "leaky_relu", "elu", "sign", "maximum", "minimum"}  # operations with a kink or a step

OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow}
OPERATORS |= {"neg": operator.neg, "abs": abs}


def clamp(a, bound):
    """Return `a` limited to [-bound, bound]: beyond, erfc is 0 or 2 to a million digits, too many for mpmath."""
    return min(max(a, -bound), bound)


# A definition of each operation that differs from the table's.
DEFINITIONS = {
    "+": lambda a, b: mp.fsum([a, b]),
    "-": lambda a, b: mp.fsum([a, -b]),
    "*": lambda a, b: mp.fprod([a, b]),
    "/": lambda a, b: mp.fdiv(a, b),
    "**": lambda a, b: mp.re(mp.power(a, b)),
    "neg": lambda a: 0 - a,
    "abs": lambda a: mp.sqrt(a * a),
    "exp": lambda a: mp.e**a,
    "log": mp.ln,
    "log1p": mp.log1p,
    "sqrt": lambda a: mp.root(a, 2),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": lambda a: mp.sin(a) / mp.cos(a),
    "erfc": lambda a: mp.erfc(clamp(a, 1e6)),
    "tanh": lambda a: 1 - 2 / (mp.exp(2 * a) + 1),
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "softplus": lambda a: mp.log1p(mp.exp(a)),
    "relu": lambda a: (a + abs(a)) / 2,
    "leaky_relu": lambda a: max(a, a / 100),
    "elu": lambda a: max(a, 0) + min(mp.exp(min(a, 0)) - 1, 0),
    "gelu": lambda a: a * mp.ncdf(clamp(a, 1e6)),
    "silu": lambda a: a / (1 + mp.exp(-a)),
    "sign": lambda a: mp.mpf(1 if a > 0 else -1),
    "maximum": lambda a, b: (a + b + abs(a - b)) / 2,
    "minimum": lambda a, b: (a + b - abs(a - b)) / 2,
    "sum": lambda xs: mp.fsum(xs),
    "dot": lambda ws, xs: mp.fdot(ws, xs),
    "logsumexp": lambda xs: mp.ln(mp.fsum(mp.exp(x) for x in xs)),
}


DIGITS = 50
# A point is well-conditioned if the relative change of its result is at most so many times that of its operands.
WELL = 2.0
EPSILON = mp.mpf(2) ** -52
SUBNORMAL = 1e-290  # results nearer to 0 are computed from subnormal numbers, which have fewer digits
SMALLEST = 4e-321

EDGES = [0.0, 5e-324, 1e-300, 1e-160, 1e-17, 1e-8, 0.5, 1.0, 1.0 + 2**-52, 2.0, 3.0, 20.0, 36.0, 40.0, 350.0, 709.0]
EDGES += [745.0, 1e5, 1e16, 1e154, 1e300, sys.float_info.max]


def points(rule, n, largest=20):
    """Return `n` points in the domain of a rule: the edges of floats, then numbers of every size, half near 1."""
    rng = random.Random(rule.symbol)
    edges = [(sign * x,) for x in EDGES for sign in (1, -1)] if largest == 20 else []
    if rule.arity == 2:
        edges = rng.sample([(*x, *y) for x in edges for y in edges], min(n // 2, len(edges) ** 2)) + [
            (*x, *x) for x in edges
        ]
    chosen = [p for p in edges if in_domain(rule, p)]
    while len(chosen) < n:
        p = [
            rng.uniform(-6, 6) if rng.random() < 0.5 else rng.choice([1, -1]) * 10 ** rng.uniform(-largest, largest)
            for _ in "ab"
        ]
        if rng.random() < 0.3:
            p[1] = float(round(p[1]))
        if in_domain(rule, p):
            chosen.append(tuple(p[: rule.arity]))
    return chosen[:n]


def in_domain(rule, operands):
    return not rule.domain or eval(rule.domain, dict(zip("ab", operands, strict=False)))


class Namespace(dict):
    """The operands, and the functions that the text of a row may use: other rows, and mpmath's."""

    def __missing__(self, name):
        return exact_function(name)


EXACT_FUNCTIONS = {"abs": abs, "max": max, "mpf": mp.mpf, "float": mp.mpf}
EXACT_FUNCTIONS |= {"erfc": DEFINITIONS["erfc"], "pow": DEFINITIONS["**"]}


@cache
def exact_function(name):
    if name in EXACT_FUNCTIONS or hasattr(mp, name):
        return EXACT_FUNCTIONS.get(name) or getattr(mp, name)
    return lambda *operands: exactly(RULES[name], RULES[name].value, operands)


@cache
def compile_exactly(text):
    """Compile the text of a row with its numbers as mpmath's."""
    exact = re.sub(r"(?<!\w)\d+(\.\d+)?", r"mpf('\g<0>')", text)
    return compile(exact, text, "eval")


def exactly(rule, text, operands):
    """Return the value of a row's text at exact operands, at the precision of mpmath."""
    names = Namespace(zip("ab", map(mp.mpf, operands), strict=False))
    if text != rule.value and "out" in text:
        names["out"] = exactly(rule, rule.value, operands)
    return mp.mpf(eval(compile_exactly(text), {"__builtins__": {}}, names))


def apply(rule, operands):
    """Apply the operation as a user does."""
    return (OPERATORS.get(rule.symbol) or getattr(engine, rule.symbol))(*operands)


@dataclass
class Error:
    """The largest error of a value or a derivative over all points.

    Attributes:
        ulps: the largest error in ulp at well-conditioned points.
        at: the operands of that point.
        ill: the largest error at other points, in units of the change that one ulp more in each operand causes.
        compared: the number of points.
    """

    ulps: float = 0.0
    at: tuple = ()
    ill: float = 0.0
    compared: int = 0

    def add(self, got, exact, operands, *, smooth):
        want = exact(operands)
        error = float(abs(got - want) / math.ulp(float(want)))
        self.compared += 1
        if error > 1.0 and smooth:
            nearby = [(*operands[:i], x + mp.mpf(x) * EPSILON, *operands[i + 1 :]) for i, x in enumerate(operands)]
            if operands[0] < 0:
                nearby = nearby[:1]  # the exponent of a negative number is an integer, and exact
            change = sum(abs(exact(x) - want) for x in nearby)
            if change > WELL * abs(want) * EPSILON or abs(want) < SUBNORMAL:
                self.ill = max(self.ill, float(abs(got - want) / (change + SMALLEST)))
                return
        if error > self.ulps:
            self.ulps, self.at = error, operands


@dataclass
class Accuracy:
    """The errors of a row.

    Attributes:
        refused: the number of points at which a derivative is an error: it is undefined, or overflows on the way.
    """

    value: Error = field(default_factory=Error)
    first: Error = field(default_factory=Error)
    second: Error = field(default_factory=Error)
    refused: int = 0


def measure(rule, n):
    """Return the errors of a row at `n` points, the edges of floats first."""
    accuracy, smooth = Accuracy(), rule.symbol not in KINKED
    with mp.workdps(DIGITS):
        for operands in points(rule, n):
            try:
                value = apply(rule, [Value(x) for x in operands]).data
            except OverflowError:
                assert abs(exactly(rule, rule.value, operands)) >= sys.float_info.max, operands
                continue
            accuracy.value.add(value, lambda x: exactly(rule, rule.value, x), operands, smooth=smooth)
            for i, text in enumerate(rule.partials):
                _measure_partial(rule, i, text, operands, accuracy, smooth=smooth)
    return accuracy


def _measure_partial(rule, i, text, operands, accuracy, *, smooth):
    def exact(x):
        return exactly(rule, text, x)

    def with_leaf(j):
        leaf = Value(operands[j])
        return leaf, [*operands[:j], leaf, *operands[j + 1 :]]

    leaf, leaf_operands = with_leaf(i)
    node = apply(rule, leaf_operands)
    try:
        node.backward()
    except ArithmeticError:
        try:
            want = abs(exact(operands))
        except (TypeError, ValueError, ZeroDivisionError):
            want = mp.inf  # undefined, such as the derivative of (-2)**b with respect to b, or of sqrt at 0
        # a**(b - 1) may overflow where b times it does not: an error, never a wrong number
        least = min(abs(operands[1]), 1.0) if rule.symbol == "**" else 1.0
        assert want >= least * sys.float_info.max, operands
        accuracy.refused += 1
        return
    accuracy.first.add(leaf.grad, exact, operands, smooth=smooth)
    if not smooth and len({0.0, *operands}) < 1 + len(operands):
        return  # at a kink
    for j in range(rule.arity):
        leaf, leaf_operands = with_leaf(j)
        try:
            partial = rule.partial_graphs[i](*leaf_operands, apply(rule, leaf_operands))
            if isinstance(partial, Value):
                partial.backward()
        except ArithmeticError:
            accuracy.refused += 1
            continue

        def slope(x, j=j):
            # Enough digits to distinguish values one step apart, even beside 1 or e**-700.
            size = float(min(abs(x[j]), 1e300)) or 1e-35
            with mp.workdps(int(4 * DIGITS + 3 * abs(math.log10(size)) + min(size * size, 800))):
                step = mp.mpf(min(size, 1.0)) / 10 ** (DIGITS // 2)
                ends = [exact((*x[:j], mp.mpf(x[j]) + h, *x[j + 1 :])) for h in (-step, step)]
                return (ends[1] - ends[0]) / (2 * step)

        try:
            accuracy.second.add(leaf.grad, slope, operands, smooth=smooth)
        except (TypeError, ValueError, ZeroDivisionError):
            assert rule.symbol == "**", operands  # (-2)**b and 0**b have no derivative with respect to b


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=10_000, help="number of points per row (10,000)")
    parser.add_argument("rows", nargs="*", help="symbols of the rows to measure (all)")
    options = parser.parse_args()
    rules = [rule for rule in ROWS if rule.symbol in options.rows or not options.rows]
    table = Table(title="The largest errors in ulp, and the operands", title_justify="left", box=None)
    for column in ("row", "value", "at", "1st", "at", "2nd", "at"):
        table.add_column(column, justify="left" if column in ("row", "at") else "right", no_wrap=True)
    for rule in track(rules, "measuring", transient=True):
        accuracy = measure(rule, options.points)
        row = [rule.symbol]
        for error in (accuracy.value, accuracy.first, accuracy.second):
            row += [
                f"{error.ulps:.1f}" if error.ulps < 1000 else f"{error.ulps:.0e}",
                ", ".join(f"{x:.2g}" for x in error.at),
            ]
        table.add_row(*row)
    Console(width=80).print(table)
    print(
        f"Values, derivatives and second derivatives against mpmath at {DIGITS} digits: {options.points:,}\n"
        f"points per row, the edges of floats among them; errors where the condition\nnumber is {WELL:g} or less."
    )


if __name__ == "__main__":
    main()
