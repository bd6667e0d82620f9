"""The lesson of the symmetry: why the algorithm of P31 stalls on XOR."""

import re
from math import log

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from demos import symmetry
from tests.demos.helpers import run_once


def loss(parameters, n):
    """The mean loss in NumPy; the parameters are V, 2 by n + 1, then W, n by 3."""
    V, W = parameters[: 2 * (n + 1)].reshape(2, n + 1), parameters[2 * (n + 1) :].reshape(n, 3)
    total = 0.0
    for x, r in symmetry.DATA:
        z = 1 / (1 + np.exp(-W @ x))
        o = V @ np.array([1, *z])
        total -= (o @ np.array(r) - np.log(np.exp(o).sum())) / 4
    return total


def test_at_0_the_gradient_is_0_and_the_curvature_is_that_of_finite_differences():
    text, _ = run_once("symmetry")
    assert "L = 0.693147 = log 2, and the largest of 12 derivatives is 0." in text
    assert "eigenvalue 0.75 once, and 11 eigenvalues are 0" in text
    h, identity = 1e-4, np.eye(12)
    H = [[
        (loss(h * (a + b), 2) - loss(h * (a - b), 2) - loss(h * (b - a), 2) + loss(-h * (a + b), 2)) / (4 * h * h)
        for a in identity] for b in identity]  # fmt: skip
    assert np.linalg.eigvalsh(H) == pytest.approx([0.0] * 11 + [0.75], abs=1e-6)


def test_small_weights_leave_by_a_saddle_in_one_direction():
    text, _ = run_once("symmetry")
    rows = np.array(re.findall(r"^ +(\d+) +(\S+) +(\d)/4 +(\S+) +(\S+) +(\S+) +(\S+)$", text, re.MULTILINE), float)
    assert rows[0, 0] == 0
    assert rows[-1, 0] == 2000
    assert (rows[1:4, 4] < -0.005).all(), "a negative eigenvalue"
    assert (rows[1:, 6] > 0.99).all(), "the neurons are alike"
    assert rows[-1, 1] > symmetry.BEST_OF_ONE
    assert rows[-1, 1] == pytest.approx(symmetry.BEST_OF_ONE, abs=0.01)
    assert rows[-1, 2] == 3


def test_no_single_neuron_does_better():
    # The posterior of one neuron is monotone in w^T x: the best one is the isotonic regression
    x = np.array([x[1:] for x, _ in symmetry.DATA])
    r = np.array([r[1] for _, r in symmetry.DATA])
    best = 9.0
    for angle in np.linspace(0.001, 2 * np.pi, 500):
        p = IsotonicRegression(y_min=0, y_max=1).fit_transform(x @ [np.cos(angle), np.sin(angle)], r)
        best = min(best, -np.mean(np.log(np.where(r == 1, p, 1 - p))))
    assert best == pytest.approx(symmetry.BEST_OF_ONE)
    assert pytest.approx(log(27 / 4) / 4) == symmetry.BEST_OF_ONE


def test_larger_weights_solve_it():
    text, _ = run_once("symmetry")
    rows = re.findall(r"^(\S+) +([24]) +(\d)/5  (.*)$", text, re.MULTILINE)
    solved = {(scheme, int(hidden)): int(n) for scheme, hidden, n, _ in rows}
    assert solved["uniform_0.01", 2] == solved["uniform_0.01", 4] == 0
    assert solved["xavier", 2] + solved["xavier", 4] == 9
    for scheme, _, _, losses in rows:
        if scheme == "uniform_0.01":
            assert all(0.477 < float(loss) < 0.5 for loss in losses.split())


def test_the_states_are_those_of_the_algorithm_in_numpy():
    states = symmetry.run("xavier", 3, eta=0.5, epochs=2, seed=4)
    rng = symmetry.random.Random(4)
    W = np.array([symmetry.nn.SCHEMES["xavier"](rng, 2, 3) for _ in range(3)])
    V = np.array([symmetry.nn.SCHEMES["xavier"](rng, 3, 2) for _ in range(2)])
    data = list(symmetry.DATA)
    for _ in range(2):
        rng.shuffle(data)
        for x, r in data:
            z = 1 / (1 + np.exp(-W @ x))
            o = V @ [1, *z]
            error = np.array(r) - np.exp(o) / np.exp(o).sum()
            delta_W = 0.5 * np.outer((error @ V[:, 1:]) * z * (1 - z), x)
            V = V + 0.5 * np.outer(error, [1, *z])
            W = W + delta_W
    assert [state.epoch for state in states] == [0, 2]
    assert np.array(states[-1].V) == pytest.approx(V)
    assert np.array(states[-1].W) == pytest.approx(W)
