"""A pass over a graph that is held still: what `Backprop` and `ForwardMode` have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from engine.notebook import Pictured
from engine.validation import describe
from engine.value import Value

if TYPE_CHECKING:
    from rich.text import Text

StepType = TypeVar("StepType")


class Printed(Pictured):
    """An object that prints itself as text, with colours in a terminal."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def __rich__(self) -> Text:
        from rich.text import Text

        text = Text(str(self))
        text.highlight_regex(r"(?m)^  \S.*?(?= \+= )", "cyan")
        text.highlight_regex(r"(?m)(?<== )\S+$", "bold")
        return text


class Walk(Printed, ABC, Generic[StepType]):
    """A pass over the graph of `root`, one step per node."""

    root: Value
    _nodes: list[Value]  # in the order of the steps
    _done: list[StepType]

    def __iter__(self) -> Iterator[StepType]:
        return self

    def __next__(self) -> StepType:
        step = self.step()
        if step is None:
            raise StopIteration
        return step

    def __len__(self) -> int:
        """Return the number of all steps."""
        return len(self._nodes)

    @property
    def position(self) -> int:
        """The number of steps done, from 0 to `len(self)`."""
        return len(self._done)

    @property
    def upcoming(self) -> Value | None:
        """The node whose step is next; None at the end."""
        return self._nodes[self.position] if self.position < len(self) else None

    @property
    def last(self) -> StepType | None:
        """The last step done; None at the start."""
        return self._done[-1] if self._done else None

    def step(self) -> StepType | None:
        """Do the next step and return it; None at the end.

        Raises:
            ArithmeticError: a derivative has no value or overflows; the step is not done.
            RuntimeError: the graph was changed between steps.
        """
        if self.upcoming is None:
            return None
        self._done.append(self._do(self.upcoming))
        return self.last

    def back(self) -> StepType | None:
        """Undo the last step and return it; None at the start."""
        if self.last is None:
            return None
        self._undo(self.last)
        return self._done.pop()

    def reset(self) -> Self:
        """Start again, at the point where the graph is now: undo every step.

        Raises:
            RuntimeError: a leaf was changed since the graph was recorded.
        """
        for step in reversed(self._done):
            self._undo(step)
        self._done.clear()
        self._start()
        return self

    @abstractmethod
    def _start(self) -> None:
        """Set the derivatives at the start.

        Raises:
            RuntimeError: a leaf was changed since the graph was recorded.
        """

    @abstractmethod
    def _do(self, node: Value) -> StepType:
        """Apply the chain rule at a node, and return the step."""

    @abstractmethod
    def _undo(self, step: StepType) -> None:
        """Put the derivatives back that a step has changed."""

    @abstractmethod
    def _steps_until(self, node: Value) -> int:
        """Return the number of steps after which the derivative of, or with respect to, `node` is complete.

        Raises:
            ValueError: `node` is not in this graph.
        """

    def run(self, until: Value | None = None) -> Self:
        """Do all remaining steps, or those until the derivative at the node `until` is complete.

        Raises:
            TypeError: `until` is not a Value.
            ValueError: `until` is not a node of this graph.
        """
        if until is not None and not isinstance(until, Value):
            raise TypeError(f"until must be a node of this graph, got {describe(until)}")
        needed = len(self) if until is None else self._steps_until(until)
        while self.position < needed:
            self.step()
        return self
