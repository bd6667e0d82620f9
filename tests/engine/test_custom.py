"""engine.rule adds a row that is like any other, and check_gradients tells whether its derivatives are right."""

import doctest
import importlib.util
import itertools
import math
import operator
import pickle
import random
import re
import subprocess
import sys

import pytest
from mpmath import mp

import engine
import nn
import viz
from engine import RULES, Backprop, GradientError, Value, check_gradients, grad, hessian, rule

MISH = ("mish", "a * tanh(softplus(a))", "tanh(softplus(a)) + a * sigmoid(a) * (1 - tanh(softplus(a))**2)")
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow}
OPERATORS |= {"neg": operator.neg, "abs": abs}


def mish_exactly(a):
    return a * mp.tanh(mp.log(1 + mp.exp(a)))


def run_elsewhere(code, thing):
    """Run code in a new process, with the pickle of a thing as its argument."""
    command = [sys.executable, "-c", code, pickle.dumps(thing).hex()]
    return subprocess.run(command, capture_output=True, text=True)


class TestRule:
    def test_is_differentiable_to_any_order(self):
        mish = rule(*MISH)
        for point in (-3.0, 0.5, 4.0):
            x = y = Value(point)
            y = mish(x)
            with mp.workdps(50):
                for order in range(5):
                    assert y.data == pytest.approx(float(mp.diff(mish_exactly, point, order)), rel=1e-12, abs=0.0)
                    y = grad(y, x, create_graph=True)
        assert hessian(mish(x), x) == grad(grad(mish(x), x, create_graph=True), x)

    def test_a_derivative_has_no_needless_nodes(self):
        """No x - 0, -(0 - x) or x/1 where an operand is a plain number."""
        half_square = rule("half_square", "(a - b)**2 / 2", "a - b", "-(a - b)")
        energy = rule("energy", "a**2 / (2*b)", "a/b", "-out/b")
        x = Value(0.7)
        for y in (half_square(x, 0), half_square(0, x), energy(x, 1)):
            assert grad(y, x, create_graph=True) is x

    def test_is_an_attribute_of_engine(self):
        for name in ("mish", "norm2"):
            with pytest.raises(AttributeError, match=rf"'engine' .*'{name}'"):
                getattr(engine, name)
        assert engine.rule(*MISH) is engine.mish
        assert engine.rule("norm2", "a * a", "a/out", finalize="sqrt(total)") is engine.norm2
        with pytest.raises(AttributeError, match=r"'engine' .*'nonsense'"):
            engine.nonsense  # noqa: B018

    def test_is_a_function_and_a_method(self):
        mish = rule(*MISH, summary="a times tanh(softplus(a))")
        assert mish is engine.mish
        x = Value(0.5, "x")
        assert x.mish().data == mish(x).data == mish(0.5).data
        assert "a times tanh(softplus(a))." in mish.__doc__

    @pytest.mark.parametrize(
        ("texts", "fold", "call"),
        [
            (MISH[1:], "", "own(0.5)"),
            (("sqrt(a - 1)", "0.5/out"), "", "own(2.0)"),
            (("log(-a)", "1/a"), "", "own(-0.5)"),
            (("a + b", "1", "1"), "", "own(0.5, 2.0)"),
            (("sqrt(a - b)", "0.5/out", "-0.5/out"), "", "own(2.0, 0.5)"),
            (("log(-a - b)", "1/(a + b)", "1/(a + b)"), "", "own(-0.5, -2.0)"),
            (("a * b", "b", "a"), "total", "own([0.5], [2.0])"),
        ],
    )
    def test_has_an_example_where_it_has_a_value(self, texts, fold, call):
        own = rule("own", *texts, finalize=fold)
        assert f">>> {call}\n" in own.__doc__
        test = doctest.DocTestParser().get_doctest(own.__doc__, {"own": own}, "own", None, None)
        assert doctest.DocTestRunner().run(test) == doctest.TestResults(failed=0, attempted=1)

    def test_has_no_example_where_none_has_a_value(self):
        far = rule("far", "sqrt(a - 1000)", "0.5/out")
        assert far.__doc__ == ("Return a custom operation.\n\nValue: far(a)\nDerivative with respect to a: 0.5/far(a)")

    def test_reads_in_its_documentation(self):
        bell = rule("bell", "1/(1 + a*a)", "-2*a / (1 + a*a)**2", notation=["bell(a)", "-2*a * out**2"])
        assert "Derivative with respect to a: -2*a * bell(a)**2\n" in bell.__doc__

    def test_is_drawn_stepped_and_read(self):
        L = rule(*MISH, notation=["mish(a)", "d(a)"])(Value(0.5, "w") * 2)
        assert "mish" in viz.draw(L).source
        assert "mish(w*2)" in str(viz.text(L))
        walk = Backprop(L)
        assert "dL/d(w*2)" not in str(walk.step())
        walk.run()
        stepped = L.parents[0].parents[0].grad
        L.zero_grad()
        L.backward()
        assert L.parents[0].parents[0].grad == stepped != 0.0

    def test_is_compiled(self):
        """Beside rules that bear names of the kernels' own, and one that comes to mean something else."""
        pytest.importorskip("llvmlite")
        mish = rule(*MISH)
        load = rule("load", "a**3 + maximum(a, 1.0) * mish(a)", "3*a**2 + mish(a) * (1 if a > 1 else 0)")
        spread = rule("spread", "hypot(a, b)", "a/out", "b/out")
        norm = rule("L", "a * a", "a/out", finalize="sqrt(total)")
        old = rule("V", "2*a", "2")
        x, w = Value(0.5, "x"), Value(2.0, "w")
        output = mish(x * w) + load(w + x) * spread(x, w) + norm([x, w, x]) + old(x * w)
        rule("V", "3*a", "3")
        points = [0.5, 1.5, -3.0]
        program = engine.compile(output, x)
        values = program(points)
        mean = program.backward(points)
        compiled, w.grad = w.grad, 0.0
        outputs = []
        for point in points:
            x.data = point
            output.forward()
            output.backward()
            outputs.append(output.data)
        assert values.tolist() == pytest.approx(outputs, rel=1e-14, abs=0.0)
        assert mean == pytest.approx(sum(outputs) / 3)
        assert compiled == pytest.approx(w.grad / 3, rel=1e-14, abs=0.0)

    def test_what_an_own_text_hides_is_an_error_when_compiled_too(self):
        pytest.importorskip("llvmlite")
        hidden = [
            rule("hidden1", "max(0.0, log(a))", "1/a if a > 1 else 0"), rule("hidden2", "1/(1/a)", "1"),
            rule("hidden3", "1/(1 + exp(-a))", "out*(1 - out)"),
        ]  # fmt: skip
        rule("hidden4", "2*a", "2")
        outer = rule("hidden5", "hidden4(a) + (log(a) if a > 0 else 0.0)", "2 + (1/a if a > 0 else 0)")
        x, w = Value(1.0, "x"), Value(1.0, "w")
        program = engine.compile([f(x * w) for f in (*hidden, outer)], x)
        assert program([2.0])[0].tolist() == pytest.approx([f(2.0).data for f in (*hidden, outer)])
        for bad, good in ((-1.0, 3.0), (0.0, 1.0), (-2000.0, 5.0)):
            with pytest.raises(ArithmeticError, match="row 1"):
                program([good, bad])
        rule("hidden4", "3*a", "3")
        assert engine.compile(outer(x), x)([2.0]).tolist() == pytest.approx([outer(2.0).data])
        assert outer(2.0).data == pytest.approx(4 + math.log(2)), "a rule keeps the rules that it names"

    def test_has_an_error_compiled_exactly_where_it_has_one_eagerly(self):
        pytest.importorskip("llvmlite")
        texts = [
            "max(0.0, a % b)", "max(0.0, a // b)", "1.0 if a > 0 and 1/b > 0 else 0.0", "1.0 if a < 0 or 1/b else 0.0",
            "max(0.0, -abs(b/a))", "b/sqrt(a*a - 1)", "max(0.0, -exp(a*b))", "b + 1/(1 + a**2)", "max(0.0, -b*log(a))",
            "1/(1 + hypot(a*a, b))",
        ]  # fmt: skip
        rules = [rule(f"partly{i}", text, "0", "0") for i, text in enumerate(texts)]
        numbers = [0.0, 1.0, -3.0, 1e-320, 1e200, 1e300, -1e300, 800.0]
        x, y, z = Value(2.0, "x"), Value(2.0, "y"), Value(2.0, "z")
        others = 0.0 * engine.sum([f(z, z) for f in rules])  # all graphs have the same rules, thus the same kernels
        for text, operation in zip(texts, rules, strict=True):
            program = engine.compile(operation(x, y) + others, [x, y])
            for point in itertools.product(numbers, repeat=2):
                try:
                    expected = operation(*point).data
                except ArithmeticError:
                    with pytest.raises(ArithmeticError, match="row 0"):
                        program([point])
                else:
                    assert program([point]).tolist() == pytest.approx([expected], rel=1e-14, abs=0.0), (text, point)

    def test_is_an_activation(self):
        rule(*MISH)
        model = nn.MLP(2, [3, 1], hidden="mish", seed=1)
        model([1.0, 2.0]).backward()
        assert any(parameter.grad for parameter in model.parameters())

    def test_is_the_same_rule_when_pickled_and_loaded(self):
        y = rule(*MISH)(Value(0.5, "x"))
        twin, function = pickle.loads(pickle.dumps((y, engine.mish)))
        twin.backward()
        assert twin.parents[0].grad == grad(y, y.parents[0])
        assert function is engine.mish
        assert twin._rule is y._rule

    def test_is_defined_where_a_pickle_is_loaded(self):
        """Graphs, models and compiled functions contain the texts of their rules, and of the rules that these name."""
        rule(*MISH, summary="mish")
        rule("half_mish", "mish(a) / 2", "mish(a) * 0 + (mish(a + 1e-6) - mish(a - 1e-6)) / 4e-6")
        rule("norm9", "a * a", "a / out", finalize="sqrt(total)")
        x = Value(0.5, "x")
        things = [engine.norm9([engine.half_mish(x), 2.0]), nn.MLP(1, [2, 1], hidden="mish", seed=1)]
        if importlib.util.find_spec("llvmlite"):
            things.append(engine.compile(things[0], x))
        code = """
import pickle, sys
graph, model, *functions = pickle.loads(bytes.fromhex(sys.argv[1]))
graph.forward()
print(graph.data, model([0.5]).data, *(function([0.5])[0] for function in functions))
"""
        out = run_elsewhere(code, things).stdout.split()
        assert [*map(float, out)] == pytest.approx([things[0].data, things[1]([0.5]).data, things[0].data][: len(out)])
        assert len(out) == len(things)

    @pytest.mark.parametrize("other", ["'mish', 'a', '1'", "'mish', *texts[1:], summary='another summary'"])
    def test_never_takes_the_place_of_a_different_one(self, other):
        y = rule(*MISH)(Value(0.5, "x"))
        code = f"import engine, pickle, sys; texts = {MISH}; engine.rule({other})"
        code += "; pickle.loads(bytes.fromhex(sys.argv[1]))"
        assert "ValueError: rule 'mish' must be the same" in run_elsewhere(code, y).stderr

    def test_of_two_operands(self):
        mix = rule("mix", "a * sigmoid(b)", "sigmoid(b)", "a * sigmoid(b) * sigmoid(-b)")
        assert check_gradients(mix, [2.0, 0.3], order=2).error < 1e-12
        assert Value(2.0).mix(0.3).data == mix(2.0, Value(0.3)).data
        twice = rule(
            "twice_mix",
            "mix(a, b) + mix(b, a)",
            "sigmoid(b) + mix(b, a) * sigmoid(-a)",
            "mix(a, b) * sigmoid(-b) + sigmoid(a)",
        )
        check_gradients(twice, [2.0, 0.3], order=2)
        with pytest.raises(TypeError):
            mix(1.0)

    def test_of_the_functions_of_two_operands_of_the_table(self):
        clipped = rule("clipped", "minimum(maximum(a, -1.0), 1.0)", "1 if -1 < a < 1 else 0")
        assert [clipped(x).data for x in (-3, 0.5, 3)] == [-1.0, 0.5, 1.0]
        smooth = rule("smooth_max", "maximum(a, b) + log1p(exp(-abs(a - b)))", "sigmoid(a - b)", "sigmoid(b - a)")
        check_gradients(smooth, [0.4, 0.3], order=2)
        steep = rule("steep", "a * maximum(a, 0.0)", "2 * maximum(a, 0)")
        assert hessian(steep(x := Value(3.0)), x) == 2.0

    def test_whose_partials_use_the_rule_itself(self):
        swish = rule("swish2", "a * sigmoid(2*a)", "2*swish2(a) + sigmoid(2*a) * (1 - 2*swish2(a))")
        assert check_gradients(swish, [0.7], order=2).error < 1e-12

    def test_out_of_pythons_functions(self):
        check_gradients(rule("atan", "atan(a)", "1/(1 + a*a)"), [0.7], order=2)
        check_gradients(rule("sinh", "sinh(a)", "(1 + out**2)**0.5"), [-0.7], order=2)
        acosh = rule("acosh", "acosh(a)", "1/(a*a - 1)**0.5", domain="a >= 1")
        check_gradients(acosh, [1.5], order=2)
        with pytest.raises(ArithmeticError, match=r"acosh\(x\) has no value at x = 0\.5: it needs x >= 1"):
            acosh(Value(0.5, "x"))
        assert engine.formulas.MATH_FUNCTIONS["atan"] is math.atan

    def test_without_a_domain_an_error_tells_none(self):
        with pytest.raises(ArithmeticError, match=r"^acosh\(x\) has no value at x = 0\.5$"):
            rule("acosh", "acosh(a)", "1/(a*a - 1)**0.5")(Value(0.5, "x"))

    def test_a_power_that_is_not_real_has_no_value(self):
        root = rule("root", "a**0.5", "0.5 / out", domain="a >= 0")
        assert root(4.0).data == 2.0
        with pytest.raises(ArithmeticError, match=r"root\(x\) has no value at x = -4\.0: it needs x >= 0"):
            root(Value(-4.0, "x"))

    def test_over_lists(self):
        norm = rule("norm2", "a * a", "a/out", finalize="sqrt(total)")
        xs = [Value(3.0), Value(4.0)]
        assert norm(xs).data == 5.0
        assert grad(norm(xs), xs) == [0.6, 0.8]
        check_gradients(norm, [[1.0, 2.0, -3.0]], order=2)
        loss = rule("squared_distance", "(a - b)**2", "2*(a - b)", "2*(b - a)", finalize="total")
        check_gradients(loss, [[1.0, 2.0], [0.5, 4.0]], order=2)
        assert not hasattr(Value, "norm2")
        for wrong in ([[1.0], [1.0, 2.0]], [[1.0]], [[], []]):
            lengths = re.escape(f"got lengths {[len(xs) for xs in wrong]}")
            with pytest.raises(ValueError, match=f"squared_distance .*2 list.*equal length.*{lengths}"):
                loss(*wrong)

    def test_over_a_list_by_its_largest(self):
        mine = rule("mine", "exp(a - top)", "exp(a - out)", finalize="top + log(total)")
        xs = [Value(x) for x in (1000.0, 999.0, -1000.0)]
        assert mine(xs).data == engine.logsumexp(xs).data
        assert grad(mine(xs), xs) == grad(engine.logsumexp(xs), xs)
        with pytest.raises(TypeError, match=r"mine must be a real number, got str '3': convert"):
            mine(["3"])

    def test_over_a_list_where_only_the_terms_name_the_largest(self):
        below = rule("below_largest", "(a - top)**2", "2*a", finalize="total")
        xs = [Value(x) for x in (3.0, 5.0)]
        assert below(xs).data == 4.0
        assert engine.compile(below(xs), xs)([[3.0, 5.0], [-1.0, -4.0]]).tolist() == [4.0, 9.0]

    def test_can_be_written_anew(self):
        cube = rule("cube", "a**3", "3 * a")
        x = Value(2.0)
        before = cube(x)
        right = rule("cube", "a**3", "3 * a**2")
        assert grad(right(x), x) == 12.0
        assert grad(x.cube(), x) == 12.0
        assert grad(before, x) == 6.0

    def test_may_have_a_slope_of_its_own(self):
        step = rule("step", "1.0 if a > 0 else 0.0", "sigmoid(a) * sigmoid(-a)")
        x = Value(0.3)
        step(x).backward()
        assert x.grad == pytest.approx(math.exp(-0.3) / (1 + math.exp(-0.3)) ** 2)

    @pytest.mark.parametrize(
        "symbol", ["tanh", "sum", "data", "backward", "softmax", "rule", "value", "print", "a", "out", "total"]
    )
    def test_a_symbol_that_is_in_use(self, symbol):
        with pytest.raises(ValueError, match=f"symbol .*{symbol!r}.* in use"):
            rule(symbol, "2.0 * a", "2")

    @pytest.mark.parametrize("symbol", ["x", "y", "node", "upstream", "StaleGraphError", "ws"])
    def test_a_symbol_that_is_only_a_variable_elsewhere(self, symbol):
        a, b = Value(0.7, "a"), Value(0.2, "b")
        y = rule(symbol, "a * tanh(b)", "tanh(b)", "a * (1 - tanh(b)**2)")(a, b)
        y.backward()
        assert (y.data, a.grad, b.grad) == (0.7 * math.tanh(0.2), math.tanh(0.2), 0.7 * (1 - math.tanh(0.2) ** 2))

    @pytest.mark.parametrize(
        ("texts", "parts"),
        [
            (("two words", "a", "1"), ["symbol", "a name", "got 'two words'"]),
            (("lambda", "a", "1"), ["symbol", "a name", "got 'lambda'"]),
            (("", "a", "1"), ["symbol", "a name", "got ''"]),
            (("f", "a +* 2", "1"), ["value of f, 'a +* 2',", "an expression", "invalid syntax"]),
            (("f", "a\0", "1"), ["value of f, 'a\\x00',", "an expression", "null bytes"]),
            (("f", "a * softplsu(a)", "1"), ["value of f,", "unknown name softplsu", "did you mean softplus?"]),
            (("f", "a * c", "1"), ["value of f,", "unknown name c:", "a, b, pi"]),
            (("f", "f(a)", "1"), ["value of f, 'f(a)',", "unknown name f:"]),
            (("f", "a * 2.0", "2 * c"), ["partial derivative of f", "to a, '2 * c',", "unknown name c:", "a, out, pi"]),
            (
                ("f", "a * b", "b", "expm1(a)"),
                ["partial derivative of f", "to b, 'expm1(a)',", "unknown name expm1", "did you mean exp?"],
            ),
            (("f", "a * b", "b"), ["f must have", "2 partial derivatives", "to a and b in", "'a * b'", "got 1"]),
            (("f", "a * 2.0", "2", "a"), ["f must have", "1 partial derivative", "to a in", "'a * 2.0'", "got 2"]),
            (("f", "a * 2.0"), ["f must have", "1 partial derivative", "to a in", "'a * 2.0'", "got 0"]),
            (("f", "a.real", "1"), ["value of f, 'a.real',", "arithmetic", "got 'a.real'"]),
            (("f", "[a][0]", "1"), ["value of f, '[a][0]',", "arithmetic", "got '[a][0]'"]),
            (("f", "__import__('os')", "1"), ["value of f,", "unknown name __import__"]),
            (("f", "a * True", "1"), ["value of f, 'a * True',", "arithmetic", "got 'True'"]),
            *(
                (("f", text, "0"), [f"value of f, '{text}',", "arithmetic", f"got '{text}'"])
                for text in ("a << b", "a @ b", "a in b", "a & b", "a is b", "~a", "max(a, key=b)", "max(*a)")
            ),
            *(
                (("f", f"a * {number}", "0"), [f"value of f, 'a * {number}',", "finite real numbers"])
                for number in ("1e999", f"1{'0' * 400}", "10**400", "0**-1", "(-8)**(1/3)")
            ),
            *(
                (("f", "a * 2.0", text), ["partial derivative of f", f"'{text}'", "of float(...) only"])
                for text in ("a % 2", "2 // a", "float(a) % out")
            ),
            (("f", "a * total", "0"), ["value of f, 'a * total',", "unknown name total", "a, b, pi"]),
            (("f", "exp(a - top)", "out"), ["value of f, 'exp(a - top)',", "unknown name top", "a, b, pi"]),
            (("f", "pi(a)", "1"), ["value of f, 'pi(a)',", "unknown name pi", "abs, acos"]),
            (("f", "tanh(a, 2.0)", "0"), ["value of f, 'tanh(a, 2.0)',", "tanh with 1 argument", "got 2"]),
            (("f", "a * 2.0", "f(a, a)"), ["of f", "to a, 'f(a, a)',", "f with 1 argument", "got 2"]),
            (("f", "a" + " + a" * 9000, "1"), ["value of f", "expression", "recursion"]),
            (("f", "a * 2.0", "abs(a, a)"), ["of f", "to a, 'abs(a, a)',", "abs with 1 argument", "got 2"]),
        ],
    )
    def test_texts_that_are_refused(self, texts, parts):
        with pytest.raises(ValueError, match=re.escape(parts[0])) as caught:
            rule(*texts)
        for part in parts:
            assert part in str(caught.value)
        assert "f" not in RULES
        assert not hasattr(engine, "f")

    @pytest.mark.parametrize(
        ("texts", "options", "error", "parts"),
        [
            (("a", 2), {}, TypeError, ["partial derivative", "str", "got int 2"]),
            (("a * 2.0", "2"), {"notation": 2}, TypeError, ["notation", "list", "got int 2"]),
            (("a * b", "b", "a"), {"notation": ["ab", "b"]}, ValueError, ["notation of f", "got 2 texts"]),
            (("a * b", "b", "a"), {"domain": "a >"}, ValueError, ["notation of f, 'a >',", "an expression"]),
            (("a * b", "b", "a"), {"finalize": "sum"}, ValueError, ["finalize of f, 'sum',", "unknown name sum"]),
            (
                ("a * b", "b", "a"),
                {"finalize": "sqr(total)"},
                ValueError,
                ["finalize of f, 'sqr(total)',", "unknown name sqr", "did you mean sqrt?"],
            ),
            # f takes a list
            (("a * a", "f(a)"), {"finalize": "total"}, ValueError, ["of f", "to a, 'f(a)',", "unknown name f:"]),
        ],
    )
    def test_options_that_are_refused(self, texts, options, error, parts):
        with pytest.raises(error) as caught:
            rule("f", *texts, **options)
        for part in parts:
            assert part in str(caught.value)
        assert "f" not in RULES


