"""Small things that a user would notice, module by module; found by `python -m tests.mutation`."""

import copy
import io
import math
import pickle
import random
import sys
import time
import weakref

import numpy as np
import pytest

import engine
import nn
import viz
from engine import RULES, Value, no_grad
from engine.names import number

WITH_A_DOMAIN = [rule for rule in RULES.values() if rule.domain]


@pytest.mark.parametrize("package", [engine, nn])
def test_all_that_is_public_is_there(package):
    names = {}
    exec(f"from {package.__name__} import *", names)
    assert set(package.__all__) <= names.keys()


class TestRules:
    @pytest.mark.parametrize("rule", WITH_A_DOMAIN, ids=lambda rule: rule.symbol)
    def test_the_domain_is_where_there_is_a_value(self, rule):
        numbers = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
        for a in numbers:
            for b in numbers[:: 1 if rule.arity == 2 else len(numbers)]:
                operands = (a, b)[: rule.arity]
                try:
                    node = operation(rule)(*map(Value, operands))
                except ArithmeticError:
                    node = None
                assert bool(eval(rule.domain, {"a": a, "b": b})) == (node is not None), operands

    def test_the_row_of_a_user_is_short(self):
        assert "evaluate" not in repr(RULES["exp"])
        assert "function" not in repr(RULES["exp"])

    def test_a_row_does_not_change(self):
        with pytest.raises(AttributeError):
            RULES["exp"].value = "a"

    def test_a_graph_of_a_rule_that_is_not_here(self):
        with pytest.raises(LookupError, match=r"no rule 'gone' here: add it by engine\.rule"):
            engine.rules._rule_of("gone")


def operation(rule):
    signs = {"/": lambda a, b: a / b, "**": lambda a, b: a**b}
    return signs.get(rule.symbol) or getattr(engine, rule.symbol)


class TestValue:
    def test_can_be_watched_by_a_weak_reference(self):
        a = Value(1.0)
        assert weakref.ref(a)() is a

    def test_compares_with_numbers_on_either_side(self):
        a = Value(2.0)
        for other in (2, 2.0, np.float64(2.0), Value(2.0)):
            assert a <= other
            assert a >= other
            assert not a < other
            assert not a > other
        assert a < 3
        assert a > 1
        assert a <= 3
        assert a >= 1
        assert not a <= 1
        assert not a >= 3
        for compare in (lambda: a < "3", lambda: a <= "3", lambda: a > "3", lambda: a >= "3"):
            with pytest.raises(TypeError, match="'Value' and 'str'"):
                compare()

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: Value("3"), "Value takes a real number, got str '3'"),
            (lambda: Value(math.inf), "Value takes a finite number, got inf"),
            (lambda: Value(1.0, 2), "the label of a Value is a str, got int 2"),
            (lambda: setattr(Value(1.0), "data", "3"), "Value.data takes a real number, got str '3'"),
            (lambda: engine.sum(3), "sum takes a list of Values and numbers, got int 3"),
            (lambda: engine.sum(["3"]), "sum takes a real number, got str '3'"),
            (lambda: engine.dot([1], ["3"]), "dot takes a real number, got str '3'"),
            (lambda: engine.dot(["3"], [1]), "dot takes a real number, got str '3'"),
            (lambda: engine.logsumexp(["3"]), "logsumexp takes a real number, got str '3'"),
            (lambda: engine.logsumexp([]), "logsumexp takes one operand or more, got none"),
            (lambda: engine.softmax(["3"]), "softmax takes a real number, got str '3'"),
            (lambda: engine.tanh("3"), "tanh takes a real number, got str '3'"),
            (lambda: engine.maximum(1, "3"), "maximum takes a real number, got str '3'"),
            (lambda: Value(1.0) + math.nan, "the operator + takes a finite number, got nan"),
            (lambda: math.inf * Value(1.0), "the operator * takes a finite number, got inf"),
        ],
    )
    def test_says_who_got_what(self, call, message):
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        assert str(caught.value) == message

    def test_a_large_integer_is_named_in_short(self):
        with pytest.raises(OverflowError, match=r"^int 10000\d*\.\.\.\d* is too large for a float \(up to 1\.8e308\)$"):
            Value(10**400)


