"""MLP: layers one after the other (P17)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

from engine.foreign import usage
from engine.validation import at_least, describe
from engine.value import Operand
from nn.activations import activation_function
from nn.initialization import generator
from nn.inputs import as_list, with_bias
from nn.layer import Layer
from nn.module import Module
from nn.perceptron import Trace


class MLP(Module):
    """A multi-layer perceptron: layers of perceptrons, each with the outputs of the previous layer as its inputs.

    Args:
        n_inputs: the number of inputs, at least 1.
        sizes: the number of neurons in every layer, the output layer last.
        hidden: the activation of the hidden layers.
        output: the activation of the output layer.
        init, seed: as for a Perceptron.

    Raises:
        ValueError: a number is less than 1, there are no layers, or an activation or scheme is unknown.
        TypeError: an argument is of the wrong type.

    Weight `layer2.w13` is that of neuron 1 in layer 2 for its input 3; input 0 is the bias unit.

    >>> model = MLP(2, [3, 1], hidden="tanh", seed=1)
    >>> model([0.5, -1.0])
    Value(data=0.0697561, grad=0.0, label='layer2.z1', op='dot')
    >>> len(model.parameters()), [name for name, _ in model.named_parameters()][-2:]
    (13, ['layer2.w12', 'layer2.w13'])
    """

    @usage('nn.MLP(2, [4, 1], hidden="tanh", output="linear")')
    def __init__(
        self,
        n_inputs: int,
        sizes: Sequence[int],
        hidden: str = "tanh",
        output: str = "linear",
        *,
        init: str | None = None,
        seed: int | random.Random | None = None,
    ) -> None:
        size_list = as_list(sizes)
        if size_list is None:
            raise TypeError(f"sizes must be a list such as [4, 1], one number per layer, got {describe(sizes)}")
        if not size_list:
            raise ValueError("sizes must have one layer or more, got none")
        activation_function(hidden)  # checks the name even if there is no hidden layer
        self.n_inputs = at_least(1, n_inputs, "n_inputs")
        self.sizes = [at_least(1, size, f"sizes[{i}]") for i, size in enumerate(size_list)]
        self.hidden, self.output = hidden, output
        rng, n = generator(seed), [self.n_inputs, *self.sizes]
        self.layers = tuple(
            Layer(n[i - 1], n[i], output if i == len(self.sizes) else hidden, init=init, seed=rng, label=f"layer{i}")
            for i in range(1, len(n))
        )

    def children(self) -> Iterable[tuple[str, Layer]]:
        """Return the layers with their names layer1, layer2, ..."""
        return [(f"layer{i}", layer) for i, layer in enumerate(self.layers, start=1)]

    @usage("model([0.5, -1.0])")
    def __call__(self, x: Operand | Sequence[Operand]) -> Any:
        """Return the outputs for one x; input and errors are those of a Perceptron.

        Returns:
            A Value if the output layer has one neuron, else a list of Values.
        """
        _, outputs = self.trace(x)[-1]
        return [*outputs] if len(outputs) > 1 else outputs[0]

    def trace(self, x: Operand | Sequence[Operand]) -> Trace:
        """Return the weighted sums a and the outputs z of all neurons for one x, layer by layer.

        >>> [(a, z)] = MLP(1, [2], output="tanh", seed=1).trace([2.0])
        >>> [a_j.tanh().data for a_j in a] == [z_j.data for z_j in z]
        True
        """
        inputs, trace = with_bias(x, self.n_inputs, self), []
        for layer in self.layers:
            trace.append(layer.activate(inputs))
            inputs = (inputs[0], *trace[-1][1])
        return trace

    def __repr__(self) -> str:
        return f"MLP({self.n_inputs}, {self.sizes}, hidden={self.hidden!r}, output={self.output!r})"
