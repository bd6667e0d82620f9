"""Training: optimizers against PyTorch, the loop against NumPy, and whatever a user does to it."""

import copy
import functools
import math
import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_iris, make_moons

import nn
from engine import Value

ROOT = Path(__file__).parents[3]
LINE = [(x, 2 * x + 1) for x in (-1.0, -0.5, 0.0, 0.25, 1.0)]
XOR = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]


def line(seed=1):
    return nn.Perceptron(1, "linear", seed=seed)


def never(history):
    return False


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
    def test_trajectory(self, make, options, f, after_30, after_40):
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
    def test_one_of_ones_own(self, wrong, error):
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
    ("schedule", "rates"),
    [
        (nn.linear_decay(0.4, 0.1, 3), [0.4, 0.3, 0.2, 0.1, 0.1, 0.1]),
        (nn.linear_decay(0.0, 1.0, 4), [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]),
        (nn.cosine_decay(0.5, 0.1, 4), [0.5, 0.3 + math.sqrt(0.02), 0.3, 0.3 - math.sqrt(0.02), 0.1, 0.1]),
        (nn.exponential_decay(0.4, 0.5), [0.4, 0.2, 0.1, 0.05, 0.025, 0.0125]),
        (lambda epoch: 1 / (epoch + 1), [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6]),
    ],
)
def test_schedules(schedule, rates):
    assert [schedule(epoch) for epoch in range(6)] == pytest.approx(rates)
    model, seen = line(), []
    optimizer = nn.SGD(model.parameters(), learning_rate=99.0)
    nn.train(
        model, nn.mse, LINE, optimizer=optimizer, schedule=schedule, epochs=6, until=never, batch_size=None,
        callback=lambda history: seen.append(optimizer.learning_rate),
    )  # fmt: skip
    assert seen == pytest.approx(rates)
    assert max(schedule(10**4), 0.1) <= max(rates)


@pytest.mark.parametrize("compiled", [False, None])
def test_a_schedule_goes_on_within_an_epoch(compiled):
    model, epochs = line(), []

    def schedule(epoch):
        epochs.append(epoch)
        return 0.1

    nn.train(model, nn.mse, LINE, schedule=schedule, epochs=2, until=never, batch_size=2, compiled=compiled)
    assert epochs == pytest.approx([0.0, 0.4, 0.8, 1.0, 1.4, 1.8])


@pytest.mark.parametrize("compiled", [False, None])
def test_the_history_has_the_loss_of_every_step(compiled):
    model = nn.Perceptron(1, "linear", init=[0.0, 1.0])
    data = [(1.0, 2.0), (2.0, 5.0), (3.0, 3.0)]
    history = nn.train(
        model, nn.mse, data, optimizer=nn.SGD(model.parameters(), 0.0), epochs=2, batch_size=2, shuffle=False,
        until=never, compiled=compiled,
    )  # fmt: skip
    assert history.steps == pytest.approx([5.0, 0.0] * 2)
    assert history.loss == pytest.approx([10 / 3] * 2)


