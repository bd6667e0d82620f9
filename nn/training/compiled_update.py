"""The update rule of an optimizer as machine code, for all parameters at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from engine.compiler.cache import load_cached_module
from engine.compiler.program import Floats
from nn.optimizers import Optimizer, UpdateRule

OVERRIDES = {"rule", "step", "update"}  # attributes of an optimizer that take the place of its class's rule

MODULE = """\
import numba


{source}

update = numba.njit(error_model="numpy")(update)


@numba.njit(error_model="numpy", nogil=True)
def step({settings}, data, gradient, state, new_data, new_state):
    infinite = 0
    for i in range(state.shape[1]):
        grad = gradient[i] + weight_decay * data[i]
        ({new},) = update({old})
        for number in ({new},):
            infinite += number - number != 0.0
    for i in range(state.shape[1], data.size):
        new_data[i] = data[i]
    return infinite == 0
"""


def compiled_step(optimizer: Optimizer, data: Floats, gradient: Floats, state: Floats) -> tuple[Floats, Floats] | None:
    """Return the data of the parameters after a step, and the state of the optimizer.

    Args:
        optimizer: its own data and state are not used.
        data: the data of its parameters, followed by those of leaves that do not change.
        gradient: their gradients.
        state: a row for each number of state, a column for each parameter.

    Returns:
        Two new arrays; None if a number in them would not be finite, or the optimizer's class has no rule of its own.

    >>> from engine import Value
    >>> from nn.optimizers import SGD
    >>> compiled_step(SGD([Value(1.0)], 0.5), np.array([1.0]), np.array([2.0]), np.array([[0.0]]))
    (array([0.]), array([[2.]]))
    """
    kind = type(optimizer)
    rule: UpdateRule | None = vars(kind).get("rule")
    overridden = kind.step is not Optimizer.step or kind.update is not Optimizer.update
    if rule is None or overridden or not OVERRIDES.isdisjoint(vars(optimizer)):
        return None
    step, settings = _compile_update(rule)
    new_data, new_state = np.empty_like(data), np.empty_like(state)
    numbers = [_as_floats(getattr(optimizer, name)) for name in settings]
    return (new_data, new_state) if step(*numbers, data, gradient, state, new_data, new_state) else None


def _as_floats(setting: float | Sequence[float]) -> float | tuple[float, ...]:
    if type(setting) is float:
        return setting
    return tuple(map(float, setting)) if isinstance(setting, Sequence) else float(setting)


@cache
def _compile_update(rule: UpdateRule) -> tuple[Callable[..., bool], list[str]]:
    """Return the compiled function `step` and the attributes of the optimizer that it takes."""
    settings = sorted({*rule.settings, "weight_decay"})
    rows = range(len(rule.state))
    text = MODULE.format(
        source=rule.source(),
        settings=", ".join(settings),
        old=", ".join(["data[i]", "grad", *(f"state[{k}, i]" for k in rows), *rule.settings]),
        new=", ".join(["new_data[i]", *(f"new_state[{k}, i]" for k in rows)]),
    )
    step: Callable[..., bool] = load_cached_module(text, [], ["step"]).step
    return step, settings
