"""A compiled graph: its tapes, the memory to run them in, and runs over rows of data."""

from __future__ import annotations

import copy
import os
import struct
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from engine.compiler.codegen import rule_code, runtime_code
from engine.compiler.numbering import NumberedGraph
from engine.compiler.python_to_llvm import address, pack
from engine.compiler.runtime import BEGIN, FINISH, ROWS
from engine.compiler.tape import linearize
from engine.derivatives import jacobian
from engine.foreign import usage
from engine.recording import recording
from engine.validation import describe
from engine.value import Value

Floats: TypeAlias = npt.NDArray[np.float64]
Order: TypeAlias = npt.NDArray[np.int64]

CHUNK = 1024  # rows per chunk: fixed, so that results do not depend on the number of cores
AT_ONCE = 128 * CHUNK  # rows whose chunks wait for threads
CACHE = 4096  # vectors of eight doubles per block, chosen to fit the L1 cache
ALL = np.arange(CHUNK)  # the indices of all rows of a chunk
NOTHING = np.empty((0, 0))
CALL = struct.Struct("3qd12q")  # the first words of a call of `runtime.run`
WIDEST = 13  # vectors of eight lanes per block at most: with a power of two, slots would share the cache's lines


class CompiledFunction:
    """A compiled graph as a function of rows of data, with its gradients.

    `engine.compile` makes it.
    """

    def __init__(self, graph: NumberedGraph, inputs: Sequence[Value], single: bool) -> None:
        self._program = Program(graph, inputs)
        self._single = single

    @cached_property
    def _input_program(self) -> Program:
        return Program(NumberedGraph(self._program.outputs), self._program.inputs, wrt_inputs=True)

    @property
    def parameters(self) -> tuple[Value, ...]:
        """The leaves that are not inputs: those that `backward` gives gradients, in the order of `mean_gradient`."""
        return tuple(self._program.parameters)

    def __reduce__(self) -> tuple[Any, ...]:
        outputs, inputs = self._program.outputs, self._program.inputs
        return sys.modules["engine"].compile, (outputs[0] if self._single else outputs, inputs)  # checks for llvmlite

    @usage("f([[2.0, 3.0]]): a row of inputs for each example")
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
        data, numbers = self._as_rows(rows), self._as_parameters(None)
        try:
            results, _ = self._program.run(numbers, data, backward=False)
        except NotFiniteError as stopped:
            raise self._error(stopped, numbers, data) from None
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
        mean, gradient = self._mean_gradient("backward", rows, None)
        parameters = self._program.parameters
        grads = [parameter.grad + grad for parameter, grad in zip(parameters, gradient.tolist(), strict=True)]
        for parameter, grad in zip(parameters, grads, strict=True):
            if not isfinite(grad):
                raise OverflowError(
                    f"the gradient of {parameter!r} overflows when this one is added: set it to 0 first"
                )
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = grad
        return mean

    def mean_gradient(self, rows: npt.ArrayLike, parameters: npt.ArrayLike | None = None) -> tuple[float, Floats]:
        """Return the mean output over the rows, and its gradient with respect to the parameters, as an array.

        For custom training loops: if you pass the parameters, no Value is read or changed, so that a step is as fast as
        one of `nn.train`.

        Args:
            rows: one or more rows, as in a call.
            parameters: a number for each of `self.parameters`; by default their data.

        Returns:
            The mean, and an array of shape (number of parameters,).

        Raises:
            TypeError, ValueError: as in `backward`; or `parameters` has another shape, or is not finite.
            ArithmeticError: as in `backward`.

        >>> from engine import compile
        >>> x, w = Value(1.0, "x"), Value(3.0, "w")
        >>> f = compile((w * x - 8) ** 2, x)
        >>> numbers = np.array([w.data for w in f.parameters])
        >>> for _ in range(100):
        ...     mean, gradient = f.mean_gradient([2.0, 4.0], numbers)
        ...     numbers -= 0.05 * gradient
        >>> numbers.round(3), w.data  # 2.4 is the least-squares solution
        (array([2.4]), 3.0)
        """
        return self._mean_gradient("mean_gradient", rows, parameters)

    def _mean_gradient(self, name: str, rows: npt.ArrayLike, parameters: npt.ArrayLike | None) -> tuple[float, Floats]:
        if len(self._program.outputs) > 1:
            raise ValueError(f"{name} needs one output, got a function with {len(self._program.outputs)} outputs")
        data = self._as_rows(rows)
        if not len(data):
            raise ValueError(f"{name} needs one row or more, got none: the mean over no rows is undefined")
        numbers = self._as_parameters(parameters)
        try:
            return self._program.mean_gradient(numbers, data)
        except NotFiniteError as stopped:
            raise self._error(stopped, numbers, data, backward=True) from None

    def gradient(self, rows: npt.ArrayLike) -> Floats:
        """Return the gradient of the output with respect to the inputs, for every row.

        Args:
            rows: as in a call.

        Returns:
            An array of shape (n, number of inputs). If a list of k outputs was compiled, the Jacobian of each row:
            shape (n, k, number of inputs).

        Raises:
            TypeError, ValueError: as in a call.
            ArithmeticError: as in a call, or a derivative is undefined or overflows.

        >>> from engine import compile
        >>> a, b = Value(1.0, "a"), Value(1.0, "b")
        >>> compile(a**2 * b, [a, b]).gradient([[1.0, 2.0], [3.0, 4.0]])
        array([[ 4.,  1.],
               [24.,  9.]])
        """
        program, data = self._input_program, self._as_rows(rows)
        matrices = np.empty((len(data), len(program.outputs), len(program.inputs)))
        numbers = self._as_parameters(None)
        for k in range(len(program.outputs)):
            try:
                matrices[:, k] = program.input_gradients(numbers, data, k)
            except NotFiniteError as stopped:
                raise self._error(stopped, numbers, data, seeded=k) from None
        return matrices[:, 0] if self._single else matrices

    def _error(self, stopped: NotFiniteError, numbers: Floats, data: Floats, **options: Any) -> Exception:
        """Return the error that explains why a run stopped; the options are those of `Program.explain`."""
        inputs, parameters = self._program.inputs, self._program.parameters
        for row, k in np.argwhere(~np.isfinite(data)).tolist():
            name = inputs[k].label or f"input {k}"
            return ValueError(f"numbers in rows must be finite, got {data[row, k]} for {name} in row {row}")
        for i in np.flatnonzero(~np.isfinite(numbers)):
            return ValueError(f"parameters must be finite, got {numbers[i]} for parameter {i}, {parameters[i]!r}")
        row, error = self._program.explain(stopped.rows, numbers, data, **options)
        return type(error)(f"row {row}: {error}")

    def _as_parameters(self, parameters: npt.ArrayLike | None) -> Floats:
        values = self._program.parameters
        if parameters is None:
            return np.array([parameter.data for parameter in values])
        numbers = np.asarray(parameters)
        if numbers.shape != (len(values),):
            raise ValueError(
                f"parameters must be an array of shape ({len(values)},), a number for each of self.parameters, "
                f"got shape {numbers.shape}"
            )
        if numbers.dtype.kind not in "iuf":
            raise TypeError(f"parameters must be numbers, got {describe(parameters)}")
        return numbers.astype(np.float64, copy=False)

    def _as_rows(self, rows: npt.ArrayLike) -> Floats:
        inputs = self._program.inputs
        if type(rows) is np.ndarray and rows.dtype == np.float64 and rows.shape[1:] == (len(inputs),):
            return rows if rows.flags.carray else np.require(rows, requirements=["C", "W"])
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
        return np.require(data, np.float64, ["C", "W"])  # the kernels are compiled for writeable arrays only