class TestLoop:
    @pytest.mark.parametrize("batch_size", [1, 3, 19, 20, None])
    def test_is_gradient_descent(self, batch_size):
        """Logistic regression against NumPy; of 19 examples the last batch of 3 is one alone."""
        rng = np.random.default_rng(5)
        xs, w = rng.normal(size=(19, 3)), np.array([0.1, -0.5, 0.2, 0.7])
        rs = (xs @ [1.0, -2.0, 0.5] + rng.normal(size=19) > 0).astype(int)
        model = nn.Perceptron(3, "linear", init=list(w))
        history = nn.train(
            model, nn.binary_cross_entropy, zip(xs, rs, strict=True), optimizer=nn.SGD(model.parameters(), 0.5),
            epochs=25, batch_size=batch_size, shuffle=False, until=never,
        )  # fmt: skip
        losses, accuracies = [], []
        for _ in range(25):
            logits = np.empty(19)
            for start in range(0, 19, batch_size or 19):
                rows = slice(start, start + (batch_size or 19))
                x = np.c_[np.ones(len(xs[rows])), xs[rows]]
                logits[rows] = x @ w
                w = w - 0.5 * x.T @ (1 / (1 + np.exp(-logits[rows])) - rs[rows]) / len(x)
            losses.append(np.mean(np.logaddexp(0, logits) - rs * logits))
            accuracies.append(np.mean((logits > 0) == rs))
        assert [p.data for p in model.parameters()] == pytest.approx(w, rel=1e-10, abs=0.0)
        assert history.loss == pytest.approx(losses, rel=1e-10, abs=0.0)
        assert history.accuracy == pytest.approx(accuracies)
        assert accuracies[0] < accuracies[-1]
        assert (history.epochs, history.converged, history.interrupted) == (25, False, False)
        assert "25 epochs, not converged" in repr(history)

    def test_of_a_function_with_an_optimizer_of_its_own(self):
        slope, shift = Value(0.0, "slope"), Value(0.5, "shift")
        optimizer = nn.SGD([slope], learning_rate=0.1)
        nn.train(lambda x: slope * x + shift, nn.mse, LINE, optimizer=optimizer, epochs=300, until=never)
        moment = np.dot(*zip(*[(x, r - 0.5) for x, r in LINE], strict=True)) / np.dot(*[[x for x, _ in LINE]] * 2)
        assert slope.data == pytest.approx(moment, rel=1e-10, abs=0.0)
        assert shift.data == 0.5, "the optimizer has it not"
        with pytest.raises(TypeError, match=r"model must be a Module, got function .*optimizer"):
            nn.train(lambda x: slope * x, nn.mse, LINE)

    def test_of_a_loss_of_ones_own(self):
        history = nn.train(line(), lambda y, r: abs(y - r), LINE, seed=1)
        assert history.accuracy == []
        history = nn.train(line(), lambda y, r: abs(y - r), LINE, accuracy=lambda y, r: abs(y.data - r) < 0.05, seed=1)
        assert history.accuracy[0] < history.accuracy[-1] == 1.0
        assert history.loss[-1] < 0.1

    def test_defaults(self):
        data, one, two = LINE * 7, line(), line()
        h1 = nn.train(one, nn.mse, data, seed=1)
        optimizer = nn.Adam(two.parameters(), learning_rate=0.02)
        h2 = nn.train(two, nn.mse, data, optimizer=optimizer, epochs=1000, batch_size=16, until=nn.plateau(), seed=1)
        assert (h1, one.state_dict()) == (h2, two.state_dict())
        assert optimizer.steps == 3 * h1.epochs, "35 examples are 3 batches"
        assert nn.train(line(), nn.mse, LINE, until=never).epochs == 1000

    @pytest.mark.parametrize("wrap", [iter, tuple, lambda data: (pair for pair in data), lambda data: map(list, data)])
    def test_takes_pairs_from_anywhere(self, wrap):
        one, two = line(), line()
        assert nn.train(one, nn.mse, LINE, epochs=3, seed=1) == nn.train(two, nn.mse, wrap(LINE), epochs=3, seed=1)
        assert one.state_dict() == two.state_dict()

    def test_leaves_the_data_as_they_are(self):
        data = [(np.array(x, float), r) for x, r in XOR]
        before = copy.deepcopy(data)
        nn.train(nn.MLP(2, [2, 1], seed=1), nn.binary_cross_entropy, data, epochs=5, seed=1)
        assert [(list(x), r) for x, r in data] == [(list(x), r) for x, r in before]

    def test_gradients_of_old_do_not_count(self):
        one, two = line(), line()
        for p in two.parameters():
            p.grad = 1e6
        nn.train(one, nn.mse, LINE, epochs=1, seed=1)
        nn.train(two, nn.mse, LINE, epochs=1, seed=1)
        assert one.state_dict() == two.state_dict()


