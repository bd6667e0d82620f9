"""What the engine says, word for word: numbers, names and expressions, and the errors of mathematics."""

import math

import pytest

import engine
from engine import Backprop, Value, dot, logsumexp, no_grad
from engine.names import Names, number, visible


@pytest.mark.parametrize(
    ("x", "read"),
    [(3.0, "3.0"), (-0.0, "0.0"), (1234567.0, "1.23457e+06"), (1e16, "1e+16"), (-math.inf, "-inf"), (math.nan, "nan")],
)
def test_a_number(x, read):
    assert number(x) == read


class TestLabels:
    @pytest.mark.parametrize("label", ["it's", "a\\b", "a * b", "no\u00a0break", "全\u3000角", "👩\u200d🔬"])
    def test_are_shown_as_they_are(self, label):
        x = Value(1.0, label)
        assert Names(x)[x] == label

    def test_but_what_a_terminal_would_obey(self):
        x = Value(1.0, "a\tb\n\x1b[31m\x00")
        assert Names(x)[x] == r"a\tb\n\x1b[31m\x00"
        assert visible("a\tb\n", keep="\n") == "a\\tb\n"


class TestExpressions:
    @pytest.mark.parametrize(
        ("make", "definition"),
        [
            (lambda x, y: x * y - x, "x*y - x"),
            (lambda x, y: x - (y - x), "x - (y - x)"),
            (lambda x, y: 2 - x - (3 - y), "2 - x - (3 - y)"),
            (lambda x, y: (x + 1) * (y + 1), "(x + 1)*(y + 1)"),
            (lambda x, y: (x + y) ** 2 / y, "(x + y)**2/y"),
            (lambda x, y: x / (x * y), "x/(x*y)"),
            (lambda x, y: (-x) ** 2, "(-x)**2"),
            (lambda x, y: (x**2) ** y, "(x**2)**y"),
            (lambda x, y: abs(x - y), "abs(x - y)"),
            (lambda x, y: engine.maximum(x, -0.5), "maximum(x, -0.5)"),
            (lambda x, y: x * 0, "x*0"),
            (lambda x, y: x * 1e-9, "x*1e-09"),
            (lambda x, y: x * -12345.678, "x*-12345.7"),
            (lambda x, y: x * 1234567, "x*1234567"),
            (lambda x, y: x * 1234567.25, "x*1234567"),
            (lambda x, y: x * 9999999999999998, "v1 = x*9999999999999998"),
            (lambda x, y: x * 12345678901234568, "x*1.23457e+16"),
            (lambda x, y: engine.sum([x, y - 1]), "sum([x, y - 1])"),
            (lambda x, y: dot([x], [y]), "dot([x], [y])"),
            (lambda x, y: dot([x, x], [2, y]), "v1 = dot([x, x], [2, y])"),
            (lambda x, y: engine.sum([x] * 16), f"v1 = sum([{', '.join('x' * 16)}])"),
            (lambda x, y: engine.sum([x] * 17), "v1 = sum of 17 operands"),
            (lambda x, y: logsumexp([x] * 17), "v1 = logsumexp of 17 operands"),
        ],
    )
    def test_of_a_node(self, make, definition):
        root = make(Value(2.0, "x"), Value(3.0, "y"))
        assert Names(root).definition(root) == definition

    def test_of_a_leaf(self):
        x = Value(2.0, "x")
        assert Names(x).definition(x) == "x"
        assert Names(x).made(x) == ""

    def test_of_16_characters_is_a_name(self):
        short, long = Value(1.0, "w" * 14) * 2, Value(1.0, "w" * 15) * 2
        assert Names(short)[short] == "wwwwwwwwwwwwww*2"
        assert Names(long)[long] == "v1"

    @pytest.mark.parametrize(("nodes", "name"), [(10_000, "tanh(x)"), (10_001, "v1")])
    def test_is_no_name_in_a_graph_too_large_to_read(self, nodes, name):
        y = Value(1.0, "x").tanh()
        root = engine.sum([y, *(Value(1.0) for _ in range(nodes - 3))])
        assert Names(root)[y] == name


