"""The training of the playground, in the browser, beside NumPy by hand: `python -m tests.benchmarks.playground`.

A step of micrograd's moons demo: MLP 2-16-16-1, 100 rows, float64, stochastic gradient descent with weight decay. Both
begin with the same weights, and must end with the same. Beside it, the planes of every neuron of a network 2-4-2-1 over
100 x 100 points, computed and drawn.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

import nn
import viz
from demos._data import moons
from tests.benchmarks.numpy_by_hand import train_moons

RATE, DECAY = 0.05, 2e-4
STEPS = 1000
TRAIN = """(steps) => {
    training.reset();
    const begin = performance.now();
    for (let i = 0; i < steps; i++) training.step();
    return [(performance.now() - begin) / steps, [...training.weights]];
}"""
SHOW = """(times) => {
    const n = 100 * 100, grid = training.place(n), out = training.reserve(n * training.signals);
    training.allocate();
    const begin = performance.now();
    for (let i = 0; i < times; i++) training.show(grid, out);
    return (performance.now() - begin) / times;
}"""
DRAW = """(times) => {
    const button = document.getElementById("play-step");
    const begin = performance.now();
    for (let i = 0; i < times; i++) button.click();
    return (performance.now() - begin) / times;
}"""


def open_playground(tab: Page, model: nn.MLP) -> None:
    """Open the page of a network that learns the moons in a tab."""
    optimizer = nn.SGD(model.parameters(), RATE, weight_decay=DECAY)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "play.html"
        viz.playground(model, moons().two_classes(), path, loss=nn.hinge, optimizer=optimizer, batch_size=None)
        tab.goto(path.as_uri())
        tab.wait_for_selector("body[data-ready]")


def numpy_by_hand(model: nn.MLP, steps: int) -> list[float]:
    """Return the weights after some steps, in the order of the model's parameters."""
    X, r = (np.array(part) for part in zip(*moons().two_classes(), strict=True))
    layers = [np.array([[w.data for w in neuron.weights] for neuron in layer.neurons]).T for layer in model.layers]
    parameters = [part for layer in layers for part in (layer[1:], layer[0])]
    W1, b1, W2, b2, W3, b3 = train_moons(parameters, X, r, steps, rate=RATE, decay=DECAY)
    weights = [np.vstack([b, W]).T.ravel() for b, W in ((b1, W1), (b2, W2), (b3, W3))]
    return [float(w) for w in np.concatenate(weights)]


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.playground", description=__doc__)
    parser.add_argument("--repeats", type=int, default=7, help="trainings each (default: %(default)s)")
    parser.add_argument("--browser", default="/usr/bin/chromium", help="path of the browser (default: %(default)s)")
    arguments = parser.parse_args()
    model = nn.MLP(2, [16, 16, 1], hidden="relu", seed=1)
    times: dict[str, list[float]] = {"playground, in the browser": [], "NumPy by hand": []}
    with sync_playwright() as playwright:
        tab = playwright.chromium.launch(executable_path=arguments.browser, args=["--no-sandbox"]).new_page()
        open_playground(tab, model)
        if not np.allclose(tab.evaluate(TRAIN, 60)[1], numpy_by_hand(model, 60), rtol=1e-9, atol=1e-12):
            raise SystemExit("the playground ends at other weights than NumPy")
        for _ in range(arguments.repeats):
            times["playground, in the browser"].append(tab.evaluate(TRAIN, STEPS)[0] * 1000)
            begin = time.perf_counter()
            numpy_by_hand(model, STEPS)
            times["NumPy by hand"].append((time.perf_counter() - begin) / STEPS * 1e6)
        open_playground(tab, nn.MLP(2, [4, 2, 1], seed=1))
        planes = statistics.median(tab.evaluate(SHOW, 100) for _ in range(arguments.repeats))
        frame = statistics.median(tab.evaluate(DRAW, 20) for _ in range(arguments.repeats))
    medians = {name: float(np.median(numbers)) for name, numbers in times.items()}
    table = Table(title="A step of moons, 2-16-16-1, 100 rows")
    for head in ("", "microseconds a step", "of NumPy's"):
        table.add_column(head, justify="right" if head else "left")
    for name, number in medians.items():
        table.add_row(name, f"{number:,.1f}", f"{number / medians['NumPy by hand']:,.2f}")
    console = Console()
    console.print(table)
    console.print(f"Planes of a network 2-4-2-1, 100 x 100 points: {planes:.2f} ms.")
    console.print(f"A step of it, with everything on the page drawn again: {frame:.2f} ms.")


if __name__ == "__main__":
    main()
