"""The controls of the playground for its examples: test part, noise, editing in the plane, and tables from outside."""

from __future__ import annotations

import html
from collections.abc import Sequence

# The page fills the places, which it marks as text.
TABLE_ERRORS = {
    "few": "The table must have at least 2 lines with an example each, got {rows}: the inputs, then the target.",
    "many": "The table must have at most {most} examples, got {rows}.",
    "columns": "Line {line} must have {columns} columns, got {cells}: {inputs} inputs of this model, then the target.",
    "number": "Line {line}, column {column} ({name}) must be a finite number, got {cell}.",
    "empty": "Line {line}, column {column} ({name}) must be the name of a class, got nothing.",
    "classes": "Line {line}, column {column} ({name}) must be one of at most {classes} classes, "
    "since the model has outputs for so many, got {cell} as one more.",
}


def examples_markup(
    task: str, classes: Sequence[str], inputs: Sequence[str], target_size: int, n_train: int, n_test: int
) -> str:
    """Return the controls of the examples, as escaped HTML.

    Args:
        task: "hinge", "binary", "classes" or "number".
        classes: the names of the classes, none for a regression.
        inputs: the names of the inputs.
        target_size: the number of numbers of a target.
        n_train: the number of examples to train with.
        n_test: the number of examples to test with.
    """
    share = 100 * n_test / (n_train + n_test)
    return (
        '<div id="play-data"><button type="button" id="play-table-open" class="text">your own data</button>'
        f"{_slider('test part', 'test', share, 80)}{_slider('noise', 'noise', 0, 50)}</div>"
        + ("" if task != "classes" and target_size > 1 else _editing(task, classes, len(inputs), n_train))
        + _table(task, inputs)
    )


def _slider(name: str, key: str, percent: float, most: int) -> str:
    return (
        f'<label><span>{name} <b id="play-{key}-percent">{percent:.0f}</b> %</span> '
        f'<input type="range" id="play-{key}-share" aria-label="{name}" min="0" max="{most}" step="any" '
        f'value="{percent!r}"></label>'
    )


def _editing(task: str, classes: Sequence[str], n_inputs: int, n_train: int) -> str:
    """Return the controls for changes in the plane."""
    if task == "number":
        kinds = [("add", "add")]
        target = (
            ""
            if n_inputs == 1  # then the height in the plane is the target
            else '<label><span>target</span> <input type="number" id="play-target" aria-label="target" step="any" '
            'value="0"></label>'
        )
    else:
        kinds = [(str(k), f'<span data-class-name="{k}">{html.escape(name)}</span>') for k, name in enumerate(classes)]
        target = ""
    kinds.append(("remove", "remove"))
    choices = "".join(
        f'<label><input type="radio" name="play-class" value="{value}"{" checked" if k == 0 else ""}> '
        f"<span>{text}</span></label>"
        for k, (value, text) in enumerate(kinds)
    )
    return (
        '<div id="play-examples"><label><input type="checkbox" id="play-edit"> <span>edit the examples</span></label>'
        f'<span>(<output id="play-count" aria-label="number of examples">{n_train}</output>)</span>'
        f'<span data-editing role="group" aria-label="target of a new example" hidden>{choices}{target}</span>'
        "<span data-editing hidden>click: add, drag: move, right click: remove. Keys: arrows, Enter, Delete</span>"
        "</div>"
    )


def _table(task: str, inputs: Sequence[str]) -> str:
    """Return the dialog that takes a table, with a sentence for every possible error."""
    errors = "".join(
        f'<span data-table-error="{name}" hidden>{_with_places(text)}</span>' for name, text in TABLE_ERRORS.items()
    )
    target = "number to learn" if task == "number" else "class"
    return (
        '<dialog id="play-table" aria-labelledby="play-table-title"><form method="dialog">'
        '<h2 id="play-table-title">Your own data</h2>'
        f"<p>Paste a table (CSV), or open a file: a line for each example, with {len(inputs)} "
        f"{'number' if len(inputs) == 1 else 'numbers'} for the inputs ({html.escape(', '.join(inputs[:8]))}"
        f"{', ...' if len(inputs) > 8 else ''}), then its {target}. The first line can be the names of the columns.</p>"
        '<label class="spoken" for="play-table-text">table</label>'
        '<textarea id="play-table-text" rows="10" spellcheck="false" autocomplete="off"></textarea>'
        f'<p id="play-table-error" role="alert">{errors}</p>'
        '<p><label>open a file <input type="file" id="play-table-file" accept=".csv,.tsv,.txt,text/plain"></label></p>'
        '<p><label><input type="checkbox" id="play-table-standardize" checked> '
        "<span>standardize the inputs: mean 0 and standard deviation 1 in every column</span></label></p>"
        '<p class="buttons"><button type="button" id="play-table-use" class="text">train with this table</button>'
        '<button value="cancel" class="text">cancel</button></p></form></dialog>'
    )


def _with_places(text: str) -> str:
    """Return a sentence with an element for every place.

    >>> _with_places("Line {line}.")
    'Line <output data-place="line"></output>.'
    """
    return html.escape(text, quote=False).replace("{", '<output data-place="').replace("}", '"></output>')
