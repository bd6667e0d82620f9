"""What tests of nn share: activation functions by NumPy, and short ways to build and to read models."""

from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import erfc, expit, ndtr

from engine import Value

ACTIVATIONS = {name: getattr(np, name) for name in ["exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh"]}
ACTIVATIONS |= {
    "linear": lambda a: a,
    "sign": lambda a: np.where(a > 0, 1.0, -1.0),
    "erfc": erfc,
    "sigmoid": expit,
    "softplus": lambda a: np.logaddexp(0, a),
    "relu": lambda a: np.maximum(a, 0),
    "leaky_relu": lambda a: np.maximum(a, a / 100),
    "elu": lambda a: np.where(a > 0, a, np.expm1(a)),
    "gelu": lambda a: a * ndtr(a),
    "silu": lambda a: a * expit(a),
}
CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]
XOR = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]


def close(expected):
    """Return a number that equals `expected` to 12 digits."""
    return pytest.approx(expected, rel=1e-12, abs=1e-14)


def values(numbers):
    """Return numbers in nested lists as Values in nested lists."""
    return [values(x) if isinstance(x, list | np.ndarray) else Value(x) for x in numbers]


def matrices(model, *sizes, of="data"):
    """Return the parameters of a network, a matrix for each layer with a row for each neuron."""
    numbers = iter([getattr(p, of) for p in model.parameters()])
    return [np.array([[next(numbers) for _ in range(n + 1)] for _ in range(m)]) for n, m in pairwise(sizes)]


@contextmanager
def unchanged_by_error(model, error, match):
    """Check that the block raises the error and leaves the model as it was."""
    before = model.state_dict(), [p.grad for p in model.parameters()]
    with pytest.raises(error, match=match):
        yield
    assert (model.state_dict(), [p.grad for p in model.parameters()]) == before
