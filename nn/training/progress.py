"""The progress bar of a training."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import rich.progress

    from nn.history import History

DELAY = 1.0  # seconds before the bar appears
INTERVAL = 0.1  # seconds between two updates


class Progress:
    """A bar over `total` steps in a terminal. It appears after `DELAY` seconds and disappears at the end."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self.total = total
        self.done = 0
        self.next = time.monotonic() + DELAY
        self.shown = shown and _is_terminal(sys.stderr)
        self.bar: rich.progress.Progress | None = None

    def __enter__(self) -> Self:
        return self

    def advance(self, history: History, n: int = 1) -> None:
        """Count n more steps; the last epoch of `history` is shown beside the bar."""
        self.done += n
        if not self.shown or time.monotonic() < self.next:
            return
        self.next = time.monotonic() + INTERVAL
        if self.bar is None:
            self.bar = _bar()
            self.bar.add_task("training", total=self.total, latest="")
            self.bar.start()
        self.bar.update(self.bar.task_ids[0], completed=self.done, latest=history.latest)

    def __exit__(self, *error: object) -> None:
        if self.bar:
            self.bar.stop()


def _is_terminal(stream: object) -> bool:
    """Return whether `stream` is a terminal; it may be None, closed, or an object that can only write."""
    try:
        return bool(stream.isatty())  # type: ignore[attr-defined]
    except (AttributeError, ValueError):
        return False


def _bar() -> rich.progress.Progress:
    from rich import progress  # here, because it takes longer to import than all of nn
    from rich.console import Console

    return progress.Progress(
        "{task.description}", progress.BarColumn(bar_width=20), progress.TaskProgressColumn(), "{task.fields[latest]}",
        progress.TimeRemainingColumn(), console=Console(stderr=True), transient=True,
        redirect_stdout=_is_terminal(sys.stdout),  # what the program prints appears above the bar, unless it is piped
    )  # fmt: skip
