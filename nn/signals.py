"""Signals: what flows through a network for one example, a, z and delta of every neuron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from engine import RULES, Value
from engine.recording import recording
from engine.restore import restored
from engine.validation import describe
from nn.inputs import with_bias
from nn.layer import Layer
from nn.losses import Loss, mse
from nn.mlp import MLP
from nn.perceptron import Perceptron

Numbers: TypeAlias = Sequence[Sequence[float | None]]  # for each layer a number per neuron, None if it is unknown


class Signals(NamedTuple):
    """The numbers in a network for one example.

    Attributes:
        x: the inputs, without x0.
        a: the weighted sum of every neuron.
        z: the output of every neuron.
        deltas: the derivative of the loss with respect to every weighted sum, dl/da (P57).
        loss: the loss of the example, None without a target.
    """

    x: Sequence[float | None]
    a: Numbers
    z: Numbers
    deltas: Numbers
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
        loss: a function of outputs and target; by default the sum of (r - y)**2 / 2 over the outputs.

    Raises:
        TypeError: `model` is not one of the three, or the loss does not return a Value.
        TypeError, ValueError, ArithmeticError: as the model and the loss.

    >>> signals = signals_of(Perceptron(1, "linear", init=[1.0, 2.0]), [3.0], target=5.0)
    >>> signals.a, signals.z, signals.deltas, signals.loss
    ([[7.0]], [[7.0]], [[2.0]], 2.0)
    """
    layers = layers_of(model, "signals_of")
    passed = any(parameter.grad for parameter in model.parameters())
    deltas: Numbers = [[neuron.weights[0].grad if passed else None for neuron in neurons] for neurons in layers]
    if inputs is None:
        unknown = [[None] * len(neurons) for neurons in layers]
        return Signals([None] * model.n_inputs, unknown, unknown, deltas)
    x = [float(value) for value in with_bias(inputs, model.n_inputs, model)[1:]]
    trace, error = model.trace(x), None
    if target is not None:
        _, last = trace[-1]
        outputs = [*last] if isinstance(model, Layer) or len(last) > 1 else last[0]
        result = mse(outputs, target) * (len(last) / 2) if loss is None else loss(outputs, target)
        if not isinstance(result, Value):
            raise TypeError(f"loss must return a Value, got {describe(result)}")
        with restored(model.parameters()):
            result.backward()
        deltas, error = [[a.grad for a in sums] for sums, _ in trace], result.data
    a, z = ([[value.data for value in layer[i]] for layer in trace] for i in (0, 1))
    return Signals(x, a, z, deltas, error)


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
    if neuron.activation == "linear":
        return 1.0
    return float(RULES[neuron.activation].partial_functions[0](a, z))
