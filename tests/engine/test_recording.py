"""no_grad, and the collector while a graph is recorded."""

import contextlib
import gc
import itertools

import pytest

import engine
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

    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
    @pytest.mark.parametrize("n_calls", [0, 1, 3])
    @pytest.mark.parametrize("compiled", [False, True])
    def test_goes_on_after_a_training_that_breaks_off(self, error, n_calls, compiled):
        if compiled:
            pytest.importorskip("llvmlite")
        w, calls = Value(1.0), itertools.count()

        def model(x):
            if next(calls) == n_calls:
                raise error
            return w * x

        with contextlib.suppress(error):
            nn.train(model, nn.mse, [(1.0, 2.0), (2.0, 3.0)], optimizer=nn.SGD([w]), epochs=3, compiled=compiled)
        assert next(calls) > n_calls
        assert gc.isenabled()

    @pytest.mark.parametrize("lasting", [False, True])
    def test_goes_on_after_an_error(self, lasting):
        with pytest.raises(ZeroDivisionError), recording(lasting=lasting):
            _ = 1 / 0
        assert gc.isenabled()

    def test_pauses_while_a_graph_is_compiled(self, monkeypatch):
        program = pytest.importorskip("engine.compiler.program")
        enabled = []
        linearize = program.linearize
        monkeypatch.setattr(program, "linearize", lambda *a, **k: enabled.append(gc.isenabled()) or linearize(*a, **k))
        x = Value(1.0)
        engine.compile(x * x, x)
        assert enabled == [False]
        assert gc.isenabled()

    def test_does_not_trace_a_lasting_graph_as_new(self):
        a = Value(1.0)
        for lasting in (False, True):
            gc.collect()
            with recording(lasting=lasting):
                graph = [a + 1.0 for _ in range(1000)]
            gc.disable()
            new = {id(thing) for generation in (0, 1) for thing in gc.get_objects(generation)}
            assert any(id(node) in new for node in graph) is not lasting
            gc.enable()

    def test_keeps_what_the_user_has_frozen(self):
        gc.freeze()
        try:
            with recording(lasting=True):
                pass
            assert gc.get_freeze_count()
        finally:
            gc.unfreeze()

    def test_stays_off_where_it_was_off(self):
        gc.disable()
        with recording(), recording():
            pass
        assert not gc.isenabled()
