"""Walks over the graph below a node. None recurses, so that depth costs memory alone."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.value import Value


def topological_order(*roots: Value) -> list[Value]:
    """Every node of the graph of a root once, each after its parents, the root last; of several, one after another.

    Operands come in the order in which they were written, as far as that allows.

    Raises:
        TypeError: a root is no Value.

    >>> from engine import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> [node.op or node.label for node in topological_order(a * b + a)]
    ['a', 'b', '*', '+']
    """
    for root in roots:
        if not hasattr(root, "_a"):
            raise TypeError(f"a graph starts from a Value, got {type(root).__name__} {reprlib.repr(root)}")
    order: list[Value] = []
    seen: set[Value | int] = set()
    stack: list[Any] = [*reversed(roots)]  # nodes to visit, operands of a fold to visit, and None above a node to place
    while stack:
        node = stack.pop()
        if node is None:
            order.append(stack.pop())
        elif type(node) is tuple:
            key = id(node)
            if key not in seen:  # neurons of a layer share their inputs
                seen.add(key)
                stack += [x for x in reversed(node) if x not in seen]
        elif node not in seen:
            seen.add(node)
            x, y = node._a, node._b
            if x is None:
                order.append(node)
            elif y is None:
                stack += (node, None, x)
            else:
                stack += (node, None, y, x)
    return order


def order_above(root: Value, known: Callable[[Value], bool]) -> list[Value]:
    """The topological order of a root without the `known` nodes, and without looking at what is below them.

    >>> from engine import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> c = a * b
    >>> [node.op or node.label for node in order_above(c + b, known=lambda node: node is c)]
    ['b', '+']
    """
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[Any] = [root]  # nodes to visit, and None above a node to place
    while stack:
        node = stack.pop()
        if node is None:
            order.append(stack.pop())
        elif not (node in seen or known(node)):
            seen.add(node)
            stack += (node, None, *reversed(node.parents))
    return order


def operand_rows(node: Value) -> list[tuple[Value, ...]]:
    """The operands that belong together: all of `a*b`, each pair of `dot([a, c], [b, d])`, each one of `sum([a, b])`.

    >>> from engine import Value, dot
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> [[x.label for x in row] for row in operand_rows(dot([a, b], [b, b]))]
    [['a', 'b'], ['b', 'b']]
    """
    x, y = node._a, node._b
    if isinstance(x, tuple):
        return list(zip(x, y, strict=True)) if isinstance(y, tuple) else [(operand,) for operand in x]
    return [tuple(operand for operand in (x, y) if operand is not None)]  # type: ignore[misc]
