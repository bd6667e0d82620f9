"""Layer: perceptrons side by side."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

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
        self.neurons = tuple(
            Perceptron(n_inputs, activation, init=draw(rng, self.n_inputs, n_outputs)) for _ in range(n_outputs)
        )
        prefix = label_prefix(label)
        for name, weight in self.children():
            weight.label = prefix + name
        for j, neuron in enumerate(self.neurons, start=1):
            neuron.labels = (f"{prefix}a{j}", f"{prefix}z{j}")

    def children(self) -> Iterable[tuple[str, Value]]:
        """Return the weights with their names w10, w11, ...; w1,12 and w11,2 have a comma."""
        comma = "," if max(self.n_inputs, len(self.neurons)) > 9 else ""
        for j, neuron in enumerate(self.neurons, start=1):
            for i, weight in enumerate(neuron.weights):
                yield f"w{j}{comma}{i}", weight

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
