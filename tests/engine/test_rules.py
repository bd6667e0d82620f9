"""The table against mpmath: every row is what it says it is. A row that is added is tested by what is here.

How exact the numbers are is in test_accuracy.py.
"""

import ast
import doctest
import inspect
import math
import random

import pytest
from mpmath import mp

import engine
from engine import RULES, Rule, Value
from engine.errors import StaleGraphError
from engine.functions import FUNCTIONS, METHODS
from engine.rules import Binary, Fold
from tests.accuracy import DEFINITIONS, ROWS, exactly, points

FOLDS = [rule for rule in RULES.values() if rule.finalize]


@pytest.fixture(autouse=True)
def _fifty_digits():
    with mp.workdps(50):
        yield


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.symbol)
def test_the_value_is_the_operation(rule):
    if rule.symbol not in DEFINITIONS:
        pytest.skip("a row that was added: only its derivatives are checked")
    with mp.workdps(800):
        for operands in points(rule, 300):
            want = DEFINITIONS[rule.symbol](*map(mp.mpf, operands))
            got = exactly(rule, rule.value, operands)
            assert abs(got - want) <= mp.mpf(10) ** -400 * (1 + abs(want)), operands


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.symbol)
def test_partials_are_derivatives_of_the_value(rule):
    """The partials, as computed and as read, against numerical differentiation of the value."""
    for operands in points(rule, 100, largest=1):
        for i, (text, read) in enumerate(zip(rule.partials, rule.partial_notation, strict=True)):
            if i == 1 and operands[0] < 0 and rule.symbol == "**":
                continue
            slope = mp.diff(lambda x: exactly(rule, rule.value, (*operands[:i], x, *operands[i + 1 :])), operands[i])  # noqa: B023
            assert mp.almosteq(exactly(rule, text, operands), slope, 1e-15, 1e-15), operands
            assert mp.almosteq(exactly(rule, read, operands), slope, 1e-15, 1e-15), operands


@pytest.mark.parametrize("a", [-700.0, -40.0, -36.9, -3.0, 3.0, 40.0, 700.0])
def test_sigmoid_and_its_slope_keep_their_digits_far_out(a):
    x = Value(a)
    y = x.sigmoid()
    y.backward()
    assert y.data == pytest.approx(float(1 / (1 + mp.exp(-a))), rel=1e-15, abs=0)
    assert x.grad == pytest.approx(float(1 / (2 + mp.exp(a) + mp.exp(-a))), rel=1e-15, abs=0)


@pytest.mark.parametrize("rule", FOLDS, ids=lambda rule: rule.symbol)
def test_folds(rule):
    rng = random.Random(rule.symbol)
    for size in [1, 2, 3, 10, 100] * 20:
        scale = rng.choice([1e-3, 1.0, 30.0, 1e3])
        lists = [[rng.uniform(-scale, scale) for _ in range(size)] for _ in range(rule.arity)]
        leaves = [[Value(x) for x in xs] for xs in lists]
        node = getattr(engine, rule.symbol)(*leaves)
        node.backward()
        exact = DEFINITIONS[rule.symbol](*lists)
        terms = [abs(math.prod(row)) for row in zip(*lists, strict=True)]
        assert abs(node.data - exact) <= 2.0**-52 * size * max(math.fsum(terms), abs(node.data))
        assert len(node.parents) == size * rule.arity
        j = rng.randrange(size)
        for i in range(rule.arity):

            def of_one(x, i=i, j=j):
                changed = [list(map(mp.mpf, xs)) for xs in lists]  # noqa: B023
                changed[i][j] = x
                return DEFINITIONS[rule.symbol](*changed)

            assert mp.almosteq(leaves[i][j].grad, mp.diff(of_one, lists[i][j]), 1e-11, 1e-15)


def test_softmax_and_logsumexp_are_stable():
    logits = [Value(x) for x in (1000.0, 999.0, -1000.0)]
    y = engine.softmax(logits)
    y[0].backward()
    p = 1 / (1 + mp.exp(-1))
    assert [v.data for v in y] == pytest.approx([float(p), float(1 - p), 0.0], rel=1e-12, abs=0.0)
    assert [v.grad for v in logits] == pytest.approx([float(p * (1 - p)), -float(p * (1 - p)), 0.0], rel=1e-12, abs=0.0)
    assert engine.logsumexp([-1e300, -1e300]).data == -1e300
    assert engine.softmax([]) == []


