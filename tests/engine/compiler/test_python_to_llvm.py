"""Translated functions: each computes what Python computes."""

import math
import re
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

from engine.compiler.cache import load_machine_code
from engine.compiler.codegen import compile_packed
from engine.compiler.python_to_llvm import choice, definitions, pack, translate


def both(text, name="f"):
    """Return a function as Python runs it, and translated; the last argument of both is an array for results."""
    text = dedent(text)
    namespace = {
        "pow": math.pow,
        "choice": choice,
        **dict.fromkeys(("Floats", "Matrix", "Integers", "Slots", "Flags"), object),
    }
    exec(text, namespace)
    code = compile_packed(text, [name])
    return namespace[name], lambda *arguments: code.call(name, pack(*arguments))


def same(text, *arguments):
    """Check that a function returns the same, and leaves the same in its arrays."""
    python, translated = both(text)
    copies = [x.copy() if isinstance(x, np.ndarray) else x for x in arguments]
    assert translated(*arguments) == (python(*copies) or 0)
    for x, y in zip(arguments, copies, strict=True):
        if isinstance(x, np.ndarray):
            np.testing.assert_array_equal(x, y)


EXPRESSIONS = """
def f(a: float, b: float, out: Floats) -> None:
    out[0] = a + b * 2 - 1 / (1 + a * a)
    out[1] = -a if a < b else +b
    out[2] = min(a, b) + max(b, a) * abs(a)
    out[3] = 1.0 if a < b <= 3 and not a == b or a > 100 else 0.0
    out[4] = a or b
    out[5] = a and b
    out[6] = float(a != b) + 2**3 + 7 // 2 + 7 % 4
    out[7] = a % b if b else 0.0
    out[8] = a // b if b else 0.0
    out[9] = choice(a, 1.0, b) + choice(a > b, a, 0.5)
"""


finite = st.floats(-1e6, 1e6)
python, translated = both(EXPRESSIONS)


@given(finite, finite)
def test_expressions(a, b):
    results, expected = np.zeros(10), np.zeros(10)
    python(a, b, expected)
    translated(a, b, results)
    np.testing.assert_array_equal(results, expected)
    assert np.copysign(1, results).tolist() == np.copysign(1, expected).tolist(), "signs of zeros"


def test_what_is_not_a_number():
    python, translated = both("def f(a: float, b: float, out: Floats) -> None:\n"
                              "    out[0] = min(a, b)\n    out[1] = max(a, b)\n    out[2] = 1.0 if a < b else 2.0\n"
                              "    out[3] = 1.0 if a != b else 2.0\n    out[4] = 1.0 if a else 2.0")  # fmt: skip
    for a in (math.nan, 1.0, math.inf, 0.0, -0.0):
        for b in (math.nan, 2.0, -math.inf, 0.0, -0.0):
            results, expected = np.zeros(5), np.zeros(5)
            python(a, b, expected)
            translated(a, b, results)
            np.testing.assert_array_equal(results, expected)


def test_loops_and_branches():
    text = """
    def f(n: int, out: Integers) -> int:
        total = 0
        for i in range(n):
            total += i if i & 1 else -i
            for j in range(i, 0, -1):
                if j * j == i:
                    total += 100
                    out[0] += 1
                elif j > 5:
                    out[1] = max(out[1], j << 2)
                else:
                    out[2] |= j >> 1
        while total > 50:
            total -= 7
            if total == 60:
                return -1
        for k in range(2, n, 3):
            out[3] = k
        return total
    """
    for n in (0, 1, 5, 20, 33):
        same(text, n, np.zeros(4, np.int64))


def test_arrays():
    text = """
    def f(x: Floats, table: Matrix, index: Slots, flags: Flags, out: Floats) -> int:
        part = out[:3]
        for i in range(len(index)):
            out[index[i]] += x[i] * table[i, 1]
            flags[i] |= x[i] > 1.5
        for k in range(table.shape[1]):
            part[k] += table[len(table) - 1, k]
        first, last = x[0], x[len(x) - 1]
        out[4] = len(part) + first - last
        return flags[0] + 2 * flags[2]
    """
    rng = np.random.default_rng(0)
    flags = np.zeros(3, bool)
    same(text, np.array([1.0, 2.0, 3.0]), rng.normal(size=(3, 3)), np.array([4, 0, 4], np.uint32), flags, np.zeros(5))
    assert flags.tolist() == [False, True, True]


def test_static_arguments_select_code_and_functions():
    text = """
    def square(x) -> float:
        return x * x

    def twice(function: Static, doubled: Static, x) -> float:
        if doubled:
            return 2.0 * function(x)
        return function(x)

    def f(a: float, out: Floats) -> None:
        rest = square, True
        out[0] = twice(*rest, a)
        out[1] = twice(square, False, a)
    """
    out = np.zeros(2)
    compile_packed(dedent(text), ["f"]).call("f", pack(3.0, out))
    assert out.tolist() == [18.0, 9.0]


def test_the_arrays_of_a_disjoint_function_are_marked_for_llvm():
    text = "def f(x: Floats, out: Floats) -> None:\n    out[0] = x[0]"
    load, store = [
        line for line in translate(definitions(f"@disjoint\n{text}"), ["f"]).splitlines() if "!noalias" in line
    ]
    of_load, of_store = (dict(re.findall(r"!(alias\.scope|noalias) !(\d+)", line)) for line in (load, store))
    assert of_load["alias.scope"] == of_store["noalias"] != of_load["noalias"] == of_store["alias.scope"]
    assert "!noalias" not in translate(definitions(text), ["f"])


def test_words_of_every_kind():
    text = "def f(a: int, x: float, m: Matrix, b: int) -> int:\n    return a + b if x == 2.5 and m[1, 2] == 7.0 else 0"
    code = compile_packed(text, ["f"])
    assert code.call("f", pack(1, 2.5, np.arange(12.0).reshape(2, 6) - 1.0, -4)) == -3


@pytest.mark.parametrize(
    "statement", ["import os", "x = [1]", "x.y = 1", "del a", "lambda: 0", "a @ a", "with a: pass"]
)
def test_what_cannot_be_translated_is_an_error(statement):
    with pytest.raises((NotImplementedError, KeyError)):
        translate(definitions(f"def f(a: float) -> None:\n    {statement}"), packed=["f"])


def test_an_unused_function_needs_no_translation():
    text = "def f(a: int) -> int:\n    return a\ndef g(a):\n    import os"
    assert load_machine_code(text, lambda: translate(definitions(text), packed=["f"])).call("f", pack(5)) == 5