class TestErrors:
    @pytest.mark.parametrize(
        ("make", "error"),
        [
            (lambda x: x.log(), ArithmeticError("log(x) has no value at x = -2.0: it needs x > 0")),
            (
                lambda x: (x - Value(3.0, "a")).sqrt(),
                ArithmeticError(
                    "sqrt(b) has no value at b = -5.0 (b was made as x - a at x = -2.0, a = 3.0): it needs b >= 0"
                ),
            ),
            (
                lambda x: (dot([x, 2], [x, 3]) - 20).sqrt(),
                ArithmeticError("sqrt(a) has no value at a = -10.0 (a was made as 10 - 20): it needs a >= 0"),
            ),
            (
                lambda x: (engine.sum([x] * 3) / 4).log1p(),
                ArithmeticError("log1p(a) has no value at a = -1.5 (a was made as -6/4): it needs a > -1"),
            ),
            (
                lambda x: engine.sum([x] * 3).log(),
                ArithmeticError("log(a) has no value at a = -6.0 (a was made as sum of 3 operands): it needs a > 0"),
            ),
            (
                lambda x: x**0.5,
                ArithmeticError(
                    "x**0.5 has no value at x = -2.0: "
                    "it needs x > 0 or (x < 0 and 0.5 % 1 == 0) or (x == 0 and 0.5 >= 0)"
                ),
            ),
            (
                lambda x: x / (x + 2),
                ZeroDivisionError(
                    "x/a has no value at x = -2.0, a = 0.0 (a was made as x + 2 at x = -2.0): it needs a != 0"
                ),
            ),
            (
                lambda x: (x * 1e200) * (x / 1e-200),
                OverflowError(
                    "a*b overflows at a = -2e+200, b = -2e+200 (a was made as x*1e+200 at x = -2.0; "
                    "b was made as x/1e-200 at x = -2.0): a float ends at 1.8e308"
                ),
            ),
            (lambda x: engine.exp(1000), OverflowError("exp(1000) overflows: a float ends at 1.8e308")),
            (
                lambda x: engine.sum([x * 8e307, 1e308, x * 8e307, x * 6e307]),
                OverflowError(
                    "sum of 4 operands overflows at the largest = -1.6e+308 "
                    "(the largest was made as x*8e+307 at x = -2.0): a float ends at 1.8e308"
                ),
            ),
            (
                lambda x: dot([x, Value(1e200, "large")], [1, 1e110]),
                OverflowError("dot of 4 operands overflows at large = 1e+200: a float ends at 1.8e308"),
            ),
        ],
    )
    def test_no_value(self, make, error):
        with pytest.raises(type(error)) as caught:
            make(Value(-2.0, "x"))
        assert repr(caught.value) == repr(error)

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (
                lambda x: (x * 2).sqrt(),
                "the derivative of sqrt(a) by a has no value at a = 0.0 (a was made as x*2 at x = 0.0)",
            ),
            (
                lambda x: (x - 2) ** Value(2.0, "n"),
                "the derivative of a**n by n has no value at a = -2.0, n = 2.0 (a was made as x - 2 at x = 0.0)",
            ),
        ],
    )
    def test_no_derivative(self, make, message):
        root = make(Value(0.0, "x"))
        for backward in (root.backward, Backprop(root).run):
            with pytest.raises(ArithmeticError) as caught:
                backward()
            assert str(caught.value) == message

    def test_a_gradient_that_overflows(self):
        x = Value(1e-300, "x")
        with pytest.raises(OverflowError) as caught:
            (x * 1e308 + 1.5e308 * x).backward()
        assert str(caught.value) == (
            "the gradient of Value(data=1e-300, grad=inf, label='x') overflows; "
            "it came through x*1e+308 at x = 1e-300 and 1.5e+308*x at x = 1e-300"
        )

    def test_a_gradient_that_overflows_in_a_step(self):
        with pytest.raises(OverflowError) as caught:
            Backprop(1 / Value(1e-200, "x") * 1e100).run()
        assert str(caught.value) == (
            "the gradient of Value(data=1e-200, grad=0.0, label='x') overflows; it came through 1/x at x = 1e-200"
        )

    def test_a_gradient_that_was_set_to_infinity(self):
        x = Value(1.0, "x")
        x.grad = math.inf
        with pytest.raises(OverflowError, match=r"'x'\) overflows; it came through what it was set to$"):
            x.backward()

    @pytest.mark.parametrize("start", [Value.backward, Backprop])
    def test_no_graph(self, start):
        with no_grad():
            root = Value(1.0) * 2
        with pytest.raises(RuntimeError) as caught:
            start(root)
        assert str(caught.value) == (
            "Value(data=2.0, grad=0.0) is a constant: it was made of numbers alone or inside no_grad()"
        )

    @pytest.mark.parametrize("start", [Value.backward, Backprop])
    @pytest.mark.parametrize(
        ("make", "data", "operation"),
        [
            (lambda x: x * 3, 5.0, "x*3 was changed after it was recorded as 3.0 at x = 5.0"),
            (lambda x: x.log(), -1.0, "log(x) was changed after it was recorded as 0.0 at x = -1.0"),
            (
                lambda x: engine.sum([3, x, x * -2]),
                -9.0,
                "sum of 3 operands was changed after it was recorded as 2.0 at x = -9.0",
            ),
        ],
    )
    def test_an_operand_was_changed(self, start, make, data, operation):
        x = Value(1.0, "x")
        root = make(x)
        x.data = data
        with pytest.raises(RuntimeError) as caught:
            start(root)
        assert str(caught.value) == (
            f"an operand of {operation}: call forward() on the output to refresh the graph, or record it anew"
        )
