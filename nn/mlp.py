"""MLP: layers one after the other (lecture P17)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from engine import Value
from engine.validation import at_least, describe
from engine.value import Operand
from nn.activations import activation_function
from nn.initialization import generator
from nn.inputs import as_list, with_bias
from nn.layer import Layer
from nn.module import Module


class MLP(Module):
    """A multi-layer perceptron: layers of perceptrons, each with the outputs of the one before as its inputs.

    Args:
        n_inputs: the number of inputs, 1 or more.
        sizes: the number of neurons in every layer, the output layer last.
        hidden: the activation of the hidden layers.
        output: the activation of the output layer.
        init, seed: as for a Perceptron.

    Raises:
        ValueError: a number is less than 1, there is no layer, or no such activation or scheme.
        TypeError: an argument is of the wrong type.

    Weight `layer2.w13` is that of neuron 1 in layer 2 for its input 3; input 0 is the bias unit.

    >>> model = MLP(2, [3, 1], hidden="tanh", seed=1)
    >>> model([0.5, -1.0])
    Value(data=0.0697561, grad=0.0, label='layer2.z1', op='dot')
    >>> len(model.parameters()), [name for name, _ in model.named_parameters()][-2:]
    (13, ['layer2.w12', 'layer2.w13'])
    """

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
        given = as_list(sizes)
        if given is None:
            raise TypeError(f"sizes is a list with the number of neurons in every layer, got {describe(sizes)}")
        if not given:
            raise ValueError("sizes has one layer or more, got none")
        activation_function(hidden)  # an error even where there is no hidden layer
        self.n_inputs = at_least(1, n_inputs, "n_inputs")
        self.sizes = [at_least(1, size, "a size") for size in given]
        self.hidden, self.output = hidden, output
        rng = generator(seed)
        activations = [hidden] * (len(given) - 1) + [output]
        self.layers = tuple(
            Layer(n_in, n_out, activation, init=init, seed=rng, label=f"layer{i}")
            for i, ((n_in, n_out), activation) in enumerate(
                zip(pairwise([self.n_inputs, *self.sizes]), activations, strict=True), start=1
            )
        )

    def children(self) -> Iterable[tuple[str, object]]:
        return [(f"layer{i}", layer) for i, layer in enumerate(self.layers, start=1)]

    def __call__(self, x: Operand | Sequence[Operand]) -> Any:
        """The outputs for one x, as a Perceptron takes it, whose errors it raises.

        Returns:
            A Value where the output layer has one neuron, else a list of Values.
        """
        outputs = [z for _, z in self.trace(x)[-1]]
        return outputs if len(outputs) > 1 else outputs[0]

    def trace(self, x: Operand | Sequence[Operand]) -> list[list[tuple[Value, Value]]]:
        """Return the weighted sum a and the output z of every neuron for one x, layer by layer.

        >>> [[(a, z)]] = MLP(1, [1], output="tanh", seed=1).trace([2.0])
        >>> a.tanh().data == z.data
        True
        """
        inputs, trace = with_bias(x, self.n_inputs, self), []
        for layer in self.layers:
            trace.append(layer.forward(inputs))
            inputs = (inputs[0], *[z for _, z in trace[-1]])
        return trace

    def __repr__(self) -> str:
        return f"MLP({self.n_inputs}, {self.sizes}, hidden={self.hidden!r}, output={self.output!r})"
