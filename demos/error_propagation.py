"""Error propagation, neuron by neuron (P52-P77)."""

from collections.abc import Callable
from math import exp, tanh
from pathlib import Path

import nn
import viz
from demos._lesson import PICTURES, command, format_vector, heading, report_agreement, save
from engine import Value
from engine.formatting import format_number
from nn.signals import signals_of

SOURCES = {
    "1": ("x1", "x2"), "2": ("x1", "x2"), "3": ("x1", "x2"),
    "4": ("1", "2", "3"), "5": ("1", "2", "3"),
    "6": ("4", "5"),
}  # fmt: skip
LINKS = [(source, neuron) for neuron, sources in SOURCES.items() for source in sources]
INITIAL = dict(zip(LINKS, (0.3, -0.5, 0.8, 0.2, -0.6, 0.9, 0.7, -0.4, 0.5, -0.2, 0.6, 0.3, 0.9, -0.7), strict=True))
WEIGHT_NAMES = {(m, n): f"w({m}){n}" if m in ("x1", "x2") else f"w{m}{n}" for m, n in LINKS}  # as the slides name them
SIGNAL_NAMES = {m: m if m in ("x1", "x2") else f"y{m}" for m, _ in LINKS}

Function = Callable[[float], float]
ByNeuron = dict[str, float]
Weights = dict[tuple[str, str], float]

ACTIVATIONS: dict[str, tuple[Function, Function]] = {  # f and its derivative
    "sigmoid": (lambda e: 1 / (1 + exp(-e)), lambda e: exp(-e) / (1 + exp(-e)) ** 2),
    "tanh": (tanh, lambda e: 1 - tanh(e) ** 2),
    "linear": (lambda e: e, lambda e: 1.0),
}


def forward(w: Weights, x: ByNeuron, f: Function) -> tuple[ByNeuron, ByNeuron]:
    """Return the weighted sums e of the neurons, and the signals y of the inputs and the neurons."""
    e, y = {}, dict(x)
    for n, sources in SOURCES.items():
        e[n] = sum(w[m, n] * y[m] for m in sources)
        y[n] = f(e[n])
    return e, y


def propagate_error(w: Weights, e: ByNeuron, delta: float, df: Function) -> ByNeuron:
    """Return the error delta of every neuron: that of neuron 6, propagated back along the weights."""
    deltas = {"6": delta}
    for n in "45123":
        deltas[n] = sum(w[n, m] * df(e[m]) * deltas[m] for m in receivers(n))
    return deltas


def update_weights(w: Weights, e: ByNeuron, y: ByNeuron, deltas: ByNeuron, df: Function, eta: float) -> Weights:
    """Return w' = w + eta delta f'(e) x for every weight, where x is the signal at its input."""
    return {(m, n): w[m, n] + eta * deltas[n] * df(e[n]) * y[m] for m, n in w}


def receivers(n: str) -> list[str]:
    """Return the neurons that neuron n feeds."""
    return [m for m, sources in SOURCES.items() if n in sources]


def half_squared_error(y: Value, z: float) -> Value:
    """Return E = (z - y)**2 / 2."""
    return (z - y) ** 2 / 2


Loss = Callable[[list[Value], list[float]], Value]
LOSSES: list[tuple[str, Loss, list[float], str, str, str]] = [  # for two outputs; then how to write y, l and delta_k
    ("linear", nn.mse, [1.0, 0.0], "a", "sum (r - y)**2 / 2", "y - r"),
    ("sigmoid", nn.mse, [1.0, 0.0], "sigmoid(a)", "sum (r - y)**2 / 2", "(y - r) f'(a)"),
    ("linear", lambda a, r: 2 * nn.binary_cross_entropy(a, r), [1.0, 0.0], "sigmoid(a)", "-sum r log y...", "y - r"),
    ("linear", nn.cross_entropy, [1.0, 0.0], "softmax(a)", "-sum r log y", "y - r"),
    ("linear", lambda y, r: 2 * nn.hinge(y, r), [1.0, -1.0], "a", "sum max(0, 1 - r y)", "-r or 0"),
]


