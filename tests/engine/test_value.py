"""Value: what it takes, the arithmetic of its graph, and what it refuses."""

import asyncio
import builtins
import copy
import itertools
import math
import pickle
import re
import subprocess
import sys
import threading
import tracemalloc
import weakref
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

import engine
from engine import Value, dot, no_grad, topological_order
from engine.foreign import FOREIGN_NAMES


class TestData:
    @pytest.mark.parametrize("number", [3, 3.0, Fraction(6, 2), Decimal(3), np.float64(3), np.float32(3), np.int8(3)])
    def test_any_real_number(self, number):
        for value in (Value(number), Value(0) + number, number + Value(0)):
            assert type(value.data) is float
            assert value.data == 3.0

    @pytest.mark.parametrize("thing", ["3", 1j, None, True, np.True_, [3], (3,), np.array([3.0]), Value(3), object()])
    def test_nothing_else(self, thing):
        with pytest.raises(TypeError, match=type(thing).__name__):
            Value(thing)
        leaf = Value(1.0)
        with pytest.raises(TypeError, match=type(thing).__name__):
            leaf.data = thing
        assert leaf.data == 1.0

    @pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, np.float64("nan"), Decimal("Infinity")])
    def test_only_finite_numbers(self, number):
        for use in (Value, Value(1).__add__, engine.tanh):
            with pytest.raises(ValueError, match="finite"):
                use(number)

    def test_too_large_an_integer(self):
        with pytest.raises(OverflowError, match=r"fit into a float .*1\.8e308"):
            Value(10**400)

    def test_starts_as_a_leaf(self):
        value = Value(2, "a")
        assert (value.data, value.grad, value.label, value.op, value.parents) == (2.0, 0.0, "a", "", ())
        assert Value(1.0).label == ""

    def test_label_is_text(self):
        with pytest.raises(TypeError, match="label"):
            Value(1.0, label=2)

    def test_inner_data_is_not_set(self):
        value = Value(2.0) * 3
        with pytest.raises(AttributeError, match="forward"):
            value.data = 1.0

    def test_no_other_attributes_and_no_subclasses(self):
        with pytest.raises(AttributeError):
            Value(1.0).gradient = 2.0
        with pytest.raises(TypeError, match="subclass"):
            type("Tensor", (Value,), {})

    def test_repr_is_one_short_line(self):
        a = Value(1 / 3, "a")
        product = a * 3
        product.label = "b"
        product.backward()
        assert repr(product) == "Value(data=1.0, grad=1.0, label='b', op='*')"
        assert repr(a) == "Value(data=0.333333, grad=3.0, label='a')"
        assert repr(Value(2)) == "Value(data=2.0, grad=0.0)"


