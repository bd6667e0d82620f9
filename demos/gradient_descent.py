"""Gradient descent on a surface of two parameters (P24)."""

from __future__ import annotations

import math
from pathlib import Path

import viz
from demos._lesson import PICTURES, command, figure, heading, report_agreement, save
from demos._surface import Surface

SURFACE = "(w1**2 + w2 - 11)**2 + (w1 + w2**2 - 7)**2"  # Himmelblau 1972: 0 at (3, 2) and at three other points


def gradient_by_hand(w1: float, w2: float) -> tuple[float, float]:
    """Return the gradient of `SURFACE`, derived with pencil and paper."""
    u, v = w1**2 + w2 - 11, w1 + w2**2 - 7
    return 4 * w1 * u + 2 * v, 2 * u + 4 * w2 * v


def lesson(
    loss: str = SURFACE, *, start: tuple[float, float] = (0.0, 0.0), eta: float = 0.01, steps: int = 100,
    output: Path = PICTURES,
) -> None:  # fmt: skip
    """Print the path of gradient descent and plot it on the surface."""
    picture = figure(6, 5)
    surface = Surface(loss, start)
    w1, w2, L = surface.w1, surface.w2, surface.L

    heading(f"L(theta) = {loss}")
    print(f"theta^(t+1) = theta^t - eta * grad L(theta^t)   with eta = {eta:g}\n")
    print("   t         w1         w2            L       dL/dw1       dL/dw2")
    path, differences = [], []
    for t in range(steps + 1):
        L.zero_grad()
        L.backward()
        slope = math.hypot(w1.grad, w2.grad)
        if t % 10 == 0 or t == steps or slope < 1e-6:
            print(f"{t:4} {w1.data:10.5f} {w2.data:10.5f} {L.data:12.6g} {w1.grad:12.5g} {w2.grad:12.5g}")
        path.append((w1.data, w2.data))
        if loss == SURFACE:
            by_hand = gradient_by_hand(w1.data, w2.data)
            differences += [abs(w1.grad - by_hand[0]), abs(w2.grad - by_hand[1])]
        if t == steps or slope < 1e-6:
            break
        surface.step(t + 1, (-eta * w1.grad, -eta * w2.grad), f"Try an --eta smaller than {eta:g}.")
    print("\nConverged: the slope is 0." if slope < 1e-6 else f"\nNot converged: the slope is {slope:.3g}.")
    if differences:
        report_agreement("partial derivatives by hand", differences, 1e-10)

    area = ((-6.0, 6.0), (-6.0, 6.0)) if loss == SURFACE else None
    ax = viz.plot_descent(surface.height, path, area=area, ax=picture.subplots())
    ax.set_title(f"L = {loss}", fontsize=9)
    save(picture, output, "gradient_descent.png")


main = command("gradient_descent", __doc__, lesson)

if __name__ == "__main__":
    main()
