"""Uncertainty: how much of the errors of the inputs arrives in the output, and which input it comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from engine.arguments import check_contains, outputs_and_leaves
from engine.derivatives import grad
from engine.formatting import format_number
from engine.graph import topological_order
from engine.labels import Names
from engine.validation import describe, in_range
from engine.value import Value


@dataclass(frozen=True)
class Share:
    """The contribution of one input to the uncertainty of the output.

    Attributes:
        x: the input.
        sigma: its standard uncertainty.
        derivative: the derivative of the output with respect to it.
        contribution: `derivative * sigma`: the change of the output when the input is off by `sigma`.
        share: the part of the output's variance that comes from it, from 0 to 1.
        rounding: the largest change of the output when `x` is rounded to a float, by half a unit in its last place.
    """

    x: Value
    sigma: float
    derivative: float
    contribution: float
    share: float
    rounding: float


@dataclass(frozen=True)
class UncertaintyBudget:
    """The uncertainty of an output, with the share of each input. `str` prints it as a table.

    Attributes:
        output: the output.
        sigma: its standard uncertainty.
        shares: one per input, in order.
    """

    output: Value
    sigma: float
    shares: tuple[Share, ...]

    @property
    def rounding(self) -> float:
        """The largest change of the output when all inputs are rounded to floats."""
        return math.fsum(share.rounding for share in self.shares)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        names = Names(self.output)
        lines = [f"{names[self.output]} = {_with_uncertainty(self.output.data, self.sigma)}"]
        width = max(len(names[share.x]) for share in self.shares)
        for share in sorted(self.shares, key=lambda share: -share.share):
            product = " * ".join(map(format_number, (share.derivative, share.sigma)))
            lines.append(
                f"  {names[share.x]:{width}} {share.share:6.1%}: {names.gradient(share.x)} * sigma = "
                f"{product} = {format_number(share.contribution)}"
            )
        lines.append(f"  rounding of the inputs to floats: up to {self.rounding:.1e}")
        return "\n".join(lines)


def uncertainty(output: Value, sigmas: Mapping[Value, float]) -> UncertaintyBudget:
    """Return the standard uncertainty of `output`, to first order, from those of its inputs.

    The square of the uncertainty is the sum of the squares of `derivative * sigma`, for inputs whose errors are
    independent (JCGM 100:2008, "Guide to the expression of uncertainty in measurement", 5.1.2). All derivatives come
    from one backward pass. To first order means that a tangent replaces the output; where the output bends within a
    sigma, as at a minimum, compare with a simulation.

    Args:
        output: the result of a calculation.
        sigmas: the standard uncertainty of each input, 0 or more, in the unit of the input. An input is a leaf that
            `output` depends on. All other leaves are exact.

    Raises:
        TypeError: `output` or an input is not a Value, or a sigma is not a number.
        ValueError: an input is not a leaf of the graph, a sigma is negative or not finite, or there is none.
        RuntimeError, ArithmeticError: as for `grad`.

    >>> length, period = Value(1.0, "length"), Value(2.006, "period")  # of a pendulum, in m and s
    >>> g = 4 * 3.14159265**2 * length / period**2
    >>> g.label = "g"
    >>> uncertainty(g, {length: 0.002, period: 0.01})
    g = 9.81 ± 0.10
      period  96.1%: dg/dperiod * sigma = -9.78131 * 0.01 = -0.0978131
      length   3.9%: dg/dlength * sigma = 9.81065 * 0.002 = 0.0196213
      rounding of the inputs to floats: up to 3.3e-15
    """
    if not isinstance(sigmas, Mapping):
        raise TypeError(f"sigmas must be a dict of inputs and their uncertainties, got {describe(sigmas)}")
    if not sigmas:
        raise ValueError("sigmas must have one input or more, got none")
    _, inputs = outputs_and_leaves(output, sigmas)
    check_contains(topological_order(output), inputs)
    names = Names(output)
    numbers = [in_range(sigma, f"sigma of {names[x]}") for x, sigma in sigmas.items()]
    derivatives = grad(output, inputs)
    contributions = [slope * sigma for slope, sigma in zip(derivatives, numbers, strict=True)]
    total = math.hypot(*contributions)
    if not math.isfinite(total):
        raise OverflowError(f"the uncertainty of {names[output]} overflows: a float ends at 1.8e308")
    shares = [
        Share(x, sigma, slope, part, (part / total) ** 2 if total else 0.0, abs(slope) * math.ulp(x.data) / 2)
        for x, sigma, slope, part in zip(inputs, numbers, derivatives, contributions, strict=True)
    ]
    return UncertaintyBudget(output, total, tuple(shares))


def _with_uncertainty(value: float, sigma: float) -> str:
    """Return a number with as many digits as its uncertainty allows: two digits of sigma.

    >>> _with_uncertainty(9.81065, 0.0998), _with_uncertainty(6.62607e-34, 1.2e-37), _with_uncertainty(2.5, 0.0)
    ('9.81 ± 0.10', '(6.6261 ± 0.0012)e-34', '2.5 ± 0.0')
    """
    if sigma < 1e-14 * abs(value):  # a float has no digits for it
        return f"{format_number(value, 15)} ± {format_number(sigma, 2)}"
    exponent = int(f"{max(abs(value), sigma):e}".partition("e")[2])
    scale = exponent if not -4 <= exponent <= 6 else 0
    digits = max(1 - int(f"{sigma:.1e}".partition("e")[2]) + scale, 0)
    text = f"{value / 10.0**scale:.{digits}f} ± {sigma / 10.0**scale:.{digits}f}"
    return f"({text})e{scale}" if scale else text
