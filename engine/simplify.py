"""Graphs of derivatives in their simplest form: without 0*x and its like, and with one node for equal expressions."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any, TypeAlias

from engine import functions
from engine.graph import topological_order
from engine.value import Value, operands, record

Derivative: TypeAlias = "Value | float"


def simplified(derivatives: list[Derivative], given: list[Value], inputs: list[Value]) -> list[Derivative]:
    """The derivatives by `inputs` in their simplest form, made of the nodes that are `given` where there are such."""
    forms = _Forms(given, inputs)
    simple: dict[Value, Derivative] = dict(zip(given, given, strict=True))
    for node in topological_order(*(x for x in derivatives if isinstance(x, Value))):
        if node not in simple:
            simple[node] = forms.of(node, [simple[x] for x in node.parents])
    return [simple[x] if isinstance(x, Value) else x for x in derivatives]


def total(terms: list[Derivative]) -> Derivative:
    """The sum of the terms, however many, as one node, or as a number where all are numbers."""
    number = 0.0
    for term in terms:
        if not isinstance(term, Value):
            number += term
    values = [term for term in terms if isinstance(term, Value)]
    match values + [number] * (number != 0.0 or not values):
        case [one]:
            return one
        case [one, other]:
            return one + other
        case many:
            return functions.sum(many)


class _Forms:
    """What nodes come to. An input is a variable of its own: it is not looked into, and stands for no expression."""

    def __init__(self, given: list[Value], inputs: list[Value]) -> None:
        self._inputs = set(inputs)
        self._nodes: dict[object, Value] = {}  # of each expression
        for node in given:
            self._same(node)

    def of(self, node: Value, simple: list[Any]) -> Any:
        """What a node comes to with simplified operands."""
        if not any(isinstance(x, Value) for x in simple):
            return node.data
        match [node.op, *simple]:
            case ["sum", *terms]:
                counts = Counter(terms).items()
                summed: Any = total([self._multiple(n, x) if isinstance(x, Value) else n * x for x, n in counts])
                return self._same(summed)
            case ["+", x, y] if x is y:
                return self._multiple(2.0, x)
            case ["*", 0.0, _] | ["*", _, 0.0] | ["/", 0.0, _]:
                return 0.0
            case ["**", _, 0.0]:
                return 1.0
            case ["+", 0.0, x] | ["+" | "-", x, 0.0] | ["/" | "**", x, 1.0]:
                return x
            case ["neg", x] | ["-", 0.0, x]:
                return self._multiple(-1.0, x)
            case ["*", float(number), x] | ["*", x, float(number)]:
                return self._multiple(number, x)
        return self._same(record(node._rule, *operands(simple, node.op)))  # type: ignore[arg-type]

    def _same(self, node: Value) -> Value:
        """The node of an equal expression that is there already, or this one."""
        if not node.parents or node in self._inputs:
            return node
        return self._nodes.setdefault(_key(node), node)

    def _multiple(self, number: float, node: Value) -> Value:
        """The product, with the numbers and signs inside gathered in one number, as long as it loses no digits."""
        while (inside := self._inside(node)) and sys.float_info.min <= abs(number * inside[0]) <= sys.float_info.max:
            number, node = number * inside[0], inside[1]
        return self._same(-node if number == -1.0 else number * node)

    def _inside(self, node: Value) -> tuple[float, Value] | None:
        """The number or sign in a product, and the rest."""
        if node in self._inputs:
            return None
        match node.op, node.parents:
            case "neg", (x,):
                return -1.0, x
            case "*", (Value(is_constant=True) as number, x):
                return number.data, x
        return None


def _key(node: Value) -> tuple[object, ...]:
    """What two nodes of equal expressions have in common."""
    return node._rule, *(str(x.data) if x.is_constant else x for x in node.parents)  # 0.0 and -0.0 are two
