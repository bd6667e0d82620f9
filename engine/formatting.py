"""Numbers and labels as text, wherever a person reads them."""

from __future__ import annotations

import re


def format_number(x: float, precision: int = 6) -> str:
    """A number for reading, to `precision` significant digits; it always looks like a float.

    Raises:
        ValueError: `precision` is less than 1.

    >>> format_number(2.0), format_number(24.704081632653), format_number(1e-9), format_number(-0.1 - 0.2)
    ('2.0', '24.7041', '1e-09', '-0.3')
    """
    if precision < 1:
        raise ValueError(f"precision is 1 significant digit or more, got {precision}")
    text = f"{x + 0.0:.{precision}g}"  # + 0.0 makes 0.0 of -0.0
    return text if re.search(r"[.en]", text) else text + ".0"


def printable(label: str, keep: str = "") -> str:
    """A label with its control characters, but those to `keep`, as escapes: shown, not obeyed.

    >>> printable("w\\n1"), printable("权重 🎉")
    ('w\\\\n1', '权重 🎉')
    """
    keep += "\u00a0\u3000\u200d"  # two spaces, and what joins emoji
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in label)