class Program:
    """The tapes of a graph, with the data to run them.

    Attributes:
        outputs, inputs: the nodes to compute, and the leaves that vary from row to row.
        parameters: the `parameters` that were passed, then the other leaves that are neither inputs nor constants.
        n_slots: the number of slots of the uniform and of the varying tape.

    With `wrt_inputs` it differentiates the output of each row with respect to the inputs (`input_gradients`), instead
    of the mean with respect to the parameters (`run`).
    """

    def __init__(
        self,
        graph: NumberedGraph,
        inputs: Sequence[Value],
        parameters: Sequence[Value] = (),
        *,
        wrt_inputs: bool = False,
    ) -> None:
        self.outputs, self.inputs = list(graph.outputs), list(inputs)
        tapes = linearize(graph, inputs, parameters, wrt_inputs=wrt_inputs)
        uniform, varying = tapes.uniform, tapes.varying
        self.parameters = tapes.parameters
        self._rules = tapes.rules
        self._constants = tapes.constants
        # Weights in consecutive slots, such as parameters, are used where they are; others are copied to a matrix.
        self._weights_in_place = bool((np.diff(tapes.weights) == 1).all())
        self._first_weight = int(tapes.weights[0]) if tapes.weights.size else 0
        copied = tapes.weights[:0] if self._weights_in_place else tapes.weights
        self._uniform = uniform.operations, uniform.index, copied, tapes.common
        self._varying = varying.operations, varying.index
        self._outputs = tapes.outputs
        self._sizes = uniform.size, varying.size, tapes.weights.size, tapes.common.size
        self.n_slots = uniform.size, varying.size
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
        n = len(data if order is None else order)
        outputs = np.empty((n, len(self.outputs)))
        _, gradient = self._run(parameters, _Rows(data, order, outputs, 1.0 / n if backward else 0.0))
        return outputs, gradient[: parameters.size if backward else 0]

    def mean_gradient(self, parameters: Floats, data: Floats) -> tuple[float, Floats]:
        """Return the mean of the only output over the rows of `data`, and its gradient with respect to the parameters.

        Raises:
            NotFiniteError: a number is not finite.
        """
        return self._run(parameters, _Rows(data, seed=1.0 / len(data)))

    def input_gradients(self, parameters: Floats, data: Floats, seeded: int) -> Floats:
        """Return the gradient of output number `seeded` with respect to the inputs, for every row of `data`.

        Raises:
            NotFiniteError: a number is not finite.
        """
        gradients = np.empty(data.shape)
        self._run(parameters, _Rows(data, seed=1.0, seeded=seeded, gradients=gradients), BEGIN | ROWS)
        wrong = ~np.isfinite(gradients).all(axis=1)
        if wrong.any():
            raise NotFiniteError(np.flatnonzero(wrong))
        return gradients

    def _run(self, parameters: Floats, rows: _Rows, phases: int = BEGIN | ROWS | FINISH) -> tuple[float, Floats]:
        """Return the sum of the outputs that have a gradient times the seed, and the gradient."""
        try:
            work = self._idle.pop()
        except IndexError:  # all workspaces are in use by other threads
            work = _Workspace(self)
        work.parameters[:] = parameters
        n = rows.n
        stop = work.run(phases, rows, 0, n) if n <= CHUNK else _run_in_threads(work, phases, rows)
        result = float(work.mean[0]), work.gradient.copy()
        self._idle.append(work)
        if stop < n:
            last = stop + self._max_lanes if stop >= 0 else n
            raise NotFiniteError(rows.indices(max(stop, 0), last))
        return result

    def prepare(self, data: Floats, order: Order, outputs: Floats) -> _Workspace:
        """Return a workspace whose `words` describe a run over these arrays, except for rows and seed."""
        work = _Workspace(self)
        work.set_call(BEGIN | ROWS | FINISH, 0, 0.0, data, order, outputs)
        return work

    def explain(
        self, rows: Order, parameters: Floats, data: Floats, *, backward: bool = False, seeded: int | None = None
    ) -> tuple[int, ArithmeticError]:
        """Return the first of the rows in which a number is not finite, and the error that the engine raises there.

        Args:
            rows: the indices of the rows to search.
            parameters: as in `run`.
            data: as in `run`.
            backward: whether the gradient with respect to the parameters was computed.
            seeded: the number of the output whose gradient with respect to the inputs was computed, if any.
        """
        # Other threads may read the Values meanwhile.
        outputs, inputs, leaves = copy.deepcopy((self.outputs, self.inputs, self.parameters))
        for leaf, number in zip(leaves, parameters.tolist(), strict=True):
            leaf._data = number
        for row in rows.tolist():
            for x, number in zip(inputs, data[row].tolist(), strict=True):
                x._data = number
            try:
                with recording():  # so that comparisons, of which `compile` has warned, do not warn again
                    for output in outputs:
                        output.forward()
                if backward:
                    outputs[0].zero_grad()
                    outputs[0].backward()
                if seeded is not None:
                    jacobian(outputs[seeded], inputs)
            except ArithmeticError as error:
                return row, error
        return int(rows[0]), OverflowError("the gradients of the rows overflow in their sum: a float ends at 1.8e308")


