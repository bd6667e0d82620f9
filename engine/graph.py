"""Graph traversals. All are iterative, so that deep graphs cannot hit the recursion limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from engine.validation import describe

if TYPE_CHECKING:
    from engine.value import Value


def topological_order(*roots: Value, stop: Callable[[Value], bool] | None = None) -> list[Value]:
    """Return the roots and every node that they depend on, each node once and after its operands.

    Args:
        roots: the outputs of a graph. Left operands come before right ones, unless a right one was reached earlier.
        stop: nodes for which it returns True are left out, with everything that only they depend on.

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
            model = ": pass an output, model(x); viz.network draws the model" if hasattr(root, "parameters") else ""
            raise TypeError(f"the output of a graph must be a Value, got {describe(root)}{model}")
    return unseen(roots, set(), stop)


def unseen(roots: Sequence[Value], seen: set[Value], stop: Callable[[Value], bool] | None = None) -> list[Value]:
    """Return the topological order without nodes in `seen` and what only they depend on; add its nodes to `seen`."""
    order: list[Value] = []
    seen_lists: set[int] = set()  # by id
    # Nodes and lists of operands to visit; None follows a node: when it is popped, the operands are in `order`.
    stack: list[Any] = [*reversed(roots)]
    while stack:
        node = stack.pop()
        if node is None:
            order.append(stack.pop())
        elif type(node) is tuple:
            key = id(node)
            if key not in seen_lists:  # visit the inputs that the neurons of a layer share only once
                seen_lists.add(key)
                stack += [x for x in reversed(node) if x not in seen]
        else:
            while node not in seen:  # down the first operands
                seen.add(node)
                if stop and stop(node):
                    break
                a, b = node._a, node._b
                if a is None:
                    order.append(node)
                    break
                stack.append(node)
                stack.append(None)
                if b is not None:
                    stack.append(b)
                if type(a) is tuple:
                    stack.append(a)
                    break
                node = a
    return order


def dependents(order: Sequence[Value], inputs: Iterable[Value]) -> list[Value]:
    """Return the nodes of a topological order that depend on some input, the inputs among them.

    >>> from engine import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> [node.op or node.label for node in dependents(topological_order(a * b + b.exp()), [a])]
    ['a', '*', '+']
    """
    dependent = set(inputs)
    for node in order:
        if node not in dependent and any(x in dependent for x in node.parents):
            dependent.add(node)
    return [node for node in order if node in dependent]


def operand_rows(node: Value) -> list[tuple[Value, ...]]:
    """Return the operands by term: `a*b` has one row of two, `dot` a pair per term, `sum` one operand per term.

    >>> from engine import Value, dot
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> [[x.label for x in row] for row in operand_rows(dot([a, b], [b, b]))]
    [['a', 'b'], ['b', 'b']]
    """
    a, b = node._a, node._b
    if isinstance(a, tuple):
        return list(zip(a, b, strict=True)) if isinstance(b, tuple) else [(x,) for x in a]
    return [tuple(x for x in (a, b) if x is not None)]