@command
def main(
    *, x: tuple[float, float] = (1.0, 0.5), z: float = 1.0, eta: float = 0.5, activation: str = "sigmoid",
    output: Path = PICTURES,
) -> None:  # fmt: skip
    """Print one training step in numbers, check it against autograd, and draw the network."""
    if activation not in ACTIVATIONS:
        raise ValueError(f"--activation must be one of {', '.join(ACTIVATIONS)}, got {activation}")
    f, df = ACTIVATIONS[activation]
    inputs = {"x1": x[0], "x2": x[1]}
    w = INITIAL

    heading(f"Forward: x1 = {format_number(x[0])}, x2 = {format_number(x[1])}, f = {activation}")
    e, y = forward(w, inputs, f)
    for n, sources in SOURCES.items():
        print(f"y{n} = f({' + '.join(f'{WEIGHT_NAMES[m, n]} {SIGNAL_NAMES[m]}' for m in sources)})")
        print(f"   = f({' + '.join(f'{format_number(w[m, n])}*{format_number(y[m])}' for m in sources)})")
        print(f"   = f({format_number(e[n])}) = {format_number(y[n])}")

    heading(f"Backward: delta = z - y = {format_number(z)} - {format_number(y['6'])} = {format_number(z - y['6'])}")
    deltas = propagate_error(w, e, z - y["6"], df)
    for n in "45123":
        terms = [(WEIGHT_NAMES[n, m], f"f'(e{m})", "delta" if m == "6" else f"delta{m}") for m in receivers(n)]
        numbers = [(w[n, m], df(e[m]), deltas[m]) for m in receivers(n)]
        print(f"delta{n} = {' + '.join(' '.join(term) for term in terms)}")
        products = " + ".join("*".join(map(format_number, term)) for term in numbers)
        print(f"       = {products} = {format_number(deltas[n])}")

    heading(f"Update: w' = w + eta delta f'(e) x with eta = {eta:g}")
    new = update_weights(w, e, y, deltas, df, eta)
    for m, n in LINKS:
        delta = "delta" if n == "6" else f"delta{n}"
        factors = " * ".join(map(format_number, (eta, deltas[n], df(e[n]), y[m])))
        name = f"{WEIGHT_NAMES[m, n]}'"
        print(f"{name:8} = {WEIGHT_NAMES[m, n]} + eta {delta} f'(e{n}) {SIGNAL_NAMES[m]}")
        print(f"         = {format_number(w[m, n])} + {factors} = {format_number(new[m, n])}")

    heading("Forward again, with the new weights")
    _, y_new = forward(new, inputs, f)
    print(f"y6 was {format_number(y['6'])} and is {format_number(y_new['6'])}, for the target z = {format_number(z)}.")
    errors = [format_number((z - outputs["6"]) ** 2 / 2) for outputs in (y, y_new)]
    print(f"E = (z - y6)**2 / 2 was {errors[0]} and is {errors[1]}.")

    heading("The same by autograd: w' = w - eta dE/dw, where E = (z - y)**2 / 2")
    print("The network is an MLP whose bias weights w0 are 0.")
    model = nn.MLP(2, [3, 2, 1], hidden=activation, output=activation)
    neurons = [neuron for layer in model.layers for neuron in layer.neurons]
    leaves = dict(zip(LINKS, (leaf for neuron in neurons for leaf in neuron.weights[1:]), strict=True))
    for leaf in model.parameters():
        leaf.data = 0.0
    for link, leaf in leaves.items():
        leaf.data = w[link]
    half_squared_error(model(x), z).backward()
    differences = [abs(new[link] - (leaf.data - eta * leaf.grad)) for link, leaf in leaves.items()]
    report_agreement("updated weights", differences, 1e-14)

    heading("A factor that the slides leave out (P58-P77)")
    print("The slides have delta4 = w46 delta, without the factor f'(e6). Then")
    print("delta f'(e) x equals -dE/dw only at neuron 6, unless every f'(e) is 1:\n")
    print("  weight    -dE/dw       as on the slides  ratio")
    slide_deltas = propagate_error(w, e, z - y["6"], lambda e: 1.0)
    for m, n in LINKS:
        on_slides, exact = slide_deltas[n] * df(e[n]) * y[m], -leaves[m, n].grad
        print(f"  {WEIGHT_NAMES[m, n]:8}  {exact:11.6f}  {on_slides:16.6f}  {on_slides / exact if exact else 1.0:5.2f}")

    heading("Other losses: the error delta_k = L(y, r) of an output, as dL/da_k (P52-P56)")
    print("output y      loss l                delta_k         r         at a = 0.5, -2")
    for function, loss, r, *names in LOSSES:
        layer = nn.Layer(1, 2, function)
        layer.load_state_dict({"w10": 0.5, "w11": 0.0, "w20": -2.0, "w21": 0.0})
        output_deltas = (delta for delta in signals_of(layer, [0.0], r, loss).deltas[0] if delta is not None)
        texts = [*names, format_vector(r), format_vector(output_deltas, 3)]
        print("".join(f"{text:{width}}" for text, width in zip(texts, (14, 22, 16, 10, 0), strict=True)))
    print("(In full, the third loss is -sum (r log y + (1 - r) log(1 - y)).)")

    print("\nThe picture and the page show the same names and numbers.")
    save(viz.network(model, list(x), z, loss=half_squared_error, notation="P58"), output, "error_propagation.svg")
    page = viz.network_page(
        model, output / "error_propagation.html", list(x), z, loss=half_squared_error, learning_rate=eta, notation="P58"
    )
    print(f"Interactive page: {page}")


if __name__ == "__main__":
    main()
