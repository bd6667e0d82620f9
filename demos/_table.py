"""A table of one's own numbers: a CSV file with a header row, the last column the target."""

from __future__ import annotations

import csv
import math
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Table:
    """Rows of numbers, each with its target in text.

    Attributes:
        names: the header, the target's name last.
        rows: the inputs of every example.
        targets: the target of every example, as it stands in the file.
    """

    names: list[str]
    rows: list[list[float]]
    targets: list[str]

    @property
    def classes(self) -> list[str]:
        """The distinct targets: numbers in their order, before all other text in its."""
        return sorted(set(self.targets), key=lambda text: (_number(text) is None, _number(text) or 0.0, text))

    def standardised(self) -> Table:
        """The same table with mean 0 and standard deviation 1 in every column that is not the same all over."""
        columns = []
        for column in zip(*self.rows, strict=True):
            mean = math.fsum(column) / len(column)
            deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in column) / len(column)) or 1.0
            columns.append([(x - mean) / deviation for x in column])
        return replace(self, rows=[list(row) for row in zip(*columns, strict=True)])

    def two_classes(self) -> list[tuple[list[float], int]]:
        """The rows with -1 for the first class and 1 for the second.

        Raises:
            ValueError: there are not two classes.
        """
        if len(self.classes) != 2:
            shown = ", ".join(self.classes[:5]) + ", ..." * (len(self.classes) > 5)
            raise ValueError(f"the column {self.names[-1]!r} has {len(self.classes)} classes, not two: {shown}")
        first, _ = self.classes
        return [(x, -1 if r == first else 1) for x, r in zip(self.rows, self.targets, strict=True)]


def read(path: Path) -> Table:
    """The table in a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: something in it is wrong; the message names line and column.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, line) for line in reader if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no CSV file: {error}") from None
    if len(lines) < 3:
        raise ValueError(f"{path} has {len(lines)} lines: it takes a header and two examples or more")
    names = [name.strip() for name in lines[0][1]]
    if len(names) < 2:
        raise ValueError(f"{path}, line {lines[0][0]}: it takes two columns or more, with commas between; got {names}")
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ValueError(f"{path}, line {lines[0][0]}: the column {twice[0]!r} is there twice")
    if all(_number(name) is not None for name in names):
        raise ValueError(f"{path}, line {lines[0][0]}: the first line has the names of the columns, got {names}")
    rows, targets = [], []
    for at, line in lines[1:]:
        if len(line) != len(names):
            raise ValueError(f"{path}, line {at}: the header has {len(names)} columns, this line has {len(line)}")
        row = []
        for name, text in zip(names[:-1], line, strict=False):
            x = _number(text)
            if x is None:
                raise ValueError(f"{path}, line {at}, column {name!r}: a finite number goes here, got {text!r}")
            row.append(x)
        if not line[-1].strip():
            raise ValueError(f"{path}, line {at}, column {names[-1]!r}: the target is missing")
        rows.append(row)
        targets.append(line[-1].strip())
    return Table(names, rows, targets)


def _number(text: str) -> float | None:
    try:
        x = float(text)
    except ValueError:
        return None
    return x if math.isfinite(x) else None
