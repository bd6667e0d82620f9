"""Programs of recorded graphs, each run in its language and compared with the engine."""

import ctypes
import json
import math
import random
import re
import shutil
import subprocess

import numpy as np
import pytest
from mpmath import mp

import engine
import nn
from engine import Value, source
from tests.accuracy import KINKED
from tests.engine.test_random_graphs import record
from tests.engine.test_random_rules import number, random_rule

LANGUAGES = ["python", "numpy", "c", "javascript"]
SYMBOLS = [symbol for symbol in engine.RULES if symbol not in engine.custom.CUSTOM_RULES]
EXTREME = [0.0, -0.0, 1.0, -1.0, 1e-300, -1e-300, 1e200, -1e200, 40.0, -40.0, 800.0, -800.0]
PERIODIC = {"sin", "cos", "tan"}  # of a large number that is off by its last digit they are any number
every_language = pytest.mark.parametrize("language", LANGUAGES)


def run_python(programs, points):
    results = []
    for text, rows in zip(programs, points, strict=True):
        names = {}
        exec(text, names)
        results.append([])
        for row in rows:
            try:
                results[-1].append(flat(names["f"](*row)))
            except (ArithmeticError, ValueError):
                results[-1].append([math.nan])
    return results


def run_numpy(programs, points):
    results = []
    for text, rows in zip(programs, points, strict=True):
        names = {}
        exec(text, names)
        value, *gradient = result if isinstance(result := names["f"](rows), tuple) else (result,)
        columns = [np.reshape(x, (len(rows), -1)) for x in (value, *gradient)]
        results.append(np.concatenate(columns, axis=1).tolist())
    return results


def run_c(programs, points, folder):
    compiler = shutil.which("cc") or pytest.skip("needs a C compiler")
    for i, text in enumerate(programs):
        (folder / f"f{i}.c").write_text(re.sub(r"\bf\(const double", f"f{i}(const double", text), encoding="ascii")
    library = folder / "programs.so"
    flags = [
        "-std=c99",
        "-pedantic",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Wno-unused-parameter",
        "-O1",
        "-ffp-contract=off",
        "-shared",
        "-fPIC",
    ]
    subprocess.run([compiler, *flags, "-o", library, *folder.glob("f*.c"), "-lm"], check=True, timeout=600)
    loaded = ctypes.CDLL(str(library))
    results = []
    for i, (text, rows) in enumerate(zip(programs, points, strict=True)):
        function = getattr(loaded, f"f{i}")
        outputs = re.search(r"double outputs\[(\d+)\]", text)
        function.restype = None if outputs else ctypes.c_double
        n, has_second = len(rows[0]), outputs or "gradient[" in text
        results.append([])
        for row in rows:
            second = (ctypes.c_double * (int(outputs[1]) if outputs else n))()
            value = function((ctypes.c_double * n)(*row), *([second] if has_second else []))
            results[-1].append([*([] if outputs else [value]), *(second if has_second else [])])
    return results


def run_javascript(programs, points, folder):
    node = shutil.which("node") or pytest.skip("needs node")
    functions = ",\n".join(f"(() => {{\n'use strict';\n{text}\nreturn f;\n}})()" for text in programs)
    script = f"""
const functions = [{functions}];
const points = {json.dumps(points)};
const results = functions.map((f, i) => points[i].map((row) => [f(...row)].flat(2).map(String)));
console.log(JSON.stringify(results));
"""
    (folder / "programs.js").write_text(script, encoding="utf-8")
    finished = subprocess.run([node, folder / "programs.js"], capture_output=True, text=True, check=True, timeout=600)
    numbers = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    return [[[numbers.get(x) or float(x) for x in row] for row in rows] for rows in json.loads(finished.stdout)]


def flat(result):
    numbers = [result] if isinstance(result, float) else list(result)
    return [float(y) for x in numbers for y in (x if isinstance(x, list) else [x])]


def run(language, programs, points, folder):
    runner = {"python": run_python, "numpy": run_numpy, "c": run_c, "javascript": run_javascript}[language]
    return runner(programs, points, *([folder] if language in ("c", "javascript") else []))


def run_one(language, text, row, folder):
    (((*result,),),) = run(language, [text], [[row]], folder)
    return result


