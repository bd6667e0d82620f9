"""The words of the page of a graph: of its steps, its nodes and its leaves, with slots for its numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from engine import Backprop, ForwardMode, ForwardStep, Step, Value
from viz.equations import Equation, Equations
from viz.pages.tape import Tape, is_leaf
from viz.pages.words import SlotNumbers, compact, formula, latex, markup, plain, slot, spoken, symbol_markup
from viz.tracing import source_line
from viz.typeset import derivative, mathml, plugged_in

# The most that fit beside a drawing at 1280x720
MAX_EQUATIONS = 12  # of a list in one paragraph
MAX_CONTRIBUTIONS = 6  # of a step, each with a line of its own
MAX_EXPANSIONS = 60_000  # the most characters of all expressions in the leaves


Item = TypeVar("Item")


class GraphWords:
    """The words of a page of a graph, with slots for its numbers."""

    def __init__(self, tape: Tape, walk: Backprop | ForwardMode) -> None:
        self.tape, self.names, self.walk = tape, tape.names, walk
        self.equations = Equations(tape.root, tape.names, slots=True)

    def heading(self) -> str:
        """Return the heading: the root and its operation, as mathematics if it is short."""
        text = self.names.definition(self.tape.root)
        if len(text) > 60 or not self.tape.root.parents:
            return plain(text)
        return symbol_markup(text, self.equations.definition(self.tape.root, numbers=False))

    def steps(self, steps: Sequence[Step | ForwardStep]) -> Iterator[str]:
        """Yield the words of every step: forward, by the chain rule, and at the end."""
        tape, names = self.tape, self.names
        leaves = [node for node in tape.order if is_leaf(node)]
        inner = [node for node in tape.order if node.parents]
        data = [(f"{names[node]} = {slot('data', tape.index[node])}", self._data(node)) for node in leaves]
        yield f"<h2>Forward 0 of {len(inner)}: the leaves</h2>{_list(data)}"
        for i, node in enumerate(inner, 1):
            equation = self.equations.definition(node)
            text = spoken(markup(f"{names.definition(node)} = {slot('data', tape.index[node])}"))
            mathematics = formula(equation.mathml) + latex([equation])
            yield f"<h2>Forward {i} of {len(inner)}</h2>{_code(node)}{text}{mathematics}"
        if isinstance(self.walk, ForwardMode):
            start, title, end, results = self.walk.x, "Tangent", "Every tangent is complete", [tape.root]
            name = plain(names[start])
            note = f"A tangent is a derivative with respect to {name}. It is 0 where nothing depends on {name}."
        else:
            start, title, end, results = tape.root, "Backward", "Every gradient is complete", leaves
            note = "No other gradient has received anything yet."
        text = spoken(markup(f"{self._symbol(start)} = 1.0")) + formula(self._derivative(start).mathml)
        yield f"<h2>{title} 0 of {len(steps)}</h2>{text}<p>{note}</p>"
        for i, step in enumerate(steps, 1):
            yield f"<h2>{title} {i} of {len(steps)}</h2>{self._step(step)}"
        equations = [(f"{self._symbol(x)} = {slot('grad', tape.index[x])}", self._derivative(x)) for x in results]
        yield f"<h2>{end}</h2>{_list(equations)}"

    def _step(self, step: Step | ForwardStep) -> str:
        """Return the words of an application of the chain rule."""
        slots = SlotNumbers()
        is_forward = isinstance(step, ForwardStep)
        kind, verb = ("tangent", "receives") if is_forward else ("upstream", "passes back")
        contributions, more = _first(step.contributions, MAX_CONTRIBUTIONS)
        numbers: dict[str, Any] = {kind: slots.of(kind), "contributions": ()}
        shown: dict[str, Any] = {"contributions": contributions}
        trees = self.names.tree(step.node), self.equations.derivative(step).left
        node, symbol = (compact(Equation(tree).mathml) for tree in trees)
        words = (
            spoken(slots.markup(str(replace(step, **numbers))))
            + _code(step.node)
            + f'<p class="head" aria-hidden="true">{node} {verb} {symbol} '
            f'<math><mo>=</mo><mn data-slot="{kind}"></mn></math></p>'
        )
        equations = self.equations.chain_rule(replace(step, **shown))
        for c, (contribution, (product, sum_)) in enumerate(zip(contributions, equations, strict=True)):
            values: dict[str, Any] = {name: slots.of(f"{name} {c}") for name in ("local", "amount", "before", "total")}
            upstream = slots.of(f"incoming {c}") if is_forward else numbers[kind]
            sentence = str(replace(contribution, _upstream=upstream, **values))
            chain, _, accumulated = sentence.rpartition("\n")
            words += spoken(slots.markup(" ".join(chain.split())))
            words += spoken(slots.markup(accumulated.strip()), f"before {c}")
            words += formula(product.mathml) + formula(sum_.mathml, f"before {c}")
        return words + (more and f"<p>{more}</p>") + latex([product for product, _ in equations])

    def nodes(self) -> dict[str, str]:
        """Return the text on each node of the page: its name, its definition, its expression in the leaves."""
        tape, size = self.tape, 0
        words = {}
        for i, node in enumerate(tape.order):
            text = self.names.definition(node)
            kind = ""
            if node.is_constant:
                kind = ", a constant, which has no gradient"
            elif not node.parents:
                kind = ", a leaf"
            elif node is tape.root:
                kind = ", the output"
            equations = []
            if node.parents:
                equations = [self.equations.definition(node)]
                expansion = self.equations.expansion(node, numbers=True)
                size += sum(len(x.mathml) for x in expansion)
                if size < MAX_EXPANSIONS and any(x.parents for x in node.parents):
                    equations += expansion
            formulas = "".join(formula(x.mathml) for x in equations)
            words[f"node-{i}"] = f'<p class="name">{plain(text)}{kind}</p>{_code(node)}{formulas}'
        return words

    def _data(self, node: Value) -> Equation:
        return Equation(self.names.tree(node), (("=", self.equations.data(node)),))

    def _symbol(self, node: Value) -> str:
        """Return the symbol of the derivative that the page computes at a node."""
        return self.names.derivative(*self._derivative_at(node))

    def _derivative(self, node: Value) -> Equation:
        left = derivative(*map(self.names.tree, self._derivative_at(node)))
        return Equation(left, (("=", plugged_in(1.0, f"grad {self.tape.index[node]}")),))

    def _derivative_at(self, node: Value) -> tuple[Value, Value]:
        """Return the output and the variable of the derivative that the page computes at a node."""
        return (node, self.walk.x) if isinstance(self.walk, ForwardMode) else (self.walk.root, node)

    def leaf_table(self) -> str:
        """Return the table of the leaves: for each its name, a field with its number, and its gradient or tangent."""
        word = "tangent" if isinstance(self.walk, ForwardMode) else "gradient"
        rows = ""
        for i, node in enumerate(self.tape.order):
            if is_leaf(node):
                name, symbol = plain(self.names[node]), Equation(self.names.tree(node)).mathml
                rows += (
                    f'<li data-leaf="{i}"><span class="handle" title="Drag to change">{symbol}</span>'
                    f'<input type="number" step="any" aria-label="value of {name}" value="{node.data!r}">'
                    f'<span class="gradient" aria-hidden="true">{self._linear_derivative(node)}</span>'
                    f'<output aria-live="off" aria-label="{word} of {name}"></output></li>'
                )
        return (
            '<header><h2>Leaves</h2><button type="button" id="page-undo" class="text">undo</button>'
            f'<button type="button" id="page-reset" class="text">reset</button></header><ul>{rows}</ul>'
            '<p class="hint">Type a number, drag it, or use the arrow keys.</p>'
        )

    def _linear_derivative(self, node: Value) -> str:
        """Return the symbol of the derivative at a node in one line, as MathML."""
        parts = []
        for tree in map(self.names.tree, self._derivative_at(node)):
            text = mathml(tree)
            parts.append(f"<mo>∂</mo>{text if isinstance(tree, ast.Name) else f'<mo>(</mo>{text}<mo>)</mo>'}")
        return f"<math>{'<mo>/</mo>'.join(parts)}</math>"


def _code(node: Value) -> str:
    """Return the line of the program that recorded a node, if it is known."""
    line = source_line(node)
    return f'<p class="code"><code>{plain(line)}</code></p>' if line else ""


def _first(items: Sequence[Item], most: int) -> tuple[Sequence[Item], str]:
    """Return the first items, and how many are left out: "and 3 more", or "" if none are; one item is not left out."""
    return (items, "") if len(items) <= most + 1 else (items[:most], f"and {len(items) - most} more")


def _list(equations: Sequence[tuple[str, Equation]]) -> str:
    """Return the first equations in one paragraph, in words and as mathematics."""
    shown, more = _first(equations, MAX_EQUATIONS)
    mathematics = "".join(f'<span class="item">{equation.mathml}</span> ' for _, equation in shown)
    return (
        spoken(markup(",  ".join(text for text, _ in shown) + (more and f" {more}")))
        + formula(mathematics + (more and f'<span class="rest">{more}</span>'))
        + latex([equation for _, equation in shown])
    )
