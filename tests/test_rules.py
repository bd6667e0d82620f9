"""The whole table against mpmath at 50 digits. A row added to the table is tested by what is here."""

import doctest
import math
import operator
import random
import re
import sys
from functools import cache

import pytest
from mpmath import mp

import engine
from engine import RULES, Value

ROWS = [rule for rule in RULES.values() if not rule.fold]
FOLDS = [rule for rule in RULES.values() if rule.fold]
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
    "log1p": lambda a: mp.ln(1 + a),
    "sqrt": lambda a: mp.root(a, 2),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": lambda a: mp.sin(a) / mp.cos(a),
    "erfc": lambda a: mp.erfc(within(a, 1e6)),
    "tanh": lambda a: 1 - 2 / (mp.exp(2 * a) + 1),
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "softplus": lambda a: mp.ln(1 + mp.exp(a)),
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


@pytest.fixture(autouse=True)
def _fifty_digits():
    with mp.workdps(50):
        yield


# What the text of a row may use, at the precision of mpmath.
MATHS = {
    name: getattr(mp, name)
    for name in ["exp", "log", "log1p", "expm1", "sqrt", "sin", "cos", "tan", "tanh", "erfc", "pi"]
}
MATHS |= {
    "mpf": mp.mpf,
    "erfc": DEFINITIONS["erfc"],
    "pow": DEFINITIONS["**"],
    "sigmoid": DEFINITIONS["sigmoid"],
    "float": lambda x: x != 0,
}

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


@cache
def compiled(text):
    exact = re.sub(r"(?<!\w)\d+(\.\d+)?", r"mpf('\g<0>')", text)
    return compile(exact, text, "eval")


def in_maths(rule, text, operands):
    """The text of a row at exact operands, at the precision of mpmath."""
    names = dict(zip("ab", map(mp.mpf, operands), strict=False))
    if text != rule.value:
        names["out"] = in_maths(rule, rule.value, operands)
    return mp.mpf(eval(compiled(text), MATHS, names))


def assert_close(got, function, operands, steps):
    """`got` is function(*operands) to 4 ulp and to what a step in each operand would change, if there are steps."""
    want = function(*operands)
    error = abs(mp.mpf(got) - want)
    if error <= 4 * math.ulp(got):
        return
    assert steps, f"{got} is not {mp.nstr(want, 20)} at {operands}"
    wobble = [
        abs(function(*operands[:i], operands[i] + mp.mpf(step), *operands[i + 1 :]) - want)
        for i, step in enumerate(steps)
    ]
    smallest = 4e-321  # below it floats lose digits
    assert error <= 4 * math.ulp(got) + sum(wobble) + smallest, f"{got} is not {mp.nstr(want, 20)} at {operands}"


def rounding(rule, operands):
    """The steps that rounding may make of the operands of a smooth rule: 4 ulp of each."""
    if rule.symbol in KINKED:
        return []
    steps = [4 * math.ulp(x) for x in operands]
    if rule.symbol == "**":  # of b - 1 too; but of a negative number the exponent is whole, and exact
        steps[1] = max(steps[1], 4 * math.ulp(1.0)) if operands[0] > 0 else 0.0
    return steps


def apply(rule, operands):
    """The operation as its user writes it."""
    return (OPERATORS.get(rule.symbol) or getattr(engine, rule.symbol))(*operands)


def too_large(exact):
    return exact is None or abs(exact) >= sys.float_info.max


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.symbol)
def test_values_and_partials_at_fifty_digits(rule):
    compared = 0
    for operands in points(rule, 2000):
        try:
            value = apply(rule, [Value(x) for x in operands]).data
        except OverflowError:
            assert too_large(in_maths(rule, rule.value, operands))
            continue
        assert_close(value, lambda *x: in_maths(rule, rule.value, x), operands, rounding(rule, operands))
        for i, text in enumerate(rule.partials):
            leaf = Value(operands[i])
            node = apply(rule, [*operands[:i], leaf, *operands[i + 1 :]])
            try:
                exact = in_maths(rule, text, operands)
            except (TypeError, ZeroDivisionError, ValueError):
                exact = None  # no derivative here: that of (-2)**b by b, of sqrt at 0
            try:
                node.backward()
            except ArithmeticError:
                # a**(b - 1) may overflow where b times it does not: an error, never a wrong number
                assert too_large(exact) or (rule.symbol == "**" and too_large(exact / operands[1])), operands
                continue
            compared += 1
            assert_close(leaf.grad, lambda *x: in_maths(rule, text, x), operands, rounding(rule, operands))  # noqa: B023
    assert compared > 1000


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.symbol)
def test_the_value_is_the_operation(rule):
    if rule.symbol not in DEFINITIONS:
        pytest.skip("a row that was added: only its derivatives are checked")
    with mp.workdps(800):
        for operands in points(rule, 300):
            want = DEFINITIONS[rule.symbol](*map(mp.mpf, operands))
            got = in_maths(rule, rule.value, operands)
            assert abs(got - want) <= mp.mpf(10) ** -400 * (1 + abs(want)), operands


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.symbol)
def test_partials_are_derivatives_of_the_value(rule):
    """The partials, as computed and as read, against numerical differentiation of the value."""
    for operands in points(rule, 100, largest=1):
        for i, (text, read) in enumerate(zip(rule.partials, rule.partials_read, strict=True)):
            if i == 1 and operands[0] < 0 and rule.symbol == "**":
                continue
            slope = mp.diff(lambda x: in_maths(rule, rule.value, (*operands[:i], x, *operands[i + 1 :])), operands[i])  # noqa: B023
            assert mp.almosteq(in_maths(rule, text, operands), slope, 1e-15, 1e-15), operands
            assert mp.almosteq(in_maths(rule, read, operands), slope, 1e-15, 1e-15), operands


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.symbol)
def test_partials_of_values_are_values(rule):
    """A partial serves Values too: differentiated again it gives the second derivative."""
    for operands in points(rule, 100, largest=1):
        for i, text in enumerate(rule.partials):
            if i == 1 and operands[0] <= 0 and rule.symbol == "**":
                continue
            leaf = Value(operands[i])
            before, after = operands[:i], operands[i + 1 :]
            partial = rule.partial_functions[i](*before, leaf, *after, apply(rule, [*before, leaf, *after]))
            second = 0.0
            if isinstance(partial, Value):
                partial.backward()
                second = leaf.grad
            want = mp.diff(lambda x: in_maths(rule, text, (*before, x, *after)), operands[i])  # noqa: B023
            assert mp.almosteq(second, want, 1e-13, 1e-13), operands


