"""The engine of a page against Python, in Chromium: functions, number format, and random graphs after random edits."""

import math
import random
import struct

import pytest
from mpmath import mp

from engine import RULES, Backprop, Value, rule, topological_order
from engine.formatting import format_number
from engine.formulas import BINARY_FUNCTIONS, MATH_FUNCTIONS
from tests.engine.test_random_graphs import record
from tests.engine.test_random_rules import random_rule
from viz.pages.html_page import asset
from viz.pages.tape import Tape

ENGINE = ["functions.js", "special_functions.js", "format.js", "tape.js"]
ARITHMETIC = {"+", "-", "*", "/", "neg", "abs", "relu", "leaky_relu", "sign", "maximum", "minimum", "sum", "dot"}
HELPERS = """
    const steps = (tape) => [{ actions: [
        ["appear", ...tape.nodes.keys()], ["forward", ...tape.inner],
        ["seed"], ["backward", ...tape.inner.toReversed()],
    ] }];
    const bits = (x) => {
        const view = new DataView(new ArrayBuffer(8));
        view.setFloat64(0, x);
        const n = view.getBigInt64(0);
        return n < 0n ? -(n & 0x7fffffffffffffffn) : n;
    };
    const ulps = (x, y) => { const n = bits(x) - bits(y); return Number(n < 0n ? -n : n); };
    /** The numbers of a graph after a change of its leaves. */
    const compute = (tape, leaves) => {
        const moment = new Moment(tape);
        for (const [i, x] of Object.entries(leaves)) moment.data[i] = x;
        try {
            runSteps(moment, steps(tape), 0);
        } catch (error) {
            return { kind: error.kind, node: error.node };
        }
        return { data: [...moment.data], grad: [...moment.grad] };
    };
    /**
     * Every operation from Python's numbers: its symbol, how far its value and its local derivatives are from Python's,
     * in ulp, and whether each is within the tolerance.
     */
    const operations = (tape, data, locals) => tape.inner.map((i, k) => {
        const moment = new Moment(tape);
        moment.data.set(data);
        const numbers = [() => moment.evaluate(i)];
        for (const j of locals[k].keys()) numbers.push(() => moment.locals(i)[j][1]);
        const apart = [data[i], ...locals[k]].map((python, j) => {
            const here = numbers[j]();
            return [ulps(here, python), here === python || Math.abs(here - python) <= tolerance(numbers[j])];
        });
        const [[value], ...partials] = apart;
        const largest = Math.max(0, ...partials.map(([x]) => x));
        return [moment.row(i).symbol, value, largest, apart.every(([, within]) => within)];
    });
"""


@pytest.fixture(scope="module")
def engine_page(browser):
    """Open an empty page with the engine, and return a function that evaluates JavaScript there."""
    tab = browser.new_page()
    complaints = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    script = "\n".join(map(asset, ENGINE))
    tab.set_content(f'<script>"use strict";\n{script}\n{HELPERS}</script>')
    yield tab.evaluate
    tab.close()
    assert complaints == []


def logarithmic(rng, low, high, n):
    return [rng.choice([-1, 1]) * 10 ** rng.uniform(low, high) for _ in range(n)]


def exactly(name, x):
    match name:
        case "max":
            return max(x)
        case "hypot":
            return mp.sqrt(mp.fsum(y * y for y in x))
        case "lgamma":
            return mp.log(abs(mp.gamma(*x)))
        case "pow":
            return mp.re(mp.power(*x))
    return {"abs": abs}.get(name, getattr(mp, name, None))(*x)


RANGES = {
    "exp": 700,
    "expm1": 700,
    "cosh": 700,
    "sinh": 700,
    "acos": 1,
    "asin": 1,
    "atanh": 1,
    "lgamma": 150,
    "gamma": 170,
}


