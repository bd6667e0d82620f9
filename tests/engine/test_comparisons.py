"""Comparisons that decided a branch: a replay warns of them, with file and line, and of no others."""

import _thread
import copy
import gc
import operator
import re
import statistics
import sys
import threading
import time
import warnings
import weakref
from pathlib import Path

import pytest

import engine
import nn
from engine import FrozenBranchWarning, Value, no_grad
from engine import comparisons as module
from engine.comparisons import Comparisons

LINES = Path(__file__).read_text(encoding="utf-8").splitlines()


def positive_part(v):
    return v if v > 0 else 0.0 * v


def by_difference(a, b):
    d = a - b
    return a if d > 0 else b


def by_dropped_graph(x, w):
    for _ in range(50):
        x = x * 1.5 + w
    return w if x.tanh() >= 0.25 else -w


DECIDED = {
    "an input": lambda x, w: w * positive_part(x),
    "a node of an input": lambda x, w: positive_part(w * x),
    "a difference that is dropped": lambda x, w: by_difference(x, w) * w * x,
    "max": lambda x, w: max(w * x, w + x) * x,
    "min": lambda x, w: min(x, x * 1.0, 2 * w) * x,
    "sorted": lambda x, w: sorted([w * x, -x, x * x])[1] + 0 * x,
    "sorted by a key": lambda x, w: sorted([w * x, -x], key=lambda v: v * v)[0] + x,
    "a graph that is dropped": lambda x, w: by_dropped_graph(x, w) * x,
    "a parameter": lambda x, w: positive_part(w) * x,
    "a parameter and numbers": lambda x, w: (w if 2 * w - 1 > 0 else -w) * x,
    "while": lambda x, w: repeated(x, w),
    "a network": lambda x, w: x if nn.MLP(1, [30, 30, 1], seed=1)(x) > w else w * x,
}


def repeated(x, w):
    while x < 10:
        x = x * 2 + w * w
    return x * w


def leaves():
    return Value(1.5, "x"), Value(0.5, "w")


@pytest.fixture
def program():
    pytest.importorskip("llvmlite")
    return engine.compile


@pytest.mark.parametrize("kind", DECIDED)
def test_compile_warns(kind, program):
    x, w = leaves()
    y = DECIDED[kind](x, w) + 0 * x
    with pytest.warns(FrozenBranchWarning, match=r"engine\.maximum") as caught:
        program(y, x)
    assert all(warning.filename == __file__ for warning in caught)
    assert all(f"{__file__}, line {warning.lineno}:" in str(warning.message) for warning in caught)
    assert all(re.search("<|>|max|min|sorted", LINES[warning.lineno - 1]) for warning in caught)


CHOSEN = {
    "max": lambda x, w: max(w * x, 3 * x),
    "min of a node and a leaf": lambda x, w: min(w * x, x),
    "sorted": lambda x, w: sorted([w * x, -x])[0],
    "the second branch": lambda x, w: by_comparison(w * x, w + x),
}


def by_comparison(a, b):
    return a if a > b else b


@pytest.mark.parametrize("kind", CHOSEN)
def test_a_comparison_may_have_chosen_the_output(kind, program):
    x, w = leaves()
    y = CHOSEN[kind](x, w)
    with pytest.warns(FrozenBranchWarning, match=r"engine\.maximum"):
        program(y, x)


def test_the_line_is_that_of_the_user_who_called_a_library(program):
    x, w = leaves()
    y = statistics.median([x, w * x, x * x]) + x
    with pytest.warns(FrozenBranchWarning) as caught:
        program(y, x)
    assert ["statistics.median" in LINES[warning.lineno - 1] for warning in caught] == [True]


def test_copies_are_replayed_with_a_warning(program):
    x, w = leaves()
    y, x, w = copy.deepcopy([w * positive_part(x), x, w])
    with pytest.warns(FrozenBranchWarning):
        program(y, x)


