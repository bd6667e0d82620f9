"""`no_grad`: operations that record nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_recording: ContextVar[bool] = ContextVar("recording", default=True)

is_recording = _recording.get


@contextmanager
def no_grad() -> Iterator[None]:
    """Turn recording off inside the `with` block: operations compute, and their results are constants.

    This holds only for the running thread or async task. `@no_grad()` decorates a function.

    >>> from engine import Value
    >>> a = Value(2.0)
    >>> with no_grad():
    ...     b = a * 3
    >>> b.data, b.parents
    (6.0, ())
    """
    before = _recording.get()
    try:  # from here on, Ctrl-C at any point restores the state
        _recording.set(False)
        yield
    finally:
        _recording.set(before)


@contextmanager
def recording() -> Iterator[None]:
    """Turn recording on inside the `with` block, even within `no_grad`, for code that needs the graph it computes."""
    token = _recording.set(True)
    try:
        yield
    finally:
        _recording.reset(token)
