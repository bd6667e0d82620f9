"""The page in a browser: keys, buttons, clicks, screen readers, colours, print, and labels that try to do harm."""

import re
import struct

import pytest

import engine
import viz
from demos.backprop import micrograd_example
from engine import Value
from engine.formatting import format_number
from engine.labels import Names
from tests.viz.pages.browsing import (
    PAGE_STATE,
    bounding_box,
    example,
    loss_of_a_network,
    states_of_all_steps,
    title,
)


def test_stepping_back_shows_the_same_as_stepping_forward(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    forward = states_of_all_steps(tab)
    back = [tab.evaluate(PAGE_STATE)]
    for _ in forward[1:]:
        tab.keyboard.press("ArrowLeft")
        back.append(tab.evaluate(PAGE_STATE))
    assert back[::-1] == forward


def test_keys_buttons_and_slider_go_to_the_right_step(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    first, last = "Forward 0 of 3: the leaves", "Every gradient is complete"
    assert title(tab) == first
    for key, expected in [
        ("ArrowLeft", first), ("ArrowRight", "Forward 1 of 3"), ("PageDown", "Forward 2 of 3"),
        ("PageUp", "Forward 1 of 3"), ("End", last), ("ArrowRight", last), ("ArrowLeft", "Backward 3 of 3"),
        ("Home", first),
    ]:  # fmt: skip
        tab.keyboard.press(key)
        assert title(tab) == expected, key
    for name, expected in [
        ("last step", last), ("step back", "Backward 3 of 3"), ("first step", first), ("next step", "Forward 1 of 3"),
    ]:  # fmt: skip
        tab.get_by_role("button", name=name, exact=True).click()
        assert title(tab) == expected
    slider = tab.get_by_role("slider", name="step")
    slider.fill("5")
    assert title(tab) == "Backward 1 of 3"
    assert slider.get_attribute("aria-valuetext") == "Backward 1 of 3"
    slider.focus()
    tab.keyboard.press("ArrowRight")
    assert title(tab) == "Backward 2 of 3", "one press is one step, on the slider too"
    assert slider.input_value() == "6"
    tab.get_by_role("button", name="next step").focus()
    tab.keyboard.press(" ")
    assert title(tab) == "Backward 3 of 3", "space presses the button that has the focus"
    tab.keyboard.press("Control+ArrowLeft")
    assert title(tab) == "Backward 3 of 3", "Ctrl is for the shortcuts of the browser"


def test_play_stops_at_the_end_and_pauses(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    tab.clock.install()
    tab.keyboard.press(" ")
    assert tab.get_by_role("button", name="pause").count() == 1
    tab.clock.run_for(2_500)
    assert title(tab) == "Forward 1 of 3"
    tab.keyboard.press(" ")
    tab.clock.run_for(60_000)
    assert title(tab) == "Forward 1 of 3"
    tab.get_by_role("button", name="play").click()
    tab.clock.run_for(60_000)
    assert title(tab) == "Every gradient is complete"
    assert tab.get_by_role("button", name="play").count() == 1, "it stops at the end"
    tab.keyboard.press(" ")
    assert title(tab).startswith("Forward 0"), "and starts again"


def test_a_click_on_a_node_goes_to_its_step(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    click = lambda node: tab.locator(f"#{node} text").first.click()  # noqa: E731
    for node, step in [
        ("n4", "Forward 2 of 3"),
        ("n2", "Forward 1 of 3"),
        ("n5", "Forward 3 of 3"),
        ("n5op", "Forward 3 of 3"),
    ]:
        click(node)
        assert title(tab) == step
    click("n0")
    assert title(tab).startswith("Forward 0"), "the leaves appear there"
    tab.keyboard.press("End")
    for node, step in [("n4", 2), ("n2", 3), ("n5", 1), ("n2op", 3), ("n3", 2), ("n0", 3)]:
        click(node)
        assert title(tab) == f"Backward {step} of 3", node


def test_the_card_shows_the_description_and_numbers_of_a_node(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"))
    tab.get_by_role("slider", name="step").fill("5")
    card = tab.get_by_role("tooltip")
    assert card.is_hidden()
    tab.locator("#n4").hover()
    read = lambda: card.locator("p").all_text_contents()  # noqa: E731
    assert read() == [
        "a*b + c",
        "data 1.0, grad 0.419974",
        "a·b+c =−6.0+7.0 =1.0",
        "a·b+c =2.0·(−3.0)+7.0 =1.0",
    ]
    tab.keyboard.press("ArrowLeft")
    assert read()[:2] == ["a*b + c", "data 1.0"], "as at the step that is shown: no gradient has reached it"
    tab.keyboard.press("Escape")
    assert card.is_hidden()
    tab.mouse.move(640, 5)
    tab.locator("#page-more").focus()
    tab.keyboard.press("Tab")
    for _ in range(5):
        tab.keyboard.press("ArrowDown")
    assert tab.evaluate("document.activeElement.id") == "n5"
    assert read()[:2] == ["L = tanh(a*b + c), the output", "data 0.761594, grad 1.0"]
    assert read()[-1] == "L =tanh\u2061(a·b+c) =tanh\u2061(2.0·(−3.0)+7.0) =0.761594", "down to the leaves"
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Enter")
    assert title(tab) == "Backward 2 of 3"


def test_names_roles_and_tab_order_for_screen_readers(tmp_path, open_page):
    tab = open_page(viz.page(example() + 3.0, tmp_path / "L.html"))
    names = tab.locator("button, [role=button], input, #page-stage [tabindex]").evaluate_all(
        "all => all.filter((one) => one.checkVisibility())"
        ".map((one) => one.getAttribute('aria-label') ?? one.textContent)"
    )
    assert len(names) == 14 + 1 + 3 + 8, "buttons, the slider, fields of leaves, nodes"
    for name in "abc":
        assert tab.get_by_role("spinbutton", name=f"value of {name}", exact=True).input_value()
        assert tab.get_by_role("status", name=f"gradient of {name}", exact=True).count() == 1
    assert all(names)
    assert len(set(names)) == len(names)
    lines = tab.locator("#page-lines")
    assert lines.get_attribute("aria-live") == "polite"
    assert lines.get_attribute("aria-atomic") == "true"
    drawing = tab.locator("#page-stage > svg")
    assert drawing.locator("> title").text_content() == "The graph of L + 3"
    assert drawing.locator("> desc").text_content().startswith("8 nodes, ")
    assert drawing.get_attribute("role") == "group"
    assert tab.get_by_role("button", name="L = tanh(a*b + c)", exact=True).count() == 1
    assert tab.get_by_role("button", name="3, a constant").count() == 1
    tab.keyboard.press("End")
    assert tab.get_by_role("button", name="L = tanh(a*b + c), data 0.761594, grad 1.0", exact=True).count() == 1
    stops = []
    for _ in range(30):
        tab.keyboard.press("Tab")
        outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        stops.append(tab.evaluate("document.activeElement.id || document.activeElement.ariaLabel"))
        if stops[-1] == "page-last":
            break
        assert outline == "solid" or stops[-1] == "n0", "the focus is visible"
    assert stops == [
        *(f"page-{x}" for x in ("smaller", "whole", "larger", "dark", "quiz", "more")),
        "n0",  # the drawing is one tab stop; arrow keys move within it
        *(f"page-{x}" for x in ("lines", "latex", "undo", "reset")),
        *(f"value of {x}" for x in "abc"),
        *(f"page-{x}" for x in ("slider", "first", "back", "play", "next", "last")),
    ]


def test_zoom_and_drag_keep_the_point_under_the_mouse(tmp_path, open_page):
    tab = open_page(viz.page(example(), tmp_path / "L.html"), reduced_motion="reduce")
    fitted = bounding_box(tab, "#n4")
    tab.keyboard.press("+")
    larger = bounding_box(tab, "#n4")
    assert larger["width"] == pytest.approx(1.25 * fitted["width"], rel=0.02)
    tab.keyboard.press("-")
    tab.keyboard.press("-")
    assert bounding_box(tab, "#n4")["width"] < 0.85 * fitted["width"]
    tab.keyboard.press("0")
    assert bounding_box(tab, "#n4") == pytest.approx(fitted, abs=1)
    middle = fitted["x"] + fitted["width"] / 2, fitted["y"] + fitted["height"] / 2
    tab.mouse.move(*middle)
    tab.mouse.wheel(0, -200)
    tab.wait_for_function(f"document.querySelector('#n4').getBoundingClientRect().width > {1.3 * fitted['width']}")
    zoomed = bounding_box(tab, "#n4")
    assert zoomed["x"] + zoomed["width"] / 2 == pytest.approx(middle[0], abs=2), "the point under the mouse stays there"
    before = title(tab)
    tab.mouse.down()
    tab.mouse.move(middle[0] - 100, middle[1] + 50, steps=4)
    tab.mouse.up()
    assert bounding_box(tab, "#n4")["x"] == pytest.approx(zoomed["x"] - 100, abs=2)
    assert bounding_box(tab, "#n4")["y"] == pytest.approx(zoomed["y"] + 50, abs=2)
    assert title(tab) == before, "a drag is not a click"
    tab.locator("#page-whole").click()
    assert bounding_box(tab, "#n4") == pytest.approx(fitted, abs=1)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844), (1920, 1080), (320, 480)])
def test_the_current_node_is_in_view_and_readable(width, height, tmp_path, open_page):
    tab = open_page(viz.page(micrograd_example(), tmp_path / "L.html"), width, height, reduced_motion="reduce")
    steps = int(tab.get_attribute("#page-slider", "max"))
    inside = """() => {
        const stage = document.querySelector("#page-stage").getBoundingClientRect();
        const within = (box) => box.left >= stage.left - 1 && box.right <= stage.right + 1 && box.top >= stage.top - 1
            && box.bottom <= stage.bottom + 1;
        const lines = document.querySelector("#page-lines");
        return [
            [...document.querySelectorAll(".node.now")].every((node) => within(node.getBoundingClientRect())),
            parseFloat(getComputedStyle(lines).fontSize),
            document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight,
            lines.scrollHeight <= lines.clientHeight,
            document.querySelector(".node.now text")?.getBoundingClientRect().height ?? 1000,
        ]
    }"""
    heights = []
    for i in range(1, steps):
        tab.keyboard.press("ArrowRight")
        in_view, size, no_scrolling, fits, height = tab.evaluate(inside)
        heights.append(height)
        assert in_view, i
        assert no_scrolling
        if width >= 1280:
            assert fits, i
        assert size >= (14 if width >= 1280 else 12)
    assert sorted(h for h in heights if h < 1000)[len(heights) // 4] > (15 if width >= 1280 else 6), "it is readable"
    tab.set_viewport_size({"width": 360, "height": 600})
    tab.wait_for_timeout(100)
    resized = tab.evaluate(inside)
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowLeft")
    assert resized == tab.evaluate(inside), "the view follows the window"


def luminance(png):
    """Return the lightness of the upper left pixel of a screenshot, from 0 to 255."""
    import zlib

    chunks = b"".join(
        png[m.end() : m.end() + struct.unpack(">I", png[m.start() - 4 : m.start()])[0]]
        for m in re.finditer(b"IDAT", png)
    )
    return zlib.decompress(chunks)[1]


def test_light_and_dark_have_enough_contrast(tmp_path, open_page):
    path = viz.page(example(), tmp_path / "page.html")
    light, dark = open_page(path, color_scheme="light"), open_page(path, color_scheme="dark")
    assert luminance(light.screenshot()) > 240
    assert luminance(dark.screenshot()) < 40
    contrast = """() => {
        const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((x) => x / 255);
        const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
        const light = (colour) => channels(colour).map(linear)
            .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
        return [...document.querySelectorAll("#page-stage .node")].flatMap((node) => {
            const shape = node.querySelector("path, ellipse, polygon");
            const paper = shape ? getComputedStyle(shape).fill : getComputedStyle(document.body).backgroundColor;
            return [...node.querySelectorAll("text")].map((text) => {
                const [a, b] = [getComputedStyle(text).fill, paper].map(light);
                return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            });
        });
    }"""
    for tab in (light, dark):
        assert min(tab.evaluate(contrast)) > 4.5
        button = tab.get_by_role("button", name="dark colours")
        before = button.get_attribute("aria-pressed")
        button.click()
        assert button.get_attribute("aria-pressed") != before
    assert luminance(light.screenshot()) < 40
    assert luminance(dark.screenshot()) > 240


def test_reduced_motion_moves_at_once(tmp_path, open_page):
    path = viz.page(micrograd_example(), tmp_path / "L.html")
    moving, still = open_page(path), open_page(path, reduced_motion="reduce")
    for tab in (moving, still):
        tab.keyboard.press("ArrowRight")
    assert moving.evaluate("document.getAnimations().length") > 0
    view = "document.querySelector('#page-stage > svg').getAttribute('viewBox')"
    assert still.evaluate("document.getAnimations().length") == 0
    assert still.locator(".flow").count() == 0
    assert still.evaluate("getComputedStyle(document.querySelector('.node')).transitionDuration") == "0s"
    at_once = still.evaluate(view)
    still.wait_for_timeout(450)
    assert still.evaluate(view) == at_once
    moving.wait_for_timeout(450)
    assert moving.evaluate(view) == at_once, "with and without motion, the view is the same in the end"
    assert moving.evaluate("document.getAnimations().length") == 0


def test_print_shows_the_last_step_on_one_page(tmp_path, open_page):
    tab = open_page(viz.page(loss_of_a_network(), tmp_path / "L.html"), color_scheme="dark")
    tab.keyboard.press("ArrowRight")
    pdf = tab.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type */Page\b", pdf)) == 1
    width, height = (float(x) for x in re.search(rb"/MediaBox *\[0 0 ([\d.]+) ([\d.]+)\]", pdf).groups())
    assert (width, height) == pytest.approx((842, 595), abs=2), "A4 landscape"
    assert title(tab) == "Forward 1 of 9", "printing does not change the step"
    tab.emulate_media(media="print", color_scheme="dark")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert title(tab) == "Every gradient is complete"
    assert luminance(tab.screenshot()) > 240
    assert not tab.locator("#page-steps").is_visible()


def test_without_scripts_the_drawing_shows_the_last_step(tmp_path, open_page):
    root = example()
    tab = open_page(viz.page(root, tmp_path / "L.html"), java_script_enabled=False)
    root.backward()
    assert tab.locator("#n0-grad").text_content() == f"grad {format_number(root.parents[0].parents[0].parents[0].grad)}"


HOSTILE = [
    "</script><img src=x onerror=alert(1)>", "</title></style></svg><script>alert(2)</script>", "{x|y}", "&amp;",
    "<!--", "]]>", "@data@", "\\", "'\"`${alert(3)}", "🎉👩\u200d🔬", "权重", "שלום", "\u202eevil", "a\nb", "\r",
    "\x00\x1b[31m", "\u2028", "\ud800",
]  # fmt: skip


def plain(text):
    return text.replace("\u00a0", " ").strip()


@pytest.mark.parametrize("labels", [HOSTILE[:6], HOSTILE[6:12], HOSTILE[12:]], ids=["markup", "letters", "controls"])
def test_a_label_is_never_markup(labels, tmp_path, open_page):
    leaves = [Value(1.0, label) for label in labels]
    root = engine.sum(leaves)
    root.label = "L"
    tab = open_page(viz.page(root, tmp_path / "L.html"))
    names = Names(root)
    tab.keyboard.press("End")
    tab.keyboard.press("ArrowLeft")
    read = " ".join(" ".join(tab.locator("#page-lines p").all_text_contents()).split())
    for i, leaf in enumerate(leaves):
        drawn = "".join(tab.locator(f"#n{i} text").all_text_contents()[:-2])
        assert plain(drawn) == plain(names[leaf].replace("\\n", ""))
        assert tab.locator(f"#n{i}").get_attribute("aria-label") == f"{names[leaf]}, a leaf, data 1.0, grad 1.0"
        assert " ".join(f" {names.gradient(leaf)} += dL/dL * 1 = 1.0 * 1.0 = 1.0".split()) in read
        tab.locator(f"#n{i}").dispatch_event("pointerenter")
        assert tab.locator("#page-card p").first.text_content() == f"{names[leaf]}, a leaf"
    assert tab.locator("img").count() == 0
    assert tab.locator("script").count() == 2


@pytest.mark.parametrize("label", [*HOSTILE[:2], "@data@", "\ud800\u202e"])
def test_a_heading_is_never_markup(label, tmp_path, open_page):
    root = Value(2.0, label) * Value(3.0, "b")
    root.label = label + "!"
    tab = open_page(viz.page(root, tmp_path / "L.html"))
    seen = Names(root)[root.parents[0]]
    assert tab.title() == f"{seen}! = {seen}*b"
    heading = tab.locator("h1")
    assert (heading.locator(".spoken") if len(seen) < 28 else heading).text_content() == tab.title()
    assert tab.locator("#page-stage > svg > title").text_content() == f"The graph of {seen}! = {seen}*b"
    assert tab.locator("img").count() == 0
    assert tab.locator("script").count() == 2


def test_no_foreign_script_runs_and_nothing_is_loaded(tmp_path, browser):
    path = viz.page(example(), tmp_path / "L.html")
    text = path.read_text("utf-8")
    evil = '<script>document.title = "evil"</script><img src="data:," onerror="document.title = \'evil\'">'
    path.write_text(text.replace("</main>", f'{evil}<iframe src="https://example.invalid/"></iframe></main>'), "utf-8")
    tab = browser.new_page()
    complaints = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(path.as_uri())
    assert tab.title() == "L = tanh(a*b + c)"
    assert tab.evaluate("fetch('https://example.invalid/').catch((error) => error.name)") == "TypeError"
    refused = " ".join(complaints)
    assert all(
        what in refused
        for what in ("inline script", "inline event handler", "'data:,'", "Fetch API", "Framing", "default-src 'none'")
    )
    tab.close()
    assert not re.search(r"https?://", text)


def test_a_page_in_a_hidden_frame_works_once_it_is_shown(tmp_path, browser):
    text = viz.embed(example())._repr_html_()
    tab = browser.new_page()
    complaints = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.set_content(f'<div id="cell" style="display: none">{text}</div>')
    frame = tab.frame_locator("iframe")
    frame.locator("#page-lines h2").wait_for(state="attached")
    tab.evaluate("document.getElementById('cell').style.display = 'block'")
    stage = frame.locator("#page-stage").bounding_box()
    for i in range(6):
        box = frame.locator(f"#n{i}").bounding_box()
        assert stage["x"] < box["x"]
        assert box["x"] + box["width"] < stage["x"] + stage["width"]
    frame.get_by_role("spinbutton", name="value of a").fill("3.5")
    assert frame.locator("#n0-data").text_content() == "data 3.5"
    assert complaints == []
    tab.close()
