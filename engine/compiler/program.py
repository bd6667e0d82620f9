"""A recorded graph replayed over rows of data."""

from __future__ import annotations

import os
from collections.abc import Container, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from engine.compiler import codegen, compile
from engine.compiler.tape import flatten
from engine.graph import topological_order
from engine.validation import describe
from engine.value import Value

Floats: TypeAlias = npt.NDArray[np.float64]
Order: TypeAlias = npt.NDArray[np.int64]

CHUNK = 1024  # rows whose gradients are summed in one go: what comes out is the same on any number of cores
CACHE = 4096  # times eight numbers that a block may have, so that the processor keeps them near
WIDEST = 13  # times eight lanes of a block; at a power of two slots would fall on one another in that cache


class Compiled:
    """What `engine.compile` gives: call it with rows, or go backward through the mean over them."""

    def __init__(self, outputs: Sequence[Value], inputs: Sequence[Value], *, single: bool) -> None:
        self._program = Program(outputs, inputs)
        self._single = single

    def __reduce__(self) -> tuple[Any, ...]:
        outputs = self._program.outputs
        return compile, (outputs[0] if self._single else outputs, self._program.inputs)

    def __call__(self, rows: npt.ArrayLike) -> Floats:
        """The outputs for every row.

        Args:
            rows: an array of shape (n, number of inputs), or lists of numbers; for one input (n,) will do.

        Returns:
            An array of shape (n,), or (n, k) where a list of k outputs was compiled.

        Raises:
            TypeError, ValueError: the rows are not such an array, or a number in them is not finite.
            ArithmeticError: an operation has no value; the message names the row and the operation.
        """
        results, _ = self._run(self._rows(rows))
        return results[:, 0] if self._single else results

    def backward(self, rows: npt.ArrayLike) -> float:
        """The mean of the output over the rows; its gradient is added to the `grad` of every leaf that is no input.

        Args:
            rows: as in a call; one or more.

        Raises:
            TypeError, ValueError: as in a call, or there is no row, or a list of several outputs was compiled.
            ArithmeticError: as in a call, or a derivative has no value. Every gradient is as it was.
        """
        if len(self._program.outputs) > 1:
            raise ValueError(f"backward takes one output, and {len(self._program.outputs)} were compiled")
        data = self._rows(rows)
        if not len(data):
            raise ValueError("the mean over no rows has no value: backward takes one row or more")
        results, gradient = self._run(data, backward=True)
        for parameter, more in zip(self._program.parameters, gradient.tolist(), strict=True):
            parameter.grad += more
        return float((results / len(data)).sum())  # the sum of the results may overflow

    def _run(self, data: Floats, *, backward: bool = False) -> tuple[Floats, Floats]:
        try:
            parameters = np.array([parameter.data for parameter in self._program.parameters])
            return self._program.run(parameters, data, backward=backward)
        except NotFiniteError as stopped:
            row, error = self._program.explained(stopped.rows, data, backward=backward)
            raise type(error)(f"row {row}: {error}") from None

    def _rows(self, rows: npt.ArrayLike) -> Floats:
        inputs = self._program.inputs
        shape = (
            f"rows is an array of shape (n, {len(inputs)}), a row for each example and in it a number for each input"
        )
        try:
            data = np.asarray(rows)
        except ValueError:
            raise ValueError(f"{shape}; got rows of different lengths") from None
        if not data.size and data.ndim == 1:
            data = np.empty((0, len(inputs)))
        if data.ndim == 1 and len(inputs) == 1:
            data = data[:, None]
        if data.dtype.kind not in "iuf":
            raise TypeError(f"{shape}; got {describe(rows)}")
        if data.ndim != 2 or data.shape[1] != len(inputs):
            raise ValueError(f"{shape}; got one of shape {data.shape}")
        data = np.require(data, np.float64, ["C", "W"])  # for one that is read-only the kernels would be compiled anew
        if not np.isfinite(data).all():
            row, k = np.argwhere(~np.isfinite(data))[0].tolist()
            name = inputs[k].label or f"input {k}"
            raise ValueError(f"row {row} has {data[row, k]} for {name}: it takes finite numbers")
        return data


