"""Expressions typed by the user: what they mean, and where they are wrong."""

import pytest

from demos._expression import ExpressionError, parse
from engine import Value, topological_order


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + 3*4", 14.0),
        ("-2**2", -4.0),
        ("2**3**2", 512.0),
        ("(1 + 2)/-4", -0.75),
        ("abs(-x) + maximum(x, 1e1)", 13.0),
        ("sum([x, x, 1]) + dot([x, 2], [1, x]) - logsumexp([x])", 13.0),
        (" x\n* 2 ", 6.0),
        ("x", 3.0),
        ("1.5", 1.5),
    ],
)
def test_parse(text, value):
    leaves = {"x": Value(3.0)} if "x" in text.replace("max", "").replace("exp", "") else {}
    assert parse(text, leaves).data == value


def test_a_name_is_one_leaf():
    a = Value(3.0)
    root = parse("a*a + a", {"a": a})
    assert [node for node in topological_order(root) if not node.parents] == [a]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a + __import__('os')", 4), ("a.real", 0), ("a[0]", 0), ("a if a else 1", 0), ("a < 1", 0), ("a and a", 0),
        ("lambda: a", 0), ("[a]", 0), ("a + 'x'", 4), ("True + a", 0), ("1j*a", 0), ("a // 2", 0), ("a @ a", 0),
        ("~a", 0), ("not a", 0), ("f'{a}'", 0), ("tanh(a, a)", 0), ("tanh(x=a)", 0), ("tanh(*a)", 5), ("sum(a)", 0),
        ("dot([a], a)", 0), ("tanh", 0), ("(tanh)(a)(a)", 0), ("a = 2", 2), ("a; a", 1), ("a # b", 2), ("None", 0),
        ("a^2", 2), ("中文 + a.b", 0), ("a + 中文.b", 4),
        ("中文 + $", 7), ("中文 # a", 5), ("(a for a in a)", 0), ("{a}", 0), ("a := 1", 2), ("...", 0),
        ("1e999 * a", 0), ("logsumexp([])", 0), ("a + \ud83c", 4),
        ("", 0), ("a\0", 0), ("(" * 300 + "a" + ")" * 300, None), ("-" * 100_000 + "a", None), ("yield a", 0),
    ],
)  # fmt: skip
def test_nothing_but_arithmetic(text, column):
    with pytest.raises(ExpressionError) as caught:
        parse(text, {"a": Value(1.0)})
    if column is not None:
        assert str(caught.value).endswith("\n" + " " * (column + 2) + "^"), str(caught.value)
