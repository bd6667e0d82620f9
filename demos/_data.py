"""Tables of examples: the data sets of the lessons, and CSV files with a header and the target last."""

import csv
import math
import random
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

Examples = list[tuple[list[float], int]]

CORNERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
AND: Examples = [([a, b], 1 if a and b else -1) for a, b in CORNERS]
OR: Examples = [([a, b], 1 if a or b else -1) for a, b in CORNERS]
XOR: Examples = [([a, b], 1 if a != b else -1) for a, b in CORNERS]


@dataclass(frozen=True)
class Table:
    """The column names, the target's last; the inputs of every example; its target as text."""

    names: list[str]
    rows: list[list[float]]
    targets: list[str]
    is_standardized: bool = False

    @property
    def classes(self) -> list[str]:
        """The distinct targets: numbers in increasing order, then other texts in alphabetical order."""
        return sorted(set(self.targets), key=lambda text: (_number(text) is None, _number(text) or 0.0, text))

    @property
    def examples(self) -> Examples:
        """The inputs of every example with the index of its class."""
        return list(zip(self.rows, map(self.classes.index, self.targets), strict=True))

    def standardized(self) -> "Table":
        """Return the table with mean 0 and standard deviation 1 in every input column, or deviation 0 if constant."""
        columns = []
        for numbers in zip(*self.rows, strict=True):
            exponent = math.frexp(max(map(abs, numbers)))[1]  # a power of 2 that keeps the squares from overflowing
            column = [math.ldexp(x, -exponent) for x in numbers]
            mean = fmean(column)
            deviation = math.sqrt(fmean((x - mean) ** 2 for x in column)) or 1.0
            columns.append([(x - mean) / deviation for x in column])
        return replace(self, rows=[list(row) for row in zip(*columns, strict=True)], is_standardized=True)

    def two_classes(self) -> Examples:
        """Return the examples with target -1 for the first class and 1 for the second; there must be just two."""
        if len(self.classes) != 2:
            some = ", ".join(self.classes[:5])
            raise ValueError(f"column {self.names[-1]!r} must have 2 classes, got {len(self.classes)}: {some}")
        return [(x, 2 * k - 1) for x, k in self.examples]


def read_table(path: Path) -> Table:
    """Read a CSV file; an error names the line and the column."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            lines = [(f"{path}, line {reader.line_num}", cells) for cells in reader if cells]
    except (UnicodeDecodeError, csv.Error, IsADirectoryError) as error:
        raise ValueError(f"{path} must be a CSV file: {error}") from None
    if len(lines) < 3:
        raise ValueError(f"{path} must have a header and at least 2 examples, got {len(lines)} line(s)")
    place, header = lines[0]
    names = [name.strip() for name in header]
    if len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(f"{place}: the header must be 2 or more different names, separated by commas, got {names}")
    if all(_number(name) is not None for name in names):
        raise ValueError(f"{place}: the header must be the names of the columns, got only numbers: {names}")
    for place, cells in lines[1:]:
        if len(cells) != len(names):
            raise ValueError(f"{place}: the line must have {len(names)} columns, as the header has, got {len(cells)}")
        for name, cell in zip(names[:-1], cells, strict=False):
            if _number(cell) is None:
                raise ValueError(f"{place}, column {name!r}: the cell must be a finite number, got {cell!r}")
        if not cells[-1].strip():
            raise ValueError(f"{place}, column {names[-1]!r}: the target must not be empty")
    rows = [[float(cell) for cell in cells[:-1]] for _, cells in lines[1:]]
    table = Table(names, rows, [cells[-1].strip() for _, cells in lines[1:]])
    if len(table.classes) < 2:
        raise ValueError(f"{path}, column {names[-1]!r}: there must be 2 or more classes, got only {table.classes}")
    return table


def moons() -> Table:
    """Return 100 noisy points on two half circles."""
    from sklearn.datasets import make_moons

    points: Any
    points, classes = make_moons(n_samples=100, noise=0.1, random_state=1)
    return Table(["x1", "x2", "moon"], points.tolist(), [str(k) for k in classes])


def circles() -> Table:
    """Return 200 noisy points on two circles around the origin, of radius 0.4 and 1."""
    rng = random.Random(1)
    rows = [_point(rng, 0.4 if i % 2 else 1.0, rng.uniform(0.0, 2 * math.pi), 0.08) for i in range(200)]
    return Table(["x1", "x2", "circle"], rows, ["inner" if i % 2 else "outer" for i in range(200)])


def spirals() -> Table:
    """Return 200 noisy points on two spirals of a turn and a half."""
    rng = random.Random(1)
    turns = [(i, i // 2 / 100) for i in range(200)]
    rows = [_point(rng, 0.3 + 2.7 * turn, 3 * math.pi * turn + math.pi * (i % 2), 0.06) for i, turn in turns]
    return Table(["x1", "x2", "spiral"], rows, [str(i % 2) for i in range(200)])


def iris() -> Table:
    """Return 150 flowers of three species (Fisher 1936)."""
    from sklearn.datasets import load_iris

    data: Any = load_iris()
    names = [name.removesuffix(" (cm)") for name in data.feature_names]
    return Table([*names, "kind"], data.data.tolist(), [str(data.target_names[k]) for k in data.target])


def _point(rng: random.Random, radius: float, angle: float, noise: float) -> list[float]:
    """Return a point with normal noise of standard deviation `noise` in both coordinates."""
    return [radius * f(angle) + rng.gauss(0.0, noise) for f in (math.cos, math.sin)]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
