"""Updates of all parameters at once, and many steps in one call, as machine code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from engine.compiler.cache import MachineCode
from engine.compiler.codegen import compile_packed
from engine.compiler.program import Floats, Program
from engine.compiler.python_to_llvm import pack
from nn.optimizers import Optimizer, UpdateRule

SLOTS = 2**23  # the number of slots of all rows that run in about a hundredth of a second
EPOCHS = 64  # the maximum in one call: more are no faster
OVERRIDES = {"rule", "step", "update"}  # attributes of an optimizer that take the place of its class's rule

# In `update`, names that begin with `_` are those that no formula has. `rate` and `steps` are indices in `settings`.
MODULE = """\
def update(
    _settings: Floats, _data: Floats, _gradient: Floats, _state: Matrix, _new_data: Floats, _new_state: Matrix
) -> int:
    {settings}
    _infinite = 0
    for _i in range(_state.shape[1]):
        data = _data[_i]
        grad = _gradient[_i] + weight_decay * data
        {formulas}
    for _i in range(_state.shape[1], len(_data)):
        _new_data[_i] = _data[_i]
    return _infinite


def fit(
    first: int, last: int, size: int, length: int, run: int, words: Integers, outputs: Matrix, rates: Floats,
    settings: Floats, data: Floats, batch_gradient: Floats, state: Matrix, new_data: Floats, new_state: Matrix,
    gradient: Floats, losses: Floats, learns: Integers,
) -> int:
    batch = 0
    for begin in range(first, last, length):
        end = min(begin + length, last)
        for start in range(begin, end, size):
            stop = min(start + size, end)
            words[1] = start
            words[2] = stop
            words[3] = bits(1.0 / (stop - start))
            if call_packed(run, words) != stop:
                return batch
            settings[{rate}] = rates[batch]
            if update(settings, data, batch_gradient, state, new_data, new_state):
                return batch
            for i in range(len(data)):
                data[i] = new_data[i]
                gradient[i] = batch_gradient[i]
            for k in range(len(state)):
                for i in range(state.shape[1]):
                    state[k, i] = new_state[k, i]
            n_other = 0
            for i in range(state.shape[1]):
                n_other += gradient[i] != 0.0
            learns[0] |= n_other > 0
            total = 0.0
            for row in range(start, stop):
                total += outputs[row, 0]
            losses[batch] = total
            batch += 1
            settings[{steps}] += 1.0
    return batch
