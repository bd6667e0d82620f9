"""The page of a graph: its values forward, then its gradients backward, one application of the chain rule at a time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine import Backprop, Step, Value, topological_order
from engine.foreign import usage
from engine.formatting import format_number
from engine.labels import Names, expression, literal, unparse
from engine.restore import restored
from engine.validation import at_least
from viz.clusters import Clusters, fold_graph
from viz.graph_drawing import draw
from viz.pages.html_page import GUIDE, Frame, page_path, parse_svg, write_page

MAX_EQUATIONS = 12  # on one line


@usage('viz.page(L, "L.html")')
def page(
    root: Value,
    path: str | os.PathLike[str],
    *,
    expand: bool = False,
    rankdir: str = "LR",
    precision: int = 6,
    max_nodes: int = 300,
) -> Path:
    """Write a page that steps through the graph of `root`: one HTML file that any browser opens, without a network.

    The values appear first, node by node, then the gradients, in the steps and words of `engine.Backprop`. The arrow
    keys step, space plays, a click on a node goes to its step. Every gradient on the page starts at 0.0, whatever
    `backward()` did before; the gradients of the graph do not change. A root without a label is called L.

    Args:
        root: the output of the graph.
        path: the file, which must end in .html; an existing one is replaced.
        expand: show `dot` and `sum` as products and sums.
        rankdir: the direction of the graph: "LR", "RL", "TB" or "BT".
        precision: the significant digits of the numbers in the drawing, at least 1; the lines below it have 6.
        max_nodes: the most nodes to show. Larger graphs are slow in the browser and hard to read.

    Returns:
        The path of the file.

    Raises:
        ValueError: the graph has more than `max_nodes` nodes, or an argument is out of range.
        TypeError: `root` is not a Value.
        RuntimeError: as `backward()`; no file is written.
        ArithmeticError: as `backward()`; no file is written.
        OSError: the file cannot be written.

    >>> import tempfile
    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> page(a * b, f"{tempfile.mkdtemp()}/L.html").name
    'L.html'
    """
    path = page_path(path)
    order = topological_order(root)
    at_least(1, precision, "precision")
    if len(order) > at_least(1, max_nodes, "max_nodes"):
        raise ValueError(
            f"the graph must have at most max_nodes={max_nodes:,} nodes, got {len(order):,} nodes: show an inner node "
            "instead, record fewer rows, use dot and sum for long sums, or pass a larger max_nodes"
        )
    with _labelled(root, order), restored(order):
        names = Names(root)
        for node in order:
            node.grad = 0.0
        steps = list(Backprop(root))
        for node, grads in _gradient_history(root, steps).items():
            # The box of a node must have room for the longest gradient that it will show.
            node.grad = max(grads, key=lambda grad: len(format_number(grad, precision)))
        drawing = draw(root, depth=len(order), expand=expand, rankdir=rankdir, precision=precision, max_nodes=max_nodes)
        heading = names.definition(root)
        drawing.describe(f"The graph of {heading}", f"{len(order)} nodes, each after its operands. {GUIDE}")
        picture = _Picture(drawing.pipe(encoding="utf-8"), order, precision)
        frames = [*_forward(order, names, picture), *_backward(root, order, steps, names, picture)]
        descriptions = {key: _describe_node(node, root, names) for node in order for key in picture.ids[node]}
    return write_page(path, picture.svg, frames, heading, descriptions)


@contextmanager
def _labelled(root: Value, order: list[Value]) -> Iterator[None]:
    """Call a root without a label L in the `with` block, if no other node is called so."""
    before = root.label
    if root.parents and not any(node.label == "L" for node in order):
        root.label = root.label or "L"
    try:
        yield
    finally:
        root.label = before


def _gradient_history(root: Value, steps: Iterable[Step]) -> dict[Value, list[float]]:
    """Return for each node the gradients that it has during the backward pass."""
    history = {root: [1.0]}
    for step in steps:
        for contribution in step.contributions:
            history.setdefault(contribution.parent, [0.0]).append(contribution.total)
    return history


class _Picture:
    """The SVG of `draw`, with ids for the nodes, edges and numbers that frames mention."""

    def __init__(self, svg: str, order: list[Value], precision: int) -> None:
        self.ids: dict[Value, list[str]] = {}  # a bias unit is drawn in every layer, so it has several
        self.svg = parse_svg(svg)
        self._precision = precision
        self._edges: list[tuple[str, str, str]] = []  # id, from, to
        self._products: dict[str, dict[str, str]] = {}  # node -> the products that `expand` draws for it -> data text
        for i, drawn_node in enumerate(fold_graph(Clusters(order))):
            for node in drawn_node.values:
                self.ids.setdefault(node, []).append(f"n{i}")
        self._add_ids({self.key(node) for node in order if not node.is_constant})

    def _add_ids(self, keys: set[str]) -> None:
        drawn = set()
        for group in self.svg.iter("g"):
            title = group.findtext("title", "")
            if group.get("class") == "edge":
                tail, head = title.split("->")
                self._edges.append((group.get("id", ""), tail, head))
            elif group.get("class") == "node":
                group.set("id", title)
                drawn.add(title)
                is_product = re.fullmatch(r"n\d+x\d+", title)
                if title in keys or is_product:
                    *_, data, grad = group.iter("text")
                    data.set("id", f"{title}-data")
                    grad.set("id", f"{title}-grad")
                    if is_product:
                        self._products.setdefault(_owner(title), {})[title] = data.text or ""
        if not drawn.issuperset(key for ids in self.ids.values() for key in ids):
            raise ValueError(
                "the graph has too many edges to draw node by node: show an inner node instead, "
                "record fewer rows, or pass a larger max_nodes"
            )

    def key(self, node: Value) -> str:
        """Return the id of a node."""
        return self.ids[node][0]

    def data(self, node: Value) -> dict[str, str]:
        """Return the texts that show the value of a node and of its products."""
        key = self.key(node)
        texts = {f"{product}-data": data for product, data in self._products.get(key, {}).items()}
        return texts | {f"{key}-data": f"data {format_number(node.data, self._precision)}"}

    def grad(self, node: Value, grad: float) -> dict[str, str]:
        """Return the text that shows the gradient of a node."""
        return {f"{self.key(node)}-grad": f"grad {format_number(grad, self._precision)}"}

    def product_grads(self, node: Value, grad: float) -> dict[str, str]:
        """Return the texts that show the gradients of the products of a node, which equal its own."""
        text = f"grad {format_number(grad, self._precision)}"
        return {f"{product}-grad": text for product in self._products.get(self.key(node), {})}

    def between(self, parents: Iterable[Value], node: Value) -> tuple[str, ...]:
        """Return the ids of a node, of some of its parents, and of everything between them."""
        key = self.key(node)
        ends = {end for x in parents for end in self.ids[x]}
        ids = [key]
        for edge, tail, head in self._edges:
            if _owner(head) == key and (tail in ends or _owner(tail) == key):
                ids += (edge, tail, head)
        return tuple(dict.fromkeys(ids))


def _owner(key: str) -> str:
    """Return the id of the node for which a node, an operation or a product was drawn: `n4` for `n4x1op`."""
    return re.split("x|op", key)[0]


def _forward(order: Sequence[Value], names: Names, picture: _Picture) -> Iterator[Frame]:
    """Yield the steps of the forward pass."""
    leaves = [node for node in order if not node.parents and not node.is_constant]
    inner = [node for node in order if node.parents]
    equations = _join_equations([f"{names[node]} = {format_number(node.data)}" for node in leaves])
    texts = {key: text for node in leaves for key, text in picture.data(node).items()}
    yield Frame(f"Forward 0 of {len(inner)}: the leaves", (equations,), texts=texts, phase="forward")
    for i, node in enumerate(inner, 1):
        value = format_number(node.data)
        numbers = unparse(expression(node, [literal(x.data) for x in node.parents]))
        lines = [f"{names.definition(node)} = {value}"]
        if numbers != names.expression(node):
            lines.append(f"  {numbers} = {value}")
        ids = picture.between(node.parents, node)
        yield Frame(f"Forward {i} of {len(inner)}", tuple(lines), ids, picture.data(node), picture.key(node), "forward")


def _backward(
    root: Value, order: Sequence[Value], steps: Sequence[Step], names: Names, picture: _Picture
) -> Iterator[Frame]:
    """Yield the steps of the backward pass."""
    nodes = [node for node in order if not node.is_constant]
    texts: dict[str, str] = {}
    for node in nodes:
        texts |= picture.grad(node, 0.0) | picture.product_grads(node, 0.0)
    texts |= picture.grad(root, 1.0)
    start = (f"{names.gradient(root)} = 1.0", "  every other gradient starts at 0.0")
    yield Frame(f"Backward 0 of {len(steps)}", start, (picture.key(root),), texts, phase="backward")
    grads = {root: 1.0}
    for i, step in enumerate(steps, 1):
        texts = picture.product_grads(step.node, step.upstream)
        for contribution in step.contributions:
            grads[contribution.parent] = contribution.total
            texts |= picture.grad(contribution.parent, contribution.total)
        ids = picture.between([x.parent for x in step.contributions], step.node)
        lines = tuple(str(step).split("\n"))
        yield Frame(f"Backward {i} of {len(steps)}", lines, ids, texts, picture.key(step.node), "backward")
    gradients = [f"{names.gradient(node)} = {format_number(grads[node])}" for node in nodes if not node.parents]
    yield Frame("Every gradient is complete", (_join_equations(gradients),), phase="backward")


def _join_equations(equations: Sequence[str]) -> str:
    """Return the first equations on one line, which can break between them but not within one."""
    line = ",  ".join(equation.replace(" ", "\u00a0") for equation in equations[:MAX_EQUATIONS])
    more = len(equations) - MAX_EQUATIONS
    return f"{line}  and {more} more" if more > 0 else line


def _describe_node(node: Value, root: Value, names: Names) -> str:
    if node.is_constant:
        return f"{names.definition(node)}, a constant, which has no gradient"
    return names.definition(node) + (", the output" if node is root else "" if node.parents else ", a leaf")
