"""Pictures of graphs and of what was learned: for a page, a notebook, a terminal."""

from viz.graph import draw
from viz.plots import plot_decision_boundary, plot_descent, plot_loss
from viz.render import Drawing
from viz.text import Tree, text

__all__ = ["Drawing", "Tree", "draw", "plot_decision_boundary", "plot_descent", "plot_loss", "text"]
