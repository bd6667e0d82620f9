"""Typeset expressions, read back as a reader sees them, and labels with any characters."""

import ast
import math
import random
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.formatting import printable
from engine.formulas import MATH_FUNCTIONS
from engine.labels import substitute
from engine.rules import RULES
from tests.engine.test_random_rules import Grower
from viz.notation import GREEK
from viz.typeset import latex_source, mathml, plugged_in

NAMESPACE = {
    **MATH_FUNCTIONS, **{name: row.function for name, row in RULES.items() if name.isidentifier() and not row.finalize},
    "pi": math.pi, "float": float,
}  # fmt: skip
SQUARED = ("sin", "cos", "tan", "sinh", "cosh", "tanh")
READER = NAMESPACE | {
    "arccos": math.acos, "arcosh": math.acosh, "arcsin": math.asin, "arsinh": math.asinh, "arctan": math.atan,
    "artanh": math.atanh, "min": min, "Γ": math.gamma, "π": math.pi, "e": math.e, "floor": math.floor,
    **{f"{name}2": lambda x, name=name: NAMESPACE[name](x) ** 2 for name in SQUARED},
    **{f"{name}3": lambda x, name=name: NAMESPACE[name](x) ** 3 for name in SQUARED},
}  # fmt: skip
SIGNS = {
    "·": "*", "\u2062": "*", "\u2061": "", "−": "-", "≤": "<=", "≥": ">=", "≠": "!=", "=": "==", "⌊": "floor(",
    "⌋": ")", "{": "", "if": "", "mod": "%",
}  # fmt: skip


def read_mathml(element):
    """What a reader sees of MathML, as Python: an `mrow` groups nothing, since it cannot be seen."""
    parts = [read_mathml(x) for x in element]
    match element.tag:
        case "math" | "mrow" | "mtr" | "mtd":
            return "".join(parts)
        case "mfrac":
            return f"(({parts[0]})/({parts[1]}))"
        case "msup" if parts[0] in SQUARED:
            return "".join(parts)
        case "msup":
            return f"{parts[0]}**({parts[1]})"
        case "msqrt":
            return f"(({parts[0]})**0.5)"
        case "mroot":
            return f"(({parts[0]})**(1/{parts[1]}))"
        case "msub":
            return "".join(parts)
        case "mtable":
            *rows, (last, _) = element
            cases = [f"({read_mathml(value)}) if ({read_mathml(test)}) else" for value, test in rows]
            return f"({' '.join(cases)} ({read_mathml(last)}))"
        case "mspace":
            return " "
        case "mo" if element.text == "|":
            return "abs(" if element.get("form") == "prefix" else ")"
    return SIGNS.get(element.text, element.text.replace("−", "-"))


def read_latex(text):
    """What a reader sees of LaTeX, as Python: braces group nothing, since they cannot be seen."""
    words = {"cdot": "*", "le": "<=", "ge": ">=", "ne": "!=", "pi": "pi", "lfloor": "floor(", "rfloor": ")", "left": "",
             "right": "", "lvert": "abs(", "rvert": ")"}  # fmt: skip
    tokens = re.findall(r"\\[a-z]+|\\\\|\\_|[a-z]\w*|\d[\d.]*|\S", text)
    read = []

    def group():
        """Read what stands in braces."""
        assert tokens.pop(0) == "{"
        level, inside = 1, []
        while level:
            token = tokens.pop(0)
            level += (token == "{") - (token == "}")
            inside.append(token)
        return " ".join(inside[:-1])

    while tokens:
        token = tokens.pop(0)
        is_operand = token[0].isalpha() or token in ("(", r"\left", r"\sqrt", r"\operatorname", r"\mathrm", r"\pi")
        is_operand |= token[1:] in READER or token == r"\lvert"
        if read and re.fullmatch(r"[\d.]+", read[-1]) and is_operand:
            read.append("*")
        match token:
            case r"\frac":
                read.append(f"(({read_latex(group())})/({read_latex(group())}))")
            case r"\sqrt":
                degree = "2"
                if tokens[0] == "[":
                    _, degree, _ = tokens.pop(0), tokens.pop(0), tokens.pop(0)
                read.append(f"(({read_latex(group())})**(1/{degree}))")
            case "^" if read[-1] in SQUARED:
                read[-1] += group()
            case "^":
                read.append(f"**({read_latex(group())})")
            case "_":
                read[-1] += group()
            case r"\operatorname" | r"\mathrm":
                read.append(group().replace(r" \_ ", "_"))
            case r"\begin":
                group()
                level, inside = 1, []
                while level:
                    inside.append(tokens.pop(0))
                    level += (inside[-1] == r"\begin") - (inside[-1] == r"\end")
                group()
                read.append(read_cases(inside[:-1]))
            case r"\text":
                read.append({"mod": " % "}.get(word := group().strip(), f" {word} "))
            case _:
                read.append(words.get(token[1:], token[1:]) if token[0] == "\\" else token.replace("=", "=="))
    return "".join(read)


