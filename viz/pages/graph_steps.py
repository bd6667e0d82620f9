"""The page of a graph: its values forward, then its gradients backward, one application of the chain rule at a time."""

from __future__ import annotations

import ast
import html
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine import Backprop, Step, Value, topological_order
from engine.custom import CUSTOM_RULES
from engine.errors import gradient_overflow, no_value, undefined_derivative
from engine.foreign import usage
from engine.formatting import format_number, printable
from engine.restore import restored
from engine.validation import at_least
from viz.clusters import Clusters, fold_graph
from viz.equations import Equation, Equations
from viz.graph_drawing import draw
from viz.pages.dark_mode import colour_rules
from viz.pages.html_page import page_path, parse_svg, write_page
from viz.pages.tape import Tape
from viz.pages.words import SlotNumbers, compact, formula, latex, markup, slot, spoken
from viz.typeset import mathml, plugged_in

MAX_EQUATIONS = 12  # on one line
MAX_EXPANSIONS = 60_000  # characters of expressions in the leaves
RESERVED = -0.123457  # the widest usual number, for which a box has room; wider ones are condensed
GUIDE = "Use the up and down arrow keys to move between nodes, Enter to go to the step of a node."
SCRIPTS = ("stage.js", "graph.js", "leaves.js", "card.js")


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
    """Write a live page of the graph of `root`: one HTML file that any browser opens, without a network.

    The values appear first, node by node, then the gradients, in the steps and words of `engine.Backprop`. The arrow
    keys step, space plays, a click on a node goes to its step. The number of a leaf can be typed, dragged and stepped
    by the arrow keys, and everything follows: values, gradients and the words of the step. Every gradient on the page
    starts at 0.0, whatever `backward()` did before; the graph itself does not change. A root without a label is called
    L.

    Args:
        root: the output of the graph.
        path: the file, which must end in .html; an existing one is replaced.
        expand: show `dot` and `sum` as products and sums.
        rankdir: the direction of the graph: "LR", "RL", "TB" or "BT".
        precision: the significant digits of the numbers in the drawing, 1 to 17; the words have 6.
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
    if at_least(1, precision, "precision") > 17:
        raise ValueError(f"precision must be at most 17, which is every digit of a float, got {precision}")
    if len(order) > at_least(1, max_nodes, "max_nodes"):
        raise ValueError(
            f"the graph must have at most max_nodes={max_nodes:,} nodes, got {len(order):,} nodes: show an inner node "
            "instead, record fewer rows, use dot and sum for long sums, or pass a larger max_nodes"
        )
    with _labelled(root, order), restored(order):
        tape = Tape(root)
        recorded = tape.data()
        for node in order:
            node.grad = 0.0
        steps = [*Backprop(root)]
        picture = _draw(tape, expand, rankdir, precision, max_nodes)
        words = _Words(tape)
        data = {
            "kind": "graph",
            "options": {"precision": precision},
            "tape": recorded,
            "drawing": picture.data(),
            "steps": [*_forward(tape, picture), *_backward(tape, steps, picture)],
        }
        return write_page(
            path,
            title=tape.names.definition(root),
            heading=words.heading(),
            stage=picture.markup(recorded["nodes"], precision),
            panel=_leaves(tape),
            data=data,
            templates={**words.steps(steps), **words.errors(), **words.nodes()},
            rules=tape.script(),
            scripts=SCRIPTS,
            styles=["graph.css"],
            colours=colour_rules(picture.svg),
        )


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


def _draw(tape: Tape, expand: bool, rankdir: str, precision: int, max_nodes: int) -> _Picture:
    """Draw the graph with room in its boxes for the numbers that a page may show."""
    order = tape.order
    with restored(order):
        for node in order:
            node.grad = RESERVED
        drawing = draw(
            tape.root,
            local_derivatives=True,
            depth=len(order),
            expand=expand,
            rankdir=rankdir,
            precision=precision,
            max_nodes=max_nodes,
        )
        drawing.describe(
            f"The graph of {tape.names.definition(tape.root)}",
            f"{len(order)} nodes, each after its operands. {GUIDE}",
        )
        return _Picture(drawing.pipe(encoding="utf-8"), tape)


class _Picture:
    """The SVG of `draw`, with ids for the nodes, edges and numbers that the page changes."""

    def __init__(self, svg: str, tape: Tape) -> None:
        self.tape = tape
        self.ids: dict[Value, list[str]] = {}  # a bias unit is drawn in every layer, so it has several
        self.svg = parse_svg(svg)
        self.products: dict[str, list[int]] = {}  # of a `dot` that is drawn as a sum: its node and two operands
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

    def edges(self, step: Step) -> list[str]:
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

    def markup(self, recorded: list[dict[str, Any]], precision: int) -> str:
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
                for kind in ("data", "grad"):
                    if (text := texts.get(f"{key}-{kind}")) is not None:
                        text.text = f"{kind} {format_number(numbers[kind], precision)}"
        for key, (i, a, b) in self.products.items():
            texts[f"{key}-data"].text = f"data {format_number(recorded[a]['data'] * recorded[b]['data'], precision)}"
            texts[f"{key}-grad"].text = f"grad {format_number(recorded[i]['grad'], precision)}"
        return ET.tostring(svg, encoding="unicode")


def _owner(key: str) -> str:
    """Return the id of the node for which a node, an operation or a product was drawn: `n4` for `n4x1op`."""
    return re.split("x|op", key)[0]


def _is_leaf(node: Value) -> bool:
    return not node.parents and not node.is_constant


def _forward(tape: Tape, picture: _Picture) -> Iterator[dict[str, Any]]:
    """Yield the steps of the forward pass."""
    leaves = [tape.index[node] for node in tape.order if _is_leaf(node)]
    yield {"phase": "forward", "words": "forward0", "actions": [["appear", *leaves]], "lit": [], "focus": ""}
    inner = [node for node in tape.order if node.parents]
    for i, node in enumerate(inner, 1):
        yield {
            "phase": "forward", "words": f"forward{i}", "actions": [["forward", tape.index[node]]],
            "lit": picture.between(node.parents, node), "focus": picture.key(node),
        }  # fmt: skip


def _backward(tape: Tape, steps: Sequence[Step], picture: _Picture) -> Iterator[dict[str, Any]]:
    """Yield the steps of the backward pass."""
    key = picture.key(tape.root)
    yield {"phase": "backward", "words": "backward0", "actions": [["seed"]], "lit": [key], "focus": ""}
    for i, step in enumerate(steps, 1):
        yield {
            "phase": "backward", "words": f"backward{i}", "actions": [["backward", tape.index[step.node]]],
            "lit": picture.between([x.parent for x in step.contributions], step.node),
            "focus": picture.key(step.node), "edges": picture.edges(step),
        }  # fmt: skip
    yield {"phase": "backward", "words": "complete", "actions": [], "lit": [], "focus": ""}


class _Words:
    """The words of a page of a graph, with slots for its numbers."""

    def __init__(self, tape: Tape) -> None:
        self.tape, self.names = tape, tape.names
        self.equations = Equations(tape.root, tape.names, slots=True)

    def heading(self) -> str:
        """Return the heading: the root and its operation, as mathematics if it is short."""
        text = self.names.definition(self.tape.root)
        plain = html.escape(printable(text))
        if len(text) > 60 or not self.tape.root.parents:
            return plain
        mathematics = self.equations.definition(self.tape.root, numbers=False).mathml
        return f'<span class="spoken">{plain}</span><span aria-hidden="true">{mathematics}</span>'

    def steps(self, steps: Sequence[Step]) -> dict[str, str]:
        """Return the words of every step."""
        tape, names = self.tape, self.names
        leaves = [node for node in tape.order if _is_leaf(node)]
        inner = [node for node in tape.order if node.parents]
        variables = [node for node in tape.order if not node.is_constant]
        data = [(f"{names[node]} = {slot('data', tape.index[node])}", self._data(node)) for node in leaves]
        words = {"forward0": f"<h2>Forward 0 of {len(inner)}: the leaves</h2>{_list(data)}"}
        for i, node in enumerate(inner, 1):
            equation = self.equations.definition(node)
            words[f"forward{i}"] = (
                f"<h2>Forward {i} of {len(inner)}</h2>"
                + spoken(markup(f"{names.definition(node)} = {slot('data', tape.index[node])}"))
                + formula(equation.mathml)
                + latex([equation])
            )
        words["backward0"] = (
            f"<h2>Backward 0 of {len(steps)}</h2>"
            + spoken(markup(f"{names.gradient(tape.root)} = 1.0"))
            + formula(self._gradient(tape.root).mathml)
            + "<p>No other gradient has received anything yet.</p>"
        )
        for i, step in enumerate(steps, 1):
            words[f"backward{i}"] = f"<h2>Backward {i} of {len(steps)}</h2>{self._step(step)}"
        gradients = [
            (f"{names.gradient(node)} = {slot('grad', tape.index[node])}", self._gradient(node))
            for node in variables
            if not node.parents
        ]
        words["complete"] = f"<h2>Every gradient is complete</h2>{_list(gradients)}"
        return words

    def _step(self, step: Step) -> str:
        """Return the words of an application of the chain rule."""
        slots = SlotNumbers()
        upstream = slots.of("upstream")
        node, gradient = (
            compact(Equation(x).mathml) for x in (self.names.tree(step.node), self.equations.gradient(step.node))
        )
        parts = [
            spoken(slots.markup(str(replace(step, upstream=upstream, contributions=())))),
            f'<p class="head" aria-hidden="true">{node} passes back {gradient} = '
            '<span data-slot="upstream"></span></p>',
        ]
        equations = []
        for c, (contribution, (product, sum_)) in enumerate(
            zip(step.contributions, self.equations.chain_rule(step), strict=True)
        ):
            local, amount, before, total = (slots.of(f"{name} {c}") for name in ("local", "amount", "before", "total"))
            sentence = str(
                replace(contribution, _upstream=upstream, local=local, amount=amount, before=before, total=total)
            )
            chain, _, accumulated = sentence.rpartition("\n")
            parts += [
                spoken(slots.markup(" ".join(chain.split()))),
                f'<p class="spoken" data-if="before {c}">{slots.markup(accumulated.strip())}</p>',
                formula(product.mathml),
                formula(sum_.mathml, f"before {c}"),
            ]
            equations.append(product)
        return "".join(parts) + latex(equations)

    def errors(self) -> dict[str, str]:
        """Return the sentences of the engine about operations that have no value, with slots."""
        tape = self.tape
        words: dict[str, str] = {}
        users: dict[Value, list[Value]] = {node: [] for node in tape.order}
        for node in tape.order:
            for x in dict.fromkeys(node.parents):
                users[x].append(node)
        with restored(tape.order):
            slots = SlotNumbers()
            for i, node in enumerate(tape.order):
                if not node.is_constant:
                    node._data, node._grad = slots.of(f"data {i}"), float("inf")
            for i, node in enumerate(tape.order):
                errors: dict[str, Exception] = {}
                if node.parents:
                    errors["overflow"] = no_value(node, OverflowError())
                    is_custom = node.op in CUSTOM_RULES
                    if node._rule.domain or is_custom:
                        errors["domain"] = no_value(node, ValueError())
                        for x in dict.fromkeys(x for x in node.parents if not x.is_constant):
                            errors[f"derivative-{tape.index[x]}"] = undefined_derivative(node, x)
                    if node.op == "/" or is_custom:
                        errors["zero"] = no_value(node, ZeroDivisionError())
                if not node.is_constant:
                    errors["gradient"] = gradient_overflow(node, users[node])
                words |= {f"error-{i}-{kind}": slots.markup(str(error)) for kind, error in errors.items()}
        return words

    def nodes(self) -> dict[str, str]:
        """Return what is said of each node on the page: its name, its definition, its expression in the leaves."""
        tape, size = self.tape, 0
        words = {}
        for i, node in enumerate(tape.order):
            text = self.names.definition(node)
            kind = ", a constant, which has no gradient" if node.is_constant else ", a leaf" if not node.parents else ""
            kind = ", the output" if node is tape.root and node.parents else kind
            parts = [f'<p class="name">{html.escape(printable(text))}{kind}</p>']
            if node.parents:
                parts.append(formula(self.equations.definition(node).mathml))
                expansion = [*self.equations.expansion(node), *self.equations.expansion(node, numbers=True)]
                size += sum(len(x.mathml) for x in expansion)
                if size < MAX_EXPANSIONS and any(x.parents for x in node.parents):
                    parts += [formula(x.mathml) for x in expansion]
            words[f"node-{i}"] = "".join(parts)
        return words

    def _data(self, node: Value) -> Equation:
        return Equation(self.names.tree(node), (("=", self.equations.data(node)),))

    def _gradient(self, node: Value) -> Equation:
        number = plugged_in(1.0, f"grad {self.tape.index[node]}")
        return Equation(self.equations.gradient(node), (("=", number),))


def _list(equations: Sequence[tuple[str, Equation]]) -> str:
    """Return the first equations in one paragraph, in words and as mathematics."""
    more = len(equations) - MAX_EQUATIONS
    rest = f" and {more} more" if more > 0 else ""
    shown = equations[:MAX_EQUATIONS]
    mathematics = "".join(f'<span class="item">{equation.mathml}</span> ' for _, equation in shown)
    return (
        spoken(markup(",  ".join(text for text, _ in shown) + rest))
        + formula(mathematics + rest)
        + latex([equation for _, equation in shown])
    )


def _leaves(tape: Tape) -> str:
    """Return the table of the leaves: for each its name, a field with its number, and its gradient."""
    rows = []
    for i, node in enumerate(tape.order):
        if not _is_leaf(node):
            continue
        name = html.escape(printable(tape.names[node]))
        symbol = Equation(tape.names.tree(node)).mathml
        rows.append(
            f'<li data-leaf="{i}"><span class="handle" title="Drag to change">{symbol}</span>'
            f'<input type="number" step="any" aria-label="value of {name}" value="{node.data!r}">'
            f'<span class="gradient" aria-hidden="true">{_linear_derivative(tape, node)}</span>'
            f'<output aria-label="gradient of {name}"></output></li>'
        )
    return (
        '<header><h2>Leaves</h2><button type="button" id="page-undo" class="text">undo</button>'
        f'<button type="button" id="page-reset" class="text">reset</button></header><ul>{"".join(rows)}</ul>'
    )


def _linear_derivative(tape: Tape, node: Value) -> str:
    """Return the symbol of a gradient in one line, as MathML."""
    parts = []
    for x in (tape.root, node):
        tree = tape.names.tree(x)
        text = mathml(tree)
        parts.append(f"<mo>∂</mo>{text if isinstance(tree, ast.Name) else f'<mo>(</mo>{text}<mo>)</mo>'}")
    return f"<math>{'<mo>/</mo>'.join(parts)}</math>"
