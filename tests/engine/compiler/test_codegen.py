"""Kernels of custom rules: how many modules there are, and how many are kept."""

import gc
import weakref
from types import ModuleType

import pytest

pytest.importorskip("numba")

from engine import Value
from engine.compiler import codegen, tape
from engine.custom import CUSTOM_RULES
from engine.functions import FUNCTIONS, unary
from engine.rules import Unary


@pytest.fixture
def modules(monkeypatch):
    """Return weak references to the modules that are loaded, which are empty here."""
    references = []

    def load(text, dependencies, entries):
        module = ModuleType("kernels")
        references.append(weakref.ref(module))
        return module

    def forget():
        codegen.kernels.cache_clear()
        codegen._load.cache_clear()

    forget()
    monkeypatch.setattr(codegen, "load_cached_module", load)
    yield references
    forget()


@pytest.fixture
def rules():
    """Return two custom rules, which are no longer custom after the test."""
    CUSTOM_RULES.update({"double", "triple"})
    yield Unary("double", "2.0*a", ("2",), scope={}), Unary("triple", "3.0*a", ("3",), scope={})
    for symbol in ("double", "triple"):
        CUSTOM_RULES.remove(symbol)
        FUNCTIONS.pop(symbol, None)


def test_a_rule_that_is_redefined_again_and_again_keeps_few_modules(modules):
    for k in range(30):
        codegen.kernels((Unary("scale", f"{k}.0*a", (f"{k}",)),))
    gc.collect()
    assert len(modules) == 30
    assert sum(module() is not None for module in modules) <= 8


def test_a_rule_that_is_defined_again_alike_needs_no_other_module(modules):
    first, second = (codegen.kernels((Unary("double", "2.0*a", ("2",)),)) for _ in range(2))
    assert first is second


def test_the_order_of_rules_in_a_graph_needs_no_other_module(rules):
    double, triple = map(unary, rules)
    x = Value(1.0)
    assert {tape.linearize([y], [x]).custom for y in (double(triple(x)), triple(double(x)))} == {rules}


def test_other_rules_need_no_other_module(modules, rules):
    double, _ = rules
    before = codegen.module_text((double,))
    CUSTOM_RULES.add("unrelated")
    try:
        assert codegen.module_text((double,)) == before
    finally:
        CUSTOM_RULES.remove("unrelated")
