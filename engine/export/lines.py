"""The lines of a program, whose texts are Python arithmetic like those of the table; common expressions once."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True)
class Line:
    """A line of a program: a variable, and the expression that it becomes or, if `adds`, that is added to it."""

    name: str
    text: str
    adds: bool = False
    comment: str = ""


@dataclass(frozen=True)
class Function:
    """A function that the lines of a program call; one that `may_hide` an error shows it as nan."""

    name: str
    arguments: list[str]
    text: str
    may_hide: bool


class Sharing:
    """Computes an expression that occurs more than once in the lines of a program only once, as t1, t2, ...

    Expressions inside a branch are left there: they may have a value only there.
    """

    def __init__(self, lines: list[Line], taken: set[str]) -> None:
        self._counts: Counter[str] = Counter()
        self._variables: dict[str, str] = {}  # by expression
        self._numbered = (name for name in map("t{}".format, count(1)) if name not in taken)
        self._set_once = {name for name, n in Counter(line.name for line in lines).items() if n == 1}
        for line in lines:
            self._count(ast.parse(line.text, mode="eval").body)

    def _count(self, node: ast.expr) -> None:
        if _is_sharable(node):
            text = ast.unparse(node)
            self._counts[text] += 1
            if self._counts[text] > 1:
                return
        for part in _parts(node):
            self._count(part)

    def share(self, lines: list[Line]) -> list[Line]:
        """Return the lines with those of common expressions before their first use."""
        self._new: list[Line] = []
        for line in lines:
            root = ast.parse(line.text, mode="eval").body
            if (
                _is_sharable(root)
                and line.text not in self._variables
                and not line.adds
                and line.name in self._set_once
            ):
                text = ast.unparse(self._shared_parts(root))
                self._variables[line.text] = line.name
            else:
                text = ast.unparse(self._shared(root))
            self._new.append(Line(line.name, text, line.adds, line.comment))
        return self._new

    def _shared(self, node: ast.expr) -> ast.expr:
        if not _is_sharable(node):
            return self._shared_parts(node)
        text = ast.unparse(node)
        if text not in self._variables:
            if self._counts[text] < 2:
                return self._shared_parts(node)
            definition = ast.unparse(self._shared_parts(node))
            self._variables[text] = next(self._numbered)
            self._new.append(Line(self._variables[text], definition))
        return ast.Name(self._variables[text])

    def _shared_parts(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.BinOp(left, op, right):
                return ast.BinOp(self._shared(left), op, self._shared(right))
            case ast.UnaryOp(op, operand):
                return ast.UnaryOp(op, self._shared(operand))
            case ast.Call(function, args):
                return ast.Call(function, [self._shared(x) for x in args], [])
        return node


def _is_sharable(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp | ast.Call)


def _parts(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.BinOp(left, _, right):
            return [left, right]
        case ast.UnaryOp(_, operand):
            return [operand]
        case ast.Call(_, args):
            return args
    return []
