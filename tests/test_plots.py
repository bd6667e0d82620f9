"""Plots: what they show of a model, on axes of the user's choice."""

import sys

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
    "plot",
    [
        lambda: viz.plot_loss(nn.History([1.0])),
        lambda: viz.plot_decision_boundary(nn.Perceptron(2), CORNERS),
        lambda: viz.plot_descent(lambda a, b: a + b, [(0, 0), (1, 1)]),
    ],
)
def test_without_matplotlib_the_error_says_what_to_install(plot, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"glassgrad\[demos\]"):
        plot()
