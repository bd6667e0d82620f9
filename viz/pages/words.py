"""The words of a page: text and mathematics with slots, which the page fills with its numbers.

Python writes every word of a page, once. Where a number will stand, the text has a slot, an element with the attribute
`data-slot`; the script sets its text. An element with `data-if` is hidden while the number of that slot is 0.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from engine.formatting import format_number, printable
from viz.equations import Equation, latex_lines
from viz.notation import slot_mark

LARGE = 1e291  # the magnitude of the numbers that mark slots


class SlotNumbers:
    """Numbers that stand in the engine's sentences where a page needs slots.

    >>> numbers = SlotNumbers()
    >>> x = numbers.of("data 0")
    >>> print(numbers.markup(f"log(x) has no value at x = {format_number(x)}"))
    log(x) has no value at x = <span data-slot="data 0"></span>
    """

    def __init__(self) -> None:
        self.slots: dict[str, str] = {}

    def of(self, slot: str) -> float:
        """Return the number for a slot. It is negative, where logarithms and roots have no value."""
        number = -LARGE * (1 + (len(self.slots) + 1) / 100_000)
        self.slots[format_number(number)] = slot
        return number

    def markup(self, text: str) -> str:
        """Return a sentence that contains such numbers as HTML with slots."""

        def mark(match: re.Match[str]) -> str:
            slot = self.slots.get(match[0].strip("()"))
            return slot_mark(slot, is_bracketed=match[0].startswith("(")) if slot else match[0]

        return markup(re.sub(r"(?<!\w)\(-1\.\d+e\+291\)|-1\.\d+e\+291", mark, text))


def slot(name: str, *arguments: int) -> str:
    """Return a slot in text, for `markup`.

    >>> print(markup("a & b = " + slot("data", 2)))
    a &amp; b = <span data-slot="data 2"></span>
    """
    return slot_mark(" ".join([name, *map(str, arguments)]))


def markup(text: str) -> str:
    """Return text, or LaTeX, with its slots as HTML."""

    def element(match: re.Match[str]) -> str:
        bracketed = " data-bracketed" if match[1].endswith("!") else ""
        return f'<span data-slot="{match[1].rstrip("!")}"{bracketed}></span>'

    marked = re.split("(\ue000[a-z]+(?: [a-z0-9]+)*!?\ue001)", text)
    marked[::2] = [html.escape(printable(x, keep="\n")) for x in marked[::2]]
    return re.sub("\ue000([^\ue001]*)\ue001", element, "".join(marked)) if len(marked) > 1 else marked[0]


def plain(text: str) -> str:
    """Return text without slots as HTML."""
    return html.escape(printable(text))


def spoken(text: str, condition: str = "") -> str:
    """Return a line for screen readers in place of the mathematics beside it; `text` is HTML.

    It is hidden while the number of the slot `condition` is 0.
    """
    return f'<p class="spoken"{_shown_if(condition)}>{text}</p>'


def formula(text: str, condition: str = "") -> str:
    """Return a line of mathematics, hidden while the number of the slot `condition` is 0; `text` is HTML."""
    return f'<p class="formula" aria-hidden="true"{_shown_if(condition)}>{compact(text)}</p>'


def _shown_if(condition: str) -> str:
    return f' data-if="{condition}"' if condition else ""


def symbol_markup(text: str, equation: Equation) -> str:
    """Return a formula inside a sentence, for screen readers and for the eye."""
    return f'<span class="spoken">{plain(text)}</span><span aria-hidden="true">{compact(equation.mathml)}</span>'


def compact(mathml: str) -> str:
    """Return MathML without fraction sizes, which the style sets, and numbers in slots, which the script sets."""
    mathml = mathml.replace('<math display="inline"><mstyle displaystyle="true">', "<math>")
    mathml = mathml.replace("</mstyle></math>", "</math>").replace(' data-bracketed=""', " data-bracketed")
    return re.sub(r"(<mn data-slot=[^>]*>)[^<]*", r"\1", mathml)


def latex(equations: Iterable[Equation]) -> str:
    """Return the LaTeX of equations, which a button copies."""
    return f'<pre class="latex" hidden>{markup(latex_lines([*equations]))}</pre>'
