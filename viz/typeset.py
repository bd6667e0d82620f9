"""Expressions as mathematics: MathML, which browsers draw by themselves, and LaTeX.

An expression is a tree of Python's `ast`, as `engine.labels` builds it from the text of a row. One walk over the tree
decides what becomes a fraction, a root or a power, and where parentheses are needed; a writer per language says how
that is written. Three kinds of leaves go beyond Python:

    ast.Name("w12")          a label, any text: w with the subscript 12
    ast.Constant(Number(x))  a number in place of a symbol, which may be a slot that a page fills
    ast.Constant(...)        the dots in place of operands that are left out

and so does one call: `∂(y, x)` is the derivative of y with respect to x.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.formatting import format_number
from engine.labels import substitute
from viz.clusters import DOTTED

# How closely the parts of an expression hold together. An operand of an operation that holds more closely needs
# parentheses.
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

# Functions that mathematics writes with others, or by another name
TEMPLATES = {
    "expm1": "exp(a) - 1", "float": "a", "hypot": "sqrt(a**2 + b**2)", "lgamma": "log(abs(gamma(a)))",
    "log1p": "log(1 + a)", "pow": "a**b",
}  # fmt: skip
FUNCTION_NAMES = {
    "acos": "arccos", "acosh": "arcosh", "asin": "arcsin", "asinh": "arsinh", "atan": "arctan", "atanh": "artanh",
    "gamma": "Γ", "maximum": "max", "minimum": "min",
}  # fmt: skip
SQUARED_BY_NAME = {"cos", "cosh", "sin", "sinh", "tan", "tanh"}  # whose square is written tanh²(a)
TERMS = {"sum": "a", "dot": "a * b", "logsumexp": "exp(a)"}  # of the operations on lists
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.FloorDiv)
RELATIONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "=", ast.NotEq: "≠", ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥",
}  # fmt: skip


class Number(str):
    """The text of a number that takes the place of a symbol.

    Attributes:
        slot: what a page shows there, such as "data 5"; "" for a number that does not change.

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


def plugged_in(x: float, slot: str = "") -> ast.expr:
    """Return a number as a leaf of an expression, in place of a symbol."""
    return ast.Constant(Number(x, slot))


def derivative(output: ast.expr, variable: ast.expr) -> ast.expr:
    """Return the symbol of the derivative of `output` with respect to `variable`."""
    return ast.Call(ast.Name("∂"), [output, variable], [])


def mathml(expr: ast.expr) -> str:
    """Return an expression as presentation MathML, without the `math` element around it.

    >>> mathml(ast.parse("a**2", mode="eval").body)
    '<msup><mi>a</mi><mn>2</mn></msup>'
    """
    return _Walk(_MathML()).at(expr, CASES)


def latex_source(expr: ast.expr) -> str:
    r"""Return an expression as LaTeX in math mode; it needs the package amsmath.

    >>> print(latex_source(ast.parse("1/(1 + exp(-w12))", mode="eval").body))
    \frac{1}{1 + e^{-w_{12}}}
    """
    return _Walk(_LaTeX()).at(expr, CASES)


def latex_text(text: str) -> str:
    """Return any text as LaTeX in math mode, upright, with everything escaped that LaTeX would interpret."""
    return _LaTeX().text(text)


