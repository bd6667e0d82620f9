"""Text stays inside its box, whatever fonts a machine has: measured in Chromium with each font that is installed."""

import shutil
import subprocess

import pytest

import nn
import viz
from engine import Backprop, Value

FONTS = ["DejaVu Sans", "Liberation Sans", "Arial", "Noto Sans", "Open Sans", "Roboto", "Inter", "Cantarell", "Verdana"]

OVERFLOWS = """(font) => {
    const style = document.createElement("style");
    style.textContent = `svg text { font-family: "${font}" !important }`;
    document.head.append(style);
    const found = [];
    for (const group of document.querySelectorAll("svg g.node, svg g.cluster")) {
        const shapes = [...group.querySelectorAll("path, polygon, ellipse")].map((shape) => shape.getBBox());
        if (!shapes.length) continue;
        const left = Math.min(...shapes.map((box) => box.x));
        const right = Math.max(...shapes.map((box) => box.x + box.width));
        for (const text of group.querySelectorAll("text")) {
            const box = text.getBBox();
            if (box.x < left + 1 || box.x + box.width > right - 1) {
                found.push(`${text.textContent}: ${box.x - left} .. ${right - box.x - box.width}`);
            }
        }
    }
    style.remove();
    return found;
}"""


def installed(font):
    """Whether a font is installed, and not replaced by another."""
    if not shutil.which("fc-match"):
        return False
    family = subprocess.run(["fc-match", "-f", "%{family}", font], capture_output=True, text=True, check=True).stdout
    return font in family.split(",")


def drawings():
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    L = (a * b + 7.0).tanh()
    L.label = "L"
    L.backward()
    yield "the README's graph", viz.draw(L)
    yield "a step", viz.draw(L, highlight=Backprop(L).step())
    yield "from top to bottom", viz.draw(L, rankdir="TB")
    numbers = Value(-0.000123456789, "m" * 30) * -1.23456e-100 * Value(888888.8, "WWWWWWWWWW")
    numbers.backward()
    yield "wide numbers and labels", viz.draw(numbers)
    scripts = [
        "вес Жёлтый ШШШ",
        "权重 权重 权重",
        "重み",
        "αβγδ ωΩ",
        "é ñ ß Æ",
        "× → … − ≤",
        "🎉👩\u200d🔬",
        "ﷺ",
        "שלום",
        "MMM",
    ]
    total = Value(1.0)
    for script in scripts:
        total = total + Value(1.0, script)
    yield "scripts", viz.draw(total)
    model = nn.MLP(2, [3, 1], seed=1)
    yield "a model", viz.draw(nn.mse([model([1.0, 2.0])], [1.0]))
    yield "a folded model", viz.draw(nn.mse([model([1.0, 2.0])], [1.0]), depth=0)


@pytest.mark.parametrize("font", FONTS)
def test_text_stays_inside_its_box(font, browser, tried):
    if not installed(font):
        pytest.skip(f"needs the font {font}")
    page = browser.new_page()
    for name, drawing in drawings():
        svg = drawing.pipe(encoding="utf-8")
        page.set_content(svg[svg.index("<svg") :])
        assert page.evaluate(OVERFLOWS, font) == [], f"{name} in {font}"
        tried["drawings measured in a font"] += 1
    page.close()
