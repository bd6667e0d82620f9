"""What micrograd does, glassgrad does: its README's example, its own two tests, and the idioms of its notebooks."""

import doctest
import importlib
import random
import sys
from fractions import Fraction

import pytest

import engine
import nn
from demos.backprop import micrograd_example, micrograd_expression
from engine import Value, topological_order
from viz import Drawing


def test_readme_example():
    g = micrograd_example()
    g.backward()
    a, b = (node for node in topological_order(g) if node.label in ("a", "b"))
    assert f"{g.data:.4f}" == "24.7041"
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


class Dual:
    """An exact number and its exact derivative: forward mode, to check reverse mode by."""

    def __init__(self, value, slope=0):
        self.value, self.slope = Fraction(value), Fraction(slope)

    def __add__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __pow__(self, n):
        return Dual(self.value**n, n * self.value ** (n - 1) * self.slope)

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __truediv__(self, other):
        return self * (other**-1 if isinstance(other, Dual) else Fraction(1) / Fraction(other))

    def __rtruediv__(self, other):
        return self**-1 * other

    def relu(self):
        return self if self.value > 0 else Dual(0)

    __radd__, __rmul__ = __add__, __mul__


def sanity_check(x):
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    return h + q + q * x


def more_ops(a, b):
    return micrograd_expression(a, b)[-1]


@pytest.mark.parametrize(("function", "point"), [(sanity_check, (-4.0,)), (more_ops, (-4.0, 2.0))])
def test_micrograds_own_tests(function, point):
    leaves = [Value(x) for x in point]
    root = function(*leaves)
    root.backward()
    for i, leaf in enumerate(leaves):
        exact = function(*[Dual(x, i == j) for j, x in enumerate(point)])
        assert root.data == pytest.approx(float(exact.value), rel=1e-15, abs=0.0)
        assert leaf.grad == pytest.approx(float(exact.slope), rel=1e-14, abs=0.0)


@pytest.fixture
def networks(monkeypatch):
    """The module nn.micrograd; the names that it adds to every Value are gone after the test."""
    for name in ("_prev", "_op", "_backward"):
        monkeypatch.setattr(Value, name, vars(Value)[name], raising=False)
    for module in ("engine.micrograd", "nn.micrograd"):
        monkeypatch.setitem(sys.modules, module, None)
        del sys.modules[module]
    return importlib.import_module("nn.micrograd")


def draw_dot(root):
    """A picture as the notebooks draw it: a box per node, an oval per operation."""
    picture, seen, todo = Drawing(graph_attr={"rankdir": "LR"}), set(), [root]
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        name = str(id(node))
        picture.node(name, f"{{ {node.label} | data {node.data:.4f} | grad {node.grad:.4f} }}", shape="record")
        if node._op:
            picture.node(name + node._op, node._op)
            picture.edge(name + node._op, name)
        for operand in node._prev:
            picture.edge(str(id(operand)), name + node._op)
            todo.append(operand)
    return picture


def order_by_recursion(root):
    order, visited = [], set()

    def build(node):
        if node not in visited:
            visited.add(node)
            for operand in node._prev:
                build(operand)
            order.append(node)

    build(root)
    return order


def neuron_of_the_lecture():
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    n = x1 * w1 + x2 * w2 + Value(6.8813735870195432, label="b")
    return n.tanh(), [x1, x2, w1, w2]