class TestOrder:
    @staticmethod
    def orders(**options):
        seen, w = [], Value(1.0)

        def model(x):
            seen.append(int(x))
            return w * x

        data = [(float(i), 0.0) for i in range(10)]
        optimizer = nn.SGD([w], learning_rate=1e-3)
        nn.train(model, nn.mse, data, optimizer=optimizer, epochs=3, until=never, batch_size=3, **options)
        return [seen[:10], seen[10:20], seen[20:]]

    def test_every_example_once_an_epoch_in_an_order_of_its_own(self):
        orders = self.orders(seed=1)
        assert [sorted(order) for order in orders] == [list(range(10))] * 3
        assert len({tuple(order) for order in [range(10), *orders]}) == 4

    def test_hangs_on_the_seed(self):
        assert self.orders(seed=1) == self.orders(seed=1) == self.orders(seed=random.Random(1))
        assert self.orders(seed=1) != self.orders(seed=2)
        assert self.orders() != self.orders()

    def test_not_shuffled(self):
        assert self.orders(shuffle=False) == [list(range(10))] * 3

    def test_same_seed_same_history(self):
        histories = [
            nn.train(nn.MLP(2, [3, 1], seed=1), nn.binary_cross_entropy, XOR, batch_size=1, epochs=20, seed=seed)
            for seed in (7, 7, 8)
        ]
        assert histories[0] == histories[1] != histories[2]


class TestHistory:
    @pytest.mark.parametrize(
        ("losses", "stops"),
        [
            ([5.0, 5.0, 5.0], False), ([5.0, 5.0, 5.0, 5.0], True), ([5.0, 4.0, 3.0, 2.0], False),
            ([5.0, 4.95, 4.93, 4.91], True), ([5.0, 4.95, 4.93, 4.85], False), ([1.0, 5.0, 4.0, 3.0, 2.0], True),
            ([5.0, 2.0, 2.0, 2.0, 1.0], False), ([5.0, 2.0, 2.0, 1.0, 2.0, 2.0], False),
            ([5.0, 2.0, 2.0, 1.0, 2.0, 2.0, 2.0], True), ([1.0, 5.0, 4.0, 4.0, 4.0], True),
        ],
    )  # fmt: skip
    def test_plateau(self, losses, stops):
        assert nn.plateau(tolerance=0.1, patience=3)(nn.History(losses)) is stops

    def test_plateau_as_it_comes(self):
        assert not nn.plateau()(nn.History([1.0] * 20))
        assert nn.plateau()(nn.History([1.0] * 21))
        assert not nn.plateau()(nn.History([1.0 - 6e-6 * i for i in range(40)]))
        assert nn.plateau()(nn.History([1.0 - 4e-6 * i for i in range(40)]))

    def test_until_converged(self):
        calls = []
        history = nn.train(
            line(), nn.mse, LINE, epochs=9,
            callback=lambda h: calls.append(("callback", h, h.epochs, h.loss[-1])),
            until=lambda h: calls.append(("until", h, h.epochs, h.loss[-1])) or h.epochs == 3,
        )  # fmt: skip
        assert calls == [(name, history, n, history.loss[n - 1]) for n in (1, 2, 3) for name in ("callback", "until")]
        assert all(call[1] is history for call in calls)
        assert (history.epochs, history.converged, history.interrupted) == (3, True, False)
        assert re.fullmatch(r"History: 3 epochs, converged, loss \S+", repr(history))

    def test_stops_by_itself_on_a_plateau(self):
        model = line()
        history = nn.train(model, nn.mse, LINE, optimizer=nn.SGD(model.parameters(), learning_rate=0.0), seed=1)
        assert (history.epochs, history.converged) == (21, True)


