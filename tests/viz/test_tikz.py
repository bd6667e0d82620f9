"""Drawings as TikZ: they compile, everything is where Graphviz places it, and labels do nothing."""

import re
import xml.etree.ElementTree as ET

import pytest

import nn
import viz
from engine import Backprop, Value
from tests.viz.test_equations import graph, pdf  # noqa: F401, a fixture
from tests.viz.test_typeset import COMMANDS, HOSTILE

SVG = "{http://www.w3.org/2000/svg}"


def pictures():
    L = graph()
    walk = Backprop(L)
    yield viz.tikz(L)
    yield viz.tikz(L, highlight=walk)
    yield viz.tikz(L, highlight=walk.step())
    yield viz.tikz(L, local_derivatives=True, rankdir="TB", scale=0.5)
    total = Value(1.0)
    for label in [*HOSTILE, "theta_hat", "a + b*c", "f(x=1)", "~a", "a | b", "a in b", "'x'", "a" * 60, "(" * 300]:
        total = total + Value(-1.5e-20, label)
    total.label = "\\end{tikzpicture}"
    yield viz.tikz(total)
    model = nn.MLP(2, [2, 1], seed=1)
    loss = nn.mse([model([1.0, 2.0]), model([3.0, 1.0])], [1.0, 0.0])
    for depth in (None, 0):
        yield viz.tikz(loss, depth=depth)


def test_pictures_compile(pdf):  # noqa: F811
    assert pdf(pictures(), r"\usepackage[paperwidth=5000pt,paperheight=9000pt]{geometry}\usepackage{amsmath,tikz}")


def test_everything_is_where_graphviz_places_it():
    L = graph()
    text = viz.tikz(L)
    svg = ET.fromstring(viz.draw(L).pipe())
    placed = {(round(float(x.get("x")), 1), round(-float(x.get("y")), 1)) for x in svg.iter(f"{SVG}text")}
    drawn = {(round(float(x), 1), round(float(y), 1)) for x, y in re.findall(r" at \(([\d.]+), ([\d.]+)\)", text)}
    assert drawn == placed


def test_curves_have_the_points_of_graphviz():
    x = Value(0.5, "x")
    L = (x * x.sin().tanh().exp()) + x
    L.label = "L"
    curves = [line.partition("]")[2] for line in viz.tikz(L).splitlines() if "controls" in line and "fill" not in line]
    drawn = [[float(number) for number in re.findall(r"-?\d[\d.]*", curve)] for curve in curves]
    svg = ET.fromstring(viz.draw(L).pipe())
    edges = [g for g in svg.iter(f"{SVG}g") if g.get("class") == "edge"]
    placed = [[float(number) for number in re.findall(r"-?[\d.]+", g.find(f"{SVG}path").get("d"))] for g in edges]
    flipped = [[-number if i % 2 else number for i, number in enumerate(numbers)] for numbers in placed]
    assert len(drawn) >= 10
    assert sorted(drawn) == [pytest.approx(numbers, abs=0.006) for numbers in sorted(flipped)]


def test_names_and_numbers_are_typeset():
    L = graph()
    text = viz.tikz(L, local_derivatives=True)
    contents = re.findall(r"\\selectfont (.*)\};", text)
    assert contents[:3] == ["$a$", "data $2.0$", "grad $0.0$"]
    assert {r"$\times$", "$+$", r"$\text{tanh}$", r"$a \cdot b + c$", "data $-3.0$", r"$\times$ $-3.0$"} <= set(
        contents
    )


def test_a_hidden_label_is_not_drawn():
    assert r"$\times$ $" not in viz.tikz(graph(), highlight=Backprop(graph()))


def test_labels_are_only_text():
    commands = {
        "begin",
        "end",
        "definecolor",
        "path",
        "node",
        "fontsize",
        "selectfont",
        "times",
        "cdot",
        "dots",
        *COMMANDS,
    }
    for label in HOSTILE:
        text = viz.tikz(Value(2.0, label) * 3.0)
        assert set(re.findall(r"\\([A-Za-z]+)", text)) <= commands
        assert text.count("tikzpicture") == 2


def test_a_file_and_the_prompt(tmp_path):
    text = viz.tikz(graph(), tmp_path / "L.tex")
    assert (tmp_path / "L.tex").read_text(encoding="utf-8") == f"{text}\n"
    assert repr(text) == str(text)


def test_errors_are_those_of_draw():
    with pytest.raises(ValueError, match="rankdir"):
        viz.tikz(graph(), rankdir="up")
    for scale in (0, -1.0, "x", float("nan"), float("inf")):
        with pytest.raises(ValueError, match="scale must be a number above 0"):
            viz.tikz(graph(), scale=scale)
    with pytest.raises(TypeError, match="got int 3"):
        viz.tikz(3)
