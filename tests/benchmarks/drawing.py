"""How long pictures take: `viz.draw` and its embedded Graphviz, beside the program `dot` on the same source.

    python -m tests.benchmarks.drawing

The graphs are sums of more and more neurons; each node of them is drawn.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

import engine
import viz
from engine import Value


def graph(drawn: int) -> Value:
    """A graph whose picture has about so many nodes, operations among them."""
    outputs: list[Value] = []
    for i in range(drawn // 11):
        w1, w2, x = (Value(0.1 * (i % 7) - 0.3, f"{name}{i}") for name in ("u", "v", "x"))
        outputs.append((w1 * x + w2).tanh() * w2)  # 3 leaves, and 4 inner nodes with their operations
    total = engine.sum(outputs)
    total.backward()
    return total


def milliseconds(run: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def dot(source: bytes) -> bytes:
    return subprocess.run(["dot", "-Tsvg"], input=source, capture_output=True, check=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.drawing", description=__doc__)
    parser.add_argument("--repeats", type=int, default=11, help="pictures each (default: %(default)s)")
    repeats = parser.parse_args().repeats
    table = Table(title=f"Milliseconds for a picture in SVG, medians of {repeats}")
    for head in ("nodes drawn", "edges", "viz.draw", "embedded\nGraphviz", "both", "program dot"):
        table.add_column(head, justify="right")
    viz.draw(Value(1.0)).pipe()  # the first picture on a machine compiles Graphviz
    for drawn in (60, 400, 1000):
        root = graph(drawn)
        drawing = viz.draw(root)
        svg, source = drawing.pipe(encoding="utf-8"), drawing.source.encode()
        build = milliseconds(lambda root=root: viz.draw(root), repeats)
        layout = milliseconds(drawing.pipe, repeats)
        both = milliseconds(lambda root=root: viz.draw(root).pipe(), repeats)
        program = "not installed"
        if shutil.which("dot"):
            program = f"{milliseconds(lambda source=source: dot(source), repeats):.0f}"
        nodes, edges = (svg.count(f'class="{part}"') for part in ("node", "edge"))
        table.add_row(f"{nodes:,}", f"{edges:,}", f"{build:.1f}", f"{layout:.1f}", f"{both:.1f}", program)
    Console().print(table)


if __name__ == "__main__":
    main()
