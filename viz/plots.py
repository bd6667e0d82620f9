"""Plots of what a model learned: its decision boundary, its losses, its way downhill, the numbers in its layers.

They need matplotlib, which the extra `demos` brings.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

import engine
from engine import Value, no_grad
from engine.formatting import format_number
from engine.validation import describe, error_context
from nn import MLP, Layer, Perceptron
from nn.signals import layers_of, slope
from viz.style import BLUE, CLASSES, DARK, GREY, MARKERS, ORANGE, SKY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nn import History

RESOLUTION = 80  # points along each side of a surface
BINS_A_DECADE = 4
BINS = 40


def plot_decision_boundary(
    model: Callable[[Any], Any],
    data: Iterable[tuple[Sequence[float], float]],
    *,
    boundary: float = 0.0,
    names: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """What a model of two inputs answers everywhere, as shades, with the data on top.

    Args:
        model: a function of (x1, x2) that gives one Value, or one logit for every class in a list.
        data: pairs ((x1, x2), r), where r tells the class; that of a list of logits by its index.
        boundary: the output on which one class ends and the other begins: 0 for scores and logits, 0.5 for
            probabilities. Where there is a list of logits, the largest decides.
        names: of the classes, for a legend.
        ax: where to plot; by default in a new figure.

    Returns:
        The axes, as matplotlib's users expect.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: the data have not two inputs.

    >>> import nn
    >>> ax = plot_decision_boundary(nn.Perceptron(2, "sign", init=[0, 1, 1]), [((0, 1), 1), ((0, -1), -1)])
    >>> ax.get_xlabel()
    'x1'
    """
    ax = _axes(ax)
    points = list(data)
    x1, x2 = plane(points)
    outputs = answers(model)(grid(x1, x2))
    plot_surface(ax, x1, x2, outputs, boundary)
    plot_examples(ax, points, names, outputs)
    return ax


def plane(points: Sequence[tuple[Sequence[float], float]]) -> tuple[list[float], list[float]]:
    """Even steps along both axes, over the data and a margin.

    Raises:
        ValueError: the data have not two inputs, or there are none.
    """
    if not points:
        raise ValueError("the data tell what part of the plane to show, and there are none")
    for x, _ in points:
        if len(x) != 2:
            raise ValueError(f"a plane has two inputs, and the data have {len(x)}: {describe(x)}")
    x1, x2 = (_span([float(x[i]) for x, _ in points]) for i in range(2))
    return x1, x2


def grid(x1: list[float], x2: list[float]) -> list[tuple[float, float]]:
    return [(a, b) for b in x2 for a in x1]


def answers(model: Callable[[Any], Any], *, often: bool = False) -> Callable[[Sequence[Any]], Any]:
    """A function of many x that gives what the model answers to each: an array of shape (n,), or (n, k) for k logits.

    A model of nn is recorded once and replayed, with the weights that it has at the time, where numba is loaded, as it
    is after `nn.train`. To load it for one plot takes as long as it saves, and on a machine's first use half a minute;
    `often` does it all the same.
    """
    if type(model) in (Perceptron, Layer, MLP) and (often or "engine.compiler.program" in sys.modules):
        inputs = [Value(0.0, f"x{i}") for i in range(1, model.n_inputs + 1)]  # type: ignore[attr-defined]
        try:
            return engine.compile(model(inputs), inputs)
        except (ImportError, ArithmeticError):  # no numba, or a log that has no value at 0
            pass
    return lambda points: _one_by_one(model, points)


def _one_by_one(model: Callable[[Any], Any], points: Sequence[Any]) -> Any:
    import numpy as np

    with no_grad():
        outputs = [model(x) for x in points]
    return np.array([[float(o) for o in y] if isinstance(y, Sequence) else float(y) for y in outputs])


def plot_surface(
    ax: Axes, x1: list[float], x2: list[float], outputs: Any, boundary: float, largest: float | None = None
) -> None:
    """The outputs on a grid as shades; those of scores end at `largest`, unless given the largest of these."""
    outputs = outputs.reshape(len(x2), len(x1), *outputs.shape[1:])
    if outputs.ndim == 2:
        scores = outputs - boundary
        _plot_scores(ax, x1, x2, scores, largest or float(abs(scores).max()) or 1.0)
    else:
        _plot_posteriors(ax, x1, x2, outputs)


def _plot_scores(ax: Axes, x1: list[float], x2: list[float], scores: Any, largest: float) -> None:
    levels = [largest * i / 10 for i in range(-10, 11)]
    ax.contourf(x1, x2, scores, levels=levels, cmap=_shades(CLASSES[0], "white", CLASSES[1]), extend="both")
    if scores.min() < 0.0 < scores.max():
        ax.contour(x1, x2, scores, levels=[0.0], colors=DARK, linewidths=1.5)


def _plot_posteriors(ax: Axes, x1: list[float], x2: list[float], logits: Any) -> None:
    import numpy as np

    odds = np.exp(logits - logits.max(axis=2, keepdims=True))
    posteriors = odds / odds.sum(axis=2, keepdims=True)
    likeliest = posteriors.argmax(axis=2)
    pixels = np.empty((*likeliest.shape, 4))
    for k in range(posteriors.shape[2]):
        here = likeliest == k
        pixels[here] = _shades("white", CLASSES[k % len(CLASSES)])(np.round(20 * posteriors[here, k]) / 20)
    ax.imshow(pixels, extent=(x1[0], x1[-1], x2[0], x2[-1]), origin="lower", aspect="auto", interpolation="bilinear")


def plot_examples(
    ax: Axes, points: Sequence[tuple[Sequence[float], float]], names: Sequence[str], outputs: Any
) -> None:
    """The data, with a colour and a mark for each class; logits among the outputs tell how many classes there are."""
    classes = sorted({r for _, r in points}) if outputs.ndim == 1 else range(outputs.shape[1])
    for i, r in enumerate(classes):
        a, b = ([x[k] for x, target in points if target == r] for k in range(2))
        label = names[i] if names else f"r = {r}"
        colour, marker = CLASSES[i % len(CLASSES)], MARKERS[i % len(MARKERS)]
        ax.scatter(a, b, s=36, color=colour, marker=marker, edgecolors="white", label=label, zorder=3)
    ax.set(xlabel="x1", ylabel="x2")


def plot_loss(history: History, *, ax: Axes | None = None) -> Axes:
    """Loss, and where there is one accuracy, by epoch.

    Args:
        history: what `nn.train` returned.
        ax: where to plot; by default in a new figure.

    Returns:
        The axes of the loss.

    Raises:
        ImportError: matplotlib is missing.

    >>> import nn
    >>> plot_loss(nn.History([0.7, 0.2, 0.1])).get_ylabel()
    'loss'
    """
    ax = _axes(ax)
    epochs = range(1, history.epochs + 1)
    ax.plot(epochs, history.loss, color=ORANGE)
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss", color=ORANGE)
    ax.set_ylim(bottom=0.0)
    if history.accuracy:
        right = ax.twinx()
        right.plot(epochs, [100 * share for share in history.accuracy], color=BLUE, linestyle="--")
        right.set_ylabel("accuracy in % (dashed)", color=BLUE)
        right.set_ylim(0, 103)
    return ax


def plot_descent(
    surface: Callable[[float, float], Any],
    path: Sequence[tuple[float, float]],
    *,
    area: tuple[tuple[float, float], tuple[float, float]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The lines of equal height of a function of two parameters, and a way down on it.

    Args:
        surface: a function of two numbers that gives a number or a Value, nan where it has none.
        path: the points (w1, w2), in their order.
        area: the ranges of w1 and of w2 to show; by default those of the path and a margin.
        ax: where to plot; by default in a new figure.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is missing.

    >>> plot_descent(lambda w1, w2: w1**2 + w2**2, [(2.0, 1.0), (1.0, 0.5)]).get_xlabel()
    'w1'
    """
    ax = _axes(ax)
    w1, w2 = (_span([point[i] for point in path]) if area is None else _steps(*area[i]) for i in range(2))
    with no_grad():
        heights = [[float(surface(a, b)) for a in w1] for b in w2]
    known = [height for row in heights for height in row if height - height == 0.0]
    lowest, highest = min(known), max(known)
    # Squares of even steps, so that the floor of the valley has lines as well.
    levels = [lowest + (highest - lowest) * (i / 16) ** 2 for i in range(17)]
    ax.contourf(w1, w2, heights, levels=levels, cmap=_shades("white", SKY))
    ax.contour(w1, w2, heights, levels=levels, colors=DARK, linewidths=0.4)
    a, b = zip(*path, strict=True)
    ax.plot(a, b, color=ORANGE, marker="o", markersize=3, linewidth=1.2)
    ax.plot(a[0], b[0], color=ORANGE, marker="o", markersize=9, label="start")
    ax.plot(a[-1], b[-1], color=BLUE, marker="*", markersize=14, label="end")
    ax.set(xlabel="w1", ylabel="w2")
    ax.legend()
    return ax


