"""MLP: outputs and gradients against NumPy, mpmath and worked examples in print."""

import math
from collections import Counter

import numpy as np
import pytest
from mpmath import mp
from scipy.special import expit, softmax

import engine
import nn
from engine import Value
from tests.nn.helpers import ACTIVATIONS, close, matrices, values


class TestMLP:
    @pytest.mark.parametrize("sizes", [(2, 1), (3, 4), (1, 5, 3), (4, 3, 2, 1), (2, 12, 2)])
    @pytest.mark.parametrize(("hidden", "output"), [("tanh", "linear"), ("relu", "sigmoid"), ("gelu", "tanh")])
    def test_outputs_are_products_of_matrices(self, sizes, hidden, output):
        model = nn.MLP(sizes[0], list(sizes[1:]), hidden, output, init="micrograd", seed=1)
        for i, p in enumerate(model.parameters()):
            p.data += 0.1 * math.sin(i)
        x = z = np.linspace(-1, 1.5, sizes[0])
        layers = matrices(model, *sizes)
        for i, w in enumerate(layers, start=1):
            z = ACTIVATIONS[hidden if i < len(layers) else output](w @ [1, *z])
        y = model(x)
        assert isinstance(y, Value) == (sizes[-1] == 1)
        assert [v.data for v in (y if sizes[-1] > 1 else [y])] == close(z)

    def test_names_and_labels(self):
        model = nn.MLP(2, [2, 1])
        names = ["layer1.w10", "layer1.w11", "layer1.w12", "layer1.w20", "layer1.w21", "layer1.w22"]
        names += ["layer2.w10", "layer2.w11", "layer2.w12"]
        assert [name for name, _ in model.named_parameters()] == list(model.state_dict()) == names
        assert [p.label for p in model.parameters()] == names
        assert [v.label for v in engine.topological_order(model([1, 2])) if v.op] == [
            "layer1.a1", "layer1.z1", "layer1.a2", "layer1.z2", "layer2.z1",
        ]  # fmt: skip
        assert list(nn.Layer(1, 2, label="out").state_dict()) == ["w10", "w11", "w20", "w21"]
        assert [p.label for p in nn.Layer(1, 1, label="out").parameters()] == ["out.w10", "out.w11"]
        assert list(nn.Perceptron(2, label="out").state_dict()) == ["w0", "w1", "w2"]

    def test_a_neuron_is_one_dot(self):
        outputs = nn.MLP(3, [4, 5, 2], hidden="tanh", output="sigmoid")([1, 2, 3])
        order = engine.topological_order(engine.sum(outputs))
        assert Counter(v.op for v in order if v.op) == {"dot": 11, "tanh": 9, "sigmoid": 2, "sum": 1}
        assert Counter(len(v.parents) // 2 - 1 for v in order if v.op == "dot") == {3: 4, 4: 5, 5: 2}

    def test_repr_can_be_evaluated(self):
        for model in (nn.Perceptron(3, "relu"), nn.Layer(3, 2, "tanh"), nn.MLP(3, (4, 2), "elu", "sin")):
            twin = eval(repr(model), vars(nn))
            assert repr(twin) == repr(model)
            twin.load_state_dict(model.state_dict())
            outputs, expected = ([y.data for y in np.ravel(m([1, 2, 3]))] for m in (twin, model))
            assert outputs == expected

    @pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "softplus", "sin"])
    def test_gradients_at_fifty_digits(self, hidden):
        model, x, r = nn.MLP(2, [3, 2], hidden, init="micrograd", seed=3), values([0.5, -1.5]), [0.25, -0.75]
        nn.mse(model(x), r).backward()
        leaves = model.parameters() + x
        f = {"sigmoid": lambda a: 1 / (1 + mp.exp(-a)), "softplus": lambda a: mp.log(1 + mp.exp(a))}

        def loss(*numbers):
            w, z = iter(numbers), list(numbers[-2:])
            for size, function in ((3, f.get(hidden) or getattr(mp, hidden)), (2, mp.mpf)):
                z = [function(next(w) + mp.fdot([(next(w), v) for v in z])) for _ in range(size)]
            return mp.fsum((y - t) ** 2 for y, t in zip(z, r, strict=True)) / 2

        with mp.workdps(50):
            at = [mp.mpf(v.data) for v in leaves]
            for i, leaf in enumerate(leaves):
                assert leaf.grad == close(float(mp.diff(lambda v: loss(*at[:i], v, *at[i + 1 :]), at[i])))  # noqa: B023

    def test_gradients_by_the_formulas_of_page_31(self):
        """Two layers, softmax and cross-entropy (P25-31): (r - y) z for V, [(r - y) V] z (1 - z) x for W."""
        rng = np.random.default_rng(1)
        model, x, labels = nn.MLP(3, [4, 3], "sigmoid", seed=1), rng.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
        w, v = matrices(model, 3, 4, 3)
        x0 = np.c_[np.ones(5), x]
        z = expit(x0 @ w.T)
        z0 = np.c_[np.ones(5), z]
        error = np.eye(3)[labels] - softmax(z0 @ v.T, axis=1)
        expected = [((error @ v[:, 1:]) * z * (1 - z)).T @ x0, error.T @ z0]
        nn.cross_entropy([model(row) for row in x], labels).backward()
        for grad, rise in zip(matrices(model, 3, 4, 3, of="grad"), expected, strict=True):
            assert grad == close(-rise / 5)

    def test_names_beyond_nine_have_a_comma(self):
        state = nn.MLP(12, [11, 2, 3]).state_dict()
        assert {"layer1.w1,12", "layer1.w11,2", "layer2.w2,11", "layer3.w32"} <= state.keys()
        assert len(state) == 13 * 11 + 12 * 2 + 3 * 3

    def test_repr_has_the_defaults(self):
        assert repr(nn.MLP(2, [3, 1])) == "MLP(2, [3, 1], hidden='tanh', output='linear')"


