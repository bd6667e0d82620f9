"""The pictures of the lessons, for a projector: large enough, and no text touches another."""

from io import BytesIO
from itertools import combinations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from tests.demos.helpers import run_once
from viz.style import PLOT

LESSONS = {
    "perceptron": (), "activations": ("--epochs", "60"), "hidden_layer": (), "gradient_descent": (), "derivation": (),
    "two_layer": ("--epochs", "3"), "symmetry": ("--epochs", "300"), "forward_backward": (),
    "vanishing": ("--epochs", "2"), "derivatives": (), "newton": (), "moons": (), "microgpt": ("--steps", "20"),
    "forward_mode": (), "uncertainty": (), "greeks": (), "digits": ("--times", "1", "--epochs", "20"),
}  # fmt: skip


def texts(figure):
    """The visible texts of a figure with their boxes in pixels; of the ticks those whose tick is in view."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    hidden = set()
    for ax in figure.axes:
        for place, axis in enumerate((ax.xaxis, ax.yaxis)):
            low, high = sorted(axis.get_view_interval())
            labels = axis.get_ticklabels(which="both")
            if axis.get_visible() and ax.axison:
                labels = [label for label in labels if not low <= label.get_position()[place] <= high]
            hidden.update(labels)
        if not ax.get_visible():
            hidden.update(ax.findobj(Text))
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [(t.get_text(), t.get_window_extent(canvas.get_renderer())) for t in shown if t not in hidden]


@pytest.mark.parametrize("name", LESSONS)
def test_pictures_are_wide_and_no_text_touches_another_or_the_edge(name):
    _, pictures = run_once(name, *LESSONS[name])
    figures = {file: picture for file, picture in pictures.items() if isinstance(picture, Figure)}
    assert figures
    for file, figure in figures.items():
        image = BytesIO()
        figure.savefig(image, dpi=PLOT["savefig.dpi"])
        assert Image.open(image).width >= 1600, file
        figure.set_dpi(PLOT["savefig.dpi"])
        boxes = texts(figure)
        whole = figure.bbox
        for text, box in boxes:
            assert whole.x0 <= box.x0 <= box.x1 <= whole.x1, (file, text)
            assert whole.y0 <= box.y0 <= box.y1 <= whole.y1, (file, text)
        for (a, first), (b, second) in combinations(boxes, 2):
            assert not first.padded(-1).overlaps(second.padded(-1)), (file, a, b)
