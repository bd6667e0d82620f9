"""Gradient descent on a surface of two parameters (P24)."""

from __future__ import annotations

import math
from pathlib import Path

import viz
from demos._expression import leaves, parse
from demos._lesson import exit_on_error, figure, heading, parser, report_agreement, save

SURFACE = "(w1**2 + w2 - 11)**2 + (w1 + w2**2 - 7)**2"  # Himmelblau 1972: 0 at (3, 2) and at three other points


def gradient_by_hand(w1: float, w2: float) -> tuple[float, float]:
    """That of SURFACE, derived with pencil and paper."""
    u, v = w1**2 + w2 - 11, w1 + w2**2 - 7
    return 4 * w1 * u + 2 * v, 2 * u + 4 * w2 * v


def main(arguments: list[str] | None = None) -> None:
    options = parser("gradient_descent", __doc__)
    options.add_argument("loss", nargs="?", default=SURFACE, help="L in terms of w1 and w2 (default: %(default)s)")
    options.add_argument("--start", nargs=2, type=float, default=(0.0, 0.0), metavar=("W1", "W2"), help="theta^0")
    options.add_argument("--eta", type=float, default=0.01, help="the learning rate (default: %(default)s)")
    options.add_argument("--steps", type=int, default=100, help="how many at most (default: %(default)s)")
    chosen = options.parse_args(arguments)
    with exit_on_error(options):
        lesson(chosen.loss, chosen.start, chosen.eta, chosen.steps, chosen.output)


def lesson(loss: str, start: tuple[float, float], eta: float, steps: int, folder: Path) -> None:
    picture = figure(6, 5)
    L = parse(loss, dict(zip(("w1", "w2"), start, strict=True)))
    w1, w2 = leaves(L, "w1", "w2")

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
        try:
            w1.data, w2.data = w1.data - eta * w1.grad, w2.data - eta * w2.grad
            L.forward()
        except (ArithmeticError, ValueError) as error:
            raise ArithmeticError(f"step {t + 1} goes too far: {error}\nTry an --eta smaller than {eta:g}.") from None
    print(f"\n{'Converged: the slope is 0' if slope < 1e-6 else f'Not converged: the slope is {slope:.3g}'}.")
    if differences:
        report_agreement("Gradients by hand", differences, 1e-10)

    def height(a: float, b: float) -> float:
        w1.data, w2.data = a, b
        try:
            L.forward()
        except ArithmeticError:
            return math.nan
        return L.data

    area = ((-6.0, 6.0), (-6.0, 6.0)) if loss == SURFACE else None
    ax = viz.plot_descent(height, path, area=area, ax=picture.subplots())
    ax.set_title(f"L = {loss}", fontsize=9)
    save(picture, folder, "gradient_descent.png")


if __name__ == "__main__":
    main()
