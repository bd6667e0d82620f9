"""A graph as a table for pickle, which by itself would recurse into the operands of every node."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakValueDictionary

from engine.graph import order_above

if TYPE_CHECKING:
    from engine.rules import Rule
    from engine.value import Value

Taken: TypeAlias = int | tuple[int, ...] | None  # the operands of a node, in a fold lists of them, by number
Row: TypeAlias = tuple["Rule", Taken, Taken, float, float, str]
Reduced: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]


def reduced(value: Value) -> Reduced:
    """What pickle writes for a Value: for a leaf its own numbers, for an inner node a table that has it.

    >>> import pickle
    >>> from engine import Value
    >>> a = Value(2.0, "a")
    >>> b = a * 3
    >>> a, b, c = pickle.loads(pickle.dumps([a, b, b + a]))
    >>> c, c.parents == (b, a), b.parents[0] is a
    (Value(data=8.0, grad=0.0, op='+'), True, True)
    """
    if value._a is None:
        return restored, (type(value), value._rule, None, None, value._data, value.grad, value.label)
    table = _thread.tables.get(value) or _Table(value)
    return operator.getitem, (table, table.numbers[value])


def restored(
    cls: type[Value],
    rule: Rule | None,
    x: Value | tuple[Value, ...] | None,
    y: Value | tuple[Value, ...] | None,
    data: float,
    grad: float,
    label: str,
) -> Value:
    """A node by its attributes."""
    node = object.__new__(cls)
    node._rule, node._a, node._b, node._data, node.grad, node.label = rule, x, y, data, grad, label
    return node


class _Thread(threading.local):
    """For every inner node the table that has it, as long as a pickler of this thread remembers that table.

    Without it, a node that is pickled a second time, on its own, would come back as another.
    """

    def __init__(self) -> None:
        self.tables: WeakValueDictionary[Value, _Table] = WeakValueDictionary()


_thread = _Thread()


class _Table:
    """The inner nodes above those of older tables, each after its operands. Unpickled it is a list."""

    def __init__(self, root: Value) -> None:
        self.made = order_above(root, lambda node: node._a is None or node in _thread.tables)
        for node in self.made:
            _thread.tables[node] = self
        below = dict.fromkeys(x for node in self.made for x in node.parents)
        self.given = [x for x in below if _thread.tables.get(x) is not self]
        self.numbers = {node: number for number, node in enumerate([*self.given, *self.made])}

    def __reduce__(self) -> Reduced:
        listed = cache(lambda xs: tuple([self.numbers[x] for x in xs]))  # neurons of a layer share their inputs

        def taken(x: Value | tuple[Value, ...] | None) -> Taken:
            if isinstance(x, tuple):
                return listed(x)
            return None if x is None else self.numbers[x]

        rows = [(x._rule, taken(x._a), taken(x._b), x._data, x.grad, x.label) for x in self.made]
        return _nodes, (type(self.made[0]), self.given, rows)


def _nodes(cls: type[Value], given: Iterable[Value], rows: Iterable[Row]) -> list[Value]:
    nodes = [*given]
    listed = cache(lambda numbers: tuple([nodes[number] for number in numbers]))

    def operands(taken: Taken) -> Value | tuple[Value, ...] | None:
        if isinstance(taken, tuple):
            return listed(taken)
        return None if taken is None else nodes[taken]

    for rule, x, y, data, grad, label in rows:
        nodes.append(restored(cls, rule, operands(x), operands(y), data, grad, label))
    return nodes
