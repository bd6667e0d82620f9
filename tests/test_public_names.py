"""Every public name is there."""

import pytest

import engine
import nn


@pytest.mark.parametrize("package", [engine, nn])
def test_all_that_is_public_is_there(package):
    names = {}
    exec(f"from {package.__name__} import *", names)
    assert set(package.__all__) <= names.keys()