def compared(language, programs, points, expected, folder):
    """Yield program, point, its results and the engine's; where the engine has none, check that it shows."""
    for text, rows, results, wants in zip(
        programs, points, run(language, programs, points, folder), expected, strict=True
    ):
        for row, got, want in zip(rows, results, wants, strict=True):
            assert want or not all(map(math.isfinite, got)), (text, row, got)
            yield text, row, got, want


def by_engine(root, leaves, point):
    """The value and the gradient at a point, or None where an operation has no value there."""
    try:
        for leaf, x in zip(leaves, point, strict=True):
            leaf.data = x
        root.forward()
        return [root.data, *engine.grad(root, leaves)]
    except ArithmeticError:
        return None


def random_graphs(n, symbols=SYMBOLS):
    rng = random.Random(1)
    while n:
        at = [round(rng.uniform(-3, 3), 3) for _ in range(rng.randint(1, 4))]
        steps = [(rng.choice(symbols), *(rng.randrange(8) for _ in "ijk")) for _ in range(rng.randint(5, 30))]
        leaves, root, _ = record(at, steps)
        used = [leaf for leaf in leaves if leaf in engine.topological_order(root)]
        if used and root.parents:
            n -= 1
            yield root, used, rng


@every_language
@pytest.mark.parametrize("n", [40, pytest.param(400, marks=pytest.mark.exhaustive)])
def test_random_graphs(language, n, tmp_path, tried):
    programs, points, expected = [], [], []
    for root, leaves, rng in random_graphs(n):
        programs.append(source(root, leaves, language=language, comments=rng.random() < 0.5))
        rows = [[leaf.data for leaf in leaves]]
        rows += [[rng.uniform(-3, 3) for _ in leaves] for _ in range(6)]
        if not PERIODIC & {node.op for node in engine.topological_order(root)}:
            rows += [[rng.choice(EXTREME) for _ in leaves] for _ in range(6)]
        points.append(rows)
        expected.append([by_engine(root, leaves, row) for row in rows])
    undefined = 0
    for text, row, got, want in compared(language, programs, points, expected, tmp_path):
        undefined += want is None
        if want and max(map(abs, want)) < 1e8:
            assert got == pytest.approx(want, rel=1e-7, abs=1e-7), (text, row)
        tried[f"programs in {language} against the engine: points"] += 1
    assert undefined > n / 2, "points without a value are among them"


@every_language
def test_every_row_at_many_points(language, tmp_path, tried):
    """Every row of the table by itself, with its branches, at points far from the recorded one."""
    programs, points, expected = [], [], []
    rng = random.Random(2)
    for symbol in SYMBOLS:
        rule = engine.RULES[symbol]
        leaves = [Value(0.7, "a"), Value(1.3, "b")][: rule.arity]
        operands = [[leaf, leaf * 2, 0.5] for leaf in leaves] if rule.finalize else leaves
        root = engine.value.record(rule, *(engine.value.as_values(x, "") if rule.finalize else x for x in operands))
        programs.append(source(root, leaves, language=language))
        rows = [[rng.choice([rng.uniform(-5, 5), *EXTREME, -38.0, 0.64]) for _ in leaves] for _ in range(60)]
        points.append(rows)
        expected.append([by_engine(root, leaves, row) for row in rows])
    for text, row, got, want in compared(language, programs, points, expected, tmp_path):
        if want:
            assert got == pytest.approx(want, rel=1e-12, abs=1e-300), (text, row)
        tried[f"programs in {language} against the engine: points"] += 1


@every_language
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(2, 12))])
def test_random_custom_rules(language, seed, tmp_path, tried):
    rng = random.Random(seed)
    programs, points, expected = [], [], []
    for i in range(40):
        function, arity = random_rule(rng, f"grown{i}")
        leaves = [Value(0.5, "x"), Value(0.25, "y")][:arity]
        try:
            root = function(*leaves)
        except ArithmeticError:
            continue
        programs.append(source(root, leaves, language=language))
        points.append([[number(rng) for _ in leaves] for _ in range(20)])
        expected.append([by_engine(root, leaves, row) for row in points[-1]])
    for text, row, got, want in compared(language, programs, points, expected, tmp_path):
        if want:
            assert got == pytest.approx(want, rel=1e-9, abs=1e-12), (text, row)
        tried[f"programs in {language} of custom rules against the engine: points"] += 1


