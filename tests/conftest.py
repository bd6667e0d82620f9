"""What tests share: a lesson to run, a browser, and the count of the cases tried."""

import importlib
import importlib.util
import shutil
from collections import Counter

import hypothesis
import pytest

hypothesis.settings.register_profile("untimed", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("untimed")

TRIED = pytest.StashKey[Counter[str]]()
CHROMIUM_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

HAS_LLVMLITE = importlib.util.find_spec("llvmlite") is not None
IMPORT_LLVMLITE = (
    "engine/compiler",
    "nn/training/compiled.py",
    "nn/training/compiled_update.py",
    "nn/training/recorded.py",
    "tests/engine/compiler",
    "tests/nn/training/test_compiled.py",
)
SLOW_WITHOUT_LLVMLITE = ("test_digits.py", "test_vanishing.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()) and not item.get_closest_marker("quick"):
            item.add_marker("exhaustive")
        if not HAS_LLVMLITE and item.path.name in SLOW_WITHOUT_LLVMLITE:
            item.add_marker(pytest.mark.skip(reason="slow without llvmlite"))


def pytest_configure(config):
    config.stash[TRIED] = Counter()
    if not HAS_LLVMLITE:
        config.option.ignore = [*(config.option.ignore or []), *(config.rootpath / path for path in IMPORT_LLVMLITE)]


def skip_without_llvmlite():
    """Skip a test that fails because llvmlite is missing; but not in an environment that has it."""
    try:
        return (yield)
    except BaseException as error:
        cause = getattr(error, "exc_info", (None, error))[1]  # of a doctest
        while cause and not (isinstance(cause, ModuleNotFoundError) and cause.name == "llvmlite"):
            cause = cause.__cause__ or cause.__context__
        if cause and not HAS_LLVMLITE:
            pytest.skip("needs llvmlite")
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup():
    return (yield from skip_without_llvmlite())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    return (yield from skip_without_llvmlite())


@pytest.fixture(autouse=True)
def _without_the_rules_of_tests():
    from engine import RULES, Value
    from engine.custom import CUSTOM_RULES
    from engine.functions import FUNCTIONS

    tables = [RULES, FUNCTIONS]
    before = [dict(table) for table in tables]
    own = set(CUSTOM_RULES)
    yield
    for symbol in CUSTOM_RULES - own:
        if not RULES[symbol].finalize:
            delattr(Value, symbol)
    for table, rows in zip(tables, before, strict=True):
        table.clear()
        table.update(rows)
    CUSTOM_RULES.intersection_update(own)


@pytest.fixture(scope="session")
def tried(pytestconfig):
    """Count the cases of tests that try many; the counts are printed after the tests."""
    return pytestconfig.stash[TRIED]


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):  # in a process of pytest-xdist
        session.config.workeroutput["tried"] = dict(session.config.stash[TRIED])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    node.config.stash[TRIED].update(getattr(node, "workeroutput", {}).get("tried", {}))


def pytest_terminal_summary(terminalreporter, config):
    if counts := config.stash[TRIED]:
        terminalreporter.section("cases tried")
        for what, n in sorted(counts.items()):
            terminalreporter.line(f"{n:>9,} {what}")


@pytest.fixture
def lesson(tmp_path, monkeypatch, capsys):
    """Run a lesson in an empty folder and return what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(name, *arguments):
        importlib.import_module(f"demos.{name}").main(list(arguments))
        return capsys.readouterr().out

    return run


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra `browser`")
    chromium = shutil.which("chromium") or pytest.skip("needs the program chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
