"""The text of rows as JavaScript. That it computes the same as Python is in viz/pages/test_tape.py, in a browser."""

import re

import pytest

from engine import RULES, rule
from engine.languages import JAVASCRIPT, Language, javascript, translate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a*b + a - -b", "a * b + a - -b"),
        ("(a + b) * -(-a)", "(a + b) * -(-a)"),  # not --a, which decrements
        ("+a * -(2**3)", "a * -8.0"),
        ("-(-8**3)", "-(-512.0)"),
        ("a/b/2", "math.divide(a, b) / 2.0"),
        ("a % b // 3", "math.floorDivide(math.modulo(a, b), 3.0)"),
        ("a**b * pi", "math.pow(a, b) * Math.PI"),
        ("max(a, 0.0) + exp(-abs(a))", "math.max(a, 0.0) + math.exp(-math.abs(a))"),
        ("float(a) // 1", "math.floorDivide(a, 1.0)"),
        ("1 if a < b <= 2 else 0", "((a < b && b <= 2.0) ? 1.0 : 0.0)"),
        ("a if a == b or not b else 2", "((a === b || !(b !== 0.0)) ? a : 2.0)"),
        ("1 if a and b != 1 and a > b else 0", "(((a !== 0.0 && b !== 1.0) && a > b) ? 1.0 : 0.0)"),
        ("(a > 1) * b", "(a > 1.0 ? 1.0 : 0.0) * b"),
        ("a or b", "(a !== 0.0 ? a : b)"),
        ("a if a > 0 else b if b > 0 else 1", "(a > 0.0 ? a : (b > 0.0 ? b : 1.0))"),
    ],
)
def test_javascript_of_a_text(text, expected):
    assert translate(text, JAVASCRIPT) == expected


def test_another_language_says_only_what_differs():
    numpy = Language(
        functions={"exp": "np.exp"}, numbers={"pi": "np.pi"}, conditional="np.where({test}, {body}, {orelse})",
        conjunction="({left}) & ({right})", negation="~({test})",
    )  # fmt: skip
    assert translate("a/b if 0 < a < pi else exp(b)", numpy) == "np.where((0.0 < a) & (a < np.pi), a / b, np.exp(b))"
    assert translate("tanh(a)", numpy, {"tanh": "np.tanh"}) == "np.tanh(a)"


def test_rows_call_the_rows_of_their_scope():
    rule("bent", "sigmoid(a) * a", "bent(a) + sigmoid(-a)")
    text = javascript([RULES["bent"], RULES["+"]])
    symbols = re.findall(r'symbol: "(.*?)"', text)
    assert symbols[:3] == ["bent", "+", "sigmoid"], "the rows asked for come first"
    assert "value: (a) => RULES[2].value(a) * a" in text
    assert "partials: [(a, out) => RULES[0].value(a) + RULES[2].value(-a)]" in text


def test_a_row_keeps_the_rows_of_its_time():
    rule("inner", "2 * a", "2 + 0*a")
    rule("outer", "inner(a)", "2 + 0*a")
    old = RULES["outer"]
    rule("inner", "3 * a", "3 + 0*a")
    text = javascript([old, RULES["inner"]])
    assert "value: (a) => RULES[2].value(a)" in text
    assert text.index("3.0 * a") < text.index("2.0 * a")


def test_a_custom_row_may_have_the_name_and_the_value_of_a_function_of_python():
    rule("cosh", "cosh(a)", "(exp(a) - exp(-a)) / 2")
    assert "value: (a) => math.cosh(a)" in javascript([RULES["cosh"]])


def test_an_operation_on_lists_has_its_finish():
    text = javascript([RULES["logsumexp"]])
    assert "value: (a, top) => math.exp(a - top)" in text
    assert "finalize: (total, top) => top + math.log(total)" in text
