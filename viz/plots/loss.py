"""The plot of the loss and the accuracy of a training."""

from __future__ import annotations

from engine.validation import describe
from nn import History
from viz.plots.axes import Axes, axes_or_new
from viz.style import BLUE, ORANGE


def plot_loss(history: History, *, ax: Axes | None = None) -> Axes:
    """Plot the loss, and the accuracy if there is one, against the epoch.

    Args:
        history: the result of `nn.train`.
        ax: the axes to plot on; by default those of a new figure.

    Returns:
        The axes of the loss.

    Raises:
        TypeError: `history` is not a History.
        ImportError: matplotlib is missing.

    >>> import nn
    >>> plot_loss(nn.History([0.7, 0.2, 0.1])).get_ylabel()
    'loss'
    """
    if not isinstance(history, History):
        raise TypeError(f"history must be what nn.train returns, got {describe(history)}")
    ax = axes_or_new(ax)
    epochs = range(1, history.epochs + 1)
    ax.plot(epochs, history.loss, color=ORANGE)
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss", color=ORANGE)
    ax.set_ylim(bottom=0.0)
    if history.accuracy:
        right = ax.twinx()
        right.plot(epochs, [100 * share for share in history.accuracy], color=BLUE, linestyle="--")
        right.set_ylabel("accuracy in % (dashed)", color=BLUE)
        right.set_ylim(0, 103)
    return ax
