"""The training loop against NumPy, its errors, and Ctrl-C."""

import copy
import math
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_iris, make_moons

import nn
from engine import Value, no_grad
from nn.optimizers import UpdateRule
from tests.nn.helpers import XOR
from tests.nn.training.helpers import LINE, line, never

ROOT = Path(__file__).parents[3]


def interrupt(*arguments):
    raise KeyboardInterrupt


class TestLoop:
    @pytest.mark.parametrize("batch_size", [1, 3, 19, 20, None])
    def test_is_gradient_descent(self, batch_size):
        """Logistic regression against NumPy; the last batch of 3 of 19 examples has one."""
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

    def test_a_function_and_its_optimizer(self):
        slope, shift = Value(0.0, "slope"), Value(0.5, "shift")
        optimizer = nn.SGD([slope], learning_rate=0.1)
        nn.train(lambda x: slope * x + shift, nn.mse, LINE, optimizer=optimizer, epochs=300, until=never)
        moment = np.dot(*zip(*[(x, r - 0.5) for x, r in LINE], strict=True)) / np.dot(*[[x for x, _ in LINE]] * 2)
        assert slope.data == pytest.approx(moment, rel=1e-10, abs=0.0)
        assert shift.data == 0.5, "not a parameter of the optimizer"
        with pytest.raises(TypeError, match=r"model must be a Module, got function .*optimizer"):
            nn.train(lambda x: slope * x, nn.mse, LINE)

    def test_a_custom_loss(self):
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
    def test_data_may_be_any_iterable_of_pairs(self, wrap):
        one, two = line(), line()
        assert nn.train(one, nn.mse, LINE, epochs=3, seed=1) == nn.train(two, nn.mse, wrap(LINE), epochs=3, seed=1)
        assert one.state_dict() == two.state_dict()

    def test_the_data_do_not_change(self):
        data = [(np.array(x, float), r) for x, r in XOR]
        before = copy.deepcopy(data)
        nn.train(nn.MLP(2, [2, 1], seed=1), nn.binary_cross_entropy, data, epochs=5, seed=1)
        assert [(list(x), r) for x, r in data] == [(list(x), r) for x, r in before]

    def test_earlier_gradients_do_not_count(self):
        one, two = line(), line()
        for p in two.parameters():
            p.grad = 1e6
        nn.train(one, nn.mse, LINE, epochs=1, seed=1)
        nn.train(two, nn.mse, LINE, epochs=1, seed=1)
        assert one.state_dict() == two.state_dict()

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

    def test_stops_on_a_plateau_by_default(self):
        model = line()
        history = nn.train(model, nn.mse, LINE, optimizer=nn.SGD(model.parameters(), learning_rate=0.0), seed=1)
        assert (history.epochs, history.converged) == (21, True)

    @pytest.mark.parametrize("compiled", [False, None])
    def test_the_history_has_the_loss_of_every_step(self, compiled):
        model = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [(1.0, 2.0), (2.0, 5.0), (3.0, 3.0)]
        history = nn.train(
            model, nn.mse, data, optimizer=nn.SGD(model.parameters(), 0.0), epochs=2, batch_size=2, shuffle=False,
            until=never, compiled=compiled,
        )  # fmt: skip
        assert history.steps == pytest.approx([5.0, 0.0] * 2)
        assert history.loss == pytest.approx([10 / 3] * 2)


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

    def test_every_epoch_has_its_own_order(self):
        orders = self.orders(seed=1)
        assert [sorted(order) for order in orders] == [list(range(10))] * 3
        assert len({tuple(order) for order in [range(10), *orders]}) == 4

    def test_depends_on_the_seed(self):
        assert self.orders(seed=1) == self.orders(seed=1) == self.orders(seed=random.Random(1))
        assert self.orders(seed=1) != self.orders(seed=2)
        assert self.orders() != self.orders()

    def test_without_shuffle(self):
        assert self.orders(shuffle=False) == [list(range(10))] * 3

    def test_same_seed_same_history(self):
        histories = [
            nn.train(nn.MLP(2, [3, 1], seed=1), nn.binary_cross_entropy, XOR, batch_size=1, epochs=20, seed=seed)
            for seed in (7, 7, 8)
        ]
        assert histories[0] == histories[1] != histories[2]


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
    def test_against_scikit_learn(self, outputs, loss, targets, expected, accuracy):
        def model(x):
            return [Value(y) for y in x] if np.ndim(x) else Value(x)

        mean, share = nn.evaluate(model, loss, zip(outputs, targets, strict=True))
        assert mean == pytest.approx(expected, rel=1e-12, abs=0.0)
        assert share == (accuracy and pytest.approx(accuracy))

    def test_a_custom_accuracy(self):
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
    def test_data_that_are_not_pairs(self, data, error, words):
        for use in (nn.train, nn.evaluate):
            with pytest.raises(error, match=words):
                use(line(), nn.mse, data)

    @pytest.mark.parametrize(
        ("pair", "error", "words"),
        [
            (((1.0, 2.0), 1.0), ValueError, " 1 input .*got 2"), (((), 1.0), ValueError, "got 0"),
            (("1", 1.0), TypeError, "str '1'"), ((None, 1.0), TypeError, "None"),
            ((math.nan, 1.0), ValueError, "finite.*nan"), ((1.0, math.nan), ValueError, "target.*nan"),
            ((1.0, math.inf), ValueError, "target.*inf"), ((1.0, "1"), TypeError, "target.*str '1'"),
            ((1.0, [1.0, 2.0]), ValueError, "as many outputs as targets"),
            ((1e308, 1.0), ArithmeticError, "overflow"), ((10**400, 1.0), ArithmeticError, "fit into a float"),
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
    def test_a_loss_must_return_a_value(self, loss):
        for use in (nn.train, nn.evaluate):
            with pytest.raises(TypeError, match=r"data\[\d\]: loss must return a Value, got (float|list|NoneType)"):
                use(line(), loss, LINE)

    @pytest.mark.parametrize(
        ("options", "error", "words"),
        [
            ({"epochs": 0}, ValueError, "epochs .*1.* got 0"), ({"epochs": 1.5}, TypeError, "epochs"),
            ({"batch_size": 0}, ValueError, "batch_size .*1.* got 0"), ({"seed": "1"}, TypeError, "seed"),
            ({"batch_size": True}, TypeError, "batch_size"),
        ],
    )  # fmt: skip
    def test_wrong_options(self, options, error, words):
        with pytest.raises(error, match=words):
            nn.train(line(), nn.mse, LINE, **options)

    @pytest.mark.parametrize("where", ["model", "loss", "accuracy", "callback", "until", "schedule"])
    @pytest.mark.parametrize("error", [KeyError("k"), OSError(2, "no file"), Exception("mine", 42), SystemExit(3)])
    def test_exceptions_of_the_user_pass_through(self, where, error):
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
    """The same on Values and on arrays."""

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

    def test_graphs_with_different_operations(self):
        results = []
        for compiled in (False, True):
            w = Value(0.5, "w")
            history = nn.train(
                lambda x: w * x if x > 0 else w + x,  # noqa: B023
                nn.mse, [(1.0, 2.0), (-1.0, 2.0), (2.0, 1.0)], optimizer=nn.SGD([w]), epochs=3, seed=1,
                compiled=compiled,
            )  # fmt: skip
            results.append([*history.loss, w.data])
        assert results[0] == pytest.approx(results[1], rel=1e-12, abs=0.0)

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
    def test_a_custom_accuracy(self, compiled):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [([1.0], 1.0), ([2.0], 2.5), ([3.0], 3.0), ([4.0], 4.0)]
        history = nn.train(
            line, nn.mse, data, optimizer=nn.SGD(line.parameters(), 0.0), epochs=2, until=lambda history: False,
            accuracy=lambda y, r: abs(y.data - r) < 0.1, batch_size=3, compiled=compiled,
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
    def test_compiled_gives_the_same_as_values(self, loss, targets):
        data = [([0.1 * i, 1 - 0.2 * i], targets[i % 3 > 0]) for i in range(7)]
        results = []
        for compiled in (False, True):
            model = nn.MLP(2, [3, 2], seed=1)
            history = nn.train(model, loss, data, epochs=3, batch_size=3, seed=1, compiled=compiled)
            results.append((history.loss, history.accuracy, list(model.state_dict().values())))
        for on_values, replayed in zip(*results, strict=True):
            assert replayed == pytest.approx(on_values, rel=1e-9)

    def test_the_steps_of_an_epoch(self):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [([x], 0.0) for x in (1.0, 2.0, 3.0)]
        still = nn.SGD(line.parameters(), 0.0)
        history = nn.train(line, nn.mse, data, optimizer=still, epochs=1, batch_size=2, shuffle=False)
        assert history.steps == pytest.approx([2.5, 9.0])
        assert history.loss == pytest.approx([14 / 3])

    def test_two_batches_are_shuffled(self):
        weights = set()
        for seed in range(8):
            line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
            sgd = nn.SGD(line.parameters(), 0.1)
            nn.train(line, nn.mse, [([1.0], 0.0), ([-2.0], 3.0)], optimizer=sgd, epochs=1, batch_size=1, seed=seed)
            weights.add(line.weights[1].data)
        assert len(weights) == 2

    @pytest.mark.parametrize("compiled", [False, True])
    def test_until_sees_the_parameters(self, compiled):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        sgd, seen = nn.SGD(line.parameters(), 0.25), []
        nn.train(
            line, nn.mse, [([1.0], 0.0)], optimizer=sgd, epochs=3, compiled=compiled,
            until=lambda history: seen.append(line.weights[1].data) or False,
        )  # fmt: skip
        assert seen == [0.5, 0.5, 0.5]

    def test_compiled_without_llvmlite(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "nn.training.compiled", None)
        line = nn.Perceptron(1, "linear")
        with pytest.raises(
            ImportError, match=r"^compiled training needs nn\.training\.compiled: pip install 'glassgrad\[fast\]'$"
        ):
            nn.train(line, nn.mse, [([1.0], 1.0)], compiled=True)
        assert nn.train(line, nn.mse, [([1.0], 1.0)], epochs=2).epochs == 2


@pytest.mark.parametrize("compiled", [False, True, None])
class TestInsideNoGrad:
    def test_training_records(self, compiled):
        one, two = line(), line()
        expected = nn.train(one, nn.mse, LINE, epochs=30, seed=1, compiled=compiled)
        with no_grad():
            history = nn.train(two, nn.mse, LINE, epochs=30, seed=1, compiled=compiled)
            assert not (Value(1.0) * 2).parents, "recording is off again"
        assert (history, two.state_dict()) == (expected, one.state_dict())

    def test_a_callback_records_nothing(self, compiled):
        parents = []
        with no_grad():
            nn.train(
                line(), nn.mse, LINE, epochs=2, compiled=compiled,
                callback=lambda history: parents.append((Value(1.0) * 2).parents),
            )  # fmt: skip
        assert parents == [(), ()]


def test_the_learning_rule_inside_no_grad():
    one, two = line(), line()
    history = one.fit(LINE, seed=1)
    with no_grad():
        assert two.fit(LINE, seed=1) == history
    assert one.state_dict() == two.state_dict()


@pytest.mark.parametrize("compiled", [False, True])
class TestChangesInACallback:
    """What a callback changes counts from the next step on, as if the training had begun there."""

    def trained(self, compiled, change, make=nn.Adam, **options):
        """Train for two times five epochs, with the change between them: by a callback, or by hand."""
        results = []
        for by_hand in (False, True):
            model = nn.MLP(2, [3, 1], seed=1)
            data = [([x, 1.0 - x * x], math.sin(3 * x)) for x in (-1.0, -0.4, 0.1, 0.8, 1.0)]
            optimizer = make(model.parameters())
            parts = model, data, optimizer
            common = {"optimizer": optimizer, "until": never, "shuffle": False, "batch_size": 2} | options
            if by_hand:
                nn.train(model, nn.mse, data, epochs=5, compiled=False, **common)
                change(*parts)
                nn.train(model, nn.mse, data, epochs=5, compiled=False, **common)
            else:
                nn.train(
                    model, nn.mse, data, epochs=10, compiled=compiled, **common,
                    callback=lambda history, parts=parts: history.epochs == 5 and change(*parts),
                )  # fmt: skip
            results.append([p.data for p in model.parameters()])
        assert results[0] == pytest.approx(results[1], rel=1e-9)

    def test_the_numbers_of_an_example(self, compiled):
        def change(model, data, optimizer):
            data[1][0][0] = 0.5

        self.trained(compiled, change)

    def test_examples_in_lists_and_arrays(self, compiled):
        data = [[np.array([x]), x] for x in (1.0, 2.0)]
        model = line()

        def change(history):
            data[0][0][0], data[1][1] = 3.0, -1.0

        history = nn.train(
            model, nn.mse, data, optimizer=nn.SGD(model.parameters(), 0.0), epochs=2, callback=change,
            shuffle=False, compiled=compiled,
        )  # fmt: skip
        assert history.loss[1] == pytest.approx(nn.evaluate(model, nn.mse, data)[0])

    def test_values_as_examples(self, compiled):
        x, w = Value(1.0), Value(2.0, "w")
        history = nn.train(
            lambda x: w * x, nn.mse, [(x, 0.0)], optimizer=nn.SGD([w], 0.0), epochs=2, compiled=compiled,
            callback=lambda history: setattr(x, "data", 3.0),
        )  # fmt: skip
        assert history.loss == pytest.approx([4.0, 36.0])

    @pytest.mark.parametrize("make", [nn.Adam, lambda ps: nn.SGD(ps, 0.1, momentum=0.9)], ids=["Adam", "SGD"])
    @pytest.mark.parametrize("kept", [slice(2, None), slice(None, 3), slice(None, None, -1)], ids=str)
    def test_the_parameters_of_the_optimizer(self, compiled, make, kept):
        def change(model, data, optimizer):
            optimizer.parameters = model.parameters()[kept]

        self.trained(compiled, change, make)

    def test_a_parameter_that_is_taken_out_and_put_back(self, compiled):
        changes = iter([lambda ps: ps.pop(1), lambda ps: ps.append(model.weights[1]), lambda ps: None])
        model = line()
        optimizer = nn.SGD(model.parameters(), 0.1)
        seen = []

        def callback(history):
            seen.append(model.weights[1].data)
            next(changes)(optimizer.parameters)

        nn.train(model, nn.mse, LINE, optimizer=optimizer, epochs=3, callback=callback, compiled=compiled)
        assert seen[0] == seen[1] != seen[2]

    def test_a_wrong_parameter_is_refused(self, compiled):
        model = line()
        optimizer = nn.SGD(model.parameters())
        with pytest.raises(TypeError, match=r"parameters must be leaf Values, got str 'w'"):
            nn.train(
                model, nn.mse, LINE, optimizer=optimizer, compiled=compiled,
                callback=lambda history: optimizer.parameters.append("w"),
            )  # fmt: skip

    @pytest.mark.parametrize("name", ["learning_rate", "momentum", "weight_decay"])
    def test_settings_of_the_optimizer(self, compiled, name):
        self.trained(compiled, lambda model, data, optimizer: setattr(optimizer, name, 0.25), nn.SGD)

    def test_another_rule(self, compiled):
        rule = UpdateRule(state={"velocity": "grad"}, data="data - 0.01*grad/(grad*grad + 1)")
        self.trained(compiled, lambda model, data, optimizer: setattr(optimizer, "rule", rule), nn.SGD)

    def test_the_state_of_the_optimizer(self, compiled):
        def change(model, data, optimizer):
            optimizer.state = [(0.0, 0.0)] * len(optimizer.state)
            optimizer.steps = 0

        self.trained(compiled, change)

    def test_other_weights_and_another_activation(self, compiled):
        def change(model, data, optimizer):
            neuron = model.layers[0].neurons[1]
            neuron.weights = tuple(Value(w.data / 2, w.label) for w in neuron.weights)
            neuron.activation = "sin"
            optimizer.parameters = model.parameters()

        self.trained(compiled, change)

    def test_an_error_names_the_epoch(self, compiled):
        data = [[[1.0], 1.0], [[2.0], 2.0]]
        with pytest.raises(TypeError, match=r"^epoch 2, data\[1\]: x1 .*real number, got str 'x'"):
            nn.train(
                line(), nn.mse, data, compiled=compiled, shuffle=False,
                callback=lambda history: data[1].__setitem__(0, ["x"]),
            )  # fmt: skip

    def test_functions_that_are_false(self, compiled):
        class Log(list):
            def __call__(self, *arguments):
                self.calls = getattr(self, "calls", 0) + 1
                return 0.5

        callback, schedule, accuracy, until = Log(), Log(), Log(), Log()
        history = nn.train(
            line(), nn.mse, LINE, epochs=2, callback=callback, schedule=schedule, accuracy=accuracy, until=until,
            batch_size=None, compiled=compiled,
        )  # fmt: skip
        assert (callback.calls, schedule.calls, accuracy.calls, until.calls) == (1, 1, 5, 1)
        assert history.accuracy == [0.5]
        nn.evaluate(line(), nn.mse, LINE, accuracy=accuracy)
        assert accuracy.calls == 10


@pytest.mark.parametrize("compiled", [False, True])
class TestNothingLearns:
    def history(self, model, compiled, **options):
        options = {"optimizer": nn.SGD(model.parameters() if isinstance(model, nn.Module) else [Value(1.0)])} | options
        return nn.train(model, nn.mse, XOR, compiled=compiled, seed=1, **options)

    def test_because_of_a_threshold(self, compiled):
        history = self.history(nn.MLP(2, [4, 1], output="sign", seed=1), compiled)
        assert not history.converged
        assert repr(history).startswith(
            "History: 21 epochs, no parameter learns: the derivative of sign is 0 everywher"
        )

    @pytest.mark.parametrize("cut", [lambda y: Value(y.data), lambda y: Value(y.data) * 2 + 1])
    def test_because_the_graph_is_cut_off(self, compiled, cut):
        neuron = nn.Perceptron(2, "tanh", seed=1)
        history = self.history(lambda x: cut(neuron(x)), compiled, optimizer=nn.SGD(neuron.parameters()))
        assert not history.converged
        assert "no parameter learns: none is in the graph of the loss (did .data, detach()" in repr(history)

    def test_because_no_grad_is_in_the_model(self, compiled):
        @no_grad()
        def model(x):
            return Value(neuron(x).data)

        neuron = nn.Perceptron(2, "tanh", seed=1)
        history = self.history(model, compiled, optimizer=nn.Adam(neuron.parameters()), epochs=3)
        assert "3 epochs, no parameter learns: none is in the graph" in repr(history)

    def test_because_the_weights_are_a_minimum(self, compiled):
        """The best line for XOR gives 0 everywhere."""
        model = nn.Perceptron(2, "linear", init=[0.0, 0.0, 0.0])
        data = [(x, 2 * r - 1) for x, r in XOR]
        history = nn.train(model, nn.hinge, data, compiled=compiled)
        assert history.converged
        assert "21 epochs, no parameter learns: every gradient is exactly 0 (the first weights" in repr(history)

    def test_because_the_weights_are_a_saddle(self, compiled):
        model = nn.MLP(2, [4, 1], seed=1)
        model.load_state_dict(dict.fromkeys(model.state_dict(), 0.0) | {"layer2.w10": 0.5})
        assert "no parameter learns: every gradient is exactly 0" in repr(self.history(model, compiled))

    def test_unless_there_is_nothing_to_learn(self, compiled):
        w = Value(5.0)
        history = nn.train(lambda x: w * x, nn.hinge, [(1.0, 1)], optimizer=nn.SGD([w]), compiled=compiled)
        assert history.converged
        assert "learns" not in repr(history)

    def test_unless_one_parameter_learns(self, compiled):
        history = self.history(nn.MLP(2, [4, 1], "sign", seed=1), compiled)
        assert history.converged
        assert "learns" not in repr(history)
