"""Backprop: the backward pass, step by step."""

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import engine
from engine import Backprop, Value, dot, no_grad, topological_order


def example():
    a, b, c, f = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c"), Value(-2.0, "f")
    e = a * b
    d = e + c
    root = d * f + a
    root.label = "L"
    return root, {"a": a, "b": b, "c": c, "d": d, "e": e, "f": f}


def gradients(root):
    return [node.grad for node in topological_order(root)]


def random_graph(seed):
    rng = random.Random(seed)
    nodes = [Value(rng.uniform(-1, 1), label) for label in ("a", "b", "c", "")]
    nodes[0].grad = 0.125
    for _ in range(rng.randrange(1, 15)):
        a, b, c = (rng.choice(nodes) for _ in range(3))
        make = rng.choice(
            [
                lambda a, b, c: a + b,
                lambda a, b, c: a * b * 2,
                lambda a, b, c: (a - b).tanh(),
                lambda a, b, c: engine.sum([a, b, a, 1.5]),
                lambda a, b, c: dot([a, b, c], [c, a, a]),
                lambda a, b, c: engine.logsumexp([a, b, c]),
                lambda a, b, c: engine.maximum(a, b) ** 2,
            ]
        )
        nodes.append(make(a, b, c))
    return nodes[-1]


@given(st.integers(0, 10**9))
def test_all_steps_give_exactly_the_gradients_of_backward(seed):
    by_steps, at_once = random_graph(seed), random_graph(seed)
    for _ in Backprop(by_steps):
        pass
    at_once.backward()
    assert gradients(by_steps) == gradients(at_once)


@given(st.integers(0, 10**9), st.lists(st.booleans(), max_size=60))
def test_any_walk_back_and_forth_ends_where_it_should(seed, moves):
    root, straight = random_graph(seed), random_graph(seed)
    walk, other = Backprop(root), Backprop(straight)
    for forwards in moves:
        walk.step() if forwards else walk.back()
    while other.position < walk.position:
        other.step()
    assert gradients(root) == gradients(straight)
    walk.reset()
    other.reset()
    assert gradients(root) == gradients(straight)
    assert walk.run().position == len(walk)
    other.run()
    assert gradients(root) == gradients(straight)


def test_a_step_in_numbers():
    root, node = example()
    walk = Backprop(root)
    assert (walk.position, len(walk), walk.upcoming, walk.last) == (0, 4, root, None)
    walk.run(until=node["d"])
    assert walk.upcoming is node["d"]
    step = walk.step()
    assert step is walk.last
    assert (step.node, step.upstream) == (node["d"], -2.0)
    e, c = step.contributions
    assert (e.parent, e.local, e.amount, e.before, e.total, e.symbols) == (node["e"], 1.0, -2.0, 0.0, -2.0, "1")
    assert (c.parent, c.total) == (node["c"], -2.0)


def test_a_step_that_was_done_does_not_change():
    step = Backprop(Value(2.0, "x") * 3).step()
    with pytest.raises(AttributeError):
        step.upstream = 0.0
    with pytest.raises(AttributeError):
        step.contributions[0].amount = 0.0


def test_a_step_read_aloud():
    root, _ = example()
    assert [str(step) for step in Backprop(root)] == [
        "L = (a*b + c)*f + a passes back dL/dL = 1.0\n"
        "  dL/d((a*b + c)*f) += dL/dL * 1 = 1.0 * 1.0 = 1.0\n"
        "  dL/da += dL/dL * 1 = 1.0 * 1.0 = 1.0",
        "(a*b + c)*f passes back dL/d((a*b + c)*f) = 1.0\n"
        "  dL/d(a*b + c) += dL/d((a*b + c)*f) * f = 1.0 * -2.0 = -2.0\n"
        "  dL/df += dL/d((a*b + c)*f) * (a*b + c) = 1.0 * 4.0 = 4.0",
        "a*b + c passes back dL/d(a*b + c) = -2.0\n"
        "  dL/d(a*b) += dL/d(a*b + c) * 1 = -2.0 * 1.0 = -2.0\n"
        "  dL/dc += dL/d(a*b + c) * 1 = -2.0 * 1.0 = -2.0",
        "a*b passes back dL/d(a*b) = -2.0\n"
        "  dL/da += dL/d(a*b) * b = -2.0 * -3.0 = 6.0\n"
        "    accumulated: dL/da = 1.0 + 6.0 = 7.0\n"
        "  dL/db += dL/d(a*b) * a = -2.0 * 2.0 = -4.0",
    ]


