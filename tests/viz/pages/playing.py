"""What the tests of the playground do and read in its page."""

import pytest


def button(tab, name):
    return tab.get_by_role("button", name=name, exact=True)


def field(tab, name):
    return tab.get_by_role("spinbutton", name=name, exact=True)


def number(tab, name):
    return float(tab.get_by_role("status", name=name, exact=True).text_content().split()[0].replace("−", "-"))


def weights(tab):
    return tab.evaluate("[...training.weights]")


def data_of(model):
    return [w.data for w in model.parameters()]


def train_epochs(tab, n):
    button(tab, "one epoch").evaluate("(button, n) => { for (let i = 0; i < n; i++) button.click(); }", n)


def close(x):
    return pytest.approx(x, rel=1e-9, abs=1e-9)


def saved(tab, name):
    """The text of the file that a button saves."""
    if not button(tab, name).is_visible():
        tab.get_by_text("save", exact=True).click()
    with tab.expect_download() as download:
        button(tab, name).click()
    return download.value.path().read_text(encoding="utf-8")


def point(tab, x, y):
    """The place on the screen of a share of the plane, from the left and from the bottom."""
    box = tab.locator("#play-canvas").bounding_box()
    return box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"]
