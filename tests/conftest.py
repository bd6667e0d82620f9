"""What the tests of several lessons share."""

import importlib

import pytest


@pytest.fixture
def lesson(tmp_path, monkeypatch, capsys):
    """Runs a lesson in an empty folder and gives back what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(name, *arguments):
        importlib.import_module(f"demos.{name}").main(list(arguments))
        return capsys.readouterr().out

    return run
