"""Calls and names of micrograd, PyTorch and scikit-learn: they work, or the error says what to write."""

import copy
import pickle

import numpy as np
import pytest

import nn
from engine import Value

XS, RS = [[0.0, 1.0], [1.0, 0.0]], [1.0, 0.0]


def mlp(**options):
    return nn.MLP(2, [4, 1], seed=1, **options)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nn.train(mlp(), nn.mse, XS, RS), r"write nn\.train\(model, .*zip\(xs, rs\)"),
        (lambda: nn.train(mlp(), nn.mse, zip(XS, RS, strict=True), lr=0.1), "'lr'; write .*learning_rate=0.02"),
        (lambda: nn.train(mlp(), nn.mse, zip(XS, RS, strict=True), n_epochs=9), "'n_epochs'; write .*epochs=1000"),
        (lambda: nn.train(mlp()), r"missing .*'loss'; write nn\.train"),
        (lambda: nn.evaluate(mlp(), nn.mse, XS, RS), r"write nn\.evaluate\(model, nn\.mse, zip\(xs, rs\)\)"),
        (lambda: nn.Perceptron(2).fit(XS, RS), r"write neuron\.fit\(zip\(xs, rs\)"),
        (lambda: nn.MLP([2, 4, 1]), r"missing .*'sizes'; write nn\.MLP\(2, \[4, 1\]"),
        (lambda: nn.MLP(2, 4, 1), r"sizes must be a list such as \[4, 1\]"),
        (lambda: mlp(activation="relu"), "'activation'; write .*hidden="),
        (lambda: nn.Perceptron(2, nonlin=False), r"'nonlin'; write nn\.Perceptron\(2, \"tanh\"\)"),
        (lambda: nn.Layer(2), r"missing .*'n_outputs'; write nn\.Layer\(2, 3"),
        (lambda: nn.SGD(mlp().parameters(), lr=0.1), "'lr'; write .*learning_rate=0.1"),
        (lambda: nn.Adam(lr=0.1), "missing .*'parameters'; write .*learning_rate=0.02"),
        (lambda: nn.SGD(mlp()), r"list of Values, got MLP\(.*write model\.parameters\(\)"),
        (lambda: nn.train(mlp(), "mse", []), "^loss must be a function, such as nn.mse, got str 'mse'"),
        (lambda: nn.evaluate(mlp(), "mse", []), "^loss must be a function, such as nn.mse, got str 'mse'"),
        (lambda: nn.train("mlp", nn.mse, []), "^model must be a function, got str 'mlp'"),
        (lambda: nn.train(mlp(), nn.mse, [], callback=3), "^callback must be a function, got int 3"),
        (lambda: nn.train(mlp(), nn.mse, [], schedule=0.1), "^schedule must be a function, got float 0.1"),
        (lambda: nn.train(mlp(), nn.mse, [], until=9), "^until must be a function, got int 9"),
        (lambda: nn.train(mlp(), nn.mse, [], accuracy=True), "^accuracy must be a function, got bool True"),
        (lambda: nn.train(mlp(), nn.mse, [], optimizer="adam"), r"optimizer must be .*nn\.Adam\(.*got str 'adam'"),
        (lambda: nn.train(mlp(), nn.mse, [], optimizer=nn.Adam), r"optimizer must be .*nn\.Adam\(.*got class Adam"),
        (lambda: mlp()([[1, 2], [3, 4]]), r"got list \[1, 2\].*; write \[model\(x\) for x in xs\]"),
        (lambda: mlp()(np.ones((2, 2))), r"write \[model\(x\) for x in xs\]"),
    ],
)
def test_calls_that_do_not_fit(call, words):
    with pytest.raises(TypeError, match=words):
        call()


def test_more_examples_than_inputs():
    with pytest.raises(ValueError, match=r"2 inputs .*got 3.*write \[model\(x\) for x in xs\]"):
        mlp()([[1, 2], [3, 4], [5, 6]])


