"""The examples of the playground: test part, noise, tables that are pasted or opened, and touch."""

import random
import re

import pytest

import nn
from demos._data import XOR, iris, moons
from tests.viz.pages.playing import button

pytestmark = pytest.mark.exhaustive
expect = pytest.importorskip("playwright.sync_api").expect
SEED = 5


def slide(tab, name, value):
    tab.get_by_role("slider", name=name, exact=True).fill(str(value))


def examples(tab, part="train"):
    return tab.evaluate(f"training.data.{part}")


def rows(data):
    return [[*x, float(r)] for x, r in data]


def close(x):
    return [pytest.approx(row, rel=1e-12, abs=1e-12) for row in x]


def split(data, share):
    data = list(data)
    random.Random(SEED).shuffle(data)
    n = round(share * len(data))
    return data[n:], data[:n]


def test_the_test_part_is_the_seeded_shuffle_of_python(playground):
    data = moons().two_classes()
    model = nn.MLP(2, [3, 1], seed=1)
    tab = playground(model, data[:80], test=data[80:], loss=nn.hinge, seed=SEED)
    assert tab.get_by_role("slider", name="test part").get_attribute("aria-valuetext") == "test part 20 %"
    for share in (0.4, 0.0, 0.7):
        slide(tab, "test part", 100 * share)
        train, test = split(data, share) if share else (data, [])
        assert (examples(tab), examples(tab, "test")) == (rows(train), rows(test))
    button(tab, "one epoch").click()
    nn.train(model, nn.hinge, train, epochs=1, seed=SEED, progress=False)
    assert tab.evaluate("[...training.weights]") == pytest.approx([w.data for w in model.parameters()], rel=1e-9)
    loss, _ = nn.evaluate(model, nn.hinge, test)
    assert float(tab.get_by_role("status", name="test loss").text_content()) == pytest.approx(loss, rel=1e-3)
    slide(tab, "test part", 20)  # the parts of the opening again
    assert (examples(tab), examples(tab, "test")) == (rows(data[:80]), rows(data[80:]))


def test_a_page_without_a_test_part_gets_one(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), moons().two_classes(), loss=nn.hinge)
    expect(tab.get_by_role("status", name="test loss")).to_be_hidden()
    slide(tab, "test part", 50)
    expect(tab.get_by_role("status", name="test loss")).to_be_visible()
    assert len(examples(tab, "test")) == 50


def test_noise_is_that_of_a_seeded_generator_and_is_undone_at_0(playground):
    data = moons().two_classes()
    tab = playground(nn.MLP(2, [3, 1], seed=1), data[:80], test=data[80:], loss=nn.hinge, seed=SEED)
    button(tab, "play").click()
    slide(tab, "noise", 20)
    button(tab, "pause").click()
    widths = [max(x[k] for x, _ in data) - min(x[k] for x, _ in data) for k in (0, 1)]
    rng = random.Random(SEED)
    noisy = [([x[k] + 0.2 * widths[k] * rng.gauss(0.0, 1.0) for k in (0, 1)], r) for x, r in data]
    assert examples(tab) == close(rows(noisy[:80]))
    assert examples(tab, "test") == close(rows(noisy[80:]))
    assert (
        tab.evaluate("[...training.floats.subarray(training.train.place, training.train.place + 3)]")
        == close(rows(noisy[:1]))[0]
    )
    slide(tab, "noise", 0)
    assert examples(tab) == rows(data[:80])


def test_the_state_of_the_examples_is_saved_and_restored(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), moons().two_classes(), loss=nn.hinge, seed=SEED)
    assert tab.evaluate("dataset.save()") is None
    slide(tab, "test part", 30)
    slide(tab, "noise", 10)
    tab.evaluate(
        "dataset.add([0, 0, 1]); dataset.remove(training.data.train[2]); dataset.move(training.data.train[0], { 0: 9 })"
    )
    saved, train, test = tab.evaluate("dataset.save()"), examples(tab), examples(tab, "test")
    tab.evaluate("dataset.restore(undefined)")
    assert tab.evaluate("dataset.save()") is None
    assert examples(tab) == rows(moons().two_classes())
    tab.evaluate("(saved) => dataset.restore(saved)", saved)
    assert (examples(tab), examples(tab, "test")) == (close(train), close(test))
    for hostile in (
        3,
        {"share": 7, "noise": "x", "rows": [[1]]},
        {"rows": [[0, 0, 1, 2, "<b>"]]},
        {"rows": [None]},
        {"rows": [[0.5, 0, 1, 2, 1]]},
    ):
        tab.evaluate("(saved) => dataset.restore(saved)", hostile)
        assert examples(tab) == rows(moons().two_classes())


