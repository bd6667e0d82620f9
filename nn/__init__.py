"""Neural networks whose weights are Values of engine: models, losses, optimizers and training.

Page numbers such as P14 refer to demos/README.md, which lists the formulas.

>>> import nn
>>> xor = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
>>> model = nn.MLP(2, [4, 1], seed=1)
>>> history = nn.train(model, nn.binary_cross_entropy, xor, seed=1)
>>> history.converged, [model(x) > 0 for x, r in xor]
(True, [False, True, True, False])
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

for _name in ("engine",):  # a file of the user may hide a package
    _origin = getattr(find_spec(_name), "origin", None)
    if Path(str(_origin)).parent.parent != Path(__file__).parent.parent:
        raise ImportError(f"`import {_name}` must find a package of glassgrad, got {_origin}: rename it")

import engine
from engine.foreign import missing_name
from nn.checkpoint import load, save
from nn.foreign import MODEL_NAMES, PACKAGE_NAMES
from nn.history import History, plateau
from nn.initialization import SCHEMES
from nn.layer import Layer
from nn.losses import binary_cross_entropy, cross_entropy, hinge, mse
from nn.mlp import MLP
from nn.module import Module
from nn.optimizers import SGD, Adam, Optimizer
from nn.perceptron import Perceptron
from nn.schedules import cosine_decay, exponential_decay, linear_decay
from nn.training import evaluate, train

__all__ = [
    "MLP", "SCHEMES", "SGD", "Adam", "History", "Layer", "Module", "Optimizer", "Perceptron",
    "binary_cross_entropy", "cosine_decay", "cross_entropy", "evaluate", "exponential_decay", "hinge",
    "linear_decay", "load", "mse", "plateau", "save", "train",
]  # fmt: skip

if not TYPE_CHECKING:  # a type checker knows only the names above

    def __getattr__(name: str) -> object:
        """Return micrograd's Neuron once `engine.micrograd` is imported; otherwise raise an error with our name."""
        if name == "Neuron" and "engine.micrograd" in sys.modules:
            from nn.micrograd import Neuron

            return Neuron
        of_engine = {name: f"engine.{name}" for name in engine.__all__}
        raise missing_name("nn", name, of_engine | MODEL_NAMES | PACKAGE_NAMES, __all__)
