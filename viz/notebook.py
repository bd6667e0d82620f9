"""Notebooks: Values, steps and models are shown as pictures and formulas, and pages are embedded."""

from __future__ import annotations

import html
import inspect
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from engine import Backprop, ForwardMode, ForwardStep, Step, Value
from engine.foreign import usage
from engine.notebook import running_shell
from engine.validation import describe
from viz.drawing import Drawing
from viz.equations import Equation, Equations, latex
from viz.graph_drawing import draw
from viz.pages.graph_steps import page

Page = Callable[..., Path]  # a function that writes a page to the file `path`

PAGE_HEIGHT = 560  # of an embedded page, in pixels
PAGES: dict[type, Page] = {Value: page}  # the page of each type that `embed` shows; viz adds the models
WORDS_STYLE = "font-family: monospace; white-space: pre-wrap; line-height: 1.5; margin: 0.5em 0"
FORMULA_STYLE = (
    "<style>.glassgrad-formulas p{font-size:110%;margin:.6em 0}.glassgrad-formulas .cases mtd{text-align:left}</style>"
)
MAX_EQUATIONS = 20  # of a step
LARGEST_EXPANSION = 300  # characters of LaTeX; of a larger expression only the last operation is shown


def show_in_notebook(models: Mapping[type, Callable[[Any], Drawing]], shell: Any = None) -> None:
    """Register with IPython how a notebook shows Values, steps and models; without IPython, do nothing.

    A Value shows its graph and its formula; a `Backprop`, a `ForwardMode` and each of their steps show the graph with
    that step highlighted, and its equations; a model shows its network. What is too large to draw stays text, and so
    does everything in a terminal.

    Args:
        models: for each type of model the function that draws it.
        shell: an InteractiveShell; by default the one that is running.
    """
    shell = shell or running_shell()
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    displays: dict[type, Callable[[Any], str | None]] = {
        Value: _value,
        Step: _highlighted,
        ForwardStep: _highlighted,
        Backprop: lambda walk: _walk(walk, shell.user_ns),
        ForwardMode: lambda walk: _walk(walk, shell.user_ns),
        **{model: partial(_fitted_svg, draw_model) for model, draw_model in models.items()},
    }
    for type_, display in displays.items():
        formatters["text/html"].for_type(type_, display)
    for type_ in (Value, Step, ForwardStep):
        formatters["text/latex"].for_type(type_, _latex)
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


def _value(value: Value) -> str | None:
    """Return the graph of a Value and its formula, or None, which shows the text, for a leaf or a large graph."""
    picture = _fitted_svg(draw, value) if value.parents else None
    return picture and f"{picture}{_formulas(_short_equations(value))}"


def _short_equations(value: Value) -> list[Equation]:
    """Return a Value as an expression in its leaves, or if that is long, as its last operation."""
    equations = Equations(value)
    expansion = equations.expansion(value, numbers=True)
    is_short = len(latex(value)) <= LARGEST_EXPANSION
    return expansion if is_short else [equations.definition(value)]


def _walk(walk: Backprop | ForwardMode, variables: Mapping[str, Any]) -> str:
    """Return the state of a pass as a picture and in words, with the calls that step on and back."""
    name = next((name for name, value in variables.items() if value is walk and not name.startswith("_")), "walk")
    hints = []
    if walk.upcoming is not None:
        hints.append(f"{name}.step() goes on")
    if walk.last:
        hints.append(f"{name}.back() goes back")
    words = f'<pre style="{WORDS_STYLE}">{html.escape(repr(walk))}</pre>'
    return f"{_highlighted(walk)}{words}<p><small>{html.escape(', '.join(hints))}</small></p>"


def _highlighted(source: Step | ForwardStep | Backprop | ForwardMode) -> str:
    """Return the picture of a step, or of a pass and its last step, and the step's equations."""
    picture = _fitted_svg(draw, source._names.root, highlight=source) or ""
    step = source.last if isinstance(source, Backprop | ForwardMode) else source
    if step is None:
        return picture
    equations = Equations(source._names.root, source._names)
    definition, derivative = equations.definition(step.node, numbers=False), equations.derivative(step)
    verb = "passes back" if isinstance(step, Step) else "receives"
    return picture + _formulas(equations.step(step), f"<p>{definition.mathml} {verb} {derivative.mathml}</p>")


def _formulas(equations: list[Equation], heading: str = "") -> str:
    lines = "".join(f"<p>{equation.mathml}</p>" for equation in equations[:MAX_EQUATIONS])
    if len(equations) > MAX_EQUATIONS:
        lines += f"<p>and {len(equations) - MAX_EQUATIONS:,} more</p>"
    return f'<div class="glassgrad-formulas">{FORMULA_STYLE}{heading}{lines}</div>'


def _latex(content: Value | Step | ForwardStep) -> str | None:
    is_leaf = isinstance(content, Value) and not content.parents
    return None if is_leaf else latex(content)._repr_latex_()


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
