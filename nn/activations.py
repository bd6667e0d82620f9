"""Activation functions by name, from the engine's table."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from engine import RULES, Value
from engine.functions import FUNCTIONS
from engine.validation import describe


def activation_function(name: str) -> Callable[[Value], Value] | None:
    """Return the activation function of that name, None for "linear".

    Raises:
        TypeError: the name is not a str.
        ValueError: the table has no function of one operand with that name.

    >>> activation_function("tanh")(Value(0.0))
    Value(data=0.0, grad=0.0, op='tanh')
    """
    if not isinstance(name, str):
        raise TypeError(f"activation must be a name such as 'tanh', got {describe(name)}")
    if name == "linear":
        return None
    names = [name for name in FUNCTIONS if RULES[name].arity == 1 and not RULES[name].finalize]
    if name in names:
        return FUNCTIONS[name]
    other_names = {"identity": "linear", "none": "linear", "logistic": "sigmoid", "swish": "silu"}
    if name == "softmax":
        hint = "softmax is over all outputs: train 'linear' by nn.cross_entropy, then use engine.softmax(model(x))"
    else:
        lower = name.lower()
        near = difflib.get_close_matches(other_names.get(lower, lower), ["linear", *names])
        hint = f"did you mean {near[0]!r}?" if near else f"there are 'linear', {', '.join(map(repr, names))}"
    raise ValueError(f"activation must be the name of a function, got {name!r}: {hint}")
