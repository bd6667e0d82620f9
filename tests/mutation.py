"""Mutation testing: break engine/ and nn/ in one place at a time, and see whether a test goes red.

    python -m tests.mutation                        every mutant: some hours
    python -m tests.mutation --share 0.1            one in ten, drawn by --seed
    python -m tests.mutation engine/value.py nn     files and folders

The mutants are those of mutmut's operators. mutmut itself calls them in place of the original when everything is
imported. Here the table of rules is read, and made into kernels and methods, by the import itself, and much stands in
properties and in texts, where mutmut makes no mutants. So what an import comes by is mutated and imported anew, in a
process that forks from one which has the other packages in memory; of the rest the functions in memory are given the
mutated code, in a process that forks from one with all tests collected. Each runs the tests that came by its lines, the
quick ones first.

Left alone are annotations, docstrings, prose (what an operation is `about`, an error says), the arguments of `len` and
`isinstance`, and `strict` of a zip, which is an assertion. Texts with code in them, such as the rows of the table, are
mutated as the code that they are; but for the large ones of engine/lanes.py: numba would compile each mutant for half
a minute. `tests/mutation_survivors.md` has the survivors that no test is to kill, and why.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import hashlib
import importlib
import json
import linecache
import math
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.machinery import SourceFileLoader
from itertools import accumulate, chain
from pathlib import Path
from types import CodeType, FunctionType

import coverage
import hypothesis.configuration
import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

FOLDER = Path("build/mutation")  # what is kept from run to run: the kernels, and which test comes by which line
SURVIVORS = Path(__file__).with_name("mutation_survivors.md")
TESTS = [
    *("backprop", "bad_input", "calculus", "compiled", "details", "files", "micrograd", "newton", "nn", "numerics"),
    *("own_rules", "random_graphs", "rules", "training", "value"),
]
COLLECTION = "collection"
SLOWEST = 2.0  # seconds; slower tests are left out
QUICK = 0.2  # seconds; tests as quick are run where an import comes by
BUDGET = 6.0, 12.0  # seconds for the tests of a mutant, and of one where an import comes by
ONCE = ("engine/kept.py", "engine/lanes.py", "nn/moves.py")  # run once in a process, like an import
OF_CODE = ("engine/kernels.py", "engine/rules.py")  # the texts of which are code

Run = Callable[[list[str]], int]


@dataclass(frozen=True)
class Mutant:
    path: Path
    module: cst.Module
    lines: range  # of the statement
    line: int
    old: cst.CSTNode
    new: cst.CSTNode

    @property
    def text(self) -> str:
        """The mutated file."""
        return self.module.deep_replace(self.old, self.new).code

    def __str__(self) -> str:
        source = self.module.code.splitlines()[self.line - 1].strip()
        return f"{self.path}: {source} | {_in_line(self.old)} -> {_in_line(self.new)}"


def _in_line(node: cst.CSTNode) -> str:
    text = " ".join(cst.Module([]).code_for_node(node).split())
    return text if len(text) <= 160 else f"{text[:77]} ... {text[-77:]}"


class Finder(cst.CSTVisitor):
    """The mutants of a file."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, path: Path, module: cst.Module) -> None:
        super().__init__()
        self.path, self.module = path, module
        self.mutants: list[Mutant] = []
        self.statements: list[range] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _is_left_alone(node):
            return False
        place = self.get_metadata(PositionProvider, node, None)
        lines = range(place.start.line, place.end.line + 1) if place else range(0)
        if isinstance(node, cst.SimpleStatementLine):
            self.statements.append(lines)
        line, lines = lines.start, self.statements[-1] if self.statements else lines
        mutations = _of_text(node, self.path) if isinstance(node, cst.SimpleString) else _mutations(node)
        self.mutants += [Mutant(self.path, self.module, lines, line, node, new) for new in mutations]
        return True

    def on_leave(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.SimpleStatementLine):
            self.statements.pop()


def mutants_of(path: Path) -> list[Mutant]:
    wrapper = MetadataWrapper(cst.parse_module(path.read_text()))
    finder = Finder(path, wrapper.module)
    wrapper.visit(finder)
    return finder.mutants