class TestNames:
    def test_operators_have_names_and_documentation(self):
        assert Value.__add__.__name__ == "__add__"
        assert Value.__radd__.__qualname__ == "Value.__radd__"
        assert Value.__mul__.__doc__ == "a*b: the product.\n\nDerivative by a: b\nDerivative by b: a"
        assert engine.tanh.__module__ == "engine"
        assert engine.tanh.__name__ == engine.tanh.__qualname__ == "tanh"

    def test_the_documentation_of_a_function(self):
        assert engine.log.__doc__ == (
            "log(a): the natural logarithm.\n\nDerivative by a: 1/a\n"
            "Defined for a > 0; elsewhere an ArithmeticError.\n\n"
            ">>> log(0.5)\nValue(data=-0.693147, grad=0.0, op='log')"
        )
        assert engine.sigmoid.__doc__.startswith("sigmoid(a): 1/(1 + exp(-a)), in (0, 1) (lecture P14).\n")
        assert engine.tanh.__doc__.startswith("tanh(a): the hyperbolic tangent, in (-1, 1).\n")
        assert engine.maximum.__doc__.startswith("maximum(a, b): the larger of a and b; at a tie each has slope 1/2.\n")
        assert engine.sigmoid.__doc__.splitlines()[2] == "Derivative by a: sigmoid(a)*(1 - sigmoid(a))"
        assert ">>> maximum(0.5, 2.0)" in engine.maximum.__doc__

    def test_functions_go_through_pickle(self):
        assert pickle.loads(pickle.dumps(engine.tanh)) is engine.tanh


class TestCopies:
    def test_what_is_copied_together_stays_together(self):
        a = Value(2.0, "a")
        b = a * 3
        for a_too, b_too, c in (copy.deepcopy([a, b, b + a]), [*copy.deepcopy([b, a, b + a])[1::-1], None]):
            assert b_too.parents[0] is a_too
            assert c is None or c.parents == (b_too, a_too)

    def test_of_a_deep_graph(self):
        y = Value(1.0)
        for _ in range(5000):
            y = -y
        twin = copy.deepcopy(y)
        twin.backward()
        assert len(engine.topological_order(twin)) == 5001
        assert y.parents[0].grad == 0.0


class TestNumbers:
    def test_precision(self):
        shown = [number(24.70408, precision) for precision in (1, 2, 3, 17)]
        assert shown == ["2e+01", "25.0", "24.7", "24.704080000000001"]
        with pytest.raises(ValueError, match="1 significant digit or more, got 0"):
            number(1.0, 0)


class TestNeutral:
    def test_adding_nothing_and_multiplying_by_one_make_no_node(self):
        a = Value(2.0)
        assert a + 0 is a
        assert 0 + a is a
        assert a * 1 is a
        assert 1.0 * a is a
        assert (a - 0).op == "-"
        assert (a + 1).op == "+"
        assert (a * 0).op == "*"

    def test_the_side_of_a_number(self):
        a = Value(2.0)
        results = [(3 - a).data, (a - 3).data, (3 / a).data, (a / 4).data, (3**a).data, (a**3).data]
        assert results == [1.0, -1.0, 1.5, 0.5, 9.0, 8.0]


class TestNoGrad:
    def test_ends_as_it_began(self):
        with no_grad():
            with no_grad():
                pass
            assert (Value(1.0) + 1).is_constant
        assert not (Value(1.0) + 1).is_constant


