"""WebAssembly: functions of floats, from Python arithmetic, as the bytes of a module.

A `Code` is a list of instructions and of the names of functions to call, since the numbers of functions are only known
when the module is complete. The encoding is that of the WebAssembly Core Specification 1.0, chapter 5.
"""

from __future__ import annotations

import ast
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from engine.formulas import BINARY_FUNCTIONS, MATH_FUNCTIONS, canonical
from engine.rules import Rule

Code: TypeAlias = list[bytes | str]  # instructions, and the names of the functions that are called

F64, I32 = b"\x7c", b"\x7f"
EMPTY_BLOCK = b"\x40"
BLOCK, LOOP, IF, ELSE, END, BRANCH_IF = b"\x02", b"\x03", b"\x04", b"\x05", b"\x0b", b"\x0d"
SELECT, I32_IS_ZERO, I32_ADD, I32_MULTIPLY = b"\x1b", b"\x45", b"\x6a", b"\x6c"
ABS, NEGATE, ADD, MULTIPLY, DIVIDE = b"\x99", b"\x9a", b"\xa0", b"\xa2", b"\xa3"
OPERATORS: dict[type[ast.operator], bytes] = {ast.Add: ADD, ast.Sub: b"\xa1", ast.Mult: MULTIPLY}
COMPARISONS: dict[type[ast.cmpop], bytes] = {
    ast.Eq: b"\x61", ast.NotEq: b"\x62", ast.Lt: b"\x63", ast.Gt: b"\x64", ast.LtE: b"\x65", ast.GtE: b"\x66",
}  # fmt: skip
# Operations that raise an error in Python where WebAssembly gives infinity or nan: functions of the page.
CHECKED_OPERATORS: dict[type[ast.operator], str] = {
    ast.Div: "divide",
    ast.Mod: "modulo",
    ast.FloorDiv: "floorDivide",
}
GREATER = COMPARISONS[ast.Gt]


def unsigned(n: int) -> bytes:
    """Return a number of 0 or more in LEB128, seven bits per byte.

    >>> unsigned(624485).hex()
    'e58e26'
    """
    parts = []
    while n > 0x7F:
        parts.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*parts, n])


def integer(n: int) -> bytes:
    """Return the instruction for an integer constant."""
    parts = []
    while not -0x40 <= n < 0x40:
        parts.append(n & 0x7F | 0x80)
        n >>= 7
    return b"\x41" + bytes([*parts, n & 0x7F])


def constant(x: float) -> bytes:
    """Return the instruction for a float constant."""
    return b"\x44" + struct.pack("<d", x)


def get(local: int) -> bytes:
    """Return the instruction that reads a local variable."""
    return b"\x20" + unsigned(local)


def put(local: int) -> bytes:
    """Return the instruction that sets a local variable."""
    return b"\x21" + unsigned(local)


def load(offset: int) -> bytes:
    """Return the instruction that reads a float `offset` bytes after the address on the stack."""
    return b"\x2b\x03" + unsigned(offset)


def load_integer() -> bytes:
    """Return the instruction that reads an integer of 32 bits at the address on the stack."""
    return b"\x28\x02\x00"


def store(offset: int) -> bytes:
    """Return the instruction that writes the float on the stack `offset` bytes after the address below it."""
    return b"\x39\x03" + unsigned(offset)


def loop(n: int, body: Code) -> Code:
    """Return a loop that runs `body` as often as the local variable `n` says, which becomes 0."""
    again: Code = [get(n), integer(-1), I32_ADD, put(n), get(n), BRANCH_IF + b"\x00"]
    return [
        BLOCK + EMPTY_BLOCK, get(n), I32_IS_ZERO, BRANCH_IF + b"\x00",
        LOOP + EMPTY_BLOCK, *body, *again, END, END,
    ]  # fmt: skip


@dataclass(frozen=True)
class _Function:
    parameters: bytes
    result: bytes
    n_integers: int
    n_floats: int
    code: Code
    is_exported: bool


