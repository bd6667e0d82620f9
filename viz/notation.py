"""The smallest parts of typeset mathematics: symbols, numbers, and the precedence of operations."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.formatting import format_number
from viz.clusters import DOTTED

# Precedence of operations. An operand whose precedence is below that of its operation needs parentheses.
CASES, OR, AND, NOT, COMPARISON, NEGATIVE, SUM, PRODUCT, POWER, CALL, ATOM = range(11)

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω",
}  # fmt: skip
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "vec": "→"}


class Number(str):
    """The text of a number that takes the place of a symbol.

    Attributes:
        slot: the slot that a page fills, such as "data 5"; "" for a number that does not change.

    >>> Number(-3.0)
    '-3.0'
    """

    __slots__ = ("slot",)
    slot: str

    def __new__(cls, x: float, slot: str = "") -> Number:
        """Return the text of `x`, to 6 significant digits."""
        self = super().__new__(cls, format_number(x))
        self.slot = slot
        return self


def slot_mark(slot: str, *, is_bracketed: bool = False) -> str:
    """Return the mark of a slot in text and in LaTeX, which `viz.pages.words.markup` turns into an element."""
    return f"\ue000{slot}{'!' if is_bracketed else ''}\ue001"


@dataclass(frozen=True)
class Symbol:
    """The parts of a label: `layer1.w12_hat` has the base w, the subscript 12, the layer (1) and a hat.

    Attributes:
        base: a letter, a Greek letter, a word; or the whole label, if it does not have the form of a symbol.
        subscripts: numbers, letters and words.
        superscript: the prefix of a dotted label, in parentheses; of `layer1.` the number only.
        accent: a key of ACCENTS; "" for none.
        is_text: whether the label is text instead of a symbol.
    """

    base: str
    subscripts: tuple[str, ...] = ()
    superscript: str = ""
    accent: str = ""
    is_text: bool = False

    @classmethod
    def parse(cls, label: str) -> Symbol:
        """Parse a label.

        >>> Symbol.parse("y_hat"), Symbol.parse("beta_2").subscripts
        (Symbol(base='y', subscripts=(), superscript='', accent='hat', is_text=False), ('2',))
        """
        label = label.translate(SUBSCRIPTS)
        prefix, _, name = label.rpartition(".") if DOTTED.fullmatch(label) else ("", "", label)
        first, *others = name.split("_")
        match = re.fullmatch(r"([^\W\d_]+)(\d[\d,]*)?", first)
        accents = [x for x in others if x in ACCENTS]
        if not match or len(accents) > 1 or not all(re.fullmatch(r"[^\W_][^\W_,]*(,[^\W_,]+)*", x) for x in others):
            return cls(label, is_text=True)
        subscripts = [x for x in (match[2], *others) if x and x not in ACCENTS]
        layer = re.fullmatch(r"layer(\d+)", prefix)
        return cls(
            GREEK.get(match[1], match[1]),
            tuple(GREEK.get(x, x) for x in subscripts),
            f"({layer[1] if layer else prefix})" if prefix else "",
            accents[0] if accents else "",
        )