def plot_gradients(model: Perceptron | Layer | MLP, *, ax: Axes | None = None) -> Axes:
    """How large the gradients of the weights are, layer by layer, after `backward()`.

    On the scale of powers of ten, a layer that learns a hundred times as slowly lies two steps further left: in a deep
    network of sigmoids, whose slope is 1/4 at most, the gradients vanish towards the inputs; with relu they do not.

    Args:
        model: the network, first layer on top; its bias weights count among the weights.
        ax: where to plot; by default in a new figure. Two axes that share their x (`sharex=True`) can be compared.

    Returns:
        The axes. In every strip are a histogram of the sizes |dL/dw|, a line at their median with its number, and
        in words how many gradients are 0, which have no place on the scale.

    Raises:
        ImportError: matplotlib is missing.
        TypeError: `model` is none of the three.

    >>> import nn
    >>> model = nn.MLP(2, [3, 1], seed=1)
    >>> model([0.5, -1.0]).backward()
    >>> plot_gradients(model).get_xlabel()
    'size of the gradients |dL/dw|, by layer'
    """
    layers = layers_of(model, "plot_gradients")
    ax = _axes(ax)
    ax.set_xscale("log")
    for i, neurons in enumerate(layers):
        sizes = [abs(weight.grad) for neuron in neurons for weight in neuron.weights]
        above = [size for size in sizes if size > 0.0]
        zeros = len(sizes) - len(above)
        note = f"{zeros} of {len(sizes)}\nare 0" if zeros else ""
        if above:
            # The same bins for every layer and every plot: quarters of powers of ten.
            low, high = (math.floor(BINS_A_DECADE * math.log10(f(above))) for f in (min, max))
            edges = [10 ** (k / BINS_A_DECADE) for k in range(low, high + 2)]
            _strip(ax, i, above, edges, format_number(median(above), 2), note)
        else:
            ax.text(
                0.5, 0.35 - i, f"all {len(sizes)} are 0", transform=ax.get_yaxis_transform(), ha="center", va="center"
            )
    _name_strips(ax, layers)
    ax.set_xlabel("size of the gradients |dL/dw|, by layer")
    return ax