def test_at_the_kinks():
    """The slopes chosen where there is none: those of PyTorch."""
    for name, slope in {"relu": 0.0, "leaky_relu": 0.01, "elu": 1.0, "sign": 0.0, "__abs__": 0.0}.items():
        x = Value(0.0)
        getattr(x, name)().backward()
        assert x.grad == slope, name
    for function in (engine.maximum, engine.minimum):
        x, y = Value(3.0), Value(3.0)
        function(x, y).backward()
        assert (x.grad, y.grad) == (0.5, 0.5)
    assert Value(0.0).sign().data == -1.0  # lecture P7: 1 if a > 0, else -1


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("sigmoid", (0.0, 0.0), (1.0, 0.0)),
        ("softplus", (0.0, 0.0), (1000.0, 1.0)),
        ("silu", (0.0, 0.0), (1000.0, 1.0)),
        ("gelu", (0.0, 0.0), (1000.0, 1.0)),
        ("elu", (-1.0, 0.0), (1000.0, 1.0)),
        ("tanh", (-1.0, 0.0), (1.0, 0.0)),
        ("erfc", (2.0, 0.0), (0.0, 0.0)),
    ],
)
def test_far_out_nothing_overflows(name, low, high):
    for at, (value, slope) in {-1000.0: low, 1000.0: high}.items():
        x = Value(at)
        y = getattr(x, name)()
        y.backward()
        assert (y.data, x.grad) == (value, slope)


def test_zero_to_the_power():
    x, n = Value(0.0), Value(2.0)
    (x**n).backward()
    assert (x.grad, n.grad) == (0.0, 0.0)
    x = Value(0.0)
    (x**0).backward()
    assert x.grad == 0.0
    assert (Value(0.0) ** 0).data == 1.0


METHODS_IN_SOURCE = {
    method.name: method
    for method in ast.parse(inspect.getsource(Value)).body[0].body
    if isinstance(method, ast.FunctionDef)
}


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if not rule.finalize], ids=lambda rule: rule.symbol)
def test_a_row_is_written_as_a_method_of_value(rule):
    """With the operands and the summary of the table; only the documentation of an operator is not written twice."""
    name = METHODS.get(rule.symbol, rule.symbol)
    source = METHODS_IN_SOURCE[name]
    assert len(source.args.args) == rule.arity
    assert source.args.vararg is source.args.kwarg is None
    if rule.symbol not in METHODS:
        assert ast.get_docstring(source) == f"Return {rule.summary}."
        assert rule.symbol in engine.__all__
    operands = [Value(0.5), Value(2.0)][: rule.arity]
    node = getattr(operands[0], name)(*operands[1:])
    assert node._rule is rule
    assert node.parents == tuple(operands)
    documentation = getattr(Value, name).__doc__
    assert documentation.startswith(f"Return {rule.summary}.\n\nValue: {rule.value_notation}\n")
    for operand in "ab"[: rule.arity]:
        assert f"\nDerivative with respect to {operand}: " in documentation
    if rule.symbol not in METHODS:
        function = getattr(engine, rule.symbol)
        assert function(*operands)._rule is rule
        assert function.__doc__.startswith(documentation)


def test_every_row_on_lists_is_a_function_and_no_method():
    assert {rule.symbol for rule in FOLDS} == {name for name in FUNCTIONS if RULES[name].finalize}
    for rule in FOLDS:
        assert rule.symbol in engine.__all__
        assert not hasattr(Value, rule.symbol)
        operands = [(Value(0.5), Value(2.0)), (Value(3.0), Value(4.0))][: rule.arity]
        node = getattr(engine, rule.symbol)(*operands)
        assert node._rule is rule
        assert node.parents == sum(operands, ())


