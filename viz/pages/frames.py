"""Frames: what a drawing shows, one step after the other. `viz.write_page` steps through them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Frame:
    """One step of a drawing.

    Attributes:
        title: where it stands: `Backward 2 of 7`.
        lines: what is said below the drawing, as plain text.
        lit: the ids of the SVG elements that are lit up, nodes and edges.
        texts: id of an SVG text element -> what it reads from this frame on; "" hides it.
        node: the id of the SVG element whose click leads to this frame; "" for none.
        part: `forward`, `backward` or `update`; "" for none.
    """

    title: str
    lines: tuple[str, ...] = ()
    lit: tuple[str, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    node: str = ""
    part: str = ""
