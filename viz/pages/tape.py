"""The recorded graph as data for a page: operations, operands, constants, recorded numbers, and the rows they use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine import Backprop, Value, topological_order
from engine.labels import Names
from engine.languages import javascript
from engine.restore import restored
from engine.rules import Rule


class Tape:
    """The graph of a root as data for a page, whose script computes it again from its leaves.

    Attributes:
        root: the output.
        order: the nodes, each after its operands; a node's place in it is its number on the page.
        index: the number of each node.
        rules: the rows that the graph uses, then `extra_rules`; a row's place in it is its number on the page.
        names: the names of the nodes.

    Args:
        root: the output of a graph.
        extra_rules: rows that can replace others on the page, such as other activations.

    >>> a = Value(3.0, "a")
    >>> Tape(a * a).data()["nodes"]
    [{'name': 'a', 'data': 3.0, 'grad': 6.0}, {'name': 'a*a', 'data': 9.0, 'grad': 1.0, 'rule': 0, 'a': [0], 'b': [0]}]
    """

    def __init__(self, root: Value, extra_rules: Iterable[Rule] = ()) -> None:
        self.root = root
        self.order = topological_order(root)
        self.index = {node: i for i, node in enumerate(self.order)}
        self.names = Names(root)
        self.rules = [*dict.fromkeys([*(node._rule for node in self.order if node.parents), *extra_rules])]

    def data(self, tangents: Mapping[Value, float] | None = None) -> dict[str, Any]:
        """Return the nodes by number, with data and gradients (accumulated from 0.0), and the root's number.

        Args:
            tangents: derivatives to record instead of gradients.

        Raises:
            RuntimeError: as `Backprop`.
            ArithmeticError: as `Backprop`.
        """
        numbers = {rule: i for i, rule in enumerate(self.rules)}
        nodes = []
        with restored(self.order):
            for node in self.order:
                node.grad = 0.0
            if tangents is None:
                Backprop(self.root).run()
            for node in self.order:
                derivative = node.grad if tangents is None else tangents[node]
                entry: dict[str, Any] = {"name": self.names[node], "data": node.data, "grad": derivative}
                if node.is_constant:
                    entry["constant"] = True
                elif node.parents:
                    entry["rule"] = numbers[node._rule]
                    for letter, operand in (("a", node._a), ("b", node._b)):
                        if operand is not None:
                            operands = operand if isinstance(operand, tuple) else (operand,)
                            entry[letter] = [self.index[x] for x in operands]
                nodes.append(entry)
        return {"nodes": nodes, "root": self.index[self.root]}

    def script(self) -> str:
        """Return the rows as JavaScript."""
        return javascript(self.rules)


def is_leaf(node: Value) -> bool:
    """Return whether a page may change the number of a node: it must be a leaf and not a constant."""
    return not node.parents and not node.is_constant
