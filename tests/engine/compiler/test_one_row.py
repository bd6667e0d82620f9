"""One row alone, which has kernels of its own, against the same row twice."""

import random

import numpy as np
import pytest

import engine
from engine import Value


@pytest.mark.parametrize("weights", ["in place", "computed"])
@pytest.mark.parametrize("operands", ["in order", "mixed", "repeated"])
@pytest.mark.parametrize("width", [1, 7, 8, 27, 64])
@pytest.mark.parametrize("height", [1, 8, 19])
def test_layers_of_one_row(height, width, operands, weights):
    rng = random.Random(1)
    xs = [Value(0.0) for _ in range(width)]
    hidden = [x.tanh() for x in xs]
    if operands != "in order":
        rng.shuffle(hidden)
        hidden[::3] = [x.sin() for x in hidden[::3]] if operands == "mixed" else hidden[:1] * len(hidden[::3])
    matrix = [[Value(rng.uniform(-1, 1)) for _ in range(width)] for _ in range(height)]
    rows = matrix if weights == "in place" else [[2 * w for w in ws] for ws in matrix]
    output = engine.sum([engine.dot(ws, hidden).sin() for ws in rows] + xs)
    f = engine.compile(output, xs)
    for x in xs:
        x.data = rng.uniform(-1, 1)
    row = [x.data for x in xs]
    mean, gradient = f.mean_gradient([row])
    means, gradients = f.mean_gradient([row, row])
    assert mean == pytest.approx(means, rel=1e-13, abs=1e-13)
    assert f([row])[0] == mean
    np.testing.assert_allclose(gradient, gradients, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(f.gradient([row])[0], f.gradient([row, row])[1], rtol=1e-12, atol=1e-13)
    output.forward()
    output.backward()
    assert mean == pytest.approx(output.data, rel=1e-12, abs=1e-13)
    np.testing.assert_allclose(gradient, [p.grad for p in f.parameters], rtol=1e-11, atol=1e-12)
