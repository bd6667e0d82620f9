"""Pictures of graphs, networks and trainings, for web pages, notebooks and terminals."""

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
