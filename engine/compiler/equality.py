"""Whether two graphs are equal, node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.compiler.numbering import NumberedGraph
from engine.rules import LEAF
from engine.value import Value


def equal_graphs(graph: NumberedGraph, outputs: Sequence[Value], leaves: Mapping[Value, Value]) -> bool:
    """Return whether the graph of some outputs is the same as `graph`.

    Args:
        graph: the first graph.
        outputs: the outputs of the second one.
        leaves: for leaves of the first graph those in their place in the second one. Other leaves must have equal data.

    >>> a, b = Value(1.0), Value(2.0)
    >>> [equal_graphs(NumberedGraph([2 * a]), [other], {a: b}) for other in (2 * b, 3 * b, b * 2, 2 * a)]
    [True, False, False, False]
    """
    twins: dict[Value, Value] = {**leaves}
    twin_of = twins.setdefault
    lists: dict[int, tuple[Value, ...]] = {}  # by the id of a list of operands: the list in its place
    others: set[Value] = set()
    # Values are equal if they are identical.
    if len(outputs) != len(graph.outputs) or [*map(twin_of, graph.outputs, outputs)] != [*outputs]:
        return False
    for node in reversed(graph.nodes[graph.n_parameters :]):  # users come before their operands
        twin, rule, a, b = twins[node], node._rule, node._a, node._b
        if rule is not twin._rule:
            return False
        if type(a) is tuple:
            for x, y in ((a, twin._a), (b, twin._b)):
                if x is not None and lists.get(id(x)) is not y:
                    lists[id(x)] = y
                    if len(x) != len(y) or [*map(twin_of, x, y)] != [*y]:
                        return False
        elif a is not None:
            if twin_of(a, twin._a) is not twin._a or (b is not None and twin_of(b, twin._b) is not twin._b):
                return False
        elif node not in leaves:
            if rule is LEAF:
                others = others or {*leaves.values()}
            if node._data != twin._data or twin in others:
                return False
    return True
