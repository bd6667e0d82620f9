"""Graph traversals. All are iterative, so that deep graphs cannot hit the recursion limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.validation import describe

if TYPE_CHECKING:
    from engine.value import Value


def topological_order(*roots: Value, stop: Callable[[Value], bool] | None = None) -> list[Value]:
    """Return every node that `roots` depend on once, each after its parents, and the roots themselves.

    Args:
        roots: the outputs of a graph. Operands come in the order in which they were written, as far as possible.
        stop: the nodes for which it returns True are left out, and what only they depend on.

    Raises:
        TypeError: a root is not a Value.

    >>> from engine import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> [node.op or node.label for node in topological_order(a * b + a)]
    ['a', 'b', '*', '+']
    >>> [node.op for node in topological_order(a * b + a, stop=lambda node: not node.op)]
    ['*', '+']
    """
    for root in roots:
        if not hasattr(root, "_a"):
            raise TypeError(f"the root of a graph must be a Value, got {describe(root)}")
    order: list[Value] = []
    seen: set[Value | int] = set()
    # Holds nodes to visit, lists of operands to visit, and None above each node that is complete.
    stack: list[Any] = [*reversed(roots)]
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
            if stop and stop(node):
                continue
            a, b = node._a, node._b
            if a is None:
                order.append(node)
            elif b is None:
                stack += (node, None, a)
            else:
                stack += (node, None, b, a)
    return order


def operand_rows(node: Value) -> list[tuple[Value, ...]]:
    """Return the operands that belong together.

    These are both of `a*b`, each pair of `dot([a, c], [b, d])`, each one of `sum([a, b])`.

    >>> from engine import Value, dot
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> [[x.label for x in row] for row in operand_rows(dot([a, b], [b, b]))]
    [['a', 'b'], ['b', 'b']]
    """
    a, b = node._a, node._b
    if isinstance(a, tuple):
        return list(zip(a, b, strict=True)) if isinstance(b, tuple) else [(x,) for x in a]
    return [tuple(x for x in (a, b) if x is not None)]
