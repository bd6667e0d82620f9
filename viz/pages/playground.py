"""The playground: a page that trains a model on its data and shows the planes of all neurons."""

from __future__ import annotations

import html
import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import nn
from engine.recording import recording
from engine.validation import at_least, error_context
from nn import MLP, Layer, Perceptron
from nn.inputs import Data, Pairs, examples, with_bias
from nn.losses import Loss
from nn.optimizers import Optimizer, UpdateRule
from nn.signals import layers_of, record_example, target_leaves
from viz.pages.dark_mode import colour_rules
from viz.pages.html_page import asset, fill_page, page_path, write_page
from viz.pages.playground_code import TrainingCode
from viz.pages.playground_data import examples_markup
from viz.pages.playground_panels import explanations_markup, marks_markup, panels_markup
from viz.pages.playground_program import saved_data
from viz.pages.playground_shape import SEVERAL, model_texts, shape_data
from viz.pages.playground_update import settings_of, update_script
from viz.pages.playground_zoom import network_frame, zoom_markup
from viz.style import CLASSES

TASKS: dict[Any, str] = {nn.hinge: "hinge", nn.binary_cross_entropy: "binary", nn.cross_entropy: "classes"}
MAX_INTEGER = 2**53 - 1  # of the numbers of JavaScript
COLOURS = (*CLASSES, "#8c6d31", "#7b4173")  # of up to eight classes
SCRIPTS = (
    "functions.js",
    "format.js",
    "clamp.js",
    "link.js",
    "wasm.js",
    "playground_code.js",
    "playground_random.js",
    "slots.js",
    "playground_shape.js",
    "playground_history.js",
    "playground_training.js",
    "playground_state.js",
    "playground_data.js",
    "playground_colours.js",
    "playground_network.js",
    "playground_structure.js",
    "playground_line.js",
    "playground_planes.js",
    "playground_examples.js",
    "playground_points.js",
    "playground_marks.js",
    "playground_curves.js",
    "playground_confusion.js",
    "playground_histograms.js",
    "playground_timeline.js",
    "playground_player.js",
    "playground_settings.js",
    "playground_table.js",
    "playground_progress.js",
    "playground_undo.js",
    "playground_step.js",
    "playground_zoom.js",
    "playground_frame.js",
    "playground_link.js",
    "playground.js",
    "playground_save.js",
    "playground_png.js",
)


