"""Graphs of a million nodes, copies of them, what stays in memory, and threads."""

import copy
import gc
import io
import math
import multiprocessing
import pickle
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import joblib
import pytest

import engine
import nn
import viz
from engine import Backprop, Value, dot, no_grad, topological_order

N = 1_000_000
XOR = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "pickle in Python": lambda thing: pickle.loads(pickle._dumps(thing)),
    "pickle of old": lambda thing: pickle.loads(pickle.dumps(thing, 0)),
}


def large(kind, n=N):
    """A leaf and a graph of about `n` nodes above it, which is as deep or as wide as it can be."""
    x = y = Value(1.0, "x")
    match kind:
        case "chain":
            for _ in range(n // 2):
                y = y + 0.5
        case "ladder":  # of 2 ** (n / 3) paths
            for _ in range(n // 3):
                y = (y + y) * 0.5
        case "fan":
            y = engine.sum([x * 2 for _ in range(n // 2)])
        case "pairs":
            y = dot([x * 2 for _ in range(n // 4)], [x.tanh() for _ in range(n // 4)])
    return x, y


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class TestAMillionNodes:
    """Nothing recurses, and the limit of recursion is not raised either."""

    @pytest.mark.parametrize(
        ("kind", "slope"),
        [
            ("chain", 1.0),
            ("ladder", 1.0),
            ("fan", N),
            ("pairs", N / 2 * (1 + math.tanh(1) - math.tanh(1) ** 2)),  # n/4 terms 2x * tanh(x), at x = 1
        ],
    )
    def test_there_and_back_and_away(self, kind, slope, no_collector):
        limit = sys.getrecursionlimit()
        x, y = large(kind)
        y.backward()
        assert x.grad == pytest.approx(slope, rel=1e-9)
        before = y.data
        x.data = 1.5
        y.forward()
        assert y.data > before
        y.zero_grad()
        assert len(topological_order(y)) > 0.6 * N
        inner = weakref.ref(y.parents[0])
        del y
        assert inner() is None, "freed at once, without the collector"
        assert sys.getrecursionlimit() == limit

    @pytest.mark.exhaustive
    def test_step_by_step(self):
        x, y = large("chain")
        walk = Backprop(y).run(until=x)
        assert walk.position == len(walk) == N // 2
        assert x.grad == 1.0
        assert walk.reset().position == 0
        assert x.grad == 0.0
        y.label = "y"
        assert repr(walk).startswith("Backprop of y: 0 of 500000 steps done\nnext: y")

    def test_no_picture_is_that_large(self, tmp_path):
        _, y = large("chain")
        for show in (viz.draw, viz.text, lambda v: viz.page(v, tmp_path / "never.html")):
            with pytest.raises(ValueError, match=r"1,000,001 nodes"):
                show(y)
        assert not list(tmp_path.iterdir())

    @pytest.mark.exhaustive
    def test_copies(self, no_collector):
        x, y = large("chain")
        x.grad = 0.25
        for kind in ("deepcopy", "pickle"):
            twin = COPIES[kind](y)
            order = topological_order(twin)
            assert len(order) == N + 1
            assert not set(order) & set(topological_order(y))
            twin.backward()
            assert (order[0].label, order[0].grad, x.grad) == ("x", 1.25, 0.25)
            root = weakref.ref(twin)
            del twin, order
            assert root() is None


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
class TestCopies:
    def test_are_as_the_original_and_share_nothing_with_it(self, copied, no_collector):
        a, b = Value(2.0, "a"), Value(-0.0, "b")
        y = engine.logsumexp([a * 3 + a, a, b, dot([a, b], [b, 1 / 3])])
        y.backward()
        y.label = "\ud83c y\n"
        twin = copied(y)
        order, others = topological_order(twin), topological_order(y)
        assert [(repr(x), x.data.hex(), x.grad.hex()) for x in order] == [
            (repr(x), x.data.hex(), x.grad.hex()) for x in others
        ]
        place, other = ({node: i for i, node in enumerate(nodes)} for nodes in (order, others))
        assert [[place[x] for x in node.parents] for node in order] == [[other[x] for x in n.parents] for n in others]
        assert not set(order) & set(others)
        twin.backward()
        assert order[0].grad == 2 * a.grad
        del order, others, place, other
        watch = weakref.ref(twin)
        del twin
        assert watch() is None, "no reference cycle"

    @pytest.mark.parametrize("backwards", [False, True])
    def test_what_is_one_node_stays_one(self, copied, backwards):
        """However the nodes are listed, and however deep."""
        x, y = large("ladder", 3000)
        nodes = [x, *topological_order(y), y]
        nodes = copied(nodes[::-1])[::-1] if backwards else copied(nodes)
        assert nodes[0] is nodes[1]
        assert nodes[-1] is nodes[-2]
        assert topological_order(nodes[-1]) == nodes[1:-1]
        assert not set(nodes) & set(topological_order(y))

    def test_lists_of_operands_stay_shared(self, copied):
        xs = tuple(Value(float(i)) for i in range(50))
        layer = [dot([Value(0.1)] * 50, xs).tanh() for _ in range(50)]
        twins = copied(engine.sum(layer)).parents
        assert len({id(twin.parents[0]._b) for twin in twins}) == 1

    def test_of_a_walk(self, copied):
        a, b = Value(2.0, "a"), Value(0.5, "b")
        walk = Backprop((a * b + a).tanh())
        walk.step()
        twin = copied(walk)
        walk.run()
        twin.run()
        assert [str(step) for step in twin._done] == [str(step) for step in walk._done]
        grads = [[node.grad for node in topological_order(w.root)] for w in (walk, twin)]
        assert grads[0] == grads[1]
        twin.reset()
        assert a.grad != 0.0

    def test_of_a_model_and_its_loss(self, copied):
        model = nn.MLP(2, [3, 1], seed=1)
        loss = nn.mse(model([1.0, 2.0]), 3.0)
        model, loss = copied((model, loss))
        loss.backward()
        assert all(p in topological_order(loss) for p in model.parameters())
        assert any(p.grad for p in model.parameters())


def test_a_shallow_copy_has_the_same_operands():
    a, b = Value(2.0, "a"), Value(3.0, "b")
    for y, parents, data, slopes in (a * a, (a, a), 4.0, (4.0, 0.0)), (a * b, (a, b), 6.0, (3.0, 2.0)):
        y.grad, y.label = 0.5, "y"
        twin = copy.copy(y)
        assert twin is not y
        assert twin.parents == parents
        assert repr(twin) == repr(y) == f"Value(data={data}, grad=0.5, label='y', op='*')"
        assert (twin.data, twin.grad, twin.label, twin.op) == (data, 0.5, "y", "*")
        a.grad = b.grad = 0.0
        twin.backward()
        assert (a.grad, b.grad, y.grad) == (*slopes, 0.5)
    assert copy.copy(engine.sum([])).is_constant


def test_shared_lists_of_operands_are_written_once():
    """Neurons of a layer share their inputs, and examples its weights."""
    layer = nn.Layer(50, 50, seed=1)
    outputs = [y for x in (0.1, 0.2, 0.3, 0.4, 0.5) for y in layer([x] * 50)]
    assert len(pickle.dumps(engine.sum(outputs))) < 1.5 * len(pickle.dumps(layer.parameters()))


def test_one_pickler_after_another():
    """What one pickler remembers is no other's."""
    x, y = large("ladder", 30_000)
    first = pickle.Pickler(io.BytesIO())
    first.dump(y.parents[0])
    x.grad = 3.0
    twin = pickle.loads(pickle.dumps(y))
    assert len(topological_order(twin)) == len(topological_order(y))
    assert topological_order(twin)[0].grad == 3.0
    first.dump(y)


def double(value):
    return value * 2


def test_to_other_processes():
    _, y = large("chain", 10_000)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        (there,) = pool.map(double, [y])
    assert there.data == 2 * y.data
    assert len(topological_order(there)) == 10_003
    (there,) = joblib.Parallel(2)([joblib.delayed(double)(y)])
    assert there.data == 2 * y.data


class TestMemory:
    """Without the collector a thousand steps take no more memory than fifty, and leave nothing to collect."""

    def by_hand(self, model, optimizer, steps):
        for _ in range(steps):
            loss = nn.binary_cross_entropy([model(x) for x, _ in XOR], [r for _, r in XOR])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def step_by_step(self, model, optimizer, steps):
        for _ in range(steps):
            walk = Backprop(nn.binary_cross_entropy(model((0, 1)), 1)).run()
            walk.reset().run()
            optimizer.step()

    def read_aloud(self, model, optimizer, steps):
        for _ in range(max(steps // 2, 400)):  # Python's own caches have then what they keep
            walk = Backprop(model((0, 1)))
            str([str(step) for step in walk])
            with suppress(ArithmeticError):
                (walk.root * 0 - 1).log()

    def differentiated_twice(self, model, optimizer, steps):
        for _ in range(steps):
            loss = nn.binary_cross_entropy(model((0, 1)), 1)
            first = engine.grad(loss, model.parameters()[:2], create_graph=True)
            engine.grad(first[0], model.parameters()[:2])

    def copied(self, model, optimizer, steps):
        for _ in range(steps // 10):
            loss = copy.deepcopy(nn.binary_cross_entropy(model((0, 1)), 1))
            pickle.loads(pickle.dumps([loss, loss.parents[0]]))

    def trained(self, model, optimizer, steps, compiled=False):
        nn.train(
            model, nn.binary_cross_entropy, XOR, optimizer=optimizer, epochs=steps, until=lambda history: False,
            seed=1, progress=False, compiled=compiled,
        )  # fmt: skip

    def trained_compiled(self, model, optimizer, steps):
        self.trained(model, optimizer, steps, compiled=True)

    @pytest.mark.parametrize(
        "way",
        ["by_hand", "step_by_step", "read_aloud", "differentiated_twice", "copied", "trained", "trained_compiled"],
    )
    def test_does_not_grow(self, way, no_collector):
        model = nn.MLP(2, [4, 1], seed=1)
        optimizer = nn.Adam(model.parameters())
        getattr(self, way)(model, optimizer, 50)
        gc.collect()
        before = sys.getallocatedblocks()
        getattr(self, way)(model, optimizer, 1000)
        assert gc.collect() == 0
        assert sys.getallocatedblocks() - before < 500, "less than one object in two steps"

    def test_failed_calls_keep_nothing(self, no_collector):
        y = Value(-1.0) * 2
        watch = weakref.ref(y)
        with pytest.raises(ArithmeticError):
            y.log()
        del y
        assert watch() is None


class TestThreads:
    def at_once(self, work):
        """The results of eight threads that work at the same time, switched as often as can be."""
        interval, barrier = sys.getswitchinterval(), threading.Barrier(8)
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(8) as pool:
                return list(pool.map(lambda i: (barrier.wait(), work(i))[1], range(8)))
        finally:
            sys.setswitchinterval(interval)

    def test_graphs_of_their_own(self):
        def work(i):
            model = nn.MLP(2, [4, 1], seed=i)
            optimizer = nn.SGD(model.parameters(), 0.1)
            for _ in range(20):
                loss = nn.mse([model(x) for x in [(0, 1), (1, 0)]], [0.0, 1.0])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            twin = pickle.loads(pickle.dumps(loss))
            return [p.data for p in model.parameters()], [n.data for n in topological_order(twin)]

        assert self.at_once(work) == [work(i) for i in range(8)]

    def test_shared_leaves_without_recording(self):
        model = nn.MLP(3, [8, 1], seed=1)

        def work(i):
            with no_grad():
                return [model([i, j, -j]) for j in range(100)]

        together, alone = self.at_once(work), [work(i) for i in range(8)]
        assert [[y.data for y in ys] for ys in together] == [[y.data for y in ys] for ys in alone]
        assert all(y.is_constant for ys in together for y in ys)
        assert (Value(1.0) * 2).parents

    def test_some_record_and_some_do_not(self):
        w = Value(0.5, "w")

        def work(i):
            if i % 2:
                return engine.grad((w * i).tanh(), w)
            with no_grad():
                return (w * i).tanh().is_constant

        assert self.at_once(work) == [work(i) for i in range(8)]

    def test_pickling_one_graph(self):
        _, y = large("ladder", 3000)
        half = topological_order(y)[-1500]
        expected = [node.op for node in topological_order(y)]

        def work(i):
            below, twin = pickle.loads(pickle.dumps([half, y] if i % 2 else [y, half][::-1]))
            order = topological_order(twin)
            return below in order and [node.op for node in order] == expected

        assert all(self.at_once(work))
