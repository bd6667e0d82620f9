"""The page of a forward pass: every tangent of every step is that of ForwardMode, at any numbers of the leaves."""

import pytest

import engine
import viz
from demos.backprop import micrograd_example
from engine import ForwardMode, Value, topological_order
from engine.formatting import format_number
from engine.labels import Names
from tests.viz.pages.browsing import PAGE_STATE, data_of, example, states_of_all_steps


def powers():
    x, n = Value(-2.0, "x"), Value(3.0, "n")
    root = x**n + engine.dot([x, n, x], [x, x, 2.0]) * x.tanh()
    root.label = "L"
    return root


def drawn(root, walk, known):
    """The texts in the drawing of a page, in which node i is n0, n1, ... in topological order without constants."""
    texts = {}
    for key, node in known.items():
        tangent = walk.tangents.get(node)
        texts[f"{key}-data"] = f"data {format_number(node.data)}"
        texts[f"{key}-grad"] = "" if tangent is None else f"tangent {format_number(tangent)}"
    return texts


def test_the_steps_are_those_of_forward_mode(tmp_path):
    root = example()
    a = topological_order(root)[0]
    data = data_of(viz.page(root, tmp_path / "L.html", mode="forward"))
    assert data["options"]["derivative"] == "tangent"
    assert [step["phase"] for step in data["steps"]] == ["forward"] * 4 + ["tangent"] * 5
    assert [step["actions"] for step in data["steps"]][4:] == [
        [["seedTangents", 0, 1, 3]], [["tangent", 2]], [["tangent", 4]], [["tangent", 5]], [],
    ]  # fmt: skip
    walk = ForwardMode(root, a).run()
    assert [node["grad"] for node in data["tape"]["nodes"]] == [walk.tangents[x] for x in topological_order(root)]
    other = data_of(viz.page(root, tmp_path / "L.html", mode="forward", x=topological_order(root)[3]))
    assert other["steps"][4]["actions"] == [["seedTangents", 3, 0, 1, 2]]
    assert [node.grad for node in topological_order(root)] == [0.0] * 6


@pytest.mark.parametrize("make_root", [example, micrograd_example, powers])
@pytest.mark.parametrize("expand", [False, True])
def test_every_number_of_every_step(make_root, expand, tmp_path, open_page):
    root = make_root()
    root.label = root.label or "L"
    x = topological_order(root)[0]
    tab = open_page(viz.page(root, tmp_path / "L.html", mode="forward", x=x, expand=expand))
    assert not tab.locator("#page-differs").is_visible()
    names = Names(root)
    inner = [node for node in topological_order(root) if node.parents]
    variables = [node for node in topological_order(root) if not node.is_constant]
    for change in (False, True):
        if change:
            field = tab.get_by_role("spinbutton", name=f"value of {x.label}", exact=True)
            field.fill("-1.25")
            field.press("Enter")
            tab.locator("h1").click()
            x.data = -1.25
            root.forward()
        shown = states_of_all_steps(tab)
        walk = ForwardMode(root, x)
        assert len(shown) == 1 + len(inner) + 1 + len(walk) + 1
        definitions = sorted(map(names.definition, variables), key=len, reverse=True)
        labels = {
            key: next((d for d in definitions if text.startswith(d)), None)
            for key, text in shown[-1]["aria_labels"].items()
        }
        ids = {key: node for key, label in labels.items() for node in variables if names.definition(node) == label}
        assert {*ids.values()} == {*variables}
        assert shown[1 + len(inner)]["title"] == f"Tangent 0 of {len(walk)}"
        for i, state in enumerate(shown[2 + len(inner) : -1], 1):
            step = walk.step()
            assert state["title"] == f"Tangent {i} of {len(walk)}"
            assert " ".join(" ".join(state["lines"]).split()) == " ".join(str(step).split())
            expected = drawn(root, walk, ids)
            assert {key: text for key, text in state["texts"].items() if key in expected} == expected
        assert shown[-1]["lines"] == [f"{names.derivative(root, x)} = {format_number(walk.tangents[root])}"]


def test_a_tangent_that_is_not_pythons_is_reported(tmp_path, open_page):
    path = viz.page(example(), tmp_path / "L.html", mode="forward")
    text = path.read_text("utf-8")
    assert '"grad":-1.2' in text
    path.write_text(text.replace('"grad":-1.2', '"grad":-1.3'), "utf-8")
    banner = open_page(path).get_by_role("alert").filter(visible=True).first
    assert "in Python" in banner.text_content()


def test_products_of_a_dot_have_their_own_tangents(tmp_path, open_page):
    w = [Value(2.0, "w1"), Value(3.0, "w2")]
    root = engine.dot(w, [Value(5.0, "x1"), w[0]])
    tab = open_page(viz.page(root, tmp_path / "L.html", mode="forward", x=w[0], expand=True))
    tab.keyboard.press("End")
    texts = tab.evaluate(PAGE_STATE)["texts"].values()
    assert {"data 10.0", "tangent 5.0", "data 6.0", "tangent 3.0", "tangent 8.0"} <= {*texts}


def test_a_tangent_that_overflows_is_answered_in_the_engines_words(tmp_path, open_page):
    x, y = Value(1e-300, "x"), Value(1.0, "y")
    root = x * y
    tab = open_page(viz.page(root * 1e200, tmp_path / "L.html", mode="forward", x=x))
    field = tab.get_by_role("spinbutton", name="value of y", exact=True)
    field.fill("1e200")
    assert "the tangent of" in tab.locator("#page-trouble").text_content()
    assert "overflows" in tab.locator("#page-trouble").text_content()


def test_an_input_that_is_held_fixed_needs_no_derivative(tmp_path, open_page):
    """The derivative of x**n with respect to n has no value at x = -2."""
    x, n = Value(-2.0, "x"), Value(3.0, "n")
    tab = open_page(viz.page(x**n, tmp_path / "L.html", mode="forward", x=x))
    tab.keyboard.press("End")
    assert "tangent 12.0" in tab.evaluate(PAGE_STATE)["texts"].values()


def test_arguments(tmp_path):
    root = example()
    a = topological_order(root)[0]
    for options, message in (
        ({"mode": "sideways"}, "mode must be 'backward' or 'forward', got 'sideways'"),
        ({"x": a}, "x must be passed with mode='forward' only"),
        ({"mode": "forward", "x": Value(1.0)}, "the output must depend on x"),
    ):
        with pytest.raises(ValueError, match=message):
            viz.page(root, tmp_path / "L.html", **options)
    with pytest.raises(TypeError, match="x must be a Value"):
        viz.page(root, tmp_path / "L.html", mode="forward", x="a")
    assert not (tmp_path / "L.html").exists()


def test_a_graph_without_a_leaf_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="must depend on a leaf"):
        viz.page(Value(2.0).detach() * 3, tmp_path / "L.html", mode="forward")
