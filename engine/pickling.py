"""A graph as a table for pickle, which alone would recurse into the operands of every node."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakValueDictionary

from engine.graph import topological_order

if TYPE_CHECKING:
    from engine.rules import Rule
    from engine.value import Value

Numbers: TypeAlias = int | tuple[int, ...] | None  # the operands of a node, or lists of them, by number
Row: TypeAlias = tuple["Rule", Numbers, Numbers, float, float, str]
Reduced: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]


def reduce_node(node: Value) -> Reduced:
    """Return what pickle writes for a node: for a leaf its attributes, for an inner node a table that contains it.

    >>> import pickle
    >>> from engine import Value
    >>> a = Value(2.0, "a")
    >>> b = a * 3
    >>> a, b, c = pickle.loads(pickle.dumps([a, b, b + a]))
    >>> c, c.parents == (b, a), b.parents[0] is a
    (Value(data=8.0, grad=0.0, op='+'), True, True)
    """
    if node._a is None:
        return restore_node, (type(node), node._rule, None, None, node._data, node.grad, node.label)
    table = _thread.tables.get(node) or _Table(node)
    return operator.getitem, (table, table.numbers[node])


def restore_node(cls: type[Value], rule: Rule, a: Any, b: Any, data: float, grad: float, label: str) -> Value:
    """Return a node with these attributes."""
    node = object.__new__(cls)
    node._rule = rule
    node._a, node._b = a, b
    node._data, node.grad = data, grad
    node.label = label
    return node


class _Thread(threading.local):
    """Maps each inner node to the table it was pickled in, for as long as this thread's pickler keeps that table alive.

    Without it, a node that is pickled a second time, on its own, would come back as another node.
    """

    def __init__(self) -> None:
        self.tables: WeakValueDictionary[Value, _Table] = WeakValueDictionary()


_thread = _Thread()


class _Table:
    """The inner nodes that `root` depends on and no older table contains, each after its operands."""

    def __init__(self, root: Value) -> None:
        self.nodes = topological_order(root, stop=lambda node: node._a is None or node in _thread.tables)
        for node in self.nodes:
            _thread.tables[node] = self
        operands = dict.fromkeys(x for node in self.nodes for x in node.parents)
        self.inputs = [x for x in operands if _thread.tables.get(x) is not self]
        self.numbers = {node: number for number, node in enumerate([*self.inputs, *self.nodes])}

    def __reduce__(self) -> Reduced:
        """Return what pickle writes; unpickled, a table is a list of nodes."""
        numbers_of = cache(lambda xs: tuple([self.numbers[x] for x in xs]))  # neurons of a layer share their inputs

        def numbers(operands: Any) -> Numbers:
            if isinstance(operands, tuple):
                return numbers_of(operands)
            return None if operands is None else self.numbers[operands]

        rows = [(x._rule, numbers(x._a), numbers(x._b), x._data, x.grad, x.label) for x in self.nodes]
        return _restore_table, (type(self.nodes[0]), self.inputs, rows)


def _restore_table(cls: type[Value], inputs: Iterable[Value], rows: Iterable[Row]) -> list[Value]:
    nodes = [*inputs]
    nodes_of = cache(lambda numbers: tuple([nodes[number] for number in numbers]))

    def operands(numbers: Numbers) -> Any:
        if isinstance(numbers, tuple):
            return nodes_of(numbers)
        return None if numbers is None else nodes[numbers]

    for rule, a, b, data, grad, label in rows:
        nodes.append(restore_node(cls, rule, operands(a), operands(b), data, grad, label))
    return nodes
