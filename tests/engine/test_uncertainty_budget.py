"""The uncertainty of an output against closed forms, 50 digits and simulation."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath import mp

import engine
from engine import Value, topological_order, uncertainty
from tests.engine.test_random_graphs import close, derivative, leaves, order, programs, record

SIGMAS = st.lists(st.floats(0, 2).map(lambda x: round(x, 3)), min_size=4, max_size=4)


def pendulum(length, period):
    return 4 * math.pi**2 * length / period**2


def test_the_closed_form_of_a_product_of_powers():
    """Of x**a * y**b the relative variances add up, times a**2 and b**2."""
    length, period = Value(1.0, "length"), Value(2.006, "period")
    g = pendulum(length, period)
    budget = uncertainty(g, {length: 0.002, period: 0.01})
    relative = [1 * 0.002 / 1.0, -2 * 0.01 / 2.006]
    assert budget.sigma == pytest.approx(g.data * math.hypot(*relative), rel=1e-14)
    assert [x.share for x in budget.shares] == pytest.approx([r**2 / math.hypot(*relative) ** 2 for r in relative])
    assert [x.contribution for x in budget.shares] == pytest.approx([g.data * r for r in relative])
    assert [x.derivative for x in budget.shares] == pytest.approx(engine.grad(g, [length, period]))
    assert [(x.x, x.sigma) for x in budget.shares] == [(length, 0.002), (period, 0.01)]


@pytest.mark.parametrize("examples", [100, pytest.param(1000, marks=pytest.mark.exhaustive)])
def test_random_graphs_at_50_digits(examples, tried):
    @settings(max_examples=examples)
    @given(leaves, programs, SIGMAS)
    def check(at, program, sigmas):
        start, root, done = record(at, program)
        assume(all(abs(node.data) > 1e-40 for node in topological_order(root) if node.data))
        used = [i for i, x in enumerate(start) if x in topological_order(root)]
        exact = [derivative(at, done, *order(len(at), i)) for i in used]
        assume(used)
        assume(max(map(abs, exact)) < 1e4)
        budget = uncertainty(root, {start[i]: sigmas[i] for i in used})
        parts = [slope * sigmas[i] for slope, i in zip(exact, used, strict=True)]
        with mp.workdps(50):
            assert close(budget.sigma, mp.sqrt(mp.fsum(x**2 for x in parts)))
        for share, part in zip(budget.shares, parts, strict=True):
            assert close(share.contribution, part)
        assert math.fsum(share.share for share in budget.shares) == pytest.approx(1.0 if budget.sigma else 0.0)
        tried["uncertainties of random graphs against 50 digits"] += 1

    check()


def test_simulation_gives_the_same_uncertainty_and_shares():
    rng = np.random.default_rng(0)
    means, sigmas = [1.2, 0.7, 3.0], [0.01, 0.02, 0.05]

    def f(m, a, b, c):
        return m.exp(a * b) / c + m.sin(b * c)

    inputs = [Value(x) for x in means]
    budget = uncertainty(f(engine, *inputs), dict(zip(inputs, sigmas, strict=True)))
    draws = rng.normal(means, sigmas, (400_000, 3))
    assert budget.sigma == pytest.approx(np.std(f(np, *draws.T)), rel=0.01)
    for i, share in enumerate(budget.shares):
        one = np.tile(means, (400_000, 1))
        one[:, i] = draws[:, i]
        assert abs(share.contribution) == pytest.approx(np.std(f(np, *one.T)), rel=0.01)
        assert share.share == pytest.approx(np.var(f(np, *one.T)) / np.var(f(np, *draws.T)), abs=0.01)


@pytest.mark.parametrize("at", [(0.1, 0.3), (1e10 / 3, 1e-5), (3.7, 3.6999999)])
def test_the_rounding_of_an_input_at_50_digits(at):
    a, b = Value(at[0]), Value(at[1])
    budget = uncertainty((a - b) / (a * b), {a: 0.0, b: 0.0})
    with mp.workdps(50):

        def f(a, b):
            return (a - b) / (a * b)

        x, y = map(mp.mpf, at)
        half = [mp.mpf(math.ulp(z)) / 2 for z in at]
        moved = [abs(f(x + half[0], y) - f(x, y)), abs(f(x, y + half[1]) - f(x, y))]
        assert [share.rounding for share in budget.shares] == pytest.approx([*map(float, moved)], rel=1e-6)
        # Decimals within half a unit of these floats move the output by no more.
        for dx in (-1, 0.3, 1):
            for dy in (-1, 0.7, 1):
                assert abs(f(x + dx * half[0], y + dy * half[1]) - f(x, y)) <= budget.rounding * (1 + 1e-6)


def test_reads_as_a_table():
    length, period = Value(1.0, "length"), Value(2.006, "T")
    g = pendulum(length, period)
    g.label = "g"
    lines = str(uncertainty(g, {length: 0.0002, period: 0.01})).splitlines()
    assert lines[0] == "g = 9.811 ± 0.098"
    assert [line.split()[0] for line in lines[1:]] == ["T", "length", "rounding"], "the largest share comes first"
    assert lines[1].startswith("  T      100.0%: dg/dT * sigma = -9.78131 * 0.01 = -0.0978131")
    assert repr(uncertainty(g, {period: 0.01})).startswith("g = 9.811 ± 0.098")


@pytest.mark.parametrize(
    ("value", "sigma", "text"),
    [
        (2.0, 0.5, "y = 2.00 ± 0.50"),
        (-1234.5678, 12.0, "y = -1235 ± 12"),
        (3.0, 0.0996, "y = 3.00 ± 0.10"),
        (1e-30, 2e-32, "y = (1.000 ± 0.020)e-30"),
        (0.0, 3e8, "y = (0.0 ± 3.0)e8"),
        (123456.0, 0.001, "y = 123456.0000 ± 0.0010"),
        (1e-300, 1.0, "y = 0.0 ± 1.0"),
        (1.0, 1e-300, "y = 1.0 ± 1e-300"),
    ],
)
def test_digits(value, sigma, text):
    x = Value(value, "x")
    y = x * 1.0 + 0.0 * x
    y.label = "y"
    assert str(uncertainty(y, {x: sigma})).splitlines()[0] == text


def test_inputs_that_do_not_matter():
    x = Value(2.0, "x")
    budget = uncertainty(x * 0.0, {x: 0.1})
    assert (budget.sigma, budget.shares[0].share) == (0.0, 0.0)
    assert x.grad == 0.0


def test_wrong_arguments():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    z = x * x
    for call, error, message in (
        (lambda: uncertainty(z, [x]), TypeError, "sigmas must be a dict"),
        (lambda: uncertainty(z, {}), ValueError, "one input or more"),
        (lambda: uncertainty(z, {"x": 0.1}), TypeError, "input 0 must be a Value"),
        (lambda: uncertainty(z, {x: -0.1}), ValueError, "sigma of x must be at least 0, got -0.1"),
        (lambda: uncertainty(z, {x: "a"}), TypeError, "sigma of x must be a real number"),
        (lambda: uncertainty(z, {y: 0.1}), ValueError, "input 0 must be in the graph of the output"),
        (lambda: uncertainty(z + y, {z: 0.1}), ValueError, "input 0 must be a leaf"),
        (lambda: uncertainty(z.detach(), {x: 0.1}), RuntimeError, "constant"),
        (lambda: uncertainty(x * 1e200, {x: 1e200}), OverflowError, "overflows"),
    ):
        with pytest.raises(error, match=message):
            call()
