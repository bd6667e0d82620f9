"""The page of a network: every output, then every delta backwards, then every weight update (P57-P77)."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from engine import Value
from engine.formatting import format_number
from nn import MLP, Layer, Perceptron
from nn.signals import layers_of, signals_of, slope
from viz.network_drawing import NEURON_LINES, Unit, columns_of, network, short_name
from viz.pages.frames import Frame
from viz.pages.html_page import page_path, parse_svg, write_page

MAX_TERMS = 5  # of a sum
MAX_LINES = 6  # below the drawing


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
    """Write a page that steps through one example of a network: forward, the deltas backwards, every weight update.

    The order is that of the slides (P57-P77): the output of every neuron, layer by layer; the delta of every neuron,
    from the output layer back; then every weight, w' = w - learning_rate * delta * z, neuron by neuron. Delta is
    dl/da, as in `viz.network`. The keys are those of `viz.page`. The model does not change.

    Args:
        model: the network; all of its neurons are drawn.
        path: the file, which must end in .html; an existing one is replaced.
        inputs: one example x, as the model takes it.
        target: the target of the loss; by default one number per output.
        learning_rate: the step size of the update, the eta of the slides.
        loss: a function of outputs and target, as for `viz.network`; by default half the squared error.
        precision: the significant digits of all numbers, at least 1.

    Returns:
        The path of the file.

    Raises:
        TypeError: as `viz.network`; no file is written.
        ValueError: as `viz.network`, or there are no inputs or no target; no file is written.
        ArithmeticError: as `viz.network`; no file is written.
        OSError: the file cannot be written.

    >>> import tempfile
    >>> from nn import MLP
    >>> network_page(MLP(2, [2, 1], seed=1), f"{tempfile.mkdtemp()}/net.html", [0.5, -1.0], 1.0).name
    'net.html'
    """
    path = page_path(path)
    if inputs is None or target is None:
        raise ValueError("inputs and target must be those of one example, got None: pass both")
    layers = layers_of(model, "network_page")
    max_neurons = max(model.n_inputs, *map(len, layers))
    drawing = network(model, inputs, target, loss=loss, max_neurons=max_neurons, precision=precision)
    svg = parse_svg(drawing.pipe(encoding="utf-8"))
    columns = columns_of(model, layers, signals_of(model, inputs, target, loss))
    steps = _Steps(svg, _neurons(columns), dict(model.named_parameters()), learning_rate, precision)
    frames = [*steps.forward(), *steps.backward(), *steps.update()]
    about = {key: f"{key}, a neuron with {neuron.perceptron.activation}" for key, neuron in steps.neurons.items()}
    return write_page(path, svg, frames, repr(model), about)


@dataclass(frozen=True)
class _Neuron:
    """A neuron with its signals and its neighbours in the drawing.

    Attributes:
        key: its id in the drawing.
        inputs: each of its weights, with the id of the unit that it comes from and the output of that unit.
        receivers: each weight of its output, with the neuron of the next layer that has it.
    """

    key: str
    perceptron: Perceptron
    a: float
    z: float
    delta: float
    inputs: list[tuple[Value, str, float]]
    receivers: list[tuple[Value, _Neuron]]


def _neurons(columns: list[list[Unit]]) -> list[list[_Neuron]]:
    """Return the neurons of every layer from the columns of a drawing in which all signals are known."""
    layers: list[list[_Neuron]] = [[]]
    for sources, column in reversed([*pairwise(columns)]):
        neurons = []
        for i, unit in enumerate(column):
            if unit.neuron:
                signals = cast(tuple[float, float, float], (unit.a, unit.output, unit.delta))
                pairs = zip(unit.neuron.weights, sources, strict=True)
                inputs = [(weight, source.key, cast(float, source.output)) for weight, source in pairs]
                receivers = [(receiver.perceptron.weights[i], receiver) for receiver in layers[0]]
                neurons.append(_Neuron(unit.key, unit.neuron, *signals, inputs, receivers))
        layers.insert(0, neurons)
    return layers[:-1]


class _Steps:
    """The frames of a page, and the ids in its drawing that they mention."""

    def __init__(
        self, svg: ET.Element, layers: list[list[_Neuron]], weights: dict[str, Value], rate: float, precision: int
    ) -> None:
        self.layers, self.rate, self.precision = layers, rate, precision
        self.neurons = {neuron.key: neuron for layer in layers for neuron in layer}
        self.names = {weight: name for name, weight in weights.items()}
        self.labels: dict[str, str] = {}  # of the weights whose numbers are drawn
        for group in svg.iter("g"):
            if group.get("class") in ("node", "edge"):
                key = group.findtext("title", "")
                group.set("id", key)
                lines = NEURON_LINES if key in self.neurons else ["weight"] if key in weights else []
                for line, text in zip(lines, group.iter("text"), strict=False):
                    if line:
                        text.set("id", f"{key}-{line}")
                    if line == "weight":
                        self.labels[key] = text.text or ""

    def number(self, x: float) -> str:
        return format_number(x, self.precision)

    def products(self, pairs: list[tuple[Value, float]]) -> str:
        """Return a sum of weights times numbers."""
        return _sum([f"{self.number(weight.data)}*{self.number(x)}" for weight, x in pairs])

    def frame(self, part: str, i: int, neuron: _Neuron, lines: list[str], texts: dict[str, str]) -> Frame:
        """Return step i of a part, which lights up a neuron, its sources or receivers, and the lines between them."""
        if part == "backward":
            others = [receiver.key for _, receiver in neuron.receivers]
            edges = [f"{neuron.key}->{other}" for other in others]
        else:
            others = [source for _, source, _ in neuron.inputs]
            edges = [f"{other}->{neuron.key}" for other in others]
        title = f"{part.capitalize()} {i} of {len(self.neurons)}"
        return Frame(title, tuple(lines), (neuron.key, *others, *edges), texts, neuron.key, part)

    def forward(self) -> Iterator[Frame]:
        """Yield the steps that show the output of every neuron."""
        inputs = self.layers[0][0].inputs
        line = ",  ".join(f"x{i}\u00a0=\u00a0{self.number(x)}" for i, (_, _, x) in enumerate(inputs))
        texts = {f"{key}-{part}": "" for key in self.neurons for part in ("output", "delta")}
        texts |= {f"{name}-weight": label for name, label in self.labels.items()}
        sources = tuple(source for _, source, _ in inputs)
        yield Frame(f"Forward 0 of {len(self.neurons)}: the inputs", (line,), sources, texts, part="forward")
        for i, (key, neuron) in enumerate(self.neurons.items(), start=1):
            symbols = _sum([f"{short_name(self.names[weight])} {short_name(x)}" for weight, x, _ in neuron.inputs])
            products = self.products([(weight, x) for weight, _, x in neuron.inputs])
            activation, z = neuron.perceptron.activation, self.number(neuron.z)
            output = "a" if activation == "linear" else f"{activation}(a)"
            lines = [f"a = {symbols}", f"  = {products} = {self.number(neuron.a)}", f"{key} = {output} = {z}"]
            yield self.frame("forward", i, neuron, lines, {f"{key}-output": z})

    def backward(self) -> Iterator[Frame]:
        """Yield the steps that show the delta of every neuron, from the last layer to the first."""
        for i, neuron in enumerate((neuron for layer in reversed(self.layers) for neuron in layer), start=1):
            delta, derivative = self.number(neuron.delta), slope(neuron.perceptron, neuron.a, neuron.z)
            if neuron.receivers:
                symbols = _sum([f"{short_name(self.names[w])} delta({x.key})" for w, x in neuron.receivers])
                products = self.products([(weight, receiver.delta) for weight, receiver in neuron.receivers])
                lines = [f"delta = f'(a) ({symbols}), case 2: hidden layer, at {neuron.key}"]
                lines.append(f"      = {self.number(derivative)} * ({products}) = {delta}")
            else:
                lines = [f"delta = dl/dz f'(a), case 1: output layer, at {neuron.key}"]
                if derivative:
                    gradient = self.number(neuron.delta / derivative)
                    lines.append(f"      = {gradient} * {self.number(derivative)} = {delta}")
            yield self.frame("backward", i, neuron, lines, {f"{neuron.key}-delta": f"δ = {delta}"})

    def update(self) -> Iterator[Frame]:
        """Yield the steps that show the new weights of every neuron."""
        for i, (key, neuron) in enumerate(self.neurons.items(), start=1):
            lines, texts = [f"w' = w - {self.number(self.rate)} delta z, for the weights of {key}"], {}
            for weight, _, x in neuron.inputs:
                name, new = self.names[weight], self.number(weight.data - self.rate * neuron.delta * x)
                if name in self.labels:
                    texts[f"{name}-weight"] = f"{self.labels[name].rpartition(' ')[0]} {new}".strip()
                step = " * ".join(map(self.number, (self.rate, neuron.delta, x)))
                lines.append(f"{short_name(name)}' = {self.number(weight.data)} - {step} = {new}")
            if len(lines) > MAX_LINES:
                lines[MAX_LINES - 1 :] = [f"and {len(lines) - MAX_LINES + 1} more"]
            yield self.frame("update", i, neuron, lines, texts)


def _sum(terms: list[str]) -> str:
    """Return the terms as a sum, without the middle of a long one."""
    return " + ".join(terms if len(terms) <= MAX_TERMS else [*terms[: MAX_TERMS - 2], "...", terms[-1]])
