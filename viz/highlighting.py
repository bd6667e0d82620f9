"""The state of a pass, as a drawing of its graph shows it: the derivatives known so far, and the last step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine import Backprop, ForwardMode, ForwardStep, Step, Value, topological_order
from engine.backprop import local_derivatives
from engine.graph import operand_rows
from viz import style as styles

Style = dict[str, str]


@dataclass(frozen=True)
class Highlight:
    """The state of a pass.

    Attributes:
        name: what the pass computes: `grad` or `tangent`.
        numbers: the gradients or tangents of the nodes that the pass has reached.
        step: the step done last, whose edges are highlighted; None at the start.
    """

    name: str
    numbers: Mapping[Value, float]
    step: Step | ForwardStep | None

    @classmethod
    def of(cls, source: Step | ForwardStep | Backprop | ForwardMode) -> Highlight:
        """Return the state after a step, or that of a walk."""
        step = source.last if isinstance(source, Backprop | ForwardMode) else source
        if isinstance(source, ForwardStep | ForwardMode):
            return cls("tangent", source.tangents, step)
        root = source._names.root
        return cls("grad", _gradients_after(step) if isinstance(step, Step) else {root: root.grad}, step)

    @property
    def is_backward(self) -> bool:
        """Whether the pass runs from the output to the leaves."""
        return self.name == "grad"

    def node_style(self, values: Iterable[Value]) -> Style:
        """Return the style of the box of some values: the giver has a solid border, a receiver a dashed one."""
        if self.step is None:
            return {}
        is_node = self.step.node in values
        if not is_node and not self.operands.intersection(values):
            return {}
        return styles.GIVER if is_node is self.is_backward else styles.RECEIVER

    def edge_style(self, values: Iterable[Value]) -> Style:
        """Return the style of the edges below the node of the step, whose arrows point to the receivers."""
        if self.step is None or self.step.node not in values:
            return {}
        return styles.LIT_EDGE | ({"dir": "back"} if self.is_backward else {})

    @property
    def operands(self) -> set[Value]:
        """The operands that take part in the step."""
        return {contribution.parent for contribution in self.step.contributions} if self.step else set()


def _gradients_after(step: Step) -> dict[Value, float]:
    """Return the gradients of the nodes that a backward pass has reached after a step."""
    root = step._names.root
    reached = {root: root.grad}
    for node in reversed(topological_order(root)):
        if node.parents:
            reached |= {x: x.grad for x in node.parents}
        if node is step.node:
            break
    return reached | dict.fromkeys([step.node], step.upstream) | {x.parent: x.total for x in step.contributions}


def local_derivatives_by_place(node: Value) -> dict[int, float]:
    """Return the local derivatives of a node, by the place of the operand in `parents`; none where one has no value."""
    rows = operand_rows(node)
    places = [i * len(rows) + place for place, row in enumerate(rows) for i, x in enumerate(row) if not x.is_constant]
    try:
        numbers = [number for _, _, number in local_derivatives(node, lambda x: not x.is_constant)]
    except (ArithmeticError, RuntimeError):
        return {}
    return dict(zip(places, numbers, strict=True))
