"""The graph as a picture: every value with its label, data and gradient, every operation as a small node."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import graphviz

from engine import Step, Value, topological_order
from engine.formatting import format_number, printable
from engine.graph import operand_rows
from engine.labels import Names
from engine.validation import at_least, describe
from viz.clusters import INPUT, Boxes, Item, Path, fold_graph
from viz.drawing import Drawing
from viz.style import BLUE, DARK, GREEN, GREY, ORANGE

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
FOLDED = {"fillcolor": "#e3f3ec", "color": GREEN, "penwidth": "2"}
BOX = [
    {
        "style": "rounded,filled",
        "fillcolor": fill,
        "color": "#bbbbbb",
        "fontname": FONT,
        "fontsize": "16",
        "margin": "10",
    }
    for fill in ("#ffffff", "#f3f3f3")
]
LIT_LINES = {"color": ORANGE, "penwidth": "3"}
READABLE = 100  # values, above which the graph of a model is folded unless `depth` says how
MOST_NEURONS = 20  # of a layer, above which the layer is folded
MOST_TOLD = 30  # values that the description of a picture tells one by one
LIT_NODE = LIT_LINES | {"fillcolor": "#ffe4cc"}


def draw(
    root: Value,
    *,
    highlight: Step | None = None,
    depth: int | None = None,
    expand: bool = False,
    rankdir: str = "LR",
    precision: int = 6,
    max_nodes: int = 1000,
) -> Drawing:
    """The graph of `root`, operands to the left of what was made of them.

    Dotted labels make boxes: `layer1.w12` lies in the box of layer 1, and there in that of neuron 1. A graph that would
    be too large to read is folded: neurons or layers become one node each, which tells what goes in and out, and
    nodes that are alike, as those of many examples are, are drawn once; the picture then says so.

    Args:
        root: the node to draw with all below it.
        highlight: a step of `engine.Backprop`, whose node, parents and edges are lit up.
        depth: how many boxes to open, one in the other: with 0 each layer is one node, with 1 each neuron; as many as
            are readable unless given.
        expand: show `dot` and `sum` as products and sums.
        rankdir: where the graph runs: "LR", "RL", "TB" or "BT".
        precision: significant digits of data and gradients, 1 or more.
        max_nodes: the most nodes to draw; four times as many edges, which may span a hundred times as many ranks.

    Returns:
        A `graphviz.Digraph`, whose SVG needs no `dot` program; in a notebook it shows itself.

    Raises:
        ValueError: the graph is larger than `max_nodes` allows, even folded, or an option is out of its range.
        TypeError: `root` is no Value, or `depth` no int.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> drawing = draw(a * b)
    >>> "data -6.0" in drawing.pipe(encoding="utf-8").replace("&#45;", "-")
    True
    """
    if not isinstance(rankdir, str) or rankdir not in ("LR", "RL", "TB", "BT"):
        raise ValueError(f"rankdir is 'LR', 'RL', 'TB' or 'BT', got {rankdir!r}")
    if highlight is not None and not isinstance(highlight, Step):
        raise TypeError(f"highlight is a Step of Backprop, got {describe(highlight)}")
    if depth is not None:
        at_least(0, depth, "depth")
    at_least(1, precision, "precision")
    at_least(1, max_nodes, "max_nodes")
    boxes = Boxes(topological_order(root))
    items = _readable(boxes, depth, max_nodes)
    picture = _Picture(root, boxes, items, rankdir, precision)
    lit = set() if highlight is None else {highlight.node, *(x.parent for x in highlight.contributions)}
    for item in items:
        light = LIT_NODE if not lit.isdisjoint(item.nodes) else {}
        lines = LIT_LINES if highlight and highlight.node in item.nodes else {}
        if item.folded:
            picture.folded(item, light, lines)
        elif item.is_constant:
            picture.constant(item)
        else:
            style = ROOT if root in item.nodes else INNER if item.operands else LEAF
            picture.node(item, style | light, lines, expand)
    drawing = picture.finished()
    drawing.describe(f"The graph of {picture.names.definition(root)}", _description(boxes.order, picture.names))
    return drawing


def _description(order: list[Value], names: Names) -> str:
    """The graph in words, node by node where there are few."""
    values = [node for node in order if not node.is_constant]
    told = f"{len(values):,} values, each drawn after its operands."
    if len(values) > MOST_TOLD:
        return told
    nodes = [f"{names.definition(x)}: data {format_number(x.data)}, gradient {format_number(x.grad)}" for x in values]
    return " ".join([told, *(f"{node}." for node in nodes)])


class _Picture:
    """The drawing, item by item."""

    def __init__(self, root: Value, boxes: Boxes, items: list[Item], rankdir: str, precision: int) -> None:
        self.names, self.boxes, self.precision = Names(root), boxes, precision
        self.sideways = rankdir in ("LR", "RL")
        self.drawing = Drawing(
            graph_attr={"rankdir": rankdir, "nodesep": "0.25", "ranksep": "0.35", "bgcolor": "white"},
            node_attr={
                "shape": "Mrecord", "style": "filled", "fontname": FONT, "fontsize": "16", "margin": "0.18,0.055",
            },
            edge_attr={"color": DARK, "arrowsize": "0.8"},
        )  # fmt: skip
        self.items = items
        self.ids = {item: f"n{i}" for i, item in enumerate(items)}
        self.frames: dict[Path, graphviz.Digraph] = {(): self.drawing}
        self.boxed = any(item.path for item in items)
        self.edges: list[tuple[str, str, dict[str, str]]] = []

    def node(self, item: Item, style: dict[str, str], lines: dict[str, str], expand: bool) -> None:
        """A value, or many that are alike, and the operation that made it."""
        node = item.nodes[0]
        name = self.boxes.name(node) or (self.names[node] if len(item.nodes) == 1 else "")
        self._record(self.ids[item], item, name, [x.data for x in item.nodes], style)
        if not item.operands:
            return
        symbol, operands = node.op, item.operands
        if expand and symbol == "dot":
            half, products = len(operands) // 2, []
            rows_of = [operand_rows(x) for x in item.nodes]
            for i, row in enumerate(rows_of[0]):
                products.append(f"{self.ids[item]}x{i}")
                data = [math.prod(x.data for x in many[i]) for many in rows_of]
                self._record(products[-1], item, self.names.term(node, row), data, INNER)
                self._operation(products[-1], item.path, "*", [self.ids[operands[k]] for k in (i, half + i)], lines)
            self._operation(self.ids[item], item.path, "+", products, lines)
            return
        sources = [self.ids[x] for x in operands]
        if len(sources) > 2 and any(x.folded or len(x.nodes) > 1 for x in (item, *operands)):
            sources = list(dict.fromkeys(sources))
        self._operation(self.ids[item], item.path, "+" if expand and symbol == "sum" else symbol, sources, lines)

    def constant(self, item: Item) -> None:
        node = item.nodes[0]
        many = _range([x.data for x in item.nodes])
        told = self.names.definition(node) if "…" not in many else " = ".join(filter(None, [node.label, many]))
        self._node(item.path, self.ids[item], escaped(told), CONSTANT)

    def folded(self, item: Item, style: dict[str, str], lines: dict[str, str]) -> None:
        """A box as one node, with what goes in and out of it."""
        nodes = dict.fromkeys(item.nodes)
        parameters = sum(not x.is_constant and not x.parents for x in nodes)
        calls = max(Counter(x.label for x in nodes if x.parents and x.label).values(), default=1)
        fields = [escaped(item.name) + f" × {calls:,}" * (calls > 1)]
        ways = [self._listed(x) for x in (item.inputs, item.outputs) if x]
        fields.append(" → ".join(ways))
        if len({x.label for x in item.outputs}) == 1 or not item.operands:
            fields += self._numbers([x.data for x in item.outputs], [*item.outputs])
        fields.append(f"{len(nodes):,} nodes, {parameters:,} parameter{'s' * (parameters != 1)}")
        room = [f"\u00a0{field}\u00a0" for field in fields]
        self._node(item.path, self.ids[item], self._fields(*room), FOLDED | style)
        for operand in item.operands:
            self._edge(self.ids[operand], self.ids[item], lines)

    def finished(self) -> Drawing:
        """The drawing, with its frames and edges, and a note of what is folded."""
        size = f"{len(self.boxes.order):,} nodes"
        note = []
        if any(item.folded for item in self.items):
            note.append(f"{size}, folded into {len(self.items)}; a larger depth opens the green boxes")
        if any(len(item.nodes) > 1 and not item.folded and not item.is_constant for item in self.items):
            note.append("× n: so many nodes alike, drawn once, from their least to their largest number")
        if note:
            self.drawing.attr("graph", label="\\n".join(note), fontname=FONT, fontsize="14", fontcolor=GREY)
        self._in_order()
        for path in sorted(self.frames, key=len, reverse=True):
            if path:
                self.frames[path[:-1]].subgraph(self.frames[path])
        self._in_line()
        for source, to, style in self.edges:
            self.drawing.edge(source, to, **style)
        return self.drawing

    def _in_line(self) -> None:
        """Puts the parameters of a layer beyond the layer before it: boxes side by side, not one under the other."""
        before: dict[str, Item] = {}
        for item in self.items:
            for operand in item.operands if item.path else ():
                if operand.path[:1] != item.path[:1] and (operand.operands or operand.folded):
                    before.setdefault(item.path[0], operand)
        for item in self.items:
            if item.path and not item.operands and item.path[0] in before:
                self.drawing.edge(self.ids[before[item.path[0]]], self.ids[item], style="invis")

    def _in_order(self) -> None:
        """Puts the folded neurons of a layer one under the other as they are numbered, with room for their lines."""
        columns: dict[Path, list[Item]] = {}
        for item in self.items:
            if item.folded and item.name.startswith("neuron "):
                columns.setdefault(item.path, []).append(item)
        for path, column in columns.items():
            # Sideways, dot counts from below.
            column.sort(key=lambda item: int(item.name.removeprefix("neuron ")), reverse=self.sideways)
            with self.frames[path].subgraph(graph_attr={"rank": "same"}) as rank:
                for one, other in pairwise(column):
                    rank.edge(self.ids[one], self.ids[other], style="invis")
        if columns:
            room = 0.35 + max(map(len, columns.values())) / 16
            self.drawing.attr("graph", ranksep=f"{min(room, 2.0):.2f}", remincross="false")

    def _record(self, key: str, item: Item, name: str, data: list[float], style: dict[str, str]) -> None:
        times = f"× {len(item.nodes):,}" * (len(item.nodes) > 1)
        label = _wide("\\n".join(filter(None, [escaped(name) if name or not times else "", times])))
        self._node(item.path, key, self._fields(label, *self._numbers(data, item.nodes)), style)

    def _numbers(self, data: list[float], nodes: list[Value]) -> list[str]:
        grads = [node.grad for node in nodes]
        return [f"data {_range(data, self.precision)}", f"grad {_range(grads, self.precision)}"]

    def _listed(self, nodes: Iterable[Value]) -> str:
        """The names of nodes, the first and the last of many."""
        names = list(dict.fromkeys(self.boxes.name(node) or self.names[node] for node in nodes))
        return escaped(", ".join(names if len(names) <= 4 else [names[0], "...", names[-1]]))

    def _fields(self, *fields: str) -> str:
        return "|".join(fields) if self.sideways else f"{{{'|'.join(fields)}}}"

    def _operation(self, key: str, path: Path, symbol: str, operands: list[str], style: dict[str, str]) -> None:
        self._node(path, f"{key}op", symbol, OPERATION | style)
        for operand in operands:
            self._edge(operand, f"{key}op", style)
        self._edge(f"{key}op", key, style)

    def _node(self, path: Path, key: str, label: str, style: dict[str, str]) -> None:
        self._frame(path).node(key, label, **style)

    def _edge(self, source: str, to: str, style: dict[str, str]) -> None:
        if self.boxed:  # a node lies in the box in which it comes first, so that the edges have to wait
            self.edges.append((source, to, style))
        else:
            self.drawing.edge(source, to, **style)

    def _frame(self, path: Path) -> graphviz.Digraph:
        for i in range(1, len(path) + 1):
            if path[:i] not in self.frames:
                frame = graphviz.Digraph(name=f"cluster {len(self.frames)}", graph_attr=BOX[i % 2])
                frame.attr("graph", label=escaped(path[i - 1]))
                self.frames[path[:i]] = frame
        return self.frames[path]


def _readable(boxes: Boxes, depth: int | None, max_nodes: int) -> list[Item]:
    """The graph in as much detail as can be read.

    Raises:
        ValueError: Graphviz would spend more than some seconds on its layout, however it is folded.
    """
    labels = [node.label for node in boxes.order if node.parents and node.label]
    again = len(set(labels)) < len(labels)  # the same neuron for another example
    details: list[tuple[int | None, bool]] = [(None, False), (None, True)] if again else [(None, False)]
    limit = max_nodes
    if depth is not None and depth < boxes.depth:
        details = [(depth, True)]
    elif depth is None and boxes.depth:
        details += [(opened, True) for opened in reversed(range(boxes.depth))]
        limit = min(READABLE, max_nodes)
    leaves = [node for node in boxes.order if not (node.parents or node.is_constant or INPUT.fullmatch(node.label))]
    sizes = []
    for opened, alike in details:
        if opened is None and len(leaves if alike else boxes.order) > limit:  # as many as will be drawn, or more
            sizes.append((len(boxes.order), 0, 0))
            continue
        items = fold_graph(boxes, depth=opened, alike=alike)
        sizes.append(_size(items))
        last = (opened, alike) == details[-1]
        if all(size <= most for size, most in zip(sizes[-1], _most(max_nodes if last else limit), strict=True)) and (
            last or depth is not None or _tallest(items) <= MOST_NEURONS
        ):
            return items
    nodes, edges, span = sizes[0]
    size = f"{nodes:,} nodes" + f" with {edges:,} edges spanning {span:,} ranks" * bool(edges)
    raise ValueError(
        f"the graph has {size}, more than max_nodes={max_nodes:,} allows: draw an inner node instead, "
        + "fold it by depth=0, " * (depth is not None and depth > 0)
        + "record fewer rows, use dot and sum for long sums, or pass a larger max_nodes"
    )


def _most(nodes: int) -> tuple[int, int, int]:
    return nodes, 4 * nodes, 100 * nodes


def _size(items: list[Item]) -> tuple[int, int, int]:
    """The numbers of nodes and of edges, and how many ranks these span."""
    rank: dict[Item, int] = {}
    edges = span = 0
    for item in items:
        operands = item.operands
        rank[item] = 1 + max((rank.get(x, 0) for x in operands), default=0)
        edges += len(operands)
        span += sum(rank[item] - rank.get(x, 0) for x in operands)
    return len(items), edges, span


def _tallest(items: list[Item]) -> int:
    """The largest number of folded neurons side by side."""
    return max(Counter(item.path for item in items if item.folded).values(), default=0)


def _range(xs: list[float], precision: int = 6) -> str:
    """A number, or the least and the largest of many."""
    least, largest = min(xs), max(xs)
    if format_number(least, precision) == format_number(largest, precision):
        return format_number(least, precision)
    return f"{format_number(least, (precision + 1) // 2)} … {format_number(largest, (precision + 1) // 2)}"


def escaped(label: str) -> str:
    """A label as the text of a record field, in which nothing of it is interpreted."""
    escapes = {"\n": "\\n", "&": "&amp;", "\\": "\\\\"} | {c: f"\\{c}" for c in "{}|<> "}
    lines = [line or "\u00a0" for line in printable(label, keep="\n").split("\n")]  # Graphviz minds an empty first line
    return "".join(escapes.get(c, c) for c in "\n".join(lines))


def _wide(label: str) -> str:
    """With room for wide characters (Chinese, emoji), which Graphviz takes for narrow ones."""
    width = max(sum(unicodedata.east_asian_width(c) in "WF" for c in line) for line in label.split("\\n"))
    room = "\u00a0" * math.ceil(width * 0.6)
    return f"{room}{label}{room}"
