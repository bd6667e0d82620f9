"""The units of a network, column by column, with their names and numbers: what every drawing of a network shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from engine import Value
from engine.validation import describe
from nn import MLP, Perceptron
from nn.signals import Network, Signals, check_no_bias

NOTATIONS = ("P57", "P58")


@dataclass(frozen=True, eq=False)
class Unit:
    """A circle of the drawing: an input, a bias unit or a neuron. Unknown numbers are None.

    Attributes:
        kind: "input", "bias", "neuron", or "output" for a neuron of the last layer.
        key: a text that only this unit has, such as `layer1.z2`.
        symbol: its output as a label, such as `layer1.z2` in the notation of P57, `y2` in that of P58.
        output: its output.
    """

    kind: str
    key: str
    symbol: str
    output: float | None

    @property
    def name(self) -> str:
        """The symbol without its layer."""
        return short_name(self.symbol)


@dataclass(frozen=True, eq=False)
class Neuron(Unit):
    """A unit that is computed.

    Attributes:
        layer: 1, 2, ...
        index: its index in the layer, from 0.
        perceptron: the neuron of the model.
        weights: its weights, one for each unit of the column before.
        weight_symbols: their labels.
        sum_symbol, delta_symbol: the labels of its weighted sum and of its delta.
        a: the weighted sum.
        gradient: the derivative of the loss with respect to the output.
        delta: as `network` defines it.
    """

    layer: int
    index: int
    perceptron: Perceptron
    weights: tuple[Value, ...]
    weight_symbols: tuple[str, ...]
    sum_symbol: str
    delta_symbol: str
    a: float | None
    gradient: float | None
    delta: float | None

    @property
    def labelled_weights(self) -> Iterator[tuple[Value, str]]:
        """Its weights with their labels."""
        return zip(self.weights, self.weight_symbols, strict=True)


Columns = list[list[Unit]]


def short_name(name: str) -> str:
    """Return the name of a weight or unit without that of its layer: `w12` for `layer1.w12`."""
    return name.rpartition(".")[2]


def columns_of(model: Network, layers: list[tuple[Perceptron, ...]], signals: Signals, notation: str) -> Columns:
    """Return the units of the inputs and of every layer, each with the bias unit of the next layer in front.

    Raises:
        ValueError: the notation is unknown, or it is "P58" and a bias weight is not 0.
    """
    if notation not in NOTATIONS:
        raise ValueError(f"notation must be 'P57' or 'P58', got {describe(notation)}")
    if notation == "P58":
        check_no_bias(model)
    inputs = [Unit("input", f"x{i}", f"x{i}", x) for i, x in enumerate(signals.x, start=1)]
    columns: Columns = [[Unit("bias", "x0", "x0", 1.0), *inputs]]
    labels = {weight: name for name, weight in model.named_parameters()}
    for k, layer in enumerate(layers, start=1):
        prefix = f"layer{k}." if isinstance(model, MLP) else ""
        is_last = k == len(layers)
        column = [] if is_last else [Unit("bias", f"{prefix}z0", f"{prefix}z0", 1.0)]
        for j, neuron in enumerate(layer):
            number = "" if isinstance(model, Perceptron) else f"{j + 1}"
            key = prefix + (f"z{number}" if number else "y")
            output = ("y" if len(layer) == 1 else f"y{number}") if is_last else key
            column.append(
                Neuron(
                    "output" if is_last else "neuron", key, output, signals.z[k - 1][j], k, j, neuron, neuron.weights,
                    tuple(labels[w] for w in neuron.weights), f"{prefix}a{number}", f"{prefix}delta{number}",
                    signals.a[k - 1][j], signals.gradients[k - 1][j], signals.deltas[k - 1][j],
                )
            )  # fmt: skip
        columns.append(column)
    return _numbered(columns) if notation == "P58" else columns


def _numbered(columns: Columns) -> Columns:
    """Return the units with the names of P58-P77: the neurons are numbered through, and there are no bias units."""
    numbered: Columns = [[unit for unit in columns[0] if unit.kind == "input"]]
    sources, comma = [f"({unit.symbol})" for unit in numbered[0]], ""
    has_commas = sum(map(len, map(neurons_of, columns))) > 9
    numbers = count(1)
    for column in columns[1:]:
        neurons = {str(next(numbers)): neuron for neuron in neurons_of(column)}
        numbered.append([
            replace(
                neuron, key=f"y{n}", symbol=f"y{n}", weights=neuron.weights[1:], sum_symbol=f"e{n}",
                weight_symbols=tuple(f"w{source}{comma}{n}" for source in sources), delta_symbol=f"delta{n}",
                delta=None if neuron.gradient is None else 0.0 - neuron.gradient,
            )
            for n, neuron in neurons.items()
        ])  # fmt: skip
        sources, comma = [*neurons], "," if has_commas else ""
    return numbered


def neurons_of(column: Iterable[Unit | None]) -> list[Neuron]:
    """Return the neurons of a column, without its bias unit."""
    return [unit for unit in column if isinstance(unit, Neuron)]


def connections(neuron: Neuron, sources: list[Unit]) -> Iterator[tuple[Unit, Value, str]]:
    """Yield each unit of the column before, with the weight that leads from it to a neuron and the weight's label."""
    yield from zip(sources, neuron.weights, neuron.weight_symbols, strict=True)


def without_middle(column: list[Unit], max_units: int) -> list[Unit | None]:
    """Return a column with None in place of its middle if it has more than `max_units` units besides the bias unit."""
    n_bias = len([unit for unit in column if unit.kind == "bias"])
    units: list[Unit | None] = [*column]
    if len(column) - n_bias > max_units + 1:  # None needs as much room as one unit
        units[n_bias + (max_units + 1) // 2 : len(column) - max_units // 2] = [None]
    return units


def loss_name(loss: Any) -> str:
    """Return the name of a loss for a reader; that of a lambda is `loss`."""
    name = getattr(loss, "__name__", "")
    return name if name.isidentifier() else "loss"
