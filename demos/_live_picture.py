"""The moving picture of the README: a live page that goes through its graph, and follows a leaf that changes.

`python -m demos._live_picture` writes live.webp and live_dark.webp to demos/pictures; it needs the extra `browser` and
the program chromium.
"""

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import viz
from engine import Value

FOLDER = Path(__file__).parent / "pictures"
STEP, CHANGE, PAUSE = 1300, 160, 2500  # milliseconds that a frame is shown
N_CHANGES = 6  # of the leaf a, by 0.1 each, and back
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]

Scheme = Literal["light", "dark"]


def readme_graph() -> Value:
    """Return the graph of the README."""
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(7.0, "c")
    L = (a * b + c).tanh()
    L.label = "L"
    return L


def frames(page_file: Path, scheme: Scheme) -> Iterator[tuple[bytes, int]]:
    """Yield the screenshots of a page, as PNG, and how long each is shown, in milliseconds."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    with sync_playwright() as driver, driver.chromium.launch(executable_path=chromium, args=FLAGS) as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 600}, color_scheme=scheme, reduced_motion="reduce")
        page.goto(page_file.as_uri())
        next_step = page.get_by_role("button", name="next step")
        yield page.screenshot(), STEP
        while next_step.is_enabled():
            next_step.click()
            page.mouse.move(0, 0)
            yield page.screenshot(), STEP
        leaf = page.get_by_label("value of a", exact=True)
        leaf.focus()
        for key in ("ArrowUp", "ArrowDown"):
            for i in range(1, N_CHANGES + 1):
                leaf.press(key)
                yield page.screenshot(), PAUSE if i == N_CHANGES else CHANGE


def write(path: Path, scheme: Scheme) -> None:
    """Write the moving picture to a file, in light or dark colours."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        page = viz.page(readme_graph(), Path(folder, "L.html"))
        shots, durations = zip(*frames(page, scheme), strict=True)
    first, *others = (Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots)
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0, lossless=True, method=6)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Write both pictures to the folder named on the command line, by default that of the README."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    write(folder / "live.webp", "light")
    write(folder / "live_dark.webp", "dark")


if __name__ == "__main__":
    main()
