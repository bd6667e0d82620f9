"""The page of a network: every output, then every delta backwards, then every weight update (P57-P77)."""

from __future__ import annotations

import math
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine import Value
from engine.formatting import format_number
from nn import MLP, Layer, Perceptron
from nn.signals import layers_of, signals_of, slope
from viz.network_drawing import NEURON_LINES, Neuron, Unit, columns_of, network, neurons_of, short_name
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
    steps = _Steps(svg, columns, dict(model.named_parameters()), learning_rate, precision)
    frames = [*steps.forward(), *steps.backward(), *steps.update()]
    about = {key: f"{key}, a neuron with {neuron.perceptron.activation}" for key, neuron in steps.neurons.items()}
    return write_page(path, svg, frames, repr(model), about)


class _Steps:
    """The frames of a page, and the ids in its drawing that they mention. Every output and delta is known."""

    def __init__(
        self, svg: ET.Element, columns: list[list[Unit]], weights: dict[str, Value], rate: float, precision: int
    ) -> None:
        self.columns = [*columns, []]  # the last layer has no receivers
        self.rate, self.precision = rate, precision
        self.neurons = {neuron.key: neuron for column in columns for neuron in neurons_of(column)}
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

    def number(self, x: float | None) -> str:
        return format_number(_known(x), self.precision)

    def receivers(self, neuron: Neuron) -> list[tuple[Value, Neuron]]:
        """Return the neurons of the next layer, each with its weight for the output of a neuron."""
        i = self.columns[neuron.layer].index(neuron)
        return [(x.perceptron.weights[i], x) for x in neurons_of(self.columns[neuron.layer + 1])]

    def sources(self, neuron: Neuron) -> list[tuple[Value, Unit]]:
        """Return the units of the layer before, each with the weight of a neuron for its output."""
        return [*zip(neuron.perceptron.weights, self.columns[neuron.layer - 1], strict=True)]

    def sums(self, terms: list[tuple[Value, str, float | None]]) -> tuple[str, str]:
        """Return the sum of weights times other factors, in symbols and in numbers."""
        symbols = [f"{short_name(self.names[weight])} {name}" for weight, name, _ in terms]
        return _sum(symbols), _sum([f"{self.number(weight.data)}*{self.number(x)}" for weight, _, x in terms])

    def frame(
        self, part: str, i: int, neuron: Neuron, lines: list[str], texts: dict[str, str], case: str = ""
    ) -> Frame:
        """Return step i of a part, which lights up a neuron, its sources or receivers, and the lines between them."""
        if part == "backward":
            others = [receiver.key for _, receiver in self.receivers(neuron)]
            edges = [f"{neuron.key}->{other}" for other in others]
        else:
            others = [source.key for _, source in self.sources(neuron)]
            edges = [f"{other}->{neuron.key}" for other in others]
        title = f"{part.capitalize()} {i} of {len(self.neurons)}: {neuron.key}{case}"
        return Frame(title, tuple(lines), (neuron.key, *others, *edges), texts, neuron.key, part)

    def forward(self) -> Iterator[Frame]:
        """Yield the steps that show the output of every neuron."""
        inputs = self.columns[0]
        line = ",  ".join(f"{unit.name}\u00a0=\u00a0{self.number(unit.output)}" for unit in inputs)
        texts = {f"{key}-{part}": "" for key in self.neurons for part in ("output", "delta")}
        texts |= {f"{name}-weight": label for name, label in self.labels.items()}
        title = f"Forward 0 of {len(self.neurons)}: the inputs"
        yield Frame(title, (line,), tuple(unit.key for unit in inputs), texts, part="forward")
        for i, (key, neuron) in enumerate(self.neurons.items(), start=1):
            symbols, numbers = self.sums([(weight, unit.name, unit.output) for weight, unit in self.sources(neuron)])
            activation, z = neuron.perceptron.activation, self.number(neuron.output)
            output = "a" if activation == "linear" else f"{activation}(a)"
            lines = [f"a = {symbols}", f"  = {numbers} = {self.number(neuron.a)}", f"{key} = {output} = {z}"]
            yield self.frame("forward", i, neuron, lines, {f"{key}-output": z})

    def backward(self) -> Iterator[Frame]:
        """Yield the steps that show the delta of every neuron, from the last layer to the first."""
        neurons = [neuron for column in reversed(self.columns) for neuron in neurons_of(column)]
        for i, neuron in enumerate(neurons, start=1):
            delta, receivers = self.number(neuron.delta), self.receivers(neuron)
            derivative = slope(neuron.perceptron, _known(neuron.a), _known(neuron.output))
            if receivers:
                symbols, numbers = self.sums([(weight, f"delta({x.key})", x.delta) for weight, x in receivers])
                case = ", hidden layer (case 2)"
                lines = [f"delta = f'(a) ({symbols})", f"      = {self.number(derivative)} * ({numbers}) = {delta}"]
            else:
                case = ", output layer (case 1)"
                lines = ["delta = dl/dz f'(a)"]
                if derivative:
                    gradient = self.number(_known(neuron.delta) / derivative)
                    lines.append(f"      = {gradient} * {self.number(derivative)} = {delta}")
            yield self.frame("backward", i, neuron, lines, {f"{neuron.key}-delta": f"δ = {delta}"}, case)

    def update(self) -> Iterator[Frame]:
        """Yield the steps that show the new weights of every neuron."""
        for i, neuron in enumerate(self.neurons.values(), start=1):
            lines, texts = [f"w' = w - {self.number(self.rate)} delta z"], {}
            for weight, unit in self.sources(neuron):
                factors = (self.rate, _known(neuron.delta), _known(unit.output))
                name, new = self.names[weight], self.number(weight.data - math.prod(factors))
                if name in self.labels:
                    texts[f"{name}-weight"] = f"{self.labels[name].rpartition(' ')[0]} {new}".strip()
                step = " * ".join(map(self.number, factors))
                lines.append(f"{short_name(name)}' = {self.number(weight.data)} - {step} = {new}")
            if len(lines) > MAX_LINES:
                lines[MAX_LINES - 1 :] = [f"and {len(lines) - MAX_LINES + 1} more"]
            yield self.frame("update", i, neuron, lines, texts)


def _known(x: float | None) -> float:
    assert x is not None
    return x


def _sum(terms: list[str]) -> str:
    """Return the terms as a sum, without the middle of a long one."""
    return " + ".join(terms if len(terms) <= MAX_TERMS else [*terms[: MAX_TERMS - 2], "...", terms[-1]])
