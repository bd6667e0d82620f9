"""Losses."""

import nn
from engine import Value


class TestLosses:
    def test_of_one_example_is_no_mean(self):
        assert nn.mse(Value(1.0), 2.0).op == "**"
        assert nn.mse([Value(1.0), Value(3.0)], [2.0, 3.0]).op == "/"

    def test_accuracy_at_the_boundary(self):
        data = [(0.0, 0), (1.0, 1), (-1.0, 1), (2.0, 1)]
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        assert nn.evaluate(line, nn.binary_cross_entropy, data)[1] == 0.75
        assert nn.evaluate(line, nn.hinge, [(x, 2 * r - 1) for x, r in data])[1] == 0.75
        assert nn.evaluate(line, nn.mse, data)[1] is None
        assert nn.evaluate(line, nn.binary_cross_entropy, [(0.0, 0.5)])[1] == 1.0
