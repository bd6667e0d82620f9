"""Newton's method with the Hessian, beside gradient descent."""

from __future__ import annotations

import math
from pathlib import Path

import viz
from demos._expression import leaves, parse
from demos._lesson import exit_on_error, figure, heading, parser, save
from engine import Value, grad, hessian

SURFACE = "(1 - w1)**2 + 100*(w2 - w1**2)**2"  # Rosenbrock 1960: a bent valley, 0 at (1, 1)
SMALL = 1e-8  # a slope that counts as 0


def by_hand(w1: float, w2: float) -> list[float]:
    """dL/dw1, dL/dw2 and the second derivatives by w1 w1, w1 w2 and w2 w2 of SURFACE, with pencil and paper."""
    u = w2 - w1**2
    return [-2 * (1 - w1) - 400 * w1 * u, 200 * u, 2 - 400 * u + 800 * w1**2, -400 * w1, 200.0]


def main(arguments: list[str] | None = None) -> None:
    options = parser("newton", __doc__)
    options.add_argument("loss", nargs="?", default=SURFACE, help="L in terms of w1 and w2 (default: %(default)s)")
    options.add_argument("--start", nargs=2, type=float, default=(-1.2, 1.0), metavar=("W1", "W2"), help="theta^0")
    options.add_argument("--eta", type=float, default=0.001, help="of gradient descent (default: %(default)s)")
    options.add_argument("--steps", type=int, default=1000, help="of gradient descent (default: %(default)s)")
    chosen = options.parse_args(arguments)
    with exit_on_error(options):
        lesson(chosen.loss, chosen.start, chosen.eta, chosen.steps, chosen.output)


def lesson(loss: str, start: tuple[float, float], eta: float, steps: int, folder: Path) -> None:
    picture = figure(8, 3.8)
    L = parse(loss, dict(zip(("w1", "w2"), start, strict=True)))
    w1, w2 = leaves(L, "w1", "w2")

    heading(f"L(theta) = {loss}")
    print(f"Gradient descent: theta^(t+1) = theta^t - eta * grad L(theta^t)   with eta {eta:g}\n")
    print("   t         w1         w2            L   |grad L|")
    slow = [(w1.data, w2.data)]
    for t in range(steps + 1):
        slopes = grad(L, [w1, w2])
        slope = math.hypot(*slopes)
        if t % max(steps // 5, 1) == 0 or slope < SMALL:
            print(f"{t:4} {w1.data:10.5f} {w2.data:10.5f} {L.data:12.6g} {slope:11.4g}")
        if t == steps or slope < SMALL:
            break
        step(L, w1, w2, [-eta * g for g in slopes], f"Try an --eta smaller than {eta:g}.")
        slow.append((w1.data, w2.data))

    w1.data, w2.data = start
    L.forward()
    print("\nNewton's method: theta^(t+1) = theta^t - H^-1 grad L(theta^t)   with Hessian H\n")
    print("   t         w1         w2            L  |grad L|       H11       H12       H22")
    quick, differences = [(w1.data, w2.data)], []
    for t in range(51):
        g1, g2 = grad(L, [w1, w2])
        (h11, h12), (_, h22) = hessian(L, [w1, w2])
        slope, determinant = math.hypot(g1, g2), h11 * h22 - h12**2
        print(f"{t:4} {w1.data:10.5f} {w2.data:10.5f} {L.data:12.6g} {slope:9.3g} {h11:9.5g} {h12:9.5g} {h22:9.5g}")
        if loss == SURFACE:
            exact = by_hand(w1.data, w2.data)
            differences += [abs(x - y) for x, y in zip([g1, g2, h11, h12, h22], exact, strict=True)]
        if slope < SMALL:
            break
        if not determinant:
            raise ArithmeticError(
                f"step {t + 1}: the Hessian has no inverse, its determinant is 0. Try another --start."
            )
        move = [-(h22 * g1 - h12 * g2) / determinant, -(h11 * g2 - h12 * g1) / determinant]
        step(L, w1, w2, move, "Try another --start.")
        quick.append((w1.data, w2.data))
    kind = "a saddle" if determinant < 0 else "a minimum" if h11 > 0 else "a maximum"
    print(f"\nConverged at step {t}, at {kind}." if slope < SMALL else f"\nNot converged: the slope is {slope:.3g}.")
    if differences:
        if not max(differences) < 1e-9:
            raise ArithmeticError(f"grad and hessian differ from those by hand by {max(differences):.1e}")
        print(f"By hand and by grad and hessian: {len(differences)} numbers agree, to {max(differences):.1e}.")

    def height(a: float, b: float) -> float:
        w1.data, w2.data = a, b
        try:
            L.forward()
        except ArithmeticError:
            return math.nan
        return math.asinh(L.data)  # equal heights stay equal, and the floor of the valley has lines as well

    area = ((-2.0, 2.0), (-3.5, 2.5)) if loss == SURFACE else None
    for ax, path, name in zip(
        picture.subplots(1, 2), (slow, quick), ("Gradient descent", "Newton's method"), strict=True
    ):
        viz.plot_descent(height, path, area=area, ax=ax)
        ax.set_title(f"{name}: {len(path) - 1} steps")
    save(picture, folder, "newton.png")


def step(L: Value, w1: Value, w2: Value, move: list[float], advice: str) -> None:
    """Move both parameters and refresh the graph.

    Raises:
        ArithmeticError: there is no value.
    """
    try:
        w1.data, w2.data = w1.data + move[0], w2.data + move[1]
        L.forward()
    except (ArithmeticError, ValueError) as error:
        raise ArithmeticError(f"a step goes too far: {error}\n{advice}") from None


if __name__ == "__main__":
    main()
