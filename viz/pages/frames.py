"""Frames: the steps that a page shows one after the other. `viz.pages.html_page.write_page` takes them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Frame:
    """One step of a page.

    Attributes:
        title: the heading of the step, such as `Backward 2 of 7`.
        lines: the plain text below the drawing, line by line.
        lit: the ids of the nodes and edges to highlight.
        texts: the new text of SVG text elements, by id, from this step on; "" hides one.
        node: the id of the node that is computed, whose click leads here; "" for none.
        part: `forward`, `backward`, `update` or `again`, the second forward pass; "" for none.
        attributes: the new attributes of SVG elements, by id, from this step on; the first frame has all that change.
    """

    title: str
    lines: tuple[str, ...] = ()
    lit: tuple[str, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    node: str = ""
    part: str = ""
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
