"""Newton's method with the Hessian, beside gradient descent."""

import math
from pathlib import Path

import viz
from demos._lesson import PICTURES, command, figure, heading, report_agreement, save
from demos.gradient_descent import Point, Surface, descend
from engine import grad, hessian

ROSENBROCK = "(1 - w1)**2 + 100*(w2 - w1**2)**2"  # 1960: a bent valley, 0 at (1, 1)
FLAT = 1e-8  # slope at which a descent has converged


def exact_derivatives(w1: float, w2: float) -> list[float]:
    """Return dL/dw1, dL/dw2, H11, H12 and H22 of Rosenbrock's function, derived with pencil and paper."""
    u = w2 - w1**2
    return [-2 * (1 - w1) - 400 * w1 * u, 200 * u, 2 - 400 * u + 800 * w1**2, -400 * w1, 200.0]


@command
def main(
    loss: str = ROSENBROCK, *, start: Point = (-1.2, 1.0), eta: float = 1e-3, steps: int = 1000, output: Path = PICTURES
) -> None:
    """Go down a surface by both methods and plot the two paths."""
    picture = figure(11, 7.5)
    surface = Surface.parse(loss, start)
    w1, w2, L = surface.w1, surface.w2, surface.L
    heading(f"Gradient descent on L(theta) = {loss}")
    descent_path, _ = descend(surface, eta, steps, FLAT, max(steps // 5, 1))

    surface.move(*start)
    heading("Newton's method, with the Hessian H")
    print("theta^(t+1) = theta^t - H^-1 grad L(theta^t)\n")
    print("   t         w1         w2            L  |grad L|       H11       H12       H22")
    newton_path, differences = [(w1.data, w2.data)], []
    for t in range(51):
        g1, g2 = grad(L, [w1, w2])
        (h11, h12), (_, h22) = hessian(L, [w1, w2])
        slope, determinant = math.hypot(g1, g2), h11 * h22 - h12**2
        print(f"{t:4} {w1.data:10.5f} {w2.data:10.5f} {L.data:12.6g} {slope:9.3g} {h11:9.5g} {h12:9.5g} {h22:9.5g}")
        if loss == ROSENBROCK:
            exact = exact_derivatives(w1.data, w2.data)
            differences += [abs(x - y) for x, y in zip([g1, g2, h11, h12, h22], exact, strict=True)]
        if slope < FLAT:
            break
        if not determinant:
            raise ArithmeticError(f"step {t + 1}: the Hessian has no inverse. Try another --start.")
        change = -(h22 * g1 - h12 * g2) / determinant, -(h11 * g2 - h12 * g1) / determinant
        surface.step(t + 1, change, "Try another --start.")
        newton_path.append((w1.data, w2.data))
    kind = "a saddle" if determinant < 0 else "a minimum" if h11 > 0 else "a maximum"
    print(f"\nConverged at step {t}, at {kind}." if slope < FLAT else f"\nNot converged: the slope is {slope:.3g}.")
    if differences:
        report_agreement("derivatives by hand", differences, 1e-9, "grad and hessian")

    area = ((-2.0, 2.0), (-3.5, 2.5)) if loss == ROSENBROCK else None
    paths = {f"Gradient descent: {len(descent_path) - 1} steps": descent_path}
    paths[f"Newton's method: {len(newton_path) - 1} steps"] = newton_path
    viz.plot_descent(surface.height, paths, area=area, ax=picture.subplots()).set_title(f"L = {loss}")
    save(picture, output, "newton.png")


if __name__ == "__main__":
    main()
