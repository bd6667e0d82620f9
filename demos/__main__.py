"""The menu: `python -m demos`, `python -m demos NAME [options]`, `python -m demos all`."""

from __future__ import annotations

import ast
import difflib
import importlib
import pkgutil
import shlex
import sys
import textwrap
from pathlib import Path

import demos
from demos import _gallery
from demos._lesson import heading, parser

ORDER = (  # of the lecture; what is not here comes last
    "perceptron", "gradient_descent", "two_layer", "backprop", "forward_backward", "one_page", "error_propagation",
    "vanishing", "derivatives", "newton", "moons", "digits", "microgpt",
)  # fmt: skip
USAGE = """
  python -m demos NAME [options]        runs one; --help tells its options
  python -m demos all --output FOLDER   runs them all, and makes a gallery"""


def main(arguments: list[str] | None = None) -> None:
    words = sys.argv[1:] if arguments is None else arguments
    summaries = catalogue()
    if not words or words[0] in ("-h", "--help"):
        heading("The demos, in the order of the lecture")
        for number, (name, summary) in enumerate(summaries.items(), start=1):
            print(textwrap.fill(f"{number:2} {name:17} {summary}", 80, subsequent_indent=21 * " "))
        print(USAGE)
        if words or not (sys.stdin.isatty() and sys.stdout.isatty()):
            return
        words = asked(list(summaries))
    if words:
        try:
            name = found(words[0], list(summaries))
        except ValueError as error:
            sys.exit(f"python -m demos: {error}")
        run_all(summaries, words[1:]) if name == "all" else importlib.import_module(f"demos.{name}").main(words[1:])


def catalogue() -> dict[str, str]:
    """The names of the demos in their order, each with the first line of its docstring."""
    summaries = {}
    for module in pkgutil.iter_modules(demos.__path__):
        if not module.name.startswith("_"):
            source = Path(demos.__path__[0], f"{module.name}.py").read_text(encoding="utf-8")
            lines = (ast.get_docstring(ast.parse(source)) or "").splitlines()
            summaries[module.name] = lines[0].removesuffix(".") if lines else ""
    places = {name: place for place, name in enumerate(ORDER)}
    return {name: summaries[name] for name in sorted(summaries, key=lambda name: places.get(name, len(ORDER)))}


def asked(names: list[str]) -> list[str]:
    """The demo that the user wants, and its options; nothing if none."""
    while True:
        try:
            words = shlex.split(input("\nNumber or name, then options if you like (Enter leaves): "))
            if not words or words[0] in ("q", "quit"):
                return []
            return [found(words[0], names), *words[1:]]
        except ValueError as error:
            print(error)
        except (EOFError, KeyboardInterrupt):
            print()
            return []


def found(text: str, names: list[str]) -> str:
    """The name that is meant by a name or a number, or "all".

    Raises:
        ValueError: there is no such demo.

    >>> found("2", ["perceptron", "moons"])
    'moons'
    """
    if text in (*names, "all"):
        return text
    if text in map(str, range(1, len(names) + 1)):
        return names[int(text) - 1]
    near = difflib.get_close_matches(text, [*names, "all"], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"there is no demo {text!r}{hint}")


def run_all(summaries: dict[str, str], arguments: list[str]) -> None:
    """Run every demo with its defaults, and make the gallery; the status is 1 if one failed."""
    options = parser("all", "Run every demo with its defaults, and make a page of their pictures, gallery.html.")
    options.prog = "python -m demos all"
    folder = options.parse_args(arguments).output
    folder.mkdir(parents=True, exist_ok=True)
    runs = []
    for name, summary in summaries.items():
        print(f"{name:18}", end="", flush=True)
        runs.append(_gallery.run(name, summary, folder))
        print(f"{runs[-1].seconds:6.1f} s  {'FAILED' * runs[-1].failed}{', '.join(runs[-1].pictures)}")
    print(f"\nGallery: {_gallery.write(runs, folder)}")
    failed = [run.name for run in runs if run.failed]
    if failed:
        sys.exit(f"{options.prog}: failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
