"""Walks over the graph below a node. None recurses, so that depth costs memory alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.value import Value


def topological_order(root: Value) -> list[Value]:
    """Every node of the graph of `root` once, each after its parents; `root` comes last.

    Operands come in the order in which they were written, as far as that allows.

    >>> from engine import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> [node.op or node.label for node in topological_order(a * b + a)]
    ['a', 'b', '*', '+']
    """
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[Value | None] = [root]
    while stack:
        node = stack.pop()
        if node is None:  # all that stood above the node below has been placed
            order.append(stack.pop())  # type: ignore[arg-type]
        elif node not in seen:
            seen.add(node)
            if node._parents:
                stack += (node, None)
                stack += [parent for parent in reversed(node._parents) if parent not in seen]
            else:
                order.append(node)
    return order