@every_language
def test_a_custom_rule_hides_no_error(language, tmp_path):
    programs, points = [], []
    for value, rows in {
        "max(0, log(a))": [-1.0, 0.0],
        "max(0, 1/a)": [0.0],
        "tanh(1/a)": [0.0],
        "tanh(1/(a*a)) * 2": [0.0],
        "tanh(3 // a)": [0.0],
        "sqrt(a) if a != 5 else log(a - 5)": [-1.0, 5.0],
        "1 if log(a) > 0 else 0": [-2.0],
        "1 / (1 + exp(a))": [1000.0],
        "max(a % (a - 1), 1)": [1.0],
    }.items():
        a = Value(2.0, "a")
        root = engine.rule("risky", value, "0*a")(a)
        programs.append(source(root, a, language=language, backward=False))
        points.append([[2.5], *([x] for x in rows)])
        assert [by_engine(root, [a], row) for row in points[-1]][1:] == [None] * len(rows)
    a = Value(2.0, "a")  # and partial derivatives
    root = engine.rule("risky", "a", "tanh(1/(a - 3)) if a > 0 else sqrt(-1 - a) * tanh(1/(a + 7))")(a)
    programs.append(source(root, a, language=language))
    points.append([[2.5], [3.0], [-7.0], [-0.5]])
    for text, results in zip(programs, run(language, programs, points, tmp_path), strict=True):
        assert [all(map(math.isfinite, row)) for row in results] == [True] + [False] * (len(results) - 1), text


@every_language
def test_rules_of_one_name_are_different_rules(language, tmp_path):
    a = Value(2.0, "a")
    old = engine.rule("twice", "2*a", "2 + 0*a")(a)
    both = old * 10 + engine.rule("twice", "3*a", "3 + 0*a")(a)
    assert run_one(language, source(both, a, language=language), [5.0], tmp_path) == [115.0, 23.0]


@every_language
def test_powers_with_a_number_as_exponent(language, tmp_path):
    a = Value(2.0, "a")
    root = engine.sum([a**n for n in (1, 2, 3, -1, 0.5, 0.25, -2.5)])
    assert "dpow" not in source(root, a, language=language), "the branch is chosen by the number"
    text = source(root + a**0, a, language=language)
    for x in (1.7, 0.3):
        assert run_one(language, text, [x], tmp_path) == pytest.approx(by_engine(root + a**0, [a], [x]), rel=1e-14)


@every_language
def test_a_custom_operation_on_lists_hides_no_error(language, tmp_path):
    f = engine.rule("risky_sum", "max(0, log(a))", "1/a if a > 1 else 0", finalize="max(total, log(total + top - 3))")
    x = [Value(2.0, "x"), Value(4.0, "y")]
    root = f([*x, 3.0])
    text = source(root, x, language=language)
    rows = [[2.0, 5.0], [3.0, 4.5], [-1.0, 5.0], [0.0, 5.0], [0.5, 0.5]]
    for row in rows:
        want, got = by_engine(root, x, row), run_one(language, text, row, tmp_path)
        assert got == pytest.approx(want, rel=1e-12) if want else not all(map(math.isfinite, got)), row


@every_language
def test_a_condition_that_is_always_true_hides_no_error(language, tmp_path):
    f = engine.rule("either", "a if log(a) > 0 or 1 else -a", "1")
    a = Value(2.0, "a")
    text = source(f(a), a, language=language)
    assert run_one(language, text, [0.5], tmp_path) == [0.5, 1.0]
    assert not all(map(math.isfinite, run_one(language, text, [-1.0], tmp_path)))


@every_language
def test_against_50_digits(language, tmp_path):
    a, b = Value(0.7, "a"), Value(-1.2, "b")
    root = (a * b).tanh() * (a.sin() + 1 / b) ** 2 - engine.gelu(a * b)

    def exact(a, b):
        return mp.tanh(a * b) * (mp.sin(a) + 1 / b) ** 2 - a * b * mp.ncdf(a * b)

    at = [0.3, 1.9]
    with mp.workdps(50):
        want = [exact(*at), *(mp.diff(exact, at, n) for n in ((1, 0), (0, 1)))]
    got = run_one(language, source(root, [a, b], language=language), at, tmp_path)
    assert got == pytest.approx([*map(float, want)], rel=1e-13)


