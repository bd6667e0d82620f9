"""The steps of the page of a network: what each says, computes and highlights (P35-P77)."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

import engine
import nn
from engine import Value
from engine.labels import substitute
from engine.recording import recording
from engine.rules import Rule
from nn.losses import Loss
from viz.network_units import Neuron, Unit, connections, loss_name
from viz.pages.network_stage import Stage
from viz.pages.network_words import (
    MAX_TERMS,
    apply,
    cross_entropy,
    derivative_of,
    equation,
    expanded,
    heading,
    is_short,
    line,
    minus,
    plus,
    product,
    sentence,
    shortened,
    slot,
    symbol,
    total,
)
from viz.pages.page_step import PageStep


@recording()
def lesson(stage: Stage, loss: Loss) -> list[PageStep]:
    """Return the steps of the page of a network, in order."""
    steps = [*(_NumberedLesson if stage.is_numbered else _Lesson)(stage, loss).steps()]
    for i, step in enumerate(steps):
        step.words = f"step{i}"
    return steps


def _step(phase: str, markup: str, actions: list[list[Any]], lit: list[str], focus: str = "") -> PageStep:
    return PageStep(phase, "", actions, lit, focus, markup=markup)


class _Lesson:
    """The steps in the notation of P57: a_j, z_j, w_ji, delta_j = dL/da_j."""

    slope = "σ′"

    def __init__(self, stage: Stage, loss: Loss) -> None:
        self.stage, self.graph, self.loss = stage, stage.graph, loss
        self.index = stage.tape.index
        self.outputs = stage.layers[-1]
        # Whether the loss is the cross-entropy of probabilities: of the sigmoid or softmax of the outputs
        is_binary = loss is nn.binary_cross_entropy and len(self.outputs) == 1
        self.has_probabilities = (is_binary or loss is nn.cross_entropy) and bool(self.graph.target)
        # The symbols in the formula of the loss
        self.symbols: dict[Value, ast.expr] = {}
        for neuron, node in zip(self.outputs, self.graph.z[-1], strict=True):
            self.symbols[node] = symbol(neuron.symbol)
        for value, label in zip(self.graph.target, stage.target_labels, strict=True):
            self.symbols[value] = symbol(label)
        self.numbers = {node: slot("data", self.index[node]) for node in self.symbols}
        of_neurons = {node for layer in (*self.graph.a, *self.graph.z) for node in layer}
        order = stage.tape.order
        self.loss_nodes = [self.index[x] for x in order if x.parents and x not in of_neurons]
        self.leaves = [self.index[x] for x in order if not x.parents and not x.is_constant]

    def steps(self) -> Iterator[PageStep]:
        """Yield the steps in order."""
        yield self.start()
        yield from self.forward()
        yield self.loss_step()
        yield from self.backward()
        yield from self.update()
        yield from self.again()
        yield self.loss_after()

    def groups(self, layers: Iterable[int]) -> list[tuple[int, list[Neuron]]]:
        """Return each drawn neuron separately, those behind dots as one group, with the index of their layer."""
        groups: list[tuple[int, list[Neuron]]] = []
        for k in layers:
            drawn = self.stage.shown[k + 1]
            hidden = [neuron for neuron in self.stage.layers[k] if neuron not in drawn]
            groups += [
                (k, [unit] if isinstance(unit, Neuron) else hidden)
                for unit in drawn
                if unit is None or isinstance(unit, Neuron)
            ]
        return groups

    def step_of(
        self, phase: str, title: str, neurons: list[Neuron], markup: str, actions: list[list[Any]], lit: list[str]
    ) -> PageStep:
        """Return the step of a neuron, or of those behind dots."""
        if len(neurons) > 1:
            markup = sentence(f"The other {len(neurons)} neurons of the layer do the same.")
            heading_markup = heading(title)
        else:
            label = neurons[0].delta_symbol if phase == "backward" else neurons[0].symbol
            part = "the weights of " if phase == "update" else ""
            heading_markup = heading(f"{title}: {part}", symbol(label))
        return _step(phase, heading_markup + markup, actions, lit, self.stage.id(neurons[0]))

    # Forward

    def start(self) -> PageStep:
        inputs = [(x.symbol, self.stage.signal(x)) for x in self.stage.columns[0]]
        terms = [equation(symbol(label), slot("data", i)) for label, i in inputs if i is not None]
        words = (
            heading("The inputs")
            + "".join(terms[:MAX_TERMS])
            + sentence("Lines are weights: blue and solid if positive, orange and dashed if negative, wide if large.")
            + sentence("Every input, weight and target can be changed: type, drag, or use the arrow keys.")
        )
        return _step("forward", words, [["appear", *self.leaves]], [self.stage.id(x) for x in self.stage.columns[0]])

    def forward(self) -> Iterator[PageStep]:
        groups = self.groups(range(len(self.stage.layers)))
        for i, (_, neurons) in enumerate(groups, start=1):
            neuron = neurons[0]
            a, z = self.stage.sum(neuron), self.stage.output(neuron)
            terms = [(symbol(w), symbol(x.symbol), *self.factors(node, x)) for x, node, w in self.connections(neuron)]
            words = (
                sentence("The weighted sum of its inputs (P35):")
                + line(
                    symbol(neuron.sum_symbol),
                    total([product(w, x) for w, x, _, _ in terms]),
                    total([product(w, x) for _, _, w, x in terms]),
                    slot("data", a),
                    result=True,
                )
                + sentence("The activation of the sum:")
            )
            for rule, condition in self.rules(neuron):
                function, number = (apply(rule.symbol, x) for x in (symbol(neuron.sum_symbol), slot("data", a)))
                rights = [function]
                if rule.symbol != "linear":
                    rights.append(number)
                words += line(symbol(neuron.symbol), *rights, slot("data", z), condition=condition, result=True)
            nodes = [i for x in neurons for i in (self.stage.sum(x), self.stage.output(x))]
            title = f"Forward {i} of {len(groups)}"
            yield self.step_of("forward", title, neurons, words, [["forward", *nodes]], self.stage.surroundings(neuron))

    def loss_step(self) -> PageStep:
        words = heading("The loss") + sentence("How far the output is from the target:") + self.loss_lines()
        if self.has_probabilities:
            function, page = ("softmax", "P25") if len(self.outputs) > 1 else ("sigmoid", "P14")
            words += sentence(f"The outputs are logits. Their {function} is the probability of a class ({page}):")
            for neuron in self.outputs[:MAX_TERMS]:
                words += equation(*self.probability(neuron))
        return _step("forward", words, [["forward", *self.loss_nodes]], self.lit_outputs(), "loss")

    def probability(self, neuron: Neuron) -> tuple[ast.expr, ast.expr]:
        """Return the symbol and the number of the probability that belongs to an output."""
        return ast.Name(f"P(C{neuron.index + 1} | x)"), slot("probability", self.stage.output(neuron))

    def loss_lines(self) -> str:
        """Return the formula of the loss, and with numbers."""
        value = slot("data", self.index[self.graph.loss])
        if self.has_probabilities:
            terms = [(x, self.probability(neuron)) for neuron, x in zip(self.outputs, self.graph.target, strict=True)]
            formula = cross_entropy([(self.symbols[x], p) for x, (p, _) in terms])
            numbers = cross_entropy([(self.numbers[x], p) for x, (_, p) in terms])
        else:
            formula, numbers = (expanded(self.graph.loss, names) for names in (self.symbols, self.numbers))
        rights = [formula, numbers]
        if not self.has_probabilities and not is_short(formula):
            outputs = shortened([symbol(x.symbol) for x in self.outputs])
            rights = [ast.Call(ast.Name(loss_name(self.loss)), [ast.List(outputs), ast.Name("target")], [])]
        return line(symbol(self.stage.loss), *rights, value, result=True)

    def lit_outputs(self) -> list[str]:
        ids = [(self.stage.id(x), f"compare{self.stage.output(x)}") for x in self.outputs]
        return ["loss", *(name for pair in ids for name in pair)]

    # Backward

    def backward(self) -> Iterator[PageStep]:
        yield self.loss_gradient()
        yield from self.deltas([])

    def loss_gradient(self) -> PageStep:
        words = heading("The derivative of the loss")
        words += sentence("The backward pass starts at the end: how does the loss change with each output?")
        for neuron, (formula, numbers) in list(zip(self.outputs, self.loss_derivatives(1), strict=True))[:MAX_TERMS]:
            rights = [*formula, *numbers, slot("grad", self.stage.output(neuron))]
            words += line(derivative_of(self.stage.loss, neuron.symbol), *rights, result=True)
        return _step("backward", words, self.start_backward(), self.lit_outputs(), "loss")

    def start_backward(self) -> list[list[Any]]:
        return [["seed"], ["backward", *reversed(self.loss_nodes)]]

    def loss_derivatives(self, sign: int) -> list[tuple[list[ast.expr], list[ast.expr]]]:
        """Return the derivatives of the loss, or of its negative, with respect to the outputs.

        Each is a formula in symbols and one in numbers, or nothing if it is long or only a number.
        """
        signed = self.graph.loss if sign > 0 else -self.graph.loss
        derivatives: list[tuple[list[ast.expr], list[ast.expr]]] = []
        if sign > 0 and self.has_probabilities:  # the probability minus the target (P26-P28)
            for neuron, x in zip(self.outputs, self.graph.target, strict=True):
                p, number = self.probability(neuron)
                derivatives.append(([minus(p, self.symbols[x])], [minus(number, self.numbers[x])]))
            return derivatives
        for node in engine.grad(signed, [*self.graph.z[-1]], create_graph=True):
            formula, numbers = expanded(node, self.symbols), expanded(node, self.numbers)
            is_shown = is_short(formula) and bool(node.parents)
            derivatives.append(([formula], [numbers]) if is_shown else ([], []))
        return derivatives

    def deltas(self, first_actions: list[list[Any]]) -> Iterator[PageStep]:
        """Yield the steps that show the delta of every neuron, the last layer first."""
        groups = self.groups(reversed(range(len(self.stage.layers))))
        layer = len(self.stage.layers) - 1
        for i, (k, neurons) in enumerate(groups, start=1):
            actions = first_actions if i == 1 else []
            if k != layer:  # the sums of the layer after it pass back their gradients to its outputs
                layer = k
                actions = [self.pass_back(k + 1)]
            neuron = neurons[0]
            is_output = neuron.kind == "output"
            words = self.output_delta(neuron) if is_output else self.hidden_delta(neuron)
            lit = [self.stage.id(neuron)]
            if is_output:
                lit += ["loss", f"compare{self.stage.output(neuron)}"]
            for receiver, weight, _ in self.receivers(neuron):
                lit += [self.stage.id(receiver), self.stage.line(weight)]
            actions = [*actions, ["backward", *(self.stage.output(x) for x in neurons)]]
            yield self.step_of("backward", f"Backward {i} of {len(groups)}", neurons, words, actions, lit)

    def pass_back(self, k: int) -> list[Any]:
        """Return the action by which all weighted sums of a layer pass back their gradients, in the engine's order."""
        return ["backward", *sorted(map(self.stage.sum, self.stage.layers[k]), reverse=True)]

    def output_delta(self, neuron: Neuron) -> str:
        """Return the words on the delta of an output neuron."""
        gradient, slope = derivative_of(self.stage.loss, neuron.symbol), self.slope_of(neuron)
        delta = derivative_of(self.stage.loss, neuron.sum_symbol)
        return (
            sentence("Case 1, output layer (P37): the loss depends on this output directly.")
            + line(symbol(neuron.delta_symbol), delta, product(gradient, slope))
            + self.slope_lines(neuron)
            + self.delta_line(neuron)
        )

    def hidden_delta(self, neuron: Neuron) -> str:
        """Return the words on the delta of a hidden neuron."""
        z, terms = self.stage.output(neuron), self.receivers(neuron)
        symbols = [product(symbol(w), symbol(x.delta_symbol)) for x, _, w in terms]
        numbers = [product(slot("data", self.index[w]), slot("grad", self.stage.sum(x))) for x, w, _ in terms]
        gradient, slope = derivative_of(self.stage.loss, neuron.symbol), self.slope_of(neuron)
        return (
            sentence("Case 2, any other layer (P37-P46): the deltas of the next layer come back along the weights.")
            + line(symbol(neuron.delta_symbol), product(gradient, slope))
            + line(gradient, total(symbols), total(numbers), slot("grad", z))
            + self.slope_lines(neuron)
            + self.delta_line(neuron)
        )

    def delta_line(self, neuron: Neuron) -> str:
        """Return the line of a delta in numbers."""
        a, z = self.stage.sum(neuron), self.stage.output(neuron)
        factors = product(slot("grad", z), slot("slope", z))
        return line(symbol(neuron.delta_symbol), factors, slot("grad", a), result=True)

    def slope_of(self, neuron: Neuron) -> ast.expr:
        """Return the symbol of the slope of a neuron's activation."""
        return apply(self.slope, symbol(neuron.sum_symbol))

    def slope_lines(self, neuron: Neuron) -> str:
        """Return the lines of the slope, one for every activation that the neuron may have."""
        a, z = self.stage.sum(neuron), self.stage.output(neuron)
        lines = []
        for rule, condition in self.rules(neuron):
            notation = rule.partial_notation[0]
            symbols = substitute(notation, {"a": symbol(neuron.sum_symbol), "out": symbol(neuron.symbol)})
            numbers = substitute(notation, {"a": slot("data", a), "out": slot("data", z)})
            rights = [symbols]
            if notation not in ("1", "0"):
                rights += [numbers, slot("slope", z)]
            lines.append(line(self.slope_of(neuron), *rights, condition=condition))
        return "".join(lines)

    # Update, and forward again

    def update(self) -> Iterator[PageStep]:
        groups = self.groups(range(len(self.stage.layers)))
        for i, (_, neurons) in enumerate(groups, start=1):
            neuron = neurons[0]
            words = self.update_rule(neuron)
            lines = [self.update_line(neuron, weight, x, label) for x, weight, label in self.connections(neuron)]
            if len(lines) > MAX_TERMS:
                lines = [*lines[: MAX_TERMS - 2], sentence("⋯"), lines[-1]]
            words += "".join(lines)
            actions: list[list[Any]] = [self.pass_back(0), ["keep"]] if i == 1 else []
            actions.append(["update", *(self.index[weight] for x in neurons for weight in x.weights)])
            title = f"Update {i} of {len(groups)}"
            yield self.step_of("update", title, neurons, words, actions, self.stage.surroundings(neuron))

    def update_rule(self, neuron: Neuron) -> str:
        """Return the words on the update of the weights of a neuron."""
        unit, _, label = self.connections(neuron)[-1]
        step = product(symbol("eta"), symbol(neuron.delta_symbol), symbol(unit.symbol))
        return sentence(
            "Each weight moves against its gradient, which is delta times the signal that it carries (P52-P57):"
        ) + line(symbol(label), ("←", minus(symbol(label), step)))

    def update_line(self, neuron: Neuron, weight: Value, unit: Unit, label: str) -> str:
        """Return the line of the update of a weight."""
        w, (_, x) = self.index[weight], self.factors(weight, unit)
        step = product(slot("rate"), slot("grad", self.stage.sum(neuron)), x)
        return line(symbol(label), ("←", minus(slot("old", w), step)), slot("data", w), result=True)

    def again(self) -> Iterator[PageStep]:
        for k, neurons in enumerate(self.stage.layers):
            words = heading("Forward again" + (f": layer {k + 1}" if len(self.stage.layers) > 1 else ""))
            words += sentence("The same example with the new weights:")
            for neuron in [x for x in neurons if x in self.stage.shown[k + 1]][:MAX_TERMS]:
                z = self.stage.output(neuron)
                words += equation(symbol(neuron.symbol), slot("data", z))
            nodes = [i for x in neurons for i in (self.stage.sum(x), self.stage.output(x))]
            lit = [name for x in neurons for name in self.stage.surroundings(x)]
            actions: list[list[Any]] = [["restart"]] if k == 0 else []
            yield _step("again", words, [*actions, ["forward", *nodes]], lit)

    def loss_after(self) -> PageStep:
        root = self.index[self.graph.loss]
        words = (
            heading("The loss after the update")
            + self.loss_lines()
            + line(slot("old", root), ("→", slot("data", root)), result=True)
            + '<p class="verdict" data-choose="change"><span>The loss fell.</span><span>The loss did not change.</span>'
            "<span>The loss rose: the learning rate is too large here.</span></p>"
            + sentence("Repeat the step to continue with the new weights.")
        )
        return _step("again", words, [["forward", *self.loss_nodes]], self.lit_outputs(), "loss")

    # Parts of several

    def connections(self, neuron: Neuron) -> list[tuple[Unit, Value, str]]:
        return [*connections(neuron, self.stage.columns[neuron.layer - 1])]

    def receivers(self, neuron: Neuron) -> list[tuple[Neuron, Value, str]]:
        """Return the neurons of the next layer, each with its weight for the output of a neuron, and its label."""
        if neuron.kind == "output":
            return []
        i = self.stage.columns[neuron.layer].index(neuron)
        return [(x, x.weights[i], x.weight_symbols[i]) for x in self.stage.layers[neuron.layer]]

    def factors(self, weight: Value, unit: Unit) -> tuple[ast.expr, ast.expr]:
        """Return the numbers of a weight and of the unit that it starts at."""
        signal = self.stage.signal(unit)
        return slot("data", self.index[weight]), ast.Constant(1) if signal is None else slot("data", signal)

    def rules(self, neuron: Neuron) -> list[tuple[Rule, str]]:
        """Return the activations that a neuron may have, each with the slot that is not 0 while it has it."""
        z = self.stage.output(neuron)
        return [(rule, f"rule {z} {self.stage.tape.rules.index(rule)}") for rule in self.stage.choices(neuron.layer)]