def playground(
    model: Perceptron | Layer | MLP,
    data: Data,
    path: str | os.PathLike[str],
    *,
    loss: Loss,
    optimizer: Optimizer | None = None,
    test: Data = (),
    batch_size: int | None = 16,
    seed: int = 0,
    inputs: Sequence[str] = (),
    classes: Sequence[str] = (),
    title: str = "",
) -> Path:
    """Write a page that trains a model on its data, as `nn.train` does, and shows every neuron while it learns.

    It has the output and every neuron as a picture over two inputs, with the line where its weighted sum is 0; the
    weights by width, colour and dash; the losses and accuracies of both parts of the data as curves. Learning rate,
    batch size, optimizer and weight decay can be changed while it trains. A slider goes back to any step, whose every
    number can be followed: from a weight to the examples that moved it, to the network of an example, as `network_page`
    shows it, and to one product of the chain rule. From the same weights, seed, batch size and
    optimizer, it goes through the same batches as `nn.train` to the same weights, but for the rounding of functions
    such as tanh. The model does not change.

    Args:
        model: the network, whose weights are the first ones.
        data: pairs (x, r) of input and target to train with.
        path: the file, which must end in .html; an existing one is replaced.
        loss: the function of output and target to minimise, such as `nn.hinge`. It must not branch on numbers, except
            by functions of `engine`.
        optimizer: by default `nn.Adam(model.parameters())`.
        test: pairs (x, r) that the training does not use.
        batch_size: the number of examples per step; None for all of them.
        seed: an int that is not negative, for the order of the examples as in `nn.train`.
        inputs: the names of the inputs, by default x1, x2, ...
        classes: the names of the classes.
        title: the heading of the page.

    Returns:
        The path of the file.

    Raises:
        TypeError: `model` is not one of the three, or the data or the loss do not suit it; no file is written.
        ValueError: the same, or the optimizer has no formulas or not all parameters, or `path` does not end in .html.
        ArithmeticError: a loss is not finite.
        OSError: the file cannot be written.

    >>> import tempfile
    >>> xor = [([0, 0], -1), ([0, 1], 1), ([1, 0], 1), ([1, 1], -1)]
    >>> playground(MLP(2, [4, 1], seed=1), xor, f"{tempfile.mkdtemp()}/play.html", loss=nn.hinge).name
    'play.html'
    """
    path = page_path(path)
    layers = layers_of(model, "playground")
    parts = {"data": examples(data), "test": examples(test) if (test := list(test)) else []}
    parameters = model.parameters()
    optimizer = optimizer or nn.Adam(parameters)
    if optimizer.parameters != parameters:
        raise ValueError(
            f"optimizer must have all {len(parameters)} parameters of the model, in their order, "
            f"got {len(optimizer.parameters)}: write {type(optimizer).__name__}(model.parameters())"
        )
    if at_least(0, seed, "seed") > MAX_INTEGER:
        raise ValueError(f"seed must be at most {MAX_INTEGER} (2**53 - 1), the largest integer of the page, got {seed}")
    settings = {type(optimizer).__name__: settings_of(optimizer)}
    rules: dict[str, UpdateRule | None] = {type(optimizer).__name__: optimizer.rule}
    offered = [optimizer, nn.SGD(parameters), nn.Adam(parameters)]
    for other in offered[1:]:
        settings.setdefault(type(other).__name__, settings_of(other))
        rules.setdefault(type(other).__name__, other.rule)
    first_loss, _ = nn.evaluate(model, loss, parts["data"])
    if parts["test"]:
        nn.evaluate(model, loss, parts["test"])
    n_outputs = len(layers[-1])
    rows = {name: _rows(model, pairs, loss, n_outputs, name) for name, pairs in parts.items()}
    task = TASKS.get(loss, "number")
    class_names = _class_names(task, parts["data"], n_outputs, classes)
    input_names = [str(name) for name in inputs] or [f"x{i}" for i in range(1, model.n_inputs + 1)]
    if len(input_names) != model.n_inputs:
        raise ValueError(f"inputs must be {model.n_inputs} names, got {len(input_names)}")
    code = TrainingCode()
    shape = shape_data(model, layers, code)
    graph = record_example(model, *parts["data"][0], loss)
    if not graph.target:
        raise ValueError("loss must take targets that are numbers or Values, since the page trains with all targets")
    sizes = [model.n_inputs, *map(len, layers)]
    training_code = code.data(graph, parameters)
    optimizer.match_state()
    page_data = {
        "training": {
            "weights": [w.data for w in parameters],
            "train": rows["data"],
            "test": rows["test"],
            "inputs": model.n_inputs,
            "outputs": n_outputs,
            "task": task,
            "batch": len(rows["data"]) if batch_size is None else at_least(1, batch_size, "batch_size"),
            "seed": seed,
            "optimizer": type(optimizer).__name__,
            "state": [list(numbers) for numbers in zip(*optimizer.state, strict=True)],
            "steps": optimizer.steps,
            "settings": settings,
            "code": training_code,
        },
        "shape": shape,
        "inputs": input_names,
        "first": first_loss,
        "colours": COLOURS,
        "classes": class_names,
        "save": saved_data(model_texts(model, shape["choices"] or [SEVERAL]), shape["output"], loss, offered),
    }
    frame, page_data["zoom"] = network_frame(model, parts["data"][0], loss, shape["choices"])
    updates = ",\n".join(
        f"{json.dumps(name)}: {{ states: {len(rule.state)}, update: {update_script(rule)} }}"
        for name, rule in rules.items()
        if rule is not None
    )
    scripts = [*SCRIPTS]
    if re.search('"(erfc?|l?gamma)"', json.dumps(training_code)):
        scripts.insert(1, "special_functions.js")
    script = "\n".join(['"use strict";', f"const UPDATES = {{\n{updates}\n}};", *map(asset, scripts)])
    style = asset("page.css") + asset("playground.css") + asset("playground_zoom.css") + colour_rules(ET.Element("svg"))
    sizes_text = "-".join(map(str, sizes))
    heading = title or f"A network {sizes_text} learns {len(rows['data'])} examples"
    choices = shape["choices"] if shape["layers"] is None or len(sizes) > 2 else []
    text = fill_page(
        "playground.html",
        title=heading,
        script=script,
        style=style,
        data=page_data,
        policy="'wasm-unsafe-eval'",
        frame=frame,
        parts={
            "heading": html.escape(heading).replace(sizes_text, f'<span id="play-sizes">{sizes_text}</span>', 1),
            "controls": _controls(list(settings), choices, has_schemes=shape["layers"] is None),
            "marks": marks_markup(),
            "axes": _axes(input_names),
            "examples": examples_markup(
                task,
                class_names,
                input_names,
                len(rows["data"][0]) - model.n_inputs,
                len(rows["data"]),
                len(rows["test"]),
            ),
            "legend": _legend(task, class_names, has_lines=bool(choices) and model.n_inputs > 1),
            "panels": panels_markup(task),
            "explanations": explanations_markup(),
            "zoom": zoom_markup({name: rule for name, rule in rules.items() if rule}),
        },
    )
    return write_page(path, text)


