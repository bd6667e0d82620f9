"""The drawing of the page of a graph: the SVG of `draw`, with ids for the elements that the page changes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from typing import Any

from engine import ForwardStep, Step, Value
from engine.formatting import format_number
from engine.restore import restored
from viz.clusters import Clusters, fold_graph
from viz.graph_drawing import draw
from viz.pages.html_page import parse_svg
from viz.pages.tape import Tape

RESERVED = -0.123457  # a number of the greatest usual width, for which boxes have room; wider ones are condensed
MAX_LABELLED = 200  # nodes; in larger graphs, room for local derivatives makes the layout slow
GUIDE = "Use the up and down arrow keys to move between nodes, Enter to go to the step of a node."


class GraphPicture:
    """The SVG of `draw`, with ids for the nodes, edges and numbers that the page changes.

    Its boxes and edges have room for the numbers that a page may show.

    Args:
        tape: the graph.
        derivative: the word for the derivatives in the boxes: "grad" or "tangent".
        precision: the significant digits of the numbers.
        options: other options of `draw`.
    """

    def __init__(self, tape: Tape, derivative: str, precision: int, **options: Any) -> None:
        self.tape, self.derivative, self.precision = tape, derivative, precision
        self.ids: dict[Value, list[str]] = {}  # a bias unit is drawn in every layer, so it has several
        self.products: dict[str, list[int]] = {}  # of each product in a `dot`: the `dot`, two operands
        self._edges: list[tuple[str, str, str]] = []  # id, from, to
        for i, drawn_node in enumerate(fold_graph(Clusters(tape.order))):
            for node in drawn_node.values:
                self.ids.setdefault(node, []).append(f"n{i}")
        self.svg = parse_svg(self._draw(options))
        self._add_ids({self.key(node): node for node in tape.order if not node.is_constant})

    def _draw(self, options: dict[str, Any]) -> str:
        tape, n = self.tape, len(self.tape.order)
        with restored(tape.order):
            for node in tape.order:
                node.grad = RESERVED
            has_labels = n <= MAX_LABELLED
            drawing = draw(tape.root, local_derivatives=has_labels, depth=n, precision=self.precision, **options)
        title = f"The graph of {tape.names.definition(tape.root)}"
        drawing.describe(title, f"{n} nodes, each after its operands. {GUIDE}")
        reserved = format_number(RESERVED, self.precision)
        drawing.body = [line.replace(f"grad {reserved}", f"{self.derivative} {reserved}") for line in drawing.body]
        svg: str = drawing.pipe(encoding="utf-8")
        return svg

    def _add_ids(self, nodes: dict[str, Value]) -> None:
        drawn = set()
        for group in self.svg.iter("g"):
            title = group.findtext("title", "")
            if group.get("class") == "edge":
                tail, head = title.split("->")
                self._edges.append((group.get("id", ""), tail, head))
            elif group.get("class") == "node":
                group.set("id", title)
                drawn.add(title)
                key, _, product = title.partition("x")
                if key in nodes and "op" not in title:
                    *_, data, grad = group.iter("text")
                    data.set("id", f"{title}-data")
                    grad.set("id", f"{title}-grad")
                    if product:
                        node = nodes[key]
                        pair = (node._a[int(product)], node._b[int(product)])
                        self.products[title] = [self.tape.index[x] for x in (node, *pair)]
        if not drawn.issuperset(key for ids in self.ids.values() for key in ids):
            raise ValueError(
                "the graph has too many edges to draw node by node: show an inner node instead, "
                "record fewer rows, or pass a larger max_nodes"
            )

    def key(self, node: Value) -> str:
        """Return the id of a node."""
        return self.ids[node][0]

    def data(self) -> dict[str, Any]:
        """Return the ids of the nodes by their numbers, and the products of a `dot` that is drawn as a sum."""
        return {"nodes": [self.ids[node] for node in self.tape.order], "products": self.products}

    def between(self, parents: Iterable[Value], node: Value) -> list[str]:
        """Return the ids of a node, of some of its parents, and of everything between them."""
        key = self.key(node)
        ends = {end for x in parents for end in self.ids[x]}
        ids = [key]
        for edge, tail, head in self._edges:
            if _owner(head) == key and (tail in ends or _owner(tail) == key):
                ids += (edge, tail, head)
        return [*dict.fromkeys(ids)]

    def edges(self, step: Step | ForwardStep) -> list[str]:
        """Return the id of the edge of each contribution of a step; "" for one that is not drawn."""
        key = self.key(step.node)
        unused = [x for x in self._edges if _owner(x[2]) == key]
        ids = []
        for contribution in step.contributions:
            edge = next((x for x in unused if x[1] in self.ids[contribution.parent]), None)
            if edge:
                unused.remove(edge)
            ids.append(edge[0] if edge else "")
        return ids

    def markup(self, recorded: list[dict[str, Any]]) -> str:
        """Return the drawing as HTML: with titles for screen readers, no tooltips, the numbers of the last step."""
        svg = self.svg
        for name in ("width", "height", "aria-label"):
            svg.attrib.pop(name, None)
        for group in svg.iter("g"):
            for title in group.findall("title"):
                group.remove(title)
            group.tail = None
        for group in svg.findall("g"):
            group.insert(0, ET.Element("title"))  # an empty title keeps the browser from showing the drawing's
        for name in ("desc", "title"):
            element = svg.find(name)
            if element is not None:
                element.set("id", f"page-drawing-{name}")
        svg.attrib |= {
            "role": "group", "aria-labelledby": "page-drawing-title", "aria-describedby": "page-drawing-desc",
        }  # fmt: skip
        texts = {element.get("id", ""): element for element in svg.iter("text")}

        def show(key: str, data: float, derivative: float) -> None:
            for kind, word, number in (("data", "data", data), ("grad", self.derivative, derivative)):
                if f"{key}-{kind}" in texts:
                    texts[f"{key}-{kind}"].text = f"{word} {format_number(number, self.precision)}"

        for node, numbers in zip(self.tape.order, recorded, strict=True):
            for key in self.ids[node]:
                show(key, numbers["data"], numbers["grad"])
        for key, (i, a, b) in self.products.items():
            first, second, number = recorded[a], recorded[b], recorded[i]["grad"]
            if self.derivative == "tangent":
                number = second["data"] * first["grad"] + first["data"] * second["grad"]
            show(key, first["data"] * second["data"], number)
        return ET.tostring(svg, encoding="unicode")


def _owner(key: str) -> str:
    """Return the id of the node for which a node, an operation or a product was drawn: `n4` for `n4x1op`."""
    return re.split("x|op", key)[0]
