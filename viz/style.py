"""The colours of every picture: those of Okabe and Ito, told apart by colour-blind readers."""

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
