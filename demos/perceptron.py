"""The perceptron and its limit: AND, OR, a line, XOR (P6-P14)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import nn
import viz
from demos import _table
from demos._lesson import exit_on_error, figure, heading, parser, plot_plane, report_agreement, save
from engine import Value, dot, sigmoid, sign
from engine.formatting import format_number
from viz.style import BLUE, ORANGE

Classes = list[tuple[list[float], int]]

CORNERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
AND: Classes = [([a, b], 1 if a and b else -1) for a, b in CORNERS]
OR: Classes = [([a, b], 1 if a or b else -1) for a, b in CORNERS]
XOR: Classes = [([a, b], 1 if a != b else -1) for a, b in CORNERS]


def main(arguments: list[str] | None = None) -> None:
    options = parser("perceptron", __doc__)
    options.add_argument("--data", type=Path, metavar="FILE.csv", help="your own two classes: header, target last")
    options.add_argument("--eta", type=float, default=0.1, help="the learning rate (default: %(default)s)")
    options.add_argument("--epochs", type=int, default=100, help="how many at most (default: %(default)s)")
    options.add_argument("--seed", type=int, default=1, help="of all that is random (default: %(default)s)")
    chosen = options.parse_args(arguments)
    with exit_on_error(options):
        if chosen.data:
            own_classes(_table.read(chosen.data).standardised(), chosen.eta, chosen.epochs, chosen.seed, chosen.output)
        else:
            lesson(chosen.eta, chosen.epochs, chosen.seed, chosen.output)


def lesson(eta: float, epochs: int, seed: int, folder: Path) -> None:
    picture = figure(10, 6.4)
    (at_and, at_or, at_line), (at_xor, at_hidden, at_sigmoid) = picture.subplots(2, 3)
    print("A perceptron is y = activation(w^T x) with x0 = 1 (P6).")
    print(f"It learns by w_i = w_i + eta (r - y) x_i (P8), here with eta = {eta:g}.")

    for name, data, ax in (("AND", AND, at_and), ("OR", OR, at_or), ("XOR", XOR, at_xor)):
        heading(f"Classification: {name} (P7)")
        neuron = learned(data, eta, epochs, seed)
        viz.plot_decision_boundary(weighted_sum(neuron), data, ax=ax).set_title(f"{name}, one perceptron")
    print("It never will: y(0,0) = y(1,1) = -1 asks for w0 <= 0 and w0 + w1 + w2 <= 0,")
    print("y(0,1) = y(1,0) = 1 for w0 + w2 > 0 and w0 + w1 > 0. The sums contradict (P11).")

    heading("XOR with a hidden layer of 4 (P11)")
    model = with_hidden_layer(XOR, 4, seed)
    viz.plot_decision_boundary(model, XOR, ax=at_hidden).set_title("XOR, one hidden layer")

    heading("Regression: a straight line through 20 points (P7)")
    rng = random.Random(seed)
    points = [(i / 10, 1 + 2 * i / 10 + rng.gauss(0, 0.2)) for i in range(20)]
    line = nn.Perceptron(1, "linear", seed=seed)
    print(line.fit(points, learning_rate=eta, epochs=epochs, seed=seed))
    w0, w1 = least_squares(points)
    print(f"learned:       y = {formula(line)}")
    print(f"least squares: y = {format_number(w0, 4)} + {format_number(w1, 4)} x1")
    at_line.plot(*zip(*points, strict=True), "o", color=BLUE)
    at_line.plot([0, 2], [line(0.0).data, line(2.0).data], color=ORANGE)
    at_line.set(title="Regression, y = w1 x + w0", xlabel="x", ylabel="y")

    heading("The rule is gradient descent (P8)")
    check_rule("sign", "2 max(0, -r w^T x)", lambda a, r: 2 * (-r * a).relu(), (1, -1), eta, seed)
    check_rule("linear", "(r - y)**2 / 2", lambda a, r: (r - a) ** 2 / 2, (0.3, 2.5), eta, seed)
    check_rule("sigmoid", "-r log y - (1 - r) log(1 - y)", nn.binary_cross_entropy, (0, 1), eta, seed)

    a = [i / 10 for i in range(-60, 61)]
    at_sigmoid.plot(a, [sign(x) for x in map(Value, a)], color=BLUE, linestyle="--", label="sign(a), P7")
    at_sigmoid.plot(a, [sigmoid(x) for x in map(Value, a)], color=ORANGE, label="sigmoid(a), P14")
    at_sigmoid.set(title="Continuous thresholding", xlabel="a = w^T x")
    at_sigmoid.legend()
    save(picture, folder, "perceptron.png")


def learned(data: Classes, eta: float, epochs: int, seed: int) -> nn.Perceptron:
    """A perceptron with "sign" that went through the data until it made no mistake, or until it gave up."""
    neuron = nn.Perceptron(len(data[0][0]), "sign", init="uniform_0.01", seed=seed)
    print(neuron.fit(data, learning_rate=eta, epochs=epochs, seed=seed))
    print(f"y = sign({formula(neuron)})")
    answers(neuron, data)
    return neuron


def with_hidden_layer(data: Classes, hidden: int, seed: int) -> nn.MLP:
    """An MLP with one hidden layer, trained for the largest margin."""
    model = nn.MLP(len(data[0][0]), [hidden, 1], seed=seed)
    print(nn.train(model, nn.hinge, data, seed=seed))
    answers(model, data)
    return model


def weighted_sum(neuron: nn.Perceptron) -> Callable[[Sequence[float]], Value]:
    """The w^T x of a perceptron, whose sign is the class."""
    return lambda x: dot(neuron.weights, (1.0, *x))


def answers(model: Callable[[list[float]], Value], data: Classes) -> None:
    """What the model says to the first examples."""
    print("".join(f"{f'x{i + 1}':>9}" for i in range(len(data[0][0]))) + "        y  choose   r")
    for x, r in data[:4]:
        y = model(x).data
        numbers = "".join(f"{format_number(x_i, 3):>9}" for x_i in x)
        wrong = "   wrong" if (y > 0) != (r > 0) else ""
        print(f"{numbers}{format_number(y, 3):>9}    {'C1' if y > 0 else 'C2'}  {r:4}{wrong}")


def check_rule(
    activation: str,
    name: str,
    loss: Callable[[Value, float], Value],
    targets: tuple[float, float],
    eta: float,
    seed: int,
) -> None:
    """Whether `learn` moves the weights by -eta times the gradient of a loss of a = w^T x."""
    differences = []
    for i, x in enumerate(CORNERS):
        r = targets[i % 2]
        neuron = nn.Perceptron(2, activation, init="uniform_0.01", seed=seed)
        loss(dot(neuron.weights, (1.0, *x)), r).backward()
        before = [(w.data, w.grad) for w in neuron.weights]
        neuron.learn(x, r, eta)
        differences += [abs(w.data - (old - eta * grad)) for w, (old, grad) in zip(neuron.weights, before, strict=True)]
    print(f"With {activation}, on {name}:")
    report_agreement("  the rule", differences, 1e-12)


def least_squares(points: list[tuple[float, float]]) -> tuple[float, float]:
    """The intercept and the slope of the line with the least sum of squares, in closed form."""
    n = len(points)
    x_mean, y_mean = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    slope = sum((x - x_mean) * (y - y_mean) for x, y in points) / sum((x - x_mean) ** 2 for x, _ in points)
    return y_mean - slope * x_mean, slope


def formula(neuron: nn.Perceptron) -> str:
    """w^T x in numbers."""
    w0, *ws = (format_number(w.data, 4) for w in neuron.weights)
    return " + ".join([w0, *(f"{w} x{i}" for i, w in enumerate(ws, start=1))]).replace("+ -", "- ")


def own_classes(table: _table.Table, eta: float, epochs: int, seed: int, folder: Path) -> None:
    data = table.two_classes()
    C2, C1 = table.classes
    picture = figure(9, 4)
    left, right = picture.subplots(1, 2)
    print(f"{len(data)} examples, r = 1 for C1: {C1}, -1 for C2: {C2}; inputs with mean 0 and deviation 1")
    heading("One perceptron (P7)")
    neuron = learned(data, eta, epochs, seed)
    heading("One hidden layer of 8 (P11)")
    model = with_hidden_layer(data, 8, seed)
    plot_plane(weighted_sum(neuron), data, table.names[:-1], [C2, C1], left).set_title("One perceptron")
    plot_plane(model, data, table.names[:-1], [C2, C1], right).set_title("One hidden layer")
    save(picture, folder, "perceptron.png")


if __name__ == "__main__":
    main()
