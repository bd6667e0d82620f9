"""One step of a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class PageStep:
    """One step of a page, for the script: `PageStep` in assets/page.js.

    Attributes:
        phase: `forward`, `backward`, `tangent`, `update` or `again`, the second forward pass.
        words: its words with slots, as HTML.
        actions: the actions that change numbers, which assets/tape.js defines.
        lit: the ids of the elements of the drawing that it highlights.
        focus: the id of the element that it is about; "" for none.
        edges: the id of the edge of each contribution.
        asks: what the quiz may ask before it: topic, and node or contribution.
    """

    phase: str
    words: str
    actions: list[list[Any]]
    lit: list[str]
    focus: str = ""
    edges: list[str] = field(default_factory=list)
    asks: list[list[Any]] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        """Return the step as data for the page, without its words."""
        omitted = {"words", *(name for name in ("edges", "asks") if not getattr(self, name))}
        return {name: value for name, value in vars(self).items() if name not in omitted}
