"""Activations, and why thresholds do not learn (P12-P14)."""

import math
import random
import textwrap
from pathlib import Path

import nn
import viz
from demos._data import XOR, Examples
from demos._lesson import PICTURES, command, figure, heading, report_agreement, save, share_legend
from engine import RULES, Value, dot, sigmoid
from engine.formatting import format_number
from nn.activations import activation_function
from viz.plots.axes import Axes, steps_between
from viz.style import BLUE, DARK, GREY, ORANGE

ACTIVATIONS = ("linear", "sign", "sigmoid", "tanh", "softplus", "relu", "leaky_relu", "elu", "gelu", "silu")
POINTS = steps_between(-5.0, 5.0, 401)  # on the axes of the plots
MEANS = (1.0, 0.5), (-1.0, -0.5)  # of the two classes, both with standard deviation 1 in both inputs
N_BINS = 10


@command
def main(*, epochs: int = 400, eta: float = 0.1, seed: int = 1, output: Path = PICTURES) -> None:
    """Train networks of thresholds and of smooth activations, plot every activation, and check a posterior."""
    learning, gallery, posterior = figure(14, 5.6), figure(16, 7.5), figure(14, 5.8)
    at_weight, at_loss = learning.subplots(1, 2)

    heading("Limitation 2: the slope of a threshold is 0 (P12-P13)")
    print("Networks of 2 inputs, 4 hidden neurons and 1 output on XOR, loss (r - y)^2:")
    for activation, colour in (("sign", ORANGE), ("sigmoid", BLUE)):
        data = XOR if activation == "sign" else [(x, max(r, 0)) for x, r in XOR]
        model = nn.MLP(2, [4, 1], hidden=activation, output=activation, seed=seed)
        plot_loss_of_weight(model, data, at_weight, colour)
        before = [w.data for w in model.parameters()]
        gradients = gradient_sizes(model, data)
        optimizer = nn.Adam(model.parameters(), eta)
        history = nn.train(model, nn.mse, data, optimizer=optimizer, epochs=epochs, until=lambda _: False, seed=seed)
        moved = sum(w.data != data for w, data in zip(model.parameters(), before, strict=True))
        print(f"\n{activation}:")
        print(f"  gradients that are not 0 before training: {sum(size > 0 for size in gradients)} of {len(gradients)}")
        print(f"  weights that changed in {history.epochs} epochs: {moved} of {len(before)}")
        first, last = (format_number(history.loss[i], 3) for i in (0, -1))
        print(f"  loss of the first epoch {first}, of the last {last}")
        if history.reason:
            print(textwrap.fill(f"  nn.train says: {history.reason}", 80, subsequent_indent="  "))
        at_loss.plot(range(1, history.epochs + 1), history.loss, color=colour, label=activation)
    at_weight.set(title="The loss along one weight", xlabel="bias weight of the output neuron", ylabel="loss")
    at_loss.set(title="Training", xlabel="epoch", ylabel="loss", ylim=(-0.05, None))
    share_legend(learning, at_loss)

    heading("Activation functions f and their slopes f' (P14), from the table engine.RULES")
    print("".ljust(12) + "".join(f"{f'{f}({a:g})':>9}" for f in ("f", "f'") for a in (-2, 0, 2)))
    for name, ax in zip(ACTIVATIONS, gallery.subplots(2, 5, sharex=True, sharey=True).flat, strict=True):
        values, slopes = zip(*(value_and_slope(name, a) for a in (-2.0, 0.0, 2.0)), strict=True)
        print(f"{name:12}" + "".join(f"{format_number(x, 3):>9}" for x in (*values, *slopes)))
        plot_function(name, ax)
    share_legend(gallery, ax)

    heading("The output of a sigmoid is a posterior probability (P14)")
    rng = random.Random(seed)
    classes = [(r, means) for r, means in zip((1, 0), MEANS, strict=True) for _ in range(1000)]
    points: Examples = [([rng.gauss(mean, 1.0) for mean in means], r) for r, means in classes]
    neuron = nn.Perceptron(2, "linear", seed=seed)
    nn.train(neuron, nn.binary_cross_entropy, points, seed=seed)
    exact = exact_weights()
    print("Two classes of 1,000 points, normally distributed about (1, 0.5) and (-1, -0.5).")
    print("Bayes' rule gives P(C1 | x) = sigmoid(w^T x). Training finds nearly the same w:")
    print("            w0       w1       w2")
    print("Bayes  " + "".join(f"{w:9.3f}" for w in exact))
    print("neuron " + "".join(f"{w.data:9.3f}" for w in neuron.weights))
    differences = [abs(bayes(x) - sigmoid(dot([*exact], (1.0, *x))).data) for x, _ in points]
    report_agreement("posteriors", differences, 1e-12, "the two densities")
    print("\n       y  points  share of C1")
    posteriors, shares = frequencies(neuron, points)
    at_plane, at_shares = posterior.subplots(1, 2)
    viz.plot_decision_boundary(
        lambda x: neuron(x).sigmoid(),
        points[::10],
        boundary=0.5,
        names=["C2", "C1"],
        scale="y = P(C1 | x)",
        ax=at_plane,
    )
    at_plane.set(title="P(C1 | x), and every tenth point", aspect="equal")
    at_plane.legend(loc="upper left")
    at_shares.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="if y were exact")
    at_shares.plot(posteriors, shares, "o-", color=BLUE, label="counted")
    at_shares.set(title="Frequencies", xlabel="mean y of the points in a bin", ylabel="share of them in C1")
    at_shares.legend()

    save(learning, output, "activations_threshold.png")
    save(posterior, output, "activations_posterior.png")
    save(gallery, output, "activations.png")


