"""The lesson of the activations: thresholds, the gallery, a posterior."""

import re

import numpy as np
import pytest
from mpmath import mp

from demos import activations
from engine import RULES, functions
from tests.demos.helpers import run_once

MATHEMATICS = {"neg", "exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "erfc", "abs"}
EXACT = {
    "linear": lambda a: a,
    "sign": lambda a: 1 if a > 0 else -1,
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "tanh": mp.tanh,
    "softplus": lambda a: mp.log(1 + mp.exp(a)),
    "relu": lambda a: max(a, 0),
    "leaky_relu": lambda a: a if a > 0 else mp.mpf("0.01") * a,
    "elu": lambda a: a if a > 0 else mp.exp(a) - 1,
    "gelu": lambda a: a * mp.ncdf(a),
    "silu": lambda a: a / (1 + mp.exp(-a)),
}


def test_a_threshold_has_gradient_0_and_does_not_learn_but_a_sigmoid_does():
    text, _ = run_once("activations")
    sign, sigmoid = re.split(r"\nsigmoid:\n", text.partition("\nsign:\n")[2])
    assert "before training: 0 of 17" in sign
    assert "400 epochs: 0 of 17" in sign
    assert "no parameter learns: the derivative of sign is 0 everywhere" in sign
    assert "before training: 17 of 17" in sigmoid
    assert "400 epochs: 17 of 17" in sigmoid
    before, after = map(float, re.search(r"first epoch (\S+), of the last (\S+)", sigmoid).groups())
    assert after < 0.01 * before


def test_the_gallery_has_every_activation_of_the_table():
    built_in = set(functions.__all__) & RULES.keys()  # other tests add rules
    of_one_operand = {name for name in built_in if RULES[name].arity == 1 and not RULES[name].finalize}
    assert set(activations.ACTIVATIONS) - {"linear"} == of_one_operand - MATHEMATICS
    assert set(activations.ACTIVATIONS) == set(EXACT)


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
def test_values_and_slopes_against_mpmath(name):
    for a in (-3.7, -1.25, -0.1, 0.3, 2.2):
        value, slope = activations.value_and_slope(name, a)
        with mp.workdps(50):
            assert value == pytest.approx(float(EXACT[name](mp.mpf(a))), rel=1e-14)
            assert slope == pytest.approx(float(mp.diff(EXACT[name], mp.mpf(a))), rel=1e-13, abs=1e-15)


def test_the_threshold_is_drawn_as_a_step():
    _, pictures = run_once("activations")
    (ax,) = (ax for ax in pictures["activations.png"].axes if ax.get_title() == "sign")
    (curve,) = (line for line in ax.lines if line.get_label() == "f(a)")
    heights = curve.get_ydata()
    assert np.isnan(heights).sum() == 1, "a gap at the jump"
    assert set(heights[~np.isnan(heights)]) == {-1.0, 1.0}
    ends = [line.get_xydata().tolist()[0] for line in ax.lines if line.get_marker() == "o"]
    assert ends == [[0.0, -1.0], [0.0, 1.0]]


def test_the_posterior_is_that_of_bayes():
    text, _ = run_once("activations")
    bayes, neuron = (
        np.array(re.search(rf"{who} +(\S+) +(\S+) +(\S+)", text).groups(), float) for who in ("Bayes", "neuron")
    )
    assert bayes.tolist() == [0.0, 2.0, 1.0]
    assert neuron == pytest.approx(bayes, abs=0.2)
    assert "All 2,000 posteriors match the two densities" in text
    rows = np.array(re.findall(r"^ +(0\.\d+) +(\d+) +(0\.\d+)$", text, re.MULTILINE), float)
    assert rows[:, 1].sum() == 2000
    deviation = np.sqrt(rows[:, 0] * (1 - rows[:, 0]) / rows[:, 1])
    assert (abs(rows[:, 2] - rows[:, 0]) < 3 * deviation).all(), "within three standard deviations"


def test_frequencies_are_counted(capsys):
    neuron = activations.nn.Perceptron(1, "linear", init=[0.0, 1.0])
    data = [([-9.0], 0), ([-8.0], 1), ([9.0], 1), ([30.0], 1)]
    posteriors, shares = activations.frequencies(neuron, data)
    assert shares == [0.5, 1.0]
    assert posteriors == pytest.approx([0.000229, 0.99994], abs=1e-5)
