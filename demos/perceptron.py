"""The perceptron and its limit: AND, OR, a line, XOR (P6-P14)."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import linear_regression

import nn
import viz
from demos._data import Examples, Table, read_table
from demos._lesson import PICTURES, command, figure, heading, plot_plane, report_agreement, save
from engine import Value, dot, sigmoid, sign
from engine.formatting import format_number
from viz.style import BLUE, ORANGE

CORNERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
AND: Examples = [([a, b], 1 if a and b else -1) for a, b in CORNERS]
OR: Examples = [([a, b], 1 if a or b else -1) for a, b in CORNERS]
XOR: Examples = [([a, b], 1 if a != b else -1) for a, b in CORNERS]


@command
def main(
    *, data: Path | None = None, eta: float = 0.1, epochs: int = 100, seed: int = 1, output: Path = PICTURES
) -> None:
    """Train perceptrons on AND, OR, XOR and a line, or on the user's own data."""
    if data:
        own_classes(read_table(data).standardized(), eta, epochs, seed, output)
        return
    picture = figure(10, 6.4)
    (at_and, at_or, at_line), (at_xor, at_hidden, at_sigmoid) = picture.subplots(2, 3)
    print("A perceptron is y = activation(w^T x) with x0 = 1 (P6).")
    print(f"It learns by w_i = w_i + eta (r - y) x_i (P8), here with eta = {eta:g}.")

    for name, examples, ax in (("AND", AND, at_and), ("OR", OR, at_or), ("XOR", XOR, at_xor)):
        heading(f"Classification: {name} (P7)")
        neuron = fit_perceptron(examples, eta, epochs, seed)
        viz.plot_decision_boundary(weighted_sum(neuron), examples, ax=ax).set_title(f"{name}, one perceptron")
    print("No perceptron can: y(0,0) = y(1,1) = -1 needs w0 <= 0 and w0 + w1 + w2 <= 0,")
    print("y(0,1) = y(1,0) = 1 needs w0 + w2 > 0 and w0 + w1 > 0. Added up, the first two")
    print("say 2 w0 + w1 + w2 <= 0, the last two say 2 w0 + w1 + w2 > 0 (P11).")

    heading("XOR with a hidden layer of 4 (P11)")
    model = fit_hidden_layer(XOR, 4, seed)
    viz.plot_decision_boundary(model, XOR, ax=at_hidden).set_title("XOR, one hidden layer")

    heading("Regression: a straight line through 20 points (P7)")
    rng = random.Random(seed)
    points = [(i / 10, 1 + 2 * i / 10 + rng.gauss(0, 0.2)) for i in range(20)]
    line = nn.Perceptron(1, "linear", seed=seed)
    print(line.fit(points, learning_rate=eta, epochs=epochs, seed=seed))
    w1, w0 = linear_regression(*zip(*points, strict=True))
    print(f"learned:       y = {formula(line)}")
    print(f"least squares: y = {format_number(w0, 4)} + {format_number(w1, 4)} x1")
    at_line.plot(*zip(*points, strict=True), "o", color=BLUE)
    at_line.plot([0, 2], [line(0.0).data, line(2.0).data], color=ORANGE)
    at_line.set(title="Regression, y = w1 x + w0", xlabel="x", ylabel="y")

    heading("The rule is gradient descent (P8)")
    check_rule("sign", "2 max(0, -r w^T x)", lambda a, r: 2 * (-r * a).relu(), [1, -1], eta, seed)
    check_rule("linear", "(r - y)**2 / 2", lambda a, r: (r - a) ** 2 / 2, [0.3, 2.5], eta, seed)
    check_rule("sigmoid", "-r log y - (1 - r) log(1 - y)", nn.binary_cross_entropy, [0, 1], eta, seed)

    a = [i / 10 for i in range(-60, 61)]
    at_sigmoid.plot(a, [sign(x).data for x in map(Value, a)], color=BLUE, linestyle="--", label="sign(a), P7")
    at_sigmoid.plot(a, [sigmoid(x).data for x in map(Value, a)], color=ORANGE, label="sigmoid(a), P14")
    at_sigmoid.set(title="Continuous thresholding", xlabel="a = w^T x")
    at_sigmoid.legend()
    save(picture, output, "perceptron.png")


