"""The updates of two layers, derived line by line (P25-P30)."""

from itertools import chain
from math import fsum
from pathlib import Path
from typing import NamedTuple

import engine
import nn
from demos._lesson import PICTURES, command, figure, heading, report_agreement, save
from demos.two_layer import Matrix, softmax, updates
from engine import Value, dot, grad, jacobian
from engine.formatting import format_number
from viz.style import BLUE, GREY, ORANGE

# Two examples of 2 inputs and 3 classes; the weights of 2 hidden neurons and of 3 outputs
X: Matrix = [[1.0, 0.5, -1.0], [1.0, -0.8, 0.3]]  # x_0 = 1
R: Matrix = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
W: Matrix = [[0.1, 0.6, -0.4], [-0.3, 0.2, 0.7]]
V: Matrix = [[0.2, 0.5, -0.3], [-0.1, 0.4, 0.6], [0.3, -0.7, 0.1]]
K = range(3)  # the classes

MISPRINT = "sum_k,i r_k/y_k y_k (delta_ki - y_k) v_ih z_h (1 - z_h) x_j"
Lines = dict[str, float]  # the number of each line, by its formula


class Example(NamedTuple):
    """One example: its inputs x and targets r, and the nodes a, z with z_0, o and y."""

    x: list[float]
    r: list[float]
    a: list[Value]
    z: list[Value]
    o: list[Value]
    y: list[Value]

    @property
    def loss(self) -> Value:
        """The loss -sum_k r_k log y_k."""
        return -engine.sum([r_k * y_k.log() for r_k, y_k in zip(self.r, self.y, strict=True)])


def forward(v: list[list[Value]], w: list[list[Value]], x: list[float], r: list[float]) -> Example:
    """Record the network for one example (P25)."""
    a = [dot(w_h, x) for w_h in w]
    z = [Value(1.0, "z0"), *(a_h.sigmoid() for a_h in a)]
    o = [dot(v_i, z) for v_i in v]
    return Example(x, r, a, z, o, engine.softmax(o))


def lines_of_v(e: Example, v_ih: Value, i: int, h: int) -> Lines:
    """Return what each line of P26-P28 is for one example, without eta."""
    r, y, z_h = e.r, [y_k.data for y_k in e.y], e.z[h].data
    dy_dv = [row[0] for row in jacobian(e.y, [v_ih])]
    dy_do, do_dv = [row[i] for row in jacobian(e.y, e.o)], grad(e.o[i], v_ih)
    return {
        "-dL/dv_ih": -grad(e.loss, v_ih),
        "sum_k r_k/y_k dy_k/dv_ih": fsum(r[k] / y[k] * dy_dv[k] for k in K),
        "sum_k r_k/y_k dy_k/do_i do_i/dv_ih": fsum(r[k] / y[k] * dy_do[k] * do_dv for k in K),
        "sum_k r_k/y_k y_k (delta_ki - y_i) z_h": fsum(r[k] / y[k] * y[k] * ((k == i) - y[i]) * z_h for k in K),
        "[sum_k r_k (delta_ki - y_i)] z_h": fsum(r[k] * ((k == i) - y[i]) for k in K) * z_h,
        "(r_i - y_i) z_h": (r[i] - y[i]) * z_h,
    }


def lines_of_w(e: Example, w_hj: Value, v_h: list[float], h: int, j: int) -> Lines:
    """Return what each line of P29-P30 is for one example, without eta, and the fourth as the slide prints it."""
    r, y, z_h, x_j = e.r, [y_k.data for y_k in e.y], e.z[h].data, e.x[j]
    dy_dz, dy_do = [row[0] for row in jacobian(e.y, [e.z[h]])], jacobian(e.y, e.o)
    do_dz, dz_da, da_dw = [grad(o_i, e.z[h]) for o_i in e.o], grad(e.z[h], e.a[h - 1]), grad(e.a[h - 1], w_hj)
    ki = [(k, i) for k in K for i in K]
    return {
        "-dL/dw_hj": -grad(e.loss, w_hj),
        "sum_k r_k/y_k dy_k/dz_h dz_h/dw_hj": fsum(r[k] / y[k] * dy_dz[k] * grad(e.z[h], w_hj) for k in K),
        "sum_k,i r_k/y_k dy_k/do_i do_i/dz_h dz_h/da_h da_h/dw_hj": fsum(
            r[k] / y[k] * dy_do[k][i] * do_dz[i] * dz_da * da_dw for k, i in ki
        ),
        "sum_k,i r_k/y_k y_k (delta_ki - y_i) v_ih z_h (1 - z_h) x_j": fsum(
            r[k] / y[k] * y[k] * ((k == i) - y[i]) * v_h[i] * z_h * (1 - z_h) * x_j for k, i in ki
        ),
        "[sum_i (r_i - y_i) v_ih] z_h (1 - z_h) x_j": fsum((r[i] - y[i]) * v_h[i] for i in K) * z_h * (1 - z_h) * x_j,
        MISPRINT: fsum(r[k] / y[k] * y[k] * ((k == i) - y[k]) * v_h[i] * z_h * (1 - z_h) * x_j for k, i in ki),
    }


