"""Cost per node for graphs of 10^3 to 10^6 nodes, and cost per row for 10^2 to 10^7 rows.

A neuron is tanh(w*x + b). Deep graphs are a chain of neurons with the weights of one of 100, each the input of the
next; wide graphs are a sum of neurons with one input and different weights. "paused" is recording while Python's
garbage collector pauses, which otherwise traces the new Values. Rows run through a compiled network 2-16-16-1, forward
and backward; more than 1,024 use all cores. Figures are medians of processor time, and for rows of time on a clock,
on one core and on all, too. The numbers are the same on any number of cores, to the last bit.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import engine
import nn
from engine import Value
from engine.compiler import program
from engine.recording import collector_paused

NODES = [10**k for k in (3, 4, 5, 6)]
ROWS = [10**k for k in (2, 3, 4, 5, 6, 7)]
CORES = os.sched_getaffinity(0)
SMALL = 10**5  # nodes or rows per measurement at least, by repetition


def deep(n: int) -> tuple[Value, Value]:
    """Return a chain of about n nodes, and its input."""
    weights = [(Value(0.5 + i / 200), Value(i / 100 - 0.5)) for i in range(100)]
    x = y = Value(0.3)
    for i in range(n // 3):
        w, b = weights[i % 100]
        y = (w * y + b).tanh()
    return y, x


def wide(n: int) -> tuple[Value, Value]:
    """Return a sum in a graph of about n nodes, and its input."""
    x = Value(0.3)
    return engine.sum([(Value(i / n) * x + Value(0.5)).tanh() for i in range(n // 5)]), x


def node_costs(make: Callable[[int], tuple[Value, Value]], n: int) -> dict[str, float]:
    """Return the nanoseconds per node of every kind of use."""
    times: dict[str, float] = {}

    def timed(name: str, action: Callable[..., Any], *arguments: Any) -> Any:
        begin = time.process_time()
        result = action(*arguments)
        times[name] = times.get(name, 0.0) + time.process_time() - begin
        return result

    repeats = max(SMALL // n, 1)
    for _ in range(repeats):
        timed("record", make, n)
        with collector_paused():
            y, x = timed("paused", make, n)
        timed("forward", y.forward)
        timed("backward", y.backward)
        timed("Backprop", engine.Backprop(y).run)
        timed("compile", engine.compile, y, x)
    n_nodes = len(engine.topological_order(y))
    return {name: seconds / repeats / n_nodes * 1e9 for name, seconds in times.items()}


def row_costs() -> Iterator[list[str]]:
    """Yield numbers of rows, nanoseconds per row, and megabytes of rows and of the rest.

    The nanoseconds are processor time, the time on a clock on one core, and that on all cores.
    """
    model, x = nn.MLP(2, [16, 16, 1], "tanh", seed=1), [Value(0.0, "x1"), Value(0.0, "x2")]
    function = engine.compile(model(x), x)
    parameters = np.array([p.data for p in function.parameters])
    for n in ROWS:
        rows = np.random.default_rng(1).normal(size=(n, 2))
        before, times, results = peak(), [], set()
        for _ in range(max(SMALL // n, 5)):
            seconds = []
            for cores in (sorted(CORES)[:1], CORES):
                use(cores)
                begin = time.process_time(), time.perf_counter()
                mean, gradient = function.mean_gradient(rows, parameters)
                seconds += [time.process_time() - begin[0], time.perf_counter() - begin[1]]
                results.add((mean, gradient.tobytes()))
            times.append((seconds[0], seconds[1], seconds[3]))
        if len(results) > 1:
            raise SystemExit(f"the results of {n} rows differ between one core and all")
        per_row = [statistics.median(column) / n * 1e9 for column in zip(*times, strict=True)]
        megabytes = rows.nbytes / 2**20, peak() - before
        yield [f"{n:,}", *(f"{number:,.0f}" for number in (*per_row, *megabytes))]


def use(cores: Iterable[int]) -> None:
    """Let compiled functions use these cores only."""
    os.sched_setaffinity(0, cores)
    program._threads.cache_clear()


def peak() -> float:
    """Return the most memory that the process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale", description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each size (default: %(default)s)")
    repeats = parser.parse_args().repeats
    table = Table(
        "rows",
        "processor",
        "clock, one core",
        "clock, all cores",
        "MB of rows",
        "MB more",
        title="A gradient over rows: ns per row",
    )
    for cells in row_costs():
        table.add_row(*cells)
    Console().print(table)
    for make in (deep, wide):
        runs: dict[int, list[dict[str, float]]] = {n: [] for n in NODES}
        for _ in range(repeats):
            for n in NODES:
                runs[n].append(node_costs(make, n))
                gc.collect()
        table = Table("nodes", *runs[NODES[0]][0], title=f"{make.__name__.title()} graphs: ns per node")
        for n, measured in runs.items():
            medians = (statistics.median(run[name] for run in measured) for name in measured[0])
            table.add_row(f"{n:,}", *(f"{median:,.0f}" for median in medians))
        Console().print(table)


if __name__ == "__main__":
    main()
