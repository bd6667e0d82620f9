"""A recorded graph as a program in another language: the forward lines, then the backward lines.

The program is first a list of lines whose texts are Python arithmetic, like the rows of the table (`_Program`); then
`engine.languages` translates the texts, and a `_Syntax` writes the lines.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import math
import re
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, count

from engine import errors
from engine.custom import CUSTOM_RULES
from engine.formulas import MATH_FUNCTIONS, canonical, guarded
from engine.graph import operand_rows, topological_order
from engine.labels import literal, substitute, unparse
from engine.languages import NUMPY, PLAIN_JAVASCRIPT, PYTHON, C, Language, translate
from engine.rules import Rule
from engine.validation import describe
from engine.value import Value

WIDEST = 100  # characters per line
LONGEST_SUM = 16  # terms in a line
LONGEST_MAXIMUM = 4  # operands in a line, which nest
MOST_PARTIALS = 4  # in the comment of a line

# Operations whose result is not finite if an operand is not. Others may hide it: tanh(inf) is 1, relu(nan) is 0.
TRANSPARENT = {"+", "-", "*", "neg", "abs", "sum", "dot", "log", "log1p", "sqrt"}
MAY_OVERFLOW = TRANSPARENT | {"/", "**", "exp"}  # operations that may have no finite result at finite operands

# Functions with a finite value at every number
TOTAL = {
    "abs",
    "atan",
    "asinh",
    "cos",
    "elu",
    "erf",
    "erfc",
    "float",
    "leaky_relu",
    "max",
    "maximum",
    "minimum",
    "relu",
}
TOTAL |= {"sigmoid", "sign", "silu", "sin", "softplus", "tanh"}

FROM_MATH = MATH_FUNCTIONS.keys() - {"abs", "max"} | {"isfinite", "pi"}  # names of a program in Python

# Words that mean something in one of the languages, so that variables have the same names in all of them.
_WORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while main NAN INFINITY
arguments catch class debugger delete eval export extends function implements import in instanceof interface let new
null package private protected public super this throw try typeof undefined var with yield await async of Math NaN
Infinity Number inf np rows inputs outputs gradient isfinite fabs fmod round tgamma larger modulo floor_divide
floorDivide
"""
# Functions of C, whose names a function of ours must not have.
_C_FUNCTIONS = """
cbrt ceil copysign exp2 fdim floor fma fmax fmin frexp ilogb isinf isnan isnormal j0 j1 jn ldexp llrint llround log2
logb lrint lround modf nan nearbyint nextafter nexttoward remainder remquo rint scalbln scalbn signbit trunc y0 y1 yn
"""
RESERVED = {*keyword.kwlist, *MATH_FUNCTIONS, "pi", *_WORDS.split()}
RESERVED_FUNCTIONS = RESERVED | {*_C_FUNCTIONS.split()}


def source(
    output: Value | Iterable[Value],
    inputs: Value | Iterable[Value],
    *,
    language: str = "python",
    backward: bool = True,
    comments: bool = False,
    name: str = "f",
) -> str:
    """Return a recorded graph as a program: a function of the inputs that returns the output and its gradient.

    The lines are named as in the graph. Leaves that are not inputs, such as the weights of a trained network, become
    numbers in the program. Equal expressions are computed once. Branches, such as those of `relu`, are in the program,
    so it holds at any inputs.

    Args:
        output: a Value; or Values in a list, without `backward`.
        inputs: leaves of the graph: the arguments of the function, in this order.
        language: "python" (floats, standard library alone), "numpy" (rows of data), "c" (C99, without allocation) or
            "javascript".
        backward: whether to compute the gradient too.
        comments: write the local derivatives of each line beside it, as mathematics writes them.
        name: the name of the function.

    Returns:
        The text of the program. Its function takes and returns

        - in Python `f(a, b)`, which returns `value` or `(value, [df_da, df_db])`;
        - in NumPy `f(rows)` with rows of shape (n, number of inputs), which returns values of shape (n,) or, for a list
          of k outputs, (n, k), and gradients of shape (n, number of inputs);
        - in C `double f(const double inputs[2], double gradient[2])`, which returns the value; for a list of outputs,
          `void f(const double inputs[2], double outputs[2])`;
        - in JavaScript `f(a, b)`, which returns `value` or `[value, [df_da, df_db]]`.

        Where an operation has no value or overflows, the program in Python raises an error or returns a number that is
        not finite. The others return numbers that are not finite: nan, or infinity.

    Raises:
        TypeError: an output or an input is not a Value, or an option has another type.
        ValueError: an input is not a leaf, occurs twice, or is not in the graph; the language is unknown; `name` is not
            a name; or there are several outputs with `backward`.
        RuntimeError: an output is a constant.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> L = a * b + a
    >>> L.label = "L"
    >>> print(source(L, [a, b]))
    def f(a, b):
        # forward
        v1 = a * b
        L = v1 + a
        # backward
        dL_dL = 1.0
        dL_dv1 = dL_dL
        dL_da = dL_dL
        dL_da += dL_dv1 * b
        dL_db = dL_dv1 * a
        return L, [dL_da, dL_db]
    """
    if not isinstance(language, str):
        raise TypeError(f"language must be a name such as 'python', got {describe(language)}")
    if language not in LANGUAGES:
        near = difflib.get_close_matches(language.lower(), LANGUAGES, n=1)
        hint = f": did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"language must be one of {', '.join(map(repr, LANGUAGES))}, got {language!r}{hint}")
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, got {describe(name)}")
    if not (name.isidentifier() and name.isascii()) or name in RESERVED_FUNCTIONS:
        raise ValueError(f"name must be a new name in every language, such as 'f', got {name!r}")
    outputs = [output] if isinstance(output, Value) else _as_values("output", output)
    leaves = [inputs] if isinstance(inputs, Value) else _as_values("input", inputs)
    for value in outputs:
        if value.is_constant:
            raise errors.no_graph(value)
    graph = set(topological_order(*outputs))
    for i, leaf in enumerate(leaves):
        if leaf.op or leaf.is_constant:
            raise ValueError(f"input {i} must be a leaf, made by Value(...), got {leaf!r}")
        if leaf in leaves[:i]:
            raise ValueError(f"inputs must be different leaves, got {leaf!r} twice, the second time as input {i}")
        if leaf not in graph:
            raise ValueError(f"input {i} must be in the graph of the output, got {leaf!r}")
    if backward and not isinstance(output, Value):
        raise ValueError(
            f"the gradient needs one output, got a list of {len(outputs)}: pass one of them, or backward=False"
        )
    program = _Program(outputs, leaves, backward=backward, comments=comments)
    return LANGUAGES[language].write(program, name, isinstance(output, Value))


