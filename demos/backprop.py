"""An expression of your own, backwards step by step (P34-P46)."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import graphviz
import readchar
from rich.console import Console

import viz
from demos._expression import parse
from engine import Backprop, Value, topological_order
from engine.formatting import format_number
from engine.labels import Names

KEYS = {
    "n": "next", " ": "next", readchar.key.ENTER: "next", readchar.key.RIGHT: "next", readchar.key.DOWN: "next",
    "b": "back", readchar.key.LEFT: "back", readchar.key.UP: "back",
    "r": "run",
    "q": "quit", readchar.key.ESC: "quit",
}  # fmt: skip


def micrograd_expression(a: Any, b: Any) -> tuple[Any, Any, Any, Any, Any]:
    """The expression of micrograd's README, as its five values c, d, e, f, g."""
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
    """That expression at a = -4, b = 2: its value is 24.7041, its gradients are 138.8338 and 645.5773."""
    values: tuple[Value, ...] = micrograd_expression(Value(-4.0, "a"), Value(2.0, "b"))
    for value, label in zip(values, "cdefg", strict=True):
        value.label = label
    return values[-1]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m demos.backprop",
        description=__doc__,
        epilog="An expression that begins with a minus sign comes after --: python -m demos.backprop -- '-a*b' a=2 b=3",
    )
    parser.add_argument(
        "expression", nargs="?", help='such as "tanh(a*b + c)"; without one, that of micrograd\'s README'
    )
    parser.add_argument(
        "values", nargs="*", metavar="name=number", help="the numbers of its names, such as a=2 b=-3 c=10"
    )
    parser.add_argument("--all", action="store_true", help="print all steps at once, as when the output is piped")
    parser.add_argument("--output", type=Path, default=Path("backprop.svg"), help="the picture (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.output.suffix[1:] not in graphviz.FORMATS:
        parser.error(f"--output {options.output}: a picture ends in .svg (or .png or .pdf, where dot is installed)")
    if not options.output.parent.is_dir():
        parser.error(f"--output {options.output}: there is no folder {options.output.parent}")
    by_key = not options.all and sys.stdin.isatty() and sys.stdout.isatty()
    try:
        if options.expression is None:
            root = micrograd_example()
        else:
            root = parse(options.expression, _numbers(options.values))
            root.label = root.label or "L"
        lesson(root, options.output, by_key=by_key)
    except (ValueError, ArithmeticError, OSError, RuntimeError) as error:
        sys.exit(f"{parser.prog}: {error}")


def _numbers(arguments: list[str]) -> dict[str, float]:
    values: dict[str, float] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not (equals and name.isidentifier()) or name in values:
            raise ValueError(f"{argument!r}: each name gets its number once, such as a=2")
        try:
            values[name] = float(value)
        except ValueError:
            raise ValueError(f"{argument!r}: {value!r} is not a number") from None
    return values


def lesson(root: Value, output: Path, *, by_key: bool) -> None:
    """Show the forward values and the steps of the backward pass, and write the picture of where they ended."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())
    names = Names(root)
    console.print("Forward: every value from those of its operands", style="bold")
    for node in topological_order(root):
        if not node.is_constant:
            console.print(f"  {names.definition(node)} = {format_number(node.data)}")
    walk = Backprop(root)
    console.print(f"\nBackward: {len(walk)} steps of the chain rule", style="bold")
    if by_key:
        with suppress(KeyboardInterrupt):  # Ctrl-C quits as q does
            _step_by_key(walk, console)
    else:
        for step in walk:
            console.print(step)
    if walk.upcoming is None:
        console.print("\nThe gradients", style="bold")
        for node in topological_order(root):
            if not node.parents and not node.is_constant:
                console.print(f"  {names.gradient(node)} = {format_number(node.grad)}")
    lit = walk.last if walk.upcoming else None
    output.write_bytes(viz.draw(root, highlight=lit).pipe(format=output.suffix[1:]))
    console.print(f"\nThe graph with its values and gradients is in {output}")


def _step_by_key(walk: Backprop, console: Console) -> None:
    console.print("n next, b back, r run, q quit", style="dim")
    console.print(walk)
    while True:
        key = KEYS.get(readchar.readkey())
        if key == "quit" or (key == "next" and walk.upcoming is None):
            return
        if key == "next":
            console.print(walk.step())
        elif key == "run":
            for step in walk:
                console.print(step)
        elif key == "back" and walk.last:
            console.print(f"[took back] {walk.back()}", style="dim")
        if key:
            console.print(repr(walk).splitlines()[-1], style="dim")


if __name__ == "__main__":
    main()
