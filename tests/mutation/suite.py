"""The tests that can detect a mutant: the lines and seconds of each, and a process that runs some of them."""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import os
import resource
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate
from pathlib import Path

import coverage
import pytest

CACHE = Path("build/mutation")  # the compiled kernels, and the lines and seconds of each test
TESTS = ["tests/engine", "tests/nn", "tests/demos/test_newton.py", "tests/test_bad_input.py", "engine", "nn"]
# Without plugins that print for a reader, or that walk through all objects in memory.
OPTIONS = ["-x", "-s", "--assert=plain"]
OPTIONS += [f"-pno:{name}" for name in ("cacheprovider", "faulthandler", "hypothesispytest", "terminal", "xdist")]
OPTIONS += ["-pno:threadexception", "-pno:unraisableexception"]
SLOWEST = 2.0  # seconds; slower tests are left out
QUICK = 0.2  # seconds; tests this quick run for every mutant of a line that an import runs
BUDGET = 8.0  # seconds for the tests of one mutant, and again for the quick ones
# Files whose functions run once per process, as an import does.
RUN_ONCE = ("engine/compiler/cache.py", "engine/compiler/codegen.py", "nn/training/compiled_update.py")


class Suite:
    """All tests, with their seconds and the lines that each runs; recorded again after any change of a file."""

    def __init__(self) -> None:
        CACHE.mkdir(parents=True, exist_ok=True)
        files = sorted(file for folder in ("engine", "nn", "tests") for file in Path(folder).rglob("*.py"))
        digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
        record = CACHE / f"tests_{digest}.json"
        if not record.exists():
            print("running all tests once, to record which lines each runs ...", flush=True)
            os.waitpid(fork(partial(_record, record)), 0)
            if not record.exists():
                raise SystemExit("the tests cannot be run: see what pytest says")
        recorded = json.loads(record.read_text())
        self._lines: dict[str, dict[str, list[str]]] = recorded["lines"]
        self.seconds: dict[str, float] = recorded["seconds"]
        self.modules: list[str] = recorded["modules"]
        self._compiling = self._tests_of_module(Path("engine/compiler/program.py"))

    def _tests_of_module(self, path: Path) -> set[str]:
        return {test for tests in self._lines.get(str(path), {}).values() for test in tests}

    def tests_of(self, path: Path, lines: range) -> dict[tuple[bool, str], list[str]]:
        """Return the tests that run these lines, quickest first, by whether they compile a graph and by file.

        A line that an import runs may affect every test: then these are the tests of the module and all quick tests.
        """
        by_line = self._lines.get(str(path), {})
        tests = {test for line in lines for test in by_line.get(str(line), [])}
        chosen = self._quickest(tests)
        if "" in tests or not tests or str(path) in RUN_ONCE:
            of_module = self._tests_of_module(path)
            quick = {test for test, seconds in self.seconds.items() if seconds < QUICK}
            chosen = self._quickest(of_module) + self._quickest(quick - of_module)
        by_file: dict[tuple[bool, str], list[str]] = {}
        for test in chosen:
            by_file.setdefault((test in self._compiling, test.split("::")[0]), []).append(test)
        return by_file

    def _quickest(self, tests: set[str]) -> list[str]:
        candidates = [test for test in tests if self.seconds.get(test, math.inf) < SLOWEST]
        ordered = sorted(candidates, key=self.seconds.__getitem__)
        totals = accumulate(map(self.seconds.__getitem__, ordered))
        return [test for test, total in zip(ordered, totals, strict=True) if total < BUDGET]


def run(tests: list[str]) -> bool:
    """Run tests of one file in this order, and return whether all pass."""
    return pytest.main([*OPTIONS, tests[0].split("::")[0]], plugins=[_Selection(tests)]) == pytest.ExitCode.OK


class _Selection:
    """A pytest plugin that keeps the tests of a list, in its order."""

    def __init__(self, tests: list[str]) -> None:
        self.order = {test: i for i, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((x for x in items if x.nodeid in self.order), key=lambda x: self.order[x.nodeid])


def fork(action: Callable[[], int], seconds: int = resource.RLIM_INFINITY) -> int:
    """Start a silent process with a limit of processor seconds, whose exit code is the action's result."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
        os.setpgid(0, 0)
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        status = 255
        try:
            status = action()
        finally:
            os._exit(status)
    return child


class _Recorder:
    """A pytest plugin that records the seconds of each test, and the lines of engine/ and nn/ that it runs."""

    def __init__(self) -> None:
        self.coverage = coverage.Coverage(data_file=None, source=["engine", "nn"], config_file=False, messages=False)
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.seconds[report.nodeid] = report.duration

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        result = yield
        self.coverage.switch_context("collection")
        return result


def _record(file: Path) -> int:
    options = [*OPTIONS[1:], *TESTS]
    os.waitpid(fork(lambda: pytest.main(options)), 0)  # compiles the kernels, so that no test's time includes it
    recorder = _Recorder()
    recorder.coverage.start()
    for folder in ("engine", "nn"):
        for path in Path(folder).rglob("*.py"):
            importlib.import_module(module_name(path))
    recorder.coverage.switch_context("collection")
    status = pytest.main(options, plugins=[recorder])
    recorder.coverage.stop()
    data = recorder.coverage.get_data()
    record = {
        "seconds": recorder.seconds,
        "lines": {str(Path(x).relative_to(Path.cwd())): data.contexts_by_lineno(x) for x in data.measured_files()},
        "modules": [x for x in sys.modules if x.split(".")[0] not in ("engine", "nn", "viz", "demos", "tests")],
    }
    if status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        file.write_text(json.dumps(record))
    return 0


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