def _as_values(what: str, values: Iterable[Value]) -> list[Value]:
    if not isinstance(values, Iterable):
        raise TypeError(f"{what} must be a Value or a list of Values, got {describe(values)}")
    value_list = list(values)
    for value in value_list:
        if not isinstance(value, Value):
            raise TypeError(f"{what} must be a Value, got {describe(value)}")
    if not value_list:
        raise ValueError(f"source needs one {what} or more, got none")
    return value_list


@dataclass(frozen=True)
class _Line:
    """A line of a program: a variable, and the expression that it becomes or, if `adds`, that is added to it."""

    name: str
    text: str
    adds: bool = False
    comment: str = ""


@dataclass(frozen=True)
class _Function:
    """A function that the lines of a program call; one that `may_hide` an error shows it as nan."""

    name: str
    arguments: list[str]
    text: str
    may_hide: bool


class _Program:
    """A graph as lines of Python arithmetic.

    Attributes:
        inputs, outputs: the names of their variables.
        gradient: the variables of the derivatives with respect to the inputs; none without `backward`.
        parameters, forward, backward: the lines.
        seed: the variable of the derivative of the output with respect to itself; "" without `backward`.
        functions: the functions that the lines call, each after those that it calls.
        unsafe: variables that may fail to be finite without any sign of it in an output.
    """

    def __init__(self, outputs: list[Value], inputs: list[Value], *, backward: bool, comments: bool) -> None:
        self._comments = comments
        order = topological_order(*outputs)
        self._twins = _equal_nodes(order)
        self._order = [node for node in order if self._twins[node] is node]
        self._taken = set(RESERVED)
        self._copies: Counter[str] = Counter()  # of a wished name
        self._names = self._name_nodes()
        self._derivatives: dict[Value, str] = {}
        self._functions: dict[tuple[Rule, str], str] = {}
        self.functions: list[_Function] = []

        root = self._twins[outputs[0]]
        self.inputs = [self._names[x] for x in inputs]
        self.outputs = [self._names[self._twins[x]] for x in outputs]
        self.parameters = [
            _Line(self._names[x], ast.unparse(_number(x.data)))
            for x in self._order
            if not x.parents and not x.is_constant and x not in inputs
        ]
        forward = [line for node in self._order if node.parents for line in self._forward_lines(node)]
        self.unsafe = self._unsafe()
        self.seed = self._derivative(root, root) if backward else ""
        lines = self._backward_lines(root, inputs) if backward else []
        self.gradient = [self._derivative(root, x) for x in inputs] if backward else []
        sharing = _Sharing([*forward, *lines], self._taken)
        self.forward, self.backward = sharing.share(forward), sharing.share(lines)

    def _name_nodes(self) -> dict[Value, str]:
        """Return the name of every node: its label, changed as little as needed, or v1, v2, ..."""
        names = {node: self._new_name(_identifier(node.label)) for node in self._order if _identifier(node.label)}
        numbered = (name for name in map("v{}".format, count(1)) if name not in self._taken)
        for node in self._order:
            if node.is_constant:
                names[node] = ast.unparse(_number(node.data))
            elif node not in names:
                names[node] = next(numbered)
        self._taken.update(names.values())
        return names

    def _new_name(self, wish: str) -> str:
        name = wish
        while name in self._taken:
            self._copies[wish] += 1
            name = f"{wish}_{self._copies[wish] + 1}"
        self._taken.add(name)
        return name

    def _derivative(self, root: Value, node: Value) -> str:
        """Return the variable of the derivative of `root` with respect to `node`."""
        if node not in self._derivatives:
            self._derivatives[node] = self._new_name(f"d{self._names[root]}_d{self._names[node]}")
        return self._derivatives[node]

    def _rows(self, node: Value) -> list[dict[str, Value]]:
        """Return the operands by letter, for each term of an operation on lists."""
        return [{letter: self._twins[x] for letter, x in zip("ab", row, strict=False)} for row in operand_rows(node)]

    def _expression(self, rule: Rule, text: str, operands: Mapping[str, Value | str]) -> str:
        """Return a text of a row with names and numbers in place of its letters, simplified."""
        letters = {
            letter: _number(x.data) if isinstance(x, Value) and x.is_constant else ast.Name(self._name_of(x))
            for letter, x in operands.items()
        }
        called = {name: self._function(row, "value") for name in _called(text) if (row := _row(rule, name))}
        return ast.unparse(_Substitution(letters, called).visit(ast.parse(_canonical(text), mode="eval")))

    def _name_of(self, x: Value | str) -> str:
        return x if isinstance(x, str) else self._names[x]

    def _part(self, rule: Rule, part: str, operands: Mapping[str, Value | str]) -> str:
        """Return the `value`, `finalize` or the partial derivative with respect to `a` or `b`, at some operands.

        It is an expression, or the call of a function if it has a name, or branches, or may hide an error.
        """
        text = _text(rule, part)
        has_name = part == "value" and rule.symbol.isidentifier() and not rule.finalize and rule.symbol != "neg"
        if not (has_name and rule.symbol not in MATH_FUNCTIONS) and not _may_hide(rule, text):
            expression = self._expression(rule, text, operands)
            if part not in ("a", "b") or not any(isinstance(x, ast.IfExp) for x in ast.walk(ast.parse(expression))):
                return expression
        name = self._function(rule, part)
        arguments = [x if isinstance(x := operands[key], str) else self._names[x] for key in _arguments(rule, part)]
        return f"{name}({', '.join(arguments)})"

    def _function(self, rule: Rule, part: str) -> str:
        """Return the name of the function for a part of a row."""
        if (rule, part) not in self._functions:
            symbol = rule.symbol if rule.symbol.isidentifier() else "pow"
            wish = {"value": symbol, "finalize": f"{symbol}_of_total"}.get(part, f"d{symbol}_d{part}")
            name = self._new_name(f"{wish}_" if wish in RESERVED_FUNCTIONS else wish)
            self._functions[rule, part] = name
            text, arguments = _text(rule, part), _arguments(rule, part)
            expression = self._expression(rule, text, {letter: letter for letter in arguments})
            self.functions.append(_Function(name, arguments, expression, _may_hide(rule, text)))
        return self._functions[rule, part]

    def _forward_lines(self, node: Value) -> list[_Line]:
        rule, rows, name = node._rule, self._rows(node), self._names[node]
        comment = self._local_comment(node, rows) if self._comments else ""
        if rule.finalize:
            return self._fold_lines(node, rows, comment)
        return [_Line(name, self._part(rule, "value", rows[0]), comment=comment)]

    def _fold_lines(self, node: Value, rows: list[dict[str, Value]], comment: str) -> list[_Line]:
        """Return the lines of an operation on lists: its largest operand if it is needed, the sum, and the value."""
        rule, name = node._rule, self._names[node]
        lines: list[_Line] = []
        top: dict[str, str] = {}
        if "top" in _names(rule.value) | _names(rule.finalize):
            top = {"top": self._new_name(f"{name}_top")}
            lines += _chunks(top["top"], [self._names[row["a"]] for row in rows], "max({}, {})", LONGEST_MAXIMUM)
        total = name if rule.finalize == "total" else self._new_name(f"{name}_total")
        terms = [self._part(rule, "value", {**row, **top}) for row in rows]
        lines += _chunks(total, terms, "{} + ({})", LONGEST_SUM)
        if rule.finalize != "total":
            lines.append(_Line(name, self._part(rule, "finalize", {"total": total, **top})))
        return [*lines[:-1], _Line(lines[-1].name, lines[-1].text, comment=comment)]

    def _local_comment(self, node: Value, rows: list[dict[str, Value]]) -> str:
        """Return the local derivatives of a node as mathematics writes them."""
        partials = []
        for row in rows:
            for letter, notation in zip("ab", node._rule.partial_notation, strict=False):
                if not row[letter].is_constant:
                    letters = {**row, "out": node}
                    names: dict[str, ast.expr] = {key: ast.Name(self._names[x]) for key, x in letters.items()}
                    names |= {key: literal(x.data) for key, x in letters.items() if x.is_constant}
                    derivative = f"d{self._names[node]}/d{self._names[row[letter]]}"
                    partials.append(f"{derivative} = {unparse(substitute(notation, names))}")
        more = ", ..." if len(partials) > MOST_PARTIALS else ""
        return ", ".join(partials[:MOST_PARTIALS]) + more

    def _unsafe(self) -> list[str]:
        """Return the variables that may fail to be finite although their users do not show it."""
        names = []
        for node in self._order:
            if node._rule.symbol not in TRANSPARENT:
                operands = [x for row in self._rows(node) for x in row.values()]
                names += [self._names[x] for x in operands if x.parents and _may_overflow(x._rule)]
        return list(dict.fromkeys(names))

    def _backward_lines(self, root: Value, inputs: list[Value]) -> list[_Line]:
        """Return the lines of the chain rule, for the nodes that depend on an input."""
        dependent = set(inputs)
        for node in self._order:
            if any(x in dependent for row in self._rows(node) for x in row.values()):
                dependent.add(node)
        lines: list[_Line] = []
        started = {root}
        for node in reversed(self._order):
            if not node.parents or node not in dependent:
                continue
            upstream = self._derivative(root, node)
            for row in self._rows(node):
                for letter, x in row.items():
                    if x not in dependent:
                        continue
                    local = self._part(node._rule, letter, {**row, "out": node})
                    name, adds = self._derivative(root, x), x in started
                    text = _simplified(f"{upstream} * ({local})")
                    lines.append(_Line(name, text, adds, self._chain_comment(root, node, x, adds)))
                    started.add(x)
        return lines

    def _chain_comment(self, root: Value, node: Value, x: Value, adds: bool) -> str:
        if not self._comments:
            return ""
        of, through, by = (self._names[value] for value in (root, node, x))
        return f"d{of}/d{by} {'+=' if adds else '='} d{of}/d{through} * d{through}/d{by}"


