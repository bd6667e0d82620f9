"""Every public name is there, and a name of another library gives an error with ours."""

import importlib
import re

import pytest

import engine
import nn
import viz
from engine.foreign import PACKAGE_NAMES as ENGINE_NAMES
from engine.foreign import RULE_PARTIALS
from nn.foreign import PACKAGE_NAMES as NN_NAMES
from viz import OTHER_NAMES as VIZ_NAMES

PACKAGES = {"engine": engine, "nn": nn, "viz": viz}
REPLACEMENTS = [
    (package, name)
    for package, names in {"engine": ENGINE_NAMES, "nn": NN_NAMES, "viz": VIZ_NAMES}.items()
    for name in names
    if not hasattr(PACKAGES[package], name)
]


@pytest.mark.parametrize("package", [engine, nn, viz])
def test_all_that_is_public_is_there(package):
    names = {}
    exec(f"from {package.__name__} import *", names)
    assert set(package.__all__) <= names.keys()


@pytest.mark.parametrize(
    ("line", "ours"),
    [
        ("from viz import draw_dot", r"viz\.draw\(L\)"),
        ("from viz import Value", r"engine\.Value"),
        ("from viz import polt_loss", r"viz\.plot_loss"),
        ("from nn import Neuron", r"nn\.Perceptron"),
        ("from nn import Value, MLP", r"engine\.Value"),
        ("from nn import relu", r"engine\.relu"),
        ("from engine import nn", "`import nn`"),
        ("from engine import Tensor", r"engine\.Value"),
        ("from engine import MLP", r"nn\.MLP"),
        ("from engine import no_gard", r"engine\.no_grad"),
    ],
)
def test_an_import_of_another_name_says_ours(line, ours):
    with pytest.raises(ImportError, match=f"^cannot import name '.*' from '{line.split()[1]}': use .*{ours}"):
        exec(line)


@pytest.mark.parametrize(("package", "name"), REPLACEMENTS)
def test_the_names_that_an_error_advises_exist(package, name):
    assert not hasattr(PACKAGES[package], name)
    with pytest.raises(AttributeError, match=f"^module '{package}' has no attribute '{name}': use ") as error:
        getattr(PACKAGES[package], name)
    for module, ours in re.findall(r"\b(engine|nn|viz)\.(\w+)", str(error.value)):
        assert hasattr(importlib.import_module(module), ours) or importlib.util.find_spec(f"{module}.{ours}")


@pytest.mark.parametrize("name", RULE_PARTIALS)
def test_the_rule_that_an_error_advises_is_right(name):
    with pytest.raises(AttributeError) as error:
        getattr(engine, name)
    rules = engine.RULES.copy()
    try:
        function = eval(str(error.value).split("use ")[1], {"engine": engine})
        assert engine.check_gradients(function, [0.3], order=2).error < 1e-9
    finally:
        delattr(engine.Value, name)
        engine.RULES.clear()
        engine.RULES.update(rules)
        engine.functions.FUNCTIONS.pop(name)
        engine.custom.CUSTOM_RULES.discard(name)


@pytest.mark.parametrize("package", PACKAGES)
def test_other_names_are_unknown_as_usual(package):
    with pytest.raises(ImportError, match=rf"^cannot import name 'xyz' from '{package}'$"):
        exec(f"from {package} import xyz")
    assert not hasattr(PACKAGES[package], "xyz")
