"""The kernels of a table of rules as a Python module, which numba compiles.

The module is the text of `runtime`, then the formulas of the rules as functions, then `forward_rule` and
`backward_rule`, which choose among them by opcode. Of the rule `*`, which has opcode 3, the formulas are

    def value_3(a, b):
        return a * b

and the partial derivatives `partial_3_a(a, b, out)` and `partial_3_b(a, b, out)`.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import inspect
import re
from collections.abc import Mapping
from functools import lru_cache
from types import ModuleType

from engine.compiler import runtime, simd, vector_math
from engine.compiler.cache import load_cached_module
from engine.custom import CUSTOM_RULES
from engine.formulas import MATH_FUNCTIONS, canonical, names
from engine.rules import RULES, Rule

# Functions that LLVM turns into vector instructions.
VECTORIZED = {"_undefined", "abs", "exp", "float", "max", "sqrt", "tanh"}


@lru_cache(maxsize=8)  # not more: a module takes megabytes, and a rule can be redefined any number of times
def kernels(custom: tuple[Rule, ...] = ()) -> ModuleType:
    """Return the kernels of the table and of `custom` rules; their first use on a machine compiles them."""
    return _load(module_text(custom))


@lru_cache(maxsize=8)
def _load(text: str) -> ModuleType:
    """Return the module of a text, which rules that are defined again alike have in common."""
    return load_cached_module(text, [vector_math, simd], ["propagate_flags", "run"])


def opcodes(custom: tuple[Rule, ...] = ()) -> dict[Rule, int]:
    """Return the opcode of every rule of the built-in table, and of custom rules."""
    table = [rule for rule in RULES.values() if rule.symbol not in CUSTOM_RULES]
    return {rule: code for code, rule in enumerate([*table, *custom], start=runtime.LAYER + 1)}


def module_text(custom: tuple[Rule, ...] = ()) -> str:
    """Return the kernels as a Python module."""
    codes = opcodes(custom)
    python = ", ".join(sorted(MATH_FUNCTIONS.keys() - dir(builtins)))
    ours = "choice, exp, tanh, undefined as _undefined"
    imports = f"from math import pi, {python}\nfrom engine.compiler.vector_math import {ours}\n"
    functions = [_function(rule) for rule in _with_called(list(codes))]
    functions += [_formulas(rule, code) for rule, code in codes.items()]
    for name, arguments in (
        ("forward", "code, lanes, start, count, index, values, scratch"),
        ("backward", "code, mask, lanes, start, count, index, values, gradients"),
    ):
        calls = [f"if code == {code}:\n        {_call(rule, code, name)}" for rule, code in codes.items()]
        functions.append(f"@exact\ndef {name}_rule({arguments}):\n    " + "\n    el".join(calls) + "\n")
    return "\n\n".join([inspect.getsource(runtime), imports, *filter(None, functions)])


def _with_called(rules: list[Rule]) -> list[Rule]:
    """Return the rules and those that the texts of custom rules name."""
    for rule in rules:
        if rule.symbol in CUSTOM_RULES:
            rules += [called for called in rule.scope.values() if called not in rules]
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


def _formulas(rule: Rule, code: int) -> str:
    """Return the value and the partial derivatives of a rule as functions."""
    functions = [_formula(rule, f"value_{code}(a, b{', top' if rule.finalize else ''})", rule.value)]
    if rule.finalize:
        functions.append(_formula(rule, f"finalize_{code}(top, total)", rule.finalize))
    for operand, partial in zip("ab", rule.partials, strict=False):
        functions.append(_formula(rule, f"partial_{code}_{operand}(a, b, out)", partial))
    return "\n\n".join(functions)


def _formula(rule: Rule, signature: str, text: str) -> str:
    if rule.symbol in CUSTOM_RULES:
        text = _guarded(canonical(text))
    return f"@formula\ndef {signature}:  # {rule.symbol}\n    return {_translated(text, rule.scope)}\n"


def _call(rule: Rule, code: int, name: str) -> str:
    """Return the call that runs a rule; for one operand the partial derivative with respect to it is passed twice."""
    where, arity = "lanes, start, count, index, values", f"uint64({rule.arity})"
    if name == "backward":
        partials = f"partial_{code}_a, partial_{code}_{'ab'[rule.arity - 1]}"
        return f"backward_operands({partials}, {arity}, mask, {where}, gradients)"
    if rule.finalize:
        with_top = "top" in names(f"({rule.value}) + {rule.finalize}")
        return f"forward_fold(value_{code}, finalize_{code}, {with_top}, {arity}, {where}, scratch)"
    return f"forward_items(value_{code}, {arity}, {where})"


def _is_python(rule: Rule) -> bool:
    return rule.value == f"{rule.symbol}({', '.join('ab'[: rule.arity])})"


def _guarded(text: str) -> str:
    """Make a custom formula yield NaN wherever Python would raise part-way.

    In max(0, log(a)), for example, the result may still be finite. Built-in rules need no such guard.
    """
    return f"({text}) + {_poison(ast.parse(text, mode='eval').body)}"


def _poison(node: ast.expr) -> str:
    """Return an expression that is 0, but NaN where Python raises an error in computing `node`.

    Python divides and multiplies to infinity without an error, but not by 0, and its functions raise errors instead.
    """
    match node:
        case ast.IfExp(test, body, orelse):
            return f"({_poison(test)} + ({_poison(body)} if ({ast.unparse(test)}) else {_poison(orelse)}))"
        case ast.Call(ast.Name(name), args):
            # The functions of custom rules are guarded themselves, and pass NaN on.
            first, *_, last = [*args, *args] if name in MATH_FUNCTIONS else [ast.Name("inf")] * 2
            terms = [_poison(x) for x in args]
            if name not in ("abs", "float", "max"):
                terms.append(f"_undefined({ast.unparse(node)}, {ast.unparse(first)}, {ast.unparse(last)})")
        case ast.BinOp(left, operator, right):
            terms = [_poison(left), _poison(right)]
            if isinstance(operator, ast.Div | ast.FloorDiv | ast.Mod):
                terms.append(f"0.0 / ({ast.unparse(right)})")
        case ast.UnaryOp(_, operand):
            terms = [_poison(operand)]
        case ast.Compare(left, _, comparators):
            terms = [_poison(x) for x in (left, *comparators)]
        case ast.BoolOp(operator, [first, *rest]):  # Python evaluates the others only if the first does not decide
            others = _poison(rest[0] if len(rest) == 1 else ast.BoolOp(operator, rest))
            alternatives = f"{others} if ({ast.unparse(first)}) else 0.0"
            if isinstance(operator, ast.Or):
                alternatives = f"0.0 if ({ast.unparse(first)}) else {others}"
            return f"({_poison(first)} + ({alternatives}))"
        case _:
            terms = []
    terms = [term for term in terms if term != "0.0"]
    return f"({' + '.join(terms)})" if terms else "0.0"


def _translated(text: str, scope: Mapping[str, Rule]) -> str:
    """Return a formula as the kernels compute it.

    It calls the functions of the table by names that nothing else has in the module, and chooses without a branch where
    both alternatives are cheap.
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
        cheap = _is_cheap(ast.unparse(node), self.scope)
        self.generic_visit(node)
        return ast.Call(ast.Name("choice"), [node.test, node.body, node.orelse], []) if cheap else node


def _is_cheap(text: str, scope: Mapping[str, Rule]) -> bool:
    """Return whether all functions that a formula calls become vector instructions."""
    calls = set(re.findall(r"(\w+)\(", text)) - VECTORIZED
    rules = [scope.get(name) for name in calls]
    return all(rule is not None and not _is_python(rule) and _is_cheap(rule.value, rule.scope) for rule in rules)
