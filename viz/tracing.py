"""The lines of a program that recorded the nodes of a graph, for pages that show them."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

import engine
from engine import Value
from engine import value as recorder

OURS = tuple(str(Path(engine.__file__).parents[1] / name) + os.sep for name in ("engine", "nn", "viz"))

_places: WeakKeyDictionary[Value, tuple[str, int]] = WeakKeyDictionary()  # the file and the number of a line


@contextmanager
def source_lines() -> Iterator[None]:
    """Remember in the `with` block which line of the program records each node; `viz.page` then shows it.

    The line is that of the outermost call into this library, such as `model(x)`. It is known in scripts and notebooks;
    at the prompt, only from Python 3.13 on. Recording takes longer in the block, and no longer outside.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> with source_lines():
    ...     L = a * b
    >>> source_line(L)
    'L = a * b'
    """
    new = recorder._new

    def traced(cls: type[Value]) -> Any:
        node = new(cls)
        frame = sys._getframe(1)
        while frame.f_back and frame.f_code.co_filename.startswith(OURS):
            frame = frame.f_back
        _places[node] = frame.f_code.co_filename, frame.f_lineno
        return node

    recorder._new = cast(Any, traced)
    try:
        yield
    finally:
        recorder._new = new


def source_line(node: Value) -> str:
    """Return the line of the program that recorded a node; "" if it is not known."""
    place = _places.get(node)
    return linecache.getline(*place).strip() if place else ""
