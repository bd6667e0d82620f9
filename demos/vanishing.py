"""Vanishing gradients: why deep sigmoids do not learn (P57)."""

import math
from collections.abc import Iterator
from math import fsum, prod, sqrt
from pathlib import Path
from statistics import fmean

import engine
import nn
import viz
from demos._data import Examples, moons
from demos._lesson import PICTURES, command, figure, heading, report_agreement, save
from nn.signals import slope
from viz.style import CLASSES, MARKERS

DEFAULT_SCHEMES = {"sigmoid": "xavier", "tanh": "xavier", "relu": "he"}

Layers = list[list[float]]  # a number for every neuron of every layer


@command
def main(
    *, layers: int = 10, width: int = 16, eta: float = 0.1, epochs: int = 100, seed: int = 1, output: Path = PICTURES
) -> None:
    """Measure the gradients of deep networks layer by layer, explain their sizes, and train the networks."""
    if not 3 <= layers <= 30:
        raise ValueError(f"--layers must be from 3 to 30, got {layers}")
    picture, curves = figure(18, 8), figure(15, 6.5)
    data = moons().examples

    def network(activation: str, init: str, depth: int = layers) -> nn.MLP:
        return nn.MLP(2, [width] * (depth - 1) + [1], hidden=activation, init=init, seed=seed)

    deep = {(activation, init): network(activation, init) for activation in DEFAULT_SCHEMES for init in nn.SCHEMES}
    usual = {activation: deep[activation, init] for activation, init in DEFAULT_SCHEMES.items()}

    heading("Each layer multiplies the error by f'(a) and by w (P57)")
    print("The error delta = dL/da of a hidden neuron j comes from the neurons k it feeds:")
    print("  delta_j = f'(a_j) sum_k w_kj delta_k")
    print(f"Along a path from layer {layers} to layer 1, delta is multiplied by {layers - 1} factors f'(a) w.")
    print("For the sigmoid, f'(a) = z (1 - z) is at most 1/4. If no |w| exceeds 1, at most")
    print(f"(1/4)**{layers - 1} = {0.25 ** (layers - 1):.1e} of delta arrives along a path. The slope of tanh is 1 at")
    print("0, the slope of relu is 0 or 1.\n")
    differences = []
    for model in usual.values():
        for slopes, deltas in passes(model, data[:10]):
            differences += delta_errors(model, slopes, deltas)
    report_agreement("deltas by this rule", differences, 1e-9)

    heading(f"Gradients of an untrained network of {layers} layers: mean |dL/dw| by layer")
    sizes = {key: gradients(model, data) for key, model in deep.items()}
    columns = [sizes[key] for key in DEFAULT_SCHEMES.items()]
    print("layer  " + "".join(f"{activation:>12}" for activation in DEFAULT_SCHEMES))
    for layer in range(layers):
        print(f"{layer + 1:5}  " + "".join(f"{column[layer]:12.1e}" for column in columns))
    print("ratio  " + "".join(f"{ratio(column[-1], column[0]):12.1e}" for column in columns) + "  last / first")
    print("(The picture shows the medians.)")

    axes = picture.subplots(1, 3, sharex=True)
    for i, (activation, ax) in enumerate(zip(DEFAULT_SCHEMES, axes, strict=True)):
        viz.plot_gradients(usual[activation], ax=ax).set_title(f"{activation}, {DEFAULT_SCHEMES[activation]}")
        if i:
            ax.set_yticks([])
        if i != 1:
            ax.set_xlabel("")

    heading("The effect of the initialization")
    print("With random weights, a layer multiplies the size of delta by about")
    print("  sqrt(n mean(w**2) mean(f'(a)**2))   for n neurons in the next layer.")
    print(f"The {layers - 1} factors multiply, so that the ratio of delta in the last layer to delta in")
    print("the first should be 1 / their product:\n")
    print("activation  init             f'(a)   factor   predicted  measured")
    for (activation, init), model in deep.items():
        f_prime, factors, measured = factors_of(model, list(passes(model, data[:10])))
        factor = prod(factors) ** (1 / len(factors))
        print(f"{activation:11} {init:12} {f_prime:9.2f} {factor:8.2g} {ratio(1, prod(factors)):11.1e} {measured:9.1e}")
    print("\nDelta survives if the factor is near 1: xavier is meant for tanh, he for relu.")

    heading(f"The effect on training: {epochs} epochs on two moons, eta = {eta:g}")
    print("activation  init         layers     loss  accuracy")
    losses = {}
    for activation, init, depth in (
        *((activation, DEFAULT_SCHEMES[activation], depth) for activation in DEFAULT_SCHEMES for depth in (2, layers)),
        *((activation, "uniform_0.01", layers) for activation in DEFAULT_SCHEMES),
    ):
        model = network(activation, init, depth)
        history = nn.train(
            model, nn.binary_cross_entropy, data, optimizer=nn.SGD(model.parameters(), eta), epochs=epochs,
            until=lambda history: False, seed=seed,
        )  # fmt: skip
        loss, accuracy = nn.evaluate(model, nn.binary_cross_entropy, data)
        print(f"{activation:11} {init:12} {depth:6} {loss:8.4f} {100 * (accuracy or 0.0):7.1f} %")
        losses[activation, init, depth] = history.loss
    print(f"\nAlways predicting 1/2 gives a loss of log 2 = {math.log(2):.4f}.")

    at_init, at_loss = curves.subplots(1, 2)
    for init, colour, marker in zip(nn.SCHEMES, CLASSES, MARKERS, strict=False):
        at_init.semilogy(range(1, layers + 1), sizes["tanh", init], color=colour, marker=marker, label=init)
    at_init.set(title="Four initializations of tanh", xlabel="layer", ylabel="mean |dL/dw|")
    at_init.legend()
    for activation, colour in zip(DEFAULT_SCHEMES, CLASSES, strict=False):
        for depth, style in ((2, "--"), (layers, "-")):
            init = DEFAULT_SCHEMES[activation]
            label = f"{activation}, {init}, {depth} layers"
            at_loss.plot(losses[activation, init, depth], style, color=colour, linewidth=1.5, label=label)
    at_loss.set(title="Training", xlabel="epoch", ylabel="loss", ylim=(0, 1.5))
    at_loss.legend(loc="upper right")
    save(picture, output, "vanishing.png")
    save(curves, output, "vanishing_training.png")


