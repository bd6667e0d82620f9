"""compile: results equal those of forward() and backward() row by row, and errors name the row and the culprit."""

import math
import os
import pickle
import random
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from mpmath import mp

import engine
import nn
from engine import RULES, Value
from engine.functions import FUNCTIONS
from tests.accuracy import ROWS, apply, points

ROOT = Path(__file__).parents[3]
UNARY = [f for name, f in FUNCTIONS.items() if RULES[name].arity == 1 and not RULES[name].finalize] + [
    abs,
    lambda a: -a,
]
BINARY = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b, lambda a, b: a**b]
BINARY += [engine.maximum, engine.minimum]
FOLDS = [engine.sum, engine.logsumexp, lambda xs: engine.dot(xs, xs[::-1])]


def random_graph(rng, size):
    """Return a graph over the whole table whose nodes are below 1000 and shared, its inputs and its parameters."""
    inputs = [Value(rng.uniform(-2, 2), f"x{i}") for i in range(3)]
    parameters = [Value(rng.uniform(-2, 2), f"w{i}") for i in range(4)]
    nodes = [*inputs, *parameters]
    while len(nodes) < size:
        pick = lambda: rng.choice(nodes[-12:] if rng.random() < 0.7 else nodes)  # noqa: E731
        try:
            match rng.randrange(4):
                case 0:
                    node = rng.choice(UNARY)(pick())
                case 1:
                    node = rng.choice(BINARY)(pick(), pick() if rng.random() < 0.8 else rng.uniform(-2, 2))
                case 2:
                    node = rng.choice(FOLDS)([pick() for _ in range(rng.randrange(1, 9))])
                case _:
                    n = rng.randrange(1, 20)
                    node = engine.dot([rng.choice(parameters) for _ in range(n)], [pick() for _ in range(n)])
        except ArithmeticError:
            continue
        if abs(node.data) < 1e3:
            nodes.append(node)
    return engine.sum(nodes[-5:]), inputs, parameters


def by_rows(output, inputs, parameters, rows):
    """Return for every row the output and the gradients by `forward` and `backward`, None where undefined."""
    answers = []
    for row in rows:
        for x, number in zip(inputs, row, strict=True):
            x.data = number
        output.zero_grad()
        value = gradients = None
        with suppress(ArithmeticError):
            output.forward()
            value = output.data
            output.backward()
            gradients = [p.grad for p in parameters]
        answers.append((value, gradients))
    output.zero_grad()
    return answers


@pytest.mark.parametrize(
    "seed", [*range(100), *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(100, 300))]
)
def test_random_graphs_over_the_whole_table(seed, tried):
    rng = random.Random(seed)
    output, inputs, parameters = random_graph(rng, rng.randrange(10, 60))
    graph = set(engine.topological_order(output))
    inputs = [x for x in inputs if x in graph]
    if not inputs:
        return
    rows = [[x.data + rng.uniform(-0.05, 0.05) for x in inputs] for _ in range(rng.choice([1, 5, 16, 37]))]
    answers = by_rows(output, inputs, parameters, rows)
    program = engine.compile(output, inputs)
    if any(value is None for value, _ in answers):
        with pytest.raises(ArithmeticError, match=f"row {[value for value, _ in answers].index(None)}: "):
            program(rows)
    # Derivatives with respect to inputs are not computed, so they may be undefined.
    rows = [row for row, (_, gradients) in zip(rows, answers, strict=True) if gradients]
    answers = [answer for answer in answers if answer[1]]
    if not rows:
        return
    tried["random graphs: rows of compiled ones against forward and backward"] += len(rows)

    def last_bits(answers):
        """Return the answers after a change of all inputs by one ulp, which shows how much of them is rounding."""
        before = [p.data for p in parameters]
        for p in parameters:
            p.data = math.nextafter(p.data, math.inf)
        moved = by_rows(output, inputs, parameters, [[math.nextafter(x, math.inf) for x in row] for row in rows])
        for p, data in zip(parameters, before, strict=True):
            p.data = data
        return [other if other[1] else answer for other, answer in zip(moved, answers, strict=True)]

    moved = last_bits(answers)

    def same(ours, number):
        terms, others = ([number(answer) for answer in answer_list] for answer_list in (answers, moved))
        rounding = math.fsum(abs(a - b) for a, b in zip(terms, others, strict=True)) / len(terms)
        scale = math.fsum(map(abs, terms)) / len(terms)
        return abs(ours - math.fsum(terms) / len(terms)) <= 1e-12 * scale + 50 * rounding

    for ours, (theirs, _), (other, _) in zip(program(rows), answers, moved, strict=True):
        assert abs(ours - theirs) <= 1e-12 * abs(theirs) + 50 * abs(theirs - other)
    assert same(program.backward(rows), lambda answer: answer[0])
    for k, p in enumerate(parameters):
        assert same(p.grad, lambda answer, k=k: answer[1][k]), p


