"""From the text of a row to Python that runs: the kernels of a rule.

What is made is what one would write by hand. Of the row `*`, `inspect.getsource(RULES["*"].backward)` shows

    def backward(node):
        x = node._x
        y = node._y
        a = x._data
        b = y._data
        out = node._data
        upstream = node.grad
        if (a * b) != out: raise ChangedError
        if x._rule is not None: x.grad += upstream * (b)
        if y._rule is not None: y.grad += upstream * (a)

A node without a rule is a constant: it takes no gradient.
"""

from __future__ import annotations

import linecache
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.rules import Rule
    from engine.value import Value


class ChangedError(Exception):
    """The data of a node no longer follow from those of its operands."""


# What the text of a row may use on floats; the functions of the table join as their rows are read.
FLOATS: dict[str, Any] = {"pi": math.pi, "abs": abs, "max": max, "ChangedError": ChangedError}
for _name in ("exp", "log", "log1p", "expm1", "sqrt", "sin", "cos", "tan", "tanh", "erfc", "pow"):
    FLOATS[_name] = getattr(math, _name)
# The same for the text of a partial, on floats and Values alike.
FLOATS_AND_VALUES: dict[str, Any] = {"pi": math.pi, "abs": abs}


def build(rule: Rule) -> tuple[Callable[[Value], float], Callable[[Value], None]]:
    """The two kernels of a rule: `evaluate(node)` and `backward(node)`."""
    operands = list(zip("ab", "xy", rule.partials, strict=False))
    take = [f"{a} = {x}._data" for a, x, _ in operands]
    give = [f"if {x}._rule is not None: {x}.grad += upstream * ({partial})" for _, x, partial in operands]
    finite = ["if out - out != 0.0: raise OverflowError", "return out"]  # inf - inf and nan - nan are nan
    hand_on = ["out = node._data", "upstream = node.grad"]
    if rule.fold:
        each = "for x in node._x:" if rule.arity == 1 else "for x, y in zip(node._x, node._y):"
        start = ["top = max([x._data for x in node._x])"] * ("top" in rule.fold) + ["total = 0.0"]
        add = f"total += {rule.value}"
        evaluate = [*start, each, *_indent([*take, add]), f"out = {rule.fold}", *finite]
        backward = [*hand_on, *start, each, *_indent([*take, add, *give]), f"if {rule.fold} != out: raise ChangedError"]
    else:
        operate = [f"{x} = node._{x}" for _, x, _ in operands] + take
        evaluate = [*operate, f"out = {rule.value}", *finite]
        backward = [*operate, *hand_on, f"if ({rule.value}) != out: raise ChangedError", *give]
        if rule.arity == 1 and rule.symbol.isidentifier():
            FLOATS.setdefault(rule.symbol, eval(f"lambda a: {rule.value}", FLOATS))
            FLOATS_AND_VALUES.setdefault(rule.symbol, _on_floats_and_values(rule.symbol))
    return _compile(rule, "evaluate", evaluate), _compile(rule, "backward", backward)


def partial_functions(rule: Rule) -> tuple[Callable[..., Any], ...]:
    """The partials of a rule as functions of its operands and `out`, for floats and Values alike."""
    arguments = ", ".join([*"ab"[: rule.arity], "out"])
    return tuple(eval(f"lambda {arguments}: {partial}", FLOATS_AND_VALUES) for partial in rule.partials)


def _on_floats_and_values(name: str) -> Callable[[Any], Any]:
    on_floats = FLOATS[name]
    return lambda a: on_floats(a) if isinstance(a, (int, float)) else getattr(a, name)()


def _indent(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def _compile(rule: Rule, name: str, lines: list[str]) -> Callable[..., Any]:
    source = "\n".join([f"def {name}(node):", *_indent(lines), ""])
    filename = f"<{name} of {rule.symbol}>"
    # With this, tracebacks and inspect.getsource show the kernel's lines.
    linecache.cache[filename] = len(source), None, source.splitlines(keepends=True), filename
    namespace: dict[str, Any] = {}
    exec(compile(source, filename, "exec"), FLOATS, namespace)
    function: Callable[..., Any] = namespace[name]
    return function
