"""The steps of the page of a network: what each says, computes and highlights (P35-P77)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain
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
    Term,
    apply,
    cross_entropy,
    derivative_of,
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
    return (_NumberedLesson if stage.is_numbered else _Lesson)(stage, loss).steps()


class _Lesson:
    """The steps in the notation of P57: a_j, z_j, w_ji, delta_j = dL/da_j."""

    slope = "σ′"
    update_sentence = (
        "Each weight moves against its gradient, which is delta times the signal that it carries (P52-P57):"
    )
    updated = staticmethod(minus)

    def __init__(self, stage: Stage, loss: Loss) -> None:
        self.stage, self.graph, self.loss = stage, stage.graph, loss
        self.index = stage.tape.index
        self.outputs = stage.layers[-1]
        # Whether the loss is the cross-entropy of probabilities: of the sigmoid or softmax of the outputs
        is_binary = loss is nn.binary_cross_entropy and len(self.outputs) == 1
        self.has_probabilities = (is_binary or loss is nn.cross_entropy) and bool(self.graph.target)
        # The symbols in the formula of the loss, and their numbers
        self.symbols = {
            **{node: symbol(x.symbol) for x, node in zip(self.outputs, self.graph.z[-1], strict=True)},
            **{x: symbol(label) for x, label in zip(self.graph.target, stage.target_labels, strict=True)},
        }
        self.numbers = {node: slot("data", self.index[node]) for node in self.symbols}
        of_neurons = {node for layer in (*self.graph.a, *self.graph.z) for node in layer}
        order = stage.tape.order
        self.loss_nodes = [self.index[x] for x in order if x.parents and x not in of_neurons]
        self.leaves = [self.index[x] for x in order if not x.parents and not x.is_constant]

    def steps(self) -> list[PageStep]:
        """Return the steps in order."""
        passes = [self.start()], self.forward(), [self.loss_step()], self.backward(), self.update(), self.again()
        return [*chain(*passes), self.loss_after()]

    def groups(self, title: str, *, backward: bool = False) -> Iterator[tuple[str, list[Neuron]]]:
        """Yield each drawn neuron separately, those behind dots as one group, with the beginning of their heading."""
        groups: list[list[Neuron]] = []
        for neurons, drawn in [*zip(self.stage.layers, self.stage.shown[1:], strict=True)][:: -1 if backward else 1]:
            hidden = [neuron for neuron in neurons if neuron not in drawn]
            groups += [
                [unit] if isinstance(unit, Neuron) else hidden
                for unit in drawn
                if unit is None or isinstance(unit, Neuron)
            ]
        for i, group in enumerate(groups, 1):
            yield f"{title} {i} of {len(groups)}", group

    def step_of(
        self, phase: str, title: str, neurons: list[Neuron], markup: str, actions: list[list[Any]], lit: list[str]
    ) -> PageStep:
        """Return the step of a neuron, or of those behind dots."""
        if len(neurons) > 1:
            words = heading(title) + sentence(f"The other {len(neurons)} neurons of the layer do the same.")
        else:
            label = neurons[0].delta_symbol if phase == "backward" else neurons[0].symbol
            part = "the weights of " if phase == "update" else ""
            words = heading(f"{title}: {part}", symbol(label)) + markup
        return PageStep(phase, words, actions, lit, self.stage.id(neurons[0]))

    # Forward

    def start(self) -> PageStep:
        inputs = [(x.symbol, self.stage.signal(x)) for x in self.stage.columns[0]]
        terms = [line(label, slot("data", i)) for label, i in inputs if i is not None]
        words = (
            heading("The inputs")
            + "".join(terms[:MAX_TERMS])
            + sentence("Lines are weights: blue and solid if positive, orange and dashed if negative, wide if large.")
            + sentence("Every input, weight and target can be changed: type, drag, or use the arrow keys.")
        )
        return PageStep("forward", words, [["appear", *self.leaves]], [self.stage.id(x) for x in self.stage.columns[0]])

    def forward(self) -> Iterator[PageStep]:
        for title, neurons in self.groups("Forward"):
            neuron = neurons[0]
            a, z = slot("data", self.stage.sum(neuron)), slot("data", self.stage.output(neuron))
            inputs = self.connections(neuron)
            symbols = total([product(label, x.symbol) for x, _, label in inputs])
            numbers = total([product(slot("data", self.index[weight]), self.signal(x)) for x, weight, _ in inputs])
            words = sentence("The weighted sum of its inputs (P35):")
            words += line(neuron.sum_symbol, symbols, numbers, a)
            words += sentence("The activation of the sum:")
            for rule, condition in self.rules(neuron):
                functions = [apply(rule.symbol, neuron.sum_symbol)]
                if rule.symbol != "linear":
                    functions.append(apply(rule.symbol, a))
                words += line(neuron.symbol, *functions, z, condition=condition)
            lit = self.stage.surroundings(neuron)
            yield self.step_of("forward", title, neurons, words, [self.compute(neurons)], lit)

    def compute(self, neurons: list[Neuron]) -> list[Any]:
        """Return the action that computes the sums and outputs of neurons."""
        return ["forward", *(i for x in neurons for i in (self.stage.sum(x), self.stage.output(x)))]

    def loss_step(self) -> PageStep:
        words = heading("The loss") + sentence("How far the output is from the target:") + self.loss_lines()
        if self.has_probabilities:
            function, page = ("softmax", "P25") if len(self.outputs) > 1 else ("sigmoid", "P14")
            words += sentence(f"The outputs are logits. Their {function} is the probability of a class ({page}):")
            words += "".join(line(*self.probability(neuron)) for neuron in self.outputs[:MAX_TERMS])
        return PageStep("forward", words, [["forward", *self.loss_nodes]], self.lit_outputs(), "loss")

    def probability(self, neuron: Neuron) -> tuple[ast.expr, ast.expr]:
        """Return the symbol and the number of the probability that belongs to an output."""
        return ast.Name(f"P(C{neuron.index + 1} | x)"), slot("probability", self.stage.output(neuron))

    def loss_lines(self) -> str:
        """Return the formula of the loss, and with numbers."""
        if self.has_probabilities:
            terms = [(x, self.probability(neuron)) for neuron, x in zip(self.outputs, self.graph.target, strict=True)]
            formula = cross_entropy([(self.symbols[x], p) for x, (p, _) in terms])
            rights = [formula, cross_entropy([(self.numbers[x], p) for x, (_, p) in terms])]
        else:
            formula = expanded(self.graph.loss, self.symbols)
            rights = [formula, expanded(self.graph.loss, self.numbers)]
            if not is_short(formula):
                outputs = ast.List(shortened([symbol(x.symbol) for x in self.outputs]))
                rights = [ast.Call(ast.Name(loss_name(self.loss)), [outputs, ast.Name("target")], [])]
        return line(self.stage.loss, *rights, slot("data", self.index[self.graph.loss]))

    def lit_outputs(self) -> list[str]:
        return ["loss", *(name for x in self.outputs for name in (self.stage.id(x), self.comparison(x)))]

    def comparison(self, neuron: Neuron) -> str:
        """Return the id of the line from an output to its target."""
        return f"compare{self.stage.output(neuron)}"

    # Backward

    def backward(self) -> Iterator[PageStep]:
        yield self.loss_gradient()
        yield from self.deltas([])

    def loss_gradient(self) -> PageStep:
        words = heading("The derivative of the loss")
        words += sentence("The backward pass starts at the end: how does the loss change with each output?")
        for neuron, formulas in list(zip(self.outputs, self.loss_derivatives(1), strict=True))[:MAX_TERMS]:
            gradient = slot("grad", self.stage.output(neuron))
            words += line(derivative_of(self.stage.loss, neuron.symbol), *formulas, gradient)
        return PageStep("backward", words, self.start_backward(), self.lit_outputs(), "loss")

    def start_backward(self) -> list[list[Any]]:
        return [["seed"], ["backward", *reversed(self.loss_nodes)]]

    def loss_derivatives(self, sign: int) -> list[list[ast.expr]]:
        """Return the derivatives of the loss, or of its negative, with respect to the outputs.

        Each is a formula in symbols and one in numbers, or nothing if it is long or only a number.
        """
        if sign > 0 and self.has_probabilities:  # the probability minus the target (P26-P28)
            terms = [(x, self.probability(neuron)) for neuron, x in zip(self.outputs, self.graph.target, strict=True)]
            return [[minus(p, self.symbols[x]), minus(number, self.numbers[x])] for x, (p, number) in terms]
        derivatives = []
        signed = self.graph.loss if sign > 0 else -self.graph.loss
        for node in engine.grad(signed, [*self.graph.z[-1]], create_graph=True):
            formula = expanded(node, self.symbols)
            is_shown = is_short(formula) and bool(node.parents)
            derivatives.append([formula, expanded(node, self.numbers)] if is_shown else [])
        return derivatives

    def deltas(self, first_actions: list[list[Any]]) -> Iterator[PageStep]:
        """Yield the steps that show the delta of every neuron, the last layer first."""
        layer, actions = len(self.stage.layers), first_actions
        for title, neurons in self.groups("Backward", backward=True):
            neuron = neurons[0]
            if neuron.layer != layer:  # the sums of the layer after it pass back their gradients to its outputs
                layer, actions = neuron.layer, [self.pass_back(neuron.layer)]
            lit = [self.stage.id(neuron)]
            if neuron.kind == "output":
                words = self.output_delta(neuron)
                lit += ["loss", self.comparison(neuron)]
            else:
                words = self.hidden_delta(neuron)
            for receiver, weight, _ in self.receivers(neuron):
                lit += [self.stage.id(receiver), self.stage.line(weight)]
            actions = [*actions, ["backward", *map(self.stage.output, neurons)]]
            yield self.step_of("backward", title, neurons, words, actions, lit)
            actions = []

    def pass_back(self, k: int) -> list[Any]:
        """Return the action by which all weighted sums of a layer pass back their gradients, in the engine's order."""
        return ["backward", *sorted(map(self.stage.sum, self.stage.layers[k]), reverse=True)]

    def output_delta(self, neuron: Neuron) -> str:
        """Return the words on the delta of an output neuron."""
        gradient = derivative_of(self.stage.loss, neuron.symbol)
        delta = derivative_of(self.stage.loss, neuron.sum_symbol)
        return (
            sentence("Case 1, output layer (P37): the loss depends on this output directly.")
            + line(neuron.delta_symbol, delta, product(gradient, self.slope_of(neuron)), result=False)
            + self.slope_lines(neuron)
            + self.delta_line(neuron)
        )

    def hidden_delta(self, neuron: Neuron) -> str:
        """Return the words on the delta of a hidden neuron."""
        terms = self.receivers(neuron)
        symbols = total([product(w, x.delta_symbol) for x, _, w in terms])
        numbers = total([product(slot("data", self.index[w]), slot("grad", self.stage.sum(x))) for x, w, _ in terms])
        gradient = derivative_of(self.stage.loss, neuron.symbol)
        return (
            sentence("Case 2, any other layer (P37-P46): the deltas of the next layer come back along the weights.")
            + line(neuron.delta_symbol, product(gradient, self.slope_of(neuron)), result=False)
            + line(gradient, symbols, numbers, slot("grad", self.stage.output(neuron)), result=False)
            + self.slope_lines(neuron)
            + self.delta_line(neuron)
        )

    def delta_line(self, neuron: Neuron) -> str:
        """Return the line of a delta in numbers."""
        z = self.stage.output(neuron)
        factors = product(slot("grad", z), slot("slope", z))
        return line(neuron.delta_symbol, factors, slot("grad", self.stage.sum(neuron)))

    def slope_of(self, neuron: Neuron) -> ast.expr:
        """Return the symbol of the slope of a neuron's activation."""
        return apply(self.slope, neuron.sum_symbol)

    def slope_lines(self, neuron: Neuron) -> str:
        """Return the lines of the slope, one for every activation that the neuron may have."""
        a, z = self.stage.sum(neuron), self.stage.output(neuron)
        symbols = {"a": symbol(neuron.sum_symbol), "out": symbol(neuron.symbol)}
        numbers = {"a": slot("data", a), "out": slot("data", z)}
        lines = ""
        for rule, condition in self.rules(neuron):
            notation = rule.partial_notation[0]
            rights = [substitute(notation, symbols)]
            if notation not in ("1", "0"):
                rights += [substitute(notation, numbers), slot("slope", z)]
            lines += line(self.slope_of(neuron), *rights, condition=condition, result=False)
        return lines

    # Update, and forward again

    def update(self) -> Iterator[PageStep]:
        actions: list[list[Any]] = [self.pass_back(0), ["keep"]]
        for title, neurons in self.groups("Update"):
            neuron = neurons[0]
            symbols, numbers = self.update_factors(neuron)
            inputs = self.connections(neuron)
            lines = []
            for x, weight, label in inputs:
                i = self.index[weight]
                number = self.updated(slot("old", i), product(slot("rate"), *numbers, self.signal(x)))
                lines.append(line(label, ("←", number), slot("data", i)))
            if len(lines) > MAX_TERMS:
                lines = [*lines[: MAX_TERMS - 2], sentence("⋯"), lines[-1]]
            unit, _, label = inputs[-1]
            rule = self.updated(label, product("eta", *symbols, unit.symbol))
            words = sentence(self.update_sentence) + line(label, ("←", rule), result=False) + "".join(lines)
            actions = [*actions, ["update", *(self.index[weight] for x in neurons for weight in x.weights)]]
            yield self.step_of("update", title, neurons, words, actions, self.stage.surroundings(neuron))
            actions = []

    def update_factors(self, neuron: Neuron) -> tuple[list[Term], list[ast.expr]]:
        """Return the factors of an update that belong to the neuron, in symbols and in numbers."""
        return [neuron.delta_symbol], [slot("grad", self.stage.sum(neuron))]

    def again(self) -> Iterator[PageStep]:
        actions: list[list[Any]] = [["restart"]]
        for k, neurons in enumerate(self.stage.layers, 1):
            words = heading("Forward again" + (f": layer {k}" if len(self.stage.layers) > 1 else ""))
            words += sentence("The same example with the new weights:")
            for neuron in [x for x in neurons if x in self.stage.shown[k]][:MAX_TERMS]:
                words += line(neuron.symbol, slot("data", self.stage.output(neuron)))
            lit = [name for x in neurons for name in self.stage.surroundings(x)]
            yield PageStep("again", words, [*actions, self.compute(neurons)], lit)
            actions = []

    def loss_after(self) -> PageStep:
        root = self.index[self.graph.loss]
        words = (
            heading("The loss after the update")
            + self.loss_lines()
            + line(slot("old", root), ("→", slot("data", root)))
            + '<p class="verdict" data-choose="change"><span>The loss fell.</span><span>The loss did not change.</span>'
            "<span>The loss rose: the learning rate is too large here.</span></p>"
            + sentence("Repeat the step to continue with the new weights.")
        )
        return PageStep("again", words, [["forward", *self.loss_nodes]], self.lit_outputs(), "loss")

    # Parts of several

    def connections(self, neuron: Neuron) -> list[tuple[Unit, Value, str]]:
        return [*connections(neuron, self.stage.columns[neuron.layer - 1])]

    def receivers(self, neuron: Neuron) -> list[tuple[Neuron, Value, str]]:
        """Return the neurons of the next layer, each with its weight for the output of a neuron, and its label."""
        if neuron.kind == "output":
            return []
        i = self.stage.columns[neuron.layer].index(neuron)
        return [(x, x.weights[i], x.weight_symbols[i]) for x in self.stage.layers[neuron.layer]]

    def signal(self, unit: Unit) -> ast.expr:
        """Return the number of the output of a unit."""
        node = self.stage.signal(unit)
        return ast.Constant(1) if node is None else slot("data", node)

    def rules(self, neuron: Neuron) -> list[tuple[Rule, str]]:
        """Return the activations that a neuron may have, each with the slot that is not 0 while it has it."""
        z = self.stage.output(neuron)
        return [(rule, f"rule {z} {self.stage.tape.rules.index(rule)}") for rule in self.stage.choices(neuron.layer)]


