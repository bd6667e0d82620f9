"""Initialisation: the distribution of the first weights."""

import math
import random

import numpy as np
import pytest

import nn
from tests.nn.helpers import ACTIVATIONS, matrices


class TestInitialization:
    @pytest.mark.parametrize(
        ("init", "variance", "bound"),
        [
            ("uniform_0.01", 0.01**2 / 3, 0.01),
            ("micrograd", 1 / 3, 1.0),
            ("xavier", 2 / (100 + 200), math.sqrt(6 / (100 + 200))),
            ("he", 2 / 100, None),
        ],
    )
    def test_mean_variance_and_bound(self, init, variance, bound):
        (matrix,) = matrices(nn.Layer(100, 200, init=init, seed=1), 100, 200)
        w = matrix[:, 1:]
        assert w.mean() == pytest.approx(0, abs=4 * math.sqrt(variance / w.size))
        assert w.var() == pytest.approx(variance, rel=0.04)
        assert len(np.unique(w)) == w.size
        if bound:
            assert 0.99 * bound < abs(w).max() <= bound
        else:
            assert (w**4).mean() / w.var() ** 2 == pytest.approx(3.0, abs=0.2)  # as of a normal distribution
        if init == "uniform_0.01":
            assert max(map(abs, nn.MLP(3, [4, 2], init=init).state_dict().values())) <= 0.01
            assert 0.009 < abs(matrix[:, 0]).max() <= 0.01
        else:
            assert not matrix[:, 0].any()
        if init == "xavier":
            of_one = [w.data for w in nn.Perceptron(2000, init=init, seed=1).weights]
            assert 0.98 < max(map(abs, of_one)) / math.sqrt(6 / 2001) <= 1

    @pytest.mark.parametrize("name", ACTIVATIONS)
    def test_the_default_depends_on_the_activation(self, name):
        scheme = "he" if name in {"relu", "leaky_relu", "elu", "softplus", "gelu", "silu"} else "xavier"
        neurons = [nn.Perceptron(3, name, init=init, seed=1).state_dict() for init in (None, scheme)]
        assert neurons[0] == neurons[1]
        mixed = nn.MLP(3, [4, 2], hidden=name, output="linear", seed=random.Random(1)).state_dict()
        rng = random.Random(1)
        parts = nn.Layer(3, 4, init=scheme, seed=rng), nn.Layer(4, 2, init="xavier", seed=rng)
        assert list(mixed.values()) == [w for part in parts for w in part.state_dict().values()]

    @pytest.mark.parametrize("make", [lambda **k: nn.Perceptron(5, **k), lambda **k: nn.MLP(2, [3, 1], **k)])
    def test_a_seed_gives_the_same_weights(self, make):
        state = random.getstate()
        one = make(seed=1).state_dict()
        assert one == make(seed=1).state_dict() == make(seed=random.Random(1)).state_dict()
        assert one != make(seed=2).state_dict()
        assert make().state_dict() != make().state_dict()
        assert random.getstate() == state

    def test_a_perceptron_has_one_output(self):
        """The bound of Glorot and Bengio for two inputs and one output, the square root of 6/3."""
        weights = [w.data for seed in range(99) for w in nn.Perceptron(2, "tanh", init="xavier", seed=seed).weights]
        assert 1.3 < max(weights) <= math.sqrt(2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Perceptron(1, init="best"), "init .*'micrograd', 'xavier', 'he'.* got .*'best'"),
        (lambda: nn.Perceptron(1, init=3), "init .*'micrograd', 'xavier', 'he'.* got int 3"),
        (lambda: nn.Perceptron(1, seed="1"), "seed .*int.* got str '1'"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
