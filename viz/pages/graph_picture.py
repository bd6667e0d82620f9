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


def draw_for_page(
    tape: Tape, derivative: str, expand: bool, rankdir: str, precision: int, max_nodes: int
) -> PagePicture:
    """Draw the graph with room in its boxes and on its edges for the numbers that a page may show.

    `derivative` is the word for the derivatives in the boxes: "grad" or "tangent".
    """
    order = tape.order
    with restored(order):
        for node in order:
            node.grad = RESERVED
        drawing = draw(
            tape.root,
            local_derivatives=len(order) <= MAX_LABELLED,
            depth=len(order),
            expand=expand,
            rankdir=rankdir,
            precision=precision,
            max_nodes=max_nodes,
        )
        drawing.describe(
            f"The graph of {tape.names.definition(tape.root)}", f"{len(order)} nodes, each after its operands. {GUIDE}"
        )
        reserved = format_number(RESERVED, precision)
        drawing.body = [line.replace(f"grad {reserved}", f"{derivative} {reserved}") for line in drawing.body]
        return PagePicture(drawing.pipe(encoding="utf-8"), tape)


class PagePicture:
    """The SVG of `draw`, with ids for the nodes, edges and numbers that the page changes."""

    def __init__(self, svg: str, tape: Tape) -> None:
        self.tape = tape
        self.ids: dict[Value, list[str]] = {}  # a bias unit is drawn in every layer, so it has several
        self.svg = parse_svg(svg)
        self.products: dict[str, list[int]] = {}  # of each product in a `dot`: the `dot`, two operands
        self._edges: list[tuple[str, str, str]] = []  # id, from, to
        for i, drawn_node in enumerate(fold_graph(Clusters(tape.order))):
            for node in drawn_node.values:
                self.ids.setdefault(node, []).append(f"n{i}")
        self._add_ids({self.key(node): node for node in tape.order if not node.is_constant})

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
                product = re.fullmatch(r"(n\d+)x(\d+)", title)
                if title in nodes or product:
                    *_, data, grad = group.iter("text")
                    data.set("id", f"{title}-data")
                    grad.set("id", f"{title}-grad")
                    if product:
                        node = nodes[product[1]]
                        pair = (node._a[int(product[2])], node._b[int(product[2])])
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

    def markup(self, recorded: list[dict[str, Any]], derivative: str, precision: int) -> str:
        """Return the drawing as HTML: with titles for screen readers, no tooltips, the numbers of the last step."""
        svg, tape = self.svg, self.tape
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
        for node, numbers in zip(tape.order, recorded, strict=True):
            for key in self.ids[node] if not node.is_constant else ():
                for kind, word in (("data", "data"), ("grad", derivative)):
                    if (text := texts.get(f"{key}-{kind}")) is not None:
                        text.text = f"{word} {format_number(numbers[kind], precision)}"
        for key, (i, a, b) in self.products.items():
            first, second, number = recorded[a], recorded[b], recorded[i]["grad"]
            if derivative == "tangent":
                number = second["data"] * first["grad"] + first["data"] * second["grad"]
            texts[f"{key}-data"].text = f"data {format_number(first['data'] * second['data'], precision)}"
            texts[f"{key}-grad"].text = f"{derivative} {format_number(number, precision)}"
        return ET.tostring(svg, encoding="unicode")


def _owner(key: str) -> str:
    """Return the id of the node for which a node, an operation or a product was drawn: `n4` for `n4x1op`."""
    return re.split("x|op", key)[0]
