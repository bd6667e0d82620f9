"""Perceptrons, built of the Values of engine."""
