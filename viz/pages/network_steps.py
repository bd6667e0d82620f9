"""A page that steps through a network, neuron by neuron: outputs, then deltas backwards, then updates (P57-P77)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from engine import Value
from engine.formatting import format_number
from nn import MLP, Layer, Perceptron
from nn.signals import layers_of, signals_of, slope
from viz.network_drawing import columns_of, network, short
from viz.pages.frames import Frame
from viz.pages.html_page import page_path, parse_svg, write_page

MOST_TERMS = 5  # of a sum on the page
MOST_LINES = 6  # below the drawing


def network_page(
    model: Perceptron | Layer | MLP,
    path: str | os.PathLike[str],
    inputs: Any,
    target: Any,
    *,
    learning_rate: float = 0.5,
    loss: Callable[[Any, Any], Value] | None = None,
    precision: int = 4,
) -> Path:
    """Write a page that steps through one example of a network: forward, the deltas backwards, then every update.

    The order is that of the lecture (P57-P77): the output of every neuron, layer by layer; the delta of every neuron,
    from the output layer back; then every weight, w' = w - learning_rate * delta * z, neuron by neuron. Delta is
    dl/da, as `viz.network` has it. The keys are those of `viz.page`. The model stays as it is.

    Args:
        model: the network, every neuron of which is shown.
        path: the file, which ends in .html; it is written over.
        inputs, target, loss: as for `viz.network`.
        learning_rate: the eta of the lecture.
        precision: significant digits.

    Returns:
        The path of the file.

    Raises:
        TypeError, ValueError, ArithmeticError: as `viz.network` does; no file is written.
        OSError: the file cannot be written.

    >>> import tempfile
    >>> from nn import MLP
    >>> network_page(MLP(2, [2, 1], seed=1), f"{tempfile.mkdtemp()}/net.html", [0.5, -1.0], 1.0).name
    'net.html'
    """
    path = page_path(path)
    if inputs is None or target is None:
        raise ValueError("the steps are those of one example: give its inputs and its target")
    steps = _Steps(model, inputs, target, learning_rate, loss, precision)
    frames = [*steps.forward(), *steps.backward(), *steps.update()]
    about = {key: f"{key}, a neuron with {activation}" for key, activation in steps.activations()}
    return write_page(path, steps.svg, frames, repr(model), about)


class _Steps:
    def __init__(self, model: Any, inputs: Any, target: Any, learning_rate: float, loss: Any, precision: int) -> None:
        self.layers = layers_of(model, "network_page")
        most = max(model.n_inputs, *map(len, self.layers))
        drawing = network(model, inputs, target, loss=loss, max_neurons=most, precision=precision)
        found = signals_of(model, inputs, target, loss)
        self.a, self.z, self.deltas = (cast(list[list[float]], part) for part in (found.a, found.z, found.deltas))
        columns = columns_of(model, self.layers, found)
        self.sources = [[unit.key for unit in column] for column in columns[:-1]]  # of each layer
        self.taken = [[cast(float, unit.output) for unit in column] for column in columns[:-1]]
        self.keys = [[unit.key for unit in column if unit.neuron] for column in columns[1:]]
        self.rate, self.precision = learning_rate, precision
        self.weights = {weight: name for name, weight in model.named_parameters()}
        self.svg = parse_svg(drawing.pipe(encoding="utf-8"))
        self.labels = self._named()

    def _named(self) -> dict[str, str]:
        """Give ids to what the frames speak of; the labels of the weights."""
        neurons = {key for keys in self.keys for key in keys}
        names = set(self.weights.values())
        labels = {}
        for group in self.svg.iter("g"):
            if group.get("class") not in ("node", "edge"):
                continue
            title = group.findtext("title", "")
            group.set("id", title)
            texts = list(group.iter("text"))
            if title in neurons:
                texts[3].set("id", f"{title} output")
                texts[5].set("id", f"{title} delta")
            elif title in names:
                texts[0].set("id", f"{title} weight")
                labels[title] = texts[0].text or ""
        return labels

    def number(self, x: float) -> str:
        return format_number(x, self.precision)

    def neurons(self) -> list[tuple[int, int]]:
        return [(k, j) for k, layer in enumerate(self.layers) for j in range(len(layer))]

    def activations(self) -> list[tuple[str, str]]:
        return [(self.keys[k][j], self.layers[k][j].activation) for k, j in self.neurons()]

    def lit(self, key: str, sources: list[str], receivers: list[str]) -> tuple[str, ...]:
        return (key, *sources, *receivers, *(f"{x}->{key}" for x in sources), *(f"{key}->{x}" for x in receivers))

    def forward(self) -> Iterator[Frame]:
        total = len(self.neurons())
        given = ",  ".join(f"x{i} = {self.number(x)}" for i, x in enumerate(self.taken[0]))
        nothing = {f"{key} {what}": "" for keys in self.keys for key in keys for what in ("output", "delta")}
        weights = {f"{name} weight": label for name, label in self.labels.items()}
        yield Frame(f"Forward 0 of {total}: the inputs are given", (given,), tuple(self.sources[0]), nothing | weights,
                    part="forward")  # fmt: skip
        for i, (k, j) in enumerate(self.neurons(), start=1):
            neuron, key, sources = self.layers[k][j], self.keys[k][j], self.sources[k]
            a, z = self.number(self.a[k][j]), self.number(self.z[k][j])
            names = [self.weights[w] for w in neuron.weights]
            symbols = _sum([f"{short(w)} {short(x)}" for w, x in zip(names, sources, strict=True)])
            pairs = zip(neuron.weights, self.taken[k], strict=True)
            numbers = _sum([f"{self.number(w.data)}*{self.number(x)}" for w, x in pairs])
            lines = [f"a = {symbols}", f"  = {numbers} = {a}"]
            lines.append(
                f"{key} = {neuron.activation}(a) = {z}" if neuron.activation != "linear" else f"{key} = a = {z}"
            )
            yield Frame(f"Forward {i} of {total}", tuple(lines), self.lit(key, sources, []), {f"{key} output": z}, key,
                        "forward")  # fmt: skip

    def backward(self) -> Iterator[Frame]:
        total = len(self.neurons())
        for i, (k, j) in enumerate(sorted(self.neurons(), key=lambda at: -at[0]), start=1):
            key, delta = self.keys[k][j], self.deltas[k][j]
            steep = slope(self.layers[k][j], self.a[k][j], self.z[k][j])
            told, receivers = self.number(delta), []
            if k == len(self.layers) - 1:
                lines = [f"delta = dl/dz f'(a), case 1: output layer, at {key}"]
                if steep:
                    lines.append(f"      = {self.number(delta / steep)} * {self.number(steep)} = {told}")
            else:
                receivers = self.keys[k + 1]
                weights = [neuron.weights[j + 1] for neuron in self.layers[k + 1]]
                symbols = _sum(
                    [f"{short(self.weights[w])} delta({x})" for w, x in zip(weights, receivers, strict=True)]
                )
                pairs = zip(weights, self.deltas[k + 1], strict=True)
                numbers = _sum([f"{self.number(w.data)}*{self.number(d)}" for w, d in pairs])
                lines = [f"delta = f'(a) ({symbols}), case 2, at {key}"]
                lines.append(f"      = {self.number(steep)} * ({numbers}) = {told}")
            yield Frame(f"Backward {i} of {total}", tuple(lines), self.lit(key, [], receivers),
                        {f"{key} delta": f"\u03b4 = {told}"}, key, "backward")  # fmt: skip

    def update(self) -> Iterator[Frame]:
        total = len(self.neurons())
        for i, (k, j) in enumerate(self.neurons(), start=1):
            key, sources, delta = self.keys[k][j], self.sources[k], self.deltas[k][j]
            lines, texts = [f"w' = w - {self.number(self.rate)} delta z, for the weights of {key}"], {}
            for weight, x in zip(self.layers[k][j].weights, self.taken[k], strict=True):
                name = self.weights[weight]
                new = self.number(weight.data - self.rate * delta * x)
                if name in self.labels:
                    texts[f"{name} weight"] = f"{self.labels[name].rpartition(' ')[0]} {new}".strip()
                numbers = " * ".join(map(self.number, (self.rate, delta, x)))
                lines.append(f"{short(name)}' = {self.number(weight.data)} - {numbers} = {new}")
            if len(lines) > MOST_LINES:
                lines[MOST_LINES - 1 :] = [f"and {len(lines) - MOST_LINES + 1} more"]
            yield Frame(f"Update {i} of {total}", tuple(lines), self.lit(key, sources, []), texts, key, "update")


def _sum(terms: list[str]) -> str:
    """The terms of a sum, the middle of a long one left out."""
    return " + ".join(terms if len(terms) <= MOST_TERMS else [*terms[: MOST_TERMS - 2], "...", terms[-1]])
