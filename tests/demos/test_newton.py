"""The lessons on second derivatives: Newton's method, and derivatives of derivatives."""

import math
import re

import pytest
from mpmath import mp

from demos import derivatives, newton


def table(text, heading):
    """Return the rows of numbers below a heading."""
    lines = text[text.index(heading) :].splitlines()[4:]
    rows = []
    for line in lines:
        if not re.fullmatch(r"[-+.e\d ]+", line):
            break
        rows.append([float(number) for number in line.split()])
    return rows


def test_newton_ends_at_the_minimum_of_rosenbrocks_function(lesson):
    text = lesson("newton")
    slow, quick = table(text, "Gradient descent on"), table(text, "Newton's method,")
    assert quick[-1][:4] == pytest.approx([6, 1, 1, 0], abs=1e-9)
    assert quick[2][3] == pytest.approx(1411.85, rel=1e-5)  # as in every textbook: up before it goes down
    assert [row[4] for row in quick] == pytest.approx(
        [math.hypot(*newton.exact_derivatives(*row[1:3])[:2]) for row in quick], rel=0.02, abs=0.02
    )
    assert slow[-1][0] == 1000
    assert slow[-1][3] > 0.1
    assert "at a minimum" in text
    assert "All 35 derivatives by hand match" in text


def test_the_derivatives_by_hand():
    def f(w1, w2):
        return (1 - w1) ** 2 + 100 * (w2 - w1**2) ** 2

    for point in ((-1.2, 1.0), (0.3, -0.7)):
        exact = [mp.diff(f, point, n) for n in ((1, 0), (0, 1), (2, 0), (1, 1), (0, 2))]
        assert newton.exact_derivatives(*point) == pytest.approx(list(map(float, exact)), rel=1e-8)


def test_newton_takes_one_step_on_a_quadratic_and_may_find_a_saddle(lesson):
    assert "Converged at step 1, at a minimum" in lesson("newton", "w1**2 + 10*w2**2 + w1*w2", "--start", "3", "-2")
    assert "Converged at step 1, at a saddle" in lesson("newton", "w1*w2", "--start", "3", "-2", "--steps", "5")
    assert "Converged at step 1, at a maximum" in lesson(
        "newton", "-w1**2 - w2**2", "--start", "3", "-2", "--steps", "5"
    )


def test_the_derivatives_of_the_sine(lesson):
    text = lesson("derivatives")
    graphs = re.findall(r"^y'* +\d+  (.*)$", text, re.M)
    assert graphs == ["sin(x)", "cos(x)", "-sin(x)", "-cos(x)", "sin(x)"]
    assert "All 1,205 derivatives match" in text
    (row,) = re.findall(r"^  1\.0472 (.*)$", text, re.M)
    assert [float(x) for x in row.split()] == pytest.approx(
        [f(math.pi / 3) for f in (math.sin, math.cos, lambda x: -math.sin(x), lambda x: -math.cos(x), math.sin)],
        rel=1e-5,
    )


def test_the_derivatives_of_another_curve(lesson):
    text = lesson("derivatives", "x**3 - relu(x)**2", "--range", "-1", "1")
    ends = {x: [float(n) for n in row.split()] for x, row in re.findall(r"^ *(-?1\.0000) (.*)$", text, re.M)}
    assert ends["-1.0000"] == [-1, 3, -6, 6, 0]
    assert ends["1.0000"] == [0, 1, 4, 6, 0]  # beyond the kink


def test_a_wrong_derivative_is_detected(lesson, monkeypatch):
    monkeypatch.setattr(derivatives, "EXACT", [math.sin, math.cos, math.sin, math.cos, math.sin])
    with pytest.raises(SystemExit, match="derivatives must match sin"):
        lesson("derivatives")
    monkeypatch.setattr(newton, "exact_derivatives", lambda w1, w2: [0.0] * 5)
    with pytest.raises(SystemExit, match="derivatives by hand must match"):
        lesson("newton")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["newton", "w1**2 + w2"], "the Hessian has no inverse"),
        (["newton", "--eta", "1"], "Try an --eta smaller than 1"),
        (["newton", "w1**2"], "w2 has a value but does not occur"),
        (["derivatives", "log(x)"], r"log\(x\) has no value"),
        (["derivatives", "y + 1"], "y has no value"),
    ],
)
def test_mistakes_of_the_user(arguments, message, lesson):
    with pytest.raises(SystemExit, match=message):
        lesson(*arguments)
