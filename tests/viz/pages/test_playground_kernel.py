"""The training code that the playground assembles: its numbers are those of the engine."""

import math

import pytest

import engine
import nn
import viz
from engine.rules import RULES, Unary
from tests.viz.pages.browsing import data_of

pytestmark = pytest.mark.exhaustive
pytest.importorskip("playwright.sync_api")

POINTS = [([0.5, -1.0], 1), ([-0.25, 2.0], -1), ([1.5, 0.75], 1)]
LEARN = """([data, order, seed]) => {
    const training = new Training(data.training, new Shape(data.shape));
    training.order.set(order);
    const loss = training.code.learn(8 * training.train.place, training.orderPlace, order.length, seed);
    const gradients = [...training.gradients];
    const out = training.reserve(100);
    training.allocate();
    training.show({ n: 2, place: training.train.place }, out);
    training.evaluate(training.train);
    return {
        loss: String(loss), gradients, signals: [...training.floats.slice(out, out + 2 * training.signals)],
        results: [...training.floats.slice(training.results, training.results + 2 * (1 + training.data.outputs))],
    };
}"""


@pytest.fixture
def learn(tmp_path, open_page):
    """Compute the gradients of a model in a page, for some of the examples."""
    first = nn.MLP(2, [2, 1], hidden="erfc", seed=1)
    tab = open_page(viz.playground(first, POINTS, tmp_path / "first.html", loss=nn.mse))

    def learn(model, loss, examples, order=(0, 1, 2), seed=1.0, **changes):
        data = data_of(viz.playground(model, examples, tmp_path / "play.html", loss=loss))
        data["training"] |= changes
        result = tab.evaluate(LEARN, [data, [*order], seed])
        return {**result, "loss": float(result["loss"])}

    return learn


def expected_gradients(model, loss, examples):
    for w in model.parameters():
        w.grad = 0.0
    losses = [loss(model(x), r) for x, r in examples]
    for value in losses:
        value.backward()
    return sum(x.data for x in losses), [w.grad for w in model.parameters()]


def test_arithmetic_gives_the_engine_s_numbers_bit_for_bit(learn):
    for activation in ["relu", "leaky_relu", "linear", "sign"]:
        for loss, sizes in [(nn.hinge, [4, 3, 1]), (nn.mse, [3, 3, 2]), (nn.hinge, [1])]:
            model = nn.MLP(2, sizes, hidden=activation, seed=3)
            examples = [(x, [r, r + 1.0] if loss is nn.mse else r) for x, r in POINTS]
            for order in ([0, 1, 2], [1], []):
                result = learn(model, loss, examples, order)
                expected = expected_gradients(model, loss, [examples[i] for i in order])
                assert (result["loss"], result["gradients"]) == expected


def test_outputs_that_the_loss_uses_in_another_order_give_the_same_bits(learn):
    def loss(y, r):
        return (y[1] - r[1]) ** 2 + y[2] * r[0] * y[0]

    model = nn.MLP(2, [4, 3, 3], hidden="relu", seed=4)
    examples = [(x, [1.0, 0.5, 2.0]) for x, _ in POINTS]
    result = learn(model, loss, examples)
    assert (result["loss"], result["gradients"]) == expected_gradients(model, loss, examples)


ACTIVATIONS = sorted(row.symbol for row in RULES.values() if type(row) is Unary and row.symbol not in ("abs", "neg"))


def test_every_activation_gives_the_engine_s_numbers(learn):
    for activation in ACTIVATIONS:
        if activation in ("log", "log1p", "sqrt"):
            model = nn.Perceptron(2, activation, init=[4.0, 0.5, 0.25])
        else:
            model = nn.MLP(2, [3, 1], hidden=activation, seed=3)
        result = learn(model, nn.mse, POINTS)
        loss, gradients = expected_gradients(model, nn.mse, POINTS)
        assert result["loss"] == pytest.approx(loss, rel=1e-12), activation
        assert result["gradients"] == pytest.approx(gradients, rel=1e-12, abs=1e-14), activation


def test_every_loss_gives_the_engine_s_numbers(learn):
    for loss, n_outputs, targets in [
        (nn.cross_entropy, 3, [0, 2, 1]), (nn.binary_cross_entropy, 1, [0, 1, 1]), (nn.mse, 2, [[1.0, 2.0]] * 3),
    ]:  # fmt: skip
        model = nn.MLP(2, [3, n_outputs], hidden="tanh", seed=3)
        examples = [(x, r) for (x, _), r in zip(POINTS, targets, strict=True)]
        result = learn(model, loss, examples)
        value, gradients = expected_gradients(model, loss, examples)
        assert result["loss"] == pytest.approx(value, rel=1e-13)
        assert result["gradients"] == pytest.approx(gradients, rel=1e-12, abs=1e-15)


def test_the_seed_is_the_gradient_of_each_loss(learn):
    model = nn.MLP(2, [3, 1], hidden="relu", seed=3)
    once, doubled = (learn(model, nn.mse, POINTS, [0, 2], seed)["gradients"] for seed in (1.0, 2.0))
    assert doubled == pytest.approx([2 * x for x in once], rel=1e-15)


def test_rows_are_evaluated_and_neurons_shown(learn):
    model = nn.MLP(2, [3, 2], hidden="tanh", seed=3)
    examples = [(x, int(r > 0)) for x, r in POINTS]
    result = learn(model, nn.cross_entropy, examples)
    outputs = [(model(x), r) for x, r in examples[:2]]
    expected = [x for y, r in outputs for x in (nn.cross_entropy(y, r).data, *(output.data for output in y))]
    assert result["results"] == pytest.approx(expected, rel=1e-14)
    traces = [model.trace(x) for x, _ in examples[:2]]
    expected = [value.data for (a1, z1), (a2, z2) in traces for value in (*a1, *a2, *z1, *z2)]
    assert result["signals"] == pytest.approx(expected, rel=1e-14)


def test_a_sum_that_overflows_is_not_hidden_by_an_activation(learn):
    model, changes = nn.Perceptron(2, "tanh", init=[0.0, 1e200, 0.0]), {"weights": [0.0, 1e308, 1e308]}
    assert learn(model, nn.mse, POINTS, [0], train=[[10.0, 10.0, 1.0]])["loss"] == 0.0
    assert math.isnan(learn(model, nn.mse, POINTS, [0], train=[[10.0, 10.0, 1.0]], **changes)["loss"])


def test_weights_that_are_shared_and_activations_that_differ_are_trained(learn):
    model = nn.MLP(2, [2, 2, 1], hidden="relu", seed=3)
    first, second = model.layers[0].neurons
    second.weights = (second.weights[0], *first.weights[1:])
    model.layers[1].neurons[0].activation = "leaky_relu"
    result = learn(model, nn.hinge, POINTS)
    assert (result["loss"], result["gradients"]) == expected_gradients(model, nn.hinge, POINTS)


def test_a_loss_with_parameters_in_it_is_trained(learn):
    model = nn.MLP(2, [2, 1], hidden="relu", seed=3)

    def loss(y, r):
        return (y - r) ** 2 + 0.5 * engine.dot(model.parameters(), model.parameters())

    result = learn(model, loss, POINTS)
    value, gradients = expected_gradients(model, loss, POINTS)
    assert result["loss"] == pytest.approx(value, rel=1e-14)
    assert result["gradients"] == pytest.approx(gradients, rel=1e-13)
