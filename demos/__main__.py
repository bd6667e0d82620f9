"""The menu: `glassgrad`, `glassgrad NAME [options]`, `glassgrad all`; in a checkout, `python -m demos` instead."""

import argparse
import ast
import difflib
import importlib
import shlex
import sys
import textwrap
from pathlib import Path

import engine
from demos import _gallery, _site
from demos._lesson import COMMAND, INSTALL, OPTIONS, PICTURES, heading

ORDER = (  # as in the lecture; any other demo comes last
    "perceptron", "activations", "hidden_layer", "gradient_descent", "derivation", "two_layer", "symmetry",
    "backprop", "forward_backward", "forward_mode", "one_page", "error_propagation", "vanishing", "derivatives",
    "newton", "uncertainty", "greeks", "moons", "playground", "digits", "microgpt",
)  # fmt: skip
WITHOUT_EXTRA = ("backprop", "one_page", "error_propagation", "playground")
COMMANDS = ("all", "site")
USAGE = f"""
  *  needs the extra `demos`:         {INSTALL}
     or, without installation:        uvx 'glassgrad[demos]' NAME
  {COMMAND + " NAME [options]":35} run one; --help lists its options
  {COMMAND + " all --output PATH":35} run them all and write a gallery
  {COMMAND + " site --output PATH":35} write a site with all of it
  {COMMAND + " --version":35} print the version"""


def main(arguments: list[str] | None = None) -> None:
    """Run one demo or all; without arguments, list them and ask for one."""
    words = sys.argv[1:] if arguments is None else arguments
    summaries = catalogue()
    if not words or words[0] in ("-h", "--help"):
        heading("The demos, in the order of the lecture")
        for number, (name, summary) in enumerate(summaries.items(), start=1):
            mark = " " if name in WITHOUT_EXTRA else "*"
            print(textwrap.fill(f"{number:2}{mark} {name:17} {summary}", 80, subsequent_indent=22 * " "))
        print(USAGE)
        if words or not (sys.stdin.isatty() and sys.stdout.isatty()):
            return
        words = prompt_for_demo(list(summaries))
    if words == ["--version"]:
        print(f"glassgrad {engine.__version__}")
    elif words:
        try:
            name = resolve_demo(words[0], list(summaries))
        except ValueError as error:
            sys.exit(f"{COMMAND}: {error}")
        if name == "all":
            run_all(summaries, words[1:])
        elif name == "site":
            write_site(summaries, words[1:])
        else:
            importlib.import_module(f"demos.{name}").main(words[1:])


def catalogue() -> dict[str, str]:
    """Return the names of the demos in their order, each with the first line of its docstring."""
    summaries = {}
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        summaries[path.stem] = docstring.partition("\n")[0].removesuffix(".")
    return {name: summaries[name] for name in dict.fromkeys([*ORDER, *summaries]) if name in summaries}


def prompt_for_demo(names: list[str]) -> list[str]:
    """Ask for a demo and return its name and options, or nothing if the user declines."""
    while True:
        try:
            words = shlex.split(input("\nNumber or name, then any options (Enter quits): "))
            if not words or words[0] in ("q", "quit"):
                return []
            return [resolve_demo(words[0], names), *words[1:]]
        except ValueError as error:
            print(error)
        except (EOFError, KeyboardInterrupt):
            print()
            return []


def resolve_demo(text: str, names: list[str]) -> str:
    """Return the demo that a name or a number refers to, or "all" or "site"; raise a ValueError if there is none.

    >>> resolve_demo("2", ["perceptron", "moons"])
    'moons'
    """
    if text in (*names, *COMMANDS):
        return text
    if text in map(str, range(1, len(names) + 1)):
        return names[int(text) - 1]
    near = difflib.get_close_matches(text, [*names, *COMMANDS], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"unknown demo {text!r}{hint}")


def run_all(summaries: dict[str, str], arguments: list[str]) -> None:
    """Run every demo with its defaults and write the gallery; exit with status 1 if a demo failed."""
    folder = output_folder("all", "Run every demo and write gallery.html.", PICTURES, arguments)
    runs = []
    for name, summary in summaries.items():
        print(f"{name:18}", end="", flush=True)
        runs.append(_gallery.run(name, summary, folder))
        print(f"{runs[-1].seconds:6.1f} s  {'FAILED' if runs[-1].failed else ''}{', '.join(runs[-1].pictures)}")
    print(f"\nGallery: {_gallery.write(runs, folder)}")
    failed = [run.name for run in runs if run.failed]
    if failed:
        sys.exit(f"{COMMAND} all: failed: {', '.join(failed)}")


def write_site(summaries: dict[str, str], arguments: list[str]) -> None:
    """Write the documentation and the gallery of every demo into a folder that any server can show."""
    folder = output_folder("site", "Write a site of the lessons and functions.", Path("site"), arguments)
    try:
        index = _site.write_documentation(folder)
    except ModuleNotFoundError as error:
        sys.exit(f"{COMMAND} site: this needs {error.name}: pip install 'glassgrad[site]'")
    run_all(summaries, ["--output", str(folder)])
    print(f"Site: {index}")


def output_folder(command: str, description: str, default: Path, arguments: list[str]) -> Path:
    """Return the folder to which a command writes, which is created if need be."""
    options = argparse.ArgumentParser(prog=f"{COMMAND} {command}", description=description)
    flag, settings = OPTIONS["output"]
    options.add_argument(flag, default=default, **settings)
    folder: Path = options.parse_args(arguments).output
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    main()
