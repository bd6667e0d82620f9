"""Signals: the numbers of one example in a network, a, z and delta of every neuron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from engine import Value
from engine.recording import recording
from engine.restore import restored
from engine.validation import describe
from nn.inputs import with_bias
from nn.layer import Layer
from nn.losses import Loss
from nn.mlp import MLP
from nn.perceptron import Perceptron

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


@recording()
def signals_of(
    model: Perceptron | Layer | MLP, inputs: Any = None, target: Any = None, loss: Loss | None = None
) -> Signals:
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
    if neuron._function is None:
        return 1.0
    with recording():
        rule = neuron._function(Value(a))._rule  # that of the name may be another one since
    return float(rule.partial_functions[0](a, z))
