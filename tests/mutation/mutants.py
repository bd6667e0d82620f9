"""The mutants of a file: copies with one change each, by mutmut's operators.

Never changed are annotations, docstrings, prose (summaries and error messages), the arguments of `len` and
`isinstance`, and `strict` of a zip, which is an assertion. Strings in `CODE_FILES` that hold code, such as the rows of
the table, are changed as code.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

ROW_CLASSES = ("Rule", "Unary", "Binary", "Fold", "Plus", "Times", "Sum", "Dot")
CODE_FILES = (
    "engine/canonical_form.py",
    "engine/compiler/codegen.py",
    "engine/formula_guard.py",
    "engine/formulas.py",
    "engine/rules.py",
    "nn/optimizers.py",
    "nn/training/compiled_update.py",
)  # files whose strings hold code


@dataclass(frozen=True)
class Mutant:
    """One change of a file: a node of its syntax tree and the node that replaces it."""

    path: Path
    module: cst.Module
    lines: range  # of the statement
    line: int
    old: cst.CSTNode
    new: cst.CSTNode

    @property
    def text(self) -> str:
        """The text of the mutated file."""
        return self.module.deep_replace(self.old, self.new).code

    def __str__(self) -> str:
        source = self.module.code.splitlines()[self.line - 1].strip()
        return f"{self.path}: {source} | {_one_line(self.old)} -> {_one_line(self.new)}"


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
        if _is_skipped(node):
            return False
        place = self.get_metadata(PositionProvider, node, None)
        lines = range(place.start.line, place.end.line + 1) if place else range(0)
        if isinstance(node, cst.SimpleStatementLine):
            self.statements.append(lines)
        line, lines = lines.start, self.statements[-1] if self.statements else lines
        mutations = _string_mutations(node, self.path) if isinstance(node, cst.SimpleString) else _mutations(node)
        self.mutants += [Mutant(self.path, self.module, lines, line, node, new) for new in mutations]
        return True

    def on_leave(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.SimpleStatementLine):
            self.statements.pop()


def _is_skipped(node: cst.CSTNode) -> bool:
    match node:
        case cst.Annotation() | cst.Import() | cst.ImportFrom() | cst.Arg(keyword=cst.Name("strict")):
            return True
        case cst.AnnAssign(annotation=cst.Annotation(cst.Name("TypeAlias"))) | cst.If(test=cst.Name("TYPE_CHECKING")):
            return True
        case cst.Call(func=cst.Name("len" | "isinstance")):
            return True
    return False


def _mutations(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.Call) and _one_line(node.func) in ROW_CLASSES:
        return  # its strings are mutated
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            yield from (new for new in operator(node) if _strict(new) == _strict(node))


def _strict(node: cst.CSTNode) -> list[str]:
    return [_one_line(x) for x in node.args if _is_skipped(x)] if isinstance(node, cst.Call) else []


def _string_mutations(node: cst.SimpleString, path: Path) -> Iterator[cst.CSTNode]:
    """Yield the mutants of a string: those of its code, one that lengthens a single word, or none for prose."""
    text = node.evaluated_value
    if str(path) in CODE_FILES and any(sign in text for sign in "+-*/(<=0123456789"):
        with contextlib.suppress(cst.ParserSyntaxError):
            inner = cst.parse_module(text)
            changes: list[tuple[cst.CSTNode, cst.CSTNode]] = []
            inner.visit(_CodeInString(changes))
            texts = dict.fromkeys(inner.deep_replace(old, new).code for old, new in changes)
            yield from (cst.SimpleString(repr(x)) for x in texts if x != text)
            return
    if " " not in text.strip() and not node.value.startswith('"""'):
        yield next(iter(operator_string(node)))


class _CodeInString(cst.CSTVisitor):
    """The mutations of code in a string. They also swap operands, and replace a call by its argument."""

    def __init__(self, changes: list[tuple[cst.CSTNode, cst.CSTNode]]) -> None:
        super().__init__()
        self.changes = changes

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _is_skipped(node):
            return False
        self.changes += [(node, new) for new in _mutations(node)]
        if isinstance(node, cst.Name) and node.value in ("a", "b", "out"):
            self.changes += [(node, cst.Name(x)) for x in ("a", "b", "out") if x != node.value]
        if isinstance(node, cst.Call) and len(node.args) == 1:
            self.changes.append((node, cst.parse_expression(f"({_one_line(node.args[0].value)})")))
        return True


def _one_line(node: cst.CSTNode) -> str:
    text = " ".join(cst.Module([]).code_for_node(node).split())
    return text if len(text) <= 160 else f"{text[:77]} ... {text[-77:]}"