def use_table(tab, text, *, standardize=False):
    button(tab, "your own data").click()
    tab.get_by_role("textbox", name="table").fill(text)
    tab.get_by_label("standardize").set_checked(standardize)
    button(tab, "train with this table").click()


def test_a_table_gives_examples_and_names(playground):
    table = iris()
    model = nn.MLP(2, [4, 3], seed=1)
    tab = playground(model, [([0.0, 0.0], 0), ([1.0, 1.0], 2)], loss=nn.cross_entropy)
    lines = [f"{x[0]};{str(x[1]).replace('.', ',')};{r}" for x, r in zip(table.rows, table.targets, strict=True)]
    use_table(tab, "\n".join(["length;width;kind", *lines, ""]))
    expect(tab.get_by_role("dialog")).to_be_hidden()
    kinds = [[float(k == table.classes.index(r)) for k in range(3)] for r in table.targets]
    assert examples(tab) == [[*x[:2], *r] for x, r in zip(table.rows, kinds, strict=True)]
    expect(tab.locator("#play-legend")).to_contain_text("versicolor")
    expect(tab.locator("#play-axes")).to_contain_text("length")
    button(tab, "one epoch").click()
    data = [(x[:2], table.classes.index(r)) for x, r in zip(table.rows, table.targets, strict=True)]
    nn.train(model, nn.cross_entropy, data, epochs=1, seed=0, progress=False)
    assert tab.evaluate("[...training.weights]") == pytest.approx([w.data for w in model.parameters()], rel=1e-9)


def test_the_inputs_of_a_table_can_be_standardized(playground):
    table = moons()
    tab = playground(nn.MLP(2, [4, 1], seed=1), XOR, loss=nn.mse)
    use_table(tab, "\n".join(f"{x},{y},{k}" for (x, y), k in table.examples), standardize=True)
    assert examples(tab) == close(rows(table.standardized().examples))
    for factor in (1e-200, 2.0**-1074, 1e308):  # whose squares underflow and overflow
        use_table(tab, "\n".join(f"{i * factor!r},{k % 2},{k}" for k, i in enumerate((0, 0, 1, 1))), standardize=True)
        assert examples(tab) == close([[-1, -1, 0], [-1, 1, 1], [1, -1, 2], [1, 1, 3]])


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("a,b,class\n1,2,0\n1,x,1", 'Line 3, column 2 (b) must be a finite number, got "x".'),
        ("1,2,0\n\n1,1e999,1", 'Line 3, column 2 (x2) must be a finite number, got "1e999".'),
        ("1,2,0\n1,2,3,1", "Line 2 must have 3 columns, got 4: 2 inputs of this model, then the target."),
        (
            "1,2,0\n1,2,1\n1,2,2",
            "Line 3, column 3 (target) must be one of at most 2 classes, since the model has outputs",
        ),
        ("1,2,0\n1,2,", "Line 2, column 3 (target) must be the name of a class, got nothing."),
        ('1,2,"a;b"\n3,x,"c"', 'Line 2, column 2 (x2) must be a finite number, got "x".'),
        ('x,y,"size\n(cm)"\n1,2,b\n1,,c', 'Line 4, column 2 (y) must be a finite number, got "".'),
        ("nan,nan,red\n1,2,red\n2,2,blue", 'Line 1, column 1 (x1) must be a finite number, got "nan".'),
        ("1,2,0", "The table must have at least 2 lines with an example each, got 1"),
        ("1,2,a\n1,<img src=x onerror=alert(1)>,a", 'Line 2, column 2 (x2) must be a finite number, got "<img src=x'),
    ],
)
def test_an_error_of_a_table_names_line_and_column(playground, table, sentence):
    tab = playground(nn.MLP(2, [4, 1], seed=1), XOR, loss=nn.hinge)
    use_table(tab, table)
    expect(tab.get_by_role("alert")).to_contain_text(sentence)
    assert tab.locator("img").count() == 0
    assert len(examples(tab)) == 4  # unchanged
    button(tab, "cancel").click()
    button(tab, "one step").click()


def test_a_table_without_some_names_takes_those_of_the_opening(playground):
    data = [([float(k), 0.0], k) for k in range(3)]
    tab = playground(nn.MLP(2, [4, 3], seed=1), data, loss=nn.cross_entropy, classes=["a", "b", "c"])
    use_table(tab, "width\theight\tkind\n1\t2\tc\n3\t4\td")
    assert tab.evaluate("dataset.names") == {"inputs": ["width", "height"], "classes": ["c", "d", "a"]}
    use_table(tab, "1,2,c\n3,4,a")
    assert tab.evaluate("dataset.names.inputs") == ["x1", "x2"]


