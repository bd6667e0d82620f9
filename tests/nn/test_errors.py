"""Errors of nn for wrong arguments."""

import math

import pytest

import nn
from engine import RULES, Value


def test_an_activation_that_is_not_there():
    names = ["linear"]
    names += [x.symbol for x in RULES.values() if x.symbol not in ("neg", "abs") and x.arity == 1 and not x.finalize]
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        nn.Perceptron(1, "xyz")
    assert str(caught.value) == f"no activation is called 'xyz': there are {', '.join(map(repr, names))}"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Perceptron(0), "n_inputs is 1 or more, got 0"),
        (lambda: nn.Perceptron(1.5), "n_inputs is an int, got float 1.5"),
        (lambda: nn.Perceptron(True), "n_inputs is an int, got bool True"),
        (lambda: nn.Perceptron(1, init=[1.0]), "init has the 2 weights w0 to w1, got 1"),
        (lambda: nn.Perceptron(1, label=3), "a label is a str, got int 3"),
        (lambda: nn.Perceptron(1, 3), "an activation is told by its name, such as 'tanh', got int 3"),
        (lambda: nn.Perceptron(1, "tanhh"), "no activation is called 'tanhh': did you mean 'tanh'?"),
        (lambda: nn.Perceptron(1, "lineal"), "no activation is called 'lineal': did you mean 'linear'?"),
        (lambda: nn.Perceptron(2)([1.0]), "Perceptron(2, 'sigmoid') takes 2 inputs, got 1: list [1.0]"),
        (lambda: nn.Perceptron(1)([1.0, 2.0]), "Perceptron(1, 'sigmoid') takes 1 input, got 2: list [1.0, 2.0]"),
        (
            lambda: nn.Perceptron(2)(1.0),
            "Perceptron(2, 'sigmoid') takes 2 inputs in a list, a tuple or a NumPy row, got float 1.0",
        ),
        (lambda: nn.Perceptron(2)([1.0, "2"]), "x2 takes a real number, got str '2'"),
        (
            lambda: nn.Perceptron(1, "sign").learn([1.0], r=0),
            "a perceptron with sign gives 1 or -1, so r is 1 or -1, got int 0",
        ),
        (lambda: nn.Layer(1, 0), "n_outputs is 1 or more, got 0"),
        (lambda: nn.MLP(1, []), "sizes has one layer or more, got none"),
        (lambda: nn.MLP(1, 3), "sizes is a list with the number of neurons in every layer, got int 3"),
        (lambda: nn.MLP(1, [0]), "a size is 1 or more, got 0"),
        (
            lambda: nn.Perceptron(1, init="best"),
            "init is one of 'lecture', 'micrograd', 'xavier', 'he', got 'best'",
        ),
        (lambda: nn.Perceptron(1, init=3), "init is one of 'lecture', 'micrograd', 'xavier', 'he', got int 3"),
        (lambda: nn.Perceptron(1, seed="1"), "seed is an int, got str '1'"),
        (lambda: nn.SGD(3), "an optimizer takes a list of Values, got int 3"),
        (lambda: nn.SGD([3]), "an optimizer moves leaf Values, got int 3"),
        (lambda: nn.SGD([]), "an optimizer takes one parameter or more, got none"),
        (lambda: nn.Adam([Value(1.0)], betas=0.9), "betas is two numbers, got float 0.9"),
        (lambda: nn.Adam([Value(1.0)], epsilon=0), "epsilon is above 0, got 0"),
        (lambda: nn.hinge([Value(1.0)], [0]), "a target of hinge is 1 or -1, got 0.0"),
        (
            lambda: nn.binary_cross_entropy(Value(1.0), 2),
            "a target of binary_cross_entropy is 1, 0 or a probability in between, got 2.0",
        ),
        (
            lambda: nn.cross_entropy([Value(1.0), Value(2.0)], 2),
            "cross_entropy has the classes 0 to 1, got int 2",
        ),
        (
            lambda: nn.cross_entropy([Value(1.0), Value(2.0)], 0.5),
            "a target of cross_entropy is a class, an int from 0, got float 0.5",
        ),
        (
            lambda: nn.cross_entropy([Value(1.0), Value(2.0)], [0.5, 0.25]),
            "the probabilities of all classes have the sum 1, got as a target list [0.5, 0.25]",
        ),
        (
            lambda: nn.cross_entropy([Value(1.0)], 0),
            "cross_entropy takes a list of logits, one for each class, got list [Value(data=1.0, grad=0.0)]; "
            "for a single logit there is binary_cross_entropy",
        ),
        (
            lambda: nn.mse([Value(1.0)], [1.0, 2.0]),
            "mse takes as many outputs as targets, got list [Value(data=1.0, grad=0.0)] and list [1.0, 2.0]",
        ),
        (
            lambda: nn.cross_entropy([Value(1.0), Value(2.0)], [1.0]),
            "cross_entropy takes as many outputs as targets, got list [Value(data=1.0, grad=0.0), "
            "Value(data=2.0, grad=0.0)] and list [1.0]",
        ),
        (lambda: nn.mse(Value(1.0), "2"), "the target of mse takes a real number, got str '2'"),
        (lambda: nn.mse("1", 2), "mse takes a real number, got str '1'"),
        (lambda: nn.plateau(patience=0), "patience is 1 or more, got 0"),
        (lambda: nn.Perceptron(1).load_state_dict([1]), "load_state_dict takes a dict of numbers by name, got list"),
        (
            lambda: nn.Perceptron(1).load_state_dict({"w0": 1.0}),
            "the state lacks w1; Perceptron(1, 'sigmoid') has 2 parameters, the state 1",
        ),
        (
            lambda: nn.Perceptron(6).load_state_dict({}),
            "the state lacks w0, w1, w2, w3, w4 and 2 more; Perceptron(6, 'sigmoid') has 7 parameters, the state 0",
        ),
        (
            lambda: nn.Perceptron(1).load_state_dict({"w0": 1.0, "w1": 2.0, "w2": 3.0}),
            "the state has what this model lacks: w2; Perceptron(1, 'sigmoid') has 2 parameters, the state 3",
        ),
        (lambda: nn.Perceptron(1).load_state_dict({"w0": 1.0, "w1": "2"}), "w1 takes a real number, got str '2'"),
        (
            lambda: nn.Perceptron(5).load_state_dict({"w0": 1.0}),
            "the state lacks w1, w2, w3, w4, w5; Perceptron(5, 'sigmoid') has 6 parameters, the state 1",
        ),
        (
            lambda: nn.Perceptron(6).load_state_dict({"w0": 1.0}),
            "the state lacks w1, w2, w3, w4, w5 and 1 more; Perceptron(6, 'sigmoid') has 7 parameters, the state 1",
        ),
        (lambda: nn.Module()(1.0), "Module defines no __call__"),
        (lambda: nn.Layer(0, 1), "n_inputs is 1 or more, got 0"),
        (lambda: nn.MLP(0, [1]), "n_inputs is 1 or more, got 0"),
        (
            lambda: nn.Perceptron(2**63),
            "n_inputs is no more than a list can hold, got int 9223372036854775808",
        ),
        (lambda: nn.Perceptron(1).learn([1.0], "1"), "r takes a real number, got str '1'"),
        (lambda: nn.Perceptron(1).learn([1.0], 1, -1), "learning_rate is 0 or more, got -1"),
        (lambda: nn.Perceptron(1).learn([1.0], 1, "1"), "learning_rate takes a real number, got str '1'"),
        (lambda: nn.Perceptron(1).learn([], 1), "Perceptron(1, 'sigmoid') takes 1 input, got 0: list []"),
        (lambda: nn.Perceptron(1, "sign").classify([]), "Perceptron(1, 'sign') takes 1 input, got 0: list []"),
        (lambda: nn.SGD([Value(1.0)], -1), "learning_rate is 0 or more, got -1"),
        (lambda: nn.SGD([Value(1.0)], math.inf), "learning_rate takes a finite number, got inf"),
        (lambda: nn.SGD([Value(1.0)], momentum=1), "momentum is 0 or more and below 1, got 1"),
        (lambda: nn.SGD([Value(1.0)], weight_decay=-2), "weight_decay is 0 or more, got -2"),
        (lambda: nn.Adam([Value(1.0)], betas=(1, 0)), "betas[0] is 0 or more and below 1, got 1"),
        (lambda: nn.Adam([Value(1.0)], betas=(0, -1)), "betas[1] is 0 or more and below 1, got -1"),
        (lambda: nn.Adam([Value(1.0)], epsilon="0"), "epsilon takes a real number, got str '0'"),
        (
            lambda: nn.cross_entropy(Value(1.0), 0),
            "cross_entropy takes a list of logits, one for each class, got Value Value(data=1.0, grad=0.0); "
            "for a single logit there is binary_cross_entropy",
        ),
        (
            lambda: nn.cross_entropy([Value(1.0), Value(2.0)], [1.5, -0.5]),
            "a target of cross_entropy is a class or a probability for every class, got -0.5",
        ),
        (
            lambda: nn.train(nn.Perceptron(1), lambda y, r: 3, [([1.0], 1)]),
            "epoch 1, data[0]: a loss gives a Value, got int 3",
        ),
        (lambda: nn.save(3, "x.json"), "save takes a Module, got int 3"),
        (lambda: nn.load(3, "x.json"), "load takes a Module to load into, got int 3"),
    ],
)
def test_errors_of_nn_say_who_got_what(call, message):
    with pytest.raises((TypeError, ValueError, NotImplementedError)) as caught:
        call()
    assert str(caught.value) == message