def plot_activations(model: Perceptron | Layer | MLP, inputs: Iterable[Any], *, ax: Axes | None = None) -> Axes:
    """What the neurons answer to rows of inputs, layer by layer, and how steep their activations are there.

    Where outputs of sigmoids crowd at 0 and 1 the neurons are saturated: their slope f'(a) is next to 0, and as the
    backward pass multiplies by it, the layers before them learn next to nothing.

    Args:
        model: the network, first layer on top.
        inputs: rows, each an x as the model takes it.
        ax: where to plot; by default in a new figure.

    Returns:
        The axes. In every strip are a histogram of the outputs z, a line at their median with its number, and the
        mean slope f'(a).

    Raises:
        ImportError: matplotlib is missing.
        TypeError, ValueError: `model` is none of the three, an input does not suit it, or there is none.
        ArithmeticError: an output overflows.

    >>> import nn
    >>> plot_activations(nn.MLP(2, [3, 1], seed=1), [[0.5, -1.0], [1.0, 2.0]]).get_xlabel()
    'outputs of the neurons z = f(a), by layer'
    """
    layers = layers_of(model, "plot_activations")
    outputs, slopes = _signals(model, layers, list(inputs))
    ax = _axes(ax)
    low, high = min(map(min, outputs)), max(map(max, outputs))
    width = (high - low) / BINS or 0.1
    edges = [low + width * k for k in range(-1, BINS + 2)]
    for i, (zs, steep) in enumerate(zip(outputs, slopes, strict=True)):
        _strip(ax, i, zs, edges, format_number(median(zs), 2), f"mean f'(a)\n= {format_number(steep, 2)}")
    _name_strips(ax, layers)
    ax.set_xlabel("outputs of the neurons z = f(a), by layer")
    return ax


