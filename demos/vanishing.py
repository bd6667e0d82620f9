"""Why a deep network of sigmoids does not learn (P57)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from math import fsum, prod, sqrt
from pathlib import Path
from statistics import fmean

import engine
import nn
import viz
from demos._lesson import exit_on_error, figure, heading, parser, report_agreement, save
from engine import Value
from viz.style import CLASSES, MARKERS

SLOPES: dict[str, Callable[[float], float]] = {  # f'(a) where the output is z
    "sigmoid": lambda z: z * (1 - z),
    "tanh": lambda z: 1 - z * z,
    "relu": lambda z: float(z > 0),
    "linear": lambda z: 1.0,
}
SCHEMES = ("uniform_0.01", "micrograd", "xavier", "he")
USUAL = {"sigmoid": "xavier", "tanh": "xavier", "relu": "he"}

Examples = list[tuple[list[float], int]]
Layers = list[list[float]]  # a number for every neuron


def main(arguments: list[str] | None = None) -> None:
    options = parser("vanishing", __doc__)
    options.add_argument("--layers", type=int, default=10, help="of the deep network (default: %(default)s)")
    options.add_argument("--width", type=int, default=16, help="neurons of a hidden layer (default: %(default)s)")
    options.add_argument("--eta", type=float, default=0.1, help="the learning rate (default: %(default)s)")
    options.add_argument("--epochs", type=int, default=100, help="of every training (default: %(default)s)")
    options.add_argument("--seed", type=int, default=1, help="of all that is random (default: %(default)s)")
    chosen = options.parse_args(arguments)
    if not 3 <= chosen.layers <= 30:
        options.error("--layers: from 3 to 30")
    with exit_on_error(options):
        lesson(chosen.layers, chosen.width, chosen.eta, chosen.epochs, chosen.seed, chosen.output)


def lesson(depth: int, width: int, eta: float, epochs: int, seed: int, folder: Path) -> None:
    picture, curves = figure(9, 5), figure(9, 4)
    data = moons()

    def network(activation: str, init: str, layers: int = depth) -> nn.MLP:
        return nn.MLP(2, [width] * (layers - 1) + [1], hidden=activation, init=init, seed=seed)

    deep = {(activation, init): network(activation, init) for activation in USUAL for init in SCHEMES}
    usual = {activation: deep[activation, init] for activation, init in USUAL.items()}

    heading("Each layer multiplies the error by f'(a) and by w (P57)")
    print("The error delta = dl/da of a hidden neuron j comes from the neurons k it feeds:")
    print("  delta_j = f'(a_j) sum_k w_kj delta_k")
    print(f"Along a path from layer {depth} to layer 1 that is a product of {depth - 1} factors f'(a) w.")
    print("The sigmoid's f'(a) = z (1 - z) is 1/4 at most. Where no |w| is above 1, a path")
    print(f"brings (1/4)**{depth - 1} = {0.25 ** (depth - 1):.1e} of delta at most. The slope of tanh is 1 at 0, that")
    print("of relu is 1 or 0.\n")
    differences = []
    for model in usual.values():
        for slopes, deltas in passes(model, data[:10]):
            differences += by_hand(model, slopes, deltas)
    report_agreement("The rule at every neuron", differences, 1e-9)

    heading(f"Gradients of a new network, {depth} layers: mean |dl/dw| of each")
    sizes = {key: gradients(model, data) for key, model in deep.items()}
    columns = [sizes[key] for key in USUAL.items()]
    print("layer  " + "".join(f"{activation:>12}" for activation in USUAL))
    for layer in range(depth):
        print(f"{layer + 1:5}  " + "".join(f"{column[layer]:12.1e}" for column in columns))
    print("ratio  " + "".join(f"{ratio(column[-1], column[0]):12.1e}" for column in columns) + "  last to first")

    axes = picture.subplots(1, 3, sharex=True)
    for i, (activation, ax) in enumerate(zip(USUAL, axes, strict=True)):
        viz.plot_gradients(usual[activation], ax=ax).set_title(f"{activation}, {USUAL[activation]}")
        if i:
            ax.set_yticks([])
        if i != 1:
            ax.set_xlabel("")

    heading("What the initialisation does about it")
    print("For random weights a layer multiplies the size of delta by about")
    print("  sqrt(n mean(w**2) mean(f'(a)**2))   with n neurons in the next layer.")
    print(f"Over {depth - 1} layers these factors multiply. So delta of the last layer to delta of the")
    print("first should be 1 to their product:\n")
    print("activation  init             f'(a)   factor   should be  measured")
    for (activation, init), model in deep.items():
        slope, factors, measured = factors_of(model, list(passes(model, data[:10])))
        factor = prod(factors) ** (1 / len(factors))
        print(f"{activation:11} {init:12} {slope:9.2f} {factor:8.2g} {ratio(1, prod(factors)):11.1e} {measured:9.1e}")
    print("\nNear a factor of 1 the error survives: xavier is made for tanh, he for relu.")

    heading(f"Proof by training: {epochs} epochs on two moons, eta = {eta:g}")
    print("activation  init         layers     loss  accuracy")
    losses = {}
    for activation, init, layers in (
        *((activation, USUAL[activation], layers) for activation in USUAL for layers in (2, depth)),
        *((activation, "uniform_0.01", depth) for activation in USUAL),
    ):
        model = network(activation, init, layers)
        history = nn.train(
            model, nn.binary_cross_entropy, data, optimizer=nn.SGD(model.parameters(), eta), epochs=epochs,
            until=lambda history: False, seed=seed,
        )  # fmt: skip
        loss, accuracy = nn.evaluate(model, nn.binary_cross_entropy, data)
        print(f"{activation:11} {init:12} {layers:6} {loss:8.4f} {100 * (accuracy or 0.0):7.1f} %")
        losses[activation, init, layers] = history.loss
    print(f"\nTo say 1/2 to everything has the loss log 2 = {math.log(2):.4f}.")

    at_init, at_loss = curves.subplots(1, 2)
    for init, colour, marker in zip(SCHEMES, CLASSES, MARKERS, strict=False):
        at_init.semilogy(range(1, depth + 1), sizes["tanh", init], color=colour, marker=marker, label=init)
    at_init.set(title="tanh, four initialisations", xlabel="layer", ylabel="mean |dl/dw|")
    at_init.legend()
    for activation, colour in zip(USUAL, CLASSES, strict=False):
        for layers, style in ((2, "--"), (depth, "-")):
            curve = losses[activation, USUAL[activation], layers]
            at_loss.plot(curve, style, color=colour, linewidth=1, label=f"{activation}, {layers} layers")
    at_loss.set(title="Training", xlabel="epoch", ylabel="loss", ylim=(0, 1.5))
    at_loss.legend(ncols=2, fontsize="small")
    save(picture, folder, "vanishing.png")
    save(curves, folder, "vanishing_training.png")


def moons() -> Examples:
    """100 points on two half circles, with a little noise."""
    from sklearn.datasets import make_moons

    points, classes = make_moons(n_samples=100, noise=0.1, random_state=1)
    return list(zip(points.tolist(), classes.tolist(), strict=True))


def gradients(model: nn.MLP, data: Examples) -> list[float]:
    """The mean size of the gradients in each layer, for the mean loss over the data."""
    model.zero_grad()
    (engine.sum([nn.binary_cross_entropy(model(x), r) for x, r in data]) / len(data)).backward()
    return [fmean(abs(w.grad) for w in layer.parameters()) for layer in model.layers]


def passes(model: nn.MLP, data: Examples) -> Iterator[tuple[Layers, Layers]]:
    """For each example the slope f'(a) and the error delta of every neuron, by backward()."""
    for x, r in data:
        slopes, z = [], [Value(x_i) for x_i in x]
        for layer in model.layers:
            z = layer(z)
            slopes.append([SLOPES[layer.activation](z_j.data) for z_j in z])
        model.zero_grad()
        nn.binary_cross_entropy(z, [r]).backward()
        yield slopes, [[neuron.weights[0].grad for neuron in layer.neurons] for layer in model.layers]


