"""Errors sent backwards, neuron by neuron (P52-P77)."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, tanh
from pathlib import Path

import engine
import nn
import viz
from demos._lesson import exit_on_error, heading, parser, report_agreement, save
from engine import Value
from engine.formatting import format_number

SOURCES = {
    "1": ("x1", "x2"), "2": ("x1", "x2"), "3": ("x1", "x2"),
    "4": ("1", "2", "3"), "5": ("1", "2", "3"),
    "6": ("4", "5"),
}  # fmt: skip
LINKS = [(source, neuron) for neuron, sources in SOURCES.items() for source in sources]
START = dict(zip(LINKS, (0.3, -0.5, 0.8, 0.2, -0.6, 0.9, 0.7, -0.4, 0.5, -0.2, 0.6, 0.3, 0.9, -0.7), strict=True))

Function = Callable[[float], float]
Numbers = dict[str, float]
Weights = dict[tuple[str, str], float]

F: dict[str, tuple[Function, Function]] = {  # f and its derivative
    "sigmoid": (lambda e: 1 / (1 + exp(-e)), lambda e: exp(-e) / (1 + exp(-e)) ** 2),
    "tanh": (tanh, lambda e: 1 - tanh(e) ** 2),
    "linear": (lambda e: e, lambda e: 1.0),
}


def forward(w: Weights, x: Numbers, f: Function) -> tuple[Numbers, Numbers]:
    """The sums e and the signals y of all neurons; the signals of the inputs are themselves."""
    e, y = {}, dict(x)
    for n, sources in SOURCES.items():
        e[n] = sum(w[m, n] * y[m] for m in sources)
        y[n] = f(e[n])
    return e, y


def errors(w: Weights, e: Numbers, delta: float, df: Function) -> Numbers:
    """The error delta of every neuron: that of neuron 6, sent back along the weights."""
    deltas = {"6": delta}
    for n in "45123":
        deltas[n] = sum(w[n, m] * df(e[m]) * deltas[m] for m in receivers(n))
    return deltas


def updated(w: Weights, e: Numbers, y: Numbers, deltas: Numbers, df: Function, eta: float) -> Weights:
    """w' = w + eta * delta * f'(e) * x for every weight, where x is the signal that it weighs."""
    return {(m, n): w[m, n] + eta * deltas[n] * df(e[n]) * y[m] for m, n in w}


def receivers(n: str) -> list[str]:
    return [m for m, sources in SOURCES.items() if n in sources]


def weight(m: str, n: str) -> str:
    """Its name on the slides: w14, w(x1)1."""
    return f"w({m}){n}" if m.startswith("x") else f"w{m}{n}"


def signal(m: str) -> str:
    return m if m.startswith("x") else f"y{m}"


def main(arguments: list[str] | None = None) -> None:
    options = parser("error_propagation", __doc__)
    options.add_argument("--x", nargs=2, type=float, default=(1.0, 0.5), metavar=("X1", "X2"), help="the inputs")
    options.add_argument("--z", type=float, default=1.0, help="the desired output (default: %(default)s)")
    options.add_argument("--eta", type=float, default=0.5, help="the learning rate (default: %(default)s)")
    options.add_argument("--activation", choices=F, default="sigmoid", help="the f of every neuron (default: sigmoid)")
    chosen = options.parse_args(arguments)
    with exit_on_error(options):
        lesson(dict(zip(("x1", "x2"), chosen.x, strict=True)), chosen.z, chosen.eta, chosen.activation, chosen.output)


def lesson(x: Numbers, z: float, eta: float, activation: str, folder: Path) -> None:
    f, df = F[activation]
    w = START

    heading(f"Forward: x1 = {format_number(x['x1'])}, x2 = {format_number(x['x2'])}, f = {activation}")
    e, y = forward(w, x, f)
    for n, sources in SOURCES.items():
        print(f"y{n} = f({' + '.join(f'{weight(m, n)} {signal(m)}' for m in sources)})")
        print(f"   = f({' + '.join(f'{format_number(w[m, n])}*{format_number(y[m])}' for m in sources)})")
        print(f"   = f({format_number(e[n])}) = {format_number(y[n])}")

    heading(f"Backward: delta = z - y = {format_number(z)} - {format_number(y['6'])} = {format_number(z - y['6'])}")
    deltas = errors(w, e, z - y["6"], df)
    for n in "45123":
        terms = [(weight(n, m), f"f'(e{m})", "delta" if m == "6" else f"delta{m}") for m in receivers(n)]
        numbers = [(w[n, m], df(e[m]), deltas[m]) for m in receivers(n)]
        print(f"delta{n} = {' + '.join(' '.join(term) for term in terms)}")
        products = " + ".join("*".join(map(format_number, term)) for term in numbers)
        print(f"       = {products} = {format_number(deltas[n])}")

    heading(f"Update: w' = w + eta delta f'(e) x with eta = {eta:g}")
    new = updated(w, e, y, deltas, df, eta)
    for m, n in LINKS:
        delta = "delta" if n == "6" else f"delta{n}"
        factors = " * ".join(map(format_number, (eta, deltas[n], df(e[n]), y[m])))
        print(f"{weight(m, n) + chr(39):8} = {weight(m, n)} + eta {delta} f'(e{n}) {signal(m)}")
        print(f"         = {format_number(w[m, n])} + {factors} = {format_number(new[m, n])}")

    heading("The same by autograd: w' = w - eta dE/dw of E = (z - y)**2 / 2")
    error, leaves = squared_error(x, z, activation)
    error.backward()
    report_agreement(
        "The updates", [abs(new[link] - (leaf.data - eta * leaf.grad)) for link, leaf in leaves.items()], 1e-14
    )

    heading("The factor that the slides leave out")
    print("The slides send delta4 = w46 delta back, without f'(e6). Then delta f'(e) x")
    print("is -dE/dw for neuron 6 alone, unless every f'(e) is 1:\n")
    print("  weight    -dE/dw       as on the slides  times")
    literal = errors(w, e, z - y["6"], lambda e: 1.0)
    for m, n in LINKS:
        theirs, gradient = literal[n] * df(e[n]) * y[m], -leaves[m, n].grad
        print(f"  {weight(m, n):8}  {gradient:11.6f}  {theirs:16.6f}  {theirs / gradient if gradient else 1.0:5.2f}")

    heading("The same network as an MLP, whose bias weights w0 are 0")
    model = nn.MLP(2, [3, 2, 1], hidden=activation, output=activation)
    for neuron, n in zip((neuron for layer in model.layers for neuron in layer.neurons), SOURCES, strict=True):
        for leaf, start in zip(neuron.weights, (0.0, *(w[m, n] for m in SOURCES[n])), strict=True):
            leaf.data = start
    print("Its delta is dE/da (P57), that is -f'(e) times the delta above.")
    inputs = [x["x1"], x["x2"]]
    save(viz.network(model, inputs, z), folder, "error_propagation.svg")
    page = viz.network_page(model, folder / "error_propagation.html", inputs, z, learning_rate=eta)
    print(f"Page to step through: {page}")


def squared_error(x: Numbers, z: float, activation: str) -> tuple[Value, dict[tuple[str, str], Value]]:
    """E = (z - y)**2 / 2 as a graph, and its leaves, the weights."""
    leaves = {link: Value(w, weight(*link)) for link, w in START.items()}
    y = {name: Value(number, name) for name, number in x.items()}
    for n, sources in SOURCES.items():
        y[n] = engine.dot([leaves[m, n] for m in sources], [y[m] for m in sources])
        if activation != "linear":
            y[n].label = f"e{n}"
            y[n] = getattr(engine, activation)(y[n])
        y[n].label = f"y{n}"
    error = (z - y["6"]) ** 2 / 2
    error.label = "E"
    return error, leaves


if __name__ == "__main__":
    main()
