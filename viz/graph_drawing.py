"""The drawing of a graph: a box per value with its label, data and gradient, and a small node per operation."""

from __future__ import annotations

import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import graphviz

from engine import Backprop, ForwardMode, ForwardStep, Step, Value, topological_order
from engine.errors import warn_of_stale
from engine.foreign import usage
from engine.formatting import format_number
from engine.graph import operand_rows
from engine.labels import Names
from engine.validation import at_least, describe
from viz import style as styles
from viz.clusters import INPUT, Clusters, DrawnNode, Path, fold_graph
from viz.drawing import Drawing, escape_label
from viz.highlighting import Highlight, Style, local_derivatives_by_place

Edge = tuple[str, Style]  # the operand that it comes from

MAX_READABLE = 100  # nodes; the graph of a larger model is folded, unless `depth` is given
MAX_EDGES = 4  # per readable node; more are a tangle
MAX_NEURONS = 10  # of a layer; a larger layer is folded
CHARACTER_WIDTH = 0.143  # inches, of a digit in the layout
MAX_STEADY = 200  # nodes; in larger graphs the room for all local derivatives makes the layout slow
MAX_DESCRIBED = 30  # values that the description of a drawing lists


@usage('viz.draw(L, "L.svg")')
def draw(
    root: Value,
    outfile: str | os.PathLike[str] | None = None,
    *,
    highlight: Step | ForwardStep | Backprop | ForwardMode | None = None,
    local_derivatives: bool = False,
    depth: int | None = None,
    expand: bool = False,
    rankdir: str = "LR",
    precision: int = 6,
    max_nodes: int = 1000,
) -> Drawing:
    """Draw the graph of `root`, with operands to the left of the values that use them.

    Dotted labels make clusters: `layer1.w12` lies in the cluster of layer 1, and there in that of neuron 1. A graph
    that is too large to read is folded: neurons or layers become single nodes with their inputs and outputs, and values
    of the same kind, such as those of many examples, are drawn once. A note in the drawing says so.

    Args:
        root: the node to draw with everything it depends on.
        outfile: a file to write the picture to, such as L.svg; other formats need Graphviz's program `dot`.
        highlight: a step of `engine.Backprop` or `engine.ForwardMode`, or the walk itself. Its edges carry the local
            derivatives, and their arrows point the way that the gradient goes: from the giver, with a solid border, to
            the receivers, with dashed borders. Nodes that the walk has not reached yet show "?". ForwardMode shows
            tangents instead of gradients. In graphs of up to 200 nodes the boxes stay where they are from step to step.
        local_derivatives: write the local derivative on each edge, of an operation with respect to the operand.
        depth: the number of nested clusters to open: with 0 each layer is one node, with 1 each neuron. The default
            opens as many as are readable.
        expand: show `dot` and `sum` as products and sums.
        rankdir: the direction of the edges: "LR", "RL", "TB" or "BT".
        precision: significant digits of data and gradients, 1 or more.
        max_nodes: the most nodes to draw.

    Returns:
        A `graphviz.Digraph` whose SVG needs no `dot` program. A notebook shows it as a picture. If so many edges cross
        that the layout would take more than some seconds, `pipe` and `render` raise a RuntimeError.

    Raises:
        ValueError: the graph is larger than `max_nodes` allows, even when folded, or an option is out of its range.
        TypeError: `root` is not a Value, `highlight` not a step, or `depth` not an int.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> drawing = draw(a * b)
    >>> import tempfile
    >>> picture = drawing.render(outfile=f"{tempfile.mkdtemp()}/product.svg")
    >>> "data -6.0" in drawing.pipe(encoding="utf-8").replace("&#45;", "-")
    True
    """
    if not isinstance(rankdir, str) or rankdir not in ("LR", "RL", "TB", "BT"):
        raise ValueError(f"rankdir must be 'LR', 'RL', 'TB' or 'BT', got {rankdir!r}")
    if highlight is not None and not isinstance(highlight, Step | ForwardStep | Backprop | ForwardMode):
        raise TypeError(f"highlight must be a step or a walk of Backprop or ForwardMode, got {describe(highlight)}")
    if depth is not None:
        at_least(0, depth, "depth")
    at_least(1, precision, "precision")
    at_least(1, max_nodes, "max_nodes")
    clusters = Clusters(topological_order(root))
    nodes = _readable_nodes(clusters, depth, max_nodes)
    warn_of_stale(clusters.order)
    lit = Highlight.of(highlight) if highlight else Highlight("grad", {x: x.grad for x in clusters.order}, None)
    is_steady = highlight is not None and len(nodes) <= MAX_STEADY
    picture = _Picture(root, clusters, nodes, rankdir, precision, lit, local_derivatives, is_steady)
    for node in picture.in_order():
        node_style, edge_style = lit.node_style(node.values), lit.edge_style(node.values)
        if node.is_folded:
            picture.add_folded(node, node_style, edge_style)
        elif node.is_constant:
            picture.add_constant(node)
        else:
            style = styles.ROOT if root in node.values else styles.INNER if node.operands else styles.LEAF
            picture.add_value(node, style | node_style, edge_style, expand)
    drawing = picture.finish()
    drawing.describe(f"The graph of {picture.names.definition(root)}", _description(clusters.order, picture.names, lit))
    drawing.advice = _advice(clusters, depth)
    if outfile is not None:
        drawing.render(outfile=outfile)
    return drawing


