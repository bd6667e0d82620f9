"""Random graphs over the whole table, with sharing, depth and repeated operands, by every way to go through them.

What they are compared with shares no code with the engine: the definitions at 50 digits, differentiated numerically.
That compiled graphs compute the same is in compiler/test_program.py.
"""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath import mp

import engine
from engine import RULES, Backprop, Value, topological_order
from tests.accuracy import DEFINITIONS, KINKED, apply

EDGES = {"**": 0.0, "log": 0.0, "sqrt": 0.0, "log1p": -1.0}  # where their domains end
numbers_of_examples = pytest.mark.parametrize("examples", [100, pytest.param(1000, marks=pytest.mark.exhaustive)])
ENDS = 4  # nodes that lead to the root
near = st.integers(0, 7)
numbers = st.floats(-3, 3).map(lambda x: round(x, 3))
leaves = st.lists(numbers, min_size=1, max_size=4)
# Operations, each with the nodes that it takes, counted from the last.
programs = st.lists(st.tuples(st.sampled_from([*RULES]), near, near, near), min_size=10, max_size=40)


def operands_of(rule, nodes, i, j, k):
    a, b, c = (nodes[-1 - i % len(nodes)], nodes[-1 - j % len(nodes)], nodes[-1 - k % len(nodes)])
    if rule.finalize:
        return [[a, b, a, c], [b, c, c, 0.5]][: rule.arity]
    return [a, b][: rule.arity]


def record(at, program):
    """The leaves, the sum of the last nodes, and the operations that had a value, no kink or edge of a domain near."""
    start = [Value(x, f"x{i}") for i, x in enumerate(at)]
    nodes, done = [*start], []
    for symbol, *choice in program:
        rule = RULES[symbol]
        operands = operands_of(rule, nodes, *choice)
        if symbol in KINKED:
            numbers = [0.0 if len(operands) == 1 else operands[1].data, operands[0].data]
            if abs(numbers[0] - numbers[1]) < 1e-3:
                continue
        if symbol in EDGES and operands[0].data < EDGES[symbol] + 1e-2:
            continue
        try:
            node = apply(rule, operands)
        except ArithmeticError:
            continue
        if abs(node.data) < 100:
            nodes.append(node)
            done.append((symbol, *choice))
    return start, engine.sum(nodes[-ENDS:]), done


def at_fifty_digits(at, done):
    nodes = [*at]
    for symbol, *choice in done:
        nodes.append(DEFINITIONS[symbol](*operands_of(RULES[symbol], nodes, *choice)))
    return mp.fsum(nodes[-ENDS:])


def derivative(at, done, *orders):
    with mp.workdps(50):
        return mp.diff(lambda *x: at_fifty_digits(x, done), tuple(map(mp.mpf, at)), orders)


def order(n, *by):
    return tuple(by.count(i) for i in range(n))


def close(got, exact):
    return got == pytest.approx(float(exact), rel=1e-8, abs=1e-8)


@numbers_of_examples
@pytest.mark.filterwarnings("ignore:the output does not depend on")
def test_gradients_and_second_derivatives(examples, tried):
    @settings(max_examples=examples)
    @given(leaves, programs)
    def check(at, program):
        start, root, done = record(at, program)
        # Near 0 a quotient's second derivative overflows on the way, which is an error, and 50 digits of a + b lose b.
        assume(all(abs(node.data) > 1e-40 for node in topological_order(root) if node.data))
        with mp.workdps(50):
            assert close(root.data, at_fifty_digits([*map(mp.mpf, at)], done))
        n = len(at)
        exact = [derivative(at, done, *order(n, i)) for i in range(n)]
        assume(max(map(abs, exact)) < 1e4)
        root.backward()
        for leaf, slope in zip(start, exact, strict=True):
            assert close(leaf.grad, slope)
        assert engine.grad(root, start) == pytest.approx([leaf.grad for leaf in start], rel=1e-12, abs=1e-12)
        second = [[derivative(at, done, *order(n, i, j)) for j in range(n)] for i in range(n)]
        assume(max(abs(x) for row in second for x in row) < 1e4)
        for row, exact_row in zip(engine.hessian(root, start), second, strict=True):
            assert all(map(close, row, exact_row))
        tried["random graphs: gradient and Hessian against 50 digits"] += 1

    check()


@numbers_of_examples
def test_forward_is_recording_anew(examples, tried):
    @settings(max_examples=examples)
    @given(leaves, programs, st.lists(numbers, min_size=4, max_size=4))
    def check(at, program, other):
        start, root, done = record(at, program)
        other = other[: len(at)]
        for leaf, x in zip(start, other, strict=True):
            leaf.data = x
        before = [node.data for node in topological_order(root)]
        try:
            root.forward()
        except ArithmeticError:
            assert [node.data for node in topological_order(root)] == before
            return
        tried["random graphs: forward after a change against recording again"] += 1
        fresh = [Value(x) for x in other]
        nodes = [*fresh]
        for symbol, *choice in done:
            try:
                nodes.append(apply(RULES[symbol], operands_of(RULES[symbol], nodes, *choice)))
            except ArithmeticError:  # in a node that does not lead to the last
                nodes.append(Value(0.0))
        again = engine.sum(nodes[-ENDS:])
        assert [x.data.hex() for x in topological_order(root)] == [x.data.hex() for x in topological_order(again)]
        for one in (root, again):
            try:
                one.backward()
            except ArithmeticError:
                one.zero_grad()
        assert [x.grad.hex() for x in topological_order(root)] == [x.grad.hex() for x in topological_order(again)]

    check()


moves = st.lists(st.sampled_from(["step", "back", "step", "until", "reset", "run"]), max_size=30)


@numbers_of_examples
def test_any_walk_ends_where_backward_does(examples, tried):
    @settings(max_examples=examples)
    @given(leaves, programs, moves, st.integers(0, 100))
    def check(at, program, moves, target):
        start, root, _ = record(at, program)
        start[0].grad = 0.125
        nodes = topological_order(root)
        straight = [[node.grad for node in nodes]]
        try:
            walk = Backprop(root)
            straight = [[node.grad for node in nodes]]
            for _ in walk:
                straight.append([node.grad for node in nodes])
        except ArithmeticError:
            return
        tried["random graphs: a walk to and fro against backward"] += 1
        for move in moves:
            match move:
                case "until":
                    walk.run(until=nodes[target % len(nodes)])
                case _:
                    getattr(walk, move)()
            assert [node.grad for node in nodes] == straight[walk.position]
        walk.reset()
        assert [node.grad for node in nodes] == straight[0]
        root.grad = 0.0 if root.parents else root.grad - 1.0
        root.backward()
        assert [node.grad for node in nodes] == straight[-1]

    check()
