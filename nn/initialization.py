"""Initialisation: the schemes by which the first weights are drawn."""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Callable
from typing import TypeAlias

from engine.validation import describe

Scheme: TypeAlias = Callable[[random.Random, int, int], list[float]]  # of inputs and outputs; returns w0, w1, ...

SCHEMES: dict[str, Scheme] = {
    # Every weight, w0 too, is uniform in (-0.01, 0.01) (P31).
    "uniform_0.01": lambda rng, n_in, n_out: [rng.uniform(-0.01, 0.01) for _ in range(n_in + 1)],
    # The other schemes begin with w0 = 0. The weights are uniform in (-1, 1),
    "micrograd": lambda rng, n_in, n_out: [0.0, *_uniform(rng, 1.0, n_in)],
    # uniform with variance 2 / (n_in + n_out) (Glorot and Bengio 2010),
    "xavier": lambda rng, n_in, n_out: [0.0, *_uniform(rng, math.sqrt(6.0 / (n_in + n_out)), n_in)],
    # or normal with variance 2 / n_in (He et al. 2015).
    "he": lambda rng, n_in, n_out: [0.0, *_normal(rng, math.sqrt(2.0 / n_in), n_in)],
}

RECTIFIERS = ("relu", "leaky_relu", "elu", "softplus", "gelu", "silu")


def _uniform(rng: random.Random, bound: float, n: int) -> list[float]:
    return [rng.uniform(-bound, bound) for _ in range(n)]


def _normal(rng: random.Random, deviation: float, n: int) -> list[float]:
    return [rng.gauss(0.0, deviation) for _ in range(n)]


def scheme(name: object, activation: str) -> Scheme:
    """Look up a scheme by name; None is "he" for ReLU-like activations, which pass half of their inputs, else "xavier".

    >>> scheme(None, "relu") is SCHEMES["he"]
    True
    """
    if name is None:
        name = "he" if activation in RECTIFIERS else "xavier"
    if isinstance(name, str) and name in SCHEMES:
        return SCHEMES[name]
    error = ValueError if isinstance(name, str) else TypeError
    raise error(f"init must be one of {', '.join(map(repr, SCHEMES))} or a list of weights, got {describe(name)}")


def generator(seed: int | random.Random | None) -> random.Random:
    """Return a source of random numbers, the same for the same int; a `random.Random` is returned as it is."""
    if isinstance(seed, random.Random):
        return seed
    if seed is not None and not hasattr(seed, "__index__"):
        raise TypeError(f"seed must be an int, got {describe(seed)}")
    return random.Random(None if seed is None else operator.index(seed))
