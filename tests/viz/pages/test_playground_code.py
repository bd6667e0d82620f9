"""The training engine of the playground, run by wasmtime: its numbers are those of the engine."""

import math
import random
import struct

import pytest
import wasmtime

import nn
from engine import Value
from engine.formulas import BINARY_FUNCTIONS, MATH_FUNCTIONS
from engine.rules import RULES, Fold, Unary
from nn.signals import record_example
from viz.pages.playground_code import training_module
from viz.pages.wasm import F64, Module, get, integer, unsigned

CHECKED = {"divide": lambda a, b: a / b, "modulo": lambda a, b: a % b, "floorDivide": lambda a, b: a // b}


class Instance:
    """A module with its memory; its functions are attributes."""

    def __init__(self, code, numbers=()):
        store = wasmtime.Store()
        module = wasmtime.Module(store.engine, code)
        self.memory = wasmtime.Memory(store, wasmtime.MemoryType(wasmtime.Limits(64, None)))
        self.store = store
        float_type = wasmtime.ValType.f64()
        imports = [self.memory]
        for imported in module.imports[1:]:
            arity = 2 if imported.name in {*BINARY_FUNCTIONS, *CHECKED} else 1
            function = {**MATH_FUNCTIONS, **CHECKED}[imported.name]
            kind = wasmtime.FuncType([float_type] * arity, [float_type])
            imports.append(wasmtime.Func(store, kind, function))
        self.exports = wasmtime.Instance(store, module, imports).exports(store)
        self.write(0, numbers)

    def write(self, place, numbers, kind="d"):
        self.memory.write(self.store, struct.pack(f"<{len(numbers)}{kind}", *numbers), place)

    def read(self, place, n):
        return list(struct.unpack(f"<{n}d", self.memory.read(self.store, place, place + 8 * n)))

    def call(self, name, *arguments):
        return self.exports[name](self.store, *arguments)


class Trained:
    """A model as code, with some examples in memory: parameters, gradients, rows, order, results."""

    def __init__(self, model, loss, examples):
        self.graph = graph = record_example(model, *examples[0], loss)
        self.parameters = model.parameters()
        outputs, signals = graph.z[-1], [x for layer in (*graph.a, *graph.z) for x in layer]
        self.code = training_module(graph.loss, [*graph.x, *graph.target], self.parameters, outputs, signals)
        recorded = [record_example(model, x, r, loss) for x, r in examples]
        rows = [[leaf.data for leaf in (*g.x, *g.target)] for g in recorded]
        n = len(self.parameters)
        self.rows, self.order = 16 * n, 16 * n + 8 * sum(map(len, rows))
        self.results = self.order + 8 * len(rows)
        self.instance = Instance(self.code, [w.data for w in self.parameters])
        self.instance.write(self.rows, [x for row in rows for x in row])

    def learn(self, order, seed=1.0):
        """Return the sum of the losses of some examples, and the gradients."""
        n = len(self.parameters)
        self.instance.write(8 * n, [0.0] * n)
        self.instance.write(self.order, order, "i")
        loss = self.instance.call("learn", self.rows, self.order, len(order), seed)
        return loss, self.instance.read(8 * n, n)


def gradients(model, loss, examples):
    for w in model.parameters():
        w.grad = 0.0
    losses = [loss(model(x), r) for x, r in examples]
    for value in losses:
        value.backward()
    return sum(x.data for x in losses), [w.grad for w in model.parameters()]


POINTS = [([0.5, -1.0], 1), ([-0.25, 2.0], -1), ([1.5, 0.75], 1)]


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "linear", "sign"])
def test_arithmetic_gives_the_engine_s_numbers_bit_for_bit(activation):
    model = nn.MLP(2, [4, 3, 1], hidden=activation, seed=3)
    trained = Trained(model, nn.hinge, POINTS)
    assert trained.learn([0, 1, 2]) == gradients(model, nn.hinge, POINTS)
    assert trained.learn([1]) == gradients(model, nn.hinge, POINTS[1:2])
    assert trained.learn([]) == (0.0, [0.0] * len(model.parameters()))


ACTIVATIONS = sorted(row.symbol for row in RULES.values() if type(row) is Unary and row.symbol not in ("abs", "neg"))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_gives_the_engine_s_numbers(activation):
    if activation in ("log", "log1p", "sqrt"):
        model = nn.Perceptron(2, activation, init=[4.0, 0.5, 0.25])
    else:
        model = nn.MLP(2, [3, 1], hidden=activation, seed=3)
    loss, computed = Trained(model, nn.mse, POINTS).learn([0, 1, 2])
    expected_loss, expected = gradients(model, nn.mse, POINTS)
    assert loss == pytest.approx(expected_loss, rel=1e-14)
    assert computed == pytest.approx(expected, rel=1e-13, abs=1e-15)


@pytest.mark.parametrize(
    ("loss", "n_outputs", "targets"),
    [(nn.cross_entropy, 3, [0, 2, 1]), (nn.binary_cross_entropy, 1, [0, 1, 1]), (nn.mse, 2, [[1.0, 2.0]] * 3)],
)
def test_every_loss_gives_the_engine_s_numbers(loss, n_outputs, targets):
    model = nn.MLP(2, [3, n_outputs], hidden="tanh", seed=3)
    examples = [(x, r) for (x, _), r in zip(POINTS, targets, strict=True)]
    value, computed = Trained(model, loss, examples).learn([0, 1, 2])
    expected_value, expected = gradients(model, loss, examples)
    assert value == pytest.approx(expected_value, rel=1e-14)
    assert computed == pytest.approx(expected, rel=1e-13, abs=1e-16)


