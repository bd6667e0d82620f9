"""Every public name has an example, which runs as a test of its docstring."""

import pytest

import engine
import nn
import viz

# What the examples of other functions return, raise or read
SHOWN_BY = {
    "Contribution": "Step", "ForwardStep": "ForwardMode", "FrozenBranchWarning": "Value", "Step": "Backprop",
    "GradientError": "check_gradients", "Tree": "text", "UncertaintyBudget": "uncertainty", "load": "save",
}  # fmt: skip


@pytest.mark.parametrize("package", [engine, nn, viz], ids=lambda package: package.__name__)
def test_every_public_name_has_an_example(package):
    without = {
        name for name in package.__all__ if callable(x := getattr(package, name)) and ">>>" not in (x.__doc__ or "")
    }
    assert without <= SHOWN_BY.keys()
    for name in without:
        assert ">>>" in (getattr(package, SHOWN_BY[name]).__doc__ or "") or SHOWN_BY[name] in SHOWN_BY
