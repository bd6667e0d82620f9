"""How surely `nn.train` converges with its defaults: XOR, moons and iris from many seeds.

A training counts when it ended by itself (`history.converged`) and the model then answers the share of the examples
that is asked for.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_iris, make_moons

import nn

Task = tuple[Callable[[int], nn.MLP], Callable[..., Any], list[tuple[Any, int]], float]


def tasks() -> dict[str, Task]:
    xor = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
    points, moon = make_moons(n_samples=100, noise=0.1, random_state=1)
    flowers, kind = load_iris(return_X_y=True)
    moons = list(zip(points.tolist(), (2 * moon - 1).tolist(), strict=True))
    iris = list(zip(flowers.tolist(), kind.tolist(), strict=True))
    return {
        "XOR, 2-4-1": (lambda seed: nn.MLP(2, [4, 1], seed=seed), nn.binary_cross_entropy, xor, 1.0),
        "moons, 2-16-16-1": (lambda seed: nn.MLP(2, [16, 16, 1], hidden="relu", seed=seed), nn.hinge, moons, 0.99),
        "iris, 4-8-3": (lambda seed: nn.MLP(4, [8, 3], seed=seed), nn.cross_entropy, iris, 0.96),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.convergence", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="trainings each (default: %(default)s)")
    seeds = parser.parse_args().seeds
    table = Table(title=f"Trainings that converge, of {seeds}")
    for head in ("", "converge", "accuracy\nasked", "lowest", "epochs,\nmedian", "most", "seconds,\nmedian"):
        table.add_column(head, justify="right" if head else "left")
    for name, (make, loss, data, asked) in tasks().items():
        reached, accuracies, epochs, seconds = 0, [], [], []
        for seed in range(seeds):
            model = make(seed)
            start = time.perf_counter()
            history = nn.train(model, loss, data, seed=seed, progress=False)
            seconds.append(time.perf_counter() - start)
            accuracies.append(nn.evaluate(model, loss, data)[1] or 0.0)
            epochs.append(history.epochs)
            reached += history.converged and accuracies[-1] >= asked
        numbers = (f"{statistics.median(epochs):.0f}", f"{max(epochs)}", f"{statistics.median(seconds):.2f}")
        table.add_row(name, str(reached), f"{asked:.0%}", f"{min(accuracies):.1%}", *numbers)
    Console().print(table)


if __name__ == "__main__":
    main()