class TestBackprop:
    def test_a_notebook_and_a_terminal_show_what_the_prompt_shows(self):
        a = Value(2.0, "a")
        walk = engine.Backprop(a * 3)
        assert walk.__rich__().plain == repr(walk)
        step = walk.step()
        assert step.__rich__().plain == str(step) == repr(step)
        colours = [(str(span.style), step.__rich__().plain[span.start : span.end]) for span in step.__rich__().spans]
        assert colours == [("cyan", "  d(a*3)/da"), ("bold", "1.0"), ("bold", "3.0")]

    def test_what_a_contribution_shows_of_itself(self):
        (given,) = engine.Backprop(Value(2.0, "a") * 3).step().contributions
        assert repr(given) == (
            "Contribution(parent=Value(data=2.0, grad=3.0, label='a'), local=3.0, amount=3.0, before=0.0, total=3.0)"
        )

    @pytest.mark.parametrize(
        ("function", "symbols"),
        [
            (engine.erfc, "(-2/pi**0.5*exp(-x*x))"),
            (engine.exp, "exp(x)"),
            (engine.tanh, "(1 - tanh(x)**2)"),
            (engine.log, "(1/x)"),
            (lambda x: x**3, "(3*x**2)"),
            (lambda x: x**1.5, "(1.5*x**0.5)"),
            (engine.relu, "(1 if x > 0 else 0)"),
            (lambda x: engine.maximum(x, 0.25), "(1 if x > 0.25 else 0 if x < 0.25 else 0.5)"),
            (lambda x: x / -2, "(1/-2)"),
            (lambda x: engine.dot([3], [x]), "3"),
        ],
    )
    def test_the_local_derivative_in_symbols(self, function, symbols):
        (given,) = engine.Backprop(function(Value(0.5, "x"))).step().contributions
        assert given.symbols == symbols


class TestCompile:
    @pytest.mark.parametrize("rows", [1, 5000])
    def test_names_the_first_row_where_none_has_a_value(self, rows):
        w, x = Value(1.0, "w"), Value(1.0, "x")
        f = engine.compile(w * w * x, x)
        w.data = 1e200
        with pytest.raises(OverflowError, match=r"^row 0: w\*w overflows at w = 1e\+200"):
            f(np.ones((rows, 1)))


class TestDefaults:
    def test_of_models(self):
        assert repr(nn.MLP(2, [3, 1])) == "MLP(2, [3, 1], hidden='tanh', output='linear')"
        assert repr(nn.Layer(2, 3)) == "Layer(2, 3, 'sigmoid')"
        assert repr(nn.Perceptron(2)) == "Perceptron(2, 'sigmoid')"

    def test_of_optimizers(self):
        sgd, adam = nn.SGD([Value(1.0)]), nn.Adam([Value(1.0)])
        assert (sgd.learning_rate, sgd.momentum, sgd.weight_decay) == (0.1, 0.0, 0.0)
        assert (adam.learning_rate, adam.betas, adam.epsilon, adam.weight_decay) == (0.02, (0.9, 0.999), 1e-8, 0.0)

    def test_of_the_plateau(self):
        stop = nn.plateau()
        assert (stop.tolerance, stop.patience) == (1e-4, 20)

    def test_of_the_learning_rule(self):
        neuron = nn.Perceptron(1, "linear", init=[0.0, 0.0])
        assert neuron.learn([2.0], r=1) == 1.0
        assert neuron.state_dict() == {"w0": 0.1, "w1": 0.2}
        neuron = nn.Perceptron(1, "sign", init=[0.0, 0.0])
        data = [([1.0], 1), ([1.0], -1)]
        assert neuron.fit(data).epochs == 100
        assert neuron.weights[0].label == "w0"

    def test_of_training(self):
        line = nn.Perceptron(1, "linear", seed=1)
        still = nn.SGD(line.parameters(), 0)
        history = nn.train(line, nn.mse, [([1.0], 1.0)], until=lambda history: False, optimizer=still)
        assert history.epochs == 1000


