"""Optimizers."""

import math

import pytest

import nn
from engine import Value


class TestOptimizers:
    @pytest.mark.parametrize(
        ("optimizer", "moved"),
        [
            (lambda p: nn.SGD(p, 0.5), [0.5, -0.5]),
            (lambda p: nn.SGD(p, 0.5, momentum=0.5), [0.5, -0.75]),
            (lambda p: nn.SGD(p, 0.5, weight_decay=0.5), [0.25, -0.8125]),
            (lambda p: nn.Adam(p, 0.5, (0.5, 0.75)), [0.5, 0.5 - 0.5 * (1.25 / 0.75) / math.sqrt(1.1875 / 0.4375)]),
        ],
        ids=["plain", "momentum", "weight decay", "Adam"],
    )
    def test_two_steps(self, optimizer, moved):
        w = Value(1.0, "w")
        moves = optimizer([w])
        for grad, data in zip((1.0, 2.0), moved, strict=True):
            w.grad = grad
            moves.step()
            assert w.data == pytest.approx(data, abs=1e-7)
        assert moves.steps == 2
        moves.zero_grad()
        assert w.grad == 0.0

    def test_a_step_that_overflows(self):
        w = Value(1e308)
        w.grad = -1e308
        optimizer = nn.SGD([w], 10.0)
        message = r"step of a parameter overflows, from 1e\+308 .* gradient -1e\+308: .* 10$"
        with pytest.raises(OverflowError, match=message):
            optimizer.step()
        assert (w.data, optimizer.steps) == (1e308, 0)
