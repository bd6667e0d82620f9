"""The notebook of the lecture: its order, its exercises, and what it stores."""

import ast
import base64
import io
import json
import math
import re
import shutil
import tomllib

import pytest
from PIL import Image

import engine
import nn
from demos import _notebook
from engine import Value
from tests.demos.helpers import ROOT

LECTURE = ROOT / "demos" / "lecture.ipynb"
NOTEBOOK = json.loads(LECTURE.read_text(encoding="utf-8"))
CELLS = NOTEBOOK["cells"]
TEXT = "\n".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")
EXERCISES = ["".join(cell["source"]) for cell in CELLS if "exercise" in cell["metadata"].get("tags", [])]
SOLUTIONS = re.findall(r"^\d+\. `(.*)`$", TEXT, re.MULTILINE)
CHECK = """
def check(is_right, hint):
    answers.append(bool(is_right))
def set_weights(model, weights):
    for parameter, weight in zip(model.parameters(), weights, strict=True):
        parameter.data = weight
"""
XOR = [((0, 0), -1), ((0, 1), 1), ((1, 0), 1), ((1, 1), -1)]


def outputs():
    """Every output with the id of its cell."""
    return [(cell["id"], output) for cell in CELLS for output in cell.get("outputs", [])]


def is_right(exercise):
    """Whether an exercise finds its answer right."""
    names = {"nn": nn, "engine": engine, "Value": Value, "math": math, "XOR": XOR, "answers": []}
    exec(CHECK + exercise, names)
    (answer,) = names["answers"]
    return answer


def test_its_sections_are_in_the_order_of_the_lecture():
    firsts = [int(page) for page in re.findall(r"^##+ .*\(P(\d+)", TEXT, re.MULTILINE)]
    assert firsts == sorted(firsts)
    assert len(firsts) >= 12


def test_it_has_a_kernel_of_any_machine_and_no_counts():
    assert NOTEBOOK["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert all(cell["metadata"] in ({}, {"tags": ["exercise"]}) for cell in CELLS)
    assert all(cell.get("execution_count") is None for cell in CELLS)
    assert str(ROOT) not in LECTURE.read_text(encoding="utf-8")


def test_its_first_cell_of_code_installs_glassgrad_where_it_is_missing():
    first = next("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code")
    tree = ast.parse(first.replace("%pip install -q ", "install = "))
    assert isinstance(tree.body[1], ast.Try)
    assert ast.unparse(tree.body[1].body) == "import viz"
    assert ast.unparse(tree.body[1].handlers[0].type) == "ImportError"
    assert '%pip install -q "glassgrad[demos]"' in first
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    for package in needed:  # of JupyterLite, which installs them by name
        if "!= 'emscripten'" in package:
            continue
        assert f'"{re.match(r"[a-z-]+", package)[0]}"' in first


def test_github_shows_every_picture():
    pictures = 0
    for name, output in outputs():
        assert output["output_type"] != "error", name
        data = output.get("data", {})
        assert not {"text/html", "image/svg+xml"} & data.keys(), "GitHub leaves them out"
        if "image/png" in data:
            pictures += 1
            assert Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).width >= 600, name
    assert pictures >= 20
    assert LECTURE.stat().st_size < 4_000_000


def test_a_live_page_is_a_link_and_a_picture():
    pages = re.findall(r"\((pages/[\w-]+\.html)\)", TEXT)
    assert len(pages) == 2
    for page in pages:
        text = (LECTURE.parent / page).read_text(encoding="utf-8")
        assert text.startswith("<!DOCTYPE html>")
        cell = next(cell for cell in CELLS if f"pages/{cell['id']}.html" == page)
        assert "viz.embed" in "".join(cell["source"])
        assert any("image/png" in output.get("data", {}) for output in cell["outputs"])


def test_there_is_a_solution_for_each_exercise():
    assert len(EXERCISES) == len(SOLUTIONS) == len(re.findall(r"^\*\*Exercise \d", TEXT, re.MULTILINE)) >= 8


@pytest.mark.parametrize(("exercise", "solution"), list(zip(EXERCISES, SOLUTIONS, strict=True)))
def test_an_exercise_checks_its_answer(exercise, solution):
    first, _, rest = exercise.partition("\n")
    assert first.partition(" = ")[0] == solution.partition(" = ")[0], "the first line is the answer"
    assert not is_right(exercise)
    assert is_right(f"{solution}\n{rest}")
    assert not is_right(f"{solution}\n{first.partition(' = ')[0]} = {wrong(solution)}\n{rest}")


def test_two_of_three_weights_are_not_right():
    rest = EXERCISES[1].partition("\n")[2]
    assert not is_right(f"w = [1.1, 1.2]\n{rest}")


def wrong(solution):
    """The answer with the wrong sign."""
    answer = eval(solution.partition(" = ")[2])
    return [-x for x in answer] if isinstance(answer, list) else -answer


def test_stored_exercises_are_unanswered():
    texts = {name: output["text"] for name, output in outputs() if output["output_type"] == "stream"}
    for cell in CELLS:
        if "exercise" in cell["metadata"].get("tags", []):
            assert "".join(texts[cell["id"]]).startswith("Not yet.")


@pytest.mark.exhaustive
def test_it_runs_and_stores_what_it_gives(tmp_path, monkeypatch):
    pytest.importorskip("ipykernel", reason="needs the extra `notebook`")
    pytest.importorskip("nbclient", reason="needs the extra `notebook`")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    again = _notebook.run(LECTURE)
    for cell, stored in zip(again.cells, CELLS, strict=True):
        for output, before in zip(cell.get("outputs", []), stored.get("outputs", []), strict=True):
            assert output.output_type == before["output_type"]
            if output.output_type == "stream":
                assert output.text == "".join(before["text"]), cell.id
                continue
            assert output.data.get("text/plain", "") == "".join(before["data"].get("text/plain", "")), cell.id
            kinds = {"text/html": "image/png", "image/svg+xml": "image/png"}
            assert {kinds.get(kind, kind) for kind in output.data} == before["data"].keys(), cell.id
    shown = [output.get("data", {}) for cell in again.cells for output in cell.get("outputs", [])]
    html = [data["text/html"] for data in shown if "text/html" in data]
    assert any("data:image/gif" in text for text in html)
    assert sum("<iframe" in text for text in html) == 2


@pytest.mark.exhaustive
def test_pictures_are_stored_as_png(tmp_path):
    pytest.importorskip("playwright", reason="needs the extra `browser`")
    shutil.which("chromium") or pytest.skip("needs the program chromium")
    nbformat = pytest.importorskip("nbformat", reason="needs the extra `notebook`")
    svg = '<svg width="300" height="100"><rect width="300" height="100" fill="#d55e00"/></svg>'
    button, style = "&lt;button&gt;last step&lt;/button&gt;", "width: 200px; height: 90px; border: 0"
    page = f'<iframe srcdoc="{button}" style="{style}"></iframe>'
    outputs = {"picture": svg, "live": page}
    cells = [
        nbformat.v4.new_code_cell(id=name, outputs=[nbformat.v4.new_output("display_data", {"text/html": html})])
        for name, html in outputs.items()
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    _notebook.store_as_png(notebook, tmp_path)
    picture, live = (Image.open(io.BytesIO(base64.b64decode(cell.outputs[0].data["image/png"]))) for cell in cells)
    assert picture.size == (600, 200)
    assert picture.convert("RGB").getpixel((300, 100)) == (0xD5, 0x5E, 0x00)
    assert live.size == (400, 180)
    assert (tmp_path / "live.html").read_text(encoding="utf-8") == "<button>last step</button>"
