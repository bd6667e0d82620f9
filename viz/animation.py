"""Animation: a training as a film of the decision boundary."""

from __future__ import annotations

import base64
import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.validation import at_least, describe
from nn import History, Module
from nn.inputs import examples
from viz.plots import answers, grid, plane, plot_examples, plot_surface

FRAMES_A_SECOND = 6
LAST = 2.0  # seconds for which the last frame stands
DPI = 80


class Animation:
    """The decision boundary of a model of two inputs while it learns: a callback for `nn.train`, and then a GIF.

    It only keeps the weights of every epoch, which takes next to no time; the frames are drawn when it is saved, or
    shown in a notebook. So nobody has to know before how long the training takes, a shade means the same in all
    frames, and a training that Ctrl-C ended can be watched as well.

    Args:
        model: a Module of two inputs that gives one Value, or one logit for every class in a list.
        data: pairs ((x1, x2), r), as for `plot_decision_boundary`.
        boundary: the output on which one class ends and the other begins: 0 for scores and logits, 0.5 for
            probabilities.
        names: of the classes, for a legend.

    Raises:
        TypeError: the model is no Module, or the data are no pairs.
        ValueError: the data have not two inputs.

    >>> import tempfile
    >>> import nn
    >>> XOR = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
    >>> model = nn.MLP(2, [4, 1], seed=1)
    >>> animation = Animation(model, XOR)
    >>> history = nn.train(model, nn.binary_cross_entropy, XOR, callback=animation, epochs=30, seed=1)
    >>> animation
    Animation of 30 epochs: loss 0.4675, accuracy 100.0 %
    >>> animation.save(f"{tempfile.mkdtemp()}/xor.gif", frames=5).name
    'xor.gif'
    """

    def __init__(
        self,
        model: Module,
        data: Iterable[tuple[Sequence[float], float]],
        *,
        boundary: float = 0.0,
        names: Sequence[str] = (),
    ) -> None:
        if not isinstance(model, Module):
            raise TypeError(
                f"an animation needs the weights of every epoch, so the model is a Module, got {describe(model)}"
            )
        self.model, self.data, self.boundary, self.names = model, examples(data), boundary, names
        self.x1, self.x2 = plane(self.data)
        self._parameters = model.parameters()
        self._weights = [self._now()]
        self._titles = ["before the training"]
        self._latest = ""

    def __call__(self, history: History) -> None:
        """Take in an epoch. As a callback it is called by `nn.train`, also by one after the other."""
        self._latest = history.latest
        self._weights.append(self._now())
        self._titles.append(f"epoch {self.epochs}: {history.latest}")

    @property
    def epochs(self) -> int:
        """How many were taken in."""
        return len(self._weights) - 1

    def save(self, path: str | os.PathLike[str], *, frames: int = 30) -> Path:
        """Write an animated GIF, which begins before the training and ends with the last epoch.

        Args:
            path: the file, which ends in .gif; it is written over.
            frames: how many to show at most, close together at the start, where most changes.

        Returns:
            The path of the file.

        Raises:
            ImportError: matplotlib is missing.
            ValueError: the file is no .gif, or `frames` is less than 1.
            ArithmeticError: an output overflows.
            OSError: the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() != ".gif":
            raise ValueError(f"an animation is a file that ends in .gif, got {path.name!r}")
        chosen = _spread(self.epochs, at_least(1, frames, "frames"))
        try:
            from matplotlib.animation import PillowWriter
            from matplotlib.figure import Figure
        except ImportError:
            raise ImportError("animations need matplotlib: pip install 'glassgrad[demos]'") from None
        points = grid(self.x1, self.x2)
        with self._kept():
            answer = answers(self.model, often=True)
            surfaces = []
            for epoch in chosen:
                self._set(self._weights[epoch])
                surfaces.append(answer(points))
        largest = max(float(abs(outputs - self.boundary).max()) for outputs in surfaces)
        picture = Figure(figsize=(5, 4.4))
        picture.subplots_adjust(left=0.14, right=0.97, top=0.92, bottom=0.12)
        ax = picture.subplots()
        writer = PillowWriter(fps=FRAMES_A_SECOND)
        with writer.saving(picture, str(path), DPI):
            for epoch, outputs in zip(chosen, surfaces, strict=True):
                ax.clear()
                plot_surface(ax, self.x1, self.x2, outputs, self.boundary, largest)
                plot_examples(ax, self.data, self.names, outputs)
                ax.set_title(self._titles[epoch])
                if self.names:
                    ax.legend(loc="upper right", fontsize="small")
                writer.grab_frame()
            for _ in range(int(LAST * FRAMES_A_SECOND) - 1):
                writer.grab_frame()
        return path

    def _repr_html_(self) -> str:
        """The GIF itself, for a notebook."""
        with tempfile.TemporaryDirectory() as folder:
            gif = self.save(Path(folder) / "animation.gif").read_bytes()
        return f'<img alt="{self!r}" src="data:image/gif;base64,{base64.b64encode(gif).decode()}">'

    def __repr__(self) -> str:
        epochs = f"{self.epochs} epoch{'s' * (self.epochs != 1)}"
        return f"Animation of {epochs}" + f": {self._latest}" * bool(self._latest)

    def _now(self) -> array[float]:
        return array("d", [parameter.data for parameter in self._parameters])

    def _set(self, weights: array[float]) -> None:
        for parameter, data in zip(self._parameters, weights, strict=True):
            parameter.data = data

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Leaves the weights of the model in the end as they were."""
        before = self._now()
        try:
            yield
        finally:
            self._set(before)


def _spread(last: int, frames: int) -> list[int]:
    """Numbers from 0 to `last`, the closer together the smaller; as many as `frames`, or all."""
    if frames == 1:
        return [last]
    return sorted({round(last * (i / (frames - 1)) ** 2) for i in range(frames)})
