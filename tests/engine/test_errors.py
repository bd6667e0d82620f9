"""Errors of the engine."""

import math

import pytest

import engine
from engine import Backprop, Value, dot, no_grad


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: engine.grad(3, []), "grad differentiates a Value, got int 3"),
        (lambda: engine.grad(Value(1.0), 3), "inputs are a Value, or Values in a list, got int 3"),
        (lambda: engine.grad(Value(1.0), [3]), "an input is a Value; input 0 is int 3"),
        (lambda: engine.jacobian(3, []), "outputs are a Value, or Values in a list, got int 3"),
        (lambda: engine.topological_order(3), "a graph starts from a Value, got int 3"),
        (lambda: engine.compile(3, Value(1.0)), "an output is a Value, or Values in a list, got int 3"),
        (lambda: engine.compile([3], Value(1.0)), "an output is a Value, got int 3"),
        (lambda: engine.compile([], Value(1.0)), "compile takes one output or more, got none"),
        (lambda: engine.compile(Value(1.0), 3), "an input is a Value, or Values in a list, got int 3"),
        (lambda: engine.compile(Value(1.0), [3]), "an input is a Value, got int 3"),
        (lambda: engine.compile(Value(1.0), []), "compile takes one input or more, got none"),
        (lambda: engine.check_gradients(abs, [1.0], order=3), "order is 1 or 2, got int 3"),
        (
            lambda: engine.check_gradients(lambda a: 3.0, [1.0]),
            "f gives float 3.0, and is to give a Value, which has a graph",
        ),
        (lambda: engine.rule("new", 3), "a rule is made of texts, got int 3"),
        (lambda: engine.rule("if", "a", "1"), "the symbol of a rule is a name, such as 'mish', got 'if'"),
        (lambda: engine.rule("exp", "a", "1"), "the symbol 'exp' is taken: find another"),
        *(
            (lambda symbol=symbol: engine.rule(symbol, "2*a", "2"), f"the symbol {symbol!r} is taken: find another")
            for symbol in ["a", "b", "out", "x", "y", "node", "upstream", "top", "total", "pi", "StaleGraphError"]
        ),
        *(
            (
                lambda name=name: engine.rule("new", f"{name}(a)", "1"),
                f"the value of new, '{name}(a)', gives 1 operand(s) to {name}, which takes 2",
            )
            for name in ("atan2", "hypot", "max", "pow")
        ),
        (
            lambda: engine.rule("new", "2*a"),
            "the value of new, '2*a', is made of a: it takes as many partials, got 0",
        ),
        (
            lambda: engine.rule("new", "a*b", "b"),
            "the value of new, 'a*b', is made of a and b: it takes as many partials, got 1",
        ),
        (
            lambda: engine.rule("new", "tanh(a, b)", "1", "1"),
            "the value of new, 'tanh(a, b)', gives 2 operand(s) to tanh, which takes 1",
        ),
        (lambda: engine.rule("new", "tanhh(a)", "1"), "the value of new, 'tanhh(a)', names tanhh, did you mean tanh?"),
        (lambda: engine.rule("new", "a[0]", "1"), "the value of new, 'a[0]', is no arithmetic: 'a[0]' is in it"),
        (
            lambda: engine.rule("new", "2*a", "2*erf(a)"),
            "the partial of new by a, '2*erf(a)', names erf, did you mean erfc?",
        ),
        (
            lambda: engine.rule("new", "1 if a > 0 else 2.0", "0"),
            "the value of new, '1 if a > 0 else 2.0', gives 1, which is no float: write 1.0 for 1 and True",
        ),
        (
            lambda: engine.rule("new", "2*a", "2", notation=("2a", "2", "3")),
            "notation of new has the value, or the value and each partial; got 3 texts",
        ),
    ],
)
def test_errors_of_engine_say_who_got_what(call, message):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert str(caught.value) == message


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
