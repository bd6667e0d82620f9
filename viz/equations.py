"""The equations of a graph: definitions of nodes and steps of backpropagation, in symbols and in numbers."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from engine import ForwardStep, Step, Value, topological_order
from engine.backprop import Contribution
from engine.errors import warn_of_stale
from engine.foreign import usage
from engine.forward_mode import TangentContribution
from engine.graph import operand_rows
from engine.labels import Names, substitute
from engine.validation import check_flag, describe
from viz import typeset
from viz.typeset import derivative, latex_source, plugged_in

MAX_TERMS = 8  # the most terms of an operation on lists; of more, only the first ones and the last one are written
MAX_OPERATIONS = 40  # the most operations in the expansion of a node; operands further down are written by name


class TeX(str):
    """LaTeX that the prompt shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class LaTeX(TeX):
    """LaTeX in math mode, without dollar signs, which a notebook typesets."""

    __slots__ = ()

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self}$"


@dataclass(frozen=True)
class Equation:
    """A left side and the right sides that it equals: `a = b = c`. Without a right side, it is an expression."""

    left: ast.expr
    rights: tuple[tuple[str, ast.expr], ...] = ()

    @property
    def mathml(self) -> str:
        """The equation as `math` elements, one per relation, so that a line of HTML can break before each."""
        parts = ["", *(f"<mo>{relation}</mo>" for relation, _ in self.rights)]
        sides = [self.left, *(side for _, side in self.rights)]
        return " ".join(
            f'<math display="inline"><mstyle displaystyle="true">{relation}{typeset.mathml(side)}</mstyle></math>'
            for relation, side in zip(parts, sides, strict=True)
        )

    @property
    def latex_rows(self) -> list[tuple[str, str]]:
        """The equation as LaTeX in two columns: before the relation, and from it on, with a row per relation."""
        sides = [f"{LATEX_RELATIONS[relation]} {latex_source(side)}" for relation, side in self.rights]
        left = latex_source(self.left)
        return [(left, sides[0]), *(("", side) for side in sides[1:])] if sides else [("", left)]


LATEX_RELATIONS = {"=": "=", "+=": r"\mathrel{+}=", "←": r"\leftarrow", "→": r"\to"}


def latex_lines(equations: Sequence[Equation]) -> LaTeX:
    """Return equations as one piece of LaTeX, below each other if they have more than one row."""
    rows = [row for equation in equations for row in equation.latex_rows]
    if len(rows) == 1:
        return LaTeX(" ".join(filter(None, rows[0])))
    lines = " \\\\\n".join(f"{left} & {right}".lstrip() for left, right in rows)
    return LaTeX(f"\\begin{{aligned}}\n{lines}\n\\end{{aligned}}")


