"""The page of frames, which the network page uses until it is drawn anew."""

import pytest

from tests.viz.pages.browsing import PAGE_STATE, title
from viz.pages.frames import Frame, parse_svg, write_page

CIRCLE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 40"><g id="z" class="node">'
    '<circle cx="20" cy="20" r="15" fill="#ffffff" stroke="#444444"/><text id="t" x="20" y="20">?</text></g></svg>'
)


def test_write_page_steps_through_any_drawing(tmp_path, open_page):
    frames = [
        Frame("One", ("z = 1.0",), ("z",), {"t": "1.0"}, "z", "forward"),
        Frame("Two", ("gone",), texts={"t": ""}, phase="backward"),
        Frame("Three", phase="update"),
    ]
    tab = open_page(write_page(tmp_path / "z.html", parse_svg(CIRCLE), frames, "A <neuron>", {"z": "the neuron z"}))
    assert tab.evaluate(PAGE_STATE) == {
        "title": "One", "lines": ["z = 1.0"], "lit": ["z"], "now": ["z"], "texts": {"t": "1.0"},
        "aria_labels": {"z": "the neuron z, 1.0"},
    }  # fmt: skip
    assert tab.locator("h1").text_content() == "A <neuron>"
    tab.keyboard.press("ArrowRight")
    assert tab.locator("#t").text_content() == ""
    tab.keyboard.press("ArrowRight")
    tab.locator("#z").click()
    assert title(tab) == "One", "this phase has no step of the node, so the click goes to another phase"


@pytest.mark.parametrize(
    ("frames", "descriptions", "message"),
    [
        ([], {}, "at least one Frame, got none"),
        ([Frame("One", highlighted=("y",))], {}, "'One'.* got 'y'"),
        ([Frame("One", texts={"y": ""})], {}, "'One'.* got 'y'"),
        ([Frame("One", node="y")], {}, "'One'.* got 'y'"),
        ([Frame("One")], {"y": "y"}, "descriptions .*got 'y'"),
    ],
)
def test_frames_must_name_ids_of_the_drawing(frames, descriptions, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        write_page(tmp_path / "z.html", parse_svg(CIRCLE), frames, "z", descriptions)
