"""Backpropagation in two passes, and what it saves (P34-P46)."""

from __future__ import annotations

import random
from itertools import pairwise, product
from math import exp, fsum, prod
from pathlib import Path

import engine
import nn
from demos._lesson import exit_on_error, figure, heading, parser, report_agreement, save
from engine.formatting import format_number
from viz.style import BLUE, ORANGE

Vector = list[float]
Weights = list[list[Vector]]  # w[l][j][i]: layer l, neuron j, input i, the bias first

# The worked example of Hung-yi Lee's lecture, where (1, -1) gives (0.62, 0.83).
EXAMPLE: Weights = [
    [[1.0, 1.0, -2.0], [0.0, -1.0, 1.0]],
    [[0.0, 2.0, -1.0], [0.0, -2.0, -1.0]],
    [[-2.0, 3.0, -1.0], [2.0, -1.0, 4.0]],
]


def forward_pass(w: Weights, x: Vector) -> list[Vector]:
    """The inputs of every layer, z_0 = 1 the first, and the outputs: da_j/dw_ji is z_i, input i."""
    z = [[1.0, *x]]
    for layer in w:
        a = [sum(w_ji * z_i for w_ji, z_i in zip(w_j, z[-1], strict=True)) for w_j in layer]
        z.append([1.0, *(1 / (1 + exp(-a_j)) for a_j in a)])
    return z


def backward_pass(w: Weights, z: list[Vector], r: Vector) -> tuple[list[Vector], int]:
    """dl/da of every neuron by dynamic programming, and how many multiplications it took."""
    dl_da = [[slope(y_k) * (y_k - r_k) for y_k, r_k in zip(z[-1][1:], r, strict=True)]]  # case 1: output layer
    multiplications = len(r)
    for layer in reversed(range(len(w) - 1)):  # case 2: not output layer
        later = dl_da[0]
        dl_da.insert(0, [])
        for j, z_j in enumerate(z[layer + 1][1:], start=1):
            dl_da[0].append(
                slope(z_j) * sum(w_k[j] * dl_da_k for w_k, dl_da_k in zip(w[layer + 1], later, strict=True))
            )
            multiplications += 1 + len(later)
    return dl_da, multiplications


def slope(z: float) -> float:
    """The derivative of the sigmoid where its value is z."""
    return z * (1 - z)


def along_every_path(w: Weights, z: list[Vector], r: Vector, layer: int, j: int, i: int) -> tuple[float, int]:
    """dl/dw of one weight as the sum over all paths from it to an output, and how many multiplications it took."""
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
    """How many it takes for dl/dw of every weight: in two passes, and along every path.

    Raises:
        ArithmeticError: the two ways do not agree.
    """
    z = forward_pass(w, x)
    dl_da, in_passes = backward_pass(w, z, r)
    along_paths = 0
    for layer, neurons in enumerate(w):
        for j, w_j in enumerate(neurons):
            for i in range(len(w_j)):
                dl_dw, more = along_every_path(w, z, r, layer, j, i)
                if abs(dl_dw - z[layer][i] * dl_da[layer][j]) > 1e-12:
                    raise ArithmeticError(f"the paths and the passes differ at layer {layer + 1}, w{j + 1}{i}")
                in_passes += 1
                along_paths += more
    return in_passes, along_paths


def main(arguments: list[str] | None = None) -> None:
    options = parser("forward_backward", __doc__)
    options.add_argument(
        "--sizes", nargs="+", type=int, metavar="N",
        help="a network of your own with random weights: the inputs, then the neurons of every layer",
    )  # fmt: skip
    options.add_argument("--seed", type=int, default=1, help="of the random weights (default: %(default)s)")
    chosen = options.parse_args(arguments)
    if chosen.sizes and (len(chosen.sizes) < 2 or min(chosen.sizes) < 1):
        options.error("--sizes: the number of inputs and of neurons in one layer or more, such as 2 3 1")
    if chosen.sizes and prod(chosen.sizes) > 20_000:
        options.error("--sizes: too many paths to walk along every one; the product of the sizes is 20,000 at most")
    with exit_on_error(options):
        lesson(chosen.sizes, random.Random(chosen.seed), chosen.output)


