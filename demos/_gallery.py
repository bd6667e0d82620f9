"""A page of the pictures that the demos leave."""

from __future__ import annotations

import html
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from string import Template

ARGUMENTS = {"backprop": ["tanh(a*b + c)", "a=2", "b=-3", "c=7"]}  # the picture of the README


@dataclass(frozen=True)
class Run:
    """A demo that was run.

    Attributes:
        name, summary: which it was.
        command: how one runs it.
        seconds: how long it took.
        failed: whether it ended with an error.
        pictures: the names of the pictures and pages that it left.
    """

    name: str
    summary: str
    command: str
    seconds: float
    failed: bool
    pictures: list[str]


def run(name: str, summary: str, folder: Path) -> Run:
    """Run a demo as its user does, but silently and without a keyboard; what it says of errors is shown."""
    command = ["python", "-m", f"demos.{name}", *ARGUMENTS.get(name, [])]
    output = folder / "backprop.svg" if name == "backprop" else folder
    before = _written(folder)
    start = time.perf_counter()
    status = subprocess.run(
        [sys.executable, *command[1:], "--output", str(output)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ).returncode
    seconds = time.perf_counter() - start
    pictures = sorted(name for name, when in _written(folder).items() if before.get(name) != when)
    return Run(name, summary, subprocess.list2cmdline(command), seconds, status != 0, pictures)


def _written(folder: Path) -> dict[str, int]:
    """When each picture and page was written."""
    paths = (path for path in folder.iterdir() if path.suffix in (".png", ".svg", ".gif", ".html"))
    return {path.name: path.stat().st_mtime_ns for path in paths}


def write(runs: list[Run], folder: Path) -> Path:
    """Write gallery.html beside the pictures: one file, which needs no network.

    Returns:
        The path of the page.
    """
    page = Template(Path(__file__).with_name("_gallery.html").read_text(encoding="utf-8"))
    shown = [run for run in runs if not run.failed]
    links = "".join(f'<a href="#{run.name}">{run.name}</a>\n' for run in shown)
    path = folder / "gallery.html"
    path.write_text(
        page.substitute(links=links, demos="".join(_section(run, folder) for run in shown)), encoding="utf-8"
    )
    return path


def _section(run: Run, folder: Path) -> str:
    pictures, pages = [], []
    for name in run.pictures:
        if name.endswith(".html"):
            pages.append(f'<p><a href="{name}">A page to step through: {name}</a></p>\n')
        else:
            alt = html.escape(told(folder / name) or run.summary)
            pictures.append(f'<a href="{name}"><img src="{name}" alt="{alt}"></a>\n')
    return (
        f'<section id="{run.name}">\n<h2>{run.name}</h2>\n<p>{html.escape(run.summary)}.</p>\n'
        f"<p><code>{html.escape(run.command)}</code></p>\n"
        f'{"".join(pages)}<div class="pictures">\n{"".join(pictures)}</div>\n</section>\n'
    )


def told(picture: Path) -> str:
    """What a picture says of itself to those who cannot see it; "" if nothing."""
    if picture.suffix == ".svg":
        return ET.parse(picture).getroot().get("aria-label", "")
    from PIL import Image

    with Image.open(picture) as image:
        return str(image.info.get("Description", ""))
