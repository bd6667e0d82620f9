"""The drawing of a graph as TikZ, for a LaTeX document: every line and text where Graphviz places it."""

from __future__ import annotations

import ast
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine import Value
from engine.foreign import usage
from engine.validation import describe
from viz.drawing import layout
from viz.equations import TeX
from viz.graph_drawing import draw
from viz.notation import Symbol
from viz.typeset import latex_source, latex_text

SCALE = 0.625  # 16 points, the font size of drawings, become 10
OPERATIONS = {"*": r"$\times$", "+": "$+$", "-": "$-$", "/": "$/$", "neg": "$-$"}
NUMBER = re.compile(r"-?\d[\d.]*(e[+-]\d+)?")


@usage("viz.tikz(L)")
def tikz(root: Value, outfile: str | os.PathLike[str] | None = None, *, scale: float = SCALE, **options: Any) -> TeX:
    r"""Draw the graph of `root` as TikZ, placed as `viz.draw` places it, with typeset labels and numbers.

    Args:
        root: the node to draw with everything it depends on.
        outfile: a file to write the TikZ to, for `\input`.
        scale: the size, relative to a drawing with a font size of 16 points.
        options: the options of `viz.draw`, such as `highlight=step` or `rankdir="TB"`.

    Returns:
        A `tikzpicture`, which needs the packages tikz and amsmath. The prompt shows it without quotes.

    Raises:
        ValueError: `scale` is not above 0, or as `viz.draw`.
        TypeError, RuntimeError: as `viz.draw` and its `pipe`.
        OSError: the file cannot be written.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> print(tikz(a * b).splitlines()[0])
    \begin{tikzpicture}[x=0.625bp, y=0.625bp]
    """
    if not (isinstance(scale, int | float) and 0.0 < scale < math.inf):
        raise ValueError(f"scale must be a number above 0, got {describe(scale)}")
    drawing = draw(root, **options)
    graph = layout(drawing.source, drawing.advice)
    lines = [line for item in _items(graph) for line in _Item(item, scale).lines()]
    colours = sorted({colour for line in lines for colour in re.findall("glassgrad([0-9A-F]{6})", line)})
    definitions = [rf"\definecolor{{glassgrad{colour}}}{{HTML}}{{{colour}}}" for colour in colours]
    picture = [rf"\begin{{tikzpicture}}[x={scale:g}bp, y={scale:g}bp]", *definitions, *lines, r"\end{tikzpicture}"]
    text = TeX("\n".join(picture))
    if outfile is not None:
        Path(outfile).write_text(text + "\n", encoding="utf-8")
    return text


def _items(graph: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the clusters of a layout, its nodes, its edges and the note below it, in the order of painting."""
    objects = graph.get("objects", [])
    yield from (x for x in objects if "bb" in x)
    yield from (x for x in objects if "bb" not in x)
    yield from graph.get("edges", [])
    yield {"_ldraw_": graph.get("_ldraw_", [])}


class _Item:
    """The painter of a node, an edge or a cluster: its instructions, which may change a state, as TikZ."""

    def __init__(self, item: dict[str, Any], scale: float) -> None:
        self.item, self.scale = item, scale
        self.pen = self.fill = ""
        self.size, self.line_width, self.dash = 16.0, 1.0, ""

    def lines(self) -> Iterator[str]:
        for part in ("_draw_", "_hdraw_", "_tdraw_", "_ldraw_"):
            self.line_width, self.dash = 1.0, ""
            for step in self.item.get(part, []):
                line = self.line(step)
                if line:
                    yield line

    def line(self, step: dict[str, Any]) -> str:
        """Return one instruction, "" if it only changes the state."""
        match step["op"]:
            case "c":
                self.pen = _colour(step["color"])
            case "C":
                self.fill = _colour(step["color"])
            case "F":
                self.size = step["size"]
            case "S" if step["style"].startswith("setlinewidth("):
                self.line_width = float(step["style"][len("setlinewidth(") : -1])
            case "S":
                self.dash = step["style"] if step["style"] in ("dashed", "dotted") else ""
            case "P" | "p" | "L":
                end = "" if step["op"] == "L" else " -- cycle"
                return self.path(" -- ".join(map(_point, step["points"])) + end, filled=step["op"] == "P")
            case "B" | "b":
                first, *points = map(_point, step["points"])
                curves = zip(points[::3], points[1::3], points[2::3], strict=True)
                curve = first + "".join(f" .. controls {x} and {y} .. {z}" for x, y, z in curves)
                return self.path(curve, filled=step["op"] == "B")
            case "E" | "e":
                x, y, x_radius, y_radius = step["rect"]
                ellipse = f"{_point((x, y))} ellipse [x radius={x_radius:g}, y radius={y_radius:g}]"
                return self.path(ellipse, filled=step["op"] == "E")
            case "T" if self.pen:
                size = round(self.size * self.scale)
                anchor = {"l": "base west", "r": "base east"}.get(step["align"], "base")
                text = rf"\fontsize{{{size}}}{{{size}}}\selectfont {self.text(step['text'])}"
                return rf"\node[anchor={anchor}, inner sep=0, text={self.pen}] at {_point(step['pt'])} {{{text}}};"
        return ""

    def path(self, path: str, *, filled: bool) -> str:
        options = [f"draw={self.pen}", f"line width={self.line_width * self.scale:g}bp"] if self.pen else []
        options += [self.dash] if self.dash else []
        options += [f"fill={self.fill}"] if filled and self.fill else []
        return rf"\path[{', '.join(options)}] {path};"

    def text(self, text: str) -> str:
        """Return a text of the drawing: an operation, a name, or a word with numbers."""
        if self.item.get("name", "").endswith("op"):
            return OPERATIONS.get(text, f"${latex_text(text)}$")
        text = text.strip("\u00a0 ").replace("\u00a0", " ")
        match = re.fullmatch(r"(data|grad|tangent|×) ([^?]+|\?)", text)
        if match:
            word = r"$\times$" if match[1] == "×" else match[1]
            return f"{word} {_numbers(match[2])}"
        name, equals, number = text.rpartition(" = ")
        return f"{_name(name)} $=$ {_numbers(number)}" if equals and NUMBER.fullmatch(number) else _name(text)


def _numbers(text: str) -> str:
    """Return numbers, and the text between them."""
    numbers = text.split(" … ")
    if all(map(NUMBER.fullmatch, numbers)):
        return r" \dots\ ".join(f"${_number(number)}$" for number in numbers)
    return f"${latex_text(text)}$"


def _number(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else text


def _name(text: str) -> str:
    """Return a name: a symbol, an expression, or any other text."""
    if not Symbol.parse(text).is_text:
        return f"${latex_source(ast.Name(text))}$"
    try:
        return f"${latex_source(ast.parse(text, mode='eval').body)}$"
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return f"${latex_text(text)}$"


def _point(point: tuple[float, float]) -> str:
    return f"({point[0]:g}, {point[1]:g})"


def _colour(colour: str) -> str:
    """Return the name of a colour, "" for a transparent one."""
    return "" if colour.endswith("00") and len(colour) == 9 else f"glassgrad{colour[1:7].upper()}"
