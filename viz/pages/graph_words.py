"""The words of the page of a graph: of its steps, its nodes and its leaves, with slots for its numbers."""

from __future__ import annotations

import ast
import html
from collections.abc import Sequence
from dataclasses import replace

from engine import Step, Value
from engine.formatting import printable
from viz.equations import Equation, Equations
from viz.pages.tape import Tape, is_leaf
from viz.pages.words import SlotNumbers, compact, formula, latex, markup, slot, spoken
from viz.tracing import source_line
from viz.typeset import mathml, plugged_in

MAX_EQUATIONS = 12  # on one line
MAX_EXPANSIONS = 60_000  # characters of expressions in the leaves


class GraphWords:
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
        mathematics = compact(self.equations.definition(self.tape.root, numbers=False).mathml)
        return f'<span class="spoken">{plain}</span><span aria-hidden="true">{mathematics}</span>'

    def steps(self, steps: Sequence[Step]) -> dict[str, str]:
        """Return the words of every step."""
        tape, names = self.tape, self.names
        leaves = [node for node in tape.order if is_leaf(node)]
        inner = [node for node in tape.order if node.parents]
        variables = [node for node in tape.order if not node.is_constant]
        data = [(f"{names[node]} = {slot('data', tape.index[node])}", self._data(node)) for node in leaves]
        words = {"forward0": f"<h2>Forward 0 of {len(inner)}: the leaves</h2>{_list(data)}"}
        for i, node in enumerate(inner, 1):
            equation = self.equations.definition(node)
            words[f"forward{i}"] = (
                f"<h2>Forward {i} of {len(inner)}</h2>"
                + _code(node)
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
            _code(step.node),
            f'<p class="head" aria-hidden="true">{node} passes back {gradient} '
            '<math><mo>=</mo><mn data-slot="upstream"></mn></math></p>',
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

    def nodes(self) -> dict[str, str]:
        """Return what is said of each node on the page: its name, its definition, its expression in the leaves."""
        tape, size = self.tape, 0
        words = {}
        for i, node in enumerate(tape.order):
            text = self.names.definition(node)
            kind = ", a constant, which has no gradient" if node.is_constant else ", a leaf" if not node.parents else ""
            kind = ", the output" if node is tape.root and node.parents else kind
            parts = [f'<p class="name">{html.escape(printable(text))}{kind}</p>']
            parts.append(_code(node))
            if node.parents:
                parts.append(formula(self.equations.definition(node).mathml))
                expansion = self.equations.expansion(node, numbers=True)
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


def _code(node: Value) -> str:
    """Return the line of the program that recorded a node, if it is known."""
    line = source_line(node)
    return f'<p class="code"><code>{html.escape(printable(line))}</code></p>' if line else ""


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


def leaf_table(tape: Tape) -> str:
    """Return the table of the leaves: for each its name, a field with its number, and its gradient."""
    rows = []
    for i, node in enumerate(tape.order):
        if not is_leaf(node):
            continue
        name = html.escape(printable(tape.names[node]))
        symbol = Equation(tape.names.tree(node)).mathml
        rows.append(
            f'<li data-leaf="{i}"><span class="handle" title="Drag to change">{symbol}</span>'
            f'<input type="number" step="any" aria-label="value of {name}" value="{node.data!r}">'
            f'<span class="gradient" aria-hidden="true">{_linear_derivative(tape, node)}</span>'
            f'<output aria-live="off" aria-label="gradient of {name}"></output></li>'
        )
    return (
        '<header><h2>Leaves</h2><button type="button" id="page-undo" class="text">undo</button>'
        f'<button type="button" id="page-reset" class="text">reset</button></header><ul>{"".join(rows)}</ul>'
        '<p class="hint">Type a number, drag it, or use the arrow keys.</p>'
    )


def _linear_derivative(tape: Tape, node: Value) -> str:
    """Return the symbol of a gradient in one line, as MathML."""
    parts = []
    for x in (tape.root, node):
        tree = tape.names.tree(x)
        text = mathml(tree)
        parts.append(f"<mo>∂</mo>{text if isinstance(tree, ast.Name) else f'<mo>(</mo>{text}<mo>)</mo>'}")
    return f"<math>{'<mo>/</mo>'.join(parts)}</math>"
