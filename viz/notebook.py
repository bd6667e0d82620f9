"""The display of notebooks: Values, steps and models as pictures and formulas."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from engine import Backprop, ForwardMode, ForwardStep, Step, Value
from engine.notebook import running_shell
from viz.drawing import Drawing
from viz.equations import Equation, Equations, latex
from viz.graph_drawing import draw

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
