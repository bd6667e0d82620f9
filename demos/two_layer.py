"""A two-layer network that learns by the derived updates (P31)."""

import random
from collections.abc import Callable
from itertools import chain
from math import exp, fsum
from pathlib import Path

import nn
import viz
from demos._data import iris, read_table
from demos._lesson import PICTURES, command, figure, heading, plot_plane, report_agreement, save

Matrix = list[list[float]]
Outputs = Callable[[list[float]], list[float]]  # from the weighted sums o to y


def softmax(o: list[float]) -> list[float]:
    """Return exp(o_i) / sum_k exp(o_k) for every i."""
    return [exp(o_i) / sum(map(exp, o)) for o_i in o]


def forward(V: Matrix, W: Matrix, x: list[float], outputs: Outputs = softmax) -> tuple[list[float], list[float]]:
    """Return the outputs z of the hidden layer, beginning with z_0 = 1, and the posteriors y (P25)."""
    a = [sum(w_hj * x_j for w_hj, x_j in zip(w_h, x, strict=True)) for w_h in W]
    z = [1.0, *(1 / (1 + exp(-a_h)) for a_h in a)]
    return z, outputs([sum(v_ih * z_h for v_ih, z_h in zip(v_i, z, strict=True)) for v_i in V])


def updates(
    V: Matrix, W: Matrix, x: list[float], r: list[float], eta: float, outputs: Outputs = softmax
) -> tuple[Matrix, Matrix]:
    """Return Delta V and Delta W for one example (P31); the box on the slide has the outputs y = o, without softmax."""
    z, y = forward(V, W, x, outputs)
    delta_V = [[eta * (r_i - y_i) * z_h for z_h in z] for r_i, y_i in zip(r, y, strict=True)]
    delta_W = []
    for h in range(1, len(z)):
        error = sum((r_i - y_i) * v_i[h] for r_i, y_i, v_i in zip(r, y, V, strict=True))
        delta_W.append([eta * error * z[h] * (1 - z[h]) * x_j for x_j in x])
    return delta_V, delta_W


@command
def main(
    *, data: Path | None = None, hidden: int = 5, eta: float = 0.1, epochs: int = 300, seed: int = 1,
    output: Path = PICTURES,
) -> None:  # fmt: skip
    """Train by the rules, check every update against autograd, and plot the posteriors."""
    if epochs < 1:
        raise ValueError(f"--epochs must be 1 or more, got {epochs}")
    table = (read_table(data) if data else iris()).standardized()
    K, d = len(table.classes), len(table.names) - 1
    picture = figure(14, 6)
    examples = table.examples
    rng = random.Random(seed)
    rng.shuffle(examples)
    held_out, X = examples[: len(examples) // 5], examples[len(examples) // 5 :]

    heading(f"{d} inputs, {hidden} hidden neurons, {K} classes: {', '.join(table.classes)}")
    print("z_h = sigmoid(w_h^T x)   o_i = v_i^T z   y = softmax(o)   L = -sum r_i log y_i")
    print("Delta v_ih = eta (r_i - y_i) z_h")
    print("Delta w_hj = eta [sum_i (r_i - y_i) v_ih] z_h (1 - z_h) x_j\n")
    model = nn.MLP(d, [hidden, K], hidden="sigmoid", init="uniform_0.01", seed=rng)  # rand(-0.01, 0.01)
    history, differences, converged = nn.History(), [], nn.plateau(tolerance=1e-3)
    while history.epochs < epochs and not history.converged:
        losses, right = [], []
        rng.shuffle(X)
        for x, k in X:
            W, V = ([[w.data for w in neuron.weights] for neuron in layer.neurons] for layer in model.layers)
            r = [float(i == k) for i in range(K)]
            delta_V, delta_W = updates(V, W, [1.0, *x], r, eta)

            outputs = model(x)
            loss = nn.cross_entropy(outputs, k)
            model.zero_grad()
            loss.backward()
            losses.append(loss.data)
            right.append(max(outputs) is outputs[k])
            for w, delta in zip(model.parameters(), chain(*delta_W, *delta_V), strict=True):
                differences.append(abs(delta - -eta * w.grad))
                w.data += delta
        history.add(fsum(losses) / len(losses), sum(right) / len(right))
        history.converged = converged(history)
        if history.epochs % 10 == 0 or history.converged:
            print(f"epoch {history.epochs:4}  {history.latest}")
    print(f"\n{history}")
    report_agreement("weight updates", differences, 1e-12)
    if held_out:
        _, accuracy = nn.evaluate(model, nn.cross_entropy, held_out)
        print(f"Accuracy on {len(held_out)} held-out examples: {100 * (accuracy or 0.0):.1f} %.")

    at_plane, at_loss = picture.subplots(1, 2)
    plot_plane(model, examples, table, at_plane)
    viz.plot_loss(history, ax=at_loss)
    save(picture, output, "two_layer.png")


if __name__ == "__main__":
    main()