class Module:
    """A module that imports its memory, `env.memory`, and Python's functions, such as `math.exp`.

    >>> from engine import RULES
    >>> module = Module()
    >>> module.add_function("double", F64, F64, [get(0), constant(2.0), MULTIPLY])
    >>> module.encode()[:8].hex()
    '0061736d01000000'
    """

    def __init__(self) -> None:
        self._functions: dict[str, _Function] = {}
        self._rows: dict[Rule, str] = {}

    def add_function(
        self, name: str, parameters: bytes, result: bytes, code: Code, n_integers: int = 0, n_floats: int = 0,
        *, is_exported: bool = True,
    ) -> None:  # fmt: skip
        """Add a function.

        Args:
            name: its name.
            parameters: their types, each a byte, such as `I32 + F64`.
            result: the type of the result; b"" for none.
            code: its instructions.
            n_integers: the number of integer variables, which come after the parameters.
            n_floats: the number of float variables, which come after those.
            is_exported: whether the page can call it.
        """
        self._functions[name] = _Function(parameters, result, n_integers, n_floats, code, is_exported)

    def formula(self, rule: Rule, text: str, operands: Mapping[str, Code | float]) -> Code:
        """Return the code of a text of a row.

        Args:
            rule: the row.
            text: its value, a partial derivative, or its `finalize`.
            operands: for every letter in the text a number, or code without effects.
        """
        numbers = {letter: x for letter, x in operands.items() if isinstance(x, float)}
        tree = _Folding({**numbers, "pi": math.pi}).visit(ast.parse(canonical(text), mode="eval")).body
        codes = {letter: x for letter, x in operands.items() if isinstance(x, list)}
        rows = {name: self._function_of(row) for name, row in rule.called(ast.unparse(tree)).items()}
        return _Formula(codes, rows).number(tree)

    def _function_of(self, row: Rule) -> str:
        """Return the name of the function for the value of a row, which is added when it is first called."""
        if row not in self._rows:
            self._rows[row] = f"row {len(self._rows)}"
            operands: dict[str, Code | float] = {letter: [get(i)] for i, letter in enumerate("ab"[: row.arity])}
            code = self.formula(row, row.value, operands)
            self.add_function(self._rows[row], F64 * row.arity, F64, code, is_exported=False)
        return self._rows[row]

    def encode(self) -> bytes:
        """Return the bytes of the module."""
        calls = {part for f in self._functions.values() for part in f.code if isinstance(part, str)}
        imports = sorted(calls - self._functions.keys())
        numbers = {name: i for i, name in enumerate([*imports, *self._functions])}
        binary = {*BINARY_FUNCTIONS, *CHECKED_OPERATORS.values()}
        imported_types = [(F64 * (2 if name in binary else 1), F64) for name in imports]
        types = [*imported_types, *((f.parameters, f.result) for f in self._functions.values())]
        exports = [name for name, f in self._functions.items() if f.is_exported]
        sections = [
            (1, _vector(b"\x60" + _vector_of_bytes(p) + _vector_of_bytes(r) for p, r in types)),
            (2, _vector([_name("env") + _name("memory") + b"\x02\x00\x01",
                         *(_name("math") + _name(x) + b"\x00" + unsigned(i) for i, x in enumerate(imports))])),
            (3, _vector(unsigned(len(imports) + i) for i in range(len(self._functions)))),
            (7, _vector(_name(x) + b"\x00" + unsigned(numbers[x]) for x in exports)),
            (10, _vector(_body(f, numbers) for f in self._functions.values())),
        ]  # fmt: skip
        return b"\x00asm\x01\x00\x00\x00" + b"".join(bytes([i]) + _vector_of_bytes(x) for i, x in sections)


def _body(function: _Function, numbers: Mapping[str, int]) -> bytes:
    variables = _vector(
        unsigned(n) + kind for n, kind in ((function.n_integers, I32), (function.n_floats, F64)) if n > 0
    )
    code = b"".join(x if isinstance(x, bytes) else b"\x10" + unsigned(numbers[x]) for x in function.code)
    return _vector_of_bytes(variables + code + END)


def _vector(items: Iterable[bytes]) -> bytes:
    parts = list(items)
    return unsigned(len(parts)) + b"".join(parts)


def _vector_of_bytes(data: bytes) -> bytes:
    return unsigned(len(data)) + data


def _name(text: str) -> bytes:
    return _vector_of_bytes(text.encode())


