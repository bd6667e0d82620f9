"""The live page of a graph or a network as a widget of notebooks, which shares its leaves with Python."""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any

from engine import Value, topological_order
from engine.foreign import usage
from engine.notebook import running_shell
from engine.restore import restored
from engine.validation import at_least, describe
from nn import MLP, Layer, Perceptron
from nn.signals import record_example
from viz.embedding import PAGE_HEIGHT, Embedded, embed
from viz.pages.html_page import asset
from viz.pages.network_steps import network_page
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

    class LiveWidget(anywidget.AnyWidget):
        """A live page.

        Attributes:
            root: the output of the graph on the page.
            numbers: the numbers that are not as recorded: of leaves, by their positions in the topological order, and
                of settings, by their names.
        """

        _esm = asset("widget.js")
        page = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int().tag(sync=True)
        numbers = traitlets.Dict().tag(sync=True)

        def __init__(self, root: Value, leaves: set[Value], static: Embedded) -> None:
            self.root = root
            self._leaves = {str(i): node for i, node in enumerate(topological_order(root)) if node in leaves}
            self._recorded = {i: leaf.data for i, leaf in self._leaves.items()}
            self._static = static
            super().__init__(page=static.text, height=static.height)
            if shell := running_shell():
                shell.events.register("post_run_cell", lambda result: self.update())

        def __repr__(self) -> str:
            return repr(self._static)

        def update(self) -> None:
            """Show the numbers that the leaves have in Python; a notebook calls this after each cell."""
            others = {name: x for name, x in self.numbers.items() if name not in self._leaves}
            changed = {i: leaf.data for i, leaf in self._leaves.items() if leaf.data != self._recorded[i]}
            self.numbers = {**others, **changed}

        @traitlets.observe("numbers")
        def _set_leaves(self, change: Any) -> None:
            """Set the leaves to the numbers of the page and recompute the graph."""
            data = {**self._recorded, **{i: x for i, x in change.new.items() if i in self._leaves}}
            if data == {i: leaf.data for i, leaf in self._leaves.items()}:
                return
            with restored(self._leaves.values(), on_error=True):
                for i, x in data.items():
                    self._leaves[i].data = x
                self.root.forward()

        def _repr_mimebundle_(self, **options: Any) -> Any:
            """Return the widget, and for readers without Python, such as an exported notebook, the page itself."""
            bundle = super()._repr_mimebundle_(**options)
            data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
            data = {**(data or {}), "text/html": self._static._repr_html_()}
            return (data, *metadata) if metadata else data

    return LiveWidget


@usage("viz.widget(L)")
def widget(content: Any, *args: Any, height: int = PAGE_HEIGHT, **options: Any) -> AnyWidget:
    """Return the live page of a graph or a network as a widget of Jupyter, VS Code, Colab or marimo.

    The page and Python share the numbers of the leaves: those of a graph, or the weights of a network. A leaf that is
    dragged or typed in the page changes its `data` in Python, and the graph is computed again by `forward()`. A leaf
    that a cell changes, as in `a.data = 3` or by a training step, moves the page when the cell has run; `update()`
    shows it at once, for example inside a loop or in marimo. The example of a network belongs to the page, and so do
    its other settings. A notebook that is exported shows the page without Python.

    Args:
        content: the output of a graph, or a Perceptron, a Layer or an MLP.
        args: of a network, the inputs and the target of one example, as for `viz.network_page`.
        height: the height of the page in the notebook, in pixels.
        options: the options of `viz.page` or `viz.network_page`.

    Returns:
        An object that a notebook shows if it is the last line of a cell.

    Raises:
        ImportError: anywidget is missing; the extra `notebook` installs it.
        TypeError: `content` is something else.
        TypeError, ValueError, RuntimeError, ArithmeticError: as `viz.page` or `viz.network_page`.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> L = a * b
    >>> live = widget(L)
    >>> a.data = 5.0
    >>> live.update()  # a notebook does this after each cell
    >>> L.forward()
    >>> L.data
    -15.0

    >>> import nn
    >>> live = widget(nn.MLP(2, [3, 1], seed=1), [0.5, -1.0], 1.0, loss=nn.mse)
    """
    create = _widget_class()
    if not isinstance(content, Value | Perceptron | Layer | MLP):
        raise TypeError(f"content must be a Value or a model, got {describe(content)}")
    static = embed(content, *args, height=at_least(1, height, "height"), **options)
    if isinstance(content, Value):
        root, leaves = content, {node for node in topological_order(content) if is_leaf(node)}
    else:
        example = inspect.signature(network_page).bind(content, "", *args, **options).arguments
        has_bias = example.get("notation") != "P58"
        root = record_example(content, example["inputs"], example["target"], example["loss"], bias=has_bias).loss
        leaves = set(content.parameters())
    shown: AnyWidget = create(root, leaves, static)
    return shown