@pytest.mark.parametrize(
    ("make", "chain"),
    [
        (lambda x, y: x * y, "do/do * y ="),
        (lambda x, y: x / y, "do/do * (1/y) ="),
        (lambda x, y: y / x, "do/do * (-y/x**2) ="),
        (lambda x, y: x**3, "do/do * (3*x**2) ="),
        (lambda x, y: (y + 1) ** x, "do/do * ((y + 1)**x*log(y + 1)) ="),
        (lambda x, y: -x, "do/do * (-1) ="),
        (lambda x, y: x.tanh(), "do/do * (1 - o**2) ="),
        (lambda x, y: x.sigmoid(), "do/do * (o*(1 - o)) ="),
        (lambda x, y: x.exp(), "do/do * o ="),
        (lambda x, y: x.log(), "do/do * (1/x) ="),
        (lambda x, y: x.sin(), "do/do * cos(x) ="),
        (lambda x, y: x.relu(), "do/do * (1 if x > 0 else 0) ="),
        (lambda x, y: engine.sum([y, x]), "do/do * 1 ="),
        (lambda x, y: dot([y, 2], [2, x]), "do/do * 2 ="),
        (lambda x, y: engine.logsumexp([x, y]), "do/do * exp(x - o) ="),
    ],
)
def test_local_derivatives_in_symbols(make, chain):
    x, y = Value(0.5, "x"), Value(2.0, "y")
    o = make(x, y)
    o.label = "o"
    assert f"do/dx += {chain}" in str(Backprop(o).step())


def test_names():
    """Labels where given, expressions where short, v1, v2, ... where long; one name is one node."""
    a, b, unlabelled = Value(1.0, "a"), Value(2.0, "b"), Value(3.0)
    taken = Value(1.0, "v2")
    long = ((a + b) * (a - b)).tanh() * taken
    twice = long + a * b + a * b + unlabelled
    names = [str(step).split(" = ")[0].split(" passes")[0] for step in Backprop(twice)]
    assert names == [
        "v5", "v1*v2 + a*b + v3", "v3", "v1*v2 + a*b", "a*b", "v1*v2", "v1", "(a + b)*(a - b)", "a - b", "a + b",
    ]  # fmt: skip
    assert "dv5/dv4 += dv5/dv5 * 1" in str(Backprop(twice).step())


def test_accumulation_starts_from_what_leaves_had():
    a = Value(2.0, "a")
    a.grad = 5.0
    walk = Backprop(a * 3)
    assert "accumulated: d(a*3)/da = 5.0 + 3.0 = 8.0" in str(walk.step())
    walk.reset()
    assert a.grad == 5.0
    Backprop(a)
    assert a.grad == 6.0


def test_run_until_the_gradient_of_a_leaf_is_complete():
    root, node = example()
    walk = Backprop(root).run(until=node["f"])
    assert node["f"].grad == 4.0
    assert walk.position == 2
    assert walk.run(until=node["a"]).position == 4
    assert walk.run(until=root).position == 4
    assert walk.reset().run(until=root).position == 0
    with pytest.raises(ValueError, match="until must be a node of this graph"):
        walk.run(until=Value(1.0))
    with pytest.raises(TypeError, match="until must be a node of this graph, got int 2"):
        walk.run(2)


def test_the_ends():
    root, _ = example()
    walk = Backprop(root)
    assert walk.back() is None
    assert len(list(walk)) == 4
    assert walk.step() is None
    assert walk.upcoming is None
    assert Backprop(Value(1.0)).step() is None


def test_at_the_prompt():
    root, _ = example()
    walk = Backprop(root)
    assert repr(walk) == "Backprop of L: 0 of 4 steps done\nnext: L = (a*b + c)*f + a passes back dL/dL = 1.0"
    walk.run()
    assert repr(walk) == "Backprop of L: 4 of 4 steps done, every gradient is complete"
    console = Console(width=80, force_terminal=True, record=True)
    console.print(walk.last)
    assert console.export_text(styles=True) != str(walk.last) + "\n"
    assert "\x1b[" not in repr(walk.last)


def test_labels_are_data():
    x = Value(1.0, "[red]x[/red]\x1b[31m\n")
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(Backprop(x * 2).step())
    text = console.export_text()
    assert "[red]x[/red]\\x1b[31m\\n" in text


def test_refuses_what_backward_refuses():
    with no_grad():
        constant = Value(1.0) * 2
    with pytest.raises(RuntimeError, match="constant"):
        Backprop(constant)
    with pytest.raises(TypeError, match="got float"):
        Backprop(3.0)
    x = Value(0.0, "x")
    y = x.sqrt() * 2
    walk = Backprop(y)
    walk.step()
    with pytest.raises(ArithmeticError, match=r"derivative of sqrt\(x\)"):
        walk.step()
    assert walk.position == 1
    assert x.grad == 0.0


def test_a_leaf_changed_on_the_way_is_noticed():
    root, node = example()
    walk = Backprop(root)
    walk.step()
    node["f"].data = 1.0
    with pytest.raises(RuntimeError, match="changed"):
        walk.step()
    with pytest.raises(RuntimeError, match="changed"):
        Backprop(root)