class TestOperators:
    def test_with_numbers_on_either_side(self):
        x = Value(4.0)
        assert [v.data for v in (x + 2, 2 + x, x - 2, 2 - x, x * 2, 2 * x, x / 2, 2 / x, x**2, 2**x)] == [
            6.0, 6.0, 2.0, -2.0, 8.0, 8.0, 2.0, 0.5, 16.0, 16.0,
        ]  # fmt: skip
        assert [v.data for v in (-x, +x, abs(-x))] == [-4.0, 4.0, 4.0]

    def test_parents_in_order_and_as_often_as_used(self):
        a, b = Value(1.0), Value(2.0)
        assert (a - b).parents == (a, b)
        assert (a + a).parents == (a, a)
        assert dot([a, b], [b, a]).parents == (a, b, b, a)
        assert [parent.data for parent in (3 - a).parents] == [3.0, 1.0]

    def test_no_needless_nodes(self):
        v = Value(5.0)
        assert 0 + v is v
        assert v + 0 is v
        assert 1 * v is v
        assert v * 1.0 is v
        assert +v is v
        assert len(topological_order(builtins.sum([v, v, v]))) == 3
        assert v + Value(0.0) is not v

    def test_comparison_is_by_data_and_equality_is_identity(self):
        a, b = Value(1.0), Value(1.0)
        assert a != b
        assert a == a
        assert len({a, b}) == 2
        assert a <= b
        assert a >= b
        assert not a < b
        assert not a > b
        assert a < 2
        assert 2 > a  # noqa: SIM300
        assert a < math.inf
        assert max([a, Value(3.0), b]).data == 3.0
        with pytest.raises(TypeError):
            assert a < "2"

    @pytest.mark.parametrize("thing", ["3", 1j, None, True, [3], object()])
    def test_other_types_are_refused(self, thing):
        for operate in (lambda: Value(1.0) + thing, lambda: thing - Value(1.0), lambda: Value(1.0) ** thing):
            with pytest.raises(TypeError):
                operate()
        with pytest.raises(TypeError, match="tanh"):
            engine.tanh(thing)

    def test_numpy_does_not_swallow_a_value(self):
        v = Value(3.0)
        for result in (np.float64(2) * v, np.float32(2) * v, np.int64(2) * v, v * np.float64(2)):
            assert type(result) is Value
            assert result.data == 6.0
        assert (np.float64(2) < v) is True
        assert dot([v, v], np.array([1.0, 2.0])).data == 9.0

    @pytest.mark.parametrize(
        "name", ["exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "negative", "positive", "absolute"]
    )
    def test_functions_of_numpy_are_those_of_the_engine(self, name):
        v, function = Value(0.7), getattr(np, name)
        assert function(v).data == pytest.approx(float(function(0.7)), rel=1e-15)
        (of_array,) = function(np.array([v]))
        assert (of_array.op, of_array.data) == (function(v).op, function(v).data)

    def test_arrays_with_a_value_are_arrays_of_values(self):
        v, w = Value(3.0), Value(2.0)
        for product in (v * np.array([1.0, 2.0]), np.array([1, 2]) * v, np.multiply(v, [1.0, 2.0])):
            assert [x.data for x in product] == [3.0, 6.0]
        assert [[x.data for x in row] for row in np.array([[v, w]]) ** v] == [[27.0, 8.0]]
        engine.sum(v * np.array([1.0, 2.0])).backward()
        assert v.grad == 3.0
        assert (v / np.array(2.0)).data == 1.5
        assert (np.maximum(v, 0).op, np.maximum(4, v).data, np.longdouble(2) * v > 5) == ("maximum", 4.0, True)
        assert (np.array([1.0, 4.0]) < v).tolist() == [True, False]
        assert (np.array([v, w]) == v).tolist() == [True, False]

    @pytest.mark.parametrize(
        ("call", "advice"),
        [
            (lambda v: np.sign(v), r"np\.sign .*v\.data.*engine\.sign\(v\), which is -1 at 0"),
            (lambda v: np.floor(v), r"np\.floor .*v\.data"),
            (lambda v: np.sum(v), r"engine\.sum\(values\)"),
            (lambda v: np.add(v, 1.0, out=np.zeros(())), r"out=.*xs = xs \+ v"),
            (lambda v: np.isclose(v, 3.0), r"v\.data"),
            (lambda v: np.array([1.0, 2.0]) == v, r"v\.data == 1\.0"),
            (lambda v: np.array([True]) * v, "operand of .* must be a Value or a number, got bool True"),
            (lambda v: np.array([1.0]) @ v, r"np\.matmul"),
            *(
                (lambda v, x=x: v * x, "operand of .* must be a Value or a number, got")
                for x in ([1, 2], (1, 2), "a", None, True, 1j)
            ),
            (lambda v: [1, 2] * v, r"operand of \* must be a Value or a number, got list \[1, 2\]"),
        ],
    )
    def test_what_is_no_number_is_refused(self, call, advice):
        with pytest.raises(TypeError, match=advice):
            call(Value(3.0))

    def test_over_many(self):
        v = Value(3.0)
        assert engine.sum([v, 1, v]).parents[::2] == (v, v)
        assert engine.sum(x * 2 for x in [v, v]).data == 12.0
        for nothing in (engine.sum([]), dot([], [])):
            assert nothing.data == 0.0
            assert nothing.is_constant
            assert nothing.op == ""
        with pytest.raises(ValueError, match="3 ws and 2 xs"):
            dot([v] * 3, [1, 2])
        with pytest.raises(TypeError, match="sum must be a list of Values and numbers, got Value"):
            engine.sum(v)
        with pytest.raises(TypeError, match="dot"):
            dot([v], "3")
        with pytest.raises(ValueError, match="logsumexp"):
            engine.logsumexp([])

    def test_documentation_has_no_example_of_a_function(self):
        assert Value.__neg__.__doc__ == "Return the negative.\n\nValue: -a\nDerivative with respect to a: -1"

    def test_a_tuple_of_values_is_taken_as_it_is(self):
        """So the neurons of a layer share their inputs."""
        inputs = tuple(map(Value, range(1000)))
        tracemalloc.start()
        neurons = [dot(inputs, inputs) for _ in range(10)]
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert size < len(neurons) * 1000  # bytes


class TestBackward:
    def test_accumulates_in_leaves_and_not_in_inner_nodes(self):
        a = Value(3.0)
        b = a * a
        c = b + b
        c.backward()
        c.backward()
        assert (a.grad, b.grad, c.grad) == (24.0, 2.0, 1.0)
        c.zero_grad()
        assert (a.grad, b.grad, c.grad) == (0.0, 0.0, 0.0)

    def test_of_a_leaf(self):
        a = Value(3.0)
        a.backward()
        a.backward()
        assert a.grad == 2.0

    def test_constants_take_no_gradient(self):
        a = Value(-2.0)
        b = a**3
        b.backward()  # the derivative by the exponent, log(-2), is not asked for
        assert a.grad == 12.0
        assert b.parents[1].is_constant
        assert b.parents[1].grad == 0.0

    def test_starts_from_a_value(self):
        with pytest.raises(TypeError, match="got float"):
            topological_order(3.0)

    def test_of_a_constant_is_refused(self):
        with no_grad():
            a = Value(2.0) * 3
        with pytest.raises(RuntimeError, match="no_grad"):
            a.backward()

    @given(st.data())
    def test_random_graphs(self, data):
        """Graphs with sharing and repeated operands against numerical differentiation at 50 digits."""
        n = data.draw(st.integers(1, 4))
        at = data.draw(st.lists(st.floats(-2, 2), min_size=n, max_size=n))
        symbol = st.sampled_from(["+", "-", "*", "tanh", "sin", "sigmoid", "dot", "logsumexp"])
        index = st.integers(0, 10**6)
        program = data.draw(st.lists(st.tuples(symbol, index, index), min_size=1, max_size=12))

        def run(nodes, one, two, many):
            nodes = list(nodes)
            for symbol, i, j in program:
                a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
                if symbol in many:
                    nodes.append(many[symbol](a, b))
                else:
                    nodes.append(two[symbol](a, b) if symbol in two else one[symbol](a))
            return nodes[-1]

        two = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}
        leaves = [Value(x) for x in at]
        one = {"tanh": engine.tanh, "sin": engine.sin, "sigmoid": engine.sigmoid}
        many = {"dot": lambda a, b: dot([a, b, 2], [b, b, a]), "logsumexp": lambda a, b: engine.logsumexp([a, b, a])}
        result = run(leaves, one, two, many)
        result.backward()

        with mp.workdps(50):
            one = {"tanh": mp.tanh, "sin": mp.sin, "sigmoid": lambda a: 1 / (1 + mp.exp(-a))}
            many = {
                "dot": lambda a, b: a * b + b * b + 2 * a,
                "logsumexp": lambda a, b: mp.log(2 * mp.exp(a) + mp.exp(b)),
            }
            for i, leaf in enumerate(leaves):

                def of_one(x, i=i):
                    return run([*map(mp.mpf, at[:i]), x, *map(mp.mpf, at[i + 1 :])], one, two, many)

                exact = mp.diff(of_one, mp.mpf(at[i]))
                if abs(exact) < 1e6:
                    assert leaf.grad == pytest.approx(float(exact), rel=1e-9, abs=1e-9)


