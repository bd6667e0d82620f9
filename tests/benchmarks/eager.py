"""How fast the engine records and goes backwards, beside micrograd and Values in microgpt's style.

    python -m tests.benchmarks.eager

The step is that of micrograd's demo: an MLP 2-16-16-1 with relu on 100 rows of two moons, max-margin loss and L2
penalty; forward, backward and update of all 337 parameters. Contenders take turns. Python's garbage collector runs
before every timed step, so that nobody pays for another's cycles, and is on during it, as it is for a user; then all
is timed again with it off. All must end with the same parameters.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import math
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

import engine
from engine.value import as_values

try:
    from micrograd.engine import Value as MicrogradValue
    from sklearn.datasets import make_moons
except ImportError:
    raise SystemExit('the benchmark needs micrograd and scikit-learn: pip install -e ".[bench]"') from None


class StoredValue:
    """A Value in the style of Karpathy's microgpt: slots, local derivatives stored while recording."""

    __slots__ = ("data", "grad", "locals", "parents")

    def __init__(self, data: float, parents: tuple[Any, ...] = (), local: tuple[float, ...] = ()) -> None:
        self.data = data
        self.grad = 0
        self.parents = parents
        self.locals = local

    def __add__(self, other: Any) -> StoredValue:
        other = other if isinstance(other, StoredValue) else StoredValue(other)
        return StoredValue(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other: Any) -> StoredValue:
        other = other if isinstance(other, StoredValue) else StoredValue(other)
        return StoredValue(self.data * other.data, (self, other), (other.data, self.data))

    def relu(self) -> StoredValue:
        return StoredValue(max(0, self.data), (self,), (float(self.data > 0),))

    __radd__, __rmul__ = __add__, __mul__

    def backward(self) -> None:
        order, seen = [], set()

        def visit(value: StoredValue) -> None:
            if value not in seen:
                seen.add(value)
                for parent in value.parents:
                    visit(parent)
                order.append(value)

        visit(self)
        self.grad = 1
        for value in reversed(order):
            for parent, local in zip(value.parents, value.locals, strict=True):
                parent.grad += local * value.grad


def single_operations(layer: Sequence[Sequence[Any]], xs: Sequence[Any]) -> list[Any]:
    """The weighted sums of a layer as micrograd has them: one `*` and one `+` a weight."""
    return [sum((w * x for w, x in zip(ws, xs, strict=True)), bias) for bias, *ws in layer]


def dot_nodes(layer: Sequence[Sequence[Any]], xs: Sequence[Any]) -> list[Any]:
    """Each weighted sum as one node; the inputs are made Values once for all neurons of the layer."""
    inputs = as_values((1.0, *xs), "layer")
    return [engine.dot(ws, inputs) for ws in layer]


class Training:
    """Micrograd's moons demo on any Value."""

    def __init__(self, value: Any, weigh: Callable[..., Any], total: Callable[..., Any], squares: Callable[..., Any]):
        rng = random.Random(1337)
        self.weigh, self.total, self.squares = weigh, total, squares
        self.layers = [
            [(value(0.0), *[value(rng.uniform(-1, 1)) for _ in range(n_in)]) for _ in range(n_out)]
            for n_in, n_out in itertools.pairwise([2, 16, 16, 1])
        ]
        self.parameters = [p for layer in self.layers for ws in layer for p in ws]
        rows, classes = make_moons(n_samples=100, noise=0.1, random_state=1)
        self.rows: list[list[float]] = rows.tolist()
        self.classes: list[int] = (classes * 2 - 1).tolist()

    def model(self, xs: Sequence[Any]) -> Any:
        for layer in self.layers:
            xs = self.weigh(layer, xs)
            if layer is not self.layers[-1]:
                xs = [x.relu() for x in xs]
        return xs[0]

    def loss(self) -> Any:
        margins = [(1 + -y * self.model(xs)).relu() for xs, y in zip(self.rows, self.classes, strict=True)]
        return self.total(margins) * (1.0 / len(margins)) + 1e-4 * self.squares(self.parameters)

    def step(self) -> None:
        loss = self.loss()
        for p in self.parameters:
            p.grad = 0
        loss.backward()
        for p in self.parameters:
            p.data -= 0.05 * p.grad


