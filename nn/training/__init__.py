"""Training: fit a model to examples, and evaluate it on others."""

from nn.training.loop import evaluate, train

__all__ = ["evaluate", "train"]
