"""Operations that a user defines."""

from __future__ import annotations

import builtins
import keyword
import pkgutil
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from engine.formula_check import RESERVED, check
from engine.formulas import BINARY_FUNCTIONS, MATH_FUNCTIONS, names
from engine.functions import FUNCTIONS, binary, list_function, unary
from engine.rules import RULES, Binary, Fold, Rule, Unary
from engine.validation import describe
from engine.value import Value

CUSTOM_RULES: set[str] = set()  # symbols

_restoring = threading.Lock()


def rule(
    symbol: str,
    value: str,
    *partials: str,
    summary: str = "a custom operation",
    domain: str = "",
    notation: Iterable[str] = (),
    finalize: str = "",
) -> Callable[..., Value]:
    """Define a custom operation. It becomes a function of `engine` and a method of `Value`, like the built-in ones.

    The strings are executed: never pass untrusted input. Partial derivatives are not verified here (use
    `engine.check_gradients`), since a surrogate gradient, for example of a threshold, is legitimate.

    Args:
        symbol: the name.
        value: the value in terms of the operand `a`, or of `a` and `b`: arithmetic, the functions of the table, and
            those of Python's `math` in `engine.formulas.MATH_FUNCTIONS`.
        partials: the derivative with respect to each operand, in terms of `a`, `b` and the value `out`. It also works
            on Values, so it may use only arithmetic and functions of the table, the new one included.
            If a replayed graph of it cannot repeat a condition, or reads `float(a)`, a `FrozenBranchWarning` says so.
        summary: what the operation is, in a few words: "the softplus of a".
        domain: where it has a value, such as "a > 0"; the error elsewhere says so.
        notation: the value, or the value and each partial derivative, as mathematics writes them.
        finalize: for an operation on lists, its value in terms of `total`, the sum of the values, and `top`, the
            largest `a`.

    Returns:
        The function. With `finalize` it takes a list for each operand, and is not a method. A custom rule may be
        defined again: graphs keep the rule with which they were recorded, and the other custom rules that its texts
        name as they were when it was defined. A pickled graph contains its custom rules: loading it defines them.

    Raises:
        TypeError: an argument is not text.
        ValueError: the symbol is in use or not a name; a text is not such arithmetic; or the number of partial
            derivatives differs from the number of operands.

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
        raise TypeError(f"notation must be a list of texts, got {describe(notation)}")
    notation = tuple(notation)
    for name, texts in {
        "symbol": [symbol], "value": [value], "a partial derivative": partials, "summary": [summary],
        "domain": [domain], "notation": notation, "finalize": [finalize],
    }.items():  # fmt: skip
        for text in texts:
            if not isinstance(text, str):
                raise TypeError(f"{name} of a rule must be a str such as 'a**3', got {describe(text)}")
    _check_symbol(symbol, value)
    table = {name: RULES[name].arity for name in FUNCTIONS if name != symbol and not RULES[name].finalize}
    functions = {name: 1 + (name in BINARY_FUNCTIONS) for name in MATH_FUNCTIONS} | table
    check(f"the value of {symbol}", value, ["a", "b", "top"] if finalize else ["a", "b"], functions)
    letters = ["a", "b"] if "b" in names(value) else ["a"]
    if len(partials) != len(letters):
        derivatives = "1 partial derivative" if len(letters) == 1 else "2 partial derivatives"
        raise ValueError(
            f"{symbol} must have {derivatives}, with respect to {' and '.join(letters)} in its value {value!r}, "
            f"got {len(partials)}"
        )
    if finalize:
        check(f"finalize of {symbol}", finalize, ["total", "top"], functions)
    differentiable = table | {"abs": 1, "float": 1} | ({} if finalize else {symbol: len(letters)})
    for letter, partial in zip(letters, partials, strict=True):
        name = f"the partial derivative of {symbol} with respect to {letter}"
        check(name, partial, [*letters, "out"], differentiable)
    if len(notation) not in (0, 1, 1 + len(letters)):
        raise ValueError(
            f"notation of {symbol} must be the value, or the value and each partial derivative, "
            f"got {len(notation)} texts"
        )
    for text in filter(None, (domain, *notation)):
        check(f"notation of {symbol}", text, [*letters, "out"], None)

    kind, publish = (Fold, list_function) if finalize else (Binary, binary) if "b" in letters else (Unary, unary)
    called = set().union(*map(names, (value, finalize or "pi", *partials)))
    scope = {name: RULES[name] for name in called & RULES.keys()}
    row = kind(symbol, value, partials, summary, domain, notation, finalize, scope=scope)
    RULES[symbol] = scope[symbol] = row
    CUSTOM_RULES.add(symbol)
    function: Callable[..., Value] = publish(row)
    if not finalize:
        setattr(Value, symbol, function)
    return function


def restore_rule(needed: Sequence[Rule], *texts: Any) -> Rule:
    """Return a custom rule that is loaded; define it if no rule has its symbol.

    Args:
        needed: the custom rules that its texts name, loaded before it.
        texts: `Rule.texts`.

    Raises:
        ValueError: another rule has that symbol.
    """
    symbol, value, partials, summary, domain, notation, finalize = texts
    with _restoring:
        if symbol not in RULES:
            rule(symbol, value, *partials, summary=summary, domain=domain, notation=notation, finalize=finalize)
        row = RULES[symbol]
    if row.texts != texts or any(row.scope.get(x.symbol) is not x for x in needed):
        raise ValueError(
            f"rule {symbol!r} must be the same as where the graph was pickled, {value!r}, got another one, "
            f"{row.value!r}: rename one of them"
        )
    return row


def _check_symbol(symbol: str, value: str) -> None:
    """Check that a symbol is a name without another meaning; it may be Python's name of the function that is its value.

    Raises:
        ValueError: it is not.
    """
    if not symbol.isidentifier() or keyword.iskeyword(symbol) or symbol.startswith("_"):
        raise ValueError(f"the symbol of a rule must be a name such as 'mish', got {symbol!r}")
    engine = sys.modules["engine"]
    modules = (module.name for module in pkgutil.iter_modules(engine.__path__))
    reserved = {*RESERVED, *modules, *RULES, *dir(engine), *vars(Value), *dir(builtins)} - CUSTOM_RULES
    if value not in (f"{symbol}(a)", f"{symbol}(a, b)"):
        reserved |= MATH_FUNCTIONS.keys()
    if symbol in reserved:
        raise ValueError(f"the symbol of a rule must be a new name, got {symbol!r}, which is in use")
