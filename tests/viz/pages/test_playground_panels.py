"""What the playground shows of a training: confusion matrices, histograms, marks, curves over one input, pictures."""

import math

import pytest

import nn
from demos._data import XOR, iris, moons
from tests.viz.pages.playing import button

pytestmark = pytest.mark.exhaustive
expect = pytest.importorskip("playwright.sync_api").expect


def show(tab, panel):
    tab.get_by_role("radio", name=panel, exact=True).check()


def train(tab, epochs):
    button(tab, "one epoch").evaluate("(button, n) => { for (let i = 0; i < n; i++) button.click(); }", epochs)


@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.hinge, nn.binary_cross_entropy])
def test_a_confusion_matrix_counts_the_predictions_of_both_parts(playground, loss):
    table = iris().standardized()
    n = 3 if loss is nn.cross_entropy else 2
    classes = ["A & B", "B", "C"][:n]
    low = -1 if loss is nn.hinge else 0
    data = [(x, k if n == 3 else 1 if k == 1 else low) for x, k in table.examples]
    model = nn.MLP(4, [5, n if n == 3 else 1], seed=2)
    tab = playground(model, data[::2], test=data[1::2], loss=loss, classes=classes)
    show(tab, "confusion matrix")
    train(tab, 2)
    nn.train(model, loss, data[::2], epochs=2, seed=0, progress=False)
    for part, pairs in (("training", data[::2]), ("test", data[1::2])):
        counts = {}
        for x, r in pairs:
            y = model(x)
            prediction = max(range(3), key=lambda k: y[k].data) if n == 3 else int(y.data > 0)
            actual = r if n == 3 else int(r > 0)
            counts[actual, prediction] = counts.get((actual, prediction), 0) + 1
        cells = tab.get_by_role("table", name=part).get_by_role("cell")
        names = [
            f"class {classes[i]} taken for {classes[j]}: {counts.get((i, j), 0)}" for i in range(n) for j in range(n)
        ]
        for name in names:
            expect(cells.and_(tab.get_by_role("cell", name=name, exact=True))).to_have_count(1)


def test_a_regression_has_no_confusion_matrix(playground):
    tab = playground(nn.MLP(1, [3, 1], seed=1), [(0.0, 1.0), (1.0, 2.0)], loss=nn.mse)
    assert tab.get_by_role("radio", name="confusion matrix").count() == 0


def histogram(tab, name):
    """The numbers of a histogram, from what the page says of it."""
    tab.get_by_role("img", name=name, exact=True).focus()
    texts = tab.locator("#play-histogram-numbers [data-says=numbers] [data-place]").all_text_contents()
    return [float(text.replace("−", "-")) for text in texts[1:6]]


def test_histograms_have_the_numbers_of_every_layer(playground):
    data, model = moons().two_classes(), nn.MLP(2, [3, 1], seed=1)
    tab = playground(model, data, loss=nn.hinge)
    show(tab, "histograms")
    outputs, gradients = [], []
    for x, r in data:
        (_, z), _ = model.trace(x)
        outputs += [value.data for value in z]
        for w in model.parameters():
            w.grad = 0.0
        nn.hinge(model(x), r).backward()
        gradients += [w.grad for w in model.parameters()[9:]]
    for name, numbers in (("outputs of layer 1", outputs), ("gradients of output layer", gradients)):
        mean = sum(numbers) / len(numbers)
        deviation = math.sqrt(sum((x - mean) ** 2 for x in numbers) / len(numbers))
        expected = [len(numbers), min(numbers), max(numbers), mean, deviation]
        assert histogram(tab, name) == pytest.approx(expected, rel=6e-3)
    for _ in range(24):
        tab.keyboard.press("ArrowRight")
    assert tab.locator("[data-bar=gradients]").text_content() == "0 of a size from 316 to 1e+03."
    gradient = tab.evaluate("[...training.gradients]")
    button(tab, "one step").click()
    assert gradient == [0.0] * 13  # the histograms do not change those of the last step
    tab.locator("#play-structure").get_by_role("button", name="add").click()
    expect(tab.get_by_role("img", name="outputs of layer 2", exact=True)).to_be_visible()


def test_a_neuron_with_a_large_gradient_is_marked_in_its_name(playground):
    model = nn.MLP(2, [2, 1], hidden="linear", seed=1)
    model.layers[1].neurons[0].weights[2].data = 500.0
    optimizer = nn.SGD(model.parameters(), learning_rate=1e-6)
    tab = playground(model, XOR, loss=nn.mse, optimizer=optimizer)
    button(tab, "one step").click()
    button(tab, "neuron z2 of layer 1 exploding").click()
    expect(tab.locator("[data-explains=exploding]")).to_contain_text("longer than 100")
    sizes = tab.evaluate(
        "shape.layers.flat().map(({ weights }) => Math.hypot(...weights.map((w) => training.gradients[w])))"
    )
    marked = tab.locator(".unit[aria-pressed] [data-mark=exploding]:not([hidden])").count()
    assert marked == sum(size > 100 for size in sizes) > 0


def test_several_outputs_that_are_no_classes_have_no_confusion_matrix(playground):
    tab = playground(nn.MLP(2, [3, 2], seed=1), [([0.0, 1.0], [1, -1]), ([1.0, 0.0], [-1, -1])], loss=nn.hinge)
    assert tab.get_by_text("confusion matrix").count() == 0
    assert tab.get_by_role("status", name="accuracy", exact=True).text_content().endswith("%")


def test_the_output_over_one_input_is_a_curve_through_its_values(playground):
    model = nn.MLP(1, [3, 1], seed=1)
    data = [(i / 4, math.sin(i / 4)) for i in range(9)]
    tab = playground(model, data, loss=nn.mse)
    train(tab, 5)
    nn.train(model, nn.mse, data, epochs=5, seed=0, progress=False)
    size, column = tab.evaluate(
        """() => {
            const { canvas } = planes;
            const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const column = [];
            const x = Math.round(0.75 * width);
            for (let y = 0; y < width; y++) {
                const [red, , , alpha] = data.slice(4 * (y * width + x));
                if (alpha > 200 && red < 60) column.push(y);
            }
            return [width, column];
        }"""
    )
    low, high = tab.evaluate("space.ranges[0]")
    bottom, top = tab.evaluate("space.outputs")
    x = low + (round(0.75 * size) + 0.5) / size * (high - low)
    height = (1 - (model(x).data - bottom) / (top - bottom)) * size
    assert column
    assert sum(column) / len(column) == pytest.approx(height, abs=2)


@pytest.mark.parametrize("name", ["plane", "network"])
def test_a_picture_is_saved_as_png(playground, name):
    tab = playground(nn.MLP(2, [3, 1], seed=1), XOR, loss=nn.hinge)
    tab.locator("#play-save summary").click()
    with tab.expect_download() as download:
        button(tab, f"{name}, as PNG").click()
    content = download.value.path().read_bytes()
    box = tab.locator("#play-canvas" if name == "plane" else "#play-network").bounding_box()
    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20], "big") == pytest.approx(3 * box["width"], abs=12)  # the border is outside
