"""Shared parts of the lessons: the command line, headings, checks and pictures."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

import viz
from demos._data import Examples, Table
from engine.formatting import format_number
from viz.plots.axes import Area, Axes, literal
from viz.style import PLOT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEFAULT = " (default: %(default)s)"
OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {  # of each parameter of a lesson
    "activation": ("--activation", {"help": "activation f of every neuron" + DEFAULT}),
    "at_once": ("--all", {"action": "store_true", "help": "print all steps at once, as in a pipe"}),
    "batch": ("--batch", {"type": int, "metavar": "N", "help": "number of names in every step" + DEFAULT}),
    "curve": ("curve", {"nargs": "?", "help": "y in terms of x" + DEFAULT}),
    "data": ("--data", {"type": Path, "metavar": "FILE.csv", "help": "your own examples: a header, the target last"}),
    "dataset": ("dataset", {"nargs": "?", "help": "xor, moons, circles, spirals or iris" + DEFAULT}),
    "ends": ("--range", {"nargs": 2, "type": float, "metavar": ("FROM", "TO"), "help": "range of x (default: -pi pi)"}),
    "epochs": ("--epochs", {"type": int, "metavar": "N", "help": "maximum number of epochs" + DEFAULT}),
    "eta": ("--eta", {"type": float, "help": "learning rate" + DEFAULT}),
    "expression": ("expression", {"nargs": "?", "help": 'such as "tanh(a*b + c)", the default, or "micrograd"'}),
    "file": ("--data", {"type": Path, "metavar": "FILE.txt", "help": "your own names, one per line"}),
    "hidden": ("--hidden", {"type": int, "metavar": "N", "help": "number of hidden neurons" + DEFAULT}),
    "hidden_sizes": ("--hidden", {"type": int, "nargs": "*", "metavar": "N", "help": "neurons of every hidden layer"}),
    "layers": ("--layers", {"type": int, "metavar": "N", "help": "number of layers of the deep networks" + DEFAULT}),
    "loss": ("loss", {"nargs": "?", "help": "L in terms of w1 and w2" + DEFAULT}),
    "output": ("--output", {"type": Path, "metavar": "PATH", "help": "where to save the pictures" + DEFAULT}),
    "seed": ("--seed", {"type": int, "help": "seed of all random numbers" + DEFAULT}),
    "sizes": ("--sizes", {"type": int, "nargs": "+", "metavar": "N", "help": "inputs, then neurons of every layer"}),
    "start": ("--start", {"nargs": 2, "type": float, "metavar": ("W1", "W2"), "help": "starting point theta^0"}),
    "steps": ("--steps", {"type": int, "metavar": "N", "help": "maximum number of steps" + DEFAULT}),
    "temperature": ("--temperature", {"type": float, "metavar": "T", "help": "sampling temperature" + DEFAULT}),
    "times": ("--times", {"type": int, "metavar": "N", "help": "number of trainings with different seeds" + DEFAULT}),
    "values": ("values", {"nargs": "*", "metavar": "name=number", "help": "the value of every name, such as a=2 b=-3"}),
    "width": ("--width", {"type": int, "metavar": "N", "help": "number of neurons in a hidden layer" + DEFAULT}),
    "x": ("--x", {"nargs": 2, "type": float, "metavar": ("X1", "X2"), "help": "inputs (default: 1 0.5)"}),
    "z": ("--z", {"type": float, "help": "desired output" + DEFAULT}),
}
PICTURES = Path("pictures")
INSTALL = "pip install 'glassgrad[demos]'"
COMMAND = "glassgrad" if Path(sys.argv[0]).stem == "glassgrad" else "python -m demos"  # which started this process

console = Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def command(lesson: Callable[..., None]) -> Callable[..., None]:
    """Return the command of a lesson, whose parameters are its options, with the same defaults.

    On an error of the user, the command exits with a message instead of a traceback.
    """
    prog = f"{COMMAND} {Path(inspect.getfile(lesson)).stem}"

    def main(arguments: list[str] | None = None) -> None:
        options = argparse.ArgumentParser(prog=prog, description=lesson.__globals__["__doc__"])
        for name, parameter in inspect.signature(lesson).parameters.items():
            flag, settings = OPTIONS[name]
            if flag.startswith("--"):
                settings = {"dest": name, **settings}
            options.add_argument(flag, default=parameter.default, **settings)
        try:
            lesson(**vars(options.parse_args(arguments)))
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            sys.exit(f"{prog}: this lesson needs {package}: {INSTALL}")
        except OverflowError as error:
            sys.exit(f"{prog}: {error}: try smaller numbers")
        except (ImportError, ValueError, ArithmeticError, OSError, RuntimeError) as error:
            sys.exit(f"{prog}: {error}")

    return main


def heading(text: str) -> None:
    """Print a heading."""
    console.print(f"\n{text}", style="bold")


def figure(width: float, height: float) -> Figure:
    """Return an empty figure for a projector; width and height are in inches, of which 10 are 1,600 pixels."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams.update(PLOT)
    return Figure(figsize=(width, height), layout="constrained")


