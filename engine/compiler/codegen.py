"""The kernels of rules: from the text of a rule to machine code.

A rule has a module of its own: its formulas as functions, and two kernels that call them for every lane. The module of
`*` has the function

    def value(a, b) -> float:
        return a * b

the partial derivatives `partial_a(a, b, out)` and `partial_b(a, b, out)`, and the kernels `forward_rule` and
`backward_rule`.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import math
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

from engine.canonical_form import canonical
from engine.compiler import graph_kernels, one_row, python_to_llvm, runtime, simd, vector_math
from engine.compiler.cache import MachineCode, load_machine_code
from engine.compiler.python_to_llvm import INTRINSICS, definitions, translate
from engine.custom import CUSTOM_RULES
from engine.formula_guard import guarded
from engine.formulas import MATH_FUNCTIONS, names
from engine.rules import RULES, Rule

# Functions that LLVM turns into vector instructions.
VECTORIZED = {"_undefined", "abs", "exp", "float", "max", "sqrt", "tanh"}

KERNELS = """\
def forward_rule(lanes: int, start: int, count: int, index: Slots, values: Floats, scratch: Floats) -> None:
    if lanes == 1:
        forward_blocks(1, 1, start, count, index, values, scratch)
    else:
        forward_blocks(8, lanes, start, count, index, values, scratch)


@inlined
def forward_blocks(width: Static, lanes, start, count, index, values, scratch):
    {forward}


def backward_rule(
    mask: int, lanes: int, start: int, count: int, index: Slots, values: Floats, gradients: Floats
) -> None:
    if lanes == 1:
        backward_operands({partials}, 1, mask, 1, start, count, index, values, gradients)
    else:
        backward_operands({partials}, 8, mask, lanes, start, count, index, values, gradients)
"""


def opcodes(custom: Iterable[Rule] = ()) -> dict[Rule, int]:
    """Return the opcode of every rule of the built-in table, and of custom rules."""
    table = [rule for rule in RULES.values() if rule.symbol not in CUSTOM_RULES]
    return {rule: code for code, rule in enumerate([*table, *custom], start=runtime.LAYER + 1)}


@cache
def runtime_code() -> MachineCode:
    """Return the machine code that all graphs share."""
    packed = ["number", "merge_equal", "group", "write_tape", "run"]
    return load_machine_code(_sources(), lambda: translate(_scope(), packed=packed))


def rule_code(rule: Rule) -> MachineCode:
    """Return the kernels of a rule; their first use on a machine compiles them."""
    return _rule_code(rule_text(rule))


@lru_cache(maxsize=128)  # a limit, since a rule can be redefined any number of times
def _rule_code(text: str) -> MachineCode:
    exports = ["forward_rule", "backward_rule"]
    return load_machine_code(_sources() + text, lambda: translate(_scope() | definitions(text), exports))


def compile_packed(text: str, functions: Iterable[str]) -> MachineCode:
    """Return machine code for packed functions that `text` defines."""
    return load_machine_code(_sources() + text, lambda: translate(_scope() | definitions(text), packed=functions))


@cache
def _sources() -> str:
    return "".join(map(inspect.getsource, (python_to_llvm, runtime, one_row, graph_kernels, simd, vector_math)))


@cache
def _scope() -> dict[str, Any]:
    """Return the functions and numbers that all modules can name."""
    scope: dict[str, Any] = {**INTRINSICS, "inf": math.inf, "nan": math.nan, "pi": math.pi}
    for module in (runtime, one_row, graph_kernels, vector_math):
        scope |= {name: x for name, x in vars(module).items() if isinstance(x, int | float)}
        scope |= definitions(inspect.getsource(module))
    return {**scope, "_undefined": scope["undefined"]}  # a name that no operand or function of a formula has


@lru_cache(maxsize=128)
def rule_text(rule: Rule) -> str:
    """Return the module of a rule as text."""
    functions = [_function(called) for called in _called([rule])]
    functions.append(_formula(rule, f"value(a, b{', top' if rule.finalize else ''})", rule.value))
    forward = f"forward_items(value, {rule.arity}, width, lanes, start, count, index, values, values)"
    if rule.finalize:
        functions.append(_formula(rule, "finalize(top, total)", rule.finalize))
        with_top = "top" in names(f"({rule.value}) + {rule.finalize}")
        rest = "width, lanes, start, count, index, values, scratch, values"
        forward = f"forward_fold(value, finalize, {with_top}, {rule.arity}, {rest})"
    for operand, partial in zip("ab", rule.partials, strict=False):
        functions.append(_formula(rule, f"partial_{operand}(a, b, out)", partial))
    partials = f"partial_a, partial_{'ab'[rule.arity - 1]}, {rule.arity}"
    return "\n\n".join([*filter(None, functions), KERNELS.format(forward=forward, partials=partials)])


def _called(rules: list[Rule]) -> list[Rule]:
    """Return rules, and the rules that their formulas call."""
    for rule in rules:
        for text in filter(None, [rule.value, rule.finalize, *rule.partials]):
            rules += [called for called in rule.called(text).values() if called not in rules]
    return rules


def _function_name(rule: Rule) -> str:
    """Return the name of a rule's function; of a custom rule, which may be redefined, with a hash of its formula."""
    if rule.symbol not in CUSTOM_RULES:
        return f"of_{rule.symbol}"
    formula = _translated(canonical(rule.value), rule.scope)
    return f"of_{rule.symbol}_{hashlib.sha256(formula.encode()).hexdigest()[:8]}"


def _function(rule: Rule) -> str:
    """Return a rule as a function that other formulas call; "" if `math` or `vector_math` has it."""
    if rule.finalize or not rule.symbol.isidentifier() or _is_python(rule):
        return ""
    return _formula(rule, f"{_function_name(rule)}({', '.join('ab'[: rule.arity])})", rule.value)


def _formula(rule: Rule, signature: str, text: str) -> str:
    text = canonical(text)
    if rule.symbol in CUSTOM_RULES:
        text = guarded(text)
    return f"@inlined\ndef {signature} -> float:  # {rule.symbol}\n    return {_translated(text, rule.scope)}\n"


def _is_python(rule: Rule) -> bool:
    return rule.symbol in MATH_FUNCTIONS


def _translated(text: str, scope: Mapping[str, Rule]) -> str:
    """Return a formula as the kernels compute it.

    It calls the functions of the table by names that are unique in the module, and selects without a branch where both
    alternatives are cheap.
    """
    return ast.unparse(_Translation(scope).visit(ast.parse(text, mode="eval")))


class _Translation(ast.NodeTransformer):
    def __init__(self, scope: Mapping[str, Rule]) -> None:
        self.scope = scope

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        rule = self.scope.get(ast.unparse(node.func))
        return ast.Call(ast.Name(_function_name(rule)), node.args, []) if rule and not _is_python(rule) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        cheap = _is_cheap(node, self.scope)
        self.generic_visit(node)
        return ast.Call(ast.Name("choice"), [node.test, node.body, node.orelse], []) if cheap else node


def _is_cheap(formula: ast.AST, scope: Mapping[str, Rule]) -> bool:
    """Return whether all functions that a formula calls become vector instructions."""
    for node in ast.walk(formula):
        match node:
            case ast.Call(ast.Name("pow"), [_, ast.Constant(2.0)]):  # LLVM multiplies
                pass
            case ast.Call(ast.Name(name)) if name not in VECTORIZED:
                rule = scope.get(name)
                if rule is None or _is_python(rule) or not _is_cheap(ast.parse(canonical(rule.value)), rule.scope):
                    return False
    return True
