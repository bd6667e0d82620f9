"""Graphs that are equal node by node."""

import pytest

import engine
from engine import Value
from engine.compiler.equality import equal_graphs
from engine.compiler.numbering import NumberedGraph

W, V = Value(2.0, "w"), Value(2.0, "v")


def graph(change, x, y):
    """The outputs of a graph, one thing of which may change."""
    leaf, other = Value(1.5), Value(2.5 if change == "data of a leaf" else 2.0)
    other = V if change == "a parameter for a leaf" else other
    constant = 3.5 if change == "a constant" else 3.0
    ws = [W, V] if change == "a parameter" else [W, W]
    xs = {"order": [y, x], "one input": [x, x], "length": [x, y, x]}.get(change, [x, y])
    total = engine.dot((ws * 2)[: len(xs)], xs)
    a = total.tanh() if change == "operation" else total.sin()
    b = leaf * a - other if change != "operands" else other - leaf * a
    c = b + W if change == "a parameter for an input" else b + (y if change == "an input" else x)
    c = (a if change == "an inner node" else c) * c
    d = c / (V if change == "a parameter for a constant" else constant)
    return [d] if change == "outputs" else [d, a]


X = Value(0.25), Value(0.75)
CHANGES = (
    "data of a leaf", "a constant", "a parameter", "order", "one input", "length", "operation", "operands",
    "an inner node", "an input", "a parameter for an input", "a parameter for a leaf", "a parameter for a constant",
    "outputs",
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_graphs_that_differ_in_one_thing(change):
    others = Value(0.5), Value(1.0)
    leaves = {W: W, V: V, **dict(zip(X, others, strict=True))}
    for first, second in [("", change), (change, "")]:
        recorded = NumberedGraph(graph(first, *X), [W, V])
        assert equal_graphs(recorded, graph(first, *others), leaves)
        assert not equal_graphs(recorded, graph(second, *others), leaves)


def test_a_deep_graph():
    def deep(x):
        for _ in range(100_000):
            x = -x
        return [x]

    a, b = Value(1.0), Value(2.0)
    assert equal_graphs(NumberedGraph(deep(a)), deep(b), {a: b})
