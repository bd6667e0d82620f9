"""What tests share: a lesson that is run, and the count of the cases that were tried."""

import importlib
from collections import Counter

import pytest

TRIED = pytest.StashKey[Counter[str]]()


@pytest.fixture(scope="session")
def tried(pytestconfig):
    """Counts cases where one test tries many; the counts are printed after the tests."""
    return pytestconfig.stash.setdefault(TRIED, Counter())


def pytest_terminal_summary(terminalreporter, config):
    if counts := config.stash.get(TRIED, None):
        terminalreporter.section("cases tried")
        for what, n in counts.items():
            terminalreporter.line(f"{n:>9,} {what}")


@pytest.fixture
def lesson(tmp_path, monkeypatch, capsys):
    """Runs a lesson in an empty folder and gives back what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(name, *arguments):
        importlib.import_module(f"demos.{name}").main(list(arguments))
        return capsys.readouterr().out

    return run
