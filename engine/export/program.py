"""A graph as the lines of a program: its parameters, its values forward, its gradient backward."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import count

from engine.canonical_form import canonical
from engine.constant_folding import simplified
from engine.custom import CUSTOM_RULES
from engine.export.lines import Function, Line, Sharing
from engine.export.naming import RESERVED, RESERVED_FUNCTIONS, identifier
from engine.formula_guard import may_hide
from engine.formulas import MATH_FUNCTIONS, names
from engine.graph import dependents, operand_rows, topological_order
from engine.labels import substitute, unparse
from engine.rules import Rule
from engine.value import Value

MAX_TERMS = 16  # terms in a line
MAX_OPERANDS = 4  # operands in a line, which nest
MAX_PARTIALS = 4  # the most local derivatives in the comment of a line

# Operations whose result is not finite if an operand is not. Others may hide it: tanh(inf) is 1, relu(nan) is 0.
TRANSPARENT = {"+", "-", "*", "neg", "abs", "sum", "dot", "log", "log1p", "sqrt"}
MAY_OVERFLOW = TRANSPARENT | {"/", "**", "exp"}  # operations that may have no finite result at finite operands


class Program:
    """A graph as lines of Python arithmetic. Nodes with the same operation on the same operands share a variable.

    Attributes:
        inputs, outputs: the names of their variables.
        gradient: the variables of the derivatives with respect to the inputs; none without `backward`.
        parameters, forward, backward: the lines.
        seed: the variable of the derivative of the output with respect to itself; "" without `backward`.
        functions: the functions that the lines call, by row and part, each after those that it calls.
        unsafe: variables that may be infinite or nan although every output is finite.
    """

    def __init__(self, outputs: list[Value], inputs: list[Value], *, backward: bool, comments: bool) -> None:
        self._comments = comments
        self._taken = set(RESERVED)
        self._copies: Counter[str] = Counter()  # how often a name was requested
        self._names: dict[Value, str] = {}  # of variables; of a constant, its number
        self._derivatives: dict[str, str] = {}  # the variable of the derivative with respect to a variable
        self._nodes: list[Value] = []  # the inner nodes with a variable of their own
        self.functions: dict[tuple[Rule, str], Function] = {}

        order = topological_order(*outputs)
        forward = self._forward_lines(order)
        self.parameters = [
            Line(self._names[x], repr(x.data))
            for x in order
            if not x.parents and not x.is_constant and x not in inputs
        ]  # fmt: skip
        self.inputs = [self._names[x] for x in inputs]
        self.outputs = [self._names[x] for x in outputs]
        self.unsafe = self._unsafe()
        lines = self._backward_lines(order, inputs) if backward else []
        self.seed = self._derivative(self.outputs[0]) if backward else ""
        self.gradient = [self._derivative(x) for x in self.inputs] if backward else []
        sharing = Sharing([*forward, *lines], self._taken)
        self.forward, self.backward = sharing.share(forward), sharing.share(lines)

    def _new_name(self, wish: str) -> str:
        name = wish
        while name in self._taken:
            self._copies[wish] += 1
            name = f"{wish}_{self._copies[wish] + 1}"
        self._taken.add(name)
        return name

    def _derivative(self, x: str) -> str:
        """Return the variable of the derivative of the output with respect to the variable `x`."""
        if x not in self._derivatives:
            self._derivatives[x] = self._new_name(f"d{self.outputs[0]}_d{x}")
        return self._derivatives[x]

    def _rows(self, node: Value) -> list[dict[str, str]]:
        """Return the names of the operands by letter, for each term of an operation on lists."""
        return [dict(zip("ab", (self._names[x] for x in row), strict=False)) for row in operand_rows(node)]

    def _forward_lines(self, order: list[Value]) -> list[Line]:
        """Name the nodes by their labels, as far as possible, or v1, v2, ...; return the lines of the values."""
        for node in order:
            label = identifier(node.label)
            if label or node.is_constant:
                self._names[node] = repr(node.data) if node.is_constant else self._new_name(label)
        lines: list[Line] = []
        numbered = map("v{}".format, count(1))
        variables: dict[tuple[object, ...], str] = {}  # by operation and operands
        for node in order:
            operation = (node._rule, *(self._names[x] for x in node.parents))
            if node not in self._names and node.parents and operation in variables:
                self._names[node] = variables[operation]
                continue
            if node not in self._names:
                self._names[node] = next(name for name in numbered if name not in self._taken)
                self._taken.add(self._names[node])
            if node.parents:
                variables.setdefault(operation, self._names[node])
                self._nodes.append(node)
                lines += self._value_lines(node)
        return lines

    def _value_lines(self, node: Value) -> list[Line]:
        """Return the lines of a value; for an operation on lists: the largest operand if needed, the sum, the value."""
        rule, name, rows = node._rule, self._names[node], self._rows(node)
        comment = self._local_derivatives(node, rows) if self._comments else ""
        if not rule.finalize:
            return [Line(name, self._part(rule, "value", rows[0]), comment=comment)]
        lines: list[Line] = []
        top: dict[str, str] = {}
        if "top" in names(rule.value) | names(rule.finalize):
            top = {"top": self._new_name(f"{name}_top")}
            lines += _chunks(top["top"], [row["a"] for row in rows], "max({}, {})", MAX_OPERANDS)
        total = name if rule.finalize == "total" else self._new_name(f"{name}_total")
        terms = [self._part(rule, "value", {**row, **top}) for row in rows]
        lines += _chunks(total, terms, "{} + ({})", MAX_TERMS)
        if total != name:
            lines.append(Line(name, self._part(rule, "finalize", {"total": total, **top})))
        return [*lines[:-1], replace(lines[-1], comment=comment)]

    def _part(self, rule: Rule, part: str, operands: Mapping[str, str]) -> str:
        """Return the `value`, `finalize` or the partial derivative with respect to `a` or `b`, at some operands.

        The result is an expression, or, if the row has a name, branches, or may hide an error, the call of a function.
        """
        text = _text_of(rule, part)
        has_name = part == "value" and rule.symbol.isidentifier() and not rule.finalize and rule.symbol != "neg"
        if not (has_name and rule.symbol not in MATH_FUNCTIONS) and not _may_hide(rule, text):
            expression = self._expression(rule, text, operands)
            if part not in ("a", "b") or " if " not in expression:
                return expression
        function = self._function(rule, part)
        return f"{function.name}({', '.join(operands[letter] for letter in function.arguments)})"

    def _expression(self, rule: Rule, text: str, operands: Mapping[str, str]) -> str:
        """Return a text of a row with names and numbers in place of its letters, simplified."""
        called = rule.called(text)

        def function_name(name: str) -> str:
            return self._function(called[name], "value").name if name in called else name

        return simplified(_canonical(text), operands, function_name)

    def _function(self, rule: Rule, part: str) -> Function:
        """Return the function for a part of a row; a value is called with all operands."""
        if (rule, part) not in self.functions:
            symbol = rule.symbol if rule.symbol.isidentifier() else "pow"
            wish = {"value": symbol, "finalize": f"{symbol}_of_total"}.get(part, f"d{symbol}_d{part}")
            name = self._new_name(f"{wish}_" if wish in RESERVED_FUNCTIONS else wish)
            text, letters = _text_of(rule, part), [*"ab"[: rule.arity]]
            if part != "value" or rule.finalize:
                letters = [letter for letter in ("a", "b", "out", "total", "top") if letter in names(text)]
            expression = self._expression(rule, text, {})
            self.functions[rule, part] = Function(name, letters, expression, _may_hide(rule, text))
        return self.functions[rule, part]

    def _local_derivatives(self, node: Value, rows: list[dict[str, str]]) -> str:
        """Return the local derivatives of a node in mathematical notation."""
        name = self._names[node]
        partials = []
        for row in rows:
            letters = {letter: ast.parse(x, mode="eval").body for letter, x in {**row, "out": name}.items()}
            for x, notation in zip(row.values(), node._rule.partial_notation, strict=True):
                if x.isidentifier():
                    partials.append(f"d{name}/d{x} = {unparse(substitute(notation, letters))}")
        return ", ".join([*partials[:MAX_PARTIALS], *(["..."] if len(partials) > MAX_PARTIALS else [])])

    def _unsafe(self) -> list[str]:
        """Return the variables that may be infinite or nan although every variable that uses them is finite."""
        hidden = [x for node in self._nodes if node._rule.symbol not in TRANSPARENT for x in node.parents if x.parents]
        names = [self._names[x] for x in hidden if x.op in MAY_OVERFLOW or x.op in CUSTOM_RULES]
        return list(dict.fromkeys(names))

    def _backward_lines(self, order: list[Value], inputs: list[Value]) -> list[Line]:
        """Return the lines of the chain rule, for the nodes that depend on an input."""
        root = self.outputs[0]
        dependent = {self._names[x] for x in dependents(order, inputs)}
        lines: list[Line] = []
        started = {root}
        for node in reversed(self._nodes):
            name = self._names[node]
            if name not in dependent:
                continue
            upstream = self._derivative(name)
            for row in self._rows(node):
                for letter, x in row.items():
                    if x in dependent:
                        text = simplified(f"{upstream} * ({self._part(node._rule, letter, {**row, 'out': name})})")
                        sign = "+=" if x in started else "="
                        comment = f"d{root}/d{x} {sign} d{root}/d{name} * d{name}/d{x}" if self._comments else ""
                        lines.append(Line(self._derivative(x), text, x in started, comment))
                        started.add(x)
        return lines


_canonical = lru_cache(canonical)


def _text_of(rule: Rule, part: str) -> str:
    """Return the text of a part of a row: `value`, `finalize`, or the partial derivative with respect to `a` or `b`."""
    return {"value": rule.value, "finalize": rule.finalize}.get(part) or rule.partials["ab".index(part)]


def _may_hide(rule: Rule, text: str) -> bool:
    return rule.symbol in CUSTOM_RULES and may_hide(_canonical(text))


def _chunks(name: str, terms: list[str], form: str, most: int) -> list[Line]:
    """Return the lines that combine terms from left to right, with a limited number of terms per line."""
    lines = []
    text = terms[0]
    for i, term in enumerate(terms[1:], start=1):
        if i % most == 0:
            lines.append(Line(name, simplified(text)))
            text = name
        text = form.format(text, term)
    return [*lines, Line(name, simplified(text))]