class _Folding(ast.NodeTransformer):
    """Replaces names by their numbers, computes what consists of numbers, and removes branches that cannot be taken."""

    def __init__(self, numbers: Mapping[str, float]) -> None:
        self.numbers = numbers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.numbers[node.id]) if node.id in self.numbers else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(x) for x in node.args]
        match node:
            case ast.Call(ast.Name("float"), [x]):
                return x
            case ast.Call(ast.Name("pow"), [ast.Name() as x, ast.Constant(2.0)]):
                return ast.BinOp(x, ast.Mult(), x)
            case ast.Call(ast.Name("pow"), [x, ast.Constant(1.0)]):
                return x
        return self._computed(node, node.args)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        node.operand = self.visit(node.operand)
        return self._computed(node, [node.operand])

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        node.left, node.right = self.visit(node.left), self.visit(node.right)
        match node:
            case ast.BinOp(x, ast.Mult(), ast.Constant(1.0)) | ast.BinOp(ast.Constant(1.0), ast.Mult(), x):
                return x
        return self._computed(node, [node.left, node.right])

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        node.left, node.comparators = self.visit(node.left), [self.visit(x) for x in node.comparators]
        return self._computed(node, [node.left, *node.comparators])

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        decides = isinstance(node.op, ast.Or)
        values: list[ast.expr] = []
        for value in map(self.visit, node.values):
            is_known = isinstance(value, ast.Constant)
            if not is_known or bool(value.value) is decides:
                values.append(value)
            if is_known and bool(value.value) is decides:
                break
        if not values:
            return ast.Constant(not decides)
        node.values = values
        return values[0] if len(values) == 1 else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test = self.visit(node.test)
        if isinstance(test, ast.Constant):
            branch: ast.expr = self.visit(node.body if test.value else node.orelse)
            return branch
        return ast.IfExp(test, self.visit(node.body), self.visit(node.orelse))

    def _computed(self, node: ast.expr, operands: Sequence[ast.expr]) -> ast.expr:
        """Return the value of a node whose operands are numbers, if it has one."""
        if not all(isinstance(x, ast.Constant) for x in operands):
            return node
        if isinstance(node, ast.Call) and ast.unparse(node.func) not in MATH_FUNCTIONS:
            return node
        try:
            return ast.Constant(eval(ast.unparse(node), {**MATH_FUNCTIONS, "inf": math.inf}))
        except (ArithmeticError, ValueError):
            return node  # it has no value: an error when it is computed


@dataclass(frozen=True)
class _Formula:
    """Writes the code of an expression in a row."""

    operands: Mapping[str, Code]
    rows: Mapping[str, str]  # the functions of the rows that it calls; the other functions are Python's

    def number(self, node: ast.expr) -> Code:
        match node:
            case ast.Constant(x) if isinstance(x, (int, float)):
                return [constant(float(x))]
            case ast.Name(name):
                return self.operands[name]
            case ast.UnaryOp(ast.USub(), x):
                return [*self.number(x), NEGATE]
            case ast.UnaryOp(ast.UAdd(), x):
                return self.number(x)
            case ast.BinOp(a, ast.Div(), ast.Constant(x)) if x != 0.0:
                return [*self.number(a), *self.number(node.right), DIVIDE]
            case ast.BinOp(a, op, b):
                instruction = OPERATORS.get(type(op)) or CHECKED_OPERATORS[type(op)]
                return [*self.number(a), *self.number(b), instruction]
            case ast.IfExp(test, body, orelse):
                return [*self.condition(test), IF + F64, *self.number(body), ELSE, *self.number(orelse), END]
            case ast.Call(ast.Name("abs"), [x]):
                return [*self.number(x), ABS]
            case ast.Call(ast.Name("max"), [ast.Name() | ast.Constant(), ast.Name() | ast.Constant()]):
                first, second = map(self.number, node.args)
                return [*second, *first, *second, *first, GREATER, SELECT]
            case ast.Call(ast.Name(name), arguments):
                codes = [part for x in arguments for part in self.number(x)]
                return [*codes, self.rows.get(name, name)]
        raise ValueError(f"a formula must be arithmetic, got {ast.unparse(node)!r}")

    def condition(self, node: ast.expr) -> Code:
        """Return the code of a condition: an integer, 1 or 0."""
        match node:
            case ast.BoolOp(op, [first, *others]):
                code = self.condition(first)
                for other in others:
                    rest = self.condition(other)
                    yes, no = (rest, [integer(0)]) if isinstance(op, ast.And) else ([integer(1)], rest)
                    code = [*code, IF + I32, *yes, ELSE, *no, END]
                return code
            case ast.UnaryOp(ast.Not(), x):
                return [*self.condition(x), I32_IS_ZERO]
            case ast.Compare(a, [op], [b]):
                return [*self.number(a), *self.number(b), COMPARISONS[type(op)]]
        return [*self.number(node), constant(0.0), COMPARISONS[ast.NotEq]]
