"""The progress bar of a training."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import rich.progress

    from nn.history import History

PATIENCE = 1.0  # seconds before a bar is shown
PAUSE = 0.1  # seconds between two looks of it


class Progress:
    """A bar over `total` steps, shown in a terminal from the second `PATIENCE` on, and gone at the end."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self.total = total
        self.done = 0
        self.next = time.monotonic() + PATIENCE
        self.shown = shown and sys.stderr is not None and sys.stderr.isatty()
        self.bar: rich.progress.Progress | None = None

    def __enter__(self) -> Self:
        return self

    def advance(self, history: History) -> None:
        """One step more; beside the bar stands the last epoch of `history`."""
        self.done += 1
        if not self.shown or time.monotonic() < self.next:
            return
        self.next = time.monotonic() + PAUSE
        if self.bar is None:
            self.bar = _bar()
            self.bar.add_task("training", total=self.total, latest="")
            self.bar.start()
        self.bar.update(self.bar.task_ids[0], completed=self.done, latest=history.latest)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.bar:
            self.bar.stop()


def _bar() -> rich.progress.Progress:
    from rich.console import Console  # here, because it takes longer to import than nn itself
    from rich.progress import BarColumn, TaskProgressColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = ("{task.description}", BarColumn(bar_width=20), TaskProgressColumn(), "{task.fields[latest]}")
    # What the program prints meanwhile goes above the bar, but not when it goes elsewhere.
    above = sys.stdout.isatty()
    return Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True, redirect_stdout=above)
