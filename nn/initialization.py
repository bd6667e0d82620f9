"""Initialisation: the schemes by which the first weights are drawn."""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Callable
from typing import TypeAlias

from engine.validation import describe

Scheme: TypeAlias = Callable[[random.Random, int, int], list[float]]  # generator, inputs, outputs -> w0, w1, ...


def uniform(rng: random.Random, n_inputs: int, n_outputs: int) -> list[float]:
    """Draw every weight, w0 too, uniformly from (-0.01, 0.01) (P31)."""
    return [rng.uniform(-0.01, 0.01) for _ in range(n_inputs + 1)]


def micrograd(rng: random.Random, n_inputs: int, n_outputs: int) -> list[float]:
    """Draw the weights uniformly from (-1, 1), as micrograd does; w0 = 0."""
    return [0.0, *(rng.uniform(-1.0, 1.0) for _ in range(n_inputs))]


def xavier(rng: random.Random, n_inputs: int, n_outputs: int) -> list[float]:
    """Draw the weights uniformly with variance 2 / (n_inputs + n_outputs); w0 = 0 (Glorot and Bengio 2010)."""
    bound = math.sqrt(6.0 / (n_inputs + n_outputs))
    return [0.0, *(rng.uniform(-bound, bound) for _ in range(n_inputs))]


def he(rng: random.Random, n_inputs: int, n_outputs: int) -> list[float]:
    """Draw the weights normally with variance 2 / n_inputs; w0 = 0 (He et al. 2015)."""
    deviation = math.sqrt(2.0 / n_inputs)
    return [0.0, *(rng.gauss(0.0, deviation) for _ in range(n_inputs))]


SCHEMES: dict[str, Scheme] = {"uniform_0.01": uniform, "micrograd": micrograd, "xavier": xavier, "he": he}

RECTIFIERS = ("relu", "leaky_relu", "elu", "softplus", "gelu", "silu")


def scheme(name: object, activation: str) -> Scheme:
    """Look up a scheme by name; None is He for ReLU-like activations, which pass half of their inputs, else Xavier.

    Raises:
        TypeError: the name is not a str.
        ValueError: there is no such scheme.
    """
    if name is None:
        return he if activation in RECTIFIERS else xavier
    if isinstance(name, str) and name in SCHEMES:
        return SCHEMES[name]
    error = ValueError if isinstance(name, str) else TypeError
    raise error(f"init must be one of {', '.join(map(repr, SCHEMES))} or a list of weights, got {describe(name)}")


def generator(seed: int | random.Random | None) -> random.Random:
    """Return a source of random numbers, the same for the same int; a `random.Random` is returned as it is.

    Raises:
        TypeError: the seed is of another type.
    """
    if isinstance(seed, random.Random):
        return seed
    if seed is not None and not hasattr(seed, "__index__"):
        raise TypeError(f"seed must be an int, got {describe(seed)}")
    return random.Random(None if seed is None else operator.index(seed))
