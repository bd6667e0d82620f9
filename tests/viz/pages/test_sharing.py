"""The link with the state of a page, the teacher's note, hidden controls, help, handout, and the drawing as a file."""

import base64
import json
import struct
import xml.etree.ElementTree as ET
import zlib

import pytest

import engine
import viz
from tests.viz.pages.browsing import PAGE_STATE, example, title

HOSTILE = [
    None,
    [],
    "text",
    {"step": "2", "numbers": {"0": "7", "99": 1.0, "3": None, "rate": 1.0, "constructor": 1.0}},
    {"step": -5.5, "numbers": [1, 2], "view": {"x": 1}, "hidden": {"length": 3}, "note": {"a": 1}, "quiz": 3},
    {"step": 1e300, "numbers": "abc", "view": ["a", None, 1], "hidden": ["<b>", 3, "nothing"], "quiz": {"on": 1}},
    {"__proto__": {"step": 3}, "toString": 1, "numbers": {"__proto__": 1.0, "2": 5.0}, "quiz": {"results": "<i>"}},
    {"numbers": {"0": 1e308, "1": 1e308}},
]


def link_of(state, text=None):
    """Return what follows the address of a page in the link to a state."""
    packed = zlib.compress((text or json.dumps(state)).encode(), wbits=-15)
    return "#" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def wait_for_link(tab):
    tab.wait_for_function("() => location.hash")
    tab.wait_for_timeout(400)


def menu(tab, name):
    tab.get_by_role("button", name="more").click()
    return tab.get_by_role("button", name=name, exact=True)


def value_of(tab, name):
    return tab.get_by_role("spinbutton", name=f"value of {name}", exact=True)


def test_a_link_brings_numbers_step_view_controls_and_note(tmp_path, open_page):
    path = viz.page(example(), tmp_path / "L.html")
    tab = open_page(path)
    value_of(tab, "a").fill("0.1")
    tab.keyboard.press("Escape")
    tab.get_by_role("slider", name="step").fill("6")
    tab.keyboard.press("+")
    tab.keyboard.press("?")
    tab.get_by_role("checkbox", name="play button").uncheck()
    tab.get_by_role("textbox", name="text of the note").fill("Look at <b>a</b>\nfirst")
    tab.get_by_role("button", name="close").click()
    menu(tab, "copy link").click()
    tab.wait_for_function("() => document.querySelector('#page-link').dataset.done")
    link = tab.url
    copied = open_page(path)
    copied.goto(link)
    copied.wait_for_function("() => document.querySelector('#page-play.removed')")
    assert title(copied) == title(tab) == "Backward 2 of 3"
    assert copied.evaluate(PAGE_STATE) == tab.evaluate(PAGE_STATE)
    assert value_of(copied, "a").input_value() == "0.1"
    assert copied.get_by_role("button", name="play").count() == 0
    assert copied.get_by_role("complementary", name="note").inner_text() == "Look at <b>a</b>\nfirst"
    views = [each.get_attribute("#page-stage > svg", "viewBox").split() for each in (tab, copied)]
    assert [float(x) for x in views[0]] == pytest.approx([float(x) for x in views[1]], abs=0.5)


def test_the_address_follows_the_page_and_is_bare_again_after_a_reset(tmp_path, open_page):
    path = viz.page(example(), tmp_path / "L.html")
    tab = open_page(path)
    tab.keyboard.press("ArrowRight")
    wait_for_link(tab)
    assert tab.evaluate("history.length") == open_page(path).evaluate("history.length")
    tab.keyboard.press("Home")
    tab.wait_for_function("() => !location.hash")
    assert tab.url == path.as_uri()


