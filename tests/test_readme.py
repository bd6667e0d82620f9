"""Sessions of the README and of a guide, typed in line by line."""

import doctest
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_session_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0
    committed = README.parent / "demos" / "pictures" / "backprop.svg"
    assert (tmp_path / "L.svg").read_text(encoding="utf-8") == committed.read_text(encoding="utf-8"), (
        "the session draws the committed picture"
    )


def test_the_session_of_the_stepper_runs():
    result = doctest.testfile(str(README.parent / "engine" / "stepper.md"), module_relative=False, encoding="utf-8")
    assert (result.attempted > 5, result.failed) == (True, 0)