@pytest.mark.parametrize("rule", FOLDS, ids=lambda rule: rule.symbol)
def test_folds(rule):
    rng = random.Random(rule.symbol)
    for size in [1, 2, 3, 10, 100] * 20:
        scale = rng.choice([1e-3, 1.0, 30.0, 1e3])
        lists = [[rng.uniform(-scale, scale) for _ in range(size)] for _ in range(rule.arity)]
        leaves = [[Value(x) for x in xs] for xs in lists]
        node = getattr(engine, rule.symbol)(*leaves)
        node.backward()
        exact = DEFINITIONS[rule.symbol](*lists)
        terms = [abs(math.prod(row)) for row in zip(*lists, strict=True)]
        assert abs(node.data - exact) <= 2.0**-52 * size * max(math.fsum(terms), abs(node.data))
        assert len(node.parents) == size * rule.arity
        j = rng.randrange(size)
        for i in range(rule.arity):

            def of_one(x, i=i, j=j):
                changed = [list(map(mp.mpf, xs)) for xs in lists]  # noqa: B023
                changed[i][j] = x
                return DEFINITIONS[rule.symbol](*changed)

            assert mp.almosteq(leaves[i][j].grad, mp.diff(of_one, lists[i][j]), 1e-11, 1e-15)


def test_softmax_and_logsumexp_are_stable():
    logits = [Value(x) for x in (1000.0, 999.0, -1000.0)]
    y = engine.softmax(logits)
    y[0].backward()
    p = 1 / (1 + mp.exp(-1))
    assert [v.data for v in y] == pytest.approx([float(p), float(1 - p), 0.0], rel=1e-12)
    assert [v.grad for v in logits] == pytest.approx([float(p * (1 - p)), -float(p * (1 - p)), 0.0], rel=1e-12)
    assert engine.logsumexp([-1e300, -1e300]).data == -1e300
    assert engine.softmax([]) == []


def test_at_the_kinks():
    """The slopes chosen where there is none: those of PyTorch."""
    for name, slope in {"relu": 0.0, "leaky_relu": 0.01, "elu": 1.0, "sign": 0.0, "__abs__": 0.0}.items():
        x = Value(0.0)
        getattr(x, name)().backward()
        assert x.grad == slope, name
    for function in (engine.maximum, engine.minimum):
        x, y = Value(3.0), Value(3.0)
        function(x, y).backward()
        assert (x.grad, y.grad) == (0.5, 0.5)
    assert Value(0.0).sign().data == -1.0  # lecture P7: 1 if a > 0, else -1


def test_zero_to_the_power():
    x, n = Value(0.0), Value(2.0)
    (x**n).backward()
    assert (x.grad, n.grad) == (0.0, 0.0)
    x = Value(0.0)
    (x**0).backward()
    assert x.grad == 0.0
    assert (Value(0.0) ** 0).data == 1.0


def test_every_row_is_a_method_and_a_function_or_an_operator():
    for rule in ROWS:
        if rule.symbol in OPERATORS:
            continue
        operands = [Value(0.5)] * rule.arity
        by_method = getattr(operands[0], rule.symbol)(*operands[1:])
        by_function = getattr(engine, rule.symbol)(*operands)
        assert by_method.op == by_function.op == rule.symbol
        assert by_method.data == by_function.data
        assert rule.about in getattr(engine, rule.symbol).__doc__


@pytest.mark.parametrize("name", engine.operations.FUNCTIONS)
def test_the_documentation_of_a_function_has_an_example_that_runs(name):
    function = getattr(engine, name)
    test = doctest.DocTestParser().get_doctest(function.__doc__, {name: function}, name, None, None)
    assert doctest.DocTestRunner().run(test) == doctest.TestResults(failed=0, attempted=1)