def test_keys_in_the_table_and_on_the_menu_do_not_train(playground):
    tab = playground(nn.MLP(2, [4, 1], seed=1), XOR, loss=nn.hinge)
    button(tab, "your own data").click()
    tab.get_by_role("textbox", name="table").press_sequentially("xe 1")
    expect(tab.get_by_role("textbox", name="table")).to_have_value("xe 1")
    button(tab, "cancel").focus()
    tab.keyboard.press("e")
    button(tab, "cancel").click()
    tab.get_by_text("save", exact=True).press("Space")
    expect(button(tab, "curves, as CSV")).to_be_visible()
    assert tab.evaluate("training.time") == 0


def test_the_axes_change_places_and_an_unknown_example_is_not_moved(playground):
    tab = playground(nn.MLP(4, [3, 3], seed=1), iris().examples, loss=nn.cross_entropy)
    tab.get_by_label("input across").select_option("1")
    assert tab.evaluate("space.axes") == [1, 0]
    assert tab.get_by_label("input up").input_value() == "0"
    before = examples(tab)
    tab.evaluate("dataset.move([0, 0, 0, 0, 1, 0, 0], { 0: 9 })")  # one that undo has replaced
    assert examples(tab) == before


def test_names_of_a_table_never_become_markup(playground):
    tab = playground(nn.MLP(2, [4, 1], seed=1), XOR, loss=nn.hinge)
    use_table(tab, "<b>u</b>,v,r\n1,2,<img src=x>\n2,1,b")
    expect(tab.locator("#play-legend")).to_contain_text("<img src=x>")
    expect(tab.locator("#play-axes")).to_contain_text("<b>u</b>")
    assert tab.locator("#play-axes b, img").count() == 0


def test_a_table_is_pasted_or_opened_as_a_file(playground, tmp_path):
    tab = playground(nn.MLP(1, [4, 1], seed=1), [(0.0, 1.0), (1.0, 2.0)], loss=nn.mse)
    tab.evaluate(
        """() => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", "1\\t2\\n3\\t4\\n");
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }"""
    )
    expect(tab.get_by_role("textbox", name="table")).to_have_value("1\t2\n3\t4\n")
    (tmp_path / "table.csv").write_text('"x","y"\n"5",6\n7,8\n', encoding="utf-8-sig")
    tab.get_by_label("open a file").set_input_files(tmp_path / "table.csv")
    expect(tab.get_by_role("textbox", name="table")).to_have_value('"x","y"\n"5",6\n7,8\n')
    tab.get_by_label("standardize").uncheck()
    button(tab, "train with this table").click()
    assert examples(tab) == [[5.0, 6.0], [7.0, 8.0]]


def test_thousands_of_rows_fit(playground, tmp_path):
    tab = playground(nn.MLP(1, [2, 1], seed=1), [(0.0, 1.0), (1.0, 2.0)], loss=nn.mse)
    (tmp_path / "table.csv").write_text("\n".join(f"{i},{2 * i}" for i in range(3000)))
    button(tab, "your own data").click()
    tab.get_by_label("open a file").set_input_files(tmp_path / "table.csv")
    expect(tab.get_by_role("textbox", name="table")).to_have_value(re.compile("5998"))
    button(tab, "train with this table").click()
    assert tab.evaluate("training.train.n") == 3000
    (tmp_path / "long.csv").write_text("1,2\n" * 600_000)
    button(tab, "your own data").click()
    tab.get_by_label("open a file").set_input_files(tmp_path / "long.csv")
    expect(tab.get_by_role("alert")).to_contain_text("at most 2000000 characters")
    expect(tab.get_by_role("textbox", name="table")).to_have_value("")
    button(tab, "cancel").click()
    button(tab, "one step").click()
    assert tab.evaluate("training.steps") == 1


def test_examples_are_added_moved_and_removed_by_touch(tmp_path, open_page):
    import viz

    page = viz.playground(nn.MLP(2, [3, 1], seed=1), XOR, tmp_path / "play.html", loss=nn.hinge)
    tab = open_page(page, 390, 844, has_touch=True, is_mobile=True)
    tab.wait_for_selector("body[data-ready]")
    tab.get_by_text("edit the examples").tap()
    tab.get_by_role("radio", name="1", exact=True).tap()
    canvas = tab.locator("#play-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    center = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    tab.touchscreen.tap(**center)
    assert examples(tab)[4] == pytest.approx([0.5, 0.5, 1.0], abs=0.02)
    touch = tab.context.new_cdp_session(tab)
    for kind, points in [
        ("touchStart", [center]),
        ("touchMove", [{"x": center["x"], "y": center["y"] + box["height"] / 4}]),
        ("touchEnd", []),
    ]:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert examples(tab)[4] == pytest.approx([0.5, 0.5 - 1.24 / 4, 1.0], abs=0.02)
    tab.get_by_role("radio", name="remove", exact=True).check()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    tab.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 0.75 * box["height"])
    assert len(examples(tab)) == 4