def lesson(sizes: list[int] | None, rng: random.Random, folder: Path) -> None:
    picture = figure(6, 4)
    w = random_weights(sizes, rng) if sizes else EXAMPLE
    x = [float((-1) ** i) for i in range(len(w[0][0]) - 1)]
    r = [float(k == 0) for k in range(len(w[-1]))]
    heading(f"A network with the sizes {[len(x), *map(len, w)]}: x = {x}, r = {r}")
    print("A neuron is z = sigmoid(a) with a = w^T z of the layer before; the loss is")
    print("l = sum (y - r)**2 / 2")

    heading("Forward pass: da/dw of a weight is the signal that it weighs")
    z = forward_pass(w, x)
    for layer, signals in enumerate(z[1:], start=1):
        print(f"layer {layer}: da/dw = {listed(z[layer - 1])} for the weights of each neuron")
        print(f"         z     = {listed(signals[1:])}")

    heading("Backward pass: dl/da of a neuron, from the output layer back")
    dl_da, _ = backward_pass(w, z, r)
    for layer in reversed(range(len(w))):
        if layer == len(w) - 1:
            print(f"layer {layer + 1}: dl/da = dy/da dl/dy              (case 1: output layer)")
        else:
            print(f"layer {layer + 1}: dl/da = dz/da sum_k w_k dl/da_k  (case 2: not output layer)")
        print(f"               = {listed(dl_da[layer])}")

    heading("Their product: dl/dw = da/dw * dl/da")
    model = nn.MLP(len(x), [len(layer) for layer in w], hidden="sigmoid", output="sigmoid")
    weights = [w_ji for layer in w for w_j in layer for w_ji in w_j]
    model.load_state_dict(dict(zip(model.state_dict(), weights, strict=True)))
    outputs = model(x) if len(r) > 1 else [model(x)]
    engine.sum([(y - r_k) ** 2 / 2 for y, r_k in zip(outputs, r, strict=True)]).backward()
    products = [da_dw * d for signals, deltas in zip(z, dl_da, strict=False) for d in deltas for da_dw in signals]
    differences = []
    for (name, parameter), dl_dw in zip(model.named_parameters(), products, strict=True):
        differences.append(abs(dl_dw - parameter.grad))
        print(f"dl/d({name}) = {format_number(dl_dw)}")
    report_agreement("The two passes", differences, 1e-12)

    heading("Multiplications for dl/dw of every weight, dz/da and dl/dy being known")
    passes, paths = multiplications(w, x, r)
    print(f"In this network: {passes:,} in two passes, {paths:,} along every path.\n")
    print("hidden layers of 3   in two passes   along every path   times as many")
    depths = range(1, 6)
    counts = [multiplications(random_weights([3] * (depth + 1) + [2], rng), [1.0] * 3, [1.0, 0.0]) for depth in depths]
    for depth, (passes, paths) in zip(depths, counts, strict=True):
        print(f"{depth:18} {passes:15,} {paths:18,} {paths / passes:15.1f}")

    ax = picture.subplots()
    ax.semilogy(depths, [paths for _, paths in counts], color=ORANGE, marker="o", label="along every path")
    ax.semilogy(depths, [passes for passes, _ in counts], color=BLUE, marker="s", label="in two passes")
    ax.set(xlabel="hidden layers of 3 neurons", ylabel="multiplications for all dl/dw", xticks=list(depths))
    ax.legend()
    save(picture, folder, "forward_backward.png")


def random_weights(sizes: list[int], rng: random.Random) -> Weights:
    return [[[rng.uniform(-1, 1) for _ in range(n_in + 1)] for _ in range(n_out)] for n_in, n_out in pairwise(sizes)]


def listed(numbers: Vector) -> str:
    return ", ".join(map(format_number, numbers))


if __name__ == "__main__":
    main()