@dataclass(frozen=True)
class Symbol:
    """A label, taken apart: `layer1.w12_hat` has the base w, the subscript 12, the layer (1) and a hat.

    Attributes:
        base: a letter, a Greek letter, a word; or the whole label, if it is not built like a symbol.
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
        """Take a label apart.

        >>> Symbol.parse("y_hat"), Symbol.parse("beta_2").subscripts
        (Symbol(base='y', subscripts=(), superscript='', accent='hat', is_text=False), ('2',))
        """
        label = label.translate(SUBSCRIPTS)
        prefix, _, name = label.rpartition(".") if DOTTED.fullmatch(label) else ("", "", label)
        first, *others = name.split("_")
        match = re.fullmatch(r"([^\W\d_]+)(\d[\d,]*)?", first)
        if not match or not all(re.fullmatch(r"[^\W_][^\W_,]*(,[^\W_,]+)*", x) for x in others):
            return cls(label, is_text=True)
        accents = [x for x in others if x in ACCENTS]
        if len(accents) > 1:
            return cls(label, is_text=True)
        subscripts = [x for x in (match[2], *others) if x and x not in ACCENTS]
        layer = re.fullmatch(r"layer(\d+)", prefix)
        return cls(
            GREEK.get(match[1], match[1]),
            tuple(GREEK.get(x, x) for x in subscripts),
            f"({layer[1] if layer else prefix})" if prefix else "",
            accents[0] if accents else "",
        )


class _Walk:
    """The walk over a tree, which calls the writer of one language."""

    def __init__(self, writer: _MathML | _LaTeX) -> None:
        self.writer = writer
        self.is_script = False  # inside an exponent, where a fraction is written a/b

    def at(self, expr: ast.expr, least: int) -> str:
        """Return an expression, in parentheses if it holds together less closely than `least`."""
        expr = _normal(expr)
        if isinstance(expr, ast.Constant) and isinstance(expr.value, Number):
            return self.writer.number(expr.value, expr.value.slot, least)
        text, level = self.write(expr)
        return text if level >= least else self.writer.fenced("(", text, ")")

    def write(self, expr: ast.expr) -> tuple[str, int]:
        """Return an expression, and how closely its parts hold together."""
        writer = self.writer
        match expr:
            case ast.Constant(int() | float() as value):
                return writer.number(str(value), "", CASES), ATOM
            case ast.Constant(value) if value is Ellipsis:
                return writer.operator("⋯"), ATOM
            case ast.Name(name):
                symbol = Symbol.parse(name)
                return writer.symbol(symbol), CALL if symbol.superscript else ATOM
            case ast.UnaryOp(ast.Not(), operand):
                return writer.row(writer.words("not"), self.at(operand, NOT)), NOT
            case ast.UnaryOp(ast.USub(), operand):
                return writer.negative(self.at(operand, PRODUCT)), NEGATIVE
            case ast.BinOp(left, ast.Pow(), right):
                return self.power(left, right)
            case ast.BinOp(left, operator, right) if isinstance(operator, ARITHMETIC):
                return self.operation(left, operator, right)
            case ast.Compare(left, operators, comparators) if RELATIONS.keys() >= set(map(type, operators)):
                parts = [self.at(left, NEGATIVE)]
                for sign, x in zip(operators, comparators, strict=True):
                    parts += writer.operator(RELATIONS[type(sign)]), self.at(x, NEGATIVE)
                return writer.row(*parts), COMPARISON
            case ast.BoolOp(operator, values):
                word, level = ("and", AND) if isinstance(operator, ast.And) else ("or", OR)
                parts = [part for x in values for part in (writer.words(word), self.at(x, level + 1))]
                return writer.row(*parts[1:]), level
            case ast.IfExp():
                return self.cases(expr), CASES
            case ast.Call(ast.Name(name), arguments, []):
                return self.call(name, arguments)
        raise ValueError(f"an expression must be arithmetic, got {ast.dump(expr)}")

    def operation(self, left: ast.expr, operator: ast.operator, right: ast.expr) -> tuple[str, int]:
        writer = self.writer
        match operator:
            case ast.Add():
                return writer.row(self.at(left, NEGATIVE), writer.operator("+"), self.at(right, SUM)), SUM
            case ast.Sub():
                return writer.row(self.at(left, NEGATIVE), writer.operator("−"), self.at(right, PRODUCT)), SUM
            case ast.Mult():
                sign = "" if _is_coefficient(left) and not _needs_dot(right) else "·"
                level = CASES if isinstance(right, ast.IfExp) else PRODUCT  # cases extend to the end of the row
                return writer.row(self.at(left, PRODUCT), writer.operator(sign), self.at(right, level)), level
            case ast.Div() if self.is_script:
                return writer.row(self.at(left, PRODUCT), writer.operator("/"), self.at(right, POWER)), PRODUCT
            case ast.Div():
                return writer.fraction(self.at(left, CASES), self.at(right, CASES)), PRODUCT
            case ast.Mod():
                return writer.row(self.at(left, POWER), writer.words("mod"), self.at(right, POWER)), COMPARISON
        quotient = self.at(ast.BinOp(left, ast.Div(), right), CASES)
        return self.writer.fenced("⌊", quotient, "⌋"), ATOM

    def power(self, base: ast.expr, exponent: ast.expr) -> tuple[str, int]:
        match exponent:
            case ast.Constant(0.5):
                return self.writer.root(self.at(base, CASES), ""), ATOM
            case ast.UnaryOp(ast.USub(), ast.Constant(0.5)):
                return self.write(ast.BinOp(ast.Constant(1), ast.Div(), ast.BinOp(base, ast.Pow(), exponent.operand)))
            case ast.BinOp(ast.Constant(1), ast.Div(), ast.Constant(int() as degree)):
                return self.writer.root(self.at(base, CASES), "" if degree == 2 else self.script(exponent.right)), ATOM
        match base, exponent:
            case ast.Call(ast.Name(name), [argument]), ast.Constant(int()) if name in SQUARED_BY_NAME:
                function = self.writer.function(Symbol(name), self.script(exponent))
                return self.writer.row(function, self.arguments([argument])), POWER
        return self.writer.power(self.at(base, ATOM), self.script(exponent)), POWER

    def script(self, expr: ast.expr, least: int = CASES) -> str:
        """Return an expression for an exponent, or for another place where fractions are written in one line."""
        before, self.is_script = self.is_script, True
        text = self.at(expr, least)
        self.is_script = before
        return text

    def call(self, name: str, arguments: list[ast.expr]) -> tuple[str, int]:
        match name, arguments:
            case "∂", [output, variable]:
                operator = self.writer.operator("∂")
                parts = [self.writer.row(operator, self.script(x, CALL)) for x in (output, variable)]
                return self.writer.fraction(*parts), PRODUCT
            case "exp", [x]:
                return self.writer.power(self.writer.symbol(Symbol("e")), self.script(x)), POWER
            case "sqrt", [x]:
                return self.writer.root(self.at(x, CASES), ""), ATOM
            case "abs", [x]:
                return self.writer.fenced("|", self.at(x, CASES), "|"), ATOM
        function = self.writer.function(_function_name(name), "")
        operands = [y for x in arguments for y in (x.elts if isinstance(x, ast.List) else [x])]
        return self.writer.row(function, self.arguments(operands)), CALL

    def arguments(self, operands: Sequence[ast.expr]) -> str:
        parts = [part for x in operands for part in (self.writer.operator(","), self.at(x, CASES))]
        return self.writer.fenced("(", self.writer.row(*parts[1:]), ")")

    def cases(self, expr: ast.expr) -> str:
        rows = []
        while isinstance(expr, ast.IfExp):
            rows.append((self.at(expr.body, CASES + 1), self.at(expr.test, CASES)))
            expr = expr.orelse
        return self.writer.cases([*rows, (self.at(expr, CASES), "")])


def _normal(expr: ast.expr) -> ast.expr:
    """Return an expression in the form of a board.

    Functions that mathematics writes with others are replaced, and the sign of the first factor of a product or
    fraction stands in front of the whole.
    """
    match expr:
        case ast.UnaryOp(ast.UAdd(), operand):
            return _normal(operand)
        case ast.Call(ast.Name(name), arguments, []) if name in TEMPLATES:
            return _normal(substitute(TEMPLATES[name], dict(zip("ab", arguments, strict=False))))
        case ast.Call(ast.Name(name), [ast.List(), *_] as lists, []) if name in TERMS:
            total = _total(TERMS[name], [x.elts for x in lists if isinstance(x, ast.List)])
            return ast.Call(ast.Name("log"), [total], []) if name == "logsumexp" else _normal(total)
        case ast.BinOp(left, (ast.Mult() | ast.Div()) as operator, right):
            match _normal(left):
                case ast.UnaryOp(ast.USub(), factor):
                    return ast.UnaryOp(ast.USub(), ast.BinOp(factor, operator, right))
    return expr


def _is_coefficient(expr: ast.expr) -> bool:
    return isinstance(expr, ast.Constant) and isinstance(expr.value, int | float)


def _needs_dot(expr: ast.expr) -> bool:
    """Return whether a number before an expression needs a dot: `2 · 3` and `2 · (1/2)`, but `2 a`."""
    match expr:
        case ast.BinOp(_, ast.Div() | ast.FloorDiv(), _) | ast.Call(ast.Name("∂")) | ast.IfExp() | ast.Constant():
            return True
        case ast.BinOp(left, ast.Mult() | ast.Pow() | ast.Mod(), _):
            return _needs_dot(left)
    return False


def _total(term: str, lists: list[list[ast.expr]]) -> ast.expr:
    """Return the sum of the terms of an operation on lists."""
    terms = [
        operands[0]
        if isinstance(operands[0], ast.Constant) and operands[0].value is Ellipsis
        else substitute(term, dict(zip("ab", operands, strict=False)))
        for operands in zip(*lists, strict=True)
    ]
    total = terms[0]
    for x in terms[1:]:
        total = ast.BinOp(total, ast.Add(), x)
    return total


def _function_name(name: str) -> Symbol:
    """Return the name of a function: `log10` has the subscript 10, `leaky_relu` no subscript."""
    match = re.fullmatch(r"([^\W\d_]+)(\d+)", name)
    return Symbol(match[1], (match[2],)) if match else Symbol(FUNCTION_NAMES.get(name, name))


TALL_ELEMENT = re.compile("<(mfrac|mtable|msqrt|mroot|msup|msubsup)")


class _MathML:
    """The parts of an expression in presentation MathML: elements, of which a `mrow` holds several.

    `number` puts a negative number in parentheses if it holds together less closely than `least`. The root of degree ""
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
        cells = [
            f"<mtr><mtd>{value}</mtd><mtd>"
            + (
                f'<mrow><mtext>if</mtext><mspace width="0.4em"/>{condition}</mrow>'
                if condition
                else "<mtext>otherwise</mtext>"
            )
            + "</mtd></mtr>"
            for value, condition in rows
        ]
        table = f'<mtable class="cases" columnalign="left">{"".join(cells)}</mtable>'
        return f'<mrow><mo form="prefix">{{</mo>{table}</mrow>'


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


class _LaTeX:
    """The parts of an expression in LaTeX's math mode, for LaTeX with amsmath and for MathJax."""

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
