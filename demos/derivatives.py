"""Derivatives of any order: a gradient is itself a graph."""

import math
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import viz
from demos._expression import parse
from demos._lesson import PICTURES, command, figure, heading, report_agreement, save
from engine import Value, grad, topological_order
from engine.labels import Names
from viz.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY

CURVE = "sin(x)"
EXACT: list[Callable[[float], float]] = [math.sin, math.cos, lambda x: -math.sin(x), lambda x: -math.cos(x), math.sin]
NEURON = "tanh(w*x + b)"
N_POINTS = 241


def derivatives(y: Value, x: Value) -> list[Value]:
    """Return y and its first four derivatives with respect to x, each the gradient of the graph before it."""
    graphs = [y]
    for _ in range(4):
        graphs.append(grad(graphs[-1], x, create_graph=True))
    return graphs


@command
def main(curve: str = CURVE, *, ends: tuple[float, float] = (-math.pi, math.pi), output: Path = PICTURES) -> None:
    """Plot a curve and its derivatives, and draw the graph of the derivative of a neuron."""
    first, last = ends
    if not first < last:
        raise ValueError(f"--range must be two numbers in increasing order, got {first:g} {last:g}")
    picture = figure(11, 6)
    xs = [(first * (N_POINTS - 1 - k) + last * k) / (N_POINTS - 1) for k in range(N_POINTS)]
    x = Value(xs[N_POINTS // 3], "x")
    y = parse(curve, {"x": x})
    names = ["y", "y'", "y''", "y'''", "y''''"]

    heading(f"y = {curve} and its derivatives, each the gradient of the graph before it")
    print("        nodes  graph")
    for name, graph in zip(names, derivatives(y, x), strict=True):
        expression = Names(graph).expression(graph) or f"{graph.data:g}"
        shown = expression if len(expression) < 60 else expression[:56] + " ..."
        print(f"{name:6} {len(topological_order(graph)):6}  {shown}")

    rows = []
    for at in xs:
        x.data = at
        y.forward()
        rows.append([graph.data for graph in derivatives(y, x)])
    print("\n       x" + "".join(f"{name:>14}" for name in names))
    for at, row in list(zip(xs, rows, strict=True))[:: N_POINTS // 6]:
        print(f"{at:8.4f}" + "".join(f"{number + 0.0:14.6g}" for number in row))
    if curve == CURVE:
        exact = [f(at) for at in xs for f in EXACT]
        print()
        differences = [abs(a - b) for a, b in zip(chain(*rows), exact, strict=True)]
        report_agreement("derivatives", differences, 1e-15, "sin, cos, -sin, -cos, sin")

    ax = picture.subplots()
    styles = (SKY, 8.0), (BLUE, 2.5), (GREEN, 2.5), (PURPLE, 2.5), (ORANGE, 2.5)  # the last may cover the first
    for name, (colour, width), numbers in zip(names, styles, zip(*rows, strict=True), strict=True):
        ax.plot(xs, numbers, color=colour, linewidth=width, label=name)
    ax.axhline(0, color=GREY, linewidth=1)
    ax.set(xlabel="x", title=f"y = {curve} and its derivatives")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    save(picture, output, "derivatives.png")

    heading(f"The derivative of z = {NEURON} with respect to w, after its own backward()")
    leaves = {"w": Value(2.0, "w"), "x": Value(-1.0, "x"), "b": Value(1.5, "b")}
    z = parse(NEURON, leaves)
    z.label = "z"
    slope = grad(z, leaves["w"], create_graph=True)
    slope.label = "dz/dw"
    slope.backward()
    print(viz.text(slope))
    save(viz.draw(slope), output, "derivatives.svg")


if __name__ == "__main__":
    main()
