"""Pictures of graphs, networks and trainings, for web pages, notebooks and terminals."""

import difflib
from typing import TYPE_CHECKING, NoReturn

from nn import MLP, Layer, Perceptron
from viz.animation import Animation
from viz.drawing import Drawing
from viz.graph_drawing import draw
from viz.network_drawing import network
from viz.notebook import embed, show_in_notebook
from viz.pages.graph_steps import page
from viz.pages.network_steps import network_page
from viz.plots import plot_activations, plot_decision_boundary, plot_descent, plot_gradients, plot_loss
from viz.text_tree import Tree, text

__all__ = [
    "Animation", "Drawing", "Tree", "draw", "embed", "network", "network_page", "page", "plot_activations",
    "plot_decision_boundary", "plot_descent", "plot_gradients", "plot_loss", "text",
]  # fmt: skip

show_in_notebook(dict.fromkeys((Perceptron, Layer, MLP), network))

# Names of other libraries, with the call that does the same here
OTHER_NAMES = {
    "draw_dot": "viz.draw(L)",
    "make_dot": "viz.draw(L)",
    "plot_history": "viz.plot_loss(history)",
    "plot_model": "viz.network(model)",
    "plot_tree": "viz.text(L)",
    "trace": "engine.topological_order(L)",
}

if not TYPE_CHECKING:  # a type checker knows only the names above

    def __getattr__(name: str) -> NoReturn:
        """Raise the error for an unknown name, which says what the name is here."""
        call = OTHER_NAMES.get(name) or next((f"viz.{x}" for x in difflib.get_close_matches(name, __all__)), "")
        raise AttributeError(f"module 'viz' has no attribute {name!r}" + (f": use {call}" if call else ""))
