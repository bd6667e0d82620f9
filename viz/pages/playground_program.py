"""The files of the playground: the weights as `nn.load` reads them, the training as a program, the curves as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import nn
from nn.checkpoint import FORMAT
from nn.losses import Loss
from nn.optimizers import Optimizer

# The page fills the places in braces.
PROGRAM = """\
# {note}
import nn

data = [
{data}
]
model = nn.{model}
{weights}optimizer = {optimizer}
history = nn.train(
    model, nn.LOSS, data, optimizer=optimizer, epochs={epochs}, batch_size={batch}, seed={seed},
    until=lambda history: False,
)
print(history)
"""
WEIGHTS = """\
weights = [
{numbers}
]
for parameter, number in zip(model.parameters(), weights, strict=True):
    parameter.data = number
"""
STACK = "MLP({inputs}, [{sizes}], hidden='{hidden}', output='OUTPUT')"  # a model with other layers
NOTES = {
    "exact": "The training of the page, from the same first weights through the same batches",
    "whole": "The training of the page, but to the end of epoch {epochs}: the page shows step {step}, within an epoch",
    "changed": "The first weights and the last settings of the page, which were changed while it trained, "
    "or which did steps by single examples",
}


def saved_data(models: Mapping[str, str], output: str, loss: Loss, optimizers: Iterable[Optimizer]) -> dict[str, Any]:
    """Return the data that the script of the page needs for saving.

    Args:
        models: what `repr` says about the model, by the activation of its hidden layers.
        output: the activation of the output layer.
        loss: the loss; only one of `nn` has a program.
        optimizers: those that can be chosen; only those of `nn` have a program.
    """
    name = getattr(loss, "__name__", "")
    is_ours = getattr(nn, name, None) is loss
    return {
        "format": FORMAT,
        "models": dict(models),
        "program": PROGRAM.replace("LOSS", name) if is_ours else "",
        "weights": WEIGHTS,
        "stack": STACK.replace("OUTPUT", output),
        "notes": NOTES,
        "optimizers": {type(x).__name__: _call(x) for x in optimizers if getattr(nn, type(x).__name__, "") is type(x)},
        "columns": ["epoch", "training loss", "test loss", "accuracy", "test accuracy"],
    }


def _call(optimizer: Optimizer) -> str:
    """Return the call that makes an optimizer, with a place for every setting.

    >>> from engine import Value
    >>> _call(nn.Adam([Value(1.0)]))
    'nn.Adam(model.parameters(), learning_rate={learning_rate}, betas=({betas_0}, {betas_1}), epsilon={epsilon}, \
weight_decay={weight_decay})'
    """
    arguments = {
        nn.SGD: ["learning_rate", "momentum", "weight_decay"],
        nn.Adam: ["learning_rate", "betas", "epsilon", "weight_decay"],
    }[type(optimizer)]
    places = {"betas": "({betas_0}, {betas_1})"}
    texts = [f"{name}={places.get(name, f'{{{name}}}')}" for name in arguments]
    return f"nn.{type(optimizer).__name__}(model.parameters(), {', '.join(texts)})"