def _description(order: list[Value], names: Names, lit: Highlight) -> str:
    """Describe the graph in words, value by value if there are few."""
    values = [value for value in order if not value.is_constant]
    sentences = [f"{len(values):,} values, each drawn after its operands."]
    if len(values) <= MAX_DESCRIBED:
        word = "gradient" if lit.is_backward else "tangent"
        for x in values:
            derivative = f"{word} {_known(lit.numbers, [x])}" if x in lit.numbers else f"{word} not known yet"
            sentences.append(f"{names.definition(x)}: data {format_number(x.data)}, {derivative}.")
    if lit.step:
        sentences.append(f"Step: {'; '.join(line.strip() for line in str(lit.step).splitlines())}.")
    return " ".join(sentences)


class _Picture:
    """The drawing, to which nodes are added in topological order."""

    def __init__(
        self,
        root: Value,
        clusters: Clusters,
        nodes: list[DrawnNode],
        rankdir: str,
        precision: int,
        highlight: Highlight,
        has_edge_labels: bool,
        is_steady: bool,
    ) -> None:
        self.highlight = highlight
        self.has_edge_labels = has_edge_labels  # else only those of the highlighted step
        self.is_steady = is_steady  # whether nothing moves from step to step
        self.names, self.clusters, self.nodes, self.precision = Names(root), clusters, nodes, precision
        self.sideways = rankdir in ("LR", "RL")
        self.drawing = Drawing(
            graph_attr={"rankdir": rankdir, "nodesep": "0.25", "ranksep": "0.35", "bgcolor": "white"},
            node_attr=styles.NODE,
            edge_attr={"color": styles.DARK, "arrowsize": "0.8"},
        )
        self.ids = {node: f"n{i}" for i, node in enumerate(nodes)}
        self.uses = Counter(self.ids[x] for node in nodes for x in set(node.operands))
        self.frames: dict[Path, graphviz.Digraph] = {(): self.drawing}
        # Edges are added last, since Graphviz places a node in the cluster that mentions it first.
        self.edges: list[tuple[str, str, Style]] = []

    def in_order(self) -> list[DrawnNode]:
        """Return the nodes in the order in which Graphviz stacks them, the weights of a neuron from the top."""
        columns: dict[Path, list[DrawnNode]] = defaultdict(list)
        if self.sideways:  # in a cluster, Graphviz begins at the bottom
            for node in self.nodes:
                if node.path and not node.operands and not node.is_folded:
                    columns[node.path].append(node)
        stacked = {node for column in columns.values() for node in column}
        return [columns[node.path].pop() if node in stacked else node for node in self.nodes]

    def add_value(self, node: DrawnNode, style: Style, edge_style: Style, expand: bool) -> None:
        """Add a value, or several of the same kind, and its operation."""
        value, key, operands = node.values[0], self.ids[node], node.operands
        name = self.clusters.name(value) or (self.names[value] if len(node.values) == 1 else "")
        self._add_record(key, node, name, [x.data for x in node.values], style)
        if not operands:
            return
        symbol = "+" if expand and value.op in ("dot", "sum") else value.op
        edges = [(self.ids[x], style) for x, style in zip(operands, self._edge_styles(node, edge_style), strict=True)]
        if expand and value.op == "dot":
            half = len(edges) // 2
            products = [f"{key}x{i}" for i in range(half)]
            pairs = zip(edges[:half], edges[half:], strict=True)
            for product, pair, *terms in zip(products, pairs, *map(operand_rows, node.values), strict=True):
                data = [math.prod(x.data for x in term) for term in terms]
                name = self.names.term(value, terms[0])
                self._add_record(product, node, name, data, styles.INNER, self._product_tangents(terms))
                self._add_operation(product, node.path, "*", pair, edge_style)
            edges = [(product, edge_style) for product in products]
        if len(edges) > 2 and any(x.is_folded or len(x.values) > 1 for x in (node, *operands)):
            edges = list(dict(edges).items())
        self._add_operation(key, node.path, symbol, edges, edge_style)

    def _edge_styles(self, node: DrawnNode, lit_style: Style) -> list[Style]:
        """Return the styles of the edges from the operands of a node, with local derivatives as labels."""
        value, edge_styles = node.values[0], []
        is_single = len(node.values) == 1 and len(node.operands) == len(value.parents)
        with_labels = is_single and (self.has_edge_labels or self.is_steady or lit_style)
        kind = "label" if self.has_edge_labels or self.is_steady else "xlabel"  # which takes no room in the layout
        locals_ = local_derivatives_by_place(value) if with_labels else {}
        for place, operand in enumerate(node.operands):
            is_lit = lit_style and not self.highlight.operands.isdisjoint(operand.values)
            style = lit_style if is_lit else {}
            if place in locals_:
                style = style | styles.SMALL_TEXT | {kind: f"× {format_number(locals_[place], self.precision)}"}
                if is_lit:
                    style |= styles.LIT_LOCAL_DERIVATIVE
                elif not self.has_edge_labels:
                    style |= styles.HIDDEN
            edge_styles.append(style)
        return edge_styles

    def add_constant(self, node: DrawnNode) -> None:
        """Add a constant, or several in the same place."""
        value = node.values[0]
        label = _format_range([x.data for x in node.values])
        if "…" not in label:
            label = self.names.definition(value)
        elif value.label:
            label = f"{value.label} = {label}"
        self._add_node(node.path, self.ids[node], escape_label(label), styles.CONSTANT)

    def add_folded(self, node: DrawnNode, style: Style, edge_style: Style) -> None:
        """Add a folded cluster as one node, with its inputs and outputs."""
        values = dict.fromkeys(node.values)
        parameters = sum(not x.is_constant and not x.parents for x in values)
        calls = max(Counter(x.label for x in values if x.parents and x.label).values(), default=1)
        fields = [escape_label(node.name) + (f" × {calls:,}" if calls > 1 else "")]
        fields.append(" → ".join(self._join_names(x) for x in (node.inputs, node.outputs) if x))
        if len({x.label for x in node.outputs}) == 1 or not node.operands:
            fields += self._format_numbers([x.data for x in node.outputs], [*node.outputs])
        fields.append(f"{len(values):,} nodes, {parameters:,} parameter{'' if parameters == 1 else 's'}")
        label = self._join_fields(*(f"\u00a0{field}\u00a0" for field in fields))
        self._add_node(node.path, self.ids[node], label, styles.FOLDED | style)
        for operand in node.operands:
            self.edges.append((self.ids[operand], self.ids[node], edge_style))

    def finish(self) -> Drawing:
        """Return the drawing with its frames and edges, and a note if it is folded."""
        notes = []
        if any(node.is_folded for node in self.nodes):
            size = f"{len(self.clusters.order):,} nodes, folded into {len(self.nodes)}"
            notes.append(f"{size}; a larger depth opens the green boxes")
        if any(len(node.values) > 1 and not node.is_folded and not node.is_constant for node in self.nodes):
            notes.append("× n: n values of the same kind, with the range of their numbers")
        if notes:
            self.drawing.attr("graph", label="\\n".join(notes), **styles.SMALL_TEXT)
        self._sort_neurons()
        for path in sorted(self.frames, key=len, reverse=True):
            if path:
                self.frames[path[:-1]].subgraph(self.frames[path])
        self._line_up_layers()
        for source, target, style in self.edges:
            self.drawing.edge(source, target, **style)
        return self.drawing

    def _line_up_layers(self) -> None:
        """Place the parameters of a layer beyond the layer before it, so that clusters stand side by side."""
        before: dict[str, DrawnNode] = {}
        for node in self.nodes:
            for operand in node.operands if node.path else ():
                if operand.path[:1] != node.path[:1] and (operand.operands or operand.is_folded):
                    before.setdefault(node.path[0], operand)
        for node in self.nodes:
            if node.path and not node.operands and node.path[0] in before:
                self.drawing.edge(self.ids[before[node.path[0]]], self.ids[node], style="invis")

    def _sort_neurons(self) -> None:
        """Place the folded neurons of a layer below each other in the order of their numbers."""
        columns: dict[Path, list[DrawnNode]] = defaultdict(list)
        for node in self.nodes:
            if node.name.startswith("neuron "):
                columns[node.path].append(node)
        for path, column in columns.items():
            # With rankdir LR or RL, Graphviz places the first node of a rank at the bottom.
            column.sort(key=lambda node: int(node.name.removeprefix("neuron ")), reverse=self.sideways)
            rank = graphviz.Digraph(graph_attr={"rank": "same"})
            for node, other in pairwise(column):
                rank.edge(self.ids[node], self.ids[other], style="invis")
            self.frames[path].subgraph(rank)
        if columns:
            ranksep = 0.35 + max(map(len, columns.values())) / 16  # inches between layers; more neurons, more edges
            self.drawing.attr("graph", ranksep=f"{min(ranksep, 2.0):.2f}", remincross="false")

    def _add_record(
        self, key: str, node: DrawnNode, name: str, data: Sequence[float], style: Style, tangent: str | None = None
    ) -> None:
        n = len(node.values)
        lines = [escape_label(name)] if name or n == 1 else []
        if n > 1:
            lines.append(f"× {n:,}")
        fields = self._join_fields(_padded("\\n".join(lines)), *self._format_numbers(data, node.values, tangent))
        if self.is_steady:
            widest = len(f"{self.highlight.name} -0.000") + self.precision  # smaller numbers have an exponent
            style = style | {"width": f"{widest * CHARACTER_WIDTH:.2f}"}
        self._add_node(node.path, key, fields, style)

    def _format_numbers(self, data: Sequence[float], values: Sequence[Value], tangent: str | None = None) -> list[str]:
        derivative = tangent or _known(self.highlight.numbers, values, self.precision)
        return [f"data {_format_range(data, self.precision)}", f"{self.highlight.name} {derivative}"]

    def _product_tangents(self, terms: Sequence[tuple[Value, ...]]) -> str | None:
        """Return the tangents of products, `b*a' + a*b'`, as text; None if the drawing has gradients."""
        tangents = self.highlight.numbers
        if self.highlight.is_backward:
            return None
        if any(x not in tangents for pair in terms for x in pair):
            return "?"
        return _format_range([b.data * tangents[a] + a.data * tangents[b] for a, b in terms], self.precision)

    def _join_names(self, values: Iterable[Value]) -> str:
        """Return the names of values, of many only the first and the last."""
        names = list(dict.fromkeys(self.clusters.name(x) or self.names[x] for x in values))
        return escape_label(", ".join(names if len(names) <= 4 else [names[0], "...", names[-1]]))

    def _join_fields(self, *fields: str) -> str:
        return "|".join(fields) if self.sideways else f"{{{'|'.join(fields)}}}"

    def _add_operation(self, key: str, path: Path, symbol: str, edges: Sequence[Edge], style: Style) -> None:
        # Operands stand in the written order. In a sum or product of two it means nothing, and would make edges cross
        # if one of the two has other users.
        is_free = symbol in ("+", "*") and len(edges) == 2 and any(self.uses[operand] > 1 for operand, _ in edges)
        order = {} if is_free else {"ordering": "in"}
        self._add_node(path, f"{key}op", symbol, styles.OPERATION | order | style)
        ordered = reversed(edges) if self.sideways and path else edges  # as in `in_order`
        self.edges += [(operand, f"{key}op", edge_style) for operand, edge_style in ordered]
        self.edges.append((f"{key}op", key, style))

    def _add_node(self, path: Path, key: str, label: str, style: Style) -> None:
        for i in range(1, len(path) + 1):
            if path[:i] not in self.frames:
                style_of_frame = styles.CLUSTER | {"fillcolor": styles.CLUSTER_FILLS[(i - 1) % 2]}
                frame = graphviz.Digraph(name=f"cluster {len(self.frames)}", graph_attr=style_of_frame)
                frame.attr("graph", label=escape_label(path[i - 1]))
                self.frames[path[:i]] = frame
        self.frames[path].node(key, label, **style)


