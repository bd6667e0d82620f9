"""Kernels of rules: each has machine code of its own, and few are kept."""

import gc
import weakref

import pytest

pytest.importorskip("llvmlite")

from engine import RULES, Value
from engine.compiler import codegen, tape
from engine.compiler.numbering import NumberedGraph
from engine.custom import CUSTOM_RULES
from engine.functions import FUNCTIONS, unary
from engine.rules import Unary


class Code:
    """Stands in for machine code."""


@pytest.fixture
def codes(monkeypatch):
    """Return weak references to the machine code that is loaded, which is empty here."""
    references = []

    def load(key, emit):
        code = Code()
        references.append(weakref.ref(code))
        return code

    codegen._rule_code.cache_clear()
    monkeypatch.setattr(codegen, "load_machine_code", load)
    yield references
    codegen._rule_code.cache_clear()


@pytest.fixture
def rules():
    """Return two custom rules, which are no longer custom after the test."""
    CUSTOM_RULES.update({"double", "triple"})
    yield Unary("double", "2.0*a", ("2",), scope={}), Unary("triple", "3.0*a", ("3",), scope={})
    for symbol in ("double", "triple"):
        CUSTOM_RULES.remove(symbol)
        FUNCTIONS.pop(symbol, None)


def test_a_rule_that_is_redefined_again_and_again_keeps_little_code(codes):
    for k in range(300):
        codegen.rule_code(Unary("scale", f"{k}.0*a", (f"{k}",)))
    gc.collect()
    assert len(codes) == 300
    assert sum(code() is not None for code in codes) <= 128


def test_a_rule_that_is_defined_again_alike_needs_no_other_code(codes):
    first, second = (codegen.rule_code(Unary("double", "2.0*a", ("2",))) for _ in range(2))
    assert first is second


def test_the_order_of_rules_in_a_graph_does_not_change_its_tapes(rules):
    double, triple = map(unary, rules)
    x = Value(1.0)
    opcodes = [{rule: code for code, rule in tape.linearize(NumberedGraph([y]), [x]).rules.items()}
               for y in (double(triple(x)), triple(double(x)))]  # fmt: skip
    assert opcodes[0] == opcodes[1]


def test_a_graph_needs_the_code_of_its_own_rules_only():
    x, w = Value(1.0), Value(2.0)
    graph = tape.linearize(NumberedGraph([(w * x).tanh() + 1.0]), [x])
    assert {rule.symbol for rule in graph.rules.values()} == {"*", "tanh", "+"}


def test_the_text_of_a_rule_has_the_functions_that_it_calls_and_no_others():
    assert "of_sigmoid" in codegen.rule_text(RULES["silu"])
    assert "of_" not in codegen.rule_text(RULES["exp"])


def test_other_rules_change_neither_the_text_nor_the_code_of_a_rule(rules, codes):
    double, _ = rules
    text, code = codegen.rule_text(double), codegen.rule_code(double)
    codegen.rule_text.cache_clear()
    CUSTOM_RULES.add("unrelated")
    try:
        assert codegen.rule_text(double) == text
        assert codegen.rule_code(double) is code
    finally:
        CUSTOM_RULES.remove("unrelated")
