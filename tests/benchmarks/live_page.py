"""A live page of 290 nodes in the browser: how long it takes to open, to step, and to follow a leaf that changes.

    python -m tests.benchmarks.live_page

A frame of 60 per second lasts 16.7 milliseconds. The times of steps and changes have the layout in them.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import viz
from tests.viz.pages.browsing import chain

PAINTED = "performance.getEntriesByType('paint').map(({ startTime }) => startTime).pop() ?? NaN"
MEDIAN = """() => {
    const times = Array.from({ length: 41 }, (_, i) => {
        const start = performance.now();
        ACTION;
        document.body.getBoundingClientRect();
        return performance.now() - start;
    });
    return times.sort((a, b) => a - b)[20];
}"""
CHANGE = "page.change((state) => { state.numbers[0] = 0.5 + i / 100; })"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
        tab.goto(viz.page(chain(290), Path(folder, "L.html")).as_uri())
        tab.wait_for_timeout(1000)
        print(f"painted after {tab.evaluate(PAINTED):.0f} ms")
        print(f"a step: {tab.evaluate(MEDIAN.replace('ACTION', 'page.show(i * 10)')):.1f} ms, median of 41")
        for name, key in (("first", "Home"), ("last", "End")):
            tab.keyboard.press(key)
            tab.wait_for_timeout(500)
            print(f"a change at the {name} step: {tab.evaluate(MEDIAN.replace('ACTION', CHANGE)):.1f} ms, median of 41")


if __name__ == "__main__":
    main()