@given(st.lists(st.tuples(*[st.integers(0, 10**6)] * 4), min_size=1, max_size=15))
def test_topological_order(program):
    """Each node once, after its parents, none missing; also where nodes share lists of operands."""
    nodes, lists = [Value(0.5), Value(0.25)], []
    for choice, i, j, k in program:
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        lists.append((b, a, nodes[k % len(nodes)]))
        shared, other = lists[i % len(lists)], lists[j % len(lists)]
        make = [lambda: a.sin(), lambda: a - b, lambda: dot(shared, other).tanh(), lambda: engine.sum(shared).tanh()]  # noqa: B023
        nodes.append(make[choice % 4]())
    order = topological_order(nodes[-1])
    position = {node: i for i, node in enumerate(order)}
    below, todo = set(), [nodes[-1]]
    while todo:
        node = todo.pop()
        below.add(node)
        todo += [x for x in node.parents if x not in below]
    assert set(order) == below
    assert len(order) == len(below)
    assert all(position[x] < position[node] for node in order for x in node.parents)


class TestOnePoint:
    """A gradient belongs to the point at which the graph was recorded."""

    def test_a_changed_leaf_is_noticed(self):
        w, x = Value(2.0, "w"), Value(3.0, "x")
        loss = (w * x).tanh()
        w.data = 0.5
        with pytest.raises(RuntimeError, match=r"w\*x.*6\.0.*w = 0\.5.*forward"):
            loss.backward()
        assert (w.grad, x.grad) == (0.0, 0.0)

    def test_forward_refreshes(self):
        w, x = Value(2.0), Value(3.0)
        loss = (w * x).tanh()
        loss.backward()
        w.data = 0.5
        loss.forward()
        anew = (Value(0.5) * 3.0).tanh()
        assert loss.data == anew.data
        assert loss.grad == 0.0
        w.grad = 0.0
        loss.backward()
        assert w.grad == 3.0 * loss.parents[0].grad

    def test_a_change_that_changes_no_value_needs_no_refreshing(self):
        a, b = Value(5.0), Value(0.0)
        product = a * b
        a.data = 7.0  # the product is 0.0 still: the graph is as if recorded at the new point
        product.backward()
        assert (a.grad, b.grad) == (0.0, 7.0)

    def test_forward_that_fails_changes_nothing(self):
        x = Value(2.0, "x")
        y = x * 3
        z = (y - 1).log()
        x.data = -1.0
        with pytest.raises(ArithmeticError, match="log"):
            z.forward()
        assert (y.data, z.data) == (6.0, math.log(5.0))

    def test_a_new_recording_is_not_disturbed_by_an_old_one(self):
        w = Value(2.0)
        for _ in range(3):
            loss = w * w
            w.grad = 0.0
            loss.backward()
            w.data -= 0.1 * w.grad
        assert w.data == pytest.approx(2.0 * 0.8**3)


