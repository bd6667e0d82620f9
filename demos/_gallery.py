"""A page of the pictures that the demos write."""

import html
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple

from demos._site import write_page

INTRODUCTION = """<h1>glassgrad: the demos</h1>
<p>Written by <code>python -m demos all</code>. Every demo has options: add <code>--help</code>.</p>
"""


class Run(NamedTuple):
    """A demo that was run, its duration, and the file names of the pictures and pages that it wrote."""

    name: str
    summary: str
    seconds: float
    failed: bool
    pictures: list[str]


def run(name: str, summary: str, folder: Path) -> Run:
    """Run a demo with its defaults in a process of its own, which prints nothing but errors."""
    output = folder / "backprop.svg" if name == "backprop" else folder
    before = _picture_times(folder)
    start = time.perf_counter()
    command = [sys.executable, "-m", f"demos.{name}", "--output", str(output)]
    status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
    seconds = time.perf_counter() - start
    pictures = sorted(name for name, written in _picture_times(folder).items() if before.get(name) != written)
    return Run(name, summary, seconds, status != 0, pictures)


def _picture_times(folder: Path) -> dict[str, int]:
    """Return when each picture and page in a folder was written, in nanoseconds."""
    paths = (path for path in folder.iterdir() if path.suffix in (".png", ".svg", ".gif", ".html"))
    return {path.name: path.stat().st_mtime_ns for path in paths}


def write(runs: list[Run], folder: Path) -> Path:
    """Write gallery.html beside the pictures of these runs and return its path; the page needs no network."""
    successes = [run for run in runs if not run.failed]
    links = "".join(f'<a href="#{run.name}">{run.name}</a>\n' for run in successes)
    sections = "".join(_section(run, folder) for run in successes)
    content = f'{INTRODUCTION}<nav aria-label="Demos">\n{links}</nav>\n<main>\n{sections}</main>\n'
    return write_page("glassgrad: the demos", content, folder / "gallery.html")


def _section(run: Run, folder: Path) -> str:
    pictures, pages = [], []
    for name in run.pictures:
        if name.endswith(".html"):
            pages.append(f'<p><a href="{name}">Interactive page: {name}</a></p>\n')
        else:
            alt = html.escape(alt_text(folder / name) or run.summary)
            pictures.append(f'<a href="{name}"><img src="{name}" alt="{alt}"></a>\n')
    return (
        f'<section id="{run.name}">\n<h2>{run.name}</h2>\n<p>{html.escape(run.summary)}.</p>\n'
        f"<p><code>python -m demos.{run.name}</code></p>\n"
        f'{"".join(pages)}<div class="pictures">\n{"".join(pictures)}</div>\n</section>\n'
    )


def alt_text(picture: Path) -> str:
    """Return the alternative text stored in a picture, "" if there is none."""
    if picture.suffix == ".svg":
        return ET.parse(picture).getroot().get("aria-label", "")
    from PIL import Image

    with Image.open(picture) as image:
        return str(image.info.get("Description", ""))
