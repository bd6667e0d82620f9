"""The words of the playground about its examples: their classes, and tables from outside."""

from __future__ import annotations

import html
from collections.abc import Sequence

# The page fills the places, which it marks as text.
TABLE_ERRORS = {
    "long": "The table must have at most {most} characters: choose some of its lines or columns.",
    "few": "The table must have at least 2 lines with an example each, got {rows}: the inputs, then the target.",
    "many": "The table must have at most {most} examples, got {rows}.",
    "columns": "Line {line} must have {columns} columns, got {cells}: {inputs} inputs of this model, then the target.",
    "number": "Line {line}, column {column} ({name}) must be a finite number, got {cell}.",
    "empty": "Line {line}, column {column} ({name}) must be the name of a class, got nothing.",
    "classes": "Line {line}, column {column} ({name}) must be one of at most {classes} classes, "
    "since the model has outputs for so many, got {cell} as one more.",
}


def examples_markup(task: str, classes: Sequence[str], inputs: Sequence[str]) -> dict[str, str]:
    """Return the parts of the page about its examples, as escaped HTML.

    Args:
        task: "hinge", "binary", "classes" or "number".
        classes: the names of the classes, none for a regression.
        inputs: the names of the inputs.

    Returns:
        The legend, the kinds of new examples, the columns of a table, and a sentence for each of its errors.
    """
    names = [f'<span data-class-name="{k}">{html.escape(name)}</span>' for k, name in enumerate(classes)]
    marks = "".join(
        f'<span class="class"><svg viewBox="-6 -6 12 12" aria-hidden="true"><path data-class="{k}"/></svg>{name}</span>'
        for k, name in enumerate(names)
    )
    kinds = [*enumerate(names or ["add"]), ("remove", "remove")]
    return {
        "legend": marks or '<span><span class="scale"></span> least to largest target</span>',
        "kinds": "".join(
            f'<label><input type="radio" name="play-class" value="{value}"{" checked" if value == 0 else ""}> '
            f"<span>{text}</span></label>"
            for value, text in kinds
        ),
        "columns": f"{len(inputs)} {'number' if len(inputs) == 1 else 'numbers'} for the inputs "
        f"({html.escape(', '.join(inputs[:8]))}{', ...' if len(inputs) > 8 else ''}), "
        f"then its {'number to learn' if task == 'number' else 'class'}",
        "errors": "".join(
            f'<span data-error="{name}" hidden>{_with_places(text)}</span>' for name, text in TABLE_ERRORS.items()
        ),
    }


def _with_places(text: str) -> str:
    """Return a sentence with an element for every place.

    >>> _with_places("Line {line}.")
    'Line <output data-place="line"></output>.'
    """
    return html.escape(text, quote=False).replace("{", '<output data-place="').replace("}", '"></output>')
