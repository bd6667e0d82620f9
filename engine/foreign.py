"""The names that users of other libraries type, as attributes of a Value whose errors say what to write instead."""

from __future__ import annotations

from typing import Any, NoReturn

FOREIGN_NAMES = {
    # micrograd
    "_prev": "write v.parents",
    "_op": "write v.op",
    "_backward": "write v.propagate(), which passes the gradient of v back to its parents",
    "ReLU": "write v.relu()",
    # PyTorch, NumPy and other engines
    "item": "write v.data",
    "numpy": "write v.data",
    "tolist": "write v.data",
    "value": "write v.data",
    "shape": "it is one number, v.data",
    "dtype": "it is one number, v.data, a float",
    "requires_grad": "leaves take gradients; v.detach() is a constant, which takes none",
    "retain_grad": "every node keeps its gradient in v.grad",
    "is_leaf": "write not v.parents",
    "grad_fn": "write v.op and v.parents",
    "children": "write v.parents",
    "name": "write v.label",
    "backprop": "write v.backward(), or engine.Backprop(v) for one step at a time",
    "backwards": "write v.backward()",
}


class ForeignName:
    """An attribute that is always missing.

    A `__getattr__` of Value would do the same, but makes every access to its slots take twice the time.
    """

    def __init__(self, name: str) -> None:
        self.message = f"a Value has no {name!r}: {FOREIGN_NAMES[name]}"

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(self.message)

    def __set__(self, instance: object, value: Any) -> NoReturn:
        raise AttributeError(self.message)
