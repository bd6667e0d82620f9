"""Schedules: the learning rate as a function of the epoch, which counts from 0 and has fractions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

Schedule: TypeAlias = Callable[[float], float]


def linear_decay(start: float, end: float, epochs: int) -> Schedule:
    """Return a schedule that falls in a straight line from `start` to `end` after `epochs`, and stays there.

    >>> [linear_decay(1.0, 0.1, 100)(epoch) for epoch in (0, 50, 100, 200)]
    [1.0, 0.55, 0.1, 0.1]
    """
    return lambda epoch: start + (end - start) * epoch / epochs if epoch < epochs else end


def cosine_decay(start: float, end: float, epochs: int) -> Schedule:
    """Return a schedule that falls along half a cosine to `end` after `epochs` (Loshchilov and Hutter 2017).

    >>> [round(cosine_decay(1.0, 0.0, 100)(epoch), 3) for epoch in (0, 25, 50, 100)]
    [1.0, 0.854, 0.5, 0.0]
    """
    return lambda epoch: end + (start - end) * (1 + math.cos(math.pi * epoch / epochs)) / 2 if epoch < epochs else end


def exponential_decay(start: float, factor: float) -> Schedule:
    """Return a schedule that begins at `start` and is multiplied by `factor` in every epoch.

    >>> [exponential_decay(1.0, 0.5)(epoch) for epoch in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """
    return lambda epoch: start * factor**epoch
