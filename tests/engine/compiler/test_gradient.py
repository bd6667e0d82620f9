"""Compiled gradients: of every row with respect to the inputs, and of the mean with respect to arrays of parameters."""

import random

import numpy as np
import pytest

import engine
import nn
from engine import Value, topological_order
from tests.engine.test_random_graphs import record
from tests.engine.test_random_rules import number, random_rule

SYMBOLS = [symbol for symbol in engine.RULES if symbol not in engine.custom.CUSTOM_RULES]


def eagerly(root, inputs, rows):
    """The gradient of every row, by engine.grad."""
    gradients = []
    for row in rows:
        for x, at in zip(inputs, row, strict=True):
            x.data = float(at)
        root.forward()
        gradients.append(engine.grad(root, inputs))
    return np.array(gradients)


@pytest.mark.parametrize("n", [60, pytest.param(600, marks=pytest.mark.exhaustive)])
def test_rows_of_random_graphs(n, tried):
    rng = random.Random(3)
    while n:
        at = [round(rng.uniform(-3, 3), 3) for _ in range(rng.randint(2, 4))]
        program = [(rng.choice(SYMBOLS), *(rng.randrange(8) for _ in "ijk")) for _ in range(rng.randint(5, 30))]
        leaves, root, _ = record(at, program)
        used = [x for x in leaves if x in topological_order(root)]
        inputs = used[: rng.randint(1, max(len(used), 1))]
        if not inputs or not root.parents:
            continue
        n -= 1
        compiled = engine.compile(root, inputs)
        for _ in range(20):
            row = [rng.uniform(-3, 3) for _ in inputs]
            try:
                want = eagerly(root, inputs, [row])
            except ArithmeticError as error:
                with pytest.raises(type(error), match=r"^row 0: "):
                    compiled.gradient([row])
            else:
                got = compiled.gradient([row])
                if got != pytest.approx(want, rel=1e-8, abs=1e-8):
                    # Only where the last digit of an input decides: the gradient moves as much with it.
                    moved = eagerly(root, inputs, [np.nextafter(row, np.inf)])
                    assert got == pytest.approx(want, rel=1e-6, abs=1e-8)
                    assert np.abs(got - want).max() < 100 * np.abs(moved - want).max()
            tried["rows of compiled gradients with respect to inputs against engine.grad"] += 1


def test_rows_of_random_custom_rules_take_their_own_branches(tried):
    rng = random.Random(4)
    for i in range(20):
        function, arity = random_rule(rng, f"grown{i}")
        inputs = [Value(0.5), Value(0.25)][:arity]
        rows = [[number(rng) for _ in inputs] for _ in range(50)]
        compiled = engine.compile(function(*inputs), inputs)
        want = eagerly(function(*inputs), inputs, rows)
        assert compiled.gradient(rows) == pytest.approx(want, rel=1e-9, abs=1e-12)
        tried["rows of compiled gradients with respect to inputs against engine.grad"] += len(rows)


@pytest.mark.parametrize("n", [0, 1, 7, 8, 200, 1024, 1025, 5000])
def test_closed_forms_of_any_number_of_rows(n):
    a, b = Value(1.0, "a"), Value(2.0, "b")
    w = Value(3.0, "w")
    rows = np.random.default_rng(0).uniform(0.5, 2, (n, 2))
    x, y = rows.T
    f = engine.compile(w * a**2 * b.exp() + engine.relu(a - b), [a, b])
    by_hand = np.stack([6 * x * np.exp(y) + (x > y), 3 * x**2 * np.exp(y) - (x > y)], axis=1)
    assert f.gradient(rows).shape == (n, 2)
    assert f.gradient(rows) == pytest.approx(by_hand, rel=1e-14)
    w.data = -1.0
    assert f.gradient(rows)[:, 0] == pytest.approx(-2 * x * np.exp(y) + (x > y), rel=1e-14)
    assert (a.grad, w.grad) == (0.0, 0.0)


def test_several_outputs_have_a_jacobian_in_every_row():
    r, phi = Value(1.0, "r"), Value(0.0, "phi")
    f = engine.compile([r * phi.cos(), r * phi.sin(), r, Value(2.0) * 3], [r, phi])
    rows = np.random.default_rng(0).uniform(0.5, 2, (30, 2))
    s, c = np.sin(rows[:, 1]), np.cos(rows[:, 1])
    one, zero = np.ones(30), np.zeros(30)
    by_hand = np.array([[c, -rows[:, 0] * s], [s, rows[:, 0] * c], [one, zero], [zero, zero]])
    assert f.gradient(rows) == pytest.approx(by_hand.transpose(2, 0, 1), rel=1e-14)
    one_output = engine.compile([r * phi], [r, phi])
    assert one_output.gradient([[2.0, 3.0]]).tolist() == [[[3.0, 2.0]]]


@pytest.mark.parametrize("hidden", ["tanh", "relu"])
def test_a_network(hidden):
    """Weighted sums of layers pass gradients to their inputs."""
    model = nn.MLP(5, [17, 9, 3], hidden=hidden)
    x = [Value(0.1 * i) for i in range(5)]
    outputs = model(x)
    rows = np.random.default_rng(1).normal(size=(40, 5))
    f = engine.compile(outputs, x)
    jacobians = f.gradient(rows)
    for k, output in enumerate(outputs):
        assert jacobians[:, k] == pytest.approx(eagerly(output, x, rows), rel=1e-12, abs=1e-13)
    loss = engine.logsumexp(outputs)
    assert engine.compile(loss, x).gradient(rows) == pytest.approx(eagerly(loss, x, rows), rel=1e-12, abs=1e-13)


