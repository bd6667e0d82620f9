"""The perceptron, its mistakes and its limit (P6-P11)."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import linear_regression
from typing import NamedTuple

import nn
import viz
from demos._data import AND, CORNERS, OR, XOR, Examples, Table, read_table
from demos._lesson import (
    PICTURES,
    command,
    figure,
    heading,
    plot_corners,
    plot_plane,
    report_agreement,
    save,
    share_legend,
)
from engine import Value, dot
from engine.formatting import format_number
from viz.plots.axes import Axes
from viz.style import BLUE, DARK, ORANGE

SEPARATORS = {"AND": (-3.0, 2.0, 2.0), "OR": (-1.0, 2.0, 2.0)}  # the weights with the largest margin
CASES = {0: "right: nothing changes", 1: "too low: active weights rise", -1: "too high: active weights fall"}
PANELS = 10  # mistakes in the picture


AREA = ((-0.75, 2.25), (-0.75, 2.25))  # of x1 and x2, in which every line after a mistake on AND can be seen


class Lesson(NamedTuple):
    """An example that the perceptron saw: x, target r and output y, the epoch, and the weights after it."""

    epoch: int
    x: list[float]
    r: int
    y: float
    weights: list[float]


@command
def main(
    *, data: Path | None = None, eta: float = 0.1, epochs: int = 100, seed: int = 1, output: Path = PICTURES
) -> None:
    """Train perceptrons on AND, OR, XOR and a line, or on the user's own data."""
    if data:
        own_classes(read_table(data).standardized(), eta, epochs, seed, output)
        return
    picture = figure(15, 9)
    (at_and, at_or, at_line), (at_xor, at_hidden, at_loss) = picture.subplots(2, 3)
    print("A perceptron is y = activation(w^T x) with x0 = 1 (P6).")
    print(f"It learns by w_i = w_i + eta (r - y) x_i (P8), here with eta = {eta:g}.")
    print("(The slide calls the target y and the output y-hat; here they are r and y.)")

    heading("AND, from its mistakes (P7-P8)")
    neuron = nn.Perceptron(2, "sign", init=[0.0, 0.0, 0.0])
    animation = viz.Animation(viewable := WeightedSum(neuron), AND, names=["C2: 0", "C1: 1"])
    print("epoch  x1  x2   r   y  rule                               w0    w1    w2")
    mistakes: list[Lesson] = []
    for lesson in learn(neuron, AND, eta, epochs):
        case = (lesson.r > lesson.y) - (lesson.r < lesson.y)
        numbers = "".join(f"{format_number(w, 3):>6}" for w in lesson.weights)
        print(f"{lesson.epoch:5}{lesson.x[0]:4g}{lesson.x[1]:4g}{lesson.r:4}{lesson.y:4g}  {CASES[case]:30}{numbers}")
        if case:
            mistakes.append(lesson)
            animation.record(f"mistake {len(mistakes)}: {formula(neuron)} = 0")
    print_outputs(neuron, AND)
    print_bound("AND", len(mistakes))
    plot_corners(viewable, AND, at_and, "AND, one perceptron")
    strip = figure(15, 7)
    panels = strip.subplots(2, PANELS // 2, sharex=True, sharey=True)
    plot_mistakes(neuron, mistakes, panels.flat)
    share_legend(strip, panels[0, 0], "The line after each mistake; a ring marks the example")

    heading("OR")
    neuron = nn.Perceptron(2, "sign", init=[0.0, 0.0, 0.0])
    wrong = sum(lesson.r != lesson.y for lesson in learn(neuron, OR, eta, epochs))
    print_outputs(neuron, OR)
    print_bound("OR", wrong)
    plot_corners(WeightedSum(neuron), OR, at_or, "OR, one perceptron")

    heading("XOR: limitation 1 (P11)")
    neuron = nn.Perceptron(2, "sign", init=[0.0, 0.0, 0.0])
    history = neuron.fit(XOR, learning_rate=eta, epochs=epochs, seed=seed)
    print(f"{history.ending}: {sum(loss > 0 for loss in history.steps)} mistakes so far.")
    print_outputs(neuron, XOR)
    print("No weights can: y(0,0) = y(1,1) = -1 needs w0 <= 0 and w0 + w1 + w2 <= 0,")
    print("y(0,1) = y(1,0) = 1 needs w0 + w2 > 0 and w0 + w1 > 0. Added up, the first two")
    print("say 2 w0 + w1 + w2 <= 0, the last two say 2 w0 + w1 + w2 > 0.")
    plot_corners(WeightedSum(neuron), XOR, at_xor, "XOR, one perceptron")

    heading("XOR with a hidden layer of 4 (P11); python -m demos hidden_layer shows why")
    model = fit_hidden_layer(XOR, 4, seed)
    plot_corners(model, XOR, at_hidden, "XOR, one hidden layer")
    share_legend(picture, at_and)

    heading("Regression: a straight line through 20 points (P7)")
    rng = random.Random(seed)
    points = [(i / 10, 1 + 2 * i / 10 + rng.gauss(0, 0.2)) for i in range(20)]
    line = nn.Perceptron(1, "linear", seed=seed)
    history = line.fit(points, learning_rate=eta, epochs=epochs, seed=seed)
    print(history)
    w1, w0 = linear_regression(*zip(*points, strict=True))
    print(f"learned:       y = {formula(line)}")
    print(f"least squares: y = {format_number(w0, 4)} + {format_number(w1, 4)} x1")
    at_line.plot(*zip(*points, strict=True), "o", color=BLUE, label="examples (x, r)")
    at_line.plot([0, 2], [line(0.0).data, line(2.0).data], color=ORANGE, label="y = w1 x + w0")
    at_line.set(title="Regression", xlabel="x", ylabel="y and r")
    at_line.legend()
    viz.plot_loss(history, ax=at_loss)
    at_loss.set_title("Regression: loss (r - y)^2 / 2")

    heading("The rule is gradient descent (P8)")
    check_rule("sign", "2 max(0, -r w^T x)", lambda a, r: 2 * (-r * a).relu(), [1, -1], eta, seed)
    check_rule("linear", "(r - y)**2 / 2", lambda a, r: (r - a) ** 2 / 2, [0.3, 2.5], eta, seed)
    check_rule("sigmoid", "-r log y - (1 - r) log(1 - y)", nn.binary_cross_entropy, [0, 1], eta, seed)

    save(strip, output, "perceptron_mistakes.png")
    save(animation, output, "perceptron.gif")
    save(picture, output, "perceptron.png")


class WeightedSum(nn.Module):
    """The weighted sum w^T x of a perceptron, whose sign is the class."""

    def __init__(self, neuron: nn.Perceptron) -> None:
        self.neuron = neuron

    def __call__(self, x: Sequence[float]) -> Value:
        """Return w^T x, where x0 = 1."""
        return dot(self.neuron.weights, (1.0, *x))


def learn(neuron: nn.Perceptron, data: Examples, eta: float, epochs: int) -> Iterator[Lesson]:
    """Learn from the examples in turn until an epoch without a mistake, and yield each of them."""
    for epoch in range(1, epochs + 1):
        n_mistakes = 0
        for x, r in data:
            error = neuron.learn(x, r, eta)
            n_mistakes += error != 0
            yield Lesson(epoch, x, r, r - error, [w.data for w in neuron.weights])
        if not n_mistakes:
            return


def print_bound(name: str, n_mistakes: int) -> None:
    """Print the number of mistakes beside Novikoff's bound, which holds for weights that begin at 0."""
    data, w = {"AND": AND, "OR": OR}[name], SEPARATORS[name]
    R2 = max(1 + sum(x_i * x_i for x_i in x) for x, _ in data)
    margin2 = min(dot(w, (1.0, *x)).data * r for x, r in data) ** 2 / sum(w_i * w_i for w_i in w)
    print(f"{n_mistakes} mistakes; Novikoff (1962) allows at most (R / gamma)^2 = {R2 / margin2:.0f}, where R is the")
    print(f"largest |x| and gamma the margin of the best line, {format_number(w[0])} + 2 x1 + 2 x2 = 0.")


def plot_mistakes(neuron: nn.Perceptron, mistakes: list[Lesson], axes: Iterator[Axes]) -> None:
    """Plot the line after each of the first mistakes, with a ring around the example that it was made on."""
    for number, ax in enumerate(axes, start=1):
        if number > len(mistakes):
            ax.set_visible(False)
            continue
        mistake = mistakes[number - 1]
        for w, data in zip(neuron.weights, mistake.weights, strict=True):
            w.data = data
        plot_corners(WeightedSum(neuron), AND, ax, f"{number}: {'too low' if mistake.r > 0 else 'too high'}", AREA)
        ax.plot(*mistake.x, "o", markersize=20, markerfacecolor="none", markeredgecolor=DARK, markeredgewidth=2.5)
        ax.label_outer()


def fit_perceptron(data: Examples, eta: float, epochs: int, seed: int) -> nn.Perceptron:
    """Return a perceptron with "sign", trained until it makes no mistake or the epochs are over."""
    neuron = nn.Perceptron(len(data[0][0]), "sign", init="uniform_0.01", seed=seed)
    print(neuron.fit(data, learning_rate=eta, epochs=epochs, seed=seed).ending)
    print_outputs(neuron, data)
    return neuron


def fit_hidden_layer(data: Examples, hidden: int, seed: int) -> nn.MLP:
    """Return an MLP with one hidden layer, trained by the hinge loss."""
    model = nn.MLP(len(data[0][0]), [hidden, 1], seed=seed)
    print(nn.train(model, nn.hinge, data, seed=seed).ending)
    print_outputs(model, data)
    return model


def print_outputs(model: nn.Perceptron | nn.MLP, data: Examples) -> None:
    """Print the outputs and the chosen classes of the first four examples, and how many of all are right."""
    if isinstance(model, nn.Perceptron):
        print(f"y = sign({formula(model)}); choose C1 if y = 1, else C2 (P7)")
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
    picture = figure(12, 5)
    left, right = picture.subplots(1, 2)
    print(f"{len(data)} examples, r = 1 for C1: {C1}, r = -1 for C2: {C2}")
    print("The inputs are standardized: mean 0, standard deviation 1.")
    heading("One perceptron (P7)")
    neuron = fit_perceptron(data, eta, epochs, seed)
    heading("One hidden layer of 8 (P11)")
    model = fit_hidden_layer(data, 8, seed)
    plot_plane(WeightedSum(neuron), data, table, left).set_title("One perceptron")
    plot_plane(model, data, table, right).set_title("One hidden layer")
    save(picture, output, "perceptron.png")


if __name__ == "__main__":
    main()
