"""The one page of autodiff against the engine: the data and the gradients of random graphs."""

import math
import operator
import random
import subprocess
import sys
from pathlib import Path

import pytest

import engine
from demos import one_page
from demos.backprop import micrograd_expression

PAGE = Path(one_page.__file__)
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow}
FUNCTIONS = {name: operator.methodcaller(name) for name in ("exp", "log", "sin", "tanh", "sigmoid", "relu")}
OPERATIONS = OPERATORS | FUNCTIONS | {"neg": operator.neg}
# The operations whose partial derivatives the page and the engine compute by the same arithmetic.
SAME_ARITHMETIC = ("+", "-", "*", "neg", "exp", "log", "sin", "relu")


def is_defined(symbol, a, b):
    """Whether the operation is far from the edge of its domain, and its value not too large."""
    match symbol:
        case "/":
            return abs(b) > 0.1
        case "**":
            return 0.1 < a < 10 and abs(b) < 4
        case "log":
            return a > 0.1
        case "exp" | "tanh" | "sigmoid":
            return abs(a) < 4
    return True


def random_graph(value, symbols, seed):
    """The nodes of a graph of 3 leaves and up to 30 operations, the root last.

    Operands are drawn from the last nodes, so that sub-expressions are shared; some are plain numbers, on either side.
    """
    rng = random.Random(seed)
    nodes = [value(rng.uniform(-3, 3)) for _ in range(3)]
    for _ in range(rng.randint(5, 30)):
        symbol = rng.choice(symbols)
        x, y, number = rng.choice(nodes[-6:]), rng.choice(nodes[-6:]), rng.uniform(-3, 3)
        operands = rng.choice([(x, y), (x, x), (x, number), (number, x)]) if symbol in OPERATORS else (x,)
        a, b = operands[0], operands[-1]
        if is_defined(symbol, *(x.data if isinstance(x, value) else x for x in (a, b))):
            node = OPERATIONS[symbol](*operands)
            if abs(node.data) < 100:
                nodes.append(node)
    return [*nodes, nodes[-1] + nodes[-2] * nodes[-3] - nodes[0]]


def two_graphs(symbols, seed):
    """The same random graph of the page's Values and of the engine's, after the backward pass."""
    page, reference = (random_graph(value, symbols, seed) for value in (one_page.Value, engine.Value))
    page[-1].backward()
    reference[-1].backward()
    assert [node.data for node in page] == [node.data for node in reference]
    return page, reference


def sums_of_magnitudes(root):
    """For every node its gradient with every term replaced by its absolute value: the scale of rounding errors."""
    sums = {root: 1.0}
    for node in reversed(one_page.topological_order(root)):
        for operand, partial in zip(node.operands, node.partials, strict=True):
            sums[operand] = sums.get(operand, 0.0) + sums[node] * abs(partial)
    return sums


def test_a_thousand_graphs_agree_bit_for_bit_where_the_arithmetic_is_the_same():
    for seed in range(1000):
        page, reference = two_graphs(SAME_ARITHMETIC, seed)
        assert [node.grad for node in page] == [node.grad for node in reference], f"seed {seed}"


def test_a_thousand_graphs_of_all_operations_agree_to_1e_12():
    for seed in range(1000):
        page, reference = two_graphs([*OPERATIONS], seed)
        sums = sums_of_magnitudes(page[-1])
        for node, expected in zip(page, reference, strict=True):
            assert abs(node.grad - expected.grad) <= 1e-12 * sums.get(node, 0.0), f"seed {seed}"


def test_every_operation_of_the_page_is_compared():
    rows = {name for name, member in vars(one_page.Value).items() if getattr(member, "__name__", "") == "method"}
    names = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "**": "pow"}
    methods = {f"__{reflected}{name}__" for name in names.values() for reflected in ("", "r")}
    assert rows == methods | {"__neg__", *FUNCTIONS}


def test_micrograds_readme_example():
    a, b = one_page.Value(-4.0), one_page.Value(2.0)
    g = micrograd_expression(a, b)[-1]
    g.backward()
    assert (g.data, a.grad, b.grad) == (24.70408163265306, 138.83381924198252, 645.5772594752186)


def test_a_second_backward_starts_from_zero():
    x = one_page.Value(3.0)
    y = x * x
    y.backward()
    y.backward()
    assert x.grad == 6.0


def test_deep_graphs_of_shared_nodes_need_neither_recursion_nor_a_walk_along_every_path():
    x = one_page.Value(0.5)
    y = x
    for _ in range(10_000):
        y = y * 0.5 + y * 0.5
    y.backward()
    assert x.grad == 1.0


def test_a_power_of_a_negative_number_has_no_derivative_with_respect_to_the_exponent():
    a, b = one_page.Value(-2.0), one_page.Value(2.0)
    (a**b).backward()
    assert a.grad == -4.0
    assert math.isnan(b.grad)
    ((-2.0) ** b).backward()
    assert math.isnan(b.grad)


def test_it_is_one_page_and_does_not_import_the_engine():
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) <= 100
    script = "import sys, demos.one_page; sys.exit('engine' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=PAGE.parents[1]).returncode == 0


def test_what_it_prints(capsys):
    one_page.main([])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    a, b, c = engine.Value(2.0), engine.Value(-3.0), engine.Value(7.0)
    p = a * b
    s = p + c
    L = s.tanh()
    L.backward()
    assert [row[0] for row in rows] == ["a", "b", "p", "c", "s", "L"]
    for row, node in zip(rows, (a, b, p, c, s, L), strict=True):
        assert f"{node.data:.6f}" in row
        assert row[-1] == f"{node.grad:.6f}"


def test_help(capsys):
    with pytest.raises(SystemExit) as exit_:
        one_page.main(["--help"])
    assert exit_.value.code == 0
    assert "usage: python -m demos.one_page" in capsys.readouterr().out
