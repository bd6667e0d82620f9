"""What is broken: the mutants of a file, by mutmut's operators, each in one place.

Left alone are annotations, docstrings, prose (what an operation is `about`, an error says), the arguments of `len` and
`isinstance`, and `strict` of a zip, which is an assertion. Texts with code in them, such as the rows of the table, are
mutated as the code that they are; but for the large ones of engine/compiler/codegen.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

OF_CODE = ("engine/formulas.py", "engine/rules.py")  # the texts of which are code


@dataclass(frozen=True)
class Mutant:
    path: Path
    module: cst.Module
    lines: range  # of the statement
    line: int
    old: cst.CSTNode
    new: cst.CSTNode

    @property
    def text(self) -> str:
        """The mutated file."""
        return self.module.deep_replace(self.old, self.new).code

    def __str__(self) -> str:
        source = self.module.code.splitlines()[self.line - 1].strip()
        return f"{self.path}: {source} | {_in_line(self.old)} -> {_in_line(self.new)}"


def mutants_of(path: Path) -> list[Mutant]:
    wrapper = MetadataWrapper(cst.parse_module(path.read_text()))
    finder = _Finder(path, wrapper.module)
    wrapper.visit(finder)
    return finder.mutants


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, path: Path, module: cst.Module) -> None:
        super().__init__()
        self.path, self.module = path, module
        self.mutants: list[Mutant] = []
        self.statements: list[range] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _is_left_alone(node):
            return False
        place = self.get_metadata(PositionProvider, node, None)
        lines = range(place.start.line, place.end.line + 1) if place else range(0)
        if isinstance(node, cst.SimpleStatementLine):
            self.statements.append(lines)
        line, lines = lines.start, self.statements[-1] if self.statements else lines
        mutations = _of_text(node, self.path) if isinstance(node, cst.SimpleString) else _mutations(node)
        self.mutants += [Mutant(self.path, self.module, lines, line, node, new) for new in mutations]
        return True

    def on_leave(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.SimpleStatementLine):
            self.statements.pop()


def _is_left_alone(node: cst.CSTNode) -> bool:
    match node:
        case cst.Annotation() | cst.Import() | cst.ImportFrom() | cst.Arg(keyword=cst.Name("strict")):
            return True
        case cst.AnnAssign(annotation=cst.Annotation(cst.Name("TypeAlias"))) | cst.If(test=cst.Name("TYPE_CHECKING")):
            return True
        case cst.Call(func=cst.Name("len" | "isinstance")):
            return True
    return False


def _mutations(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.Call) and _in_line(node.func) == "Rule":
        return  # its texts are mutated
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            yield from (new for new in operator(node) if _strict(new) == _strict(node))


def _strict(node: cst.CSTNode) -> list[str]:
    return [_in_line(x) for x in node.args if _is_left_alone(x)] if isinstance(node, cst.Call) else []


def _of_text(node: cst.SimpleString, path: Path) -> Iterator[cst.CSTNode]:
    """Of code the mutants of that code; of a word the word with more around it; of prose none."""
    text = node.evaluated_value
    if str(path) in OF_CODE and any(sign in text for sign in "+-*/(<=0123456789"):
        with contextlib.suppress(cst.ParserSyntaxError):
            inner = cst.parse_module(text)
            found: list[tuple[cst.CSTNode, cst.CSTNode]] = []
            inner.visit(_Inner(found))
            texts = dict.fromkeys(inner.deep_replace(old, new).code for old, new in found)
            yield from (cst.SimpleString(repr(x)) for x in texts if x != text)
            return
    if " " not in text.strip() and not node.value.startswith('"""'):
        yield next(iter(operator_string(node)))


class _Inner(cst.CSTVisitor):
    """The mutations of code in a text, by which one letter stands for another as well, and an argument for its call."""

    def __init__(self, found: list[tuple[cst.CSTNode, cst.CSTNode]]) -> None:
        super().__init__()
        self.found = found

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.found += [(node, new) for new in _mutations(node)]
        if isinstance(node, cst.Name) and node.value in ("a", "b", "out"):
            self.found += [(node, cst.Name(x)) for x in ("a", "b", "out") if x != node.value]
        if isinstance(node, cst.Call) and len(node.args) == 1:
            self.found.append((node, cst.parse_expression(f"({_in_line(node.args[0].value)})")))
        return True


def _in_line(node: cst.CSTNode) -> str:
    text = " ".join(cst.Module([]).code_for_node(node).split())
    return text if len(text) <= 160 else f"{text[:77]} ... {text[-77:]}"
