"""The close-up of the playground: a step, a weight that it moved, an example of its batch, one chain rule."""

from __future__ import annotations

import ast
import base64
import html
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from engine.labels import substitute
from nn import MLP, Layer, Perceptron
from nn.losses import Loss
from nn.optimizers import UpdateRule
from viz.pages.html_page import asset
from viz.pages.network_lesson import lesson
from viz.pages.network_steps import network_stage, network_text
from viz.pages.network_words import line, plus, product, symbol
from viz.pages.playground_update import parse_formula
from viz.typeset import derivative, plugged_in

MAX_PARAMETERS = 1000  # of a network whose page the playground contains
# The symbols in formulas of optimizers; other names stay as they are.
SYMBOLS = {
    "data": "w", "grad": "g", "velocity": "v", "mean": "m", "square": "s", "steps": "t", "learning_rate": "eta",
    "momentum": "mu", "weight_decay": "lambda", "betas_0": "beta_1", "betas_1": "beta_2",
}  # fmt: skip
NOTES = {
    "large": f"To show the network of an example, the model must have at most {MAX_PARAMETERS:,} weights.",
    "loss": "To show the network of an example, the loss must use the target.",
    "shape": "To show the network of an example, the layers must have their first sizes: undo their changes.",
    "trouble": "To show the network of an example, its numbers must be finite: choose another step or example.",
}


def network_frame(
    model: Perceptron | Layer | MLP, example: tuple[Any, Any], loss: Loss, activations: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return the page of a network for one example, and what the script of the playground needs to use it.

    The page is "" if the network is too large, or the loss ignores the target.

    Args:
        model: the network.
        example: the example that is recorded; the script replaces its numbers.
        loss: the loss.
        activations: the names among which the activation of the hidden layers can be chosen.
    """
    if len(model.parameters()) > MAX_PARAMETERS:
        return "", {"note": "large"}
    try:
        stage = network_stage(model, *example, loss)
    except ValueError:
        return "", {"note": "loss"}
    steps = lesson(stage, loss)
    index, graph = stage.tape.index, stage.graph
    updates = {step.focus: i for i, step in enumerate(steps) if step.phase == "update"}
    rules = {rule.symbol: i for i, rule in enumerate(stage.tape.rules)}
    text = network_text(stage, steps, 0.0, {"digits": 4, "hide": ["dark"], "quiz": False})
    packed = zlib.compress(text.encode(), 9, wbits=-15)
    return text, {
        "page": base64.b64encode(packed).decode(),
        "inputs": [index[x] for x in graph.x],
        "target": [index[x] for x in graph.target],
        "weights": [index[w] for w in model.parameters()],
        "updates": [updates[stage.id(neuron)] for layer in stage.layers for neuron in layer],
        "rules": {name: rules[name] for name in activations if name in rules},
    }


def zoom_markup(rules: Mapping[str, UpdateRule]) -> str:
    """Return the dialog of the close-up, with the formulas of the optimizers."""
    w, g, slope = symbol("w"), symbol("g"), derivative(symbol("L"), symbol("w"))
    decayed = plus(slope, product(symbol("lambda"), w))
    decayed_number = plus(number("gradient"), product(number("setting", "weight_decay"), number("old")))
    mean = ast.BinOp(number("sum"), ast.Div(), number("count", "n"))
    delta = symbol("delta")
    chain, back = product(delta, symbol("z")), product(ast.Call(ast.Name("σ′"), [symbol("a")], []), symbol("sum"))
    parts = {
        "move": line(w, ("=", number("old")), ("→", number("new")), result=True),
        "updates": "".join(
            f'<div data-optimizer="{html.escape(name)}">{"".join(update_lines(rule))}</div>'
            for name, rule in rules.items()
        ),
        "decay": _equation(g, decayed, decayed_number, number("grad"), condition="setting weight decay")
        + _equation(g, slope, condition="no setting weight decay"),
        "gradient": _equation(slope, mean, number("gradient"), result=True),
        "product": _equation(slope, chain, product(number("delta"), number("signal")), number("product"), result=True),
        "delta": _equation(
            delta, back, product(number("slope"), number("back")), number("delta"), condition="of slope", result=True
        ),
        "notes": "".join(f'<p data-note="{name}" hidden>{text}</p>' for name, text in NOTES.items()),
    }
    return re.sub(r"@(\w+)@", lambda match: parts[match[1]], asset("playground_zoom.html"))


def update_lines(rule: UpdateRule) -> Iterator[str]:
    """Yield the formulas of an optimizer, in symbols and with the numbers of a weight.

    A formula such as `a if momentum else b` becomes one line for each case, of which the page shows one.
    """
    trees = {name: parse_formula(text) for name, text in [*rule.state.items(), ("data", rule.data)]}
    names = {node.id for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.Name)}
    symbols = {name: symbol(SYMBOLS.get(name, name)) for name in names | {*trees}}
    numbers = {name: number("setting", name) for name in names}
    numbers |= {name: number("before", str(k)) for k, name in enumerate(rule.state)}
    numbers |= {"data": number("old"), "grad": number("grad"), "steps": number("count", "steps")}
    new = {**{name: number("after", str(k)) for k, name in enumerate(rule.state)}, "data": number("new")}
    for name, tree in trees.items():
        cases = [(tree, "")]
        if isinstance(tree, ast.IfExp) and isinstance(tree.test, ast.Name):
            setting = f"setting {_words(tree.test.id)}"
            cases = [(tree.body, setting), (tree.orelse, f"no {setting}")]
        for case, condition in cases:
            source = ast.unparse(case)
            yield line(
                symbols[name], ("←", substitute(source, symbols)), ("=", substitute(source, numbers)), ("=", new[name]),
                condition=condition,
            )  # fmt: skip
        numbers[name] = new[name]


def number(*name: str) -> ast.expr:
    """Return a number of the close-up as a part of a formula."""
    kind, *rest = name if len(name) > 1 else ("of", *name)
    return plugged_in(0.0, " ".join([kind, *map(_words, rest)]))


def _equation(left: ast.expr, *sides: ast.expr, condition: str = "", result: bool = False) -> str:
    return line(left, *(("=", side) for side in sides), condition=condition, result=result)


def _words(name: str) -> str:
    return name.replace("_", " ")
