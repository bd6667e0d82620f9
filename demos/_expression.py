"""Expressions typed by the user: read into a graph of Values, never run as Python."""

import ast
import operator
from collections.abc import Callable, Mapping

from rich.cells import cell_len

from engine import RULES, Value, functions
from engine.formatting import printable
from engine.value import constant

OPERATORS: dict[type[ast.operator | ast.unaryop], Callable[..., Value]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.USub: lambda a: -a, ast.UAdd: lambda a: +a,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Value]] = {"abs": abs} | functions.FUNCTIONS


class ExpressionError(ValueError):
    """An expression that cannot be read; the last line of the message has a caret below the mistake."""

    def __init__(self, text: str, column: int, problem: str) -> None:
        super().__init__(f"{problem}\n  {text}\n  {' ' * cell_len(text[:column])}^")


def parse(text: str, leaves: Mapping[str, Value]) -> Value:
    """Return the graph of an expression; `leaves` holds the Value of each of its names.

    It consists of numbers, names, `+ - * / **`, brackets and the functions of the table of rules, as in Python; `sum`,
    `dot` and `logsumexp` take lists. Anything else is an ExpressionError, and so is a leaf that does not occur.

    >>> parse("tanh(a*b + 6)", {"a": Value(2.0), "b": Value(-3.0)})
    Value(data=0.0, grad=0.0, op='tanh')
    """
    text = " ".join(text.split())
    if "#" in text:
        raise ExpressionError(text, text.index("#"), "# cannot occur in an expression")
    reader = _Reader(text, leaves)
    try:
        result = reader.read(ast.parse(text, mode="eval").body)
    except ExpressionError:
        raise
    except UnicodeEncodeError as error:
        raise ExpressionError(printable(text), error.start, "not an expression: a character is not text") from None
    except ValueError as error:  # of a number that is too large, or a function of an empty list
        raise ExpressionError(text, 0, str(error)) from None
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
        on_lists = bool(RULES[name].finalize)
        usage = (["[a, b]", "[c, d]"] if on_lists else ["a", "b"])[: RULES[name].arity]
        if len(args) != len(usage) or any(isinstance(x, ast.List) != on_lists for x in args):
            raise self.error(node, f"write {name}({', '.join(usage)})")
        operands = [[self.read(y) for y in x.elts] if isinstance(x, ast.List) else self.read(x) for x in args]
        return FUNCTIONS[name](*operands)

    def error(self, node: ast.expr, problem: str) -> ExpressionError:
        before = self.text.encode()[: node.col_offset].decode()  # the syntax tree counts columns in bytes of UTF-8
        return ExpressionError(self.text, len(before), problem)
