"""A graph as the lines of a program: its parameters, its values forward, its gradient backward."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from itertools import count

from engine.custom import CUSTOM_RULES
from engine.export.expressions import (
    arguments_of,
    cached_canonical,
    called_row,
    functions_in,
    may_hide,
    names_in,
    number,
    simplified,
    text_of,
)
from engine.export.lines import Function, Line, Sharing
from engine.export.naming import RESERVED, RESERVED_FUNCTIONS, identifier
from engine.formulas import MATH_FUNCTIONS
from engine.graph import operand_rows, topological_order
from engine.labels import literal, substitute, unparse
from engine.rules import Rule
from engine.value import Value

LONGEST_SUM = 16  # terms in a line
LONGEST_MAXIMUM = 4  # operands in a line, which nest
MOST_PARTIALS = 4  # in the comment of a line

# Operations whose result is not finite if an operand is not. Others may hide it: tanh(inf) is 1, relu(nan) is 0.
TRANSPARENT = {"+", "-", "*", "neg", "abs", "sum", "dot", "log", "log1p", "sqrt"}
MAY_OVERFLOW = TRANSPARENT | {"/", "**", "exp"}  # operations that may have no finite result at finite operands


class Program:
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
        self.functions: list[Function] = []

        root = self._twins[outputs[0]]
        self.inputs = [self._names[x] for x in inputs]
        self.outputs = [self._names[self._twins[x]] for x in outputs]
        self.parameters = [
            Line(self._names[x], ast.unparse(number(x.data)))
            for x in self._order
            if not x.parents and not x.is_constant and x not in inputs
        ]
        forward = [line for node in self._order if node.parents for line in self._forward_lines(node)]
        self.unsafe = self._unsafe()
        self.seed = self._derivative(root, root) if backward else ""
        lines = self._backward_lines(root, inputs) if backward else []
        self.gradient = [self._derivative(root, x) for x in inputs] if backward else []
        sharing = Sharing([*forward, *lines], self._taken)
        self.forward, self.backward = sharing.share(forward), sharing.share(lines)

    def _name_nodes(self) -> dict[Value, str]:
        """Return the name of every node: its label, changed as little as needed, or v1, v2, ..."""
        names = {node: self._new_name(identifier(node.label)) for node in self._order if identifier(node.label)}
        numbered = (name for name in map("v{}".format, count(1)) if name not in self._taken)
        for node in self._order:
            if node.is_constant:
                names[node] = ast.unparse(number(node.data))
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
            letter: number(x.data) if isinstance(x, Value) and x.is_constant else ast.Name(self._name_of(x))
            for letter, x in operands.items()
        }
        called = {name: self._function(row, "value") for name in functions_in(text) if (row := called_row(rule, name))}
        return simplified(cached_canonical(text), letters, called)

    def _name_of(self, x: Value | str) -> str:
        return x if isinstance(x, str) else self._names[x]

    def _part(self, rule: Rule, part: str, operands: Mapping[str, Value | str]) -> str:
        """Return the `value`, `finalize` or the partial derivative with respect to `a` or `b`, at some operands.

        It is an expression, or the call of a function if it has a name, or branches, or may hide an error.
        """
        text = text_of(rule, part)
        has_name = part == "value" and rule.symbol.isidentifier() and not rule.finalize and rule.symbol != "neg"
        if not (has_name and rule.symbol not in MATH_FUNCTIONS) and not may_hide(rule, text):
            expression = self._expression(rule, text, operands)
            if part not in ("a", "b") or not any(isinstance(x, ast.IfExp) for x in ast.walk(ast.parse(expression))):
                return expression
        name = self._function(rule, part)
        arguments = [x if isinstance(x := operands[key], str) else self._names[x] for key in arguments_of(rule, part)]
        return f"{name}({', '.join(arguments)})"

    def _function(self, rule: Rule, part: str) -> str:
        """Return the name of the function for a part of a row."""
        if (rule, part) not in self._functions:
            symbol = rule.symbol if rule.symbol.isidentifier() else "pow"
            wish = {"value": symbol, "finalize": f"{symbol}_of_total"}.get(part, f"d{symbol}_d{part}")
            name = self._new_name(f"{wish}_" if wish in RESERVED_FUNCTIONS else wish)
            self._functions[rule, part] = name
            text, arguments = text_of(rule, part), arguments_of(rule, part)
            expression = self._expression(rule, text, {letter: letter for letter in arguments})
            self.functions.append(Function(name, arguments, expression, may_hide(rule, text)))
        return self._functions[rule, part]

    def _forward_lines(self, node: Value) -> list[Line]:
        rule, rows, name = node._rule, self._rows(node), self._names[node]
        comment = self._local_comment(node, rows) if self._comments else ""
        if rule.finalize:
            return self._fold_lines(node, rows, comment)
        return [Line(name, self._part(rule, "value", rows[0]), comment=comment)]

    def _fold_lines(self, node: Value, rows: list[dict[str, Value]], comment: str) -> list[Line]:
        """Return the lines of an operation on lists: its largest operand if it is needed, the sum, and the value."""
        rule, name = node._rule, self._names[node]
        lines: list[Line] = []
        top: dict[str, str] = {}
        if "top" in names_in(rule.value) | names_in(rule.finalize):
            top = {"top": self._new_name(f"{name}_top")}
            lines += _chunks(top["top"], [self._names[row["a"]] for row in rows], "max({}, {})", LONGEST_MAXIMUM)
        total = name if rule.finalize == "total" else self._new_name(f"{name}_total")
        terms = [self._part(rule, "value", {**row, **top}) for row in rows]
        lines += _chunks(total, terms, "{} + ({})", LONGEST_SUM)
        if rule.finalize != "total":
            lines.append(Line(name, self._part(rule, "finalize", {"total": total, **top})))
        return [*lines[:-1], Line(lines[-1].name, lines[-1].text, comment=comment)]

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

    def _backward_lines(self, root: Value, inputs: list[Value]) -> list[Line]:
        """Return the lines of the chain rule, for the nodes that depend on an input."""
        dependent = set(inputs)
        for node in self._order:
            if any(x in dependent for row in self._rows(node) for x in row.values()):
                dependent.add(node)
        lines: list[Line] = []
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
                    text = simplified(f"{upstream} * ({local})")
                    lines.append(Line(name, text, adds, self._chain_comment(root, node, x, adds)))
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


def _chunks(name: str, terms: list[str], form: str, most: int) -> list[Line]:
    """Return the lines that combine terms from left to right, at most so many in a line."""
    lines = []
    text = terms[0]
    for i, term in enumerate(terms[1:], start=1):
        if i % most == 0:
            lines.append(Line(name, simplified(text)))
            text = name
        text = form.format(text, term)
    return [*lines, Line(name, simplified(text))]


def _may_overflow(rule: Rule) -> bool:
    return rule.symbol in MAY_OVERFLOW or rule.symbol in CUSTOM_RULES