def save(picture: Figure | viz.Drawing | viz.Animation, folder: Path, name: str) -> None:
    """Write a picture into a folder, which is created if need be, and print its path."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(picture, viz.Drawing):
        (folder / name).write_bytes(picture.pipe(format="svg"))
    elif isinstance(picture, viz.Animation):
        picture.save(folder / name)
    else:
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo

        image, description = BytesIO(), PngInfo()
        picture.savefig(image)
        description.add_text("Description", describe(picture))
        Image.open(image).convert("RGB").quantize(128).save(folder / name, pnginfo=description)  # a third of the bytes
    print(f"\nPicture: {folder / name}")


def describe(picture: Figure) -> str:
    """Return the alternative text of a figure: the titles and axis labels of its plots."""
    plots = []
    for ax in picture.axes:
        labels = " by ".join(filter(None, (ax.get_ylabel(), ax.get_xlabel())))
        plots.append(": ".join(filter(None, (ax.get_title(), labels))))
    return " ".join("; ".join(filter(None, plots)).split())


def plot_plane(model: Callable[[list[float]], Any], data: Examples, table: Table, ax: Axes, scale: str = "") -> Axes:
    """Plot a model's outputs over its last two inputs, with the others at 0; hide the plot if there is one input."""
    names = table.names[:-1]
    if len(names) < 2:
        ax.set_visible(False)
        return ax
    others = [0.0] * (len(names) - 2)
    predict = (lambda x: model([*others, *x])) if others else model
    data = [(x[-2:], r) for x, r in data]
    viz.plot_decision_boundary(predict, data, names=table.classes, scale=scale, compile=True, ax=ax)
    unit = ", standardized" if table.is_standardized else ""
    place = "at the mean" if table.is_standardized else "at 0"
    fixed = f"{' and '.join(names[:-2])} {place}" if len(others) in (1, 2) else ""
    ax.set(title=literal(fixed), xlabel=literal(names[-2] + unit), ylabel=literal(names[-1] + unit))
    ax.legend(title=literal(table.names[-1]))
    return ax


def plot_corners(
    model: Callable[[list[float]], Any], data: Examples, ax: Axes, title: str, area: Area | None = None
) -> Axes:
    """Plot a model of two inputs that are 0 or 1, over the corners of the unit square, or over an area."""
    viz.plot_decision_boundary(model, data, names=["r = -1", "r = 1"], area=area, ax=ax)
    ax.set(title=title, aspect="equal", xticks=[0, 1], yticks=[0, 1])
    return ax


def share_legend(picture: Figure, ax: Axes, title: str = "") -> None:
    """Write the legend of one plot below all plots of a picture."""
    picture.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=6, title=title)


def format_vector(numbers: Iterable[float], digits: int = 6) -> str:
    """Return numbers as text, separated by commas."""
    return ", ".join(format_number(number, digits) for number in numbers)


def report_agreement(what: str, differences: list[float], tolerance: float, reference: str = "backward()") -> None:
    """Print the largest difference between numbers computed in two ways, which must not exceed the tolerance."""
    for difference in differences:
        if not difference <= tolerance:
            raise ArithmeticError(f"{what} must match {reference} within {tolerance:.0e}, got {difference:.1e} off")
    print(f"All {len(differences):,} {what} match {reference} (largest difference {max(differences):.2g}).")
