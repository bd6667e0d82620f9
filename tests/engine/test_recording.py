"""no_grad."""

import pytest

from engine import Value, no_grad


class TestNoGrad:
    def test_ends_as_it_began(self):
        with no_grad():
            with no_grad():
                pass
            assert (Value(1.0) + 1).is_constant
        assert not (Value(1.0) + 1).is_constant


async def coroutine():
    pass


def generator():
    yield


async def async_generator():
    yield


@pytest.mark.parametrize("function", [coroutine, generator, async_generator])
def test_does_not_decorate_what_runs_later(function):
    with pytest.raises(TypeError, match=f"got {function.__name__}, .*with no_grad"):
        no_grad()(function)


def test_decorates_a_recursive_function():
    @no_grad()
    def power(x, n):
        return x * power(x, n - 1) if n else Value(1.0)

    x = Value(2.0)
    assert power(x, 3).is_constant
    assert not (x * x).is_constant
    assert power.__name__ == "power"