def _rows(model: Any, pairs: Pairs, loss: Loss, n_outputs: int, name: str) -> list[list[float]]:
    """Return for every example its inputs, then the numbers of its target."""
    rows = []
    with recording():
        for i, (x, r) in enumerate(pairs):
            with error_context(f"{name}[{i}]"):
                leaves = [*with_bias(x, model.n_inputs, model)[1:], *target_leaves(r, loss, n_outputs)]
                rows.append([leaf.data for leaf in leaves])
    return rows


def _class_names(task: str, pairs: Pairs, n_outputs: int, names: Sequence[str]) -> list[str]:
    """Return the names of the classes; none for a regression."""
    if task == "number":
        return []
    n = n_outputs if task == "classes" else 2
    if n > len(COLOURS):
        raise ValueError(f"there must be at most {len(COLOURS)} classes, got {n}")
    if names and len(names) != n:
        raise ValueError(f"classes must be {n} names, got {len(names)}")
    defaults = {"hinge": ["-1", "1"], "binary": ["0", "1"]}.get(task, [str(k) for k in range(n)])
    return [str(name) for name in names] or defaults


def _field(name: str, markup: str, text: str = "") -> str:
    return f"<label><span>{html.escape(text or name)}</span> {markup}</label>"


def _number(name: str, **attributes: object) -> str:
    limits = "".join(f' {key}="{x}"' for key, x in attributes.items())
    return f'<input type="number" id="play-{name.replace(" ", "-")}" aria-label="{name}"{limits}>'


def _select(name: str, options: Iterable[tuple[str, str]]) -> str:
    items = "".join(f'<option value="{html.escape(x)}">{html.escape(text)}</option>' for x, text in options)
    return f'<select id="play-{name.replace(" ", "-")}" aria-label="{name}">{items}</select>'


def _controls(optimizers: list[str], activations: list[str], *, has_schemes: bool) -> str:
    """Return the controls for settings that can change while the model learns."""
    fields = [
        _field("learning rate", _number("learning rate", min=0, step="any")),
        _field("batch size", _number("batch size", min=1, max=MAX_INTEGER, step=1)),
        _field("optimizer", _select("optimizer", [(name, name) for name in optimizers])),
        _field("momentum", _number("momentum", min=0, max=0.999, step="any")),
        _field("weight decay", _number("weight decay", min=0, step="any")),
    ]
    if activations:
        fields.append(_field("activation", _select("activation", [(name, name) for name in activations])))
    if has_schemes:
        schemes = [("", "of the model"), *((name, name) for name in nn.SCHEMES)]
        fields.append(_field("first weights", _select("first weights", schemes)))
    fields += [
        _field("seed", _number("seed", min=0, max=MAX_INTEGER, step=1)),
        _field(
            "speed",
            _select("speed", [("epoch", "by epochs"), ("slow", "by steps"), ("fast", "fast")]),
        ),
        _field("stop at a plateau", '<input type="checkbox" id="play-plateau" checked>'),
    ]
    return f'<div id="play-fields">{"".join(fields)}</div>'


def _axes(names: list[str]) -> str:
    """Return the choice of the two inputs of the planes, and the values of the others."""
    spans = [f'<span data-input-name="{i}">{html.escape(name)}</span>' for i, name in enumerate(names)]
    if len(names) <= 2:
        return f"<span>across: {spans[0]}</span>" + (f"<span>up: {spans[1]}</span>" if len(names) == 2 else "")
    options = "".join(
        f'<option value="{i}" data-input-name="{i}">{html.escape(x)}</option>' for i, x in enumerate(names)
    )
    held = "".join(
        f'<label data-held="{i}"><span><span class="spoken">value of </span>{span} = <b></b></span> '
        '<input type="range" step="any"></label>'
        for i, span in enumerate(spans[:20])
    )
    choices = "".join(
        f'<label><span>{way}</span> <select id="play-input-{way}" aria-label="input {way}">{options}</select></label>'
        for way in ("across", "up")
    )
    return f'{choices}<div id="play-held">{held}</div>'


def _legend(task: str, classes: list[str], *, has_lines: bool) -> str:
    lines = '<span class="test">hollow: test</span>'
    lines += '<span id="play-sums"><span class="line"></span> sums of layer 1 are 0</span>' if has_lines else ""
    if task == "number":
        return f'<span><span class="scale"></span> least to largest target</span>{lines}'
    marks = "".join(
        f'<span class="class"><svg viewBox="-6 -6 12 12" aria-hidden="true"><path data-class="{k}"/></svg>'
        f'<span data-class-name="{k}">{html.escape(name)}</span></span>'
        for k, name in enumerate(classes)
    )
    return f"{marks}{lines}"
