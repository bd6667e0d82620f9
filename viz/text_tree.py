"""The graph as a tree of text, for a terminal."""

from __future__ import annotations

import sys

from rich.cells import cell_len, set_cell_size

from engine import Value, topological_order
from engine.errors import warn_of_stale
from engine.foreign import usage
from engine.formatting import format_number
from engine.labels import Names
from engine.validation import at_least

ASCII_BRANCHES = str.maketrans({"├": "|", "└": "`", "│": "|", "─": "-"})


class Tree(str):
    """Text that the prompt shows as it is, without quotes.

    `print` and `str` replace what the encoding of the console lacks: the branches by ASCII, others by escapes.
    """

    __slots__ = ()

    def __str__(self) -> str:
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        try:
            self.encode(encoding)
        except UnicodeEncodeError:
            return self.translate(ASCII_BRANCHES).encode(encoding, "backslashreplace").decode(encoding)
        return self[:]

    def __repr__(self) -> str:
        return str(self)


@usage("viz.text(L)")
def text(root: Value, *, precision: int = 6, max_nodes: int = 1000) -> Tree:
    """Return the graph of `root` as a tree: below each node its operands, with data and gradient.

    A node that is used more than once has its operands below its first place, and `...` at the others.

    Args:
        root: the node to show with everything it depends on.
        precision: significant digits of data and gradients, 1 or more.
        max_nodes: the most nodes to show.

    Raises:
        ValueError: the graph has more than `max_nodes` nodes, or `precision` is less than 1.
        TypeError: `root` is not a Value.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> L = a * b + a
    >>> L.backward()
    >>> text(L)
    a*b + a    data -4.0  grad 1.0
    ├── a*b    data -6.0  grad 1.0
    │   ├── a  data 2.0   grad -2.0
    │   └── b  data -3.0  grad 2.0
    └── a      data 2.0   grad -2.0
    """
    order = topological_order(root)
    size = len(order)
    at_least(1, precision, "precision")
    if size > at_least(1, max_nodes, "max_nodes"):
        raise ValueError(
            f"the graph must fit max_nodes={max_nodes:,}, got {size:,} nodes: show an inner node instead, "
            "or pass a larger max_nodes"
        )
    warn_of_stale(order)
    names = Names(root)
    rows: list[list[str]] = []
    expanded: set[Value] = set()
    stack = [(root, "", "")]  # a node, the lines before its name, and the lines before the names of its operands
    while stack:
        node, lead, indent = stack.pop()
        is_repeat = node in expanded and node.parents
        row = [f"{lead}{names.definition(node)}{' ...' if is_repeat else ''}", "", ""]
        if not node.is_constant:
            row[1:] = f"data {format_number(node.data, precision)}", f"grad {format_number(node.grad, precision)}"
        rows.append(row)
        if node.parents and not is_repeat:
            expanded.add(node)
            *others, last = node.parents
            stack.append((last, f"{indent}└── ", f"{indent}    "))
            stack += [(x, f"{indent}├── ", f"{indent}│   ") for x in reversed(others)]
    widths = [max(cell_len(row[column]) for row in rows) for column in (0, 1)]
    return Tree("\n".join("  ".join([*map(set_cell_size, row, widths), row[2]]).rstrip() for row in rows))
