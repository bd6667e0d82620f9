"""Plots of what a model learned, and how. They need matplotlib, which the extra `demos` installs."""

from viz.plots.boundary import plot_decision_boundary
from viz.plots.descent import plot_descent
from viz.plots.layers import plot_activations, plot_gradients
from viz.plots.loss import plot_loss

__all__ = ["plot_activations", "plot_decision_boundary", "plot_descent", "plot_gradients", "plot_loss"]
