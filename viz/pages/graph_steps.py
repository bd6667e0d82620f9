"""The page of a graph: its values forward, then its gradients backward or its tangents forward, step by step."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine import Backprop, ForwardMode, ForwardStep, Step, Value, topological_order
from engine.errors import no_graph
from engine.foreign import usage
from engine.restore import restored
from engine.validation import at_least, check_flag
from viz.pages.dark_mode import colour_rules
from viz.pages.error_words import error_words
from viz.pages.graph_picture import GraphPicture
from viz.pages.graph_words import GraphWords
from viz.pages.help_words import GRAPH_KEYS, GRAPH_LEGEND, hidden_controls
from viz.pages.html_page import page_path, page_with_steps, write_page
from viz.pages.note import note_markup
from viz.pages.page_step import PageStep
from viz.pages.quiz_words import KINDS, QuizWords
from viz.pages.tape import Tape, is_leaf

ASSETS = ("stage.js", "graph.js", "leaves.js", "card.js", "graph_quiz.js", "export.js", "graph.css")


@usage('viz.page(L, "L.html")')
def page(
    root: Value,
    path: str | os.PathLike[str],
    *,
    mode: str = "backward",
    x: Value | None = None,
    expand: bool = False,
    rankdir: str = "LR",
    precision: int = 6,
    max_nodes: int = 300,
    quiz: bool = False,
    text: str = "",
    hide: Iterable[str] = (),
) -> Path:
    """Write a live page of the graph of `root`: one HTML file for any browser, without network access.

    The values appear first, node by node, then the gradients, in the steps and words of `engine.Backprop`. The arrow
    keys step, space plays, a click on a node goes to its step. The number of a leaf can be typed, dragged, or changed
    by the arrow keys; values, gradients and the words of the step follow. Every gradient on the page
    starts at 0.0, whatever `backward()` did before; the graph itself does not change. A root without a label is called
    L. Nodes that were recorded in `with viz.source_lines():` are shown with their line of the program.

    Args:
        root: the output of the graph.
        path: the file, which must end in .html; an existing one is replaced.
        mode: "backward" for gradients, or "forward" for tangents, the derivatives of all nodes with respect to one
            input, in the steps and words of `engine.ForwardMode`.
        x: the input of mode "forward"; by default the first leaf.
        expand: show `dot` and `sum` as products and sums.
        rankdir: the direction of the graph: "LR", "RL", "TB" or "BT".
        precision: the significant digits of the numbers in the drawing, 1 to 17; the words have 6.
        max_nodes: the most nodes to show. Larger graphs are slow in the browser and hard to read.
        quiz: begin with the quiz, which asks for the sign, the number or the formula of a gradient before it is shown.
        text: a note beside the drawing, in Markdown.
        hide: the controls to hide: "slider", "play", "zoom", "dark", "numbers", "latex", "quiz", "more".

    Returns:
        The path of the file.

    Raises:
        ValueError: the graph has more than `max_nodes` nodes, an argument is out of range, or `root` does not depend
            on `x`.
        TypeError: `root` or `x` is not a Value, or `path` or `quiz` is of another type.
        RuntimeError: as `backward()`; no file is written.
        ArithmeticError: as `backward()`; no file is written.
        OSError: the file cannot be written.

    >>> import tempfile
    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> page(a * b, f"{tempfile.mkdtemp()}/L.html").name
    'L.html'
    """
    path = page_path(path)
    check_flag(quiz, "quiz")
    note, hidden = note_markup(text), hidden_controls(hide)
    order = topological_order(root)
    if at_least(1, precision, "precision") > 17:
        raise ValueError(f"precision must be at most 17, which is every digit of a float, got {precision}")
    if len(order) > at_least(1, max_nodes, "max_nodes"):
        raise ValueError(
            f"the graph must have at most max_nodes={max_nodes:,} nodes, got {len(order):,} nodes: show an inner node "
            "instead, record fewer rows, use dot and sum for long sums, or pass a larger max_nodes"
        )
    if mode not in ("backward", "forward"):
        raise ValueError(f"mode must be 'backward' or 'forward', got {mode!r}")
    if x is not None and mode == "backward":
        raise ValueError("x must be passed with mode='forward' only: gradients are with respect to every leaf")
    with _labelled(root, order), restored(order):
        tape = Tape(root)
        for node in order:
            node.grad = 0.0
        walk = Backprop(root) if mode == "backward" else ForwardMode(root, _first_leaf(root, order) if x is None else x)
        steps: list[Any] = [*walk]
        derivative = "tangent" if isinstance(walk, ForwardMode) else "grad"
        recorded = tape.data(walk.tangents if isinstance(walk, ForwardMode) else None)
        options: dict[str, Any] = {"expand": expand, "rankdir": rankdir, "max_nodes": max_nodes}
        picture = GraphPicture(tape, derivative, precision, **options)
        words = GraphWords(tape, walk)
        page_steps = [*_forward(tape, picture), *_chain_rule(tape, walk, steps, picture)]
        for page_step, text in zip(page_steps, words.steps(steps), strict=True):
            page_step.words = text
        data = {
            "options": {"precision": precision, "derivative": derivative, "hide": hidden, "quiz": quiz},
            "tape": recorded,
            "drawing": picture.data(),
            "quiz": KINDS,
        }
        html = page_with_steps(
            title=tape.names.definition(root),
            heading=words.heading(),
            stage=picture.markup(recorded["nodes"]),
            panel=words.leaf_table(),
            steps=page_steps,
            data=data,
            templates={
                **error_words(tape, tangents=mode == "forward"),
                **words.nodes(),
                **QuizWords(tape, steps).ask(page_steps),
            },
            rules=tape.script(),
            assets=ASSETS,
            colours=colour_rules(picture.svg),
            legend=GRAPH_LEGEND,
            keys=GRAPH_KEYS,
            note=note,
        )
        return write_page(path, html)


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


def _first_leaf(root: Value, order: list[Value]) -> Value:
    for node in filter(is_leaf, order):
        return node
    raise no_graph(root)


def _forward(tape: Tape, picture: GraphPicture) -> Iterator[PageStep]:
    """Yield the steps of the forward pass."""
    leaves = [tape.index[node] for node in tape.order if is_leaf(node)]
    yield PageStep("forward", "", [["appear", *leaves]], [])
    for node in tape.order:
        if node.parents:
            lit = picture.between(node.parents, node)
            yield PageStep("forward", "", [["forward", tape.index[node]]], lit, picture.key(node))


def _chain_rule(
    tape: Tape, walk: Backprop | ForwardMode, steps: Iterable[Step | ForwardStep], picture: GraphPicture
) -> Iterator[PageStep]:
    """Yield the start of the backward pass or of forward mode, every application of the chain rule, and the end."""
    seed: list[Any] = ["seed"]
    phase, start = "backward", tape.root
    if isinstance(walk, ForwardMode):
        dependent = {walk.x, *(step.node for step in steps)}
        independent = [i for i, node in enumerate(tape.order) if node not in dependent]
        phase, start, seed = "tangent", walk.x, ["seedTangents", tape.index[walk.x], *independent]
    yield PageStep(phase, "", [seed], [picture.key(start)])
    for step in steps:
        actions = [[phase, tape.index[step.node]]]
        lit = picture.between([x.parent for x in step.contributions], step.node)
        yield PageStep(phase, "", actions, lit, picture.key(step.node), picture.edges(step))
    yield PageStep(phase, "", [], [])
