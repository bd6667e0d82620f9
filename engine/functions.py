"""Each row of the table as an operator or a method of Value and as a function of `engine`; softmax out of them."""

from __future__ import annotations

import builtins
import contextlib
import keyword
from collections.abc import Callable, Iterable
from typing import Any

import engine
from engine import formulas
from engine.rules import RULES, Rule
from engine.validation import as_float, describe
from engine.value import Operand, Value, constant, operands, record

OPERATORS = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "**": "pow", "neg": "neg", "abs": "abs"}

FUNCTIONS: dict[str, Callable[..., Value]] = {}
CUSTOM_RULES: set[str] = set()  # the symbols that `rule` added

EXAMPLES = ((0.5, 2.0), (2.0, 0.5), (-0.5, -2.0))  # operands, of which one is in the domain of most rows


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
    return record(RULES["sum"], operands(xs, "sum"))


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
    return record(RULES["dot"], left, right)


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


def rule(
    symbol: str,
    value: str,
    *partials: str,
    summary: str = "an operation of one's own",
    domain: str = "",
    notation: Iterable[str] = (),
    finalize: str = "",
) -> Callable[..., Value]:
    """Add a row of one's own to the table: a function of `engine` and a method of Value like any other.

    The texts are code, and are run: take none from strangers. Whether a partial is the derivative of the value is for
    `engine.check_gradients` to tell; here it may be another, as a threshold wants it that is to learn.

    Args:
        symbol: the name.
        value: in terms of the operand `a`, or of `a` and `b`: arithmetic, the functions of the table and those of
            Python's `math` that `engine.formulas.MATH_FUNCTIONS` has.
        partials: the derivative by each operand, in terms of `a`, `b` and the value `out`. A partial works on Values as
            well: it is arithmetic and functions of the table, among which is the new one.
        summary: what it is, in a few words.
        domain: where it has a value, such as "a > 0", for the error elsewhere.
        notation: how the value, or the value and each partial, read in maths, where the texts do not say it well.
        finalize: for an operation on lists, what to make of `total`, the sum of the values, and `top`, the largest `a`.

    Returns:
        The function; with `finalize` it takes a list for each operand, and is no method. What was added before may be
        added anew: graphs keep the rule by which they were made; other own rules that its text names are looked up
        when it runs.

    Raises:
        TypeError: something is no text.
        ValueError: the symbol is taken or is no name; a text is no such arithmetic; or there is not one partial for
            each operand.

    >>> mish = rule(
    ...     "mish",
    ...     "a * tanh(softplus(a))",
    ...     "tanh(softplus(a)) + a * sigmoid(a) * (1 - tanh(softplus(a))**2)",
    ...     summary="a times tanh(softplus(a)) (Misra 2019)",
    ... )
    >>> x = Value(0.5)
    >>> y = mish(x)
    >>> y.backward()
    >>> y, x.grad
    (Value(data=0.375245, grad=1.0, op='mish'), 0.8864243753577272)
    """
    if not isinstance(notation, Iterable):
        raise TypeError(f"notation is texts in a list, got {describe(notation)}")
    notation = tuple(notation)
    for text in (symbol, value, *partials, summary, domain, *notation, finalize):
        if not isinstance(text, str):
            raise TypeError(f"a rule is made of texts, got {describe(text)}")
    if not symbol.isidentifier() or keyword.iskeyword(symbol):
        raise ValueError(f"the symbol of a rule is a name, such as 'mish', got {symbol!r}")
    places = (engine, Value, builtins)
    if symbol in formulas.RESERVED or (symbol not in CUSTOM_RULES and any(hasattr(place, symbol) for place in places)):
        raise ValueError(f"the symbol {symbol!r} is taken: find another")

    of_table = {name: RULES[name].arity for name in FUNCTIONS}
    of_numbers = {
        name: 1 + (name in formulas.BINARY_FUNCTIONS) for name in formulas.MATH_FUNCTIONS if name != "pi"
    } | of_table
    formulas.check(f"the value of {symbol}", value, ["a", "b", "top"] if finalize else ["a", "b"], of_numbers)
    letters = ["a", "b"] if "b" in formulas.names(value) else ["a"]
    if len(partials) != len(letters):
        raise ValueError(
            f"the value of {symbol}, {value!r}, is made of {' and '.join(letters)}: "
            f"it takes as many partials, got {len(partials)}"
        )
    if finalize:
        formulas.check(f"the fold of {symbol}", finalize, ["total", "top"], of_numbers)
        finalize = formulas.floating(f"the fold of {symbol}", finalize)
    value = formulas.floating(f"the value of {symbol}", value)
    of_values = of_table | {"abs": 1, "float": 1} | ({} if finalize else {symbol: len(letters)})
    for letter, partial in zip(letters, partials, strict=True):
        formulas.check(f"the partial of {symbol} by {letter}", partial, [*letters, "out"], of_values)
    if len(notation) not in (0, 1, 1 + len(letters)):
        raise ValueError(
            f"notation of {symbol} has the value, or the value and each partial; got {len(notation)} texts"
        )
    for text in filter(None, (domain, *notation)):
        formulas.check(f"what is read of {symbol}", text, [*letters, "out"], None)

    row = Rule(symbol, value, partials, summary, domain, notation, finalize)
    CUSTOM_RULES.add(symbol)
    RULES[symbol] = row
    _publish(row)
    function: Callable[..., Value] = getattr(engine, symbol)
    return function