class TestEvaluate:
    rng = np.random.default_rng(3)
    scores, classes, numbers = rng.normal(size=40), rng.integers(0, 2, size=40), rng.normal(size=40)
    logits, labels = rng.normal(size=(40, 3)), rng.integers(0, 3, size=40)
    signs, p = 2 * classes - 1, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    right = metrics.accuracy_score(classes, scores > 0), metrics.accuracy_score(labels, p.argmax(axis=1))

    @pytest.mark.parametrize(
        ("outputs", "loss", "targets", "expected", "accuracy"),
        [
            (scores, nn.binary_cross_entropy, classes, metrics.log_loss(classes, 1 / (1 + np.exp(-scores))), right[0]),
            (scores, nn.hinge, signs, metrics.hinge_loss(signs, scores), right[0]),
            (logits, nn.cross_entropy, labels, metrics.log_loss(labels, p), right[1]),
            (logits, nn.cross_entropy, np.eye(3)[labels], metrics.log_loss(labels, p), right[1]),
            (scores, nn.mse, numbers, metrics.mean_squared_error(scores, numbers), None),
        ],
    )
    def test_as_scikit_learn(self, outputs, loss, targets, expected, accuracy):
        def model(x):
            return [Value(y) for y in x] if np.ndim(x) else Value(x)

        mean, share = nn.evaluate(model, loss, zip(outputs, targets, strict=True))
        assert mean == pytest.approx(expected, rel=1e-12, abs=0.0)
        assert share == (accuracy and pytest.approx(accuracy))

    def test_with_an_accuracy_of_ones_own(self):
        assert nn.evaluate(Value, nn.mse, zip(self.scores, self.numbers, strict=True), accuracy=lambda y, r: y > r) == (
            pytest.approx(metrics.mean_squared_error(self.scores, self.numbers)), np.mean(self.scores > self.numbers),
        )  # fmt: skip

    def test_changes_nothing_even_when_it_fails(self):
        model = line()
        for p in model.parameters():
            p.grad = 7.0
        before = model.state_dict()
        nn.evaluate(model, nn.mse, LINE)
        assert nn.evaluate(model, lambda y, r: Value(len(y.parents)), LINE) == (0.0, None), "nothing is recorded"
        with pytest.raises(ValueError, match=r"^data\[1\]: .*nan"):
            nn.evaluate(model, nn.mse, [(1.0, 1.0), (2.0, math.nan)])
        assert model.state_dict() == before
        assert [p.grad for p in model.parameters()] == [7.0, 7.0]
        assert model(1.0).parents, "recording is on again"