def test_the_seed_is_the_gradient_of_each_loss():
    model = nn.MLP(2, [3, 1], hidden="relu", seed=3)
    trained = Trained(model, nn.mse, POINTS)
    doubled = trained.learn([0, 2], seed=2.0)[1]
    assert doubled == pytest.approx([2 * x for x in trained.learn([0, 2])[1]], rel=1e-15)


def test_rows_are_evaluated_and_neurons_shown():
    model = nn.MLP(2, [3, 2], hidden="tanh", seed=3)
    examples = [(x, int(r > 0)) for x, r in POINTS]
    trained = Trained(model, nn.cross_entropy, examples)
    run = trained.instance
    run.call("evaluate", trained.rows, 3, trained.results)
    for i, (x, r) in enumerate(examples):
        y = model(x)
        expected = [nn.cross_entropy(y, r).data, *(output.data for output in y)]
        assert run.read(trained.results + 24 * i, 3) == pytest.approx(expected, rel=1e-14)
    run.call("show", trained.rows, 3, trained.results)
    for i, (x, _) in enumerate(examples):
        (a1, z1), (a2, z2) = model.trace(x)
        expected = [value.data for value in (*a1, *a2, *z1, *z2)]
        assert run.read(trained.results + 80 * i, 10) == pytest.approx(expected, rel=1e-14)


def test_a_sum_that_overflows_is_not_hidden_by_an_activation():
    model = nn.Perceptron(2, "tanh", init=[0.0, 1e200, 0.0])
    trained = Trained(model, nn.mse, POINTS)
    assert math.isfinite(trained.learn([0])[0])
    trained.instance.write(0, [0.0, 1e308, 1e308])
    trained.instance.write(trained.rows, [10.0, 10.0, 1.0])
    assert math.isnan(trained.learn([0])[0])


@pytest.mark.parametrize("symbol", sorted(RULES))
def test_rows_of_the_table_give_python_s_numbers(symbol):
    rule, rng = RULES[symbol], random.Random(symbol)
    if isinstance(rule, Fold):
        pytest.skip("operations on lists are tested above")
    module, operands = Module(), [[get(i)] for i in range(rule.arity)]
    letters = dict(zip("ab", operands, strict=False))
    module.add_function("value", F64 * rule.arity, F64, module.formula(rule, rule.value, letters))
    letters["out"] = [get(rule.arity)]
    for k, text in enumerate(rule.partials):
        module.add_function(f"partial{k}", F64 * (rule.arity + 1), F64, module.formula(rule, text, letters))
    run = Instance(module.encode())
    tested = 0
    for _ in range(300):
        numbers = [rng.choice([rng.gauss(0.0, 1.0), rng.gauss(0.0, 30.0), 0.0, 1.0, -2.0]) for _ in range(rule.arity)]
        try:
            out = rule(*numbers)
            expected = [out, *(f(*numbers, out) for f in rule.partial_functions)]
        except (ArithmeticError, ValueError):
            continue
        computed = [run.call("value", *numbers)]
        computed += [run.call(f"partial{k}", *numbers, out) for k in range(rule.arity)]
        assert computed == expected  # the functions are Python's here, so not a bit may differ
        tested += 1
    assert tested > 50


def test_an_operation_without_a_value_raises_an_error():
    module, rule = Module(), RULES["/"]
    module.add_function("value", F64 * 2, F64, module.formula(rule, rule.value, {"a": [get(0)], "b": [get(1)]}))
    run = Instance(module.encode())
    assert run.call("value", 1.0, 4.0) == 0.25
    with pytest.raises(Exception, match="division"):
        run.call("value", 1.0, 0.0)


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
    rule, module = Unary("", text, ("1",)), Module()
    module.add_function("value", F64, F64, module.formula(rule, text, {"a": [get(0)]}))
    run = Instance(module.encode())
    for a in (-3.0, -2.0, -0.5, 0.0, 0.25, 1.0, 1.5, 2.0, 7.0):
        assert run.call("value", a) == rule.function(a), a


@pytest.mark.parametrize("n", [0, 1, 63, 64, 127, 128, 300, 2**20, 2**31 - 1])
def test_integers_have_the_standard_encoding(n):
    module = Module()
    module.add_function("plus", b"", b"\x7f", [integer(n)])
    module.add_function("minus", b"", b"\x7f", [integer(-n)])
    run = Instance(module.encode())
    assert (run.call("plus"), run.call("minus")) == (n, -n)
    assert sum((byte & 127) << 7 * i for i, byte in enumerate(unsigned(n))) == n


def test_leaves_that_are_not_trained_are_numbers():
    x, w, fixed = Value(2.0, "x"), Value(3.0, "w"), Value(5.0, "fixed")
    loss = x * w * fixed
    run = Instance(training_module(loss, [x], [w], [loss], [loss]), [3.0, 0.0, 2.0])
    assert run.call("learn", 16, 24, 1, 1.0) == 30.0
    assert run.read(8, 1) == [10.0]
