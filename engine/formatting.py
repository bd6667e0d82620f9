"""Numbers and labels as text, wherever a person reads them."""

from __future__ import annotations

import re


def format_number(x: float, precision: int = 6) -> str:
    """Return a number to `precision` significant digits; it always looks like a float.

    Raises:
        ValueError: `precision` is less than 1.

    >>> format_number(2.0), format_number(24.704081632653), format_number(1e-9), format_number(-0.1 - 0.2)
    ('2.0', '24.7041', '1e-09', '-0.3')
    """
    if precision < 1:
        raise ValueError(f"precision must be at least 1 significant digit, got {precision}")
    text = f"{x + 0.0:.{precision}g}"  # + 0.0 turns -0.0 into 0.0
    return text if re.search(r"[.en]", text) else text + ".0"


def printable(label: str, keep: str = "") -> str:
    r"""Return a label with its control characters escaped, except those in `keep`: shown, not obeyed.

    >>> printable("w\n1"), printable("权重 🎉")
    ('w\\n1', '权重 🎉')
    """
    keep += "\u00a0\u3000\u200d"  # two kinds of space, and the joiner of emoji
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in label)