def test_overflow_on_the_way():
    x = Value(1e-200, "x")
    walk = Backprop(1 / x * 1e100)
    walk.step()
    with pytest.raises(OverflowError, match="gradient"):
        walk.step()
    assert x.grad == 0.0


def test_the_exponent_of_a_known_power_is_worked_out():
    x = Value(4.0, "x")
    assert "(-1.5*x**(-2.5))" in str(Backprop(x**-1.5).step())
    assert "(3*x**2)" in str(Backprop(x**3).step())


@pytest.mark.parametrize(("width", "between"), [(80, " "), (81, "\n    ")])
def test_a_step_is_broken_where_a_terminal_ends(width, between):
    chain, numbers = "  dL/d{x} += dL/dL * 3", "= 1.0 * 3.0 = 3.0"
    x = Value(1.0, "x" * (width - len(f"{chain} {numbers}") + len("{x}")))
    root = x * 3
    root.label = "L"
    head, line = str(Backprop(root).step()).split("\n", 1)
    assert head == f"L = {x.label}*3 passes back dL/dL = 1.0"
    assert line == chain.format(x=x.label) + between + numbers


class TestBackprop:
    def test_a_notebook_and_a_terminal_show_what_the_prompt_shows(self):
        a = Value(2.0, "a")
        walk = engine.Backprop(a * 3)
        assert walk.__rich__().plain == repr(walk)
        step = walk.step()
        assert step.__rich__().plain == str(step) == repr(step)
        colours = [(str(span.style), step.__rich__().plain[span.start : span.end]) for span in step.__rich__().spans]
        assert colours == [("cyan", "  d(a*3)/da"), ("bold", "1.0"), ("bold", "3.0")]

    def test_what_a_contribution_shows_of_itself(self):
        (given,) = engine.Backprop(Value(2.0, "a") * 3).step().contributions
        assert repr(given) == (
            "Contribution(parent=Value(data=2.0, grad=3.0, label='a'), local=3.0, amount=3.0, before=0.0, total=3.0)"
        )

    @pytest.mark.parametrize(
        ("function", "symbols"),
        [
            (engine.erfc, "(-2/pi**0.5*exp(-x*x))"),
            (engine.exp, "exp(x)"),
            (engine.tanh, "(1 - tanh(x)**2)"),
            (engine.log, "(1/x)"),
            (lambda x: x**3, "(3*x**2)"),
            (lambda x: x**1.5, "(1.5*x**0.5)"),
            (engine.relu, "(1 if x > 0 else 0)"),
            (lambda x: engine.maximum(x, 0.25), "(1 if x > 0.25 else 0 if x < 0.25 else 0.5)"),
            (lambda x: x / -2, "(1/-2)"),
            (lambda x: engine.dot([3], [x]), "3"),
        ],
    )
    def test_the_local_derivative_in_symbols(self, function, symbols):
        (given,) = engine.Backprop(function(Value(0.5, "x"))).step().contributions
        assert given.symbols == symbols


class TestSomethingElseChangesTheGraph:
    """A walk says so, and does not end in wrong gradients."""

    def walk(self):
        a, b = Value(2.0, "a"), Value(-3.0, "b")
        c = a * b
        L = c * c + a
        L.label = "L"
        return Backprop(L), L, a, b, c

    def test_forward_to_another_point(self):
        walk, L, a, b, _ = self.walk()
        walk.step()
        a.data = 5.0
        L.forward()
        with pytest.raises(RuntimeError, match=r"must stay 1\.0 between steps, got 0\.0.*reset\(\)"):
            walk.run()
        walk.reset().run()
        assert (a.grad, b.grad) == (2 * 5.0 * 9.0 + 1, 2 * 25.0 * -3.0)

    def test_a_second_walk_over_shared_nodes(self):
        first, _, _, b, c = self.walk()
        first.step()
        first.step()
        Backprop(c + b)
        with pytest.raises(RuntimeError, match=r"dL/d\(a\*b\) must stay"):
            first.run()

    def test_backward_in_the_middle(self):
        walk, L, *_ = self.walk()
        walk.step()
        L.backward()
        with pytest.raises(RuntimeError, match="between steps"):
            walk.run()

    def test_a_gradient_set_before_a_step_back(self):
        walk, _, a, *_ = self.walk()
        walk.run()
        a.grad = 100.0
        with pytest.raises(RuntimeError, match="dL/da must stay"):
            walk.back()
        assert a.grad == 100.0
        assert walk.position == len(walk)

    def test_a_leaf_that_no_step_has_reached_may_change(self):
        walk, _, _, b, _ = self.walk()
        walk.step()
        b.grad = 100.0
        walk.run()
        assert b.grad == 100.0 + 2 * 4.0 * -3.0


def test_it_says_that_leaves_have_gradients_from_before():
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    L = a * b
    assert "before" not in repr(Backprop(L))
    L.backward()
    assert "that a, b had before (zero_grad() clears them)" in repr(Backprop(L).run())
