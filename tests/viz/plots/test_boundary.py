"""Decision boundaries: shades, lines, data on top, and models compiled or not."""

import importlib
import sys

import numpy as np
import pytest

import engine
import nn
import viz
from viz.plots.boundary import batch_predictor

CORNERS = [((0, 0), -1), ((0, 1), -1), ((1, 0), -1), ((1, 1), 1)]
CORNERS_BY_INDEX = [(x, max(r, 0)) for x, r in CORNERS]


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
    assert len(no.get_paths()[0].vertices) != len(yes.get_paths()[0].vertices), "distinct without colour too"
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
    with pytest.raises(ValueError, match=r"two inputs.* got 3"):
        viz.plot_decision_boundary(nn.Perceptron(3), [((1, 2, 3), 1)], ax=ax)


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
def test_compiled_and_eager_predictions_agree(model):
    pytest.importorskip("llvmlite")
    points = [(x / 7, y / 5) for x in range(-9, 9) for y in range(-9, 9)]
    compiled = batch_predictor(model, compile=True)
    eager = batch_predictor(model, compile=False)
    assert hasattr(compiled, "backward")
    assert not hasattr(eager, "backward")
    assert compiled(points).shape == eager(points).shape
    assert compiled(points) == pytest.approx(eager(points), abs=1e-12)
    model.parameters()[0].data += 0.5
    assert compiled(points) == pytest.approx(eager(points), abs=1e-12), "with the current weights"
    model.parameters()[0].data -= 0.5


@pytest.mark.parametrize("program", ["missing", "loaded"])
def test_only_compile_decides_whether_a_plot_compiles(ax, monkeypatch, program):
    importlib.import_module("engine.compiler.program")
    if program == "missing":
        monkeypatch.delitem(sys.modules, "engine.compiler.program")
    calls = []
    monkeypatch.setattr(engine, "compile", lambda output, inputs: calls.append(inputs) or (lambda rows: np.ones(6400)))
    for choice in (False, True):
        viz.plot_decision_boundary(nn.Perceptron(2, seed=1), CORNERS, compile=choice, ax=ax)
        assert len(calls) == choice


def test_without_llvmlite_models_are_called_for_each_point(ax, monkeypatch):
    monkeypatch.setitem(sys.modules, "engine.compiler.program", None)
    viz.plot_decision_boundary(nn.Perceptron(2, "linear", init=[-1.5, 1.0, 2.0]), CORNERS, compile=True, ax=ax)
    assert lines_of_level(ax, 0.0) @ [1.0, 2.0] == pytest.approx(1.5)


def test_a_subclass_may_treat_every_input_differently():
    class Folded(nn.MLP):
        def __call__(self, x):
            return super().__call__([abs(x[0]), x[1]] if x[0] < 0 else x)

    model = Folded(2, [1], init="uniform_0.01", seed=1)
    model.load_state_dict({"layer1.w10": 0.0, "layer1.w11": 1.0, "layer1.w12": 0.0})
    assert batch_predictor(model, compile=True)([(-2.0, 0.0), (3.0, 0.0)]).tolist() == [2.0, 3.0]


def test_no_data(ax):
    with pytest.raises(ValueError, match=r"data .* got none"):
        viz.plot_decision_boundary(nn.Perceptron(2), [], ax=ax)


@pytest.mark.parametrize("is_compiled", [False, True])
def test_a_plot_inside_no_grad(is_compiled, ax):
    model = nn.MLP(2, [3, 1], seed=1)
    points = [(0.5, -1.0), (2.0, 1.0)]
    outside = batch_predictor(model, compile=is_compiled)(points)
    with engine.no_grad():
        assert batch_predictor(model, compile=is_compiled)(points).tolist() == outside.tolist()
        viz.plot_decision_boundary(model, CORNERS, compile=is_compiled, ax=ax)


def test_a_surface_with_gaps_is_plotted_and_one_without_a_number_is_an_error(ax):
    viz.plot_decision_boundary(lambda x: float(x[0]) if x[1] > 0 else float("nan"), CORNERS, ax=ax)
    assert len(lines_of_level(ax, 0.0)) > 0
    viz.plot_decision_boundary(lambda x: [x[0], float("inf") if x[1] > 0.5 else x[1]], CORNERS_BY_INDEX, ax=ax)
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="model must have a finite output"):
            viz.plot_decision_boundary(lambda x, value=value: value, CORNERS, ax=ax)


@pytest.mark.parametrize("names", [["no"], ["no", "yes", "maybe"]])
def test_there_is_one_name_per_class(names, ax):
    with pytest.raises(ValueError, match=rf"names must be one per class, got {len(names)} names for 2 classes"):
        viz.plot_decision_boundary(nn.Perceptron(2), CORNERS, names=names, ax=ax)


def test_a_target_that_is_no_index_of_a_logit_is_an_error(ax):
    with pytest.raises(ValueError, match="target must be the index of a logit, 0 to 2, got int -1"):
        viz.plot_decision_boundary(nn.MLP(2, [3]), CORNERS, ax=ax)


def test_constant_outputs_and_points_of_any_size(ax):
    for size in (0.0, 1e-12, 1e20):
        viz.plot_decision_boundary(lambda x: 0.0, [((size, size), 1), ((size, size), 0)], ax=ax)
    with pytest.raises(ValueError, match=r"x2 of data must be finite, got nan at index 1"):
        viz.plot_decision_boundary(nn.Perceptron(2), [((1, 1), 1), ((1, float("nan")), 0)], ax=ax)


def test_an_area_and_a_colour_bar(ax):
    area = ((-2, 3), (0, 4))
    model = nn.Perceptron(2, "linear", init=[0.0, 1.0, 0.0])
    viz.plot_decision_boundary(model, CORNERS, boundary=0.5, area=area, scale="score", ax=ax)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2, 3), (0, 4))
    bar = next(other for other in ax.figure.axes if other is not ax)
    assert bar.get_ylabel() == "score"
    assert [label.get_text() for label in bar.get_yticklabels()] == ["-2.0", "-0.75", "0.5", "1.8", "3.0"]
    with pytest.raises(ValueError, match=r"area must be two ranges .* got \(\(1, 0\), \(0, 1\)\)"):
        viz.plot_decision_boundary(model, CORNERS, area=((1, 0), (0, 1)), ax=ax)
