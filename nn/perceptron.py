"""Perceptron: one neuron, its uses and its learning rule (lecture P6-P14)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

import engine
from engine import Value
from engine.validation import at_least, describe, error_context, in_range
from engine.value import Operand, constant
from nn.activations import activation_function
from nn.history import History, Stop, plateau
from nn.initialization import generator, scheme
from nn.inputs import as_list, examples, label_prefix, with_bias
from nn.module import Module


class Perceptron(Module):
    """A neuron: y = activation(w^T x) with x0 = 1, so that `weights[0]` is the bias weight w0 (lecture P6).

    Args:
        n_inputs: the number of inputs, without x0; 1 or more.
        activation: "linear" or a function of one operand in the engine's table: "sign", "sigmoid", "tanh", "relu"...
            With "linear" it does regression, with "sign" it tells two classes apart (P7), with "sigmoid" its output
            is the posterior probability of the class C1 (P14).
        init: the weights w0, w1, ..., or one of `nn.SCHEMES` to draw them by; unless said, He's for the rectifiers
            and Xavier's for the rest.
        seed: an int (or a `random.Random`) for the same weights every time.
        label: put before the labels of the weights, as in `hidden.w1`.

    Raises:
        ValueError: `n_inputs` is less than 1 or not the number of weights in `init`, or there is no such activation
            or scheme.
        TypeError: an argument is of the wrong type.

    >>> neuron = Perceptron(2, "sigmoid", init=[-3.0, 2.0, -3.0])
    >>> neuron([-1.0, -2.0])  # the worked example of Stanford's CS231n
    Value(data=0.731059, grad=0.0, label='y', op='sigmoid')
    """

    def __init__(
        self,
        n_inputs: int,
        activation: str = "sigmoid",
        *,
        init: str | Sequence[float] | None = None,
        seed: int | random.Random | None = None,
        label: str = "",
    ) -> None:
        self.n_inputs = at_least(1, n_inputs, "n_inputs")
        self.activation = activation
        self._function = activation_function(activation)
        start = as_list(init)
        if start is None:
            start = scheme(init, activation)(generator(seed), self.n_inputs, 1)
        if len(start) != n_inputs + 1:
            raise ValueError(f"init has the {n_inputs + 1} weights w0 to w{n_inputs}, got {len(start)}")
        prefix = label_prefix(label)
        self.weights = tuple(Value(w, f"{prefix}w{i}") for i, w in enumerate(start))
        self.labels = (f"{prefix}a", f"{prefix}y")  # of the weighted sum and of the output

    def children(self) -> Iterable[tuple[str, object]]:
        return [(f"w{i}", weight) for i, weight in enumerate(self.weights)]

    def __call__(self, x: Operand | Sequence[Operand]) -> Value:
        """The output for one x: `n_inputs` numbers or Values, in a list, a tuple, a NumPy row; or one alone.

        Raises:
            ValueError: there are more or fewer of them.
            TypeError: one is neither a Value nor a real number.
            ArithmeticError: the output overflows.
        """
        return self.forward(with_bias(x, self.n_inputs, self))[1]

    def trace(self, x: Operand | Sequence[Operand]) -> list[list[tuple[Value, Value]]]:
        """Return the weighted sum and the output as those of a layer with one neuron; see `MLP.trace`."""
        return [[self.forward(with_bias(x, self.n_inputs, self))]]

    def forward(self, inputs: tuple[Value, ...]) -> tuple[Value, Value]:
        """Return the weighted sum a and the output activation(a), for inputs that begin with x0."""
        a = engine.dot(self.weights, inputs)
        if self._function is None:
            a.label = self.labels[1]
            return a, a
        a.label = self.labels[0]
        y = self._function(a)
        y.label = self.labels[1]
        return a, y

    def classify(self, x: Operand | Sequence[Operand]) -> int:
        """The decision rule of P7: 1 for class C1 where w^T x > 0, else 2 for class C2, whatever the activation.

        >>> neuron = Perceptron(1, "sign", init=[-1.0, 2.0])
        >>> neuron.classify([0.6]), neuron.classify([0.5])
        (1, 2)
        """
        with engine.no_grad():
            return 1 if engine.dot(self.weights, with_bias(x, self.n_inputs, self)) > 0 else 2

    def learn(self, x: Operand | Sequence[Operand], r: float, learning_rate: float = 0.1) -> float:
        """The learning rule on one example: w_i += learning_rate * (r - y) * x_i (lecture P8).

        Nothing happens where y is r; where y is too low, the weights of active inputs rise, where it is too high,
        they fall. For "linear" this is gradient descent on (r - y)**2 / 2, for "sigmoid" on the binary cross-entropy.

        Args:
            x: the inputs, as in a call.
            r: the desired output; for "sign" 1 or -1.
            learning_rate: the eta of the lecture.

        Returns:
            The error r - y before the change.

        >>> neuron = Perceptron(2, "sign", init=[0.0, 0.0, 0.0])
        >>> neuron.learn([1.0, 0.5], r=1), neuron.state_dict()
        (2.0, {'w0': 0.2, 'w1': 0.2, 'w2': 0.1})
        """
        if self.activation == "sign" and r not in (1, -1):
            raise ValueError(f"a perceptron with sign gives 1 or -1, so r is 1 or -1, got {describe(r)}")
        in_range(learning_rate, "learning_rate")
        with engine.no_grad():
            inputs = with_bias(x, self.n_inputs, self)
            error = constant(r, "r") - self.forward(inputs)[1]
            updated = [w + learning_rate * error * x for w, x in zip(self.weights, inputs, strict=True)]
        for w, new in zip(self.weights, updated, strict=True):
            w.data = new.data
        return error.data

    def fit(
        self,
        data: Iterable[tuple[Any, float]],
        *,
        learning_rate: float = 0.1,
        epochs: int = 100,
        until: Stop | None = None,
        shuffle: bool = True,
        seed: int | random.Random | None = None,
    ) -> History:
        """Go through all (x, r) with `learn`, again and again, until convergence (lecture P8).

        A perceptron with "sign" has converged after an epoch without a mistake. It gets there where a line (a
        hyperplane) separates the classes, and never where none does (P11); the history then says so.

        Args:
            data: pairs (x, r).
            learning_rate: the eta of the lecture.
            epochs: how often to go through the data at most.
            until: a function of the history that tells convergence; but for "sign" it is `nn.plateau()`.
            shuffle: go through the data in random order, a new one in every epoch.
            seed: an int for the same orders every time.

        Returns:
            The mean of (r - y)**2 / 2 in every epoch, with "sign" the share of right answers too, and `converged`.

        Raises:
            ValueError, TypeError, ArithmeticError: as `learn`; the message names epoch and example.

        >>> AND = [((0, 0), -1), ((0, 1), -1), ((1, 0), -1), ((1, 1), 1)]
        >>> XOR = [((0, 0), -1), ((0, 1), 1), ((1, 0), 1), ((1, 1), -1)]
        >>> Perceptron(2, "sign", seed=1).fit(AND, seed=1).converged
        True
        >>> Perceptron(2, "sign", seed=1).fit(XOR, seed=1).converged
        False
        """
        pairs, rng, history = examples(data), generator(seed), History()
        order = list(range(len(pairs)))
        if until is None:
            until = _without_mistake if self.activation == "sign" else plateau()
        for epoch in range(at_least(1, epochs, "epochs")):
            if shuffle:
                rng.shuffle(order)
            losses = []
            for i in order:
                with error_context(f"epoch {epoch + 1}, data[{i}]"):
                    losses.append(float(Value(self.learn(*pairs[i], learning_rate)) ** 2 / 2))
            accuracy = losses.count(0.0) / len(losses) if self.activation == "sign" else None
            history.add(fmean(losses), accuracy)
            history.converged = until(history)
            if history.converged:
                break
        return history

    def __repr__(self) -> str:
        return f"Perceptron({self.n_inputs}, {self.activation!r})"


def _without_mistake(history: History) -> bool:
    return history.accuracy[-1] == 1.0
