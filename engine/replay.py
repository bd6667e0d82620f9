"""A recorded graph replayed over rows of data."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

import numpy as np
import numpy.typing as npt

from engine import lanes
from engine.graph import topological_order
from engine.tape import Tape, flatten
from engine.value import Value, shown

Floats = npt.NDArray[np.float64]
Order = npt.NDArray[np.int64]

LANES = 16
CHUNK = 64 * LANES  # rows whose gradients are summed in one go: what comes out is the same on any number of cores
NONE = np.zeros(0)


class Compiled:
    """What `engine.compile` gives: call it with rows, or go backward through the mean over them."""

    def __init__(self, outputs: Sequence[Value], inputs: Sequence[Value], *, single: bool) -> None:
        self._program = Program(outputs, inputs)
        self._single = single

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
        results, _ = self._run(self._rows(rows), backward=False)
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
        return float(np.mean(results))

    def _run(self, data: Floats, *, backward: bool) -> tuple[Floats, Floats]:
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
            data = data.reshape(0, len(inputs)).astype(float)
        if data.ndim == 1 and len(inputs) == 1:
            data = data[:, None]
        if data.dtype.kind not in "iuf":
            raise TypeError(f"{shape}; got {shown(rows)}")
        if data.ndim != 2 or data.shape[1] != len(inputs):
            raise ValueError(f"{shape}; got one of shape {data.shape}")
        data = np.ascontiguousarray(data, np.float64)
        if not np.isfinite(data).all():
            row, k = np.argwhere(~np.isfinite(data))[0].tolist()
            name = inputs[k].label or f"input {k}"
            raise ValueError(f"row {row} has {data[row, k]} for {name}: it takes finite numbers")
        return data


class Program:
    """The tapes of a graph, and what it takes to run them.

    Attributes:
        outputs, inputs: as they were given.
        parameters: the other leaves that are no constants.
    """

    def __init__(self, outputs: Sequence[Value], inputs: Sequence[Value]) -> None:
        self.outputs, self.inputs = list(outputs), list(inputs)
        flat = flatten(outputs, inputs, LANES)
        self.parameters = flat.parameters
        self._constants = flat.constants
        self._uniform, self._varying = flat.uniform, flat.varying
        self._spread, self._weights = np.array(flat.spread, np.intp), np.array(flat.weights, np.intp)
        self._varies = np.array([varies for varies, _ in flat.outputs])
        self._slots = np.array([slot for _, slot in flat.outputs], np.uint64)
        self._idle: list[_Workspace] = []

    def run(
        self, parameters: Floats, data: Floats, order: Order | None = None, *, backward: bool = False
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
        with self._workspace() as work:
            work.uniform[: parameters.size] = parameters
            if not work.one.run(self._uniform.operations, self._uniform.index, work.uniform, work.scratch) and n:
                raise NotFiniteError(order[:1])
            weights, spread = work.uniform[self._weights], work.uniform[self._spread]
            results = np.empty((n, len(self._slots)))
            results[:, ~self._varies] = work.uniform[self._slots[~self._varies].astype(np.intp)]
            varying = np.empty((n, np.count_nonzero(self._varies)))
            seed = 1.0 / n if backward and self._varies[0] else 0.0

            def chunk(first: int) -> tuple[Floats, Floats]:
                last = min(first + CHUNK, n)
                by_weight, by_spread = np.zeros(weights.size), np.zeros(spread.size)
                with self._workspace() as own:
                    stopped = own.many.replay(
                        self._varying.operations, self._varying.index, weights, spread, data, order, first, last,
                        self._slots[self._varies], varying, own.values, own.scratch,
                        seed, own.gradients, own.transposed, by_weight, by_spread,
                    )  # fmt: skip
                if stopped < last:
                    raise NotFiniteError(order[stopped : stopped + LANES])
                return by_weight, by_spread

            firsts = range(0, n, CHUNK)
            parts = list(map(chunk, firsts) if len(firsts) < 2 else _threads().map(chunk, firsts))
            results[:, self._varies] = varying
            if not backward:
                return results, NONE
            gradient = work.uniform_gradients
            gradient[:] = 0.0
            if not self._varies[0]:
                gradient[self._slots[0]] = 1.0
            for by_weight, by_spread in parts:
                gradient += np.bincount(self._weights, by_weight, gradient.size)
                gradient[self._spread] += by_spread
            work.one.pull(self._uniform.operations, self._uniform.index, work.uniform, work.scratch, gradient)
            if not np.isfinite(gradient[: parameters.size]).all():
                raise NotFiniteError(order)
            return results, gradient[: parameters.size].copy()

    @contextmanager
    def _workspace(self) -> Iterator[_Workspace]:
        work = (
            self._idle.pop()
            if self._idle
            else _Workspace(self._uniform, self._varying, len(self.parameters), self._constants)
        )
        try:
            yield work
        finally:
            self._idle.append(work)

    def explained(self, rows: Order, data: Floats, *, backward: bool) -> tuple[int, ArithmeticError]:
        """The first of these rows in which something is not finite, and what, in the words of the engine itself."""
        nodes = topological_order(*self.outputs)
        before = [(node._data, node.grad) for node in nodes]
        try:
            for row in rows.tolist():
                for x, number in zip(self.inputs, data[row].tolist(), strict=True):
                    x._data = number
                for output in self.outputs:
                    try:
                        output.forward()
                        if backward:
                            output.backward()
                    except ArithmeticError as error:
                        return row, error
        finally:
            for node, (number, grad) in zip(nodes, before, strict=True):
                node._data, node.grad = number, grad
        return int(rows[0]), OverflowError("the gradients of the rows overflow together: a float ends at 1.8e308")


def form(outputs: Sequence[Value]) -> tuple[Hashable, list[Value]]:
    """What a graph is, equal for all that differ in the numbers of constants alone; and these constants."""
    order = topological_order(*outputs)
    numbers = {node: n for n, node in enumerate(order)}

    def taken(x: Value | tuple[Value, ...] | None) -> Hashable:
        return tuple([numbers[y] for y in x]) if isinstance(x, tuple) else None if x is None else numbers[x]

    kinds: list[Hashable] = []
    for node in order:
        inner = node._x is not None
        kinds.append((node._rule, taken(node._x), taken(node._y)) if inner else None if node.is_constant else node)
    constants = [node for node in order if node.is_constant]
    return (tuple(kinds), tuple([numbers[output] for output in outputs])), constants


class NotFiniteError(ArithmeticError):
    """Something is not finite in one of the rows of a block."""

    def __init__(self, rows: Order) -> None:
        super().__init__(f"not finite in one of the rows {rows.tolist()}")
        self.rows = rows


class _Workspace:
    """The memory that one run needs, and the kernels."""

    def __init__(self, uniform: Tape, varying: Tape, parameters: int, constants: list[float]) -> None:
        self.one, self.many = lanes.load(1), lanes.load(LANES)
        self.uniform, self.uniform_gradients = np.zeros(uniform.size), np.zeros(uniform.size)
        self.uniform[parameters : parameters + len(constants)] = constants
        self.values, self.gradients = np.zeros(varying.size), np.zeros(varying.size)
        self.scratch = np.zeros(2 * LANES)
        self.transposed = np.zeros(LANES * varying.widest)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