@pytest.mark.parametrize("name", MATH_FUNCTIONS)
def test_functions_are_within_two_ulp_and_fail_where_pythons_do(name, engine_page, tried):
    rng = random.Random(name)
    large = RANGES.get(name, 30)
    arguments = logarithmic(rng, -20, math.log10(large), 400) + [rng.uniform(-large, large) for _ in range(400)]
    edges = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e308, -1e308, 710.0, 5e-324, math.inf, -math.inf, math.nan]
    if name in BINARY_FUNCTIONS:
        points = [(x, rng.choice(arguments)) for x in arguments] + [(x, y) for x in edges for y in edges]
    else:
        points = [(x,) for x in arguments + edges]
    here = engine_page(
        "([name, xs]) => xs.map((x) => { try { return math[name](...x) } catch (error) { return error.kind } })",
        [name, points],
    )
    worst = 0.0
    for x, y in zip(points, here, strict=True):
        try:
            python = MATH_FUNCTIONS[name](*x)
        except ValueError:
            python = "domain"
        except OverflowError:
            python = "overflow"
        if isinstance(python, str) or isinstance(y, str):
            assert y == python, x
        elif not all(map(math.isfinite, (*x, python))) or 0.0 in x:
            assert y == python or (math.isnan(y) and math.isnan(python)), x
        elif abs(python) > 1e-300:
            with mp.workdps(50):
                exact = exactly(name, [*map(mp.mpf, x)])
                error = float(abs(mp.mpf(float(y)) - exact) / math.ulp(float(exact)))
            worst = max(worst, error)
            tried["functions of a page against 50 digits"] += 1
    assert worst < 2, worst


