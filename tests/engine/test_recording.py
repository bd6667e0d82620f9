"""no_grad, and the collector while a graph is recorded."""

import gc

import pytest

import nn
from engine import Value, no_grad
from engine.recording import recording


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


class TestTheCollector:
    @pytest.fixture(autouse=True)
    def restored(self):
        yield
        gc.enable()

    def test_pauses_while_a_training_records(self):
        paused = []

        def model(x):
            paused.append(not gc.isenabled())
            return w * x

        w = Value(1.0)
        for compiled in (False, True):
            if compiled:
                pytest.importorskip("llvmlite")
            nn.train(model, nn.mse, [(1.0, 2.0), (2.0, 3.0)], optimizer=nn.SGD([w]), epochs=2, compiled=compiled)
            assert gc.isenabled(), "after it"
        assert all(paused)
        assert len(paused) >= 6

    def test_goes_on_after_an_error(self):
        with pytest.raises(ZeroDivisionError), recording():
            _ = 1 / 0
        assert gc.isenabled()

    def test_stays_off_where_it_was_off(self):
        gc.disable()
        with recording(), recording():
            pass
        assert not gc.isenabled()
