"""The plots of the numbers in the layers of a network: a histogram of gradients or outputs per layer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import fmean, median
from typing import Any

from engine import no_grad
from engine.formatting import format_number
from engine.validation import error_context
from nn import MLP, Layer, Perceptron
from nn.signals import layers_of, slope
from viz.plots.axes import Axes, axes_or_new, visible_range
from viz.style import DARK, GREY, ORANGE, SKY

BINS_PER_DECADE = 4  # for gradients
BINS = 40  # for outputs
MAX_NAMED = 7  # layers, above which there is no room for the names of their activations


def plot_gradients(model: Perceptron | Layer | MLP, *, ax: Axes | None = None) -> Axes:
    """Plot the sizes of the gradients of the weights, layer by layer, after `backward()`.

    The scale is in powers of ten: a layer that learns a hundred times as slowly lies two steps further left. In a deep
    network of sigmoids, whose slope is at most 1/4, the gradients vanish towards the inputs; with relu they do not.

    Args:
        model: the network, whose first layer is on top; bias weights count among the weights.
        ax: the axes to plot on; by default those of a new figure. Share the x axis (`sharex=True`) to compare networks.

    Returns:
        The axes. The strip of each layer has a histogram of the sizes |dL/dw|, a line at their median with its number,
        and the number of gradients that are 0, which have no place on the scale.

    Raises:
        ImportError: matplotlib is missing.
        TypeError: `model` is not a Perceptron, a Layer or an MLP.

    >>> import nn
    >>> model = nn.MLP(2, [3, 1], seed=1)
    >>> model([0.5, -1.0]).backward()
    >>> plot_gradients(model).get_xlabel()
    'size of the gradients |dL/dw|, by layer'
    """
    layers = layers_of(model, "plot_gradients")
    ax = axes_or_new(ax)
    ax.set_xscale("log")
    for i, neurons in enumerate(layers):
        sizes = [abs(weight.grad) for neuron in neurons for weight in neuron.weights]
        nonzero = [size for size in sizes if size > 0.0]
        zeros = len(sizes) - len(nonzero)
        if nonzero:
            # The edges of the bins are the same powers of ten in every layer and plot, so that they can be compared.
            low, high = (math.floor(BINS_PER_DECADE * math.log10(f(nonzero))) for f in (min, max))
            edges = [10 ** (k / BINS_PER_DECADE) for k in range(low, high + 2)]
            _plot_strip(ax, i, nonzero, edges, f"{zeros} of {len(sizes)} are 0" if zeros else "")
        else:
            note = f"all {len(sizes)} are 0"
            ax.text(0.5, 0.35 - i, note, transform=ax.get_yaxis_transform(), ha="center", va="center")
    return _label_strips(ax, layers, "size of the gradients |dL/dw|, by layer")


def plot_activations(model: Perceptron | Layer | MLP, inputs: Iterable[Any], *, ax: Axes | None = None) -> Axes:
    """Plot the outputs of the neurons, layer by layer, and the mean slope of their activations.

    Where the outputs of sigmoids crowd at 0 and 1 the neurons are saturated: their slope f'(a) is close to 0, and since
    the backward pass multiplies by it, the layers before them learn almost nothing.

    Args:
        model: the network, whose first layer is on top.
        inputs: rows, each an x as the model takes it.
        ax: the axes to plot on; by default those of a new figure.

    Returns:
        The axes. The strip of each layer has a histogram of the outputs z, a line at their median with its number, and
        the mean of |f'(a)|.

    Raises:
        ImportError: matplotlib is missing.
        TypeError, ValueError: `model` is not a Perceptron, a Layer or an MLP, a row does not fit it, or there are none.
        ArithmeticError: an output overflows.

    >>> import nn
    >>> plot_activations(nn.MLP(2, [3, 1], seed=1), [[0.5, -1.0], [1.0, 2.0]]).get_xlabel()
    'outputs of the neurons z = f(a), by layer'
    """
    layers = layers_of(model, "plot_activations")
    rows = list(inputs)
    if not rows:
        raise ValueError("inputs must have at least one row, got none")
    outputs: list[list[float]] = [[] for _ in layers]
    slopes: list[list[float]] = [[] for _ in layers]
    for row, x in enumerate(rows):
        with no_grad(), error_context(f"inputs[{row}]"):
            for i, (neurons, (sums, signals)) in enumerate(zip(layers, model.trace(x), strict=True)):
                for neuron, a, z in zip(neurons, sums, signals, strict=True):
                    outputs[i].append(z.data)
                    slopes[i].append(abs(slope(neuron, a.data, z.data)))
    ax = axes_or_new(ax)
    low, high = min(map(min, outputs)), max(map(max, outputs))
    width = visible_range(low, high) / BINS
    edges = [low + width * k for k in range(-1, BINS + 2)]
    for i, zs in enumerate(outputs):
        _plot_strip(ax, i, zs, edges, f"mean f'(a) {format_number(fmean(slopes[i]), 2)}")
    return _label_strips(ax, layers, "outputs of the neurons z = f(a), by layer")


def _plot_strip(ax: Axes, i: int, xs: list[float], edges: list[float], note: str) -> None:
    """Plot a histogram of the numbers as strip `i` from above, with a line at the median; name it and a note beside."""
    import numpy as np

    counts, _ = np.histogram(xs, edges)
    ax.stairs(0.7 * counts / counts.max() - i, edges, baseline=-i, fill=True, color=SKY)
    middle = median(xs)
    ax.plot([middle, middle], [-i, 0.7 - i], color=ORANGE)
    beside: dict[str, Any] = {"transform": ax.get_yaxis_transform(), "size": "small"}
    ax.text(1.02, 0.37 - i, f"median {format_number(middle, 2)}", va="bottom", color=ORANGE, **beside)
    ax.text(1.02, 0.33 - i, note, va="top", color=GREY, **beside)


def _label_strips(ax: Axes, layers: list[tuple[Perceptron, ...]], xlabel: str) -> Axes:
    activations = [neurons[0].activation for neurons in layers]
    names = [f"\n{name}" for name in activations] if len(layers) <= MAX_NAMED else [""] * len(layers)
    labels = [f"layer {i}{name}" for i, name in enumerate(names, start=1)]
    ax.set_yticks([0.35 - i for i in range(len(layers))], labels if len(layers) > 1 else activations)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-len(layers) + 0.9, 1.0)
    for i in range(len(layers)):
        ax.axhline(-i, color=DARK, linewidth=0.6)
    ax.set_xlabel(xlabel)
    return ax
