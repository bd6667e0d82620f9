"""Notebooks: how they show Values, steps and models."""

import html
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import engine
import nn
import viz
from engine import Backprop, ForwardMode, Value, topological_order
from viz.notebook import show_in_notebook

ROOT = Path(__file__).parents[2]


def import_or_skip(module):
    return pytest.importorskip(module, reason="needs the extra `notebook`")


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    import_or_skip("IPython")
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell(
        ipython_dir=str(tmp_path_factory.mktemp("ipython")), config=Config(HistoryManager={"enabled": False})
    )
    shell.display_formatter.active_types = shell.display_formatter.format_types
    show_in_notebook(dict.fromkeys((nn.Perceptron, nn.Layer, nn.MLP), viz.network), shell)
    return shell


def display_data(shell, thing):
    """What IPython would send to a notebook, by type."""
    data, _ = shell.display_formatter.format(thing)
    return data


def boxes(fragment):
    """The texts of the graph's nodes in what a notebook shows."""
    svg = ET.fromstring(fragment[fragment.index("<svg") : fragment.index("</svg>") + len("</svg>")])
    return {text.text.replace("\u00a0", " ") for text in svg.iter("{http://www.w3.org/2000/svg}text")}


def words(fragment):
    return html.unescape(re.search(r"<pre[^>]*>(.*?)</pre>", fragment, re.S)[1])


def formulas(fragment):
    """The typeset lines in what a notebook shows, as text."""
    lines = re.findall(r"<p>(<math.*?)</p>", fragment)
    return ["".join(ET.fromstring(f"<p>{line}</p>").itertext()).replace("\u2061", "") for line in lines]


def graph():
    a, b, c = Value(2.0, "a"), Value(-3.0, "b<i>"), Value(7.0, "c")
    L = (a * b + c).tanh()
    L.label = "L"
    return L


def test_a_value_shows_its_graph_and_its_text(shell):
    data = display_data(shell, graph())
    assert {"a", "b<i>", "c", "L", "data 2.0", "tanh"} <= boxes(data["text/html"])
    assert data["text/plain"].startswith("Value(data=0.76")
    assert formulas(data["text/html"]) == ["L =tanh(a·b<i>+c) =tanh(2.0·(−3.0)+7.0) =0.761594"]
    assert data["text/latex"] == rf"$\displaystyle {viz.latex(graph())}$"
    assert "max-width: 100%" in data["text/html"]


def test_a_single_value_stays_text(shell):
    assert display_data(shell, Value(2.0, "a")).keys() == {"text/plain"}


def test_a_long_formula_is_that_of_the_last_operation(shell):
    total = Value(1.0, "x")
    for i in range(60):
        total = total * Value(1.0, f"w{i}") + 1.0
    total.label = "total"
    (line,) = formulas(display_data(shell, total)["text/html"])
    assert re.fullmatch(r"total =v\d+·w59\+1 =60.0\+1 =61.0", line)


def test_a_graph_that_is_too_large_stays_text(shell, capsys):
    root = Value(1.0)
    for _ in range(1500):
        root = (root + 1.0).tanh()
    assert display_data(shell, root).keys() == {"text/plain", "text/latex"}
    assert capsys.readouterr() == ("", "")


def test_a_backward_pass_shows_its_state_and_how_to_step(shell):
    walk = Backprop(graph())
    shell.user_ns["my_walk"] = walk
    start = display_data(shell, walk)["text/html"]
    assert words(start) == repr(walk)
    assert "my_walk.step() goes on" in start
    assert "back()" not in start
    assert "#d55e00" not in start, "nothing is lit up"

    walk.step()
    after = display_data(shell, walk)["text/html"]
    assert words(after) == repr(walk)
    assert formulas(after)[0] == "L =tanh(a·b<i>+c) passes back ∂L∂L =1.0"
    assert formulas(after)[1].endswith("∂L∂L·(1−L2) =1.0·(1−0.7615942) =1.0·0.419974 =0.419974")
    assert "my_walk.back() goes back" in after
    assert after.count("#d55e00") == display_data(shell, viz.draw(walk.root, highlight=walk.last))["text/html"].count(
        "#d55e00"
    )
    walk.run()
    end = display_data(shell, walk)["text/html"]
    assert "step()" not in end
    assert "grad -1.25992" in boxes(end)


