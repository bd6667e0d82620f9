"""The menu of the demos, run as a user runs it."""

import contextlib
import importlib
import os
import re
import subprocess
import sys
import threading

import pytest

import engine
from tests.demos.helpers import ROOT, run

NUMBER = {name: str(i) for i, name in enumerate(importlib.import_module("demos.__main__").catalogue(), start=1)}


def test_list_of_demos(tmp_path):
    result = run("demos", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    lines = [line for line in result.stdout.splitlines() if line[:2].strip().isdigit()]
    assert [int(line[:2]) for line in lines] == list(range(1, len(lines) + 1))
    names = [line.split()[1] for line in lines]
    assert sorted(names) == sorted(path.stem for path in (ROOT / "demos").glob("[!_]*.py"))
    pages = [int(match[1]) for line in lines if (match := re.search(r"\(P(\d+)", line))]
    assert pages == sorted(pages), "in the order of the lecture"
    assert len(pages) >= 7
    assert max(map(len, result.stdout.splitlines())) <= 80


WITHOUT_PACKAGES = """
import importlib, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("matplotlib", "numpy", "numba", "sklearn", "faker", "PIL"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
importlib.import_module(f"demos.{sys.argv[1]}").main([])
"""


@pytest.mark.parametrize("name", NUMBER)
def test_the_menu_marks_the_lessons_that_need_the_extra_and_they_say_what_installs_it(name, tmp_path):
    menu = run("demos", cwd=tmp_path).stdout
    mark = re.search(rf"^ *\d+([ *]) {name} ", menu, re.MULTILINE)[1]
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGES, name], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (result.returncode != 0) == (mark == "*")
    install = "pip install 'glassgrad[demos]'"
    assert install in menu
    if result.returncode:
        assert re.fullmatch(rf"python -m demos {name}: this lesson needs \w+: {re.escape(install)}\n", result.stderr)


def test_every_demo_has_a_place_in_the_order():
    menu = importlib.import_module("demos.__main__")
    assert list(menu.catalogue()) == [name for name in menu.ORDER if name in menu.catalogue()]


def test_a_demo_without_a_place_comes_last(monkeypatch):
    menu = importlib.import_module("demos.__main__")
    monkeypatch.setattr(menu, "ORDER", ("moons", "perceptron"))
    names = list(menu.catalogue())
    assert names[:2] == ["moons", "perceptron"]
    assert names[2:] == sorted(names[2:])


@pytest.mark.parametrize("which", ["gradient_descent", NUMBER["gradient_descent"]])
def test_a_demo_by_name_or_number_with_options(which, tmp_path):
    result = run("demos", which, "w1**2 + w2**2", "--start", "1", "0", "--steps", "1", "--output", "here", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "L(theta) = w1**2 + w2**2" in result.stdout
    assert os.listdir(tmp_path) == ["here"]


@pytest.mark.parametrize("which", ["moon", "0", "99", "-1", "_lesson", "os"])
def test_an_unknown_demo(which, tmp_path):
    result = run("demos", which, cwd=tmp_path)
    assert result.returncode == 1
    assert f"unknown demo {which!r}" in result.stderr
    assert ("did you mean 'moons'?" in result.stderr) == (which == "moon")
    assert "Traceback" not in result.stderr


def test_help_of_the_menu_and_of_a_demo(tmp_path):
    assert "python -m demos all --output PATH" in run("demos", "--help", cwd=tmp_path).stdout
    assert "usage: python -m demos moons" in run("demos", "moons", "--help", cwd=tmp_path).stdout
    assert "usage: python -m demos all" in run("demos", "all", "--help", cwd=tmp_path).stdout


def test_the_version(tmp_path):
    assert run("demos", "--version", cwd=tmp_path).stdout == f"glassgrad {engine.__version__}\n"


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("\n", []),
        ("q\n", []),
        ("\x04", []),
        ("moon\n'\nq\n", ["unknown demo 'moon'; did you mean 'moons'?", "No closing quotation"]),
        (f"{NUMBER['forward_backward']} --sizes 2 1\n", ["sizes [2, 1]", "Picture: pictures/forward_backward.png"]),
        ("forward_backward --sizes 2 1\n", ["sizes [2, 1]"]),
    ],
)
def test_the_menu_on_a_terminal(typed, seen, tmp_path):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "demos"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "dumb"},
        stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
    )  # fmt: skip
    os.close(theirs)
    too_late = threading.Timer(30, process.kill)
    too_late.start()
    os.write(ours, typed.encode())
    text = b""
    with contextlib.suppress(OSError):  # the end, on Linux
        while part := os.read(ours, 4096):
            text += part
    too_late.cancel()
    os.close(ours)
    assert process.wait(30) == 0, text
    assert b"Number or name" in text
    assert b"Traceback" not in text
    for words in seen:
        assert words in text.decode()