class Program:
    """The tapes of a graph, and what it takes to run them.

    Attributes:
        outputs, inputs: as they were given.
        parameters: the leaves that were given as parameters, and the others that are neither inputs nor constants.
    """

    def __init__(self, outputs: Sequence[Value], inputs: Sequence[Value], parameters: Sequence[Value] = ()) -> None:
        self.outputs, self.inputs = list(outputs), list(inputs)
        flat = flatten(outputs, inputs, parameters)
        self.parameters = flat.parameters
        self._own = flat.own
        self._constants = flat.constants
        self._uniform = flat.uniform.operations, flat.uniform.index, _places(flat.weights), _places(flat.common)
        self._varying = flat.varying.operations, flat.varying.index, flat.outputs
        self._sizes = flat.uniform.size, flat.varying.size, flat.weights.size, flat.common.size
        self._most = 8 * min(max(CACHE // flat.varying.size, 1), WIDEST)  # lanes of a block
        self._idle: list[_Workspace] = []

    def run(
        self, parameters: Floats, data: Floats, order: Order | None = None, *, backward: bool
    ) -> tuple[Floats, Floats]:
        """Every output for the rows of `data`, those of `order` in its order.

        Args:
            parameters: a number for every parameter.
            data: a number for every input, by row.
            order: the rows to take; by default all.
            backward: whether to find the gradient of the mean of the first output, too.

        Returns:
            The outputs, of shape (n, number of outputs), and the gradient by the parameters, empty without `backward`.

        Raises:
            NotFiniteError: something is not finite.
        """
        order = np.arange(len(data)) if order is None else order
        n = len(order)
        results, gradient = np.empty((n, len(self.outputs))), np.empty(parameters.size * backward)
        seed = 1.0 / n if backward else 0.0
        work = self._workspace()
        given = parameters, *self._uniform, *work.uniform, data, order, seed, self._most, *self._varying
        found = results, work.slopes, gradient
        if n <= CHUNK:
            stopped = work.kernels.run(codegen.WHOLE, 0, n, *given, *work.memory, *found)
        else:
            stopped = _in_threads(work, n, given, found)
        self._idle.append(work)
        if stopped < 0:
            raise NotFiniteError(order)
        if stopped < n:
            raise NotFiniteError(order[stopped : stopped + self._most])
        return results, gradient

    def _workspace(self) -> _Workspace:
        try:
            return self._idle.pop()
        except IndexError:  # all are in use by other threads
            return _Workspace(self)

    def explained(self, rows: Order, data: Floats, *, backward: bool) -> tuple[int, ArithmeticError]:
        """The first of these rows in which something is not finite, and what, in the words of the engine itself."""
        nodes = topological_order(*self.outputs)
        before = [(node._data, node.grad) for node in nodes]
        try:
            for row in rows.tolist():
                for x, number in zip(self.inputs, data[row].tolist(), strict=True):
                    x._data = number
                try:
                    for output in self.outputs:
                        output.forward()
                    if backward:
                        self.outputs[0].zero_grad()
                        self.outputs[0].backward()
                except ArithmeticError as error:
                    return row, error
        finally:
            for node, (number, grad) in zip(nodes, before, strict=True):
                node._data, node.grad = number, grad
        return int(rows[0]), OverflowError("the gradients of the rows overflow together: a float ends at 1.8e308")


def graph_signature(outputs: Sequence[Value], parameters: Container[Value]) -> tuple[Hashable, list[Value]]:
    """Return a hashable signature of a graph and its leaves outside `parameters`.

    Graphs have equal signatures if they differ only in the data of those leaves.
    """
    order = topological_order(*outputs)
    numbers = {node: n for n, node in enumerate(order)}

    kinds = [node if node in parameters else (node._rule, *[numbers[x] for x in node.parents]) for node in order]
    others = [node for node in order if node._a is None and node not in parameters]
    return (tuple(kinds), tuple([numbers[output] for output in outputs])), others


class NotFiniteError(ArithmeticError):
    """Something is not finite in one of the rows of a block."""

    def __init__(self, rows: Order) -> None:
        self.rows = rows


class _Workspace:
    """The kernels, and the memory that they work in."""

    def __init__(self, program: Program) -> None:
        self.kernels = codegen.kernels(program._own)
        uniform, varying, weights, common = program._sizes
        most = program._most
        numbers, first = np.zeros(uniform), len(program.parameters)
        numbers[first : first + len(program._constants)] = program._constants
        scratch = np.zeros(2 * most)
        self.uniform = numbers, scratch, np.zeros(weights), np.zeros(common)
        self.slopes = np.zeros(uniform)
        self.memory = np.zeros(varying * most), np.zeros(varying * most), scratch, np.zeros(weights), np.zeros(common)


def _places(places: Order) -> Order:
    """The places as the kernels take them: of those that follow one another the first alone."""
    return places[:1].copy() if (np.diff(places) == 1).all() else places


def _in_threads(work: _Workspace, n: int, given: Sequence[Any], found: Sequence[Floats]) -> int:
    """A run over many rows in chunks, each in memory of its own, whose sums are added in their order."""

    def run(parts: int, first: int, last: int, memory: Sequence[Floats]) -> int:
        stopped: int = work.kernels.run(parts, first, last, *given, *memory, *found)
        return stopped

    def chunk(first: int) -> tuple[int, Floats, Floats]:
        last = min(first + CHUNK, n)
        *_, by_weights, by_common = memory = [np.zeros_like(x) for x in work.memory]
        stopped = run(codegen.ROWS, first, last, memory)
        return (n if stopped == last else stopped), by_weights, by_common

    stopped = run(codegen.BEGIN, 0, n, work.memory)
    if stopped < n:
        return stopped
    *_, by_weights, by_common = work.memory
    by_weights[:] = by_common[:] = 0.0
    for stopped, more_by_weights, more_by_common in _threads().map(chunk, range(0, n, CHUNK)):
        if stopped < n:
            return stopped
        by_weights += more_by_weights
        by_common += more_by_common
    return run(codegen.FINISH, n, n, work.memory)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)  # a forked process has none of the threads