def _equal_nodes(order: list[Value]) -> dict[Value, Value]:
    """Return, for every node, the first node with the same operation on the same operands."""
    first: dict[object, Value] = {}
    twins: dict[Value, Value] = {}
    for node in order:
        if node.is_constant:
            key: object = repr(node.data)
        elif node.parents:
            lists = [x if isinstance(x, tuple) else (x,) for x in (node._a, node._b) if x is not None]
            key = (node._rule, *(tuple(twins[x] for x in operands) for operands in lists))
        else:
            key = node
        twins[node] = first.setdefault(key, node)
    return twins


def _chunks(name: str, terms: list[str], form: str, most: int) -> list[_Line]:
    """Return the lines that combine terms from left to right, at most so many in a line."""
    lines = []
    text = terms[0]
    for i, term in enumerate(terms[1:], start=1):
        if i % most == 0:
            lines.append(_Line(name, _simplified(text)))
            text = name
        text = form.format(text, term)
    return [*lines, _Line(name, _simplified(text))]


def _may_overflow(rule: Rule) -> bool:
    return rule.symbol in MAY_OVERFLOW or rule.symbol in CUSTOM_RULES


_canonical = lru_cache(canonical)


@lru_cache
def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


@lru_cache
def _called(text: str) -> set[str]:
    return {x.func.id for x in ast.walk(ast.parse(text)) if isinstance(x, ast.Call) and isinstance(x.func, ast.Name)}


