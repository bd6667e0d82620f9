"""The quiz of the page of a network: deltas in the backward pass, and weights after their update."""

from __future__ import annotations

from collections.abc import Iterable

from viz.equations import Equation
from viz.pages.network_stage import Stage
from viz.pages.network_words import symbol
from viz.pages.page_step import PageStep
from viz.pages.quiz_words import ANSWERS, topic
from viz.pages.words import symbol_markup

MAX_WEIGHTS = 3  # of a neuron that may be asked


SENTENCES = {
    **ANSWERS,
    **topic("delta", "delta"),
    **topic("error", "delta"),
    **topic("weight", "weight"),
    "ask-weight-number": 'What is <span data-symbol="weight node"></span> after the update?',
    "mistake-slope": "You forgot the slope of the activation.",
    "mistake-slopeValue": "You used the output of the neuron in place of the slope of its activation.",
    "mistake-output": "You forgot the derivative of the loss with respect to the output.",
    "mistake-gradient": "The sign is wrong: this delta is minus the derivative of the loss.",
    "mistake-ownSlope": "This delta is the error of the output: do not multiply it by the slope of the activation.",
    "mistake-direction": "The weight moves in the wrong direction: the loss must fall.",
    "mistake-rate": "You forgot the learning rate.",
    "mistake-change": "That is the change of the weight: add it to the old weight.",
    "mistake-old": "That is the old weight.",
    "other-delta": "Not right. Multiply the derivative of the loss with respect to the output by the slope.",
    "other-error": "Not right. Follow the rule of this layer: case 1 for an output, case 2 for another neuron.",
    "other-weight": "Not right. Subtract the learning rate times the gradient from the old weight.",
}
KINDS: dict[str, dict[str, list[str]]] = {
    "delta": {"kinds": ["number", "sign"], "mistakes": ["sign", "slope", "slopeValue", "output"], "signs": []},
    "error": {"kinds": ["number", "sign"], "mistakes": ["gradient", "ownSlope"], "signs": ["gradient"]},
    "weight": {"kinds": ["number"], "mistakes": ["direction", "rate", "change", "old"], "signs": []},
}


def ask(stage: Stage, steps: Iterable[PageStep]) -> dict[str, str]:
    """Add to each step about one neuron what may be asked before it, and return the sentences and symbols for that."""
    words = {f"quiz-{name}": text for name, text in SENTENCES.items()}
    neurons = {stage.output(neuron): neuron for layer in stage.layers for neuron in layer}
    weights = {
        stage.tape.index[weight]: (neuron, label)
        for neuron in neurons.values()
        for weight, label in [*neuron.labelled_weights][:MAX_WEIGHTS]
    }
    for step in steps:
        action, *nodes = step.actions[-1]
        if action == "backward" and len(nodes) == 1 and nodes[0] in neurons:
            step.asks = [["error" if stage.is_numbered else "delta", nodes[0]]]
            words[f"delta-{nodes[0]}"] = _symbol(neurons[nodes[0]].delta_symbol)
        elif action == "update" and len({weights[i][0] for i in nodes if i in weights}) == 1:
            step.asks = [["weight", i] for i in nodes if i in weights]
            words |= {f"weight-{i}": _symbol(weights[i][1]) for _, i in step.asks}
    return words


def _symbol(label: str) -> str:
    return symbol_markup(label, Equation(symbol(label)))