def _is_left_alone(node: cst.CSTNode) -> bool:
    match node:
        case cst.Annotation() | cst.Import() | cst.ImportFrom() | cst.Arg(keyword=cst.Name("strict")):
            return True
        case cst.AnnAssign(annotation=cst.Annotation(cst.Name("TypeAlias"))) | cst.If(test=cst.Name("TYPE_CHECKING")):
            return True
        case cst.Call(func=cst.Name("len" | "isinstance")):
            return True
    return False


def _mutations(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.Call) and _in_line(node.func) == "Rule":
        return  # its texts are mutated
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            yield from (new for new in operator(node) if _strict(new) == _strict(node))


def _strict(node: cst.CSTNode) -> list[str]:
    return [_in_line(x) for x in node.args if _is_left_alone(x)] if isinstance(node, cst.Call) else []


def _of_text(node: cst.SimpleString, path: Path) -> Iterator[cst.CSTNode]:
    """Of code the mutants of that code; of a word the word with more around it; of prose none."""
    text = node.evaluated_value
    if str(path) in OF_CODE and any(sign in text for sign in "+-*/(<=0123456789"):
        with contextlib.suppress(cst.ParserSyntaxError):
            inner = cst.parse_module(text)
            found: list[tuple[cst.CSTNode, cst.CSTNode]] = []
            inner.visit(_Inner(found))
            texts = dict.fromkeys(inner.deep_replace(old, new).code for old, new in found)
            yield from (cst.SimpleString(repr(x)) for x in texts if x != text)
            return
    if " " not in text.strip() and not node.value.startswith('"""'):
        yield next(iter(operator_string(node)))


class _Inner(cst.CSTVisitor):
    """The mutations of code in a text, by which one letter stands for another as well, and an argument for its call."""

    def __init__(self, found: list[tuple[cst.CSTNode, cst.CSTNode]]) -> None:
        super().__init__()
        self.found = found

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.found += [(node, new) for new in _mutations(node)]
        if isinstance(node, cst.Name) and node.value in ("a", "b", "out"):
            self.found += [(node, cst.Name(x)) for x in ("a", "b", "out") if x != node.value]
        if isinstance(node, cst.Call) and len(node.args) == 1:
            self.found.append((node, cst.parse_expression(f"({_in_line(node.args[0].value)})")))
        return True


class _Recorder:
    """A pytest plugin: the lines of engine/ and nn/ that each test comes by, and its seconds."""

    def __init__(self) -> None:
        self.coverage = coverage.Coverage(data_file=None, source=["engine", "nn"], config_file=False, messages=False)
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.seconds[report.nodeid] = report.duration
        if report.failed:
            self.failed.add(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        result = yield
        self.coverage.switch_context(COLLECTION)
        return result


class _Session:
    """A pytest plugin: when the tests are collected, an action, which is given what runs some of them."""

    def __init__(self, action: Callable[[Run], int]) -> None:
        self.action, self.failed, self.result = action, False, 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed |= report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}

        def run(tests: list[str]) -> int:
            chosen = [items[test] for test in tests if test in items]
            for item, following in zip(chosen, [*chosen[1:], None], strict=True):
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if self.failed:
                    break
            return int(self.failed)

        self.result = self.action(run)
        return True


def _pytest(tests: list[str], plugin: object | None) -> int:
    files = sorted({test.split("::")[0] for test in tests})
    return int(
        pytest.main(
            ["-s", "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:faulthandler", *files],
            plugins=[plugin] if plugin else [],
        )
    )


