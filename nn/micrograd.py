"""micrograd's networks, for notebooks that were written for it; `engine.micrograd` says how their imports change.

Hidden layers have relu. The weights are uniform in (-1, 1), drawn from Python's `random`, which `random.seed` seeds;
each bias is 0.0. Every product and sum of a neuron is a node. The same network with one node per weighted sum, which
`viz.network` can draw, is `nn.MLP(2, [16, 16, 1], hidden="relu", init="micrograd")`.

>>> import random
>>> from nn.micrograd import Neuron
>>> random.seed(1337)
>>> n = Neuron(2)
>>> n([1.0, -2.0])
Value(data=0.102443, grad=0.0, op='relu')
>>> n.w[0].data, n.b.data, n.nonlin
(0.23550571390294128, 0.0, True)
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import engine.micrograd  # noqa: F401, for the names of a Value
from engine import Value
from engine.foreign import usage
from engine.validation import at_least, describe
from engine.value import Operand
from nn.inputs import as_list, with_bias
from nn.module import Module

__all__ = ["MLP", "Layer", "Neuron"]


class Neuron(Module):
    """A weighted sum with the weights `w` and the bias `b`, then relu if `nonlin`."""

    def __init__(self, nin: int, nonlin: bool = True) -> None:
        self.w = [Value(random.uniform(-1, 1)) for _ in range(at_least(1, nin, "nin"))]
        self.b = Value(0.0)
        self.nonlin = nonlin

    def __call__(self, x: Operand | Sequence[Operand]) -> Value:
        """Return the output for one x."""
        _, *inputs = with_bias(x, len(self.w), self)
        a = sum((w_i * x_i for w_i, x_i in zip(self.w, inputs, strict=True)), self.b)
        return a.relu() if self.nonlin else a


class Layer(Module):
    """Neurons with the same inputs."""

    def __init__(self, nin: int, nout: int, nonlin: bool = True) -> None:
        self.neurons = [Neuron(nin, nonlin) for _ in range(at_least(1, nout, "nout"))]

    def __call__(self, x: Operand | Sequence[Operand]) -> Any:
        """Return the outputs for one x: a list of Values, or the Value of a single neuron."""
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs if len(outputs) > 1 else outputs[0]


class MLP(Module):
    """Layers in sequence, the last one linear."""

    @usage("MLP(2, [16, 16, 1])")
    def __init__(self, nin: int, nouts: Sequence[int]) -> None:
        if as_list(nouts) is None:
            raise TypeError(f"nouts must be a list such as [16, 16, 1], one number per layer, got {describe(nouts)}")
        sizes = [*pairwise([nin, *nouts])]
        self.layers = [Layer(*size, nonlin=i < len(sizes)) for i, size in enumerate(sizes, start=1)]

    def __call__(self, x: Any) -> Any:
        """Return the outputs for one x, in the form that a Layer returns."""
        for layer in self.layers:
            x = layer(x)
        return x
