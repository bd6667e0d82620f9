"""The lesson of the perceptron: its mistakes, its bound, regression."""

import re
from fractions import Fraction

import numpy as np
import pytest
from sklearn.svm import SVC

from demos import perceptron
from demos._data import AND, OR, XOR
from tests.demos.helpers import run_once


def mistakes(data):
    """The mistakes of the perceptron from the weights 0, in exact arithmetic, as (x, r, weights after it)."""
    w, found, wrong = [Fraction(0)] * 3, [], True
    while wrong:
        wrong = False
        for x, r in data:
            inputs = [1, *map(int, x)]
            if (1 if sum(a * b for a, b in zip(w, inputs, strict=True)) > 0 else -1) != r:
                wrong = True
                w = [a + Fraction(1, 5) * r * b for a, b in zip(w, inputs, strict=True)]  # 2 eta = 1/5
                found.append((x, r, w))
    return found


def test_perceptron():
    text, _ = run_once("perceptron")
    assert re.findall(r"Right: (\d of 4)", text)[:2] == ["4 of 4", "4 of 4"]
    before, after = text.split("XOR with a hidden layer")
    assert before.count("wrong") > 0
    assert "wrong" not in after
    slope = float(re.search(r"learned: +y = \S+ \+ (\S+) x1", text)[1])
    assert slope == pytest.approx(float(re.search(r"squares: +y = \S+ \+ (\S+) x1", text)[1]), abs=0.05)


def test_the_table_shows_the_three_cases_and_the_weights_after_each():
    text, _ = run_once("perceptron")
    row = r"^ +\d+ +([01]) +([01]) +(-?1) +(-?1)  (right|too low|too high): .*? (\S+) +(\S+) +(\S+)$"
    rows = re.findall(row, text, re.MULTILINE)
    assert {case for *_, case, _, _, _ in rows} == {"right", "too low", "too high"}
    weights = [0.0, 0.0, 0.0]
    for x1, x2, r, y, case, *after in rows:
        change = np.array(after, float) - weights
        assert case == {0: "right", 2: "too low", -2: "too high"}[int(r) - int(y)]
        assert change == pytest.approx(0.1 * (int(r) - int(y)) * np.array([1, int(x1), int(x2)]), abs=1e-12)
        weights = np.array(after, float)
    wrong = [row for row in rows if row[4] != "right"]
    assert len(wrong) == len(mistakes(AND)) == 10
    assert [float(w) for w in mistakes(AND)[-1][2]] == pytest.approx(weights)


@pytest.mark.parametrize(("name", "data", "bound"), [("AND", AND, 51), ("OR", OR, 27)])
def test_the_bound_is_that_of_the_largest_margin(name, data, bound):
    # A support vector machine on the inputs (1, x) and their negatives, which need no bias weight of its own
    x = np.array([[1.0, *x] for x, _ in data]) * np.array([[r] for _, r in data])
    machine = SVC(kernel="linear", C=1e10).fit(np.vstack([x, -x]), [1] * 4 + [-1] * 4)
    w = machine.coef_[0]
    assert 3 / ((x @ w).min() / np.linalg.norm(w)) ** 2 == pytest.approx(bound, rel=1e-3)
    assert w / np.linalg.norm(w) == pytest.approx(
        np.array(perceptron.SEPARATORS[name]) / np.linalg.norm(perceptron.SEPARATORS[name]), abs=1e-3
    )
    text, _ = run_once("perceptron")
    assert f"{len(mistakes(data))} mistakes; Novikoff (1962) allows at most (R / gamma)^2 = {bound}" in text


def test_the_strip_has_a_panel_for_each_mistake():
    _, pictures = run_once("perceptron")
    strip = pictures["perceptron_mistakes.png"]
    panels = [ax for ax in strip.axes if ax.get_visible()]
    assert len(panels) == len(mistakes(AND))
    for ax, (x, r, w) in zip(panels, mistakes(AND), strict=True):
        assert ax.get_title().endswith("too low" if r > 0 else "too high")
        assert ax.lines[-1].get_xydata().tolist() == [x], "a ring around the example"
        lines = [c.get_paths()[0].vertices for c in ax.collections if len(getattr(c, "levels", [])) == 1]
        points = np.vstack([np.empty((0, 2)), *lines])
        assert points @ np.array(w[1:], float) + float(w[0]) == pytest.approx(np.zeros(len(points)), abs=1e-9)
    assert pictures["perceptron.gif"].epochs == 10


def test_a_perceptron_never_learns_xor():
    neuron = perceptron.nn.Perceptron(2, "sign", init=[0.0, 0.0, 0.0])
    seen = list(perceptron.learn(neuron, XOR, 0.1, 50))
    assert seen[-1].epoch == 50
    assert set(range(1, 51)) == {step.epoch for step in seen if step.r != step.y}


def test_the_picture_of_the_mistakes_shows_every_line():
    (low, high), _ = perceptron.AREA
    for _, _, (w0, w1, w2) in mistakes(AND):
        corners = [w0 + w1 * x1 + w2 * x2 for x1 in (low, high) for x2 in (low, high)]
        assert min(corners) < 0 < max(corners)
