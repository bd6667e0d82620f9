"""A page that steps through a graph: its values forwards, then its gradients backwards, one chain rule at a time."""

from __future__ import annotations

import base64
import colorsys
import hashlib
import html
import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from engine import Backprop, Step, Value, topological_order
from engine.formatting import format_number, printable
from engine.labels import Names, expression, literal
from engine.labels import unparse as read
from engine.validation import at_least
from viz import style
from viz.clusters import Boxes, fold_graph
from viz.graph_drawing import draw
from viz.pages.frames import Frame

MOST_LISTED = 12  # leaves that one line tells
GUIDE = "The arrows up and down go from node to node, Enter to the step of a node."


def page(
    root: Value,
    path: str | os.PathLike[str],
    *,
    expand: bool = False,
    rankdir: str = "LR",
    precision: int = 6,
    max_nodes: int = 300,
) -> Path:
    """Write a page that steps through the graph of `root`, in one file that any browser opens, without a network.

    First the values appear, node by node, then the gradients, in the steps and the words of `engine.Backprop`. The
    arrow keys step, space plays, a click on a node goes to its step. The page shows a pass of its own, in which every
    gradient starts at 0.0, whatever `backward()` did before; the gradients of the graph stay as they are.

    Args:
        root: the node to begin with, and all below it.
        path: the file, which ends in .html; it is written over.
        expand: show `dot` and `sum` as products and sums.
        rankdir: where the graph runs: "LR", "RL", "TB" or "BT".
        precision: significant digits of the numbers in the drawing, 1 or more; the lines below it have 6.
        max_nodes: the most nodes to show. Above the default a browser may become slow, and a reader tired.

    Returns:
        The path of the file.

    Raises:
        ValueError: the graph is larger than `max_nodes` allows, or an argument is out of its range.
        TypeError: `root` is no Value.
        RuntimeError, ArithmeticError: as `backward()` does; no file is written.
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
            f"the graph has {len(order):,} nodes, more than max_nodes={max_nodes:,}: show an inner node instead, "
            "record fewer rows, use dot and sum for long sums, or pass a larger max_nodes"
        )
    names = Names(root)
    before = [node.grad for node in order]
    try:
        for node in order:
            node.grad = 0.0
        steps = list(Backprop(root))
        for node, grads in _histories(root, steps).items():
            node.grad = max(
                grads, key=lambda grad: len(format_number(grad, precision))
            )  # for which the box has to be wide
        drawing = draw(root, depth=len(order), expand=expand, rankdir=rankdir, precision=precision, max_nodes=max_nodes)
    finally:
        for node, grad in zip(order, before, strict=True):
            node.grad = grad
    heading = names.definition(root)
    drawing.describe(f"The graph of {heading}", f"{len(order)} nodes, operands before what was made of them. {GUIDE}")
    picture = _Picture(drawing.pipe(encoding="utf-8"), order, precision)
    frames = [*_forward(order, names, picture), *_backward(root, order, steps, names, picture)]
    about = {key: _about(node, root, names) for node in order for key in picture.ids[node]}
    return write_page(path, ET.tostring(picture.svg, encoding="unicode"), frames, heading, about)


def page_path(path: str | os.PathLike[str]) -> Path:
    """The path of a page.

    Raises:
        ValueError: it does not end in .html.
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"a page is a file that ends in .html, got {path.name!r}")
    return path


def _histories(root: Value, steps: Sequence[Step]) -> dict[Value, list[float]]:
    """Every gradient that a node has on the way."""
    histories = {root: [1.0]}
    for step in steps:
        for x in step.contributions:
            histories.setdefault(x.parent, [0.0]).append(x.total)
    return histories


