"""What the engine says, word for word: numbers, names and expressions, and the errors of mathematics."""

import pytest

import engine
from engine import Value, dot, logsumexp
from engine.labels import Names


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
        assert Names(x).expression(x) == ""

    def test_of_16_characters_is_a_name(self):
        short, long = Value(1.0, "w" * 14) * 2, Value(1.0, "w" * 15) * 2
        assert Names(short)[short] == "wwwwwwwwwwwwww*2"
        assert Names(long)[long] == "v1"

    @pytest.mark.parametrize(("nodes", "name"), [(10_000, "tanh(x)"), (10_001, "v1")])
    def test_is_no_name_in_a_graph_too_large_to_read(self, nodes, name):
        y = Value(1.0, "x").tanh()
        root = engine.sum([y, *(Value(1.0) for _ in range(nodes - 3))])
        assert Names(root)[y] == name


@pytest.mark.parametrize(
    ("exponent", "factor"), [(3, "(3*a**2)"), (2, "(2*a)"), (1, "1"), (0.5, "(0.5*a**(-0.5))"), (-1, "(-1*a**(-2))")]
)
def test_the_derivative_of_a_power_has_no_power_that_says_nothing(exponent, factor):
    power = Value(2.0, "a") ** exponent
    assert Names(power).local_derivative(power, power.parents, 0) == factor
