"""The network as the lecture draws it: neurons in layers, weights on the lines between them."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from engine import Value, no_grad
from engine.formatting import format_number
from engine.validation import as_float, at_least
from engine.value import constant
from nn import MLP, Layer, Perceptron
from nn.activations import activation_function
from nn.inputs import as_list
from nn.signals import Signals, layers_of, signals_of
from viz.drawing import Drawing, escape_label
from viz.style import BIAS, BLUE, DARK, FONT, GREY, INNER, LEAF, ORANGE, ROOT

RADIUS = 31  # of a neuron, in points
SMALL = 23  # of an input
FONTSIZE = 14
LINE = 1.2 * FONTSIZE  # from one line of a label to the next
STYLES = {"input": LEAF, "neuron": INNER, "output": ROOT, "bias": BIAS}
MOST_NUMBERS = 36  # weights between two layers that are still told one from the other
NOTHING = "\u00a0"
A4 = 7.4, 10.8  # inches, less the margins

Point = tuple[float, float]


class Unit(NamedTuple):
    """What a circle stands for: an input, a bias unit, a neuron."""

    kind: str
    key: str
    name: str
    output: float | None = None
    neuron: Perceptron | None = None
    a: float | None = None
    delta: float | None = None


def network(
    model: Perceptron | Layer | MLP,
    inputs: Any = None,
    target: Any = None,
    *,
    loss: Callable[[Any, Any], Value] | None = None,
    max_neurons: int = 16,
    precision: int = 3,
) -> Drawing:
    """A perceptron, a layer or an MLP as circles and lines.

    A line is a weight: solid and blue above 0, dashed and orange below, the wider the larger it is beside the others
    of the model; where there are few, with its number. x0 and z0 are the bias units, which are always 1 (lecture P6).
    A neuron shows the curve of its activation and, for given inputs, its point (a, z) on it and its output z.

    With a target it shows its delta too, the derivative of the loss by its weighted sum a: delta_j = dl/da_j (P57), so
    that dl/dw_ji is delta_j times the input z_i. (On the slides P58-77 delta is the error that arrives at the output
    of the neuron, -dl/dz_j, and delta_j is that times -f'(a_j).) Without a target, but after `backward()`, the deltas
    are the gradients of the bias weights, which are the same, summed over what the backward passes went over.

    Args:
        model: the network; neither its data nor its gradients change.
        inputs: one x, as the model takes it.
        target: what the loss takes as the target for it; a number for each output, unless `loss` says otherwise.
        loss: a function of outputs and target, such as `nn.cross_entropy`; half the squared error, the sum of
            (r - y)**2 / 2 over the outputs, unless given.
        max_neurons: the most neurons (or inputs) to draw of a layer; the middle of a larger one is left out.
        precision: significant digits, 1 or more.

    Returns:
        A `graphviz.Digraph`, whose SVG needs no `dot` program; in a notebook it shows itself.

    Raises:
        TypeError: `model` is none of the three, or an argument is of the wrong type.
        ValueError: the inputs or targets are too many or too few, there is a target without inputs or a loss without
            target, or an option is out of its range.
        ArithmeticError: an output or the loss overflows.

    >>> import nn
    >>> drawing = network(nn.Perceptron(2, "sigmoid", init=[-3.0, 2.0, -3.0]), [-1.0, -2.0])
    >>> "0.731" in drawing.pipe(encoding="utf-8")
    True
    """
    layers = layers_of(model, "network")
    at_least(1, max_neurons, "max_neurons")
    at_least(1, precision, "precision")
    if target is not None and inputs is None:
        raise ValueError("deltas are those at certain inputs: give the inputs of the target")
    if loss is not None and target is None:
        raise ValueError("a loss compares outputs with a target: give the target")
    found = signals_of(model, inputs, target, loss)
    picture = _Picture(model, columns_of(model, layers, found), max_neurons, precision)
    picture.heads(model)
    picture.targets(target)
    picture.caption(target, found.loss, loss)
    return picture.finished()


def short(name: str) -> str:
    """The name of a weight or a unit without that of its layer."""
    return name.rpartition(".")[2]


def columns_of(model: Any, layers: list[tuple[Perceptron, ...]], signals: Signals) -> list[list[Unit]]:
    """The inputs and the layers, each with the bias unit that the next one takes in front."""
    xs = [Unit("input", f"x{i}", f"x{i}", x) for i, x in enumerate(signals.x, start=1)]
    columns = [[Unit("bias", "x0", "x0", 1.0), *xs]]
    for k, layer in enumerate(layers, start=1):
        prefix, last = f"layer{k}." * isinstance(model, MLP), k == len(layers)
        column = [] if last else [Unit("bias", f"{prefix}z0", "z0", 1.0)]
        for j, neuron in enumerate(layer, start=1):
            name = "y" if isinstance(model, Perceptron) else f"z{j}"
            z, a, delta = (row[k - 1][j - 1] for row in (signals.z, signals.a, signals.deltas))
            column.append(Unit("output" if last else "neuron", prefix + name, name, z, neuron, a, delta))
        columns.append(column)
    return columns


@cache
def _curve(activation: str) -> tuple[list[Point], Callable[[float], Point]]:
    """The curve of an activation from -4 to 4 in a frame from -1 to 1 each way, and the place of any a in it."""
    function = activation_function(activation)

    def f(a: float) -> float:
        with no_grad():
            y = a if function is None else function(constant(a, activation)).data
        return max(-4.0, min(4.0, y))

    points = []
    for a in [i / 4 for i in range(-16, 17)]:
        with suppress(ArithmeticError):  # log has no value there
            points.append((a, f(a)))
    if activation == "sign":
        points = [(-4.0, -1.0), (0.0, -1.0), (0.0, 1.0), (4.0, 1.0)]
    low, high = min(y for _, y in points), max(y for _, y in points)

    def scaled(a: float, y: float) -> Point:
        return a / 4, 2 * (y - low) / (high - low) - 1

    def place(a: float) -> Point:
        a = max(-4.0, min(4.0, a))
        return scaled(a, max(low, min(high, f(a))))

    return [scaled(*point) for point in points], place


class _Picture:
    """The drawing. Every place in it is worked out here: Graphviz has to draw, not to lay out."""

    def __init__(self, model: Any, columns: list[list[Unit]], max_neurons: int, precision: int) -> None:
        self.precision = precision
        self.weights = {weight: name for name, weight in model.named_parameters()}
        self.largest = max(abs(weight.data) for weight in self.weights) or 1.0
        self.columns = columns
        self.shown = [_folded(column, max_neurons) for column in columns]
        links = max(len(a) * sum(u is None or u.neuron is not None for u in b) for a, b in pairwise(self.shown))
        rows = max(map(len, self.shown))
        self.deltas = columns[-1][-1].delta is not None
        self.numbered = links <= MOST_NUMBERS and not any(None in column for column in self.shown)
        self.named = links <= 12 and self.numbered
        self.pitch = 110.0 if self.numbered else 2 * RADIUS + (2.2 if self.deltas else 1.2) * LINE
        self.gap = max(280.0, 36.0 * rows, *(self.room(k) for k in range(1, len(columns))))
        self.top = self.pitch * (rows - 1) / 2 + RADIUS + 2.5 * LINE
        self.low: Point = (-RADIUS, -self.top)  # the corners of the picture so far
        self.high: Point = (self.gap * (len(columns) - 1) + RADIUS, self.top)
        self.told: list[str] = []  # of every circle
        self.marks: list[tuple[str, list[Point], str]] = []
        self.drawing = Drawing(
            name=repr(model),
            engine="neato",
            graph_attr={"bgcolor": "white", "outputorder": "edgesfirst"},
            node_attr={"shape": "plain", "fontname": FONT, "fontsize": str(FONTSIZE)},
            edge_attr={"arrowsize": "0.6"},
        )
        for k, column in enumerate(self.shown):
            for row, unit in enumerate(column):
                self.unit(k, row, unit)
        for k in range(1, len(columns)):
            self.lines(k)

    def finished(self) -> Drawing:
        """The drawing with its marks, which lie in the background: there, the lower left corner is the origin."""
        for key, place in (("corner", self.low), ("other corner", self.high)):
            self.node(key, "", place, style="invis", shape="point", width="0")
        marks = []
        for pen, points, size in self.marks:
            places = " ".join(f"{x - self.low[0]:.1f} {y - self.low[1]:.1f}" for x, y in points)
            marks.append(f"{pen} {places} {size}".strip())
        width, height = (self.high[i] - self.low[i] for i in (0, 1))
        across, down = sorted(A4, reverse=width > height)
        self.drawing.attr("graph", _background=" ".join(marks), size=f"{across},{down}")
        return self.drawing

    def receivers(self, k: int) -> list[tuple[int, Unit, Perceptron]]:
        """The neurons of layer k that are shown, each with its row."""
        return [(row, unit, unit.neuron) for row, unit in enumerate(self.shown[k]) if unit and unit.neuron]

    def along(self, k: int) -> float:
        """Where on the lines to layer k their numbers stand one under the other at even distances, from 0 to 1."""
        n, m = len(self.shown[k - 1]), len(self.receivers(k))
        return 1 / (m + 1) if m <= n else n / (n + 1)  # beside the sources, or beside the receivers

    def room(self, k: int) -> float:
        """From the column before layer k to it, so that no number on a line touches a circle."""
        if not self.numbered:
            return 0.0
        half = max(_half(self.label(weight)) for _, _, neuron in self.receivers(k) for weight in neuron.weights)
        return (RADIUS + half + 6) / min(self.along(k), 1 - self.along(k))

    def label(self, weight: Value) -> str:
        value = self.number(weight.data)
        return f"{short(self.weights[weight])} = {value}" if self.named else value

    def place(self, k: int, row: int) -> Point:
        return k * self.gap, self.pitch * ((len(self.shown[k]) - 1) / 2 - row)

    def node(self, key: str, label: str, place: Point, **style: str) -> None:
        self.drawing.node(key, label, pos=f"{place[0] / 72:.4f},{place[1] / 72:.4f}!", **style)

    def text(self, key: str, text: str, place: Point, colour: str = GREY, **style: str) -> None:
        """Text by itself, for which room is made."""
        half = _half(text)
        self.low = min(self.low[0], place[0] - half), min(self.low[1], place[1] - LINE)
        self.high = max(self.high[0], place[0] + half), max(self.high[1], place[1] + LINE)
        self.node(key, escape_label(text), place, fontcolor=colour, **style)

    def number(self, x: float | None) -> str:
        return "" if x is None else format_number(x, self.precision)

    def unit(self, k: int, row: int, unit: Unit | None) -> None:
        x, y = self.place(k, row)
        if unit is None:
            self.text(f"more {k}", f"... {len(self.columns[k]) - len(self.shown[k]) + 1} more", (x, y))
            return
        value = "1" if unit.kind == "bias" else self.number(unit.output)
        delta = "" if unit.delta is None else f"δ = {self.number(unit.delta)}"
        # The lines of a label stand about the centre: of six the first is above the circle and the last below.
        lines, radius = [unit.name, "", value, "", ""] if value else [unit.name], SMALL
        told = [f"{unit.name} = {value}" if value else unit.name]
        if unit.neuron:
            lines, radius = [unit.name, "", "", value, "", delta], RADIUS
            told += [f"a = {self.number(unit.a)}" if value else "", delta, unit.neuron.activation]
        self.told.append(", ".join(filter(None, told)))
        style = STYLES[unit.kind]
        self.node(
            unit.key, "\\n".join(line or NOTHING for line in lines), (x, y), tooltip=", ".join(filter(None, told)),
            shape="circle", fixedsize="shape", width=f"{2 * radius / 72:.4f}", color=style["color"], penwidth="1.5",
        )  # fmt: skip
        self.disc(style["fillcolor"], (x, y), radius)
        if unit.neuron:
            self.curve(unit.neuron.activation, unit.a, (x, y + 13 if value else y))

    def curve(self, activation: str, a: float | None, centre: Point) -> None:
        """The curve of the activation in a circle, and on it the point of `a`."""
        curve, at = _curve(activation)
        points = [(centre[0] + 18 * x, centre[1] + 10 * y) for x, y in curve]
        self.marks.append((f"c 7 -{DARK} L {len(points)}", points, ""))
        if a is not None:
            x, y = at(a)
            self.disc(ORANGE, (centre[0] + 18 * x, centre[1] + 10 * y), 3)

    def disc(self, colour: str, centre: Point, radius: float) -> None:
        self.marks.append((f"c 7 -{colour} C 7 -{colour} E", [centre], f"{radius} {radius}"))

    def lines(self, k: int) -> None:
        """The weights of layer k."""
        sources = [(row, unit) for row, unit in enumerate(self.shown[k - 1]) if unit]
        along = self.along(k)
        for row, unit, neuron in self.receivers(k):
            for source_row, source in sources:
                weight = neuron.weights[self.columns[k - 1].index(source)]
                name = self.weights[weight]
                colour, style = self.line(weight.data)
                tooltip = f"{name} = {self.number(weight.data)}, from {source.name} to {unit.name}"
                self.drawing.edge(source.key, unit.key, tooltip=tooltip, **style)
                if self.numbered:
                    (x, y), (to_x, to_y) = self.place(k - 1, source_row), self.place(k, row)
                    place = x + along * (to_x - x), y + along * (to_y - y)
                    self.text(name, self.label(weight), place, colour, style="filled", fillcolor="white", fontsize="12")

    def line(self, weight: float) -> tuple[str, dict[str, str]]:
        """The colour and the look of the line for a weight."""
        colour, dashes = (BLUE, "solid") if weight > 0 else (ORANGE, "dashed") if weight < 0 else (GREY, "dotted")
        width = f"{0.4 + 4.6 * abs(weight) / self.largest:.2f}"
        if self.numbered:
            return colour, {"color": colour, "style": dashes, "penwidth": width}
        return colour, {"color": f"{colour}99", "style": dashes, "penwidth": width, "arrowhead": "none"}

    def heads(self, model: Any) -> None:
        """Over each column what it is."""
        self.text("head 0", "input" + "s" * (model.n_inputs > 1), (0, self.top))
        for k, column in enumerate(self.columns[1:], start=1):
            neurons = [unit.neuron for unit in column if unit.neuron]
            what = f"layer {k}: " * isinstance(model, MLP) + f"{len(neurons)} " * (len(neurons) > 1)
            self.text(f"head {k}", what + neurons[0].activation, (k * self.gap, self.top))

    def targets(self, target: Any) -> None:
        """Beside each output the number that it should be, where the target is such numbers."""
        given = as_list(target)
        rs = [r.data if isinstance(r, Value) else as_float(r) for r in ([target] if given is None else given)]
        outputs = [unit for unit in self.columns[-1] if unit.neuron]
        if None in rs or len(rs) != len(outputs):
            return
        for row, unit in enumerate(self.shown[-1]):
            if unit:
                x, y = self.place(len(self.columns) - 1, row)
                r = self.number(rs[outputs.index(unit)])
                self.text(f"target {unit.key}", f"target {r}", (x + RADIUS + 2.5 * LINE, y), DARK)

    def caption(self, target: Any, error: float | None, loss: Any) -> None:
        """Under the picture what its marks mean."""
        lines = ["weights: solid above 0, dashed below, the wider the larger"]
        if self.columns[-1][-1].a is not None:
            lines.append("in a circle: the activation with the neuron's point (a, z) on it, and its output z")
        if error is not None:
            y = self.columns[-1][-1].name.rstrip("0123456789")
            called = f"sum of (r - {y})²/2" if loss is None else getattr(loss, "__name__", "loss")
            lines.append(f"l = {called} = {self.number(error)} for the target {_told(target)}")
        if self.deltas:
            whence = "" if error is not None else ", by backward(): the gradient of its bias weight"
            lines.append(f"δ = ∂l/∂a, how the loss changes with the neuron's weighted sum a{whence}")
        self.drawing.describe(f"The network {self.drawing.name}", "; ".join([*self.told, *lines]))
        middle = self.gap * (len(self.columns) - 1) / 2
        for i, line in enumerate(lines):
            self.text(f"caption {i}", line, (middle, -self.top - (i + 0.5) * LINE), fontsize="12")


def _half(text: str) -> float:
    """Half the width of a text, in points."""
    return 0.3 * FONTSIZE * len(text)


def _folded(column: list[Unit], most: int) -> list[Unit | None]:
    """A column with None in place of its middle, where it has many more than `most` units beside that of the bias."""
    bias = len([unit for unit in column if unit.kind == "bias"])
    units: list[Unit | None] = [*column]
    if len(column) - bias > most + 1:  # to leave out a single one makes no room
        units[bias + (most + 1) // 2 : len(column) - most // 2] = [None]
    return units


def _told(target: Any) -> str:
    values = as_list(target)
    return reprlib.repr(target if values is None else list(values))