def _forked(action: Callable[[], int], seconds: int = resource.RLIM_INFINITY) -> int:
    """The process that runs the action in silence, has so many seconds of a processor, and exits with what it gives."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
        os.setpgid(0, 0)
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        status = 1
        try:
            status = action()
        finally:
            os._exit(status)
    return child


def _record(file: Path) -> int:
    recorder, paths = _Recorder(), [*(f"tests/test_{name}.py" for name in TESTS), "engine", "nn"]
    os.waitpid(_forked(lambda: _pytest(paths, None)), 0)  # compiles the kernels, which is not to count as a test's time
    recorder.coverage.start()
    for path in [*Path("engine").glob("*.py"), *Path("nn").glob("*.py")]:
        importlib.import_module(_name(path))
    recorder.coverage.switch_context(COLLECTION)
    status = _pytest(paths, recorder)
    recorder.coverage.stop()
    data = recorder.coverage.get_data()
    known = {
        "seconds": recorder.seconds,
        "failed": sorted(recorder.failed),
        "lines": {str(Path(x).relative_to(Path.cwd())): data.contexts_by_lineno(x) for x in data.measured_files()},
        "modules": [x for x in sys.modules if x.split(".")[0] not in ("engine", "nn", "viz", "demos", "tests")],
    }
    if status in (0, 1):
        file.write_text(json.dumps(known))
    return 0


def recorded() -> dict[str, dict]:
    """Which tests come by which lines, told by a run of all; kept until a source or a test changes."""
    files = sorted(
        x for folder in ("engine", "nn", "tests") for x in Path(folder).glob("*.py") if x != Path("tests/mutation.py")
    )
    digest = hashlib.sha256(b"".join(x.read_bytes() for x in files)).hexdigest()[:16]
    file = FOLDER / f"tests_{digest}.json"
    if not file.exists():
        print("running all tests once, to see which come by which line ...", flush=True)
        os.waitpid(_forked(partial(_record, file)), 0)
        if not file.exists():
            raise SystemExit("the tests do not run: see what pytest says")
    known = json.loads(file.read_text())
    if known["failed"]:
        print("left out, because they fail without a mutant:", *known["failed"], sep="\n    ", flush=True)
    return known


def tests_for(mutant: Mutant, known: dict[str, dict]) -> tuple[list[str], bool]:
    """The tests that came by its lines, the quick first, and whether an import came by.

    Then it may concern all tests, and the quick ones are run, too.
    """
    seconds = {test: known["seconds"][test] for test in known["seconds"].keys() - set(known["failed"])}
    lines = known["lines"].get(str(mutant.path), {})
    tests = {test for line in mutant.lines for test in lines.get(str(line), [])}
    imported = "" in tests or not tests
    if imported or str(mutant.path) in ONCE:
        tests |= {test for test in seconds if seconds[test] < QUICK}
    chosen = sorted((x for x in tests if seconds.get(x, math.inf) < SLOWEST), key=seconds.__getitem__)
    budget = BUDGET[imported]
    return [x for x, till in zip(chosen, accumulate(map(seconds.get, chosen)), strict=True) if till < budget], imported


def _imported(mutant: Mutant, tests: list[str]) -> int:
    """Import the mutant, and run the tests."""
    path, text, get_code = str(mutant.path.resolve()), mutant.text, SourceFileLoader.get_code

    def mutated(self: SourceFileLoader, name: str) -> CodeType | None:
        return compile(text, path, "exec", dont_inherit=True) if self.path == path else get_code(self, name)

    SourceFileLoader.get_code = mutated
    linecache.cache[path] = len(text), None, text.splitlines(keepends=True), path
    importlib.import_module("nn")
    importlib.import_module(_name(mutant.path))
    session = _Session(lambda run: run(tests))
    _pytest(tests, session)
    return session.result


def _swapped(mutant: Mutant, tests: list[str], run: Run) -> int:
    """Give the functions in memory the code of the mutant, and run the tests."""
    before, after = (
        _codes(compile(text, str(mutant.path.resolve()), "exec", dont_inherit=True))
        for text in (mutant.module.code, mutant.text)
    )
    if len(before) == len(after):
        codes = dict(zip(before, after, strict=True))
    else:  # a lambda is gone
        named = {code.co_qualname: code for code in after}
        codes = {code: named[code.co_qualname] for code in before if code.co_qualname in named}
    for function in gc.get_objects():
        if type(function) is FunctionType and function.__code__ in codes:
            function.__code__ = codes[function.__code__]
    return run(tests)


def _codes(code: CodeType) -> list[CodeType]:
    return [code, *chain.from_iterable(_codes(x) for x in code.co_consts if isinstance(x, CodeType))]


def _name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def results(todo: list[tuple[Mutant, int, Callable[[], int]]], jobs: int) -> Iterator[tuple[Mutant, str]]:
    """What became of each mutant, which is tested in a process that has so many seconds."""
    waiting = todo[::-1]
    running: dict[int, tuple[Mutant, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                mutant, seconds, action = waiting.pop()
                running[_forked(action, seconds)] = mutant, time.monotonic() + 10 * seconds
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                late = code in (-signal.SIGXCPU, -signal.SIGKILL)
                yield running.pop(ended)[0], "timeout" if late else "killed" if code else "survived"
                continue
            for child, (_, until) in running.items():
                if time.monotonic() > until:
                    os.killpg(child, signal.SIGKILL)
            time.sleep(0.005)
    finally:  # of Ctrl-C, too
        for child in running:
            os.killpg(child, signal.SIGKILL)


def told(counts: dict[Path, Counter[str]]) -> None:
    """The table of what was found; a score has its 95 % confidence interval."""
    print(f"{'':24}{'mutants':>8}{'killed':>8}{'timeout':>8}{'survived':>9}{'score':>8}")
    lines = {str(path): count for path, count in sorted(counts.items())}
    for folder in sorted({path.parent for path in counts}):
        lines[f"{folder}/"] = sum((count for path, count in counts.items() if path.parent == folder), Counter())
    lines["in all"] = sum(counts.values(), Counter())
    for name, count in lines.items():
        n, dead = count.total(), count["killed"] + count["timeout"]
        low, high = wilson(dead, n)
        print(
            f"{name:24}{n:8}{count['killed']:8}{count['timeout']:8}{count['survived']:9}"
            f"{dead / n:8.1%}  ({low:.1%} to {high:.1%})"
        )


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share (Wilson 1927)."""
    z, p = 1.96, hits / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Mutation testing of engine and nn.")
    parser.add_argument("paths", nargs="*", type=Path, default=[Path("engine"), Path("nn")], help="files and folders")
    parser.add_argument("--share", type=float, default=1.0, help="the share of the mutants to take, drawn at random")
    parser.add_argument("--seed", type=int, default=1, help="of the draw")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time")
    arguments = parser.parse_args()

    FOLDER.mkdir(parents=True, exist_ok=True)
    os.environ["XDG_CACHE_HOME"] = str(FOLDER.resolve())
    hypothesis.configuration.set_hypothesis_home_dir(FOLDER.resolve())
    known = recorded()
    files = [file for path in arguments.paths for file in (sorted(path.glob("*.py")) if path.is_dir() else [path])]
    mutants = [mutant for file in files for mutant in mutants_of(file)]
    drawn = random.Random(arguments.seed).sample(mutants, round(arguments.share * len(mutants)))
    print(f"{len(drawn)} of {len(mutants)} mutants", flush=True)

    listed = {line.removeprefix("- ") for line in SURVIVORS.read_text().splitlines()}
    counts: dict[Path, Counter[str]] = {}

    def count(todo: list[tuple[Mutant, int, Callable[[], int]]]) -> int:
        for mutant, result in results(todo, arguments.jobs):
            counts.setdefault(mutant.path, Counter())[result] += 1
            if result == "survived":
                reason = " (listed)" if str(mutant) in listed else ""
                print(f"survived{reason}, line {mutant.line} of {mutant}", flush=True)
            done = sum(x.total() for x in counts.values())
            if done % 50 == 0:
                print(f"{done} done", flush=True)
        return 0

    imported, swapped = [], []
    for mutant in drawn:
        tests, by_import = tests_for(mutant, known)
        seconds = 20 + 5 * round(sum(known["seconds"][test] for test in tests))
        (imported if by_import else swapped).append((mutant, seconds, tests))
    for name in known["modules"]:  # for all processes that fork from this one
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    with contextlib.suppress(KeyboardInterrupt):  # the table then tells of what was done
        count([(mutant, seconds, partial(_imported, mutant, tests)) for mutant, seconds, tests in imported])
        for file in files:  # what is imported in passing, too
            importlib.import_module(_name(file))
        session = _Session(
            lambda run: count([(x, seconds, partial(_swapped, x, tests, run)) for x, seconds, tests in swapped])
        )
        _pytest(list(known["seconds"]), session)
    told(counts)


if __name__ == "__main__":
    main()