def gradient_sizes(model: nn.MLP, data: Examples) -> list[float]:
    """Return |dL/dw| for every weight, where L is the mean loss over the data."""
    model.zero_grad()
    nn.mse([model(x) for x, _ in data], [r for _, r in data]).backward()
    return [abs(w.grad) for w in model.parameters()]


def plot_loss_of_weight(model: nn.MLP, data: Examples, ax: Axes, colour: str) -> None:
    """Plot the loss over the bias weight of the output neuron, with the other weights fixed."""
    weight = model.layers[1].neurons[0].weights[0]
    before = weight.data
    losses = []
    for w in POINTS:
        weight.data = w
        losses.append(nn.evaluate(model, nn.mse, data)[0])
    weight.data = before
    ax.plot(POINTS, losses, color=colour, drawstyle="steps-mid" if model.hidden == "sign" else None, label=model.hidden)


def value_and_slope(name: str, a: float) -> tuple[float, float]:
    """Return f(a) and f'(a) of an activation, by the engine."""
    x = Value(a)
    function = activation_function(name)
    y = x if function is None else function(x)
    x.grad = 0.0
    y.backward()
    return y.data, x.grad


def plot_function(name: str, ax: Axes) -> None:
    """Plot an activation and its slope; a jump is a gap, whose filled end is the value there."""
    points = [*POINTS]
    values, slopes = map(list, zip(*(value_and_slope(name, a) for a in points), strict=True))
    if name in RULES and RULES[name].partials == ("0",):
        jump = next(i for i in range(1, len(points)) if values[i] != values[i - 1])
        ax.plot(points[jump - 1], values[jump - 1], "o", color=BLUE)
        ax.plot(points[jump - 1], values[jump], "o", color=BLUE, markerfacecolor="white")
        for numbers in (points, values, slopes):
            numbers.insert(jump, math.nan)
    ax.axhline(0, color=GREY, linewidth=0.7)
    ax.axvline(0, color=GREY, linewidth=0.7)
    ax.plot(points, values, color=BLUE, label="f(a)")
    ax.plot(points, slopes, color=ORANGE, linestyle="--", label="f'(a)")
    ax.set(title=name, ylim=(-2.2, 3.2), xticks=[-4, 0, 4], yticks=[-2, -1, 0, 1, 2, 3])
    ax.set_xlabel("a", color=DARK)
    ax.label_outer()


def exact_weights() -> list[float]:
    """Return w0, w1, w2 with P(C1 | x) = sigmoid(w^T x), for two normal classes of equal variance 1 and frequency."""
    (m1, m2), (n1, n2) = MEANS
    return [(n1**2 + n2**2 - m1**2 - m2**2) / 2, m1 - n1, m2 - n2]


def bayes(x: list[float]) -> float:
    """Return P(C1 | x) from the two densities."""
    p1, p2 = (math.exp(-sum((x_i - m_i) ** 2 for x_i, m_i in zip(x, mean, strict=True)) / 2) for mean in MEANS)
    return p1 / (p1 + p2)


def frequencies(neuron: nn.Perceptron, data: Examples) -> tuple[list[float], list[float]]:
    """Print and return, for bins of the posterior y, its mean and the share of the points that are in C1."""
    bins: list[list[tuple[float, int]]] = [[] for _ in range(N_BINS)]
    for x, r in data:
        y = neuron(x).sigmoid().data
        bins[min(int(N_BINS * y), N_BINS - 1)].append((y, r))
    posteriors, shares = [], []
    for points in filter(None, bins):
        posteriors.append(sum(y for y, _ in points) / len(points))
        shares.append(sum(r for _, r in points) / len(points))
        print(f"{posteriors[-1]:8.3f}{len(points):8}{shares[-1]:13.3f}")
    return posteriors, shares


if __name__ == "__main__":
    main()
