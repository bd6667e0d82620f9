"""Forward mode: tangents and dual numbers, and which of the two modes is cheaper."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path

import engine
from demos._lesson import PICTURES, command, figure, format_vector, heading, report_agreement, save
from engine import Backprop, ForwardMode, Value, grad, jacobian, jvp
from engine.formatting import format_number
from viz.style import BLUE, ORANGE

HIDDEN = 8  # neurons between the inputs and the outputs
SIZES = (1, 2, 4, 8, 16, 32)


@dataclass
class Dual:
    """A dual number a + a' e, where e*e = 0: a number, and how fast it changes."""

    data: float
    tangent: float = 0.0

    def __add__(self, other: Dual) -> Dual:
        """Add: (a + a' e) + (b + b' e) = (a + b) + (a' + b') e."""
        return Dual(self.data + other.data, self.tangent + other.tangent)

    def __mul__(self, other: Dual) -> Dual:
        """Multiply: (a + a' e) * (b + b' e) = a*b + (b*a' + a*b') e, since e*e = 0."""
        return Dual(self.data * other.data, other.data * self.tangent + self.data * other.tangent)

    def sin(self) -> Dual:
        """Follow the tangent line of the sine at a, whose slope is cos(a)."""
        return Dual(math.sin(self.data), math.cos(self.data) * self.tangent)


def outputs(x1: Value, x2: Value) -> list[Value]:
    """Return two functions of two inputs."""
    p = x1 * x2
    p.label = "p"
    y1, y2 = p + x1.sin(), p.sin() * x2
    y1.label, y2.label = "y1", "y2"
    return [y1, y2]


def network(n: int, m: int, rng: random.Random) -> tuple[list[Value], list[Value]]:
    """Return the inputs and the outputs of a network whose weights are plain numbers."""

    def layer(signals: list[Value], size: int) -> list[Value]:
        return [engine.dot([rng.uniform(-1, 1) for _ in signals], signals).tanh() for _ in range(size)]

    x = [Value(rng.uniform(-1, 1), f"x{i + 1}") for i in range(n)]
    return x, layer(layer(x, HIDDEN), m)


def multiplications(x: list[Value], y: list[Value]) -> tuple[int, int]:
    """Count the multiplications for all dy/dx: in one forward pass per input, and in one backward pass per output."""
    root = engine.sum(y)
    forward = sum(len(step.contributions) for x_i in x for step in ForwardMode(root, x_i) if step.node is not root)
    backward = sum(len(step.contributions) for y_i in y for step in Backprop(y_i))
    return forward, backward


@command
def main(*, seed: int = 1, output: Path = PICTURES) -> None:
    """Step through a forward pass, compare it with dual numbers and with backpropagation, and count."""
    picture = figure(10, 6.5)
    rng = random.Random(seed)
    x1, x2 = Value(2.0, "x1"), Value(-3.0, "x2")
    y = outputs(x1, x2)
    heading("Forward mode: dy1/dx1, from the input to the output")
    print("Every node receives its tangent, its derivative with respect to x1.")
    print("It starts with dx1/dx1 = 1.\n")
    walk = ForwardMode(y[0], x1)
    for step in walk:
        print(step)

    heading("The same with dual numbers, a + a' e where e*e = 0")
    differences = []
    for x in (x1, x2):
        u1, u2 = (Dual(node.data, float(node is x)) for node in (x1, x2))
        p = u1 * u2
        duals = [p + u1.sin(), p.sin() * u2]
        for dual, y_i, tangent in zip(duals, y, jvp(y, x, 1.0), strict=True):
            print(f"{y_i.label} = {format_number(dual.data)} {dual.tangent:+.6g} e   with {x.label} + e")
            differences += [abs(dual.data - y_i.data), abs(dual.tangent - tangent)]
    report_agreement("numbers", differences, 1e-15, "ForwardMode")

    heading("A forward pass gives a column of the Jacobian, a backward pass a row")
    columns = [jvp(y, x, 1.0) for x in (x1, x2)]
    for x, column in zip((x1, x2), columns, strict=True):
        print(f"column of {x.label}: {format_vector(column)}")
    for y_i in y:
        print(f"row of {y_i.label}:    {format_vector(grad(y_i, [x1, x2]))}")
    by_rows = [slope for row in jacobian(y, [x1, x2]) for slope in row]
    by_columns = [columns[j][i] for i in range(2) for j in range(2)]
    differences = [abs(a - b) for a, b in zip(by_rows, by_columns, strict=True)]
    report_agreement("entries by columns", differences, 1e-14, "those by rows")

    heading(f"Multiplications for all dy/dx of a network with {HIDDEN} hidden neurons")
    print("   inputs   outputs      forward passes backward passes   cheaper")
    counts = {}
    for n, m in [(1, 32), (4, 16), (8, 8), (16, 4), (32, 1), *((n, 4) for n in SIZES)]:
        counts[n, m] = forward, backward = multiplications(*network(n, m, rng))
    for (n, m), (forward, backward) in list(counts.items())[:5]:
        cheaper = "either" if forward == backward else "forward" if forward < backward else "backward"
        print(f"{n:9} {m:9} {forward:19,} {backward:15,}   {cheaper}")
    print("\nForward mode needs one pass per input, reverse mode one per output. A loss is")
    print("one output of many weights, so networks learn by reverse mode, backpropagation.")

    heading("A whole direction v at once: jvp computes J v, hvp computes H v")
    w = [Value(rng.uniform(-1, 1), f"w{i}") for i in range(4)]
    L = engine.logsumexp([w[0] * w[1], w[2].sin() * w[0], w[3] ** 2])
    v = [1.0, -2.0, 0.5, 3.0]
    exact = [sum(h * v_j for h, v_j in zip(row, v, strict=True)) for row in engine.hessian(L, w)]
    differences = [abs(a - b) for a, b in zip(engine.hvp(L, w, v), exact, strict=True)]
    print(f"H v = {format_vector(exact)}, in two passes instead of all of H")
    report_agreement("entries of hvp", differences, 1e-14, "hessian times v")

    ax = picture.subplots()
    ax.loglog(SIZES, [counts[n, 4][0] for n in SIZES], color=ORANGE, marker="o", label="forward mode: n passes")
    ax.loglog(SIZES, [counts[n, 4][1] for n in SIZES], color=BLUE, marker="s", label="reverse mode: 4 passes")
    ax.set(xlabel="n inputs, 4 outputs", ylabel="multiplications for all dy/dx", xticks=SIZES, xticklabels=SIZES)
    ax.minorticks_off()
    ax.legend()
    save(picture, output, "forward_mode.png")


if __name__ == "__main__":
    main()
