"""The words of the quiz of a page: what it asks before a step, and one sentence for each classic mistake.

Python writes the sentences; the script (assets/quiz.js) computes the right answer and those that mistakes lead to.
An element with `data-symbol="gradient operand"` shows the template `gradient-N`, where N is the number of that node.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Any

from engine import ForwardStep, Step
from engine.labels import Names
from viz.equations import Equation, Equations
from viz.pages.page_step import PageStep
from viz.pages.tape import Tape
from viz.pages.words import symbol_markup

SIMPLE = {"+", "-", "*", "/", "neg", "abs", "relu", "max", "min"}  # operations whose values a student is asked
MAX_FORMULAS = 8_000  # characters of formulas to choose from
MAX_SYMBOLS = 20_000  # characters of mathematics in questions; the rest of a large graph is named in text
MAX_CHOICES = 4


def _symbol(name: str) -> str:
    return f'<span data-symbol="{name}"></span>'


def _radio(value: str, label: str) -> str:
    return f'<label><input type="radio" name="page-answer" value="{value}"> {label}</label>'


_GRADIENT, _UPSTREAM, _NODE = _symbol("gradient operand"), _symbol("gradient node"), _symbol("definition node")
_BEFORE = '<span data-slot="asked before"></span>'
_CHOICE = '<fieldset role="radiogroup" aria-label="your answer" aria-describedby="page-asked">{}</fieldset>'
_SIGNS = enumerate(("negative", "zero", "positive"), -1)
ANSWERS = {
    "control-number": '<input name="page-answer" aria-label="your answer" aria-describedby="page-asked">',
    "control-sign": _CHOICE.format("".join(_radio(str(sign), name) for sign, name in _SIGNS)),
    "control-formula": _CHOICE.format(""),
    "right": "Right: ",
    "wrong": " The answer: ",
    "unreadable": "Write a number, such as -0.25, 1.5e-3 or 2/3.",
    "unchosen": "Choose an answer.",
    "mistake-rounding": "Close, but rounded too much: write three significant digits.",
    "mistake-sign": "The magnitude is right, the sign is wrong.",
}


def topic(name: str, symbol: str) -> dict[str, str]:
    """Return the questions about a quantity whose symbols are the templates `SYMBOL-N`, and its answer."""
    shown = _symbol(f"{symbol} node")
    return {
        f"ask-{name}-number": f"What is {shown}?",
        f"ask-{name}-sign": f"Is {shown} negative, zero or positive?",
        f"answer-{name}": f'{shown} = <b data-slot="asked value"></b>.',
    }


SENTENCES = {
    **ANSWERS,
    "ask-gradient-number": f"{_NODE} passes its gradient back. What is {_GRADIENT} after this step?",
    "ask-gradient-sign": f"{_NODE} passes its gradient back. Is {_GRADIENT} negative, zero or positive after it?",
    "ask-gradient-formula": f"{_NODE} passes its gradient back. What is added to {_GRADIENT}?",
    **topic("tangent", "tangent"),
    "ask-value-number": f"What is the value of {_NODE}?",
    "answer-gradient": f'{_GRADIENT} = <b data-slot="asked total"></b>.',
    "answer-value": f'{_symbol("name node")} = <b data-slot="asked value"></b>.',
    "mistake-accumulate": f"You forgot to accumulate: {_GRADIENT} was {_BEFORE} before. Add the new contribution.",
    "mistake-share": "This operand is used more than once here: add the contributions of all uses.",
    "mistake-before": f"That is {_GRADIENT} before this step. Add the new contribution.",
    "mistake-operand": "That is the derivative with respect to the other operand.",
    "mistake-upstream": f"You forgot the upstream gradient: multiply the local derivative by {_UPSTREAM}.",
    "mistake-local": "You forgot the local derivative: multiply the upstream gradient by it.",
    "mistake-added": "You added the upstream gradient and the local derivative: multiply them.",
    "mistake-value": "You used the value of a node in place of the local derivative.",
    "mistake-swapped": "The operands are in the wrong order.",
    "mistake-operation": "That is the result of another operation.",
    "mistake-locals": "You forgot the tangents of the operands: multiply each by its local derivative.",
    "mistake-tangents": "You forgot the local derivatives: multiply each by the tangent of its operand.",
    "mistake-term": "That is the contribution of one operand: add those of all operands.",
    "other-tangent": "Not right. Multiply the tangent of each operand by its local derivative, and add the products.",
    "other-gradient": f"Not right. Multiply {_UPSTREAM} by the local derivative, and add it to what was there.",
    "other-value": "Not right. Insert the numbers of the operands.",
}
KINDS: dict[str, dict[str, list[str]]] = {
    "gradient": {
        "kinds": ["number", "number", "sign"],
        "mistakes": ["accumulate", "share", "sign", "operand", "upstream", "local", "added", "value", "before"],
        "signs": ["accumulate", "upstream", "operand"],
    },
    "value": {"kinds": ["number"], "mistakes": ["swapped", "sign", "operation"], "signs": []},
    "tangent": {"kinds": ["number", "number", "sign"], "mistakes": ["sign", "locals", "tangents", "term"], "signs": []},
}  # fmt: skip


class QuizWords:
    """The questions about the steps of a graph."""

    def __init__(self, tape: Tape, steps: Sequence[Any]) -> None:
        self.tape, self.names = tape, tape.names
        self.equations = Equations(tape.root, tape.names, slots=True)
        self.steps = [step for step in steps if isinstance(step, Step)]
        self.tangents = [step for step in steps if isinstance(step, ForwardStep)]

    def ask(self, pages: Sequence[PageStep]) -> dict[str, str]:
        """Add to each step of the page what may be asked before it: the topic, and a node or contribution.

        Return the sentences, the symbols in them, and the formulas to choose from.
        """
        words = self._symbols()
        for name in [*words] if len("".join(words.values())) > MAX_SYMBOLS else ():
            words[name] = re.sub(r'<span class="spoken">(.*?)</span>.*', r"\1", words[name])
        words |= {f"quiz-{name}": text for name, text in SENTENCES.items()}
        backward = iter(self.steps)
        size = 0
        for k, page in enumerate(pages):
            for action, *nodes in page.actions:
                if action == "forward" and self.tape.order[nodes[0]].op in SIMPLE:
                    page.asks = [["value", nodes[0]]]
                elif action == "tangent":
                    page.asks = [["tangent", nodes[0]]]
                elif action == "backward":
                    step = next(backward)
                    uses = _operands(step)
                    page.asks = [["gradient", c] for c in uses]
                    for c in uses:
                        if uses[c] == 1 and size < MAX_FORMULAS:
                            words[f"choices-{k}-{c}"] = _choices(self.equations, self.names, step, c)
                            size += len(words[f"choices-{k}-{c}"])
        return words

    def _symbols(self) -> dict[str, str]:
        """Return the names, definitions and gradients of the nodes."""
        symbols = {}
        for i, node in enumerate(self.tape.order):
            if node.is_constant:
                continue
            if node.op in SIMPLE:
                symbols[f"name-{i}"] = symbol_markup(self.names[node], Equation(self.names.tree(node)))
            if node.parents:
                definition = self.equations.definition(node, numbers=False)
                symbols[f"definition-{i}"] = symbol_markup(self.names.definition(node), definition)
            if self.steps:
                gradient = Equation(self.equations.gradient(node))
                symbols[f"gradient-{i}"] = symbol_markup(self.names.gradient(node), gradient)
        for step in self.tangents:
            tangent = Equation(self.equations.derivative(step).left)
            name = self.names.derivative(step.node, step._x)
            symbols[f"tangent-{self.tape.index[step.node]}"] = symbol_markup(name, tangent)
        return symbols


def _operands(step: Step) -> dict[int, int]:
    """Return the first contribution of a step to each operand, and how many there are to that operand."""
    operands = [contribution.parent for contribution in step.contributions]
    return {operands.index(x): operands.count(x) for x in dict.fromkeys(operands)}


def _choices(equations: Equations, names: Names, step: Step, c: int) -> str:
    """Return radio buttons with the contribution of a step as a formula and with mistakes, the right one first."""
    contribution = step.contributions[c]
    row, operand = contribution._row, contribution._operand
    upstream, symbol = equations.gradient(step.node), names.gradient(step.node)

    value = names[step.node] if isinstance(names.tree(step.node), ast.Name) else f"({names[step.node]})"

    def factor(k: int) -> tuple[ast.expr, str]:
        return equations.local_derivative(step.node, row, k), names.local_derivative(step.node, row, k)

    def formulas() -> Iterator[tuple[str, ast.expr, str]]:
        local, text = factor(operand)
        yield "", ast.BinOp(upstream, ast.Mult(), local), f"{symbol} * {text}"
        if len(row) == 2:
            other, other_text = factor(1 - operand)
            yield "operand", ast.BinOp(upstream, ast.Mult(), other), f"{symbol} * {other_text}"
        yield "upstream", local, text
        yield "value", ast.BinOp(upstream, ast.Mult(), names.tree(step.node)), f"{symbol} * {value}"
        yield "sign", ast.UnaryOp(ast.USub(), ast.BinOp(upstream, ast.Mult(), local)), f"-{symbol} * {text}"

    buttons: dict[str, str] = {}
    for mistake, tree, text in formulas():
        label = symbol_markup(text, Equation(tree))
        buttons.setdefault(label, _radio(mistake, label))
    return "".join([*buttons.values()][:MAX_CHOICES])
