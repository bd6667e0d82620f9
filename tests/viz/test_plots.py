"""Plots: what they show of a model, on axes of the user's choice."""

import sys
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure

import nn
import viz

CORNERS = [((0, 0), -1), ((0, 1), -1), ((1, 0), -1), ((1, 1), 1)]


@pytest.fixture
def ax():
    return Figure().subplots()


def lines_of_level(ax, level):
    """The points on the contour line of a level, of whatever contours `ax` has."""
    return np.concatenate(
        [
            path.vertices
            for contours in ax.collections
            if list(getattr(contours, "levels", [])) == [level]
            for path in contours.get_paths()
        ]
    )


def test_the_boundary_is_where_the_score_is_0(ax):
    model = nn.Perceptron(2, "linear", init=[-1.5, 1.0, 2.0])
    assert viz.plot_decision_boundary(model, CORNERS, ax=ax) is ax
    points = lines_of_level(ax, 0.0)
    assert len(points) > 10
    assert points @ [1.0, 2.0] == pytest.approx(1.5)


def test_the_boundary_of_a_posterior_is_at_one_half(ax):
    model = nn.Perceptron(2, "sigmoid", init=[-1.5, 1.0, 2.0])
    viz.plot_decision_boundary(model, CORNERS, boundary=0.5, ax=ax)
    assert lines_of_level(ax, 0.0) @ [1.0, 2.0] == pytest.approx(1.5, abs=0.01)


def test_the_data_are_on_top_with_a_mark_for_each_class(ax):
    viz.plot_decision_boundary(nn.Perceptron(2, seed=1), CORNERS, names=["no", "yes"], ax=ax)
    no, yes = (scatter for scatter in ax.collections if scatter.get_label() in ("no", "yes"))
    assert no.get_offsets().tolist() == [[0, 0], [0, 1], [1, 0]]
    assert yes.get_offsets().tolist() == [[1, 1]]
    assert no.get_facecolor().tolist() != yes.get_facecolor().tolist()
    assert len(no.get_paths()[0].vertices) != len(yes.get_paths()[0].vertices), "told apart without colour too"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x1", "x2")


def test_a_list_of_logits_is_shaded_by_the_likeliest_class(ax):
    layer = nn.Layer(2, 3, "linear")
    layer.load_state_dict({"w10": 0, "w11": -9, "w12": 0, "w20": 0, "w21": 9, "w22": 0, "w30": -99, "w31": 0, "w32": 0})
    viz.plot_decision_boundary(layer, [((-1, 0), 0), ((1, 0), 1), ((0, 1), 2)], ax=ax)
    (image,) = ax.images
    pixels = np.asarray(image.get_array())
    left, right = pixels[:, 0], pixels[:, -1]
    assert np.ptp(left, axis=0).max() == np.ptp(right, axis=0).max() == 0.0
    first, second = (s.get_facecolor()[0] for s in ax.collections[:2])
    for side, colour in ((left[0], first), (right[0], second)):
        assert np.argmax(side[:3]) == np.argmax(colour[:3]), "a pale version of the class's own colour"
    assert [s.get_label() for s in ax.collections] == ["r = 0", "r = 1", "r = 2"]


def test_nothing_is_recorded_for_a_plot(ax):
    model = nn.MLP(2, [3, 1], seed=1)
    viz.plot_decision_boundary(model, CORNERS, ax=ax)
    assert all(p.grad == 0.0 for p in model.parameters())


def test_a_plane_has_two_inputs(ax):
    with pytest.raises(ValueError, match="two inputs, and the data have 3"):
        viz.plot_decision_boundary(nn.Perceptron(3), [((1, 2, 3), 1)], ax=ax)


def test_loss_and_accuracy_by_epoch(ax):
    history = nn.History([0.9, 0.5, 0.2], [0.5, 0.75, 1.0])
    assert viz.plot_loss(history, ax=ax) is ax
    right = next(other for other in ax.figure.axes if other is not ax)
    assert ax.lines[0].get_xydata().tolist() == [[1, 0.9], [2, 0.5], [3, 0.2]]
    assert right.lines[0].get_xydata().tolist() == [[1, 50], [2, 75], [3, 100]]
    assert ax.lines[0].get_linestyle() != right.lines[0].get_linestyle(), "told apart without colour too"


def test_loss_alone(ax):
    viz.plot_loss(nn.History([0.9, 0.5]), ax=ax)
    assert ax.figure.axes == [ax]


def test_the_way_down(ax):
    path = [(2.0, 1.0), (1.0, 0.2), (0.0, 0.0)]
    assert viz.plot_descent(lambda a, b: a**2 + 4 * b**2, path, ax=ax) is ax
    assert ax.lines[0].get_xydata().tolist() == [list(point) for point in path]
    assert ax.get_xlim()[0] < 0
    assert ax.get_xlim()[1] > 2


