"""A record of comparisons of Values, since a replayed graph keeps the branches that they decided."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections import deque
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary, ref

if TYPE_CHECKING:
    from engine.value import Value

Place: TypeAlias = tuple[str, int]  # a file, and a line in it

MAX_NODES = 1000  # the most nodes that a comparison examines
PLACES, PER_PLACE = 256, 100  # the most places to record, and the most comparisons of parameters at each


class FrozenBranchWarning(UserWarning):
    """A replayed graph contains the outcome of a comparison such as `if a < b:`, and does not compare again."""


# Files of Python itself and of installed packages.
LIBRARY = re.compile(rf"{re.escape(os.path.dirname(os.__file__))}|[\\/](site|dist)-packages[\\/]")


@dataclass
class _Comparisons:
    """The comparisons at one place.

    Attributes:
        seen: for every node that was compared, or that a compared node depends on, the number of its first comparison.
        complete: for each comparison that depends only on leaves and unlabelled numbers, its number and these leaves.
    """

    seen: WeakKeyDictionary[Value, int] = field(default_factory=WeakKeyDictionary)
    complete: deque[tuple[int, list[ref[Value]]]] = field(default_factory=lambda: deque(maxlen=PER_PLACE))


class Comparisons:
    """A record of comparisons: where they were made, and weak references to the nodes that they depend on.

    Comparisons and recorded outputs are numbered in the order of time. At each place a node is examined once, and each
    comparison examines at most `MAX_NODES` nodes; deeper nodes are missed. Comparisons of `v.data`, or of nodes that
    were pickled, are not recorded. No lock is needed: threads only add entries.
    """

    def __init__(self) -> None:
        self._places: dict[Place, _Comparisons] = {}
        self._numbers = count()
        self._recorded: WeakKeyDictionary[Value, int] = WeakKeyDictionary()  # by output: the first number after it
        self._decided: WeakKeyDictionary[Value, tuple[Place, ...]] = WeakKeyDictionary()

    def note(self, operands: Sequence[Value], caller: int) -> None:
        """Record a comparison of Values by the function `caller` frames above, or by the code that called it."""
        here = self._comparisons_at(_place(caller + 1))
        number, later = next(self._numbers), next(self._numbers)
        nodes, is_complete = _examined(operands, here.seen)
        new = {node: number for node in nodes if node not in here.seen}
        if len(operands) > 1 and not any(map(_is_constant, operands)):
            # As in max(a*b, a + b): this comparison may have chosen one of them as the output.
            new |= {node: later for node in operands if node in new and node._a is not None}
        here.seen.update(new)
        leaves = [ref(node) for node in nodes if node._a is None]
        if is_complete and leaves:
            here.complete.append((number, leaves))

    def _comparisons_at(self, place: Place) -> _Comparisons:
        here = self._places.get(place)
        if here is None:
            if len(self._places) >= PLACES:
                self._places.pop(list(self._places)[0], None)  # noqa: RUF015, as other threads may add places
            here = self._places.setdefault(place, _Comparisons())
        return here

    def decide(self, places: Iterable[Place], nodes: Iterable[Value]) -> None:
        """Record that comparisons at these places decided which nodes were recorded."""
        places = tuple(places)
        if places:
            self._decided.update(dict.fromkeys(nodes, places))

    def copy(self, twins: Mapping[Value, Value]) -> None:
        """Record the comparisons of nodes for their copies too."""
        for here in [*self._places.values()]:
            here.seen.update({twin: here.seen[node] for node, twin in twins.items() if node in here.seen})
            for number, leaves in [*here.complete]:
                copies = [ref(twins[leaf]) for leaf in (x() for x in leaves) if leaf is not None and leaf in twins]
                if len(copies) == len(leaves):
                    here.complete.append((number, copies))
        self._decided.update({twin: self._decided[node] for node, twin in twins.items() if node in self._decided})

    def is_empty(self) -> bool:
        """Return whether there is nothing that could have decided the form of a graph."""
        return not (self._places or self._decided)

    def places(self) -> list[Place]:
        """Return where comparisons were made."""
        return [*self._places]

    def frozen(self, outputs: Iterable[Value], inputs: Iterable[Value], graph: Iterable[Value]) -> list[Place]:
        """Return the places of comparisons that may have decided the form of the `graph` of `outputs`.

        Such a comparison depends on an input, or only on other leaves of the graph and plain numbers. It was made
        before the outputs were recorded; or it compared an output with another Value later, and may have chosen it.
        """
        now, outputs = next(self._numbers), [*outputs]
        recorded = [self._recorded.setdefault(output, now) for output in outputs]
        if self.is_empty():
            return []
        graph, inputs, places = [*graph], [*inputs], [*self._places.items()]
        end = max(
            (
                min([number, *(here.seen.get(output, now) for _, here in places)])
                for output, number in zip(outputs, recorded, strict=True)
            ),
            default=now,
        )
        decided = {place: None for node in graph for place in self._decided.get(node, ())} if self._decided else {}
        nodes = {*graph} if any(here.complete for _, here in places) else set()
        for place, here in places:
            if any(here.seen.get(x, now) < end for x in inputs) or any(
                number < end and nodes.issuperset(leaf() for leaf in leaves) for number, leaves in [*here.complete]
            ):
                decided[place] = None
        return [*decided]


def _examined(operands: Iterable[Value], seen: Container[Value]) -> tuple[dict[Value, None], bool]:
    """Return the operands and the nodes below, and whether they are complete: few enough, and without labelled numbers.

    A node in `seen` was examined before, so the nodes below it are not examined again.
    """
    nodes: dict[Value, None] = {}
    is_complete = True
    lists: set[int] = set()  # by id
    stack: list[Any] = [*operands]
    for _ in range(MAX_NODES):
        if not stack:
            break
        node = stack.pop()
        if type(node) is tuple:
            if id(node) not in lists:
                lists.add(id(node))
                stack += node
        elif _is_constant(node):
            is_complete = is_complete and not node._label  # a label marks the input of a network, user data
        elif node not in nodes:
            nodes[node] = None
            if node._a is not None and node in seen:
                is_complete = False
            else:
                stack += [x for x in (node._a, node._b) if x is not None]
    return nodes, is_complete and not stack


def _is_constant(node: Value) -> bool:
    return node._grad is None


def _place(caller: int) -> Place:
    """Return the line that runs `caller` frames above, or, if it is in a library, the line that called the library."""
    try:
        nearest = sys._getframe(caller)
    except ValueError:  # no function of Python made the comparison
        return "<unknown>", 1
    frame: FrameType | None = nearest
    while frame and LIBRARY.search(frame.f_code.co_filename):
        frame = frame.f_back
    frame = frame or nearest
    return frame.f_code.co_filename, frame.f_lineno


EVERYWHERE = Comparisons()  # those outside of a training
_shown_warnings: dict[str | tuple[str, type[Warning], int], int] = {}  # with again=False each is given once


def warn_of_frozen(places: Iterable[Place], replay: str, *, again: bool = True) -> None:
    """Warn of comparisons as if their lines gave the warning.

    Args:
        places: where they were made.
        replay: the part of the message that says what repeats their outcomes, and what to write instead.
        again: whether to repeat a warning that was given before.
    """
    for file, line in places:
        warnings.warn_explicit(
            f"{file}, line {line}: Values were compared while the graph was recorded, and {replay}; "
            "compare v.data if the outcome does not matter for the graph",
            FrozenBranchWarning,
            file,
            line,
            registry={} if again else _shown_warnings,
        )
