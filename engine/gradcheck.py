"""check_gradients: whether derivatives are right, told by differences of the function."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from engine.derivatives import grad, jacobian
from engine.formatting import format_number
from engine.graph import topological_order
from engine.validation import describe
from engine.value import Value

HALVINGS = range(3, 39)  # of 1 and of a number, which make the steps
COLUMNS = 6  # of the extrapolation; the error of the last is of order 14
FINER = 8  # differences, or more, at smaller steps that a slope has to stand
SLACK = 10  # times the estimate of an error that it may be
MOST_TOLD = 6  # arguments in an error, of which it tells all

Numbers: TypeAlias = Sequence[float]


class GradientError(ArithmeticError):
    """A derivative is not what differences of the function say."""


class Checked(NamedTuple):
    """What `check_gradients` found.

    Attributes:
        error: the largest distance of a derivative from what the differences say.
        bound: the largest distance that they would have let pass; where it is large, they cannot tell.
    """

    error: float
    bound: float


def check_gradients(function: Callable[..., Any], point: Any, order: int = 1) -> Checked:
    """Compare the derivatives of a function of Values with differences of what it gives.

    Args:
        function: takes Values and gives a Value, or several in a list; such as a function that `engine.rule` made.
        point: a number for each argument of the function, in a list; for an argument that is a list of Values, a list
            of numbers.
        order: 1 for the first derivatives; 2 for the second as well, which are compared with differences of the first.

    Raises:
        GradientError: a derivative is wrong, or there is none; the error names it, its numbers and a likely cause.
        TypeError: the function gives no Value, or the point is not made of numbers.
        ValueError: `order` is neither 1 nor 2.
        RuntimeError, ArithmeticError: there is no value or no graph at the point, as `backward` has it.

    Central differences at ever smaller steps are extrapolated to the step 0, which also tells how exact they are
    (Ridders 1982, "Accurate computation of F'(x) and F'(x) F''(x)").

    >>> check_gradients(lambda a, b: (a * b).tanh(), [2.0, -0.3], order=2).error < 1e-9
    True
    >>> check_gradients(lambda a: 3 * float(a) + a, [2.0])
    Traceback (most recent call last):
    engine.gradcheck.GradientError: df/da at a = 2.0 is 1.0 by the graph and 4.0 by differences: a partial is wrong, ...
    """
    if order not in (1, 2):
        raise ValueError(f"order is 1 or 2, got {describe(order)}")
    if not callable(function):
        raise TypeError(f"check_gradients takes a function of Values, got {describe(function)}")
    f = _Function(function, point)
    outputs, leaves = f.recorded(f.point)
    names = [f.name] if len(outputs) == 1 else [f"{f.name}[{i}]" for i in range(len(outputs))]
    found = _compared(f, names, f.values, outputs, leaves)
    if order == 2:
        names = [f"(d{name}/d{x})" for name in names for x in f.names]
        first = [slope for output in outputs for slope in grad(output, leaves, create_graph=True)]
        second = _compared(f, names, f.slopes, first, leaves)
        found = Checked(max(found.error, second.error), max(found.bound, second.bound))
    return found


class _Function:
    """A function of Values as one of a list of numbers.

    Attributes:
        point: where it is checked.
        name, names: what it and its arguments are called.
    """

    def __init__(self, function: Callable[..., Any], point: Any) -> None:
        self._function = function
        entries = [
            list(x) if isinstance(x, Iterable) else x for x in (point if isinstance(point, Iterable) else [point])
        ]
        self._sizes = [len(x) if isinstance(x, list) else None for x in entries]
        self.point = [Value(x).data for entry in entries for x in (entry if isinstance(entry, list) else [entry])]
        self.name = getattr(function, "__name__", "f").replace("<lambda>", "f")
        self.names: list[str] = []
        for name, size in zip(_arguments(function, len(entries)), self._sizes, strict=True):
            self.names += [name] if size is None else [f"{name}[{i}]" for i in range(size)]

    def recorded(self, point: Numbers) -> tuple[list[Value], list[Value]]:
        """The outputs, and the leaves of their graph."""
        leaves = [Value(x, name) for x, name in zip(point, self.names, strict=True)]
        supply = iter(leaves)
        outputs = self._function(
            *(next(supply) if size is None else [next(supply) for _ in range(size)] for size in self._sizes)
        )
        listed = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        for output in listed:
            if not isinstance(output, Value):
                raise TypeError(f"{self.name} gives {describe(output)}, and is to give a Value, which has a graph")
        return listed, leaves

    def values(self, point: Numbers) -> list[float]:
        return [output.data for output in self.recorded(point)[0]]

    def slopes(self, point: Numbers) -> list[float]:
        """The first derivatives of all outputs, one after another."""
        return [slope for row in jacobian(*self.recorded(point)) for slope in row]


def _arguments(function: Callable[..., Any], size: int) -> list[str]:
    """The names of so many arguments."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some built-in functions do not tell
        parameters = []
    names = [x.name for x in parameters if x.kind in (x.POSITIONAL_ONLY, x.POSITIONAL_OR_KEYWORD)]
    return [names[i] if i < len(names) else f"x{i}" for i in range(size)]


