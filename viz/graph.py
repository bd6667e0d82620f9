"""The graph as a picture: every value with its label, data and gradient, every operation as a small node."""

from __future__ import annotations

import math
import unicodedata

from engine import Step, Value, topological_order
from engine.graph import rows
from engine.names import Names, number, visible
from viz.palette import BLUE, DARK, GREY, ORANGE
from viz.render import Drawing

FONT = "Helvetica,Arial,sans-serif"
LEAF = {"fillcolor": "#dcebf7", "color": BLUE}
INNER = {"fillcolor": "#ffffff", "color": DARK}
ROOT = {"fillcolor": "#fdebd0", "color": "#b35900"}
CONSTANT = {"shape": "plaintext", "style": "", "fontcolor": GREY}
OPERATION = {
    "shape": "oval",
    "fillcolor": DARK,
    "color": DARK,
    "fontcolor": "#ffffff",
    "margin": "0.06,0.02",
    "ordering": "in",
}
LIT_LINES = {"color": ORANGE, "penwidth": "3"}
LIT_NODE = LIT_LINES | {"fillcolor": "#ffe4cc"}


def draw(
    root: Value,
    *,
    highlight: Step | None = None,
    expand: bool = False,
    rankdir: str = "LR",
    precision: int = 6,
    max_nodes: int = 1000,
) -> Drawing:
    """The graph of `root`, operands to the left of what was made of them.

    Args:
        root: the node to draw with all below it.
        highlight: a step of `engine.Backprop`, whose node, parents and edges are lit up.
        expand: show `dot` and `sum` as products and sums.
        rankdir: where the graph runs: "LR", "RL", "TB" or "BT".
        precision: significant digits of data and gradients, 1 or more.
        max_nodes: the most nodes to draw; four times as many edges, which may span a hundred times as many ranks.

    Returns:
        A `graphviz.Digraph`, whose SVG needs no `dot` program; in a notebook it shows itself.

    Raises:
        ValueError: the graph is larger than `max_nodes` allows, or an option is out of its range.
        TypeError: `root` is no Value.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> drawing = draw(a * b)
    >>> "data -6.0" in drawing.pipe(encoding="utf-8").replace("&#45;", "-")
    True
    """
    if rankdir not in ("LR", "RL", "TB", "BT"):
        raise ValueError(f"rankdir is 'LR', 'RL', 'TB' or 'BT', got {rankdir!r}")
    order = topological_order(root)
    _check_size(order, max_nodes)
    drawing = Drawing(
        graph_attr={"rankdir": rankdir, "nodesep": "0.25", "ranksep": "0.35", "bgcolor": "white"},
        node_attr={"shape": "Mrecord", "style": "filled", "fontname": FONT, "fontsize": "16", "margin": "0.18,0.055"},
        edge_attr={"color": DARK, "arrowsize": "0.8"},
    )
    names = Names(root)
    ids = {node: f"n{i}" for i, node in enumerate(order)}
    lit = set() if highlight is None else {highlight.node, *(x.parent for x in highlight.contributions)}

    def box(key: str, label: str, data: float, grad: float, style: dict[str, str]) -> None:
        fields = f"{_wide(_escaped(label))}|data {number(data, precision)}|grad {number(grad, precision)}"
        drawing.node(key, fields if rankdir in ("LR", "RL") else f"{{{fields}}}", **style)

    def operation(key: str, symbol: str, operands: list[str], style: dict[str, str]) -> None:
        drawing.node(f"{key}op", symbol, **OPERATION | style)
        for operand in operands:
            drawing.edge(operand, f"{key}op", **style)
        drawing.edge(f"{key}op", key, **style)

    for node in order:
        if node.is_constant:
            drawing.node(ids[node], _escaped(names.definition(node)), **CONSTANT)
            continue
        style = ROOT if node is root else INNER if node.parents else LEAF
        box(ids[node], node.label or names[node], node.data, node.grad, style | (LIT_NODE if node in lit else {}))
        if not node.parents:
            continue
        lines = LIT_LINES if highlight and node is highlight.node else {}
        symbol, operands = node.op, [ids[x] for x in node.parents]
        if expand and symbol in ("dot", "sum"):
            if symbol == "dot":
                operands = []
                for i, row in enumerate(rows(node)):
                    operands.append(f"{ids[node]}x{i}")
                    box(operands[-1], names.term(node, row), math.prod(x.data for x in row), node.grad, INNER)
                    operation(operands[-1], "*", [ids[x] for x in row], lines)
            symbol = "+"
        operation(ids[node], symbol, operands, lines)
    return drawing


def _check_size(order: list[Value], max_nodes: int) -> None:
    """A ValueError for a graph on whose layout Graphviz would spend more than some seconds."""
    rank: dict[Value, int] = {}
    edges = span = 0
    if len(order) <= max_nodes:
        for node in order:
            parents = node.parents
            rank[node] = 1 + max((rank[x] for x in parents), default=0)
            edges += len(parents)
            span += sum(rank[node] - rank[x] for x in parents)
    if len(order) > max_nodes or edges > 4 * max_nodes or span > 100 * max_nodes:
        size = f"{len(order):,} nodes" + f" with {edges:,} edges spanning {span:,} ranks" * bool(edges)
        raise ValueError(
            f"the graph has {size}, more than max_nodes={max_nodes:,} allows: draw an inner node instead, "
            "record fewer rows, use dot and sum for long sums, or pass a larger max_nodes"
        )


def _escaped(label: str) -> str:
    """A label as the text of a record field, in which nothing of it is interpreted."""
    escapes = {"\n": "\\n", "&": "&amp;", "\\": "\\\\"} | {c: f"\\{c}" for c in "{}|<> "}
    lines = [line or "\u00a0" for line in visible(label, keep="\n").split("\n")]  # Graphviz minds an empty first line
    return "".join(escapes.get(c, c) for c in "\n".join(lines))


def _wide(label: str) -> str:
    """With room for wide characters (Chinese, emoji), which Graphviz takes for narrow ones."""
    width = max(sum(unicodedata.east_asian_width(c) in "WF" for c in line) for line in label.split("\\n"))
    room = "\u00a0" * math.ceil(width * 0.6)
    return f"{room}{label}{room}"
