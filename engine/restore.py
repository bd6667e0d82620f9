"""The data and gradients of a graph, put back as they were: after an error, or after a temporary change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.value import Value


@contextmanager
def restored(nodes: Iterable[Value], *, on_error: bool = False) -> Iterator[None]:
    """Put the data and gradients of `nodes` back after the `with` block.

    Args:
        nodes: the Values to restore.
        on_error: restore them only if the block raises anything, Ctrl-C included.

    >>> from engine import Value
    >>> x = Value(2.0)
    >>> with restored([x]):
    ...     x.data = 3.0
    >>> x.data
    2.0
    """
    nodes = list(nodes)
    data = [node._data for node in nodes]
    grads = [node._grad for node in nodes]
    succeeded = False
    try:
        yield
        succeeded = True
    finally:
        if not (succeeded and on_error):
            for node, number, grad in zip(nodes, data, grads, strict=True):
                node._data, node._grad = number, grad
