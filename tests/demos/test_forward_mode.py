"""The lessons on forward mode and on uncertainty."""

import math
import random
import re

import pytest
from mpmath import mp

from demos import forward_mode, uncertainty
from demos.forward_mode import Dual, multiplications, network


def test_the_tangents_of_the_lesson(lesson):
    text = lesson("forward_mode")
    slope = -3 + math.cos(2.0)
    assert f"y1 = p + sin(x1) receives dy1/dx1 = {slope:.6g}\n" in text
    assert "All 8 numbers match ForwardMode" in text
    assert "All 4 entries by columns match those by rows" in text
    assert "All 4 entries of hvp match" in text


def test_dual_numbers_have_the_derivative_of_50_digits():
    at = 1.3
    x = Dual(at, 1.0)
    y = (x * x + x.sin()) * x.sin()
    with mp.workdps(50):
        assert y.tangent == pytest.approx(float(mp.diff(lambda x: (x * x + mp.sin(x)) * mp.sin(x), at)), rel=1e-14)


@pytest.mark.parametrize(("n", "m"), [(1, 5), (3, 4), (6, 2)])
def test_multiplications_are_one_per_edge_and_pass(n, m):
    """In a network of sizes n, h, m with one tanh per neuron."""
    h = forward_mode.HIDDEN
    x, y = network(n, m, random.Random(0))
    forward, backward = multiplications(x, y)
    assert forward == n * (h + h + h * m + m)
    assert backward == m * (1 + h + h + h * n)


def test_the_uncertainties_of_the_lesson(lesson):
    text = lesson("uncertainty")
    parts = []
    for name, (_, sigma) in uncertainty.MEASURED.items():
        means = {key: mp.mpf(mean) for key, (mean, _) in uncertainty.MEASURED.items()}
        slope = mp.diff(lambda z, name=name, means=means: uncertainty.gravity(mp, **(means | {name: z})), means[name])
        parts.append(float(slope) * sigma)
    total = math.hypot(*parts)
    assert f"g = 9.810 ± {total:.3f}\n" in text
    for name, part in zip(uncertainty.MEASURED, parts, strict=True):
        assert re.search(rf"{name} +{(part / total) ** 2:.1%}: dg/d{name} \* sigma", text)
    assert "All 4 spreads (relative) match uncertainty()" in text
    assert "y = 0.010 ± 0.060" in text


def test_a_wrong_uncertainty_is_detected(lesson, monkeypatch):
    monkeypatch.setitem(uncertainty.MEASURED, "time", (20.06, 5.0))
    with pytest.raises(SystemExit, match=r"spreads .* must match"):
        lesson("uncertainty")
