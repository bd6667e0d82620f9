"""The page itself: an SVG drawing, its frames, a style and a script in one HTML file that loads nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from engine.formatting import printable
from viz.pages.dark_mode import colour_rules

GUIDE = "Use the up and down arrow keys to move between nodes, Enter to go to the step of a node."


@dataclass(frozen=True)
class Frame:
    """One step of a page.

    Attributes:
        title: the heading of the step, such as `Backward 2 of 7`.
        lines: the plain text below the drawing, line by line.
        highlighted: the ids of the nodes and edges to highlight.
        texts: the new text of SVG text elements, by id, from this step on; "" hides one.
        node: the id of the node that is computed, whose click leads here; "" for none.
        phase: `forward`, `backward`, `update` or `again`, the second forward pass; "" for none.
        attributes: the new attributes of SVG elements, by id, from this step on; the first frame has all that change.
    """

    title: str
    lines: tuple[str, ...] = ()
    highlighted: tuple[str, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    node: str = ""
    phase: str = ""
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)


def page_path(path: str | os.PathLike[str]) -> Path:
    """Return the path of a page.

    Raises:
        ValueError: the path does not end in .html.
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"path must end in .html, got {path.name!r}")
    return path


def parse_svg(svg: str) -> ET.Element:
    """Return a drawing as a tree without namespaces, which HTML does not use."""
    tree = ET.fromstring(svg)
    for element in tree.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {name: value for name, value in element.attrib.items() if "}" not in name}
    return tree


def write_page(
    path: str | os.PathLike[str],
    svg: ET.Element,
    frames: Sequence[Frame],
    title: str,
    descriptions: Mapping[str, str],
    *,
    beside: bool = False,
) -> Path:
    """Write a page that steps through the frames of a drawing.

    Args:
        path: the file; an existing one is replaced.
        svg: the drawing, as `parse_svg` returns it, which this function changes: groups of class `node` or `edge`
            with ids, in colours for a light background.
        frames: the steps in order, at least one.
        title: the title of the page, plain text.
        descriptions: the description of a node by its id, plain text, for tooltips and screen readers.
        beside: place the lines beside the drawing where it can be larger there, for lines that are short.

    Returns:
        The path of the file.

    Raises:
        ValueError: there is no frame, or a frame or `descriptions` names an id that the drawing does not have.
        OSError: the file cannot be written.

    >>> import tempfile
    >>> svg = parse_svg('<svg viewBox="0 0 9 9"><g id="a" class="node"><text id="t">?</text></g></svg>')
    >>> frames = [Frame("One", ("a = 1.0",), ("a",), {"t": "1.0"})]
    >>> write_page(f"{tempfile.mkdtemp()}/a.html", svg, frames, "a", {"a": "a, a leaf"}).name
    'a.html'
    """
    if not frames:
        raise ValueError("frames must contain at least one Frame, got none")
    elements = {element.get("id", ""): element for element in svg.iter()}
    for frame in frames:
        ids = (*frame.highlighted, *frame.texts, *frame.attributes, *filter(None, [frame.node]))
        _check_ids(ids, elements, f"frame {frame.title!r}")
        for text_id, text in frame.texts.items():
            elements[text_id].text = text  # without JavaScript, the drawing is that of the last step
    _check_ids(descriptions, elements, "descriptions")
    style = asset("frames.css") + colour_rules(svg, *(x for frame in frames for x in frame.attributes.values()))
    for frame in frames:
        for element_id, attributes in frame.attributes.items():
            elements[element_id].attrib |= attributes
    _prepare_inline(svg, printable(title))
    script = asset("frames.js")
    data = {"frames": [asdict(frame) for frame in frames], "descriptions": dict(descriptions)}
    parts = {
        "policy": f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'",
        "heading": html.escape(printable(title)),
        "beside": str(beside).lower(),
        "style": style,
        "svg": ET.tostring(svg, encoding="unicode"),
        "data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        "script": script,
    }
    path = Path(path)
    path.write_bytes(re.sub(r"@(\w+)@", lambda match: parts[match[1]], asset("frames.html")).encode())
    return path


def _check_ids(ids: Iterable[str], elements: Mapping[str, ET.Element], user: str) -> None:
    for name in ids:
        if name not in elements:
            raise ValueError(f"{user} must name ids of the drawing, got {name!r}")


def asset(name: str) -> str:
    """Return the text of a file of a page."""
    return (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the hash of a script or style, as a Content-Security-Policy lists it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _prepare_inline(svg: ET.Element, heading: str) -> None:
    """Prepare an SVG for inlining: accessible titles for screen readers, no hover tooltips."""
    for name in ("width", "height", "aria-label"):
        svg.attrib.pop(name, None)
    for group in svg.iter("g"):
        for title in group.findall("title"):
            group.remove(title)
        group.tail = None
    for group in svg.findall("g"):
        group.insert(0, ET.Element("title"))  # an empty title keeps the browser from showing the drawing's as tooltip
    for name, text in (("desc", GUIDE), ("title", heading)):
        element = svg.find(name)
        if element is None:
            element = ET.Element(name)
            element.text = text
            svg.insert(0, element)
        element.set("id", f"page-drawing-{name}")
    svg.attrib |= {
        "role": "group", "aria-labelledby": "page-drawing-title", "aria-describedby": "page-drawing-desc",
    }  # fmt: skip
