"""Signals: a, z and delta of every neuron."""

import pytest

import engine
import nn
from engine import Value
from nn.signals import layers_of, record_example, signals_of, slope
from tests.nn.helpers import close


@pytest.mark.parametrize(
    "model", [nn.Perceptron(2, "tanh", seed=1), nn.Layer(2, 3, "relu", seed=1), nn.MLP(2, [3, 2], seed=1)], ids=repr
)
class TestSignals:
    def test_are_those_of_a_call(self, model):
        outputs = model([0.5, -1.0])
        signals = signals_of(model, [0.5, -1.0])
        assert signals.x == [0.5, -1.0]
        assert signals.z[-1] == [y.data for y in (outputs if isinstance(outputs, list) else [outputs])]
        assert [[len(row) for row in numbers] for numbers in (signals.a, signals.z, signals.deltas)] == [
            [len(neurons) for neurons in layers_of(model, "test")]
        ] * 3

    def test_the_trace_needs_no_recorded_graph(self, model):
        with engine.no_grad():
            trace = model.trace([0.5, -1.0])
        signals = signals_of(model, [0.5, -1.0])
        assert [[x.data for x in a] for a, _ in trace] == signals.a
        assert [[x.data for x in z] for _, z in trace] == signals.z

    def test_deltas_are_gradients_of_the_bias_weights(self, model):
        targets = 1.0 if isinstance(model, nn.Perceptron) else [1.0, -1.0, 0.0][: len(layers_of(model, "test")[-1])]
        model.zero_grad()
        with engine.no_grad():
            signals = signals_of(model, [Value(0.5), -1.0], targets, nn.mse)
        assert not any(p.grad for p in model.parameters()), "the gradients are as before"
        assert signals_of(model).deltas == [[None] * len(row) for row in signals.deltas]
        outputs = model([0.5, -1.0])
        loss = nn.mse(outputs, targets)
        loss.backward()
        after = signals_of(model)
        assert signals.loss == loss.data
        assert [close(row) for row in after.deltas] == signals.deltas
        assert (after.x, after.a[0][0], after.loss) == ([None, None], None, None)


def test_the_slope_of_an_activation():
    assert slope(nn.Perceptron(1, "linear"), 3.0, 3.0) == 1.0
    assert slope(nn.Perceptron(1, "sigmoid"), 0.0, 0.5) == 0.25


def test_wrong_arguments():
    with pytest.raises(TypeError, match=r"^draw: model .*Perceptron, a Layer or an MLP, got int 3"):
        layers_of(3, "draw")
    with pytest.raises(TypeError, match=r"loss .*Value, got float"):
        signals_of(nn.Perceptron(1), [1.0], 1.0, lambda y, r: 0.5)
    with pytest.raises(TypeError, match=r"loss must be a function, such as nn\.mse, got str 'mse'"):
        signals_of(nn.Perceptron(1), [1.0], 1.0, "mse")
    with pytest.raises(ValueError, match=r"loss must .*target.* that the model learns.* loss=nn\.mse"):
        signals_of(nn.Perceptron(1), [1.0], 1.0)
    with pytest.raises(ValueError, match=r"inputs must .* with a target"):
        signals_of(nn.Perceptron(1), target=1.0, loss=nn.mse)
    with pytest.raises(ValueError, match=r"target must .* with a loss"):
        signals_of(nn.Perceptron(1), [1.0], loss=nn.mse)


def test_gradients_are_those_of_the_outputs():
    signals = signals_of(nn.Perceptron(1, "relu", init=[-5.0, 1.0]), [1.0], 1.0, nn.mse)
    assert (signals.gradients, signals.deltas) == ([[-2.0]], [[0.0]]), "known although the slope is 0"
    assert signals_of(nn.Perceptron(1), [1.0]).gradients == [[None]]


def test_an_activation_that_is_undefined_around_1_is_recorded():
    engine.rule("far_root", "sqrt(a - 10)", "0.5/sqrt(a - 10)")
    graph = record_example(nn.Perceptron(1, "far_root", init=[13.0, 1.0]), [1.0], 5.0, nn.mse)
    assert graph.loss.data == 9.0  # (sqrt(14 - 10) - 5)**2


def test_the_slope_is_that_of_the_neurons_own_rule():
    name = "slope_of_old_neurons"
    engine.rule(name, "a*a", "2*a")
    neuron = nn.Perceptron(1, name)
    engine.rule(name, "3*a", "3")
    assert slope(neuron, 4.0, 16.0) == 8.0
    with engine.no_grad():
        assert slope(nn.Perceptron(1, name), 4.0, 12.0) == 3.0


def test_signals_inside_no_grad():
    model = nn.MLP(2, [2, 1], seed=1)
    expected = signals_of(model, [0.5, -1.0], 1.0, nn.mse)
    with engine.no_grad():
        assert signals_of(model, [0.5, -1.0], 1.0, nn.mse) == expected


class TestExampleGraph:
    def test_has_the_loss_and_the_gradients_of_the_model(self):
        model, x, r = nn.MLP(2, [3, 2], hidden="tanh", output="sigmoid", seed=1), [0.5, -1.0], [1.0, 0.0]
        graph = record_example(model, x, r, nn.mse)
        signals = signals_of(model, x, r, nn.mse)
        assert graph.loss.data == signals.loss
        graph.loss.backward()
        assert [[node.grad for node in layer] for layer in graph.a] == [close(layer) for layer in signals.deltas]
        assert [[node.grad for node in layer] for layer in graph.z] == [close(layer) for layer in signals.gradients]
        assert [[node.data for node in layer] for layer in graph.z] == signals.z
        assert [leaf.data for leaf in (*graph.x, *graph.target)] == [*x, *r]

    def test_a_linear_output_is_a_node_of_its_own(self):
        graph = record_example(nn.Perceptron(1, "linear", init=[1.0, 2.0]), [3.0], 5.0, nn.mse)
        assert graph.z[0][0].parents == (graph.a[0][0],)
        assert graph.loss.data == 4.0

    def test_a_class_is_a_one_among_zeros(self):
        model = nn.MLP(2, [3], seed=1)
        graph = record_example(model, [0.5, -1.0], 1, nn.cross_entropy)
        assert [leaf.data for leaf in graph.target] == [0.0, 1.0, 0.0]
        assert graph.loss.data == close(nn.cross_entropy(model([0.5, -1.0]), 1).data)

    def test_a_loss_of_plain_targets_and_one_that_ignores_an_output(self):
        model = nn.MLP(2, [2], seed=1)
        graph = record_example(model, [0.5, -1.0], {"r": 3}, lambda y, r: (y[0] - r["r"]) ** 2)
        assert graph.target == []
        assert graph.loss.data == close((model([0.5, -1.0])[0].data - 3) ** 2)
        assert {*graph.z[0]} <= {*engine.topological_order(graph.loss)}

    def test_without_bias_units(self):
        neuron = nn.Perceptron(1, "tanh", init=[0.0, 2.0])
        graph = record_example(neuron, [3.0], 1.0, nn.mse, bias=False)
        assert neuron.weights[0] not in engine.topological_order(graph.loss)
        neuron.weights[0].data = 0.5
        with pytest.raises(ValueError, match=r"bias weight must be 0 .* w0 = 0\.5"):
            record_example(neuron, [3.0], 1.0, nn.mse, bias=False)
