"""The steps of a graph: every number is that of the engine, and the graph does not change."""

import pytest

import engine
import nn
import viz
from demos.backprop import micrograd_example
from engine import Backprop, Value, dot, topological_order
from engine.formatting import format_number
from engine.labels import Names
from tests.viz.pages.browsing import (
    PAGE_STATE,
    bounding_box,
    chain,
    data_of,
    example,
    loss_of_a_network,
    states_of_all_steps,
)


def test_steps_are_those_of_the_engine(tmp_path):
    data = data_of(viz.page(example(), tmp_path / "L.html"))
    steps = data["steps"]
    assert [step["phase"] for step in steps] == ["forward"] * 4 + ["backward"] * 5
    assert [step["focus"] for step in steps] == ["", "n2", "n4", "n5", "", "n5", "n4", "n2", ""]
    assert [step["actions"] for step in steps] == [
        [["appear", 0, 1, 3]], [["forward", 2]], [["forward", 4]], [["forward", 5]],
        [["seed"]], [["backward", 5]], [["backward", 4]], [["backward", 2]], [],
    ]  # fmt: skip
    root = example()
    root.backward()
    for node, recorded in zip(topological_order(root), data["tape"]["nodes"], strict=True):
        assert (recorded["data"], recorded["grad"]) == (node.data, node.grad)


@pytest.mark.parametrize(
    "make_root", [example, micrograd_example, loss_of_a_network, lambda: (lambda a: a * a + a)(Value(3.0, "a"))]
)
def test_every_number_of_every_step(make_root, tmp_path, open_page):
    root = make_root()
    shown = states_of_all_steps(open_page(viz.page(root, tmp_path / "L.html")))
    root.label = root.label or "L"  # as on the page
    names = Names(root)
    order = topological_order(root)
    variables = [node for node in order if not node.is_constant]
    inner = [node for node in order if node.parents]
    walk = Backprop(root)
    assert len(shown) == 1 + len(inner) + 1 + len(walk) + 1

    # An aria-label begins with the definition of its node; this is how nodes are found in the drawing.
    definitions = sorted(map(names.definition, order), key=len, reverse=True)
    labels = {key: next(filter(text.startswith, definitions)) for key, text in shown[-1]["aria_labels"].items()}
    ids = {node: next(key for key in labels if labels[key] == names.definition(node)) for node in variables}
    assert len(set(ids.values())) == len(variables)

    def check(step, known, reached):
        data = {f"{ids[x]}-data": f"data {format_number(x.data)}" if x in known else "" for x in variables}
        grad = {f"{ids[x]}-grad": f"grad {format_number(x.grad)}" if x in reached else "" for x in variables}
        assert step["texts"] == data | grad

    def check_lit(step, node, parents):
        assert step["now"] == [ids[node]]
        lit = [labels[key] for key in step["lit"] if key in labels]
        assert sorted(lit) == sorted(map(names.definition, {node, *parents}))
        assert sum(key.startswith("edge") for key in step["lit"]) == len(parents) + 1

    known = {node for node in variables if not node.parents}
    check(shown[0], known, set())
    equations = [f"{names[x]} = {format_number(x.data)}" for x in order if x in known]
    more = f" and {len(equations) - 12} more" if len(equations) > 13 else ""
    assert shown[0]["lines"] == [",  ".join(equations[:12] if more else equations) + more]
    for node, step in zip(inner, shown[1:], strict=False):
        known.add(node)
        check(step, known, set())
        check_lit(step, node, node.parents)
        assert step["lines"] == [f"{names.definition(node)} = {format_number(node.data)}"]
    reached = {root}
    check(shown[len(inner) + 1], known, reached)
    for i, step in enumerate(shown[len(inner) + 2 : -1], 1):
        done = walk.step()
        reached |= {x.parent for x in done.contributions}
        check(step, known, reached)
        check_lit(step, done.node, [x.parent for x in done.contributions])
        assert step["title"] == f"Backward {i} of {len(walk)}"
        assert " ".join(" ".join(step["lines"]).split()) == " ".join(str(done).split())
    assert walk.upcoming is None
    check(shown[-1], known, set(variables))
    assert shown[-1]["lit"] == []


def test_products_of_expand_appear_and_light_up_with_their_node(tmp_path, open_page):
    w, x = [Value(0.5, "w0"), Value(2.0, "w1")], [Value(-1.5, "x0"), Value(3.0, "x1")]
    root = dot(w, x) * 3.0
    root.label = "L"
    shown = states_of_all_steps(open_page(viz.page(root, tmp_path / "L.html", expand=True)))
    assert [step["texts"]["n4x1-data"] for step in shown] == [""] + ["data 6.0"] * 6
    assert [step["texts"]["n4x1-grad"] for step in shown] == [""] * 5 + ["grad 3.0"] * 2
    everything_of_dot = {"n0", "n1", "n2", "n3", "n4", "n4x0", "n4x0op", "n4x1", "n4x1op", "n4op"}
    for step in (shown[1], shown[5]):
        assert {x for x in step["lit"] if not x.startswith("edge")} == everything_of_dot
        assert sum(x.startswith("edge") for x in step["lit"]) == 9
    assert {x for x in shown[4]["lit"] if not x.startswith("edge")} == {"n4", "n6op", "n6"}


def test_the_same_graph_gives_the_same_small_file(tmp_path):
    root = chain(60)
    path = viz.page(root, tmp_path / "L.html")
    assert path == tmp_path / "L.html"
    assert path.stat().st_size < 810_000
    assert viz.page(example(), tmp_path / "example.html").stat().st_size < 150_000
    assert viz.page(chain(60), str(tmp_path / "M.html")).read_bytes() == path.read_bytes()
    root.backward()
    root.backward()
    assert viz.page(root, path).read_bytes() == (tmp_path / "M.html").read_bytes(), "earlier gradients do not matter"


