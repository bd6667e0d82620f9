"""Shared parts of the plots: axes, steps along them, and scales of colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.colors

Axes: TypeAlias = "matplotlib.axes.Axes"
Area: TypeAlias = tuple[tuple[float, float], tuple[float, float]]  # the ranges (low, high) of two variables


def axes_or_new(ax: Axes | None) -> Axes:
    """Return the axes, in a new figure if `ax` is None.

    Raises:
        ImportError: matplotlib is missing.
    """
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'glassgrad[demos]'") from None
    return pyplot.subplots(layout="constrained")[1]


def literal(text: str) -> str:
    r"""Return the text with which matplotlib shows the characters of `text` instead of a formula between dollar signs.

    >>> literal("$ per share")
    '\\$ per share'
    """
    return text.replace("$", r"\$")


def steps_between(low: float, high: float, n: int) -> list[float]:
    """Return `n` even steps from `low` to `high`."""
    return [low + (high - low) * i / (n - 1) for i in range(n)]


def grid_steps(
    points: Sequence[Sequence[float]], names: Sequence[str], area: Area | None, n: int
) -> tuple[list[float], list[float]]:
    """Return `n` even steps along each axis: over the area, or over the points and a margin.

    Raises:
        ValueError: a coordinate of a point is infinite or not a number, which the error calls by its axis in `names`,
            or a range of the area does not increase.
    """
    if area is not None and any(low >= high for low, high in area):
        raise ValueError(f"area must be two ranges (low, high) with low < high, got {area}")
    for xs, name in zip(points, names, strict=True):
        for i, x in enumerate(xs):
            if not math.isfinite(x):
                raise ValueError(f"{name} must be finite, got {x} at index {i}: leave out such points")
    first, second = map(_with_margin, points) if area is None else area
    return steps_between(*first, n), steps_between(*second, n)


def _with_margin(xs: Sequence[float]) -> tuple[float, float]:
    low, high = min(xs), max(xs)
    margin = 0.25 * visible_range(low, high)
    return low - margin, high + margin


def visible_range(low: float, high: float) -> float:
    """Return the distance of two numbers; if they are almost equal, one that still has distinct steps."""
    largest = max(abs(low), abs(high)) or 1.0
    return high - low if high - low > 1e-9 * largest else 4.0 * largest


def shades(*colours: str) -> matplotlib.colors.Colormap:
    """Return a colour scale between pale versions of the colours."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    pale = [tuple(0.35 + 0.65 * part for part in to_rgb(colour)) for colour in colours]
    return LinearSegmentedColormap.from_list("", pale)
