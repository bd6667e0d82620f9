"""What the lessons share: options, headings, pictures in a folder."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

import viz

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """The command line of a lesson, with the option of a folder for its pictures."""
    options = argparse.ArgumentParser(prog=f"python -m demos.{name}", description=description)
    options.add_argument(
        "--output", type=Path, default=Path("pictures"), metavar="FOLDER",
        help="where the pictures go (default: %(default)s)",
    )  # fmt: skip
    return options


def heading(text: str) -> None:
    console.print(f"\n{text}", style="bold")


@contextmanager
def exit_on_error(options: argparse.ArgumentParser) -> Iterator[None]:
    """Ends the program with what the user has to know, and no traceback."""
    try:
        yield
    except (ImportError, ValueError, ArithmeticError, OSError) as error:
        sys.exit(f"{options.prog}: {error}")


def figure(width: float, height: float) -> Figure:
    """An empty figure, so many inches wide and high.

    Raises:
        ImportError: matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("the pictures need matplotlib: pip install 'glassgrad[demos]'") from None
    return Figure(figsize=(width, height), layout="constrained")


def save(picture: Figure | viz.Drawing, folder: Path, name: str) -> None:
    """Write a picture into the folder, which is made where there is none, and say where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(picture, viz.Drawing):
        (folder / name).write_bytes(picture.pipe(format="svg"))
    else:
        picture.savefig(folder / name, dpi=80, metadata={"Description": described(picture)})
    print(f"\nPicture: {folder / name}")


def described(picture: Figure) -> str:
    """What is plotted, for those who cannot see it: the titles, and what the axes are."""
    plots = []
    for ax in picture.axes:
        labels = " by ".join(filter(None, (ax.get_ylabel(), ax.get_xlabel())))
        plots.append(": ".join(filter(None, (ax.get_title(), labels))))
    return " ".join("; ".join(filter(None, plots)).split())


def plot_plane(
    model: Callable[[list[float]], Any],
    data: Sequence[tuple[list[float], int]],
    names: Sequence[str],
    classes: Sequence[str],
    ax: Axes,
) -> Axes:
    """What the model answers in the plane of the last two inputs, where the others are at 0; for one input, nothing."""
    others = [0.0] * (len(names) - 2)
    if len(names) < 2:
        ax.set_visible(False)
        return ax
    plane = [(x[-2:], r) for x, r in data]
    answers = (lambda x: model([*others, *x])) if others else model
    viz.plot_decision_boundary(answers, plane, names=classes, compile=True, ax=ax)
    ax.set(xlabel=names[-2], ylabel=names[-1])
    ax.legend(fontsize="small")
    return ax


def report_agreement(name: str, differences: list[float], bound: float) -> None:
    """Tell the largest difference from autograd.

    Raises:
        ArithmeticError: it is larger than `bound`.
    """
    for difference in differences:
        if not difference <= bound:
            raise ArithmeticError(f"{name}: backward() differs by {difference:.1e}, more than {bound:.0e}")
    print(f"{name} and backward() agree in {len(differences):,} numbers, to {max(differences):.1e}.")