@every_language
def test_a_trained_network(language, tmp_path):
    """Weights become numbers; several outputs, without a gradient, as on a microcontroller."""
    model = nn.MLP(3, [5, 2], hidden="relu")
    x = [Value(0.1 * i, f"x{i}") for i in range(3)]
    outputs = model(x)
    text = source(outputs, x, language=language, backward=False)
    rng = random.Random(0)
    rows = [[rng.uniform(-2, 2) for _ in x] for _ in range(20)]
    (results,) = run(language, [text], [rows], tmp_path)
    for row, got in zip(rows, results, strict=True):
        assert got == pytest.approx([y.data for y in model(row)], rel=1e-13)
    assert "malloc" not in text
    assert "relu" in text


@every_language
def test_custom_rules(language, tmp_path):
    inner = engine.rule("inner", "a**3 + 2", "3*a**2")
    outer = engine.rule("floor", "inner(a) * b if a > b else gamma(a) + a % 0.7 - a // 0.3", "b*3*a**2 if a > b else a",
                        "inner(a) if a > b else 0")  # fmt: skip
    a, b = Value(2.0, "a"), Value(1.0, "b")
    root = outer(a, b) + inner(b)
    engine.rule("inner", "0*a", "0")
    text = source(root, [a, b], language=language)
    for row in ([2.0, 1.0], [1.0, 2.0], [2.5, 3.0], [-0.4, 0.2]):
        assert run_one(language, text, row, tmp_path) == pytest.approx(by_engine(root, [a, b], row), rel=1e-12)


@every_language
def test_functions_of_python(language, tmp_path):
    a = Value(0.5, "a")
    programs, points = [], []
    functions = ["erf", "erfc", "gamma", "lgamma", "asinh", "atan", "expm1", "log10", "cosh"]
    for function in functions:
        f = engine.rule("special" if function == "erfc" else function, f"{function}(a)", "0*a")
        programs.append(source(f(a), a, language=language, backward=False))
        only_above_0 = function in ("gamma", "lgamma", "log10")
        points.append([[x / 8] for x in range(-60, 80) if x > 0 or not only_above_0])
        points[-1] += [[-2.3], [-7.9]] if "gamma" in function else []
    for function, rows, results in zip(functions, points, run(language, programs, points, tmp_path), strict=True):
        for (x,), (got,) in zip(rows, results, strict=True):
            tolerance = 1e-13 if function == "lgamma" else 0.0
            assert got == pytest.approx(getattr(math, function)(x), rel=2e-13, abs=tolerance), (function, x)