class Equations:
    r"""The equations of the graph of `root`.

    With `slots`, the numbers in an equation are slots that a page fills: `data N` is the data of node N, by its place
    in the topological order. In a step, `upstream` is the gradient of its node, and of its contribution C, from 0,
    `local C` is the local derivative, `amount C` the contribution, `before C` and `total C` the gradient before and
    after it. In a step of ForwardMode, `incoming C` is the tangent of the operand.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> d = a * b
    >>> print(latex_lines([Equations(d).definition(d)]))
    \begin{aligned}
    a \cdot b & = 2.0 \cdot (-3.0) \\
    & = -6.0
    \end{aligned}
    """

    def __init__(self, root: Value, names: Names | None = None, *, slots: bool = False) -> None:
        self.root, self.names, self.slots = root, names or Names(root), slots
        self._index = {node: i for i, node in enumerate(topological_order(root))} if slots else {}

    def data(self, node: Value) -> ast.expr:
        """Return the data of a node; of a plain number, the number as it is written in formulas."""
        if node.is_constant and not node.label:
            return self.names.tree(node)
        return plugged_in(node.data, f"data {self._index[node]}" if self._index and not node.is_constant else "")

    def gradient(self, node: Value) -> ast.expr:
        """Return the symbol of the gradient of a node."""
        return derivative(self.names.tree(self.root), self.names.tree(node))

    def operation(self, node: Value, operand: Callable[[Value], ast.expr] | None = None) -> ast.expr:
        """Return an inner node as the operation on its operands, each written by `operand`, by default by name."""
        operand = operand or self.names.tree
        rule = node._rule
        if not rule.finalize:
            return substitute(rule.value_notation, dict(zip("ab", map(operand, node.parents), strict=False)))
        lists = [[*map(operand, xs)] for xs in zip(*_written_rows(node), strict=True)]
        if len(operand_rows(node)) > MAX_TERMS:
            lists = [[*xs[:-1], ast.Constant(...), xs[-1]] for xs in lists]
        return ast.Call(ast.Name(rule.symbol), [ast.List(xs) for xs in lists], [])

    def local_derivative(self, node: Value, row: Sequence[Value], operand: int, *, numbers: bool = False) -> ast.expr:
        """Return the local derivative of a node with respect to one of the operands in a row."""
        write = self.data if numbers else self.names.tree
        letters = dict(zip("ab", map(write, row), strict=False)) | {"out": write(node)}
        return substitute(node._rule.partial_notation[operand], letters)

    def definition(self, node: Value, *, numbers: bool = True) -> Equation:
        """Return a node as the operation on its operands: in symbols, with numbers, and the result."""
        sides = [self.names.tree(node)]
        if node.parents:
            sides.append(self.operation(node))
            if numbers:
                sides.append(self.operation(node, self.data))
        if numbers:
            sides.append(self.data(node))
        return _equal(sides)

    def expansion(self, node: Value, *, numbers: bool = False) -> list[Equation]:
        """Return a node as an expression in its leaves.

        Subexpressions that are used more than once have a name, and an equation of their own. Of a large graph the
        expression stops after `MAX_OPERATIONS` operations; operands further down are written by name.
        """
        opened, uses = _operations_below(node)
        order = topological_order(*opened, stop=lambda x: x not in opened) if opened else []
        named = {x for x in order if uses[x] > 1 and isinstance(self.names.tree(x), ast.Name)} - {node}
        symbols = self._trees(order, named, self.names.tree)
        plugged = self._trees(order, named, self.data) if numbers else {}
        equations = []
        for x in [node, *(x for x in reversed(order) if x in named)]:
            sides = [self.names.tree(x), *(trees[x] for trees in (symbols, plugged) if x in trees)]
            if x is node and not x.label and len(sides) > 1:
                del sides[0]  # a name that nothing else uses
            equations.append(_equal([*sides, self.data(x)] if numbers else sides))
        return equations

    def _trees(
        self, order: Sequence[Value], named: Set[Value], write_leaf: Callable[[Value], ast.expr]
    ) -> dict[Value, ast.expr]:
        """Return operations as expressions in their leaves and in `named` nodes."""
        trees: dict[Value, ast.expr] = {}

        def write(x: Value) -> ast.expr:
            if x in trees and x not in named:
                return trees[x]
            return self.names.tree(x) if x.parents else write_leaf(x)

        for x in order:
            trees[x] = self.operation(x, write)
        return trees

    def chain_rule(self, step: Step | ForwardStep, first: int = 0) -> list[tuple[Equation, Equation]]:
        """Return two equations for each contribution of a step: its product, and the derivative after adding it.

        Args:
            step: the step.
            first: the number of its first contribution in the slots, where a page shows several steps at once.
        """
        return [(self._product(x, i), self._sum(x, i)) for i, x in enumerate(step.contributions, first)]

    def derivative(self, step: Step | ForwardStep) -> Equation:
        """Return the derivative that a step uses: the gradient or the tangent of its node."""
        if isinstance(step, ForwardStep):
            symbol = derivative(self.names.tree(step.node), self.names.tree(step._x))
            return Equation(symbol, (("=", self._number(step.tangent, "tangent")),))
        return Equation(self.gradient(step.node), (("=", self._number(step.upstream, "upstream")),))

    def step(self, step: Step | ForwardStep) -> list[Equation]:
        """Return the equations of a step: its contributions, and sums where the derivative was not 0 before."""
        return [
            equation
            for contribution, (product, sum_) in zip(step.contributions, self.chain_rule(step), strict=True)
            for equation in ([product, sum_] if contribution.before != 0.0 else [product])
        ]

    def _product(self, contribution: Contribution, i: int) -> Equation:
        """Return one application of the chain rule, in symbols, with numbers, and the result."""
        node, row, operand = contribution._node, contribution._row, contribution._operand
        incoming, result = self._symbols(contribution)
        is_tangent = isinstance(contribution, TangentContribution)
        upstream = self._number(contribution._upstream, f"incoming {i}" if is_tangent else "upstream")
        local = self.local_derivative(node, row, operand)
        pairs = [
            (incoming, derivative(self.names.tree(node), self.names.tree(contribution.parent))),
            (incoming, local),
            (upstream, self._number(contribution.local, f"local {i}")),
        ]
        if not isinstance(local.operand if isinstance(local, ast.UnaryOp) else local, ast.Name | ast.Constant):
            pairs.insert(2, (upstream, self.local_derivative(node, row, operand, numbers=True)))
        if is_tangent:
            pairs = [(y, x) for x, y in pairs]
        first, *others = [ast.BinOp(x, ast.Mult(), y) for x, y in pairs]
        sides = [*others, self._number(contribution.amount, f"amount {i}")]
        return Equation(result, (("+=", first), *(("=", side) for side in sides)))

    def _sum(self, contribution: Contribution, i: int) -> Equation:
        """Return the derivative that receives a contribution as its value before plus the contribution."""
        before = self._number(contribution.before, f"before {i}")
        amount = self._number(contribution.amount, f"amount {i}")
        total = self._number(contribution.total, f"total {i}")
        return _equal([self._symbols(contribution)[1], ast.BinOp(before, ast.Add(), amount), total])

    def _symbols(self, contribution: Contribution) -> tuple[ast.expr, ast.expr]:
        """Return the symbols of the derivative that a contribution comes from, and of the one that it is added to."""
        node, parent = contribution._node, contribution.parent
        if isinstance(contribution, TangentContribution):
            x = self.names.tree(contribution._x)
            return derivative(self.names.tree(parent), x), derivative(self.names.tree(node), x)
        return self.gradient(node), self.gradient(parent)

    def _number(self, x: float, slot: str) -> ast.expr:
        return plugged_in(x, slot if self.slots else "")


