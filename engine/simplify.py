"""Graphs of derivatives, simplified: without 0*x and 1*x, and with one node for equal expressions."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any, TypeAlias

from engine import functions
from engine.graph import topological_order
from engine.value import Value, as_values, record

Derivative: TypeAlias = "Value | float"


def simplify(derivatives: list[Derivative], graph: list[Value], inputs: list[Value]) -> list[Derivative]:
    """Return the derivatives with respect to `inputs`, simplified; nodes of `graph` are reused where they are equal."""
    simplifier = _Simplifier(graph, inputs)
    simple: dict[Value, Derivative] = dict(zip(graph, graph, strict=True))
    for node in topological_order(*(x for x in derivatives if isinstance(x, Value))):
        if node not in simple:
            simple[node] = simplifier.simplify(node, [simple[x] for x in node.parents])
    return [simple[x] if isinstance(x, Value) else x for x in derivatives]


def total(terms: list[Derivative]) -> Derivative:
    """Return the sum of any number of terms: a number if all are numbers, else one node."""
    number = 0.0
    for term in terms:
        if not isinstance(term, Value):
            number += term
    values = [term for term in terms if isinstance(term, Value)]
    match values + [number] * (number != 0.0 or not values):
        case [term]:
            return term
        case [a, b]:
            return a + b
        case summands:
            return functions.sum(summands)


class _Simplifier:
    """Simplifies nodes bottom-up and shares equal expressions. Inputs are opaque: they are never expanded or merged."""

    def __init__(self, graph: list[Value], inputs: list[Value]) -> None:
        self._inputs = set(inputs)
        self._nodes: dict[object, Value] = {}  # one per expression
        for node in graph:
            self._interned(node)

    def simplify(self, node: Value, operands: list[Any]) -> Any:
        """Return a node with simplified operands, simplified."""
        if not any(isinstance(x, Value) for x in operands):
            return node.data
        match [node.op, *operands]:
            case ["sum", *terms]:
                counts = Counter(terms).items()
                summed: Any = total([self._scaled(n, x) if isinstance(x, Value) else n * x for x, n in counts])
                return self._interned(summed)
            case ["+", x, y] if x is y:
                return self._scaled(2.0, x)
            case ["*", float(0.0), _] | ["*", _, float(0.0)] | ["/", float(0.0), _]:
                return 0.0
            case ["**", _, float(0.0)]:
                return 1.0
            case ["+", float(0.0), x] | ["+" | "-", x, float(0.0)] | ["/" | "**", x, float(1.0)]:
                return x
            case ["neg", x] | ["-", float(0.0), x]:
                return self._scaled(-1.0, x)
            case ["*", float(number), x] | ["*", x, float(number)]:
                return self._scaled(number, x)
        return self._interned(record(node._rule, *as_values(operands, node.op)))

    def _interned(self, node: Value) -> Value:
        """Return the existing node of an equal expression, or this one."""
        if not node.parents or node in self._inputs:
            return node
        return self._nodes.setdefault(_key(node), node)

    def _scaled(self, number: float, node: Value) -> Value:
        """Multiply, folding nested numeric factors and signs into one coefficient unless it over- or underflows."""
        while (split := self._coefficient(node)) and sys.float_info.min <= abs(number * split[0]) <= sys.float_info.max:
            number, node = number * split[0], split[1]
        return self._interned(-node if number == -1.0 else number * node)

    def _coefficient(self, node: Value) -> tuple[float, Value] | None:
        """Return the number or sign in a product, and the other factor."""
        if node in self._inputs:
            return None
        match node.op, node.parents:
            case "neg", (x,):
                return -1.0, x
            case "*", (Value(is_constant=True) as number, x):
                return number.data, x
        return None


def _key(node: Value) -> tuple[object, ...]:
    """Return a key that is equal for equal expressions."""
    return node._rule, *(str(x.data) if x.is_constant else x for x in node.parents)  # 0.0 and -0.0 differ
