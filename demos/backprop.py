"""Backpropagation through your own expression (P34-P46).

An expression that begins with a minus sign comes after --: python -m demos.backprop -- '-a*b' a=2 b=3
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import graphviz

import viz
from demos._expression import parse
from demos._keyboard import read_key
from demos._lesson import command, console, heading
from engine import Backprop, Value, topological_order
from engine.formatting import format_number
from engine.labels import Names

EXAMPLE = ["tanh(a*b + c)", "a=2", "b=-3", "c=7"]
PICTURE = Path("backprop.svg")
KEYS = {
    "n": "next", " ": "next", "\r": "next", "\n": "next", "right": "next", "down": "next",
    "b": "back", "left": "back", "up": "back",
    "r": "run",
    "q": "quit", "\x1b": "quit", "\x03": "quit", "": "quit",
}  # fmt: skip


def micrograd_expression(a: Any, b: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Return c, d, e, f and g, the values of the expression in micrograd's README."""
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return c, d, e, f, g


def micrograd_example() -> Value:
    """Return the graph of that g at a = -4, b = 2, where it is 24.7041 and its gradient is (138.8338, 645.5773)."""
    values: tuple[Value, ...] = micrograd_expression(Value(-4.0, "a"), Value(2.0, "b"))
    for value, label in zip(values, "cdefg", strict=True):
        value.label = label
    return values[-1]


@command
def main(
    expression: str | None = None, values: Sequence[str] = (), *, at_once: bool = False, output: Path = PICTURE
) -> None:
    """Print the forward values and the steps of the backward pass, and draw the graph as the last step left it."""
    if output.suffix[1:] not in graphviz.FORMATS:
        raise ValueError(f"--output must end in .svg (or in .png or .pdf, if dot is installed), got {output}")
    if not output.parent.is_dir():
        raise ValueError(f"--output must be in an existing folder, got {output}")
    root = read_root(expression, values)
    names = Names(root)
    heading("Forward: every value, computed from its operands")
    for node in topological_order(root):
        if not node.is_constant:
            console.print(f"  {names.definition(node)} = {format_number(node.data)}")
    walk = Backprop(root)
    heading(f"Backward: {len(walk)} steps of the chain rule")
    if not at_once and sys.stdin.isatty() and sys.stdout.isatty():
        with suppress(KeyboardInterrupt):
            step_by_key(walk)
    else:
        for step in walk:
            console.print(step)
    if walk.upcoming is None:
        heading("The gradients")
        for node in topological_order(root):
            if not node.parents and not node.is_constant:
                console.print(f"  {names.gradient(node)} = {format_number(node.grad)}")
    highlight = walk.last if walk.upcoming is not None else None
    output.write_bytes(viz.draw(root, highlight=highlight).pipe(format=output.suffix[1:]))
    console.print(f"\nPicture of the graph: {output}")


def read_root(expression: str | None, values: Sequence[str]) -> Value:
    """Return the graph of an expression and its values, both as they are typed on the command line."""
    if expression == "micrograd" and not values:
        return micrograd_example()
    if expression is None:
        expression, *values = EXAMPLE
    leaves: dict[str, Value] = {}
    for text in values:
        name, equals, number = text.partition("=")
        if not (equals and name.isidentifier()) or name in leaves:
            raise ValueError(f"each name must have one value, such as a=2, got {text!r}")
        try:
            leaves[name] = Value(float(number), name)
        except ValueError:
            raise ValueError(f"the value of {name} must be a finite number, got {number!r}") from None
    root = parse(expression, leaves)
    root.label = root.label or "L"
    return root


def step_by_key(walk: Backprop) -> None:
    """Go through a backward pass, one key press per step."""
    console.print("n next, b back, r run, q quit", style="dim")
    console.print(walk)
    while True:
        action = KEYS.get(read_key())
        if action == "quit" or (action == "next" and walk.upcoming is None):
            return
        if action == "next":
            console.print(walk.step())
        elif action == "run":
            for step in walk:
                console.print(step)
        elif action == "back" and walk.last:
            console.print(f"[undone] {walk.back()}", style="dim")
        if action:
            console.print(repr(walk).splitlines()[-1], style="dim")


if __name__ == "__main__":
    main()
