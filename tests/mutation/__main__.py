"""Mutation testing: break engine/ and nn/ in one place at a time, and see whether a test goes red.

    python -m tests.mutation                        every mutant: some hours
    python -m tests.mutation --share 0.1            one in ten, drawn by --seed
    python -m tests.mutation engine/value.py nn     files and folders
    python -m tests.mutation --again output.txt     those that survived, as an earlier run printed

mutmut itself calls a mutant in place of the original when everything is imported. Here the table of rules is read, and
made into kernels and methods, by the import itself. So each mutant of mutmut's operators is imported anew, in a process
that forks from one which has all other packages in memory, and runs the tests that came by its lines. `survivors.md`
has the survivors that no test is to kill, and why.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import linecache
import math
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

import hypothesis.configuration

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.suite import FOLDER, Suite, forked, module_name, run

SURVIVORS = Path(__file__).with_name("survivors.md")
COMPILED = ("elementary", "kept", "lanes", "moves", "vectors")  # anew for each mutant, in half a minute
EAGER = ("kernels", "rules")  # spared that: numba compiles the same texts that run without it


def results(mutants: list[Mutant], suite: Suite, jobs: int) -> Iterator[tuple[Mutant, str]]:
    """What became of each mutant. The files of tests that have killed most of those beside it come first."""
    waiting = mutants[::-1]
    running: dict[int, tuple[Mutant, list[tuple[bool, str]], float]] = {}
    kills: dict[Path, Counter[tuple[bool, str]]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                mutant = waiting.pop()
                slow = mutant.path.stem in COMPILED
                tests, best = suite.tests_for(mutant.path, mutant.lines), kills.setdefault(mutant.path, Counter())
                able = [file for file in tests if not (file[0] and mutant.path.stem in EAGER)]
                files = sorted(able, key=lambda file: (slow and file[0], -best[file], file))
                seconds = 8 + 3 * round(sum(suite.seconds[x] for file in files for x in tests[file])) + 60 * slow
                child = forked(partial(_found, mutant, [tests[file] for file in files]), seconds)
                running[child] = mutant, files, time.monotonic() + 10 * seconds
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended:
                mutant, files, _ = running.pop(ended)
                code = os.waitstatus_to_exitcode(status)
                if 0 < code <= len(files):
                    kills[mutant.path][files[code - 1]] += 1
                late = code in (-signal.SIGXCPU, -signal.SIGKILL)
                yield mutant, "timeout" if late else "killed" if code else "survived"
                continue
            for child, (_, _, until) in running.items():
                if time.monotonic() > until:
                    os.killpg(child, signal.SIGKILL)
            time.sleep(0.005)
    finally:  # of Ctrl-C, too
        for child in running:
            os.killpg(child, signal.SIGKILL)


def _found(mutant: Mutant, tests: list[list[str]]) -> int:
    """Import the mutant and run tests, file by file: the number, from 1, of the file that found it; 0 if none did."""
    path, text, get_code = str(mutant.path.resolve()), mutant.text, SourceFileLoader.get_code

    def mutated(self: SourceFileLoader, name: str) -> CodeType | None:
        return compile(text, path, "exec", dont_inherit=True) if self.path == path else get_code(self, name)

    SourceFileLoader.get_code = mutated
    linecache.cache[path] = len(text), None, text.splitlines(keepends=True), path
    importlib.import_module("nn")
    importlib.import_module(module_name(mutant.path))
    return next((i for i, of_file in enumerate(tests, start=1) if not run(of_file)), 0)


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
    parser.add_argument("--again", type=Path, help="what an earlier run printed: those alone that survived it")
    arguments = parser.parse_args()

    os.environ["XDG_CACHE_HOME"] = str(FOLDER.resolve())
    hypothesis.configuration.set_hypothesis_home_dir(FOLDER.resolve())
    suite = Suite()
    files = [file for path in arguments.paths for file in (sorted(path.glob("*.py")) if path.is_dir() else [path])]
    mutants = [mutant for file in files for mutant in mutants_of(file)]
    if arguments.again:
        survived = {
            x.partition(" of ")[2] for x in arguments.again.read_text().splitlines() if x.startswith("survived")
        }
        mutants = [mutant for mutant in mutants if str(mutant) in survived]
    drawn = random.Random(arguments.seed).sample(mutants, round(arguments.share * len(mutants)))
    print(f"{len(drawn)} of {len(mutants)} mutants", flush=True)
    for name in suite.modules:  # for all processes that fork from this one
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    gc.freeze()

    listed = {line.removeprefix("- ") for line in SURVIVORS.read_text().splitlines()}
    counts: dict[Path, Counter[str]] = {}
    with contextlib.suppress(KeyboardInterrupt):  # the table then tells of what was done
        for mutant, result in results(drawn, suite, arguments.jobs):
            counts.setdefault(mutant.path, Counter())[result] += 1
            if result == "survived":
                reason = " (listed)" if str(mutant) in listed else ""
                print(f"survived{reason}, line {mutant.line} of {mutant}", flush=True)
            done = sum(x.total() for x in counts.values())
            if done % 50 == 0:
                print(f"{done} done", flush=True)
    told(counts)


if __name__ == "__main__":
    main()
