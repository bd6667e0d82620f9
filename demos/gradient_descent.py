"""Gradient descent on a surface of two parameters (P24)."""

import math
from collections.abc import Sequence
from itertools import chain, starmap
from pathlib import Path
from typing import Any, Self

import nn
import viz
from demos._expression import parse
from demos._lesson import PICTURES, command, figure, heading, report_agreement, save
from engine import Value, grad
from engine.formatting import format_number
from viz.plots.axes import Axes
from viz.style import DARK

HIMMELBLAU = "(w1**2 + w2 - 11)**2 + (w1 + w2**2 - 7)**2"  # 1972: 0 at (3, 2) and at three other points
BOWL, BOWL_START = "w1**2 + 10*w2**2", (2.0, 1.0)
RATES = {0.01: "creeps", 0.08: "converges", 0.102: "diverges"}  # by eta
N_STEPS = 12  # of each of them
EXAMPLES = (-1.5, 0), (-0.5, 0), (0.0, 1), (0.5, 0), (1.5, 1)  # x and r, which no threshold on x separates
SMALL = 1e-6  # the slope at which the descent ends
Point = tuple[float, float]


def exact_gradient(w1: float, w2: float) -> Point:
    """Return the gradient of Himmelblau's function, derived with pencil and paper."""
    u, v = w1**2 + w2 - 11, w1 + w2**2 - 7
    return 4 * w1 * u + 2 * v, 2 * u + 4 * w2 * v


class Surface:
    """The graph of a loss L(w1, w2), which moves from point to point."""

    def __init__(self, w1: Value, w2: Value, L: Value) -> None:
        self.w1, self.w2, self.L = w1, w2, L

    @classmethod
    def parse(cls, loss: str, start: Point) -> Self:
        """Return the surface of an expression in w1 and w2."""
        w1, w2 = Value(start[0], "w1"), Value(start[1], "w2")
        return cls(w1, w2, parse(loss, {"w1": w1, "w2": w2}))

    def move(self, w1: float, w2: float) -> None:
        """Set the parameters and compute the loss there."""
        self.w1.data, self.w2.data = w1, w2
        self.L.forward()

    def step(self, t: int, change: Point, advice: str) -> None:
        """Add a change to the parameters; if the loss is undefined there, raise an ArithmeticError with the advice."""
        try:
            self.move(self.w1.data + change[0], self.w2.data + change[1])
        except (ArithmeticError, ValueError) as error:
            raise ArithmeticError(f"step {t} goes too far: {error}\n{advice}") from None

    def height(self, w1: float, w2: float) -> float:
        """Return the loss at a point, NaN where it is undefined."""
        try:
            self.move(w1, w2)
        except ArithmeticError:
            return math.nan
        return self.L.data


def descend(
    surface: Surface, eta: float, steps: int, small: float = 0.0, interval: int = 0
) -> tuple[list[Point], list[Point]]:
    """Return the points and gradients of a descent until the gradient is small; print them at an interval, if any."""
    if interval:
        print(f"theta^(t+1) = theta^t - eta * grad L(theta^t)   with eta = {eta:g}\n")
        print("   t         w1         w2            L       dL/dw1       dL/dw2")
    w1, w2, L = surface.w1, surface.w2, surface.L
    path, gradients = [], []
    for t in range(steps + 1):
        g1, g2 = grad(L, [w1, w2])
        path.append((w1.data, w2.data))
        gradients.append((g1, g2))
        is_last = t == steps or math.hypot(g1, g2) < small
        if interval and (t % interval == 0 or is_last):
            print(f"{t:4} {w1.data:10.5f} {w2.data:10.5f} {L.data:12.6g} {g1:12.5g} {g2:12.5g}")
        if is_last:
            break
        surface.step(t + 1, (-eta * g1, -eta * g2), f"Try an --eta smaller than {eta:g}.")
    return path, gradients