def _text(rule: Rule, part: str) -> str:
    return {"value": rule.value, "finalize": rule.finalize}.get(part) or rule.partials["ab".index(part)]


def _arguments(rule: Rule, part: str) -> list[str]:
    """Return the arguments of the function for a part of a row; texts call a value with all operands."""
    if part == "value" and not rule.finalize:
        return list("ab"[: rule.arity])
    return [letter for letter in ("a", "b", "out", "total", "top") if letter in _names(_text(rule, part))]


def _may_hide(rule: Rule, text: str) -> bool:
    """Return whether a custom text may have a value although a part of it has none, as in max(0, log(a))."""
    return rule.symbol in CUSTOM_RULES and _hides(ast.parse(_canonical(text), mode="eval").body, inside=False)


def _hides(node: ast.expr, *, inside: bool) -> bool:
    """Return whether a part that may have no value lies inside a branch, a divisor or the argument of a function."""
    match node:
        case ast.Call(ast.Name(name), args):
            return (inside and name not in TOTAL) or any(_hides(x, inside=True) for x in args)
        case ast.BinOp(left, ast.Div() | ast.Mod() | ast.FloorDiv(), right):
            may_fail = inside and not isinstance(right, ast.Constant)
            return may_fail or _hides(left, inside=inside) or _hides(right, inside=True)
    parts = [x for x in ast.iter_child_nodes(node) if isinstance(x, ast.expr)]
    return any(_hides(x, inside=inside or isinstance(node, ast.IfExp)) for x in parts)


def _row(rule: Rule, name: str) -> Rule | None:
    """Return the row that a text of `rule` calls by a name; None for a function of Python."""
    row = rule.scope.get(name)
    is_python = row is None or (name in MATH_FUNCTIONS and row.value in (f"{name}(a)", f"{name}(a, b)"))
    return None if is_python else row