class NotFiniteError(ArithmeticError):
    """The error of a run in which a number of a row is not finite."""

    def __init__(self, rows: Order) -> None:
        self.rows = rows


@dataclass
class _Rows:
    """Rows to run.

    Attributes:
        data: an array with one row per example and one column per input.
        order: the indices of the rows to use, in this order; None for all.
        outputs: the array for all outputs, if they are needed.
        seed: the gradient to start with, 0 for none.
        seeded: the number of the output that it belongs to.
        gradients: the array for the gradients with respect to the inputs, if they are needed.
    """

    data: Floats
    order: Order | None = None
    outputs: Floats | None = None
    seed: float = 0.0
    seeded: int = 0
    gradients: Floats | None = None

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.data if self.order is None else self.order)

    def indices(self, first: int, last: int) -> Order:
        """Return the indices of some rows in `data`."""
        return np.arange(first, min(last, self.n)) if self.order is None else self.order[first:last]


class _Workspace:
    """The memory of one run of a program at a time.

    Attributes:
        parameters, gradient: the numbers of the parameters, and the gradient with respect to them after a run.
        weight_gradients, common_gradients: sums over the rows of a run.
        address: the address of `runtime.run`, a packed function.
        words: its arguments.
        chunks: workspaces for chunks that are idle.
        mean: the sum of outputs times the seed of a run, one number.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        uniform, _, weights, common = program._sizes
        n_parameters, n_constants = len(program.parameters), len(program._constants)
        values, gradients, scratch = aligned_zeros(uniform), aligned_zeros(uniform), np.zeros(2)
        values[n_parameters : n_parameters + n_constants] = program._constants
        self.parameters, self.gradient = values[:n_parameters], gradients[:n_parameters]
        place = slice(program._first_weight, program._first_weight + weights)
        matrix = values[place] if program._weights_in_place else aligned_zeros(weights)
        self._uniform = values, gradients, scratch, matrix, np.zeros(common)
        self._code = {code: rule_code(rule) for code, rule in program._rules.items()}
        self._kernels = np.zeros(2 * max([0, *self._code]) + 2, np.int64)
        for code, kernels in self._code.items():
            self._kernels[2 * code :][:2] = kernels.address("forward_rule"), kernels.address("backward_rule")
        self._runtime = runtime_code()
        self.chunks: list[_Workspace] = []
        self.address = self._runtime.address("run")
        self._allocate_lanes(gradients[place] if program._weights_in_place else aligned_zeros(weights))

    def _allocate_lanes(self, weight_gradients: Floats) -> None:
        program = self._program
        _, varying, _, common = program._sizes
        lanes = program._max_lanes
        self.weight_gradients, self.common_gradients, self.mean = weight_gradients, np.zeros(common), np.zeros(1)
        self._varying = tuple([aligned_zeros(slots * lanes) for slots in (varying, varying, 2)])
        words = pack(
            self._kernels, len(program.parameters), lanes, program._outputs, *program._uniform, *program._varying,
            *self._uniform, *self._varying, self.weight_gradients, self.common_gradients, self.mean,
        )  # fmt: skip
        self.words: Any = np.concatenate([np.zeros(CALL.size // 8, np.int64), words])

    def set_call(
        self, phases: int, n: int, seed: float, data: Floats, order: Order, outputs: Floats,
        seeded: int = 0, gradients: Floats = NOTHING,
    ) -> None:  # fmt: skip
        """Set the words that differ from call to call, for n rows."""
        CALL.pack_into(
            self.words, 0, phases, 0, n, seed, address(data), *data.shape, address(order), order.size,
            address(outputs), *outputs.shape, seeded, address(gradients), *gradients.shape,
        )  # fmt: skip

    def run(self, phases: int, rows: _Rows, first: int, last: int) -> int:
        """Call `runtime.run` for some rows, and return its result."""
        n = last - first
        part = slice(first, last)
        outputs = NOTHING if rows.outputs is None else rows.outputs[part]
        data, order = (rows.data[part], ALL[:n]) if rows.order is None else (rows.data, rows.order[part])
        gradients = NOTHING if rows.gradients is None else rows.gradients[part]
        self.set_call(phases, n, rows.seed, data, order, outputs, rows.seeded, gradients)
        stop = self._runtime.call("run", self.words)
        return first + stop if stop >= 0 else stop

    def chunk(self) -> _Workspace:
        """Return a workspace with separate lanes that shares everything else: an idle one of `chunks`, or a new one."""
        try:
            workspace = self.chunks.pop()
        except IndexError:
            workspace = copy.copy(self)
            workspace.chunks = []
            workspace._allocate_lanes(aligned_zeros(self.weight_gradients.size))
        workspace.weight_gradients[:] = workspace.common_gradients[:] = workspace.mean[:] = 0.0
        return workspace


def _run_in_threads(work: _Workspace, phases: int, rows: _Rows) -> int:
    """Run over many rows in chunks, each in separate lanes, and add their sums in the order of the chunks."""
    n = rows.n

    def run_chunk(first: int) -> tuple[int, _Workspace]:
        chunk, last = work.chunk(), min(first + CHUNK, n)
        stop = chunk.run(ROWS, rows, first, last)
        return (n if stop == last else stop), chunk

    stop = work.run(phases & BEGIN, rows, 0, n)
    if stop < n:
        return stop
    for first in range(0, n, AT_ONCE):  # no more chunks at once, so that little memory waits
        for stop, chunk in _threads().map(run_chunk, range(first, min(first + AT_ONCE, n), CHUNK)):
            if stop < n:
                return stop
            work.weight_gradients += chunk.weight_gradients
            work.common_gradients += chunk.common_gradients
            work.mean += chunk.mean
            work.chunks.append(chunk)
    return work.run(phases & FINISH, rows, n, n)


def aligned_zeros(n: int) -> Floats:
    """Return zeros that begin at a line of the cache (64 bytes), so that no vector is in two lines."""
    numbers = np.zeros(n + 7)
    skipped = -numbers.ctypes.data % 64 // 8
    return numbers[skipped : skipped + n]


def _n_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_n_cores())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)  # a forked process has none of the threads