class _NumberedLesson(_Lesson):
    """The steps in the notation of P58-P77: e_n, y_n, w_mn, and delta_n = -dE/dy_n, the error of an output."""

    slope = "f′"

    def backward(self) -> Iterator[PageStep]:
        yield from self.deltas(self.start_backward())

    def output_delta(self, neuron: Neuron) -> str:
        z = self.stage.output(neuron)
        formula, numbers = self.loss_derivatives(-1)[neuron.index]
        slope = ast.UnaryOp(ast.USub(), derivative_of(self.stage.loss, neuron.symbol))
        return (
            sentence("Case 1, output layer (P58-P77): the error of an output is minus the derivative of the loss.")
            + line(symbol(neuron.delta_symbol), slope, *formula, *numbers, slot("error", z), result=True)
            + self.slope_lines(neuron)
        )

    def hidden_delta(self, neuron: Neuron) -> str:
        z = self.stage.output(neuron)
        symbols, numbers = [], []
        for x, weight, label in self.receivers(neuron):
            n = self.stage.output(x)
            symbols.append(product(symbol(label), self.slope_of(x), symbol(x.delta_symbol)))
            numbers.append(product(slot("data", self.index[weight]), slot("slope", n), slot("error", n)))
        return (
            sentence("Case 2, any other layer (P58-P77): the errors of the next layer come back along the weights.")
            + line(
                symbol(neuron.delta_symbol),
                total(symbols),
                total(numbers),
                slot("error", z),
                result=True,
            )
            + self.slope_lines(neuron)
        )

    def update_rule(self, neuron: Neuron) -> str:
        unit, _, label = self.connections(neuron)[-1]
        step = product(symbol("eta"), symbol(neuron.delta_symbol), self.slope_of(neuron), symbol(unit.symbol))
        return sentence("Each weight changes by the error times the signal that it carries (P58-P77):") + line(
            symbol(label), ("←", plus(symbol(label), step))
        )

    def update_line(self, neuron: Neuron, weight: Value, unit: Unit, label: str) -> str:
        w, z, (_, x) = self.index[weight], self.stage.output(neuron), self.factors(weight, unit)
        step = product(slot("rate"), slot("error", z), slot("slope", z), x)
        return line(symbol(label), ("←", plus(slot("old", w), step)), slot("data", w), result=True)