def contenders() -> dict[str, Training]:
    def squares(ps: Sequence[Any]) -> Any:
        return sum(p * p for p in ps)

    return {
        "micrograd 0.1.0": Training(MicrogradValue, single_operations, sum, squares),
        "microgpt-style": Training(StoredValue, single_operations, sum, squares),
        "glassgrad, + and *": Training(engine.Value, single_operations, sum, squares),
        "glassgrad, dot": Training(engine.Value, dot_nodes, engine.sum, lambda ps: engine.dot(ps, ps)),
    }


def time_steps(repeats: int, *, collector: bool) -> dict[str, float]:
    """The median seconds of a training step of each contender, with Python's garbage collector on or off."""
    trainings = contenders()
    times: dict[str, list[float]] = {name: [] for name in trainings}
    for _ in range(repeats):
        for name, training in trainings.items():
            gc.enable()
            gc.collect()
            if not collector:
                gc.disable()
            start = time.perf_counter()
            training.step()
            times[name].append(time.perf_counter() - start)
    gc.enable()
    ends = [[p.data for p in training.parameters] for training in trainings.values()]
    for end in ends[1:]:
        if not all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(end, ends[0], strict=True)):
            raise SystemExit("the contenders do not agree on the parameters")
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def bytes_a_node(training: Training) -> float:
    """Memory of a recorded graph after backward, for each of its nodes."""
    gc.collect()
    tracemalloc.start()
    loss = training.loss()
    loss.backward()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    seen, stack = set(), [loss]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack += node._prev if isinstance(node, MicrogradValue) else node.parents
    return size / len(seen)


def chain(n: int) -> engine.Value:
    x = y = engine.Value(1.0)
    for _ in range(n):
        y = y + x
    return y


def fan(n: int) -> engine.Value:
    x = engine.Value(1.0)
    return engine.sum([x * 2 for _ in range(n // 2)])


def microseconds_a_node(make: Callable[[int], engine.Value], n: int, repeats: int) -> tuple[float, float]:
    """Median time to record a graph of `n` nodes and to go backwards through it, for each node."""
    recording, backward = [], []
    for _ in range(max(repeats, 10**5 // n)):
        gc.collect()
        start = time.perf_counter()
        root = make(n)
        middle = time.perf_counter()
        root.backward()
        end = time.perf_counter()
        recording.append(middle - start)
        backward.append(end - middle)
    return statistics.median(recording) / n * 1e6, statistics.median(backward) / n * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.eager",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repeats", type=int, default=11, help="timed steps each (default: %(default)s)")
    repeats = parser.parse_args().repeats
    console = Console()

    on, off = time_steps(repeats, collector=True), time_steps(repeats, collector=False)
    memory = {name: bytes_a_node(training) for name, training in contenders().items()}
    first = next(iter(on))
    table = Table(title=f"A training step of micrograd's moons demo, medians of {repeats}")
    heads = ["", "ms", "times\nas fast", "collector\noff: ms", "times\nas fast", "bytes\na node", "of micro-\ngrad's"]
    for head in heads:
        table.add_column(head, justify="right" if head else "left")
    for name in on:
        row = [name]
        for seconds in (on, off):
            row += [f"{seconds[name] * 1e3:.1f}", f"{seconds[first] / seconds[name]:.1f}"]
        table.add_row(*row, f"{memory[name]:.0f}", f"{memory[name] / memory[first]:.2f}")
    console.print(table)

    table = Table(title="Microseconds a node, by the size of the graph")
    for column in ("nodes", "chain: record", "backward", "fan: record", "backward"):
        table.add_column(column, justify="right")
    for n in (10**3, 10**4, 10**5, 10**6):
        times = (*microseconds_a_node(chain, n, 3), *microseconds_a_node(fan, n, 3))
        table.add_row(f"{n:,}", *(f"{t:.2f}" for t in times))
    console.print(table)


if __name__ == "__main__":
    main()