@pytest.mark.parametrize("varying", [True, False])
@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.symbol)
def test_every_rule_at_the_edges_of_floats(rule, varying, tried):
    """On the varying and on the uniform tape: the result of the eager engine, or an error where it raises one."""
    parameters, one = [Value(1.0), Value(1.0)][: rule.arity], Value(1.0)
    scaled = [p * (one if varying else 1.0) for p in parameters]
    output = apply(rule, scaled) * (1.0 if varying else one)
    program = engine.compile(output, [one])

    def eager():
        output.forward()
        return output.data, *engine.grad(output, parameters)

    def compiled():
        output.zero_grad()
        return program.backward([1.0]), *(p.grad for p in parameters)

    def outcome(work):
        with suppress(ArithmeticError):
            return work()

    for point in points(rule, 500):
        for p, x in zip(parameters, point, strict=True):
            p.data = x
        expected, got = outcome(eager), outcome(compiled)
        assert got == (expected and pytest.approx(expected, rel=1e-13, abs=1e-300)), point
        tried["points of the table, compiled against forward and backward"] += 1


def test_shapes_and_types_of_results():
    x, y, w = Value(1.0, "x"), Value(2.0, "y"), Value(3.0, "w")
    one, two = engine.compile(w * x + y, [x, y]), engine.compile([w * x + y, y, w**2], [x, y])
    rows = [[1.0, 10.0], [2.0, 20.0]]
    assert one(rows).tolist() == [13.0, 26.0]
    assert two(rows).tolist() == [[13.0, 10.0, 9.0], [26.0, 20.0, 9.0]]
    assert one(np.array(rows, "f4")).dtype == np.float64
    assert one([]).shape == (0,)
    assert two(np.zeros((0, 2))).shape == (0, 3)
    assert engine.compile(w * x, x)([1.0, 2.0]).tolist() == [3.0, 6.0], "of one input, plain numbers"


def test_parameters_are_read_at_every_call_and_gradients_accumulate():
    x, w = Value(1.0, "x"), Value(3.0, "w")
    program = engine.compile(w * w * x, [x])
    assert program.backward([[1.0], [2.0]]) == 13.5
    assert w.grad == 2 * 3.0 * 1.5
    w.data = 5.0
    assert program([[1.0]]).tolist() == [25.0]
    program.backward([[1.0], [2.0]])
    assert w.grad == 9.0 + 2 * 5.0 * 1.5
    assert (x.grad, x.data) == (0.0, 1.0), "an input is left as it is"


def test_a_penalty_and_equal_expressions():
    ws = [Value(0.5 * i, f"w{i}") for i in range(5)]
    x = Value(1.0, "x")
    penalty = 0.1 * engine.dot(ws, ws)
    output = engine.dot(ws, [x] * 5) + engine.dot(ws, [x] * 5) + penalty
    program = engine.compile([output, penalty], [x])
    assert program([[2.0], [3.0]])[:, 1].tolist() == [penalty.data] * 2
    program = engine.compile(output, [x])
    program.backward([[2.0], [3.0]])
    assert [w.grad for w in ws] == pytest.approx([2 * 2.5 + 0.2 * w.data for w in ws])
    program = engine.compile(penalty + 0 * x, [x])
    assert program.backward([[7.0]]) == pytest.approx(penalty.data)


@pytest.mark.parametrize("copies", [1, 2, 9, 17])
def test_a_layer_with_equal_operands(copies):
    w, x = Value(0.5, "w"), Value(1.0, "x")
    ws = [Value(0.1 * i - 0.3) for i in range(copies)]
    h = (w * x).tanh()
    program = engine.compile(engine.dot(ws, [h] * copies), [x])
    program.backward([[2.0], [3.0]])
    by_h = math.fsum(v.data for v in ws)
    assert w.grad == pytest.approx(by_h * (2 * (1 - math.tanh(1) ** 2) + 3 * (1 - math.tanh(1.5) ** 2)) / 2)


