"""The choice between training on Values and compiled training, which may have to wait for the compiler."""

from __future__ import annotations

import math
from collections.abc import Callable
from inspect import getclosurevars, iscode
from types import FunctionType
from typing import Any

import engine
from engine.recording import recording
from engine.validation import error_context
from nn.inputs import Pairs
from nn.layer import Layer
from nn.losses import ACCURACIES, Loss, mse
from nn.mlp import MLP
from nn.perceptron import Perceptron

WORTH_WAITING = 0.5  # seconds of training on Values; the first compilation on a machine takes about one

# Seconds that a training on Values takes, about: per operation and per operand of an example, per parameter of a step.
PER_OPERATION, PER_OPERAND, PER_PARAMETER = 3.5e-6, 0.15e-6, 1.5e-6

ARITHMETIC = {"abs", "bool", "divmod", "float", "int", "max", "min", "pow", "range", "round", "sum"}  # builtins


def is_worth_compiling(model: Any, loss: Loss, pairs: Pairs, n_examples: int, n_steps: int) -> bool:
    """Return whether to compile a training of `n_examples` in `n_steps`, if the user leaves the choice open."""
    if not records_one_graph(model, loss):
        return False
    return seconds_on_values(model, loss, pairs, n_examples, n_steps) > WORTH_WAITING


def records_one_graph(model: object, loss: Loss) -> bool:
    """Return whether model and loss are of this package, so that all examples have the same graph."""
    return type(model) in (Perceptron, Layer, MLP) and loss in (mse, *ACCURACIES)


def seconds_on_values(model: Any, loss: Loss, pairs: Pairs, n_examples: int, n_steps: int) -> float:
    """Estimate how long a training on Values takes, from the graph of the first example.

    >>> from nn import MLP, mse
    >>> 0.1 < seconds_on_values(MLP(2, [4, 1]), mse, [([0.0, 1.0], 1.0)], 4000, 1000) < 1.0
    True
    """
    with recording(), error_context("epoch 1, data[0]"):
        x, r = pairs[0]
        nodes = engine.topological_order(loss(model(x), r))
    operations, operands = sum(node.op != "" for node in nodes), sum(len(node.parents) for node in nodes)
    parameters = len(model.parameters())
    return n_examples * (operations * PER_OPERATION + operands * PER_OPERAND) + n_steps * parameters * PER_PARAMETER


def reads_arguments_only(function: Callable[..., Any]) -> bool:
    """Return whether a function certainly reads nothing but its arguments, numbers and functions of arithmetic.

    Others, such as a schedule that depends on the weights, may read the Values, which compiled training must update.

    >>> start, weight = 0.1, engine.Value(2.0)
    >>> reads_arguments_only(lambda epoch: start * 0.9**epoch), reads_arguments_only(lambda epoch: start / weight.data)
    (True, False)
    """
    if not isinstance(function, FunctionType) or any(map(iscode, function.__code__.co_consts)):
        return False
    used = getclosurevars(function)
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    return used.builtins.keys() <= ARITHMETIC and all(
        x is math or isinstance(x, int | float) or getattr(x, "__module__", "") == "math"
        for x in (*used.nonlocals.values(), *used.globals.values(), *defaults)
    )