def gradients(model: nn.MLP, data: Examples) -> list[float]:
    """Return the mean |dL/dw| of each layer, where L is the mean loss over the data."""
    model.zero_grad()
    (engine.sum([nn.binary_cross_entropy(model(x), r) for x, r in data]) / len(data)).backward()
    return [fmean(abs(w.grad) for w in layer.parameters()) for layer in model.layers]


def passes(model: nn.MLP, data: Examples) -> Iterator[tuple[Layers, Layers]]:
    """Yield, for each example, the slope f'(a) and the error delta of every neuron; delta is from backward()."""
    for x, r in data:
        trace = model.trace(x)
        nn.binary_cross_entropy(trace[-1][1], [r]).backward()
        slopes = [
            [slope(neuron, a_j.data, z_j.data) for neuron, a_j, z_j in zip(layer.neurons, a, z, strict=True)]
            for layer, (a, z) in zip(model.layers, trace, strict=True)
        ]
        yield slopes, [[a_j.grad for a_j in a] for a, _ in trace]


def delta_errors(model: nn.MLP, slopes: Layers, deltas: Layers) -> list[float]:
    """Return the relative difference of each delta_j from f'(a_j) sum_k w_kj delta_k."""
    differences = []
    for layer, later in enumerate(model.layers[1:]):
        for j, (slope_j, delta) in enumerate(zip(slopes[layer], deltas[layer], strict=True)):
            weights = [neuron.weights[j + 1].data for neuron in later.neurons]
            rule = slope_j * fsum(w_kj * delta_k for w_kj, delta_k in zip(weights, deltas[layer + 1], strict=True))
            differences.append(abs(rule - delta) / (abs(delta) or 1.0))
    return differences


def factors_of(model: nn.MLP, passes: list[tuple[Layers, Layers]]) -> tuple[float, list[float], float]:
    """Return the mean slope of the hidden neurons, the factor of each layer, and delta in the last / first layer."""
    layers, factors = range(len(model.layers)), []
    slopes, deltas = ([[x for one in part for x in one[i]] for i in layers] for part in zip(*passes, strict=True))
    for hidden, later in zip(slopes, model.layers[1:], strict=False):
        weights = [w.data for neuron in later.neurons for w in neuron.weights[1:]]
        factors.append(size(hidden) * size(weights) * sqrt(len(later.neurons)))
    return fmean(x for hidden in slopes[:-1] for x in hidden), factors, ratio(size(deltas[-1]), size(deltas[0]))


def size(xs: list[float]) -> float:
    """Return the root mean square."""
    return sqrt(fmean(x * x for x in xs))


def ratio(a: float, b: float) -> float:
    """Return a / b, infinite if b is 0."""
    return a / b if b else math.inf


if __name__ == "__main__":
    main()
