"""The lesson of vanishing gradients."""

import contextlib
import io
import math
import re

import numpy as np
import pytest

import nn
from demos import vanishing
from demos._gallery import alt_text


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """The folder and the text of the lesson with its defaults."""
    folder = tmp_path_factory.mktemp("vanishing")
    with contextlib.redirect_stdout(io.StringIO()) as text:
        vanishing.main(["--output", str(folder)])
    return folder, text.getvalue()


def test_it_prints_80_columns_and_leaves_its_pictures(lesson):
    folder, text = lesson
    assert max(map(len, text.replace(str(folder), "pictures").splitlines())) <= 80
    assert sorted(path.name for path in folder.iterdir()) == ["vanishing.png", "vanishing_training.png"]
    for path in folder.iterdir():
        assert 5_000 < path.stat().st_size < 200_000
    assert "sigmoid, xavier" in alt_text(folder / "vanishing.png")


def test_gradients_vanish_by_layer_in_sigmoids_alone(lesson):
    _, text = lesson
    rows = re.findall(r"^ +(\d+)  ((?: +\S+){3})$", text, flags=re.MULTILINE)
    assert [int(layer) for layer, _ in rows] == list(range(1, 11))
    sigmoid, tanh, relu = np.array([[float(x) for x in row.split()] for _, row in rows]).T
    assert sigmoid[-1] / sigmoid[0] > 1e5
    assert max(tanh[-1] / tanh[0], relu[-1] / relu[0]) < 100
    ratios = [float(x) for x in re.search(r"ratio +(\S+) +(\S+) +(\S+)  last / first", text).groups()]
    assert ratios == pytest.approx([sigmoid[-1] / sigmoid[0], tanh[-1] / tanh[0], relu[-1] / relu[0]], rel=0.1)


def test_the_product_of_the_factors_predicts_the_measured_ratio(lesson):
    _, text = lesson
    rows = re.findall(r"^(sigmoid|tanh|relu) +(\S+) +[\d.]+ +\S+ +(\S+e\S+) +(\S+e\S+)$", text, flags=re.MULTILINE)
    assert len(rows) == 12
    for activation, init, expected, measured in rows:
        assert abs(math.log10(float(expected) / float(measured))) < 1, (activation, init)
        assert (float(measured) > 1e3) == (activation == "sigmoid" or init == "uniform_0.01")


def test_depth_stops_sigmoids_and_helps_the_others(lesson):
    _, text = lesson
    rows = re.findall(r"^(\w+) +(\S+) +(\d+) +([\d.]+) +([\d.]+) %$", text, flags=re.MULTILINE)
    loss = {(activation, init, int(layers)): float(loss) for activation, init, layers, loss, _ in rows}
    assert len(loss) == 9
    for activation in ("sigmoid", "tanh", "relu"):
        assert loss[activation, "uniform_0.01", 10] == pytest.approx(math.log(2), abs=0.02), "no better than guessing"
    assert loss["sigmoid", "xavier", 10] == pytest.approx(math.log(2), abs=0.02)
    assert loss["sigmoid", "xavier", 2] < 0.35
    assert loss["tanh", "xavier", 10] < 0.1
    assert loss["relu", "he", 10] < 0.1


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_deltas_and_slopes_against_numpy(activation):
    model = nn.MLP(2, [5, 4, 3, 1], hidden=activation, seed=3)
    x, r = [0.3, -1.2], 1
    ((slopes, deltas),) = vanishing.passes(model, [(x, r)])
    f, df = {
        "sigmoid": (lambda a: 1 / (1 + np.exp(-a)), lambda a: np.exp(-a) / (1 + np.exp(-a)) ** 2),
        "tanh": (np.tanh, lambda a: 1 / np.cosh(a) ** 2),
        "relu": (lambda a: np.maximum(a, 0), lambda a: np.where(a > 0, 1.0, 0.0)),
    }[activation]
    W = [np.array([[w.data for w in neuron.weights] for neuron in layer.neurons]) for layer in model.layers]
    z, sums = np.array(x), []
    for W_l in W:
        sums.append(W_l[:, 1:] @ z + W_l[:, 0])
        z = f(sums[-1])
    delta = 1 / (1 + np.exp(-sums[-1])) - r
    for layer in range(3, -1, -1):
        assert deltas[layer] == pytest.approx(delta, rel=1e-9)
        if layer:
            assert slopes[layer - 1] == pytest.approx(df(sums[layer - 1]), rel=1e-9)
            delta = df(sums[layer - 1]) * (W[layer][:, 1:].T @ delta)
    assert max(vanishing.delta_errors(model, slopes, deltas)) < 1e-12
    slopes[1][0] *= 1.001
    worst = max(vanishing.delta_errors(model, slopes, deltas))
    assert worst == pytest.approx(0.001, rel=0.01) or slopes[1][0] == 0.0


def test_factors_of_a_chain_of_single_neurons_are_exact():
    model = nn.MLP(1, [1, 1, 1, 1], hidden="sigmoid", seed=2)
    passes = list(vanishing.passes(model, [([0.7], 1)]))
    slope, factors, measured = vanishing.factors_of(model, passes)
    weights = [layer.neurons[0].weights[1].data for layer in model.layers]
    ((slopes, deltas),) = passes
    assert factors == pytest.approx([abs(w) * f[0] for w, f in zip(weights[1:], slopes, strict=False)])
    assert slope == pytest.approx(np.mean([f[0] for f in slopes[:3]]))
    assert measured == pytest.approx(1 / math.prod(factors))
    assert measured == pytest.approx(abs(deltas[-1][0] / deltas[0][0]))


def test_gradients_are_those_of_the_mean_loss():
    model, data = nn.MLP(2, [3, 1], seed=1), [([0.5, -1.0], 1), ([2.0, 0.1], 0)]
    sizes = vanishing.gradients(model, data)
    total = dict.fromkeys(model.parameters(), 0.0)
    for x, r in data:
        model.zero_grad()
        nn.binary_cross_entropy(model(x), r).backward()
        for w in total:
            total[w] += w.grad / 2
    assert sizes == pytest.approx([np.mean([abs(total[w]) for w in layer.parameters()]) for layer in model.layers])


def test_a_wrong_slope_is_detected(monkeypatch, tmp_path):
    monkeypatch.setattr(vanishing, "slope", lambda neuron, a, z: 1 - 0.99 * z * z)
    with pytest.raises(SystemExit, match=r"must match backward\(\)"):
        vanishing.main(["--output", str(tmp_path), "--epochs", "1"])


@pytest.mark.parametrize(
    "arguments", [["--layers", "2"], ["--layers", "31"], ["--width", "0"], ["--epochs", "0", "--layers", "3"]]
)
def test_mistakes_of_the_user(arguments, tmp_path):
    with pytest.raises(SystemExit) as stop:
        vanishing.main([*arguments, "--output", str(tmp_path)])
    assert stop.value.code