class TestErrors:
    """Where maths has no value, the error names the operation, the operand, its number and how it was made."""

    @pytest.mark.parametrize(
        ("make", "error", "words"),
        [
            (lambda x: x.log(), ArithmeticError, ["log(x)", "x = -1.0", "needs x > 0"]),
            (lambda x: (x - 3).log(), ArithmeticError, ["log(x - 3)", "x - 3 = -4.0", "x = -1.0"]),
            (lambda x: (x - 1).sqrt(), ArithmeticError, ["sqrt(x - 1)", "x - 1 = -2.0"]),
            (lambda x: x.log1p(), ArithmeticError, ["log1p(x)", "x = -1.0", "x > -1"]),
            (lambda x: x / Value(0.0, "zero"), ZeroDivisionError, ["x/zero", "zero = 0.0"]),
            (lambda x: 1 / (x + 1), ZeroDivisionError, ["1/(x + 1)", "x + 1 = 0.0"]),
            (lambda x: (x + 1) ** -1, ArithmeticError, ["(x + 1)**(-1)", "x + 1 = 0.0"]),
            (lambda x: x**0.5, ArithmeticError, ["x**0.5", "x = -1.0"]),
            (lambda x: (x * -1000).exp(), OverflowError, ["exp(x*-1000)", "x*-1000 = 1000.0"]),
            (lambda x: x * 1e200 * 1e200, OverflowError, ["1e+200"]),
            (lambda x: engine.sum([x * 1e308, x * 1e308]), OverflowError, ["sum of 2 operands", "1e+308"]),
            (lambda x: dot([1e200, x], [1e200, x]), OverflowError, ["dot of 4 operands", "1e+200"]),
        ],
    )
    def test_no_value(self, make, error, words):
        with pytest.raises(error) as caught:
            make(Value(-1.0, "x"))
        for word in words:
            assert word in str(caught.value)

    def test_functions_of_numbers(self):
        with pytest.raises(OverflowError, match=r"exp\(1000\) overflows"):
            engine.exp(1000)
        with pytest.raises(ArithmeticError, match="log"):
            Value(-1.0).log()
        with pytest.raises(ArithmeticError, match=r"\*\*"):
            Value(0) ** -1

    def test_no_derivative(self):
        a, x = Value(2.0), Value(0.0, "x")
        root = a * x.sqrt()
        with pytest.raises(ArithmeticError, match=r"derivative of sqrt\(x\) .*to x has no value at x = 0\.0"):
            root.backward()
        base, exponent = Value(-2.0, "base"), Value(2.0, "n")
        with pytest.raises(ArithmeticError, match=r"derivative of base\*\*n .*to n has no value"):
            (base**exponent).backward()
        assert [v.grad for v in (a, x, base, exponent)] == [0.0] * 4

    def test_gradient_overflow_changes_nothing(self):
        x = Value(1e-200, "x")
        y = 1 / x * 1e100
        x.grad = 7.0
        with pytest.raises(OverflowError) as caught:
            y.backward()
        gradient, source = str(caught.value).split(";")
        assert gradient == "the gradient of Value(data=1e-200, grad=-inf, label='x') overflows"
        assert source.endswith(" 1/x at x = 1e-200")
        assert x.grad == 7.0


