"""The network as the lecture draws it: neurons in layers, weights on the lines between them.

Every position is computed here: Graphviz's engine nop2 draws nodes and edges where they are, in points, y upwards.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

from engine import Value, no_grad
from engine.foreign import usage
from engine.formatting import format_number
from engine.validation import at_least
from engine.value import constant
from nn import MLP, Layer, Perceptron
from nn.inputs import as_list
from nn.signals import layers_of, signals_of, target_numbers
from viz.drawing import Drawing, escape_label
from viz.network_units import Columns, Neuron, Unit, columns_of, loss_name, neurons_of, short_name, without_middle
from viz.style import BIAS, BLUE, DARK, FONT, GREY, INNER, LEAF, ORANGE, ROOT

NEURON_RADIUS = 31  # points
INPUT_RADIUS = 23
CURVE_WIDTH, CURVE_HEIGHT = 36, 20
FONT_SIZE = 14
LINE_HEIGHT = 1.2 * FONT_SIZE
# The lines of the label of a circle. Graphviz centres them: blank lines keep the output inside, the others outside.
INPUT_LINES = ["name", "", "output", "", ""]
NEURON_LINES = ["name", "", "", "output", "", "delta"]
MAX_NUMBERED = 36  # weights between two layers, above which their numbers would be unreadable
MAX_NAMED = 12  # weights between two layers, above which their names would be unreadable
A4 = 7.4, 10.8  # inches, without margins
STYLES = {"input": LEAF, "neuron": INNER, "output": ROOT, "bias": BIAS}

Point = tuple[float, float]


@usage("viz.network(model, [0.5, -1.0])")
def network(
    model: Perceptron | Layer | MLP,
    inputs: Any = None,
    target: Any = None,
    *,
    loss: Callable[[Any, Any], Value] | None = None,
    notation: str = "P57",
    max_neurons: int = 16,
    precision: int = 3,
) -> Drawing:
    """Draw a perceptron, a layer or an MLP as circles and lines.

    A line is a weight: solid and blue if positive, dashed and orange if negative, thicker for a larger magnitude
    within the model; small networks show its number. x0 and z0 are the bias units, which are always 1 (P6).
    A neuron shows the curve of its activation and, if inputs are passed, its point (a, z) on it and its output z.

    With a target and the loss that the model learns, a neuron also shows its delta, the derivative of the loss with
    respect to its weighted sum a: delta_j = dL/da_j (P57, where the loss is l), so that dL/dw_ji is delta_j times the
    input z_i. Without a target, but after `backward()`, the deltas are the gradients of the bias weights, which are
    equal, summed over all examples.

    Args:
        model: the network; its data and gradients do not change.
        inputs: one example x, as the model takes it.
        target: the target of the loss.
        loss: the function of outputs and target that the model learns, such as `nn.cross_entropy`.
        notation: "P57", or "P58" for the names of P58-P77: the neurons are numbered through, there are no bias units,
            whose weights must be 0, and delta is the error that arrives at the output of a neuron, -dL/dy.
        max_neurons: the most neurons or inputs to draw per layer; of a larger layer the middle is omitted.
        precision: the significant digits of all numbers, at least 1.

    Returns:
        A `graphviz.Digraph`, whose SVG needs no `dot` program; a notebook shows it.

    Raises:
        TypeError: `model` is not one of the three, or an argument is of the wrong type.
        ValueError: the number of inputs or targets is wrong, there is a target without inputs or only one of target
            and loss, or an option is out of range.
        ArithmeticError: an output or the loss overflows.

    >>> import nn
    >>> drawing = network(nn.Perceptron(2, "sigmoid", init=[-3.0, 2.0, -3.0]), [-1.0, -2.0])
    >>> import tempfile
    >>> picture = drawing.render(outfile=f"{tempfile.mkdtemp()}/neuron.svg")
    >>> "0.731" in drawing.pipe(encoding="utf-8")
    True
    """
    layers = layers_of(model, "network")
    at_least(1, max_neurons, "max_neurons")
    at_least(1, precision, "precision")
    signals = signals_of(model, inputs, target, loss)
    columns = columns_of(model, layers, signals, notation)
    picture = _Picture(model, columns, max_neurons, precision, is_numbered=notation == "P58")
    picture.headings(model)
    picture.targets(target)
    picture.caption(target, signals.loss, loss)
    return picture.drawing


def _curve(perceptron: Perceptron) -> list[Point]:
    """Return points (a, z) on the curve of an activation z = f(a), for a and z from -4 to 4, where f is defined."""
    if perceptron.activation == "sign":
        return [(-4.0, -1.0), (0.0, -1.0), (0.0, 1.0), (4.0, 1.0)]
    function = perceptron._function  # that of the name may be another one since: rules can be redefined
    points = []
    for a in [i / 4 for i in range(-16, 17)]:
        with no_grad(), suppress(ArithmeticError):  # of log and sqrt, which are undefined there
            z = a if function is None else function(constant(a, perceptron.activation)).data
            points.append((a, _clamp(z, -4.0, 4.0)))
    return points


def _clamp(x: float, low: float, high: float) -> float:
    return max(low, min(high, x))


class _Picture:
    """The drawing and its layout: one column per layer, all columns centred about y = 0."""

    def __init__(self, model: Any, columns: Columns, max_neurons: int, precision: int, *, is_numbered: bool) -> None:
        self.precision, self.is_numbered = precision, is_numbered
        neurons = [unit for column in columns for unit in neurons_of(column)]
        self.weights = {weight: label for neuron in neurons for weight, label in neuron.labelled_weights}
        self.largest: float = max(abs(weight.data) for weight in self.weights) or 1.0
        self.columns = columns
        self.visible = [without_middle(column, max_neurons) for column in columns]
        rows = max(map(len, self.visible))
        lines = max(len(sources) * len(neurons_of(column)) for sources, column in pairwise(self.visible))
        is_whole = not any(None in column for column in self.visible)
        self.has_numbers = is_whole and lines <= MAX_NUMBERED
        self.has_names = is_whole and lines <= MAX_NAMED
        self.has_deltas = neurons_of(columns[-1])[0].delta is not None
        self.pitch = 110.0 if self.has_numbers else 2 * NEURON_RADIUS + (2.2 if self.has_deltas else 1.2) * LINE_HEIGHT
        self.gap: float = max(280.0, 36.0 * rows, *(self.minimal_gap(k) for k in range(1, len(columns))))
        self.top = self.pitch * (rows - 1) / 2 + NEURON_RADIUS + 2.5 * LINE_HEIGHT
        self.alt_texts: list[str] = []
        is_landscape = self.gap * (len(columns) - 1) > 2 * self.top
        self.drawing = Drawing(
            name=repr(model),
            engine="neato",
            graph_attr={
                "layout": "nop2", "bgcolor": "white", "pad": "0.1",
                "size": ",".join(map(str, sorted(A4, reverse=is_landscape))),
            },
            node_attr={"shape": "plain", "fontname": FONT, "fontsize": str(FONT_SIZE)},
            edge_attr={"arrowsize": "0.6"},
        )  # fmt: skip
        for k, column in enumerate(self.visible):
            for unit in column:
                self.unit(k, unit)
        for k in range(1, len(columns)):
            self.lines(k)

    def label_position(self, k: int) -> float:
        """Return where the numbers of the lines to layer k stand, from 0 (left) to 1 (right).

        There, they are evenly spaced in one column: next to the sources, or next to the receivers.
        """
        n_sources, n_receivers = len(self.visible[k - 1]), len(neurons_of(self.visible[k]))
        return 1 / (n_receivers + 1) if n_receivers <= n_sources else n_sources / (n_sources + 1)

    def minimal_gap(self, k: int) -> float:
        """Return the distance from the column before layer k at which no number on a line touches a circle."""
        if not self.has_numbers:
            return 0.0
        labels = [self.weight_label(weight) for x in neurons_of(self.visible[k]) for weight in x.weights]
        half_width = 0.3 * FONT_SIZE * max(map(len, labels))
        return (NEURON_RADIUS + half_width + 6) / min(self.label_position(k), 1 - self.label_position(k))

    def position(self, k: int, unit: Unit | None) -> Point:
        """Return the centre of the circle of a unit of layer k."""
        column = self.visible[k]
        return k * self.gap, self.pitch * ((len(column) - 1) / 2 - column.index(unit))

    def node(self, key: str, label: str, position: Point, **style: str) -> None:
        """Draw a node of Graphviz."""
        self.drawing.node(key, label, pos="{:.1f},{:.1f}".format(*position), **style)

    def text(self, key: str, text: str, position: Point, colour: str = GREY, **style: str) -> None:
        """Write a text."""
        self.node(key, escape_label(text), position, fontcolor=colour, **style)

    def number(self, x: float | None) -> str:
        """Return a number as text, "" if it is unknown."""
        return "" if x is None else format_number(x, self.precision)

    def unit(self, k: int, unit: Unit | None) -> None:
        """Draw a circle with its label, and the curve of a neuron; None is the omitted middle of a column."""
        x, y = self.position(k, unit)
        if unit is None:
            self.text(f"more {k}", f"... {len(self.columns[k]) - len(self.visible[k]) + 1} more", (x, y))
            return
        output = "1" if unit.kind == "bias" else self.number(unit.output)
        texts = {"name": unit.name, "output": output}
        descriptions = [f"{unit.name} = {output}" if output else unit.name]
        parts, radius = (INPUT_LINES if output else ["name"]), INPUT_RADIUS
        if isinstance(unit, Neuron):
            parts, radius = NEURON_LINES, NEURON_RADIUS
            texts["delta"] = "" if unit.delta is None else f"δ = {self.number(unit.delta)}"
            descriptions += [f"a = {self.number(unit.a)}" if output else "", texts["delta"], unit.perceptron.activation]
        alt_text = ", ".join(filter(None, descriptions))
        self.alt_texts.append(alt_text)
        label = "\\n".join(texts.get(part) or "\u00a0" for part in parts)
        self.node(
            unit.key, label, (x, y), tooltip=alt_text, shape="circle", fixedsize="shape",
            width=f"{2 * radius / 72:.4f}", style="filled", penwidth="1.5", **STYLES[unit.kind],
        )  # fmt: skip
        if isinstance(unit, Neuron):
            self.curve(unit, (x, y + 13 if output else y), alt_text)

    def curve(self, unit: Neuron, centre: Point, alt_text: str) -> None:
        """Draw the curve of an activation as an edge from a neuron to itself, and its point (a, z) as a node."""
        curve = _curve(unit.perceptron)
        if not curve:
            return
        low, high = min(z for _, z in curve), max(z for _, z in curve)
        if low == high:  # the curve of a constant is in the middle
            low, high = low - 1.0, high + 1.0

        def scaled(a: float, z: float) -> Point:
            x, y = _clamp(a, -4.0, 4.0) / 8, (_clamp(z, low, high) - low) / (high - low) - 0.5
            return centre[0] + CURVE_WIDTH * x, centre[1] + CURVE_HEIGHT * y

        # Graphviz draws cubic Bézier curves: with its control points at its ends, each one is a straight line.
        start, *_ = points = [scaled(*point) for point in curve]
        bezier = [start, *(control for line in pairwise(points) for control in (*line, line[1]))]
        pos = " ".join(f"{x:.1f},{y:.1f}" for x, y in bezier)
        self.drawing.edge(unit.key, unit.key, pos=pos, color=DARK, arrowhead="none", tooltip=alt_text)
        if unit.a is not None and unit.output is not None:
            self.node(
                f"{unit.key} point", "", scaled(unit.a, unit.output), tooltip=alt_text, shape="circle", width="0.083",
                fixedsize="true", style="filled", fillcolor=ORANGE, color=ORANGE, **{"class": "point"},
            )  # fmt: skip

    def lines(self, k: int) -> None:
        """Draw the weights of layer k."""
        share = self.label_position(k)
        for unit in neurons_of(self.visible[k]):
            for source, weight in zip(self.columns[k - 1], unit.weights, strict=True):
                if source not in self.visible[k - 1]:
                    continue
                name = self.weights[weight]
                colour, style = self.line_style(weight.data)
                tooltip = f"{name} = {self.number(weight.data)}, from {source.name} to {unit.name}"
                self.drawing.edge(source.key, unit.key, tooltip=tooltip, **style)
                if self.has_numbers:
                    (x, y), (to_x, to_y) = self.position(k - 1, source), self.position(k, unit)
                    middle = x + share * (to_x - x), y + share * (to_y - y)
                    label = self.weight_label(weight)
                    self.text(name, label, middle, colour, style="filled", fillcolor="#ffffff", fontsize="12")

    def line_style(self, weight: float) -> tuple[str, dict[str, str]]:
        """Return the colour of the line of a weight, and all of its attributes."""
        colour, dashes = (BLUE, "solid") if weight > 0 else (ORANGE, "dashed") if weight < 0 else (GREY, "dotted")
        style = {"color": colour, "style": dashes, "penwidth": f"{0.4 + 4.6 * abs(weight) / self.largest:.2f}"}
        if not self.has_numbers:
            style |= {"color": f"{colour}99", "arrowhead": "none"}
        return colour, style

    def weight_label(self, weight: Value) -> str:
        """Return the text on the line of a weight."""
        value = self.number(weight.data)
        return f"{short_name(self.weights[weight])} = {value}" if self.has_names else value

    def headings(self, model: Any) -> None:
        """Write a heading above each column."""
        self.text("heading 0", "inputs" if model.n_inputs > 1 else "input", (0, self.top))
        for k, column in enumerate(self.columns[1:], start=1):
            neurons = neurons_of(column)
            layer = f"layer {k}: " if isinstance(model, MLP) else ""
            count = f"{len(neurons)} " if len(neurons) > 1 else ""
            self.text(f"heading {k}", f"{layer}{count}{neurons[0].perceptron.activation}", (k * self.gap, self.top))

    def targets(self, target: Any) -> None:
        """Write next to each output its target, if the target is one number per output."""
        numbers = target_numbers(target)
        if None in numbers or len(numbers) != len(self.columns[-1]):
            return
        for unit, number in zip(self.columns[-1], numbers, strict=True):
            if unit in self.visible[-1]:
                x, y = self.position(len(self.columns) - 1, unit)
                text = f"target {self.number(number)}"
                self.text(f"target {unit.key}", text, (x + NEURON_RADIUS + 2.5 * LINE_HEIGHT, y), DARK)

    def caption(self, target: Any, error: float | None, loss: Any) -> None:
        """Write the legend below the picture, and describe the picture for screen readers."""
        lines = self.legend(error is not None)
        if error is not None:
            letter = "E" if self.is_numbered else "L"
            values = as_list(target)
            text = reprlib.repr(target if values is None else list(values))
            lines.append(f"{letter} = {loss_name(loss)} = {self.number(error)} for target {text}")
        self.drawing.describe(f"The network {self.drawing.name}", "; ".join([*self.alt_texts, *lines]))
        middle = self.gap * (len(self.columns) - 1) / 2
        for i, line in enumerate(lines):
            self.text(f"caption {i}", line, (middle, -self.top - (i + 0.5) * LINE_HEIGHT), fontsize="12")

    def legend(self, has_loss: bool) -> list[str]:
        """Return what the marks of the picture mean."""
        lines = ["weights: solid = positive, dashed = negative, thicker = larger magnitude"]
        if self.columns[-1][-1].output is not None:
            a, z = ("e", "y") if self.is_numbered else ("a", "z")
            lines.append(f"circles: the activation with the neuron's point ({a}, {z}), and its output {z}")
        if self.has_deltas:
            source = "" if has_loss else " (after backward(), the gradient of its bias weight)"
            lines.append(
                "δ = -∂E/∂y, the error that arrives at the neuron's output y"
                if self.is_numbered
                else f"δ = ∂L/∂a, the derivative of the loss with respect to the neuron's weighted sum a{source}"
            )
        return lines
