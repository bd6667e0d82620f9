"""Custom rules grown at random from the grammar: eager, as a graph of derivatives and compiled, they are the same."""

import math
import random
import warnings
from contextlib import suppress

import pytest

import engine
from engine import RULES, Value, rule
from engine.formulas import MATH_FUNCTIONS

UNARY = ["tanh", "sin", "cos", "sigmoid", "softplus", "relu", "abs", "gelu", "sign", "elu"]
BINARY = ["maximum", "minimum"]
SAFE = ["sqrt(abs({}))", "log1p(abs({}))", "exp(-abs({}))", "1 / (1 + abs({}))", "abs({})**0.5", "({})**2", "({})**3"]
# Conditions whose second part has no value, or raises, where the first is false or true.
GUARDS = [
    "(0 < abs({0}) < 1 / abs({0}))", "(0 != ({0}) > 1 / ({0}))", "(0 < ({0}) >= log({0}) < 1)",
    "(({0}) == 0 or 1 / ({0}) > 2)", "(({0}) > 0 and not log({0}) < 0 <= sqrt({0}))",
    "(not (({0}) <= 0 or sqrt({0}) < 1))",
]  # fmt: skip
COMPARISONS = ["<", "<=", ">", ">=", "==", "!="]


class Grower:
    """Grows texts with the letters of a rule."""

    def __init__(self, rng, letters, *, partial):
        self.rng, self.letters, self.partial = rng, letters, partial

    def atom(self):
        numbers = ["0", "1", "2", "3", "-1", "0.5", "10**-3", "2**-2", "1e-3", "pi", "7"]
        return self.rng.choice([*self.letters * 4, *numbers])

    def condition(self, depth):
        pick = self.rng.random()
        if depth and pick < 0.2:
            return f"({self.condition(depth - 1)} {self.rng.choice(['and', 'or'])} {self.condition(depth - 1)})"
        if depth and pick < 0.3:
            return f"(not {self.condition(depth - 1)})"
        if pick < 0.45:
            return self.atom()  # its truth
        if pick < 0.55:
            return self.rng.choice(GUARDS).format(self.text(depth - 1) if depth else self.atom())
        parts = [self.text(1) if depth and self.rng.random() < 0.3 else self.atom()]
        for _ in range(self.rng.choice([1, 1, 2, 3])):  # chains
            parts += [self.rng.choice(COMPARISONS), self.atom()]
        return f"({' '.join(parts)})"

    def text(self, depth):
        pick = self.rng.random() if depth else 0.0

        def grow():
            return self.text(depth - 1)

        if pick < 0.1:
            return self.atom()
        if pick < 0.45:
            return f"({grow()} {self.rng.choice('+-*')} {grow()})"
        if pick < 0.6:
            return self.rng.choice(SAFE).format(grow())
        if pick < 0.7:
            return f"{self.rng.choice(UNARY)}({grow()})"
        if pick < 0.75:
            return f"{self.rng.choice(BINARY)}({grow()}, {grow()})"
        if pick < 0.78:
            return f"({self.rng.choice('-+')}{grow()})" if self.partial else f"max({grow()}, {grow()})"
        if pick < 0.85:
            return f"({grow()} if {self.condition(2)} else {grow()})"
        if pick < 0.9:
            return f"({self.condition(1)} * {grow()})"
        if pick < 0.95:
            return f"({grow()} {self.rng.choice(['and', 'or'])} {grow()})"
        reading = "float({})" if self.partial else "{}"
        divisor = self.rng.choice(["3", "-2", "0.75"])
        return f"({reading.format(self.rng.choice(self.letters))} {self.rng.choice(['%', '//'])} {divisor})"


def random_rule(rng, name):
    """A rule of one or two operands, whose partials need not be the derivatives of its value."""
    letters = "ab"[: rng.choice([1, 2, 2])]
    value = f"({Grower(rng, letters, partial=False).text(4)}) + 0 * {letters[-1]}"
    partials = [Grower(rng, [*letters, "out"], partial=True).text(4) for _ in letters]
    return rule(name, value, *partials), len(letters)


def number(rng):
    return float(rng.choice([0, 1, 2, -1, rng.uniform(-3, 3), rng.uniform(-3, 3), rng.uniform(-0.1, 0.1)]))


def by_python(text, **numbers):
    """What Python computes of the text itself."""
    rows = {name: row.function for name, row in RULES.items() if name not in MATH_FUNCTIONS}
    return eval(text, MATH_FUNCTIONS | {"pi": math.pi} | rows | numbers)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(2, 7))])
def test_mean_the_same_eagerly_and_compiled(seed, tried):
    pytest.importorskip("llvmlite")
    rng = random.Random(seed)
    rules = [random_rule(rng, f"grown{i}") for i in range(20)]
    operands = [[Value(number(rng)) for _ in range(arity)] for _, arity in rules]
    weights, one = [Value(1.0) for _ in rules], Value(1.0, "one")
    leaves = [*weights, *(x for xs in operands for x in xs)]

    def record():
        return one * engine.dot(weights, [function(*xs) for (function, _), xs in zip(rules, operands, strict=True)])

    program = engine.compile(record(), one)
    partials = [
        engine.grad(function(*xs), xs, create_graph=True) for (function, _), xs in zip(rules, operands, strict=True)
    ]
    for _ in range(100):
        for leaf in leaves:
            leaf.data, leaf.grad = number(rng), 0.0
        for (function, _), xs in zip(rules, operands, strict=True):
            row, numbers = RULES[function.__name__], dict(zip("ab", [x.data for x in xs], strict=False))
            assert function(*xs).data == pytest.approx(by_python(row.value, **numbers), rel=1e-12, abs=1e-12)
            texts = [by_python(text, **numbers, out=function(*xs).data) for text in row.partials]
            assert engine.grad(function(*xs), xs) == pytest.approx(texts, rel=1e-12, abs=1e-12)
            tried["values and partials of random custom rules, by the engine and by Python"] += 1 + len(texts)
        root = record()
        root.backward()
        eager = [leaf.grad for leaf in leaves]
        graphs = engine.grad(root, leaves, create_graph=True)
        assert [x.data for x in graphs] == pytest.approx(eager, rel=1e-9, abs=1e-12)
        for (function, _), xs, graphs in zip(rules, operands, partials, strict=True):  # recorded at the first point
            for graph, slope in zip(graphs, engine.grad(function(*xs), xs), strict=True):
                with warnings.catch_warnings(record=True) as caught, suppress(ArithmeticError):
                    warnings.simplefilter("always")
                    graph.forward()
                    if not caught:
                        assert graph.data == pytest.approx(slope, rel=1e-9, abs=1e-12), function.__name__
                        tried["graphs of partial derivatives at another point than they were recorded at"] += 1
        for leaf in leaves:
            leaf.grad = 0.0
        assert program([[1.0]]).tolist() == pytest.approx([root.data], rel=1e-9, abs=1e-12)
        program.backward([[1.0]])
        assert [leaf.grad for leaf in leaves] == pytest.approx(eager, rel=1e-9, abs=1e-12)
        tried["values and partials of random custom rules, eager, as graphs and compiled"] += len(leaves)
