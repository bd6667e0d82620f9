"""How exact the table is: every value and every first and second derivative against mpmath at 50 digits.

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
KINKED = {"abs", "relu", "leaky_relu", "elu", "sign", "maximum", "minimum"}  # no derivative where branches meet

OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow}
OPERATORS |= {"neg": operator.neg, "abs": abs}


def within(a, bound):
    """`a` where mpmath can follow: out there erfc is 0 or 2 to a million digits."""
    return min(max(a, -bound), bound)


# Each operation by a definition that is not the table's.
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
    "erfc": lambda a: mp.erfc(within(a, 1e6)),
    "tanh": lambda a: 1 - 2 / (mp.exp(2 * a) + 1),
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "softplus": lambda a: mp.log1p(mp.exp(a)),
    "relu": lambda a: (a + abs(a)) / 2,
    "leaky_relu": lambda a: max(a, a / 100),
    "elu": lambda a: max(a, 0) + min(mp.exp(min(a, 0)) - 1, 0),
    "gelu": lambda a: a * mp.ncdf(within(a, 1e6)),
    "silu": lambda a: a / (1 + mp.exp(-a)),
    "sign": lambda a: mp.mpf(1 if a > 0 else -1),
    "maximum": lambda a, b: (a + b + abs(a - b)) / 2,
    "minimum": lambda a, b: (a + b - abs(a - b)) / 2,
    "sum": lambda xs: mp.fsum(xs),
    "dot": lambda ws, xs: mp.fdot(ws, xs),
    "logsumexp": lambda xs: mp.ln(mp.fsum(mp.exp(x) for x in xs)),
}


DIGITS = 50
WELL = 2.0  # the largest condition number of what is well-conditioned: relative change of it by that of its operands
EPSILON = mp.mpf(2) ** -52
SUBNORMAL = 1e-290  # nearer to 0, what a number is computed from has lost digits, or is 0
SMALLEST = 4e-321

EDGES = [0.0, 5e-324, 1e-300, 1e-160, 1e-17, 1e-8, 0.5, 1.0, 1.0 + 2**-52, 2.0, 3.0, 20.0, 36.0, 40.0, 350.0, 709.0]
EDGES += [745.0, 1e5, 1e16, 1e154, 1e300, sys.float_info.max]


def points(rule, n, largest=20):
    """`n` points of the domain of a rule: the edges, then numbers of every size, half of them near one."""
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


class Names(dict):
    """The operands, then what the text of a row may use: other rows, and what mpmath has."""

    def __missing__(self, name):
        return meaning(name)


CUSTOM_RULES = {"abs": abs, "max": max, "mpf": mp.mpf, "float": mp.mpf}
CUSTOM_RULES |= {"erfc": DEFINITIONS["erfc"], "pow": DEFINITIONS["**"]}


@cache
def meaning(name):
    if name in CUSTOM_RULES or hasattr(mp, name):
        return CUSTOM_RULES.get(name) or getattr(mp, name)
    return lambda *operands: in_maths(RULES[name], RULES[name].value, operands)


@cache
def compiled(text):
    exact = re.sub(r"(?<!\w)\d+(\.\d+)?", r"mpf('\g<0>')", text)
    return compile(exact, text, "eval")


def in_maths(rule, text, operands):
    """The text of a row at exact operands, at the precision of mpmath."""
    names = Names(zip("ab", map(mp.mpf, operands), strict=False))
    if text != rule.value and "out" in text:
        names["out"] = in_maths(rule, rule.value, operands)
    return mp.mpf(eval(compiled(text), {"__builtins__": {}}, names))


def apply(rule, operands):
    """The operation as its user writes it."""
    return (OPERATORS.get(rule.symbol) or getattr(engine, rule.symbol))(*operands)


@dataclass
class Error:
    """The largest error of a number, and where.

    Attributes:
        ulps: where the number is well-conditioned.
        ill: where it is not, in units of the change by an ulp more in every operand.
        compared: at how many points.
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
                nearby = nearby[:1]  # the exponent of a negative number is whole, and exact
            change = sum(abs(exact(x) - want) for x in nearby)
            if change > WELL * abs(want) * EPSILON or abs(want) < SUBNORMAL:
                self.ill = max(self.ill, float(abs(got - want) / (change + SMALLEST)))
                return
        if error > self.ulps:
            self.ulps, self.at = error, operands