def read_cases(tokens):
    """Read the tokens between the brace and the end of cases."""
    rows, cell, level = [[]], [], 0
    for token in [*tokens, r"\\"]:
        level += (token == r"\begin") - (token == r"\end")
        if token in ("&", r"\\") and not level:
            rows[-1].append(" ".join(cell))
            cell = []
            if token == r"\\":
                rows.append([])
        else:
            cell.append(token)
    *cases, (last, _), _ = rows
    texts = [f"({read_latex(value)}) if ({read_latex(test.replace('if', '', 1))}) else" for value, test in cases]
    return f"({' '.join(texts)} ({read_latex(last)}))"


def calculate(text, numbers, namespace):
    """The value of a text, nan where it has none."""
    try:
        value = eval(text, namespace | numbers)
    except (ArithmeticError, ValueError, TypeError):  # a TypeError of a function of a complex number
        return math.nan
    return math.nan if isinstance(value, complex) else float(value)


def check(text, numbers):
    """Check that a reader finds the value of the text in its MathML and in its LaTeX, in symbols and in numbers."""
    expected = calculate(text, numbers, NAMESPACE)
    symbols = ast.parse(text, mode="eval").body
    plugged = substitute(text, {name: plugged_in(x) for name, x in numbers.items()})
    for expr in (symbols, plugged):
        markup = mathml(expr).replace("&#x2062;", "\u2062").replace("&#x2061;", "\u2061")
        for read in (read_mathml(ET.fromstring(f"<math>{markup}</math>")), read_latex(latex_source(expr))):
            value = calculate(read, numbers, READER)
            assert value == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), (text, read)


TEXTS = sorted(
    {text for row in RULES.values() if not row.finalize for text in (row.value_notation, *row.partial_notation)}
)


@pytest.mark.parametrize("text", TEXTS)
def test_every_row_reads_as_it_calculates(text):
    for numbers in ({"a": 0.7, "b": 1.9, "out": 0.3}, {"a": -0.4, "b": -3.0, "out": -2.0}):
        check(text, numbers)


@pytest.mark.parametrize("seed", range(10))
def test_random_formulas_read_as_they_calculate(seed, tried):
    rng = random.Random(seed)
    for _ in range(100):
        text = Grower(rng, ["a", "b"], partial=True).text(5)
        numbers = {name: rng.choice([-2.5, -1.0, -0.125, 0.25, 1.0, 3.5]) for name in "ab"}
        try:
            check(text, numbers)
        except SyntaxError:
            print(text)
            raise
        tried["typeset formulas"] += 1