def test_the_way_down_in_an_area_of_ones_choice_with_holes(ax):
    def height(a, b):
        return np.log(a) if a > 0 else np.nan

    viz.plot_descent(height, [(2.0, 1.0), (1.0, 0.2)], area=((-1, 3), (-2, 2)), ax=ax)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 3), (-2, 2))


@pytest.mark.parametrize(
    "model",
    [
        nn.MLP(2, [16, 1], hidden="relu", seed=1),
        nn.MLP(2, [5, 3], seed=1),
        nn.Layer(2, 2, "linear", seed=1),
        nn.Layer(2, 1, "tanh", seed=1),
        nn.Perceptron(2, "sign", seed=1),
    ],
    ids=repr,
)
def test_replayed_and_one_by_one_the_answers_are_the_same(model, monkeypatch):
    points = [(x / 7, y / 5) for x in range(-9, 9) for y in range(-9, 9)]
    replayed = viz.plots.answers(model, often=True)
    monkeypatch.delitem(sys.modules, "engine.compiler.program")
    one_by_one = viz.plots.answers(model)
    assert type(replayed).__name__ == "Compiled"
    assert type(one_by_one).__name__ == "function"
    assert replayed(points).shape == one_by_one(points).shape
    assert replayed(points) == pytest.approx(one_by_one(points), abs=1e-12)
    model.parameters()[0].data += 0.5
    assert replayed(points) == pytest.approx(one_by_one(points), abs=1e-12), "with the weights of the moment"
    model.parameters()[0].data -= 0.5


def test_without_numba_the_answers_are_found_one_by_one(ax, monkeypatch):
    monkeypatch.setitem(sys.modules, "engine.compiler.program", None)
    viz.plot_decision_boundary(nn.Perceptron(2, "linear", init=[-1.5, 1.0, 2.0]), CORNERS, ax=ax)
    assert lines_of_level(ax, 0.0) @ [1.0, 2.0] == pytest.approx(1.5)


def test_a_subclass_may_do_with_every_input_as_it_likes():
    class Folded(nn.MLP):
        def __call__(self, x):
            return super().__call__([abs(x[0]), x[1]] if x[0] < 0 else x)

    model = Folded(2, [1], init="uniform_0.01", seed=1)
    model.load_state_dict({"layer1.w10": 0.0, "layer1.w11": 1.0, "layer1.w12": 0.0})
    assert viz.plots.answers(model, often=True)([(-2.0, 0.0), (3.0, 0.0)]).tolist() == [2.0, 3.0]


def test_a_plane_without_data(ax):
    with pytest.raises(ValueError, match="there are none"):
        viz.plot_decision_boundary(nn.Perceptron(2), [], ax=ax)


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
    assert "0.55" in texts
    assert "2 of 3\nare 0" in texts
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
    assert "mean f'(a)\n= 0.083" in texts, "that is (0 + 1/4 + 0) / 3"
    assert "mean f'(a)\n= 1.0" in texts


def test_outputs_are_those_of_the_model(ax):
    model = nn.MLP(2, [3, 2], hidden="relu", output="tanh", seed=2)
    rows = [[0.5, -1.0], [2.0, 1.0], [-1.0, 0.25]]
    viz.plot_activations(model, np.array(rows), ax=ax)
    assert medians(ax)[1] == pytest.approx(np.median([y.data for x in rows for y in model(x)]))
    hidden = [z.data for x in rows for z in model.layers[0](x)]
    slope = np.mean([z > 0 for z in hidden])
    assert medians(ax)[0] == pytest.approx(np.median(hidden))
    assert f"mean f'(a)\n= {slope:.2g}" in [text.get_text() for text in ax.texts]


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


def test_what_plots_of_layers_cannot_take(ax):
    with pytest.raises(TypeError, match="plot_gradients: model must be a Perceptron, a Layer or an MLP, got function"):
        viz.plot_gradients(lambda x: x, ax=ax)
    with pytest.raises(TypeError, match=r"plot_activations: model must be .* got int 3"):
        viz.plot_activations(3, [[1.0]], ax=ax)
    with pytest.raises(ValueError, match="there is none"):
        viz.plot_activations(nn.Perceptron(1), [], ax=ax)
    with pytest.raises(ValueError, match=r"inputs\[1\].*takes 2 inputs, got 3"):
        viz.plot_activations(nn.Perceptron(2), [[1, 2], [1, 2, 3]], ax=ax)


@pytest.mark.parametrize(
    "plot",
    [
        lambda: viz.plot_loss(nn.History([1.0])),
        lambda: viz.plot_decision_boundary(nn.Perceptron(2), CORNERS),
        lambda: viz.plot_descent(lambda a, b: a + b, [(0, 0), (1, 1)]),
        lambda: viz.plot_gradients(nn.Perceptron(2)),
        lambda: viz.plot_activations(nn.Perceptron(2), [[1, 2]]),
    ],
)
def test_without_matplotlib_the_error_says_what_to_install(plot, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"glassgrad\[demos\]"):
        plot()
