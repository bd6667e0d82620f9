"""Initial weights."""

import math

import numpy as np
import pytest

import nn


class TestSchemes:
    def test_where_the_weights_lie(self):
        def weights(scheme):
            return [w.data for w in nn.Perceptron(9999, "relu", init=scheme, seed=1).weights]

        for scheme, bound in {"uniform_0.01": 0.01, "micrograd": 1.0, "xavier": math.sqrt(6 / 10000)}.items():
            first, *rest = weights(scheme)
            assert -bound <= min(rest) < -0.99 * bound
            assert 0.99 * bound < max(rest) <= bound
            assert (first == 0.0) == (scheme != "uniform_0.01")
        first, *rest = weights("he")
        assert first == 0.0
        assert np.std(rest) == pytest.approx(math.sqrt(2 / 9999), rel=0.03)
        assert np.mean(rest) == pytest.approx(0.0, abs=5e-4)

    def test_a_perceptron_has_one_output(self):
        """The bound of Glorot and Bengio for two inputs and one output, the square root of 6/3."""
        weights = [w.data for seed in range(99) for w in nn.Perceptron(2, "tanh", init="xavier", seed=seed).weights]
        assert 1.3 < max(weights) <= math.sqrt(2)

    @pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "softplus", "gelu", "silu", "tanh", "linear"])
    def test_which_is_taken(self, activation):
        chosen = "xavier" if activation in ("tanh", "linear") else "he"
        by_default, named = (nn.Perceptron(3, activation, init=init, seed=1) for init in (None, chosen))
        assert by_default.state_dict() == named.state_dict()
