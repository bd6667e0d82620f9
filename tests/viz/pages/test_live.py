"""Numbers of leaves on a page: typed, dragged, stepped by keys, undone and reset; and numbers that do not work."""

import re

import pytest

import engine
import viz
from demos.backprop import micrograd_example
from engine import Backprop, Value, rule, topological_order
from engine.formatting import format_number
from tests.viz.pages.browsing import PAGE_STATE, bounding_box, data_of, example, loss_of_a_network, title


def field(tab, name):
    return tab.get_by_role("spinbutton", name=f"value of {name}", exact=True)


def gradient(tab, name):
    return tab.get_by_role("status", name=f"gradient of {name}", exact=True).text_content()


def drawn_at(root, **numbers):
    """The texts in the drawing of a page after the leaves have these numbers, as Python computes them."""
    for node in topological_order(root):
        if node.label in numbers:
            node.data = numbers[node.label]
        node.grad = 0.0
    root.forward()
    root.backward()
    texts = {}
    for i, node in enumerate(topological_order(root)):
        texts |= {f"n{i}-data": f"data {format_number(node.data)}", f"n{i}-grad": f"grad {format_number(node.grad)}"}
    return texts


def test_a_number_that_is_typed_changes_everything_and_the_step_stays(tmp_path, open_page):
    root = example()
    tab = open_page(viz.page(root, tmp_path / "L.html"))
    tab.get_by_role("slider", name="step").fill("6")
    field(tab, "a").fill("1.5")
    assert title(tab) == "Backward 2 of 3"
    expected = drawn_at(root, a=1.5)
    state = tab.evaluate(PAGE_STATE)
    assert {key: text for key, text in state["texts"].items() if text} == {
        key: text for key, text in expected.items() if key not in ("n0-grad", "n1-grad")
    }
    for node in topological_order(root):
        node.grad = 0.0
    steps = [*Backprop(root)]
    assert " ".join(" ".join(state["lines"]).split()) == " ".join(str(steps[1]).split())
    tab.keyboard.press("Enter")
    tab.keyboard.press("End")
    assert tab.evaluate(PAGE_STATE)["texts"] == expected
    assert [gradient(tab, name) for name in "abc"] == [expected[f"n{i}-grad"].removeprefix("grad ") for i in (0, 1, 3)]