class TestLabels:
    def test_of_weights_and_neurons(self):
        layer = nn.Layer(2, 2, label="hidden")
        assert [name for name, _ in layer.named_parameters()] == ["w10", "w11", "w12", "w20", "w21", "w22"]
        assert [w.label for w in layer.parameters()][:2] == ["hidden.w10", "hidden.w11"]
        (y, _), x = layer([1.0, 2.0]), ["x0", "x1", "x2"]
        assert (y.label, y.parents[0].label) == ("hidden.z1", "hidden.a1")
        assert [p.label for p in y.parents[0].parents] == ["hidden.w10", "hidden.w11", "hidden.w12", *x]
        linear = nn.Layer(1, 1, "linear")
        assert linear([1.0])[0].label == "z1"

    def test_a_comma_from_ten_on(self):
        assert [name for name, _ in nn.Layer(9, 9).named_parameters()][:2] == ["w10", "w11"]
        assert [name for name, _ in nn.Layer(10, 1).named_parameters()][:2] == ["w1,0", "w1,1"]
        assert [name for name, _ in nn.Layer(1, 10).named_parameters()][:2] == ["w1,0", "w1,1"]

    def test_of_a_perceptron(self):
        neuron = nn.Perceptron(1, "tanh", label="n")
        y = neuron(0.5)
        assert (y.label, y.parents[0].label, neuron.weights[1].label) == ("n.y", "n.a", "n.w1")
        assert nn.Perceptron(1, "linear", label="n")(0.5).label == "n.y"


def test_an_activation_that_is_not_there():
    names = ["linear"]
    names += [x.symbol for x in RULES.values() if x.symbol not in ("neg", "abs") and x.arity == 1 and not x.fold]
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
        (lambda: nn.Perceptron(1, "sign").choose([]), "Perceptron(1, 'sign') takes 1 input, got 0: list []"),
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


class TestModules:
    def test_of_ones_own(self):
        class Line(nn.Module):
            def __init__(self):
                self.degree, self.me = 1, self
                self.slope, self.twice, self.parts_of_it = Value(2.0), Value(3.0) * 2, [3, Value(1.0), "shift"]
                self.last = {"a": Value(5.0)}

        line = Line()
        assert line.state_dict() == {"slope": 2.0, "parts_of_it.1": 1.0, "last.a": 5.0}
        assert repr(line) == "Line with 3 parameters"


class TestSchemes:
    def test_where_the_weights_lie(self):
        def weights(scheme):
            return [w.data for w in nn.Perceptron(9999, "relu", init=scheme, seed=1).weights]

        for scheme, bound in {"lecture": 0.01, "micrograd": 1.0, "xavier": math.sqrt(6 / 10000)}.items():
            first, *rest = weights(scheme)
            assert -bound <= min(rest) < -0.99 * bound
            assert 0.99 * bound < max(rest) <= bound
            assert (first == 0.0) == (scheme != "lecture")
        first, *rest = weights("he")
        assert first == 0.0
        assert np.std(rest) == pytest.approx(math.sqrt(2 / 9999), rel=0.03)
        assert np.mean(rest) == pytest.approx(0.0, abs=5e-4)

    def test_a_perceptron_has_one_output(self):
        """The bound of Glorot and Bengio for two inputs and one output, the square root of 6/3."""
        weights = [w.data for seed in range(99) for w in nn.Perceptron(2, "tanh", init="xavier", seed=seed).weights]
        assert 1.3 < max(weights) <= math.sqrt(2)

    @pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "softplus", "gelu", "silu", "tanh", "linear"])
    def test_which_is_taken(self, activation):
        chosen = "xavier" if activation in ("tanh", "linear") else "he"
        by_default, named = (nn.Perceptron(3, activation, init=init, seed=1) for init in (None, chosen))
        assert by_default.state_dict() == named.state_dict()


