"""Drawings: SVG from the embedded Graphviz, other formats from the `dot` program."""

import shutil
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import graphviz
import pytest

import engine
import nn
import viz
from engine import Value
from viz.drawing import svg

SVG = "{http://www.w3.org/2000/svg}"


def example():
    return viz.draw(Value(2.0, "a") * Value(-3.0, "b"))


def test_a_graph_that_is_too_large_is_an_error():
    with pytest.raises(RuntimeError, match="too large for the embedded Graphviz"):
        svg("digraph {" + "subgraph {" * 100_000 + "}" * 100_000 + "}")


def test_a_layout_that_takes_long_stops_with_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr("viz.embedded_graphviz.FUEL", 5_000_000)
    with pytest.raises(RuntimeError, match=r"layout takes too long.* inner node.* dot and sum"):
        viz.draw(engine.sum([Value(0.1) for _ in range(100)])).pipe()
    layer = nn.Layer(3, 3, label="layer1", seed=1)
    with pytest.raises(RuntimeError, match=r"layout takes too long.* depth=0"):
        viz.draw(nn.mse(layer([0.5] * 3), [0.0] * 3), depth=3).pipe()


@pytest.fixture
def no_dot(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("dot") is None


@pytest.mark.usefixtures("no_dot")
class TestWithoutDotProgram:
    def test_svg_needs_no_program(self, tmp_path):
        outfile = tmp_path / "L.svg"
        assert example().render(outfile=outfile) == str(outfile)
        assert ET.parse(outfile).getroot().tag == f"{SVG}svg"
        assert list(tmp_path.iterdir()) == [outfile], "no DOT source beside it"

    def test_a_filename_that_ends_like_a_picture_is_the_picture(self, tmp_path, monkeypatch):
        drawing = example()
        drawing.save(tmp_path / "L.gv")
        assert drawing.render("L.svg", directory=tmp_path) == str(tmp_path / "L.svg")
        monkeypatch.chdir(tmp_path)
        assert drawing.render(Path("M.SVG")) == "M.SVG"
        assert sorted(file.name for file in tmp_path.iterdir()) == ["L.gv", "L.svg", "M.SVG"]
        assert ET.parse(tmp_path / "M.SVG").getroot().tag == f"{SVG}svg"
        with pytest.raises(graphviz.ExecutableNotFound, match="png needs Graphviz's program dot"):
            drawing.render("L.png")
        assert not (tmp_path / "L.png").exists()

    def test_a_missing_folder_is_created(self, tmp_path):
        example().render(outfile=tmp_path / "a" / "b.svg")
        example().render("c/d.svg", directory=tmp_path)
        assert sorted(file.name for file in tmp_path.glob("*/*")) == ["b.svg", "d.svg"]

    def test_a_second_argument_of_draw_is_the_file(self, tmp_path):
        viz.draw(Value(2.0, "a"), tmp_path / "a.svg")
        assert [file.name for file in tmp_path.iterdir()] == ["a.svg"]

    def test_render_as_graphviz_does(self, tmp_path):
        drawing = example()
        assert drawing.render("graph", directory=tmp_path, cleanup=True) == str(tmp_path / "graph.svg")
        assert not (tmp_path / "graph").exists()
        with pytest.raises(graphviz.FileExistsError):
            drawing.render("graph", directory=tmp_path, raise_if_result_exists=True)
        with pytest.raises(ValueError, match="filename"):
            drawing.render(tmp_path / "a.svg", outfile=tmp_path / "a.svg")

    def test_in_a_notebook(self):
        bundle = example()._repr_mimebundle_()
        assert "<svg" in bundle["image/svg+xml"]

    @pytest.mark.parametrize("ending", ["png", "pdf"])
    def test_other_formats_say_what_they_need(self, ending, tmp_path):
        with pytest.raises(graphviz.ExecutableNotFound, match=f"{ending} needs Graphviz's program dot"):
            example().render(outfile=tmp_path / f"L.{ending}")
        with pytest.raises(graphviz.ExecutableNotFound, match="write svg"):
            example().pipe(format=ending)


def test_other_formats_go_to_dot(tmp_path, monkeypatch):
    dot_program = tmp_path / "dot"
    dot_program.write_text(
        f"#!{sys.executable}\nimport sys; sys.stdout.write(' '.join(sys.argv[1:]) + sys.stdin.read(9))\n"
    )
    dot_program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert example().pipe(format="png", encoding="utf-8") == "-Kdot -Tpngdigraph {"
    dot_program.write_text(
        f"#!{sys.executable}\nimport shutil, sys; shutil.copy(sys.argv[-1], sys.argv[sys.argv.index('-o') + 1])\n"
    )
    drawing = example()
    monkeypatch.chdir(tmp_path)
    for path in ("L.png", Path("L.pdf")):
        assert drawing.render(path) == str(path)
        assert Path(path).read_text() == drawing.source
    assert sorted(file.name for file in tmp_path.iterdir()) == ["L.pdf", "L.png", "dot"]


def test_is_a_digraph():
    drawing = example()
    assert isinstance(drawing, graphviz.Digraph)
    drawing.attr(label="my title")
    drawing.node("more")
    assert "my title" in drawing.pipe(encoding="utf-8")
    assert "more" in drawing.copy().source


def test_a_picture_does_not_corrupt_the_next():
    corrupting = 'digraph { node [shape=Mrecord] a [label="\\na|b|c"] }'  # it corrupts the memory of Graphviz
    pictures = {svg(corrupting) for _ in range(20)}
    assert len(pictures) == 1
    assert "data 2.0" in example().pipe(encoding="utf-8")


def test_many_threads_draw_the_same_picture():
    with ThreadPoolExecutor(8) as pool:
        pictures = set(pool.map(lambda _: example().pipe(), range(64)))
    assert len(pictures) == 1
