"""The plot of a descent on a surface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite

from engine import Value, no_grad
from engine.value import number_of
from viz.plots.axes import Axes, axes_or_new, shades, steps_between, steps_over, visible_range
from viz.style import BLUE, DARK, ORANGE, SKY


def plot_descent(
    surface: Callable[[float, float], float | Value],
    path: Sequence[tuple[float, float]],
    *,
    area: tuple[tuple[float, float], tuple[float, float]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot the contour lines of a function of two parameters, and the path of a descent on it.

    Args:
        surface: a function of two numbers that returns a number or a Value, nan where it is undefined.
        path: the points (w1, w2) of the descent, in their order.
        area: the ranges of w1 and of w2 to show; by default those of the path and a margin.
        ax: the axes to plot on; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: the path has no points or one that is not finite, a range of `area` does not increase, or the
            surface has no finite value there.

    >>> plot_descent(lambda w1, w2: w1**2 + w2**2, [(2.0, 1.0), (1.0, 0.5)]).get_xlabel()
    'w1'
    """
    if not path:
        raise ValueError("path must have at least one point (w1, w2), got none")
    if area is not None and any(low >= high for low, high in area):
        raise ValueError(f"area must be two ranges (low, high) with low < high, got {area}")
    w1, w2 = (
        steps_over([point[i] for point in path], f"w{i + 1} of path") if area is None else steps_between(*area[i])
        for i in range(2)
    )
    with no_grad():
        heights = [[number_of(surface(a, b)) for a in w1] for b in w2]
    finite = [height for row in heights for height in row if isfinite(height)]
    if not finite:
        raise ValueError("surface must be finite somewhere in the area, got nan or inf everywhere: pass another area")
    ax = axes_or_new(ax)
    lowest, height = min(finite), visible_range(min(finite), max(finite))
    # The heights of the lines grow as squares, so that the floor of a valley has lines too.
    levels = [lowest + height * (i / 16) ** 2 for i in range(17)]
    ax.contourf(w1, w2, heights, levels=levels, cmap=shades("white", SKY))
    if min(finite) < max(finite):
        ax.contour(w1, w2, heights, levels=levels, colors=DARK, linewidths=0.4)
    a, b = zip(*path, strict=True)
    ax.plot(a, b, color=ORANGE, marker="o", markersize=3, linewidth=1.2)
    ax.plot(a[0], b[0], color=ORANGE, marker="o", markersize=9, label="start")
    ax.plot(a[-1], b[-1], color=BLUE, marker="*", markersize=14, label="end")
    ax.set(xlabel="w1", ylabel="w2")
    ax.legend()
    return ax
