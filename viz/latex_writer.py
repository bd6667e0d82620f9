"""The parts of an expression in LaTeX's math mode, for LaTeX with amsmath and for MathJax."""

from __future__ import annotations

import re
from collections.abc import Sequence

from viz.notation import ATOM, GREEK, NEGATIVE, PRODUCT, Symbol, slot_mark

LATEX_OPERATORS = {
    "−": "-", "·": r"\cdot", "×": r"\times", "→": r"\to", "≠": r"\ne", "≤": r"\le", "≥": r"\ge",
    "⋯": r"\cdots", "∂": r"\partial",
}  # fmt: skip
LATEX_FENCES = {"(": "(", ")": ")", "⌊": r"\lfloor", "⌋": r"\rfloor", "|": r"\lvert"}
LATEX_FUNCTIONS = {
    "arccos", "arcsin", "arctan", "cos", "cosh", "log", "max", "min", "sin", "sinh", "tan", "tanh",
}  # fmt: skip
LATEX_GREEK = {letter: f"\\{name}" for name, letter in GREEK.items()} | {"ε": r"\varepsilon", "φ": r"\varphi"}
LATEX_CHARACTERS = {c: f"\\{c}" for c in "{}$&#_%"} | {
    "\\": r"{\backslash}", "~": r"{\sim}", "^": r"{\wedge}", "<": "{<}", ">": "{>}", "|": "{|}",
    **{c: f"{{{command}}}" for c, command in (LATEX_OPERATORS | LATEX_GREEK).items()},
}  # fmt: skip
LINE_BREAK = r" \\ "
TALL = re.compile(r"\\frac|\\begin|\\sqrt|\^")


class LaTeXWriter:
    """The parts of an expression, each with the arguments of the same method of `MathMLWriter`."""

    def number(self, text: str, slot: str, least: int) -> str:
        if slot:
            return slot_mark(slot, is_bracketed=least > NEGATIVE)
        mantissa, _, exponent = text.partition("e")
        if exponent:
            text = rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
        level = NEGATIVE if text.startswith("-") else PRODUCT if exponent else ATOM
        return f"({text})" if level < least else text

    def symbol(self, symbol: Symbol) -> str:
        if symbol.is_text:
            return self.text(symbol.base)
        base = self.letter(symbol.base)
        if symbol.accent:
            base = f"\\{symbol.accent}{{{base}}}"
        if symbol.subscripts:
            base += f"_{{{','.join(map(self.letter, symbol.subscripts))}}}"
        return base + (f"^{{{self.superscript(symbol.superscript)}}}" if symbol.superscript else "")

    def superscript(self, text: str) -> str:
        """Return the prefix of a label, in its parentheses."""
        return f"({self.letter(text[1:-1])})"

    def letter(self, name: str) -> str:
        """Return a letter in italics, a word upright, digits as they are."""
        if name in LATEX_GREEK:
            return LATEX_GREEK[name]
        if name.isascii() and name.replace(",", "").isalnum():
            return name if len(name) == 1 or name[0].isdigit() else f"\\mathrm{{{name}}}"
        return self.text(name)

    def text(self, text: str) -> str:
        """Return any text, upright, with everything escaped that LaTeX or MathJax would interpret."""
        parts = re.split(f"([{re.escape(''.join(LATEX_CHARACTERS))}])", text)
        return "".join(LATEX_CHARACTERS.get(x) or f"\\text{{{x}}}" for x in parts if x)

    def row(self, *parts: str) -> str:
        return " ".join(x for x in parts if x)

    def operator(self, sign: str) -> str:
        return LATEX_OPERATORS.get(sign, sign)

    def negative(self, part: str) -> str:
        return f"-{part}"

    def words(self, text: str) -> str:
        return f"\\text{{ {text} }}"

    def fenced(self, left: str, part: str, right: str) -> str:
        left, right = LATEX_FENCES[left], LATEX_FENCES[right] if left != "|" else r"\rvert"
        if TALL.search(part):
            return f"\\left{left} {part} \\right{right}"
        return f"{left}{part}{right}" if len(left) == 1 else f"{left} {part} {right}"

    def fraction(self, numerator: str, denominator: str) -> str:
        return f"\\frac{{{numerator}}}{{{denominator}}}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def root(self, part: str, degree: str) -> str:
        return f"\\sqrt[{degree}]{{{part}}}" if degree else f"\\sqrt{{{part}}}"

    def function(self, name: Symbol, exponent: str) -> str:
        base = name.base
        if base in LATEX_FUNCTIONS:
            function = f"\\{base}"
        elif base.isascii() and base.replace("_", "").isalnum():
            function = rf"\operatorname{{{base}}}".replace("_", r"\_")
        else:
            function = self.letter(base)
        subscript = f"_{{{name.subscripts[0]}}}" if name.subscripts else ""
        return f"{function}{subscript}" + (f"^{{{exponent}}}" if exponent else "")

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        lines = [f"{value} & " + (f"\\text{{if }} {test}" if test else r"\text{otherwise}") for value, test in rows]
        return rf"\begin{{cases}} {LINE_BREAK.join(lines)} \end{{cases}}"
