"""What type checkers and editors say of glassgrad: right uses pass, each wrong line is an error, names complete."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine import Value

ROOT = Path(__file__).parents[2]
FOLDER = Path("tests", "typing")
WRONG = [
    number
    for number, line in enumerate((ROOT / FOLDER / "wrong.py").read_text(encoding="utf-8").splitlines(), start=1)
    if line.endswith("# wrong")
]


def run(module, *arguments):
    pytest.importorskip(module, reason="needs the extra `lint`")
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False).stdout


def errors_by_mypy(name):
    output = run("mypy", "--strict", "--no-pretty", str(FOLDER / name))
    return [(Path(m[1]).name, int(m[2])) for m in re.finditer(r"(?m)^(.+?):(\d+): error:", output)]


def errors_by_pyright(name):
    report = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable, str(FOLDER / name)))
    return [
        (Path(x["file"]).name, x["range"]["start"]["line"] + 1)
        for x in report["generalDiagnostics"]
        if x["severity"] == "error"
    ]


@pytest.mark.exhaustive
@pytest.mark.parametrize("errors", [errors_by_mypy, errors_by_pyright])
class TestCheckers:
    def test_right_uses_pass(self, errors):
        assert errors("right.py") == []

    def test_each_wrong_use_is_an_error(self, errors):
        assert len(WRONG) >= 25
        assert sorted(set(errors("wrong.py"))) == [("wrong.py", number) for number in WRONG]


def test_right_uses_run():
    specification = importlib.util.spec_from_file_location("right", ROOT / FOLDER / "right.py")
    specification.loader.exec_module(importlib.util.module_from_spec(specification))


def test_ta_completes_to_tan_and_tanh():
    assert [name for name in dir(Value) if name.startswith("ta")] == ["tan", "tanh"]


def test_an_editor_completes_ta_without_running_the_code():
    jedi = pytest.importorskip("jedi", reason="needs the extra `notebook`")
    script = jedi.Script("from engine import Value\nv = Value(1.0)\nv.ta", project=jedi.Project(ROOT))
    assert [completion.name for completion in script.complete()] == ["tan", "tanh"]