def test_outputs_that_are_uniform_or_inputs():
    x, w = Value(1.0, "x"), Value(3.0, "w")
    program = engine.compile([w * w, x, x * w, w], [x])
    assert program([[2.0], [4.0]]).tolist() == [[9.0, 2.0, 6.0, 3.0], [9.0, 4.0, 12.0, 3.0]]


@pytest.mark.parametrize("n", [1, 15, 16, 17, 1023, 1024, 1025, 5000])
def test_any_number_of_rows(n):
    model = nn.MLP(3, [5, 2], seed=1)
    xs = [Value(0.0, f"x{i}") for i in range(3)]
    y1, y2 = model(xs)
    program = engine.compile(y1 * y2, xs)
    rows = np.random.default_rng(n).normal(size=(n, 3))
    w1, w2 = (np.array([[w.data for w in neuron.weights] for neuron in layer.neurons]) for layer in model.layers)
    ones = np.ones((n, 1))
    hidden = np.tanh(np.hstack([ones, rows]) @ w1.T)
    out = np.hstack([ones, hidden]) @ w2.T
    assert program(rows) == pytest.approx(out[:, 0] * out[:, 1], rel=1e-10, abs=1e-12)
    program.backward(rows)
    by_out = out[:, ::-1] / n
    by_w2 = by_out.T @ np.hstack([ones, hidden])
    by_w1 = ((by_out @ w2[:, 1:]) * (1 - hidden**2)).T @ np.hstack([ones, rows])
    gradients = [p.grad for p in model.parameters()]
    assert gradients == pytest.approx([*by_w1.ravel(), *by_w2.ravel()], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("terms", "n"), [(1, 3000), (400, 21), (5000, 21)])
def test_a_graph_of_any_width(terms, n):
    """The wider it is, the fewer rows are taken at a time."""
    x, w = Value(1.0, "x"), Value(0.5, "w")
    program = engine.compile(engine.sum([(w * x + k).sin() for k in range(terms)]), x)
    rows, ks = np.linspace(-1, 2, n)[:, None], np.arange(terms)
    assert program(rows) == pytest.approx(np.sin(0.5 * rows + ks).sum(axis=1), rel=1e-12, abs=1e-12)
    program.backward(rows)
    assert w.grad == pytest.approx((rows * np.cos(0.5 * rows + ks)).sum() / n, rel=1e-12, abs=1e-12)


def test_the_sign_of_zero():
    x = Value(1.0, "x")
    assert str(engine.compile([x * 0.0, x * -0.0, x * 0], x)([2.0]).tolist()) == "[[0.0, -0.0, 0.0]]"
    assert str(engine.compile([x.tanh(), x.sin(), -x], x)([-0.0]).tolist()) == "[[-0.0, -0.0, 0.0]]"


def test_the_mean_of_numbers_whose_sum_overflows():
    x, w = Value(1.0, "x"), Value(1.0, "w")
    assert engine.compile(w * x, x).backward([1.5e308] * 3) == pytest.approx(1.5e308, rel=1e-15, abs=0.0)
    assert w.grad == pytest.approx(1.5e308, rel=1e-15, abs=0.0)


@pytest.mark.parametrize(("n_in", "n_out"), [(1, 1), (2, 3), (7, 8), (8, 7), (15, 17), (33, 5), (5, 33)])
def test_layers_of_any_size(n_in, n_out):
    first, second = nn.Layer(n_in, n_out, "linear", seed=1), nn.Layer(n_out, n_in, "linear", seed=2)
    xs = [Value(0.0) for _ in range(n_in)]
    output = engine.sum(second(first(xs)))
    program = engine.compile(output, xs)
    rows = np.random.default_rng(0).normal(size=(45, n_in))
    program.backward(rows)
    compiled = [p.grad for p in first.parameters() + second.parameters()]
    first.zero_grad()
    second.zero_grad()
    (engine.sum([engine.sum(second(first(row.tolist()))) for row in rows]) / 45).backward()
    assert compiled == pytest.approx([p.grad for p in first.parameters() + second.parameters()], rel=1e-10, abs=1e-12)


