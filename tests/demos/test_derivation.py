"""The lesson of the derivations: each line of P26-P30, the misprint, the two losses."""

import re

import numpy as np
import pytest
from mpmath import mp

from demos import derivation
from tests.demos.helpers import run_once

V, W, X, R = (np.array(getattr(derivation, name)) for name in ("V", "W", "X", "R"))


def loss(v, w, exp=np.exp, log=np.log):
    total = 0
    for x, r in zip(X, R, strict=True):
        z = [1, *(1 / (1 + exp(-sum(a * b for a, b in zip(w_h, x, strict=True)))) for w_h in w)]
        o = [sum(a * b for a, b in zip(v_i, z, strict=True)) for v_i in v]
        total -= log(exp(o[list(r).index(1)]) / sum(map(exp, o)))
    return total


def numbers(text, first, last):
    """The numbers of the lines between two headings."""
    part = text[text.index(first) : text.index(last)]
    return [float(x) for x in re.findall(r"^ +(-?[\d.]+)  \S", part, re.MULTILINE)]


def test_every_line_is_the_derivative_at_50_digits():
    text, _ = run_once("derivation")
    with mp.workdps(50):
        v, w = V.tolist(), W.tolist()

        def along(matrix, i, j):
            def f(t):
                moved = [list(row) for row in matrix]
                moved[i][j] = t
                return loss(moved, w, mp.exp, mp.log) if matrix is v else loss(v, moved, mp.exp, mp.log)

            return float(-mp.diff(f, matrix[i][j]) / 10)  # eta = 0.1

        assert numbers(text, "The second layer", "The first layer") == pytest.approx([along(v, 1, 1)] * 6, rel=1e-5)
        assert numbers(text, "The first layer", "A misprint") == pytest.approx([along(w, 0, 2)] * 5, rel=1e-5)
    assert "All 45 numbers of 9 weights match the first line" in text
    assert "All 24 numbers of 6 weights match the first line" in text


def test_the_misprint_in_numpy():
    text, _ = run_once("derivation")
    printed = exact = 0.0
    for x, r in zip(X, R, strict=True):
        z = 1 / (1 + np.exp(-W @ x))
        o = V @ [1, *z]
        y = np.exp(o) / np.exp(o).sum()
        identity, v_1 = np.eye(3), V[:, 1]
        slope = z[0] * (1 - z[0]) * x[2]
        printed += 0.1 * (r @ (identity - y[:, None])) @ v_1 * slope
        exact += 0.1 * (r @ (identity - y[None, :])) @ v_1 * slope
    assert numbers(text, "A misprint", "The slide has a sum") == pytest.approx([printed, printed - exact], rel=1e-5)
    assert abs(printed - exact) > 1e-3


def test_the_sum_and_the_mean():
    text, _ = run_once("derivation")
    total, mean = map(float, re.search(r"L of P25 is (\S+); nn.cross_entropy is (\S+), 1/2 of it", text).groups())
    assert total == pytest.approx(loss(V, W), rel=1e-5)
    assert mean == pytest.approx(total / 2, rel=1e-5)


def test_both_losses_of_the_box_match():
    text, _ = run_once("derivation")
    assert "All 15 updates with y_i = v_i^T z match backward()" in text
    assert "All 15 updates with softmax match backward()" in text


@pytest.mark.parametrize("line", range(1, 6))
def test_a_wrong_line_is_detected(line, monkeypatch, tmp_path):
    right = derivation.lines_of_v

    def wrong(*arguments):
        lines = right(*arguments)
        name = list(lines)[line]
        return lines | {name: lines[name] + 1e-9}

    monkeypatch.setattr(derivation, "lines_of_v", wrong)
    with pytest.raises(SystemExit, match="must match the first line"):
        derivation.main(["--output", str(tmp_path)])
