"""Perceptron: outputs, the decision rule and the learning rule, against NumPy and scikit-learn."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sklearn.linear_model

import nn
from engine import Value
from tests.nn.helpers import ACTIVATIONS, CORNERS, close, unchanged_by_error, values


class TestPerceptron:
    @pytest.mark.parametrize("name", ACTIVATIONS)
    @pytest.mark.parametrize("x", [(-0.4, 2.0), (0.3, -0.5), (1.5, -2.0)])  # w^T x = 1.6, -0.075, -2.25
    def test_output_and_gradients(self, name, x):
        f, w = ACTIVATIONS[name], [0.5, -1.5, 0.25]
        a = np.dot(w, (1, *x))
        neuron, inputs = nn.Perceptron(2, name, init=w), values(x)
        with np.errstate(invalid="ignore"):
            defined = np.isfinite(f(a))
        if not defined:
            with unchanged_by_error(neuron, ArithmeticError, "log|sqrt"):
                neuron(inputs)
            return
        y = neuron(inputs)
        assert y.data == close(float(f(a)))
        y.backward()
        slope = (f(a + 1e-6) - f(a - 1e-6)) / 2e-6
        assert [v.grad for v in neuron.weights] == pytest.approx([slope, slope * x[0], slope * x[1]], rel=1e-6)
        assert [v.grad for v in inputs] == pytest.approx([slope * w[1], slope * w[2]], rel=1e-6)

    @pytest.mark.parametrize(
        "x",
        [
            [1, 2], (1.0, 2.0), range(1, 3), [Fraction(1), np.float32(2)], values([1, 2]), [Value(1.0), 2],
            np.array([1.0, 2.0]), np.array([1, 2], "f4"), np.array([1, 2], "u1"), np.array([[1, 9], [2, 9]]).T[0],
            np.array(values([1, 2])),
        ],
    )  # fmt: skip
    def test_the_input_is_any_row_of_numbers(self, x):
        assert nn.Perceptron(2, "linear", init=[0.5, 10.0, 100.0])(x).data == 210.5

    @pytest.mark.parametrize("x", [3, 3.0, np.float32(3), Fraction(3), Value(3.0), [3], np.array([3.0])])
    def test_a_single_input_may_be_a_number(self, x):
        assert nn.Perceptron(1, "linear", init=(0.5, 10.0))(x).data == 30.5

    def test_labels(self):
        y = nn.Perceptron(2)([1, 2])
        (a,) = y.parents
        assert (y.label, a.label, [x.label for x in a.parents]) == ("y", "a", ["w0", "w1", "w2", "x0", "x1", "x2"])
        assert [x.data for x in a.parents[3:]] == [1.0, 1.0, 2.0]
        assert all(x.is_constant for x in a.parents[3:])
        y = nn.Perceptron(1, "linear", label="out")(3)
        assert (y.op, y.label, [x.label for x in y.parents]) == ("dot", "out.y", ["out.w0", "out.w1", "x0", "x1"])
        height = Value(3.0, "height")
        y = nn.Perceptron(1, label="out")(height)
        assert (y.label, y.parents[0].label, y.parents[0].parents[3]) == ("out.y", "out.a", height)
        assert height.label == "height"

    @pytest.mark.parametrize(
        ("x", "error", "words"),
        [
            *[(x, ValueError, f"2 inputs .*got {len(x)}") for x in ([], [1], (1, 2, 3), np.array([[1.0, 2.0]]))],
            *[
                (x, TypeError, f"2 inputs .*got {type(x).__name__}")
                for x in (7, Value(7), "12", {1, 2}, None, iter([]))
            ],
            *[([1, x], TypeError, f"x2 .*real number, got {type(x).__name__}") for x in ("2", None, True, [2])],
            *[([x, 1], ValueError, f"x1 .*finite.* got {x}") for x in (math.nan, -math.inf)],
            ([1e308, 1e308], OverflowError, "overflows"),
        ],
    )
    def test_wrong_inputs_change_nothing(self, x, error, words):
        neuron = nn.Perceptron(2, "sign", init=[0.5, 10.0, 100.0])
        for use in (neuron, neuron.classify, lambda x: neuron.learn(x, 1)):
            with unchanged_by_error(neuron, error, words):
                use(x)

    @pytest.mark.parametrize("name", ["sign", "linear", "sigmoid", "relu"])
    def test_the_class_is_1_where_the_weighted_sum_is_positive(self, name):
        neuron = nn.Perceptron(2, name, init=[-1.0, 2.0, 4.0])
        choices = {(0.5, 0.0): 2, (0.5, 1e-9): 1, (0.0, 0.25): 2, (0.0, 0.2): 2, (3.0, -1.0): 1, (-3.0, 1.0): 2}
        assert {x: neuron.classify(x) for x in choices} == choices

    def test_repr_has_the_defaults(self):
        assert repr(nn.Perceptron(2)) == "Perceptron(2, 'sigmoid')"


class TestLearn:
    @pytest.mark.parametrize(
        ("x", "r", "error", "weights"),
        [
            ((1.0, 0.0), 1, 0.0, [0.5, 1.0, -1.0]),  # right: nothing
            ((0.0, 1.0), -1, 0.0, [0.5, 1.0, -1.0]),
            ((1.0, 0.0), -1, -2.0, [0.3, 0.8, -1.0]),  # too high: lower the weights of active inputs
            ((0.0, 2.0), 1, 2.0, [0.7, 1.0, -0.6]),  # too low: raise them
            ((-3.0, 1.0), 1, 2.0, [0.7, 0.4, -0.8]),
            ((0.5, 1.0), 1, 2.0, [0.7, 1.1, -0.8]),  # on the line the output is -1
        ],
    )
    def test_the_rule_of_page_8(self, x, r, error, weights):
        neuron = nn.Perceptron(2, "sign", init=[0.5, 1.0, -1.0])
        assert neuron.learn(x, r) == error
        assert [w.data for w in neuron.weights] == close(weights)

    @pytest.mark.parametrize("name", ACTIVATIONS)
    def test_against_the_formula(self, name):
        w, x, r = np.array([0.5, -1.5, 0.25]), (-0.4, 2.0), 1 if name == "sign" else 0.3
        neuron = nn.Perceptron(2, name, init=list(w))
        for v in neuron.weights:
            v.grad = 7.0
        error = r - ACTIVATIONS[name](w @ (1, *x))
        assert neuron.learn(x, r, learning_rate=0.5) == close(float(error))
        assert [v.data for v in neuron.weights] == close(w + 0.5 * error * np.array([1, *x]))
        assert [v.grad for v in neuron.weights] == [7.0] * 3

    @pytest.mark.parametrize("r", [0, 1, 0.25])
    def test_is_gradient_descent(self, r):
        for name, loss in {"linear": lambda a, r: nn.mse(a, r) / 2, "sigmoid": nn.binary_cross_entropy}.items():
            neuron, twin = nn.Perceptron(3, name, seed=1), nn.Perceptron(3, "linear", seed=1)
            loss(twin([0.5, -2.0, 3.0]), r).backward()
            nn.SGD(twin.parameters(), learning_rate=0.1).step()
            neuron.learn([0.5, -2.0, 3.0], r)
            assert [w.data for w in neuron.weights] == close([w.data for w in twin.weights])

    @pytest.mark.parametrize(
        ("name", "x", "r", "rate", "error", "words"),
        [
            ("sign", 1, 0, 0.1, ValueError, "r .* 1 or -1, got int 0"),
            ("sign", 1, "1", 0.1, (TypeError, ValueError), "got str '1'"),
            ("linear", 1, "1", 0.1, TypeError, "str"),
            ("linear", 1, math.nan, 0.1, ValueError, "finite.* got nan"),
            ("linear", 1, 0, math.nan, ValueError, "finite.* got nan"),
            ("linear", 1, 0, None, TypeError, "NoneType"),
            ("linear", 1e9, 0, 1e297, OverflowError, "overflows"),  # of w1 alone
        ],
    )
    def test_wrong_arguments_change_nothing(self, name, x, r, rate, error, words):
        neuron = nn.Perceptron(1, name, init=[0.5, 10.0])
        with unchanged_by_error(neuron, error, words):
            neuron.learn(x, r, rate)

    def test_defaults(self):
        neuron = nn.Perceptron(1, "linear", init=[0.0, 0.0])
        assert neuron.learn([2.0], r=1) == 1.0
        assert neuron.state_dict() == {"w0": 0.1, "w1": 0.2}


class TestFit:
    @pytest.mark.parametrize("seed", range(20))
    def test_makes_no_more_corrections_than_the_convergence_theorem_allows(self, seed):
        """Novikoff 1962: at most (R / margin)**2 corrections from zero weights, where x includes x0 = 1."""
        rng = np.random.default_rng(seed)
        normal = rng.normal(size=seed % 5 + 2)
        normal /= np.linalg.norm(normal)
        points = np.c_[np.ones(300), rng.uniform(-1, 1, (300, len(normal) - 1))]
        points = points[abs(points @ normal) > 0.05][:60]
        bound = (points**2).sum(1).max() / abs(points @ normal).min() ** 2
        data = [(x[1:], 1 if x @ normal > 0 else -1) for x in points]
        neuron = nn.Perceptron(len(normal) - 1, "sign", init=[0.0] * len(normal))
        history = neuron.fit(data, epochs=int(bound) + 1, learning_rate=0.3, seed=seed)
        assert history.converged
        assert history.accuracy[-1] == 1.0
        assert sum(round((1 - right) * len(data)) for right in history.accuracy) <= bound
        assert all(neuron(x).data == r for x, r in data)

    @pytest.mark.parametrize("targets", [(-1, -1, -1, 1), (-1, 1, 1, 1), (1, 1, 1, -1), (1, 1, 1, 1), (-1, -1, -1, -1)])
    def test_logic_gates(self, targets):
        neuron = nn.Perceptron(2, "sign", seed=2)
        assert neuron.fit(zip(CORNERS, targets, strict=True), seed=1).converged
        assert [neuron(x).data for x in CORNERS] == list(targets)
        assert [neuron.classify(x) for x in CORNERS] == [1 if r == 1 else 2 for r in targets]

    def test_xor_never_converges(self):
        history = nn.Perceptron(2, "sign", seed=1).fit(list(zip(CORNERS, (-1, 1, 1, -1), strict=True)), epochs=50)
        assert (history.converged, history.interrupted, history.epochs) == (False, False, 50)
        assert len(history.loss) == len(history.accuracy) == 50
        assert max(history.accuracy) < 1.0
        assert "50 epochs, not converged" in repr(history)

    @pytest.mark.parametrize("epochs", [1, 2, 7])
    def test_agrees_with_scikit_learn(self, epochs):
        """A mistake changes w by eta * r * x there, and by eta * (r - y) * x here, which is twice as much."""
        rng = np.random.default_rng(3)
        x = rng.normal(size=(50, 3))
        r = np.where(x @ [1.0, -2.0, 0.5] + 0.3 + rng.normal(size=50) > 0, 1, -1)
        neuron = nn.Perceptron(3, "sign", init=[0.1, -0.2, 0.3, 0.4])
        neuron.fit(zip(x, r, strict=True), learning_rate=0.1, epochs=epochs, shuffle=False)
        peer = sklearn.linear_model.Perceptron(eta0=0.2, shuffle=False, max_iter=epochs, tol=None)
        peer.fit(x, r, coef_init=np.array([[-0.2, 0.3, 0.4]]), intercept_init=np.array([0.1]))
        assert [w.data for w in neuron.weights] == close([peer.intercept_[0], *peer.coef_[0]])
        assert [neuron.classify(row) for row in x] == [1 if r == 1 else 2 for r in peer.predict(x)]

    @pytest.mark.parametrize("name", ["sign", "linear", "sigmoid"])
    def test_the_history_against_numpy(self, name):
        x, r = np.array(CORNERS) - 0.25, [1, -1, -1, 1]
        w, losses, rights = np.array([0.1, -0.2, 0.3]), [], []
        for _ in range(3):
            errors = []
            for z, target in zip(np.c_[np.ones(4), x], r, strict=True):
                errors.append(target - ACTIVATIONS[name](w @ z))
                w = w + 0.25 * errors[-1] * z
            losses.append(np.mean(np.square(errors)) / 2)
            rights.append(errors.count(0) / 4)
        neuron = nn.Perceptron(2, name, init=[0.1, -0.2, 0.3])
        history = neuron.fit(zip(x, r, strict=True), epochs=3, learning_rate=0.25, shuffle=False)
        assert [v.data for v in neuron.weights] == close(w)
        assert history.loss == close(losses)
        assert history.accuracy == (rights if name == "sign" else [])

    def test_random_orders(self):
        class Watched(nn.Perceptron):
            def learn(self, x, r, learning_rate):
                seen.append(x)
                return r

        def orders(**options):
            seen.clear()
            Watched(1).fit(data, epochs=30, until=lambda history: False, **options)
            return [tuple(seen[i : i + 6]) for i in range(0, 180, 6)]

        seen, data = [], [(x, 1.0) for x in range(6)]
        assert all(sorted(order) == list(range(6)) for order in orders())
        assert len(set(orders(seed=1))) > 20
        assert orders(seed=1) == orders(seed=1) != orders(seed=2)
        assert set(orders(shuffle=False)) == {tuple(range(6))}
        assert [x for x, _ in data] == list(range(6))

    def test_until_decides_when_to_stop(self):
        line = [(x, 2 * x + 1) for x in (-1.0, 0.0, 0.5, 1.0)]
        neuron = nn.Perceptron(1, "linear", seed=1)
        history = neuron.fit(line, until=lambda history: history.loss[-1] < 1e-3)
        assert history.converged
        assert history.loss[-1] < 1e-3 <= history.loss[-2]
        history = neuron.fit(line, epochs=1000, seed=1)
        assert history.converged
        assert [w.data for w in neuron.weights] == pytest.approx([1.0, 2.0], abs=1e-2)
        assert neuron.fit(line, epochs=1).converged is False

    @pytest.mark.parametrize(
        ("data", "error", "words"),
        [
            ([], ValueError, "none"),
            ([(1, 1), (1,)], TypeError, r"data\[1\]"),
            ([((1, 2), 1)], ValueError, r"epoch 1, data\[0\].* 1 input .*got 2"),
            ([(1, 1)] * 9 + [(1, 0)], ValueError, r"epoch 1, data\[9\].* 1 or -1, got int 0"),
        ],
    )
    def test_wrong_data_change_nothing(self, data, error, words):
        neuron = nn.Perceptron(1, "sign", init=[0.0, 1.0])
        with unchanged_by_error(neuron, error, words):
            neuron.fit(data, seed=1)
        with unchanged_by_error(neuron, ValueError, "epochs .*1.* got 0"):
            neuron.fit([(1, -1)], epochs=0)

    def test_posterior_agrees_with_logistic_regression(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(60, 2))
        r = (x @ [1.0, -2.0] + rng.logistic(size=60) > 0).astype(int)
        line, neuron = nn.Perceptron(2, "linear", seed=1), nn.Perceptron(2, "sigmoid", seed=2)
        optimizer = nn.SGD(line.parameters(), learning_rate=4.0)
        for _ in range(150):
            optimizer.zero_grad()
            nn.binary_cross_entropy([line(row) for row in x], r).backward()
            optimizer.step()
        neuron.load_state_dict(line.state_dict())
        peer = sklearn.linear_model.LogisticRegression(C=np.inf, tol=1e-9).fit(x, r)
        assert [neuron(row).data for row in x] == pytest.approx(peer.predict_proba(x)[:, 1], abs=1e-4)

    def test_defaults(self):
        neuron = nn.Perceptron(1, "sign", init=[0.0, 0.0])
        assert neuron.fit([([1.0], 1), ([1.0], -1)]).epochs == 100


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Perceptron(0), "n_inputs .*1.* got 0"),
        (lambda: nn.Perceptron(1.5), "n_inputs .*int.* got float 1.5"),
        (lambda: nn.Perceptron(True), "n_inputs .*int.* got bool True"),
        (lambda: nn.Perceptron(2**63), "n_inputs .* 9223372036854775808"),
        (lambda: nn.Perceptron(1, init=[1.0]), "init .* 2 weights w0 to w1, got 1"),
        (lambda: nn.Perceptron(2, init=[1, 2, 3, 4]), "init .* 3 weights w0 to w2, got 4"),
        (lambda: nn.Perceptron(2, init=[1, "2", 3]), "got str '2'"),
        (lambda: setattr(nn.Perceptron(2), "weights", (Value(1.0),)), "weights .* 3 Values w0 to w2, got 1"),
        (lambda: nn.Perceptron(1, label=3), "label .*str.* got int 3"),
        (lambda: nn.Perceptron(2)([1.0]), r"^x .* 2 inputs for Perceptron\(2, 'sigmoid'\), got 1: list \[1.0\]"),
        (lambda: nn.Perceptron(1)([1.0, 2.0]), r"^x .* 1 input for Perceptron\(1, 'sigmoid'\), got 2: list \[1.0, 2"),
        (lambda: nn.Perceptron(2)(1.0), r"^x .* 2 inputs for Perceptron\(2, 'sigmoid'\), .*list.*, got float 1.0"),
        (lambda: nn.Perceptron(2)([1.0, "2"]), "x2 .*real number, got str '2'"),
        (lambda: nn.Perceptron(1).learn([1.0], "1"), "r .*real number, got str '1'"),
        (lambda: nn.Perceptron(1).learn([1.0], 1, -1), "learning_rate .*0.* got -1"),
        (lambda: nn.Perceptron(1).learn([1.0], 1, "1"), "learning_rate .*real number, got str '1'"),
        (lambda: nn.Perceptron(1).learn([], 1), r"^x .* 1 input for Perceptron\(1, 'sigmoid'\), got 0: list \[\]"),
        (lambda: nn.Perceptron(1, "sign").classify([]), r"^x .* 1 input for Perceptron\(1, 'sign'\), got 0: list \[\]"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_fit_calls_back_after_every_epoch_with_the_losses_of_all_examples():
    neuron, seen = nn.Perceptron(2, "sign", init=[0, 0, 0]), []
    data = list(zip(CORNERS, (-1, -1, -1, 1), strict=True))

    def look(history):
        seen.append((history.epochs, len(history.steps), [w.data for w in neuron.weights]))

    history = neuron.fit(data, callback=look, shuffle=False, learning_rate=0.5)
    assert [epochs for epochs, _, _ in seen] == list(range(1, history.epochs + 1))
    assert [n for _, n, _ in seen] == [4 * epochs for epochs, _, _ in seen]
    assert seen[-1][2] == [w.data for w in neuron.weights]
    assert seen[0][2] != seen[-1][2]
    assert sum(loss > 0 for loss in history.steps) == 10, "the mistakes on AND"
    assert {*history.steps} == {0.0, 2.0}
