"""The stored outputs of lecture.ipynb: `python -m demos._notebook` runs it and stores them again.

GitHub shows neither SVG nor HTML in a notebook. So pictures of graphs, animations and live pages are stored as PNG,
which the program chromium takes, and live pages as files of the folder `pages` too. A reader who runs the notebook sees
the SVG and the page itself. It needs the extras `notebook` and `browser`.
"""

from __future__ import annotations

import base64
import copy
import importlib
import io
import os
import re
import shutil
import sys
import tempfile
from html import unescape
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).with_name("lecture.ipynb")
WIDTH = 1000  # CSS pixels of the column of outputs; a picture has twice as many pixels
PAGE = f'<!DOCTYPE html><body style="margin: 0; background: white; width: {WIDTH}px">'
COLOURS = 128  # of a stored picture


def nbformat() -> Any:
    """Return the package that reads and writes notebooks, which has few types."""
    return importlib.import_module("nbformat")


def run(path: Path) -> Any:
    """Run a notebook in an empty folder and return it with its outputs."""
    from nbclient import NotebookClient

    notebook = nbformat().read(path, as_version=4)
    metadata = copy.deepcopy(notebook.metadata)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTHONPATH"] = str(NOTEBOOK.parents[1])  # of the kernel
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}}).execute()
    notebook.metadata = metadata  # without the version of Python
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = merged(cell.outputs)
    return notebook


def merged(outputs: list[Any]) -> list[Any]:
    """Return outputs with the text of standard output in one piece, without standard error and counts."""
    text = "".join(output.text for output in outputs if output.get("name") == "stdout")
    others = [output for output in outputs if output.output_type != "stream"]
    for output in others:
        if output.output_type == "execute_result":
            output.execution_count = None
    if not text:
        return others
    return [nbformat().v4.new_output("stream", name="stdout", text=text), *others]


def store_as_png(notebook: Any, pages: Path) -> None:
    """Replace the HTML and SVG of every output by a PNG, and write live pages to files of a folder."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 800}, device_scale_factor=2)
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                if html := data.pop("text/html", None) or data.pop("image/svg+xml", None):
                    if live := re.search('srcdoc="([^"]*)"', html):
                        (pages / cell.id).with_suffix(".html").write_text(unescape(live[1]), encoding="utf-8")
                    data["image/png"] = screenshot(page, html)
                    output.metadata = {}
                if "image/png" in data:
                    data["image/png"] = compress(base64.b64decode(data["image/png"]))
        browser.close()


def screenshot(page: Any, html: str) -> str:
    """Return what an output looks like, of an animation its last frame, as the text of a PNG."""
    gif = re.search('data:image/gif;base64,([^"]+)', html)
    if gif:
        from PIL import Image

        animation: Any = Image.open(io.BytesIO(base64.b64decode(gif[1])))
        animation.seek(animation.n_frames - 1)
        last = io.BytesIO()
        animation.convert("RGB").save(last, "PNG")
        return base64.b64encode(last.getvalue()).decode()
    page.set_content(PAGE + html)
    if page.locator("iframe").count():
        page.frame_locator("iframe").get_by_role("button", name="last step").click()
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)  # for the page to draw the step
    png = page.locator("body > *").first.screenshot()
    return base64.b64encode(png).decode()


def compress(png: bytes) -> str:
    """Return the text of a PNG with a palette, which takes a third of the bytes."""
    from PIL import Image

    smaller = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(smaller, "PNG", optimize=True)
    return base64.b64encode(smaller.getvalue()).decode()


def main() -> None:
    """Run the notebook and store its outputs, in the file named on the command line or in the notebook itself."""
    notebook = run(NOTEBOOK)
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else NOTEBOOK
    pages = target.with_name("pages")
    pages.mkdir(exist_ok=True)
    store_as_png(notebook, pages)
    target.write_text(nbformat().writes(notebook) + "\n", encoding="utf-8")
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
