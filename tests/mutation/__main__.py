"""Mutation testing: break engine/ and nn/ in one place at a time, and see whether a test fails.

    python -m tests.mutation                        every mutant: some hours
    python -m tests.mutation --share 0.1            one in ten, drawn by --seed
    python -m tests.mutation engine/value.py nn     files and folders
    python -m tests.mutation --again output.txt     the survivors that an earlier run printed

mutmut itself imports everything and then calls a mutant in place of the original. Here the import itself reads the
table of rules and builds functions and methods from it. So each mutant of mutmut's operators is a copy of the checkout,
imported from scratch in a process forked from one that has all other packages in memory. It runs the tests that run the
changed lines, whose own processes import the copy, too.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import math
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.suite import CACHE, COMPILING, Suite, copy_checkout, fork, module_name, run, test_file

EAGER = ("formulas", "rules")  # not tested by compiling: the same texts run without it
WAIT = 0.005  # seconds between two looks at the processes


def results(mutants: list[Mutant], suite: Suite, jobs: int) -> Iterator[tuple[Mutant, str]]:
    """Yield each mutant and its fate. Of the tests, those that killed most mutants of the same file run first."""
    waiting = mutants[::-1]
    running: dict[int, tuple[Mutant, list[tuple[bool, str]], Path]] = {}
    patience: dict[int, float] = {}
    kills: dict[Path, Counter[tuple[bool, str]]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                mutant = waiting.pop()
                slow = mutant.path.stem in COMPILING
                tests, best = suite.tests_of(mutant.path, mutant.lines), kills.setdefault(mutant.path, Counter())
                useful = [file for file in tests if not (file[0] and mutant.path.stem in EAGER)]
                own = test_file(mutant.path)
                # Doctests run last, as they do in pytest: the rules that they define stay.
                files = sorted(useful, key=lambda file: (file[1][0] != "t", -best[file], file[1] != own))
                seconds = 8 + 3 * round(sum(suite.seconds[x] for file in files for x in tests[file])) + 60 * slow
                folder = copy_checkout(mutant)
                child = fork(partial(_run_tests, mutant, [tests[file] for file in files], folder), seconds)
                running[child], patience[child] = (mutant, files, folder), 10 * seconds
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended:
                mutant, files, folder = running.pop(ended)
                _end(ended, folder)
                code = os.waitstatus_to_exitcode(status)
                if 0 < code <= len(files):
                    kills[mutant.path][files[code - 1]] += 1
                late = code in (-signal.SIGXCPU, -signal.SIGKILL)
                yield mutant, "timeout" if late else "killed" if code else "survived"
                continue
            for child in running:  # not by the clock, which goes on while these processes are stopped
                patience[child] -= WAIT
                if patience[child] < 0:
                    os.killpg(child, signal.SIGKILL)
            time.sleep(WAIT)
    finally:  # also after Ctrl-C
        for child, (_, _, folder) in running.items():
            _end(child, folder)


def _end(child: int, folder: Path) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _run_tests(mutant: Mutant, files: list[list[str]], folder: Path) -> int:
    """Import the mutant and run tests, file by file. Return the number, from 1, of the first that fails, or 0."""
    os.chdir(folder)
    os.environ |= {"PYTHONPATH": str(folder), "XDG_CACHE_HOME": str(folder), "TMPDIR": str(folder)}
    tempfile.tempdir = str(folder)
    sys.path[0] = str(folder)
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]
    importlib.import_module("nn")
    importlib.import_module(module_name(mutant.path))
    return next((i for i, tests in enumerate(files, start=1) if not run(tests)), 0)


def print_table(counts: dict[Path, Counter[str]]) -> None:
    """Print the counts per file and folder, and each score with its 95 % confidence interval."""
    print(f"{'':32}{'mutants':>8}{'killed':>8}{'timeout':>8}{'survived':>9}{'score':>8}")
    lines = {str(path): count for path, count in sorted(counts.items())}
    for folder in sorted({path.parent for path in counts}):
        lines[f"{folder}/"] = sum((count for path, count in counts.items() if path.parent == folder), Counter())
    lines["total"] = sum(counts.values(), Counter())
    for name, count in lines.items():
        n, dead = count.total(), count["killed"] + count["timeout"]
        low, high = wilson(dead, n)
        print(
            f"{name:32}{n:8}{count['killed']:8}{count['timeout']:8}{count['survived']:9}"
            f"{dead / n:8.1%}  ({low:.1%} to {high:.1%})"
        )


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share (Wilson 1927)."""
    z, p = 1.96, hits / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Mutation testing of engine and nn.")
    parser.add_argument("paths", nargs="*", type=Path, default=[Path("engine"), Path("nn")], help="files and folders")
    parser.add_argument("--share", type=float, default=1.0, help="fraction of the mutants to test, drawn at random")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="number of processes")
    parser.add_argument("--again", type=Path, help="output of an earlier run: test only its survivors")
    arguments = parser.parse_args()

    os.environ["XDG_CACHE_HOME"] = str(CACHE.resolve())
    suite = Suite()
    files = [file for path in arguments.paths for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    mutants = [mutant for file in files for mutant in mutants_of(file)]
    if arguments.again:
        printed = arguments.again.read_text().splitlines()
        survived = {line.partition(" of ")[2] for line in printed if line.startswith("survived")}
        mutants = [mutant for mutant in mutants if str(mutant) in survived]
    drawn = random.Random(arguments.seed).sample(mutants, round(arguments.share * len(mutants)))
    print(f"{len(drawn)} of {len(mutants)} mutants", flush=True)
    for name in suite.modules:  # shared by all processes forked from this one
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    sys.dont_write_bytecode = True  # of mutants
    gc.freeze()

    counts: dict[Path, Counter[str]] = {}
    with contextlib.suppress(KeyboardInterrupt):  # the table then has the mutants tested so far
        for mutant, result in results(drawn, suite, arguments.jobs):
            counts.setdefault(mutant.path, Counter())[result] += 1
            if result == "survived":
                print(f"survived, line {mutant.line} of {mutant}", flush=True)
            done = sum(x.total() for x in counts.values())
            if done % 50 == 0:
                print(f"{done} done", flush=True)
    print_table(counts)


if __name__ == "__main__":
    main()
