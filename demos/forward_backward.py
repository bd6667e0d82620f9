"""The two passes, and the multiplications they save (P34-P46)."""

import random
from itertools import pairwise, product
from math import exp, fsum, prod
from pathlib import Path
from typing import Any

import nn
import viz
from demos._lesson import PICTURES, command, figure, format_vector, heading, report_agreement, save
from engine import Value
from engine.formatting import format_number
from viz.style import BLUE, ORANGE

Vector = list[float]
Weights = list[list[Vector]]  # w[l][j][i]: layer l, neuron j, input i, where input 0 is the bias unit

# The example of the slides (P35-P36), from Hung-yi Lee's "Deep Learning Tutorial": (1, -1) gives (0.62, 0.83).
EXAMPLE: Weights = [
    [[1.0, 1.0, -2.0], [0.0, -1.0, 1.0]],
    [[0.0, 2.0, -1.0], [0.0, -2.0, -1.0]],
    [[-2.0, 3.0, -1.0], [2.0, -1.0, 4.0]],
]


def forward_pass(w: Weights, x: Vector) -> list[Vector]:
    """Return the inputs of every layer, beginning with z_0 = 1, and the outputs; da_j/dw_ji is the input z_i."""
    z = [[1.0, *x]]
    for layer in w:
        a = [sum(w_ji * z_i for w_ji, z_i in zip(w_j, z[-1], strict=True)) for w_j in layer]
        z.append([1.0, *(1 / (1 + exp(-a_j)) for a_j in a)])
    return z


def backward_pass(w: Weights, z: list[Vector], r: Vector) -> tuple[list[Vector], int]:
    """Return dL/da of every neuron, by dynamic programming, and the number of multiplications."""
    dl_da = [[slope(y_k) * (y_k - r_k) for y_k, r_k in zip(z[-1][1:], r, strict=True)]]  # case 1: output layer
    multiplications = len(r)
    for layer in reversed(range(len(w) - 1)):  # case 2: not output layer
        later = list(zip(w[layer + 1], dl_da[0], strict=True))
        sums = [sum(w_k[j] * dl_da_k for w_k, dl_da_k in later) for j in range(1, len(z[layer + 1]))]
        dl_da.insert(0, [slope(z_j) * total for z_j, total in zip(z[layer + 1][1:], sums, strict=True)])
        multiplications += len(sums) * (len(later) + 1)
    return dl_da, multiplications


def slope(z: float) -> float:
    """Return the derivative of the sigmoid in terms of its value z."""
    return z * (1 - z)


def sum_over_paths(w: Weights, z: list[Vector], r: Vector, layer: int, j: int, i: int) -> tuple[float, int]:
    """Return dL/dw of one weight, summed over all paths to an output, and the number of multiplications."""
    terms, multiplications = [], 0
    for path in product(*(range(len(later)) for later in w[layer + 1 :])):
        at = j
        factors = [z[layer][i], slope(z[layer + 1][j + 1])]
        for depth, k in enumerate(path, start=layer + 1):
            factors += [w[depth][k][at + 1], slope(z[depth + 1][k + 1])]
            at = k
        factors.append(z[-1][at + 1] - r[at])
        terms.append(prod(factors))
        multiplications += len(factors) - 1
    return fsum(terms), multiplications


def multiplications(w: Weights, x: Vector, r: Vector) -> tuple[int, int]:
    """Count the multiplications for all dL/dw, in two passes and along every path, and check that both agree."""
    z = forward_pass(w, x)
    dl_da, in_passes = backward_pass(w, z, r)
    along_paths = 0
    for layer, neurons in enumerate(w):
        for j, w_j in enumerate(neurons):
            for i in range(len(w_j)):
                dl_dw, more = sum_over_paths(w, z, r, layer, j, i)
                if abs(dl_dw - z[layer][i] * dl_da[layer][j]) > 1e-12:
                    raise ArithmeticError(f"paths and passes must agree, but differ at layer {layer + 1}, w{j + 1}{i}")
                in_passes += 1
                along_paths += more
    return in_passes, along_paths