def over_examples(lines_by_example: list[Lines], eta: float) -> Lines:
    """Return eta times the sum of each line over the examples."""
    return {formula: eta * fsum(lines[formula] for lines in lines_by_example) for formula in lines_by_example[0]}


@command
def main(*, eta: float = 0.1, output: Path = PICTURES) -> None:
    """Evaluate every line of both derivations for every weight, and compare the lines."""
    picture = figure(12, 6)
    v = [[Value(v_ih, f"v{i}{h}") for h, v_ih in enumerate(row)] for i, row in enumerate(V, start=1)]
    w = [[Value(w_hj, f"w{h}{j}") for j, w_hj in enumerate(row)] for h, row in enumerate(W, start=1)]
    examples = [forward(v, w, x, r) for x, r in zip(X, R, strict=True)]
    print("z_h = sigmoid(w_h^T x)   o_i = v_i^T z   y = softmax(o)")
    print("L = -sum_l sum_k r_k log y_k, here over 2 examples l, with 2 inputs, 2 hidden")
    print(f"neurons, 3 classes and eta = {eta:g}. Partial derivatives such as dy_k/do_i are")
    print("numbers from engine.jacobian, which knows none of these formulas.")
    print("The number of each line is eta times its sum over the examples.")

    heading("The second layer: Delta v_21 (P26-P28)")
    of_v = {
        v_ih.label: over_examples([lines_of_v(e, v_ih, i, h) for e in examples], eta)
        for i, v_i in enumerate(v) for h, v_ih in enumerate(v_i)
    }  # fmt: skip
    print_lines(of_v["v21"])
    compare_lines(of_v)

    heading("The first layer: Delta w_12 (P29-P30)")
    columns = [list(column) for column in zip(*V, strict=True)]  # v_ih of all i, by h
    of_w = {
        w_hj.label: over_examples([lines_of_w(e, w_hj, columns[h], h, j) for e in examples], eta)
        for h, w_h in enumerate(w, start=1) for j, w_hj in enumerate(w_h)
    }  # fmt: skip
    misprints = [lines.pop(MISPRINT) for lines in of_w.values()]
    updates_of_w = [next(iter(lines.values())) for lines in of_w.values()]
    print_lines(of_w["w12"])
    compare_lines(of_w)

    heading("A misprint: the fourth line of P30 has y_k where y_i is right")
    print_lines({MISPRINT: misprints[2]})
    print("which is off by")
    print_lines({"since dy_k/do_i = y_k (delta_ki - y_i)": misprints[2] - updates_of_w[2]})

    heading("The slide has a sum over the examples, nn a mean")
    total, mean = fsum(e.loss.data for e in examples), nn.cross_entropy([e.o for e in examples], R).data
    print(f"L of P25 is {format_number(total)}; nn.cross_entropy is {format_number(mean)}, 1/{total / mean:g} of it.")
    print(f"For the same step on {len(X)} examples, eta must be {len(X)} times as large in nn.")

    heading("The box of P31 has y_i = v_i^T z, without softmax")
    print("Then the same updates are gradient descent on sum_i (r_i - y_i)^2 / 2.")
    print("One rule, two losses:")
    e = examples[0]
    squared = engine.sum([(r_i - o_i) ** 2 / 2 for r_i, o_i in zip(e.r, e.o, strict=True)])
    for name, outputs, loss in (("y_i = v_i^T z", list, squared), ("softmax", softmax, e.loss)):
        delta_V, delta_W = updates(V, W, e.x, e.r, eta, outputs)
        gradients = grad(loss, [*chain(*v, *w)])
        differences = [abs(x - -eta * g) for x, g in zip(chain(*delta_V, *delta_W), gradients, strict=True)]
        report_agreement(f"updates with {name}", differences, 1e-15)

    at = picture.subplots()
    places = range(len(of_w))
    at.bar([p - 0.2 for p in places], updates_of_w, 0.4, color=BLUE, label="with y_i: every line of the derivation")
    at.bar([p + 0.2 for p in places], misprints, 0.4, color=ORANGE, hatch="//", label="with y_k: as printed on P30")
    at.axhline(0, color=GREY, linewidth=1)
    at.set_xticks(places, [f"Delta {name}" for name in of_w])
    at.set(title=f"The updates of the first layer, eta = {eta:g}", ylabel="update")
    at.legend()
    save(picture, output, "derivation.png")


def print_lines(lines: Lines) -> None:
    """Print each line of a derivation: its number, then its formula."""
    for formula, number in lines.items():
        print(f"{format_number(number):>13}  {formula}")


def compare_lines(lines_by_weight: dict[str, Lines]) -> None:
    """Check that all lines are equal, for each weight."""
    differences = []
    for lines in lines_by_weight.values():
        first, *others = lines.values()
        differences += [abs(number - first) for number in others]
    report_agreement(f"numbers of {len(lines_by_weight)} weights", differences, 1e-15, "the first line")


if __name__ == "__main__":
    main()