def _readable_nodes(clusters: Clusters, depth: int | None, max_nodes: int) -> list[DrawnNode]:
    """Return the nodes to draw, with as much detail as is readable.

    Raises:
        ValueError: even the folded graph has more than `max_nodes` nodes.
    """
    labels = [x.label for x in clusters.order if x.parents and x.label]
    has_repeats = len(set(labels)) < len(labels)  # as when a neuron is applied to several examples
    details: list[tuple[int | None, bool]] = [(None, False), (None, True)] if has_repeats else [(None, False)]
    limit = max_nodes
    if depth is not None and depth < clusters.depth:
        details = [(depth, True)]
    elif depth is None and clusters.depth:
        details += [(opened, True) for opened in reversed(range(clusters.depth))]
        limit = min(MAX_READABLE, max_nodes)
    leaves = [x for x in clusters.order if not (x.parents or x.is_constant or INPUT.fullmatch(x.label))]
    for opened, merge_equal in details:
        if opened is None and len(leaves if merge_equal else clusters.order) > limit:  # at least as many are drawn
            continue
        nodes = fold_graph(clusters, depth=opened, merge_equal=merge_equal)
        edges = sum(len(node.operands) for node in nodes)
        neurons = max(Counter(node.path for node in nodes if node.is_folded).values(), default=0)  # side by side
        fits = len(nodes) <= limit and edges <= MAX_EDGES * limit and (depth is not None or neurons <= MAX_NEURONS)
        if fits or ((opened, merge_equal) == details[-1] and len(nodes) <= max_nodes):
            return nodes
    raise ValueError(
        f"the graph must fit max_nodes={max_nodes:,}, got {len(clusters.order):,} nodes: pass a larger max_nodes, "
        f"{_advice(clusters, depth)}"
    )


def _advice(clusters: Clusters, depth: int | None) -> str:
    """Return what to do about a graph that is too large."""
    fold = "fold it with depth=0, " if clusters.depth and depth != 0 else ""
    return f"draw an inner node instead, {fold}record fewer rows, or use dot and sum for long sums"


def _format_range(xs: Sequence[float], precision: int = 6) -> str:
    """Return one number, or the least and the largest of several."""
    least, largest = (format_number(x, precision) for x in (min(xs), max(xs)))
    if least == largest:
        return least
    return " … ".join(format_number(x, (precision + 1) // 2) for x in (min(xs), max(xs)))


def _known(numbers: Mapping[Value, float], values: Sequence[Value], precision: int = 6) -> str:
    """Return one derivative, or the least and the largest of several; "?" if not all of them are known yet."""
    if any(x not in numbers for x in values):
        return "?"
    return _format_range([numbers[x] for x in values], precision)


def _padded(label: str) -> str:
    """Return a label with room for characters beyond Latin-1, such as Cyrillic, which Graphviz thinks are narrower."""
    width = max(sum(c > "\u00ff" for c in line) for line in label.split("\\n"))
    room = "\u00a0" * math.ceil(width * 0.3)
    return f"{room}{label}{room}"