@pytest.mark.parametrize(
    ("label", "latex", "markup"),
    [
        ("a", "a", "<mi>a</mi>"),
        ("w12", "w_{12}", "<msub><mi>w</mi><mn>12</mn></msub>"),
        ("w1,12", "w_{1,12}", "<msub><mi>w</mi><mn>1,12</mn></msub>"),
        ("alpha", r"\alpha", "<mi>α</mi>"),
        ("δ", r"\delta", "<mi>δ</mi>"),
        ("beta_2", r"\beta_{2}", "<msub><mi>β</mi><mn>2</mn></msub>"),
        ("y_hat", r"\hat{y}", '<mover accent="true"><mi>y</mi><mo stretchy="false">^</mo></mover>'),
        ("x_in_3", r"x_{\mathrm{in},3}", "<msub><mi>x</mi><mrow><mi>in</mi><mo>,</mo><mn>3</mn></mrow></msub>"),
        ("loss", r"\mathrm{loss}", "<mi>loss</mi>"),
        ("layer2.w10", "w_{10}^{(2)}", "<msubsup><mi>w</mi><mn>10</mn><mtext>(2)</mtext></msubsup>"),
        ("hidden.b", r"b^{(\mathrm{hidden})}", "<msup><mi>b</mi><mtext>(hidden)</mtext></msup>"),
        ("first try", r"\text{first try}", "<mtext>first try</mtext>"),
        ("a_b_", r"\text{a}\_\text{b}\_", "<mtext>a_b_</mtext>"),
        ("w₁₂", "w_{12}", "<msub><mi>w</mi><mn>12</mn></msub>"),
        ("∂L/∂δ", r"{\partial}\text{L/}{\partial}{\delta}", "<mtext>∂L/∂δ</mtext>"),
        ("权重", r"\text{权重}", "<mi>权重</mi>"),
    ],
)
def test_labels_become_symbols(label, latex, markup):
    assert latex_source(ast.Name(label)) == latex
    assert mathml(ast.Name(label)) == markup


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a - (b - a)", "a - (b - a)"),
        ("-a/b**2", r"-\frac{a}{b^{2}}"),
        ("2*a*b", r"2 a \cdot b"),
        ("tanh(a)**2", r"\tanh^{2} (a)"),
        ("exp(a)**2", r"\left( e^{a} \right)^{2}"),
        ("exp(-a/b)", "e^{-a / b}"),
        ("a**-0.5/2", r"\frac{\frac{1}{\sqrt{a}}}{2}"),
        ("a**(1/3)", r"\sqrt[3]{a}"),
        ("log1p(a)", r"\log (1 + a)"),
        ("my_rule(a, b)", r"\operatorname{my\_rule} (a , b)"),
        ("sum([a, b])", "a + b"),
        ("dot([a, b], [b, a])", r"a \cdot b + b \cdot a"),
        ("logsumexp([a, b])", r"\log \left( e^{a} + e^{b} \right)"),
        ("1 if a > 0 else 0", r"\begin{cases} 1 & \text{if } a > 0 \\ 0 & \text{otherwise} \end{cases}"),
    ],
)
def test_expressions_look_as_on_a_board(text, latex):
    assert latex_source(ast.parse(text, mode="eval").body) == latex


def test_a_slot_says_whether_a_negative_number_needs_parentheses():
    product = substitute("a * b", {"a": plugged_in(-2.0, "data 0"), "b": plugged_in(3.0, "data 1")})
    power = substitute("a**b", {"a": plugged_in(2.0, "data 0"), "b": plugged_in(-3.0, "data 1")})
    assert re.findall("<mn.*?</mn>", mathml(product)) == [
        '<mn data-slot="data 0" data-bracketed="">(−2.0)</mn>', '<mn data-slot="data 1" data-bracketed="">3.0</mn>',
    ]  # fmt: skip
    assert re.findall("<mn.*?</mn>", mathml(power)) == [
        '<mn data-slot="data 0" data-bracketed="">2.0</mn>', '<mn data-slot="data 1">−3.0</mn>',
    ]  # fmt: skip


ELEMENTS = {"math", "mi", "mn", "mo", "mover", "mrow", "msub", "msubsup", "msup", "mtext"}
COMMANDS = {
    *GREEK, "backslash", "bar", "cdot", "cdots", "ge", "hat", "le", "mathrm", "ne", "partial", "sim", "text", "tilde",
    "times", "to", "varepsilon", "varphi", "vec", "wedge",
}  # fmt: skip
HOSTILE = [
    "}",
    "\\",
    r"\input{/etc/passwd}",
    "$x$",
    "a%b",
    "x^2_1",
    "#1",
    "a&b~c",
    "<script>",
    "]]>",
    "a|b",
    '"',
    "{\\",
]


def check_label(label):
    expr = ast.BinOp(ast.Name(printable(label)), ast.Mult(), ast.Name("a"))
    tree = ET.fromstring(f"<math>{mathml(expr)}</math>")
    assert {x.tag for x in tree.iter()} <= ELEMENTS
    assert all(x.attrib.keys() <= {"accent", "stretchy"} for x in tree.iter())
    latex = latex_source(expr).removesuffix(r" \cdot a")
    assert set(re.findall(r"\\([A-Za-z]+)", latex)) <= COMMANDS
    outside = re.sub(r"\\[^A-Za-z]|\\text\{[^{}$&#_%^~\\]*\}", "", latex)  # without escapes, and text that is harmless
    assert not re.search("[$&#%~]", outside)
    assert outside.count("{") == outside.count("}")


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_are_only_text(label):
    check_label(label)


@settings(max_examples=500)
@given(st.text(min_size=1, max_size=12))
def test_any_label_is_only_text(label):
    check_label(label)
