"""Perceptron: one neuron, its decision rule and its learning rule (P6-P14)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from typing import TypeAlias

import engine
from engine import Value
from engine.foreign import usage
from engine.validation import at_least, describe, error_context, in_range
from engine.value import Operand, constant
from nn.activations import activation_function
from nn.history import History, Stop, check_convergence, plateau
from nn.initialization import generator, scheme
from nn.inputs import as_list, examples, label_prefix, with_bias
from nn.module import Module

Trace: TypeAlias = list[tuple[Sequence[Value], Sequence[Value]]]  # for each layer all weighted sums and all outputs


class Perceptron(Module):
    """A neuron: y = activation(w^T x) with x0 = 1, so that `weights[0]` is the bias weight w0 (P6).

    Args:
        n_inputs: the number of inputs without x0, at least 1.
        activation: "linear" or a function of one operand in the engine's table: "sign", "sigmoid", "tanh", "relu"...
            With "linear" it does regression, with "sign" it separates two classes (P7), with "sigmoid" its output is
            the posterior probability of class C1 (P14).
        init: the weights w0, w1, ..., or the name of a scheme in `nn.SCHEMES`; by default "he" for the relatives of
            relu, otherwise "xavier".
        seed: an int (or a `random.Random`), for the same weights every time.
        label: the prefix of the weights' labels, as in `hidden.w1`.

    Raises:
        ValueError: `n_inputs` is less than 1 or does not fit `init`, or the activation or scheme is unknown.
        TypeError: an argument is of the wrong type.

    >>> neuron = Perceptron(2, "sigmoid", init=[-3.0, 2.0, -3.0])
    >>> neuron([-1.0, -2.0])  # the worked example of Stanford's CS231n
    Value(data=0.731059, grad=0.0, label='y', op='sigmoid')
    """

    @usage('nn.Perceptron(2, "tanh")')
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
        weights = as_list(init)
        if weights is None:
            weights = scheme(init, activation)(generator(seed), self.n_inputs, 1)
        if len(weights) != n_inputs + 1:
            raise ValueError(f"init must have the {n_inputs + 1} weights w0 to w{n_inputs}, got {len(weights)}")
        prefix = label_prefix(label)
        self.weights = tuple([Value(w, f"{prefix}w{i}") for i, w in enumerate(weights)])
        self.labels = (f"{prefix}a", f"{prefix}y")  # of the weighted sum and of the output

    @property
    def weights(self) -> tuple[Value, ...]:
        """The weights w0, w1, ... as leaf Values, whose data can be set: `neuron.weights[1].data = 0.5`."""
        return self._weights

    @weights.setter
    def weights(self, weights: tuple[Value, ...]) -> None:
        if not isinstance(weights, tuple) or {*map(type, weights)} != {Value}:
            got = describe(weights)
            raise TypeError(f"weights must be a tuple of Values, got {got}: set one by neuron.weights[1].data = 0.5")
        if len(weights) != self.n_inputs + 1:
            names = f"the {self.n_inputs + 1} Values w0 to w{self.n_inputs}"
            raise ValueError(f"weights must be {names}, got {len(weights)}")
        self._weights = weights

    @property
    def activation(self) -> str:
        """The name of the activation function; it can be set at any time."""
        return self._activation

    @activation.setter
    def activation(self, activation: str) -> None:
        function = activation_function(activation)
        self._rule = vars(function)["rule"] if function else None  # pickled before the function, which it defines
        self._function = function
        self._activation = activation

    def children(self) -> Iterable[tuple[str, Value]]:
        """Return the weights with their names w0, w1, ..."""
        return [(f"w{i}", weight) for i, weight in enumerate(self.weights)]

    @usage("neuron([0.5, -1.0])")
    def __call__(self, x: Operand | Sequence[Operand]) -> Value:
        """Return the output for one x.

        Args:
            x: `n_inputs` numbers or Values in a list, a tuple or a NumPy row; a single input may be by itself.

        Raises:
            ValueError: there are more or fewer of them.
            TypeError: one is neither a Value nor a real number.
            ArithmeticError: the output overflows.
        """
        return self.activate(with_bias(x, self.n_inputs, self))[1]

    def activate(self, inputs: tuple[Value, ...]) -> tuple[Value, Value]:
        """Return the weighted sum a and the output activation(a), for inputs that begin with x0."""
        a = engine.dot(self.weights, inputs)
        if self._function is None:
            a.label = self.labels[1]
            return a, a
        a.label = self.labels[0]
        y = self._function(a)
        y.label = self.labels[1]
        return a, y

    def trace(self, x: Operand | Sequence[Operand]) -> Trace:
        """Return the weighted sum and the output for one x as those of a layer: [([a], [y])]."""
        a, y = self.activate(with_bias(x, self.n_inputs, self))
        return [([a], [y])]

    def classify(self, x: Operand | Sequence[Operand]) -> int:
        """Return 1 for class C1 if w^T x > 0, else 2 for class C2, for any activation: the decision rule of P7.

        >>> neuron = Perceptron(1, "sign", init=[-1.0, 2.0])
        >>> neuron.classify([0.6]), neuron.classify([0.5])
        (1, 2)
        """
        with engine.no_grad():
            return 1 if engine.dot(self.weights, with_bias(x, self.n_inputs, self)) > 0 else 2

    def learn(self, x: Operand | Sequence[Operand], r: float, learning_rate: float = 0.1) -> float:
        """Apply the learning rule to one example: w_i += learning_rate * (r - y) * x_i (P8).

        Nothing changes if y equals r. If y is too low, the weights of positive inputs rise, if it is too high, they
        fall. For "linear" this is gradient descent on (r - y)**2 / 2, for "sigmoid" on the binary cross-entropy.

        Args:
            x: the inputs, as in a call.
            r: the target; for "sign" 1 or -1. (P8 calls it y, and the output y-hat.)
            learning_rate: eta, 0 or more.

        Returns:
            The error r - y before the change.

        >>> neuron = Perceptron(2, "sign", init=[0.0, 0.0, 0.0])
        >>> neuron.learn([1.0, 0.5], r=1), neuron.state_dict()
        (2.0, {'w0': 0.2, 'w1': 0.2, 'w2': 0.1})
        """
        if self.activation == "sign" and r not in (1, -1):
            raise ValueError(f"r for a perceptron with sign must be 1 or -1, got {describe(r)}")
        in_range(learning_rate, "learning_rate")
        with engine.no_grad():
            inputs = with_bias(x, self.n_inputs, self)
            error = constant(r, "r") - self.activate(inputs)[1]
            updated = [w + learning_rate * error * x for w, x in zip(self.weights, inputs, strict=True)]
        for w, new in zip(self.weights, updated, strict=True):
            w.data = new.data
        return error.data

    @usage("neuron.fit(zip(xs, rs), learning_rate=0.1, epochs=100)")
    def fit(
        self,
        data: Iterable[tuple[Operand | Sequence[Operand], float]],
        *,
        learning_rate: float = 0.1,
        epochs: int = 100,
        until: Stop | None = None,
        callback: Callable[[History], object] | None = None,
        shuffle: bool = True,
        seed: int | random.Random | None = None,
    ) -> History:
        """Fit the weights to the data: `learn` from every example, epoch after epoch, until convergence (P8).

        A perceptron with "sign" has converged after an epoch without a mistake. It gets there if a line (a
        hyperplane) separates the classes, and never if none does (P11); the history then says so.

        Args:
            data: pairs (x, r) of input and target.
            learning_rate: eta, 0 or more.
            epochs: the maximum number of passes through the data.
            until: a function of the history that decides after every epoch whether it has converged; by default
                `nn.plateau()`, except for "sign".
            callback: a function of the history, called after every epoch, such as a `viz.Animation`.
            shuffle: draw a new random order in every epoch.
            seed: an int, for the same orders every time.

        Returns:
            The mean of (r - y)**2 / 2 in every epoch and its value for every example in `steps`, with "sign" the share
            of right answers too, and `converged`.

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
            until = (lambda history: history.accuracy[-1] == 1.0) if self.activation == "sign" else plateau()
        for epoch in range(at_least(1, epochs, "epochs")):
            if shuffle:
                rng.shuffle(order)
            losses = []
            for i in order:
                with error_context(f"epoch {epoch + 1}, data[{i}]"):
                    losses.append((Value(self.learn(*pairs[i], learning_rate)) ** 2 / 2).data)
            history.steps += losses
            history.add(fmean(losses), losses.count(0.0) / len(losses) if self.activation == "sign" else None)
            if callback is not None:
                callback(history)
            if check_convergence(history, until):
                break
        return history

    def __repr__(self) -> str:
        return f"Perceptron({self.n_inputs}, {self.activation!r})"
