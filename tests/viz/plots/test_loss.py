"""The plot of loss and accuracy."""

import nn
import viz


def test_loss_and_accuracy_by_epoch(ax):
    history = nn.History([0.9, 0.5, 0.2], [0.5, 0.75, 1.0])
    assert viz.plot_loss(history, ax=ax) is ax
    right = next(other for other in ax.figure.axes if other is not ax)
    assert ax.lines[0].get_xydata().tolist() == [[1, 0.9], [2, 0.5], [3, 0.2]]
    assert right.lines[0].get_xydata().tolist() == [[1, 50], [2, 75], [3, 100]]
    assert ax.lines[0].get_linestyle() != right.lines[0].get_linestyle(), "distinct without colour too"


def test_loss_alone(ax):
    viz.plot_loss(nn.History([0.9, 0.5]), ax=ax)
    assert ax.figure.axes == [ax]