def test_another_link_in_the_same_tab_is_read(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    tab.evaluate(f"location.hash = '{link_of({'step': 3, 'numbers': {'0': 4.0}})}'")
    tab.wait_for_function("() => page.state.step === 3")
    assert value_of(tab, "a").input_value() == "4.0"
    tab.evaluate(f"location.hash = '{link_of({'step': 2})}'")
    tab.wait_for_function("() => page.state.step === 2")
    assert value_of(tab, "a").input_value() == "2.0", "nothing of the first link is left"


def test_links_that_are_damaged_or_hostile_do_nothing(tmp_path, open_page):
    path = viz.page(engine.exp(example()) * engine.Value(1.0, "k"), tmp_path / "L.html")
    tab = open_page(path)
    before = tab.evaluate(PAGE_STATE)
    good = link_of({"step": 3})
    links = [
        "#", "#page-note", "#<script>alert(1)</script>", "#javascript:alert(1)", "#%00%ff", "#" + "A" * 100_000,
        good[:-3], good[:5] + "x" + good[6:], link_of(0, "not JSON"), link_of(0, '{"step": ' + "[" * 100_000),
        link_of(0, json.dumps({"note": "x" * 5_000_000})), *map(link_of, HOSTILE),
    ]  # fmt: skip
    for link in links:
        tab.evaluate("hash => { location.hash = hash; }", link)
        tab.wait_for_timeout(150)
        state = tab.evaluate(PAGE_STATE)
        assert tab.get_by_role("complementary", name="note").count() == 0
        if link in map(link_of, HOSTILE):
            state.pop("texts"), state.pop("aria_labels")
            assert tab.evaluate("({}).step") is None
            tab.evaluate("page.reset(); page.show(0, {instantly: true})")
            state = tab.evaluate(PAGE_STATE)
        assert state == before, link[:80]


def test_a_link_names_a_node_by_its_number_without_zeros_before_it(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    before = tab.evaluate(PAGE_STATE)["texts"]
    tab.evaluate("hash => { location.hash = hash; }", link_of({"numbers": {"00": 5.0, "03": 5.0}}))
    tab.evaluate("hash => { location.hash = hash; }", link_of({"numbers": {"1": 4.0, "00": 5.0}}))
    tab.wait_for_function("() => page.state.numbers[1] === 4")
    after = tab.evaluate(PAGE_STATE)["texts"]
    assert after["n0-data"] == before["n0-data"]
    assert after["n1-data"] == "data 4.0"
    assert value_of(tab, "a").input_value() == "2.0"


def test_a_note_is_markdown_without_html_images_or_other_links(tmp_path, open_page):
    text = (
        "# Question\n\nWhich leaf *matters*? See [P31](https://example.org/p31), [a](javascript:alert(1)),\n"
        "[b](file:///etc/passwd), [c](data:text/html,x), [d](mailto:a@b.c), "
        "![i](https://example.org/i.png) <img src=x onerror=alert(1)>\n\n"
        "- one\n- `two`\n\n<script>alert(1)</script>"
    )
    tab = open_page(viz.page(example(), tmp_path / "L.html", text=text))
    note = tab.get_by_role("complementary", name="note")
    assert note.get_by_role("heading", name="Question").count() == 1
    assert note.get_by_role("listitem").all_text_contents() == ["one", "two"]
    assert [link.get_attribute("href") for link in note.get_by_role("link").all()] == [
        "https://example.org/p31", "https://example.org/i.png",
    ]  # fmt: skip
    assert note.locator("img, script").count() == 0
    assert "<script>alert(1)</script>" in note.inner_text()
    assert open_page(viz.page(example(), tmp_path / "M.html")).get_by_role("complementary").count() == 0
    with pytest.raises(TypeError, match="text must be a string, got int 3"):
        viz.page(example(), tmp_path / "N.html", text=3)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (390, 844)])