@dataclass
class Accuracy:
    """What was found of a row."""

    value: Error = field(default_factory=Error)
    first: Error = field(default_factory=Error)
    second: Error = field(default_factory=Error)
    refused: int = 0  # points at which a derivative is an error: it has no value, or overflows on the way


def measure(rule, n):
    """The errors of a row at `n` points, the edges first."""
    found, smooth = Accuracy(), rule.symbol not in KINKED
    with mp.workdps(DIGITS):
        for operands in points(rule, n):
            try:
                value = apply(rule, [Value(x) for x in operands]).data
            except OverflowError:
                assert abs(in_maths(rule, rule.value, operands)) >= sys.float_info.max, operands
                continue
            found.value.add(value, lambda x: in_maths(rule, rule.value, x), operands, smooth=smooth)
            for i, text in enumerate(rule.partials):
                _measure_partial(rule, i, text, operands, found, smooth=smooth)
    return found


def _measure_partial(rule, i, text, operands, found, *, smooth):
    def exact(x):
        return in_maths(rule, text, x)

    def with_leaf(j):
        leaf = Value(operands[j])
        return leaf, [*operands[:j], leaf, *operands[j + 1 :]]

    leaf, given = with_leaf(i)
    node = apply(rule, given)
    try:
        node.backward()
    except ArithmeticError:
        try:
            want = abs(exact(operands))
        except (TypeError, ValueError, ZeroDivisionError):
            want = mp.inf  # no derivative here: that of (-2)**b by b, of sqrt at 0
        # a**(b - 1) may overflow where b times it does not: an error, never a wrong number
        least = min(abs(operands[1]), 1.0) if rule.symbol == "**" else 1.0
        assert want >= least * sys.float_info.max, operands
        found.refused += 1
        return
    found.first.add(leaf.grad, exact, operands, smooth=smooth)
    if not smooth and len({0.0, *operands}) < 1 + len(operands):
        return  # at a kink
    for j in range(rule.arity):
        leaf, given = with_leaf(j)
        try:
            partial = rule.partial_functions[i](*given, apply(rule, given))
            if isinstance(partial, Value):
                partial.backward()
        except ArithmeticError:
            found.refused += 1
            continue

        def slope(x, j=j):
            # As many digits as it takes to tell apart what is one step apart, next to 1 or e**-700.
            size = float(min(abs(x[j]), 1e300)) or 1e-35
            with mp.workdps(int(4 * DIGITS + 3 * abs(math.log10(size)) + min(size * size, 800))):
                step = mp.mpf(min(size, 1.0)) / 10 ** (DIGITS // 2)
                ends = [exact((*x[:j], mp.mpf(x[j]) + h, *x[j + 1 :])) for h in (-step, step)]
                return (ends[1] - ends[0]) / (2 * step)

        try:
            found.second.add(leaf.grad, slope, operands, smooth=smooth)
        except (TypeError, ValueError, ZeroDivisionError):
            assert rule.symbol == "**", operands  # a power of a negative number or of 0, whose exponent moves


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=10_000, help="how many points a row (10,000)")
    parser.add_argument("rows", nargs="*", help="the symbols of the rows to measure (all)")
    options = parser.parse_args()
    rules = [rule for rule in ROWS if rule.symbol in options.rows or not options.rows]
    table = Table(title="The largest errors in ulp, and where", title_justify="left", box=None)
    for column in ("row", "value", "at", "1st", "at", "2nd", "at"):
        table.add_column(column, justify="left" if column in ("row", "at") else "right", no_wrap=True)
    for rule in track(rules, "measuring", transient=True):
        found = measure(rule, options.points)
        row = [rule.symbol]
        for error in (found.value, found.first, found.second):
            row += [
                f"{error.ulps:.1f}" if error.ulps < 1000 else f"{error.ulps:.0e}",
                ", ".join(f"{x:.2g}" for x in error.at),
            ]
        table.add_row(*row)
    Console(width=80).print(table)
    print(
        f"Values, derivatives and second derivatives against mpmath at {DIGITS} digits: {options.points:,}\n"
        f"points a row, the edges of floats among them; errors where the condition number\nis {WELL:g} or less."
    )


if __name__ == "__main__":
    main()
