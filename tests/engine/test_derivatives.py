"""grad, jacobian and hessian against closed forms and mpmath at 50 digits."""

import itertools
import math
import random
import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

import engine
import viz
from engine import RULES, Backprop, Value, grad, hessian, jacobian, no_grad, topological_order
from engine.labels import Names
from engine.value import number_of
from tests.accuracy import OPERATORS

pytestmark = pytest.mark.filterwarnings("ignore:the output does not depend on")  # higher derivatives of polynomials

# Functions of two numbers, for Values and for mpmath. Sub-expressions are shared, operands repeated, folds among them.
FUNCTIONS = [
    lambda m, a, b: a * b + a**2,
    lambda m, a, b: (a * a) * (a * a) * b,
    lambda m, a, b: a**b,
    lambda m, a, b: b**a / (a - b),
    lambda m, a, b: a**a * b,
    lambda m, a, b: m.exp(a * b) / (1 + m.exp(a * b)),
    lambda m, a, b: m.sin(a) * m.cos(b) - m.tan(a * b / 4),
    lambda m, a, b: m.log(a) * m.log1p(b) + m.sqrt(a * b),
    lambda m, a, b: m.tanh(a - b) ** 3,
    lambda m, a, b: m.sum([a, b, a, a * b]) ** 2,
    lambda m, a, b: m.dot([a, b, a], [b, a, a * b]),
    lambda m, a, b: m.logsumexp([a, b, a, a * b]),
    lambda m, a, b: m.logsumexp([a * 1, m.dot([a, b], [a, 2])]) * m.softplus(b),
    lambda m, a, b: m.gelu(a) * m.silu(b) + m.erfc(a * b),
    lambda m, a, b: m.maximum(a, b) * m.minimum(a, b) ** 2 + abs(a - b) * a,
    lambda m, a, b: m.elu(-a * b) * m.leaky_relu(-a) + m.relu(a) ** 3 + m.sign(a) * b,
    lambda m, a, b: (a - 1 / b) / (a / b) / b,
]


# Expressions of x and a, a plain number as an operand here and there.
OF_ONE = [
    "-",
    *(symbol for symbol in engine.functions.FUNCTIONS if RULES[symbol].arity == 1 and not RULES[symbol].finalize),
]
OPERATOR, NUMBER = st.sampled_from(["+", "-", "*", "/", "**"]), st.sampled_from(["1", "-1", "2", "0.5"])
EXPRESSIONS = st.recursive(
    st.sampled_from(["x", "a"]),
    lambda inner: st.one_of(
        st.builds("{}({})".format, st.sampled_from(OF_ONE), inner),
        st.builds("({} {} {})".format, inner, OPERATOR, inner | NUMBER),
        st.builds("({} {} {})".format, NUMBER, OPERATOR, inner),
    ),
    max_leaves=6,
)


class Maths:
    """The functions of `engine` in mpmath."""

    exp, log, sin, cos, tan, tanh, sqrt, erfc = mp.exp, mp.log, mp.sin, mp.cos, mp.tan, mp.tanh, mp.sqrt, mp.erfc
    log1p = staticmethod(lambda a: mp.log(1 + a))
    softplus = staticmethod(lambda a: mp.log(1 + mp.exp(a)))
    gelu = staticmethod(lambda a: a * mp.ncdf(a))
    silu = staticmethod(lambda a: a / (1 + mp.exp(-a)))
    elu = staticmethod(lambda a: a if a > 0 else mp.exp(a) - 1)
    leaky_relu = staticmethod(lambda a: a if a > 0 else a / 100)
    relu = staticmethod(lambda a: max(a, 0))
    sign = staticmethod(lambda a: 1 if a > 0 else -1)
    maximum, minimum = max, min
    sum, dot = mp.fsum, mp.fdot
    logsumexp = staticmethod(lambda xs: mp.log(mp.fsum(mp.exp(x) for x in xs)))


@pytest.fixture(autouse=True)
def _fifty_digits():
    with mp.workdps(50):
        yield


