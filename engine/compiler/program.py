"""A compiled graph: its tapes, the memory to run them in, and runs over rows of data."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from engine.compiler.codegen import rule_code, runtime_code
from engine.compiler.numbering import NumberedGraph
from engine.compiler.python_to_llvm import pack
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
CACHE = 4096  # vectors of eight doubles per block, chosen to fit the L1 cache
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
        results, gradient = self._run(data, self._as_parameters(parameters), backward=True)
        return float((results / len(data)).sum()), gradient  # the sum of the results may overflow

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
                row, error = program.explain(stopped.rows, numbers, data, seeded=k)
                raise type(error)(f"row {row}: {error}") from None
        return matrices[:, 0] if self._single else matrices

    def _run(self, data: Floats, parameters: Floats | None = None, *, backward: bool = False) -> tuple[Floats, Floats]:
        numbers = self._as_parameters(None) if parameters is None else parameters
        try:
            return self._program.run(numbers, data, backward=backward)
        except NotFiniteError as stopped:
            row, error = self._program.explain(stopped.rows, numbers, data, backward=backward)
            raise type(error)(f"row {row}: {error}") from None

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
        if not np.isfinite(numbers).all():
            i = int(np.argmin(np.isfinite(numbers)))
            raise ValueError(f"parameters must be finite, got {numbers[i]} for parameter {i}, {values[i]!r}")
        return numbers.astype(np.float64)

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
        order = np.arange(len(data)) if order is None else order
        n = len(order)
        outputs, seed = np.empty((n, len(self.outputs))), 1.0 / n if backward else 0.0
        work = self._workspace()
        work.parameters[:] = parameters
        if n <= CHUNK:
            stop = work.run(BEGIN | ROWS | FINISH, 0, n, seed, data, order, outputs)
        else:
            stop = _run_in_threads(work, n, seed, data, order, outputs)
        gradient = work.gradient[: parameters.size if backward else 0].copy()
        self._idle.append(work)
        if stop < 0:
            raise NotFiniteError(order)
        if stop < n:
            raise NotFiniteError(order[stop : stop + self._max_lanes])
        return outputs, gradient

    def _workspace(self) -> _Workspace:
        try:
            return self._idle.pop()
        except IndexError:  # all workspaces are in use by other threads
            return _Workspace(self)

    def input_gradients(self, parameters: Floats, data: Floats, seeded: int) -> Floats:
        """Return the gradient of output number `seeded` with respect to the inputs, for every row of `data`.

        Raises:
            NotFiniteError: a number is not finite.
        """
        n, order = len(data), np.arange(len(data))
        outputs, gradients = np.empty((n, len(self.outputs))), np.empty(data.shape)
        work = self._workspace()
        work.parameters[:] = parameters
        work.results = seeded, gradients
        if n <= CHUNK:
            stop = work.run(BEGIN | ROWS, 0, n, 1.0, data, order, outputs)
        else:
            stop = _run_in_threads(work, n, 1.0, data, order, outputs, BEGIN | ROWS)
        self._idle.append(work)
        if stop < n:
            raise NotFiniteError(order[stop : stop + self._max_lanes])
        wrong = ~np.isfinite(gradients).all(axis=1)
        if wrong.any():
            raise NotFiniteError(order[wrong])
        return gradients

    def prepare(self, data: Floats, order: Order, outputs: Floats) -> _Workspace:
        """Return a workspace whose `words` describe a run over these arrays, except for rows and seed."""
        work = _Workspace(self)
        work.prepare(BEGIN | ROWS | FINISH, 0, 0, 0.0, data, order, outputs)
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


class _Workspace:
    """The memory of one run of a program at a time.

    Attributes:
        parameters, gradient: the numbers of the parameters, and the gradient with respect to them after a run.
        weight_gradients, common_gradients: sums over the rows of a run.
        address: the address of `runtime.run`, a packed function.
        words: its arguments.
        chunks: workspaces for chunks that are idle.
        results: the number of the output to differentiate, and the array of its gradients with respect to the inputs,
            which is empty if they are not needed.
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
        self.results: tuple[int, Floats] = (0, np.empty((0, 0)))
        self.chunks: list[_Workspace] = []
        self.address = self._runtime.address("run")
        self._allocate_lanes(gradients[place] if program._weights_in_place else aligned_zeros(weights))

    def _allocate_lanes(self, weight_gradients: Floats) -> None:
        program = self._program
        _, varying, _, common = program._sizes
        lanes = program._max_lanes
        self.weight_gradients, self.common_gradients = weight_gradients, np.zeros(common)
        self._varying = tuple([aligned_zeros(slots * lanes) for slots in (varying, varying, 2)])
        self._words = pack(
            self._kernels, len(program.parameters), lanes, program._outputs, *program._uniform, *program._varying,
            *self._uniform, *self._varying, self.weight_gradients, self.common_gradients,
        )  # fmt: skip

    def prepare(
        self, phases: int, first: int, last: int, seed: float, data: Floats, order: Order, outputs: Floats
    ) -> None:
        """Set `words` to the arguments of `runtime.run`."""
        words = pack(phases, first, last, seed, data, order, outputs)
        self.words = np.concatenate([words, self._words, pack(*self.results)])

    def run(self, *arguments: Any) -> int:
        """Call `runtime.run`; the arguments are those of `prepare`."""
        self.prepare(*arguments)
        return self._runtime.call("run", self.words)

    def chunk(self) -> _Workspace:
        """Return a workspace with separate lanes that shares everything else: an idle one of `chunks`, or a new one."""
        try:
            workspace = self.chunks.pop()
        except IndexError:
            workspace = copy.copy(self)
            workspace.chunks = []
            workspace._allocate_lanes(aligned_zeros(self.weight_gradients.size))
        workspace.results = self.results
        workspace.weight_gradients[:] = workspace.common_gradients[:] = 0.0
        return workspace


def _run_in_threads(
    work: _Workspace,
    n: int,
    seed: float,
    data: Floats,
    order: Order,
    outputs: Floats,
    phases: int = BEGIN | ROWS | FINISH,
) -> int:
    """Run over many rows in chunks, each in separate lanes, and add their sums in the order of the chunks."""

    def run_chunk(first: int) -> tuple[int, _Workspace]:
        chunk, last = work.chunk(), min(first + CHUNK, n)
        stop = chunk.run(ROWS, first, last, seed, data, order, outputs)
        return (n if stop == last else stop), chunk

    stop = work.run(BEGIN, 0, n, seed, data, order, outputs)
    if stop < n:
        return stop
    for stop, chunk in _threads().map(run_chunk, range(0, n, CHUNK)):
        if stop < n:
            return stop
        work.weight_gradients += chunk.weight_gradients
        work.common_gradients += chunk.common_gradients
        work.chunks.append(chunk)
    return work.run(phases & FINISH, n, n, seed, data, order, outputs)


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
