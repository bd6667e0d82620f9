"""Reverse-mode autodiff on one page: a table of derivatives, a node, the chain rule (P34-P46).

The package `engine` works the same way, with more operations, error checks and compiled code; a test compares the two.
"""

from __future__ import annotations

import math
from argparse import ArgumentParser
from collections.abc import Callable, Sequence


def operation(rule: Callable[..., tuple[float, ...]]) -> Callable[..., Value]:
    """Return the method that applies `rule`, a row of the table below, to Values and plain numbers."""

    def method(*operands: Value | float) -> Value:
        nodes = [x if isinstance(x, Value) else Value(x) for x in operands]
        data, *partials = rule(*[node.data for node in nodes])
        return Value(data, nodes, partials)

    return method


class Value:
    """A node: a number, the operands it was computed from, and its partial derivatives with respect to them."""

    def __init__(self, data: float, operands: Sequence[Value] = (), partials: Sequence[float] = ()) -> None:
        self.data = float(data)
        self.operands = operands
        self.partials = partials
        self.grad = 0.0

    # One row per operation: its value, then its partial derivative with respect to each operand.
    __add__ = __radd__ = operation(lambda a, b: (a + b, 1.0, 1.0))
    __mul__ = __rmul__ = operation(lambda a, b: (a * b, b, a))
    __sub__ = operation(lambda a, b: (a - b, 1.0, -1.0))
    __rsub__ = operation(lambda b, a: (a - b, -1.0, 1.0))  # Python evaluates 2 - x as x.__rsub__(2)
    __truediv__ = operation(lambda a, b: (a / b, 1 / b, -a / b**2))
    __rtruediv__ = operation(lambda b, a: (a / b, -a / b**2, 1 / b))
    __pow__ = operation(lambda a, b: (a**b, b * a ** (b - 1), a**b * math.log(a) if a > 0 else math.nan))
    __rpow__ = operation(lambda b, a: (a**b, a**b * math.log(a) if a > 0 else math.nan, b * a ** (b - 1)))
    __neg__ = operation(lambda a: (-a, -1.0))
    exp = operation(lambda a: (math.exp(a), math.exp(a)))
    log = operation(lambda a: (math.log(a), 1 / a))
    sin = operation(lambda a: (math.sin(a), math.cos(a)))
    tanh = operation(lambda a: (math.tanh(a), 1 - math.tanh(a) ** 2))
    sigmoid = operation(lambda a: (1 / (1 + math.exp(-a)), math.exp(-a) / (1 + math.exp(-a)) ** 2))
    relu = operation(lambda a: (max(0.0, a), float(a > 0)))

    def backward(self) -> None:
        """Set the gradient of every node x in the graph to dL/dx, where L is this node."""
        order = topological_order(self)
        for node in order:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(order):
            for operand, partial in zip(node.operands, node.partials, strict=True):
                operand.grad += node.grad * partial  # the chain rule


def topological_order(root: Value) -> list[Value]:
    """Return `root` and every node that it depends on: each once, after its operands."""
    order: dict[Value, None] = {}  # a set that keeps the order of insertion
    stack = [(root, False)]  # in place of recursion, which fails on deep graphs
    while stack:
        node, operands_are_placed = stack.pop()
        if operands_are_placed:
            order[node] = None
        elif node not in order:
            stack += [(node, True), *((operand, False) for operand in reversed(node.operands))]
    return list(order)


def main(arguments: list[str] | None = None) -> None:
    """Print both passes through L = tanh(a*b + c)."""
    ArgumentParser(prog="python -m demos.one_page", description=main.__doc__).parse_known_args(arguments)
    a, b, c = Value(2.0), Value(-3.0), Value(7.0)
    p = a * b
    s = p + c
    L = s.tanh()
    L.backward()
    print("Forward pass, downwards     Backward pass, upwards\n")
    for node, value, gradient in (
        (a, "a", "dL/da = dL/dp * b"),
        (b, "b", "dL/db = dL/dp * a"),
        (p, "p = a * b", "dL/dp = dL/ds * 1"),
        (c, "c", "dL/dc = dL/ds * 1"),
        (s, "s = p + c", "dL/ds = dL/dL * (1 - L**2)"),
        (L, "L = tanh(s)", "dL/dL = 1"),
    ):
        print(f"{value:12}{node.data:10.6f}      {gradient:26}{node.grad:10.6f}")


if __name__ == "__main__":
    main()
