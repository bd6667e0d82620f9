"""Notebooks: Values, steps and models are shown as pictures as soon as viz is imported."""

from __future__ import annotations

import html
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from engine import Backprop, ForwardMode, ForwardStep, Step, Value
from engine.foreign import usage
from engine.validation import describe
from viz.drawing import Drawing
from viz.graph_drawing import draw
from viz.pages.graph_steps import page

PAGE_HEIGHT = 560  # of an embedded page, in pixels
WORDS_STYLE = "font-family: monospace; white-space: pre-wrap; line-height: 1.5; margin: 0.5em 0"


def show_in_notebook(models: Mapping[type, Callable[[Any], Drawing]], shell: Any = None) -> None:
    """Register with IPython how a notebook shows Values, steps and models; without IPython, do nothing.

    A Value shows its graph, a model its network, a `Backprop`, a `ForwardMode` and each of their steps the graph with
    that step highlighted and in words. Objects that are too large to draw stay text, and so does everything in a
    terminal.

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
        Value: lambda value: _fitted_svg(draw, value) if value.parents else None,
        Step: lambda step: _highlighted(step._names.root, step, str(step)),
        ForwardStep: lambda step: _highlighted(step._names.root, step, str(step)),
        Backprop: lambda walk: _walk(walk, shell.user_ns),
        ForwardMode: lambda walk: _walk(walk, shell.user_ns),
        **{model: partial(_fitted_svg, draw_model) for model, draw_model in models.items()},
    }
    for type_, display in displays.items():
        formatters["text/html"].for_type(type_, display)
    shell.display_formatter.mimebundle_formatter.for_type(Drawing, _drawing)


def _fitted_svg(draw_object: Callable[..., Drawing], *args: Any, **options: Any) -> str | None:
    """Return the SVG of a drawing, no wider than the notebook, or None, which shows the text, if it is too large."""
    try:
        svg: str = draw_object(*args, **options).pipe(format="svg", encoding="utf-8")
    except (ValueError, RuntimeError):
        return None
    return svg[svg.index("<svg") :].replace("<svg ", '<svg style="max-width: 100%; height: auto" ', 1)


def _drawing(drawing: Drawing) -> Any:
    svg = _fitted_svg(lambda: drawing) if drawing.format == "svg" else None
    return {"text/html": svg} if svg else drawing._repr_mimebundle_()


def _walk(walk: Backprop | ForwardMode, variables: Mapping[str, Any]) -> str:
    """Return the state of a pass as a picture and in words, with the calls that step on and back."""
    name = next((name for name, value in variables.items() if value is walk and not name.startswith("_")), "walk")
    words, hints = repr(walk), []
    if walk.upcoming is not None:
        hints.append(f"{name}.step() goes on")
    if walk.last:
        words = f"{walk.last}\n{words}"
        hints.append(f"{name}.back() goes back")
    return _highlighted(walk.root, walk, words) + f"<p><small>{html.escape(', '.join(hints))}</small></p>"


def _highlighted(root: Value, source: Step | ForwardStep | Backprop | ForwardMode, words: str) -> str:
    picture = _fitted_svg(draw, root, highlight=source) or ""
    return f'{picture}<pre style="{WORDS_STYLE}">{html.escape(words)}</pre>'


class Embedded:
    """A page inside a notebook, stored in it and isolated from the rest of it.

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


@usage("viz.embed(L)")
def embed(content: Value | str | os.PathLike[str], *, height: int = PAGE_HEIGHT, **options: Any) -> Embedded:
    """Return the page that steps through a graph, for display inside a notebook.

    Args:
        content: the root of the graph, or a file that `viz.page` or `viz.network_page` wrote.
        height: the height of the page in the notebook, in pixels.
        options: the options of `viz.page`, if `content` is a Value.

    Returns:
        An object that a notebook shows if it is the last line of a cell.

    Raises:
        TypeError: `content` is neither a Value nor a path, or there are options for a file.
        ValueError, RuntimeError, ArithmeticError: as `viz.page`.
        OSError: the file cannot be read.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> embed(a * b)._repr_html_()[:31]
    '<iframe sandbox="allow-scripts"'
    """
    match content:
        case Value():
            with tempfile.TemporaryDirectory() as folder:
                text = page(content, Path(folder) / "page.html", **options).read_text(encoding="utf-8")
        case str() | os.PathLike():
            if options:
                raise TypeError(f"options of a page must be given with a Value, got {', '.join(options)} with a file")
            text = Path(content).read_text(encoding="utf-8")
        case _:
            raise TypeError(f"content must be a Value or the file of a page, got {describe(content)}")
    return Embedded(text, height)
