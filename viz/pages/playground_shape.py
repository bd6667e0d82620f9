"""The shape of the playground's model: its layers, its activations, and how its weights are drawn."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

from nn import MLP, SCHEMES, Layer, Perceptron
from nn.initialization import scheme
from nn.signals import activation_rule
from viz.pages.playground_code import TrainingCode

ACTIVATIONS = ("tanh", "sigmoid", "relu", "leaky_relu", "linear")  # among which one can choose on the page
SEVERAL = "several"  # the activation of a layer whose neurons have different ones


def shape_data(
    model: Perceptron | Layer | MLP, layers: list[tuple[Perceptron, ...]], code: TrainingCode
) -> dict[str, Any]:
    """Return the shape of a model as data for the page.

    Its `layers` are None if it is a plain stack of layers, as an `nn.MLP` is: then the page can change their sizes.

    Args:
        model: the model.
        layers: its neurons.
        code: the forms, to which those of the activations are added.

    Raises:
        ValueError: a weight of a neuron is not a parameter of the model.

    >>> model = MLP(2, [4, 1])
    >>> data = shape_data(model, [layer.neurons for layer in model.layers], TrainingCode())
    >>> data["sizes"], data["hidden"], data["output"], data["layers"]
    ([2, 4, 1], 'tanh', 'linear', None)
    """
    hidden = _common_activation([neuron for neurons in layers[:-1] for neuron in neurons]) or getattr(
        model, "hidden", "tanh"
    )
    output = _common_activation(layers[-1])
    choices = [] if hidden == SEVERAL else list(dict.fromkeys([hidden, *ACTIVATIONS]))
    rules = {name: activation_rule(Perceptron(1, name)) for name in choices}
    neurons = [neuron for layer in layers for neuron in layer]
    if SEVERAL not in (hidden, output):
        rules |= {neuron.activation: activation_rule(neuron) for neuron in neurons}
    parameters = model.parameters()
    weights = [weight for neuron in neurons for weight in neuron.weights]
    if missing := {*weights} - {*parameters}:
        raise ValueError(f"every weight of a neuron must be a parameter of the model, got {missing.pop()!r}")
    is_stack = (
        type(model) in (Perceptron, Layer, MLP)
        and weights == parameters
        and all(rules.get(neuron.activation) is activation_rule(neuron) for neuron in neurons)
    )
    numbers = {weight: i for i, weight in enumerate(parameters)}
    plans = [
        [
            {"activation": code.form(activation_rule(neuron)), "weights": [numbers[w] for w in neuron.weights]}
            for neuron in layer
        ]
        for layer in layers
    ]
    return {
        "sizes": [model.n_inputs, *map(len, layers)],
        "hidden": hidden,
        "output": output,
        "layers": None if is_stack else plans,
        "activations": {name: code.form(rule) for name, rule in rules.items()},
        "choices": choices,
        "schemes": {name: _scheme_name(name) for name in rules},
        "names": [name for name, _ in model.named_parameters()],
    }


def model_texts(model: Perceptron | Layer | MLP, hidden: Iterable[str]) -> dict[str, str]:
    """Return the `repr` of a model by the activation of its hidden layers, beginning with its own.

    >>> model_texts(MLP(2, [4, 1]), ["tanh", "relu"])["relu"]
    "MLP(2, [4, 1], hidden='relu', output='linear')"
    """
    texts: dict[str, str] = {}
    for name in hidden:
        variant = copy.copy(model)
        if isinstance(variant, MLP) and texts:
            variant.hidden = name
        texts[name] = repr(variant)
    return texts


def _common_activation(neurons: Sequence[Perceptron]) -> str:
    """Return the common activation of neurons, SEVERAL if theirs differ; "" without neurons."""
    names = {activation_rule(neuron): neuron.activation for neuron in neurons}
    return SEVERAL if len(names) > 1 else next(iter(names.values()), "")


def _scheme_name(activation: str) -> str:
    """Return the name of the scheme by which the weights of a neuron are drawn."""
    return next(name for name, draw in SCHEMES.items() if draw is scheme(None, activation))
