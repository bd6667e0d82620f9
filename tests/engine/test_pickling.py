"""Copies of graphs."""

import copy
import pickle

import engine
from engine import Value


class TestCopies:
    def test_what_is_copied_together_stays_together(self):
        a = Value(2.0, "a")
        b = a * 3
        for a_too, b_too, c in (copy.deepcopy([a, b, b + a]), [*copy.deepcopy([b, a, b + a])[1::-1], None]):
            assert b_too.parents[0] is a_too
            assert c is None or c.parents == (b_too, a_too)

    def test_of_operations_on_lists(self):
        a, b = Value(2.0, "a"), Value(3.0, "b")
        twin = pickle.loads(pickle.dumps(engine.dot([a, b], [b, b])))
        twin.backward()
        a_too, b_too = twin.parents[:2]
        assert (twin.data, a_too.grad, b_too.grad, a.grad) == (15.0, 3.0, 8.0, 0.0)

    def test_of_a_deep_graph(self):
        y = Value(1.0)
        for _ in range(5000):
            y = -y
        twin = copy.deepcopy(y)
        twin.backward()
        assert len(engine.topological_order(twin)) == 5001
        assert y.parents[0].grad == 0.0
