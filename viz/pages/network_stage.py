"""The drawing of the page of a network: columns of units in HTML, the lines between them in SVG.

Every position is a fraction of the screen, and every size a multiple of the font size, so that the browser lays out the
drawing on any screen without a script.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, TypeAlias

from engine import RULES, Value
from engine.rules import Rule
from nn.signals import LINEAR, ExampleGraph, activation_rule
from viz.network_units import Columns, Neuron, Unit, connections, neurons_of, short_name, without_middle
from viz.pages.network_words import inline, symbol
from viz.pages.tape import Tape

Limits: TypeAlias = tuple[float, float] | tuple[()]

# Sizes in em, the font size of the numbers
INPUT_WIDTH, NEURON_WIDTH, TARGET_WIDTH = 4.4, 8.8, 4.4
ROW_HEIGHT, HEADING_HEIGHT = 3.7, 3.6
LABEL_HEIGHT, LABEL_WIDTH, NAMED_LABEL_WIDTH = 1.25, 3.6, 5.4
GAP, TARGET_GAP = 5.4, 4.2  # between columns, at least
MAX_NUMBERED_HEIGHT = 27.0  # the most em for the numbers between two columns; if they need more, they are hidden
MAX_NAMED = 12  # weights between two columns, above which only their numbers are shown

# The activations among which one can choose on the page
ACTIVATIONS = (LINEAR, *(RULES[name] for name in ("sigmoid", "tanh", "relu", "leaky_relu")))


class Stage:
    """The drawing: which units it shows, the ids of its elements, and the node of the graph behind each number.

    Attributes:
        columns: the units of the inputs and of every layer.
        shown: the same columns, with None in place of the middle of a large one.
        layers: the neurons of every layer.
        graph: the graph of the loss.
        tape: the graph as it is stored in the page.

    Args:
        columns: the units of the inputs and of every layer.
        graph: the graph of the loss.
        max_neurons: the most units to draw per column.
        target: how the target can be changed: by a "number", by a "class", or "" if it cannot be changed.
        limits: the least and the largest target.
        is_numbered: whether the notation is that of P58-P77.
    """

    def __init__(
        self, columns: Columns, graph: ExampleGraph, max_neurons: int, target: str, limits: Limits, *, is_numbered: bool
    ) -> None:
        self.columns, self.graph, self.target, self.limits = columns, graph, target, limits
        self.is_numbered = is_numbered
        self.loss, letter = ("E", "z") if is_numbered else ("L", "r")
        self.target_labels = [letter + value.label[1:] for value in graph.target]
        self.tape = Tape(graph.loss, extra_rules=ACTIVATIONS)
        self.shown = [without_middle(column, max_neurons) for column in columns]
        self.layers = [neurons_of(column) for column in columns[1:]]
        self._ids = {
            unit: f"unit{k}-{i}" if unit in self.shown[k] else f"more{k}"
            for k, column in enumerate(columns)
            for i, unit in enumerate(column)
        }

    # The nodes behind the numbers

    def sum(self, neuron: Neuron) -> int:
        """Return the number of the node of a neuron's weighted sum."""
        return self.tape.index[self.graph.a[neuron.layer - 1][neuron.index]]

    def output(self, neuron: Neuron) -> int:
        """Return the number of the node of a neuron's output."""
        return self.tape.index[self.graph.z[neuron.layer - 1][neuron.index]]

    def signal(self, unit: Unit) -> int | None:
        """Return the number of the node of a unit's output; None for a bias unit."""
        if isinstance(unit, Neuron):
            return self.output(unit)
        return self.tape.index[self.graph.x[int(unit.symbol[1:]) - 1]] if unit.kind == "input" else None

    # The ids of the elements

    def id(self, unit: Unit) -> str:
        """Return the id of a unit, or of the dots that replace it."""
        return self._ids[unit]

    def surroundings(self, neuron: Neuron) -> list[str]:
        """Return the ids of a neuron, of the units before it, and of the lines between."""
        ids = [self.id(neuron)]
        for unit, weight, _ in connections(neuron, self.columns[neuron.layer - 1]):
            ids += [self.id(unit), self.line(weight)]
        return ids

    def line(self, weight: Value) -> str:
        """Return the id of the line of a weight, which is not in the drawing if one of its ends is not."""
        return f"line{self.tape.index[weight]}"

    # The markup

    def markup(self) -> str:
        """Return the drawing."""
        parts = [self._column(0, "inputs" if len(self.graph.x) > 1 else "input", "")]
        for k, neurons in enumerate(self.layers, start=1):
            count = f"{len(neurons)} neurons" if len(neurons) > 1 else "1 neuron"
            title = f"layer {k}: {count}" if len(self.layers) > 1 else count
            parts += [self._gap(k), self._column(k, title, self._activation(k))]
        return f'<div id="network">{"".join(parts)}{self._targets()}</div>'

    def data(self) -> dict[str, Any]:
        """Return the sizes in em, and the other data for the script of the drawing."""
        gaps = [self._label_layout(k) for k in self._layers()]
        rows = max(map(len, self.shown))
        layers = [width for gap in gaps for width in (gap.width, NEURON_WIDTH)]
        return {
            "widths": [INPUT_WIDTH, *layers, TARGET_GAP, TARGET_WIDTH],
            "height": max([ROW_HEIGHT * rows, *(gap.height for gap in gaps)]) + HEADING_HEIGHT,
            "layers": [
                [{"sum": self.sum(x), "output": self.output(x), "id": self.id(x)} for x in neurons]
                for neurons in self.layers
            ],
            "weights": sorted({self.tape.index[w] for neurons in self.layers for x in neurons for w in x.weights}),
            "target": [self.tape.index[value] for value in self.graph.target],
        }

    def activations(self) -> dict[str, int]:
        """Return for each layer whose activation can be chosen the number of its row, by the name of the choice."""
        own = {k: self.own_rules(k) for k in self._layers()}
        return {f"activation{k}": self.tape.rules.index(rules[0]) for k, rules in own.items() if len(rules) == 1}

    def own_rules(self, k: int) -> list[Rule]:
        """Return the activations of the neurons of layer k, each once."""
        return list(dict.fromkeys(activation_rule(neuron.perceptron) for neuron in self.layers[k - 1]))

    def _layers(self) -> range:
        return range(1, len(self.columns))

    def _column(self, k: int, title: str, control: str) -> str:
        units = [self._more(k) if unit is None else self._unit(unit) for unit in self.shown[k]]
        kind = "neurons" if k else "inputs"
        return (
            f'<div class="column {kind}"><div class="heading"><span>{title}</span>{control}</div>'
            f'<div class="units">{"".join(units)}</div></div>'
        )

    def _more(self, k: int) -> str:
        n = len(self.columns[k]) - len(self.shown[k]) + 1
        return f'<div class="unit more" id="more{k}"><span>⋮ {n} more</span></div>'

    def _unit(self, unit: Unit) -> str:
        name = f'<span class="name" aria-hidden="true">{inline(symbol(unit.symbol))}</span>'
        if isinstance(unit, Neuron):
            a, z = self.sum(unit), self.output(unit)
            delta = f"error {a} {z}" if self.is_numbered else f"grad {a} {a}"
            return (
                f'<button type="button" class="unit neuron" id="{self.id(unit)}">{name}'
                f"{_spoken(f'neuron {unit.symbol}')}"
                f'<span class="capsule"><span class="sum">{_spoken(", sum ")}<b data-show="data {a}"></b></span>'
                '<svg class="curve" viewBox="-4 -2.5 8 5" aria-hidden="true"><path/><circle r="0.55"/></svg>'
                f'<span class="output">{_spoken(", output ")}<b data-show="data {z}"></b></span></span>'
                f'<span class="delta">{_spoken(", delta ")}<span aria-hidden="true">δ = </span>'
                f'<b data-show="{delta}"></b></span></button>'
            )
        if unit.kind == "bias":
            return f'<div class="unit bias" id="{self.id(unit)}">{name}<span class="pill">1</span></div>'
        field = _field(f"value of {unit.symbol}", self.signal(unit))
        return f'<label class="unit input" id="{self.id(unit)}">{name}{field}</label>'

    def _activation(self, k: int) -> str:
        """Return the choice of the activation of a layer, or its names if its neurons have several."""
        own = self.own_rules(k)
        if len(own) > 1:
            return f"<span>{html.escape(', '.join(rule.symbol for rule in own))}</span>"
        choices = [(self.tape.rules.index(rule), html.escape(rule.symbol)) for rule in self.choices(k)]
        options = "".join(f'<option value="{i}">{name}</option>' for i, name in choices)
        label = f"activation of layer {k}" if len(self.layers) > 1 else "activation"
        return f'<select data-layer="{k}" aria-label="{label}">{options}</select>'

    def choices(self, k: int) -> list[Rule]:
        """Return the rows among which the activation of a layer can be chosen."""
        own = self.own_rules(k)
        return list(dict.fromkeys([*own, *ACTIVATIONS])) if len(own) == 1 else own

    def _gap(self, k: int) -> str:
        """Return the lines to the neurons of layer k, with the fields of their weights."""
        layout = self._label_layout(k)
        sources, receivers, lines, fields = self.shown[k - 1], self.shown[k], "", ""
        for neuron in neurons_of(receivers):
            for unit, weight, label in connections(neuron, self.columns[k - 1]):
                if unit not in sources:
                    continue
                node = self.tape.index[weight]
                y1, y2 = _height(unit, sources), _height(neuron, receivers)
                lines += f'<line id="line{node}" x2="100%" y1="{y1:.3%}" y2="{y2:.3%}" data-weight="{node}"/>'
                name = inline(symbol(short_name(label))) if layout.shows_names else ""
                fields += (
                    f'<label class="weight" data-x="{layout.share:.4f}" data-y="{y1 + layout.share * (y2 - y1):.4f}">'
                    f'<span aria-hidden="true">{name}</span>{_field(f"weight {label}", node)}</label>'
                )
        numbered = " numbered" if layout.shows_numbers else ""
        return f'<div class="gap{numbered}"><svg aria-hidden="true">{lines}</svg>{fields}</div>'

    def _label_layout(self, k: int) -> _LabelLayout:
        units = self.shown[k]
        return _LabelLayout(len(self.shown[k - 1]), len(units), len(neurons_of(units)), None in units)

    def _targets(self) -> str:
        """Return the column of the targets and the loss, and the lines to it."""
        outputs, lines, numbers, units = self.shown[-1], "", "", ""
        for neuron in outputs:
            if not isinstance(neuron, Neuron):
                units += '<div class="unit more"><span>⋮</span></div>'
                continue
            y, z = _height(neuron, outputs), self.output(neuron)
            lines += f'<line id="compare{z}" x2="100%" y1="{y:.3%}" y2="{y:.3%}"/>'
            kind = "error" if self.is_numbered else "grad"
            numbers += (
                f'<span class="gradient" data-x="0.5" data-y="{y:.4f}">{_spoken(f"{kind} of {neuron.symbol} ")}'
                f'<b data-show="{kind} {z} {z}"></b></span>'
            )
            units += self._target(neuron)
        root = self.tape.index[self.graph.loss]
        loss = f'<span class="loss" id="loss">{inline(symbol(self.loss))}<b data-show="data {root}"></b></span>'
        return (
            f'<div class="gap compare"><svg aria-hidden="true">{lines}</svg>{numbers}</div>'
            f'<div class="column targets"><div class="heading"><span>loss</span>{loss}</div>'
            f'<div class="units">{units}</div></div>'
        )

    def _target(self, neuron: Neuron) -> str:
        """Return the target of an output, if the target is one number per output."""
        if len(self.graph.target) != len(self.layers[-1]):
            return '<div class="unit"></div>'
        value = self.graph.target[neuron.index]
        node, label = self.tape.index[value], self.target_labels[neuron.index]
        if self.target == "number":
            field = _field(f"target {label}", node, self.limits)
        elif self.target == "class":
            field = f'<input type="radio" name="target" data-class="{node}" aria-label="target class {neuron.index}">'
        else:
            field = f'<b data-show="data {node}"></b>'
        name = f'<span class="name" aria-hidden="true">{inline(symbol(label))}</span>'
        return f'<label class="unit input">{name}{field}</label>'