class TestErrors:
    @pytest.mark.parametrize(
        ("data", "error", "words"),
        [
            (3, TypeError, r"pairs \(x, r\).*zip.*got int 3"), (None, TypeError, r"pairs \(x, r\).*None"),
            ([], ValueError, "got none"), (iter([]), ValueError, "got none"),
            ([1.0, 2.0], TypeError, r"data\[0\] is float"), ([(1.0, 2.0, 3.0)], TypeError, r"data\[0\]"),
            ([(1.0, 2.0), (1.0,)], TypeError, r"data\[1\] is tuple \(1\.0,\)"),
            (["ab"], TypeError, r"data\[0\] is str 'ab'"), ({1.0: 2.0}, TypeError, r"data\[0\]"),
        ],
    )  # fmt: skip
    def test_no_pairs(self, data, error, words):
        for use in (nn.train, nn.evaluate):
            with pytest.raises(error, match=words):
                use(line(), nn.mse, data)

    @pytest.mark.parametrize(
        ("pair", "error", "words"),
        [
            (((1.0, 2.0), 1.0), ValueError, "takes 1 input, got 2"), (((), 1.0), ValueError, "got 0"),
            (("1", 1.0), TypeError, "str '1'"), ((None, 1.0), TypeError, "None"),
            ((math.nan, 1.0), ValueError, "finite.*nan"), ((1.0, math.nan), ValueError, "target.*nan"),
            ((1.0, math.inf), ValueError, "target.*inf"), ((1.0, "1"), TypeError, "target.*str '1'"),
            ((1.0, [1.0, 2.0]), ValueError, "as many outputs as targets"),
            ((1e308, 1.0), ArithmeticError, "overflow"), ((10**400, 1.0), ArithmeticError, "too large"),
        ],
    )  # fmt: skip
    def test_the_bad_example_is_named_and_the_good_ones_before_it_count(self, pair, error, words):
        model, twin = line(), line()
        nn.train(twin, nn.mse, LINE[:2], batch_size=1, shuffle=False, epochs=1)
        data = [*LINE[:2], pair, LINE[3]]
        with pytest.raises(error, match=r"^epoch 1, data\[2\]: .*" + words):
            nn.train(model, nn.mse, data, batch_size=1, shuffle=False)
        with pytest.raises(error, match=r"^data\[2\]: .*" + words):
            nn.evaluate(model, nn.mse, data)
        assert model.state_dict() == twin.state_dict()

    def test_the_example_is_named_by_its_place_in_the_data(self):
        for seed in range(5):
            with pytest.raises(ValueError, match=r"^epoch 1, data\[3\]: "):
                nn.train(line(), nn.mse, [*LINE[:3], (math.nan, 1.0)], seed=seed)

    @pytest.mark.parametrize("batch_size", [None, 1])
    def test_a_learning_rate_that_blows_up(self, batch_size):
        model, epochs = line(), []
        optimizer = nn.SGD(model.parameters(), learning_rate=50.0)
        with pytest.raises(ArithmeticError) as caught:
            nn.train(model, nn.mse, LINE, optimizer=optimizer, batch_size=batch_size, until=never, seed=1,
                     callback=lambda h: epochs.append(model.state_dict()))  # fmt: skip
        assert str(caught.value).startswith(f"epoch {len(epochs) + 1}, "), str(caught.value)
        assert "data[" in str(caught.value)
        assert all(math.isfinite(x) for x in model.state_dict().values())
        if batch_size is None:
            assert model.state_dict() == epochs[-1]

    @pytest.mark.parametrize(("n", "words"), [(2, r"data\[0\], data\[1\]: "), (6, r"data\[3\] and 2 more: ")])
    def test_the_batch_is_named_when_the_gradient_overflows(self, n, words):
        w = Value(1e-200, "w")
        with pytest.raises(ArithmeticError, match=r"^epoch 1, the batch of (data\[\d\], )*" + words):
            nn.train(lambda x: x / w * 1e100, lambda y, r: y, [(1.0, 0)] * n, optimizer=nn.SGD([w]), shuffle=False)
        assert (w.data, w.grad) == (1e-200, 0.0)

    @pytest.mark.parametrize("loss", [lambda y, r: 1.5, lambda y, r: y.data, lambda y, r: [y], lambda y, r: None])
    def test_a_loss_gives_a_value(self, loss):
        for use in (nn.train, nn.evaluate):
            with pytest.raises(TypeError, match=r"data\[\d\]: loss must return a Value, got (float|list|NoneType)"):
                use(line(), loss, LINE)

    @pytest.mark.parametrize(
        ("options", "error", "words"),
        [
            ({"epochs": 0}, ValueError, "epochs is 1 or more, got 0"), ({"epochs": 1.5}, TypeError, "epochs"),
            ({"batch_size": 0}, ValueError, "batch_size is 1 or more, got 0"), ({"seed": "1"}, TypeError, "seed"),
            ({"batch_size": True}, TypeError, "batch_size"),
        ],
    )  # fmt: skip
    def test_wrong_options(self, options, error, words):
        with pytest.raises(error, match=words):
            nn.train(line(), nn.mse, LINE, **options)

    @pytest.mark.parametrize("where", ["model", "loss", "accuracy", "callback", "until", "schedule"])
    @pytest.mark.parametrize("error", [KeyError("k"), OSError(2, "no file"), Exception("mine", 42), SystemExit(3)])
    def test_ones_own_exception_passes_through(self, where, error):
        def fail(*arguments):
            raise error

        model, arguments = line(), error.args
        before = model.state_dict()
        functions = {"model": model, "loss": nn.mse} | {where: fail}
        with pytest.raises(type(error)) as caught:
            nn.train(data=LINE, optimizer=nn.SGD(model.parameters()), **functions)
        assert caught.value is error
        assert error.args == arguments
        assert (model.state_dict() == before) is (where not in ("callback", "until"))


