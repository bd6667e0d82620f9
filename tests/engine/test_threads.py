"""Graphs in threads, which run at the same time in a Python without the global interpreter lock."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import engine
from engine import Value

THREADS, GRAPHS = 4, 50


def gradients(thread):
    """Values and derivatives of graphs that one thread records."""
    results = []
    for i in range(GRAPHS):
        a, b, c = (Value(0.1 * (k + 1) + 0.01 * thread - 0.003 * i) for k in range(3))
        L = engine.dot([a * b, (a + c).tanh(), b.exp()], [c, a, b])
        L.backward()
        walk = engine.Backprop(c * L).run()
        results.append([L.data, a.grad, b.grad, c.grad, walk.position, engine.hessian(L, [a, b, c])])
    return results


def test_threads_that_record_and_differentiate_do_not_disturb_one_another():
    alone = [gradients(thread) for thread in range(THREADS)]
    start = Barrier(THREADS, timeout=10)

    def at_once(thread):
        start.wait()
        return gradients(thread)

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(at_once, range(THREADS))) == alone


def test_threads_may_read_the_same_leaves():
    w = Value(0.5, "w")

    def slope(x):
        return engine.grad((w * x).tanh(), w)

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(slope, range(200))) == [slope(x) for x in range(200)]


def test_no_grad_holds_for_its_thread_only():
    step, a = Barrier(2, timeout=10), Value(2.0)

    def without_recording():
        with engine.no_grad():
            step.wait()
            product = a * a
            step.wait()
        return product.parents

    def recorded():
        step.wait()
        product = a * a
        step.wait()
        return product.parents

    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(without_recording), pool.submit(recorded)]
        assert [result.result() for result in results] == [(), (a, a)]