def by_hand(model: nn.MLP, slopes: Layers, deltas: Layers) -> list[float]:
    """How far delta_j = f'(a_j) sum_k w_kj delta_k is from the deltas, relative to each."""
    differences = []
    for layer, later in enumerate(model.layers[1:]):
        for j, (slope, delta) in enumerate(zip(slopes[layer], deltas[layer], strict=True)):
            weights = [neuron.weights[j + 1].data for neuron in later.neurons]
            rule = slope * fsum(w_kj * delta_k for w_kj, delta_k in zip(weights, deltas[layer + 1], strict=True))
            differences.append(abs(rule - delta) / (abs(delta) or 1.0))
    return differences


def factors_of(model: nn.MLP, passes: list[tuple[Layers, Layers]]) -> tuple[float, list[float], float]:
    """The mean slope of the hidden neurons, the factor of each layer, and delta of the last layer : of the first."""
    slopes, deltas = (
        [[x for example in part for x in example[i]] for i in range(len(model.layers))]
        for part in zip(*passes, strict=True)
    )
    factors = []
    for hidden, later in zip(slopes, model.layers[1:], strict=False):
        weights = [w.data for neuron in later.neurons for w in neuron.weights[1:]]
        factors.append(size(hidden) * size(weights) * sqrt(len(later.neurons)))
    return fmean(x for hidden in slopes[:-1] for x in hidden), factors, ratio(size(deltas[-1]), size(deltas[0]))


def size(xs: list[float]) -> float:
    """The root of the mean square."""
    return sqrt(fmean(x * x for x in xs))


def ratio(a: float, b: float) -> float:
    return a / b if b else math.inf


if __name__ == "__main__":
    main()
