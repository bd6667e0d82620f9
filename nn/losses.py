"""Losses: how far outputs are from their targets, as one Value to minimise.

Each takes the outputs for one example, or a list of those for several, and as many targets; it returns the mean.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any, TypeAlias

import engine
from engine import Value
from engine.foreign import usage
from engine.formatting import format_number
from engine.validation import describe
from engine.value import as_values, constant, number_of

Loss: TypeAlias = Callable[[Any, Any], Value]  # of output and target
Accuracy: TypeAlias = Callable[[Any, Any], float]


@usage("nn.mse(model(x), r), or only nn.mse in nn.train")
def mse(outputs: Any, targets: Any) -> Value:
    """Return the mean squared error, the mean of (y - r)**2.

    Args:
        outputs: a Value, or Values in a list, or in a list of lists.
        targets: as many numbers, in the same shape.

    Raises:
        ValueError: the shapes differ.
        TypeError: an output or target is not a number.

    >>> mse([Value(1.0), Value(2.0)], [1.0, 4.0]).data
    2.0
    """
    return _mean([(y - r) ** 2 for y, r in _pairs("mse", outputs, targets)])


@usage("nn.hinge(model(x), r), or only nn.hinge in nn.train")
def hinge(scores: Any, targets: Any) -> Value:
    """Return the max-margin loss, the mean of max(0, 1 - r * s): it is 0 if every score is beyond the margin of 1.

    Args:
        scores: a Value, or Values in a list; the sign of each is its class.
        targets: as many classes, 1 or -1.

    Raises:
        ValueError: the shapes differ, or a target is neither 1 nor -1.
        TypeError: a score or target is not a number.

    >>> hinge([Value(3.0), Value(0.5)], [1, -1]).data
    0.75
    """
    pairs = _pairs("hinge", scores, targets)
    _check("hinge", pairs, lambda r: r in (1.0, -1.0), "1 or -1")
    return _mean([(1 - r * s).relu() for s, r in pairs])


@usage("nn.binary_cross_entropy(model(x), r), or only nn.binary_cross_entropy in nn.train")
def binary_cross_entropy(logits: Any, targets: Any) -> Value:
    """Return the mean of -r log y - (1 - r) log(1 - y), where y = sigmoid(logit) is the posterior of class 1 (P14).

    It is computed from the logits and cannot overflow, so the output layer is "linear".

    Args:
        logits: a Value, or Values in a list.
        targets: as many classes, 1 or 0, or probabilities of class 1 in between.

    Raises:
        ValueError: the shapes differ, a target is outside [0, 1], or an output is already a sigmoid.
        TypeError: a logit or target is not a number.

    >>> binary_cross_entropy([Value(0.0), Value(1000.0)], [1, 1]).data  # log(2) / 2
    0.34657359027997264
    """
    pairs = _pairs("binary_cross_entropy", logits, targets)
    for o, _ in pairs:
        if o.op == "sigmoid":
            raise ValueError(
                f"an output of binary_cross_entropy must be a logit, got {describe(o)}: "
                "leave out the sigmoid, use the activation 'linear'"
            )
    _check("binary_cross_entropy", pairs, lambda r: 0.0 <= r <= 1.0, "1, 0 or a probability in between")
    return _mean([r * (-o).softplus() + (1 - r) * o.softplus() for o, r in pairs])


@usage("nn.cross_entropy(model(x), r), or only nn.cross_entropy in nn.train")
def cross_entropy(logits: Any, targets: Any) -> Value:
    """Return the mean of -sum(r_k log y_k), -log of the posterior of the right class, where y = softmax(logits) (P25).

    It is computed from the logits and cannot overflow, so the output layer is "linear".

    Args:
        logits: the Values for one example in a list, or a list of such lists.
        targets: for each example the index of its class, from 0, or a list of the probabilities of all classes,
            such as a 1 among zeros.

    Raises:
        ValueError: there is no such class, the shapes differ, or probabilities do not have the sum 1.
        TypeError: a logit or target is not a number.

    >>> cross_entropy([Value(2.0), Value(0.0)], 0).data  # log(1 + exp(-2))
    0.1269280110429727
    >>> cross_entropy([[Value(1000.0), Value(-1000.0)]], [[0, 1]]).data
    2000.0
    """
    return _mean([_cross_entropy(o, r) for o, r in _classified(logits, targets)])


def accuracy_by(loss: Loss) -> Accuracy | None:
    """Return the function that gives the share of right outputs, if `loss` is one for classes, else None.

    >>> accuracy_by(hinge)([Value(3.0), Value(0.5)], [1, -1])
    0.5
    """
    return ACCURACIES.get(loss)


def _argmax(xs: Sequence[Any]) -> int:
    return max(range(len(xs)), key=lambda i: number_of(xs[i]))


# An output is right if it has the sign of the target (hinge), if it is for the same class (binary_cross_entropy), or if
# the largest logit is that of the target (cross_entropy).
ACCURACIES: dict[Loss, Accuracy] = {
    hinge: lambda outputs, targets: fmean([(s > 0) == (r > 0) for s, r in _pairs("hinge", outputs, targets)]),
    binary_cross_entropy: lambda outputs, targets: fmean(
        [(o > 0) == (r > 0.5) for o, r in _pairs("binary_cross_entropy", outputs, targets)]
    ),
    cross_entropy: lambda outputs, targets: fmean(
        [_argmax(o) == (_argmax(r) if _is_list(r) else r) for o, r in _classified(outputs, targets)]
    ),
}


def _cross_entropy(logits: Sequence[Value], target: Any) -> Value:
    total = engine.logsumexp(logits)
    if not _is_list(target):
        if not hasattr(target, "__index__") or isinstance(target, bool):
            raise TypeError(f"a target of cross_entropy must be a class, an int from 0, got {describe(target)}")
        index = operator.index(target)
        if not 0 <= index < len(logits):
            raise ValueError(f"a target of cross_entropy must be class 0 to {len(logits) - 1}, got {describe(target)}")
        return total - logits[index]
    pairs = _pairs("cross_entropy", logits, target)
    _check("cross_entropy", pairs, lambda r: r >= 0.0, "a class or a probability for every class")
    if abs(sum(number_of(r) for _, r in pairs) - 1.0) > 1e-9:
        raise ValueError(f"the probabilities of all classes must have the sum 1, got {describe(target)}")
    return total - engine.dot([r for _, r in pairs], logits)


def _classified(logits: Any, targets: Any) -> list[tuple[Sequence[Any], Any]]:
    """Return the logits of each example with its target."""
    if not _is_list(logits) or not len(logits) or not _is_list(logits[0]):
        logits, targets = [logits], [targets]
    elif not _is_list(targets) or len(targets) != len(logits):
        raise ValueError(f"targets of cross_entropy must be one per example ({len(logits)}), got {describe(targets)}")
    for example in logits:
        if not _is_list(example) or len(example) < 2:
            raise ValueError(
                f"logits of cross_entropy must be a list, one per class, got {describe(example)}; "
                "for a single logit use binary_cross_entropy"
            )
    return list(zip(logits, targets, strict=True))


def _pairs(loss: str, outputs: Any, targets: Any) -> list[tuple[Value, Value]]:
    """Return every output with its target, from lists of the same shape."""
    if not (_is_list(outputs) or _is_list(targets)):
        target = targets if isinstance(targets, Value) else constant(targets, f"the target of {loss}")
        (output,) = as_values([outputs], loss)
        return [(output, target)]
    if not (_is_list(outputs) and _is_list(targets)) or len(outputs) != len(targets) or not len(outputs):
        got = f"{loss} must get as many outputs as targets, got {describe(outputs)} and {describe(targets)}"
        if _is_list(targets) and not _is_list(outputs):
            raise ValueError(f"{got}: the target of a single output must be a number")
        raise ValueError(got if _is_list(targets) else f"{got}: write nn.cross_entropy for the index of a class")
    return [pair for y, r in zip(outputs, targets, strict=True) for pair in _pairs(loss, y, r)]


def _check(loss: str, pairs: list[tuple[Value, Value]], is_allowed: Callable[[float], bool], rule: str) -> None:
    for _, r in pairs:
        if not is_allowed(r._data):
            raise ValueError(f"a target of {loss} must be {rule}, got {format_number(r._data)}")


def _mean(losses: list[Value]) -> Value:
    return losses[0] if len(losses) == 1 else engine.sum(losses) / len(losses)


def _is_list(x: Any) -> bool:
    return isinstance(x, list | tuple) or getattr(x, "ndim", 0) > 0
