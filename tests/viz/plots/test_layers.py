"""Histograms of gradients and outputs, layer by layer."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure

import engine
import nn
import viz


def strips(ax):
    """The histograms of a plot from above: (counts in their scale, edges)."""
    return [(p.get_data().values - p.get_data().baseline, p.get_data().edges) for p in ax.patches]


def medians(ax):
    """Where the lines at the medians stand, from above."""
    return [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]


def deep(activation):
    model = nn.MLP(2, [16] * 6 + [1], hidden=activation, seed=1)
    nn.hinge(model([0.3, 0.8]), 1).backward()
    return model


def test_the_gradients_of_sigmoids_vanish_and_those_of_relus_do_not(ax):
    assert viz.plot_gradients(deep("sigmoid"), ax=ax) is ax
    sigmoid = medians(ax)
    assert sigmoid == sorted(sigmoid)
    assert sigmoid[0] < 1e-3 * sigmoid[-1]
    relu = medians(viz.plot_gradients(deep("relu"), ax=Figure().subplots()))
    assert relu[0] > 0.05 * relu[-1]
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_yticklabels()][::6] == ["layer 1\nsigmoid", "layer 7\nlinear"]


def test_strips_hold_every_gradient(ax):
    model = nn.MLP(2, [2, 1], seed=1)
    gradients = [[1.0, -1.0, 10.0, 0.1, -0.1, 0.1], [0.001, 0.0, 0.0]]
    for layer, grads in zip(model.layers, gradients, strict=True):
        for weight, grad in zip(layer.parameters(), grads, strict=True):
            weight.grad = grad
    viz.plot_gradients(model, ax=ax)
    (first, edges), (second, _) = strips(ax)
    heights = {round(float(np.log10(edges[k])), 6): h for k, h in enumerate(first) if h}
    assert heights == pytest.approx({-1.0: 0.7, 0.0: 0.7 * 2 / 3, 1.0: 0.7 / 3})
    assert list(second) == [0.7]
    assert medians(ax) == pytest.approx([0.55, 0.001])
    texts = [text.get_text() for text in ax.texts]
    assert "median 0.55" in texts
    assert "2 of 3 are 0" in texts
    assert not any("of 6" in text for text in texts)


def test_a_layer_without_gradients_says_so(ax):
    viz.plot_gradients(nn.Layer(2, 3), ax=ax)
    assert [text.get_text() for text in ax.texts] == ["all 9 are 0"]
    ax.figure.savefig(BytesIO())


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1e300])
def test_gradients_of_any_size(size, ax):
    neuron = nn.Perceptron(1, init=[0, 0])
    neuron.weights[0].grad = size
    viz.plot_gradients(neuron, ax=ax)
    assert sum(strips(ax)[0][0]) == pytest.approx(0.7)
    ax.figure.savefig(BytesIO())


def test_outputs_by_layer_with_the_mean_slope(ax):
    model = nn.MLP(1, [1, 1], hidden="sigmoid", seed=1)
    model.load_state_dict({"layer1.w10": 0, "layer1.w11": 100, "layer2.w10": 1, "layer2.w11": 2})
    assert viz.plot_activations(model, [-1.0, 0.0, 1.0], ax=ax) is ax
    assert medians(ax) == pytest.approx([0.5, 2.0])
    (first, edges), (second, _) = strips(ax)
    assert [float(h) for h in first if h] == pytest.approx([0.7] * 3)
    for k, z in zip(np.flatnonzero(first), (0.0, 0.5, 1.0), strict=True):
        assert edges[k] <= z + 1e-9
        assert z - 1e-9 <= edges[k + 1]
    assert len([h for h in second if h]) == 3
    texts = [text.get_text() for text in ax.texts]
    assert "mean f'(a) 0.083" in texts, "that is (0 + 1/4 + 0) / 3"
    assert "mean f'(a) 1.0" in texts


def test_outputs_are_those_of_the_model(ax):
    model = nn.MLP(2, [3, 2], hidden="relu", output="tanh", seed=2)
    rows = [[0.5, -1.0], [2.0, 1.0], [-1.0, 0.25]]
    viz.plot_activations(model, np.array(rows), ax=ax)
    assert medians(ax)[1] == pytest.approx(np.median([y.data for x in rows for y in model(x)]))
    hidden = [z.data for x in rows for z in model.layers[0](x)]
    slope = np.mean([z > 0 for z in hidden])
    assert medians(ax)[0] == pytest.approx(np.median(hidden))
    assert f"mean f'(a) {slope:.2g}" in [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("model", [nn.Perceptron(2, "sign", seed=1), nn.Layer(2, 3, "tanh", seed=1)])
def test_one_layer_is_one_strip(model, ax):
    viz.plot_activations(model, [[0, 0], [0, 0]], ax=ax)
    assert len(strips(ax)) == 1
    assert [label.get_text() for label in ax.get_yticklabels()] == [model.activation]


def test_plots_of_layers_record_and_change_nothing(ax):
    model = deep("tanh")
    before = [(p.data, p.grad) for p in model.parameters()]
    viz.plot_gradients(model, ax=ax)
    viz.plot_activations(model, [[1.0, 2.0]], ax=Figure().subplots())
    assert [(p.data, p.grad) for p in model.parameters()] == before


def test_errors_name_what_is_wrong(ax):
    with pytest.raises(TypeError, match="plot_gradients: model must be a Perceptron, a Layer or an MLP, got function"):
        viz.plot_gradients(lambda x: x, ax=ax)
    with pytest.raises(TypeError, match=r"plot_activations: model must be .* got int 3"):
        viz.plot_activations(3, [[1.0]], ax=ax)
    with pytest.raises(ValueError, match=r"inputs .* got none"):
        viz.plot_activations(nn.Perceptron(1), [], ax=ax)
    with pytest.raises(ValueError, match=r"inputs\[1\].*2 inputs .*got 3"):
        viz.plot_activations(nn.Perceptron(2), [[1, 2], [1, 2, 3]], ax=ax)


@pytest.mark.parametrize("size", [0.0, 1e-300, 0.25, 1e16])
def test_outputs_that_are_all_equal(size, ax):
    viz.plot_activations(nn.Perceptron(1, "linear", init=[size, 0.0]), [1.0, 2.0], ax=ax)
    assert medians(ax) == [size]


def test_a_neuron_of_a_redefined_rule_has_its_own_slope(ax):
    engine.rule("redefined_slope", "a*a", "2*a")
    neuron = nn.Perceptron(1, "redefined_slope", init=[0.0, 1.0])
    engine.rule("redefined_slope", "-a", "-1")
    viz.plot_activations(neuron, [3.0], ax=ax)
    assert medians(ax) == [9.0]
    assert "mean f'(a) 6.0" in [text.get_text() for text in ax.texts]