def test_a_compiled_function_warns_once(program):
    x, w = leaves()
    y = (w * positive_part(x)).log()
    with pytest.warns(FrozenBranchWarning):
        f = program(y, x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ArithmeticError, match="row 1"):
            f([1.0, -1.0])


def test_a_comparison_that_no_function_of_python_makes(monkeypatch):
    x, w = leaves()
    errors = []
    monkeypatch.setattr(sys, "unraisablehook", errors.append)
    _thread.start_new_thread(operator.lt, (x, w))
    time.sleep(0.2)
    assert errors == []


def test_forward_warns_once():
    x, w = leaves()
    y = w * positive_part(x)
    x.data = -2.0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            y.forward()
    (warning,) = caught
    assert (warning.category, warning.filename) == (FrozenBranchWarning, __file__)
    assert "record the graph again" in str(warning.message)


class TestSilence:
    """No warning where nothing was decided."""

    @pytest.fixture(autouse=True)
    def errors(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield

    def test_comparisons_of_other_values(self, program):
        x, w = leaves()
        other = Value(3.0)
        assert positive_part(other) is other
        y = x * w if Value(1.0).detach() > 0 and other * 2 > 1 and other.detach() < 5 else x
        program(y, x)
        y.forward()

    def test_comparisons_of_data(self, program):
        x, w = leaves()
        program(x * w if x.data > 0 and (x * w).data > w.data else w + x, x)

    def test_comparisons_of_results(self, program):
        x, w = leaves()
        y = x * w
        assert y > 0
        assert y < Value(9.0).detach()
        program(y, x)

    def test_comparisons_after_compile(self, program):
        x, w = leaves()
        y = x * w
        program(y, x)
        assert x > 0
        assert w > 0
        program(y, x)
        x.data = 2.0
        y.forward()

    def test_outputs_of_a_network_for_numbers(self, program):
        net = nn.MLP(2, [3, 1], seed=1)
        assert sum(net(x) > 0 for x in ([0.0, 1.0], [1.0, 1.0])) <= 2
        inputs = [Value(0.0), Value(0.0)]
        y = net(inputs)
        program(y, inputs)
        net.parameters()[0].data = 2.0
        y.forward()

    def test_inside_no_grad(self, program):
        x, w = leaves()
        with no_grad():
            assert x > 0
            assert x * w < 5
        program(w * x, x)

    def test_derivative_graphs_of_operations_without_kinks(self, program):
        x, w = leaves()
        program(engine.grad((x * w).tanh() * x.sigmoid() * (x * x) ** w, x, create_graph=True), x)

    @pytest.mark.parametrize("compiled", [False, True])
    def test_training_after_comparisons(self, compiled):
        pytest.importorskip("llvmlite")
        net = nn.Perceptron(1, "linear", seed=1)
        assert sorted(net.parameters())
        loss = lambda y, r: (y - r) ** 2  # noqa: E731
        nn.train(net, loss, [(1.0, 2.0)], epochs=2, compiled=compiled, accuracy=lambda y, r: y > r)
        assert net(1.0) < 100
        nn.train(net, loss, [(1.0, 2.0)], epochs=2, compiled=compiled, callback=lambda h: max(net.parameters()))

    def test_a_picture_of_a_compiled_network(self):
        pytest.importorskip("llvmlite")
        plots = pytest.importorskip("viz.plots")
        net = nn.Perceptron(2, "linear", seed=1)
        assert max(net.parameters()) < 100
        plots.plot_decision_boundary(net, [((0, 1), 1), ((0, -1), -1)], compile=True)


class TestTraining:
    def model(self, calls):
        w = Value(0.5, "w")

        def huber(y, r):
            calls.append(r)
            error = y - r
            return error * error if abs(error) < 1 else 2 * abs(error) - 1

        return w, lambda x: w * x, huber

    def test_warns_where_it_replays(self):
        pytest.importorskip("llvmlite")
        calls = []
        w, model, huber = self.model(calls)
        with pytest.warns(FrozenBranchWarning, match="compiled=False") as caught:
            nn.train(model, huber, [(1.0, 3.0), (2.0, 1.0)], optimizer=nn.SGD([w]), epochs=2, compiled=True)
        assert [warning.filename for warning in caught] == [__file__]
        assert "if abs(error) < 1" in LINES[caught[0].lineno - 1]
        assert len(calls) == 4, "each twice"

    def test_every_training_warns_but_not_every_recording_of_one(self):
        pytest.importorskip("llvmlite")
        w, model, huber = self.model([])
        data = [([1.0], 3.0), ([2.0], 1.0)]

        def change(history):
            data[0][0][0] += 0.5

        for _ in range(2):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("default")
                nn.train(
                    lambda x: model(x[0]), huber, data, optimizer=nn.SGD([w]), epochs=20, compiled=True,
                    callback=change, until=lambda h: False,
                )  # fmt: skip
            assert 1 <= len(caught) <= 2

    def test_on_values_there_is_nothing_to_say(self):
        w, model, huber = self.model([])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            nn.train(model, huber, [(1.0, 3.0)], optimizer=nn.SGD([w]), epochs=2)

    def test_examples_take_the_branches_of_their_numbers(self):
        """The first and the last take the same; without a look at comparisons the one between would, too."""
        pytest.importorskip("llvmlite")
        results = []
        for compiled in (False, True):
            w = Value(0.5, "w")
            data = [(Value(x), Value(1.0)) for x in (1.0, -2.0, 3.0)]
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                history = nn.train(
                    lambda x: w * positive_part(x) + x,  # noqa: B023
                    nn.mse, data, optimizer=nn.SGD([w]), epochs=3, seed=1, compiled=compiled,
                )  # fmt: skip
            results.append([*history.loss, w.data])
        assert results[1] == pytest.approx(results[0], rel=1e-13)


class TestMemory:
    def test_compared_graphs_are_freed(self):
        x = Value(1.0)
        nodes = [x * i for i in range(2, 12)]
        assert all(v >= 0 for v in nodes)
        alive = [weakref.ref(v) for v in nodes]
        gc.disable()
        try:
            del nodes
            assert [r() for r in alive] == [None] * 10
        finally:
            gc.enable()

    def test_it_is_bounded(self):
        memory, x = Comparisons(), Value(1.0)
        for _ in range(20_000):
            memory.note([x * 2], caller=0)
        assert sum(len(here.seen) for here in memory._places.values()) < 5000
        for line in range(1000):
            exec(compile("\n" * line + "memory.note([x * 2], caller=1)", "many", "exec"))
        assert len(memory._places) <= module.PLACES
        assert sum(len(here.seen) for here in memory._places.values()) < 5000
        assert all(len(here.complete) <= module.PER_PLACE for here in memory._places.values())

    def test_a_comparison_looks_at_few_nodes(self):
        memory, x = Comparisons(), Value(1.0)
        y = engine.sum([x * i for i in range(5000)])
        memory.note([y], caller=0)
        assert sum(len(here.seen) for here in memory._places.values()) <= module.MAX_NODES

    def test_a_loop_looks_at_every_node_once(self, monkeypatch):
        memory, y = Comparisons(), Value(1.0)
        monkeypatch.setattr(module, "MAX_NODES", 10**9)
        looked = []
        monkeypatch.setattr(module, "ref", lambda node: looked.append(node) or weakref.ref(node))
        for _ in range(1000):
            y = y + y
            memory.note([y], caller=0)
        assert len(looked) < 5000

    def test_threads_note_in_one_memory(self, program):
        x, w = leaves()
        results = []

        def compare():
            for _ in range(300):
                positive_part(Value(1.0) * 2)
            results.append(positive_part(w * x))

        threads = [threading.Thread(target=compare) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 8
        for y in results:
            with pytest.warns(FrozenBranchWarning):
                program(y + w, x)
