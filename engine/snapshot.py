"""The data and gradients of a graph, put back as they were: after an error, or after a temporary change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.value import Value


@contextmanager
def restored(nodes: Iterable[Value]) -> Iterator[None]:
    """Put the data and gradients of `nodes` back at the end of the `with` block.

    >>> from engine import Value
    >>> x = Value(2.0)
    >>> with restored([x]):
    ...     x.data = 3.0
    >>> x.data
    2.0
    """
    put_back = _snapshot(nodes)
    try:
        yield
    finally:
        put_back()


@contextmanager
def restored_on_error(nodes: Iterable[Value]) -> Iterator[None]:
    """Put the data and gradients of `nodes` back if the `with` block raises anything, Ctrl-C included."""
    put_back = _snapshot(nodes)
    try:
        yield
    except BaseException:
        put_back()
        raise


def _snapshot(nodes: Iterable[Value]) -> Callable[[], None]:
    """Return the function that puts everything back."""
    nodes = list(nodes)
    data = [node._data for node in nodes]
    grads = [node.grad for node in nodes]

    def put_back() -> None:
        for node, number, grad in zip(nodes, data, grads, strict=True):
            node._data, node.grad = number, grad

    return put_back