class _Picture:
    """The SVG of `draw`, with ids for all that frames speak of."""

    def __init__(self, svg: str, order: list[Value], precision: int) -> None:
        self.ids: dict[Value, list[str]] = {}  # a bias unit, which is drawn in every layer, has several
        self.svg = parsed(svg)
        self._precision = precision
        self._edges: list[tuple[str, str, str]] = []  # id, from, to
        self._products: dict[str, str] = {}  # those of `expand`, with their data
        for i, item in enumerate(fold_graph(Boxes(order))):
            for node in item.nodes:
                self.ids.setdefault(node, []).append(f"n{i}")
        boxes = {self.key(node) for node in order if not node.is_constant}
        drawn = set()
        for group in self.svg.iter("g"):
            title = group.findtext("title", "")
            if group.get("class") == "edge":
                self._edges.append((group.get("id", ""), *title.split("->")))  # type: ignore[arg-type]
            elif group.get("class") == "node":
                group.set("id", title)
                drawn.add(title)
                product = re.fullmatch(r"n\d+x\d+", title)
                if title in boxes or product:
                    *_, data, grad = group.iter("text")
                    data.set("id", f"{title}-data")
                    grad.set("id", f"{title}-grad")
                    if product:
                        self._products[title] = data.text or ""
        if not drawn.issuperset(key for keys in self.ids.values() for key in keys):
            raise ValueError(
                "the graph has too many edges to be drawn node by node: show an inner node instead, "
                "record fewer rows, or pass a larger max_nodes"
            )

    def key(self, node: Value) -> str:
        return self.ids[node][0]

    def data(self, node: Value) -> dict[str, str]:
        """The texts with the value of a node, and with those of its products."""
        key = self.key(node)
        products = {f"{product}-data": data for product, data in self._products.items() if _belongs(product, key)}
        return products | {f"{key}-data": f"data {format_number(node.data, self._precision)}"}

    def grad(self, node: Value, grad: float) -> dict[str, str]:
        return {f"{self.key(node)}-grad": f"grad {format_number(grad, self._precision)}"}

    def product_grads(self, node: Value, grad: float) -> dict[str, str]:
        key = self.key(node)
        text = f"grad {format_number(grad, self._precision)}"
        return {f"{product}-grad": text for product in self._products if _belongs(product, key)}

    def between(self, parents: Sequence[Value], node: Value) -> tuple[str, ...]:
        """The ids of a node, of some of its parents, and of all that lies between."""
        key = self.key(node)
        ends = {end for x in parents for end in self.ids[x]}
        lit = [key]
        for edge, tail, head in self._edges:
            if (_belongs(head, key) or head == key) and (_belongs(tail, key) or tail in ends):
                lit += (edge, tail, head)
        return tuple(dict.fromkeys(lit))


def _belongs(part: str, key: str) -> bool:
    """Whether a part of the drawing, an operation or a product, was drawn for the node `key`."""
    return re.fullmatch(rf"{key}(x\d+)?(op)?", part) is not None and part != key


def _forward(order: Sequence[Value], names: Names, picture: _Picture) -> Iterator[Frame]:
    leaves = [node for node in order if not node.parents and not node.is_constant]
    inner = [node for node in order if node.parents]
    given = _listed([f"{names[node]} = {format_number(node.data)}" for node in leaves])
    texts = {key: text for node in leaves for key, text in picture.data(node).items()}
    yield Frame(f"Forward 0 of {len(inner)}: the leaves are given", (given,), texts=texts, part="forward")
    for i, node in enumerate(inner, 1):
        symbols, value = names.made(node), format_number(node.data)
        numbers = read(expression(node, [literal(x.data) for x in node.parents]))
        lines = [f"{names.definition(node)} = {value}", f"  {numbers} = {value}"]
        yield Frame(
            f"Forward {i} of {len(inner)}",
            tuple(lines[: 1 if numbers == symbols else 2]),
            picture.between(node.parents, node),
            picture.data(node),
            picture.key(node),
            "forward",
        )


def _backward(
    root: Value, order: Sequence[Value], steps: Sequence[Step], names: Names, picture: _Picture
) -> Iterator[Frame]:
    learning = [node for node in order if not node.is_constant]
    texts = {key: text for node in learning for key, text in picture.grad(node, 0.0).items()}
    for node in learning:
        texts |= picture.product_grads(node, 0.0)
    texts |= picture.grad(root, 1.0)
    start = (f"{names.gradient(root)} = 1.0", "  every other gradient starts at 0.0")
    yield Frame(f"Backward 0 of {len(steps)}", start, (picture.key(root),), texts, part="backward")
    for i, step in enumerate(steps, 1):
        texts = picture.product_grads(step.node, step.upstream)
        for x in step.contributions:
            texts |= picture.grad(x.parent, x.total)
        yield Frame(
            f"Backward {i} of {len(steps)}",
            tuple(str(step).split("\n")),
            picture.between([x.parent for x in step.contributions], step.node),
            texts,
            picture.key(step.node),
            "backward",
        )
    final = {root: 1.0} | {x.parent: x.total for step in steps for x in step.contributions}
    gradients = [f"{names.gradient(node)} = {format_number(final[node])}" for node in learning if not node.parents]
    yield Frame("Every gradient is complete", (_listed(gradients),), part="backward")


def _listed(equations: list[str]) -> str:
    """Some equations on a line that is not broken within one."""
    shown = [equation.replace(" ", "\u00a0") for equation in equations[:MOST_LISTED]]
    more = len(equations) - len(shown)
    return ",  ".join(shown) + f"  and {more} more" * bool(more)


def _about(node: Value, root: Value, names: Names) -> str:
    if node.is_constant:
        return f"{names.definition(node)}, a constant, which takes no gradient"
    kind = ", the output" if node is root else "" if node.parents else ", a leaf"
    return f"{names.definition(node)}{kind}"


