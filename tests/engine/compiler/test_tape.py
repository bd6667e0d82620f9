"""flatten: what becomes of a graph on its two tapes, once for all rows and once for each."""

import numpy as np
import pytest

import engine
import nn
from engine import Value
from engine.compiler import codegen
from engine.compiler.tape import flatten


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
    ],
)
def test_an_expression_that_is_there_twice_becomes_one(make, size, leaves):
    """Every node has a slot: the input, what is common to all rows, and the operations."""
    flat = flatten([make(*leaves)], [leaves[0]])
    assert flat.varying.size == size


def test_what_is_the_same_in_all_rows_is_computed_once(leaves):
    x, w, v = leaves
    flat = flatten([engine.dot([w * v, 3.0], [x, x]) + w.exp().sin()], [x])
    assert [flat.parameters, flat.constants] == [[w, v], [3.0]]
    assert flat.uniform.size == 6, "w, v, 3.0, w * v, exp and sin"
    assert (len(flat.weights), len(flat.common)) == (2, 1), "the weights of x, and the sine"
    assert flat.varying.size == 4, "x, the sine, dot and +"


def test_parameters_that_are_given_come_first(leaves):
    x, w, v = leaves
    unused = Value(4.0)
    assert flatten([x * w + v], [x], [unused, v]).parameters == [unused, v, w]


@pytest.mark.parametrize("ws_first", [True, False])
def test_a_layer_is_one_operation(ws_first):
    xs, rows = [Value(float(i)) for i in range(3)], [[Value(float(i + j)) for i in range(3)] for j in range(5)]
    sums = [engine.dot(ws, xs) if ws_first else engine.dot(xs, ws) for ws in rows]
    flat = flatten([engine.sum(sums)], xs)
    layer, _ = flat.varying.operations
    assert layer[[0, 1, 3, 4]].tolist() == [codegen.LAYER, 2, 5, 3], "its weights want gradients, five sums of three"
    assert [flat.parameters[slot] for slot in flat.weights] == [w for ws in rows for w in ws]
    assert len(flat.common) == 0


def test_like_operations_are_one_group():
    xs = [Value(i / 10) for i in range(9)]
    w = Value(0.5)
    flat = flatten([engine.sum([w * x.sin() for x in xs])], xs)
    assert flat.varying.operations[:, 3].tolist() == [9, 9, 1], "the sines, the products, the sum"
    assert flat.varying.index.dtype == np.uint32


def test_the_layers_of_a_network():
    model, xs = nn.MLP(4, [6, 6, 2], "tanh", seed=1), [Value(1.0) for _ in range(4)]
    flat = flatten([engine.sum(model(xs))], xs)
    assert flat.varying.operations[:, [3, 4]].tolist() == [[6, 5], [6, 0], [6, 7], [6, 0], [2, 7], [1, 0]]
    assert len(flat.weights) == len(model.parameters())