class TestNotebooks:
    def test_names_of_a_node(self, networks):
        a = Value(3.0)
        b = a + a
        assert (b._prev, b._op, a._prev, a._op) == ({a}, "+", set(), "")
        assert a._backward() is None

    def test_backpropagation_by_hand(self, networks):
        o, leaves = neuron_of_the_lecture()
        o.grad = 1.0
        for node in reversed(order_by_recursion(o)):
            node._backward()
        assert [leaf.grad for leaf in leaves] == pytest.approx([-1.5, 0.5, 1.0, 0.0], abs=1e-9)  # as in the lecture

    def test_a_picture_of_boxes_and_ovals(self, networks):
        o, _ = neuron_of_the_lecture()
        svg = draw_dot(o).pipe("svg").decode()
        assert svg.count("<ellipse") == 5
        assert svg.count("data ") == len(topological_order(o)) == 10

    def test_a_neuron_is_one_of_products_and_sums(self, networks):
        n = networks.Neuron(2)
        y = n([Value(1.0), Value(-2.0)])
        assert sorted(node._op for node in topological_order(y)) == ["", "", "", "", "", "*", "*", "+", "+", "relu"]
        assert len(n.w) == 2
        assert n.b.data == 0.0
        assert not networks.Neuron(2, nonlin=False).nonlin

    def test_a_seed_gives_the_weights_of_micrograd(self, networks):
        random.seed(1337)
        model = networks.MLP(2, [3, 1])
        random.seed(1337)
        weights = [
            [[random.uniform(-1, 1) for _ in range(n_in)] for _ in range(n_out)] for n_in, n_out in ((2, 3), (3, 1))
        ]
        x = [0.5, -1.5]
        hidden = [max(0.0, sum(w * x_i for w, x_i in zip(row, x, strict=True))) for row in weights[0]]
        assert [[[w.data for w in neuron.w] for neuron in layer.neurons] for layer in model.layers] == weights
        assert model(x).data == pytest.approx(sum(w * z for w, z in zip(weights[1][0], hidden, strict=True)), rel=1e-15)

    def test_a_training_by_hand(self, networks):
        random.seed(1)
        model = networks.MLP(2, [8, 1])
        xs, rs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [-1, 1, 1, -1]
        losses = []
        for _ in range(300):
            scores = list(map(model, [list(map(Value, x)) for x in xs]))
            margins = [(1 + -r * score).relu() for r, score in zip(rs, scores, strict=True)]
            loss = sum(margins) * (1.0 / len(margins)) + 1e-4 * sum(p * p for p in model.parameters())
            model.zero_grad()
            loss.backward()
            for p in model.parameters():
                p.data -= 0.1 * p.grad
            losses.append(loss.data)
        assert losses[-1] < 0.1 < losses[0]
        assert [score.data > 0 for score in scores] == [False, True, True, False]

    def test_the_same_network_of_nn_has_the_same_gradients(self, networks):
        random.seed(7)
        model = networks.MLP(2, [4, 1])
        twin = nn.MLP(2, [4, 1], hidden="relu", init="micrograd", seed=1)
        weights = [weight for layer in model.layers for n in layer.neurons for weight in (n.b, *n.w)]
        for weight, parameter in zip(weights, twin.parameters(), strict=True):
            parameter.data = weight.data
        (model([0.5, -1.5]) ** 2).backward()
        (twin([0.5, -1.5]) ** 2).backward()
        assert [w.grad for w in weights] == pytest.approx([p.grad for p in twin.parameters()], rel=1e-14)

    def test_an_unlike_number_of_outputs_or_inputs(self, networks):
        assert len(networks.MLP(2, [3])([1.0, 2.0])) == 3
        with pytest.raises(ValueError, match="x must have 2 inputs for Neuron"):
            networks.MLP(2, [3, 1])([1.0])
        with pytest.raises(TypeError, match=r"nouts must be a list such as \[16, 16, 1\].*int 3"):
            networks.MLP(2, 3)
        with pytest.raises(ValueError, match="nout must be at least 1"):
            networks.MLP(2, [0])

    def test_nn_has_a_neuron_now(self, networks):
        assert nn.Neuron is networks.Neuron
        assert not hasattr(engine, "Neuron")

    @pytest.mark.parametrize("module", ["engine.micrograd", "nn.micrograd"])
    def test_their_examples_run(self, networks, module):
        result = doctest.testmod(sys.modules[module])
        assert result.failed == 0 < result.attempted

    def test_networks_are_not_in_engine(self, networks):
        for name, line in {"MLP": "from nn.micrograd import MLP", "nn": "from nn import micrograd as nn"}.items():
            with pytest.raises(ImportError, match=line):
                exec(f"from engine.micrograd import {name}")


def test_without_the_import_the_names_are_errors():
    assert not hasattr(Value(1.0), "_prev")
    with pytest.raises(AttributeError, match=r"nn\.micrograd\.Neuron"):
        nn.Neuron  # noqa: B018
