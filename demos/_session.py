"""A session of Python in the browser, which runs the examples of the documentation; see `demos/_site.py`."""

import ast
import importlib
import io
import json
import linecache
import os
import sys
import tempfile
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from viz.drawing import Drawing
from viz.embedding import Embedded


def run(package: str, name: str, cells: str) -> str:
    r"""Run the cells of an example in an empty folder.

    Args:
        package: the package that the example documents, "" if it imports what it uses.
        name: the documented name; the example sees the names of the module that defines it.
        cells: a JSON list of texts, each of which is followed by its output.

    Returns:
        A JSON list with an object for each cell: `text`, what it printed, and `files`, the names and contents of the
        pictures and pages that it wrote or displayed.

    >>> json.loads(run("engine", "Value", '["Value(2.0) * 3"]'))
    [{'text': "Value(data=6.0, grad=0.0, op='*')\n", 'files': {}}]
    """
    names = _module_names(package, name)
    before = Path.cwd(), tempfile.tempdir, sys.displayhook
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        tempfile.tempdir, sys.displayhook = folder, _display
        try:
            return json.dumps([_run_cell(cell, names) for cell in json.loads(cells)])
        finally:
            home, tempfile.tempdir, sys.displayhook = before
            os.chdir(home)


def _module_names(package: str, name: str) -> dict[str, Any]:
    if not package:
        return {"__name__": "__main__"}
    documented = getattr(importlib.import_module(package), name.partition(".")[0], None)
    module = getattr(documented, "__module__", package)
    return {**vars(importlib.import_module(package)), **vars(sys.modules[module])}


def _run_cell(cell: str, names: dict[str, Any]) -> dict[str, Any]:
    before = _pictures_and_pages()
    file = f"<example {len(linecache.cache)}>"
    linecache.cache[file] = len(cell), None, cell.splitlines(keepends=True), file  # for functions that read the source
    output = io.StringIO()
    with redirect_stdout(output):
        try:
            for statement in ast.parse(cell).body:
                exec(compile(ast.Interactive([statement]), file, "single"), names)
        except (Exception, SystemExit) as error:
            print("Traceback (most recent call last):", *traceback.format_exception_only(error), sep="\n", end="")
            if isinstance(error, ImportError):
                print("Browsers lack this package. Run the example in Python on your computer.")
    files = {path.name: path.read_text(encoding="utf-8") for path in _pictures_and_pages() if path not in before}
    return {"text": output.getvalue(), "files": files}


def _pictures_and_pages() -> list[Path]:
    return [path for path in sorted(Path().rglob("*")) if path.suffix in (".svg", ".html")]


def _display(value: object) -> None:
    """Show a drawing as a picture and any other value as Python's prompt does."""
    number = len(_pictures_and_pages()) + 1
    if isinstance(value, Drawing):
        value.render(outfile=f"drawing {number}.svg")
    else:
        sys.__displayhook__(value)
        if isinstance(value, Embedded):
            Path(f"page {number}.html").write_text(value.text, encoding="utf-8")
