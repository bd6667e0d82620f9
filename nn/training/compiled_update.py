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

# `update` writes new data and state, and stores the old ones. Its own names begin with `_`, unlike those in formulas.
# `rate` and `steps` are indices in `settings`.
MODULE = """\
def update(
    _settings: Floats, _data: Floats, _gradient: Floats, _state: Matrix, _old_data: Floats, _old_state: Matrix
) -> int:
    {settings}
    _infinite = 0
    for _i in range(_state.shape[1]):
        data = _data[_i]
        grad = _gradient[_i] + weight_decay * data
        _old_data[_i] = data
        {formulas}
    return _infinite


def fit(
    first: int, last: int, size: int, length: int, run: int, words: Integers, outputs: Matrix, rates: Floats,
    settings: Floats, data: Floats, gradient: Floats, state: Matrix, old_data: Floats, old_state: Matrix,
    losses: Floats, learns: Integers,
) -> int:
    batch = 0
    for begin in range(first, last, length):
        end = min(begin + length, last)
        for start in range(begin, end, size):
            stop = min(start + size, end)
            words[1] = start
            words[2] = stop
            words[3] = bits(1.0 / (stop - start))
            settings[{rate}] = rates[batch]
            if call_packed(run, words) != stop:
                fill(gradient, 0, 0.0)
                return batch
            if update(settings, data, gradient, state, old_data, old_state):
                for i in range(state.shape[1]):
                    data[i] = old_data[i]
                    for k in range(len(state)):
                        state[k, i] = old_state[k, i]
                fill(gradient, 0, 0.0)
                return batch
            if not learns[0]:
                for i in range(state.shape[1]):
                    learns[0] |= gradient[i] != 0.0
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
        gradient: the gradient of the last step; zeros if the last step failed.
        order: the rows of the examples in each of several epochs; it can be changed.
        outputs: a row for every position in `order`: the loss of the example, then the outputs of the model.
        n_epochs: how many epochs `order` has.
    """

    def __init__(self, program: Program, rows: Floats, n_state: int, n_updated: int) -> None:
        self._length, self._n_slots = len(rows), program.n_slots
        self.n_epochs = max(min(SLOTS // (len(rows) * program.n_slots[1]), EPOCHS), 1)
        n = self.n_epochs * len(rows)
        self.order, self.outputs = np.empty(n, np.intp), np.empty((n, len(program.outputs)))
        self._run = program.prepare(rows, self.order, self.outputs)
        self.data, self.state = self._run.parameters, np.zeros((n_state, n_updated))
        self.gradient, self._rates, self._losses = self._run.gradient, np.empty(n), np.empty(n)
        self._learns = np.zeros(1, np.int64)
        self._old = np.zeros(n_updated), np.zeros_like(self.state)
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
        uniform, varying = self._n_slots
        return max(SLOTS // (uniform + size * varying), 1)

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
                self._settings, self.data, self.gradient, self.state, *self._old, self._losses, self._learns,
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
    new_data, new_state = data.copy(), state.copy()
    arrays = np.array(settings), new_data, gradient, new_state, data.copy(), state.copy()
    return None if code.call("update", pack(*arrays)) else (new_data, new_state)


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
    results = {name: f"_state[{k}, _i]" for k, name in enumerate(rule.state)} | {"data": "_data[_i]"}
    formulas = []
    for k, name in enumerate(rule.state):
        formulas += [f"{name} = {results[name]}", f"_old_state[{k}, _i] = {name}"]
    formulas += [f"{name} = {text}" for name, text in [*rule.state.items(), ("data", rule.data)]]
    for name, place in results.items():
        formulas += [f"{place} = {name}", f"_infinite += {name} - {name} != 0.0"]
    text = MODULE.format(
        settings="\n    ".join(settings),
        formulas="\n        ".join(formulas),
        rate=places["learning_rate"],
        steps=places["steps"],
    )
    return compile_packed(text, ["update", "fit"])
