"""The backward pass, step by step: one application of the chain rule at a time, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import isfinite

from engine import errors
from engine.formatting import format_number
from engine.graph import operand_rows, topological_order
from engine.labels import Names
from engine.restore import restored
from engine.value import Value
from engine.walk import Printed, Walk

MAX_LEAVES = 4  # leaves that a Backprop lists by name
WIDEST = 78  # characters per line; a step indents it by two, and a terminal has 80 columns


@dataclass(frozen=True)
class Contribution:
    """The gradient that a node passes back to one of its parents.

    Attributes:
        parent: the node that receives it.
        local: the local derivative of the node with respect to `parent`.
        amount: the contribution: upstream gradient times local derivative.
        before: the gradient of `parent` before it.
        total: the gradient of `parent` after it, `before + amount`.
    """

    parent: Value
    local: float
    amount: float
    before: float
    total: float
    _node: Value = field(repr=False)
    _row: tuple[Value, ...] = field(repr=False)
    _operand: int = field(repr=False)
    _upstream: float = field(repr=False)
    _names: Names = field(repr=False)

    @property
    def symbols(self) -> str:
        """The local derivative in symbols: `b`, `(1 - tanh(a)**2)`."""
        return self._names.local_derivative(self._node, self._row, self._operand)

    def __str__(self) -> str:
        chain = f"{self._names.gradient(self._node)} * {self.symbols}"
        return self._accumulation(self._names.gradient(self.parent), chain, self._upstream, self.local)

    def _accumulation(self, name: str, chain: str, *factors: float) -> str:
        """Return the line that adds `amount`, a product in symbols and in numbers, to the derivative called `name`."""
        numbers = f"= {' * '.join(map(format_number, factors))} = {format_number(self.amount)}"
        line = f"{name} += {chain} {numbers}"
        if len(line) > WIDEST:
            line = f"{name} += {chain}\n    {numbers}"
        if self.before == 0.0:
            return line
        sums = " + ".join(map(format_number, (self.before, self.amount)))
        return f"{line}\n    accumulated: {name} = {sums} = {format_number(self.total)}"


@dataclass(frozen=True, repr=False)
class Step(Printed):
    """One application of the chain rule: a node passes its gradient back to its parents. `str` says it in words.

    Attributes:
        node: the node, whose gradient is complete.
        upstream: the gradient of `node`.
        contributions: one per parent, in order; constants receive none.
    """

    node: Value
    upstream: float
    contributions: tuple[Contribution, ...]
    _names: Names

    def __str__(self) -> str:
        gradient = f"{self._names.gradient(self.node)} = {format_number(self.upstream)}"
        head = f"{self._names.definition(self.node)} passes back {gradient}"
        return "\n  ".join([head, *map(str, self.contributions)])


class Backprop(Walk[Step]):
    """The backward pass of `root`, one step at a time; after the last step every gradient is that of `backward()`.

    It starts as `backward()` does: leaves keep their gradients, inner nodes start at 0.0, the root at 1.0. Each step
    changes the `grad` of nodes, where it can be watched. At the prompt a Backprop prints its position.

    Raises:
        RuntimeError: a leaf was changed since the graph was recorded, or `root` is a constant. A step also raises it
            if something else has changed the gradients or the graph since the last step: `reset()` starts again.

    >>> a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    >>> L = a * b + c
    >>> L.label = "L"
    >>> walk = Backprop(L)
    >>> walk.step()
    L = a*b + c passes back dL/dL = 1.0
      dL/d(a*b) += dL/dL * 1 = 1.0 * 1.0 = 1.0
      dL/dc += dL/dL * 1 = 1.0 * 1.0 = 1.0
    >>> walk.step()
    a*b passes back dL/d(a*b) = 1.0
      dL/da += dL/d(a*b) * b = 1.0 * -3.0 = -3.0
      dL/db += dL/d(a*b) * a = 1.0 * 2.0 = 2.0
    >>> walk
    Backprop of L: 2 of 2 steps done, every gradient is complete
    """

    def __init__(self, root: Value) -> None:
        order = topological_order(root)
        if root.is_constant:
            raise errors.no_graph(root)
        self.root = root
        self._names = Names(root)
        self._nodes = [node for node in reversed(order) if node.parents]
        self._used_leaves = [node for node in order if not node.parents and node.grad != 0.0]
        self._done: list[Step] = []
        self._start()
        if not self._nodes:
            root.grad += 1.0

    def _start(self) -> None:
        errors.check_current(self._nodes)
        # The gradients as this walk left them; those of leaves, once a step has reached them.
        self._grads = {node: float(node is self.root) for node in self._nodes}
        for node, grad in self._grads.items():
            node.grad = grad

    def _check(self, nodes: Iterable[Value]) -> None:
        for node in nodes:
            if node.grad != self._grads.get(node, node.grad):
                raise RuntimeError(
                    f"{self._names.gradient(node)} must stay {format_number(self._grads[node])} between steps, got "
                    f"{format_number(node.grad)}: call reset() to start again"
                )

    def _do(self, node: Value) -> Step:
        self._check((node, *node.parents))
        locals_ = local_derivatives(node, lambda x: not x.is_constant)
        contributions: list[Contribution] = []
        with restored(node.parents, on_error=True):
            for row, i, local in locals_:
                parent, amount, before = row[i], node.grad * local, row[i].grad
                parent.grad += amount
                if not isfinite(parent.grad):
                    parent.grad = before  # the error shows the node as it was
                    raise errors.gradient_overflow(parent, [node])
                contributions.append(
                    Contribution(parent, local, amount, before, parent.grad, node, row, i, node.grad, self._names)
                )
        self._grads |= {x.parent: x.total for x in contributions}
        return Step(node, node.grad, tuple(contributions), self._names)

    def back(self) -> Step | None:
        """Undo the last step and return it; None at the start.

        Raises:
            RuntimeError: a gradient was changed since that step.
        """
        if self.last:
            self._check(contribution.parent for contribution in self.last.contributions)
        return super().back()

    def _undo(self, step: Step) -> None:
        for contribution in reversed(step.contributions):
            self._grads[contribution.parent] = contribution.parent.grad = contribution.before

    def _steps_until(self, node: Value) -> int:
        uses = [i for i, user in enumerate(self._nodes, start=1) if node in user.parents]
        if not uses and node is not self.root:
            raise ValueError(f"until must be a node of this graph, got {node!r}")
        return max(uses, default=0)

    def __repr__(self) -> str:
        where = f"Backprop of {self._names[self.root]}: {self.position} of {len(self)} steps done"
        node = self.upcoming
        if node is None:
            text = f"{where}, every gradient is complete"
        else:
            gradient = f"{self._names.gradient(node)} = {format_number(node.grad)}"
            text = f"{where}\nnext: {self._names.definition(node)} passes back {gradient}"
        if not self._used_leaves:
            return text
        names = ", ".join(self._names[leaf] for leaf in self._used_leaves[:MAX_LEAVES])
        more = ", ..." if len(self._used_leaves) > MAX_LEAVES else ""
        return f"{text}\nadded to the gradients that {names}{more} had before (zero_grad() clears them)"


def local_derivatives(node: Value, wanted: Callable[[Value], bool]) -> list[tuple[tuple[Value, ...], int, float]]:
    """Return the local derivatives of a node with respect to its `wanted` operands: row, place in the row, number.

    Raises:
        RuntimeError: an operand was changed since the node was recorded.
        ArithmeticError: a derivative has no value.
    """
    errors.check_current([node])
    try:
        return [
            (row, i, float(partial(*(x.data for x in row), node.data)))
            for row in operand_rows(node)
            for i, partial in enumerate(node._rule.partial_functions)
            if wanted(row[i])
        ]
    except (ArithmeticError, ValueError):
        raise errors.no_derivative(node) from None
