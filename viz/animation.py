"""The animation of a training: its decision boundary, epoch by epoch."""

from __future__ import annotations

import base64
import os
import tempfile
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.restore import restored
from engine.validation import at_least, describe
from nn import History, Module
from nn.inputs import examples
from viz.plots.boundary import Example, Plane, batch_predictor
from viz.style import PLOT

FRAMES_PER_SECOND = 6
SECONDS = 5.0  # of an animation of fewer frames, which are shown more slowly, but at least two per second
LAST_FRAME_SECONDS = 3.0


class Animation:
    """The decision boundary of a model of two inputs while it learns: a callback for `nn.train`, then a GIF.

    The callback only stores the weights of every epoch, which takes almost no time. The frames are drawn when the
    animation is saved or shown in a notebook, when the number of epochs is known, even if the training was interrupted,
    so that a shade means the same in all frames.

    Args:
        model: a Module of two inputs that returns a Value, or a list with a logit per class.
        data: pairs ((x1, x2), r), as for `plot_decision_boundary`.
        boundary: the output at which one class ends and the other begins, as there.
        names: the names of the classes, for a legend.

    Raises:
        TypeError: `model` is not a Module, or `data` are not pairs.
        ValueError: there are no data, or an example does not have two inputs.

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
        self, model: Module, data: Iterable[Example], *, boundary: float = 0.0, names: Sequence[str] = ()
    ) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"model must be a Module, whose weights an animation stores, got {describe(model)}")
        self.model, self.plane = model, Plane(examples(data), boundary, names)
        self._parameters = model.parameters()
        self._weights = [self._current_weights()]
        self._titles = ["before the training"]
        self._latest = ""

    def __call__(self, history: History) -> None:
        """Store the weights after an epoch; `nn.train` calls this, and so may several trainings in turn."""
        self._latest = history.latest
        self.record(f"epoch {self.epochs + 1}: {history.latest}")

    def record(self, title: str) -> None:
        """Store the current weights as one more frame, with its title."""
        self._weights.append(self._current_weights())
        self._titles.append(title)

    @property
    def epochs(self) -> int:
        """The number of epochs, or of other records, so far."""
        return len(self._weights) - 1

    def save(self, path: str | os.PathLike[str], *, frames: int = 30) -> Path:
        """Write an animated GIF from before the training to the last epoch.

        Args:
            path: the file, which ends in .gif; an existing file is replaced.
            frames: the most frames to show. They are closer together at the start, where the boundary changes most.

        Returns:
            The path of the file.

        Raises:
            ImportError: matplotlib is missing.
            ValueError: the file does not end in .gif, or `frames` is less than 1.
            ArithmeticError: an output overflows.
            OSError: the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() != ".gif":
            raise ValueError(f"the file of an animation must end in .gif, got {path.name!r}")
        epochs = _spread(self.epochs, at_least(1, frames, "frames"))
        try:
            from matplotlib import rc_context
            from matplotlib.animation import PillowWriter
            from matplotlib.figure import Figure
        except ImportError:
            raise ImportError("animations need matplotlib: pip install 'glassgrad[demos]'") from None
        surfaces = []
        with restored(self._parameters):
            predict = batch_predictor(self.model, compile=True)
            for epoch in epochs:
                for parameter, data in zip(self._parameters, self._weights[epoch], strict=True):
                    parameter.data = data
                surfaces.append(predict(self.plane.points))
        largest = max(float(abs(outputs - self.plane.boundary).max()) for outputs in surfaces)
        fps = max(2, min(FRAMES_PER_SECOND, round(len(epochs) / SECONDS)))
        writer = PillowWriter(fps=fps)
        with rc_context(PLOT):
            figure = Figure(figsize=(8, 6.5))
            figure.subplots_adjust(left=0.12, right=0.97, top=0.92, bottom=0.11)
            ax = figure.subplots()
            with writer.saving(figure, str(path), dpi=75):
                for epoch, outputs in zip(epochs, surfaces, strict=True):
                    ax.clear()
                    self.plane.plot(ax, outputs, largest)
                    ax.set_title(self._titles[epoch])
                    if self.plane.names:
                        ax.legend(loc="upper right")
                    writer.grab_frame()
                for _ in range(int(LAST_FRAME_SECONDS * fps) - 1):
                    writer.grab_frame()
        return path

    def _repr_html_(self) -> str:
        with tempfile.TemporaryDirectory() as folder:
            gif = self.save(Path(folder) / "animation.gif").read_bytes()
        return f'<img alt="{self!r}" src="data:image/gif;base64,{base64.b64encode(gif).decode()}">'

    def __repr__(self) -> str:
        epochs = f"{self.epochs} epoch{'' if self.epochs == 1 else 's'}"
        return f"Animation of {epochs}" + (f": {self._latest}" if self._latest else "")

    def _current_weights(self) -> array[float]:
        return array("d", [parameter.data for parameter in self._parameters])


def _spread(last: int, frames: int) -> list[int]:
    """Return up to `frames` numbers from 0 to `last`, at growing distances."""
    if frames == 1:
        return [last]
    return sorted({round(last * (i / (frames - 1)) ** 2) for i in range(frames)})