def write_page(
    path: str | os.PathLike[str], svg: str, frames: Sequence[Frame], heading: str, about: Mapping[str, str]
) -> Path:
    """Write a page that steps through the frames of any drawing, in one file.

    Args:
        path: the file; it is written over.
        svg: the drawing, by Graphviz or in its manner: a group of class `node` or `edge` for each thing, in colours
            for a light background.
        frames: what to show, in this order, one or more.
        heading: what stands above, as plain text.
        about: id of a node -> all there is to say of it, as plain text, for who points at it or hears the page.

    Returns:
        The path of the file.

    Raises:
        ValueError: there is no frame, or an id is none of the drawing's.
        OSError: the file cannot be written.

    >>> import tempfile
    >>> svg = '<svg viewBox="0 0 9 9"><g id="a" class="node"><circle r="4"/><text id="t">?</text></g></svg>'
    >>> frames = [Frame("One", ("a = 1.0",), ("a",), {"t": "1.0"})]
    >>> write_page(f"{tempfile.mkdtemp()}/a.html", svg, frames, "a", {"a": "a, a leaf"}).name
    'a.html'
    """
    if not frames:
        raise ValueError("a page shows one frame or more, got none")
    tree = parsed(svg)
    things = {thing.get("id", ""): thing for thing in tree.iter()}
    for frame in frames:
        for name in (*frame.lit, *frame.texts, *filter(None, [frame.node])):
            if name not in things:
                raise ValueError(f"the frame {frame.title!r} speaks of {name!r}, which is no id of the drawing")
        for name, text in frame.texts.items():
            things[name].text = text  # that of the last frame stays, for readers without scripts
    if unknown := sorted(about.keys() - things.keys()):
        raise ValueError(f"about speaks of {unknown[0]!r}, which is no id of the drawing")
    _for_inlining(tree, printable(heading))
    script = _file("page.js")
    style = _file("page.css") + _colours(tree)
    data = {"frames": [asdict(frame) for frame in frames], "about": dict(about)}
    parts = {
        "policy": f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'",
        "heading": html.escape(printable(heading)),
        "style": style,
        "svg": ET.tostring(tree, encoding="unicode"),
        "data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        "script": script,
    }
    text = re.sub(r"@(\w+)@", lambda match: parts[match[1]], _file("page.html"))
    path = Path(path)
    path.write_bytes(text.encode())
    return path


def _file(name: str) -> str:
    return (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def parsed(svg: str) -> ET.Element:
    """The drawing without namespaces, which HTML does not use."""
    tree = ET.fromstring(svg)
    for thing in tree.iter():
        thing.tag = thing.tag.rpartition("}")[2]
        thing.attrib = {key: value for key, value in thing.attrib.items() if "}" not in key}
    return tree


def _element(name: str, text: str) -> ET.Element:
    element = ET.Element(name)
    element.text = text
    return element


def _for_inlining(tree: ET.Element, heading: str) -> None:
    """Make a part of a page of an SVG file: titles for who hears it, but none that pop up under the mouse."""
    for name in ("width", "height", "aria-label"):
        tree.attrib.pop(name, None)
    for group in tree.iter("g"):
        for title in group.findall("title"):
            group.remove(title)
        group.tail = None
    for thing in tree.findall("g"):
        thing.insert(0, ET.Element("title"))  # an empty one: it hides that of the whole from the mouse
    for name, text in (("desc", GUIDE), ("title", heading)):
        if tree.find(name) is None:
            tree.insert(0, _element(name, text))
        tree.find(name).set("id", f"page-drawing-{name}")  # type: ignore[union-attr]
    tree.set("role", "group")
    tree.set("aria-labelledby", "page-drawing-title")
    tree.set("aria-describedby", "page-drawing-desc")


def _colours(tree: ET.Element) -> str:
    """Rules for the colours of the page and of the drawing, which in the dark keep their hue and change lightness."""
    names = {name: getattr(style, name.upper()) for name in ("blue", "orange", "green")}
    light = "".join(f"--{name}:{colour};--{name}-text:{_shade(colour, 0.75)};" for name, colour in names.items())
    dark = "".join(f"--{name}:{_dark(colour)};--{name}-text:{_dark(colour)};" for name, colour in names.items())
    used = sorted(
        {(kind, thing.get(kind, "")) for thing in tree.iter() for kind in ("fill", "stroke") if thing.get(kind)}
    )
    rules = "".join(
        f':where([data-theme="dark"]) [{kind}="{colour}"]{{{kind}:{_dark(colour)}}}'
        for kind, colour in used
        if re.fullmatch("#[0-9a-f]{6}", colour)
    )
    return f':root{{{light}}}\n@media screen{{:root[data-theme="dark"]{{{dark}}}{rules}}}\n'


def _dark(colour: str) -> str:
    hue, lightness, saturation = _hls(colour)
    return _hex(hue, 0.11 + 0.8 * (1 - lightness), 0.8 * saturation)


def _shade(colour: str, factor: float) -> str:
    hue, lightness, saturation = _hls(colour)
    return _hex(hue, factor * lightness, saturation)


def _hls(colour: str) -> tuple[float, float, float]:
    return colorsys.rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))


def _hex(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))