@command
def main(*, sizes: list[int] | None = None, seed: int = 1, output: Path = PICTURES) -> None:
    """Print both passes through a network, check the gradients, and count multiplications."""
    if sizes and (len(sizes) < 2 or min(sizes) < 1):
        raise ValueError(f"--sizes must be 2 or more positive numbers, such as 2 3 1, got {sizes}")
    if sizes and prod(sizes) > 20_000:
        raise ValueError(f"--sizes must have a product, the number of paths, of at most 20,000, got {prod(sizes):,}")
    rng = random.Random(seed)
    picture = figure(10, 6)
    w = random_weights(sizes, rng) if sizes else EXAMPLE
    x = [float((-1) ** i) for i in range(len(w[0][0]) - 1)]
    r = [float(k == 0) for k in range(len(w[-1]))]
    heading(f"A network of sizes {[len(x), *map(len, w)]}: x = {x}, r = {r}")
    print("A neuron computes z = sigmoid(a), where a = w^T z over the layer before it.")
    print("The loss is L = sum (y - r)**2 / 2.")

    heading("Forward pass: da/dw of a weight is the signal at its input")
    z = forward_pass(w, x)
    for layer, signals in enumerate(z[1:], start=1):
        print(f"layer {layer}: da/dw = {format_vector(z[layer - 1])} for the weights of each neuron")
        print(f"         z     = {format_vector(signals[1:])}")

    heading("Backward pass: dL/da of every neuron, from the output layer back")
    dl_da, _ = backward_pass(w, z, r)
    for layer in reversed(range(len(w))):
        rule = "dz/da sum_k w_k dL/da_k  (case 2: not output layer)"
        if layer == len(w) - 1:
            rule = "dy/da dL/dy              (case 1: output layer)"
        print(f"layer {layer + 1}: dL/da = {rule}")
        print(f"               = {format_vector(dl_da[layer])}")
    print("Case 2 is dynamic programming: the dL/da of a layer are computed once, and used")
    print("by every neuron of the layer before it.")

    heading("Their product: dL/dw = da/dw * dL/da")
    model = nn.MLP(len(x), [len(layer) for layer in w], hidden="sigmoid", output="sigmoid")
    for parameter, w_ji in zip(model.parameters(), (w_ji for layer in w for w_j in layer for w_ji in w_j), strict=True):
        parameter.data = w_ji
    half_squared_error(model(x), r if len(r) > 1 else r[0]).backward()
    products = [da_dw * d for signals, deltas in zip(z, dl_da, strict=False) for d in deltas for da_dw in signals]
    differences = []
    for (name, parameter), dl_dw in zip(model.named_parameters(), products, strict=True):
        differences.append(abs(dl_dw - parameter.grad))
        print(f"dL/d({name}) = {format_number(dl_dw)}")
    report_agreement("gradients", differences, 1e-12)

    heading("Multiplications for all dL/dw, given dz/da and dL/dy")
    passes, paths = multiplications(w, x, r)
    print(f"In this network: {passes:,} in two passes, {paths:,} along every path.\n")
    print("hidden layers of 3   in two passes   along every path           ratio")
    depths = range(1, 6)
    counts = [multiplications(random_weights([3] * (depth + 1) + [2], rng), [1.0] * 3, [1.0, 0.0]) for depth in depths]
    for depth, (passes, paths) in zip(depths, counts, strict=True):
        print(f"{depth:18} {passes:15,} {paths:18,} {paths / passes:15.1f}")

    ax = picture.subplots()
    ax.semilogy(depths, [paths for _, paths in counts], color=ORANGE, marker="o", label="along every path")
    ax.semilogy(depths, [passes for passes, _ in counts], color=BLUE, marker="s", label="in two passes")
    ax.set(xlabel="hidden layers of 3 neurons", ylabel="multiplications for all dL/dw", xticks=list(depths))
    ax.legend()
    target = r if len(r) > 1 else r[0]
    save(viz.network(model, x, target, loss=half_squared_error), output, "forward_backward.svg")
    save(picture, output, "forward_backward.png")


def half_squared_error(y: Any, r: Any) -> Value:
    """Return L = sum (y - r)**2 / 2."""
    return (len(r) if isinstance(r, list) else 1) * nn.mse(y, r) / 2


def random_weights(sizes: list[int], rng: random.Random) -> Weights:
    """Return weights for a network of these sizes, uniform between -1 and 1."""
    return [[[rng.uniform(-1, 1) for _ in range(n_in + 1)] for _ in range(n_out)] for n_in, n_out in pairwise(sizes)]


if __name__ == "__main__":
    main()
