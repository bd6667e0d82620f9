"""Losses: how far outputs are from their targets, as one Value to go down from.

Each takes the outputs for one example or those for a list of them, with as many targets, and gives the mean.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import engine
from engine import Value
from engine.formatting import format_number
from engine.validation import describe
from engine.value import operands


def mse(outputs: Any, targets: Any) -> Value:
    """The mean squared error, the mean of (y - r)**2.

    Args:
        outputs: a Value, or Values in a list, or in a list of lists.
        targets: as many numbers, in the same shape.

    Raises:
        ValueError: the shapes differ.
        TypeError: something is no number.

    >>> mse([Value(1.0), Value(2.0)], [1.0, 4.0]).data
    2.0
    """
    return _mean([(y - r) ** 2 for y, r in _pairs("mse", outputs, targets)])


def hinge(scores: Any, targets: Any) -> Value:
    """The max-margin loss, the mean of max(0, 1 - r * s), which wants every score beyond the margin of 1.

    Args:
        scores: a Value, or Values in a list; the sign of each tells its class.
        targets: as many classes, 1 or -1.

    Raises:
        ValueError: the shapes differ, or a target is neither 1 nor -1.
        TypeError: something is no number.

    >>> hinge([Value(3.0), Value(0.5)], [1, -1]).data
    0.75
    """
    pairs = _pairs("hinge", scores, targets)
    _check("hinge", pairs, lambda r: r in (1.0, -1.0), "1 or -1")
    return _mean([(1 - r * s).relu() for s, r in pairs])


def binary_cross_entropy(logits: Any, targets: Any) -> Value:
    """The mean of -r log y - (1 - r) log(1 - y) where y = sigmoid(logit) is the posterior of class 1 (lecture P14).

    It is computed from the logits, without overflow however large they are: the output layer is "linear".

    Args:
        logits: a Value, or Values in a list.
        targets: as many classes, 1 or 0, or probabilities of class 1 in between.

    Raises:
        ValueError: the shapes differ, or a target is outside [0, 1].
        TypeError: something is no number.

    >>> binary_cross_entropy([Value(0.0), Value(1000.0)], [1, 1]).data  # log(2) / 2
    0.34657359027997264
    """
    pairs = _pairs("binary_cross_entropy", logits, targets)
    _check("binary_cross_entropy", pairs, lambda r: 0.0 <= r <= 1.0, "1, 0 or a probability in between")
    return _mean([r * (-o).softplus() + (1 - r) * o.softplus() for o, r in pairs])


def cross_entropy(logits: Any, targets: Any) -> Value:
    """-log of the posterior of the right class, or -sum(r_k log y_k), where y = softmax(logits) (lecture P25).

    It is computed from the logits, without overflow however large they are: the output layer is "linear".

    Args:
        logits: one example's Values in a list, or a list of such lists.
        targets: for each example the index of its class, from 0, or one number for every class, which are
            probabilities with the sum 1: a 1 among zeros.

    Raises:
        ValueError: there is no such class, there are not as many targets, or they are no probabilities.
        TypeError: something is no number.

    >>> cross_entropy([Value(2.0), Value(0.0)], 0).data  # log(1 + exp(-2))
    0.1269280110429727
    >>> cross_entropy([[Value(1000.0), Value(-1000.0)]], [[0, 1]]).data
    2000.0
    """
    return _mean([_cross_entropy(o, r) for o, r in _classified(logits, targets)])


def accuracy_by(loss: Callable[..., Any]) -> Callable[[Any, Any], float] | None:
    """For a loss of classification, the share of outputs that are right; None for the others.

    >>> accuracy_by(hinge)([Value(3.0), Value(0.5)], [1, -1])
    0.5
    """
    return {hinge: _same_side, binary_cross_entropy: _likelier_of_two, cross_entropy: _likeliest}.get(loss)


def _same_side(scores: Any, targets: Any) -> float:
    return fmean([(s > 0) == (r > 0) for s, r in _pairs("hinge", scores, targets)])


def _likelier_of_two(logits: Any, targets: Any) -> float:
    return fmean([(o > 0) == (r > 0.5) for o, r in _pairs("binary_cross_entropy", logits, targets)])


def _likeliest(logits: Any, targets: Any) -> float:
    return fmean([_largest(o) == (_largest(r) if _is_list(r) else r) for o, r in _classified(logits, targets)])


def _largest(xs: Sequence[Any]) -> int:
    return max(range(len(xs)), key=lambda i: float(xs[i]))


def _cross_entropy(logits: Sequence[Value], target: Any) -> Value:
    total = engine.logsumexp(logits)
    if not _is_list(target):
        if not hasattr(target, "__index__") or isinstance(target, bool):
            raise TypeError(f"a target of cross_entropy is a class, an int from 0, got {describe(target)}")
        index = operator.index(target)
        if not 0 <= index < len(logits):
            raise ValueError(f"cross_entropy has the classes 0 to {len(logits) - 1}, got {describe(target)}")
        return total - logits[index]
    pairs = _pairs("cross_entropy", logits, target)
    _check("cross_entropy", pairs, lambda r: r >= 0.0, "a class or a probability for every class")
    if abs(sum(float(r) for _, r in pairs) - 1.0) > 1e-9:
        raise ValueError(f"the probabilities of all classes have the sum 1, got as a target {describe(target)}")
    return total - engine.dot([r for _, r in pairs], logits)


def _classified(logits: Any, targets: Any) -> list[tuple[Sequence[Any], Any]]:
    """Each example's logits with its target."""
    if not _is_list(logits) or not len(logits) or not _is_list(logits[0]):
        logits, targets = [logits], [targets]
    elif not _is_list(targets) or len(targets) != len(logits):
        raise ValueError(f"cross_entropy has {len(logits)} examples, got as targets {describe(targets)}")
    for example in logits:
        if not _is_list(example) or len(example) < 2:
            raise ValueError(
                f"cross_entropy takes a list of logits, one for each class, got {describe(example)}; "
                "for a single logit there is binary_cross_entropy"
            )
    return list(zip(logits, targets, strict=True))


def _pairs(loss: str, outputs: Any, targets: Any) -> list[tuple[Value, Value]]:
    """Every output with its target, out of lists of one shape."""
    if not (_is_list(outputs) or _is_list(targets)):
        (pair,) = zip(operands([outputs], loss), operands([targets], f"the target of {loss}"), strict=True)
        return [pair]
    if not (_is_list(outputs) and _is_list(targets)) or len(outputs) != len(targets) or not len(outputs):
        raise ValueError(f"{loss} takes as many outputs as targets, got {describe(outputs)} and {describe(targets)}")
    return [pair for y, r in zip(outputs, targets, strict=True) for pair in _pairs(loss, y, r)]


def _check(loss: str, pairs: list[tuple[Value, Value]], allowed: Callable[[float], bool], what: str) -> None:
    for _, r in pairs:
        if not allowed(r.data):
            raise ValueError(f"a target of {loss} is {what}, got {format_number(r.data)}")


def _mean(losses: list[Value]) -> Value:
    return losses[0] if len(losses) == 1 else engine.sum(losses) / len(losses)


def _is_list(x: Any) -> bool:
    return isinstance(x, list | tuple) or getattr(x, "ndim", 0) > 0