class TestOptimizers:
    @pytest.mark.parametrize(
        ("optimizer", "moved"),
        [
            (lambda p: nn.SGD(p, 0.5), [0.5, -0.5]),
            (lambda p: nn.SGD(p, 0.5, momentum=0.5), [0.5, -0.75]),
            (lambda p: nn.SGD(p, 0.5, weight_decay=0.5), [0.25, -0.8125]),
            (lambda p: nn.Adam(p, 0.5, (0.5, 0.75)), [0.5, 0.5 - 0.5 * (1.25 / 0.75) / math.sqrt(1.1875 / 0.4375)]),
        ],
        ids=["plain", "momentum", "weight decay", "Adam"],
    )
    def test_two_steps(self, optimizer, moved):
        w = Value(1.0, "w")
        moves = optimizer([w])
        for grad, data in zip((1.0, 2.0), moved, strict=True):
            w.grad = grad
            moves.step()
            assert w.data == pytest.approx(data, abs=1e-7)
        assert moves.steps == 2
        moves.zero_grad()
        assert w.grad == 0.0

    def test_a_step_that_overflows(self):
        w = Value(1e308)
        w.grad = -1e308
        optimizer = nn.SGD([w], 10.0)
        message = r"^the step of a parameter overflows, from 1e\+308 with the gradient -1e\+308: take a .* than 10$"
        with pytest.raises(OverflowError, match=message):
            optimizer.step()
        assert (w.data, optimizer.steps) == (1e308, 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: engine.grad(3, []), "grad differentiates a Value, got int 3"),
        (lambda: engine.grad(Value(1.0), 3), "inputs are a Value, or Values in a list, got int 3"),
        (lambda: engine.grad(Value(1.0), [3]), "an input is a Value; input 0 is int 3"),
        (lambda: engine.jacobian(3, []), "outputs are a Value, or Values in a list, got int 3"),
        (lambda: engine.topological_order(3), "a graph starts from a Value, got int 3"),
        (lambda: engine.compile(3, Value(1.0)), "an output is a Value, or Values in a list, got int 3"),
        (lambda: engine.compile([3], Value(1.0)), "an output is a Value, got int 3"),
        (lambda: engine.compile([], Value(1.0)), "compile takes one output or more, got none"),
        (lambda: engine.compile(Value(1.0), 3), "an input is a Value, or Values in a list, got int 3"),
        (lambda: engine.compile(Value(1.0), [3]), "an input is a Value, got int 3"),
        (lambda: engine.compile(Value(1.0), []), "compile takes one input or more, got none"),
        (lambda: engine.check_gradients(abs, [1.0], order=3), "order is 1 or 2, got int 3"),
        (
            lambda: engine.check_gradients(lambda a: 3.0, [1.0]),
            "f gives float 3.0, and is to give a Value, which has a graph",
        ),
        (lambda: engine.rule("new", 3), "a rule is made of texts, got int 3"),
        (lambda: engine.rule("if", "a", "1"), "the symbol of a rule is a name, such as 'mish', got 'if'"),
        (lambda: engine.rule("exp", "a", "1"), "the symbol 'exp' is taken: find another"),
        *(
            (lambda symbol=symbol: engine.rule(symbol, "2*a", "2"), f"the symbol {symbol!r} is taken: find another")
            for symbol in ["a", "b", "out", "x", "y", "node", "upstream", "top", "total", "pi", "ChangedError"]
        ),
        *(
            (
                lambda name=name: engine.rule("new", f"{name}(a)", "1"),
                f"the value of new, '{name}(a)', gives 1 operand(s) to {name}, which takes 2",
            )
            for name in ("atan2", "hypot", "max", "pow")
        ),
        (
            lambda: engine.rule("new", "2*a"),
            "the value of new, '2*a', is made of a: it takes as many partials, got 0",
        ),
        (
            lambda: engine.rule("new", "a*b", "b"),
            "the value of new, 'a*b', is made of a and b: it takes as many partials, got 1",
        ),
        (
            lambda: engine.rule("new", "tanh(a, b)", "1", "1"),
            "the value of new, 'tanh(a, b)', gives 2 operand(s) to tanh, which takes 1",
        ),
        (lambda: engine.rule("new", "tanhh(a)", "1"), "the value of new, 'tanhh(a)', names tanhh, did you mean tanh?"),
        (lambda: engine.rule("new", "a[0]", "1"), "the value of new, 'a[0]', is no arithmetic: 'a[0]' is in it"),
        (
            lambda: engine.rule("new", "2*a", "2*erf(a)"),
            "the partial of new by a, '2*erf(a)', names erf, did you mean erfc?",
        ),
        (
            lambda: engine.rule("new", "1 if a > 0 else 2.0", "0"),
            "the value of new, '1 if a > 0 else 2.0', gives 1, which is no float: write 1.0 for 1 and True",
        ),
        (
            lambda: engine.rule("new", "2*a", "2", reads=("2a", "2", "3")),
            "reads of new has the value, or the value and each partial; got 3 texts",
        ),
    ],
)
def test_errors_of_engine_say_who_got_what(call, message):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert str(caught.value) == message