class _NumberedLesson(_Lesson):
    """The steps in the notation of P58-P77: e_n, y_n, w_mn, and delta_n = -dE/dy_n, the error of an output."""

    slope = "f′"
    update_sentence = "Each weight changes by the error times the signal that it carries (P58-P77):"
    updated = staticmethod(plus)

    def backward(self) -> Iterator[PageStep]:
        yield from self.deltas(self.start_backward())

    def output_delta(self, neuron: Neuron) -> str:
        error = slot("error", self.stage.output(neuron))
        slope = ast.UnaryOp(ast.USub(), derivative_of(self.stage.loss, neuron.symbol))
        return (
            sentence("Case 1, output layer (P58-P77): the error of an output is minus the derivative of the loss.")
            + line(neuron.delta_symbol, slope, *self.loss_derivatives(-1)[neuron.index], error)
            + self.slope_lines(neuron)
        )

    def hidden_delta(self, neuron: Neuron) -> str:
        symbols, numbers = [], []
        for x, weight, label in self.receivers(neuron):
            n = self.stage.output(x)
            symbols.append(product(label, self.slope_of(x), x.delta_symbol))
            numbers.append(product(slot("data", self.index[weight]), slot("slope", n), slot("error", n)))
        error = slot("error", self.stage.output(neuron))
        return (
            sentence("Case 2, any other layer (P58-P77): the errors of the next layer come back along the weights.")
            + line(neuron.delta_symbol, total(symbols), total(numbers), error)
            + self.slope_lines(neuron)
        )

    def update_factors(self, neuron: Neuron) -> tuple[list[Term], list[ast.expr]]:
        z = self.stage.output(neuron)
        return [neuron.delta_symbol, self.slope_of(neuron)], [slot("error", z), slot("slope", z)]
