"""The layers of the packages: who imports whom, and how modules are called."""

import importlib
import inspect
from pathlib import Path

import pytest

from tests.import_graph import PACKAGES, ROOT, cycles, import_graph, main, reachable, upward_imports

GRAPH = import_graph()
PACKAGE_FILES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("__init__.py"))
DRAWING_OF_VALUES = [
    "style", "drawing", "graph_drawing", "clusters", "text_tree", "typeset", "equations",
    "highlighting", "tikz_drawing", "notebook",
    "pages.graph_steps",
]  # fmt: skip


def public_names(file: Path) -> set[str]:
    """The names in the `__all__` of a package, and its functions if it has no `__all__`."""
    package = importlib.import_module(".".join(file.parent.relative_to(ROOT).parts))
    functions = {
        name for name, x in vars(package).items() if inspect.isfunction(x) and x.__module__ == package.__name__
    }
    return set(getattr(package, "__all__", functions))


def test_packages_import_downwards_only():
    assert upward_imports(GRAPH) == []


@pytest.mark.parametrize("package", ["demos", "viz", "nn", "engine"])
def test_no_modules_import_each_other(package):
    assert [group for group in cycles(GRAPH) if group[0].split(".")[0] == package] == []


@pytest.mark.parametrize("module", DRAWING_OF_VALUES)
def test_drawing_a_value_needs_nothing_of_nn(module):
    assert not {name for name in reachable(GRAPH, f"viz.{module}") if name.split(".")[0] == "nn"}


@pytest.mark.parametrize("file", PACKAGE_FILES, ids=lambda file: file.parent.relative_to(ROOT).as_posix())
def test_no_module_is_called_like_a_public_name_of_its_package(file):
    modules = {path.stem for path in file.parent.iterdir()}
    assert not modules & public_names(file)


def test_the_graph_has_the_imports_that_run_and_no_others(tmp_path):
    for name, source in {
        "engine/__init__.py": "from .value import Value",
        "engine/value.py": "import sys\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import nn",
        "nn/__init__.py": "def f():\n    import engine.value\n    from viz import drawing, Drawing",
        "viz/drawing.py": "import demos.a.b\nclass Drawing: import viz.pages as p",
        "viz/pages/__init__.py": "try:\n    from viz.drawing import *\nexcept ImportError:\n    from .. import drawing",
        "viz/__init__.py": "",
        "viz/plots/loss.py": "from viz.plots import boundary\nfrom viz.pages.html_page import Frame",
        "viz/plots/boundary.py": "import viz.plots.loss",
        "viz/plots/__init__.py": "",
        "demos/a.py": "import demosaic",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    graph = import_graph(tmp_path)
    assert graph == {
        "demos.a": set(),
        "viz": set(),
        "viz.drawing": {"demos.a", "viz.pages"},
        "viz.pages": {"viz.drawing"},
        "viz.plots": set(),
        "viz.plots.loss": {"viz.plots.boundary", "viz.pages"},
        "viz.plots.boundary": {"viz.plots.loss"},
        "nn": {"engine", "engine.value", "viz", "viz.drawing"},
        "engine": {"engine.value"},
        "engine.value": set(),
    }
    assert cycles(graph) == [["viz.drawing", "viz.pages"], ["viz.plots.boundary", "viz.plots.loss"]]
    assert upward_imports(graph) == [("nn", "viz"), ("nn", "viz.drawing"), ("viz.drawing", "demos.a")]
    assert reachable(graph, "viz.pages") == {"viz.drawing", "viz.pages", "demos.a"}


def test_the_command_prints_and_draws_the_graph(tmp_path, monkeypatch, capsys):
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "a.py").write_text("import engine.b\nimport nn", encoding="utf-8")
    (tmp_path / "engine" / "b.py").write_text("from engine import a", encoding="utf-8")
    (tmp_path / "nn").mkdir()
    (tmp_path / "nn" / "__init__.py").touch()
    monkeypatch.setattr("sys.argv", ["imports", "--root", str(tmp_path), "--svg", str(tmp_path / "imports.svg")])
    main()
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "engine.a: engine.b, nn" in lines
    assert lines[lines.index("cycles: 1") + 1] == "engine.a, engine.b"
    assert lines[lines.index("upward imports: 1") + 1] == "engine.a -> nn"
    assert 'stroke="red"' in (tmp_path / "imports.svg").read_text(encoding="utf-8")
