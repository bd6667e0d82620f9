"""engine, nn and viz in Pyodide, the Python of browsers, run by Node: another Python version, without wasmtime."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import viz
from demos._site import BROWSER_PACKAGES, PYODIDE
from engine import Value

ROOT = Path(__file__).parents[1]
COMPILED = ("numpy", "llvmlite", "matplotlib", "PIL")  # what the extras bring

PROGRAM = """
import doctest, importlib, json, os, pkgutil, sys
os.chdir("/tmp")
import engine, nn, viz
from engine import Value

def graph():
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(7.0, "c")
    L = (a * b + c).tanh()
    L.label = "L"
    L.backward()
    return L

def error(function):
    try:
        function()
    except Exception as error:
        return f"{type(error).__name__}: {error}"

examples = {"attempted": 0, "failed": []}
for package in (engine, nn, viz):
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        try:
            module = importlib.import_module(info.name)
        except ModuleNotFoundError as missing:
            assert missing.name in (*COMPILED, "wasmtime"), missing
            continue
        for test in doctest.DocTestFinder().find(module):
            if not any(name in test.docstring for name in (*COMPILED, "compile", "plot", "Animation")):
                result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
                examples["attempted"] += result.attempted
                if result.failed:
                    examples["failed"].append(test.name)

xor = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
model = nn.MLP(2, [4, 1], seed=1)
history = nn.train(model, nn.binary_cross_entropy, xor, seed=1)
L = graph()
print("\\n" + json.dumps({
    "platform": sys.platform,
    "tree": repr(viz.text(L)),
    "svg": viz.draw(L).pipe(encoding="utf-8"),
    "page": viz.page(L, "L.html").read_text(encoding="utf-8"),
    "trained": [history.converged, [model(x) > 0 for x, r in xor]],
    "wrong DOT": error(lambda: viz.drawing.svg("digraph {")),
    "many edges": error(lambda: viz.drawing.svg("digraph {" + "a -> b;" * 1001 + "}")),
    "long label": error(lambda: viz.drawing.svg('digraph { a [label="' + "x" * 200_000 + '"] }')),
    "examples": examples,
}))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What the program prints in Pyodide."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("needs Node.js and npm")
    folder = tmp_path_factory.mktemp("pyodide")
    subprocess.run(["npm", "install", "--silent", "--no-fund", "--prefix", folder, PYODIDE], check=True)
    for name in BROWSER_PACKAGES:
        shutil.copytree(Path(sys.modules["graphviz"].__file__).parents[1] / name, folder / "packages" / name)
    pyodide = folder / "node_modules" / "pyodide" / "pyodide.mjs"
    program = f"COMPILED = {COMPILED}\n{PROGRAM}"
    command = ["node", ROOT / "tests" / "browser.mjs", pyodide, ROOT, folder / "packages", program]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def graph():
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(7.0, "c")
    L = (a * b + c).tanh()
    L.label = "L"
    L.backward()
    return L


@pytest.mark.exhaustive
def test_trees_pictures_and_pages_are_the_same_in_a_browser(answers, graph, tmp_path):
    assert answers["platform"] == "emscripten"
    assert answers["tree"] == repr(viz.text(graph))
    assert answers["svg"] == viz.draw(graph).pipe(encoding="utf-8")
    assert answers["page"].count("<math") == viz.page(graph, tmp_path / "L.html").read_text(encoding="utf-8").count(
        "<math"
    )


@pytest.mark.exhaustive
def test_networks_learn_in_a_browser(answers):
    assert answers["trained"] == [True, [False, True, True, False]]


@pytest.mark.exhaustive
def test_errors_of_drawings_in_a_browser(answers):
    assert answers["wrong DOT"] == "RenderError: Failed to parse DOT source"
    assert answers["many edges"] == (
        "RuntimeError: the graph has more than 1,000 edges, too many for Graphviz in a browser: draw a part of it"
    )
    assert answers["long label"] is None


@pytest.mark.exhaustive
def test_examples_of_the_documentation_run_in_a_browser(answers):
    assert answers["examples"]["attempted"] > 200
    # The rule is one ulp off, by another library of mathematics; anywidget is not there.
    assert answers["examples"]["failed"] == ["engine.custom.rule", "viz.live_widget.widget"]