class TestInterrupt:
    @pytest.mark.parametrize("where", ["model", "loss", "accuracy", "callback", "until", "schedule"])
    def test_what_was_learned_is_kept(self, where):
        """Ctrl-C in the second epoch, at its third example."""
        model, twin, calls = line(), line(), 0
        n = 2 if where in ("callback", "until") else 8

        def wrap(function):
            def counted(*arguments):
                nonlocal calls
                calls += 1
                return interrupt() if calls == n else function(*arguments)

            return counted

        functions = {
            "model": model, "loss": nn.mse, "accuracy": lambda y, r: True,
            "callback": lambda h: None, "until": never, "schedule": lambda epoch: 0.1,
        }  # fmt: skip
        functions[where] = wrap(functions[where])
        options = {"batch_size": 1, "shuffle": False}
        history = nn.train(data=LINE, optimizer=nn.SGD(model.parameters()), **functions, **options)
        epochs = 2 if where in ("callback", "until") else 1
        assert (history.interrupted, history.converged, history.epochs) == (True, False, epochs)
        assert "stopped by Ctrl-C" in repr(history)
        seen = LINE * epochs + LINE[:2] * (where not in ("callback", "until"))
        nn.train(twin, nn.mse, seen, optimizer=nn.SGD(twin.parameters()), epochs=1, **options)
        assert model.state_dict() == twin.state_dict()

    def test_elsewhere_it_is_not_swallowed(self):
        with pytest.raises(KeyboardInterrupt):
            nn.evaluate(line(), interrupt, LINE)
        assert (Value(1.0) * 2).parents, "recording is on again"

    @pytest.mark.skipif(os.name == "nt", reason="needs SIGINT")
    def test_at_any_moment(self):
        code = """
import math, signal, time, nn
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where it is ignored, as in a shell's background
data = [(x / 10, math.sin(x)) for x in range(40)]
for i in range(15):
    model = nn.MLP(1, [8, 1], seed=i)
    begun = lambda history: history.epochs == 1 and print("training", flush=True)
    history = nn.train(model, nn.mse, data, epochs=3000, until=lambda history: False, callback=begun)
    finite = all(math.isfinite(x) for x in model.state_dict().values())
    print(history.interrupted, finite, history.epochs > 0, flush=True)
print("outside", flush=True)
time.sleep(20)
"""
        rng = random.Random(1)
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            for _ in range(15):
                assert process.stdout.readline() == "training\n"
                time.sleep(rng.uniform(0.0, 0.05))
                process.send_signal(signal.SIGINT)
                assert process.stdout.readline() == "True True True\n"
            assert process.stdout.readline() == "outside\n"
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) != 0
            assert "KeyboardInterrupt" in process.stderr.read()


