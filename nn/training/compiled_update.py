"""The update of an optimizer as machine code, for all parameters at once, made from the text of its method."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from engine.compiler.cache import load_cached_module
from nn.optimizers import SGD, Adam, Optimizer

Floats: TypeAlias = npt.NDArray[np.float64]

# The attributes of the optimizer are arguments: of `self.momentum` remains `momentum`.
MODULE = """\
import numba


def update({attributes}, data, grad, state):
{body}

update = numba.njit(error_model="numpy")(update)


@numba.njit(error_model="numpy", nogil=True, cache=True)
def move({attributes}, weight_decay, data, gradient, state, new_data, new_state):
    infinite = 0
    for i in range(state.shape[1]):
        grad = gradient[i] + weight_decay * data[i]
        {new} = update({attributes}, data[i], grad, ({old},))
        for number in ({new}):
            infinite += number - number != 0.0
    for i in range(state.shape[1], data.size):
        new_data[i] = data[i]
    return infinite == 0
"""


def moved(optimizer: Optimizer, data: Floats, gradient: Floats, state: Floats) -> tuple[Floats, Floats] | None:
    """The data of the parameters after a step, and the state of the optimizer.

    Args:
        data, gradient: those of the optimizer's parameters, and after them of any number of leaves that stay.
        state: as many rows as numbers belong to a parameter, and a column for each.

    Returns:
        Both anew; None where something is not finite, or where the optimizer, or its way to step, is not
        of this package.
    """
    kind: Any = type(optimizer)
    if kind not in (SGD, Adam) or {"step", "update"} & vars(optimizer).keys():
        return None
    move, attributes = _mover(kind, len(state))
    after = np.empty_like(data), np.empty_like(state)
    numbers = [_floats(getattr(optimizer, name)) for name in attributes]
    return after if move(*numbers, optimizer.weight_decay, data, gradient, state, *after) else None


def _floats(number: float | tuple[float, ...] | list[float]) -> float | tuple[float, ...]:
    return tuple(map(float, number)) if isinstance(number, tuple | list) else float(number)


@cache
def _mover(optimizer: Any, memory: int) -> tuple[Callable[..., Any], list[str]]:
    """The compiled function `move`, and the attributes that it takes."""
    _, body = textwrap.dedent(inspect.getsource(optimizer.update)).split(":\n")
    attributes = sorted(set(re.findall(r"\bself\.(\w+)", body)))
    text = MODULE.format(
        attributes=", ".join(attributes),
        body=body.replace("self.", ""),
        old=", ".join(f"state[{k}, i]" for k in range(memory)),
        new=", ".join(["new_data[i]", *(f"new_state[{k}, i]" for k in range(memory))]),
    )
    return load_cached_module(text, []).move, attributes
