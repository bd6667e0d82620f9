"""Live pages inside a notebook."""

from __future__ import annotations

import html
import inspect
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import Value
from engine.foreign import usage
from engine.validation import describe
from viz.pages.graph_steps import page

Page = Callable[..., Path]  # a function that writes a page to the file `path`

PAGE_HEIGHT = 560  # of an embedded page, in pixels
PAGES: dict[type, Page] = {Value: page}  # the page of each type that `embed` shows; viz adds the models


class Embedded:
    """A page inside a notebook, stored in it and isolated from the rest of it.

    Attributes:
        text: the HTML of the page.
    """

    def __init__(self, text: str, height: int) -> None:
        self.text, self.height = text, height

    def _repr_html_(self) -> str:
        return (
            '<iframe sandbox="allow-scripts allow-forms allow-downloads allow-modals allow-popups" '
            f'allow="clipboard-write" style="width: 100%; height: {self.height}px; border: 1px solid #bbb" '
            f'srcdoc="{html.escape(self.text)}"></iframe>'
        )

    def __repr__(self) -> str:
        return f"a page of {len(self.text):,} characters, which a notebook shows"


@usage("viz.embed(L)")
def embed(content: Any, *args: Any, height: int = PAGE_HEIGHT, **options: Any) -> Embedded:
    """Return a page for display inside a notebook.

    Args:
        content: the root of a graph, for `viz.page`; a model, for `viz.network_page`; another function that writes a
            page; or the file of a page that was written before.
        args: the other arguments of the function that writes the page, without its path: the input and the target of
            a model.
        height: the height of the page in the notebook, in pixels.
        options: the options of that function.

    Returns:
        An object that a notebook shows if it is the last line of a cell.

    Raises:
        TypeError: `content` is none of these, or there are arguments for a file or wrong ones for a page.
        ValueError, RuntimeError, ArithmeticError: as the function that writes the page.
        OSError: the file cannot be read.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> embed(a * b)  # doctest: +ELLIPSIS
    a page of ... characters, which a notebook shows
    """
    if isinstance(content, str | os.PathLike):
        if args or options:
            raise TypeError("arguments of a page must be given with a Value or a model, not with a file")
        return Embedded(Path(content).read_text(encoding="utf-8"), height)
    write = next((PAGES[type_] for type_ in type(content).__mro__ if type_ in PAGES), None)
    if write:
        args = (content, *args)
    elif inspect.isfunction(content) and "path" in inspect.signature(content).parameters:
        write = content
    else:
        raise TypeError(
            f"content must be a Value, a model, a function like viz.page or a file, got {describe(content)}"
        )
    before_path = [*inspect.signature(write).parameters].index("path")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        write(*args[:before_path], path, *args[before_path:], **options)
        return Embedded(path.read_text(encoding="utf-8"), height)