class TestFiles:
    def test_what_does_not_belong_there_is_named(self, tmp_path):
        path = tmp_path / "model.json"
        model = nn.Perceptron(1, init=[1.0, 2.0])
        nn.save(model, path)
        path.write_text(path.read_text().replace('"model"', '"author": "me", "model"'))
        with pytest.raises(
            ValueError, match=r"does not load: .* a model and parameters; .* author, model, parameters$"
        ):
            nn.load(model, path)
        path.write_text("[]")
        with pytest.raises(ValueError, match=r"model\.json does not load: it is no glassgrad model 1$"):
            nn.load(model, path)
        path.write_text('{"format": 1, "format": 2}')
        with pytest.raises(ValueError, match=r"model\.json does not load: a name stands twice in it$"):
            nn.load(model, path)

    def test_a_folder_that_is_not_there(self, tmp_path):
        path = tmp_path / "gone" / "model.json"
        with pytest.raises(FileNotFoundError) as caught:
            nn.save(nn.Perceptron(1), path)
        assert caught.value.filename == str(path)


class TestLosses:
    def test_of_one_example_is_no_mean(self):
        assert nn.mse(Value(1.0), 2.0).op == "**"
        assert nn.mse([Value(1.0), Value(3.0)], [2.0, 3.0]).op == "/"

    def test_accuracy_at_the_boundary(self):
        data = [(0.0, 0), (1.0, 1), (-1.0, 1), (2.0, 1)]
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        assert nn.evaluate(line, nn.binary_cross_entropy, data)[1] == 0.75
        assert nn.evaluate(line, nn.hinge, [(x, 2 * r - 1) for x, r in data])[1] == 0.75
        assert nn.evaluate(line, nn.mse, data)[1] is None
        assert nn.evaluate(line, nn.binary_cross_entropy, [(0.0, 0.5)])[1] == 1.0


