"""The live page of a graph as a widget of a notebook, which shares the numbers of its leaves with Python."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from engine import Value, topological_order
from engine.foreign import usage
from engine.validation import at_least
from viz.notebook import PAGE_HEIGHT, embed
from viz.pages.html_page import asset
from viz.pages.tape import is_leaf

if TYPE_CHECKING:
    from anywidget import AnyWidget


@cache
def _widget_class() -> Any:
    """Return the class of all widgets, which cannot be defined without anywidget."""
    try:
        import anywidget
        import traitlets
    except ModuleNotFoundError as error:
        raise ImportError(f"widget needs {error.name}: pip install 'glassgrad[notebook]'") from None

    class GraphWidget(anywidget.AnyWidget):
        """A live page of a graph.

        Attributes:
            root: the output of the graph.
            numbers: the leaves that are not as recorded, by their positions in the topological order.
        """

        _esm = asset("widget.js")
        page = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int().tag(sync=True)
        numbers = traitlets.Dict().tag(sync=True)

        def __init__(self, root: Value, height: int, **options: Any) -> None:
            self.root = root
            self._leaves = {str(i): node for i, node in enumerate(topological_order(root)) if is_leaf(node)}
            self._recorded = {i: leaf.data for i, leaf in self._leaves.items()}
            self._static = embed(root, height=height, **options)
            super().__init__(page=self._static.text, height=height)
            if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()):
                shell.events.register("post_run_cell", lambda result: self.update())

        def __repr__(self) -> str:
            return repr(self._static)

        def update(self) -> None:
            """Show the numbers that the leaves have in Python; a notebook calls this after each cell."""
            self.numbers = {i: leaf.data for i, leaf in self._leaves.items() if leaf.data != self._recorded[i]}

        @traitlets.observe("numbers")
        def _set_leaves(self, change: Any) -> None:
            """Set the leaves to the numbers of the page and recompute the graph."""
            before = {i: leaf.data for i, leaf in self._leaves.items()}
            after = {**self._recorded, **{i: x for i, x in change.new.items() if i in self._leaves}}
            if after == before:
                return
            try:
                for i, x in after.items():
                    self._leaves[i].data = x
                self.root.forward()
            except BaseException:
                for i, x in before.items():
                    self._leaves[i].data = x
                raise

        def _repr_mimebundle_(self, **options: Any) -> Any:
            """Return the widget, and for readers without Python, such as an exported notebook, the page itself."""
            bundle = super()._repr_mimebundle_(**options)
            data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
            data = {**(data or {}), "text/html": self._static._repr_html_()}
            return (data, *metadata) if metadata else data

    return GraphWidget


@usage("viz.widget(L)")
def widget(root: Value, *, height: int = PAGE_HEIGHT, **options: Any) -> AnyWidget:
    """Return the live page of a graph as a widget of Jupyter, VS Code, Colab or marimo.

    The page and Python share the numbers of the leaves. A leaf that is dragged or typed in the page changes its `data`
    in Python, and the graph is computed again by `forward()`. A leaf that a cell changes, as in `a.data = 3`, moves
    the page when the cell has run; `update()` shows it at once, for example inside a loop or in marimo. A notebook that
    is exported shows the page without Python.

    Args:
        root: the output of the graph.
        height: the height of the page in the notebook, in pixels.
        options: the options of `viz.page`.

    Returns:
        An object that a notebook shows if it is the last line of a cell.

    Raises:
        ImportError: anywidget is missing; the extra `notebook` installs it.
        TypeError, ValueError, RuntimeError, ArithmeticError: as `viz.page`.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> L = a * b
    >>> live = widget(L)
    >>> a.data = 5.0
    >>> live.update()  # a notebook does this after each cell
    >>> L.forward()
    >>> L.data
    -15.0
    """
    shown: AnyWidget = _widget_class()(root, at_least(1, height, "height"), **options)
    return shown
