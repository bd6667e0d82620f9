"""Why small weights stall on XOR, and what helps (P31)."""

import random
from itertools import chain, combinations
from math import fsum, hypot, log
from pathlib import Path
from typing import NamedTuple

import engine
import nn
from demos._data import XOR
from demos._lesson import PICTURES, command, figure, heading, report_agreement, save
from demos.two_layer import Matrix, forward, updates
from engine import Value, dot, grad, hessian
from engine.formatting import format_number
from viz.style import BLUE, GREY, ORANGE

DATA = [([1.0, *x], [float(r < 0), float(r > 0)]) for x, r in XOR]  # x with x_0 = 1, and r of two classes
SIZES = 2, 4  # hidden neurons
TIMES = 5  # seeds of each size
INTERVAL = 10  # epochs between two records of a run
BEST_OF_ONE = 0.75 * log(3) - 0.5 * log(2)  # lowest loss of one hidden neuron: one corner right, P = 2/3 at three
SCHEMES = {"uniform_0.01": ORANGE, "xavier": BLUE}


class State(NamedTuple):
    """The weights after some epochs."""

    epoch: int
    V: Matrix
    W: Matrix


@command
def main(*, eta: float = 0.5, epochs: int = 2000, seed: int = 1, output: Path = PICTURES) -> None:
    """Run the algorithm from small and from larger weights, and measure how alike the hidden neurons are."""
    picture = figure(15, 6)
    heading("At the weights 0")
    L, parameters = loss_graph([[0.0] * 3] * 2, [[0.0] * 3] * 2)
    eigenvalues = eigenvalues_of(L, parameters)
    largest = max(map(abs, grad(L, parameters)))
    print(f"L = {format_number(L.data)} = log 2, and the largest of {len(parameters)} derivatives is {largest:g}.")
    flat = sum(abs(x) < 1e-12 for x in eigenvalues)
    print(f"The Hessian has the eigenvalue {eigenvalues[-1]:g} once, and {flat} eigenvalues are 0. The gradient")
    print("is 0, so gradient descent stands still here, and is slow nearby.")

    heading("From rand(-0.01, 0.01), with 2 hidden neurons")
    print("epoch      loss  right  |grad L|  lowest and highest eigenvalue  cosine")
    for state in run("uniform_0.01", 2, eta, epochs, seed):
        if state.epoch in (0, 10, 50, 100, 200, 500, 1000, epochs):
            L, parameters = loss_graph(state.V, state.W)
            eigenvalues = eigenvalues_of(L, parameters)
            slope = hypot(*grad(L, parameters))
            print(
                f"{state.epoch:5}{L.data:10.5f}{n_right(state):5}/4{slope:10.5f}"
                f"{eigenvalues[0]:17.4f}{eigenvalues[-1]:14.4f}{cosine(state.W):8.4f}"
            )
    print("Negative eigenvalues show a saddle. The weights leave it slowly, and all neurons")
    print("leave in the same direction: the cosine of the angle between their weights nears")
    print("1. Copies of one neuron separate only one corner from the others. Then")
    print(f"the loss stays above log(27/4)/4 = {BEST_OF_ONE:.5f}, with 3 of 4 corners right.")

    heading("Exactly equal neurons stay equal forever")
    V, W = [[0.1, 0.2, 0.2], [0.0, -0.1, -0.1]], [[0.1, 0.3, -0.2], [0.1, 0.3, -0.2]]
    for _ in range(100):
        for x, r in DATA:
            V, W = add(updates(V, W, x, r, eta), V, W)
    report_agreement("weights", [abs(a - b) for a, b in zip(*W, strict=True)], 0.0, "those of the other neuron")

    heading(f"Other initial weights: {TIMES} seeds each, after {epochs:,} epochs")
    print("init           hidden  solved  loss of each seed")
    at_loss, at_cosine = picture.subplots(1, 2)
    for scheme, colour in SCHEMES.items():
        for hidden in SIZES:
            runs = [run(scheme, hidden, eta, epochs, seed + i) for i in range(TIMES)]
            losses = [mean_loss(states[-1]) for states in runs]
            solved = sum(n_right(states[-1]) == 4 for states in runs)
            print(f"{scheme:14}{hidden:7}{solved:6}/{TIMES}  {'  '.join(f'{loss:.4f}' for loss in losses)}")
            if hidden == SIZES[0]:
                for i, states in enumerate(runs):
                    style = {"color": colour, "linewidth": 1.5, "label": scheme if i == 0 else None}
                    at_loss.plot([s.epoch for s in states], [mean_loss(s) for s in states], **style)
                    at_cosine.plot([s.epoch for s in states], [cosine(s.W) for s in states], **style)
    print("With larger initial weights the neurons stay different: most networks learn XOR.")
    for level, text in ((log(2), "log 2"), (BEST_OF_ONE, "one neuron")):
        at_loss.axhline(level, color=GREY, linestyle=":")
        at_loss.text(epochs, level + 0.01, text, color=GREY, ha="right", va="bottom")
    at_loss.set(
        title=f"XOR, {SIZES[0]} hidden neurons, {TIMES} seeds", xlabel="epoch", ylabel="loss", ylim=(-0.02, 0.95)
    )
    at_cosine.set(title="How alike the neurons are", xlabel="epoch", ylabel="cosine of their weights")
    at_loss.legend(loc="upper right")
    save(picture, output, "symmetry.png")


