"""Forward mode, in one pass and step by step, against closed forms, 50 digits, JAX and reverse mode."""

import math
import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath import mp

import engine
from engine import Backprop, ForwardMode, Value, grad, hessian, hvp, jacobian, jvp, no_grad, topological_order
from tests.engine.test_derivatives import FUNCTIONS, Maths
from tests.engine.test_random_graphs import close, derivative, leaves, numbers, order, programs, record

every_function = pytest.mark.parametrize("i", range(len(FUNCTIONS)))
numbers_of_examples = pytest.mark.parametrize("examples", [100, pytest.param(1000, marks=pytest.mark.exhaustive)])


def exactly(got, want):
    return mp.almosteq(got, want, 1e-12, 1e-12)


def product(row, direction):
    return math.fsum(x * v for x, v in zip(row, direction, strict=True))


def points(i, n=10):
    rng = random.Random(i)
    for _ in range(n):
        yield [rng.uniform(0.3, 2.5) for _ in "ab"], [rng.uniform(-2, 2) for _ in "ab"]


@every_function
def test_products_with_jacobian_and_hessian_at_50_digits(i, tried):
    for point, direction in points(i):
        with mp.workdps(50):
            first = [mp.diff(lambda a, b: FUNCTIONS[i](Maths, a, b), point, n) for n in ((1, 0), (0, 1))]
            along = mp.fdot(first, direction)
            second = {n: mp.diff(lambda a, b: FUNCTIONS[i](Maths, a, b), point, n) for n in ((2, 0), (1, 1), (0, 2))}
            by_hessian = [
                second[2, 0] * direction[0] + second[1, 1] * direction[1],
                second[1, 1] * direction[0] + second[0, 2] * direction[1],
            ]
            inputs = [Value(x) for x in point]
            output = FUNCTIONS[i](engine, *inputs)
            assert exactly(jvp(output, inputs, direction), along), point
            assert exactly(jvp(output, inputs, direction, create_graph=True).data, along), point
            assert all(map(exactly, hvp(output, inputs, direction), by_hessian)), point
            assert all(map(exactly, [x.data for x in hvp(output, inputs, direction, create_graph=True)], by_hessian))
            curvature = jvp(jvp(output, inputs, direction, create_graph=True), inputs, direction)
            assert exactly(curvature, mp.fdot(direction, by_hessian)), "forward over forward"
        assert [x.grad for x in inputs] == [0.0, 0.0]
        tried["jvp, hvp and forward over forward against 50 digits"] += 1


@every_function
def test_jax_has_the_same_products(i, tried):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy

    class Jax:
        exp, log, log1p, sin, cos, tan, tanh, sqrt = (
            jnp.exp, jnp.log, jnp.log1p, jnp.sin, jnp.cos, jnp.tan, jnp.tanh, jnp.sqrt
        )  # fmt: skip
        softplus, silu, elu, relu = jax.nn.softplus, jax.nn.silu, jax.nn.elu, jax.nn.relu
        erfc = jax.scipy.special.erfc
        gelu = staticmethod(lambda a: jax.nn.gelu(a, approximate=False))
        leaky_relu = jax.nn.leaky_relu
        sign = staticmethod(lambda a: jnp.where(a > 0, 1.0, -1.0))
        maximum, minimum = jnp.maximum, jnp.minimum
        sum = staticmethod(lambda xs: jnp.sum(jnp.stack(xs)))
        dot = staticmethod(lambda ws, xs: jnp.dot(jnp.stack(ws), jnp.stack(list(map(jnp.float64, xs)))))
        logsumexp = staticmethod(lambda xs: jax.nn.logsumexp(jnp.stack(xs)))

    def function(xs):
        return FUNCTIONS[i](Jax, *xs)

    for point, direction in points(i, 5):
        at, along = jnp.array(point), jnp.array(direction)
        _, slope = jax.jvp(function, (at,), (along,))
        _, curvature = jax.jvp(jax.grad(function), (at,), (along,))
        inputs = [Value(x) for x in point]
        output = FUNCTIONS[i](engine, *inputs)
        assert jvp(output, inputs, direction) == pytest.approx(float(slope), rel=1e-11, abs=1e-11)
        assert hvp(output, inputs, direction) == pytest.approx(curvature.tolist(), rel=1e-11, abs=1e-11)
        tried["jvp and hvp against JAX"] += 1


