"""The moving pictures of the README: a live page that follows a leaf, and a training seen down to one chain rule.

`python -m demos._live_picture` writes live.webp, live_dark.webp and playground.webp to demos/pictures; it needs the
extra `browser` and the program chromium.
"""

import io
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

import nn
import viz
from engine import Value

FOLDER = Path(__file__).parent / "pictures"
STEP, CHANGE, PAUSE = 1300, 160, 2500  # milliseconds that a frame is shown
N_CHANGES = 6  # of the leaf a, by 0.1 each, and back
EPOCHS = 60  # of the training, which 12 frames show
XOR = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]

Scheme = Literal["light", "dark"]
Frames: TypeAlias = Iterator[tuple[bytes, int]]  # screenshots as PNG, and how long each is shown, in milliseconds


def readme_graph() -> Value:
    """Return the graph of the README."""
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(7.0, "c")
    L = (a * b + c).tanh()
    L.label = "L"
    return L


def live(page: Any) -> Frames:
    """Yield a walk through a graph, then the changes of a leaf."""
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


def training(page: Any) -> Frames:
    """Yield a training, then the step that moved a weight, then the chain rule of one example."""
    epoch = page.get_by_role("button", name="one epoch")
    yield page.screenshot(), STEP
    for i in range(EPOCHS):
        epoch.click()
        if i % (EPOCHS // 12) == 0:
            page.mouse.move(0, 0)
            yield page.screenshot(), CHANGE
    yield page.screenshot(), STEP
    page.locator("#play-lines line").nth(2).dispatch_event("click")
    page.wait_for_timeout(300)
    yield page.screenshot(), PAUSE
    page.locator("#play-zoom-terms tbody button").nth(2).click()
    page.wait_for_timeout(1500)
    yield page.screenshot(), PAUSE


def write(path: Path, page_file: Path, frames: Callable[[Any], Frames], scheme: Scheme, **options: Any) -> None:
    """Write frames of a page as a moving picture, in light or dark colours.

    Args:
        path: the picture.
        page_file: the page.
        frames: what is done in the page.
        scheme: the colours.
        options: those of Pillow for WebP.
    """
    from PIL import Image
    from playwright.sync_api import sync_playwright

    width, height = (1000, 600) if frames is live else (1280, 720)
    chromium = shutil.which("chromium")
    with sync_playwright() as driver, driver.chromium.launch(executable_path=chromium, args=FLAGS) as browser:
        size: Any = {"width": width, "height": height}
        page = browser.new_page(viewport=size, color_scheme=scheme, reduced_motion="reduce")
        page.goto(page_file.as_uri())
        page.wait_for_timeout(300)
        shots, durations = zip(*frames(page), strict=True)
    images = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    first, *others = [image.resize((1000, height * 1000 // width)) for image in images]
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0, method=6, **options)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Write all pictures to the folder named on the command line, by default that of the README."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    with tempfile.TemporaryDirectory() as pages:
        graph = viz.page(readme_graph(), Path(pages, "L.html"))
        write(folder / "live.webp", graph, live, "light", lossless=True)
        write(folder / "live_dark.webp", graph, live, "dark", lossless=True)
        model = nn.MLP(2, [4, 1], seed=1)
        optimizer = nn.Adam(model.parameters(), learning_rate=0.05)
        xor = viz.playground(
            model, XOR, Path(pages, "xor.html"), loss=nn.binary_cross_entropy, optimizer=optimizer,
            title="XOR: a network 2-4-1 learns",
        )  # fmt: skip
        write(folder / "playground.webp", xor, training, "light", quality=60)


if __name__ == "__main__":
    main()