class TestProgress:
    """A bar in the terminal, of which nothing is left; without a terminal nothing at all."""

    CODE = """
import time, nn
def loss(output, target):
    time.sleep(0.015)
    return nn.hinge(output, target)
def callback(history):
    if history.epochs % 25 == 0:
        print("epoch", history.epochs, flush=True)
data = [(x, 1 if x > 0.5 else -1) for x in (0.0, 1.0)]
right = lambda output, target: output * target > 0
nn.train(nn.MLP(1, [1], seed=1), loss, data, accuracy=right, callback=callback, until=lambda history: False, {options})
print("done", flush=True)
"""
    PRINTED = "epoch 25\nepoch 50\ndone\n"

    def run(self, options, **streams):
        return subprocess.Popen(
            [sys.executable, "-c", self.CODE.format(options=options)], cwd=ROOT, **streams,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "80", "PYTHONUTF8": "1"},
        )  # fmt: skip

    def in_terminal(self, options, stdout=None):
        """What the script writes into a terminal, and what into a pipe that is its stdout."""
        pty = pytest.importorskip("pty")
        ours, theirs = pty.openpty()
        written = b""
        with self.run(options, stdin=theirs, stdout=stdout or theirs, stderr=theirs) as process:
            os.close(theirs)
            with suppress(OSError):  # at the end of a pty
                while some := os.read(ours, 4096):
                    written += some
            piped = process.stdout.read().decode() if process.stdout else ""
        os.close(ours)
        assert process.returncode == 0
        return written.decode(), piped

    @staticmethod
    def screen(written):
        """What the terminal shows in the end, and every line that stood there on the way."""
        lines, row, column, shown = [""], 0, 0, []
        for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", written):
            if token == "\r":
                column = 0
            elif token == "\n":
                row += 1
                lines += [""] * (row == len(lines))
            elif token == "\x1b[2K":
                shown.append(lines[row])
                lines[row] = ""
            elif token == "\x1b[1A":
                row -= 1
            elif token[0] != "\x1b":
                lines[row] = lines[row].ljust(column)[:column] + token + lines[row][column + len(token) :]
                column += len(token)
        return "\n".join(lines), shown

    def test_in_a_terminal(self):
        written, _ = self.in_terminal("epochs=55")
        left, shown = self.screen(written)
        assert left == self.PRINTED
        bars = [line for line in shown if line.startswith("training")]
        assert any(re.search(r"\d+%.* loss [\d.e-]+, accuracy \d+\.\d %.* \d:\d\d:\d\d", bar) for bar in bars), bars
        assert max(map(len, bars)) <= 80
        assert written.count("\x1b[?25l") == written.count("\x1b[?25h") > 0, "the cursor is back"

    @pytest.mark.parametrize(("options", "printed"), [("epochs=10", "done\n"), ("epochs=55, progress=False", PRINTED)])
    def test_none_in_a_second_or_when_not_wanted(self, options, printed):
        written, _ = self.in_terminal(options)
        assert written.replace("\r", "") == printed

    def test_what_is_printed_goes_where_it_should(self):
        """As in `python training.py > log`."""
        written, piped = self.in_terminal("epochs=55", stdout=subprocess.PIPE)
        assert piped == self.PRINTED
        assert "training" in written
        assert self.screen(written)[0].strip() == ""

    def test_none_without_a_terminal(self):
        with self.run("epochs=55", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, err = process.communicate()
        assert (out.decode(), err.decode()) == (self.PRINTED, "")


def moons():
    xs, rs = make_moons(100, noise=0.1, random_state=1)
    return list(zip(xs, 2 * rs - 1, strict=True)), nn.hinge, lambda s: nn.MLP(2, [16, 16, 1], hidden="relu", seed=s)


def iris():
    data = zip(*load_iris(return_X_y=True), strict=True)
    return list(data), nn.cross_entropy, lambda s: nn.MLP(4, [8, 3], seed=s)


def xor():
    return XOR, nn.binary_cross_entropy, lambda s: nn.MLP(2, [4, 1], seed=s)


@pytest.mark.parametrize(
    ("problem", "seeds", "least", "accuracy"), [(xor, 20, 19, 1.0), (moons, 3, 3, 0.99), (iris, 3, 3, 0.96)]
)
def test_learns_with_the_defaults(problem, seeds, least, accuracy):
    data, loss, make = problem()
    reached = []
    for seed in range(seeds):
        model = make(seed)
        history = nn.train(model, loss, data, seed=seed)
        reached.append(history.converged and nn.evaluate(model, loss, data)[1])
    assert sum(share >= accuracy for share in reached) >= least, reached


class TestTraining:
    @pytest.mark.parametrize("compiled", [False, True])
    def test_an_error_names_the_batch(self, compiled):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [([1.0], 1.0), ([1e200], 0.0)]
        with pytest.raises(ArithmeticError, match=r"^epoch 1, data\[1\]: "):
            nn.train(line, nn.mse, data, shuffle=False, compiled=compiled)
        assert line.state_dict() == {"w0": 0.0, "w1": 1.0}
        fast = nn.SGD(line.parameters(), 1e306)
        batch = r"data\[0\], data\[1\], data\[2\], data\[3\] and 1 more"
        with pytest.raises(OverflowError, match=rf"^epoch 1, the batch of {batch}: the step of w\d overflows"):
            nn.train(line, nn.mse, [([1e3], 0.0)] * 5, optimizer=fast, shuffle=False, compiled=compiled)
        with pytest.raises(OverflowError, match=r"batch of data\[0\], data\[1\], data\[2\], data\[3\]: the step"):
            nn.train(line, nn.mse, [([1e3], 0.0)] * 4, optimizer=fast, shuffle=False, compiled=compiled)

    def test_graphs_of_one_size_with_other_operations(self):
        found = []
        for compiled in (False, True):
            w = Value(0.5, "w")
            history = nn.train(
                lambda x: w * x if x > 0 else w + x,  # noqa: B023
                nn.mse, [(1.0, 2.0), (-1.0, 2.0), (2.0, 1.0)], optimizer=nn.SGD([w]), epochs=3, seed=1,
                compiled=compiled,
            )  # fmt: skip
            found.append([*history.loss, w.data])
        assert found[0] == pytest.approx(found[1], rel=1e-12, abs=0.0)

    @pytest.mark.parametrize("compiled", [False, True])
    def test_a_history_of_one_step(self, compiled):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [([1.0], 1), ([2.0], -1), ([3.0], 1)]
        sgd = nn.SGD(line.parameters(), 0.5)
        history = nn.train(line, nn.hinge, data, optimizer=sgd, epochs=1, shuffle=False, compiled=compiled)
        assert history.loss == pytest.approx([1.0])
        assert history.accuracy == pytest.approx([2 / 3])
        assert line.state_dict() == pytest.approx({"w0": -1 / 6, "w1": 1 - 1 / 3})

    @pytest.mark.parametrize("compiled", [False, True])
    def test_an_accuracy_of_ones_own(self, compiled):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [([1.0], 1.0), ([2.0], 2.5), ([3.0], 3.0), ([4.0], 4.0)]
        history = nn.train(
            line, nn.mse, data, optimizer=nn.SGD(line.parameters(), 0.0), epochs=2, until=lambda history: False,
            accuracy=lambda y, r: abs(float(y) - r) < 0.1, batch_size=3, compiled=compiled,
        )  # fmt: skip
        assert history.accuracy == [0.75, 0.75]
        assert history.loss == pytest.approx([0.0625, 0.0625])

    @pytest.mark.parametrize(
        ("loss", "targets"),
        [
            (nn.mse, [(1.0, 0.0), (0.25, 0.75)]),
            (nn.cross_entropy, [(1.0, 0.0), (0.25, 0.75)]),
            (nn.cross_entropy, [0, 1]),
            (nn.hinge, [(1, -1), (-1, -1)]),
            (nn.binary_cross_entropy, [(1, 0), (0, 0.75)]),
        ],
    )
    def test_compiled_is_what_it_is_on_values(self, loss, targets):
        data = [([0.1 * i, 1 - 0.2 * i], targets[i % 3 > 0]) for i in range(7)]
        found = []
        for compiled in (False, True):
            model = nn.MLP(2, [3, 2], seed=1)
            history = nn.train(model, loss, data, epochs=3, batch_size=3, seed=1, compiled=compiled)
            found.append((history.loss, history.accuracy, list(model.state_dict().values())))
        for on_values, replayed in zip(*found, strict=True):
            assert replayed == pytest.approx(on_values, rel=1e-9)

    def test_the_steps_of_an_epoch(self):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [([x], 0.0) for x in (1.0, 2.0, 3.0)]
        still = nn.SGD(line.parameters(), 0.0)
        history = nn.train(line, nn.mse, data, optimizer=still, epochs=1, batch_size=2, shuffle=False)
        assert history.steps == pytest.approx([2.5, 9.0])
        assert history.loss == pytest.approx([14 / 3])

    def test_two_batches_are_shuffled(self):
        found = set()
        for seed in range(8):
            line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
            sgd = nn.SGD(line.parameters(), 0.1)
            nn.train(line, nn.mse, [([1.0], 0.0), ([-2.0], 3.0)], optimizer=sgd, epochs=1, batch_size=1, seed=seed)
            found.add(line.weights[1].data)
        assert len(found) == 2

    @pytest.mark.parametrize("compiled", [False, True])
    def test_until_sees_the_parameters(self, compiled):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        sgd, seen = nn.SGD(line.parameters(), 0.25), []
        nn.train(
            line, nn.mse, [([1.0], 0.0)], optimizer=sgd, epochs=3, compiled=compiled,
            until=lambda history: seen.append(line.weights[1].data) or False,
        )  # fmt: skip
        assert seen == [0.5, 0.5, 0.5]

    def test_compiled_without_what_it_needs(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "nn.training.compiled", None)
        line = nn.Perceptron(1, "linear")
        with pytest.raises(
            ImportError, match=r"^compiled training needs nn\.training\.compiled: pip install 'glassgrad\[fast\]'$"
        ):
            nn.train(line, nn.mse, [([1.0], 1.0)], compiled=True)
        assert nn.train(line, nn.mse, [([1.0], 1.0)], epochs=2).epochs == 2

    @pytest.mark.parametrize("seed", range(20))
    def test_the_plateau_reads_histories_as_they_come(self, seed):
        """Its definition, on losses with ties, as they are added, of one history after another and of shorter ones."""
        rng = random.Random(seed)
        tolerance, patience = rng.choice([0.0, 1.0]), rng.randint(1, 4)
        stop = nn.plateau(tolerance, patience)
        histories = [nn.History(), nn.History()]
        for _ in range(60):
            history = histories[rng.random() < 0.1]
            for _ in range(rng.randint(1, 3)):
                history.add(float(rng.randint(0, 20)), None)
            if rng.random() < 0.1:
                del history.loss[rng.randint(0, history.epochs) :]
            before, last = history.loss[:-patience], history.loss[-patience:]
            assert stop(history) == (bool(before) and min(last) > min(before) - tolerance)

    def test_a_history_at_first(self):
        history = nn.History()
        assert repr(history) == "History: 0 epochs, not converged"
        assert history.converged is history.interrupted is False
