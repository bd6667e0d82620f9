"""Expressions typed by the user: read into a graph of Values, never run as Python."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

from rich.cells import cell_len

from engine import RULES, Value, functions
from engine.value import constant

OPERATORS: dict[type[ast.operator | ast.unaryop], Callable[..., Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
LIST_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "sum": functions.sum,
    "dot": functions.dot,
    "logsumexp": functions.logsumexp,
}
FUNCTIONS: dict[str, Callable[..., Value]] = {"abs": abs} | functions.FUNCTIONS | LIST_FUNCTIONS


class ExpressionError(ValueError):
    """An expression that cannot be read; the message points at the mistake.

    >>> print(ExpressionError("a + $", 4, "unknown character"))
    unknown character
      a + $
          ^
    """

    def __init__(self, text: str, column: int, problem: str) -> None:
        super().__init__(f"{problem}\n  {text}\n  {' ' * cell_len(text[:column])}^")


def parse(text: str, leaves: Mapping[str, Value]) -> Value:
    """Return the graph of an expression.

    Args:
        text: numbers, names, `+ - * / **`, brackets and the functions of the table of rules, in Python's notation;
            `sum`, `dot` and `logsumexp` take lists.
        leaves: the Value of each name.

    Raises:
        ExpressionError: `text` holds anything else or an unknown name, or a name of `leaves` does not occur in it.
        ArithmeticError: an operation is undefined or overflows.

    >>> parse("tanh(a*b + 6)", {"a": Value(2.0), "b": Value(-3.0)})
    Value(data=0.0, grad=0.0, op='tanh')
    """
    text = " ".join(text.split())
    if "#" in text:
        raise ExpressionError(text, text.index("#"), "# cannot occur in an expression")
    reader = _Reader(text, leaves)
    try:
        result = reader.read(ast.parse(text, mode="eval").body)
    except SyntaxError as error:
        raise ExpressionError(text, max((error.offset or 1) - 1, 0), f"not an expression: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise ExpressionError(text[:60], 0, "the expression is too long or nested too deeply") from None
    for name in leaves:
        if name not in reader.used:
            raise ExpressionError(text, 0, f"{name} has a value but does not occur in the expression")
    return result if isinstance(result, Value) else Value(result)


class _Reader:
    def __init__(self, text: str, leaves: Mapping[str, Value]) -> None:
        self.text = text
        self.leaves = leaves
        self.used: set[str] = set()

    def read(self, node: ast.expr) -> Value | float:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.Name(id=name):
                if name not in self.leaves:
                    hint = f"; {name} is a function: {name}(...)" if name in FUNCTIONS else ""
                    raise self.error(node, f"{name} has no value: add one, such as {name}=2{hint}")
                self.used.add(name)
                return self.leaves[name]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                a, b = self.read(left), self.read(right)
                if not isinstance(a, Value) and not isinstance(b, Value):
                    a = constant(a, "the expression")
                return OPERATORS[type(op)](a, b)
            case ast.BinOp(op=ast.BitXor()):
                raise self.error(node.right, "write a power with **, not ^")
            case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
                return OPERATORS[type(op)](self.read(operand))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self.call(node, name, args)
        raise self.error(node, "an expression may hold only numbers, names, + - * / **, brackets and functions")

    def call(self, node: ast.expr, name: str, args: list[ast.expr]) -> Value:
        if name not in FUNCTIONS:
            raise self.error(node, f"unknown function {name}: choose from {', '.join(FUNCTIONS)}")
        operands = ["[a, b]", "[c, d]"] if name in LIST_FUNCTIONS else ["a", "b"]
        lists = [x.elts for x in args if isinstance(x, ast.List)]
        if len(args) != RULES[name].arity or len(lists) != (len(args) if name in LIST_FUNCTIONS else 0):
            raise self.error(node, f"write {name}({', '.join(operands[: RULES[name].arity])})")
        if lists:
            return FUNCTIONS[name](*[[self.read(x) for x in elements] for elements in lists])
        return FUNCTIONS[name](*[self.read(x) for x in args])

    def error(self, node: ast.expr, problem: str) -> ExpressionError:
        before = self.text.encode()[: node.col_offset].decode()  # the syntax tree counts columns in bytes of UTF-8
        return ExpressionError(self.text, len(before), problem)
