"""Layer: perceptrons side by side."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from copy import copy

from engine import Value
from engine.foreign import usage
from engine.validation import at_least
from engine.value import Operand
from nn.initialization import generator, scheme
from nn.inputs import label_prefix, with_bias
from nn.module import Module
from nn.perceptron import Perceptron, Trace


class Layer(Module):
    """Perceptrons with the same inputs; w_ji is the weight of neuron j for input i (P25, P57).

    Args:
        n_inputs: the number of inputs without x0, at least 1.
        n_outputs: the number of neurons, at least 1.
        activation, init, seed: as for a Perceptron.
        label: the prefix of the weights' labels, as in `layer1.w12`.

    Raises:
        ValueError, TypeError: as for a Perceptron.

    >>> layer = Layer(2, 2, "tanh", seed=1)
    >>> layer.parameters()[1]
    Value(data=-0.895621, grad=0.0, label='w11')
    >>> [y.label for y in layer([1.0, 2.0])]
    ['z1', 'z2']
    """

    @usage('nn.Layer(2, 3, "tanh")')
    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        activation: str = "sigmoid",
        *,
        init: str | None = None,
        seed: int | random.Random | None = None,
        label: str = "",
    ) -> None:
        self.n_inputs = at_least(1, n_inputs, "n_inputs")
        n_outputs = at_least(1, n_outputs, "n_outputs")
        self.activation = activation
        rng, draw = generator(seed), scheme(init, activation)
        neuron, prefix = Perceptron(n_inputs, activation, init=[0.0] * (self.n_inputs + 1)), label_prefix(label)
        self.neurons = tuple([copy(neuron) for _ in range(n_outputs)])
        for j, (neuron, names) in enumerate(zip(self.neurons, self._weight_names(), strict=True), start=1):
            numbers = draw(rng, self.n_inputs, n_outputs)
            neuron.weights = tuple([Value(w, prefix + name) for w, name in zip(numbers, names, strict=True)])
            neuron.labels = (f"{prefix}a{j}", f"{prefix}z{j}")

    def children(self) -> Iterable[tuple[str, Value]]:
        """Return the weights with their names w10, w11, ...; w1,12 and w11,2 have a comma."""
        for neuron, names in zip(self.neurons, self._weight_names(), strict=True):
            yield from zip(names, neuron.weights, strict=True)

    def _weight_names(self) -> list[list[str]]:
        comma = "," if max(self.n_inputs, len(self.neurons)) > 9 else ""
        indices = [f"{comma}{i}" for i in range(self.n_inputs + 1)]
        return [[f"w{j}{index}" for index in indices] for j in range(1, len(self.neurons) + 1)]

    @usage("layer([0.5, -1.0])")
    def __call__(self, x: Operand | Sequence[Operand]) -> list[Value]:
        """Return the outputs of all neurons for one x; input and errors are those of a Perceptron."""
        return [*self.trace(x)[0][1]]

    def trace(self, x: Operand | Sequence[Operand]) -> Trace:
        """Return the weighted sums and the outputs of all neurons for one x: [(a, z)]."""
        return [self.activate(with_bias(x, self.n_inputs, self))]

    def activate(self, inputs: tuple[Value, ...]) -> tuple[Sequence[Value], Sequence[Value]]:
        """Return the weighted sums and the outputs of all neurons, for inputs that begin with x0."""
        a, z = zip(*[neuron.activate(inputs) for neuron in self.neurons], strict=True)
        return a, z

    def __repr__(self) -> str:
        return f"Layer({self.n_inputs}, {len(self.neurons)}, {self.activation!r})"
