"""Drawings: SVG from the embedded Graphviz, other formats from the `dot` program."""

import shutil
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import graphviz
import pytest

import viz
from engine import Value
from viz.drawing import svg

SVG = "{http://www.w3.org/2000/svg}"


def example():
    return viz.draw(Value(2.0, "a") * Value(-3.0, "b"))


def test_a_graph_that_is_too_large_is_an_error():
    with pytest.raises(RuntimeError, match="too large for the embedded Graphviz"):
        svg("digraph {" + "subgraph {" * 100_000 + "}" * 100_000 + "}")


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
        assert (tmp_path / "L.gv").read_text() == example().source, "render keeps the DOT source, as graphviz does"

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
