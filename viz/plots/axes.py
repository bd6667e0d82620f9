"""What the plots share: axes, steps along them, and scales of colours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.colors

Axes: TypeAlias = "matplotlib.axes.Axes"
RESOLUTION = 80  # points along each axis of a surface


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


def steps_between(low: float, high: float) -> list[float]:
    """Return even steps from `low` to `high`."""
    return [low + (high - low) * i / (RESOLUTION - 1) for i in range(RESOLUTION)]


def steps_over(xs: list[float], name: str) -> list[float]:
    """Return even steps over the range of the numbers and a margin.

    Raises:
        ValueError: a number is infinite or not a number; the error calls the numbers `name`.
    """
    for i, x in enumerate(xs):
        if not math.isfinite(x):
            raise ValueError(f"{name} must be finite, got {x} at index {i}: leave out such points")
    low, high = min(xs), max(xs)
    margin = 0.25 * visible_range(low, high)
    return steps_between(low - margin, high + margin)


def visible_range(low: float, high: float) -> float:
    """Return the distance of two numbers; if they are almost equal, one that still has distinct steps."""
    largest = max(abs(low), abs(high)) or 1.0
    return high - low if high - low > 1e-9 * largest else 4.0 * largest


def shades(*colours: str) -> matplotlib.colors.Colormap:
    """Return a colour scale between pale versions of the colours."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    pale = [tuple(0.35 + 0.65 * part for part in to_rgb(colour)) for colour in colours]
    return LinearSegmentedColormap.from_list("", pale)
