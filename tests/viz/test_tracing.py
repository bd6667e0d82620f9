"""The line of the program that recorded each node, which pages show."""

import nn
import viz
from engine import Value, topological_order
from engine.value import _new
from tests.viz.pages.browsing import example
from viz.tracing import source_line


def test_each_operation_keeps_the_line_that_recorded_it():
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    with viz.source_lines():
        d = a * b
        L = (d + 1.0).tanh()  # the loss
    assert source_line(d) == "d = a * b"
    assert [source_line(node) for node in topological_order(L) if node.op in ("+", "tanh")] == [
        "L = (d + 1.0).tanh()  # the loss"
    ] * 2
    assert source_line(a) == source_line(example()) == ""


def test_the_line_is_the_users_even_if_a_network_records():
    model = nn.MLP(2, [2, 1], seed=1)
    with viz.source_lines():
        y = model([0.5, -1.0])
    assert {source_line(node) for node in topological_order(y) if node.parents} == {"y = model([0.5, -1.0])"}


def test_outside_the_block_recording_is_as_before():
    from engine import value

    with viz.source_lines():
        assert value._new is not _new
    assert value._new is _new is object.__new__
    try:
        with viz.source_lines():
            Value(0.0).log()
    except ArithmeticError:
        pass
    assert value._new is object.__new__


def test_a_page_shows_the_lines(tmp_path):
    a = Value(2.0, "a")
    with viz.source_lines():
        L = a * 3 < 7 and a.exp() * "</code>".count("<")
    page = viz.page(L, tmp_path / "L.html").read_text("utf-8")
    assert (
        page.count("<code>L = a * 3 &lt; 7 and a.exp() * &quot;&lt;/code&gt;&quot;.count(&quot;&lt;&quot;)</code>") > 2
    )