@numbers_of_examples
@pytest.mark.filterwarnings("ignore:the output does not depend on")
def test_random_graphs_have_the_directional_derivative_of_50_digits(examples, tried):
    @settings(max_examples=examples)
    @given(leaves, programs, st.lists(numbers, min_size=4, max_size=4))
    def check(at, program, direction):
        start, root, done = record(at, program)
        direction = direction[: len(at)]
        assume(all(abs(node.data) > 1e-40 for node in topological_order(root) if node.data))
        exact = [derivative(at, done, *order(len(at), i)) for i in range(len(at))]
        assume(max(map(abs, exact)) < 1e4)
        slope = jvp(root, start, direction)
        assert close(slope, mp.fdot(direction, exact))
        walks = [ForwardMode(root, x).run().tangents[root] for x in start if x in topological_order(root)]
        assert walks == [jvp(root, x, 1.0) for x in start if x in topological_order(root)]
        gradients = grad(root, start)
        assert slope == pytest.approx(product(gradients, direction), rel=1e-9, abs=1e-9)
        matrix = hessian(root, start)
        assume(max(abs(x) for row in matrix for x in row) < 1e4)
        by_hand = [product(row, direction) for row in matrix]
        assert hvp(root, start, direction) == pytest.approx(by_hand, rel=1e-7, abs=1e-7)
        tried["random graphs: jvp, hvp and ForwardMode against 50 digits and reverse mode"] += 1

    check()


class TestDirections:
    def test_one_pass_gives_a_column_of_the_jacobian(self):
        a, b = Value(2.0), Value(3.0)
        outputs = [a * b, a / b, a.exp() + b]
        rows = jacobian(outputs, [a, b])
        assert jvp(outputs, [a, b], [1.0, 0.0]) == [row[0] for row in rows]
        assert jvp(outputs, [a, b], [0.0, 1.0]) == [row[1] for row in rows]
        assert jvp(outputs, b, 1) == [row[1] for row in rows]

    def test_one_gives_one_and_a_list_gives_a_list(self):
        a, b = Value(2.0, "a"), Value(3.0)
        assert jvp(a * b, a, 2) == jvp(a * b, [a], [2]) == 6.0
        assert jvp([a * b], a, 2) == [6.0]
        assert jvp((y for y in [a * b, a]), (x for x in (a, b)), (v for v in (1, 1))) == [5.0, 1.0]
        assert jvp([], [], []) == hvp(a * b, [], []) == []
        assert (hvp(a**3, a, 2.0), hvp(a**3, [a], [2.0])) == (24.0, [24.0])
        assert hvp(a**3, a, 2.0, create_graph=True).data == 24.0

    def test_an_input_twice_has_both_numbers(self):
        a = Value(2.0)
        assert jvp(a * a, [a, a], [1.0, 0.5]) == 6.0

    def test_inner_nodes_are_variables_of_their_own(self):
        a, b = Value(2.0), Value(3.0)
        c = a.exp()
        L = c * c * a
        for direction in ([1.0, 0.0], [0.0, 1.0], [0.5, -2.0]):
            assert jvp(L, [c, a], direction) == pytest.approx(product(grad(L, [c, a]), direction))
            expected = [product(row, direction) for row in hessian(L, [c, a])]
            assert hvp(L, [c, a], direction) == pytest.approx(expected)
        k = 1 / b
        assert hvp(k * a / b, [k], [1.0]) == [0.0], "1/b is k by chance"
        assert jvp(jvp(c * b, a, 1.0, create_graph=True), c, 1.0) == b.data, (
            "the derivative of exp(a) is the node itself"
        )

    def test_an_input_that_is_held_fixed_needs_no_derivative(self):
        x, n = Value(-2.0), Value(3.0)
        assert jvp(x**n, [x, n], [1.0, 0.0]) == 12.0
        with pytest.raises(ArithmeticError, match="with respect to"):
            jvp(x**n, [x, n], [1.0, 1.0])
        assert jvp(x * x, n, 1.0) == 0.0

    def test_a_graph_follows_its_leaves(self):
        a, b = Value(2.0), Value(3.0)
        slope = jvp((a * b).tanh() * a, [a, b], [1.0, -2.0], create_graph=True)
        a.data, b.data = 0.3, 0.7
        slope.forward()
        assert slope.data == pytest.approx(jvp((a * b).tanh() * a, [a, b], [1.0, -2.0]), rel=1e-14)

    def test_inside_no_grad(self):
        x = Value(3.0)
        y = x**3
        with no_grad():
            assert jvp(y, x, 1.0, create_graph=True).op
            assert hvp(y, x, 1.0) == 18.0

    @pytest.mark.parametrize(
        ("direction", "error", "message"),
        [
            ([1.0], ValueError, "one number per input, 2, got 1"),
            (1.0, TypeError, "list of numbers, one per input, got float"),
            ([1.0, "b"], TypeError, r"direction\[1\] must be a real number, got str"),
            ([1.0, math.inf], ValueError, r"direction\[1\] must be finite"),
            ({1.0, 2.0}, TypeError, "list of numbers"),
        ],
    )
    def test_wrong_directions(self, direction, error, message):
        a, b = Value(2.0), Value(3.0)
        for call in (jvp, hvp):
            with pytest.raises(error, match=message):
                call(a * b, [a, b], direction)

    def test_wrong_outputs(self):
        a = Value(2.0, "a")
        with pytest.raises(TypeError, match="output 1 must be a Value"):
            jvp([a, 3.0], a, 1.0)
        with pytest.raises(TypeError, match=r"outputs must be a Value or a list of Values, .*got float"):
            jvp(3.0, a, 1.0)
        with pytest.raises(TypeError, match="direction must be a real number, got list"):
            jvp(a * a, a, [1.0])
        with pytest.raises(RuntimeError, match="constant"):
            jvp(a.detach(), a, 1.0)
        y = a * a
        a.data = 3.0
        with pytest.raises(RuntimeError, match="changed"):
            jvp(y, a, 1.0)

    @pytest.mark.parametrize("create_graph", [False, True])
    def test_a_tangent_that_overflows(self, create_graph):
        x = Value(1e-300, "x")
        y = x * 1e200 * 1e200 + 1
        with pytest.raises(OverflowError, match=r"^the tangent of x\*1e\+200\*1e\+200 overflows at "):
            jvp(y, x, 1.0, create_graph)


