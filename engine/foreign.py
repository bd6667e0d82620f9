"""The names and calls that users of other libraries type, with errors that say what to write instead."""

from __future__ import annotations

import difflib
import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from opcode import opmap
from typing import Any, NoReturn, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# The derivatives of functions that the table lacks, for the line that defines them.
RULE_PARTIALS = {
    "asin": "1/sqrt(1 - a**2)",
    "acos": "-1/sqrt(1 - a**2)",
    "atan": "1/(1 + a**2)",
    "sinh": "(exp(a) + exp(-a))/2",
    "cosh": "(exp(a) - exp(-a))/2",
    "erf": "2/sqrt(pi) * exp(-a**2)",
    "expm1": "exp(a)",
    "log10": "1/(a * log(10))",
}

# Replacements of the names that other libraries have in their package.
PACKAGE_NAMES = {
    **dict.fromkeys(["Tensor", "tensor", "Variable", "Parameter", "Scalar"], "engine.Value(2.0, 'x')"),
    **dict.fromkeys(["nn", "viz"], "`import {name}`"),
    **{name: f"nn.{name}" for name in ("MLP", "Layer", "Perceptron", "SGD", "Adam", "mse", "train", "save", "load")},
    "Neuron": "nn.Perceptron(2, 'tanh')",
    **dict.fromkeys(["draw", "draw_dot", "trace"], "viz.draw(L)"),
    **dict.fromkeys(["backward", "forward", "zero_grad", "detach"], "the method of a Value, v.{name}()"),
    **dict.fromkeys(["gradient", "derivative"], "engine.grad(L, [x, y])"),
    **dict.fromkeys(["topo_sort", "build_topo"], "engine.topological_order(L)"),
    "ln": "engine.log(v)",
    "max": "engine.maximum(a, b)",
    "min": "engine.minimum(a, b)",
    "mean": "engine.sum(xs) / len(xs)",
    "square": "v ** 2",
    **dict.fromkeys(
        ["abs", "neg", "pow", "add", "mul", "sub", "div"], "the operators abs(v), -v, v ** w, v + w, v * w"
    ),
    **{name: f'engine.rule("{name}", "{name}(a)", "{partial}")' for name, partial in RULE_PARTIALS.items()},
}

# Advice for the attributes that their nodes have.
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
    **dict.fromkeys(
        ["requires_grad", "requires_grad_"], "leaves take gradients; v.detach() is a constant, which takes none"
    ),
    "retain_grad": "every node keeps its gradient in v.grad",
    "is_leaf": "write not v.parents",
    "grad_fn": "write v.op and v.parents",
    "children": "write v.parents",
    "name": "write v.label",
    "backprop": "write v.backward(), or engine.Backprop(v) for one step at a time",
    "backwards": "write v.backward()",
    **dict.fromkeys(["pow", "square"], "write v ** 2"),
    "max": "write v.maximum(w)",
    "min": "write v.minimum(w)",
    "mean": "it is one number; write engine.sum(xs) / len(xs) for the mean of several Values",
}

# The operators of Python that a Value lacks: the sign, and what to write instead.
FOREIGN_OPERATORS = {
    "xor": ("^", "write v ** w for a power"),
    "floordiv": ("//", "write v / w, or v.data // w for the number"),
    "mod": ("%", "write v.data % w for the number"),
    "matmul": ("@", "write engine.dot(ws, xs) for two lists"),
}


def missing_name(module: str, name: str, replacements: Mapping[str, str], names: Iterable[str]) -> Exception:
    """Return the error for a name that a module does not have, for its `__getattr__`.

    It says what to write: the replacement of a foreign name, or else a similar one of `names`. It is an AttributeError,
    but in `from module import name` an ImportError, since Python replaces an AttributeError there.

    >>> missing_name("viz", "drwa", {}, ["draw", "text"])
    AttributeError("module 'viz' has no attribute 'drwa': use viz.draw")
    """
    alike = [f"{module}.{other}" for other in difflib.get_close_matches(name, names, n=1)]
    use = replacements.get(name, alike[0] if alike else "").replace("{name}", name)
    hint = f": use {use}" if use else ""
    caller = sys._getframe(2)
    if caller.f_code.co_code[caller.f_lasti] == opmap["IMPORT_FROM"]:
        return ImportError(f"cannot import name {name!r} from {module!r}{hint}", name=module)
    return AttributeError(f"module {module!r} has no attribute {name!r}{hint}", name=name, obj=None)


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


def missing_operator(sign: str, advice: str) -> Callable[..., NoReturn]:
    """Return the method of an operator that raises an error."""

    def operate(*operands: object) -> NoReturn:
        raise TypeError(f"a Value has no operator {sign}: {advice}")

    return operate


def usage(example: str) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Decorate a function so that a call which does not fit its signature raises an error with an example.

    >>> usage("double(3)")(lambda x: 2 * x)(y=3)
    Traceback (most recent call last):
    TypeError: missing a required argument: 'x'; write double(3)
    """

    def decorate(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        @functools.wraps(function)
        def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            try:
                return function(*args, **kwargs)
            except TypeError:
                try:
                    inspect.signature(function).bind(*args, **kwargs)
                except TypeError as error:
                    raise TypeError(f"{error}; write {example}") from None
                raise

        return checked

    return decorate
