"""The parts of an expression in presentation MathML."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from viz.notation import ACCENTS, NEGATIVE, Symbol

TALL_ELEMENT = re.compile("<(mfrac|mtable|msqrt|mroot|msup|msubsup)")


class MathMLWriter:
    """The parts of an expression in presentation MathML: elements, of which a `mrow` holds several.

    `number` puts a negative number in parentheses if its precedence is below `least`. The root of degree ""
    is the square root; the exponent "" of a function is none; the last condition of `cases` is "", for otherwise.
    """

    def number(self, text: str, slot: str, least: int) -> str:
        number = text.replace("-", "−")
        if text.startswith("-") and least > NEGATIVE:
            number = f"({number})"
        if not slot:
            return f"<mn>{number}</mn>"
        bracketed = ' data-bracketed=""' if least > NEGATIVE else ""
        return f'<mn data-slot="{html.escape(slot)}"{bracketed}>{number}</mn>'

    def symbol(self, symbol: Symbol) -> str:
        if symbol.is_text:
            return f"<mtext>{html.escape(symbol.base)}</mtext>"
        base = f"<mi>{html.escape(symbol.base)}</mi>"
        if symbol.accent:
            base = f'<mover accent="true">{base}<mo stretchy="false">{ACCENTS[symbol.accent]}</mo></mover>'
        subscript = ""
        if symbol.subscripts:
            parts = [f"<mn>{x}</mn>" if x[0].isdigit() else f"<mi>{html.escape(x)}</mi>" for x in symbol.subscripts]
            subscript = parts[0] if len(parts) == 1 else f"<mrow>{'<mo>,</mo>'.join(parts)}</mrow>"
        superscript = f"<mtext>{html.escape(symbol.superscript)}</mtext>" if symbol.superscript else ""
        if subscript and superscript:
            return f"<msubsup>{base}{subscript}{superscript}</msubsup>"
        if subscript:
            return f"<msub>{base}{subscript}</msub>"
        return f"<msup>{base}{superscript}</msup>" if superscript else base

    def row(self, *parts: str) -> str:
        return "".join(parts) if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"

    def operator(self, sign: str) -> str:
        return f"<mo>{html.escape(sign) or '&#x2062;'}</mo>"

    def negative(self, part: str) -> str:
        return f'<mrow><mo form="prefix">−</mo>{part}</mrow>'

    def words(self, text: str) -> str:
        return f'<mspace width="0.4em"/><mtext>{text}</mtext><mspace width="0.4em"/>'

    def fenced(self, left: str, part: str, right: str) -> str:
        stretchy = "" if TALL_ELEMENT.search(part) else ' stretchy="false"'  # browsers space high brackets more widely
        return f'<mrow><mo form="prefix"{stretchy}>{left}</mo>{part}<mo form="postfix"{stretchy}>{right}</mo></mrow>'

    def fraction(self, numerator: str, denominator: str) -> str:
        return f"<mfrac>{numerator}{denominator}</mfrac>"

    def power(self, base: str, exponent: str) -> str:
        return f"<msup>{base}{exponent}</msup>"

    def root(self, part: str, degree: str) -> str:
        return f"<mroot>{part}{degree}</mroot>" if degree else f"<msqrt>{part}</msqrt>"

    def function(self, name: Symbol, exponent: str) -> str:
        base = f'<mi mathvariant="normal">{html.escape(name.base)}</mi>'
        if name.subscripts:
            base = f"<msub>{base}<mn>{name.subscripts[0]}</mn></msub>"
        return (f"<msup>{base}{exponent}</msup>" if exponent else base) + "<mo>&#x2061;</mo>"

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        lines = ""
        for value, test in rows:
            condition = (
                f'<mrow><mtext>if</mtext><mspace width="0.4em"/>{test}</mrow>' if test else "<mtext>otherwise</mtext>"
            )
            lines += f"<mtr><mtd>{value}</mtd><mtd>{condition}</mtd></mtr>"
        return f'<mrow><mo form="prefix">{{</mo><mtable class="cases" columnalign="left">{lines}</mtable></mrow>'
