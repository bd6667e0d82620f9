"""Each row of the table as an operator or a method of Value and as a function of `engine`; softmax out of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.rules import RULES, Rule
from engine.value import Operand, Value, as_float, constant, operands, record

OPERATORS = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "**": "pow", "neg": "neg", "abs": "abs"}

FUNCTIONS: dict[str, Callable[..., Value]] = {}


def sum(xs: Iterable[Operand]) -> Value:
    """The sum of any number of Values and numbers, from left to right, as one node.

    Args:
        xs: the operands; none give the constant 0.0.

    Raises:
        TypeError: an operand is neither a Value nor a real number.
        ArithmeticError: the sum overflows.

    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> sum([a, b, a])
    Value(data=7.0, grad=0.0, op='sum')
    """
    parents = operands(xs, "sum")
    return record(RULES["sum"], parents) if parents else constant(0.0, "sum")


def dot(ws: Iterable[Operand], xs: Iterable[Operand]) -> Value:
    """The weighted sum w1*x1 + w2*x2 + ..., as one node (lecture P6: w^T x).

    Args:
        ws, xs: as many operands each; none give the constant 0.0.

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
    left, right = operands(ws, "dot"), operands(xs, "dot")
    if len(left) != len(right):
        raise ValueError(f"dot takes as many xs as ws, got {len(left)} ws and {len(right)} xs")
    return record(RULES["dot"], left, right) if left else constant(0.0, "dot")


def logsumexp(xs: Iterable[Operand]) -> Value:
    """log(exp(x1) + exp(x2) + ...), as one node, without overflow however large the operands.

    Args:
        xs: one operand or more.

    Raises:
        TypeError: an operand is neither a Value nor a real number.
        ValueError: there is no operand.

    >>> logsumexp([Value(1000.0), Value(1000.0)]).data  # 1000 + log(2)
    1000.6931471805599
    """
    parents = operands(xs, "logsumexp")
    if not parents:
        raise ValueError("logsumexp takes one operand or more, got none")
    return record(RULES["logsumexp"], parents)


def softmax(xs: Iterable[Operand]) -> list[Value]:
    """exp(x) / (exp(x1) + exp(x2) + ...) for each x: positive, and 1 in all (lecture P25).

    Args:
        xs: the logits; none give [].

    Raises:
        TypeError: an operand is neither a Value nor a real number.

    >>> [y.data for y in softmax([Value(-1000.0), Value(1000.0)])]
    [0.0, 1.0]
    """
    logits = operands(xs, "softmax")
    if not logits:
        return []
    log_total = logsumexp(logits)
    return [record(RULES["exp"], x - log_total) for x in logits]


def _function(rule: Rule) -> Callable[..., Value]:
    """The row as a function of its operands, which is a method of Value as well."""
    symbol = rule.symbol

    if rule.arity == 1:

        def function(a: Operand) -> Value:
            return record(rule, a if type(a) is Value else constant(a, symbol))
    else:

        def function(a: Operand, b: Operand) -> Value:  # type: ignore[misc]
            return record(rule, *operands((a, b), symbol))

    function.__name__ = symbol
    function.__qualname__ = symbol
    function.__module__ = "engine"  # where it is found by pickle, help and doctest
    example = record(rule, *(constant(x, symbol) for x in (0.5, 2.0)[: rule.arity]))
    call = f"{symbol}({'0.5, 2.0' if rule.arity == 2 else '0.5'})"
    function.__doc__ = f"{_documentation(rule)}\n\n>>> {call}\n{example!r}"
    return function


def _operator(rule: Rule, name: str, *, reflected: bool) -> Callable[[Value, Operand], Value]:
    """The row as the operator method `name`; `reflected` where the Value stands on the right of a number."""
    neutral = rule.neutral
    taker = f"the operator {rule.symbol}"

    def operate(self: Value, other: Operand) -> Value:
        if type(other) is not Value:
            data = as_float(other)
            if data is None:
                return NotImplemented  # type: ignore[no-any-return]
            if data == neutral:
                return self
            other = constant(data, taker)
        return record(rule, other, self) if reflected else record(rule, self, other)

    operate.__name__ = name
    operate.__qualname__ = f"Value.{name}"
    operate.__doc__ = _documentation(rule)
    return operate


def _documentation(rule: Rule) -> str:
    lines = [f"{rule.value_reads}: {rule.about}.", ""]
    for operand, text in zip("ab", rule.partials_read, strict=False):
        lines.append(f"Derivative by {operand}: {text.replace('out', rule.value_reads)}")
    if rule.domain:
        lines.append(f"Defined for {rule.domain}; elsewhere an ArithmeticError.")
    return "\n".join(lines)


def _publish(rule: Rule) -> None:
    name = OPERATORS.get(rule.symbol)
    if name is None:
        FUNCTIONS[rule.symbol] = _function(rule)
        setattr(Value, rule.symbol, FUNCTIONS[rule.symbol])
    elif rule.arity == 1:
        setattr(Value, f"__{name}__", _function(rule))
    else:
        for method, reflected in ((f"__{name}__", False), (f"__r{name}__", True)):
            setattr(Value, method, _operator(rule, method, reflected=reflected))


for _rule in RULES.values():
    if not _rule.fold:
        _publish(_rule)