def random_operands(rule, rng):
    """Operands, or lists of them; some are constants, some occur more than once."""

    def operand():
        number = rng.uniform(-3, 3) if rng.random() < 0.7 else rng.choice([1, -1]) * 10 ** rng.uniform(-200, 200)
        return Value(number) if rng.random() < 0.7 else engine.value.constant(number, "test")

    few = [operand() for _ in range(4)]
    size = rng.randint(1, 6)
    return [tuple(rng.choices(few, k=size)) if rule.finalize else rng.choice(few) for _ in range(rule.arity)]


def outcome(backward, node):
    """The gradients after `backward`, to the last bit, from random gradients before it; or the kind of its error."""
    rng = random.Random(1)
    for x in dict.fromkeys(node.parents):
        x.grad = rng.uniform(-1, 1)
    node.grad = rng.uniform(-1, 1)
    try:
        backward(node)
    except (ArithmeticError, ValueError, StaleGraphError) as error:
        return type(error)
    return [x.grad.hex() for x in (*node.parents, node)]


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.symbol)
def test_a_chain_rule_without_a_loop_is_the_general_one(rule):
    """Value and gradients to the last bit: `Plus`, `Times`, `Sum`, `Dot`, `Unary` and `Binary` against `Rule`."""
    rng = random.Random(rule.symbol)
    general_evaluate = Fold.evaluate if rule.finalize else Binary.evaluate
    n_values = 0
    for _ in range(500):
        operands = random_operands(rule, rng)
        try:
            node = engine.value.record(rule, *operands)
        except ArithmeticError:
            continue  # outside the domain
        n_values += 1
        if rule.arity == 2 or rule.finalize:
            assert rule.evaluate(node).hex() == general_evaluate(rule, node).hex() == node.data.hex()
        assert outcome(rule.backward, node) == outcome(lambda node: Rule.backward(rule, node), node)
        leaves = [x for x in node.parents if not x.is_constant]
        if leaves:
            rng.choice(leaves).data = rng.uniform(-3, 3)
            assert outcome(rule.backward, node) == outcome(lambda node: Rule.backward(rule, node), node)
    assert n_values > 50


def test_a_stale_node_passes_nothing_on():
    """Whatever its rule: the data of the node no longer follows from its operands."""
    for rule in RULES.values():
        x, y = Value(0.5), Value(2.0)
        operands = [(x, y), (y, x)] if rule.finalize else [x, y]
        node = engine.value.record(rule, *operands[: rule.arity])
        if rule.symbol == "sign":
            x.data = -1.0
        elif rule.symbol == "minimum":
            x.data = 0.25
        elif rule.symbol == "maximum":
            y.data = 3.0
        else:
            x.data = 0.75
        assert outcome(rule.backward, node) is StaleGraphError, rule.symbol


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if not RULES[name].finalize])
def test_the_documentation_of_a_function_has_an_example_that_runs(name):
    function = getattr(engine, name)
    test = doctest.DocTestParser().get_doctest(function.__doc__, {name: function}, name, None, None)
    assert doctest.DocTestRunner().run(test) == doctest.TestResults(failed=0, attempted=1)


WITH_A_DOMAIN = [rule for rule in RULES.values() if rule.domain]


def operation(rule):
    signs = {"/": lambda a, b: a / b, "**": lambda a, b: a**b}
    return signs.get(rule.symbol) or getattr(engine, rule.symbol)


class TestRules:
    @pytest.mark.parametrize("rule", WITH_A_DOMAIN, ids=lambda rule: rule.symbol)
    def test_the_domain_is_where_there_is_a_value(self, rule):
        numbers = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
        for a in numbers:
            for b in numbers[:: 1 if rule.arity == 2 else len(numbers)]:
                operands = (a, b)[: rule.arity]
                try:
                    node = operation(rule)(*map(Value, operands))
                except ArithmeticError:
                    node = None
                assert bool(eval(rule.domain, {"a": a, "b": b})) == (node is not None), operands

    def test_the_row_of_a_user_is_short(self):
        assert "evaluate" not in repr(RULES["exp"])
        assert "function" not in repr(RULES["exp"])

    def test_a_row_does_not_change(self):
        with pytest.raises(AttributeError):
            RULES["exp"].value = "a"

    def test_a_graph_of_a_rule_that_is_not_here(self):
        with pytest.raises(LookupError, match=r"rule 'gone': .*engine\.rule"):
            engine.rules.rule_named("gone")
