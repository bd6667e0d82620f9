"""check_gradients: compare derivatives with finite differences of the function."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence, Set
from typing import Any, NamedTuple, TypeAlias

from engine.derivatives import gradients
from engine.formatting import format_number
from engine.graph import topological_order
from engine.validation import describe
from engine.value import Value

HALVINGS = range(3, 39)  # the steps are 2^-k and |x| 2^-k for these k
COLUMNS = 6  # columns of the extrapolation; the error of the last one is of order 14 in the step
MIN_CONFIRMATIONS = 8  # differences at smaller steps that must agree with an estimate
TOLERANCE = 10  # tolerated error, as a multiple of the estimated error
MAX_ARGUMENTS = 6  # arguments in an error message that gives the number of each

Numbers: TypeAlias = Sequence[float]


class GradientError(ArithmeticError):
    """A derivative that differs from finite differences of the function."""


class GradientCheck(NamedTuple):
    """The result of `check_gradients`.

    Attributes:
        error: the largest distance between a derivative and the differences.
        bound: the largest distance that would have passed; if it is large, the check is inconclusive.
    """

    error: float
    bound: float


def check_gradients(function: Callable[..., Any], point: Any, order: int = 1) -> GradientCheck:
    """Compare the derivatives of a function of Values with finite differences of its values.

    Args:
        function: takes Values and returns a Value, or a list of Values; for example what `engine.rule` returned.
        point: a number for each argument of the function, in a list; for an argument that is a list of Values, a list
            of numbers.
        order: 1 for first derivatives; 2 for second ones as well, which are compared with differences of the first.

    Raises:
        GradientError: a derivative is wrong or does not exist; the error gives it, its numbers and a likely cause.
        TypeError: the function does not return a Value, or the point does not consist of numbers.
        ValueError: `order` is neither 1 nor 2.
        RuntimeError: the function returns a constant.
        ArithmeticError: the function has no value at the point.

    Central differences at smaller and smaller steps are extrapolated to the step 0, which also estimates their error
    (Ridders 1982, "Accurate computation of F'(x) and F'(x) F''(x)").

    >>> check_gradients(lambda a, b: (a * b).tanh(), [2.0, -0.3], order=2).error < 1e-9
    True
    >>> check_gradients(lambda a: 3 * a.data + a, [2.0])
    Traceback (most recent call last):
    engine.gradcheck.GradientError: df/da at a = 2.0: the graph gives 1.0, finite differences give 4.0: ...
    """
    if not isinstance(order, int) or order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, got {describe(order)}")
    if isinstance(point, Set):
        raise TypeError(f"point must be a number or a list of numbers, in order, got {describe(point)}")
    if not callable(function):
        raise TypeError(f"function must be a function of Values, got {describe(function)}")
    f = _Function(function, point)
    outputs, leaves = f.record(f.point)
    names = [f.name] if len(outputs) == 1 else [f"{f.name}[{i}]" for i in range(len(outputs))]
    result = _compare(f, names, f.values, outputs, leaves)
    if order == 2:
        names = [f"(d{name}/d{x})" for name in names for x in f.names]
        first = [slope for row in gradients(outputs, leaves, create_graph=True) for slope in row]
        second = _compare(f, names, f.slopes, first, leaves)
        result = GradientCheck(max(result.error, second.error), max(result.bound, second.bound))
    return result


class _Function:
    """A function of Values as a function of a list of numbers.

    Attributes:
        point: the point of the check.
        name: the name of the function.
        names: the names of its arguments.
    """

    def __init__(self, function: Callable[..., Any], point: Any) -> None:
        self._function = function
        arguments = point if isinstance(point, Iterable) else [point]
        entries = [list(x) if isinstance(x, Iterable) else x for x in arguments]
        self._sizes = [len(x) if isinstance(x, list) else None for x in entries]
        self.point = [Value(x).data for entry in entries for x in (entry if isinstance(entry, list) else [entry])]
        self.name = getattr(function, "__name__", "f").replace("<lambda>", "f")
        self.names: list[str] = []
        for name, size in zip(_arguments(function, len(entries)), self._sizes, strict=True):
            self.names += [name] if size is None else [f"{name}[{i}]" for i in range(size)]

    def record(self, point: Numbers) -> tuple[list[Value], list[Value]]:
        """Return the outputs, and the leaves of their graph."""
        leaves = [Value(x, name) for x, name in zip(point, self.names, strict=True)]
        supply = iter(leaves)
        arguments = [next(supply) if n is None else [next(supply) for _ in range(n)] for n in self._sizes]
        outputs = self._function(*arguments)
        output_list = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        for output in output_list:
            if not isinstance(output, Value):
                raise TypeError(f"{self.name} must return a Value, got {describe(output)}")
        return output_list, leaves

    def values(self, point: Numbers) -> list[float]:
        """Return the values of all outputs."""
        return [output.data for output in self.record(point)[0]]

    def slopes(self, point: Numbers) -> list[float]:
        """Return the first derivatives of all outputs, one after another."""
        return [slope for row in gradients(*self.record(point)) for slope in row]


def _arguments(function: Callable[..., Any], size: int) -> list[str]:
    """Return the names of the first `size` arguments."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some built-in functions have no signature
        parameters = []
    names = [x.name for x in parameters if x.kind in (x.POSITIONAL_ONLY, x.POSITIONAL_OR_KEYWORD)]
    return [names[i] if i < len(names) else f"x{i}" for i in range(size)]


