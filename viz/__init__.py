"""Pictures of graphs: for a page, a notebook, a terminal."""

from viz.graph import draw
from viz.render import Drawing
from viz.text import Tree, text

__all__ = ["Drawing", "Tree", "draw", "text"]