def _function(rule: Rule) -> Callable[..., Value]:
    """The row as a function of its operands, which is a method of Value as well, or of its lists of operands."""
    symbol = rule.symbol

    if rule.finalize:

        def function(*lists: Iterable[Operand]) -> Value:
            columns = [operands(values, symbol) for values in lists]
            if len(columns) != rule.arity or len({len(column) for column in columns}) > 1 or not columns[0]:
                raise ValueError(f"{symbol} takes {rule.arity} list(s) of the same length, of one operand or more")
            return record(rule, *columns)
    elif rule.arity == 1:

        def function(a: Operand) -> Value:  # type: ignore[misc]
            return record(rule, a if type(a) is Value else constant(a, symbol))
    else:

        def function(a: Operand, b: Operand) -> Value:  # type: ignore[misc]
            return record(rule, *operands((a, b), symbol))

    function.__name__ = symbol
    function.__qualname__ = symbol
    function.__module__ = "engine"  # where it is found by pickle, help and doctest
    function.__doc__ = _documentation(rule)
    return function


def _operator(rule: Rule, name: str, *, reflected: bool) -> Callable[[Value, Operand], Value]:
    """The row as the operator method `name`; `reflected` where the Value stands on the right of a number."""
    neutral = rule.identity
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
    lines = [f"{rule.value_notation}: {rule.summary}.", ""]
    for operand, text in zip("ab", rule.partial_notation, strict=False):
        lines.append(f"Derivative by {operand}: {text.replace('out', rule.value_notation)}")
    if rule.domain:
        lines.append(f"Defined for {rule.domain}; elsewhere an ArithmeticError.")
    return "\n".join(lines)


def _example(rule: Rule, function: Callable[..., Value]) -> str:
    for example in EXAMPLES:
        arguments = [[x] if rule.finalize else x for x in example[: rule.arity]]
        with contextlib.suppress(ArithmeticError):
            return f"\n\n>>> {rule.symbol}({', '.join(map(repr, arguments))})\n{function(*arguments)!r}"
    return ""


def _publish(rule: Rule) -> None:
    name = OPERATORS.get(rule.symbol)
    if name is None:
        function = _function(rule)
        function.__doc__ = f"{function.__doc__}{_example(rule, function)}"
        setattr(engine, rule.symbol, function)
        if not rule.finalize:
            FUNCTIONS[rule.symbol] = function
            setattr(Value, rule.symbol, function)
            formulas.PARTIAL_NAMESPACE[rule.symbol] = _on_floats_and_values(rule.symbol)
    elif rule.arity == 1:
        setattr(Value, f"__{name}__", _function(rule))
    else:
        for method, reflected in ((f"__{name}__", False), (f"__r{name}__", True)):
            setattr(Value, method, _operator(rule, method, reflected=reflected))


def _on_floats_and_values(symbol: str) -> Callable[..., Any]:
    on_floats, on_values = formulas.VALUE_NAMESPACE[symbol], FUNCTIONS[symbol]
    return lambda *operands: on_values(*operands) if Value in map(type, operands) else on_floats(*operands)


for _rule in RULES.values():
    if _rule.symbol not in globals():  # sum, dot and logsumexp are written out above
        _publish(_rule)
