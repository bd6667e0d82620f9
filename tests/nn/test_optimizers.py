"""Optimizers: steps by hand and against PyTorch, and update rules as text."""

import copy
import functools
import math
from contextlib import suppress
from types import SimpleNamespace

import pytest

import nn
from engine import Value
from nn.optimizers import UpdateRule


def interrupt(*arguments):
    raise KeyboardInterrupt


def valley(a, b):
    return (a - 3) ** 2 + 10 * (b + 1) ** 2


def rosenbrock(a, b):
    return (1 - a) ** 2 + 100 * (b - a**2) ** 2


def descend(optimizer, f, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        f(*optimizer.parameters).backward()
        optimizer.step()
    return [p.data for p in optimizer.parameters]


BOTH = pytest.mark.parametrize("make", [functools.partial(nn.SGD, momentum=0.9), nn.Adam], ids=["SGD", "Adam"])


class TestOptimizers:
    @pytest.mark.parametrize(
        ("make", "options", "f", "after_30", "after_40"),
        [
            (nn.SGD, {"learning_rate": 0.02}, valley,
             (1.7657978984310356, -0.9999995578521605), (1.9915670246045372, -0.9999999525247373)),
            (nn.SGD, {"learning_rate": 0.02, "momentum": 0.9}, valley,
             (2.222495170540077, -0.8359807705017482), (2.6437191266151756, -0.857644988666491)),
            (nn.SGD, {"learning_rate": 0.02, "weight_decay": 0.5}, valley,
             (1.6273004498054249, -0.9756094923056273), (1.8001304511615055, -0.9756097294944273)),
            (nn.SGD, {"learning_rate": 0.001, "momentum": 0.5, "weight_decay": 0.1}, rosenbrock,
             (-0.9668047322054107, 0.9428226467172535), (-0.9578721311190654, 0.9256442763716745)),
            (nn.Adam, {}, valley,
             (-0.607630476822706, 0.4173625938003297), (-0.5121126361149071, 0.3278527000560821)),
            (nn.Adam, {}, rosenbrock,
             (-1.0718543981627358, 1.0919776997350228), (-1.05816660673885, 1.0989470452804389)),
            (nn.Adam, {"learning_rate": 0.1, "betas": (0.5, 0.9), "epsilon": 1e-4}, rosenbrock,
             (-0.9396103350772362, 0.8893227724485727), (-0.8784117821374258, 0.7777444301719392)),
            (nn.Adam, {"learning_rate": 0.1, "weight_decay": 0.3}, rosenbrock,
             (-0.9524797434247974, 0.9622579861568272), (-0.9619121207994622, 0.9009507663506557)),
        ],
    )  # fmt: skip
    def test_trajectory_of_pytorch(self, make, options, f, after_30, after_40):
        """PyTorch 2.13 (Adam with lr=0.02) from (-1.2, 1): 30 steps, then 10 at half the learning rate."""
        optimizer = make([Value(-1.2), Value(1.0)], **options)
        assert descend(optimizer, f, 30) == pytest.approx(after_30, rel=1e-12, abs=0.0)
        optimizer.learning_rate /= 2
        assert descend(optimizer, f, 10) == pytest.approx(after_40, rel=1e-12, abs=0.0)
        assert optimizer.steps == 40

    @pytest.mark.parametrize("gradient", [1e-6, 1e-3, -1.0, 1e6, -1e150])
    def test_first_step_of_adam(self, gradient):
        w = Value(1.0)
        w.grad = gradient
        nn.Adam([w], learning_rate=0.25).step()
        assert w.data == pytest.approx(1 - 0.25 * gradient / (abs(gradient) + 1e-8), rel=1e-12, abs=0.0)

    def test_adam_does_not_freeze_after_a_gradient_whose_square_overflows(self):
        w = Value(1.0, "w")
        optimizer = nn.Adam([w])
        w.grad = 1e200
        with suppress(ArithmeticError):
            optimizer.step()
        before, w.grad = w.data, 1.0
        optimizer.step()
        assert w.data != before

    @BOTH
    def test_a_step_that_overflows_changes_nothing(self, make):
        small, large = Value(1.0, "small"), Value(-1e308, "large")
        optimizer = make([small, large], learning_rate=0.5)
        small.grad, large.grad = 1e-9, 1.5
        optimizer.step()
        twin, small2, large2 = copy.deepcopy((optimizer, small, large))
        optimizer.learning_rate = 1e308
        before = small.data, large.data, optimizer.state, optimizer.steps, small.grad, large.grad
        with pytest.raises(ArithmeticError, match=r"large.*overflows.*-1e\+308.*1\.5.* 1e\+308"):
            optimizer.step()
        assert (small.data, large.data, optimizer.state, optimizer.steps, small.grad, large.grad) == before
        optimizer.learning_rate = 0.25
        twin.learning_rate = 0.25
        optimizer.step()
        twin.step()
        assert (small.data, large.data, optimizer.state) == (small2.data, large2.data, twin.state)

    def test_each_parameter_moves_once(self):
        v, w = Value(1.0), Value(2.0)
        optimizer = nn.SGD((x for x in (v, w, v)), learning_rate=0.5)
        assert optimizer.parameters == [v, w]
        assert descend(optimizer, lambda v, w: v + w, 1) == [0.5, 1.5]
        assert [v.grad, w.grad] == [1.0, 1.0]
        optimizer.zero_grad()
        assert [v.grad, w.grad] == [0.0, 0.0]

    @pytest.mark.parametrize(("wrong", "error"), [(interrupt, KeyboardInterrupt), (lambda: Value(1.0), TypeError)])
    def test_a_subclass_that_defines_update(self, wrong, error):
        class SignDescent(nn.Optimizer):
            def update(self, data, grad, *state):
                if data == 5.0:
                    return wrong(), state[0] + 1
                return data - math.copysign(self.learning_rate / self.steps, grad), state[0] + 1

        v, w = Value(1.0), Value(2.0)
        optimizer = SignDescent([v, w], 0.5, 0.0, memory=1)
        assert descend(optimizer, valley, 2) == [1.75, 1.25]
        assert optimizer.state == [(2.0,), (2.0,)]
        w.data = 5.0
        with pytest.raises(error):
            optimizer.step()
        assert (v.data, w.data, optimizer.state, optimizer.steps) == (1.75, 5.0, [(2.0,), (2.0,)], 2)

    @pytest.mark.parametrize(
        ("parameters", "error", "words"),
        [
            ([], ValueError, "none"), (3, TypeError, "list of Values, got int 3"), (Value(1.0), TypeError, "got Value"),
            ([1.0], TypeError, "leaf Values, got float 1.0"), ([Value(1.0) * 2], TypeError, "leaf"),
            ((Value(1.0) * 2).parents[1:], TypeError, "leaf"),
        ],
    )  # fmt: skip
    def test_wrong_parameters(self, parameters, error, words):
        with pytest.raises(error, match=words):
            nn.SGD(parameters)

    @pytest.mark.parametrize(
        ("make", "name", "wrong", "error"),
        [
            (nn.SGD, "learning_rate", -0.1, ValueError), (nn.SGD, "learning_rate", math.nan, ValueError),
            (nn.SGD, "learning_rate", "0.1", TypeError), (nn.SGD, "momentum", 1.0, ValueError),
            (nn.SGD, "momentum", -0.1, ValueError), (nn.SGD, "weight_decay", -1, ValueError),
            (nn.Adam, "learning_rate", True, TypeError), (nn.Adam, "weight_decay", None, TypeError),
            (nn.Adam, "betas", 0.9, TypeError), (nn.Adam, "betas", (0.9, 0.99, 0.999), TypeError),
            (nn.Adam, "betas", (1.0, 0.999), ValueError), (nn.Adam, "betas", (0.9, 1.0), ValueError),
            (nn.Adam, "epsilon", -1e-8, ValueError), (nn.Adam, "epsilon", 0.0, ValueError),
        ],
    )  # fmt: skip
    def test_wrong_numbers(self, make, name, wrong, error):
        with pytest.raises(error, match=name):
            make([Value(1.0)], **{name: wrong})

    @pytest.mark.parametrize(
        ("make", "expected"),
        [
            (lambda p: nn.SGD(p, 0.5), [0.5, -0.5]),
            (lambda p: nn.SGD(p, 0.5, momentum=0.5), [0.5, -0.75]),
            (lambda p: nn.SGD(p, 0.5, weight_decay=0.5), [0.25, -0.8125]),
            (lambda p: nn.Adam(p, 0.5, (0.5, 0.75)), [0.5, 0.5 - 0.5 * (1.25 / 0.75) / math.sqrt(1.1875 / 0.4375)]),
        ],
        ids=["plain", "momentum", "weight decay", "Adam"],
    )
    def test_two_steps_by_hand(self, make, expected):
        w = Value(1.0, "w")
        optimizer = make([w])
        for grad, data in zip((1.0, 2.0), expected, strict=True):
            w.grad = grad
            optimizer.step()
            assert w.data == pytest.approx(data, abs=1e-7)
        assert optimizer.steps == 2
        optimizer.zero_grad()
        assert w.grad == 0.0

    def test_a_step_that_overflows(self):
        w = Value(1e308)
        w.grad = -1e308
        optimizer = nn.SGD([w], 10.0)
        message = r"step of a parameter overflows, from 1e\+308 .* gradient -1e\+308: .* 10$"
        with pytest.raises(OverflowError, match=message):
            optimizer.step()
        assert (w.data, optimizer.steps) == (1e308, 0)

    def test_defaults(self):
        sgd, adam = nn.SGD([Value(1.0)]), nn.Adam([Value(1.0)])
        assert (sgd.learning_rate, sgd.momentum, sgd.weight_decay) == (0.1, 0.0, 0.0)
        assert (adam.learning_rate, adam.betas, adam.epsilon, adam.weight_decay) == (0.02, (0.9, 0.999), 1e-8, 0.0)


class TestUpdateRule:
    def test_the_source_follows_from_the_formulas(self):
        rule = UpdateRule(state={"count": "count + 1"}, data="data - rates[0]*grad/count")
        assert rule.settings == ["rates"]
        assert rule.source().splitlines() == [
            "def update(data, grad, count, rates):", "    count = count + 1", "    data = data - rates[0]*grad/count",
            "    return (data, count,)",
        ]  # fmt: skip
        assert rule.method(SimpleNamespace(rates=[0.5]), 1.0, 2.0, 3.0) == (0.75, 4.0)

    @pytest.mark.parametrize("compiled", [False, True])
    def test_a_subclass_with_a_rule(self, compiled):
        class Plain(nn.Optimizer):
            rule = UpdateRule(state={}, data="data - learning_rate*grad")

        models = nn.MLP(2, [3, 1], seed=1), nn.MLP(2, [3, 1], seed=1)
        plain, sgd = Plain(models[0].parameters(), 0.1, 0.01, memory=0), nn.SGD(models[1].parameters(), 0.1, 0.0, 0.01)
        data = [((0.0, 1.0), 1.0), ((1.0, 2.0), -1.0)]
        histories = [
            nn.train(model, nn.mse, data, optimizer=optimizer, epochs=3, seed=1, compiled=compiled)
            for model, optimizer in zip(models, (plain, sgd), strict=True)
        ]
        assert histories[0] == histories[1]
        assert models[0].state_dict() == models[1].state_dict()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.SGD(3), "list of Values, got int 3"),
        (lambda: nn.SGD([3]), "leaf Values, got int 3"),
        (lambda: nn.SGD([]), "parameter.* got none"),
        (lambda: nn.SGD([Value(1.0)], -1), "learning_rate .*0.* got -1"),
        (lambda: nn.SGD([Value(1.0)], math.inf), "learning_rate .*finite.* got inf"),
        (lambda: nn.SGD([Value(1.0)], momentum=1), "momentum .*0.* less than 1, got 1"),
        (lambda: nn.SGD([Value(1.0)], weight_decay=-2), "weight_decay .*0.* got -2"),
        (lambda: nn.Adam([Value(1.0)], betas=0.9), "betas .*two numbers, got float 0.9"),
        (lambda: nn.Adam([Value(1.0)], betas=(1, 0)), r"betas\[0\] .*0.* less than 1, got 1"),
        (lambda: nn.Adam([Value(1.0)], betas=(0, -1)), r"betas\[1\] .*0.* less than 1, got -1"),
        (lambda: nn.Adam([Value(1.0)], epsilon=0), "epsilon .*above 0, got 0"),
        (lambda: nn.Adam([Value(1.0)], epsilon="0"), "epsilon .*real number, got str '0'"),
        (lambda: nn.Optimizer([Value(1.0)], 0.1, 0.0, memory=0).step(), "Optimizer .*update"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises((TypeError, ValueError, NotImplementedError), match=message):
        call()