def run(scheme: str, hidden: int, eta: float, epochs: int, seed: int) -> list[State]:
    """Run the algorithm of P31 and return the weights at some of its epochs, the first and the last included."""
    rng, data, draw = random.Random(seed), list(DATA), nn.SCHEMES[scheme]
    W, V = [draw(rng, 2, hidden) for _ in range(hidden)], [draw(rng, hidden, 2) for _ in range(2)]
    states = [State(0, V, W)]
    for epoch in range(1, epochs + 1):
        rng.shuffle(data)
        for x, r in data:
            V, W = add(updates(V, W, x, r, eta), V, W)
        if epoch % INTERVAL == 0 or epoch == epochs:
            states.append(State(epoch, V, W))
    return states


def add(deltas: tuple[Matrix, Matrix], V: Matrix, W: Matrix) -> tuple[Matrix, Matrix]:
    """Return V + Delta V and W + Delta W."""
    new_V, new_W = (
        [[a + b for a, b in zip(row, change, strict=True)] for row, change in zip(matrix, delta, strict=True)]
        for matrix, delta in zip((V, W), deltas, strict=True)
    )
    return new_V, new_W


def mean_loss(state: State) -> float:
    """Return the mean loss over the four corners."""
    return fsum(-log(y) for x, r in DATA for r_i, y in zip(r, forward(state.V, state.W, x)[1], strict=True) if r_i) / 4


def n_right(state: State) -> int:
    """Return how many corners the network classifies correctly."""
    return sum((forward(state.V, state.W, x)[1][1] > 0.5) == (r[1] > 0.5) for x, r in DATA)


def cosine(W: Matrix) -> float:
    """Return the lowest cosine of the angle between the weights of two hidden neurons."""
    return min(fsum(a * b for a, b in zip(v, w, strict=True)) / (hypot(*v) * hypot(*w)) for v, w in combinations(W, 2))


def loss_graph(V: Matrix, W: Matrix) -> tuple[Value, list[Value]]:
    """Return the mean loss over the corners as a graph, and its parameters."""
    v, w = ([[Value(x) for x in row] for row in matrix] for matrix in (V, W))
    losses = []
    for x, r in DATA:
        z: list[Value | float] = [1.0, *(dot(w_h, x).sigmoid() for w_h in w)]
        losses.append(nn.cross_entropy([dot(v_i, z) for v_i in v], r))
    return engine.sum(losses) / 4, [*chain(*v, *w)]


def eigenvalues_of(L: Value, parameters: list[Value]) -> list[float]:
    """Return the eigenvalues of the Hessian in increasing order."""
    import numpy as np

    return [float(x) for x in np.linalg.eigvalsh(hessian(L, parameters))]


if __name__ == "__main__":
    main()
