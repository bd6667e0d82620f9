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

OperandIndices: TypeAlias = int | tuple[int, ...] | None  # one operand of a node, or a list of them
Row: TypeAlias = tuple["Rule", OperandIndices, OperandIndices, float, float, str]
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
        return restore_node, (type(node), node._rule, None, None, node._data, node._grad, node._label)
    table = _thread.tables.get(node) or _Table(node)
    return operator.getitem, (table, table.indices[node])


def restore_node(cls: type[Value], rule: Rule, a: Any, b: Any, data: float, grad: float, label: str) -> Value:
    """Return a node with these attributes."""
    node = object.__new__(cls)
    node._rule = rule
    node._a, node._b = a, b
    node._data, node._grad = data, grad
    node._label = label
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
        self.indices = {node: i for i, node in enumerate([*self.inputs, *self.nodes])}

    def __reduce__(self) -> Reduced:
        """Return what pickle writes; unpickled, a table is a list of nodes."""
        indices = _lookup(self.indices)
        rows = [(x._rule, indices(x._a), indices(x._b), x._data, x._grad, x._label) for x in self.nodes]
        return _restore_table, (type(self.nodes[0]), self.inputs, rows)


def _restore_table(cls: type[Value], inputs: Iterable[Value], rows: Iterable[Row]) -> list[Value]:
    nodes = [*inputs]
    operands = _lookup(nodes)
    for rule, a, b, data, grad, label in rows:
        nodes.append(restore_node(cls, rule, operands(a), operands(b), data, grad, label))
    return nodes


def _lookup(table: Any) -> Callable[[Any], Any]:
    """Return the function that replaces an operand, or each of a list of operands, by its entry in a table."""
    entries = cache(lambda keys: tuple([table[key] for key in keys]))  # neurons of a layer share their inputs

    def lookup(operand: Any) -> Any:
        if isinstance(operand, tuple):
            return entries(operand)
        return None if operand is None else table[operand]

    return lookup
