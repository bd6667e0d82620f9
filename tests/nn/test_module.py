"""Module: where parameters are found, and their state."""

import copy
import math
import pickle

import numpy as np
import pytest

import engine
import nn
from engine import Value
from tests.nn.helpers import unchanged_by_error


class Tree(nn.Module):
    """Parameters in every place where they can be, and attributes without any."""

    def __init__(self):
        self.alone = Value(1.0)
        self.nested = [Value(2.0), (Value(3.0), {"deep": Value(4.0)})]
        self.by_name = {"left": Value(5.0), 7: Value(6.0)}
        self.neuron = nn.Perceptron(1, init=[7.0, 8.0])
        self.again = [self.alone, self.neuron]
        self.inner = self.alone * 2
        self.constant = self.inner.parents[1]
        self.rest = (3.0, "text", None, {9.0}, np.array([1.0]), len)
        self.itself = self
        self.nested.append(self.nested)


class TestModule:
    def test_every_parameter_is_found_once(self):
        tree = Tree()
        assert tree.state_dict() == {
            "alone": 1.0, "nested.0": 2.0, "nested.1.0": 3.0, "nested.1.1.deep": 4.0, "by_name.left": 5.0,
            "by_name.7": 6.0, "neuron.w0": 7.0, "neuron.w1": 8.0,
        }  # fmt: skip
        assert [p.data for p in tree.parameters()] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]

    def test_children_may_be_temporary_objects(self):
        class Part(nn.Module):
            def __init__(self, *inner):
                self.weight, self.inner = Value(1.0), inner

            def children(self):
                return [("a", [self.weight]), ("b", list(self.inner))]

        assert len(Part(*[Part(Part()) for _ in range(50)]).parameters()) == 101

    def test_two_parameters_must_not_have_one_name(self):
        model = nn.Module()
        model.weights = {1: Value(1.0), "1": Value(2.0)}
        for use in (model.state_dict, lambda: model.load_state_dict({"weights.1": 3.0})):
            with pytest.raises(ValueError, match=r"weights\.1"):
                use()
        assert [p.data for p in model.parameters()] == [1.0, 2.0]

    def test_zero_grad_and_no_call(self):
        tree = Tree()
        engine.sum([*tree.parameters(), tree.inner]).backward()
        assert [p.grad for p in tree.parameters()] == [3.0] + [1.0] * 7
        tree.zero_grad()
        assert [p.grad for p in tree.parameters()] == [0.0] * 8
        with pytest.raises(NotImplementedError, match=r"Tree .*__call__"):
            tree(1.0)

    def test_a_state_is_loaded_by_name(self):
        source, target = nn.MLP(2, [3, 1], seed=1), nn.MLP(2, [3, 1], seed=2)
        leaves = target.parameters()
        target.load_state_dict(dict(reversed(source.state_dict().items())))
        assert target.state_dict() == source.state_dict()
        assert target([0.1, 0.2]).data == source([0.1, 0.2]).data
        assert target.parameters() == leaves

    @pytest.mark.parametrize(
        ("change", "error", "words"),
        [
            (lambda state: state.pop("w1"), ValueError, "w1;.*3 parameters, the state 2"),
            (lambda state: state.update(w3=1.0), ValueError, "w3;.*3 parameters, the state 4"),
            (lambda state: state.update(w2=math.nan), ValueError, "w2 .*finite.* got nan"),
            (lambda state: state.update(w2="1"), TypeError, "w2 .*real number, got str '1'"),
            (lambda state: state.update(w2=True), TypeError, "w2 .*got bool"),
        ],
    )
    def test_wrong_states_change_nothing(self, change, error, words):
        model = nn.Perceptron(2, init=[1.0, 2.0, 3.0])
        state = {"w0": 4.0, "w1": 5.0, "w2": 6.0}
        change(state)
        with unchanged_by_error(model, error, words):
            model.load_state_dict(state)
        with unchanged_by_error(model, TypeError, "got list"):
            model.load_state_dict([4.0, 5.0, 6.0])

    @pytest.mark.parametrize("twin", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
    def test_copy_and_pickle(self, twin):
        model = nn.MLP(2, [3, 1], seed=1)
        other = twin(model)
        assert other([1, 2]).data == model([1, 2]).data
        other.parameters()[0].data = 5.0
        assert model.parameters()[0].data == 0.0

    def test_only_leaf_values_are_parameters(self):
        class Line(nn.Module):
            def __init__(self):
                self.degree, self.me = 1, self
                self.slope, self.twice, self.several = Value(2.0), Value(3.0) * 2, [3, Value(1.0), "shift"]
                self.last = {"a": Value(5.0)}

        line = Line()
        assert line.state_dict() == {"slope": 2.0, "several.1": 1.0, "last.a": 5.0}
        assert repr(line) == "Line with 3 parameters"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Perceptron(1).load_state_dict([1]), "dict.* got list"),
        (lambda: nn.Perceptron(1).load_state_dict({"w0": 1.0}), r"w1; Perceptron\(1, 'sigmoid'\) has 2 .* 1$"),
        (lambda: nn.Perceptron(6).load_state_dict({}), r"w0, w1, w2, w3, w4 and 2 more; Perceptron.* has 7 .* 0$"),
        (lambda: nn.Perceptron(5).load_state_dict({"w0": 1.0}), r"w1, w2, w3, w4, w5; Perceptron.* has 6 .* 1$"),
        (lambda: nn.Perceptron(6).load_state_dict({"w0": 1.0}), r"w1, w2, w3, w4, w5 and 1 more; Perceptron.* 7 .* 1$"),
        (
            lambda: nn.Perceptron(1).load_state_dict({"w0": 1.0, "w1": 2.0, "w2": 3.0}),
            r"w2; Perceptron\(1, 'sigmoid'\) has 2 .* 3$",
        ),
    ],
)
def test_wrong_states(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