def test_a_gradient_that_nothing_has_reached_is_not_shown_as_zero(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    tab.get_by_role("slider", name="step").fill("5")
    texts = tab.evaluate(PAGE_STATE)["texts"]
    assert [texts[f"n{i}-grad"] for i in range(6)] == ["", "", "", "", "grad 0.419974", "grad 1.0"]
    assert gradient(tab, "a") == ""


def test_a_number_can_be_dragged_and_finely_with_shift(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    tab.keyboard.press("End")
    for handle in (tab.locator("#page-panel .handle").first, tab.locator('[data-handle="0"]')):
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        tab.mouse.move(x, y)
        tab.mouse.down()
        tab.mouse.move(x + 30, y, steps=5)
        assert field(tab, "a").input_value() == "2.3"
        tab.keyboard.down("Shift")
        tab.mouse.move(x + 50, y, steps=5)
        tab.keyboard.up("Shift")
        assert field(tab, "a").input_value() == "2.32"
        tab.mouse.up()
        assert title(tab) == "Every gradient is complete", "a drag is not a click on the node"
        assert tab.evaluate(PAGE_STATE)["texts"] == drawn_at(example(), a=2.32)
        tab.get_by_role("button", name="undo").click()
        assert field(tab, "a").input_value() == "2.0", "a drag is undone as a whole"


def test_a_finger_drags_too(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"), 390, 844, has_touch=True, is_mobile=True)
    box = bounding_box(tab, "#page-panel li:nth-child(2) .handle")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    client = tab.context.new_cdp_session(tab)
    for kind, points in [
        ("touchStart", [{"x": x, "y": y}]),
        *(("touchMove", [{"x": x + i, "y": y}]) for i in (5, 10, 20, 40)),
        ("touchEnd", []),
    ]:
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert field(tab, "b").input_value() == "-2.6"
    assert title(tab).startswith("Forward 0")


def test_arrow_keys_step_a_number_and_escape_leaves_the_field(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    field(tab, "c").focus()
    for key, expected in [
        ("ArrowUp", "7.1"), ("ArrowUp", "7.2"), ("Shift+ArrowUp", "7.21"), ("ArrowDown", "7.11"), ("PageUp", "8.11"),
    ]:  # fmt: skip
        tab.keyboard.press(key)
        assert field(tab, "c").input_value() == expected
    assert title(tab).startswith("Forward 0"), "the keys are the field's"
    tab.keyboard.press("Escape")
    tab.keyboard.press("ArrowRight")
    assert title(tab) == "Forward 1 of 3"
    tab.keyboard.press("Control+z")
    assert field(tab, "c").input_value() == "7.0"


def test_undo_and_reset(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    undo, reset = tab.get_by_role("button", name="undo"), tab.get_by_role("button", name="reset")
    assert undo.get_attribute("aria-disabled") == reset.get_attribute("aria-disabled") == "true"
    for name, x in [("a", "5"), ("b", "1e-3"), ("a", "-0.25")]:
        field(tab, name).fill(x)
    tab.keyboard.press("Enter")
    tab.keyboard.press("ArrowRight")
    numbers = lambda: [float(field(tab, name).input_value()) for name in "abc"]  # noqa: E731
    assert numbers() == [-0.25, 0.001, 7.0]
    undo.click()
    assert numbers() == [5.0, 0.001, 7.0]
    reset.click()
    assert numbers() == [2.0, -3.0, 7.0]
    undo.click()
    assert numbers() == [5.0, 0.001, 7.0]
    undo.click()
    undo.click()
    assert numbers() == [2.0, -3.0, 7.0]
    assert undo.get_attribute("aria-disabled") == "true"
    assert title(tab) == "Forward 1 of 3", "the step stays"


def root_of(formula):
    x, y = Value(2.0, "x"), Value(3.0, "y")
    root = formula(x, y)
    root.label = "L"
    return root


def error_of(root):
    try:
        root.forward()
        root.backward()
    except ArithmeticError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("formula", "numbers"),
    [
        (lambda x, y: (x - y + 2.0).log(), {"y": "5"}),
        (lambda x, y: x.log() * y, {"x": "-1"}),
        (lambda x, y: x / (y - 1.0), {"y": "1"}),
        (lambda x, y: x / y, {"y": "0"}),
        (lambda x, y: (x * y).exp(), {"y": "500"}),
        (lambda x, y: (x * y) ** 0.5, {"x": "-2"}),
        (lambda x, y: x**y, {"x": "-2"}),
        (lambda x, y: (x * y).sqrt() + y, {"x": "0"}),
        (lambda x, y: x.exp() * y, {"y": "1e306"}),
        (lambda x, y: (x + y).log1p(), {"y": "-3"}),
        (lambda x, y: Value(4.0).sqrt() * x + y, {}),
    ],
)
def test_a_number_outside_the_domain_is_answered_in_the_engines_words(formula, numbers, tmp_path, open_page):
    root = root_of(formula)
    tab = open_page(viz.page(root, tmp_path / "L.html"))
    tab.keyboard.press("End")
    leaves = {node.label: node for node in topological_order(root)}
    for name, text in numbers.items():
        before = tab.evaluate(PAGE_STATE)
        field(tab, name).fill(text)
        leaves[name].data = float(text)
    alert = tab.locator("#page-trouble")
    if error := error_of(root):
        assert alert.text_content() == str(error)
        assert tab.locator(".failed").count() == 1
        assert field(tab, name).get_attribute("aria-invalid") == "true"
        assert tab.evaluate(PAGE_STATE) == before, "the last good picture stays"
        tab.keyboard.press("Enter")
        assert alert.text_content() == ""
        assert tab.locator(".failed, [aria-invalid=true]").count() == 0
        assert float(field(tab, name).input_value()) != float(numbers[name])
    else:
        assert alert.text_content() == ""


def test_a_refused_number_leaves_nothing_of_it(tmp_path, open_page):
    x = Value(2.0, "x")
    tab = open_page(viz.page(x.exp() * x.log(), tmp_path / "L.html"))
    undo = tab.get_by_role("button", name="undo")
    for text in ("710", "1e999", "5e-324", "-", ""):
        for key in ("Enter", "Tab"):
            field(tab, "x").select_text()
            tab.keyboard.press("Delete")
            tab.keyboard.type(f"1{text}" if text in ("-", "") else text)
            if text in ("-", ""):  # the beginning is a number, and the end is none
                tab.keyboard.type("e")
                tab.keyboard.press("Backspace")
                tab.keyboard.type("e")
            tab.keyboard.press(key)
            assert field(tab, "x").input_value() == "2.0", text
            assert tab.evaluate(PAGE_STATE)["texts"]["n0-data"] == "data 2.0"
            assert undo.get_attribute("aria-disabled") == "true", "there is nothing to undo"
    field(tab, "x").fill("3")
    tab.keyboard.press("Enter")
    field(tab, "x").select_text()
    tab.keyboard.type("710")
    tab.keyboard.press("Enter")
    assert field(tab, "x").input_value() == "3.0"


def test_a_number_can_be_stepped_to_0(tmp_path, open_page):
    tab = open_page(viz.page(example(c=0.1), tmp_path / "L.html"))
    field(tab, "c").focus()
    tab.keyboard.press("ArrowDown")
    assert field(tab, "c").input_value() == "0.0"


@pytest.mark.parametrize(("text", "x"), [("1,5", 1.5), ("-,25", -0.25), ("2.5e-1", 0.25)])
def test_a_decimal_comma_is_a_decimal_point(text, x, tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    field(tab, "a").select_text()
    tab.keyboard.type(text)
    tab.keyboard.press("Enter")
    assert float(field(tab, "a").input_value()) == x
    field(tab, "b").select_text()
    tab.keyboard.insert_text(text)
    tab.keyboard.press("Enter")
    assert float(field(tab, "b").input_value()) == x


def test_a_gradient_that_overflows_is_named_by_its_label(tmp_path, open_page):
    tab = open_page(viz.page(Value(2.0, "x").log(), tmp_path / "L.html"))
    field(tab, "x").fill("5e-324")
    words = tab.locator("#page-trouble").text_content()
    assert re.fullmatch(r"the gradient of x overflows; it came from log\(x\) at x = 4\.94066e-324", words)


@pytest.mark.parametrize(
    ("name", "number", "place"),
    [("a", "1e308", "a = 1e+308"), ("b", "5e307", "b*c = 1.5e+308 (b"), ("d", "1e308", "d = 1e+308")],
)
def test_the_operand_that_is_largest_now_is_to_blame(tmp_path, open_page, name, number, place):
    a, b, c, d = (Value(x, label) for x, label in zip([5.0, 2.0, 3.0, 4.0], "abcd", strict=True))
    root = engine.dot([a, b * c], [d, d]) * 2.0
    tab = open_page(viz.page(root, tmp_path / "L.html"))
    field(tab, name).fill(number)
    next(x for x in (a, b, d) if x.label == name).data = float(number)
    with pytest.raises(OverflowError, match=f"dot of 4 operands overflows at {re.escape(place)}") as error:
        root.forward()
    assert tab.locator("#page-trouble").text_content() == str(error.value)


def test_a_custom_rule_fails_where_python_does(tmp_path, open_page):
    rule("hidden", "max(0, log(a))", "1/a if a > 1 else 0")
    x = Value(2.0, "x")
    root = x.hidden() * 3.0
    tab = open_page(viz.page(root, tmp_path / "L.html"))
    field(tab, "x").fill("-1")
    x.data = -1.0
    with pytest.raises(ArithmeticError) as error:
        root.forward()
    assert tab.locator("#page-trouble").text_content() == str(error.value)


@pytest.mark.parametrize("precision", [6, 17])
def test_nothing_moves_when_a_number_changes(precision, tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html", precision=precision))
    tab.keyboard.press("End")
    boxes = lambda: tab.locator(".node, .edge, #page-panel li > *, #page-words, button").evaluate_all(  # noqa: E731
        "all => all.map((each) => { const { x, y, width, height } = each.getBoundingClientRect();"
        " return [x, y, width, height].map(Math.round) })"
    )
    before = boxes()
    for x in ("-0.123456789", "1.23456789012345e-100", "-123456789.0123"):
        field(tab, "a").fill(x)
        assert boxes() == before
        for i in range(6):
            text, frame = bounding_box(tab, f"#n{i}-data"), bounding_box(tab, f"#n{i}")
            assert frame["x"] < text["x"]
            assert text["x"] + text["width"] < frame["x"] + frame["width"]


@pytest.mark.parametrize("make_root", [example, micrograd_example, loss_of_a_network])
def test_after_edits_every_step_is_the_engines(make_root, tmp_path, open_page):
    root = make_root()
    path = viz.page(root, tmp_path / "L.html")
    tab = open_page(path)
    numbers = {}
    for i, node in enumerate(x for x in topological_order(root) if not x.parents and not x.is_constant):
        numbers[node.label] = round(0.3 + 0.17 * i, 2)
        field(tab, node.label).fill(str(numbers[node.label]))
    tab.keyboard.press("Enter")
    tab.keyboard.press("End")
    expected = drawn_at(root, **numbers)
    texts = tab.evaluate(PAGE_STATE)["texts"]
    for i, ids in enumerate(data_of(path)["drawing"]["nodes"]):
        if f"{ids[0]}-data" in texts:
            assert texts[f"{ids[0]}-data"] == expected[f"n{i}-data"]
            assert texts[f"{ids[0]}-grad"] == expected[f"n{i}-grad"]


def test_a_page_whose_numbers_are_not_pythons_says_so(tmp_path, open_page):
    path = viz.page(example(), tmp_path / "L.html")
    assert open_page(path).locator("#page-differs").is_hidden()
    text = path.read_text("utf-8")
    for recorded, wrong in (('"data":0.7615941559557649', '"data":0.7615941559557655'), ('"grad":-1.2', '"grad":-1.3')):
        assert recorded in text
        path.write_text(text.replace(recorded, wrong), "utf-8")
        banner = open_page(path).get_by_role("alert").filter(visible=True).first
        assert "in this browser" in banner.text_content()
        assert "in Python" in banner.text_content()


def test_the_latex_of_a_step_has_the_numbers_of_the_page(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    tab.get_by_role("slider", name="step").fill("7")
    field(tab, "b").fill("-2.5")
    tab.evaluate(
        """() => {
            Object.defineProperty(navigator, "clipboard", { value: null });
            document.execCommand = () => { window.copied = document.activeElement.value; };
        }"""
    )
    tab.get_by_role("button", name="copy LaTeX").click()
    copied = tab.evaluate("window.copied")
    assert copied.startswith("\\begin{aligned}\n\\frac{\\partial L}{\\partial a} & \\mathrel{+}= ")
    assert re.search(r"\\cdot \(-2\.5\) \\\\\n& = -\d", copied)