def _identifier(label: str) -> str:
    """Return a label as a name in ASCII, or "".

    >>> _identifier("layer1.w12"), _identifier("θ'"), _identifier("2nd"), _identifier("+")
    ('layer1_w12', 'theta', '_2nd', '')
    """
    text = ""
    for c in unicodedata.normalize("NFKD", label):
        words = unicodedata.name(c, "").split()
        if c.isascii():
            text += c if c.isalnum() else "_"
        elif words[:1] == ["GREEK"] and c.isalpha():
            text += words[-1].capitalize() if c.isupper() else words[-1].lower()
        elif c.isalnum():
            text += f"u{ord(c):x}"
    text = re.sub("__+", "_", text).strip("_")
    return f"_{text}" if text[:1].isdigit() else text


def _number(x: float) -> ast.expr:
    """Return a number as an expression, to the last digit."""
    return ast.UnaryOp(ast.USub(), ast.Constant(-x)) if math.copysign(1.0, x) < 0 else ast.Constant(x)


def _value_of(node: ast.expr) -> float | bool | None:
    """Return the number or truth value of an expression that is one; None for any other."""
    match node:
        case ast.Constant(float() | bool() as value):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(float() as value)):
            return -value
    return None


def _simplified(text: str) -> str:
    return ast.unparse(_Substitution({}, {}).visit(ast.parse(text, mode="eval")))