def _compare(
    f: _Function, names: list[str], values: Callable[[Numbers], list[float]], graphs: list[Value], leaves: list[Value]
) -> GradientCheck:
    """Compare the derivatives of `graphs`, called `names`, with differences of `values`.

    Raises:
        GradientError: a derivative is wrong.
    """
    rows = gradients(graphs, leaves)
    roundings = [_rounding(graph) for graph in graphs]
    error = bound = 0.0
    for j, x in enumerate(f.point):

        def along(t: float, j: int = j) -> list[float] | None:
            try:
                return values([*f.point[:j], t, *f.point[j + 1 :]])
            except (ArithmeticError, ValueError):
                return None

        samples = _samples(along, x)
        for i, row in enumerate(rows):
            estimate = _extrapolated(samples, i, roundings[i]) or _Slope(row[j], math.inf)
            off = abs(row[j] - estimate.value)
            wrong, vague = off > estimate.bound, estimate.error > 1e-3 * max(abs(row[j]), abs(estimate.value))
            cause = _trouble(samples, i, graphs[i].data, roundings[i]) if wrong or vague else ""
            if cause or (wrong and not vague):
                arguments = range(len(f.point)) if len(f.point) <= MAX_ARGUMENTS else [j]
                at = ", ".join(f"{f.names[k]} = {format_number(f.point[k])}" for k in arguments)
                raise GradientError(
                    f"d{names[i]}/d{f.names[j]} at {at}: the graph gives {format_number(row[j], 10)}, "
                    f"finite differences give {'no clear number' if vague else format_number(estimate.value, 10)}: "
                    f"{cause or _cause(row[j], estimate)}"
                )
            error, bound = max(error, off), max(bound, estimate.bound)
    return GradientCheck(error, bound)


class _Slope(NamedTuple):
    """A derivative estimated from differences, and the estimate of its error."""

    value: float
    error: float

    @property
    def bound(self) -> float:
        """The largest error of a derivative that passes; it allows for rounding."""
        return TOLERANCE * self.error + 1e-9 * abs(self.value)


class _Sample(NamedTuple):
    """The values of a function one step to the right and one to the left; None if it has no value there."""

    step: float
    right: list[float] | None
    left: list[float] | None


def _samples(function: Callable[[float], list[float] | None], x: float) -> list[_Sample]:
    """Return samples at smaller and smaller steps, scaled by 1 and by `x`."""
    exponents = {math.frexp(size)[1] - k for size in (max(abs(x), 1.0), x) for k in HALVINGS}
    ends = [(x - 2.0**exponent, x + 2.0**exponent) for exponent in sorted(exponents, reverse=True)]
    return [_Sample((right - left) / 2, function(right), function(left)) for left, right in ends if left < right]


