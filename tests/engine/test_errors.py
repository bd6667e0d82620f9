"""Errors of the engine."""

import math

import pytest

import engine
from engine import Backprop, Value, dot, no_grad


@pytest.mark.parametrize(
    ("call", "error", "parts"),
    [
        (lambda: engine.grad(3, []), TypeError, ["output", "Value", "got int 3"]),
        (lambda: engine.grad(Value(1.0), 3), TypeError, ["inputs", "a Value", "list", "got int 3"]),
        (lambda: engine.grad(Value(1.0), [3]), TypeError, ["input 0", "Value", "int 3"]),
        (lambda: engine.jacobian(3, []), TypeError, ["outputs", "a Value", "list", "got int 3"]),
        (lambda: engine.topological_order(3), TypeError, ["graph", "Value", "got int 3"]),
        (lambda: engine.compile(3, Value(1.0)), TypeError, ["output", "Value", "list", "got int 3"]),
        (lambda: engine.compile([3], Value(1.0)), TypeError, ["output", "Value", "int 3"]),
        (lambda: engine.compile([], Value(1.0)), ValueError, ["output", "got none"]),
        (lambda: engine.compile(Value(1.0), 3), TypeError, ["input", "Value", "list", "got int 3"]),
        (lambda: engine.compile(Value(1.0), [3]), TypeError, ["input", "Value", "int 3"]),
        (lambda: engine.compile(Value(1.0), []), ValueError, ["input", "got none"]),
        (lambda: engine.check_gradients(abs, [1.0], order=3), ValueError, ["order", "1 or 2", "got int 3"]),
        (lambda: engine.check_gradients(lambda a: 3.0, [1.0]), TypeError, ["f must return a Value", "float 3.0"]),
        (lambda: engine.rule("new", 3), TypeError, ["value of a rule", "str", "got int 3"]),
        (lambda: engine.rule("if", "a", "1"), ValueError, ["symbol", "a name", "'mish'", "got 'if'"]),
        (lambda: engine.rule("exp", "a", "1"), ValueError, ["symbol", "'exp'", "in use"]),
        *(
            (lambda symbol=symbol: engine.rule(symbol, "2*a", "2"), ValueError, ["symbol", repr(symbol), "in use"])
            for symbol in ["a", "b", "out", "top", "total", "pi"]
        ),
        *(
            (
                lambda name=name: engine.rule("new", f"{name}(a)", "1"),
                ValueError,
                [f"the value of new, '{name}(a)',", f"{name} with 2 argument", "got 1"],
            )
            for name in ("atan2", "hypot", "max", "pow")
        ),
        (lambda: engine.rule("new", "2*a"), ValueError, ["new", "1 partial", "to a in its", "value '2*a'", "got 0"]),
        (
            lambda: engine.rule("new", "a*b", "b"),
            ValueError,
            ["new", "2 partial", "to a and b in its value 'a*b'", "got 1"],
        ),
        (
            lambda: engine.rule("new", "tanh(a, b)", "1", "1"),
            ValueError,
            ["the value of new, 'tanh(a, b)',", "tanh with 1 argument", "got 2"],
        ),
        (
            lambda: engine.rule("new", "tanhh(a)", "1"),
            ValueError,
            ["the value of new, 'tanhh(a)',", "unknown name tanhh", "did you mean tanh?"],
        ),
        (
            lambda: engine.rule("new", "a[0]", "1"),
            ValueError,
            ["the value of new, 'a[0]',", "arithmetic", "got 'a[0]'"],
        ),
        (
            lambda: engine.rule("new", "2*a", "2*erf(a)"),
            ValueError,
            ["the partial derivative of new", "to a, '2*erf(a)',", "unknown name erf", "did you mean erfc?"],
        ),
        (
            lambda: engine.rule("new", "2*a", "2", notation=("2a", "2", "3")),
            ValueError,
            ["notation of new", "the value", "each partial", "got 3 texts"],
        ),
    ],
)
def test_an_error_names_the_argument_and_what_was_passed(call, error, parts):
    with pytest.raises(error) as caught:
        call()
    for part in parts:
        assert part in str(caught.value)
    assert "new" not in engine.RULES