"""


class CompiledFit:
    """Many steps in one call.

    Attributes:
        data, state: the numbers of the parameters and of the optimizer; they change.
        gradient: the gradient of the last step.
        order: the rows of the examples in each of several epochs; it can be changed.
        outputs: a row for every position in `order`: the loss of the example, then the outputs of the model.
        n_epochs: how many epochs `order` has.
    """

    def __init__(self, program: Program, rows: Floats, n_state: int, n_updated: int) -> None:
        self._length, self._n_slots = len(rows), program.n_slots
        self.n_epochs = max(min(SLOTS // (len(rows) * program.n_slots), EPOCHS), 1)
        n = self.n_epochs * len(rows)
        self.order, self.outputs = np.empty(n, np.intp), np.empty((n, len(program.outputs)))
        self._run = program.prepare(rows, self.order, self.outputs)
        self.data, self.state = self._run.parameters, np.zeros((n_state, n_updated))
        self.gradient, self._rates, self._losses = np.zeros_like(self.data), np.empty(n), np.empty(n)
        self._learns = np.zeros(1, np.int64)
        self._new = np.zeros_like(self.data), np.zeros_like(self.state)
        self._settings = np.empty(0)

    @property
    def learns(self) -> bool:
        """Whether a gradient of a parameter of the optimizer has been other than 0."""
        return bool(self._learns[0])

    @learns.setter
    def learns(self, learns: bool) -> None:
        self._learns[0] = learns

    def at_once(self, optimizer: Optimizer, size: int) -> int:
        """Return how many steps of this size take about a hundredth of a second."""
        kind, names = type(optimizer), optimizer.rule.settings if optimizer.rule else []
        computed = [name for name in names if isinstance(getattr(kind, name, None), property)]
        if computed not in ([], ["learning_rate"]) or kind.learning_rate is not Optimizer.learning_rate:
            return 1  # such settings may change at every step
        return max(SLOTS // (size * self._n_slots), 1)

    def run(self, optimizer: Optimizer, first: int, last: int, size: int, rates: Sequence[float]) -> list[float]:
        """Update the parameters by the examples from `first` to `last` in the order, `size` at a time.

        Args:
            optimizer: its settings are used, its own data and state are not; its `steps` count the first step already.
            first: the first position in `order`.
            last: the end of the positions; if they are of several epochs, the first is 0.
            size: the number of examples per step; the last step of an epoch may have fewer.
            rates: the learning rate of every step.

        Returns:
            The sums of the losses of the steps, as many as there are before one in which a number is not finite; none
            if the optimizer's class has no rule of its own.
        """
        compiled = compiled_update(optimizer)
        if compiled is None:
            return []
        code, settings = compiled
        if len(settings) != len(self._settings):
            self._settings = np.empty(len(settings))
            self._words = pack(
                first, last, size, self._length, self._run.address, self._run.words, self.outputs, self._rates,
                self._settings, self.data, self._run.gradient, self.state, *self._new, self.gradient, self._losses,
                self._learns,
            )  # fmt: skip
        self._settings[:] = settings
        self._words[:3] = first, last, size
        self._rates[: len(rates)] = rates
        losses: list[float] = self._losses[: code.call("fit", self._words)].tolist()
        return losses


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
    compiled = compiled_update(optimizer)
    if compiled is None:
        return None
    code, settings = compiled
    new_data, new_state = np.empty_like(data), np.empty_like(state)
    infinite = code.call("update", pack(np.array(settings), data, gradient, state, new_data, new_state))
    return None if infinite else (new_data, new_state)


def compiled_update(optimizer: Optimizer) -> tuple[MachineCode, list[float]] | None:
    """Return the functions `update` and `fit` of an optimizer's class, and its settings; None if it has no rule."""
    kind = type(optimizer)
    rule: UpdateRule | None = vars(kind).get("rule")
    overridden = kind.step is not Optimizer.step or kind.update is not Optimizer.update
    if rule is None or overridden or not OVERRIDES.isdisjoint(vars(optimizer)):
        return None
    lengths: list[int | None] = []
    numbers: list[float] = []
    for name in _setting_names(rule):
        setting: float | Sequence[float] = getattr(optimizer, name)
        if type(setting) is not float and isinstance(setting, Sequence):
            lengths.append(len(setting))
            numbers += map(float, setting)
        else:
            lengths.append(None)
            numbers.append(float(setting))
    return _compile_update(rule, tuple(lengths)), numbers


@lru_cache(maxsize=32)
def _setting_names(rule: UpdateRule) -> list[str]:
    return sorted({*rule.settings, "learning_rate", "steps", "weight_decay"})


@lru_cache(maxsize=32)
def _compile_update(rule: UpdateRule, lengths: tuple[int | None, ...]) -> MachineCode:
    """Return the machine code of a rule; `lengths` has the lengths of the settings that are lists."""
    settings, n, places = [], 0, {}
    for name, length in zip(_setting_names(rule), lengths, strict=True):
        places[name] = n
        numbers = [f"_settings[{k}]" for k in range(n, n + (1 if length is None else length))]
        settings.append(f"{name} = {', '.join(numbers)}{'' if length is None else ','}")
        n += len(numbers)
    formulas = [f"{name} = _state[{k}, _i]" for k, name in enumerate(rule.state)]
    formulas += [f"{name} = {text}" for name, text in [*rule.state.items(), ("data", rule.data)]]
    results = {"data": "_new_data[_i]", **{name: f"_new_state[{k}, _i]" for k, name in enumerate(rule.state)}}
    for name, place in results.items():
        formulas += [f"{place} = {name}", f"_infinite += {name} - {name} != 0.0"]
    text = MODULE.format(
        settings="\n    ".join(settings),
        formulas="\n        ".join(formulas),
        rate=places["learning_rate"],
        steps=places["steps"],
    )
    return compile_packed(text, ["update", "fit"])
