"""Updates of all parameters at once, and many steps in one call, as machine code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from engine.compiler.cache import MachineCode
from engine.compiler.codegen import compile_packed
from engine.compiler.program import Floats, Program
from engine.compiler.python_to_llvm import address, pack
from nn.optimizers import Optimizer, UpdateRule

Indices: TypeAlias = npt.NDArray[np.intp]

SLOTS = 2**20  # the number of slots of all rows that run in about a thousandth of a second
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
    first: int, last: int, run: int, parts: Table, programs: Table, rates: Floats, settings: Floats, data: Floats,
    gradient: Floats, state: Matrix, old_data: Floats, old_state: Matrix, losses: Floats, learns: Integers,
) -> int:
    several = len(programs) > 1
    step = 0
    done = 0
    total = 0.0
    for k in range(first, last):
        program, start, stop, size = parts[k, 0], parts[k, 1], parts[k, 2], parts[k, 3]
        if several:
            copy(data, floats_at(programs[program, 0]))
        words = integers_at(programs[program, 2])
        words[1] = start
        words[2] = stop
        words[3] = bits(1.0 / size)
        if call_packed(run, words) != stop:
            fill(gradient, 0, 0.0)
            return step
        if several:
            if done == 0:
                fill(gradient, 0, 0.0)
            terms = floats_at(programs[program, 1])
            for i in range(len(gradient)):
                gradient[i] += terms[i]
        outputs = floats_at(programs[program, 3])
        for row in range(start, stop):
            total += outputs[row * programs[program, 4]]
        done += stop - start
        if done == size:
            settings[{rate}] = rates[step]
            if update(settings, data, gradient, state, old_data, old_state):
                copy(old_data, data)
                for j in range(len(state)):
                    for i in range(state.shape[1]):
                        state[j, i] = old_state[j, i]
                fill(gradient, 0, 0.0)
                return step
            if not learns[0]:
                for i in range(state.shape[1]):
                    learns[0] |= gradient[i] != 0.0
            settings[{steps}] += 1.0
            losses[step] = total
            step += 1
            done = 0
            total = 0.0
    return step


def copy(numbers, result):
    for i in range(len(numbers)):
        result[i] = numbers[i]
"""


class CompiledFit:
    """Many steps in one call. If the examples of a step have several programs, it adds their gradients.

    Attributes:
        data, state: the numbers of the parameters and of the optimizer; they change.
        gradient: the gradient of the last step; zeros if the last step failed.
        orders: for each program, the rows of its table in the order in which they are used.
        outputs: for each program, a row for every position in that order: the loss, then the outputs of the model.
        n_epochs: how many epochs the orders have, one after another.
    """

    def __init__(self, programs: Sequence[Program], tables: Sequence[Floats], n_state: int, n_updated: int) -> None:
        self._n_slots: list[int] = [
            max(slots) for slots in zip(*[program.n_slots for program in programs], strict=True)
        ]
        several, lengths = len(programs) > 1, [*map(len, tables)]
        self.n_epochs = 1 if several else max(min(SLOTS // (lengths[0] * self._n_slots[1]), EPOCHS), 1)
        n = self.n_epochs * sum(lengths)
        self._order, self._begins = np.empty(n, np.intp), np.cumsum([0, *lengths])
        self.orders = np.split(self._order, self._begins[1:-1])
        self.outputs = [np.empty((len(order), len(p.outputs))) for order, p in zip(self.orders, programs, strict=True)]
        parts = zip(programs, tables, self.orders, self.outputs, strict=True)
        self._runs = [program.prepare(table, order, outputs) for program, table, order, outputs in parts]
        arrays = [(run.parameters, run.gradient, run.words, x) for run, x in zip(self._runs, self.outputs, strict=True)]
        self._programs = np.array([[*map(address, row), row[-1].shape[1]] for row in arrays])
        self.data, self.gradient = map(np.copy, arrays[0][:2]) if several else arrays[0][:2]
        self.state = np.zeros((n_state, n_updated))
        self._rates, self._losses = np.empty(n), np.empty(n)
        self._learns = np.zeros(1, np.int64)
        self._old = np.zeros(n_updated), np.zeros_like(self.state)
        self._settings, self._size = np.empty(0), 0

    def set_order(self, programs: Indices, rows: Indices, size: int) -> None:
        """Take the examples in this order from now on, in every epoch.

        Args:
            programs: the number of the program of every example.
            rows: its row in the table of that program.
            size: the number of examples per step; the last step of an epoch may have fewer.
        """
        n, length = len(self._runs), len(rows)
        by_program = np.argsort(programs, kind="stable") if n > 1 else slice(None)
        self._order.reshape(self.n_epochs, -1)[:] = rows[by_program]
        if n == 1 and size == self._size:
            return
        self._size, self._settings = size, np.empty(0)
        places = np.empty_like(rows)  # in the order of the program
        places[by_program] = np.arange(length)
        places -= self._begins[programs]
        steps = np.arange(length) // size
        parts, first, counts = np.unique(steps * n + programs, return_index=True, return_counts=True)
        starts = places[first]
        table = np.stack([parts % n, starts, starts + counts, np.bincount(steps)[parts // n]], axis=1)
        epochs = np.arange(self.n_epochs)[:, None, None] * [0, length, length, 0]
        self._parts = (table + epochs).reshape(-1, 4)  # program, start, stop, size of the step
        self._ends = np.cumsum(
            np.append(0, np.tile(np.bincount(parts // n), self.n_epochs))
        )  # of the parts of every step

    def places(self, first: int, last: int) -> Iterator[tuple[int, slice]]:
        """Yield the programs of the steps from `first` to `last`, and the positions of their rows in its order."""
        parts = self._parts[self._ends[first] : self._ends[last]]
        for program in sorted({*parts[:, 0].tolist()}):
            own = parts[parts[:, 0] == program]
            yield program, slice(own[0, 1], own[-1, 2])

    @property
    def learns(self) -> bool:
        """Whether a gradient of a parameter of the optimizer has been other than 0."""
        return bool(self._learns[0])

    @learns.setter
    def learns(self, learns: bool) -> None:
        self._learns[0] = learns

    def at_once(self, optimizer: Optimizer, size: int) -> int:
        """Return how many steps of this size take about a thousandth of a second."""
        kind, names = type(optimizer), optimizer.rule.settings if optimizer.rule else []
        computed = [name for name in names if isinstance(getattr(kind, name, None), property)]
        if computed not in ([], ["learning_rate"]) or kind.learning_rate is not Optimizer.learning_rate:
            return 1  # such settings may change at every step
        uniform, varying = self._n_slots
        return max(SLOTS // (uniform + size * varying), 1)

    def run(self, optimizer: Optimizer, first: int, last: int, rates: Sequence[float]) -> list[float]:
        """Update the parameters by the steps from `first` to `last`, counted from the first epoch in the order.

        Args:
            optimizer: its settings are used, its own data and state are not; its `steps` count the first step already.
            first: the number of the first step.
            last: the number of the step after the last one.
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
                first, last, self._runs[0].address, self._parts, self._programs, self._rates, self._settings,
                self.data, self.gradient, self.state, *self._old, self._losses, self._learns,
            )  # fmt: skip
        self._settings[:] = settings
        self._words[:2] = self._ends[first], self._ends[last]
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
