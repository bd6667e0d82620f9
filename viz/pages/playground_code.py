"""The formulas of the table as WebAssembly, from which the playground assembles its training.

`assets/playground_code.js` joins them to the loss of one example in a network of any sizes, forward and backward, and
runs that code over many examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import RULES, Value, topological_order
from engine.formulas import BINARY_FUNCTIONS
from engine.graph import operand_rows
from engine.rules import Fold, Rule
from nn.signals import ExampleGraph
from viz.pages.wasm import CHECKED_OPERATORS, Code, Formulas, constant


class TrainingCode:
    """The forms of operations. A form has the code of the value and of the partial derivatives, None for one that is 1.

    Operands that are constants are numbers in the code. In the code of an operation on lists, `top` is the largest `a`,
    and `total` the sum of the terms.

    >>> code = TrainingCode()
    >>> code.form(RULES["*"], [None, None]), code.form(RULES["*"], [None, 2.0]), code.form(RULES["*"], [None, None])
    (0, 1, 0)
    """

    def __init__(self) -> None:
        self._formulas = Formulas()
        self._forms: dict[tuple[Rule, tuple[float | None, ...]], dict[str, Any]] = {}
        self._folds: dict[Rule, dict[str, Any]] = {}

    def form(self, rule: Rule, operands: Sequence[float | None] = (None,)) -> int:
        """Return the number of a form.

        Args:
            rule: the row.
            operands: the data of every operand that is a constant, None for the others.
        """
        key = (rule, tuple(operands))
        if key not in self._forms:
            letters: dict[str, Code | float] = {
                letter: [letter] if x is None else x for letter, x in zip("ab", operands, strict=False)
            }
            value = self._formulas.formula(rule, rule.value, {**letters, "top": ["top"]})
            partials = [self._formulas.formula(rule, text, {**letters, "out": ["out"]}) for text in rule.partials]
            one = [constant(1.0)]
            self._forms[key] = {
                "value": _numbers(value),
                "partials": [None if partial == one else _numbers(partial) for partial in partials],
            }
        return [*self._forms].index(key)

    def _fold(self, rule: Rule) -> int:
        """Return the number of an operation on lists."""
        if rule not in self._folds:
            code = self._formulas.formula(rule, rule.finalize, {"total": ["total"], "top": ["top"]})
            self._folds[rule] = {"finalize": _numbers(code), "top": "top" in rule.value + rule.finalize}
        return [*self._folds].index(rule)

    def data(self, graph: ExampleGraph, parameters: Sequence[Value]) -> dict[str, Any]:
        """Return the data from which the page assembles the training: weighted sums, the loss, and all forms.

        Args:
            graph: the loss of one example.
            parameters: the leaves that are trained; other leaves are numbers in the code.
        """
        dot = RULES["dot"]
        weighted_sum = {"bias": self.form(dot, [None, 1.0]), "product": self.form(dot, [None, None])}
        loss = self._loss(graph, parameters)
        return {
            "sum": {**weighted_sum, "fold": self._fold(dot)},
            "loss": loss,
            "forms": [*self._forms.values()],
            "folds": [*self._folds.values()],
            "functions": {
                name: {"code": _numbers(function), "arity": arity}
                for name, (function, arity) in self._formulas.functions.items()
            },
            "binary": sorted({*BINARY_FUNCTIONS, *CHECKED_OPERATORS.values()}),
        }

    def _loss(self, graph: ExampleGraph, parameters: Sequence[Value]) -> list[dict[str, Any]]:
        """Return the nodes from the outputs to the loss, each after its operands."""
        outputs = {*graph.z[-1]}
        network = {*topological_order(*outputs)}
        order = topological_order(graph.loss)
        operations = [node for node in order if node.parents and node not in network]
        used = {*outputs, *operations, *(x for node in operations for operands in operand_rows(node) for x in operands)}
        leaves: dict[Value, dict[str, Any]] = {
            **{node: {"parameter": i} for i, node in enumerate(parameters)},
            **{node: {"target": k} for k, node in enumerate(graph.target)},
            **{node: {"output": k} for k, node in enumerate(graph.z[-1])},
        }
        nodes: list[dict[str, Any]] = []
        places: dict[Value, int] = {}
        for node in order:
            if node in used:
                places[node] = len(nodes)
                nodes.append(leaves.get(node) or self._node(node, leaves, places))
        return nodes

    def _node(self, node: Value, leaves: Mapping[Value, Any], places: Mapping[Value, int]) -> dict[str, Any]:
        """Return a constant, or an operation: for every term its form and its operands."""
        if not node.parents:
            return {"constant": node.data}
        terms = []
        for operands in operand_rows(node):
            numbers = [None if x in leaves or x.parents else x.data for x in operands]
            terms.append([self.form(node._rule, numbers), *(places[x] for x in operands)])
        return {"terms": terms, "fold": self._fold(node._rule)} if isinstance(node._rule, Fold) else {"terms": terms}


def _numbers(code: Code) -> list[int | str]:
    """Return code as JSON, in which bytes are numbers."""
    return [x for part in code for x in ([part] if isinstance(part, str) else part)]
