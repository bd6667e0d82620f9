"""Whether operations record their operands: always, but inside `no_grad()`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_recording: ContextVar[bool] = ContextVar("recording", default=True)

is_recording = _recording.get


@contextmanager
def no_grad() -> Iterator[None]:
    """Within it, operations compute and record nothing: their results are constants.

    Holds for the running thread or async task alone. Also a decorator: `@no_grad()`.

    >>> from engine import Value
    >>> a = Value(2.0)
    >>> with no_grad():
    ...     b = a * 3
    >>> b.data, b.parents
    (6.0, ())
    """
    before = _recording.get()
    try:  # from here on a Ctrl-C at any point leaves it as it was
        _recording.set(False)
        yield
    finally:
        _recording.set(before)