def test_a_forward_pass_shows_its_tangents(shell):
    root = graph()
    walk = ForwardMode(root, next(x for x in topological_order(root) if x.label == "a"))
    walk.step()
    shown = display_data(shell, walk)["text/html"]
    assert words(shown) == repr(walk)
    assert "tangent 1.0" in boxes(shown)
    lines = formulas(display_data(shell, walk.last)["text/html"])
    assert lines == formulas(shown)
    assert lines[0] == "a·b<i> receives ∂(a·b<i>)∂a =−3.0"
    assert lines[1].endswith("=b<i>·∂a∂a =(−3.0)·1.0 =−3.0")


def test_a_backward_pass_without_a_name_is_called_walk(shell):
    assert "walk.step() goes on" in display_data(shell, Backprop(graph()))["text/html"]


def test_a_step_is_shown_in_the_whole_graph(shell):
    walk = Backprop(graph())
    step = walk.step()
    fragment = display_data(shell, step)["text/html"]
    assert formulas(fragment)[0] == "L =tanh(a·b<i>+c) passes back ∂L∂L =1.0"
    assert formulas(fragment)[1].endswith("=0.419974")
    assert {"a", "b<i>", "L"} <= boxes(fragment)
    assert "#d55e00" in fragment


def test_a_step_of_many_operands_shows_the_first_equations(shell):
    step = Backprop(engine.sum([Value(1.0, f"x{i}") for i in range(50)])).step()
    fragment = display_data(shell, step)["text/html"]
    assert len(formulas(fragment)) == 1 + 20
    assert "<p>and 30 more</p>" in fragment


def test_labels_are_not_html(shell):
    walk = Backprop(graph()).run()
    for thing in (walk.root, walk, walk.last):
        assert "<i>" not in display_data(shell, thing)["text/html"]


@pytest.mark.parametrize("model", [nn.Perceptron(2, seed=1), nn.Layer(2, 2, seed=1), nn.MLP(2, [2, 1], seed=1)])
def test_models_show_their_network(shell, model):
    data = display_data(shell, model)
    assert {"x0", "x1", "x2"} <= boxes(data["text/html"])
    assert data["text/plain"] == repr(model)


def test_a_drawing_is_at_most_as_wide_as_the_notebook(shell):
    drawing = viz.draw(graph())
    data = display_data(shell, drawing)
    assert "max-width: 100%" in data["text/html"]
    assert "image/svg+xml" not in data, "it is shown once"


def test_a_page_is_embedded(shell, tmp_path):
    L = graph()
    written = viz.page(L, tmp_path / "L.html")
    for embedded in (viz.embed(L), viz.embed(written), viz.embed(str(written))):
        frame = display_data(shell, embedded)["text/html"]
        assert frame.startswith("<iframe")
        assert html.unescape(re.search(r'srcdoc="([^"]*)"', frame)[1]) == written.read_text(encoding="utf-8")
        assert "sandbox" in frame


def test_options_of_an_embedded_page():
    assert "height: 300px" in viz.embed(graph(), height=300)._repr_html_()
    assert viz.embed(graph(), precision=2).text != viz.embed(graph()).text


def test_the_page_of_a_model_is_embedded(tmp_path):
    model = nn.MLP(2, [2, 1], seed=1)
    written = viz.network_page(model, tmp_path / "net.html", [0, 1], 1, learning_rate=0.25, loss=nn.mse)
    assert viz.embed(model, [0, 1], 1, learning_rate=0.25, loss=nn.mse).text == written.read_text(encoding="utf-8")
    assert viz.embed(viz.network_page, model, [0, 1], 1, learning_rate=0.25, loss=nn.mse).text == written.read_text(
        encoding="utf-8"
    )