@every_language
def test_floor_division_and_modulo_are_those_of_python(language, tmp_path):
    f = engine.rule("blocks", "a // b + 1000*(a % b)", "0*a", "0*b")
    a, b = Value(1.0, "a"), Value(0.5, "b")
    text = source(f(a, b), [a, b], language=language, backward=False)
    rows = [[x, y] for x in (1.0, -1.0, 7.25, -7.25, 0.0) for y in (0.1, -0.1, 3.0, -3.0, 0.25)]
    (results,) = run(language, [text], [rows], tmp_path)
    assert [x for (x,) in results] == pytest.approx([x // y + 1000 * (x % y) for x, y in rows], rel=1e-15)


class TestText:
    def test_lines_are_named_as_in_the_graph(self):
        w, x = Value(0.5, "layer1.w12"), Value(2.0, "θ")
        a = w * x
        a.label = "2nd sum"
        y = a.tanh() + Value(1.0, "class")
        text = source(y, [w, x])
        assert "def f(layer1_w12, theta):" in text
        assert "_2nd_sum = layer1_w12 * theta\n" in text
        assert "class_2 = 1.0\n" in text
        assert "v1 = tanh(_2nd_sum)\n" in text

    @every_language
    def test_any_labels_make_a_program(self, language, tmp_path):
        labels = [
            *("", "x", "x", "lambda", "double", "let", "np", "tanh", "sigmoid", "dtanh_da", "v1", "t1", "f", "権", "é"),
            *("y1", "NAN", "Math", "inputs", "gradient", "rows", "a\nb", "// */", "round", "dv1_dx", "_", "__proto__"),
            *("x_2", "1", "-", "pi", "exp", "out", "isfinite", "Number", "true", "false", "HUGE_VAL", "FP_ZERO"),
            *("linux", "M_PI", "bool", "nullptr"),
        ]
        leaves = [Value(0.1 * i - 1.5, label) for i, label in enumerate(labels)]
        root = engine.sum([x.sigmoid() * x + engine.tanh(3 * x) for x in leaves])
        text = source(root, leaves, language=language, comments=True)
        row = [leaf.data for leaf in leaves]
        assert run_one(language, text, row, tmp_path) == pytest.approx(by_engine(root, leaves, row), rel=1e-12)

    def test_common_expressions_are_computed_once(self):
        a, b = Value(2.0, "a"), Value(3.0, "b")
        L = (a * b).exp() * (a * b).exp() + a / b + (a + 1) / b + a.sin() * a.cos()
        text = source(L, [a, b])
        for expression in ("a * b", "exp(", "1.0 / b", "cos(a)", "sin(a)"):
            code = text[text.index("def f") :]
            assert code.count(expression) == 1, expression
        assert re.search(r"t1 = 1\.0 / b\n", text)

    def test_a_common_expression_of_a_sum_in_several_lines_is_computed_after_the_sum(self):
        a, b = Value(2.0, "a"), Value(100.0, "b")
        total = engine.sum([a, 2 * a] * 8 + [b])  # its last line is total + b
        L = (total + b) * (total + b + 1)
        names = {}
        exec(source(L, [a, b]), names)
        value, gradient = names["f"](1.0, 10.0)  # 24 a + 2 b = 44
        assert (value, gradient) == (44.0 * 45.0, [89.0 * 24.0, 89.0 * 2.0])

    def test_an_expression_in_a_branch_stays_there(self):
        f = engine.rule("branch", "log(a)/b if a > 0 else 0", "1/a/b if a > 0 else 0", "-log(a)/b/b if a > 0 else 0")
        a, b = Value(2.0, "a"), Value(3.0, "b")
        text = source(f(a, b) + f(b, a), [a, b])
        names = {}
        exec(text, names)
        assert names["f"](-1.0, -2.0) == (0.0, [0.0, 0.0])

    def test_a_number_without_a_value_is_an_error_only_where_it_is_computed(self):
        a, names = Value(2.0, "a"), {}
        exec(source(engine.rule("broken", "a if a > 0 else 1/0", "1")(a), a), names)
        assert names["f"](3.0) == (3.0, [1.0])
        with pytest.raises(ZeroDivisionError):
            names["f"](-3.0)

    def test_comments_are_the_textbooks_derivatives(self):
        a, b = Value(2.0, "a"), Value(-3.0, "b")
        L = (a * b).tanh()
        L.label = "L"
        text = source(L, [a, b], comments=True)
        assert "v1 = a * b  # dv1/da = b, dv1/db = a\n" in text
        assert "L = tanh(v1)  # dL/dv1 = 1 - L**2\n" in text
        assert "dL_da = dL_dv1 * b  # dL/da = dL/dv1 * dv1/da\n" in text
        assert "// dL/dv1 = 1 - L**2\n" in source(L, [a, b], comments=True, language="c")
        assert "dv1" not in source(L, [a, b]).replace("dL_dv1", "")

    @every_language
    def test_no_line_is_too_long(self, language):
        x = [Value(0.1 * i, f"input{i}") for i in range(100)]
        y = engine.logsumexp([engine.dot(x, x[::-1]), *x])
        assert max(map(len, source(y, x, language=language).splitlines())) <= 100

    def test_only_the_functions_that_are_needed(self):
        a = Value(2.0, "a")
        assert (
            source(a * a + 1, a, backward=False)
            == "def f(a):\n    # forward\n    v1 = a * a\n    v2 = v1 + 1.0\n    return v2"
        )
        assert source(a.tanh(), a, backward=False).startswith("from math import tanh\n\n\ndef f(a):")
        assert "sigmoid" not in source(a.tanh(), a, backward=False)

    def test_an_output_that_is_an_input(self):
        a = Value(2.0, "a")
        names = {}
        exec(source(a, a), names)
        assert names["f"](5.0) == (5.0, [1.0])


class TestUndefined:
    @every_language
    def test_no_number_where_the_engine_has_none(self, language, tmp_path):
        a, b = Value(0.5, "a"), Value(0.25, "b")
        programs, points = [], []
        for make, row in (
            (lambda a, b: engine.relu(a.log()) + b, [-1.0, 1.0]),
            (lambda a, b: engine.tanh(1 / a) + b, [0.0, 1.0]),
            (lambda a, b: 1 / (a * 1e300 * b) + b, [1e10, 1.0]),
            (lambda a, b: engine.maximum(a.sqrt(), b), [-1.0, 1.0]),
            (lambda a, b: engine.sign(a - b * 1e308 * 3) + a, [1.0, 1.0]),
            (lambda a, b: a.sqrt() + b, [0.0, 1.0]),
            (lambda a, b: a**b, [-2.0, 0.5]),
            (lambda a, b: engine.sign(a.sqrt()) + b, [0.0, 1.0]),
        ):
            a.data, b.data = 0.5, 0.25
            root = make(a, b)
            programs.append(source(root, [a, b], language=language))
            points.append([[0.75, 0.5], row])
            assert by_engine(root, [a, b], row) is None
        for text, results in zip(programs, run(language, programs, points, tmp_path), strict=True):
            assert [all(map(math.isfinite, row)) for row in results] == [True, False], text

    def test_numpy_marks_only_the_rows_without_a_value(self):
        a = Value(1.0, "a")
        names = {}
        exec(source(engine.relu(a.log()), a, language="numpy"), names)
        value, gradient = names["f"]([2.0, -1.0, 4.0])
        assert np.isfinite(value).tolist() == [True, False, True]
        assert gradient[:, 0].tolist() == pytest.approx([0.5, math.nan, 0.25], nan_ok=True)


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"language": "Pyton"}, ValueError, r"did you mean 'python'\?"),
            ({"language": 3}, TypeError, "language must be a name"),
            ({"name": "double"}, ValueError, "name must be a new name in every language"),
            ({"name": "y1"}, ValueError, "name must be a new name in every language"),
            ({"name": "a b"}, ValueError, "name must be"),
            ({"name": 3}, TypeError, "name must be a str, got int 3"),
        ],
    )
    def test_options(self, options, error, message):
        a = Value(2.0)
        with pytest.raises(error, match=message):
            source(a * a, a, **options)

    def test_outputs_and_inputs(self):
        a, b = Value(2.0, "a"), Value(3.0, "b")
        c = a * b
        for call, error, message in (
            (lambda: source(3.0, a), TypeError, "outputs must be a Value or a list of Values, .*got float"),
            (lambda: source([c, 3.0], a), TypeError, "output 1 must be a Value, got float"),
            (lambda: source([], a), ValueError, "outputs must be one Value or more"),
            (lambda: source(c, []), ValueError, "inputs must be one Value or more"),
            (lambda: source(c, [a, "b"]), TypeError, "input 1 must be a Value, got str"),
            (lambda: source(c.detach(), a), RuntimeError, "constant"),
            (lambda: source(c * c, c), ValueError, "input 0 must be a leaf"),
            (lambda: source(c, [a, a]), ValueError, "twice"),
            (lambda: source(a * a, b), ValueError, "input 0 must be in the graph"),
            (lambda: source([c, a], a), ValueError, "the gradient needs one output, got a list of 2"),
        ):
            with pytest.raises(error, match=message):
                call()


def test_a_deep_graph():
    x = Value(0.5, "x")
    y = x
    for _ in range(3000):
        y = y * 0.5 + 0.25
    names = {}
    exec(source(y, x), names)
    value, (slope,) = names["f"](0.75)
    x.data = 0.75
    y.forward()
    assert (value, slope) == (y.data, engine.grad(y, x))


def test_kinked_rows_are_among_the_graphs():
    assert set(SYMBOLS) >= KINKED
