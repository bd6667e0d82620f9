"""A compiled graph: its tapes, the memory to run them in, and runs over rows of data."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Container, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from math import isfinite
from typing import Any, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from engine.compiler.codegen import kernels
from engine.compiler.runtime import BEGIN, FINISH, ROWS
from engine.compiler.tape import linearize
from engine.graph import topological_order
from engine.validation import describe
from engine.value import Value

if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
    raise ImportError("compiling needs numba's compiler, which NUMBA_DISABLE_JIT turns off: unset it")

Floats: TypeAlias = npt.NDArray[np.float64]
Order: TypeAlias = npt.NDArray[np.int64]

CHUNK = 1024  # rows per chunk: fixed, so that results do not depend on the number of cores
CACHE = 4096  # vectors of eight doubles per block, chosen to fit the L1 cache
WIDEST = 13  # vectors of eight lanes per block at most: with a power of two, slots would share the cache's lines


class CompiledFunction:
    """A compiled graph as a function of rows of data, with the gradient of its mean over them.

    `engine.compile` makes it.
    """

    def __init__(self, outputs: Sequence[Value], inputs: Sequence[Value], single: bool) -> None:
        self._program = Program(outputs, inputs)
        self._single = single

    def __reduce__(self) -> tuple[Any, ...]:
        outputs, inputs = self._program.outputs, self._program.inputs
        return sys.modules["engine"].compile, (outputs[0] if self._single else outputs, inputs)  # checks for numba

    def __call__(self, rows: npt.ArrayLike) -> Floats:
        """Compute the outputs for every row.

        Args:
            rows: an array of shape (n, number of inputs), or lists of numbers; shape (n,) if there is one input.

        Returns:
            An array of shape (n,), or (n, k) if a list of k outputs was compiled.

        Raises:
            TypeError, ValueError: `rows` has another shape or type, or a number in it is masked or not finite.
            ArithmeticError: an operation is undefined; the message names the row and the operation.

        >>> from engine import compile
        >>> x = Value(1.0, "x")
        >>> compile([x**2, x + 1], x)([2.0, 3.0])
        array([[4., 3.],
               [9., 4.]])
        """
        results, _ = self._run(self._as_rows(rows))
        return results[:, 0] if self._single else results

    def backward(self, rows: npt.ArrayLike) -> float:
        """Add the gradient of the mean output to the `grad` of every leaf that is not an input.

        Args:
            rows: one or more rows, as in a call.

        Returns:
            The mean of the output over the rows.

        Raises:
            TypeError, ValueError: as in a call; or there are no rows, or several outputs were compiled.
            ArithmeticError: as in a call, or a derivative is undefined or overflows. No gradient has changed.

        >>> from engine import compile
        >>> x, w = Value(1.0, "x"), Value(3.0, "w")
        >>> compile(w * x, x).backward([2.0, 4.0]), w.grad
        (9.0, 3.0)
        """
        if len(self._program.outputs) > 1:
            raise ValueError(f"backward needs one output, got a function with {len(self._program.outputs)} outputs")
        data = self._as_rows(rows)
        if not len(data):
            raise ValueError("backward needs one row or more, got none: the mean over no rows is undefined")
        results, gradient = self._run(data, backward=True)
        parameters = self._program.parameters
        grads = [parameter.grad + grad for parameter, grad in zip(parameters, gradient.tolist(), strict=True)]
        for parameter, grad in zip(parameters, grads, strict=True):
            if not isfinite(grad):
                raise OverflowError(
                    f"the gradient of {parameter!r} overflows when this one is added: set it to 0 first"
                )
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = grad
        return float((results / len(data)).sum())  # the sum of the results may overflow

    def _run(self, data: Floats, *, backward: bool = False) -> tuple[Floats, Floats]:
        try:
            parameters = np.array([parameter.data for parameter in self._program.parameters])
            return self._program.run(parameters, data, backward=backward)
        except NotFiniteError as stopped:
            row, error = self._program.explain(stopped.rows, data, backward=backward)
            raise type(error)(f"row {row}: {error}") from None

    def _as_rows(self, rows: npt.ArrayLike) -> Floats:
        inputs = self._program.inputs
        expected = f"rows must be an array of shape (n, {len(inputs)}), one row per example and one number per input"
        try:
            data = np.asarray(rows)
        except ValueError:
            raise ValueError(f"{expected}, got rows of different lengths") from None
        if not data.size and data.ndim == 1:
            data = np.empty((0, len(inputs)))
        if data.ndim == 1 and len(inputs) == 1:
            data = data[:, None]
        parts: Sequence[Any] = rows if isinstance(rows, list | tuple) else []
        if any(map(np.ma.is_masked, [rows, *parts])):
            raise TypeError(f"{expected}, got a masked array: fill it, or leave the masked rows out")
        bools = any(isinstance(x, bool | np.bool_) for x in np.asarray(parts, object).flat)
        if data.dtype.kind not in "iuf" or bools:
            raise TypeError(f"{expected}, got {describe(rows)}")
        if data.ndim != 2 or data.shape[1] != len(inputs):
            raise ValueError(f"{expected}, got shape {data.shape}")
        data = np.require(data, np.float64, ["C", "W"])  # the kernels are compiled for writeable arrays only
        if not np.isfinite(data).all():
            row, k = np.argwhere(~np.isfinite(data))[0].tolist()
            name = inputs[k].label or f"input {k}"
            raise ValueError(f"numbers in rows must be finite, got {data[row, k]} for {name} in row {row}")
        return data


class Program:
    """The tapes of a graph, and all that is needed to run them.

    Attributes:
        outputs, inputs: the nodes to compute, and the leaves that vary from row to row.
        parameters: the `parameters` it was made with, then the other leaves that are neither inputs nor constants.
    """

    def __init__(self, outputs: Sequence[Value], inputs: Sequence[Value], parameters: Sequence[Value] = ()) -> None:
        self.outputs, self.inputs = list(outputs), list(inputs)
        graph = linearize(outputs, inputs, parameters)
        uniform, varying = graph.uniform, graph.varying
        self.parameters = graph.parameters
        self._custom = graph.custom
        self._constants = graph.constants
        self._uniform = uniform.operations, uniform.index, _compress(graph.weights), _compress(graph.common)
        self._varying = varying.operations, varying.index, graph.outputs
        self._sizes = uniform.size, varying.size, graph.weights.size, graph.common.size
        self._max_lanes = 8 * min(max(CACHE // varying.size, 1), WIDEST)
        self._idle: list[_Workspace] = []

    def run(
        self, parameters: Floats, data: Floats, order: Order | None = None, *, backward: bool
    ) -> tuple[Floats, Floats]:
        """Compute every output for rows of `data`.

        Args:
            parameters: a number for every parameter.
            data: an array with one row per example and one column per input.
            order: the indices of the rows to use, in this order; by default all.
            backward: whether to compute the gradient of the mean of the first output, too.

        Returns:
            The outputs, of shape (n, number of outputs), and the gradient with respect to the parameters, empty without
            `backward`.

        Raises:
            NotFiniteError: a number is not finite.
        """
        order = np.arange(len(data)) if order is None else order
        n = len(order)
        outputs, gradient = np.empty((n, len(self.outputs))), np.empty(parameters.size if backward else 0)
        seed = 1.0 / n if backward else 0.0
        try:
            work = self._idle.pop()
        except IndexError:  # other threads use all of them
            work = _Workspace(self)
        kernel_inputs = parameters, *self._uniform, *work.uniform, data, order, seed, self._max_lanes, *self._varying
        kernel_outputs = outputs, work.uniform_gradients, gradient
        if n <= CHUNK:
            stop = work.run(BEGIN | ROWS | FINISH, 0, n, *kernel_inputs, *work.varying, *kernel_outputs)
        else:
            stop = _run_in_threads(work, n, kernel_inputs, kernel_outputs)
        self._idle.append(work)
        if stop < 0:
            raise NotFiniteError(order)
        if stop < n:
            raise NotFiniteError(order[stop : stop + self._max_lanes])
        return outputs, gradient

    def explain(self, rows: Order, data: Floats, *, backward: bool) -> tuple[int, ArithmeticError]:
        """Return the first of the rows in which a number is not finite, and the error that the engine raises there."""
        outputs, inputs = copy.deepcopy((self.outputs, self.inputs))  # other threads may read the Values meanwhile
        for row in rows.tolist():
            for x, number in zip(inputs, data[row].tolist(), strict=True):
                x._data = number
            try:
                for output in outputs:
                    output.forward()
                if backward:
                    outputs[0].zero_grad()
                    outputs[0].backward()
            except ArithmeticError as error:
                return row, error
        return int(rows[0]), OverflowError("the gradients of the rows overflow in their sum: a float ends at 1.8e308")


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
    """A number is not finite in one of the rows."""

    def __init__(self, rows: Order) -> None:
        self.rows = rows


class _Workspace:
    """The kernel of a program, and the memory of one run at a time."""

    def __init__(self, program: Program) -> None:
        self.run = kernels(program._custom).run
        uniform, varying, weights, common = program._sizes
        lanes, n_parameters = program._max_lanes, len(program.parameters)
        values = np.zeros(uniform)
        values[n_parameters : n_parameters + len(program._constants)] = program._constants
        scratch = np.zeros(2 * lanes)
        self.uniform = values, scratch, np.zeros(weights), np.zeros(common)
        self.uniform_gradients = np.zeros(uniform)
        values, gradients = np.zeros(varying * lanes), np.zeros(varying * lanes)
        self.varying = values, gradients, scratch, np.zeros(weights), np.zeros(common)


def _compress(slots: Order) -> Order:
    """Compress consecutive slots to their first index, the form the kernels expect."""
    return slots[:1].copy() if (np.diff(slots) == 1).all() else slots


def _run_in_threads(work: _Workspace, n: int, kernel_inputs: Sequence[Any], kernel_outputs: Sequence[Floats]) -> int:
    """Run over many rows in chunks, each in memory of its own, and add their sums in the order of the chunks."""

    def run(phases: int, first: int, last: int, memory: Sequence[Floats]) -> int:
        stop: int = work.run(phases, first, last, *kernel_inputs, *memory, *kernel_outputs)
        return stop

    def run_chunk(first: int) -> tuple[int, Floats, Floats]:
        last = min(first + CHUNK, n)
        *_, of_weights, of_common = memory = [np.zeros_like(x) for x in work.varying]
        stop = run(ROWS, first, last, memory)
        return (n if stop == last else stop), of_weights, of_common

    stop = run(BEGIN, 0, n, work.varying)
    if stop < n:
        return stop
    *_, weight_gradients, common_gradients = work.varying
    weight_gradients[:] = common_gradients[:] = 0.0
    for stop, of_weights, of_common in _threads().map(run_chunk, range(0, n, CHUNK)):
        if stop < n:
            return stop
        weight_gradients += of_weights
        common_gradients += of_common
    return run(FINISH, n, n, work.varying)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)  # a forked process has none of the threads
