"""`no_grad`: operations that record nothing."""

from __future__ import annotations

import functools
import gc
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from engine.comparisons import EVERYWHERE, Comparisons
from engine.foreign import usage

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

RUN_LATER = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)

_recording: ContextVar[bool] = ContextVar("recording", default=True)

is_recording = _recording.get

_comparisons: ContextVar[Comparisons | None] = ContextVar("comparisons", default=EVERYWHERE)

noted_comparisons = _comparisons.get  # None if they are not noted

_reads: ContextVar[list[Any] | None] = ContextVar("reads", default=None)

noted_reads = _reads.get  # the Values whose data was read so far; None if they are not noted


class _MustBeCalled(type):
    """The class of `no_grad`, for the error of `with no_grad:`."""

    def __enter__(cls) -> None:
        raise TypeError(f"{cls.__name__} must be called, got it without brackets: write `with {cls.__name__}():`")

    def __exit__(cls, *exception: object) -> None:
        """Python looks this up before it calls `__enter__`."""


class no_grad(metaclass=_MustBeCalled):  # noqa: N801, since it is used like a function
    """Turn recording off inside the `with` block: operations compute, and their results are constants.

    This holds only for the running thread or async task. `@no_grad()` decorates a function.

    Raises:
        TypeError: the decorated function is a coroutine or a generator, whose body runs after the call has ended.

    >>> from engine import Value
    >>> a = Value(2.0)
    >>> with no_grad():
    ...     b = a * 3
    >>> b.data, b.parents
    (6.0, ())
    """

    @usage("`with no_grad():`, or `@no_grad()` above a function")
    def __init__(self) -> None:
        pass

    def __enter__(self) -> None:
        self._context: AbstractContextManager[None] = _recording_off()
        self._context.__enter__()

    def __exit__(self, *exception: object) -> None:
        self._context.__exit__(*exception)  # type: ignore[arg-type]

    def __call__(self, function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        """Return the function with recording turned off while it runs."""
        if any(kind(function) for kind in RUN_LATER):
            raise TypeError(
                f"no_grad() must decorate a function that runs when it is called, got {function.__qualname__}, a "
                "coroutine or a generator: write `with no_grad():` inside it"
            )

        @functools.wraps(function)
        def without_recording(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            with no_grad():
                return function(*args, **kwargs)

        return without_recording


@contextmanager
def _recording_off() -> Iterator[None]:
    before = _recording.get()
    try:  # from here on, Ctrl-C at any point restores the state
        _recording.set(False)
        yield
    finally:
        _recording.set(before)


@contextmanager
def recording(
    comparisons: Comparisons | None = None, reads: list[Any] | None = None, *, lasting: bool = False
) -> Iterator[None]:
    """Turn recording on inside the `with` block, even within `no_grad`, for code that needs the graph it computes.

    Comparisons of Values are noted in `comparisons`, and Values whose `data` is read in `reads`, by default nowhere.
    The garbage collector pauses, as in `collector_paused`.
    """
    tokens = _recording.set(True), _comparisons.set(comparisons), _reads.set(reads)
    try:
        with collector_paused(lasting=lasting):
            yield
    finally:
        _recording.reset(tokens[0])
        _comparisons.reset(tokens[1])
        _reads.reset(tokens[2])


@contextmanager
def collector_paused(*, lasting: bool = False) -> Iterator[None]:
    """Pause Python's cyclic garbage collector inside the `with` block.

    It would trace a growing graph again and again, which has no reference cycles. If the new objects are `lasting`,
    they are moved to the oldest generation, so that they are not traced as new ones afterwards either.
    """
    collects = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if lasting and not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        if collects:
            gc.enable()