def test_remainders_and_quotients_are_pythons(engine_page):
    numbers = [0.0, -0.0, 1.0, -1.0, 0.1, 7.3, -7.3, 2.5, -2.5, 1e300, 3e-300, 3.0]
    pairs = [(a, b) for a in numbers for b in numbers]
    here = engine_page(
        "(pairs) => pairs.map((x) => ['divide', 'modulo', 'floorDivide'].map((name) => {"
        "  try { const y = math[name](...x); return Object.is(y, -0) ? '-0' : y } catch (error) { return error.kind }"
        "}))",
        pairs,
    )
    for (a, b), row in zip(pairs, here, strict=True):
        if b == 0.0:
            assert row == ["zero"] * 3
            continue
        for x, y in zip((a / b, a % b, a // b), row, strict=True):
            assert y == ("-0" if x == 0.0 and math.copysign(1.0, x) < 0 else x), (a, b)


@pytest.mark.parametrize("precision", [1, 2, 6, 12, 17])
def test_numbers_have_the_engines_text(precision, engine_page, tried):
    rng = random.Random(precision)
    numbers = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308]
    for exponent in range(-324, 309):
        for mantissa in (1.0, 2.5, 1.234565, 9.999995, 9.9999949, rng.uniform(1, 10)):
            x = float(f"{mantissa}e{exponent}")
            if math.isfinite(x):
                numbers += [x, -x, math.nextafter(x, 0.0), math.nextafter(x, math.inf)]
    numbers += [(rng.randrange(10**7) | 1) / 2**j for j in range(20) for _ in range(50)]  # many are ties
    numbers += [struct.unpack("d", rng.randbytes(8))[0] for _ in range(1000)]
    here = engine_page(f"(numbers) => numbers.map((x) => formatNumber(x, {precision}))", numbers)
    assert here == [format_number(x, precision) for x in numbers]
    tried["numbers as text on a page against the engine"] += len(numbers)


def local_derivatives(root):
    """The local derivatives of every inner node in order, or None if one has no value."""
    try:
        steps = {step.node: [x.local for x in step.contributions] for step in Backprop(root)}
    except ArithmeticError:
        return None
    return [steps[node] for node in topological_order(root) if node.parents]


KINDS = {ZeroDivisionError: "zero", OverflowError: "overflow", ArithmeticError: "domain"}


def random_graph(rng):
    while True:
        at = [round(rng.uniform(-3, 3), 3) for _ in range(rng.randint(1, 4))]
        program = [
            (rng.choice([*RULES]), rng.randrange(8), rng.randrange(8), rng.randrange(8))
            for _ in range(rng.randint(5, 40))
        ]
        leaves, root, _ = record(at, program)
        try:
            return leaves, Tape(root), Tape(root).data()
        except ArithmeticError:
            continue


@pytest.mark.parametrize("n", [pytest.param(60, marks=pytest.mark.quick), 3000])
def test_random_graphs_compute_the_same_as_python(n, engine_page, tried):
    rng = random.Random(n)
    for i in range(30):
        random_rule(rng, f"grown{i}")
    largest = {"value of a row": 0, "partial of a row": 0, "whole graph": 0.0}
    for _ in range(n):
        leaves, tape, data = random_graph(rng)
        root, used = tape.root, [leaf for leaf in leaves if leaf in tape.index]
        edits = [
            [rng.choice([round(rng.uniform(-3, 3), 2), 0.0, rng.uniform(-800, 800)]) for _ in used] for _ in range(3)
        ]
        jobs, expected = [], []
        for edit in [[leaf.data for leaf in used], *edits]:
            before = [leaf.data for leaf in used]
            for leaf, x in zip(used, edit, strict=True):
                leaf.data = x
            numbers = {tape.index[leaf]: x for leaf, x in zip(used, edit, strict=True)}
            try:
                root.forward()
            except ArithmeticError as error:
                jobs.append((numbers, None, None))
                expected.append(next(kind for cls, kind in KINDS.items() if isinstance(error, cls)))
                for leaf, x in zip(used, before, strict=True):
                    leaf.data = x
                continue
            for node in tape.order:
                node.grad = 0.0
            locals_ = local_derivatives(root)
            jobs.append((numbers, locals_ and [node.data for node in tape.order], locals_))
            expected.append(
                ([node.data for node in tape.order], [node.grad for node in tape.order]) if locals_ else "backward"
            )
        here = engine_page(
            """([data, rows, jobs]) => {
                const tape = new Tape(data, new Function(`${rows} return RULES`)());
                const difference = differenceFromPython(tape, tape.inner.toReversed());
                return [difference, jobs.map(([leaves, data, locals]) => (
                    [compute(tape, leaves), data && operations(tape, data, locals)]
                ))];
            }""",
            [data, tape.script(), jobs],
        )
        difference, results = here
        assert difference is None
        for wanted, (result, operations) in zip(expected, results, strict=True):
            tried["random graphs on a page against Python, each after an edit"] += 1
            if isinstance(wanted, str):
                assert result.get("kind").partition("-")[0] in (
                    ["derivative", "gradient"] if wanted == "backward" else [wanted]
                )
                continue
            is_equal = all(value == partials == 0 for _, value, partials, _ in operations)
            for numbers, pythons in zip((result["data"], result["grad"]), wanted, strict=True):
                apart = [abs(x - y) / math.ulp(y) for x, y in zip(numbers, pythons, strict=True)]
                largest["whole graph"] = max(largest["whole graph"], *apart)
                assert not (is_equal and any(apart)), "the same operations in the same order give the same numbers"
            for symbol, value, partials, is_within in operations:
                assert is_within, symbol
                if symbol in ARITHMETIC:
                    assert value == partials == 0, symbol
                elif not symbol.startswith("grown"):
                    largest["value of a row"] = max(largest["value of a row"], value)
                    largest["partial of a row"] = max(largest["partial of a row"], partials)
    for what, ulp in largest.items():
        tried[f"ulp: the largest difference of a page from Python, {what}"] = round(ulp)
    assert largest["value of a row"] <= 2


def test_less_exact_functions_of_python_raise_no_alarm(engine_page):
    rule("log_gamma", "lgamma(a)", "1 + 0*a")
    rule("gamma_of", "gamma(a)", "1 + 0*a")
    rng = random.Random(0)
    for x in [-2.457024738220800, -2.747682646727412, *(rng.uniform(-5, 5) for _ in range(100))]:
        tape = Tape(Value(x, "x").log_gamma() + Value(x + 0.1, "y").gamma_of())
        assert (
            engine_page(
                """([data, rows]) => {
                const tape = new Tape(data, new Function(`${rows} return RULES`)());
                return differenceFromPython(tape, tape.inner.toReversed());
            }""",
                [tape.data(), tape.script()],
            )
            is None
        ), x
