"""Activation functions by name."""

import pytest

import engine
import nn
from engine import RULES


def test_every_function_of_one_operand_is_an_activation():
    for rule in RULES.values():
        if rule.arity == 1 and not rule.finalize and hasattr(engine, rule.symbol):
            assert nn.Perceptron(1, rule.symbol, init=[0.0, 1.0])(0.5).op == rule.symbol


def test_an_unknown_activation_is_an_error_that_lists_all():
    names = ["linear"]
    names += [x.symbol for x in RULES.values() if x.symbol not in ("neg", "abs") and x.arity == 1 and not x.finalize]
    with pytest.raises(ValueError, match=f"'xyz'.* {', '.join(map(repr, names))}$"):
        nn.Perceptron(1, "xyz")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Perceptron(1, 3), "activation .*name.* 'tanh', got int 3"),
        (lambda: nn.Perceptron(2, engine.tanh), "activation .*name.* got function"),
        (lambda: nn.Perceptron(1, "tanhh"), "'tanhh'.* 'tanh'"),
        (lambda: nn.Perceptron(1, "lineal"), "'lineal'.* 'linear'"),
        (lambda: nn.Perceptron(2, "sigmod"), "'sigmod'.*did you mean 'sigmoid'"),
        (lambda: nn.Perceptron(2, "maximum"), "'maximum'.*'linear', .*'tanh'"),
        (lambda: nn.MLP(2, [1], hidden="tan_h"), "'tan_h'.*did you mean 'tanh'"),
        (lambda: nn.MLP(2, [1], output="softmax"), "'softmax'.*cross_entropy"),
    ],
)
def test_wrong_activations(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
