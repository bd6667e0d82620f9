"""The step of an optimizer in JavaScript, from the formulas of its rule."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from engine.languages import JAVASCRIPT, translate
from nn.optimizers import Optimizer, UpdateRule

SHARED = ("learning_rate", "steps", "weight_decay")  # settings of every optimizer


def update_script(rule: UpdateRule) -> str:
    """Return a rule as a function in JavaScript that computes the new data and state of all parameters.

    It takes the data and the gradients of the parameters, a list of arrays for the state, an array for the new data
    followed by those for the new state, and the settings; it returns whether all results are finite. What depends only
    on settings is computed once.

    >>> from nn import SGD
    >>> print(update_script(SGD.rule))
    (parameters, gradients, state, results, { learning_rate, momentum, steps, weight_decay }) => {
      let sum = 0;
      for (let i = 0; i < parameters.length; i++) {
        let data = parameters[i], velocity = state[0][i];
        const grad = gradients[i] + weight_decay * data;
        velocity = (momentum !== 0.0 ? momentum * velocity + grad : grad);
        data = data - learning_rate * velocity;
        results[0][i] = data, results[1][i] = velocity;
        sum += 0 * data + 0 * velocity;
      }
      return sum === 0;
    }
    """
    names = {*SHARED, *(name for text in (*rule.state.values(), rule.data) for name in _names(text))}
    numbers = ["data", *rule.state]
    settings = sorted(names - {"grad", *numbers})
    hoisting = _Hoisting({"grad", *numbers})
    formulas = [
        f"    {name} = {translate(hoisting.text(text), JAVASCRIPT)};"
        for name, text in [*rule.state.items(), ("data", rule.data)]
    ]
    read = ["data = parameters[i]", *(f"{name} = state[{k}][i]" for k, name in enumerate(rule.state))]
    return "\n".join(
        [
            f"(parameters, gradients, state, results, {{ {', '.join(settings)} }}) => {{",
            *(f"  const {name} = {translate(text, JAVASCRIPT)};" for text, name in hoisting.constants.items()),
            "  let sum = 0;",
            "  for (let i = 0; i < parameters.length; i++) {",
            f"    let {', '.join(read)};",
            "    const grad = gradients[i] + weight_decay * data;",
            *formulas,
            f"    {', '.join(f'results[{k}][i] = {name}' for k, name in enumerate(numbers))};",
            f"    sum += {' + '.join(f'0 * {name}' for name in numbers)};",
            "  }",
            "  return sum === 0;",
            "}",
        ]
    )


def rule_of(optimizer: Optimizer) -> UpdateRule:
    """Return the rule of an optimizer.

    Raises:
        ValueError: its class has no rule, or an `update` of its own.
    """
    kind = type(optimizer)
    if optimizer.rule is None or kind.update is not Optimizer.update or kind.step is not Optimizer.step:
        raise ValueError(
            f"optimizer must have formulas to translate, got {kind.__name__}: "
            "give its class a rule, an nn.optimizers.UpdateRule"
        )
    return optimizer.rule


def settings_of(optimizer: Optimizer) -> dict[str, float]:
    """Return the settings of an optimizer as `update_script` names them.

    >>> from engine import Value
    >>> from nn import Adam
    >>> settings_of(Adam([Value(1.0)]))["betas_1"]
    0.999
    """
    settings: dict[str, float] = {}
    for name in sorted({*rule_of(optimizer).settings, *SHARED} - {"steps"}):
        setting = getattr(optimizer, name)
        if isinstance(setting, Sequence):
            settings |= {f"{name}_{k}": float(x) for k, x in enumerate(setting)}
        else:
            settings[name] = float(setting)
    return settings


class _Elements(ast.NodeTransformer):
    """Writes the element `betas[0]` of a setting as the name `betas_0`."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return ast.Name(f"{ast.unparse(node.value)}_{ast.unparse(node.slice)}")


def parse_formula(text: str) -> ast.expr:
    """Return a formula of a rule as a tree, in which the element `betas[0]` of a setting is the name `betas_0`."""
    tree: ast.Expression = _Elements().visit(ast.parse(text, mode="eval"))
    return tree.body


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(parse_formula(text)) if isinstance(node, ast.Name)}


class _Hoisting:
    """Replaces sums, products and powers of settings alone by names of constants.

    Attributes:
        constants: the names of the constants by their texts.
    """

    def __init__(self, variables: set[str]) -> None:
        self.variables = variables
        self.constants: dict[str, str] = {}

    def text(self, text: str) -> str:
        return ast.unparse(self._hoisted(parse_formula(text)))

    def _hoisted(self, node: ast.expr) -> ast.expr:
        names = {x.id for x in ast.walk(node) if isinstance(x, ast.Name)}
        if isinstance(node, ast.BinOp) and names and names.isdisjoint(self.variables):
            text = ast.unparse(node)
            return ast.Name(self.constants.setdefault(text, f"constant{len(self.constants)}"))
        if isinstance(node, ast.BinOp):
            node.left, node.right = self._hoisted(node.left), self._hoisted(node.right)
        return node
