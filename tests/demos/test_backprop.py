"""The demo of backpropagation, run as a user runs it."""

import os
import select
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest

from demos._expression import parse
from demos.backprop import micrograd_example
from engine import Backprop, Value
from tests.demos.helpers import ROOT, run


def test_the_example_of_the_readme_is_the_default(tmp_path):
    result = run("demos.backprop", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "L = tanh(a*b + c) = 0.761594" in result.stdout
    assert "Backward: 3 steps" in result.stdout
    assert (tmp_path / "backprop.svg").read_bytes() == (ROOT / "demos/pictures/backprop.svg").read_bytes()


def test_the_example_of_micrograd(tmp_path):
    result = run("demos.backprop", "micrograd", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "g = f/2 + 10/f = 24.7041" in result.stdout
    assert "dg/da = 138.834" in result.stdout
    assert "dg/db = 645.577" in result.stdout
    steps = "\n".join(map(str, Backprop(micrograd_example())))
    assert f"Backward: 25 steps of the chain rule\n{steps}\n" in result.stdout
    assert "backprop.svg" in result.stdout.splitlines()[-1]
    picture = ET.parse(tmp_path / "backprop.svg")
    assert "#d55e00" not in (tmp_path / "backprop.svg").read_text(encoding="utf-8"), "no step is highlighted at the end"
    assert "grad 645.577" in [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert os.listdir(tmp_path) == ["backprop.svg"]


def test_an_expression_typed_by_the_user(tmp_path):
    result = run("demos.backprop", "tanh(a*b + c)", "a=2", "b=-3", "c=10", "--output", "my.svg", cwd=tmp_path)
    assert result.returncode == 0
    root = parse("tanh(a*b + c)", {"a": Value(2.0, "a"), "b": Value(-3.0, "b"), "c": Value(10.0, "c")})
    root.label = "L"
    steps = "\n".join(map(str, Backprop(root)))
    assert "dL/da += dL/d(a*b) * b = 0.00134095 * -3.0 = -0.00402285" in steps
    assert (
        result.stdout
        == f"""
Forward: every value, computed from its operands
  a = 2.0
  b = -3.0
  a*b = -6.0
  c = 10.0
  a*b + c = 4.0
  L = tanh(a*b + c) = 0.999329

Backward: 3 steps of the chain rule
{steps}

The gradients
  dL/da = -0.00402285
  dL/db = 0.0026819
  dL/dc = 0.00134095

Picture of the graph: my.svg
"""
    )


def test_brackets_are_not_markup(tmp_path):
    result = run("demos.backprop", "sum([a, 2*a])", "a=3", cwd=tmp_path)
    assert "  L = sum([a, 2*a]) = 9.0\n" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a +* b", "a=1", "b=2"], "not an expression"),
        (["log(a)", "a=-1"], "log(a) has no value at a = -1.0"),
        (["a*b", "a=1"], "b has no value: add one, such as b=2\n  a*b\n    ^"),
        (["a", "a=1", "b=2"], "b has a value but does not occur"),
        (["a", "a=one"], "a must be a finite number, got 'one'"),
        (["a", "a=inf"], "a must be a finite number, got 'inf'"),
        (["a", "a=1", "a=2"], "one value, such as a=2, got 'a=2'"),
        (["a", "a"], "one value, such as a=2, got 'a'"),
        (["micrograd", "a=1"], "micrograd has no value"),
        (["a", "a=1", "--output", "a.exe"], ".svg"),
        (["a", "a=1", "--output", "nowhere/a.svg"], "existing folder, got nowhere"),
        (["+".join(["a"] * 2000), "a=1"], "too long"),
        ([f"sum([{','.join(['a*a'] * 1000)}])", "a=1"], "max_nodes"),
    ],
)
def test_mistakes_of_the_user(arguments, message, tmp_path):
    result = run("demos.backprop", *arguments, cwd=tmp_path)
    assert result.returncode in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert os.listdir(tmp_path) == []


def test_help(tmp_path):
    result = run("demos.backprop", "--help", cwd=tmp_path)
    assert result.returncode == 0
    assert "tanh(a*b + c)" in result.stdout


@pytest.mark.parametrize(
    ("next_key", "back_key", "quit_key"),
    [(b"n", b"b", b"q"), (b"\x1b[C", b"\x1b[D", b"\x1b"), (b" ", b"\x1b[A", b"\x03")],
)
def test_one_step_per_key(next_key, back_key, quit_key, tmp_path):
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "demos.backprop", "tanh(a*b)", "a=2", "b=-3"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "dumb"},
        stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
    )  # fmt: skip
    os.close(theirs)
    seen = ""

    def wait_for(text):
        nonlocal seen
        deadline = time.monotonic() + 30
        while text not in seen:
            assert time.monotonic() < deadline, seen
            if select.select([ours], [], [], 0.1)[0]:
                seen += os.read(ours, 4096).decode()
        before, _, seen = seen.partition(text)
        return before

    def press(key):
        while termios.tcgetattr(ours)[3] & termios.ICANON:  # until it waits for a key
            assert process.poll() is None
            time.sleep(0.01)
        os.write(ours, key)

    wait_for("n next, b back, r run, q quit")
    wait_for("next: L = tanh(a*b) ")
    press(next_key)
    assert "dL/d(a*b) += dL/dL" in wait_for("next: a*b ")
    press(back_key)
    assert "[undone] L = tanh(a*b) " in wait_for("next: L = tanh(a*b) ")
    press(b"r")
    assert "dL/db += dL/d(a*b) * a" in wait_for("2 of 2 steps done, every gradient is complete")
    press(back_key)
    wait_for("next: a*b ")
    press(quit_key)
    assert "The gradients" not in wait_for("Picture of the graph: backprop.svg")
    assert process.wait(30) == 0
    os.close(ours)
    assert "#d55e00" in (tmp_path / "backprop.svg").read_text(encoding="utf-8"), "the last step is highlighted"
