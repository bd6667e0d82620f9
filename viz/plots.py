"""Plots of what a model learned: its decision boundary, its losses, its way downhill.

They need matplotlib, which the extra `demos` brings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from engine import Value, no_grad, softmax
from engine.value import shown
from viz.palette import BLUE, CLASSES, DARK, MARKERS, ORANGE, SKY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nn import History

RESOLUTION = 80  # points along each side of a surface


def plot_decision_boundary(
    model: Callable[[Any], Any],
    data: Iterable[tuple[Sequence[float], float]],
    *,
    boundary: float = 0.0,
    names: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """What a model of two inputs answers everywhere, as shades, with the data on top.

    Args:
        model: a function of (x1, x2) that gives one Value, or one logit for every class in a list.
        data: pairs ((x1, x2), r), where r tells the class; that of a list of logits by its index.
        boundary: the output on which one class ends and the other begins: 0 for scores and logits, 0.5 for
            probabilities. Where there is a list of logits, the largest decides.
        names: of the classes, for a legend.
        ax: where to plot; by default in a new figure.

    Returns:
        The axes, as matplotlib's users expect.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: the data have not two inputs.

    >>> import nn
    >>> ax = plot_decision_boundary(nn.Perceptron(2, "sign", init=[0, 1, 1]), [((0, 1), 1), ((0, -1), -1)])
    >>> ax.get_xlabel()
    'x1'
    """
    ax = _axes(ax)
    points = list(data)
    for x, _ in points:
        if len(x) != 2:
            raise ValueError(f"a plane has two inputs, and the data have {len(x)}: {shown(x)}")
    x1, x2 = (_span([float(x[i]) for x, _ in points]) for i in range(2))
    with no_grad():
        outputs = [[model((a, b)) for a in x1] for b in x2]
        if isinstance(outputs[0][0], Value):
            classes = sorted({r for _, r in points})
            _plot_scores(ax, x1, x2, [[float(y) - boundary for y in row] for row in outputs])
        else:
            classes = list(range(len(outputs[0][0])))
            _plot_posteriors(ax, x1, x2, [[[float(p) for p in softmax(o)] for o in row] for row in outputs])
    for i, r in enumerate(classes):
        a, b = ([x[k] for x, target in points if target == r] for k in range(2))
        label = names[i] if names else f"r = {r}"
        colour, marker = CLASSES[i % len(CLASSES)], MARKERS[i % len(MARKERS)]
        ax.scatter(a, b, s=36, color=colour, marker=marker, edgecolors="white", label=label, zorder=3)
    ax.set(xlabel="x1", ylabel="x2")
    return ax


def _plot_scores(ax: Axes, x1: list[float], x2: list[float], scores: list[list[float]]) -> None:
    largest = max(abs(score) for row in scores for score in row) or 1.0
    levels = [largest * i / 10 for i in range(-10, 11)]
    ax.contourf(x1, x2, scores, levels=levels, cmap=_shades(CLASSES[0], "white", CLASSES[1]))
    ax.contour(x1, x2, scores, levels=[0.0], colors=DARK, linewidths=1.5)


def _plot_posteriors(ax: Axes, x1: list[float], x2: list[float], posteriors: list[list[list[float]]]) -> None:
    shades = [_shades("white", CLASSES[k % len(CLASSES)]) for k in range(len(posteriors[0][0]))]
    pixels = [[shades[p.index(max(p))](max(p)) for p in row] for row in posteriors]
    ax.imshow(pixels, extent=(x1[0], x1[-1], x2[0], x2[-1]), origin="lower", aspect="auto", interpolation="bilinear")


def plot_loss(history: History, *, ax: Axes | None = None) -> Axes:
    """Loss, and where there is one accuracy, by epoch.

    Args:
        history: what `nn.train` returned.
        ax: where to plot; by default in a new figure.

    Returns:
        The axes of the loss.

    Raises:
        ImportError: matplotlib is missing.

    >>> import nn
    >>> plot_loss(nn.History([0.7, 0.2, 0.1])).get_ylabel()
    'loss'
    """
    ax = _axes(ax)
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


def plot_descent(
    surface: Callable[[float, float], Any],
    path: Sequence[tuple[float, float]],
    *,
    area: tuple[tuple[float, float], tuple[float, float]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The lines of equal height of a function of two parameters, and a way down on it.

    Args:
        surface: a function of two numbers that gives a number or a Value, nan where it has none.
        path: the points (w1, w2), in their order.
        area: the ranges of w1 and of w2 to show; by default those of the path and a margin.
        ax: where to plot; by default in a new figure.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is missing.

    >>> plot_descent(lambda w1, w2: w1**2 + w2**2, [(2.0, 1.0), (1.0, 0.5)]).get_xlabel()
    'w1'
    """
    ax = _axes(ax)
    w1, w2 = (_span([point[i] for point in path]) if area is None else _steps(*area[i]) for i in range(2))
    with no_grad():
        heights = [[float(surface(a, b)) for a in w1] for b in w2]
    known = [height for row in heights for height in row if height - height == 0.0]
    lowest, highest = min(known), max(known)
    # Squares of even steps, so that the floor of the valley has lines as well.
    levels = [lowest + (highest - lowest) * (i / 16) ** 2 for i in range(17)]
    ax.contourf(w1, w2, heights, levels=levels, cmap=_shades("white", SKY))
    ax.contour(w1, w2, heights, levels=levels, colors=DARK, linewidths=0.4)
    a, b = zip(*path, strict=True)
    ax.plot(a, b, color=ORANGE, marker="o", markersize=3, linewidth=1.2)
    ax.plot(a[0], b[0], color=ORANGE, marker="o", markersize=9, label="start")
    ax.plot(a[-1], b[-1], color=BLUE, marker="*", markersize=14, label="end")
    ax.set(xlabel="w1", ylabel="w2")
    ax.legend()
    return ax


def _span(xs: list[float]) -> list[float]:
    """Even steps over the range of the numbers and a margin."""
    low, high = min(xs), max(xs)
    margin = 0.25 * (high - low) or 1.0
    return _steps(low - margin, high + margin)


def _steps(low: float, high: float) -> list[float]:
    return [low + (high - low) * i / (RESOLUTION - 1) for i in range(RESOLUTION)]


def _shades(*colours: str) -> Any:
    """A scale between pale versions of the colours."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    pale = [tuple(0.35 + 0.65 * part for part in to_rgb(colour)) for colour in colours]
    return LinearSegmentedColormap.from_list("", pale)


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'glassgrad[demos]'") from None
    return pyplot.subplots(layout="constrained")[1]
