"""What is to find it: the tests, the lines that each comes by, and a process that runs some of them."""

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

FOLDER = Path("build/mutation")  # what is kept from run to run: the kernels, and which test comes by which line
TESTS = [
    *("backprop", "bad_input", "calculus", "checks", "compiled", "details", "files", "micrograd", "newton", "nn"),
    *("numerics", "own_rules", "random_graphs", "replayed", "rules", "scale", "tape", "training", "value", "wording"),
]
OPTIONS = ["-x", "--assert=plain"]  # and without what is for readers of the results, or walks all that is in memory
OPTIONS += [f"-pno:{name}" for name in ("cacheprovider", "faulthandler", "hypothesispytest", "terminal")]
OPTIONS += ["-pno:threadexception", "-pno:unraisableexception", "-s"]
SLOWEST = 2.0  # seconds; slower tests are left out
QUICK = 0.2  # seconds; tests as quick are run where an import comes by
BUDGET = 8.0  # seconds for the tests of a mutant, and again for those of where an import comes by
ONCE = (
    "engine/compiler/cache.py",
    "engine/compiler/codegen.py",
    "nn/training/compiled_update.py",
)  # run once in a process, like an import
COLLECTION = "collection"


class Suite:
    """The tests, and what a run of all told of them; kept until a source or a test changes."""

    def __init__(self) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        files = sorted(x for folder in ("engine", "nn", "tests") for x in Path(folder).glob("*.py"))
        digest = hashlib.sha256(b"".join(x.read_bytes() for x in files)).hexdigest()[:16]
        file = FOLDER / f"tests_{digest}.json"
        if not file.exists():
            print("running all tests once, to see which come by which line ...", flush=True)
            os.waitpid(forked(partial(_record, file)), 0)
            if not file.exists():
                raise SystemExit("the tests do not run: see what pytest says")
        known = json.loads(file.read_text())
        self._lines: dict[str, dict[str, list[str]]] = known["lines"]
        self.seconds: dict[str, float] = known["seconds"]
        self.modules: list[str] = known["modules"]
        self._compiling = self._near(Path("engine/compiler/program.py"))

    def _near(self, path: Path) -> set[str]:
        """The tests that came by any line of a module."""
        return {test for of_line in self._lines.get(str(path), {}).values() for test in of_line}

    def tests_for(self, path: Path, lines: range) -> dict[tuple[bool, str], list[str]]:
        """The tests that came by these lines, by whether they compile a graph and by their files, the quick first.

        If an import came by, it may concern all tests: those that came by any line of that module, and all quick ones.
        """
        of_lines = self._lines.get(str(path), {})
        tests = {test for line in lines for test in of_lines.get(str(line), [])}
        chosen = self._quickest(tests)
        if "" in tests or not tests or str(path) in ONCE:
            near = self._near(path)
            quick = {test for test, seconds in self.seconds.items() if seconds < QUICK}
            chosen = self._quickest(near) + self._quickest(quick - near)
        found: dict[tuple[bool, str], list[str]] = {}
        for test in chosen:
            found.setdefault((test in self._compiling, test.split("::")[0]), []).append(test)
        return found

    def _quickest(self, tests: set[str]) -> list[str]:
        able = [test for test in tests if self.seconds.get(test, math.inf) < SLOWEST]
        chosen = sorted(able, key=self.seconds.__getitem__)
        return [x for x, till in zip(chosen, accumulate(map(self.seconds.get, chosen)), strict=True) if till < BUDGET]


def run(tests: list[str]) -> bool:
    """Run tests of one file in this order; whether all pass."""
    return pytest.main([*OPTIONS, tests[0].split("::")[0]], plugins=[_Chosen(tests)]) == pytest.ExitCode.OK


class _Chosen:
    def __init__(self, tests: list[str]) -> None:
        self.order = {test: i for i, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((x for x in items if x.nodeid in self.order), key=lambda x: self.order[x.nodeid])


def forked(action: Callable[[], int], seconds: int = resource.RLIM_INFINITY) -> int:
    """The process that runs the action in silence, has so many seconds of a processor, and exits with what it gives."""
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
    """A pytest plugin: the lines of engine/ and nn/ that each test comes by, and its seconds."""

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
        self.coverage.switch_context(COLLECTION)
        return result


def _record(file: Path) -> int:
    options = [*OPTIONS[1:], *(f"tests/test_{name}.py" for name in TESTS), "engine", "nn"]
    os.waitpid(forked(lambda: pytest.main(options)), 0)  # compiles the kernels, which is not to count as a test's time
    recorder = _Recorder()
    recorder.coverage.start()
    for path in [*Path("engine").glob("*.py"), *Path("nn").glob("*.py")]:
        importlib.import_module(module_name(path))
    recorder.coverage.switch_context(COLLECTION)
    status = pytest.main(options, plugins=[recorder])
    recorder.coverage.stop()
    data = recorder.coverage.get_data()
    known = {
        "seconds": recorder.seconds,
        "lines": {str(Path(x).relative_to(Path.cwd())): data.contexts_by_lineno(x) for x in data.measured_files()},
        "modules": [x for x in sys.modules if x.split(".")[0] not in ("engine", "nn", "viz", "demos", "tests")],
    }
    if status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        file.write_text(json.dumps(known))
    return 0


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