def test_an_error_inside_a_call_that_fits_is_not_changed():
    def fail(y, r):
        raise TypeError("mine")

    with pytest.raises(TypeError, match=r"^epoch 1, data\[0\]: mine$"):
        nn.train(mlp(), fail, [([0.0, 1.0], 1.0)])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ReLu", "relu"), ("ReLU", "relu"), ("Tanh", "tanh"), ("Sigmoid", "sigmoid"), ("LeakyReLU", "leaky_relu"),
        ("logistic", "sigmoid"), ("identity", "linear"), ("Linear", "linear"), ("swish", "silu"), ("thanh", "tanh"),
    ],
)  # fmt: skip
def test_the_name_of_an_activation_that_was_meant(written, meant):
    with pytest.raises(ValueError, match=rf"got '{written}': did you mean '{meant}'\?"):
        mlp(hidden=written)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("Neuron", r"nn\.Perceptron"), ("Linear", r"nn\.Layer"), ("Sequential", r"nn\.MLP"),
            ("MSELoss", r"nn\.mse"), ("CrossEntropyLoss", r"nn\.cross_entropy"), ("optim", r"nn\.Adam"),
        ],
    )  # fmt: skip
    def test_of_the_package(self, name, words):
        with pytest.raises(AttributeError, match=f"module 'nn' has no attribute '{name}': use {words}"):
            getattr(nn, name)

    @pytest.mark.parametrize(
        ("model", "name", "words"),
        [
            (nn.Perceptron(2), "w", r"weights\[1:\]"), (nn.Perceptron(2), "b", r"weights\[0\]"),
            (nn.Layer(2, 3), "weight", r"weights\[1:\]"), (nn.Perceptron(2), "nonlin", "activation"),
            (mlp(), "fit", r"nn\.train\("), (mlp(), "predict", r"model\(x\)"), (mlp(), "score", r"nn\.evaluate\("),
        ],
    )  # fmt: skip
    def test_of_a_model(self, model, name, words):
        with pytest.raises(AttributeError, match=f"{type(model).__name__!r} .*no attribute '{name}': use .*{words}"):
            getattr(model, name)

    def test_a_module_may_have_them(self):
        class Own(nn.Module):
            def __init__(self):
                self.w = Value(2.0, "w")

            def fit(self):
                return self.w

        assert Own().fit().data == 2.0
        assert {"w", "fit"} <= {*dir(Own())}
        assert {"w", "fit"}.isdisjoint(dir(mlp()))
        assert "weights" in dir(nn.Perceptron(2))

    def test_other_names_are_unknown_as_usual(self):
        for thing in (nn, mlp(), nn.Module()):
            assert not hasattr(thing, "nonsense")
            with pytest.raises(AttributeError, match=r"has no attribute 'nonsense'$"):
                thing.nonsense  # noqa: B018

    def test_models_are_copied_and_pickled_as_before(self):
        for twin in (copy.copy(mlp()), copy.deepcopy(mlp()), pickle.loads(pickle.dumps(mlp()))):
            assert twin.state_dict() == mlp().state_dict()


class TestForward:
    @pytest.mark.parametrize("model", [nn.Perceptron(2, seed=1), nn.Layer(2, 3, seed=1), mlp()], ids=repr)
    def test_is_a_call(self, model):
        assert repr(model.forward([0.5, -1.0])) == repr(model([0.5, -1.0]))

    def test_a_module_may_define_it(self):
        class Line(nn.Module):
            def __init__(self):
                super().__init__()
                self.slope = Value(2.0, "slope")

            def forward(self, x):
                return self.slope * x

        assert Line()(3.0).data == Line().forward(3.0).data == 6.0
        assert nn.train(Line(), nn.mse, [(1.0, 1.0)], epochs=2).epochs == 2

    def test_a_module_without_a_call(self):
        for use in (nn.Module(), nn.Module().forward):
            with pytest.raises(NotImplementedError, match="Module must define __call__"):
                use(1.0)