class TestErrors:
    @pytest.mark.parametrize(
        ("make", "error", "parts"),
        [
            (lambda x: x.log(), ArithmeticError, ["log(x) has no value at x = -2.0:", "needs x > 0"]),
            (
                lambda x: (x - Value(3.0, "a")).sqrt(),
                ArithmeticError,
                ["sqrt(x - a) has no value at x - a = -5.0 (x = -2.0, a = 3.0)", "needs x - a >= 0"],
            ),
            (
                lambda x: (dot([x, 2], [x, 3]) - 20).sqrt(),
                ArithmeticError,
                ["sqrt(dot([x, 2], [x, 3]) - 20) has no value", "= -10.0 (x = -2.0)", "- 20 >= 0"],
            ),
            (
                lambda x: (engine.sum([x] * 3) / 4).log1p(),
                ArithmeticError,
                ["log1p(sum([x, x, x])/4) has no value", "= -1.5 (x = -2.0)", "/4 > -1"],
            ),
            (
                lambda x: engine.sum([x] * 3).log(),
                ArithmeticError,
                ["log(sum([x, x, x])) has no value", "= -6.0 (x = -2.0)", "needs sum([x, x, x]) > 0"],
            ),
            (
                lambda x: x**0.5,
                ArithmeticError,
                ["x**0.5 has no value at x = -2.0:", "needs x >= 0"],
            ),
            (
                lambda x: x / (x + 2),
                ZeroDivisionError,
                ["x/(x + 2) has no value at x = -2.0, x + 2 = 0.0", "needs x + 2 != 0"],
            ),
            (
                lambda x: (x * 1e200) * (x / 1e-200),
                OverflowError,
                [
                    "x*1e+200*(x/1e-200) overflows at",
                    "x*1e+200 = -2e+200, x/1e-200 = -2e+200 (x = -2.0)",
                    "1.8e308",
                ],
            ),
            (lambda x: engine.exp(1000), OverflowError, ["exp(1000) overflows:", "1.8e308"]),
            (
                lambda x: engine.sum([x * 8e307, 1e308, x * 8e307, x * 6e307]),
                OverflowError,
                ["sum of 4 operands overflows", "at x*8e+307 = -1.6e+308 (x = -2.0)", "1.8e308"],
            ),
            (
                lambda x: dot([x, Value(1e200, "large")], [1, 1e110]),
                OverflowError,
                ["dot of 4 operands overflows at large = 1e+200:", "1.8e308"],
            ),
        ],
    )
    def test_an_operation_without_a_value(self, make, error, parts):
        with pytest.raises(error) as caught:
            make(Value(-2.0, "x"))
        assert type(caught.value) is error
        for part in parts:
            assert part in str(caught.value)

    @pytest.mark.parametrize(
        ("make", "parts"),
        [
            (
                lambda x: (x * 2).sqrt(),
                ["derivative of sqrt(x*2)", "to x*2 has no value at x*2 = 0.0 (x = 0.0)"],
            ),
            (
                lambda x: (x - 2) ** Value(2.0, "n"),
                ["derivative of (x - 2)**n", "to n has no value at x - 2 = -2.0, n = 2.0 (x = 0.0)"],
            ),
        ],
    )
    def test_an_operation_without_a_derivative(self, make, parts):
        root = make(Value(0.0, "x"))
        for backward in (root.backward, Backprop(root).run):
            with pytest.raises(ArithmeticError) as caught:
                backward()
            for part in parts:
                assert part in str(caught.value)

    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda x: x / 0, "the divisor is 0"),
            (lambda x: x / Value(0.0, "y"), "it needs y != 0"),
            (lambda x: x**0.5, "it needs x >= 0"),
            (lambda x: 0**x, "it needs x >= 0"),
            (lambda x: (x * 0) ** -1, "it needs x*0 != 0"),
            (lambda x: (-2) ** (x / 4), "it needs x/4 % 1 == 0"),
            (lambda x: engine.log(-1), "it needs the operand > 0"),
            (lambda x: Value(-8) ** (1 / 3), "it needs the first operand >= 0 or the second operand % 1 == 0"),
            (lambda x: Value(0) ** -1, "it needs the first operand != 0 or the second operand >= 0"),
            (lambda x: engine.log(x.detach()), "it needs x > 0"),
            (lambda x: (x * Value(3.0, "y") + 1).log(), "it needs x*y + 1 > 0"),
        ],
    )
    def test_the_domain_is_evaluated(self, make, reason):
        with pytest.raises(ArithmeticError) as caught:
            make(Value(-2.0, "x"))
        assert str(caught.value).endswith(f": {reason}")

    def test_a_domain_that_holds_is_no_reason(self):
        shifted = engine.rule("shifted", "log(a - 5)", "1 / (a - 5)", domain="a > 0")
        with pytest.raises(ArithmeticError, match=r"^shifted\(2\) has no value$"):
            shifted(2.0)

    def test_a_node_is_called_by_its_expression(self):
        a, x = Value(-1.0, "a"), Value(2.0, "x")
        with pytest.raises(ArithmeticError, match=r"^log\(a\*x\) has no value at a\*x = -2\.0 \(a = -1\.0, x = 2\.0\)"):
            (a * x).log()
        deep = a
        for _ in range(50_000):
            deep = deep + x * a
        with pytest.raises(ArithmeticError) as caught:
            deep.log()
        assert len(str(caught.value)) < 300

    def test_a_gradient_that_overflows(self):
        x = Value(1e-300, "x")
        with pytest.raises(OverflowError) as caught:
            (x * 1e308 + 1.5e308 * x).backward()
        gradient, sources = str(caught.value).split(";")
        assert gradient == "the gradient of Value(data=1e-300, grad=inf, label='x') overflows"
        assert sources.endswith(" x*1e+308 at x = 1e-300 and 1.5e+308*x at x = 1e-300")

    def test_a_gradient_that_overflows_in_a_step(self):
        with pytest.raises(OverflowError) as caught:
            Backprop(1 / Value(1e-200, "x") * 1e100).run()
        gradient, source = str(caught.value).split(";")
        assert gradient == "the gradient of Value(data=1e-200, grad=0.0, label='x') overflows"
        assert source.endswith(" 1/x at x = 1e-200")

    def test_a_gradient_that_was_set_to_infinity(self):
        x = Value(1.0, "x")
        x.grad = math.inf
        with pytest.raises(OverflowError, match=r"'x'\) overflows; .* set to$"):
            x.backward()

    @pytest.mark.parametrize("start", [Value.backward, Backprop])
    def test_a_constant_has_no_graph(self, start):
        with no_grad():
            root = Value(1.0) * 2
        with pytest.raises(RuntimeError) as caught:
            start(root)
        for part in ("constant Value(data=2.0, grad=0.0)", "from numbers", "inside no_grad()"):
            assert part in str(caught.value)

    @pytest.mark.parametrize("start", [Value.backward, Backprop])
    @pytest.mark.parametrize(
        ("make", "data", "parts"),
        [
            (lambda x: x * 3, 5.0, ["operand of x*3 has changed", "recorded as 3.0 at x = 5.0:"]),
            (lambda x: x.log(), -1.0, ["operand of log(x) has changed", "recorded as 0.0 at x = -1.0:"]),
            (
                lambda x: engine.sum([3, x, x * -2]),
                -9.0,
                ["operand of sum of 3 operands has changed", "recorded as 2.0 at x = -9.0:"],
            ),
        ],
    )
    def test_a_changed_operand(self, start, make, data, parts):
        x = Value(1.0, "x")
        root = make(x)
        x.data = data
        with pytest.raises(RuntimeError) as caught:
            start(root)
        for part in (*parts, "call forward()"):
            assert part in str(caught.value)
