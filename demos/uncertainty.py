"""Numbers that know their error: the uncertainty of a measured g, and where it comes from."""

import math
import random
import statistics
from pathlib import Path
from types import ModuleType
from typing import Any

import engine
from demos._lesson import PICTURES, command, figure, heading, report_agreement, save
from engine import Value, uncertainty
from engine.formatting import format_number
from viz.style import BLUE, ORANGE

# A pendulum: its length in m, the time of 10 swings in s, and the angle of the first swing in rad; each with its sigma.
MEASURED = {"length": (0.995, 0.002), "time": (20.06, 0.05), "angle": (0.20, 0.03)}
DRAWS = 40_000


def gravity(m: ModuleType, length: Any, time: Any, angle: Any) -> Any:
    """Return g of a pendulum, with the correction for its angle to second order; `m` is `engine` or `math`."""
    period = time / 10 / (1 + m.sin(angle / 2) ** 2 / 4)
    return 4 * math.pi**2 * length / period**2


def simulate(rng: random.Random, sigmas: dict[str, float]) -> list[float]:
    """Return g of many pendulums, measured with normal errors."""
    draws = ([rng.gauss(mean, sigmas[name]) for name, (mean, _) in MEASURED.items()] for _ in range(DRAWS))
    return [gravity(math, *draw) for draw in draws]


@command
def main(*, seed: int = 1, output: Path = PICTURES) -> None:
    """Print the uncertainty of g with the shares of its inputs, and compare it with a simulation."""
    picture = figure(13, 6)
    rng = random.Random(seed)
    inputs = {name: Value(number, name) for name, (number, _) in MEASURED.items()}
    sigmas = {name: sigma for name, (_, sigma) in MEASURED.items()}
    g = gravity(engine, *inputs.values())
    g.label = "g"
    heading("A pendulum: g = 4 pi**2 length / period**2")
    for name, (number, sigma) in MEASURED.items():
        print(f"{name:6} = {format_number(number)} ± {format_number(sigma)}")

    heading("From one backward pass: the errors, to first order")
    print("sigma_g**2 = sum of (dg/dx sigma_x)**2 over the inputs x. The shares say\nwhich measurement to improve.\n")
    budget = uncertainty(g, {x: sigmas[name] for name, x in inputs.items()})
    print(budget)

    heading(f"By simulation: {DRAWS:,} measurements with normal errors")
    simulated = simulate(rng, sigmas)
    spread = statistics.stdev(simulated)
    print(f"g = {statistics.mean(simulated):.4f} ± {spread:.4f}, and the shares with one error at a time:")
    spreads = [spread]
    for name in inputs:
        one_error = dict.fromkeys(inputs, 0.0) | {name: sigmas[name]}
        spreads.append(statistics.stdev(simulate(rng, one_error)))
        print(f"  {name:6} {(spreads[-1] / spread) ** 2:6.1%}")
    expected = [budget.sigma, *(abs(share.contribution) for share in budget.shares)]
    differences = [abs(a / b - 1) for a, b in zip(spreads, expected, strict=True)]
    report_agreement("spreads (relative)", differences, 0.02, "uncertainty()")

    heading("Where it fails: first order is the tangent")
    x = Value(0.1, "x")
    y = x**2
    y.label = "y"
    print(str(uncertainty(y, {x: 0.3})).partition("\n")[0], " for y = x**2, x = 0.1 ± 0.3")
    squares = [rng.gauss(0.1, 0.3) ** 2 for _ in range(DRAWS)]
    print(f"y = {statistics.mean(squares):.3f} ± {statistics.stdev(squares):.3f}  by simulation: the parabola curves")

    heading("Rounding is an error too")
    print("A float is off by up to half a unit in its last place. For sin(x) at x = 1e15:\n")
    x = Value(1e15, "x")
    y = x.sin()
    y.label = "y"
    rounding = uncertainty(y, {x: 0.0}).rounding
    print(f"dy/dx * {math.ulp(x.data) / 2:g} = {rounding:.2g}: y = {y.data:.3f} is uncertain in its second digit.")

    left, right = picture.subplots(1, 2)
    left.hist(simulated, bins=60, density=True, color=BLUE, alpha=0.5, label="simulation")
    xs = [budget.output.data + budget.sigma * i / 25 for i in range(-100, 101)]
    normal = statistics.NormalDist(budget.output.data, budget.sigma)
    left.plot(xs, [normal.pdf(x) for x in xs], color=ORANGE, label="uncertainty(g, ...)")
    left.set(xlabel="g in m/s²", yticks=[], ylim=(0, 1.5 * normal.pdf(normal.mean)))  # room for the legend
    left.legend(fontsize="small", loc="upper center")
    right.barh([share.x.label for share in budget.shares], [share.share for share in budget.shares], color=ORANGE)
    right.set(xlabel="share of the variance of g", xlim=(0, 1))
    right.invert_yaxis()
    save(picture, output, "uncertainty.png")


if __name__ == "__main__":
    main()