def test_results_do_not_depend_on_the_number_of_cores():
    pytest.importorskip("llvmlite")
    code = """
import os, sys
if sys.argv[1] == "1": os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import threading, numpy as np, engine, nn
model = nn.MLP(3, [7, 1], seed=1)
xs = [engine.Value(0.0) for _ in range(3)]
program = engine.compile(model(xs), xs)
mean, gradient = program.mean_gradient(np.random.default_rng(0).normal(size=(200_000, 3)))
assert threading.active_count() - 1 == len(os.sched_getaffinity(0))
print(mean.hex(), [x.hex() for x in gradient.tolist()])
"""
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("no way to keep a process to one core")
    one, many = (
        subprocess.run([sys.executable, "-c", code, n], capture_output=True, text=True, cwd=ROOT, check=True).stdout
        for n in ("1", "2")
    )
    assert one == many
    assert one.startswith(("0x", "-0x"))


def test_calls_from_several_threads():
    x, w = Value(1.0, "x"), Value(0.5, "w")
    program = engine.compile((w * x).tanh(), [x])
    rows = np.linspace(-2, 2, 3000)
    expected, wrong = np.tanh(0.5 * rows), []

    def check():
        wrong.extend(i for i in range(50) if not np.allclose(program(rows), expected, rtol=1e-14))

    threads = [threading.Thread(target=check) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_error_in_one_thread_changes_nothing_that_another_reads():
    x, w = Value(0.25, "x"), Value(0.5, "w")
    y = w * x
    for _ in range(2000):
        y = y + 1e-3 * x
    program = engine.compile(y + (x + 1.0).log(), x)
    expected, seen = program([1.0]).tolist(), []

    def fail():
        for _ in range(10):
            with pytest.raises(ArithmeticError, match=r"^row 1: log"):
                program([1.0, -3.0])

    threads = [threading.Thread(target=fail) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            seen.append((x.data, y.data, program([1.0]).tolist()))
    finally:
        sys.setswitchinterval(interval)
    assert len(seen) > 5
    assert all(numbers == (0.25, y.data, expected) for numbers in seen)
    assert x.data == 0.25


class TestErrors:
    def compiled(self):
        x, y, w = Value(1.0, "x"), Value(2.0, "y"), Value(3.0, "w")
        return engine.compile(w * x.log() + y, [x, y]), w

    @pytest.mark.parametrize(
        ("rows", "error", "words"),
        [
            ([[1.0]], ValueError, r"shape \(n, 2\).*got .*\(1, 1\)"),
            ([[1.0, 2.0], [1.0]], ValueError, "different lengths"),
            ([1.0, 2.0], ValueError, r"got .*\(2,\)"),
            (3.0, ValueError, r"got .*\(\)"),
            ([["1", "2"]], TypeError, "got list"),
            (None, TypeError, "NoneType"),
            ([[True, False]], TypeError, "got list"),
            ([[1j, 2.0]], TypeError, "got list"),
            ([[True, 2]], TypeError, "got list"),
            ([[2.0, np.True_]], TypeError, "got list"),
            (np.ma.masked_array([[1.0, 2.0]], [[False, True]]), TypeError, "masked"),
            ([np.ma.masked_array([1.0, 2.0], [False, True])], TypeError, "masked"),
            ([[1.0, 2.0], [1.0, math.nan]], ValueError, "finite.*nan for y in row 1"),
            ([[math.inf, 2.0]], ValueError, "finite.*inf for x in row 0"),
            ([[1.0, 2.0]] * 40 + [[-1.0, 2.0]], ArithmeticError, r"^row 40: log\(x\) has no value at x = -1.0"),
        ],
    )
    def test_wrong_rows(self, rows, error, words):
        program, w = self.compiled()
        for use in (program, program.backward):
            with pytest.raises(error, match=words):
                use(rows)
        assert (w.grad, w.data) == (0.0, 3.0)

    def test_no_rows_have_no_mean(self):
        program, _ = self.compiled()
        with pytest.raises(ValueError, match=r"one row or more.*none"):
            program.backward(np.zeros((0, 2)))

    def test_the_error_of_an_undefined_derivative_names_the_row(self):
        x, w = Value(1.0, "x"), Value(4.0, "w")
        program = engine.compile((w * x).sqrt(), [x])
        assert program([[1.0], [0.0]]).tolist() == [2.0, 0.0]
        with pytest.raises(ArithmeticError, match=r"^row 1: the derivative of sqrt\("):
            program.backward([[1.0], [0.0]])
        assert w.grad == 0.0

    def test_an_inner_number_that_overflows_is_an_error(self):
        x, w = Value(1.0, "x"), Value(1.0, "w")
        program = engine.compile((w * x.exp()).tanh(), [x])
        with pytest.raises(OverflowError, match=r"^row 2: exp\(x\) overflows at x = 1000"):
            program([[1.0], [2.0], [1000.0]])

    @pytest.mark.parametrize("n", [1, 3000])
    def test_uniform_numbers_that_overflow(self, n):
        x, w = Value(1.0, "x"), Value(1.0, "w")
        program = engine.compile(w.exp() + x, [x])
        w.data = 1000.0
        with pytest.raises(OverflowError, match=r"^row 0: exp\(w\) overflows"):
            program([[1.0]] * n)

    @pytest.mark.parametrize("row", [0, 40, 1023, 1024, 2047, 2999])
    def test_the_error_names_one_row_among_many(self, row):
        program, w = self.compiled()
        rows = np.ones((3000, 2))
        rows[row] = -1.0
        for use in (program, program.backward):
            with pytest.raises(ArithmeticError, match=rf"^row {row}: log\(x\) has no value at x = -1.0"):
                use(rows)
        assert w.grad == 0.0

    @pytest.mark.parametrize("rows", [1, 5000])
    def test_the_error_names_the_first_row_if_all_fail(self, rows):
        w, x = Value(1.0, "w"), Value(1.0, "x")
        f = engine.compile(w * w * x, x)
        w.data = 1e200
        with pytest.raises(OverflowError, match=r"^row 0: w\*w overflows at w = 1e\+200"):
            f(np.ones((rows, 1)))

    def test_gradients_whose_sum_overflows_but_not_their_mean(self):
        """Those of the first two would overflow if they were added up; but the mean is asked for."""
        x, w = Value(1.0, "x"), Value(1e-300, "w")
        program = engine.compile(w * x + (w * x).sqrt(), [x])
        with pytest.raises(ArithmeticError, match=r"^row 2: the derivative of sqrt\("):
            program.backward([1.5e308, 1.5e308, 0.0])

    def test_a_gradient_that_overflows_by_what_it_was_before(self):
        x, v, w = Value(1.0, "x"), Value(1.0, "v"), Value(1.0, "w")
        program = engine.compile(v * x + 1e308 * w * x, x)
        v.grad = w.grad = 1.5e308
        with pytest.raises(OverflowError, match=r"gradient of .*'w'.* overflows"):
            program.backward([1.0])
        assert (v.grad, w.grad) == (1.5e308, 1.5e308), "none has changed"

    def test_a_gradient_whose_terms_overflow_in_their_sum(self):
        x, y, w = Value(1.0, "x"), Value(1.0, "y"), Value(1e-300, "w")
        program = engine.compile(engine.sum([w * x.relu(), w * y, w * x.elu()]), [x, y])
        with pytest.raises(OverflowError) as caught:
            program.backward([[1.7e308, -1.7e308]])
        assert re.match("row 0: .*gradients of the rows overflow", str(caught.value))
        assert w.grad == 0.0

    @pytest.mark.parametrize(
        ("make", "error", "words"),
        [
            (lambda a, b: engine.compile(a * b, [a * b]), ValueError, "input 0 must be a leaf, .*got Value"),
            (lambda a, b: engine.compile(a * b, [a, a]), ValueError, "input.* twice.* 1"),
            (lambda a, b: engine.compile(a * 2, [b]), ValueError, "input 0 must be in the graph.*got Value"),
            (lambda a, b: engine.compile(a * 2, []), ValueError, "inputs must be one.*none"),
            (lambda a, b: engine.compile([], [a]), ValueError, "outputs must be one.*none"),
            (lambda a, b: engine.compile(2.0, [a]), TypeError, "output.*float 2.0"),
            (lambda a, b: engine.compile([a, 2.0], [a]), TypeError, "output.*float 2.0"),
            (lambda a, b: engine.compile(a, [1.0]), TypeError, "input.*float 1.0"),
            (lambda a, b: engine.compile([a * b, b], [a]).backward([[1.0]]), ValueError, "one output.* 2 outputs"),
            (
                lambda a, b: engine.compile([a, engine.sum([])], [a]),
                RuntimeError,
                r"constant Value\(data=0\.0, grad=0\.0\): .*from numbers",
            ),
        ],
    )
    def test_wrong_graphs(self, make, error, words):
        with pytest.raises(error, match=words):
            make(Value(1.0, "a"), Value(2.0, "b"))


def test_without_llvmlite_the_error_names_the_extra_and_the_rest_works():
    code = """
import sys
sys.modules["llvmlite"] = None
import engine, nn
x = engine.Value(1.0)
try:
    engine.compile(x * 2, [x])
except ImportError as error:
    print(error)
model = nn.MLP(1, [1], seed=1)
print(nn.train(model, nn.mse, [(0.0, 1.0), (1.0, 3.0)], seed=1).converged)
try:
    nn.train(model, nn.mse, [(0.0, 1.0)], compiled=True)
except ImportError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    first, second, third = run.stdout.splitlines()
    assert "llvmlite" in first
    assert "glassgrad[fast]" in first
    assert second == "True"
    assert "glassgrad[fast]" in third


def test_the_error_names_the_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    for name in ("codegen", "python_to_llvm", "simd", "vector_math", "runtime", "cache", "tape"):
        monkeypatch.delitem(sys.modules, f"engine.compiler.{name}", raising=False)
    monkeypatch.delitem(sys.modules, "engine.compiler.program", raising=False)
    x = Value(1.0)
    with pytest.raises(ImportError, match=r"^compile needs llvmlite: pip install 'glassgrad\[fast\]'$"):
        engine.compile(x * 2, x)


def test_importing_the_engine_imports_neither_llvmlite_nor_numpy():
    code = "import sys, engine; print([name for name in ('llvmlite', 'numpy') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize("name", ["exp", "tanh", "sigmoid"])
def test_accuracy_of_vectorized_functions(name):
    rng = np.random.default_rng(1)
    points = [rng.uniform(-1, 1, 500), rng.uniform(-700, 700, 500), 10.0 ** rng.uniform(-300, 2, 200)]
    points += [[0.0, -0.0, 0.625, -0.625, 709.78, -708.4, -740.0, -745.1, -800.0, -1e300, 5e-324]]
    x = Value(0.5)
    numbers = np.concatenate(points)
    results = engine.compile(getattr(x, name)(), x)(numbers)
    exact = {"exp": mp.exp, "tanh": mp.tanh, "sigmoid": lambda a: 1 / (1 + mp.exp(-a))}[name]
    with mp.workdps(40):
        for point, number in zip(numbers.tolist(), results.tolist(), strict=True):
            want = exact(mp.mpf(point)) if point > -1e5 or name == "tanh" else mp.mpf(0)
            assert abs(number - want) <= 4 * math.ulp(float(want)), point
    if name == "exp":
        with pytest.raises(OverflowError, match="row 1: exp"):
            engine.compile(x.exp(), x)([1.0, 709.79])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_runs_many_rows():
    x = Value(1.0)
    program = engine.compile(x * 2, x)
    rows = np.arange(3000.0)
    program(rows)
    child = os.fork()
    if not child:
        os._exit(0 if (program(rows) == 2 * rows).all() else 1)
    for _ in range(200):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.05)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert (done, status) == (child, 0)


def test_rows_of_any_kind():
    x = Value(1.0)
    program = engine.compile(x * 2, x)
    read_only = np.arange(5.0)
    read_only.flags.writeable = False
    for rows in (read_only, range(5), np.arange(5, dtype="f4"), np.arange(10.0).reshape(5, 2)[:, 0] / 2):
        assert program(rows).tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_pickles_of_compiled_functions():
    x, w = Value(1.0, "x"), Value(0.5, "w")
    program = pickle.loads(pickle.dumps(engine.compile((w * x).tanh(), x)))
    assert program([1.0, 2.0]).tolist() == pytest.approx([math.tanh(0.5), math.tanh(1.0)], rel=1e-15, abs=0.0)
    program = pickle.loads(pickle.dumps(engine.compile([w * x], x)))
    assert program([1.0, 2.0]).tolist() == [[0.5], [1.0]]


def test_unpickling_without_llvmlite_names_the_extra():
    x = Value(1.0, "x")
    code = """
import pickle, sys
sys.modules["llvmlite"] = None
import engine
try:
    pickle.loads(bytes.fromhex(sys.argv[1]))
except ImportError as error:
    print(error)
"""
    pickled = pickle.dumps(engine.compile(x * 2, x)).hex()
    run = subprocess.run([sys.executable, "-c", code, pickled], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout == "compile needs llvmlite: pip install 'glassgrad[fast]'\n"
