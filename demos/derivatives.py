"""Derivatives of derivatives: a gradient is a graph too."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import viz
from demos._expression import leaves, parse
from demos._lesson import exit_on_error, figure, heading, parser, save
from engine import Value, grad, topological_order
from engine.labels import Names
from viz.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY

CURVE = "sin(x)"
CLOSED_FORMS: list[Callable[[float], float]] = [
    math.sin,
    math.cos,
    lambda x: -math.sin(x),
    lambda x: -math.cos(x),
    math.sin,
]
NEURON, AT = "tanh(w*x + b)", {"w": 2.0, "x": -1.0, "b": 1.5}
POINTS = 241


def main(arguments: list[str] | None = None) -> None:
    options = parser("derivatives", __doc__)
    options.add_argument("curve", nargs="?", default=CURVE, help="y in terms of x (default: %(default)s)")
    options.add_argument(
        "--range", nargs=2, type=float, default=(-math.pi, math.pi), metavar=("FROM", "TO"),
        help="of x (default: -pi pi)",
    )  # fmt: skip
    chosen = options.parse_args(arguments)
    with exit_on_error(options):
        lesson(chosen.curve, chosen.range, chosen.output)


def derivatives(y: Value, x: Value) -> list[Value]:
    """y and its first four derivatives by x, each a graph made from the graph before."""
    graphs = [y]
    for _ in range(4):
        graphs.append(grad(graphs[-1], x, create_graph=True))
    return graphs


def lesson(curve: str, ends: tuple[float, float], folder: Path) -> None:
    first, last = ends
    picture = figure(7, 4)
    xs = [(first * (POINTS - 1 - k) + last * k) / (POINTS - 1) for k in range(POINTS)]
    y = parse(curve, {"x": xs[POINTS // 3]})
    (x,) = leaves(y, "x")
    names = ["y", "y'", "y''", "y'''", "y''''"]

    heading(f"y = {curve}, and each derivative by differentiating the graph of the one before")
    print("        nodes  graph")
    for name, graph in zip(names, derivatives(y, x), strict=True):
        made = Names(graph).made(graph) or f"{graph.data:g}"
        print(f"{name:6} {len(topological_order(graph)):6}  {made if len(made) < 60 else made[:56] + ' ...'}")

    rows = []
    for x.data in xs:
        y.forward()
        rows.append([graph.data for graph in derivatives(y, x)])
    print("\n       x" + "".join(f"{name:>14}" for name in names))
    for at, row in list(zip(xs, rows, strict=True))[:: POINTS // 6]:
        print(f"{at:8.4f}" + "".join(f"{number + 0.0:14.6g}" for number in row))
    if curve == CURVE:
        differences = [
            abs(number - exact(at))
            for at, row in zip(xs, rows, strict=True)
            for number, exact in zip(row, CLOSED_FORMS, strict=True)
        ]
        if max(differences) > 1e-15:
            raise ArithmeticError(f"grad differs from sin, cos, -sin, -cos, sin by {max(differences):.1e}")
        print(f"\nsin, cos, -sin, -cos, sin: the same in {len(differences):,} numbers, to {max(differences):.1e}.")

    ax = picture.subplots()
    styles = (SKY, 5.0), (BLUE, 1.5), (GREEN, 1.5), (PURPLE, 1.5), (ORANGE, 1.5)  # wide, for the last may lie on it
    for name, (colour, width), numbers in zip(names, styles, zip(*rows, strict=True), strict=True):
        ax.plot(xs, numbers, color=colour, linewidth=width, label=name)
    ax.axhline(0, color=GREY, linewidth=0.5)
    ax.set(xlabel="x", title=f"y = {curve} and its derivatives")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    save(picture, folder, "derivatives.png")

    heading(f"The derivative of z = {NEURON} by w, after a backward() of its own")
    z = parse(NEURON, AT)
    z.label = "z"
    (w,) = leaves(z, "w")
    slope = grad(z, w, create_graph=True)
    slope.label = "dz/dw"
    slope.backward()
    print(viz.text(slope))
    save(viz.draw(slope), folder, "derivatives.svg")


if __name__ == "__main__":
    main()