def close(got, want):
    return mp.almosteq(got, want, 1e-12, 1e-12)


@pytest.mark.parametrize("i", range(len(FUNCTIONS)))
def test_first_and_second_derivatives(i):
    rng = random.Random(i)
    for _ in range(10):
        point = [rng.uniform(0.3, 2.5) for _ in "ab"]
        leaves = [Value(x) for x in point]
        output = FUNCTIONS[i](engine, *leaves)
        first = [mp.diff(lambda a, b: FUNCTIONS[i](Maths, a, b), point, n) for n in ((1, 0), (0, 1))]
        second = [mp.diff(lambda a, b: FUNCTIONS[i](Maths, a, b), point, n) for n in ((2, 0), (1, 1), (0, 2))]
        got = grad(output, leaves)
        assert all(map(close, got, first)), point
        assert [x.data for x in grad(output, leaves, create_graph=True)] == pytest.approx(got, rel=1e-13, abs=1e-13)
        (aa, ab), (ba, bb) = hessian(output, leaves)
        assert ab == ba
        assert all(map(close, [aa, ab, bb], second)), point
        assert [x.grad for x in leaves] == [0.0, 0.0]
        output.backward()
        assert [x.grad for x in leaves] == got  # to the last bit


@pytest.mark.parametrize("i", range(len(FUNCTIONS)))
def test_the_graph_of_a_derivative_follows_its_leaves(i):
    leaves = [Value(0.5), Value(2.0)]
    graphs = grad(FUNCTIONS[i](engine, *leaves), leaves, create_graph=True)
    leaves[0].data, leaves[1].data = 0.6, 1.9
    for graph in graphs:
        graph.forward()
    afresh = grad(FUNCTIONS[i](engine, *leaves), leaves)
    assert [graph.data for graph in graphs] == pytest.approx(afresh, rel=1e-13, abs=0.0)


@pytest.mark.parametrize(
    ("function", "derivatives"),
    [
        (engine.sin, [math.cos, lambda x: -math.sin(x), lambda x: -math.cos(x), math.sin, math.cos]),
        (engine.exp, [math.exp] * 5),
        (engine.log, [lambda x, n=n: (-1) ** (n + 1) * math.factorial(n - 1) / x**n for n in range(1, 6)]),
        (lambda x: 1 / x, [lambda x, n=n: (-1) ** n * math.factorial(n) / x ** (n + 1) for n in range(1, 6)]),
        (lambda x: x**3, [lambda x: 3 * x**2, lambda x: 6 * x, lambda x: 6.0, lambda x: 0.0, lambda x: 0.0]),
        (lambda x: x**2.5, [lambda x, n=n: math.prod(2.5 - k for k in range(n)) * x ** (2.5 - n) for n in range(1, 6)]),
    ],
)
def test_derivatives_of_any_order(function, derivatives):
    for point in (0.3, 1.7):
        x = Value(point)
        y = function(x)
        for derivative in derivatives:
            y = grad(y, x, create_graph=True)
            assert y.data == pytest.approx(derivative(point), rel=1e-13, abs=0.0)


@pytest.mark.parametrize("n", range(1, 6))
def test_powers_at_zero(n):
    x = Value(0.0)
    y = x**n
    for order in range(1, 8):
        y = grad(y, x, create_graph=True)
        assert y.data == (math.factorial(n) if order == n else 0.0), order


def test_powers_with_an_exponent_that_is_a_value():
    x, n = Value(0.0), Value(2.0)
    assert hessian(x**n, x) == 2.0
    assert hessian(x**n, [x, n]) == [[2.0, 0.0], [0.0, 0.0]]
    x, n = Value(2.0), Value(0.0)
    assert hessian(x**n, [x, n]) == [[0.0, 0.5], [0.5, pytest.approx(math.log(2) ** 2)]]
    assert grad(grad(x**n, x, create_graph=True), n) == 0.5
    assert grad(grad(x**n, n, create_graph=True), x) == 0.5
    x = Value(-2.0)
    assert hessian(x**3, x) == -12.0
    assert (grad(x**0, x), hessian(x**0, x)) == (0.0, 0.0)