def _rounding(output: Value) -> float:
    """Return how far off the data of `output` may be if each inner node is off by one unit in the last place."""
    nodes = [node for node in topological_order(output) if node.parents]
    (slopes,) = gradients([output], nodes)
    return math.fsum(math.ulp(x.data) * abs(slope) for x, slope in zip(nodes, slopes, strict=True))


def _extrapolated(samples: list[_Sample], i: int, rounded: float) -> _Slope | None:
    """Return the derivative of value number `i`, whose rounding error is `rounded`: differences extrapolated to step 0.

    Of all extrapolations it is the most accurate one with which the differences at all smaller steps agree; they
    disagree near a pole, a kink or an oscillation. None if there is no such extrapolation.
    """
    differences = [
        ((right[i] - left[i]) / (2 * step), (rounded + math.ulp(max(abs(right[i]), abs(left[i])))) / step)
        for step, right, left in samples
        if right is not None and left is not None
    ]
    estimates: list[tuple[float, float, int]] = []
    row: list[float] = []
    for k, (slope, rounding) in enumerate(differences[:-MIN_CONFIRMATIONS]):
        before, row = row[:COLUMNS], [slope]
        for column, coarse in enumerate(before, start=1):
            finer = slope + (slope - coarse) / (4**column - 1)
            estimates.append((max(abs(finer - slope), abs(finer - coarse)) + rounding, finer, k))
            row.append(finer)
            slope = finer
    for error, slope, k in sorted(estimates):
        off = abs(differences[k][0] - slope)
        if all(abs(finer - slope) <= off + TOLERANCE * (error + rounding) for finer, rounding in differences[k:]):
            return _Slope(slope, error)
    return None


def _trouble(samples: list[_Sample], i: int, here: float, rounded: float) -> str:
    """Return why there is no derivative: a jump, a kink, the edge of the domain; "" if there is no sign of any."""
    near = samples[-20:-12]  # at larger steps curvature dominates, at smaller ones rounding
    rights = [sample.right[i] for sample in near if sample.right is not None]
    lefts = [sample.left[i] for sample in near if sample.left is not None]
    for side, values in {"right": rights, "left": lefts}.items():
        if len(values) < len(near):
            return f"the function has no value to the {side}: this is the edge of its domain"
    jumps = [abs(right - left) for right, left in zip(rights, lefts, strict=True)]
    if min(jumps) > 0.9 * max(jumps) + TOLERANCE * rounded:
        return f"the function jumps here, from {format_number(lefts[-1])} to {format_number(rights[-1])}"
    on_right = [(right - here) / sample.step for right, sample in zip(rights, near, strict=True)]
    on_left = [(here - left) / sample.step for left, sample in zip(lefts, near, strict=True)]
    spread = max(on_right) - min(on_right) + max(on_left) - min(on_left)
    left, right = on_left[-1], on_right[-1]
    if abs(right - left) > TOLERANCE * spread:
        slopes = f"{format_number(left)} on the left and {format_number(right)} on the right"
        return f"the function has a kink here, with slope {slopes}"
    return ""


def _cause(derivative: float, estimate: _Slope) -> str:
    """Return the likely cause of a wrong derivative."""
    if abs(estimate.value) <= estimate.bound:
        return "the function is constant here; is it a step function?"
    if derivative == 0.0:
        return "no gradient arrives; is the graph cut by .data or no_grad(), or is a partial derivative 0?"
    ratio = derivative / estimate.value
    if abs(ratio + 1) < 1e-6:
        return "the sign is wrong"
    for times in (2.0, 3.0, 4.0, 0.5, -2.0, -0.5):
        if abs(ratio / times - 1) < 1e-6:
            return f"it is {times:g} times the correct value"
    return f"it is off by {100 * abs(ratio - 1):.2g} %; check the partial derivative"