class _Substitution(ast.NodeTransformer):
    """Puts expressions in place of letters, and computes what depends on numbers alone.

    It changes no digit of a result: it computes what the program would compute, and drops factors of 1.
    """

    def __init__(self, letters: Mapping[str, ast.expr], functions: Mapping[str, str]) -> None:
        self.letters, self.functions = letters, functions

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.letters.get(node.id, node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name, arguments = ast.unparse(node.func), [self.visit(x) for x in node.args]
        if name == "float":
            return arguments[0]  # type: ignore[no-any-return]
        if name == "pow":
            match arguments[0], _value_of(arguments[1]):
                case base, 1.0:
                    return base  # type: ignore[no-any-return]
                case ast.Name() as base, 2.0:
                    return ast.BinOp(base, ast.Mult(), base)
                case _, 0.0:
                    return ast.Constant(1.0)
        return self._computed(ast.Call(ast.Name(self.functions.get(name, name)), arguments, []), arguments)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        match node.op, _value_of(left), _value_of(right):
            case (ast.Mult() | ast.Div(), _, 1.0):
                return left  # type: ignore[no-any-return]
            case (ast.Mult(), 1.0, _):
                return right  # type: ignore[no-any-return]
            case (ast.Mult(), _, -1.0):
                return ast.UnaryOp(ast.USub(), left)
            case (ast.Mult(), -1.0, _):
                return ast.UnaryOp(ast.USub(), right)
        return self._computed(ast.BinOp(left, node.op, right), [left, right])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        operand = self.visit(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(operand, ast.UnaryOp) and isinstance(operand.op, ast.USub):
            return operand.operand
        return self._computed(ast.UnaryOp(node.op, operand), [operand])

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        numbers = [self.visit(x) for x in (node.left, *node.comparators)]
        return self._computed(ast.Compare(numbers[0], node.ops, numbers[1:]), numbers)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        absorbing = isinstance(node.op, ast.Or)
        conditions: list[ast.expr] = []
        for condition in map(self.visit, node.values):
            truth = _value_of(condition)
            if truth is None:
                conditions.append(condition)
            elif bool(truth) is absorbing:
                if not any(isinstance(x, ast.Call | ast.Div) for test in conditions for x in ast.walk(test)):
                    return ast.Constant(absorbing)  # what comes before it has no errors
                conditions.append(ast.Constant(absorbing))
                break
        if not conditions:
            return ast.Constant(not absorbing)
        return conditions[0] if len(conditions) == 1 else ast.BoolOp(node.op, conditions)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test = self.visit(node.test)
        truth = _value_of(test)
        if truth is None:
            return ast.IfExp(test, self.visit(node.body), self.visit(node.orelse))
        return self.visit(node.body if truth else node.orelse)  # type: ignore[no-any-return]

    def _computed(self, node: ast.expr, operands: list[ast.expr]) -> ast.expr:
        if any(_value_of(x) is None for x in operands):
            return node
        try:
            value = eval(ast.unparse(node), {**MATH_FUNCTIONS})
        except (ArithmeticError, NameError, ValueError):
            return node
        if isinstance(value, bool):
            return ast.Constant(value)
        return _number(value) if math.isfinite(value) else node


class _Sharing:
    """Computes an expression that occurs more than once in the lines of a program only once, as t1, t2, ...

    Expressions inside a branch are left there: they may have a value only there.
    """

    def __init__(self, lines: list[_Line], taken: set[str]) -> None:
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

    def share(self, lines: list[_Line]) -> list[_Line]:
        """Return the lines with those of common expressions before their first use."""
        self._new: list[_Line] = []
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
            self._new.append(_Line(line.name, text, line.adds, line.comment))
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
            self._new.append(_Line(self._variables[text], definition))
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


class _Writer:
    """The text of a program in one language; this class writes Python."""

    language: Language = PYTHON
    comment = "# "
    end = ""
    constant = variable = ""  # what declares a variable that is set once, or more often
    closing = ""  # the last line of a function
    gap = "\n\n\n"  # between functions
    infinity = "inf"
    helpers: Mapping[str, str] = {}  # functions that the language lacks, by name

    def write(self, program: _Program, name: str, single: bool) -> str:
        """Return the whole text."""
        functions = [*map(self.function, _used_functions(program)), self.main(program, name, single)]
        text = self.gap.join(functions)
        helpers = [helper for key, helper in self.helpers.items() if re.search(rf"\b{key}\(", text)]
        return self.gap.join([*filter(None, [self.start(text)]), *helpers, text])

    def start(self, text: str) -> str:
        names = {x for x in re.findall(r"\w+", text) if x in FROM_MATH}
        return f"from math import {', '.join(sorted(names))}" if names else ""

    def function(self, function: _Function) -> str:
        """Return a function that the lines call."""
        head = f"def {function.name}({', '.join(function.arguments)}):"
        return "\n".join([head, *_fill("    return ", self.result_of(function))])

    def main(self, program: _Program, name: str, single: bool) -> str:
        """Return the program's function."""
        sets = Counter(line.name for line in (*program.forward, *program.backward))
        if program.unsafe:
            sets.update(program.outputs)
        declared = set(program.inputs)
        seed = [_Line(program.seed, "1.0")] if program.seed else []
        sections = {
            "parameters": program.parameters, "forward": program.forward, "backward": [*seed, *program.backward]
        }  # fmt: skip
        text = self.head(program, name, single)
        for title, lines in sections.items():
            if lines:
                text.append(f"    {self.comment}{title}")
            for line in lines:
                declaration = self.constant if sets[line.name] < 2 else self.variable
                text += self.statement(line, "" if line.name in declared else declaration, program)
                declared.add(line.name)
            if title == "forward" and program.unsafe:
                text += self.check(program)
        return "\n".join([*text, *self.result(program, single), *filter(None, [self.closing])])

    def head(self, program: _Program, name: str, single: bool) -> list[str]:
        """Return the lines up to the inputs."""
        return _fill(f"def {name}(", ", ".join(program.inputs), "):")

    def statement(self, line: _Line, declaration: str, program: _Program) -> list[str]:
        """Return a line of the program, with its comment beside it or above it."""
        text = self.seed(program) if line.name == program.seed else self.expression(line.text)
        statement = _fill(f"    {declaration}{line.name} {'+=' if line.adds else '='} ", text, self.end)
        if not line.comment:
            return statement
        beside = f"{statement[-1]}  {self.comment}{line.comment}"
        if len(statement) == 1 and len(beside) <= WIDEST:
            return [beside]
        return [f"    {self.comment}{line.comment}", *statement]

    def expression(self, text: str) -> str:
        """Return an expression in this language, without brackets around the whole."""
        translated = translate(text, self.language)
        if not (translated.startswith("(") and translated.endswith(")")):
            return translated
        depths = accumulate({"(": 1, ")": -1}.get(c, 0) for c in translated)
        return translated[1:-1] if 0 not in [*depths][:-1] else translated

    def result_of(self, function: _Function) -> str:
        """Return the expression of a function; Python has errors, and needs no guard."""
        return self.expression(function.text)

    def seed(self, program: _Program) -> str:
        """Return the derivative of the output with respect to itself."""
        return "1.0"

    def check(self, program: _Program) -> list[str]:
        """Return the lines that act on a number that is not finite and that the output may hide."""
        what = program.unsafe[0] if len(program.unsafe) == 1 else "a number"
        test = f"isfinite({program.unsafe[0]})"
        if len(program.unsafe) > 1:
            test = f"all(map(isfinite, [{', '.join(program.unsafe)}]))"
        return [*_fill("    if not ", test, ":"), f'        raise OverflowError("{what} is not finite")']

    def result(self, program: _Program, single: bool) -> list[str]:
        """Return the lines that return the outputs and the gradient."""
        outputs = program.outputs[0] if single else ""
        if not single:
            return _fill("    return [", ", ".join(program.outputs), "]")
        if not program.seed:
            return [f"    return {outputs}"]
        return _fill(f"    return {outputs}, [", ", ".join(program.gradient), "]")


class _GuardingWriter(_Writer):
    """A writer for a language without errors: nan passes through the functions of custom rules."""

    def result_of(self, function: _Function) -> str:
        text = self.expression(guarded(function.text) if function.may_hide else function.text)
        return re.sub(r"\binf\b", self.infinity, text.replace("_undefined(", "undefined("))


class _NumpyWriter(_GuardingWriter):
    language = NUMPY
    infinity = "np.inf"
    helpers: Mapping[str, str] = {
        "undefined": """\
def undefined(result, a, b):
    if_infinite = np.where(np.isnan(result) & ~np.isnan(a + b), np.nan, 0.0)
    return np.where(np.isfinite(a) & np.isfinite(b), 0.0 * result, if_infinite)""",
    } | {name: f"{name} = np.vectorize(math.{name}, otypes=[float])" for name in ("erf", "erfc", "gamma", "lgamma")}

    def start(self, text: str) -> str:
        needs_math = any(re.search(rf"\b{name}\(", text) for name in self.helpers)
        return "import math\n\nimport numpy as np" if needs_math else "import numpy as np"

    def head(self, program: _Program, name: str, single: bool) -> list[str]:
        rows = f"np.asarray(rows, float).reshape(-1, {len(program.inputs)}).T"
        inputs = _fill("    [", ", ".join(program.inputs), f"] = {rows}")
        return ['@np.errstate(all="ignore")', f"def {name}(rows):", *inputs]

    def statement(self, line: _Line, declaration: str, program: _Program) -> list[str]:
        if line.adds:  # += would change the array of another variable with the same numbers
            line = replace(line, text=f"{line.name} + ({line.text})", adds=False)
        return super().statement(line, declaration, program)

    def seed(self, program: _Program) -> str:
        (output,) = program.outputs
        return f"np.where(np.isfinite({output}), 1.0, np.nan)" if program.unsafe else f"np.ones_like({output})"

    def check(self, program: _Program) -> list[str]:
        test = " & ".join(f"np.isfinite({name})" for name in program.unsafe)
        return [line for x in program.outputs for line in _fill(f"    {x} = np.where(", f"{test}, {x}, np.nan", ")")]

    def result(self, program: _Program, single: bool) -> list[str]:
        if not single:
            return _fill("    return np.stack(np.broadcast_arrays(", ", ".join(program.outputs), "), axis=1)")
        if not program.seed:
            return [f"    return {program.outputs[0]}"]
        return _fill(f"    return {program.outputs[0]}, np.stack([", ", ".join(program.gradient), "], axis=1)")


class _CWriter(_GuardingWriter):
    language = C
    comment = "// "
    end = ";"
    constant, variable = "const double ", "double "
    closing = "}"
    gap = "\n\n"
    infinity = "INFINITY"
    finite, undefined = "isfinite({})", "NAN"
    helpers: Mapping[str, str] = {
        "undefined": """\
static double undefined(double result, double a, double b) {
    if (isfinite(a) && isfinite(b)) return 0.0 * result;
    return isnan(result) && !isnan(a) && !isnan(b) ? NAN : 0.0;
}""",
        "larger": "static double larger(double a, double b) {\n    return b > a ? b : a;\n}",
        "modulo": """\
static double modulo(double a, double b) {
    const double rest = fmod(a, b);
    return rest != 0.0 && (rest < 0.0) != (b < 0.0) ? rest + b : rest;
}""",
        "floor_divide": """\
static double floor_divide(double a, double b) {
    const double rest = fmod(a, b);
    return round((a - (rest != 0.0 && (rest < 0.0) != (b < 0.0) ? rest + b : rest)) / b);
}""",
    }

    def start(self, text: str) -> str:
        return "#include <math.h>"

    def function(self, function: _Function) -> str:
        arguments = ", ".join(f"double {x}" for x in function.arguments)
        body = _fill("    return ", self.result_of(function), ";")
        return "\n".join([f"static double {function.name}({arguments}) {{", *body, "}"])

    def head(self, program: _Program, name: str, single: bool) -> list[str]:
        arrays = [f"const double inputs[{len(program.inputs)}]"]
        if not single:
            arrays.append(f"double outputs[{len(program.outputs)}]")
        if program.seed:
            arrays.append(f"double gradient[{len(program.inputs)}]")
        head = f"{'double' if single else 'void'} {name}({', '.join(arrays)}) {{"
        return [head, *(f"    const double {x} = inputs[{i}];" for i, x in enumerate(program.inputs))]

    def seed(self, program: _Program) -> str:
        test = self.finite.format(program.outputs[0])
        return f"{test} ? 1.0 : {self.undefined}" if program.unsafe else "1.0"

    def check(self, program: _Program) -> list[str]:
        tests = " || ".join(f"!{self.finite.format(name)}" for name in program.unsafe)
        outputs = " = ".join([*dict.fromkeys(program.outputs), self.undefined])
        return _fill("    if (", tests, f") {outputs};")

    def result(self, program: _Program, single: bool) -> list[str]:
        if not single:
            return [f"    outputs[{i}] = {x};" for i, x in enumerate(program.outputs)]
        gradient = [f"    gradient[{i}] = {x};" for i, x in enumerate(program.gradient)]
        return [*gradient, f"    return {program.outputs[0]};"]


class _JavascriptWriter(_CWriter):
    language = PLAIN_JAVASCRIPT
    constant, variable = "const ", "let "
    infinity = "Infinity"
    finite, undefined = "Number.isFinite({})", "NaN"
    helpers: Mapping[str, str] = {
        "undefined": """\
function undefined(result, a, b) {
    if (Number.isFinite(a) && Number.isFinite(b)) return 0.0 * result;
    return Number.isNaN(result) && !Number.isNaN(a) && !Number.isNaN(b) ? NaN : 0.0;
}""",
        "modulo": """\
function modulo(a, b) {
    const rest = a % b;
    return rest !== 0.0 && rest < 0.0 !== b < 0.0 ? rest + b : rest;
}""",
        "floorDivide": """\
function floorDivide(a, b) {
    const rest = a % b;
    return Math.round((a - (rest !== 0.0 && rest < 0.0 !== b < 0.0 ? rest + b : rest)) / b);
}""",
        "erfc": """\
function erfc(x) { // Abramowitz and Stegun 7.1.14, and the series 7.1.6 below 1.5
    if (x < 0.0) return 2.0 - erfc(-x);
    const factor = Math.exp(-x * x) / Math.sqrt(Math.PI);
    if (x < 1.5) {
        let [term, sum] = [x, x];
        for (let n = 1; n < 60; n++) sum += term *= (2.0 * x * x) / (2 * n + 1);
        return 1.0 - 2.0 * factor * sum;
    }
    let denominator = x;
    for (let n = 160; n > 0; n--) denominator = x + n / 2.0 / denominator;
    return factor / denominator;
}""",
        "erf": """\
function erf(x) { // Abramowitz and Stegun 7.1.6
    if (x < 0.0) return -erf(-x);
    if (x > 6.0) return 1.0;
    let [term, sum] = [x, x];
    for (let n = 1; n < 200; n++) sum += term *= (2.0 * x * x) / (2 * n + 1);
    return 2.0 * Math.exp(-x * x) / Math.sqrt(Math.PI) * sum;
}""",
        "lgamma": """\
function lgamma(x) { // Stirling's series from 10 on (Abramowitz and Stegun 6.1.41), and the reflection formula
    if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - lgamma(1.0 - x);
    let shift = 1.0;
    for (; x < 10.0; x++) shift *= x;
    const q = 1.0 / (x * x);
    const series = (1 / 12 - q * (1 / 360 - q * (1 / 1260 - q * (1 / 1680 - q * (1 / 1188 - q * 691 / 360360))))) / x;
    return (x - 0.5) * Math.log(x) - x + Math.log(2.0 * Math.PI) / 2.0 + series - Math.log(shift);
}""",
        "gamma": """\
function gamma(x) {
    if (Number.isInteger(x) && x <= 0.0) return NaN;
    if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1.0 - x));
    let shift = 1.0;
    for (; x < 10.0; x++) shift *= x;
    const q = 1.0 / (x * x);
    const series = (1 / 12 - q * (1 / 360 - q * (1 / 1260 - q * (1 / 1680 - q * (1 / 1188 - q * 691 / 360360))))) / x;
    return Math.sqrt(2.0 * Math.PI) * x ** (x / 2.0 - 0.25) * Math.exp(series - x) * x ** (x / 2.0 - 0.25) / shift;
}""",
    }

    def start(self, text: str) -> str:
        return ""

    def function(self, function: _Function) -> str:
        body = _fill("    return ", self.result_of(function), ";")
        return "\n".join([f"function {function.name}({', '.join(function.arguments)}) {{", *body, "}"])

    def head(self, program: _Program, name: str, single: bool) -> list[str]:
        return _fill(f"function {name}(", ", ".join(program.inputs), ") {")

    def result(self, program: _Program, single: bool) -> list[str]:
        if not single:
            return _fill("    return [", ", ".join(program.outputs), "];")
        if not program.seed:
            return [f"    return {program.outputs[0]};"]
        return _fill(f"    return [{program.outputs[0]}, [", ", ".join(program.gradient), "]];")


LANGUAGES = {"python": _Writer(), "numpy": _NumpyWriter(), "c": _CWriter(), "javascript": _JavascriptWriter()}


def _used_functions(program: _Program) -> list[_Function]:
    """Return the functions that the lines call, or that those call; sharing has made some unnecessary."""
    used: set[str] = set()
    for line in (*program.forward, *program.backward):
        used |= _called(line.text)
    for function in reversed(program.functions):
        if function.name in used:
            used |= _called(function.text)
    return [function for function in program.functions if function.name in used]


def _fill(before: str, text: str, after: str = "") -> list[str]:
    """Return one line, or several if it is too long, with the text between brackets."""
    line = f"{before}{text}{after}"
    if len(line) <= WIDEST:
        return [line]
    if not before.endswith(("(", "[")):
        before, after = f"{before}(", f"){after}"
    margin = before[: len(before) - len(before.lstrip())]
    inside = f"{margin}    "
    wrapped = textwrap.wrap(text, WIDEST, initial_indent=inside, subsequent_indent=inside, break_long_words=False)
    return [before, *wrapped, f"{margin}{after}"]