class _LabelLayout:
    """The layout of the numbers on the lines between two columns: in one column, evenly spaced.

    Attributes:
        share: their position, from 0 at the sources to 1 at the receivers.
        width: the least distance of the columns, in em.
        height: the least height, in em.
        shows_numbers: whether all numbers are shown, or only those of the lines that a step highlights.
        shows_names: whether the names of the weights are shown too.
    """

    def __init__(self, n_sources: int, n_units: int, n_neurons: int, is_folded: bool) -> None:
        # One below another are the numbers of each neuron, or those of each source; the units are the neurons and the
        # bias unit above them. Nearer to the middle, the numbers need less width.
        by_neuron, by_source = n_units / (n_units + 1), n_units / (n_units + n_neurons * n_sources)
        self.share = max(by_neuron, by_source, key=lambda share: min(share, 1 - share))
        self.height = LABEL_HEIGHT / min((1 - self.share) / n_sources, self.share / n_units)
        self.shows_numbers = not is_folded and self.height <= MAX_NUMBERED_HEIGHT
        self.shows_names = n_sources * n_neurons <= MAX_NAMED
        if self.shows_numbers:
            half = (NAMED_LABEL_WIDTH if self.shows_names else LABEL_WIDTH) / 2 + 0.3
            self.width = max(GAP, half / min(self.share, 1 - self.share))
        else:
            self.share, self.width, self.height = 0.43, GAP, 0.0


