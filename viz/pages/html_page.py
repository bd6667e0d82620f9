"""The page itself: a drawing, words, data, a style and a script in one HTML file that loads nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.formatting import printable
from engine.validation import describe
from viz.pages.help_words import help_markup
from viz.pages.page_step import PageStep

ENGINE = ("functions.js", "special_functions.js", "format.js", "tape.js")
SHELL = (
    "clamp.js", "page.js", "link.js", "slots.js", "words.js", "number_field.js", "steps.js", "print.js", "help.js",
    "quiz.js", "share.js", "bridge.js",
)  # fmt: skip


def page_path(path: str | os.PathLike[str]) -> Path:
    """Return the path of a page.

    Raises:
        TypeError: the path is not a str or os.PathLike.
        ValueError: the path does not end in .html, or has a null character.
    """
    try:
        path = Path(path)
    except TypeError:
        raise TypeError(f"path must be a str or os.PathLike, got {describe(path)}") from None
    if "\0" in str(path):
        raise ValueError(f"path must not have a null character, got {str(path)!r}")
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


def page_with_steps(
    *,
    title: str,
    steps: Sequence[PageStep],
    data: Mapping[str, Any],
    templates: Mapping[str, str],
    rules: str,
    assets: Iterable[str],
    colours: str,
    legend: Mapping[str, str],
    keys: Mapping[str, str],
    **parts: str,
) -> str:
    """Return a page that goes through steps. Except for the title, every text is HTML that has been escaped.

    Args:
        title: the title of the window, plain text.
        steps: the steps; the words of step k become the template `step-k`.
        data: the data for the scripts: `tape`, `options`, and those of this kind of page.
        templates: other words with slots, by their ids.
        rules: the rows of the table as JavaScript, `Tape.script()`.
        assets: the scripts and styles of this kind of page, names of files in `assets`, after those of every page.
        colours: the style for its colours.
        legend: the meanings of the samples of the legend, as `help_markup` takes it.
        keys: the keys of this kind of page, the same.
        parts: `heading`, `stage` with the drawing, `panel` beside the words of a step, `note` of the teacher.
    """
    needs_special = re.search(r"math\.(erfc?|l?gamma)\b", rules)
    engine = [name for name in ENGINE if needs_special or name != "special_functions.js"]
    shell = [*SHELL, *(name for name in assets if name.endswith(".js")), "start.js"]
    script = "\n".join(['"use strict";', *map(asset, engine), rules, *map(asset, shell)])
    styles = ["page.css", "sharing.css", "quiz.css", *(name for name in assets if name.endswith(".css"))]
    style = "".join(map(asset, styles)) + colours
    templates = {**{f"step-{k}": step.words for k, step in enumerate(steps)}, **templates}
    data = {**data, "steps": [step.data() for step in steps]}
    markup = "".join(f'<template id="{name}">{text}</template>\n' for name, text in templates.items())
    parts |= {"help": help_markup(legend, keys), "templates": markup}
    return fill_page("page.html", title=title, script=script, style=style, data=data, parts=parts)


def fill_page(
    markup: str,
    *,
    title: str,
    script: str,
    style: str,
    data: Mapping[str, Any],
    parts: Mapping[str, str],
    policy: str = "",
    frame: str = "",
) -> str:
    """Return a page whose body is a file of `assets`, in which `@name@` marks the place of a part.

    Args:
        markup: the name of the file of `assets`.
        title: the title of the window, plain text.
        script: its only script.
        style: its only style.
        data: the data for the script.
        parts: the other parts by their names, HTML that has been escaped.
        policy: further sources of the Content-Security-Policy that the script needs.
        frame: a page that it shows in a frame, whose script and style the policy allows too.
    """
    script = _without_comments(script)
    scripts, styles = (re.findall(f"{kind}-src ('sha256-.*?');", frame) for kind in ("script", "style"))
    parts = {
        "policy": f"default-src 'none'; script-src {' '.join(filter(None, [_hash(script), policy, *scripts]))}; "
        f"style-src {' '.join([_hash(style), *styles])}; img-src blob:; base-uri 'none'; form-action 'none'",
        "title": html.escape(printable(title)),
        "style": style,
        "data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        "script": script,
        **parts,
    }
    document = asset("document.html").replace("@body@", asset(markup).rstrip())
    return re.sub(r"@(\w+)@", lambda match: parts[match[1]], document)


def write_page(path: Path, text: str) -> Path:
    """Write a page to a file; an existing one is replaced.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_bytes(text.encode())
    return path


def asset(name: str) -> str:
    """Return the text of a file of a page."""
    return (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")


def _without_comments(script: str) -> str:
    """Return a script without comments and types, which are a third of it."""
    lines = r"^[ \t]*(//[^\n]*|/\*\*((?!\*/).)*\*/)[ \t]*\n"
    return re.sub(lines + r"|/\*\* @[^\n]*?\*/ ?", "", script, flags=re.MULTILINE | re.DOTALL)


def _hash(text: str) -> str:
    """Return the hash of a script or style, as a Content-Security-Policy lists it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