@command
def main(
    loss: str = HIMMELBLAU, *, start: Point = (0.0, 0.0), eta: float = 0.01, steps: int = 100, output: Path = PICTURES
) -> None:
    """Go down a surface, compare three learning rates, and go down the loss of a neuron."""
    picture, rates = figure(11, 7), figure(15, 6.4)
    surface = Surface.parse(loss, start)
    heading(f"L(theta) = {loss}")
    path, gradients = descend(surface, eta, steps, SMALL, 10)
    slope = math.hypot(*gradients[-1])
    print(f"\n{'Converged' if slope < SMALL else 'Not converged'}: |grad L| is {slope:.2g}.")
    if loss == HIMMELBLAU:
        pairs = zip(chain(*gradients), chain(*starmap(exact_gradient, path)), strict=True)
        report_agreement("partial derivatives by hand", [abs(a - b) for a, b in pairs], 1e-10, "grad")
    area = ((-6.0, 6.0), (-6.0, 6.0)) if loss == HIMMELBLAU else None
    ax = viz.plot_descent(surface.height, path, area=area, ax=picture.subplots())
    ax.set_title(f"L = {loss}")

    at_bowl, at_neuron = rates.subplots(1, 2)
    heading(f"Three learning rates on L = {BOWL}: too small, right, too large")
    print("      eta   steps           w1           w2            L")
    bowl, paths = Surface.parse(BOWL, BOWL_START), {}
    for rate, word in RATES.items():
        bowl.move(*BOWL_START)
        paths[f"eta = {rate:g}: {word}"], _ = descend(bowl, rate, N_STEPS)
        numbers = "".join(f"{format_number(node.data, 4):>13}" for node in (bowl.w1, bowl.w2, bowl.L))
        print(f"{rate:9g}{N_STEPS:8}{numbers}  {word}")
    print("Each step multiplies w1 by 1 - 2 eta and w2 by 1 - 20 eta: from eta = 0.1 on,")
    print("the second factor is -1 or less, and w2 cannot converge.")
    viz.plot_descent(bowl.height, paths, area=((-0.5, 4.5), (-2.0, 2.0)), ax=at_bowl)
    at_bowl.set_title(f"L = {BOWL}")
    bowl.move(*BOWL_START)
    draw_gradient(at_bowl, BOWL_START, grad(bowl.L, [bowl.w1, bowl.w2]))

    heading("The loss of a neuron, over two of its weights")
    print("y = sigmoid(w0 + w1 x), and L is the mean cross-entropy over five examples:")
    print(f"(x, r) = {', '.join(f'({x:g}, {r})' for x, r in EXAMPLES)}")
    neuron = nn.Perceptron(1, "linear", init=[-2.0, -1.0])
    loss_of_neuron = nn.binary_cross_entropy([neuron(x) for x, _ in EXAMPLES], [r for _, r in EXAMPLES])
    neuron_surface = Surface(neuron.weights[0], neuron.weights[1], loss_of_neuron)
    gradient = grad(neuron_surface.L, [*neuron.weights])
    first = neuron.weights[0].data, neuron.weights[1].data
    print(f"grad L({first[0]:g}, {first[1]:g}) = ({gradient[0]:.4f}, {gradient[1]:.4f}), an arrow in the picture")
    path, _ = descend(neuron_surface, 1.0, 40)
    w0, w1 = path[-1]
    print(f"After 40 steps with eta = 1: w0 = {w0:.4f}, w1 = {w1:.4f}, L = {neuron_surface.L.data:.4f}")
    viz.plot_descent(neuron_surface.height, path, area=((-4.0, 2.0), (-2.5, 4.0)), ax=at_neuron)
    at_neuron.set(title="Mean loss of a neuron, eta = 1", xlabel="w0", ylabel="w1")
    draw_gradient(at_neuron, first, gradient)

    save(rates, output, "gradient_descent_rates.png")
    save(picture, output, "gradient_descent.png")


def draw_gradient(ax: Axes, at: Point, gradient: Sequence[float]) -> None:
    """Draw the direction of the gradient at a point as an arrow of fixed length; a descent goes the other way."""
    length = 0.15 * (ax.get_xlim()[1] - ax.get_xlim()[0]) / math.hypot(*gradient)
    tip = at[0] + length * gradient[0], at[1] + length * gradient[1]
    ax.annotate("", tip, at, arrowprops={"arrowstyle": "-|>", "color": DARK, "linewidth": 3, "mutation_scale": 25})
    side = 1 if gradient[1] > 0 else -1
    beside: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "bottom" if side > 0 else "top"}
    ax.annotate("grad L", tip, (0, 6 * side), color=DARK, **beside)


if __name__ == "__main__":
    main()