class TestPublishedExamples:
    """Networks of sigmoids in two layers, trained a step by hand; a row of weights begins with that of the bias."""

    @staticmethod
    def train(layers, x, r, loss, rate, biases=True):
        """Return the network after a step of gradient descent, the loss before it, and all a and z by label."""
        model = nn.MLP(len(x), [len(layer) for layer in layers], "sigmoid", "sigmoid")
        for p, w in zip(model.parameters(), np.concatenate([np.ravel(layer) for layer in layers]), strict=True):
            p.data = w
        before = loss(model(x), r)
        before.backward()
        inner = {v.label: v for v in engine.topological_order(before)}
        nn.SGD([p for name, p in model.named_parameters() if biases or not name.endswith("0")], rate).step()
        return model, before.data, inner

    def test_mazur(self):
        """A Step by Step Backpropagation Example, 2015, where the biases do not change.

        The loss after the step is 0.291027924 there, which takes the output weights already moved to move the hidden
        ones; moved all at once, as the text has it and as the weights that it prints are, they give 0.291027774.
        """
        layers = [[0.35, 0.15, 0.20], [0.35, 0.25, 0.30]], [[0.60, 0.40, 0.45], [0.60, 0.50, 0.55]]
        x, r = [0.05, 0.10], [0.01, 0.99]
        model, loss, inner = self.train(layers, x, r, nn.mse, rate=0.5, biases=False)
        outputs = [inner[f"layer{i}.z{j}"].data for i in (1, 2) for j in (1, 2)]
        assert outputs == pytest.approx([0.593269992, 0.596884378, 0.75136507, 0.772928465], abs=1e-9)
        assert loss == pytest.approx(0.298371109, abs=1e-9)
        trained = [0.35, 0.149780716, 0.19956143, 0.35, 0.24975114, 0.29950229]
        trained += [0.60, 0.35891648, 0.408666186, 0.60, 0.511301270, 0.561370121]
        assert [p.data for p in model.parameters()] == pytest.approx(trained, abs=6e-9)
        assert nn.mse(model(x), r).data == pytest.approx(0.291027774, abs=1e-9)

    def test_han_kamber_pei(self):
        """Data Mining, example 9.1 of the 3rd edition."""
        layers = [[-0.4, 0.2, 0.4, -0.5], [0.2, -0.3, 0.1, 0.2]], [[0.1, -0.3, -0.2]]
        model, _, inner = self.train(layers, [1, 0, 1], 1, lambda y, r: nn.mse(y, r) / 2, rate=0.9)
        outputs = [inner[name].data for name in ("layer1.z1", "layer1.z2", "layer2.z1")]
        assert outputs == pytest.approx([0.332, 0.525, 0.474], abs=5e-4)
        errors = [-inner[name].grad for name in ("layer2.a1", "layer1.a2", "layer1.a1")]
        assert errors == pytest.approx([0.1311, -0.0065, -0.0087], abs=1e-4)  # 0.1312, were its outputs not rounded
        trained = [-0.408, 0.192, 0.4, -0.508, 0.194, -0.306, 0.1, 0.194, 0.218, -0.261, -0.138]
        assert [p.data for p in model.parameters()] == pytest.approx(trained, abs=5e-4)

    def test_negnevitsky(self):
        """Artificial Intelligence, 6.4: XOR; a threshold there is the weight of an input -1."""
        layers = [[-0.8, 0.5, 0.4], [0.1, 0.9, 1.0]], [[-0.3, -1.2, 1.1]]
        model, _, inner = self.train(layers, [1, 1], 0, lambda y, r: nn.mse(y, r) / 2, rate=0.1)
        outputs = [inner[name].data for name in ("layer1.z1", "layer1.z2", "layer2.z1")]
        assert outputs == pytest.approx([0.5250, 0.8808, 0.5097], abs=5e-5)
        trained = [-0.7962, 0.5038, 0.4038, 0.0985, 0.8985, 0.9985, -0.3127, -1.2067, 1.0888]
        assert [p.data for p in model.parameters()] == pytest.approx(trained, abs=5e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.MLP(0, [1]), "n_inputs .*1.* got 0"),
        (lambda: nn.MLP(1, []), "sizes .*one.* got none"),
        (lambda: nn.MLP(1, 3), "sizes .*list.* got int 3"),
        (lambda: nn.MLP(2, "31"), "sizes .*list .*got str"),
        (lambda: nn.MLP(1, [0]), r"sizes\[0\] .*1.* got 0"),
        (lambda: nn.MLP(2, [3, 1.0]), r"sizes\[1\] .*int, got float"),
        (lambda: nn.MLP(2, [3, 1])([1]), r"2 inputs for MLP\(2, \[3, 1\].*, got 1"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