class TestTraining:
    @pytest.mark.parametrize("compiled", [False, True])
    def test_an_error_names_the_batch(self, compiled):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [([1.0], 1.0), ([1e200], 0.0)]
        with pytest.raises(ArithmeticError, match=r"^epoch 1, data\[1\]: "):
            nn.train(line, nn.mse, data, shuffle=False, compiled=compiled)
        assert line.state_dict() == {"w0": 0.0, "w1": 1.0}
        fast = nn.SGD(line.parameters(), 1e306)
        batch = r"data\[0\], data\[1\], data\[2\], data\[3\] and 1 more"
        with pytest.raises(OverflowError, match=rf"^epoch 1, the batch of {batch}: the step of w\d overflows"):
            nn.train(line, nn.mse, [([1e3], 0.0)] * 5, optimizer=fast, shuffle=False, compiled=compiled)
        with pytest.raises(OverflowError, match=r"batch of data\[0\], data\[1\], data\[2\], data\[3\]: the step"):
            nn.train(line, nn.mse, [([1e3], 0.0)] * 4, optimizer=fast, shuffle=False, compiled=compiled)

    def test_graphs_of_one_size_with_other_operations(self):
        found = []
        for compiled in (False, True):
            w = Value(0.5, "w")
            history = nn.train(
                lambda x: w * x if x > 0 else w + x,  # noqa: B023
                nn.mse, [(1.0, 2.0), (-1.0, 2.0), (2.0, 1.0)], optimizer=nn.SGD([w]), epochs=3, seed=1,
                compiled=compiled,
            )  # fmt: skip
            found.append([*history.loss, w.data])
        assert found[0] == pytest.approx(found[1], rel=1e-12, abs=0.0)

    @pytest.mark.parametrize("compiled", [False, True])
    def test_a_history_of_one_step(self, compiled):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [([1.0], 1), ([2.0], -1), ([3.0], 1)]
        sgd = nn.SGD(line.parameters(), 0.5)
        history = nn.train(line, nn.hinge, data, optimizer=sgd, epochs=1, shuffle=False, compiled=compiled)
        assert history.loss == pytest.approx([1.0])
        assert history.accuracy == pytest.approx([2 / 3])
        assert line.state_dict() == pytest.approx({"w0": -1 / 6, "w1": 1 - 1 / 3})

    @pytest.mark.parametrize("compiled", [False, True])
    def test_an_accuracy_of_ones_own(self, compiled):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [([1.0], 1.0), ([2.0], 2.5), ([3.0], 3.0), ([4.0], 4.0)]
        history = nn.train(
            line, nn.mse, data, optimizer=nn.SGD(line.parameters(), 0.0), epochs=2, until=lambda history: False,
            accuracy=lambda y, r: abs(float(y) - r) < 0.1, batch_size=3, compiled=compiled,
        )  # fmt: skip
        assert history.accuracy == [0.75, 0.75]
        assert history.loss == pytest.approx([0.0625, 0.0625])

    @pytest.mark.parametrize(
        ("loss", "targets"),
        [
            (nn.mse, [(1.0, 0.0), (0.25, 0.75)]),
            (nn.cross_entropy, [(1.0, 0.0), (0.25, 0.75)]),
            (nn.cross_entropy, [0, 1]),
            (nn.hinge, [(1, -1), (-1, -1)]),
            (nn.binary_cross_entropy, [(1, 0), (0, 0.75)]),
        ],
    )
    def test_compiled_is_what_it_is_on_values(self, loss, targets):
        data = [([0.1 * i, 1 - 0.2 * i], targets[i % 3 > 0]) for i in range(7)]
        found = []
        for compiled in (False, True):
            model = nn.MLP(2, [3, 2], seed=1)
            history = nn.train(model, loss, data, epochs=3, batch_size=3, seed=1, compiled=compiled)
            found.append((history.loss, history.accuracy, list(model.state_dict().values())))
        for on_values, replayed in zip(*found, strict=True):
            assert replayed == pytest.approx(on_values, rel=1e-9)

    def test_the_steps_of_an_epoch(self):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [([x], 0.0) for x in (1.0, 2.0, 3.0)]
        still = nn.SGD(line.parameters(), 0.0)
        history = nn.train(line, nn.mse, data, optimizer=still, epochs=1, batch_size=2, shuffle=False)
        assert history.steps == pytest.approx([2.5, 9.0])
        assert history.loss == pytest.approx([14 / 3])

    def test_two_batches_are_shuffled(self):
        found = set()
        for seed in range(8):
            line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
            sgd = nn.SGD(line.parameters(), 0.1)
            nn.train(line, nn.mse, [([1.0], 0.0), ([-2.0], 3.0)], optimizer=sgd, epochs=1, batch_size=1, seed=seed)
            found.add(line.weights[1].data)
        assert len(found) == 2

    @pytest.mark.parametrize("compiled", [False, True])
    def test_until_sees_the_parameters(self, compiled):
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        sgd, seen = nn.SGD(line.parameters(), 0.25), []
        nn.train(
            line, nn.mse, [([1.0], 0.0)], optimizer=sgd, epochs=3, compiled=compiled,
            until=lambda history: seen.append(line.weights[1].data) or False,
        )  # fmt: skip
        assert seen == [0.5, 0.5, 0.5]

    def test_compiled_without_what_it_needs(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "nn.replayed", None)
        line = nn.Perceptron(1, "linear")
        with pytest.raises(
            ImportError, match=r"^compiled training needs nn\.replayed: pip install 'glassgrad\[fast\]'$"
        ):
            nn.train(line, nn.mse, [([1.0], 1.0)], compiled=True)
        assert nn.train(line, nn.mse, [([1.0], 1.0)], epochs=2).epochs == 2

    @pytest.mark.parametrize("seed", range(20))
    def test_the_plateau_reads_histories_as_they_come(self, seed):
        """Its definition, on losses with ties, as they are added, of one history after another and of shorter ones."""
        rng = random.Random(seed)
        tolerance, patience = rng.choice([0.0, 1.0]), rng.randint(1, 4)
        stop = nn.plateau(tolerance, patience)
        histories = [nn.History(), nn.History()]
        for _ in range(60):
            history = histories[rng.random() < 0.1]
            for _ in range(rng.randint(1, 3)):
                history.add(float(rng.randint(0, 20)), None)
            if rng.random() < 0.1:
                del history.loss[rng.randint(0, history.epochs) :]
            before, last = history.loss[:-patience], history.loss[-patience:]
            assert stop(history) == (bool(before) and min(last) > min(before) - tolerance)

    def test_a_history_at_first(self):
        history = nn.History()
        assert repr(history) == "History: 0 epochs, not converged"
        assert history.converged is history.interrupted is False


