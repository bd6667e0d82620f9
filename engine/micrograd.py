"""micrograd's names for a Value: `_prev`, `_op` and `_backward`, for notebooks that were written for micrograd.

Importing this module adds them to every Value; without it, they are errors that say what to write instead.
In such a notebook only the imports change:

    from micrograd.engine import Value              ->  from engine.micrograd import Value
    from micrograd.nn import Neuron, Layer, MLP     ->  from nn.micrograd import Neuron, Layer, MLP
    from micrograd import nn                        ->  from nn import micrograd as nn
    from graphviz import Digraph                    ->  from viz import Drawing as Digraph, where `dot` is not installed

>>> from engine.micrograd import Value
>>> x = Value(3.0)
>>> y = x * x
>>> y.grad = 1.0
>>> y._backward()
>>> y._prev == {x}, y._op, x.grad
(True, '*', 6.0)
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from engine.foreign import missing_name
from engine.value import Value

__all__ = ["Value"]


def _prev(node: Value) -> set[Value]:
    """The operands of the node, each once."""
    return {*node.parents}


def _op(node: Value) -> str:
    """The symbol of the operation; "" for a leaf or a constant."""
    return node.op


def _backward(node: Value) -> Callable[[], None]:
    """The function that passes the gradient of the node back to its operands."""
    return node.propagate


for _name in (_prev, _op, _backward):
    setattr(Value, _name.__name__, property(_name))

if not TYPE_CHECKING:

    def __getattr__(name: str) -> NoReturn:
        """Raise the error for the networks of micrograd, which are in nn.micrograd."""
        networks = {name: f"`from nn.micrograd import {name}`" for name in ("Neuron", "Layer", "MLP")}
        raise missing_name("engine.micrograd", name, networks | {"nn": "`from nn import micrograd as nn`"}, __all__)
