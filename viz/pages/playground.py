"""The playground: a page that trains a model on its data and shows the planes of all neurons."""

from __future__ import annotations

import html
import json
import math
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import nn
from engine.formatting import format_number, printable
from engine.recording import recording
from engine.validation import at_least, describe, error_context
from nn import MLP, Layer, Perceptron
from nn.inputs import Data, Pairs, examples, with_bias
from nn.losses import Loss
from nn.optimizers import Optimizer
from nn.signals import ExampleGraph, layers_of, record_example, target_leaves
from viz.pages.dark_mode import colour_rules
from viz.pages.html_page import asset, fill_page, page_path, write_page
from viz.pages.playground_code import TrainingCode
from viz.pages.playground_data import examples_markup
from viz.pages.playground_program import saved_data
from viz.pages.playground_shape import SEVERAL, model_texts, shape_data
from viz.pages.playground_update import rule_of, settings_of, update_script
from viz.pages.playground_zoom import network_frame, zoom_markup
from viz.style import CLASSES

TASKS: dict[Any, str] = {nn.hinge: "hinge", nn.binary_cross_entropy: "binary", nn.cross_entropy: "classes"}
MAX_INTEGER = 2**53 - 1  # of the numbers of JavaScript
MAX_CHECKED = 20  # examples whose losses are compared
COLOURS = (*CLASSES, "#8c6d31", "#7b4173")  # of up to eight classes
SCRIPTS = (
    "functions.js", "special_functions.js", "format.js", "clamp.js", "link.js", "wasm.js", "playground_code.js",
    "playground_random.js", "slots.js", "playground_shape.js", "playground_history.js", "playground_training.js",
    "playground_page.js", "playground_state.js", "playground_space.js", "playground_data.js", "playground_colours.js",
    "playground_network.js", "playground_structure.js", "playground_line.js", "playground_planes.js",
    "playground_examples.js", "playground_points.js", "playground_marks.js", "playground_curves.js",
    "playground_confusion.js", "playground_histograms.js", "playground_timeline.js", "playground_player.js",
    "playground_settings.js", "playground_table.js", "playground_progress.js", "playground_undo.js",
    "playground_step.js", "playground_zoom.js", "playground_weights.js", "playground_frame.js", "playground_link.js",
    "playground.js", "playground_save.js", "playground_png.js",
)  # fmt: skip


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
    parts = {"data": examples(data), "test": examples(test) if (test := list(test or ())) else []}
    parameters = model.parameters()
    optimizer = optimizer or nn.Adam(parameters)
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be one such as nn.Adam(model.parameters()), got {describe(optimizer)}")
    if optimizer.parameters != parameters:
        raise ValueError(
            f"optimizer must have all {len(parameters)} parameters of the model, in their order, "
            f"got {len(optimizer.parameters)}: write {type(optimizer).__name__}(model.parameters())"
        )
    if at_least(0, seed, "seed") > MAX_INTEGER:
        raise ValueError(f"seed must be at most {MAX_INTEGER} (2**53 - 1), the largest integer of the page, got {seed}")
    offered: dict[str, Optimizer] = {"SGD": nn.SGD(parameters), "Adam": nn.Adam(parameters)}
    offered[type(optimizer).__name__] = optimizer
    rules = {name: rule_of(each) for name, each in offered.items()}
    first_loss, _ = nn.evaluate(model, loss, parts["data"])
    if parts["test"]:
        with error_context("test"):
            nn.evaluate(model, loss, parts["test"])
    n_outputs = len(layers[-1])
    rows = {name: _rows(model, pairs, loss, n_outputs, name) for name, pairs in parts.items()}
    task = TASKS.get(loss, "number")
    class_names = _class_names(task, parts["data"], n_outputs, classes)
    input_names = _names(inputs, [f"x{i}" for i in range(1, model.n_inputs + 1)], "inputs")
    code = TrainingCode()
    shape = shape_data(model, layers, code)
    graph = record_example(model, *parts["data"][0], loss)
    if not graph.target:
        raise ValueError("loss must take targets that are numbers or Values, since the page trains with all targets")
    _check_loss(graph, rows["data"], parts["data"], lambda x, r: loss(model(x), r).data)
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
            "settings": {name: settings_of(each) for name, each in offered.items()},
            "code": training_code,
        },
        "shape": shape,
        "inputs": input_names,
        "first": first_loss,
        "colours": COLOURS,
        "classes": class_names,
        "save": saved_data(model_texts(model, shape["choices"] or [SEVERAL]), shape["output"], loss, offered.values()),
    }
    frame, page_data["zoom"] = network_frame(model, parts["data"][0], loss, shape["choices"])
    updates = ",\n".join(
        f"{json.dumps(name)}: {{ states: {len(rule.state)}, update: {update_script(rule)} }}"
        for name, rule in rules.items()
    )
    needs_special = re.search('"(erfc?|l?gamma)"', json.dumps(training_code))
    scripts = [asset(name) for name in SCRIPTS if needs_special or name != "special_functions.js"]
    styles = map(asset, ["page.css", "playground.css", "playground_zoom.css"])
    sizes_text = "-".join(map(str, sizes))
    pattern = rf"(?<![\w-]){sizes_text}(?![\w-])"
    heading = printable(str(title)) or f"A network {sizes_text} learns {len(rows['data'])} examples"
    text = fill_page(
        "playground.html",
        title=heading,
        script="\n".join(['"use strict";', f"const UPDATES = {{\n{updates}\n}};", *scripts]),
        style="".join(styles) + colour_rules(ET.Element("svg")),
        data=page_data,
        policy="'wasm-unsafe-eval'",
        frame=frame,
        parts={
            "heading": re.sub(pattern, r'<span id="play-sizes">\g<0></span>', html.escape(heading), count=1),
            "optimizers": _options(offered),
            "activations": _options(shape["choices"]),
            "schemes": _options(nn.SCHEMES),
            "axes": _axes(input_names),
            "zoom": zoom_markup(rules),
            **examples_markup(task, class_names, input_names),
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
    defaults = {"hinge": ["-1", "1"], "binary": ["0", "1"]}.get(task, [str(k) for k in range(n)])
    return _names(names, defaults, "classes")


def _names(names: Sequence[str], defaults: list[str], argument: str) -> list[str]:
    """Return names, or the default ones if there are none."""
    if isinstance(names, str):
        raise TypeError(f"{argument} must be a list of {len(defaults)} names, got {describe(names)}")
    if names and len(names) != len(defaults):
        raise ValueError(f"{argument} must be {len(defaults)} names, got {len(names)}")
    return [printable(str(name)) for name in names] or defaults


def _check_loss(
    graph: ExampleGraph, rows: Sequence[Sequence[float]], pairs: Pairs, evaluate: Callable[[Any, Any], float]
) -> None:
    """Check, for some examples, that the graph of the first one gives the loss of the others too."""
    for i in range(0, len(rows), -(-len(rows) // MAX_CHECKED)):
        for leaf, number in zip([*graph.x, *graph.target], rows[i], strict=True):
            leaf.data = number
        graph.loss.forward()
        expected = evaluate(*pairs[i])
        if not math.isclose(graph.loss.data, expected, rel_tol=1e-9, abs_tol=1e-12):
            raise ValueError(
                f"loss must be one formula for all examples, got {format_number(graph.loss.data)} instead of "
                f"{format_number(expected)} for data[{i}] by the formula of data[0], which the page uses: "
                "do not branch on numbers, use functions such as engine.maximum"
            )


def _options(names: Iterable[str]) -> str:
    return "".join(f"<option>{html.escape(name)}</option>" for name in names)


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
        f'<input type="range" id="play-held-{i}" step="any"></label>'
        for i, span in enumerate(spans[:20])
    )
    choices = "".join(
        f'<label><span>{way}</span> <select id="play-input-{way}" aria-label="input {way}">{options}</select></label>'
        for way in ("across", "up")
    )
    return f'{choices}<div id="play-held">{held}</div>'
