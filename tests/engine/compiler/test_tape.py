"""linearize: the uniform and the varying tape of a graph."""

import random

import pytest

import engine
import nn
from engine import Value

pytest.importorskip("llvmlite")

import numpy as np

from engine.compiler import numbering, runtime
from engine.compiler.numbering import NumberedGraph
from engine.compiler.tape import linearize


@pytest.fixture
def leaves():
    return Value(1.0, "x"), Value(2.0, "w"), Value(2.0, "v")


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda x, w, v: x, 1),
        (lambda x, w, v: x.tanh(), 2),
        (lambda x, w, v: x.tanh() * x.tanh(), 3),
        (lambda x, w, v: (w * x).tanh() * (w * x).tanh(), 5),
        (lambda x, w, v: (x + 2.0) * (x + 2), 4),
        (lambda x, w, v: (x * 0.0) + (x * -0.0), 6),
        (lambda x, w, v: (w * x) * (v * x), 6),
        (lambda x, w, v: (w + x) * (x + w), 5),
        (lambda x, w, v: engine.sum([w, x]) * engine.sum([w, x]), 4),
        (lambda x, w, v: engine.sum([w, x]) * engine.logsumexp([w, x]), 5),
        (lambda x, w, v: engine.sum([x.sin(), w]) * engine.sum([x.sin(), w]), 5),
        (lambda x, w, v: engine.sum([x.sin(), w]) * engine.sum([x.sin()]), 6),
    ],
)
def test_equal_expressions_share_one_node(make, size, leaves):
    """Each node has one slot: inputs, nodes common to all rows, operations."""
    graph = linearize(NumberedGraph([make(*leaves)]), [leaves[0]])
    assert graph.varying.size == size


def test_many_equal_expressions(leaves):
    rng = random.Random(1)
    nodes, numbers, known = [*leaves], {leaf: leaf for leaf in leaves}, {}
    for k in range(5000):
        operation, operands = rng.choice((engine.maximum, engine.minimum)), rng.choices(nodes[k // 100 :][:8], k=2)
        nodes.append(operation(*operands))
        key = operation, *(numbers[x] for x in operands)
        numbers[nodes[-1]] = known.setdefault(key, len(known))
    graph = linearize(NumberedGraph(nodes), leaves)
    assert graph.varying.size == len(known) + 3
    assert 1000 < len(known) < 4000


def test_many_expressions_that_differ_in_one_place(monkeypatch):
    monkeypatch.setattr(numbering, "SPARE", 1)  # almost full hash tables, in which all operations and lists meet others
    x, *others = leaves = [Value(float(k)) for k in range(1500)]
    terms = [term for y in others for term in (x * y, y * x, x - y, engine.sum([x, y]), engine.sum([y, x]))]
    terms += [engine.maximum(y, x) for y in others] + [engine.maximum(x, y) for y in others]
    terms += [engine.minimum(y, x) for y in others] + [engine.minimum(x, y) for y in others]
    graph = linearize(NumberedGraph(terms, leaves), leaves)
    assert graph.varying.size == len(leaves) + len(terms)


def test_what_no_input_leads_to_is_on_the_uniform_tape(leaves):
    x, w, v = leaves
    graph = linearize(NumberedGraph([engine.dot([w * v, 3.0], [x, x]) + w.exp().sin()]), [x])
    assert [graph.parameters, graph.constants] == [[w, v], [3.0]]
    assert graph.uniform.size == 6, "w, v, 3.0, w * v, exp and sin"
    assert (len(graph.weights), len(graph.common)) == (2, 1), "two weights of x; the sine"
    assert graph.varying.size == 4, "x, the sine, dot and +"


def test_the_parameters_of_the_caller_come_first(leaves):
    x, w, v = leaves
    unused = Value(4.0)
    assert linearize(NumberedGraph([x * w + v], [unused, v]), [x], [unused, v]).parameters == [unused, v, w]


@pytest.mark.parametrize("ws_first", [True, False])
def test_a_layer_is_one_operation(ws_first):
    xs, rows = [Value(float(i)) for i in range(3)], [[Value(float(i + j)) for i in range(3)] for j in range(5)]
    sums = [engine.dot(ws, xs) if ws_first else engine.dot(xs, ws) for ws in rows]
    graph = linearize(NumberedGraph([engine.sum(sums)]), xs)
    layer, _ = graph.varying.operations
    assert layer[[0, 1, 3, 4]].tolist() == [runtime.LAYER, 2, 5, 3], "the weights require gradients; five sums of three"
    assert [graph.parameters[slot] for slot in graph.weights] == [w for ws in rows for w in ws]
    assert len(graph.common) == 0


def test_equal_operations_of_a_level_are_one_group():
    xs = [Value(i / 10) for i in range(9)]
    w = Value(0.5)
    graph = linearize(NumberedGraph([engine.sum([w * x.sin() for x in xs])]), xs)
    assert graph.varying.operations[:, 3].tolist() == [9, 9, 1], "the sines, the products, the sum"
    assert graph.varying.index.dtype == np.uint32


def test_the_tape_of_a_network():
    model, xs = nn.MLP(4, [6, 6, 2], "tanh", seed=1), [Value(1.0) for _ in range(4)]
    graph = linearize(NumberedGraph([engine.sum(model(xs))]), xs)
    assert graph.varying.operations[:, [3, 4]].tolist() == [[6, 5], [6, 0], [6, 7], [6, 0], [2, 7], [1, 0]]
    assert len(graph.weights) == len(model.parameters())
