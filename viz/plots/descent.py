"""The plot of descents on a surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import hypot, isfinite
from typing import TypeAlias

from engine import Value, no_grad
from engine.value import number_of
from viz.plots.axes import Area, Axes, axes_or_new, grid_steps, shades, steps_between, visible_range
from viz.style import BLUE, CLASSES, DARK, MARKERS

Path: TypeAlias = Sequence[tuple[float, float]]
RESOLUTION = 150  # points along each axis
LEVELS = 16
MAX_MARKED = 60  # points of a path, above which their markers would be a smear


def plot_descent(
    surface: Callable[[float, float], float | Value],
    path: Path | Mapping[str, Path],
    *,
    area: Area | None = None,
    scale: str = "L",
    ax: Axes | None = None,
) -> Axes:
    """Plot the contour lines of a function of two parameters, and the paths of one or more descents on it.

    The levels are quantiles of the heights: between two neighbouring lines lies a fixed share of the area, so that the
    floor of a valley has lines too.

    Args:
        surface: a function of two numbers that returns a number or a Value, nan where it is undefined.
        path: the points (w1, w2) of a descent, in their order; or several such paths by their names, for the legend.
        area: the ranges of w1 and of w2 to show; by default those of the paths and a margin. A path may leave it.
        scale: the name of the heights, for the colour bar.
        ax: the axes to plot on; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: a path has no points or one that is not finite, a range of `area` does not increase, or the surface
            has no finite value there.

    >>> plot_descent(lambda w1, w2: w1**2 + w2**2, [(2.0, 1.0), (1.0, 0.5)]).get_xlabel()
    'w1'
    """
    paths = path if isinstance(path, Mapping) else {"": path}
    points = [point for each in paths.values() for point in each]
    if not paths or not all(paths.values()):
        raise ValueError("path must have at least one point (w1, w2), got none")
    coordinates = [[point[i] for point in points] for i in range(2)]
    w1, w2 = grid_steps(coordinates, ("w1 of path", "w2 of path"), area, RESOLUTION)
    with no_grad():
        heights = [[number_of(surface(a, b)) for a in w1] for b in w2]
    finite = sorted(height for row in heights for height in row if isfinite(height))
    if not finite:
        raise ValueError("surface must be finite somewhere in the area, got nan or inf everywhere: pass another area")
    ax = axes_or_new(ax)
    from matplotlib.colors import BoundaryNorm

    levels = _levels(finite)
    even = BoundaryNorm(levels, ncolors=256)  # from level to level one step darker
    shaded = ax.contourf(w1, w2, heights, levels=levels, cmap=shades("white", BLUE), norm=even)
    ax.figure.colorbar(shaded, ax=ax, label=scale, ticks=levels[::4], format="%.3g")
    if finite[0] < finite[-1]:
        ax.contour(w1, w2, heights, levels=levels, colors=DARK, linewidths=0.6)
    for i, (name, each) in enumerate(paths.items()):
        _plot_path(ax, each, name, i, shortest_arrow=0.03 * hypot(w1[-1] - w1[0], w2[-1] - w2[0]))
    first = next(iter(paths.values()))[0]
    ax.plot(*first, "o", color=DARK, markersize=11, markeredgecolor="white", zorder=4, label="start")
    ax.set(xlabel="w1", ylabel="w2", xlim=(w1[0], w1[-1]), ylim=(w2[0], w2[-1]))
    ax.legend()
    return ax


def _levels(heights: list[float]) -> list[float]:
    """Return increasing levels for sorted heights, closer together where the surface is low."""
    last = len(heights) - 1
    levels = sorted({heights[round(last * (i / LEVELS) ** 1.5)] for i in range(LEVELS + 1)})
    if len(levels) > 2 and visible_range(levels[0], levels[-1]) == levels[-1] - levels[0]:
        return levels
    return steps_between(levels[0], levels[0] + visible_range(levels[0], levels[-1]), LEVELS + 1)


def _plot_path(ax: Axes, points: Path, name: str, i: int, shortest_arrow: float) -> None:
    """Plot a path with an arrow on each step that is long enough, and a star at its end."""
    colour, marker = CLASSES[i % len(CLASSES)], MARKERS[i % len(MARKERS)]
    a, b = zip(*points, strict=True)
    ax.plot(a, b, color=colour, marker=marker if len(points) <= MAX_MARKED else None, markersize=6, label=name or None)
    for (a0, b0), (a1, b1) in pairwise(points):
        if hypot(a1 - a0, b1 - b0) > shortest_arrow:
            arrow = {"arrowstyle": "-|>", "color": colour, "shrinkA": 0, "shrinkB": 0}
            middle = 0.4 * a0 + 0.6 * a1, 0.4 * b0 + 0.6 * b1
            ax.annotate("", middle, (a0, b0), arrowprops=arrow, annotation_clip=True)
    ax.plot(a[-1], b[-1], "*", color=colour, markersize=16, markeredgecolor="white", zorder=4)
