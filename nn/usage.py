"""Answers to calls and names that are right in micrograd, PyTorch or scikit-learn, but not here."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# For the names that other libraries have in their package what to write instead.
PACKAGE_NAMES = {
    "Neuron": "nn.Perceptron(2, 'tanh'), or nn.micrograd.Neuron(2)",
    "Linear": "nn.Layer(2, 3, 'linear')",
    **dict.fromkeys(["Sequential", "MLPClassifier", "MLPRegressor"], "nn.MLP(2, [4, 1])"),
    **dict.fromkeys(["ReLU", "Tanh", "Sigmoid"], "nn.MLP(2, [4, 1], hidden='relu')"),
    "Parameter": "engine.Value(0.5, 'w')",
    **dict.fromkeys(["MSELoss", "mse_loss"], "nn.mse"),
    **dict.fromkeys(["BCELoss", "BCEWithLogitsLoss"], "nn.binary_cross_entropy, which takes logits"),
    **dict.fromkeys(["CrossEntropyLoss", "NLLLoss"], "nn.cross_entropy, which takes logits"),
    **dict.fromkeys(["optim", "AdamW"], "nn.Adam(model.parameters()) or nn.SGD(model.parameters())"),
}

# And for those that their models have.
MODEL_NAMES = {
    **dict.fromkeys(["w", "weight", "coef_"], "the `weights[1:]` of a Perceptron"),
    **dict.fromkeys(["b", "bias", "intercept_"], "the `weights[0]` of a Perceptron"),
    "nonlin": "the `activation` of a Perceptron",
    **dict.fromkeys(["fit", "train"], "nn.train(model, loss, data)"),
    **dict.fromkeys(["eval", "score"], "nn.evaluate(model, loss, data)"),
    "predict": "model(x)",
}


class OtherName:
    """An attribute that every model lacks. Unlike `__getattr__`, it does not make other attributes slower."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, thing: object, owner: type) -> object:
        message = f"{owner.__name__!r} object has no attribute {self.name!r}: use {MODEL_NAMES[self.name]}"
        raise AttributeError(message, name=self.name, obj=thing)


def usage(example: str) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Decorate a function so that a call which does not fit its signature raises an error with an example.

    >>> usage("double(3)")(lambda x: 2 * x)(y=3)
    Traceback (most recent call last):
    TypeError: missing a required argument: 'x'; write double(3)
    """

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            try:
                return function(*args, **kwargs)
            except TypeError:
                try:
                    signature.bind(*args, **kwargs)
                except TypeError as error:
                    raise TypeError(f"{error}; write {example}") from None
                raise

        return checked

    return decorate