def test_any_function_that_writes_a_page_is_embedded():
    def playground(model, data, path, *, title="play"):
        path.write_text(f"{title}: {model} {data}", encoding="utf-8")
        return path

    assert viz.embed(playground, 1, 2).text == "play: 1 2"
    assert viz.embed(playground, 1, 2, title="mine").text == "mine: 1 2"
    with pytest.raises(TypeError, match="positional"):
        viz.embed(playground, 1, 2, 3)


def test_errors_of_an_embedded_page(tmp_path):
    for wrong in (3, len, viz.network):
        with pytest.raises(TypeError, match=r"content must be a Value, a model, a function .* or a file"):
            viz.embed(wrong)
    for arguments in ({"precision": 2}, {"height": 3, "x": 1}):
        with pytest.raises(TypeError, match="not with a file"):
            viz.embed(tmp_path / "L.html", **arguments)
    with pytest.raises(FileNotFoundError):
        viz.embed(tmp_path / "L.html")


IN_NOTEBOOK = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.display_formatter.active_types = {types}
{imports}
shown = [*sorted(shell.display_formatter.format({expression})[0])]
print(*shown, "viz" in sys.modules)
"""


@pytest.mark.parametrize(
    ("imports", "expression", "types"),
    [
        ("import engine", "engine.Value(1.0) * 2", ["text/html", "text/latex", "text/plain"]),
        ("import engine", "engine.Backprop(engine.Value(1.0) * 2)", ["text/html", "text/plain"]),
        ("import engine", "engine.Backprop(engine.Value(1.0) * 2).step()", ["text/html", "text/latex", "text/plain"]),
        ("import nn", "nn.Perceptron(2)", ["text/html", "text/plain"]),
    ],
)
def test_a_notebook_shows_pictures_without_import_of_viz(tmp_path, monkeypatch, imports, expression, types):
    import_or_skip("IPython")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    for active, expected in (
        ("shell.display_formatter.format_types", [*types, "True"]),
        ("['text/plain']", ["text/plain", "False"]),
    ):
        program = IN_NOTEBOOK.format(imports=imports, expression=expression, types=active)
        run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
        assert run.stdout.split() == expected


def test_a_notebook_that_is_not_ipython_shows_text():
    for thing in (graph(), Backprop(graph()), Backprop(graph()).step(), nn.Perceptron(2)):
        assert thing._repr_mimebundle_(include=None, exclude=None) == {"text/plain": repr(thing)}


def test_a_notebook_without_viz_shows_text(tmp_path, monkeypatch):
    import_or_skip("IPython")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (tmp_path / "engine").symlink_to(ROOT / "engine")
    monkeypatch.delenv("PYTHONPATH", raising=False)  # it may lead to viz, and an editable installation does
    hidden = "sys.meta_path[:] = [x for x in sys.meta_path if 'editable' not in repr(x)]"
    program = IN_NOTEBOOK.format(
        imports=f"{hidden}\nimport engine",
        expression="engine.Value(1.0) * 2",
        types="shell.display_formatter.format_types",
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["text/plain", "False"]


def test_viz_registers_itself_where_ipython_runs_and_does_not_import_it_elsewhere(tmp_path, monkeypatch):
    import_or_skip("IPython")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    inside = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "import viz\n"
        "from engine import Value\n"
        "from nn import Perceptron\n"
        "shell.display_formatter.active_types = shell.display_formatter.format_types\n"
        "for thing in (Value(1.0) * 2, Perceptron(2)):\n"
        "    print(*sorted(shell.display_formatter.format(thing)[0]))"
    )
    outside = "import sys, viz\nprint('IPython' in sys.modules, 'matplotlib' in sys.modules)"
    for program, expected in (
        (inside, "text/html text/latex text/plain\ntext/html text/plain"),
        (outside, "False False"),
    ):
        run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
        assert run.stdout.strip() == expected