class TestCheckGradients:
    def test_gives_the_error_and_the_bound(self):
        found = check_gradients(lambda a, b: (a * b).tanh() / b, [0.4, 2.0], order=2)
        assert 0 <= found.error < 1e-12
        assert found.error <= found.bound < 1e-6

    @pytest.mark.parametrize("order", [1, 2])
    @pytest.mark.parametrize("symbol", RULES)
    def test_does_not_cry_wolf(self, symbol, order, tried):
        rng = random.Random(symbol)
        row = RULES[symbol]
        function = OPERATORS.get(symbol) or getattr(engine, symbol)
        checked = 0
        for _ in range(100 // order):
            point = [
                rng.uniform(-6, 6) if rng.random() < 0.6 else rng.choice([1, -1]) * 10 ** rng.uniform(-9, 6)
                for _ in range(row.arity)
            ]
            if symbol == "**":
                point[0] = abs(point[0])
            if row.finalize:
                point = [[rng.uniform(-5, 5) for _ in range(3)] for _ in range(row.arity)]
            try:
                check_gradients(function, point, order)
            except GradientError:
                raise
            except ArithmeticError:
                continue  # beyond the domain
            checked += 1
        assert checked > 20 // order
        tried["right derivatives that check_gradients is to pass"] += checked

    @pytest.mark.parametrize("i", range(8))
    def test_finds_a_partial_that_is_wrong_by_a_millionth(self, i):
        texts = [
            ("exp(a)", "out"),
            ("sin(a)", "cos(a)"),
            ("a**3", "3 * a**2"),
            ("sqrt(a)", "1/(2*out)"),
            ("log(a)", "1/a"),
            ("tanh(a)", "1 - out**2"),
            ("a * b", "b", "a"),
            ("a / b", "1/b", "-out/b"),
        ]
        value, *partials = texts[i]
        rng = random.Random(i)
        for k, partial in enumerate(partials):
            for factor in (1 + 1e-6, 1 - 1e-6):
                wrong = [*partials[:k], f"({partial}) * {factor}", *partials[k + 1 :]]
                function = rule("wrong", value, *wrong)
                for _ in range(20):
                    with pytest.raises(GradientError, match=r"dwrong/d[ab] at .* off by 0\.0001 %"):
                        check_gradients(function, [rng.uniform(0.3, 3) for _ in partials])

    @pytest.mark.parametrize(
        ("function", "point", "told"),
        [
            (engine.relu, [0.0], r"drelu/da at a = 0\.0: .* kink .*slope 0\.0 on the left and 1\.0 on the right"),
            (engine.sign, [0.0], r"dsign/da at a = 0\.0: .* jumps .*from -1\.0 to 1\.0"),
            (lambda x: x**1.5, [0.0], r"df/dx at x = 0\.0: .* no value to the left: .*edge of its domain"),
            (lambda x: x * x.data, [3.0], r"graph gives 3\.0, .*differences give 6\.0: it is 0\.5 times"),
            (lambda x, y: x * Value(y.data), [3.0, 2.0], r"df/dy at .*: no gradient arrives; .* cut by \.data"),
            (lambda xs: xs[0] - xs[1].data * 2 - xs[1], [[1, 2]], r"df/dxs\[1\] at xs\[0\] = 1\.0, xs\[1\] = 2\.0"),
            (lambda x: [x, Value(x.data) * 2.0 + x * 0], 1.0, r"df\[1\]/dx"),
        ],
    )
    def test_names_the_derivative_and_the_cause(self, function, point, told):
        with pytest.raises(GradientError, match=told):
            check_gradients(function, point)

    def test_causes_in_a_rule(self):
        for partial, told in {
            "sin(a)": r"graph gives 0\.4794255386, .*differences give -0\.4794255386: the sign is wrong",
            "-2*sin(a)": "it is 2 times the correct value",
            "0": "partial derivative 0",
        }.items():
            with pytest.raises(GradientError, match=told):
                check_gradients(rule("wrong", "cos(a)", partial), 0.5)
        step = rule("step", "1.0 if a > 0 else 0.0", "sigmoid(a) * sigmoid(-a)")
        with pytest.raises(GradientError, match="constant here; is it a step function"):
            check_gradients(step, 0.5)

    def test_second_derivatives_that_leave_the_graph(self):
        silu = rule("my_silu", "a * sigmoid(a)", "float(sigmoid(a)) + a * float(sigmoid(a) * sigmoid(-a))")
        check_gradients(silu, [0.5])
        with pytest.raises(GradientError, match=r"d\(dmy_silu/da\)/da at a = 0\.5"):
            check_gradients(silu, [0.5], order=2)

    def test_where_differences_cannot_tell(self):
        assert check_gradients(engine.sin, [1e16]).bound == math.inf

    def test_near_a_kink_a_pole_and_in_a_wave(self):
        assert check_gradients(engine.relu, [1e-4]).error < 1e-9
        assert check_gradients(engine.log, [1e-6]).bound < 1.0
        at = 7.028815228735972e-08
        found = check_gradients(lambda a: a**-4, [at])
        assert found.error <= found.bound < 1e-3 * 4 * at**-5
        assert check_gradients(engine.tan, [1.57]).error < 1e-3
        assert check_gradients(lambda x: (x * 1e4).sin(), [1.0]).bound < 1e-3

    def test_what_it_refuses(self):
        with pytest.raises(TypeError, match=r"f must return a Value, got float 0\.5"):
            check_gradients(lambda x: x.data, 0.5)
        with pytest.raises(TypeError, match="real number"):
            check_gradients(engine.tanh, ["a"])
        with pytest.raises(ValueError, match="order must be 1 or 2, got int 3"):
            check_gradients(engine.tanh, [1.0], 3)
        with pytest.raises(ArithmeticError, match="log"):
            check_gradients(engine.log, [-1.0])


class TestMeaning:
    """A text means one thing: on floats, on Values, compiled, and after other rules were defined."""

    def test_of_numbers_is_the_same_eagerly_and_compiled(self):
        pytest.importorskip("llvmlite")
        cases = [
            (("a * 10**-3", "10**-3"), {}, 10.0),
            (("a / (6.022 * 10**23)", "1 / (6.022 * 10**23)"), {}, 1.5e23),
            (("a * 2.0**70", "2**70"), {}, 1.5),
            (("a", "10**-2"), {"finalize": "total * 10**-2"}, 3.0),
            (("exp(a - top)", "0 * out"), {"finalize": "total"}, 3.0),
            (("(a > 0) * a + max(a, 0) + (a and 3)", "2 * (a > 0) + (a or 1)"), {}, 3.0),
        ]
        xs, ws = [[Value(number) for _ in cases] for number in (0.0, 1.0)]
        outputs = []
        for i, ((texts, options, point), x, w) in enumerate(zip(cases, xs, ws, strict=True)):
            function, x.data = rule(f"text{i}", *texts, **options), point
            outputs.append(function([x * w]) if options else function(x * w))
        engine.sum(outputs).backward()
        eager = [w.grad for w in ws]
        points = [x.data for x in xs]
        assert engine.compile(outputs, xs)([points]).tolist() == [[y.data for y in outputs]]
        for w in ws:
            w.grad = 0.0
        engine.compile(engine.sum(outputs), xs).backward([points])
        assert [w.grad for w in ws] == pytest.approx(eager, rel=1e-15)

    def test_of_an_activation_is_the_same_in_every_training(self):
        rule("flat", "tanh(a * 2**-2)", "(1 - out**2) * 2**-2")
        xor = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]

        def loss(compiled):
            model = nn.MLP(2, [4, 1], hidden="flat", seed=1)
            adam = nn.Adam(model.parameters(), 0.1)
            return nn.train(
                model, nn.binary_cross_entropy, xor, optimizer=adam, epochs=30, seed=1, compiled=compiled
            ).loss

        assert loss(None) == pytest.approx(loss(False), rel=1e-9)

    @pytest.mark.parametrize(
        ("partial", "point", "slope"),
        [
            ("0.5 if a == 2 else 3", 2.0, 0.5),
            ("0.5 if a != 2 else 3", 2.0, 3.0),
            ("2 if out == a else 3", 2.0, 2.0),
            ("a if a else 5", 0.0, 5.0),
            ("a if not a else 5", 0.0, 0.0),
            ("a or 5", 0.0, 5.0),
            ("(a == 0) + 1", 0.0, 2.0),
            ("(cos(a) - sin(a)/a)/a if a != 0 else 0", 0.0, 0.0),
        ],
    )
    def test_of_a_comparison_is_that_of_the_numbers(self, partial, point, slope):
        compared, x = rule("compared", "a * 1.0", partial), Value(point)
        y = compared(x)
        y.backward()
        assert x.grad == grad(y, x) == grad(y, x, create_graph=True).data == slope

    def test_of_a_redefined_rule_stays_in_old_graphs(self):
        inner = rule("inner", "a * 2", "2")
        outer = rule("outer", "inner(a) * a", "2 * inner(a)")
        x = Value(3.0)
        before = inner(x), outer(x)
        rule("inner", "a * 5", "5")
        for old, value, slope, second in zip(before, (6.0, 18.0), (2.0, 12.0), (0.0, 4.0), strict=True):
            old.forward()
            assert (old.data, grad(old, x), hessian(old, x)) == (value, slope, second)
        with pytest.raises(pickle.PicklingError, match="rule 'inner' was redefined"):
            pickle.dumps(before[0])
        assert outer(x).data == 18.0
        assert engine.inner(x).data == 15.0

    def test_keeps_no_rule_that_it_does_not_name(self):
        rule("unrelated", "a * 2", "2")
        rule("related", "tanh(a)", "1 - out**2")
        assert RULES["related"].scope.keys() == {"related", "tanh"}

    @pytest.mark.parametrize("symbol", ["neg", "abs", "tolist", "item", "formulas", "micrograd", "__bool__", "__len__"])
    def test_of_minus_and_of_python_is_never_replaced(self, symbol):
        with pytest.raises(ValueError, match=f"symbol .*{symbol!r}"):
            rule(symbol, "a * a", "2*a")
        assert (-Value(3.0)).data == -3.0
        assert nn.inputs.as_list(Value(3.0)) is None
        assert bool([Value(0.0)])

    def test_of_a_name_of_math_stays(self):
        for _ in range(2):
            with pytest.raises(ValueError, match=r"symbol .* 'atan', which is in use"):
                rule("atan", "2*atan(a)", "2/(1 + a*a)")
            assert rule("atan", "atan(a)", "1/(1 + a*a)")(1.0).data == math.atan(1.0)

    def test_of_a_power_that_is_not_real_is_an_error_in_every_way(self):
        root = rule("cubic", "a / 1.0", "4/3 * a**(1/3)")
        x = Value(-8.0, "x")
        y = root(x)
        for derivative in (y.backward, Backprop(y).run, lambda: grad(y, x), lambda: grad(y, x, create_graph=True)):
            with pytest.raises(ArithmeticError, match=r"derivative of cubic\(x\) .* no value at x = -8\.0"):
                derivative()
        assert x.grad == 0.0

    @pytest.mark.parametrize(
        ("value", "at_zero", "at_two"),
        [("not a", 1.0, 0.0), ("a == 2", 0.0, 1.0), ("a < 1 or a > 3", 1.0, 0.0), ("a > 1 and a < 3", 0.0, 1.0)],
    )
    def test_of_a_condition_is_0_or_1(self, value, at_zero, at_two):
        holds = rule("holds", value, "0")
        assert (holds(0.0).data, holds(2.0).data) == (at_zero, at_two)

    def test_of_a_number_too_large_for_a_derivative_is_an_error(self):
        x = Value(1.0, "x")
        y = rule("slow", "a", "1 / (a * 1e200 * 1e200)")(x)
        assert grad(y, x) == 0.0
        with pytest.raises(OverflowError, match=r"x\*1e\+200\*1e\+200 overflows"):
            grad(y, x, create_graph=True)

    def test_gives_a_float(self):
        for text in ("max(a, 0)", "1 if a > 0 else 0", "a > 0", "not a", "abs(a) // 1"):
            assert type(rule("whole", text, "0")(2.0).data) is float, text


def test_a_graph_of_derivatives_elsewhere():
    soft = engine.rule("soft", "a if a > 1 else exp(a - 1)", "1 if a > 1 else exp(a - 1)")
    x, w = Value(2.0, "x"), Value(3.0, "w")
    graph = grad(soft(x) * x * w, x, create_graph=True)
    x.data = 0.0
    with pytest.warns(engine.FrozenBranchWarning, match="the derivative of soft"):
        graph.forward()
    hard = engine.rule("hard", "a if 0 < a <= 1 or a == 3 else 2*a", "1 if 0 < a <= 1 or a == 3 else 2")
    x = Value(2.0, "x")
    y = grad(hard(x) * w, x, create_graph=True)
    for number, slope in [(0.0, 2.0), (0.5, 1.0), (1.0, 1.0), (2.0, 2.0), (3.0, 1.0), (-1.0, 2.0)]:
        x.data = number
        y.forward()
        assert y.data == slope * 3.0