def _signals(
    model: Any, layers: list[tuple[Perceptron, ...]], inputs: list[Any]
) -> tuple[list[list[float]], list[float]]:
    """For each layer the outputs of its neurons over all inputs, and the mean slope of its activations."""
    if not inputs:
        raise ValueError("the outputs are those for rows of inputs, and there is none")
    outputs: list[list[float]] = [[] for _ in layers]
    slopes: list[list[float]] = [[] for _ in layers]
    for row, x in enumerate(inputs):
        with no_grad(), error_context(f"inputs[{row}]"):
            for i, (neurons, signals) in enumerate(zip(layers, model.trace(x), strict=True)):
                outputs[i] += [z.data for _, z in signals]
                slopes[i] += [slope(neuron, a.data, z.data) for neuron, (a, z) in zip(neurons, signals, strict=True)]
    return outputs, [fmean(map(abs, layer)) for layer in slopes]


def _strip(ax: Axes, i: int, xs: list[float], edges: list[float], middle: str, note: str) -> None:
    """A histogram of the numbers, strip `i` from above."""
    import numpy as np

    counts, _ = np.histogram(xs, edges)
    ax.stairs(0.7 * counts / counts.max() - i, edges, baseline=-i, fill=True, color=SKY)
    ax.plot([median(xs)] * 2, [-i, -i + 0.7], color=ORANGE, linewidth=2)
    ax.annotate(
        middle, (median(xs), -i + 0.7), xytext=(0, 1), textcoords="offset points", ha="center", color=ORANGE, size=9,
    )  # fmt: skip
    ax.text(1.01, 0.35 - i, note, transform=ax.get_yaxis_transform(), va="center", color=GREY, size=9)


def _name_strips(ax: Axes, layers: list[tuple[Perceptron, ...]]) -> None:
    names = [f"layer {i}\n{neurons[0].activation}" for i, neurons in enumerate(layers, start=1)]
    if len(layers) == 1:
        names = [layers[0][0].activation]
    ax.set_yticks([0.35 - i for i in range(len(layers))], names)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-len(layers) + 0.9, 1.0)
    for i in range(len(layers)):
        ax.axhline(-i, color=DARK, linewidth=0.6)


def _span(xs: list[float]) -> list[float]:
    """Even steps over the range of the numbers and a margin."""
    low, high = min(xs), max(xs)
    margin = 0.25 * (high - low) or 1.0
    return _steps(low - margin, high + margin)


def _steps(low: float, high: float) -> list[float]:
    return [low + (high - low) * i / (RESOLUTION - 1) for i in range(RESOLUTION)]


def _shades(*colours: str) -> Any:
    """A scale between pale versions of the colours."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    pale = [tuple(0.35 + 0.65 * part for part in to_rgb(colour)) for colour in colours]
    return LinearSegmentedColormap.from_list("", pale)


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'glassgrad[demos]'") from None
    return pyplot.subplots(layout="constrained")[1]
