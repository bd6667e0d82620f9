"""An expression in text as a graph of Values: parsed, and never evaluated as Python."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

from rich.cells import cell_len

from engine import RULES, Value, functions, topological_order
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
FUNCTIONS: dict[str, Callable[..., Value]] = {"abs": abs} | functions.FUNCTIONS
OF_LISTS: dict[str, Callable[..., Value]] = {
    "sum": functions.sum,
    "dot": functions.dot,
    "logsumexp": functions.logsumexp,
}


class ExpressionError(ValueError):
    """An expression that cannot be read; its text points at the spot.

    >>> print(ExpressionError("a + $", 4, "what is this?"))
    what is this?
      a + $
          ^
    """

    def __init__(self, text: str, column: int, problem: str) -> None:
        super().__init__(f"{problem}\n  {text}\n  {' ' * cell_len(text[:column])}^")


def parse(text: str, values: Mapping[str, float]) -> Value:
    """The graph of an expression.

    Args:
        text: numbers, names, `+ - * / **`, brackets and the functions of the table of rules, as Python writes
            them; `sum`, `dot` and `logsumexp` take lists.
        values: the number of each name.

    Raises:
        ExpressionError: anything else in `text`, or a name that has no number.
        ArithmeticError: an operation has no value.

    >>> parse("tanh(a*b + 6)", {"a": 2, "b": -3})
    Value(data=0.0, grad=0.0, op='tanh')
    """
    text = " ".join(text.split())
    if "#" in text:
        raise ExpressionError(text, text.index("#"), "# is not part of an expression")
    try:
        reader = _Reader(text, values)
        result = reader.read(ast.parse(text, mode="eval").body)
    except SyntaxError as error:
        raise ExpressionError(text, max((error.offset or 1) - 1, 0), f"not an expression: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise ExpressionError(text[:60], 0, "the expression is too long or nested too deeply") from None
    for name in values:
        if name not in reader.leaves:
            raise ExpressionError(text, 0, f"{name} has a value but does not occur in the expression")
    return result if isinstance(result, Value) else Value(result)


def leaves(root: Value, *names: str) -> list[Value]:
    """The leaves of a parsed expression that have these names.

    >>> leaves(parse("w1 * w2", {"w1": 2.0, "w2": 3.0}), "w2")
    [Value(data=3.0, grad=0.0, label='w2')]
    """
    named = {node.label: node for node in topological_order(root) if not node.parents}
    return [named[name] for name in names]


class _Reader:
    def __init__(self, text: str, values: Mapping[str, float]) -> None:
        self.text = text
        self.values = values
        self.leaves: dict[str, Value] = {}

    def read(self, node: ast.expr) -> Value | float:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.Name(id=name):
                if name in self.values:
                    return self.leaves.setdefault(name, Value(self.values[name], name))
                also = f"; {name} is a function: {name}(...)" if name in FUNCTIONS or name in OF_LISTS else ""
                raise self.error(node, f"{name} has no value: give it one, {name}=2{also}")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                a, b = self.read(left), self.read(right)
                if not isinstance(a, Value) and not isinstance(b, Value):
                    a = constant(a, "the expression")
                return OPERATORS[type(op)](a, b)
            case ast.BinOp(op=ast.BitXor()):
                raise self.error(node.right, "a power is written **, not ^")
            case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
                return OPERATORS[type(op)](self.read(operand))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                rule = RULES[name]
                if len(args) != rule.arity:
                    raise self.error(node, f"{name} takes {rule.arity} operand(s), got {len(args)}")
                return FUNCTIONS[name](*[self.read(x) for x in args])
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in OF_LISTS:
                lists = [x.elts for x in args if isinstance(x, ast.List)]
                if len(args) != RULES[name].arity or len(lists) != len(args):
                    form = ", ".join(["[a, b]", "[c, d]"][: RULES[name].arity])
                    raise self.error(node, f"{name} is written {name}({form})")
                return OF_LISTS[name](*[[self.read(x) for x in elements] for elements in lists])
            case ast.Call(func=ast.Name(id=name)):
                raise self.error(node, f"there is no function {name}; there are {', '.join([*FUNCTIONS, *OF_LISTS])}")
        raise self.error(node, "only numbers, names, + - * / **, brackets and functions can stand here")

    def error(self, node: ast.expr, problem: str) -> ExpressionError:
        before = self.text.encode()[: node.col_offset].decode()  # the syntax tree counts bytes
        return ExpressionError(self.text, len(before), problem)
