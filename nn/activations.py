"""Activation functions by name, out of the engine's table."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from engine import RULES, Value
from engine.functions import FUNCTIONS
from engine.validation import describe


def activation_function(name: str) -> Callable[[Value], Value] | None:
    """The function of that name, None for "linear".

    Raises:
        TypeError: the name is no text.
        ValueError: the table has no function of one operand of that name.

    >>> activation_function("tanh")(Value(0.0))
    Value(data=0.0, grad=0.0, op='tanh')
    """
    if not isinstance(name, str):
        raise TypeError(f"an activation is told by its name, such as 'tanh', got {describe(name)}")
    if name == "linear":
        return None
    names = [symbol for symbol in FUNCTIONS if RULES[symbol].arity == 1]
    if name in names:
        return FUNCTIONS[name]
    if name == "softmax":
        hint = "it is over all outputs: train 'linear' ones with nn.cross_entropy, then take engine.softmax(model(x))"
    else:
        near = difflib.get_close_matches(name, ["linear", *names])
        hint = f"did you mean {near[0]!r}?" if near else f"there are 'linear', {', '.join(map(repr, names))}"
    raise ValueError(f"no activation is called {name!r}: {hint}")
