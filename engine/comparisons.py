"""A record of comparisons of Values, since a replayed graph keeps the branches that they decided."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import ref

if TYPE_CHECKING:
    from engine.value import Value

Place: TypeAlias = tuple[str, int]  # a file, and a line in it

Seen: TypeAlias = "dict[ref[Value], int]"

NEAREST = 1000  # the most nodes that a comparison examines
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
        room: the size of `seen` above which freed nodes are removed from it.
    """

    seen: Seen = field(default_factory=dict)
    complete: deque[tuple[int, list[ref[Value]]]] = field(default_factory=lambda: deque(maxlen=PER_PLACE))
    room: int = NEAREST


class Comparisons:
    """A record of comparisons: where they were made, and weak references to the nodes that they depend on.

    At each place a node is examined once, and each comparison examines at most `NEAREST` nodes; deeper nodes are
    missed. Comparisons of `v.data`, or of nodes that were pickled, are not recorded. No lock is needed: threads only
    add entries, and remove those of freed nodes.
    """

    def __init__(self) -> None:
        self._places: dict[Place, _Comparisons] = {}
        self._numbers = count()
        self._recorded: Seen = {}  # by output: the number of the first comparison after it was recorded
        self._decided: dict[ref[Value], tuple[Place, ...]] = {}
        self._room = NEAREST

    def note(self, operands: Iterable[Value], caller: int) -> None:
        """Record a comparison of Values by the function `caller` frames above, or by the code that called it."""
        place = _place(caller + 1)
        here = self._places.get(place)
        if here is None:
            if len(self._places) >= PLACES:
                self._places.pop(list(self._places)[0], None)  # noqa: RUF015, as other threads may add places
            here = self._places.setdefault(place, _Comparisons())
        number, seen = next(self._numbers), here.seen
        leaves, complete = [], True
        stack: list[Any] = [*operands]
        alternatives: Seen = {}
        if len(stack) > 1 and all(node._a is not None or node._grad is not None for node in stack):  # no constant
            later = next(self._numbers)
            alternatives = {ref(node): later for node in stack if node._a is not None and ref(node) not in seen}
        lists: set[int] = set()  # by id
        for _ in range(NEAREST):
            if not stack:
                break
            node = stack.pop()
            if type(node) is tuple:
                if id(node) not in lists:
                    lists.add(id(node))
                    stack += node
                continue
            a, b, key = node._a, node._b, ref(node)
            if a is None:
                if node._grad is None:  # a constant
                    complete = complete and not node._label  # a label marks the input of a network, user data
                    continue
                leaves.append(key)
            elif key in seen:
                complete = False
            else:
                stack.append(a)
                if b is not None:
                    stack.append(b)
            seen.setdefault(key, number)
        seen |= alternatives  # as in max(a*b, a + b): this comparison may have chosen one of them as the output
        if complete and leaves and not stack:
            here.complete.append((number, leaves))
        here.room = _without_freed(seen, here.room)

    def decide(self, places: Iterable[Place], nodes: Iterable[Value]) -> None:
        """Record that comparisons at these places decided which nodes were recorded."""
        places = tuple(places)
        if places:
            self._decided.update((ref(node), places) for node in nodes)
            self._room = _without_freed(self._decided, self._room)

    def copy(self, twins: Mapping[Value, Value]) -> None:
        """Record the comparisons of nodes for their copies too."""
        refs = {ref(node): ref(twin) for node, twin in twins.items()}
        for here in [*self._places.values()]:
            here.seen.update({refs[key]: here.seen[key] for key in refs.keys() & here.seen.keys()})
            for number, leaves in [*here.complete]:
                if refs.keys() >= set(leaves):
                    here.complete.append((number, [refs[leaf] for leaf in leaves]))
        self._decided.update({refs[key]: self._decided[key] for key in refs.keys() & self._decided.keys()})

    def places(self) -> list[Place]:
        """Return where comparisons were made."""
        return [*self._places]

    def frozen(self, outputs: Iterable[Value], inputs: Iterable[Value], graph: Iterable[Value]) -> list[Place]:
        """Return the places of comparisons that may have decided the form of the `graph` of `outputs`.

        These are the comparisons that depend on an input, or only on other leaves of the graph and plain numbers, and
        that were made before the outputs had been recorded, or that compared an output with another Value afterwards
        and may have chosen it.
        """
        now, keys = next(self._numbers), [ref(output) for output in outputs]
        ends = [self._recorded.setdefault(key, now) for key in keys]
        self._room = _without_freed(self._recorded, self._room)
        if not (self._places or self._decided):
            return []
        graph = [*graph]
        decided = {place: None for node in graph for place in self._decided.get(ref(node), ())} if self._decided else {}
        places = [*self._places.items()]
        ends = [
            min([end, *(here.seen.get(key, now) for _, here in places)]) for key, end in zip(keys, ends, strict=True)
        ]
        end = max(ends, default=now)
        keys = [ref(x) for x in inputs]
        nodes = {ref(node) for node in graph} if any(here.complete for _, here in places) else set()

        def decides(here: _Comparisons) -> bool:
            if any(here.seen.get(key, now) < end for key in keys):
                return True
            return any(number < end and nodes.issuperset(known) for number, known in [*here.complete])

        return [*(decided | {place: None for place, here in places if decides(here)})]


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


def _without_freed(seen: dict[ref[Value], Any], room: int) -> int:
    """Remove freed nodes if there are more than `room` nodes, and return the size above which to do so again."""
    if len(seen) <= room:
        return room
    for key in [*seen]:
        if key() is None:
            seen.pop(key, None)
    return NEAREST + 2 * len(seen)


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
