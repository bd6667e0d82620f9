"""Gradient descent on a surface of two parameters (P24)."""

import math
from itertools import chain, starmap
from pathlib import Path

import viz
from demos._expression import parse
from demos._lesson import PICTURES, command, figure, heading, report_agreement, save
from engine import Value, grad

HIMMELBLAU = "(w1**2 + w2 - 11)**2 + (w1 + w2**2 - 7)**2"  # 1972: 0 at (3, 2) and at three other points
SMALL = 1e-6  # the slope at which the descent ends
Point = tuple[float, float]


def exact_gradient(w1: float, w2: float) -> Point:
    """Return the gradient of Himmelblau's function, derived with pencil and paper."""
    u, v = w1**2 + w2 - 11, w1 + w2**2 - 7
    return 4 * w1 * u + 2 * v, 2 * u + 4 * w2 * v


class Surface:
    """The graph of a loss L(w1, w2), which moves from point to point."""

    def __init__(self, loss: str, start: Point) -> None:
        self.w1, self.w2 = Value(start[0], "w1"), Value(start[1], "w2")
        self.L = parse(loss, {"w1": self.w1, "w2": self.w2})

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


def descend(surface: Surface, eta: float, steps: int, small: float, interval: int) -> tuple[list[Point], list[Point]]:
    """Return the points and the gradients on the way down, until the gradient is small; print some of them."""
    print(f"theta^(t+1) = theta^t - eta * grad L(theta^t)   with eta = {eta:g}\n")
    print("   t         w1         w2            L       dL/dw1       dL/dw2")
    w1, w2, L = surface.w1, surface.w2, surface.L
    path, gradients = [], []
    for t in range(steps + 1):
        g1, g2 = grad(L, [w1, w2])
        path.append((w1.data, w2.data))
        gradients.append((g1, g2))
        converged = math.hypot(g1, g2) < small
        if t % interval == 0 or t == steps or converged:
            print(f"{t:4} {w1.data:10.5f} {w2.data:10.5f} {L.data:12.6g} {g1:12.5g} {g2:12.5g}")
        if t == steps or converged:
            break
        surface.step(t + 1, (-eta * g1, -eta * g2), f"Try an --eta smaller than {eta:g}.")
    return path, gradients


@command
def main(
    loss: str = HIMMELBLAU, *, start: Point = (0.0, 0.0), eta: float = 0.01, steps: int = 100, output: Path = PICTURES
) -> None:
    """Go down a surface and plot the path on it."""
    picture = figure(6, 5)
    surface = Surface(loss, start)
    heading(f"L(theta) = {loss}")
    path, gradients = descend(surface, eta, steps, SMALL, 10)
    slope = math.hypot(*gradients[-1])
    print(f"\n{'Converged' if slope < SMALL else 'Not converged'}: the slope is {slope:.2g}.")
    if loss == HIMMELBLAU:
        pairs = zip(chain(*gradients), chain(*starmap(exact_gradient, path)), strict=True)
        report_agreement("partial derivatives by hand", [abs(a - b) for a, b in pairs], 1e-10, "grad")

    area = ((-6.0, 6.0), (-6.0, 6.0)) if loss == HIMMELBLAU else None
    ax = viz.plot_descent(surface.height, path, area=area, ax=picture.subplots())
    ax.set_title(f"L = {loss}", fontsize=9)
    save(picture, output, "gradient_descent.png")


if __name__ == "__main__":
    main()
