"""The page of a network: forward, the loss, every delta backwards, every weight update, and forward again (P57-P77)."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from engine import Value
from engine.formatting import format_number
from engine.restore import restored
from engine.validation import as_finite, at_least, error_context
from nn import MLP, Layer, Perceptron
from nn.signals import Signals, layers_of, signals_of, slope
from viz.network_drawing import (
    NEURON_LINES,
    Neuron,
    Picture,
    Unit,
    columns_of,
    loss_name,
    neurons_of,
    short_name,
    shorten,
)
from viz.pages.frames import Frame, page_path, parse_svg, write_page

MAX_TERMS = 5  # of a sum
MAX_LINES = 6  # below the drawing
DEFAULTS = {"stroke-dasharray": "none", "stroke-width": "1"}  # of attributes that Graphviz leaves out

Attributes = dict[str, dict[str, str]]  # of elements by their ids
Changes = dict[str, tuple[dict[str, str], dict[str, str]]]  # the old and the new attributes of elements by their ids


def network_page(
    model: Perceptron | Layer | MLP,
    path: str | os.PathLike[str],
    inputs: Any,
    target: Any,
    *,
    loss: Callable[[Any, Any], Value] | None = None,
    learning_rate: float = 0.5,
    precision: int = 4,
) -> Path:
    """Write a page that steps through one training step of a network with one example.

    The order is that of the slides (P57-P77): the output of every neuron, layer by layer; the loss; the delta of every
    neuron, from the output layer back; then every weight, w' = w - learning_rate * dL/dw, neuron by neuron. A second
    forward pass shows the loss with the new weights. Delta is dL/da, as in `viz.network`. The keys are those of
    `viz.page`. The model does not change.

    Args:
        model: the network; all of its neurons are drawn.
        path: the file, which must end in .html; an existing one is replaced.
        inputs: one example x, as the model takes it.
        target: the target of the loss.
        loss: the function of outputs and target that the model learns, such as `nn.cross_entropy`.
        learning_rate: the step size of the update, the eta of the slides.
        precision: the significant digits of all numbers, at least 1.

    Returns:
        The path of the file.

    Raises:
        TypeError: as `viz.network`; no file is written.
        ValueError: as `viz.network`, or there are no inputs, no target or no loss; no file is written.
        ArithmeticError: as `viz.network`, also after the update; no file is written.
        OSError: the file cannot be written.

    >>> import tempfile
    >>> import nn
    >>> model = nn.MLP(2, [2, 1], seed=1)
    >>> network_page(model, f"{tempfile.mkdtemp()}/net.html", [0.5, -1.0], 1.0, loss=nn.mse).name
    'net.html'
    """
    path = page_path(path)
    if inputs is None or target is None:
        raise ValueError("inputs and target must be those of one example, got None: pass both")
    layers = layers_of(model, "network_page")
    at_least(1, precision, "precision")
    rate = as_finite(learning_rate, "learning_rate")

    max_neurons = max(model.n_inputs, *map(len, layers))

    def picture_of(like: Picture | None = None) -> tuple[Signals, list[list[Unit]], Picture]:
        signals = signals_of(model, inputs, target, loss)
        columns = columns_of(model, layers, signals)
        picture = Picture(model, columns, max_neurons, precision, like)
        picture.headings(model)
        picture.targets(target)
        picture.loss(signals.loss)
        return signals, columns, picture

    before, columns, picture = picture_of()
    new_data = {
        weight: weight.data - rate * _require(neuron.delta) * _require(unit.output)
        for neuron in chain.from_iterable(map(neurons_of, columns))
        for weight, unit in zip(neuron.perceptron.weights, columns[neuron.layer - 1], strict=True)
    }
    with restored(model.parameters()), error_context("after the update"):
        for weight, number in new_data.items():
            weight.data = number
        after, new_columns, new_picture = picture_of(picture)
    _, _, picture = picture_of(new_picture)  # with the distances and line widths of the new one

    names = {weight: name for name, weight in model.named_parameters()}
    data = {weight: weight.data for weight in names}
    svg, new_svg = (parse_svg(each.drawing.pipe(encoding="utf-8")) for each in (picture, new_picture))
    old, new = _Steps(svg, columns, names, data, precision), _Steps(new_svg, new_columns, names, new_data, precision)
    changes = _changes(svg, new_svg)
    call = loss_name(loss), shorten(target)
    frames = [
        *old.forward("Forward", "forward", {}, [line.replace(" = ", "\u00a0=\u00a0") for line in picture.legend(True)]),
        old.loss("The loss", "forward", call, _require(before.loss)),
        *old.backward(),
        *old.update(rate, new, changes),
        *new.forward("Forward again", "again", changes, []),
        new.loss("The loss after the update", "again", call, _require(after.loss), _require(before.loss)),
    ]
    frames[0].texts.update({f"{name}-weight": label for name, label in old.labels.items()})
    for change in changes.values():
        for element, (attributes, _) in change.items():
            frames[0].attributes.setdefault(element, {}).update(attributes)
    descriptions = {key: f"{key}, a neuron with {neuron.perceptron.activation}" for key, neuron in old.neurons.items()}
    return write_page(path, svg, frames, repr(model), descriptions, beside=True)


def _changes(svg: ET.Element, new_svg: ET.Element) -> dict[str, Changes]:
    """Return what differs between the attributes of two drawings of a network, by the id of a node or edge."""
    changes: dict[str, Changes] = {}
    for group, new_group in zip(_groups(svg), _groups(new_svg), strict=True):
        for i, (element, new_element) in enumerate(zip(group.iter(), new_group.iter(), strict=True)):
            old, new = element.attrib, new_element.attrib
            different = [name for name in {**old, **new} if old.get(name) != new.get(name)]
            if different:
                element.set("id", key := element.get("id", f"{group.get('id')} {i}"))
                pair = ({name: each.get(name, DEFAULTS.get(name, "")) for name in different} for each in (old, new))
                changes.setdefault(group.get("id", ""), {})[key] = (next(pair), next(pair))
    return changes


def _groups(svg: ET.Element) -> list[ET.Element]:
    return [group for group in svg.iter("g") if group.get("class", "").startswith(("node", "edge"))]


class _Steps:
    """The frames of a network for one example, and the ids in its drawing that they mention.

    Every output, delta and weight is known.
    """

    def __init__(
        self,
        svg: ET.Element,
        columns: list[list[Unit]],
        names: dict[Value, str],
        data: dict[Value, float],
        precision: int,
    ) -> None:
        self.columns = [*columns, []]  # the last layer has no receivers
        self.names, self.data, self.precision = names, data, precision
        self.neurons = {neuron.key: neuron for column in columns for neuron in neurons_of(column)}
        self.outputs = neurons_of(columns[-1])
        self.labels: dict[str, str] = {}  # of the weights whose numbers are drawn
        self.points: list[str] = []
        weights = set(names.values())
        for group in _groups(svg):
            key = group.findtext("title", "")
            group.set("id", key)
            if key.endswith(" point"):
                self.points.append(key)
            lines = NEURON_LINES if key in self.neurons else ["weight"] if key in weights else []
            for line, text in zip(["number"] if key == "loss" else lines, group.iter("text"), strict=False):
                if line:
                    text.set("id", f"{key}-{line}")
                if line == "weight":
                    self.labels[key] = text.text or ""

    def number(self, x: float | None) -> str:
        return format_number(_require(x), self.precision)

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
        return _sum(symbols), _sum([f"{self.number(self.data[weight])}*{self.number(x)}" for weight, _, x in terms])

    def frame(
        self,
        title: str,
        phase: str,
        neuron: Neuron,
        lines: list[str],
        texts: dict[str, str],
        attributes: Attributes | None = None,
    ) -> Frame:
        """Return a step that lights up a neuron, its sources or receivers, and the lines between them."""
        if phase == "backward":
            others = [receiver.key for _, receiver in self.receivers(neuron)]
            edges = [f"{neuron.key}->{other}" for other in others]
        else:
            others = [source.key for _, source in self.sources(neuron)]
            edges = [f"{other}->{neuron.key}" for other in others]
        ids = (neuron.key, *others, *edges)
        return Frame(f"{title}: {neuron.key}", tuple(lines), ids, texts, neuron.key, phase, attributes or {})

    def forward(self, title: str, phase: str, changes: dict[str, Changes], legend: list[str]) -> Iterator[Frame]:
        """Yield the steps that show the output of every neuron, and its point on the curve."""
        n, inputs = len(self.neurons), self.columns[0]
        line = ",  ".join(f"{unit.name}\u00a0=\u00a0{self.number(unit.output)}" for unit in inputs)
        texts = {f"{key}-{line}": "" for key in self.neurons for line in ("output", "delta")} | {"loss-number": ""}
        hidden = {point: {"visibility": "hidden"} for point in self.points}
        # Nothing is highlighted, so that the page opens with the whole drawing.
        yield Frame(f"{title} 0 of {n}: the inputs", (line, *legend), (), texts, phase=phase, attributes=hidden)
        for i, (key, neuron) in enumerate(self.neurons.items(), start=1):
            symbols, numbers = self.sums([(weight, unit.name, unit.output) for weight, unit in self.sources(neuron)])
            activation, z = neuron.perceptron.activation, self.number(neuron.output)
            output = "a" if activation == "linear" else f"{activation}(a)"
            lines = [f"a = {symbols}", f"  = {numbers} = {self.number(neuron.a)}", f"{key} = {output} = {z}"]
            point = f"{key} point"
            attributes = _new(changes, key, point) | ({point: {"visibility": "visible"}} if point in hidden else {})
            yield self.frame(f"{title} {i} of {n}", phase, neuron, lines, {f"{key}-output": z}, attributes)

    def loss(self, title: str, phase: str, call: tuple[str, str], loss: float, before: float | None = None) -> Frame:
        """Return the step that shows the loss, and whether it is less than before the update."""
        name, target = call
        symbols, numbers = (
            _list(texts) for texts in ([x.key for x in self.outputs], [self.number(x.output) for x in self.outputs])
        )
        lines = [f"L = {name}({symbols}, {target})", f"  = {name}({numbers}, {target}) = {self.number(loss)}"]
        if before is not None:
            change = "fell" if loss < before else "rose" if loss > before else "did not move"
            lines.append(f"The loss {change}: {self.number(before)} \u2192 {self.number(loss)}")
        ids = ("loss", *(neuron.key for neuron in self.outputs))
        return Frame(title, tuple(lines), ids, {"loss-number": f"L = {self.number(loss)}"}, phase=phase)

    def backward(self) -> Iterator[Frame]:
        """Yield the steps that show the derivatives of the loss, and delta, of every neuron, the last layer first."""
        n = len(self.neurons)
        lines = _first_lines([f"{_gradient(x)} = {self.number(x.gradient)}" for x in self.outputs])
        ids = ("loss", *(neuron.key for neuron in self.outputs))
        yield Frame(f"Backward 0 of {n}: the derivative of the loss", tuple(lines), ids, phase="backward")
        neurons = [neuron for column in reversed(self.columns) for neuron in neurons_of(column)]
        for i, neuron in enumerate(neurons, start=1):
            delta, receivers = self.number(neuron.delta), self.receivers(neuron)
            derivative = self.number(slope(neuron.perceptron, _require(neuron.a), _require(neuron.output)))
            if receivers:
                symbols, numbers = self.sums([(weight, f"delta({x.key})", x.delta) for weight, x in receivers])
                lines = [f"delta = f'(a) ({symbols})", f"      = {derivative} * ({numbers}) = {delta}"]
            else:
                lines = [
                    f"delta = {_gradient(neuron)} f'(a)",
                    f"      = {self.number(neuron.gradient)} * {derivative} = {delta}",
                ]
            title = f"Backward {i} of {n}"
            yield self.frame(title, "backward", neuron, lines, {f"{neuron.key}-delta": f"δ = {delta}"})

    def update(self, rate: float, new: _Steps, changes: dict[str, Changes]) -> Iterator[Frame]:
        """Yield the steps that show the new weights of every neuron, and their lines."""
        for i, neuron in enumerate(self.neurons.values(), start=1):
            lines, texts = [f"w' = w - {self.number(rate)} dL/dw, where dL/dw\u00a0=\u00a0delta z"], {}
            sources = self.sources(neuron)
            for weight, unit in sources:
                name, step = self.names[weight], map(self.number, (rate, neuron.delta, unit.output))
                if name in new.labels:
                    texts[f"{name}-weight"] = new.labels[name]
                symbols = f"{short_name(name)}' = {self.number(self.data[weight])} - {' * '.join(step)}"
                lines.append(f"{symbols} = {self.number(new.data[weight])}")
            names = [key for weight, unit in sources for key in (self.names[weight], f"{unit.key}->{neuron.key}")]
            title = f"Update {i} of {len(self.neurons)}"
            yield self.frame(title, "update", neuron, _first_lines(lines), texts, _new(changes, *names))


def _new(changes: dict[str, Changes], *keys: str) -> Attributes:
    """Return the new attributes of nodes and edges."""
    return {element: dict(new) for key in keys for element, (_, new) in changes.get(key, {}).items()}


def _gradient(neuron: Neuron) -> str:
    """Return the symbol of the derivative of the loss with respect to an output."""
    return f"dL/d({neuron.key})" if "." in neuron.key else f"dL/d{neuron.key}"


def _require(x: float | None) -> float:
    assert x is not None
    return x


def _first_lines(lines: list[str]) -> list[str]:
    """Return the lines if they are few, else the first ones and the number of the others."""
    shown = lines if len(lines) <= MAX_LINES else lines[: MAX_LINES - 1]
    return [*shown, f"and {len(lines) - len(shown)} more"] if len(shown) < len(lines) else lines


def _list(outputs: list[str]) -> str:
    """Return the outputs as an argument of the loss, of many the first and the last."""
    shown = outputs if len(outputs) <= MAX_TERMS else [*outputs[: MAX_TERMS - 2], "...", outputs[-1]]
    return f"[{', '.join(shown)}]" if len(outputs) > 1 else shown[0]


def _sum(terms: list[str]) -> str:
    """Return the terms as a sum, without the middle of a long one."""
    return " + ".join(terms if len(terms) <= MAX_TERMS else [*terms[: MAX_TERMS - 2], "...", terms[-1]])
