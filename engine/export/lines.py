"""The lines of a program in Python arithmetic, with common expressions computed once."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, replace
from itertools import count


@dataclass(frozen=True)
class Line:
    """A line of a program: a variable, and the expression that is assigned to it or, if `adds`, added to it."""

    name: str
    text: str
    adds: bool = False
    comment: str = ""


@dataclass(frozen=True)
class Function:
    """A function that the lines of a program call; one that `may_hide` an error returns nan for it."""

    name: str
    arguments: list[str]
    text: str
    may_hide: bool


class Sharing(ast.NodeTransformer):
    """Computes an expression that occurs more than once in the lines of a program only once, as t1, t2, ...

    Expressions inside a branch stay there, since they may have no value outside of it. Expressions that read a variable
    which is set more than once are not shared, since their values differ.
    """

    def __init__(self, lines: list[Line], taken: set[str]) -> None:
        self._changing = {name for name, n in Counter(line.name for line in lines).items() if n > 1}
        self._numbered = (name for name in map("t{}".format, count(1)) if name not in taken)
        self._variables: dict[str, str] = {}  # by expression
        self._counts: Counter[str] = Counter()
        for line in lines:
            self._count(_expression(line.text))

    def share(self, lines: list[Line]) -> list[Line]:
        """Return the lines with those of common expressions before their first use."""
        self._lines: list[Line] = []
        for line in lines:
            root = _expression(line.text)
            defines = line.name not in self._changing and not line.adds and line.text not in self._variables
            if defines and self._is_sharable(root):
                self._variables[line.text] = line.name
                root = self.generic_visit(root)
            else:
                root = self.visit(root)
            self._lines.append(replace(line, text=ast.unparse(root)))
        return self._lines

    def _is_sharable(self, node: ast.AST) -> bool:
        names = {x.id for x in ast.walk(node) if isinstance(x, ast.Name)}
        return isinstance(node, ast.BinOp | ast.Call) and not names & self._changing

    def _count(self, node: ast.AST) -> None:
        if self._is_sharable(node):
            text = ast.unparse(node)
            self._counts[text] += 1
            if self._counts[text] > 1:
                return
        if not isinstance(node, ast.IfExp):
            for part in ast.iter_child_nodes(node):
                self._count(part)

    def visit(self, node: ast.AST) -> ast.AST:
        """Return a part of a line with variables in place of common expressions."""
        if isinstance(node, ast.IfExp):
            return node
        if not self._is_sharable(node):
            return self.generic_visit(node)
        text = ast.unparse(node)
        if text not in self._variables and self._counts[text] > 1:
            definition = ast.unparse(self.generic_visit(node))
            self._variables[text] = next(self._numbered)
            self._lines.append(Line(self._variables[text], definition))
        return ast.Name(self._variables[text]) if text in self._variables else self.generic_visit(node)


def _expression(text: str) -> ast.AST:
    return ast.parse(text, mode="eval").body
