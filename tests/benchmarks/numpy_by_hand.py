"""Training of micrograd's moons demo with NumPy alone: MLP 2-16-16-1 with relu, hinge loss and weight decay."""

from __future__ import annotations

from typing import Any

import numpy as np

Matrix = np.ndarray[Any, Any]


def train_moons(
    parameters: list[Matrix], X: Matrix, r: Matrix, steps: int, *, rate: float, decay: float
) -> list[Matrix]:
    """Return the parameters after some steps of gradient descent on all rows: per layer, the weights and the biases."""
    W1, b1, W2, b2, W3, b3 = parameters
    r, n = r[:, None], len(r)
    for _ in range(steps):
        h1 = np.maximum(X @ W1 + b1, 0)
        h2 = np.maximum(h1 @ W2 + b2, 0)
        scores = h2 @ W3 + b3
        d3 = np.where(r * scores < 1, -r / n, 0.0)
        d2 = (d3 @ W3.T) * (h2 > 0)
        d1 = (d2 @ W2.T) * (h1 > 0)
        g = X.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ d3, d3.sum(0)
        W1, b1, W2, b2, W3, b3 = (
            p - rate * (by_p + decay * p) for p, by_p in zip((W1, b1, W2, b2, W3, b3), g, strict=True)
        )
    return [W1, b1, W2, b2, W3, b3]
