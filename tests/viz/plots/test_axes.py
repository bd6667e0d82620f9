"""What all plots share: the error without matplotlib."""

import sys

import pytest

import nn
import viz

CORNERS = [((0, 0), -1), ((1, 1), 1)]


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
