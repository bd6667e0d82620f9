"""Cold start: how long the first use on a machine waits for the compiler.

Every program runs in a new process: first with an empty cache folder, then with the machine code that it left there.
The difference is the wait for compilation. The custom rule is measured on a machine that has trained before.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from rich.console import Console
from rich.table import Table

XOR = """
import nn
data = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
nn.train(nn.MLP(2, [4, 1], seed=1), nn.binary_cross_entropy, data, seed=1, compiled=True)
"""

MOONS = """
import nn
from demos._data import moons
examples = moons().two_classes()
model = nn.MLP(2, [16, 16, 1], hidden="relu", seed=1)
nn.train(model, nn.hinge, examples, optimizer=nn.SGD(model.parameters()), batch_size=None, epochs=300, compiled=True)
"""

# The sum over all models is more than any of them takes.
EVERYTHING = """
import nn
for name in "sign", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "gelu", "silu":
    nn.train(nn.MLP(2, [2, 2], hidden=name), nn.mse, [((0.2, 0.3), (0.0, 1.0))], epochs=1, compiled=True)
for loss, output, r in (nn.hinge, 1, 1), (nn.binary_cross_entropy, 1, 1), (nn.cross_entropy, 2, 1):
    nn.train(nn.MLP(2, [2, output]), loss, [((0.2, 0.3), r)], epochs=1, compiled=True)
"""

RULE = """
import engine
cube = engine.rule("cube", "a**3", "3*a**2")
x = engine.Value(2.0)
engine.compile(cube(x), x).gradient([3.0])
"""

PROGRAMS = {  # what the cache holds before, and the program
    "XOR, the whole program": ("", XOR),
    "moons": ("", MOONS),
    "all activations and losses of nn together": ("", EVERYTHING),
    "a custom rule": (XOR, RULE),
}


def seconds(program: str, folder: str) -> tuple[float, float]:
    """Return the seconds on the clock, and those of the processor, that a program takes in a new process."""
    environment = os.environ | dict.fromkeys(["HOME", "LOCALAPPDATA", "XDG_CACHE_HOME"], folder)
    clock, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, "-c", program], env=environment, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - clock, processor


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.cold_start",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repeats", type=int, default=5, help="runs of each program (default: %(default)s)")
    repeats = parser.parse_args().repeats
    table = Table(title=f"Seconds with an empty cache folder; medians of {repeats}")
    for head in ("", "clock", "processor", "waiting for compilation (processor)"):
        table.add_column(head, justify="right" if head else "left")
    for name, (preparation, program) in PROGRAMS.items():
        runs = []
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as folder:
                seconds(preparation, folder)
                clock, processor = seconds(program, folder)
                runs.append((clock, processor, processor - seconds(program, folder)[1]))
        table.add_row(name, *[f"{statistics.median(column):.2f}" for column in zip(*runs, strict=True)])
    Console().print(table)


if __name__ == "__main__":
    main()
