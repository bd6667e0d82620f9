"""The operations of the table as functions of Values and numbers; `softmax`, which combines two of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from engine.foreign import usage
from engine.rules import RULES, Rule
from engine.value import Operand, Value, as_values, constant, record

__all__ = [
    "cos", "dot", "elu", "erfc", "exp", "gelu", "leaky_relu", "log", "log1p", "logsumexp", "maximum", "minimum",
    "relu", "sigmoid", "sign", "silu", "sin", "softmax", "softplus", "sqrt", "sum", "tan", "tanh",
]  # fmt: skip

FUNCTIONS: dict[str, Callable[..., Value]] = {}  # by symbol; those of rules with `finalize` take lists of operands
METHODS = {"+": "__add__", "-": "__sub__", "*": "__mul__", "/": "__truediv__", "**": "__pow__"}
METHODS |= {"neg": "__neg__", "abs": "__abs__"}

EXAMPLES = ((0.5, 2.0), (2.0, 0.5), (-0.5, -2.0))  # operands to try for the example in a docstring


@usage("engine.sum([a, b])")
def sum(xs: Iterable[Operand]) -> Value:
    """Return the sum of any number of Values and numbers, from left to right, as one node.

    Args:
        xs: the operands; without any the sum is the constant 0.0.

    Raises:
        TypeError: an operand is neither a Value nor a real number.
        ArithmeticError: the sum overflows.

    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> sum([a, b, a])
    Value(data=7.0, grad=0.0, op='sum')
    """
    operands = as_values(xs, "sum")
    return record(RULES["sum"], operands) if operands else constant(0.0, "sum")


def dot(ws: Iterable[Operand], xs: Iterable[Operand]) -> Value:
    """Return the weighted sum w1*x1 + w2*x2 + ..., as one node: w^T x (P6).

    Args:
        ws: the weights.
        xs: as many inputs; without any the sum is the constant 0.0.

    Raises:
        TypeError: an operand is neither a Value nor a real number.
        ValueError: `ws` and `xs` differ in length.
        ArithmeticError: the sum overflows.

    >>> w = [Value(0.5), Value(-1.0)]
    >>> y = dot(w, [2.0, 3.0])
    >>> y.backward()
    >>> y.data, w[0].grad, w[1].grad
    (-2.0, 2.0, 3.0)
    """
    if type(ws) is tuple and type(xs) is tuple and len(ws) == len(xs) > 0:
        operands: Any = ws, xs
        try:  # without a look at every operand, which takes a third of the time
            node = record(RULES["dot"], *operands)
            if type(node._data) is float:
                return node
        except Exception:
            pass  # something else than Values is among them, or the sum overflows
    weights, inputs = as_values(ws, "dot"), as_values(xs, "dot")
    if len(weights) != len(inputs):
        raise ValueError(f"the lists of dot must have equal lengths, got {len(weights)} ws and {len(inputs)} xs")
    return record(RULES["dot"], weights, inputs) if weights else constant(0.0, "dot")


@usage("engine.logsumexp([a, b])")
def logsumexp(xs: Iterable[Operand]) -> Value:
    """Return log(exp(x1) + exp(x2) + ...), as one node, without overflow however large the operands.

    Args:
        xs: one operand or more.

    Raises:
        TypeError: an operand is neither a Value nor a real number.
        ValueError: there is no operand.

    >>> logsumexp([Value(1000.0), Value(1000.0)]).data  # 1000 + log(2)
    1000.6931471805599
    """
    operands = as_values(xs, "logsumexp")
    if not operands:
        raise ValueError("logsumexp must have at least one operand, got none")
    return record(RULES["logsumexp"], operands)


@usage("engine.softmax([a, b])")
def softmax(xs: Iterable[Operand]) -> list[Value]:
    """Return exp(x) / (exp(x1) + exp(x2) + ...) for each x: positive numbers whose sum is 1 (P25).

    Args:
        xs: the logits; without any the result is [].

    Raises:
        TypeError: an operand is neither a Value nor a real number.

    >>> [y.data for y in softmax([Value(-1000.0), Value(1000.0)])]
    [0.0, 1.0]
    """
    logits = as_values(xs, "softmax")
    if not logits:
        return []
    log_total = logsumexp(logits)
    return [(x - log_total).exp() for x in logits]


def unary(rule: Rule) -> Callable[[Operand], Value]:
    """Return the function of a row with one operand."""

    def function(a: Operand) -> Value:
        return record(rule, a if type(a) is Value else constant(a, f"an operand of {rule.symbol}"))

    return _register(rule, function)


def binary(rule: Rule) -> Callable[[Operand, Operand], Value]:
    """Return the function of a row with two operands."""

    def function(a: Operand, b: Operand) -> Value:
        return record(rule, *as_values((a, b), rule.symbol))

    return _register(rule, function)


def list_function(rule: Rule) -> Callable[..., Value]:
    """Return the function of a row with a list of operands, or with two lists."""

    def function(*lists: Iterable[Operand]) -> Value:
        columns = [as_values(operands, rule.symbol) for operands in lists]
        lengths = [*map(len, columns)]
        if len(lengths) != rule.arity or len(set(lengths)) > 1 or not lengths[0]:
            raise ValueError(
                f"{rule.symbol} must have {rule.arity} list(s) of equal length, 1 or more, got lengths {lengths}"
            )
        return record(rule, *columns)

    return _register(rule, function)


def _register(rule: Rule, function: Callable[..., Value]) -> Callable[..., Value]:
    """Give the function of a row its name and documentation, and put it into FUNCTIONS."""
    function.__name__ = function.__qualname__ = rule.symbol
    function.__module__ = "engine"  # where pickle, help and doctest find it
    function.__doc__ = documentation(rule) + _example(rule, function)
    vars(function)["rule"] = rule  # as a neuron needs it, also after the symbol has been redefined
    FUNCTIONS[rule.symbol] = function
    return function


def documentation(rule: Rule) -> str:
    """Return the docstring of a row."""
    lines = [f"Return {rule.summary}.", "", f"Value: {rule.value_notation}"]
    for operand, text in zip("ab", rule.partial_notation, strict=False):
        lines.append(f"Derivative with respect to {operand}: {text.replace('out', rule.value_notation)}")
    if rule.domain:
        lines.append(f"Defined for {rule.domain}; elsewhere an ArithmeticError.")
    return "\n".join(lines)


def _example(rule: Rule, function: Callable[..., Value]) -> str:
    for example in EXAMPLES:
        arguments = [[x] if rule.finalize else x for x in example[: rule.arity]]
        with contextlib.suppress(ArithmeticError):
            return f"\n\n>>> {rule.symbol}({', '.join(map(repr, arguments))})\n{function(*arguments)!r}"
    return ""


exp = unary(RULES["exp"])
log = unary(RULES["log"])
log1p = unary(RULES["log1p"])
sqrt = unary(RULES["sqrt"])
sin = unary(RULES["sin"])
cos = unary(RULES["cos"])
tan = unary(RULES["tan"])
erfc = unary(RULES["erfc"])
tanh = unary(RULES["tanh"])
sigmoid = unary(RULES["sigmoid"])
softplus = unary(RULES["softplus"])
relu = unary(RULES["relu"])
leaky_relu = unary(RULES["leaky_relu"])
elu = unary(RULES["elu"])
gelu = unary(RULES["gelu"])
silu = unary(RULES["silu"])
sign = unary(RULES["sign"])
maximum = binary(RULES["maximum"])
minimum = binary(RULES["minimum"])

FUNCTIONS |= {"sum": sum, "dot": dot, "logsumexp": logsumexp}

for _rule in RULES.values():
    if not _rule.finalize:
        getattr(Value, METHODS.get(_rule.symbol, _rule.symbol)).__doc__ = documentation(_rule)