def test_the_note_covers_nothing(width, height, tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html", text="word " * 300), width, height)
    boxes = [tab.locator(f"#page-{name}").bounding_box() for name in ("note", "stage", "words", "panel", "steps")]
    for i, a in enumerate(boxes):
        assert a["width"] > 100
        assert a["height"] > 30
        assert a["x"] + a["width"] <= width + 1
        assert a["y"] + a["height"] <= height + 1
        for b in boxes[:i]:
            over = [min(a[x] + a[w], b[x] + b[w]) - max(a[x], b[x]) for x, w in (("x", "width"), ("y", "height"))]
            assert min(over) <= 1


def test_controls_can_be_hidden(tmp_path, open_page):
    path = viz.page(example(), tmp_path / "L.html", hide=["slider", "numbers", "zoom", "more"])
    tab = open_page(path)
    for role, name in [("slider", "step"), ("region", "numbers"), ("button", "zoom in"), ("button", "more")]:
        assert tab.get_by_role(role, name=name, exact=True).count() == 0
    tab.get_by_role("button", name="next step").click()
    assert title(tab) == "Forward 1 of 3"
    with pytest.raises(ValueError, match=r"hide must contain .*'slider', .*, got 'sliders'"):
        viz.page(example(), tmp_path / "M.html", hide=["sliders"])
    with pytest.raises(TypeError, match="hide must be a list"):
        viz.page(example(), tmp_path / "M.html", hide="slider")


def test_the_help_opens_by_its_key_and_keeps_the_keys_to_itself(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    tab.keyboard.press("?")
    help_ = tab.get_by_role("dialog", name="help")
    assert help_.get_by_role("heading").all_text_contents() == ["Keys", "Legend"]
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Escape")
    assert help_.count() == 0
    assert title(tab).startswith("Forward 0")


def test_the_handout_has_every_step_with_its_numbers(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    value_of(tab, "a").fill("1.5")
    lines = []
    for step in range(9):
        tab.get_by_role("slider", name="step").fill(str(step))
        lines.append([tab.evaluate(PAGE_STATE)[key] for key in ("title", "lines")])
    tab.evaluate("() => { window.print = () => dispatchEvent(new Event('beforeprint')); }")
    menu(tab, "print all steps").click()
    tab.emulate_media(media="print")
    articles = tab.locator("#page-print article")
    printed = articles.evaluate_all(
        "all => all.map((each) => [each.querySelector('h2').textContent,"
        "[...each.querySelectorAll('p:not(.formula, .head, [hidden])')].map((p) => p.textContent)])"
    )
    assert printed == lines
    assert articles.first.is_visible()
    assert not tab.locator("#page-words").is_visible()
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator("#page-print article").count() == 0


def test_the_drawing_is_saved_as_svg_that_stands_alone_and_as_png(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    tab.get_by_role("slider", name="step").fill("7")
    with tab.expect_download() as download:
        menu(tab, "save SVG").click()
    assert download.value.suggested_filename == "L-step-7.svg"
    svg = tmp_path / "saved.svg"
    download.value.save_as(svg)
    root = ET.parse(svg).getroot()
    assert not any("class" in each.attrib or "style" in each.attrib for each in root.iter())
    assert [each.text for each in root.iter("{http://www.w3.org/2000/svg}text") if "×" in (each.text or "")] == [
        "×\u00a0-3.0", "×\u00a02.0",
    ]  # fmt: skip
    with tab.expect_download() as download:
        menu(tab, "save PNG").click()
    png = tmp_path / "saved.png"
    download.value.save_as(png)
    width, height = struct.unpack(">II", png.read_bytes()[16:24])
    assert width == pytest.approx(2 * float(root.get("width")), abs=1)
    assert height == pytest.approx(2 * float(root.get("height")), abs=1)


def test_an_embedded_page_has_no_link_but_the_rest(tmp_path, open_page):
    outer = tmp_path / "notebook.html"
    outer.write_text(viz.embed(example(), text="*Look*")._repr_html_())
    frame = open_page(outer).frame_locator("iframe")
    frame.get_by_role("button", name="next step").click()
    frame.get_by_role("button", name="more").click()
    assert frame.get_by_role("button", name="save SVG").is_visible()
    assert not frame.get_by_role("button", name="copy link").is_visible()
    assert frame.get_by_role("complementary", name="note").inner_text() == "Look"


def test_a_note_with_a_surrogate_is_written(tmp_path):
    path = viz.page(example(), tmp_path / "L.html", text="a\ud800b\u202f!\n\nc")
    assert "<p>a\\ud800b\u202f!</p>\n<p>c</p>" in path.read_text(encoding="utf-8")
