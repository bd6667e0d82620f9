"""compile: written scalar by scalar, run at the speed of arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine import errors
from engine.graph import topological_order
from engine.validation import describe
from engine.value import Value

if TYPE_CHECKING:
    from engine.compiler.program import Compiled


def compile(output: Value | Iterable[Value], inputs: Value | Iterable[Value]) -> Compiled:
    """A graph that was recorded once, ready to be replayed over many rows of data.

    Args:
        output: a Value, or a list of them.
        inputs: the leaves that change from row to row; all other leaves have in every row the data that they have when
            the result is called.

    Returns:
        A function of rows, an array of shape (n, number of inputs), that gives the outputs, of shape (n,), or (n, k)
        for a list of k outputs. Its method `backward(rows)` gives the mean of the output over the rows and adds the
        mean's gradient to the `grad` of every leaf that is no input.

    Raises:
        ImportError: numba is missing, which the extra `fast` brings.
        TypeError: an output or an input is no Value.
        ValueError: an input is no leaf, is there twice, or is no part of the graph; or there is no output or input.
        RuntimeError: an output is a constant.

    On a machine's first use the kernels of the engine's table are compiled, which takes some 20 seconds; they are kept.

    >>> x, w = Value(1.0, "x"), Value(0.5, "w")
    >>> f = compile((w * x).tanh(), [x])
    >>> f([[0.0], [2.0]])
    array([0.        , 0.76159416])
    >>> f.backward([[0.0], [2.0]]), w.grad
    (0.3807970779778824, 0.41997434161402597)
    """
    outputs = [output] if isinstance(output, Value) else _values("output", output)
    leaves = [inputs] if isinstance(inputs, Value) else _values("input", inputs)
    for value in outputs:
        if value.is_constant:
            raise errors.no_graph(value)
    graph = set(topological_order(*outputs))
    for i, leaf in enumerate(leaves):
        if leaf.op or leaf.is_constant:
            raise ValueError(f"an input is a leaf, made by Value(...); input {i} is {leaf!r}")
        if leaf in leaves[:i]:
            raise ValueError(f"input {i}, {leaf!r}, is there twice")
        if leaf not in graph:
            raise ValueError(f"input {i}, {leaf!r}, is no part of the graph of the output")
    try:
        from engine.compiler.program import Compiled
    except ImportError as error:
        raise ImportError(f"compile needs {error.name}: pip install 'glassgrad[fast]'") from error
    return Compiled(outputs, leaves, single=isinstance(output, Value))


def _values(what: str, values: Iterable[Value]) -> list[Value]:
    if not isinstance(values, Iterable):
        raise TypeError(f"an {what} is a Value, or Values in a list, got {describe(values)}")
    listed = list(values)
    for value in listed:
        if not isinstance(value, Value):
            raise TypeError(f"an {what} is a Value, got {describe(value)}")
    if not listed:
        raise ValueError(f"compile takes one {what} or more, got none")
    return listed