def _equal(sides: Sequence[ast.expr]) -> Equation:
    """Return the equation of several sides, without any side that repeats the one before it."""
    left, *rights = sides
    distinct = []
    before = latex_source(left)
    for side in rights:
        text = latex_source(side)
        if text != before:
            distinct.append(("=", side))
        before = text
    return Equation(left, tuple(distinct))


def _written_rows(node: Value) -> list[tuple[Value, ...]]:
    """Return the rows of operands to write."""
    rows = operand_rows(node)
    return rows if len(rows) <= MAX_TERMS else [*rows[:2], rows[-1]]


def _operations_below(node: Value) -> tuple[dict[Value, None], Counter[Value]]:
    """Return the operations in the expansion of a node, nearest first, and how often each is used."""
    opened: dict[Value, None] = {}
    uses: Counter[Value] = Counter()
    queue = [node]
    for x in queue:
        if len(opened) == MAX_OPERATIONS:
            break
        if x.parents and x not in opened:
            opened[x] = None
            operands = [y for row in _written_rows(x) for y in row] if x._rule.finalize else x.parents
            uses.update(operands)
            queue += operands
    return opened, uses


@usage("viz.latex(L)")
def latex(content: Value | Step | ForwardStep, *, numbers: bool = False) -> LaTeX:
    r"""Return a Value, a derivative or a step of backpropagation as LaTeX.

    Labels become symbols: `w12`, `beta_2` and `y_hat` are written with subscripts, Greek letters and accents,
    `layer1.w12` with the layer as superscript.

    Args:
        content: a Value, which is written as an expression in its leaves; subexpressions that are used more than once
            have a line of their own. Or a step of `engine.Backprop` or `engine.ForwardMode`: the chain rule.
        numbers: also write the numbers of a Value; a step always has its numbers.

    Returns:
        Text for math mode, without dollar signs, which a notebook typesets. It needs the package amsmath; labels with
        letters that are not Latin also need XeLaTeX or LuaLaTeX.

    Raises:
        TypeError: `content` is neither a Value nor a step, or `numbers` not a bool.

    >>> w, x = Value(0.5, "w1"), Value(2.0, "x1")
    >>> y = (w * x).tanh()
    >>> y.label = "y"
    >>> latex(y)
    y = \tanh (w_{1} \cdot x_{1})
    """
    check_flag(numbers, "numbers")
    match content:
        case Value():
            if numbers:
                warn_of_stale(topological_order(content))
            return latex_lines(Equations(content).expansion(content, numbers=numbers))
        case Step() | ForwardStep():
            return latex_lines(Equations(content._names.root, content._names).step(content))
    raise TypeError(f"content must be a Value or a step of Backprop or ForwardMode, got {describe(content)}")
