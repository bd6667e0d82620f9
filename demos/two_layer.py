"""A 2-layer MLP by update rules derived by hand (P25-P31)."""

from __future__ import annotations

import random
from itertools import chain
from math import exp, fsum
from pathlib import Path
from typing import Any

import nn
import viz
from demos import _table
from demos._lesson import exit_on_error, figure, heading, parser, plot_plane, report_agreement, save

Matrix = list[list[float]]


def forward(V: Matrix, W: Matrix, x: list[float]) -> tuple[list[float], list[float]]:
    """The hidden units z, z_0 = 1 the first, and the posteriors y (P25)."""
    a = [sum(w_hj * x_j for w_hj, x_j in zip(w_h, x, strict=True)) for w_h in W]
    z = [1.0, *(1 / (1 + exp(-a_h)) for a_h in a)]
    o = [sum(v_ih * z_h for v_ih, z_h in zip(v_i, z, strict=True)) for v_i in V]
    return z, [exp(o_i) / sum(map(exp, o)) for o_i in o]


def updates(V: Matrix, W: Matrix, x: list[float], r: list[float], eta: float) -> tuple[Matrix, Matrix]:
    """Delta V and Delta W for one example (P31)."""
    z, y = forward(V, W, x)
    delta_V = [[eta * (r_i - y_i) * z_h for z_h in z] for r_i, y_i in zip(r, y, strict=True)]
    delta_W = []
    for h in range(1, len(z)):
        error = sum((r_i - y_i) * v_i[h] for r_i, y_i, v_i in zip(r, y, V, strict=True))
        delta_W.append([eta * error * z[h] * (1 - z[h]) * x_j for x_j in x])
    return delta_V, delta_W


def main(arguments: list[str] | None = None) -> None:
    options = parser("two_layer", __doc__)
    options.add_argument("--data", type=Path, metavar="FILE.csv", help="your own classes (default: iris)")
    options.add_argument("--hidden", type=int, default=5, metavar="H", help="hidden units (default: %(default)s)")
    options.add_argument("--eta", type=float, default=0.1, help="the learning rate (default: %(default)s)")
    options.add_argument("--epochs", type=int, default=300, help="how many at most (default: %(default)s)")
    options.add_argument("--seed", type=int, default=1, help="of all that is random (default: %(default)s)")
    chosen = options.parse_args(arguments)
    with exit_on_error(options):
        lesson(chosen.data, chosen.hidden, chosen.eta, chosen.epochs, chosen.seed, chosen.output)


def lesson(path: Path | None, H: int, eta: float, epochs: int, seed: int, folder: Path) -> None:
    table = (_table.read(path) if path else iris()).standardised()
    K, d = len(table.classes), len(table.names) - 1
    picture = figure(9, 4)
    examples = [(x, table.classes.index(r)) for x, r in zip(table.rows, table.targets, strict=True)]
    rng = random.Random(seed)
    rng.shuffle(examples)
    held_out, X = examples[: len(examples) // 5], examples[len(examples) // 5 :]

    heading(f"{d} inputs, {H} hidden units, {K} classes: {', '.join(table.classes)}")
    print("z_h = sigmoid(w_h^T x)   o_i = v_i^T z   y = softmax(o)   L = -sum r_i log y_i")
    print("Delta v_ih = eta (r_i - y_i) z_h")
    print("Delta w_hj = eta [sum_i (r_i - y_i) v_ih] z_h (1 - z_h) x_j\n")
    model = nn.MLP(d, [H, K], hidden="sigmoid", init="uniform_0.01", seed=rng)  # rand(-0.01, 0.01)
    history, differences, converged = nn.History(), [], nn.plateau(tolerance=1e-3)
    while history.epochs < epochs and not history.converged:
        losses, right = [], []
        rng.shuffle(X)
        for x, k in X:
            W, V = ([[w.data for w in neuron.weights] for neuron in layer.neurons] for layer in model.layers)
            r = [float(i == k) for i in range(K)]
            delta_V, delta_W = updates(V, W, [1.0, *x], r, eta)

            output = model(x)
            loss = nn.cross_entropy(output, k)
            model.zero_grad()
            loss.backward()
            losses.append(loss.data)
            right.append(max(output) is output[k])
            for w, delta in zip(model.parameters(), chain(*delta_W, *delta_V), strict=True):
                differences.append(abs(delta - -eta * w.grad))
                w.data += delta
        history.add(fsum(losses) / len(losses), sum(right) / len(right))
        history.converged = converged(history)
        if history.epochs % 10 == 0 or history.converged:
            print(f"epoch {history.epochs:4}  {history.latest}")
    print(f"\n{history}")
    report_agreement("Deltas by hand", differences, 1e-12)
    _, accuracy = nn.evaluate(model, nn.cross_entropy, held_out)
    print(f"On the {len(held_out)} held-out examples: {100 * (accuracy or 0.0):.1f} % right.")

    at_plane, at_loss = picture.subplots(1, 2)
    plot_plane(model, examples, table.names[:-1], table.classes, at_plane)
    viz.plot_loss(history, ax=at_loss)
    save(picture, folder, "two_layer.png")


def iris() -> _table.Table:
    """150 flowers of three kinds (Fisher 1936)."""
    from sklearn.datasets import load_iris

    data: Any = load_iris()
    names = [name.removesuffix(" (cm)") for name in data.feature_names]
    return _table.Table([*names, "kind"], data.data.tolist(), [str(data.target_names[k]) for k in data.target])


if __name__ == "__main__":
    main()