def test_the_gradients_of_the_graph_do_not_change(tmp_path):
    root = micrograd_example()
    root.backward()
    order = topological_order(root)
    for i, node in enumerate(order):
        node.grad += i
    before = [node.grad for node in order]
    viz.page(root, tmp_path / "L.html")
    assert [node.grad for node in order] == before
    zero = Value(0.0, "x")
    edge = zero.sqrt() + 1.0
    zero.grad = 5.0
    with pytest.raises(ArithmeticError, match="sqrt"):
        viz.page(edge, tmp_path / "edge.html")
    assert (zero.grad, edge.grad) == (5.0, 0.0)
    assert not (tmp_path / "edge.html").exists()
    zero.data = 4.0
    with pytest.raises(RuntimeError, match="changed"):
        viz.page(edge, tmp_path / "edge.html")
    assert zero.grad == 5.0
    with pytest.raises(ValueError, match="rankdir"):
        viz.page(root, tmp_path / "L.html", rankdir="up")
    with pytest.raises(OSError, match="nowhere"):
        viz.page(root, tmp_path / "nowhere" / "L.html")
    assert [node.grad for node in order] == before


def test_wrong_arguments_are_errors(tmp_path):
    root = example()
    with pytest.raises(ValueError, match=r"path must end in \.html, got 'L\.svg'"):
        viz.page(root, tmp_path / "L.svg")
    for path in (None, b"L.html", 3):
        with pytest.raises(TypeError, match=f"path must be a str or os.PathLike, got {type(path).__name__}"):
            viz.page(root, path)
    with pytest.raises(ValueError, match="path must not have a null character"):
        viz.page(root, "L\0.html")
    for quiz in ("yes", "no", 1, None):
        with pytest.raises(TypeError, match=f"quiz must be True or False, got {type(quiz).__name__}"):
            viz.page(root, tmp_path / "L.html", quiz=quiz)
    with pytest.raises(TypeError, match="got float"):
        viz.page(3.0, tmp_path / "L.html")
    for wrong in ({"precision": 0}, {"max_nodes": 3}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            viz.page(root, tmp_path / "L.html", **wrong)
    with pytest.raises(ValueError, match=r"max_nodes=300 .*399 nodes.* larger max_nodes"):
        viz.page(engine.sum([Value(float(i)) for i in range(398)]), tmp_path / "L.html")
    with pytest.raises(RuntimeError, match="constant"):
        viz.page(constant(), tmp_path / "L.html")


def constant():
    with engine.no_grad():
        return Value(1.0) * 2.0


def test_precision_applies_to_the_drawing_only(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html", precision=2, rankdir="TB"))
    tab.keyboard.press("End")
    assert tab.locator("#n5-data").text_content() == "data 0.76"
    assert "0.839949" in tab.locator("#page-lines .spoken").text_content()


def test_a_box_has_room_for_every_gradient_of_the_pass(tmp_path, open_page):
    a = Value(1.0, "a")
    root = a * 0.123456 + a * 0.876544
    root.label = "L"
    tab = open_page(viz.page(root, tmp_path / "L.html"))
    for _ in range(9):
        tab.keyboard.press("ArrowRight")
        text, frame = bounding_box(tab, "#n0-grad"), bounding_box(tab, "#n0")
        assert text["width"] == 0 or (
            text["x"] > frame["x"] and text["x"] + text["width"] < frame["x"] + frame["width"]
        )


def test_a_single_leaf_has_a_page(tmp_path, open_page):
    shown = states_of_all_steps(open_page(viz.page(Value(2.0, "a"), tmp_path / "a.html")))
    assert [step["title"] for step in shown] == [
        "Forward 0 of 0: the leaves", "Backward 0 of 0", "Every gradient is complete",
    ]  # fmt: skip
    assert shown[-1]["texts"] == {"n0-data": "data 2.0", "n0-grad": "grad 1.0"}


def test_a_root_without_a_label_is_called_l(tmp_path):
    model = nn.MLP(2, [1], seed=1)
    loss = nn.binary_cross_entropy(model([1.0, 2.0]), 1)
    page = viz.page(loss, tmp_path / "L.html").read_text(encoding="utf-8")
    assert "dL/d(layer1.w11) += dL/d(layer1.z1) * x1" in page
    assert loss.label == ""
    L = Value(2.0, "L")
    root = L * 3
    assert "d(L*3)/dL" in viz.page(root, tmp_path / "L.html").read_text(encoding="utf-8"), "the name is taken"


def test_a_step_shows_six_contributions_and_the_number_of_the_others(tmp_path, open_page):
    root = engine.sum([Value(i / 8, f"x{i}") for i in range(60)])
    tab = open_page(viz.page(root, tmp_path / "L.html"))
    tab.keyboard.press("End")
    assert tab.locator("#page-lines .rest").inner_text() == "and 48 more"
    tab.evaluate("""() => {
        window.sizes = 0;
        const count = (records) => { window.sizes += records.length; };
        new MutationObserver(count).observe(document.getElementById("page-lines"), { attributeFilter: ["style"] });
    }""")
    tab.keyboard.press("ArrowLeft")
    state = tab.evaluate(PAGE_STATE)
    assert state["title"] == "Backward 1 of 1"
    assert sum("d" in line and "+=" in line for line in state["lines"]) == 6
    assert state["lines"][-1] == "and 54 more"
    assert 0 < tab.evaluate("window.sizes") <= 11, "a layout of many words is slow"
