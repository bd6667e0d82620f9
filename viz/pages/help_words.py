"""The help of a page: its keys, its legend, and the controls that can be hidden."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

CONTROLS = {
    "slider": "slider", "play": "play button", "zoom": "zoom buttons", "dark": "button for dark colours",
    "numbers": "table of numbers", "latex": "copy LaTeX", "quiz": "quiz button", "more": "menu",
}  # fmt: skip
KEYS = {
    "→ or n": "next step",
    "← or b": "step back",
    "Home, End": "first and last step",
    "Space": "play or pause",
    "Ctrl+Z or u": "undo a change of a number",
    "q": "quiz on or off",
    "?": "this help",
    "↑ ↓ in a number": "change it; Shift: smaller steps, Page Up and Page Down: larger",
}
GRAPH_KEYS = {
    "+ - 0": "zoom in, zoom out, the whole drawing",
    "↑ ↓ on a node": "go to another node",
    "Enter on a node": "go to its step",
}
GRAPH_LEGEND = {
    "blue": "leaf: its number can be changed",
    "green": "forward step: the node gets its value",
    "orange": "backward step: the node passes its gradient back",
    "dashed": "the operand receives a contribution to its gradient",
    "× 2.0": "local derivative: the gradient is multiplied by it along this edge",
    "faint": "value not computed yet",
}


def help_markup(legend: Mapping[str, str], keys: Mapping[str, str]) -> str:
    """Return the content of the help: keys, legend, and a checkbox for each control that can be hidden.

    Args:
        legend: the meaning of each sample; a sample is the name of a style, such as `blue`, or a short text.
        keys: the keys of this kind of page, in addition to those of every page.
    """
    checkbox = '<label><input type="checkbox" checked data-shows="{}"> {}</label>'
    checkboxes = "".join(checkbox.format(*control) for control in CONTROLS.items())
    return (
        f"<h2>Keys</h2>{_list({**KEYS, **keys}, 'kbd')}<h2>Legend</h2>{_list(legend, 'i')}"
        f"<fieldset><legend>Controls, for a link to a class</legend>{checkboxes}</fieldset>"
        '<label>Replace the note beside the drawing <textarea id="page-note-text" '
        'aria-label="text of the note" rows="3" maxlength="2000"></textarea></label>'
    )


def hidden_controls(hide: Any) -> list[str]:
    """Return the names of controls that a page hides.

    Raises:
        TypeError: `hide` is a string, or not a sequence.
        ValueError: a name in it is not the name of a control.
    """
    if isinstance(hide, str) or not isinstance(hide, Iterable):
        raise TypeError(f'hide must be a list such as ["play", "zoom"], got {hide!r}')
    names = [*dict.fromkeys(hide)]
    for name in names:
        if name not in CONTROLS:
            raise ValueError(f"hide must contain names from {', '.join(map(repr, CONTROLS))}, got {name!r}")
    return names


def _list(items: Mapping[str, str], element: str) -> str:
    """Return a list of samples with their meanings."""
    rows = ""
    for sample, meaning in items.items():
        is_style = element == "i" and sample.isalpha()
        shown = f'<i class="{sample}"></i>' if is_style else f"<{element}>{html.escape(sample)}</{element}>"
        rows += f"<dt>{shown}</dt><dd>{meaning}</dd>"
    return f"<dl>{rows}</dl>"
