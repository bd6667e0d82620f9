"""Forward mode, step by step: the derivatives of every node with respect to one input, from the input to the output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType

from engine import errors
from engine.backprop import Contribution, local_derivatives
from engine.formatting import format_number
from engine.graph import dependents, topological_order
from engine.labels import Names
from engine.validation import describe
from engine.value import Value
from engine.walk import Printed, Walk


@dataclass(frozen=True)
class TangentContribution(Contribution):
    """The contribution of one operand to the tangent of a node.

    Attributes:
        parent: the operand.
        local: the local derivative of the node with respect to `parent`.
        amount: the contribution: local derivative times tangent of `parent`.
        before: the tangent of the node before this contribution.
        total: the tangent of the node after this contribution, `before + amount`.
    """

    _x: Value = field(repr=False)

    def __str__(self) -> str:
        chain = f"{self.symbols} * {self._names.derivative(self.parent, self._x)}"
        return self._accumulation(self._names.derivative(self._node, self._x), chain, self.local, self._upstream)


@dataclass(frozen=True, repr=False)
class ForwardStep(Printed):
    """One application of the chain rule: a node receives its tangent from its operands. `str` returns it as text.

    Attributes:
        node: the node.
        tangent: the derivative of `node` with respect to the input.
        contributions: one per operand that depends on the input, in order.
        tangents: the tangents of all nodes that the walk has reached so far.
    """

    node: Value
    tangent: float
    contributions: tuple[TangentContribution, ...]
    tangents: Mapping[Value, float]
    _names: Names
    _x: Value

    def __str__(self) -> str:
        tangent = f"{self._names.derivative(self.node, self._x)} = {format_number(self.tangent)}"
        head = f"{self._names.definition(self.node)} receives {tangent}"
        return "\n  ".join([head, *map(str, self.contributions)])


class ForwardMode(Walk[ForwardStep]):
    """Forward-mode differentiation of `root` with respect to `x`, one step at a time.

    The tangent of a node is its derivative with respect to `x`. The tangent of `x` is 1.0; a node that does not depend
    on `x` has the tangent 0.0. Each step computes the tangent of one more node: the sum, over its operands, of local
    derivative times tangent. The last step gives the derivative of `root`. No `grad` changes.

    A pair of data and tangent is a dual number, and a step is an operation on dual numbers:
    `(a, a') * (b, b') = (a*b, b*a' + a*b')`.

    Args:
        root: the output.
        x: the input: a leaf or an inner node, but not a constant.

    Raises:
        TypeError: `root` or `x` is not a Value.
        ValueError: `x` is a constant, or `root` does not depend on it.
        RuntimeError: a leaf was changed since the graph was recorded.

    >>> a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    >>> L = a * b + c
    >>> L.label = "L"
    >>> walk = ForwardMode(L, a)
    >>> walk.step()
    a*b receives d(a*b)/da = -3.0
      d(a*b)/da += b * da/da = -3.0 * 1.0 = -3.0
    >>> walk
    ForwardMode of L with respect to a: 1 of 2 steps done
    next: L = a*b + c receives dL/da
    >>> walk.run().tangents[L]
    -3.0
    """

    def __init__(self, root: Value, x: Value) -> None:
        order = topological_order(root)
        if not isinstance(x, Value):
            raise TypeError(f"x must be a Value, got {describe(x)}")
        if x.is_constant:
            raise ValueError(f"x must be a leaf or an inner node, got the constant {x!r}")
        self.root, self.x = root, x
        self._names = Names(root)
        self._order = order
        path = dependents(order, [x])
        self._dependent = set(path)
        if root not in self._dependent:
            raise ValueError(f"the output must depend on x, got {x!r}, which {self._names[root]} does not depend on")
        self._nodes = [node for node in path if node is not x]
        self._done: list[ForwardStep] = []
        self._start()

    def _start(self) -> None:
        errors.check_current(self._order)
        self._data = {node: node.data for node in self._order}
        self._tangents = {x: 0.0 for x in self._order if x not in self._dependent} | {self.x: 1.0}

    def _check(self, nodes: Iterable[Value]) -> None:
        for node in nodes:
            if node.data != self._data[node]:
                raise RuntimeError(
                    f"the data of {self._names[node]} must stay {format_number(self._data[node])} between steps, got "
                    f"{format_number(node.data)}: call reset() to start again"
                )

    @property
    def tangents(self) -> Mapping[Value, float]:
        """The tangents of all nodes that the walk has reached; nodes that do not depend on `x` have 0.0."""
        return MappingProxyType(self._tangents)

    def _do(self, node: Value) -> ForwardStep:
        self._check(self._order if node is self.root else (node, *node.parents))
        tangent, contributions = 0.0, []
        for row, i, local in local_derivatives(node, self._dependent.__contains__):
            operand, before = row[i], tangent
            amount = local * self._tangents[operand]
            tangent += amount
            if not isfinite(tangent):
                raise errors.tangent_overflow(node)
            contributions.append(
                TangentContribution(
                    operand, local, amount, before, tangent, node, row, i, self._tangents[operand], self._names, self.x
                )
            )
        self._tangents[node] = tangent
        return ForwardStep(node, tangent, tuple(contributions), self.tangents, self._names, self.x)

    def _undo(self, step: ForwardStep) -> None:
        del self._tangents[step.node]

    def _steps_until(self, node: Value) -> int:
        if node in self._nodes:
            return self._nodes.index(node) + 1
        if node not in self._data:
            raise ValueError(f"until must be a node of this graph, got {node!r}")
        return 0

    def __repr__(self) -> str:
        names, node = self._names, self.upcoming
        where = f"ForwardMode of {names[self.root]} with respect to {names[self.x]}"
        where += f": {self.position} of {len(self)} steps done"
        if node is None:
            return f"{where}, {names.derivative(self.root, self.x)} = {format_number(self._tangents[self.root])}"
        return f"{where}\nnext: {names.definition(node)} receives {names.derivative(node, self.x)}"
