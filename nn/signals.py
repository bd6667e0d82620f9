"""Signals: the numbers of one example in a network, a, z and delta of every neuron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import engine
from engine import Value
from engine.recording import recording
from engine.restore import restored
from engine.rules import Rule, Unary
from engine.validation import as_float, describe
from engine.value import record
from nn.inputs import as_list, with_bias
from nn.layer import Layer
from nn.losses import Loss, cross_entropy
from nn.mlp import MLP
from nn.perceptron import Perceptron

Network: TypeAlias = Perceptron | Layer | MLP
PerNeuron: TypeAlias = Sequence[Sequence[float | None]]  # for each layer a number per neuron, None if it is unknown


class Signals(NamedTuple):
    """The numbers in a network for one example.

    Attributes:
        x: the inputs, without x0.
        a: the weighted sum of every neuron.
        z: the output of every neuron.
        deltas: the derivative of the loss with respect to every weighted sum, dL/da (P57).
        gradients: the derivative of the loss with respect to every output, dL/dz, None without a target.
        loss: the loss of the example, None without a target.
    """

    x: Sequence[float | None]
    a: PerNeuron
    z: PerNeuron
    deltas: PerNeuron
    gradients: PerNeuron
    loss: float | None = None


class ExampleGraph(NamedTuple):
    """The graph of the loss of one example, and the roles of its nodes.

    Attributes:
        x: the inputs, leaves, without x0.
        target: the numbers of the target, leaves; empty if the loss takes only a target without a graph.
        a: the weighted sum of every neuron.
        z: the output of every neuron, a node of its own even if the activation is linear.
        loss: the root.
    """

    x: Sequence[Value]
    target: Sequence[Value]
    a: Sequence[Sequence[Value]]
    z: Sequence[Sequence[Value]]
    loss: Value


LINEAR = Unary("linear", "a", ("1",), "the operand itself", notation=("a", "1"))


@recording()
def signals_of(model: Network, inputs: Any = None, target: Any = None, loss: Loss | None = None) -> Signals:
    """Return the signals of a model for one example, and change nothing.

    Args:
        model: the network.
        inputs: one x, as for a call of the model; without it, only the deltas can be known.
        target: the target of the loss. Without it, the deltas are the gradients of the bias weights, whose input is 1,
            after the last `backward()`; None if all gradients are 0.
        loss: the function of outputs and target that the model learns, such as `nn.mse`.

    Raises:
        TypeError: `model` is not one of the three, or the loss does not return a Value.
        ValueError: there is a target without inputs, or only one of target and loss.
        TypeError, ValueError, ArithmeticError: as the model and the loss.

    >>> from nn import mse
    >>> signals = signals_of(Perceptron(1, "linear", init=[1.0, 2.0]), [3.0], target=5.0, loss=mse)
    >>> signals.a, signals.z, signals.deltas, signals.loss
    ([[7.0]], [[7.0]], [[4.0]], 4.0)
    """
    if target is not None and inputs is None:
        raise ValueError("inputs must be passed with a target, got None")
    if target is not None and loss is None:
        raise ValueError(
            "loss must be passed with a target, got None: pass the one that the model learns, such as loss=nn.mse, "
            "or loss=nn.binary_cross_entropy for a logit"
        )
    if loss is not None and not callable(loss):
        raise TypeError(f"loss must be a function, such as nn.mse, got {describe(loss)}")
    if loss is not None and target is None:
        raise ValueError("target must be passed with a loss, got None")
    layers = layers_of(model, "signals_of")
    has_gradients = any(parameter.grad for parameter in model.parameters())
    unknown: PerNeuron = [[None] * len(neurons) for neurons in layers]
    deltas = [[neuron.weights[0].grad for neuron in neurons] for neurons in layers] if has_gradients else unknown
    if inputs is None:
        return Signals([None] * model.n_inputs, unknown, unknown, deltas, unknown)
    x = [value.data for value in with_bias(inputs, model.n_inputs, model)[1:]]
    trace, gradients, error = model.trace(x), unknown, None
    if loss is not None:
        _, last = trace[-1]
        result = loss([*last] if isinstance(model, Layer) or len(last) > 1 else last[0], target)
        if not isinstance(result, Value):
            raise TypeError(f"loss must return a Value, got {describe(result)}")
        with restored(model.parameters()):
            result.backward()
        deltas, gradients = ([[value.grad for value in layer[i]] for layer in trace] for i in (0, 1))
        error = result.data
    a, z = ([[value.data for value in layer[i]] for layer in trace] for i in (0, 1))
    return Signals(x, a, z, deltas, gradients, error)


@recording()
def record_example(model: Network, inputs: Any, target: Any, loss: Loss, *, bias: bool = True) -> ExampleGraph:
    """Record the loss of one example in a graph whose leaves are the inputs, the weights and the target.

    The class that is the target of `nn.cross_entropy` becomes a 1 among zeros. Outputs that the loss does not use are
    added to it times 0, so that every neuron is in the graph.

    Args:
        model: the network, whose weights are leaves of the graph.
        inputs: one x, as for a call of the model.
        target: the target of the loss.
        loss: the function of outputs and target that the model learns, such as `nn.mse`.
        bias: whether the bias units are part of the graph; without them, every bias weight must be 0.

    Raises:
        ValueError: `bias` is false and a bias weight is not 0.
        TypeError, ValueError, ArithmeticError: as `signals_of`.

    >>> from nn import mse
    >>> graph = record_example(Perceptron(1, "linear", init=[1.0, 2.0]), [3.0], 5.0, mse)
    >>> graph.x, graph.target, graph.loss.data
    ([Value(data=3.0, grad=0.0, label='x1')], [Value(data=5.0, grad=0.0, label='r')], 4.0)
    """
    signals = signals_of(model, inputs, target, loss)
    layers = layers_of(model, "record_example")
    if not bias:
        check_no_bias(model)
    x0, *_ = with_bias(inputs, model.n_inputs, model)
    x = [Value(number, f"x{i}") for i, number in enumerate(signals.x, start=1) if number is not None]
    signal, sums, outputs = [x0, *x], [], []
    for neurons in layers:
        sums.append([_labelled(engine.dot(n.weights[1 - bias :], signal[1 - bias :]), n.labels[0]) for n in neurons])
        pairs = zip(neurons, sums[-1], strict=True)
        outputs.append([_labelled(record(activation_rule(n), a), n.labels[1]) for n, a in pairs])
        signal = [x0, *outputs[-1]]
    y = outputs[-1] if isinstance(model, Layer) or len(outputs[-1]) > 1 else outputs[-1][0]
    leaves = target_leaves(target, loss, len(outputs[-1]))
    try:
        is_list = as_list(target) is not None or loss is cross_entropy
        result = loss(y, leaves if is_list else leaves[0])
    except (TypeError, ValueError, IndexError):  # a loss of the user's that takes plain targets only
        leaves, result = [], loss(y, target)
    reached = {*engine.topological_order(result)}
    if unused := [output for output in outputs[-1] if output not in reached]:
        result = result + engine.dot([0.0] * len(unused), unused)
    result.label = result.label or "L"
    return ExampleGraph(x, leaves, sums, outputs, result)


def check_no_bias(model: Network) -> None:
    """Check that every bias weight is 0.

    Raises:
        ValueError: one is not.
    """
    bias_weights = {neuron.weights[0] for neurons in layers_of(model, "check_no_bias") for neuron in neurons}
    for name, weight in model.named_parameters():
        if weight in bias_weights and weight.data != 0.0:
            raise ValueError(f"every bias weight must be 0 in a network without bias units, got {name} = {weight.data}")


def activation_rule(neuron: Perceptron) -> Rule:
    """Return the row of a neuron's activation, that of the table when the neuron was built.

    >>> activation_rule(Perceptron(1, "tanh")).value, activation_rule(Perceptron(1, "linear")).value
    ('tanh(a)', 'a')
    """
    return neuron._rule or LINEAR


def target_leaves(target: Any, loss: Loss, n_outputs: int) -> list[Value]:
    """Return the numbers of a target as leaves, with the labels r, or r1, r2...; none if it is not numbers."""
    if as_list(target) is None and loss is cross_entropy:
        return [Value(float(k == target), f"r{k + 1}") for k in range(n_outputs)]
    numbers = target_numbers(target)
    return [Value(x, f"r{k}" if len(numbers) > 1 else "r") for k, x in enumerate(numbers, start=1) if x is not None]


def target_numbers(target: Any) -> list[float | None]:
    """Return the numbers of a target; None for an entry that is not a number."""
    entries = as_list(target)
    return [x.data if isinstance(x, Value) else as_float(x) for x in ([target] if entries is None else entries)]


def _labelled(node: Value, label: str) -> Value:
    node.label = label
    return node


def layers_of(model: object, caller: str) -> list[tuple[Perceptron, ...]]:
    """Return the neurons of a model, layer by layer.

    Raises:
        TypeError: `model` is not a Perceptron, a Layer or an MLP; `caller` is named.

    >>> layers_of(MLP(2, [3, 1]), "plot")[-1]
    (Perceptron(3, 'linear'),)
    """
    match model:
        case Perceptron():
            return [(model,)]
        case Layer():
            return [model.neurons]
        case MLP():
            return [layer.neurons for layer in model.layers]
    raise TypeError(f"{caller}: model must be a Perceptron, a Layer or an MLP, got {describe(model)}")


def slope(neuron: Perceptron, a: float, z: float) -> float:
    """Return f'(a), the slope of a neuron's activation f where z = f(a).

    >>> slope(Perceptron(1, "tanh"), 0.0, 0.0)
    1.0
    """
    return float(activation_rule(neuron).partial_functions[0](a, z))
