"""Errors of nn for wrong arguments."""

import math

import pytest

import nn
from engine import RULES, Value

TWO_LOGITS = [Value(1.0), Value(2.0)]
SCHEMES = "'micrograd', 'xavier', 'he'"


def test_an_unknown_activation():
    names = ["linear"]
    names += [x.symbol for x in RULES.values() if x.symbol not in ("neg", "abs") and x.arity == 1 and not x.finalize]
    with pytest.raises(ValueError, match=f"'xyz'.* {', '.join(map(repr, names))}$"):
        nn.Perceptron(1, "xyz")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Perceptron(0), "n_inputs .*1.* got 0"),
        (lambda: nn.Perceptron(1.5), "n_inputs .*int.* got float 1.5"),
        (lambda: nn.Perceptron(True), "n_inputs .*int.* got bool True"),
        (lambda: nn.Perceptron(2**63), "n_inputs .* 9223372036854775808"),
        (lambda: nn.Perceptron(1, init=[1.0]), "init .* 2 weights w0 to w1, got 1"),
        (lambda: nn.Perceptron(1, label=3), "label .*str.* got int 3"),
        (lambda: nn.Perceptron(1, 3), "activation .*name.* 'tanh', got int 3"),
        (lambda: nn.Perceptron(1, "tanhh"), "'tanhh'.* 'tanh'"),
        (lambda: nn.Perceptron(1, "lineal"), "'lineal'.* 'linear'"),
        (lambda: nn.Perceptron(2)([1.0]), r"^Perceptron\(2, 'sigmoid'\) .* 2 inputs, got 1: list \[1.0\]"),
        (lambda: nn.Perceptron(1)([1.0, 2.0]), r"^Perceptron\(1, 'sigmoid'\) .* 1 input, got 2: list \[1.0, 2.0\]"),
        (lambda: nn.Perceptron(2)(1.0), r"^Perceptron\(2, 'sigmoid'\) .* 2 inputs .*list.*, got float 1.0"),
        (lambda: nn.Perceptron(2)([1.0, "2"]), "x2 .*real number, got str '2'"),
        (lambda: nn.Perceptron(1, "sign").learn([1.0], r=0), "r .* 1 or -1, got int 0"),
        (lambda: nn.Perceptron(1).learn([1.0], "1"), "r .*real number, got str '1'"),
        (lambda: nn.Perceptron(1).learn([1.0], 1, -1), "learning_rate .*0.* got -1"),
        (lambda: nn.Perceptron(1).learn([1.0], 1, "1"), "learning_rate .*real number, got str '1'"),
        (lambda: nn.Perceptron(1).learn([], 1), r"^Perceptron\(1, 'sigmoid'\) .* 1 input, got 0: list \[\]"),
        (lambda: nn.Perceptron(1, "sign").classify([]), r"^Perceptron\(1, 'sign'\) .* 1 input, got 0: list \[\]"),
        (lambda: nn.Perceptron(1, init="best"), f"init .*{SCHEMES}.* got .*'best'"),
        (lambda: nn.Perceptron(1, init=3), f"init .*{SCHEMES}.* got int 3"),
        (lambda: nn.Perceptron(1, seed="1"), "seed .*int.* got str '1'"),
        (lambda: nn.Layer(0, 1), "n_inputs .*1.* got 0"),
        (lambda: nn.Layer(1, 0), "n_outputs .*1.* got 0"),
        (lambda: nn.MLP(0, [1]), "n_inputs .*1.* got 0"),
        (lambda: nn.MLP(1, []), "sizes .*one.* got none"),
        (lambda: nn.MLP(1, 3), "sizes .*list.* got int 3"),
        (lambda: nn.MLP(1, [0]), "size.* 1.* got 0"),
        (lambda: nn.SGD(3), "list of Values, got int 3"),
        (lambda: nn.SGD([3]), "leaf Values, got int 3"),
        (lambda: nn.SGD([]), "parameter.* got none"),
        (lambda: nn.SGD([Value(1.0)], -1), "learning_rate .*0.* got -1"),
        (lambda: nn.SGD([Value(1.0)], math.inf), "learning_rate .*finite.* got inf"),
        (lambda: nn.SGD([Value(1.0)], momentum=1), "momentum .*0.* below 1, got 1"),
        (lambda: nn.SGD([Value(1.0)], weight_decay=-2), "weight_decay .*0.* got -2"),
        (lambda: nn.Adam([Value(1.0)], betas=0.9), "betas .*two numbers, got float 0.9"),
        (lambda: nn.Adam([Value(1.0)], betas=(1, 0)), r"betas\[0\] .*0.* below 1, got 1"),
        (lambda: nn.Adam([Value(1.0)], betas=(0, -1)), r"betas\[1\] .*0.* below 1, got -1"),
        (lambda: nn.Adam([Value(1.0)], epsilon=0), "epsilon .*above 0, got 0"),
        (lambda: nn.Adam([Value(1.0)], epsilon="0"), "epsilon .*real number, got str '0'"),
        (lambda: nn.Optimizer([Value(1.0)], 0.1, 0.0, memory=0).step(), "Optimizer .*update"),
        (lambda: nn.mse(Value(1.0), "2"), "target of mse .*real number, got str '2'"),
        (lambda: nn.mse("1", 2), "mse .*real number, got str '1'"),
        (lambda: nn.mse([Value(1.0)], [1.0, 2.0]), r"mse .*as many .*1\.0.* and list \[1\.0, 2\.0\]"),
        (lambda: nn.hinge([Value(1.0)], [0]), "target of hinge .* 1 or -1, got 0.0"),
        (lambda: nn.binary_cross_entropy(Value(1.0), 2), "target of binary_cross_entropy .*1.*0.* got 2.0"),
        (lambda: nn.cross_entropy(TWO_LOGITS, 2), "cross_entropy .* 0 to 1, got int 2"),
        (lambda: nn.cross_entropy(TWO_LOGITS, 0.5), "target of cross_entropy .*int.* got float 0.5"),
        (lambda: nn.cross_entropy(TWO_LOGITS, [0.5, 0.25]), r"sum.* 1.* list \[0.5, 0.25\]"),
        (lambda: nn.cross_entropy(TWO_LOGITS, [1.5, -0.5]), "target of cross_entropy .*probability.* got -0.5"),
        (lambda: nn.cross_entropy(TWO_LOGITS, [1.0]), r"cross_entropy .*as many .*1\.0.* and list \[1\.0\]"),
        (lambda: nn.cross_entropy([Value(1.0)], 0), "cross_entropy .*list of .*logits.*1.0.*binary_cross_entropy"),
        (lambda: nn.cross_entropy(Value(1.0), 0), "cross_entropy .*list of .*logits.*1.0.*binary_cross_entropy"),
        (lambda: nn.plateau(patience=0), "patience .*1.* got 0"),
        (lambda: nn.Perceptron(1).load_state_dict([1]), "dict.* got list"),
        (lambda: nn.Perceptron(1).load_state_dict({"w0": 1.0}), r"w1; Perceptron\(1, 'sigmoid'\) has 2 .* 1$"),
        (lambda: nn.Perceptron(6).load_state_dict({}), r"w0, w1, w2, w3, w4 and 2 more; Perceptron.* has 7 .* 0$"),
        (lambda: nn.Perceptron(5).load_state_dict({"w0": 1.0}), r"w1, w2, w3, w4, w5; Perceptron.* has 6 .* 1$"),
        (lambda: nn.Perceptron(6).load_state_dict({"w0": 1.0}), r"w1, w2, w3, w4, w5 and 1 more; Perceptron.* 7 .* 1$"),
        (
            lambda: nn.Perceptron(1).load_state_dict({"w0": 1.0, "w1": 2.0, "w2": 3.0}),
            r"w2; Perceptron\(1, 'sigmoid'\) has 2 .* 3$",
        ),
        (lambda: nn.Perceptron(1).load_state_dict({"w0": 1.0, "w1": "2"}), "w1 .*real number, got str '2'"),
        (lambda: nn.Module()(1.0), "Module .*__call__"),
        (
            lambda: nn.train(nn.Perceptron(1), lambda y, r: 3, [([1.0], 1)]),
            r"epoch 1, data\[0\]: .*loss .*Value, got int 3",
        ),
        (lambda: nn.save(3, "x.json"), "Module, got int 3"),
        (lambda: nn.load(3, "x.json"), "Module.*, got int 3"),
    ],
)
def test_errors_of_nn_say_who_got_what(call, message):
    with pytest.raises((TypeError, ValueError, NotImplementedError), match=message):
        call()
