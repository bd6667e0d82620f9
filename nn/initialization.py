"""Where the weights begin: the schemes of initialisation."""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Callable
from typing import TypeAlias

from engine.validation import describe

Scheme: TypeAlias = Callable[[random.Random, int, int], list[float]]


def uniform(rng: random.Random, n_inputs: int, n_outputs: int) -> list[float]:
    """Draw every weight, w0 too, uniformly from (-0.01, 0.01) (P31)."""
    return [rng.uniform(-0.01, 0.01) for _ in range(n_inputs + 1)]


def micrograd(rng: random.Random, n_inputs: int, n_outputs: int) -> list[float]:
    """The weights uniform in (-1, 1), w0 = 0."""
    return [0.0, *(rng.uniform(-1.0, 1.0) for _ in range(n_inputs))]


def xavier(rng: random.Random, n_inputs: int, n_outputs: int) -> list[float]:
    """The weights uniform with variance 2 / (n_inputs + n_outputs), w0 = 0 (Glorot and Bengio 2010)."""
    bound = math.sqrt(6.0 / (n_inputs + n_outputs))
    return [0.0, *(rng.uniform(-bound, bound) for _ in range(n_inputs))]


def he(rng: random.Random, n_inputs: int, n_outputs: int) -> list[float]:
    """The weights normal with variance 2 / n_inputs, w0 = 0 (He et al. 2015)."""
    deviation = math.sqrt(2.0 / n_inputs)
    return [0.0, *(rng.gauss(0.0, deviation) for _ in range(n_inputs))]


SCHEMES: dict[str, Scheme] = {"uniform_0.01": uniform, "micrograd": micrograd, "xavier": xavier, "he": he}

RECTIFIERS = ("relu", "leaky_relu", "elu", "softplus", "gelu", "silu")


def scheme(name: object, activation: str) -> Scheme:
    """The scheme of that name; without one, He's for the rectifiers, which let half of it through, else Xavier's.

    Raises:
        TypeError: the name is no text.
        ValueError: there is no such scheme.
    """
    if name is None:
        return he if activation in RECTIFIERS else xavier
    if not isinstance(name, str):
        raise TypeError(f"init is one of {', '.join(map(repr, SCHEMES))}, got {describe(name)}")
    if name not in SCHEMES:
        raise ValueError(f"init is one of {', '.join(map(repr, SCHEMES))}, got {name!r}")
    return SCHEMES[name]


def generator(seed: int | random.Random | None) -> random.Random:
    """A source of random numbers, the same every time for the same int; a `random.Random` is taken as it is.

    Raises:
        TypeError: the seed is something else.
    """
    if isinstance(seed, random.Random):
        return seed
    if seed is not None and not hasattr(seed, "__index__"):
        raise TypeError(f"seed is an int, got {describe(seed)}")
    return random.Random(None if seed is None else operator.index(seed))
