"""Pictures of graphs, networks and trainings, for web pages, notebooks and terminals."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

for _name in ("engine", "nn"):  # a file of the user may hide a package
    _origin = getattr(find_spec(_name), "origin", None)
    if Path(str(_origin)).parent.parent != Path(__file__).parent.parent:
        raise ImportError(f"`import {_name}` must find a package of glassgrad, got {_origin}: rename it")

import engine
import nn
from engine.foreign import missing_name
from nn import MLP, Layer, Perceptron
from viz.animation import Animation
from viz.drawing import Drawing
from viz.embedding import PAGES, embed
from viz.equations import latex
from viz.graph_drawing import draw
from viz.live_widget import widget
from viz.network_drawing import network
from viz.notebook import show_in_notebook
from viz.pages.graph_steps import page
from viz.pages.network_steps import network_page
from viz.pages.playground import playground
from viz.plots import plot_activations, plot_decision_boundary, plot_descent, plot_gradients, plot_loss
from viz.text_tree import Tree, text
from viz.tikz_drawing import tikz
from viz.tracing import source_lines

__all__ = [
    "Animation", "Drawing", "Tree", "draw", "embed", "latex", "network", "network_page", "page",
    "playground", "plot_activations", "plot_decision_boundary", "plot_descent", "plot_gradients", "plot_loss",
    "source_lines", "text", "tikz", "widget",
]  # fmt: skip

show_in_notebook(dict.fromkeys((Perceptron, Layer, MLP), network))
PAGES.update(dict.fromkeys((Perceptron, Layer, MLP), network_page))

# Names of other libraries, with the call that does the same here
OTHER_NAMES = {
    **{name: f"engine.{name}" for name in engine.__all__},
    **{name: f"nn.{name}" for name in nn.__all__},
    **dict.fromkeys(["draw_dot", "make_dot", "show", "graph"], "viz.draw(L)"),
    "plot_history": "viz.plot_loss(history)",
    "plot_model": "viz.network(model)",
    "plot_tree": "viz.text(L)",
    "trace": "engine.topological_order(L)",
}

if not TYPE_CHECKING:  # a type checker knows only the names above

    def __getattr__(name: str) -> NoReturn:
        """Raise the error for an unknown name, which says what the name is here."""
        raise missing_name("viz", name, OTHER_NAMES, __all__)