class TestNoGrad:
    def test_records_nothing(self):
        a = Value(2.0)
        with no_grad():
            assert (a * a).parents == ()
            with no_grad():
                pass
            assert (a * a).is_constant
        assert (a * a).parents == (a, a)

    def test_ends_with_an_error_too(self):
        with pytest.raises(KeyError), no_grad():
            raise KeyError
        assert (Value(1.0) * 2).parents

    def test_as_a_decorator(self):
        @no_grad()
        def square(v):
            return v * v

        assert square(Value(3.0)).is_constant
        assert (Value(3.0) * 2).parents

    def test_holds_for_one_thread(self):
        inside, results = threading.Barrier(2), {}

        def work(name, context):
            with context:
                inside.wait()
                results[name] = (Value(2.0) * 3).parents
                inside.wait()

        threads = [
            threading.Thread(target=work, args=("off", no_grad())),
            threading.Thread(target=work, args=("on", memoryview(b""))),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results["off"] == ()
        assert len(results["on"]) == 2

    def test_holds_for_one_task(self):
        async def off():
            with no_grad():
                await asyncio.sleep(0)
                return (Value(2.0) * 3).parents

        async def on():
            await asyncio.sleep(0)
            return (Value(2.0) * 3).parents

        async def both():
            return await asyncio.gather(off(), on())

        nothing, something = asyncio.run(both())
        assert nothing == ()
        assert len(something) == 2


def test_stays_light_to_import():
    """engine needs the standard library alone."""
    import subprocess

    code = "import sys, engine; print(sorted({'numpy', 'llvmlite', 'rich', 'graphviz'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_an_error_names_no_constant():
    """It has no derivative, and none is missed."""
    with pytest.raises(ArithmeticError, match="to x has no value"):
        (Value(-1e-300, "x") ** -1).backward()


class TestValue:
    def test_can_be_watched_by_a_weak_reference(self):
        a = Value(1.0)
        assert weakref.ref(a)() is a

    def test_compares_with_numbers_on_either_side(self):
        a = Value(2.0)
        for other in (2, 2.0, np.float64(2.0), Value(2.0)):
            assert a <= other
            assert a >= other
            assert not a < other
            assert not a > other
        assert a < 3
        assert a > 1
        assert a <= 3
        assert a >= 1
        assert not a <= 1
        assert not a >= 3
        for compare in (lambda: a < "3", lambda: a <= "3", lambda: a > "3", lambda: a >= "3"):
            with pytest.raises(TypeError, match="'Value' and 'str'"):
                compare()

    @pytest.mark.parametrize(
        ("call", "error", "problem"),
        [
            (lambda: Value("3"), TypeError, "Value must be a real number, got str '3'"),
            (lambda: Value(math.inf), ValueError, "Value must be finite, got inf"),
            (lambda: Value(1.0, 2), TypeError, "label of a Value must be a str, got int 2"),
            (lambda: setattr(Value(1.0), "data", "3"), TypeError, "data of a Value must be a real number, got str '3'"),
            (lambda: engine.sum(3), TypeError, "sum must be a list of Values and numbers, got int 3"),
            (lambda: engine.sum(["3"]), TypeError, "sum must be a real number, got str '3'"),
            (lambda: engine.dot([1], ["3"]), TypeError, "dot must be a real number, got str '3'"),
            (lambda: engine.dot(["3"], [1]), TypeError, "dot must be a real number, got str '3'"),
            (lambda: engine.logsumexp(["3"]), TypeError, "logsumexp must be a real number, got str '3'"),
            (lambda: engine.logsumexp([]), ValueError, "logsumexp must have at least one operand, got none"),
            (lambda: engine.softmax(["3"]), TypeError, "softmax must be a real number, got str '3'"),
            (lambda: engine.tanh("3"), TypeError, "tanh must be a real number, got str '3'"),
            (lambda: engine.maximum(1, "3"), TypeError, "maximum must be a real number, got str '3'"),
            (lambda: Value(1.0) + math.nan, ValueError, r"\+ must be finite, got nan"),
            (lambda: math.inf * Value(1.0), ValueError, r"\* must be finite, got inf"),
        ],
    )
    def test_an_error_names_the_argument_and_what_was_passed(self, call, error, problem):
        with pytest.raises(error, match=problem + r"(: convert a text by float\(\))?$"):
            call()

    def test_a_large_integer_is_shortened(self):
        with pytest.raises(OverflowError, match=r"1\.8e308.* int 10000\d*\.\.\.\d*$"):
            Value(10**400)


class TestNeutral:
    def test_adding_nothing_and_multiplying_by_one_make_no_node(self):
        a = Value(2.0)
        assert a + 0 is a
        assert 0 + a is a
        assert a * 1 is a
        assert 1.0 * a is a
        assert (a - 0).op == "-"
        assert (a + 1).op == "+"
        assert (a * 0).op == "*"

    def test_the_side_of_a_number(self):
        a = Value(2.0)
        results = [(3 - a).data, (a - 3).data, (3 / a).data, (a / 4).data, (3**a).data, (a**3).data]
        assert results == [1.0, -1.0, 1.5, 0.5, 9.0, 8.0]


class TestPrompt:
    """What is typed at a prompt: the right number, or an error that says what to write."""

    @pytest.mark.parametrize(
        ("call", "advice"),
        [
            (lambda v: float(v), r"v\.data"),
            (lambda v: math.exp(v), r"v\.exp\(\) for math\.exp\(v\)"),
            (lambda v: int(v), r"int\(v\.data\)"),
            (lambda v: round(v, 2), r"round\(v\.data, 2\)"),
            (lambda v: 1 if v else 2, r"if v\.data != 0:"),
            (lambda v: not v, r"if v\.data != 0:"),
            (lambda v: v == 3, r"write v\.data == 3"),
            (lambda v: v != True, r"write v\.data == True"),  # noqa: E712
            (lambda v: v == 10**400, r"v\.data == 1000.*\.\.\."),
            (lambda v: setattr(v, "grad", None), r"grad .* real number, got NoneType None: write 0\.0"),
            (lambda v: setattr(v, "grad", "1"), r"grad .* real number, got str '1'"),
            (lambda v: setattr(v, "label", None), r"label .* str, got NoneType None"),
        ],
    )
    def test_what_would_lose_the_graph_is_refused(self, call, advice):
        v = Value(3.0, "v")
        with pytest.raises(TypeError, match=advice):
            call(v)
        assert (v.data, v.grad, v.label) == (3.0, 0.0, "v")

    def test_comparisons_are_exact(self):
        large = Value(2.0**53)
        assert large < 2**53 + 1
        assert large < np.int64(2**53 + 1)
        assert large < 10**400
        assert large > Fraction(-(10**400))
        assert Value(0.1) < Fraction(1, 10) + Fraction(1, 10**17)
        assert Value(0.1) > Decimal("0.1")
        with pytest.raises(TypeError):
            large < True  # noqa: B015

    def test_formats(self):
        v = Value(2.0 / 3, "v")
        assert f"{v:.3f} {v:8.1e}|{v}" == f"0.667  6.7e-01|{v!r}"

    def test_one_node_passes_its_gradient_back(self):
        a, b = Value(2.0, "a"), Value(-3.0, "b")
        c = a * b
        L = c.tanh()
        L.grad = 1.0
        for node in (L, c, a):
            node.propagate()
        assert (a.grad, b.grad) == (-3.0 * c.grad, 2.0 * c.grad)
        assert c.grad == pytest.approx(1 - L.data**2)
        x = Value(0.0, "x")
        root = x.sqrt()
        root.grad = 1.0
        with pytest.raises(ArithmeticError, match=r"sqrt\(x\)"):
            root.propagate()
        assert x.grad == 0.0
        a.data = 5.0
        with pytest.raises(RuntimeError, match="forward"):
            c.propagate()

    def test_one_node_passes_back_no_infinite_gradient(self):
        a, b = Value(1e300, "a"), Value(1e-300, "b")
        c = a * b
        c.grad = 1e100
        with pytest.raises(OverflowError, match=r"'b'\) overflows; it came from a\*b at a = 1e\+300"):
            c.propagate()
        assert (a.grad, b.grad) == (0.0, 0.0)

    def test_a_detached_value_takes_no_gradient(self):
        x = Value(3.0, "x")
        (x * x.detach()).backward()
        assert (x.grad, x.detach().label, x.detach().is_constant) == (3.0, "x", True)

    @pytest.mark.parametrize("name", FOREIGN_NAMES)
    def test_names_of_other_libraries_say_ours(self, name):
        v = Value(3.0)
        assert not hasattr(v, name)
        assert name not in dir(v)
        for use in (lambda: getattr(v, name), lambda: setattr(v, name, 1.0)):
            with pytest.raises(AttributeError, match=f"a Value has no {name!r}: .*"):
                use()
        for ours in re.findall(r"v\.(\w+)", FOREIGN_NAMES[name]):
            assert hasattr(v, ours)

    def test_python_suggests_a_name(self):
        code = "from engine import Value; Value(1.0).sigmiod()"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "Did you mean: 'sigmoid'?" in run.stderr

    def test_copies_are_whole(self):
        v = Value(3.0, "v") * 2
        for twin in (copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
            assert (twin.data, twin.op) == (6.0, "*")


@pytest.mark.parametrize("way", ["backward", "forward", "propagate"])
def test_an_interrupt_before_any_line_leaves_the_graph_as_before_or_after(way):
    def graph():
        a, b = Value(2.0), Value(-3.0)
        root = (a * b + a).tanh() * b
        root.backward()
        if way == "forward":
            a.data = 0.5
        return root

    def numbers(root):
        return [(node.data, node.grad) for node in topological_order(root)]

    def interrupted(line):
        """Run with Ctrl-C before that line of the engine, and return whether it came so far."""
        lines = itertools.count()

        def trace(frame, event, argument):
            if frame.f_code.co_filename.endswith(("value.py", "rules.py")):
                if event == "line" and next(lines) == line:
                    raise KeyboardInterrupt
                return trace
            return None

        root = graph()
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            getattr(root, way)()
        except KeyboardInterrupt:
            return root
        finally:
            sys.settrace(before)
        return None

    finished = graph()
    getattr(finished, way)()
    line = 0
    while (root := interrupted(line)) is not None:
        assert numbers(root) in (numbers(graph()), numbers(finished)), line
        line += 1
    assert line > 5