def test_an_error_names_the_row_and_changes_nothing():
    a, b = Value(1.0, "a"), Value(1.0, "b")
    f = engine.compile(a.sqrt() * b, [a, b])
    with pytest.raises(ArithmeticError, match=r"^row 1: sqrt\(a\) has no value at a = -1\.0"):
        f.gradient([[1.0, 1.0], [-1.0, 1.0]])
    with pytest.raises(ArithmeticError, match=r"^row 2: the derivative of sqrt\(a\) with respect to a has no value"):
        f.gradient([[1.0, 1.0], [4.0, 1.0], [0.0, 1.0]])
    a.data = 1e-300
    big = engine.compile([b, a * 1e200 * 1e200 * b], [a, b])
    with pytest.raises(OverflowError, match=r"^row 1: the gradient of .*label='a'.* overflows"):
        big.gradient([[1e-300, 1e-200], [1e-300, 1.0], [1e-300, 1e-200]])
    assert f.gradient([[4.0, 2.0]]).tolist() == [[0.5, 2.0]]
    assert (a.data, b.data, a.grad) == (1e-300, 1.0, 0.0)
    with pytest.raises(ValueError, match=r"rows must be an array of shape \(n, 2\)"):
        f.gradient([1.0, 2.0])


class TestMeanGradient:
    def example(self):
        x, w, b = Value(1.0, "x"), Value(3.0, "w"), Value(-1.0, "b")
        return x, w, b, engine.compile(engine.log((w * x + b) ** 2 + 1), x)

    def test_is_that_of_backward(self):
        _, w, b, f = self.example()
        rows = np.linspace(-2, 2, 11)
        mean, gradient = f.mean_gradient(rows)
        assert (w.grad, b.grad) == (0.0, 0.0)
        assert f.parameters == (w, b)
        assert f.backward(rows) == mean
        assert [w.grad, b.grad] == gradient.tolist()

    def test_takes_parameters_and_touches_no_value(self):
        _, w, b, f = self.example()
        rows = np.linspace(-2, 2, 11)
        mean, gradient = f.mean_gradient(rows, [0.5, 2.0])
        z = 0.5 * rows + 2
        assert mean == pytest.approx(np.log(z**2 + 1).mean(), rel=1e-14)
        assert gradient == pytest.approx([(2 * z / (z**2 + 1) * rows).mean(), (2 * z / (z**2 + 1)).mean()], rel=1e-13)
        assert [w.data, b.data, w.grad, b.grad] == [3.0, -1.0, 0.0, 0.0]
        again, _ = f.mean_gradient(rows)
        assert again != mean, "the Values' own numbers are used again"

    def test_results_are_arrays_of_their_own(self):
        _, _, _, f = self.example()
        numbers = np.array([0.5, 2.0])
        _, first = f.mean_gradient([1.0], numbers)
        before = first.copy()
        numbers -= first
        f.mean_gradient([2.0], numbers)
        assert first.tolist() == before.tolist()
        assert numbers.tolist() == ([0.5, 2.0] - before).tolist()

    def test_a_loop_learns_what_nn_train_learns(self):
        model = nn.MLP(2, [4, 1], init="xavier")
        data = [((a, b), float(a != b)) for a in (0.0, 1.0) for b in (0.0, 1.0)]
        x, r = [Value(0.0), Value(0.0)], Value(0.0)
        f = engine.compile(nn.binary_cross_entropy(model(x), r), [*x, r])
        numbers = np.array([p.data for p in f.parameters])
        for _ in range(50):
            numbers -= 0.5 * f.mean_gradient([[*xs, target] for xs, target in data], numbers)[1]
        nn.train(
            model, nn.binary_cross_entropy, data, epochs=50, batch_size=4, optimizer=nn.SGD(model.parameters(), 0.5)
        )
        assert numbers == pytest.approx([p.data for p in f.parameters], rel=1e-10, abs=1e-12)

    def test_errors(self):
        x, w, _, f = self.example()
        with pytest.raises(ValueError, match=r"parameters must be an array of shape \(2,\).* got shape \(3,\)"):
            f.mean_gradient([1.0], [1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match=r"parameters must be finite, got nan for parameter 1, Value\(.*label='b'"):
            f.mean_gradient([1.0], [1.0, np.nan])
        with pytest.raises(TypeError, match="parameters must be numbers"):
            f.mean_gradient([1.0], ["a", "b"])
        with pytest.raises(ValueError, match="mean_gradient needs one row or more"):
            f.mean_gradient([])
        with pytest.raises(ValueError, match="mean_gradient needs one output, got a function with 2 outputs"):
            engine.compile([x * w, x], x).mean_gradient([1.0])
        risky = engine.compile((w * x).log(), x)
        with pytest.raises(
            ArithmeticError, match=r"^row 1: log\(w\*x\) has no value at w\*x = -2\.0 .*w = -0\.5, x = 4\.0"
        ):
            risky.mean_gradient([-1.0, 4.0], [-0.5])
        assert w.data == 3.0
