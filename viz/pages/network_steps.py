"""The page of a network: forward, the loss, every delta backwards, every weight update, and forward again (P35-P77)."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nn
from engine import Value, topological_order
from engine.foreign import usage
from engine.recording import recording
from engine.restore import restored
from engine.validation import at_least, check_flag, describe, error_context, in_range
from nn import MLP, Layer, Perceptron
from nn.inputs import as_list
from nn.signals import layers_of, record_example, signals_of
from viz.network_units import columns_of
from viz.pages.dark_mode import colour_rules
from viz.pages.error_words import error_words
from viz.pages.help_words import hidden_controls
from viz.pages.html_page import page_path, page_with_steps, write_page
from viz.pages.network_lesson import lesson
from viz.pages.network_quiz import KINDS, ask
from viz.pages.network_stage import Limits, Stage, training_markup
from viz.pages.note import note_markup
from viz.pages.page_step import PageStep

KEYS = {"Enter on a neuron": "go to its step"}
LEGEND = {
    "solid, blue": "positive weight",
    "dashed, orange": "negative weight",
    "wide": "weight of a large magnitude",
    "left, right": "weighted sum and output of a neuron, between them its point on the curve of the activation",
    "δ": "delta of a neuron",
}


@usage('viz.network_page(model, "net.html", [0.5, -1.0], 1.0, loss=nn.mse)')
def network_page(
    model: Perceptron | Layer | MLP,
    path: str | os.PathLike[str],
    inputs: Any,
    target: Any,
    *,
    loss: Callable[[Any, Any], Value] | None = None,
    learning_rate: float = 0.5,
    notation: str = "P57",
    max_neurons: int = 8,
    precision: int = 4,
    quiz: bool = False,
    text: str = "",
    hide: Iterable[str] = (),
) -> Path:
    """Write a page that trains a network with one example, step by step.

    The order is that of the slides (P57-P77): the output of every neuron, layer by layer; the loss; the delta of every
    neuron, from the output layer back; every weight, w - learning_rate * dL/dw; and forward again, with the loss before
    and after. Inputs, target, weights, activations and learning rate can be changed on the page, and the new weights
    can be the start of the next step, any number of times. The model does not change.

    Args:
        model: the network.
        path: the file, which must end in .html; an existing one is replaced.
        inputs: one example x, as the model takes it.
        target: the target of the loss.
        loss: the function of outputs and target that the model learns, such as `nn.cross_entropy`. If it branches on
            numbers, the page keeps the branch that this example took.
        learning_rate: the step size of the update, the eta of the slides.
        notation: "P57" for a_j, z_j and delta_j = dL/da_j of each layer; "P58" for the names of P58-P77, where
            neurons are numbered across layers, there are no bias units, and delta_n = -dL/dy_n.
        max_neurons: the most neurons or inputs to draw per layer; of a larger layer the middle is omitted.
        precision: the significant digits of the words, at least 1; the drawing shows at most 3.
        quiz: begin with the quiz, which asks for deltas and new weights before it shows them.
        text: a note beside the drawing, in Markdown.
        hide: the controls to hide, as for `viz.page`.

    Returns:
        The path of the file.

    Raises:
        TypeError: as `viz.network`, or `path` or `quiz` is of another type; no file is written.
        ValueError: as `viz.network`, or there are no inputs, no target or no loss, the loss ignores the target, or
            the learning rate is negative; no file is written.
        ArithmeticError: as `viz.network`, also after the update; no file is written.
        OSError: the file cannot be written.

    >>> import tempfile
    >>> import nn
    >>> model = nn.MLP(2, [2, 1], seed=1)
    >>> network_page(model, f"{tempfile.mkdtemp()}/net.html", [0.5, -1.0], 1.0, loss=nn.mse).name
    'net.html'
    """
    path = page_path(path)
    check_flag(quiz, "quiz")
    note, hidden = note_markup(text), hidden_controls(hide)
    if inputs is None or target is None:
        raise ValueError("inputs and target must be those of one example, got None: pass both")
    at_least(1, precision, "precision")
    at_least(1, max_neurons, "max_neurons")
    rate = in_range(learning_rate, "learning_rate")
    stage = network_stage(model, inputs, target, loss, notation, max_neurons)
    assert loss is not None  # since there is a target
    _check_update(model, inputs, target, loss, rate)
    options = {"digits": precision, "hide": hidden, "quiz": quiz}
    return write_page(path, network_text(stage, lesson(stage, loss), rate, options, note))


def network_stage(
    model: Perceptron | Layer | MLP,
    inputs: Any,
    target: Any,
    loss: Callable[[Any, Any], Value] | None,
    notation: str = "P57",
    max_neurons: int = 8,
) -> Stage:
    """Return the drawing of `network_page` for one example; its arguments, and its errors for them, are the same."""
    layers = layers_of(model, "network_page")
    signals = signals_of(model, inputs, target, loss)
    assert loss is not None  # since there is a target
    columns = columns_of(model, layers, signals, notation)
    graph = record_example(model, inputs, target, loss, bias=notation != "P58")
    if not {*graph.target} <= {*topological_order(graph.loss)}:
        raise ValueError(f"loss must depend on the target, got {describe(loss)}, which ignores it: use both arguments")
    return Stage(columns, graph, max_neurons, *_target_control(loss, target), is_numbered=notation == "P58")


def network_text(stage: Stage, steps: list[PageStep], rate: float, options: dict[str, Any], note: str = "") -> str:
    """Return the page of a network as text.

    Args:
        stage: its drawing.
        steps: its steps.
        rate: the learning rate.
        options: those of the page's data.
        note: the teacher's note, as HTML.
    """
    questions = ask(stage, steps)
    sizes = "-".join(str(n) for n in (len(stage.graph.x), *map(len, stage.layers)))
    title = f"A training step of a network {sizes}"
    return page_with_steps(
        title=title,
        heading=title,
        stage=stage.markup(),
        panel=training_markup(),
        steps=steps,
        data={
            "options": options,
            "tape": stage.tape.data(),
            "quiz": KINDS,
            "numbers": {"rate": rate, **stage.activations()},
            "network": stage.data(),
        },
        templates={**questions, **error_words(stage.tape, [node for node in stage.tape.order if node.parents])},
        rules=stage.tape.script(),
        assets=["network.js", "network_quiz.js", "network.css"],
        colours=colour_rules(ET.Element("svg")),
        legend=LEGEND,
        keys=KEYS,
        note=note,
    )


def _target_control(loss: Any, target: Any) -> tuple[str, Limits]:
    """Return how the target can be changed on the page, and its limits, within which the loss is defined."""
    if loss is nn.cross_entropy:
        return ("class", ()) if as_list(target) is None else ("", ())
    if loss is nn.hinge:
        return "", ()
    return "number", (0.0, 1.0) if loss is nn.binary_cross_entropy else ()


def _check_update(model: Any, inputs: Any, target: Any, loss: Any, rate: float) -> None:
    """Check that the loss has a value after the update.

    Raises:
        ArithmeticError: it has none.
    """
    parameters = model.parameters()
    with restored(parameters), recording(), error_context("after the update"):
        model.zero_grad()
        outputs = model(list(inputs) if as_list(inputs) is not None else inputs)
        loss(outputs, target).backward()
        for weight in parameters:
            weight.data -= rate * weight.grad
        loss(model(inputs), target)