def training_markup() -> str:
    """Return the controls of the training."""
    times = "".join(
        f'<button type="button" class="text" data-times="{n}" aria-label="repeat the step {n} times">{n}×</button>'
        for n in (1, 10, 100)
    ).replace("1 times", "once")
    return (
        '<div id="network-training">'
        f"<label><span>learning rate {inline(symbol('eta'))}</span> "
        '<input type="number" id="network-rate" aria-label="learning rate" step="any" min="0"></label>'
        f'<div role="group" aria-label="repeat the step with the new weights"><span>repeat the step</span>{times}</div>'
        '<div><button type="button" id="page-undo" class="text">undo</button>'
        '<button type="button" id="page-reset" class="text">reset</button></div>'
        '<output id="network-history">steps done: <b></b>'
        '<svg viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label="loss of each step"><path/></svg>'
        "</output></div>"
    )


def _height(unit: Unit, column: Sequence[Unit | None]) -> float:
    """Return the position of a unit in its column, from 0 at the top to 1."""
    return (column.index(unit) + 0.5) / len(column)


def _field(name: str, node: int | None, limits: Limits = ()) -> str:
    """Return the field of a leaf."""
    least_and_most = "".join(f' {name}="{x:g}"' for name, x in zip(("min", "max"), limits, strict=False))
    return f'<input type="number" step="any"{least_and_most} data-leaf="{node}" aria-label="{html.escape(name)}">'


def _spoken(text: str) -> str:
    """Return text for screen readers."""
    return f'<span class="spoken">{html.escape(text)}</span>'
