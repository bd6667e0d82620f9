"""The plot of a decision boundary: the output of a model over the plane of its two inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import engine
from engine import Value, no_grad
from engine.foreign import usage
from engine.formatting import format_number
from engine.recording import recording
from engine.validation import describe
from engine.value import number_of
from nn import MLP, Layer, Perceptron
from viz.plots.axes import Area, Axes, axes_or_new, grid_steps, literal, shades
from viz.style import CLASSES, DARK, MARKERS

RESOLUTION = 80  # points along each axis
NETWORKS = (Perceptron, Layer, MLP)  # their subclasses may treat every input differently
Example = tuple[Sequence[float], float]  # x and r


@usage("viz.plot_decision_boundary(model, zip(xs, rs))")
def plot_decision_boundary(
    model: Callable[[Any], Any],
    data: Iterable[Example],
    *,
    boundary: float = 0.0,
    names: Sequence[str] = (),
    area: Area | None = None,
    scale: str = "",
    compile: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Plot the output of a model of two inputs over the plane, as shades, with the data on top.

    Args:
        model: a function of (x1, x2) that returns a Value, or a list with a logit per class.
        data: pairs ((x1, x2), r), where r is the class; with logits, the index of its logit.
        boundary: the output at which one class ends and the other begins: 0 for scores and logits, 0.5 for
            probabilities. With a list of logits, the largest decides.
        names: the names of the classes, for a legend.
        area: the ranges of x1 and of x2 to show; by default those of the data and a margin.
        scale: the name of the output, for a colour bar of the shades of a model that returns a Value.
        compile: compile a Perceptron, a Layer or an MLP with `engine.compile`. This makes large networks faster; the
            first compilation on a machine takes about a second.
        ax: the axes to plot on; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: there are no data, an example does not have two inputs, there is not one name per class, a range of
            `area` does not increase, or no output is finite.

    >>> import nn
    >>> ax = plot_decision_boundary(nn.Perceptron(2, "sign", init=[0, 1, 1]), [((0, 1), 1), ((0, -1), -1)])
    >>> ax.get_xlabel()
    'x1'
    """
    ax = axes_or_new(ax)
    plane = Plane(list(data), boundary, names, area)
    plane.plot(ax, batch_predictor(model, compile=compile)(plane.points), scale=scale)
    return ax


def batch_predictor(model: Callable[[Any], Any], *, compile: bool) -> Callable[[Sequence[Any]], Any]:
    """Return a function of n inputs that returns the n outputs of the model, as an array of shape (n,), or (n, k).

    With `compile`, a Perceptron, a Layer or an MLP is compiled; the function always uses the current weights. Other
    models are called for each input, and so are all if llvmlite is missing.
    """
    if compile and isinstance(model, NETWORKS) and type(model) in NETWORKS:
        inputs = [Value(0.0, f"x{i}") for i in range(1, model.n_inputs + 1)]
        try:
            with recording():
                return engine.compile(model(inputs), inputs)
        except (ImportError, ArithmeticError):  # llvmlite is missing, or the model is undefined at 0, as log is
            pass

    def predict_each(points: Sequence[Any]) -> Any:
        import numpy as np

        with no_grad():
            outputs = [model(x) for x in points]
        return np.array([[number_of(o) for o in y] if isinstance(y, Sequence) else number_of(y) for y in outputs])

    return predict_each


class Plane:
    """The plane of two inputs: a grid of points around the data, and the plot of a model's outputs there.

    Raises:
        ValueError: there are no data, or an example does not have two inputs.
    """

    def __init__(
        self, data: Sequence[Example], boundary: float, names: Sequence[str], area: Area | None = None
    ) -> None:
        if not data:
            raise ValueError("data must have at least one example, around which to plot, got none")
        for x, _ in data:
            if len(x) != 2:
                raise ValueError(f"every example must have two inputs, x1 and x2, got {len(x)}: {describe(x)}")
        self.data, self.boundary, self.names = data, boundary, names
        coordinates = [[number_of(x[i]) for x, _ in data] for i in range(2)]
        self.x1, self.x2 = grid_steps(coordinates, ("x1 of data", "x2 of data"), area, RESOLUTION)
        self.points = [(a, b) for b in self.x2 for a in self.x1]

    def plot(self, ax: Axes, outputs: Any, largest: float | None = None, scale: str = "") -> None:
        """Plot the outputs at the points as shades, those of scores up to `largest`, and the data on top.

        With a `scale`, its name, scores have a colour bar.

        Raises:
            ValueError: no output is finite, there is not one name per class, or a target is not the index of a logit.
        """
        import numpy as np

        outputs = np.where(np.isfinite(outputs), outputs, np.nan)
        if np.isnan(outputs).all():
            raise ValueError("model must have a finite output somewhere around the data, got nan or inf everywhere")
        targets = {r for _, r in self.data}
        classes = sorted(targets) if outputs.ndim == 1 else list(range(outputs.shape[1]))
        if self.names and len(self.names) != len(classes):
            raise ValueError(f"names must be one per class, got {len(self.names)} names for {len(classes)} classes")
        if wrong := targets.difference(classes):
            raise ValueError(
                f"a target must be the index of a logit, 0 to {len(classes) - 1}, got {describe(wrong.pop())}"
            )
        on_grid = outputs.reshape(len(self.x2), len(self.x1), *outputs.shape[1:])
        if outputs.ndim == 1:
            self._plot_scores(ax, on_grid - self.boundary, largest, scale)
        else:
            self._plot_posteriors(ax, on_grid)
        for i, r in enumerate(classes):
            a, b = ([x[k] for x, target in self.data if target == r] for k in range(2))
            label = self.names[i] if self.names else f"r = {r}"
            colour, marker = CLASSES[i % len(CLASSES)], MARKERS[i % len(MARKERS)]
            ax.scatter(a, b, s=90, color=colour, marker=marker, edgecolors="white", label=literal(label), zorder=3)
        ax.set(xlabel="x1", ylabel="x2")

    def _plot_scores(self, ax: Axes, scores: Any, largest: float | None, scale: str) -> None:
        import numpy as np

        largest = max(largest or 0.0, float(np.nanmax(abs(scores)))) or 1.0
        levels = [largest * i / 10 for i in range(-10, 11)]
        colours = shades(CLASSES[0], "white", CLASSES[1])
        shaded = ax.contourf(self.x1, self.x2, scores, levels=levels, cmap=colours, extend="both")
        if scale:
            bar = ax.figure.colorbar(shaded, ax=ax, label=literal(scale), ticks=levels[::5])
            outputs = [level + self.boundary for level in levels[::5]]
            bar.set_ticklabels([format_number(y if abs(y) > 1e-3 * largest else 0.0, 2) for y in outputs])
        if np.nanmin(scores) < 0.0 < np.nanmax(scores):
            ax.contour(self.x1, self.x2, scores, levels=[0.0], colors=DARK, linewidths=2.5)

    def _plot_posteriors(self, ax: Axes, logits: Any) -> None:
        import numpy as np

        odds = np.exp(logits - logits.max(axis=2, keepdims=True))
        posteriors = odds / odds.sum(axis=2, keepdims=True)
        likeliest = posteriors.argmax(axis=2)
        pixels = np.empty((*likeliest.shape, 4))
        for k in range(posteriors.shape[2]):
            here = likeliest == k
            pixels[here] = shades("white", CLASSES[k % len(CLASSES)])(np.round(20 * posteriors[here, k]) / 20)
        extent = (self.x1[0], self.x1[-1], self.x2[0], self.x2[-1])
        ax.imshow(pixels, extent=extent, origin="lower", aspect="auto", interpolation="bilinear")
