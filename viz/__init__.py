"""Pictures of graphs, of networks and of what was learned: for a page, a notebook, a terminal."""

from viz.animation import Animation
from viz.graph import draw
from viz.network import network
from viz.network_page import network_page
from viz.notebook import embed, show_in_notebook
from viz.page import page
from viz.plots import plot_activations, plot_decision_boundary, plot_descent, plot_gradients, plot_loss
from viz.render import Drawing
from viz.text import Tree, text

__all__ = [
    "Animation",
    "Drawing",
    "Tree",
    "draw",
    "embed",
    "network",
    "network_page",
    "page",
    "plot_activations",
    "plot_decision_boundary",
    "plot_descent",
    "plot_gradients",
    "plot_loss",
    "text",
]

show_in_notebook()