def example():
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(7.0, "c")
    L = (a * b + a + c).tanh()
    L.label = "L"
    return L, a, b, c


class TestSteps:
    def test_read_aloud(self):
        L, a, _, _ = example()
        assert [str(step) for step in ForwardMode(L, a)] == [
            "a*b receives d(a*b)/da = -3.0\n  d(a*b)/da += b * da/da = -3.0 * 1.0 = -3.0",
            "a*b + a receives d(a*b + a)/da = -2.0\n"
            "  d(a*b + a)/da += 1 * d(a*b)/da = 1.0 * -3.0 = -3.0\n"
            "  d(a*b + a)/da += 1 * da/da = 1.0 * 1.0 = 1.0\n"
            "    accumulated: d(a*b + a)/da = -3.0 + 1.0 = -2.0",
            "a*b + a + c receives d(a*b + a + c)/da = -2.0\n"
            "  d(a*b + a + c)/da += 1 * d(a*b + a)/da = 1.0 * -2.0 = -2.0",
            "L = tanh(a*b + a + c) receives dL/da = -0.0197321\n"
            "  dL/da += (1 - L**2) * d(a*b + a + c)/da = 0.00986604 * -2.0 = -0.0197321",
        ]

    def test_in_numbers(self):
        L, a, _, c = example()
        walk = ForwardMode(L, a)
        assert (walk.position, len(walk), walk.last) == (0, 4, None)
        assert (walk.tangents[a], walk.tangents[c]) == (1.0, 0.0)
        assert L not in walk.tangents
        step = walk.step()
        assert step is walk.last
        (term,) = step.contributions
        assert (step.node.op, step.tangent, term.parent, term.local, term.amount) == ("*", -3.0, a, -3.0, -3.0)
        assert (term.before, term.total, term.symbols) == (0.0, -3.0, "b")
        walk.run(until=walk.upcoming)
        assert walk.position == 2
        assert walk.run(until=a).position == walk.run(until=c).position == 2
        assert str(walk).startswith(
            "ForwardMode of L with respect to a: 2 of 4 steps done\nnext: a*b + a + c receives d("
        )
        assert walk.run().tangents[L] == pytest.approx(-2.0 * (1 - L.data**2), rel=1e-14)
        assert str(walk).startswith("ForwardMode of L with respect to a: 4 of 4 steps done, dL/da = -")
        assert walk.step() is None

    def test_no_gradient_changes(self):
        L, a, _, _ = example()
        L.backward()
        before = [node.grad for node in topological_order(L)]
        ForwardMode(L, a).run().reset()
        assert [node.grad for node in topological_order(L)] == before

    @given(st.lists(st.sampled_from(["step", "back", "step", "reset", "run"]), max_size=30))
    def test_back_and_forth(self, moves):
        L, a, _, _ = example()
        straight = ForwardMode(L, a)
        tangents = [dict(straight.tangents)] + [dict(straight.tangents) for _ in straight]
        walk = ForwardMode(L, a)
        for move in moves:
            getattr(walk, move)()
            assert dict(walk.tangents) == tangents[walk.position]

    def test_all_inputs_together_are_the_gradient(self):
        L, *inputs = example()
        L.backward()
        tangents = [ForwardMode(L, x).run().tangents[L] for x in inputs]
        assert tangents == pytest.approx([x.grad for x in inputs], rel=1e-14)

    def test_data_that_changes_between_steps(self):
        L, a, b, c = example()
        walk = ForwardMode(L, a)
        walk.step()
        b.data = 5.0
        with pytest.raises(RuntimeError, match=r"changed|must stay"):
            walk.run()
        L.forward()
        with pytest.raises(RuntimeError, match=r"must stay .* call reset\(\)"):
            walk.run()
        assert walk.reset().run().tangents[L] == pytest.approx(jvp(L, a, 1.0))
        walk.reset().run(until=L.parents[0])
        c.data = a.data = 0.0
        L.forward()
        b.data = 1.0
        L.forward()
        with pytest.raises(RuntimeError, match="must stay"):
            walk.run()

    def test_a_change_that_the_next_step_does_not_touch(self):
        """At x = 0 the data of x*y stays 0.0 whatever y is, but its tangent is y."""
        x, y = Value(0.0, "x"), Value(3.0, "y")
        L = (x * y).sin()
        walk = ForwardMode(L, x)
        walk.step()
        y.data = 4.0
        L.forward()
        with pytest.raises(RuntimeError, match=r"data of y must stay 3\.0"):
            walk.step()

    def test_inputs_that_are_refused(self):
        L, a, _, _ = example()
        with pytest.raises(TypeError, match="x must be a Value, got str 'a'"):
            ForwardMode(L, "a")
        with pytest.raises(ValueError, match="constant"):
            ForwardMode(L, a.detach())
        with pytest.raises(ValueError, match="does not depend on"):
            ForwardMode(L, Value(1.0))
        with pytest.raises(ValueError, match="until must be a node of this graph"):
            ForwardMode(L, a).run(until=Value(1.0))
        a.data = 1.0
        with pytest.raises(RuntimeError, match="changed"):
            ForwardMode(L, a)

    def test_no_derivative_beside_the_path_does_no_harm(self):
        x, n = Value(-2.0, "x"), Value(3.0, "n")
        y = x**n
        assert ForwardMode(y, x).run().tangents[y] == 12.0
        walk = ForwardMode(y, n)
        with pytest.raises(ArithmeticError, match=r"derivative of x\*\*n with respect to n has no value"):
            walk.step()
        assert (walk.position, y in walk.tangents) == (0, False)

    def test_an_inner_node_or_the_output_as_input(self):
        L, _, _, _ = example()
        inner = L.parents[0]
        walk = ForwardMode(L, inner)
        assert (len(walk), walk.run().tangents[L]) == (1, pytest.approx(1 - L.data**2, rel=1e-14))
        assert ForwardMode(L, L).tangents[L] == 1.0

    def test_a_tangent_that_overflows(self):
        x = Value(1e-300, "x")
        walk = ForwardMode(x * 1e200 * 1e200, x)
        with pytest.raises(OverflowError, match="tangent"):
            walk.run()
        assert walk.position == 1

    def test_a_step_that_was_done_does_not_change(self):
        L, a, _, _ = example()
        step = ForwardMode(L, a).step()
        with pytest.raises(AttributeError):
            step.tangent = 0.0
        with pytest.raises(TypeError):
            step.tangents[a] = 2.0


def test_backprop_and_forward_mode_share_their_controls():
    L, a, _, _ = example()
    for walk in (Backprop(L), ForwardMode(L, a)):
        assert list(walk)[-1] is walk.last
        assert walk.upcoming is None
        assert walk.back() is not walk.last
        assert walk.position == len(walk) - 1


@pytest.mark.exhaustive
def test_a_graph_of_a_million_nodes():
    x = Value(0.5)
    y = x
    for _ in range(500_000):
        y = -(y * 1.0)
    assert (jvp(y, x, 1.0), hvp(y, x, 1.0)) == (1.0, 0.0)
    assert ForwardMode(y, x).run().tangents[y] == 1.0