def _compared(
    f: _Function, names: list[str], of: Callable[[Numbers], list[float]], graphs: list[Value], leaves: list[Value]
) -> Checked:
    """Compare the derivatives of what `of` gives, the graphs of which are called `names`, with differences.

    Raises:
        GradientError: one is wrong.
    """
    rows = jacobian(graphs, leaves)
    roundings = [_rounding(graph) for graph in graphs]
    error = bound = 0.0
    for j, x in enumerate(f.point):

        def along(t: float, j: int = j) -> list[float] | None:
            try:
                return of([*f.point[:j], t, *f.point[j + 1 :]])
            except (ArithmeticError, ValueError):
                return None

        samples = _samples(along, x)
        for i, row in enumerate(rows):
            told = _extrapolated(samples, i, roundings[i]) or _Slope(row[j], math.inf)
            off = abs(row[j] - told.value)
            wrong, vague = off > told.bound, told.error > 1e-3 * max(abs(row[j]), abs(told.value))
            cause = _trouble(samples, i, graphs[i].data, roundings[i]) if wrong or vague else ""
            if cause or (wrong and not vague):
                told_of = range(len(f.point)) if len(f.point) <= MOST_TOLD else [j]
                at = ", ".join(f"{f.names[k]} = {format_number(f.point[k])}" for k in told_of)
                raise GradientError(
                    f"d{names[i]}/d{f.names[j]} at {at} is {format_number(row[j], 10)} by the graph and "
                    f"{'unclear' if vague else format_number(told.value, 10)} by differences: "
                    f"{cause or _cause(row[j], told)}"
                )
            error, bound = max(error, off), max(bound, told.bound)
    return Checked(error, bound)


class _Slope(NamedTuple):
    """A derivative by differences, and how exact it is."""

    value: float
    error: float

    @property
    def bound(self) -> float:
        """How far off a derivative may be, which is rounded as well."""
        return SLACK * self.error + 1e-9 * abs(self.value)


class _Sample(NamedTuple):
    """What a function gives a step to the right and to the left; None where it has no value."""

    step: float
    right: list[float] | None
    left: list[float] | None


def _samples(function: Callable[[float], list[float] | None], x: float) -> list[_Sample]:
    """Samples at ever smaller steps, from the size of 1 and from that of `x`."""
    exponents = {math.frexp(size)[1] - k for size in (max(abs(x), 1.0), x) for k in HALVINGS}
    ends = [(x - 2.0**exponent, x + 2.0**exponent) for exponent in sorted(exponents, reverse=True)]
    return [_Sample((right - left) / 2, function(right), function(left)) for left, right in ends if left < right]


def _rounding(output: Value) -> float:
    """How far off the data of `output` may be, if each inner node below it is off by its last bit."""
    nodes = [node for node in topological_order(output) if node.parents]
    return math.fsum(math.ulp(x.data) * abs(slope) for x, slope in zip(nodes, grad(output, nodes), strict=True))


def _extrapolated(samples: list[_Sample], i: int, rounded: float) -> _Slope | None:
    """The derivative of the value `i`, which may be `rounded` by so much: central differences, extrapolated to 0.

    It is the most exact extrapolation that the differences at all smaller steps confirm: where they do not, a pole, a
    kink or a wave lies nearby. None if there is none.
    """
    differences = [
        ((right[i] - left[i]) / (2 * step), (rounded + math.ulp(max(abs(right[i]), abs(left[i])))) / step)
        for step, right, left in samples
        if right is not None and left is not None
    ]
    found: list[tuple[float, float, int]] = []
    row: list[float] = []
    for k, (slope, rounding) in enumerate(differences[:-FINER]):
        before, row = row[:COLUMNS], [slope]
        for column, coarse in enumerate(before, start=1):
            finer = slope + (slope - coarse) / (4**column - 1)
            found.append((max(abs(finer - slope), abs(finer - coarse)) + rounding, finer, k))
            row.append(finer)
            slope = finer
    for error, slope, k in sorted(found):
        off = abs(differences[k][0] - slope)
        if all(abs(finer - slope) <= off + SLACK * (error + rounding) for finer, rounding in differences[k:]):
            return _Slope(slope, error)
    return None


def _trouble(samples: list[_Sample], i: int, here: float, rounded: float) -> str:
    """Why there is no derivative: a step, a kink, the edge of the domain; "" where none of them is seen."""
    near = samples[-20:-12]  # farther off it is curved, closer it is rounded
    rights = [sample.right[i] for sample in near if sample.right is not None]
    lefts = [sample.left[i] for sample in near if sample.left is not None]
    for side, values in {"right": rights, "left": lefts}.items():
        if len(values) < len(near):
            return f"there is no value on its {side}, it is the edge of the domain"
    jumps = [abs(right - left) for right, left in zip(rights, lefts, strict=True)]
    if min(jumps) > 0.9 * max(jumps) + SLACK * rounded:
        return f"the value jumps there, from {format_number(lefts[-1])} to {format_number(rights[-1])}"
    on_right = [(right - here) / sample.step for right, sample in zip(rights, near, strict=True)]
    on_left = [(here - left) / sample.step for left, sample in zip(lefts, near, strict=True)]
    spread = max(on_right) - min(on_right) + max(on_left) - min(on_left)
    left, right = on_left[-1], on_right[-1]
    if abs(right - left) > SLACK * spread:
        return f"there is a kink, with slope {format_number(left)} on its left and {format_number(right)} on its right"
    return ""


def _cause(derivative: float, told: _Slope) -> str:
    """What is likely to be wrong with a derivative."""
    if abs(told.value) <= told.bound:
        return "the value does not change there; is it that of a step function?"
    if derivative == 0.0:
        return "the graph does not lead there; is it cut off by float(), .data or no_grad(), or a partial 0?"
    ratio = derivative / told.value
    if abs(ratio + 1) < 1e-6:
        return "the sign is wrong"
    for times in (2.0, 3.0, 4.0, 0.5, -2.0, -0.5):
        if abs(ratio / times - 1) < 1e-6:
            return f"it is {times:g} times what it is to be"
    return f"a partial is wrong, by {abs(ratio - 1):.1e} of the derivative"