class TestPictures:
    def test_the_terms_of_a_weighted_sum_are_named(self):
        ws, xs = ([Value(1.0, f"{letter}{i}") for i in (1, 2)] for letter in "wx")
        source = viz.draw(engine.dot(ws, xs), expand=True).source
        assert "w1*x1" in source
        assert "w2*x2" in source


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestProgress:
    @pytest.fixture
    def shown(self, monkeypatch):
        """What a training shows in a terminal, of which a look takes no time but PAUSE."""

        def shown(patience=0.0, **options):
            terminal = Terminal()
            monkeypatch.setattr("sys.stderr", terminal)
            monkeypatch.setattr("nn.progress.PATIENCE", patience)
            for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", "NO_COLOR": "1"}.items():
                monkeypatch.setenv(name, value)
            line = nn.Perceptron(1, "linear", init=[0.0, 0.0])
            nn.train(
                line, nn.mse, [([1.0], 2.0)] * 2, optimizer=nn.SGD(line.parameters(), 0.0), epochs=4, batch_size=1,
                compiled=False, until=lambda history: history.epochs == 3, **options,
            )  # fmt: skip
            return terminal.getvalue()

        return shown

    @pytest.mark.parametrize("options", [{}, {"progress": True}, {"progress": False}])
    def test_the_bar_shows_the_last_epoch(self, shown, options):
        told = shown(callback=lambda history: time.sleep(0.11), **options)
        bar = "training ━━━━━━━━━━━━╸         62% loss 4 0:00:0"
        assert (bar in told) == options.get("progress", True)
        assert ("\x1b[2K" in told.rpartition(bar)[2]) == (bar in told)  # at the end the line is wiped

    def test_a_short_training_shows_none(self, shown):
        assert shown(patience=1.0) == ""

    @pytest.mark.parametrize("terminal", [False, True])
    def test_what_is_printed_stays_above_it(self, shown, monkeypatch, terminal):
        stdout = Terminal() if terminal else io.StringIO()
        monkeypatch.setattr("sys.stdout", stdout)
        told = shown(callback=lambda history: print("epoch", history.epochs))
        assert ("epoch 3" in told) == terminal
        assert ("epoch 3" in stdout.getvalue()) == (not terminal)