@pytest.mark.parametrize("n", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
def test_mixed_derivatives_of_a_power_at_zero(n):
    """Of a**b at a = 0: right, or an ArithmeticError where they are infinite, in any order of differentiation."""
    a, b = Value(0.0, "a"), Value(n, "b")
    for order in range(1, 4):
        for by in itertools.product((a, b), repeat=order):
            n_a = by.count(a)
            # With k derivatives by b: a**(b - n_a) times a polynomial in log(a) of degree k.
            falling = math.prod(n - i for i in range(n_a))
            exists = n > n_a or (n_a == order and (n == n_a or falling == 0.0))
            y = a**b
            if exists:
                for x in by:
                    y = grad(y, x, create_graph=True)
                assert y.data == (falling if n == n_a else 0.0), by
            else:
                with pytest.raises(ArithmeticError):  # noqa: PT012
                    for x in by:
                        y = grad(y, x, create_graph=True)


def test_rosenbrock():
    """Rosenbrock 1960; the matrix as in SciPy's rosen_hess."""
    x, y = Value(-1.2), Value(1.0)
    f = 100 * (y - x**2) ** 2 + (1 - x) ** 2
    assert grad(f, [x, y]) == pytest.approx([-215.6, -88.0])
    assert hessian(f, [x, y]) == [pytest.approx([1330.0, 480.0]), pytest.approx([480.0, 200.0])]


def test_the_hessian_of_cross_entropy_is_that_of_softmax():
    logits = [Value(x) for x in (0.5, -1.0, 2.0)]
    p = [y.data for y in engine.softmax(logits)]
    expected = [[p[i] * (i == j) - p[i] * p[j] for j in range(3)] for i in range(3)]
    for row, want in zip(hessian(engine.logsumexp(logits) - logits[1], logits), expected, strict=True):
        assert row == pytest.approx(want, rel=1e-13, abs=0.0)
    for row, want in zip(jacobian(engine.softmax(logits), logits), expected, strict=True):
        assert row == pytest.approx(want, rel=1e-13, abs=0.0)


class TestInputs:
    def test_one_gives_one_and_a_list_gives_a_list(self):
        a, b = Value(2.0), Value(3.0)
        assert grad(a * b, a) == 3.0
        assert grad(a * b, [a]) == [3.0]
        assert grad(a * b, (x for x in (a, b, a))) == [3.0, 2.0, 3.0]
        assert grad(a * b, []) == hessian(a * b, []) == []
        assert hessian(a * a, a) == 2.0
        assert jacobian([a * b, a + b], a) == [3.0, 1.0]
        assert jacobian([a * b, a + b], (x for x in (a, b))) == [[3.0, 2.0], [1.0, 1.0]]
        assert jacobian(a * b, [a, b]) == [3.0, 2.0]

    def test_inner_nodes(self):
        a, b = Value(2.0), Value(3.0)
        c = a * b
        L = c * c * a
        assert grad(L, [c, a, L]) == [24.0, 36.0 + 24.0 * 3.0, 1.0]
        assert hessian(L, [c, b]) == [[4.0, 8.0], [8.0, 16.0]]

    def test_an_inner_node_is_a_variable_of_its_own(self):
        """1/b is c by chance: the derivative of c*k/b by c is 1/b, which does not depend on c."""
        b, k = Value(2.0), Value(3.0)
        c = 1 / b
        assert hessian(c * k / b, [c]) == [[0.0]]

    def test_what_the_output_does_not_depend_on(self):
        a, b = Value(2.0), Value(3.0)
        c = a * b
        with pytest.warns(UserWarning, match="does not depend on") as warned:
            assert grad(a * a, [b, c]) == [0.0, 0.0]
        assert len(warned) == 2
        assert warned[0].filename == __file__, "the line of the caller"
        with pytest.warns(UserWarning, match="does not depend on"):
            assert grad(Value(2.0, "x"), c) == 0.0, "x is a leaf, such as one of c: the arguments may be swapped"
        with pytest.warns(UserWarning, match=r"does not depend on Value\(data=3\.0"):
            (zero,) = grad(a * a, [b], create_graph=True)
        assert (zero.data, zero.parents) == (0.0, ())
        assert grad(zero, b) == 0.0, "without a warning, since a number depends on nothing"
        assert jacobian([a * a, a * b], [a, b]) == [[4.0, 0.0], [3.0, 2.0]]
        with pytest.warns(UserWarning, match="does not depend on"):
            assert hessian(a * a, [a, b]) == [[2.0, 0.0], [0.0, 0.0]]
        assert hessian(a + 2 * b, [a, b]) == [[0.0, 0.0], [0.0, 0.0]]

    def test_constants_are_refused(self):
        a = Value(2.0)
        y = a * 3
        with pytest.raises(ValueError, match=r"input 1 .*constant Value\(data=3\.0"):
            grad(y, [a, y.parents[1]])

    @pytest.mark.parametrize("call", [grad, hessian, jacobian])
    def test_what_is_no_value(self, call):
        a = Value(2.0)
        with pytest.raises(TypeError, match=r"input 1 must be a Value, got str 'a'"):
            call(a * a, [a, "a"])
        with pytest.raises(TypeError, match=r"inputs must be a Value .*, got int 3"):
            call(a * a, 3)
        with pytest.raises(TypeError, match=r"Value.*, got float 3\.0"):
            call(3.0, a)


class TestErrors:
    @pytest.mark.parametrize("create_graph", [False, True])
    def test_those_of_backward(self, create_graph):
        x = Value(0.0, "x")
        with no_grad():
            constant = x * x
        y = x * x + x
        for output in (constant, x.sqrt(), x.sqrt() * 0, (x + 1) ** (x + 0.5) * x**0.5):
            with pytest.raises((RuntimeError, ArithmeticError)) as of_backward:
                output.backward()
            with pytest.raises(of_backward.type) as told:
                grad(output, x, create_graph)
            assert str(told.value) == str(of_backward.value)
        x.data = 1.0
        with pytest.raises(RuntimeError, match=r"operand of x\*x has changed .*forward"):
            grad(y, x, create_graph)

    @pytest.mark.parametrize("create_graph", [False, True])
    def test_overflow(self, create_graph):
        x = Value(1e-300, "x")
        y = x * 1e200 * 1e200 + 1
        with pytest.raises(OverflowError) as told:
            grad(y, x, create_graph)
        gradient, source = str(told.value).split(";")
        assert gradient == "the gradient of Value(data=1e-300, grad=0.0, label='x') overflows"
        assert source.endswith(" x*1e+200 at x = 1e-300")

    def test_a_leaf_changed_beside_the_path(self):
        a, b = Value(2.0), Value(3.0)
        y = a * (b * b)
        b.data = 4.0
        with pytest.raises(RuntimeError, match="changed"):
            grad(y, a)

    def test_no_derivative_beside_the_path_does_no_harm(self):
        x, n = Value(-2.0), Value(2.0)
        y = x**n
        with pytest.raises(ArithmeticError):
            y.backward()
        assert grad(y, x) == -4.0
        assert hessian(y, x) == 2.0


class TestGraphs:
    @pytest.mark.parametrize(
        ("y", "slope"),
        [
            ("a + x", "1.0"),
            ("x**0", "0.0"),
            ("x**1", "1.0"),
            ("x**2", "2*x"),
            ("x**3", "3*x**2"),
            ("x**2 + x", "2*x + 1"),
            ("x**2 + 3*x", "2*x + 3"),
            ("x * x", "2*x"),
            ("x * x * x", "3*(x*x)"),
            ("a*x + x*x + x*a", "2*a + 2*x"),
            ("x*x + x", "2*x + 1"),
            ("1 / x", "-(1/x)/x"),
            ("-(x**2)", "-2*x"),
            ("(a - x)**2", "-2*(a - x)"),
            ("-cos(x)", "sin(x)"),
            ("sin(x)**1", "cos(x)"),
            ("sin(x)**1 * a", "a*cos(x)"),
            ("sign(sin(x))", "0.0"),
            ("a*x + sign(x)*b", "a"),
            ("sign(x)*b + a*x", "a"),
            ("a*sign(x) + b*x + a*sign(x)", "b"),
            ("3 * relu(x)", "3*((1 + sign(x))/2)"),
            ("tan(x)", "1 + tan(x)**2"),
            ("sigmoid(x)", "(1 - tanh(x/2)**2)/4"),
            ("sum([a * x for _ in range(3)])", "3*a"),
            ("(lambda n: x*n + n*x + x*n)(-a)", "-3*a"),
        ],
    )
    def test_reads_as_by_hand(self, y, slope):
        names = vars(engine) | {"x": Value(0.7, "x"), "a": Value(2.0, "a"), "b": Value(-3.0, "b")}
        graph = grad(eval(y, names), names["x"], create_graph=True)
        assert (Names(graph).expression(graph) or graph.label or str(graph.data)) == slope
        assert (
            graph.data
            == number_of(eval(slope, names))
            == pytest.approx(grad(eval(y, names), names["x"]), rel=1e-15, abs=0.0)
        )

    def test_numbers_that_overflow_together_stay_apart(self):
        x = Value(1e-3, "x")
        assert grad(x * x * 1e308, x, create_graph=True).data == pytest.approx(2e305)
        x = Value(1e-200, "x")
        assert grad((1e200 * x) ** 2, x, create_graph=True).data == pytest.approx(2e200)

    def test_an_expression_that_is_a_node_already_is_that_node(self):
        a, b, x = Value(2.0, "a"), Value(-3.0, "b"), Value(0.7, "x")
        exp = x.exp()
        assert grad(a * b, a, create_graph=True) is b
        assert grad(exp, x, create_graph=True) is exp
        assert grad(-(exp * b), b, create_graph=True).parents == (exp,)

    @given(EXPRESSIONS, st.sampled_from([0.0, 1.0, -1.0, 0.7]))
    def test_no_needless_nodes(self, text, at):
        """To the third derivative no x*1, no x + 0, no -(-x), no number made of numbers, and no expression twice."""
        x, a = Value(at, "x"), Value(0.5, "a")
        with suppress(ArithmeticError):
            y = eval(text, vars(engine) | {"x": x, "a": a})
            for _ in range(3):
                given, y = topological_order(y), grad(y, x, create_graph=True)
                made = [node for node in topological_order(y) if node.parents and node not in given]
                assert not any(map(is_needless, made))
                expressions = [expression(node) for node in made]
                assert len(set(expressions)) == len(expressions)
                assert not set(expressions) & {expression(node) for node in given}

    @pytest.mark.parametrize("made", ["-x", "3*x"])
    def test_the_number_in_an_input_stays_there(self, made):
        x = Value(0.5, "x")
        u = eval(made)
        k = grad(u, x)
        assert hessian(-(u * u), [u, x]) == [[-2.0, -2.0 * k], [-2.0 * k, -2.0 * k * k]]

    @given(
        EXPRESSIONS, st.sampled_from(["-z", "3*z", "z*3", "z*z", "z + 1", "z - 0.5", "sum([z, z])", "sin(z)", "-(-z)"])
    )
    def test_an_inner_node_is_a_variable_like_a_leaf(self, text, made):
        z, a = Value(0.7, "z"), Value(0.5, "a")
        with suppress(ArithmeticError):
            inner = eval(made, vars(engine) | {"z": z})
            leaf = Value(inner.data)
            by_inner, by_leaf = (eval(text, vars(engine) | {"x": x, "a": a}) for x in (inner, leaf))
            for row, other in zip(hessian(by_inner, [inner, a]), hessian(by_leaf, [leaf, a]), strict=True):
                assert row == pytest.approx(other, rel=1e-9, abs=1e-9)
            whole = hessian(by_inner, z)
            slope, curvature = grad(inner, z), hessian(inner, z)
            assert whole == pytest.approx(
                hessian(by_leaf, leaf) * slope**2 + grad(by_leaf, leaf) * curvature, rel=1e-9, abs=1e-9
            )

    def test_derivatives_of_high_order_stay_small(self):
        x = Value(0.7, "x")
        fifth = x.tanh()
        for _ in range(5):
            fifth = grad(fifth, x, create_graph=True)
        assert len(topological_order(fifth)) < 150

    def test_can_be_drawn_stepped_and_gone_back_through(self):
        a, b = Value(2.0, "a"), Value(0.5, "b")
        L = (a * b).tanh()
        g = grad(L, [a], create_graph=True)[0]
        assert "sigmoid" in viz.draw(g).source
        g.backward()
        assert [a.grad, b.grad] == pytest.approx([x for (x,) in zip(grad(g, [a, b]), strict=True)])
        g.zero_grad()
        Backprop(g).run()
        assert [a.grad, b.grad] == pytest.approx(grad(g, [a, b]))

    def test_a_gradient_penalty_learns(self):
        w, x = Value(0.5), Value(1.5)
        slope = grad((w * x).tanh(), x, create_graph=True)
        (slope**2).backward()
        assert w.grad == pytest.approx(
            float(mp.diff(lambda w: (w / mp.cosh(w * 1.5) ** 2) ** 2, 0.5)), rel=1e-13, abs=0.0
        )

    def test_inside_no_grad(self):
        x = Value(3.0)
        y = x**3
        with no_grad():
            assert grad(y, x, create_graph=True).op
            assert hessian(y, x) == 18.0
            assert (x * x).parents == ()


class TestElsewhere:
    """A graph of derivatives that was recorded at one point, at another: right, or an error, but never wrong."""

    NUMBERS = (-2.0, -0.5, -0.0, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0)
    OPERATIONS = {  # noqa: RUF012
        "abs": lambda a, b: abs(a) * b,
        "relu": lambda a, b: engine.relu(a) * b,
        "leaky_relu": lambda a, b: engine.leaky_relu(a) * b,
        "elu": lambda a, b: engine.elu(a) * b,
        "maximum": lambda a, b: engine.maximum(a, b) * b,
        "minimum": lambda a, b: engine.minimum(a, b) * a,
        "sign": lambda a, b: engine.sign(a) * b,
        "**": lambda a, b: a**b,
        "a chain": lambda a, b: engine.relu(engine.maximum(a, 1.0) - b) + engine.elu(b) ** 2,
    }

    @staticmethod
    def numbers_or_error(compute):
        try:
            return [x.data if isinstance(x, Value) else x for x in compute()]
        except ArithmeticError:
            return None

    @pytest.mark.parametrize("name", OPERATIONS)
    @pytest.mark.parametrize("order", [1, 2])
    def test_forward(self, name, order, tried):
        f = self.OPERATIONS[name]

        def derivatives(a, b):
            first = grad(f(a, b), [a, b], create_graph=True)
            return first if order == 1 else [y for g in first for y in grad(g, [a, b], create_graph=True)]

        fresh = {
            p: self.numbers_or_error(lambda p=p: derivatives(*map(Value, p)))
            for p in itertools.product(self.NUMBERS, repeat=2)
        }
        right = errors = 0
        for start, expected in fresh.items():
            if expected is None:
                continue
            leaves = [Value(x) for x in start]
            graphs = derivatives(*leaves)
            for point, want in fresh.items():
                for x, number in zip(leaves, point, strict=True):
                    x.data = number
                for i, graph in enumerate(graphs):
                    try:
                        graph.forward()
                    except ArithmeticError:
                        errors += 1
                    else:
                        if want is not None:
                            assert graph.data == pytest.approx(want[i], rel=1e-12, abs=1e-14), (start, point, i)
                            right += 1
        assert right > 10 * errors or name == "**"
        tried["derivative graphs at another point than they were recorded at"] += right

    def test_compiled(self):
        pytest.importorskip("llvmlite")
        rows = [(x, y) for x in self.NUMBERS for y in self.NUMBERS]
        fs = [f for name, f in self.OPERATIONS.items() if name != "**"]
        a, b = Value(0.0, "a"), Value(0.0, "b")
        graphs = [g + 0 * a + 0 * b for f in fs for g in grad(f(a, b), [a, b], create_graph=True)]
        table = engine.compile(graphs, [a, b])(rows)
        for point, row in zip(rows, table.tolist(), strict=True):
            leaves = [Value(x) for x in point]
            assert row == pytest.approx([g for f in fs for g in grad(f(*leaves), leaves)], rel=1e-12, abs=1e-14)

    def test_a_power_recorded_at_0(self):
        a, b = Value(0.0, "a"), Value(2.0, "b")
        graph = grad(a**b, b, create_graph=True)
        assert graph.data == 0.0
        a.data = 2.0
        with pytest.raises(ArithmeticError, match="has no value"):
            graph.forward()
        assert graph.data == 0.0
        assert grad(a**b, b) == pytest.approx(4 * math.log(2))


def expression(node):
    return (node.op, *(x.data if x.is_constant else x for x in node.parents))


def is_needless(node):
    """Whether a node is a number, its operand or the negative of that, whatever the operand; or -(-x)."""
    free = [x for x in node.parents if not x.is_constant]
    if node.op == "neg" or node.op not in OPERATORS or len(free) != 1:
        return not free or node.op == free[0].op == "neg"
    low, high = (OPERATORS[node.op](*(x.data if x.is_constant else at for x in node.parents)) for at in (0.3, 0.6))
    return low == high or (low, high) in [(0.3, 0.6), (-0.3, -0.6)]


@pytest.mark.exhaustive
def test_a_graph_of_a_million_nodes():
    x = Value(0.5)
    y = x
    for _ in range(100_000):
        y = y * 0.5 + 0.25
    y = y * y
    for _ in range(100_000):
        y = -y
    want = 2 * y.data * 0.5**100_000
    assert grad(y, x) == want
    assert grad(y, x, create_graph=True).data == want
    assert hessian(y, x) == 0.0


def test_leaves_that_threads_share():
    x = Value(0.5)
    wrong = []

    def work(k):
        y = x
        for _ in range(300):
            y = (y * k).sin()
        want = grad(y, x), hessian(y, x)
        wrong.extend(1 for _ in range(10) if (grad(y, x), hessian(y, x)) != want)

    threads = [threading.Thread(target=work, args=(k,)) for k in (1.1, 1.2, 1.3, 1.4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert x.grad == 0.0


def test_the_hessian_does_not_depend_on_the_order_of_inputs():
    x = Value(0.5, "x")
    for make in (Value.exp, Value.tanh, Value.sigmoid, lambda x: x**2, lambda x: 1 / x):
        y = make(x)
        f = y**2 * x
        (xx, xy), (yx, yy) = hessian(f, [x, y])
        assert hessian(f, [y, x]) == [[yy, yx], [xy, xx]]
        assert xy == yx


@pytest.mark.parametrize("of", [grad, hessian, jacobian])
def test_inputs_have_an_order(of):
    a, b = Value(1.0, "a"), Value(2.0, "b")
    with pytest.raises(TypeError, match=r"inputs must be .* in order, got set"):
        of(a * b, {a, b})


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: engine.compile(a - b, {a, b}),
        lambda a, b: engine.compile({a + b, a - b}, [a, b]),
        lambda a, b: jacobian({a + b, a - b}, [a, b]),
        lambda a, b: engine.jvp({a + b, a - b}, [a, b], [1.0, 2.0]),
        lambda a, b: engine.dot({a, b}, [1.0, 2.0]),
        lambda a, b: engine.softmax({a, b}),
        lambda a, b: engine.check_gradients(lambda x, y: x - y, {0.5, 2.0}),
        lambda a, b: engine.sum(frozenset([a, b])),
    ],
)
def test_what_has_no_order_is_refused(call):
    with pytest.raises(TypeError, match=r"list.*got (set|frozenset)"):
        call(Value(1.0, "a"), Value(2.0, "b"))
