"""Formulas of the table as WebAssembly, run by wasmtime: their numbers are those of Python."""

import random

import pytest

from engine.rules import RULES, Fold, Unary
from tests.viz.pages.wasm_module import function_of
from viz.pages.wasm import Formulas


def compiled(rule, text, letters="ab"):
    """Return a text of a row as a function of its operands."""
    formulas = Formulas()
    return function_of(formulas, formulas.formula(rule, text, {letter: [letter] for letter in letters}), letters)


@pytest.mark.parametrize("symbol", sorted(RULES))
def test_rows_of_the_table_give_python_s_numbers(symbol):
    rule, rng = RULES[symbol], random.Random(symbol)
    if isinstance(rule, Fold):
        pytest.skip("operations on lists are tested with the losses of the playground")
    letters = "ab"[: rule.arity]
    value, *partials = [
        compiled(rule, rule.value, letters),
        *(compiled(rule, x, [*letters, "out"]) for x in rule.partials),
    ]
    tested = 0
    for _ in range(300):
        numbers = [rng.choice([rng.gauss(0.0, 1.0), rng.gauss(0.0, 30.0), 0.0, 1.0, -2.0]) for _ in range(rule.arity)]
        try:
            out = rule(*numbers)
            expected = [out, *(f(*numbers, out) for f in rule.partial_functions)]
        except (ArithmeticError, ValueError):
            continue
        computed = [value(*numbers), *(partial(*numbers, out) for partial in partials)]
        assert computed == expected  # the functions are Python's here, so not a bit may differ
        tested += 1
    assert tested > 50


def test_an_operation_without_a_value_raises_an_error():
    divide = compiled(RULES["/"], RULES["/"].value)
    assert divide(1.0, 4.0) == 0.25
    with pytest.raises(Exception, match="division"):
        divide(1.0, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "a**2 if 0 < a < 1 or not a > -2 else 3 - max(a, 0) % 2",
        "(a > 1) + (a > 0 and a < 2) * 3 - max(a - 1, -a)",
        "+a // 0.5 + pi * float(a) + (4 if 2 > 1 and a > 0 else a)",
        "hypot(a, 1) + relu(-a) * softplus(a)**-2 + a**1 + 2**3",
    ],
)
def test_conditions_and_calls_mean_the_same_as_in_python(text):
    rule = Unary("", text, ("1",))
    f = compiled(rule, text, "a")
    for a in (-3.0, -2.0, -0.5, 0.0, 0.25, 1.0, 1.5, 2.0, 7.0):
        assert f(a) == rule.function(a), a
