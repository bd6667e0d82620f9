"""Notebooks: Values, steps and networks show themselves as pictures there, as soon as viz is imported."""

from __future__ import annotations

import html
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from engine import Backprop, Step, Value
from engine.validation import describe
from viz.drawing import Drawing
from viz.graph_drawing import draw
from viz.pages.graph_steps import page

HEIGHT = 560  # of an embedded page, in pixels
WORDS = "font-family: monospace; white-space: pre-wrap; line-height: 1.5; margin: 0.5em 0"


def show_in_notebook(models: Mapping[type, Callable[[Any], Drawing]], shell: Any = None) -> None:
    """Register with IPython how a notebook shows Values, steps and models; without IPython, do nothing.

    A Value shows its graph, a model its network, a `Backprop` and each of its steps the graph with that step
    highlighted and in words. Objects that are too large to draw stay text, and so does everything in a terminal.

    Args:
        models: for each type of model the function that draws it.
        shell: an InteractiveShell; by default the one that is running.
    """
    if shell is None and "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    displays: dict[type, Callable[[Any], str | None]] = {
        Value: _graph,
        Step: _step,
        Backprop: lambda walk: _walk(walk, _name(walk, shell.user_ns)),
        **{model: partial(_fitted_model, draw_model) for model, draw_model in models.items()},
    }
    for type_, html_of in displays.items():
        formatters["text/html"].for_type(type_, html_of)
    shell.display_formatter.mimebundle_formatter.for_type(Drawing, _drawing)


def _fitted_model(draw_model: Callable[[Any], Drawing], model: Any) -> str | None:
    return _fitted(lambda: draw_model(model))


def _graph(value: Value) -> str | None:
    """The graph; None, which leaves it to the text, for a single node and for what is too large."""
    return _fitted(lambda: draw(value)) if value.parents else None


def _drawing(drawing: Drawing) -> Any:
    fitted = _fitted(lambda: drawing) if drawing.format == "svg" else None
    return {"text/html": fitted} if fitted else drawing._repr_mimebundle_()


def _fitted(drawn: Callable[[], Drawing]) -> str | None:
    """The SVG of a drawing, no wider than the notebook; None where there is too much to draw."""
    try:
        svg: str = drawn().pipe(format="svg", encoding="utf-8")
    except (ValueError, RuntimeError):
        return None
    return svg[svg.index("<svg") :].replace("<svg ", '<svg style="max-width: 100%; height: auto" ', 1)


def _step(step: Step) -> str:
    return _lit(step._names.root, step, str(step))


def _walk(walk: Backprop, name: str) -> str:
    """Where the backward pass stands, in a picture and in words, and how to go on."""
    lines = [str(walk.last)] if walk.last else []
    lines.append(repr(walk))
    hints = [f"{name}.step() goes on"] * (walk.upcoming is not None) + [f"{name}.back() goes back"] * bool(walk.last)
    return _lit(walk.root, walk.last, "\n".join(lines)) + f"<p><small>{html.escape(', '.join(hints))}</small></p>"


def _lit(root: Value, step: Step | None, words: str) -> str:
    picture = _fitted(lambda: draw(root, highlight=step)) or ""
    return f'{picture}<pre style="{WORDS}">{html.escape(words)}</pre>'


def _name(walk: Backprop, variables: dict[str, Any]) -> str:
    """What the user calls it."""
    names = [name for name, value in variables.items() if value is walk and not name.startswith("_")]
    return names[0] if names else "walk"


class Embedded:
    """A page inside a notebook; kept with it, and cut off from the rest of it.

    Attributes:
        text: the HTML of the page.
    """

    def __init__(self, text: str, height: int) -> None:
        self.text, self.height = text, height

    def _repr_html_(self) -> str:
        return (
            f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(self.text)}" '
            f'style="width: 100%; height: {self.height}px; border: 1px solid #bbb"></iframe>'
        )

    def __repr__(self) -> str:
        return f"a page of {len(self.text):,} characters, which a notebook shows"


def embed(what: Value | str | os.PathLike[str], *, height: int = HEIGHT, **options: Any) -> Embedded:
    """The page that steps through a graph, inside a notebook.

    Args:
        what: the node to begin with, or a file that `viz.page` wrote.
        height: of the page in the notebook, in pixels.
        options: as for `viz.page`.

    Returns:
        An object that shows itself as the last line of a cell.

    Raises:
        TypeError: `what` is neither, or there are options for a file, which is as it is.
        ValueError, RuntimeError, ArithmeticError: as `viz.page`.
        OSError: the file cannot be read.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> embed(a * b)._repr_html_()[:31]
    '<iframe sandbox="allow-scripts"'
    """
    match what:
        case Value():
            with tempfile.TemporaryDirectory() as folder:
                text = page(what, Path(folder) / "page.html", **options).read_text(encoding="utf-8")
        case str() | os.PathLike():
            if options:
                raise TypeError(f"a file is shown as it is: {', '.join(options)} is for a Value")
            text = Path(what).read_text(encoding="utf-8")
        case _:
            raise TypeError(f"embed takes a Value or the file of a page, got {describe(what)}")
    return Embedded(text, height)
