"""Colours and styles of every picture. The colours, by Okabe and Ito, are distinct for colour-blind readers too."""

from typing import Any

BLUE = "#0072b2"
ORANGE = "#d55e00"
GREEN = "#009e73"
PURPLE = "#cc79a7"
YELLOW = "#e69f00"
SKY = "#56b4e9"
DARK = "#444444"
GREY = "#666666"

CLASSES = (ORANGE, BLUE, GREEN, PURPLE, YELLOW, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")

# Parameters of matplotlib (rcParams) for a projector: 10 inches are 1,600 pixels, a line of text is 1/45 of that
PLOT: dict[Any, Any] = {
    "axes.titlesize": 15, "figure.figsize": (10.0, 6.0),
    "figure.constrained_layout.h_pad": 0.1, "figure.constrained_layout.w_pad": 0.1, "font.size": 15,
    "legend.fontsize": 13, "lines.linewidth": 2.5, "lines.markersize": 8.0, "savefig.dpi": 160,
    "xtick.major.pad": 8.0, "ytick.major.pad": 8.0,
}  # fmt: skip

# Attributes of Graphviz
FONT = "Helvetica,Arial,sans-serif"
NODE = {"shape": "Mrecord", "style": "filled", "fontname": FONT, "fontsize": "16", "margin": "0.12,0.055"}
LEAF = {"fillcolor": "#dcebf7", "color": BLUE}
INNER = {"fillcolor": "#ffffff", "color": DARK}
ROOT = {"fillcolor": "#fdebd0", "color": "#b35900"}
BIAS = {"fillcolor": "#eeeeee", "color": GREY}
CONSTANT = {"shape": "plaintext", "style": "", "fontcolor": GREY, "width": "0", "height": "0", "margin": "0.08"}
OPERATION = {
    "shape": "oval", "fillcolor": DARK, "color": DARK, "fontcolor": "#ffffff", "margin": "0.06,0.02",
}  # fmt: skip
FOLDED = {"fillcolor": "#e3f3ec", "color": GREEN, "penwidth": "2"}
CLUSTER = {"style": "rounded,filled", "color": "#bbbbbb", "fontname": FONT, "fontsize": "16", "margin": "10"}
CLUSTER_FILLS = ("#f3f3f3", "#ffffff")  # in turn, from the outermost cluster
LIT_EDGE = {"color": ORANGE, "penwidth": "3"}
GIVER = LIT_EDGE | {"fillcolor": "#ffc58f"}
RECEIVER = LIT_EDGE | {"fillcolor": "#fff1e2", "style": "filled,dashed"}
SMALL_TEXT = {"fontname": FONT, "fontsize": "14", "fontcolor": GREY}
LIT_LOCAL_DERIVATIVE = {"fontcolor": "#a84a00"}
HIDDEN = {"fontcolor": "transparent"}
