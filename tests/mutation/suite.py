"""The tests that can detect a mutant: the lines and seconds of each, and a process that runs some of them."""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate
from pathlib import Path

import coverage
import pytest

from tests.mutation.mutants import Mutant

CACHE = Path("build/mutation")  # the compiled kernels, and the lines and seconds of each test
TESTS = ["tests/engine", "tests/nn", "tests/demos/test_newton.py"]
TESTS += ["tests/test_bad_input.py", "tests/test_mistakes.py", "tests/test_public_names.py", "engine", "nn"]
TESTS += ["--ignore=tests/engine/test_scale.py"]  # a million nodes
# Without plugins that print for a reader, or that walk through all objects in memory.
OPTIONS = ["-x", "-s", "--assert=plain"]
OPTIONS += [f"-pno:{name}" for name in ("cacheprovider", "faulthandler", "hypothesispytest", "terminal", "xdist")]
OPTIONS += ["-pno:threadexception", "-pno:unraisableexception"]
SLOWEST = 2.0  # seconds; slower tests are left out
QUICK = 0.2  # seconds; tests this quick run for every mutant of a line that an import runs
BUDGET = 8.0  # seconds for the tests of one mutant, and again for the quick ones
# Files whose code runs when machine code is compiled, and not when it comes from the cache.
COMPILING = ("cache", "codegen", "compiled_update", "python_to_llvm", "runtime", "simd", "vector_math")


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
        self._order = {test: i for i, test in enumerate(self.seconds)}

    def _tests_of_module(self, path: Path) -> set[str]:
        """Return the tests that run a line of a module, and those of its own file, which may run it in a process."""
        running = {test for tests in self._lines.get(str(path), {}).values() for test in tests}
        return running | {test for test in self.seconds if test.startswith(f"{test_file(path)}::")}

    def tests_of(self, path: Path, lines: range) -> dict[tuple[bool, str], list[str]]:
        """Return the tests that run these lines, by whether they compile a graph and by file.

        A line that an import runs may affect every test: then these are the tests of the module and all quick tests.
        """
        by_line = self._lines.get(str(path), {})
        tests = {test for line in lines for test in by_line.get(str(line), [])}
        chosen, of_module = self._quickest(tests), self._tests_of_module(path)
        if path.stem in COMPILING:
            chosen = self._quickest(of_module) + self._quickest(self._compiling - of_module)
        elif "" in tests or not tests:
            quick = {test for test, seconds in self.seconds.items() if seconds < QUICK}
            chosen = self._quickest(of_module) + self._quickest(quick - of_module)
        by_file: dict[tuple[bool, str], list[str]] = {}
        for test in sorted(chosen, key=self._order.__getitem__):  # as they were recorded: some depend on the order
            by_file.setdefault((test in self._compiling, test.split("::")[0]), []).append(test)
        return by_file

    def _quickest(self, tests: set[str]) -> list[str]:
        candidates = [test for test in tests if self.seconds.get(test, math.inf) < SLOWEST]
        ordered = sorted(candidates, key=self.seconds.__getitem__)
        totals = accumulate(map(self.seconds.__getitem__, ordered))
        return [test for test, total in zip(ordered, totals, strict=True) if total < BUDGET]


def run(tests: list[str]) -> bool:
    """Run tests of one file in this order, and return whether all pass."""
    code = pytest.main([*OPTIONS, tests[0].split("::")[0]], plugins=[_Selection(tests)])
    return code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)  # no test with such an id


class _Selection:
    """A pytest plugin that keeps the tests of a list, in its order."""

    def __init__(self, tests: list[str]) -> None:
        self.order = {test: i for i, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((x for x in items if x.nodeid in self.order), key=lambda x: self.order[x.nodeid])


def copy_checkout(mutant: Mutant) -> Path:
    """Return a new folder with the checkout, one of whose files is the mutant, and the compiled kernels."""
    folder = Path(tempfile.mkdtemp(dir=CACHE.resolve()))
    skipped = shutil.ignore_patterns("build", ".*")
    shutil.copytree(".", folder, copy_function=os.link, ignore=skipped, dirs_exist_ok=True)
    shutil.copytree(CACHE / "glassgrad", folder / "glassgrad", copy_function=os.link)
    (folder / mutant.path).unlink()  # or the original would be written
    (folder / mutant.path).write_text(mutant.text)
    return folder


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

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        result = yield
        self.coverage.switch_context("collection")
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        before = sum(os.times()[:4])  # of this process and those that it started
        result = yield
        self.seconds[item.nodeid] = sum(os.times()[:4]) - before  # if it passed
        return result


def _record(file: Path) -> int:
    options = [*OPTIONS[1:], *TESTS]
    os.waitpid(fork(lambda: pytest.main(options)), 0)  # compiles the kernels, so that no test's time includes it
    recorder = _Recorder()
    recorder.coverage.start()
    for path in [*Path("engine").rglob("*.py"), *Path("nn").rglob("*.py")]:
        if path.stem != "micrograd":  # which gives every Value more names
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


def test_file(path: Path) -> str:
    """Return the file of the tests of a module."""
    return str("tests" / path.with_name(f"test_{path.name}"))


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