def fit_perceptron(data: Examples, eta: float, epochs: int, seed: int) -> nn.Perceptron:
    """Return a perceptron with "sign", trained until it makes no mistake or the epochs are over."""
    neuron = nn.Perceptron(len(data[0][0]), "sign", init="uniform_0.01", seed=seed)
    print(neuron.fit(data, learning_rate=eta, epochs=epochs, seed=seed).ending)
    print(f"y = sign({formula(neuron)})")
    print_outputs(neuron, data)
    return neuron


def fit_hidden_layer(data: Examples, hidden: int, seed: int) -> nn.MLP:
    """Return an MLP with one hidden layer, trained by the hinge loss."""
    model = nn.MLP(len(data[0][0]), [hidden, 1], seed=seed)
    print(nn.train(model, nn.hinge, data, seed=seed).ending)
    print_outputs(model, data)
    return model


def weighted_sum(neuron: nn.Perceptron) -> Callable[[Sequence[float]], Value]:
    """Return the function w^T x of a perceptron; its sign is the class."""
    return lambda x: dot(neuron.weights, (1.0, *x))


def print_outputs(model: Callable[[list[float]], Value], data: Examples) -> None:
    """Print the outputs and the chosen classes of the first four examples, and how many of all are right."""
    print("".join(f"{f'x{i + 1}':>9}" for i in range(len(data[0][0]))) + "        y  choose   r")
    for x, r in data[:4]:
        y = model(x).data
        numbers = "".join(f"{format_number(x_i, 3):>9}" for x_i in x)
        wrong = "   wrong" if (y > 0) != (r > 0) else ""
        print(f"{numbers}{format_number(y, 3):>9}    {'C1' if y > 0 else 'C2'}  {r:4}{wrong}")
    print(f"Right: {sum((model(x).data > 0) == (r > 0) for x, r in data)} of {len(data)}")


def check_rule(
    activation: str, name: str, loss: Callable[[Value, float], Value], targets: list[float], eta: float, seed: int
) -> None:
    """Check that `learn` changes the weights by -eta times the gradient of a loss of a = w^T x."""
    differences = []
    for i, x in enumerate(CORNERS):
        r = targets[i % 2]
        neuron = nn.Perceptron(2, activation, init="uniform_0.01", seed=seed)
        loss(dot(neuron.weights, (1.0, *x)), r).backward()
        before = [(w.data, w.grad) for w in neuron.weights]
        neuron.learn(x, r, eta)
        differences += [abs(w.data - (old - eta * grad)) for w, (old, grad) in zip(neuron.weights, before, strict=True)]
    print(f"Activation {activation}, loss {name}:")
    report_agreement("weight updates", differences, 1e-12)


def formula(neuron: nn.Perceptron) -> str:
    """Return w^T x as text, with numbers for the weights."""
    w0, *ws = (format_number(w.data, 4) for w in neuron.weights)
    return " + ".join([w0, *(f"{w} x{i}" for i, w in enumerate(ws, start=1))]).replace("+ -", "- ")


def own_classes(table: Table, eta: float, epochs: int, seed: int, output: Path) -> None:
    """Train a perceptron and an MLP on a table of two classes."""
    data = table.two_classes()
    C2, C1 = table.classes
    picture = figure(9, 4)
    left, right = picture.subplots(1, 2)
    print(f"{len(data)} examples, r = 1 for C1: {C1}, r = -1 for C2: {C2}")
    print("The inputs are standardized: mean 0, standard deviation 1.")
    heading("One perceptron (P7)")
    neuron = fit_perceptron(data, eta, epochs, seed)
    heading("One hidden layer of 8 (P11)")
    model = fit_hidden_layer(data, 8, seed)
    plot_plane(weighted_sum(neuron), data, table, left).set_title("One perceptron")
    plot_plane(model, data, table, right).set_title("One hidden layer")
    save(picture, output, "perceptron.png")


if __name__ == "__main__":
    main()
