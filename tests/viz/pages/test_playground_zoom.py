"""The playground goes back to any step, and shows where every number of it comes from, down to one chain rule."""

import random
import re

import pytest

import nn
from demos._data import XOR, iris, moons
from engine import Value
from engine.formatting import format_number
from tests.viz.pages.playing import button

pytestmark = pytest.mark.exhaustive
expect = pytest.importorskip("playwright.sync_api").expect
STATE = """() => ({
    weights: [...training.weights], gradients: [...training.gradients], state: training.state.map((x) => [...x]),
    settings: training.settings[training.optimizer], optimizer: training.optimizer, batch: training.batch,
    position: training.position, order: [...training.order], losses: training.recent, train: training.data.train,
    words: [...training.rng.words], place: training.rng.place, sum: training.sum,
})"""


def choose(tab, name):
    """Press a button of the close-up."""
    tab.locator("#play-zoom").get_by_role("button", name=name, exact=True).click()


def close(x):
    return pytest.approx(x, rel=1e-9, abs=1e-12)


def go_to(tab, step):
    tab.get_by_role("slider", name="step", exact=True).fill(str(step))


def train(tab, name, n=1):
    button(tab, name).evaluate("(button, n) => { for (let i = 0; i < n; i++) button.click(); }", n)


def rows(tab, table):
    """The numbers of a table of the close-up, by the text of the button of each row."""
    cells = tab.locator(f"#play-zoom-{table} tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent.replaceAll('\\u2212', '-')))"
    )
    return {first: [float(x) for x in others] for first, *others in cells}


def spoken(tab, level):
    """The formulas that a level shows, as text."""
    lines = tab.locator(f'#play-zoom section[data-level="{level}"] .spoken')
    return [line.text_content() for line in lines.all() if line.evaluate("(x) => !x.closest('[hidden]')")]


def test_every_step_comes_back_to_the_last_bit(playground):
    data = moons().two_classes()[:50]
    tab = playground(nn.MLP(2, [4, 1], seed=1), data, batch_size=8, loss=nn.hinge)
    states = [tab.evaluate(STATE)]

    def note(name, n):
        for _ in range(n):
            train(tab, name)
            states.append(tab.evaluate(STATE))

    note("one step", 9)
    note("one example", 3)
    tab.get_by_role("spinbutton", name="learning rate", exact=True).fill("0.3")
    note("one step", 20)
    tab.get_by_label("optimizer").select_option("SGD")
    tab.get_by_role("spinbutton", name="momentum", exact=True).fill("0.5")
    note("one step", 4)
    tab.get_by_role("spinbutton", name="batch size", exact=True).fill("5")
    note("one step", 3)
    tab.get_by_label("edit the examples").check()
    box = tab.locator("#play-canvas").bounding_box()
    tab.mouse.click(box["x"] + 20, box["y"] + 20)
    note("one step", 15)
    last = len(states) - 1
    states[0]["gradients"] = [0.0] * 17
    for step in [last, last - 1, 10, 33, 0, last, *random.Random(1).sample(range(last), 20), 1, last]:
        go_to(tab, step)
        now = tab.evaluate(STATE)
        # The settings and examples are those of the step, which may be changed after it.
        if step + 1 < len(states) and step not in (0, last):
            assert now["weights"] == states[step]["weights"], step
            assert now["gradients"] == states[step]["gradients"]
            assert now["words"] == states[step]["words"]
        else:
            assert now == states[step]
    assert len(examples := states[last]["train"]) == 51
    go_to(tab, 5)
    assert len(tab.evaluate("training.data.train")) == 50
    go_to(tab, last)
    assert tab.evaluate("training.data.train") == examples
    tab.evaluate("for (let i = 0; i < 3; i++) training.history.thin(1000)")  # fewer checkpoints, the same steps
    for step in (last, 37, 2, last):
        go_to(tab, step)
        assert tab.evaluate("[...training.weights]") == states[step]["weights"]


def test_training_on_from_an_earlier_step_drops_what_came_after(playground):
    model, data = nn.MLP(2, [3, 1], seed=1), moons().two_classes()[:40]
    tab = playground(model, data, batch_size=10, loss=nn.hinge)
    train(tab, "one epoch", 6)
    assert tab.evaluate("shown.curve.length") == 7
    go_to(tab, 9)
    expect(tab.get_by_role("status", name="epoch", exact=True)).to_have_text("2")
    assert tab.evaluate("shown.curve.length") == 7  # still to be seen
    train(tab, "one epoch")
    assert tab.get_by_role("slider", name="step", exact=True).get_attribute("max") == "12"
    assert tab.evaluate("shown.curve.map(({ epoch }) => epoch)") == [0, 1, 2, 3]
    train(tab, "one epoch")
    nn.train(model, nn.hinge, data, epochs=4, seed=0, batch_size=10, progress=False)
    assert tab.evaluate("[...training.weights]") == close([w.data for w in model.parameters()])
    go_to(tab, 2)
    tab.get_by_role("spinbutton", name="learning rate", exact=True).fill("0.5")
    assert tab.get_by_role("slider", name="step", exact=True).get_attribute("max") == "2"
    train(tab, "one step", 30)
    go_to(tab, 1)  # before that change, so that the steps from here on differ from those that are dropped
    train(tab, "one step", 23)
    expected = tab.evaluate("[...training.weights]")
    train(tab, "one step", 2)
    assert weights_of(tab, 24) == expected


def test_a_click_on_the_curve_goes_to_the_end_of_that_epoch(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), moons().two_classes()[:40], batch_size=10, loss=nn.hinge)
    train(tab, "one epoch", 10)
    box = tab.locator("#play-curves svg").first.bounding_box()
    tab.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 5)
    assert tab.get_by_role("slider", name="step", exact=True).input_value() == "12"


def weights_of(tab, step):
    go_to(tab, step)
    return tab.evaluate("[...training.weights]")


def set_weights(model, numbers):
    for parameter, x in zip(model.parameters(), numbers, strict=True):
        parameter.data = x
        parameter.grad = 0.0


def terms_by_hand(model, loss, data, batch, weight, bias):
    """For each example of a batch: delta, signal, their product and the loss, by the engine."""
    terms = {}
    for i in batch:
        x, r = data[i]
        model.zero_grad()
        result = loss(model(x), r)
        result.backward()
        delta, gradient = bias.grad, weight.grad
        layer, source = next(
            (k, list(neuron.weights).index(weight))
            for k, each in enumerate(model.layers) for neuron in each.neurons if weight in neuron.weights
        )  # fmt: skip
        before = [1.0, *(x if layer == 0 else [z.data for z in model.trace(x)[layer - 1][1]])]
        terms[str(i + 1)] = [delta, before[source], gradient, result.data]
    return terms


OPTIMIZERS = {
    "momentum": lambda p: nn.SGD(p, learning_rate=0.1, momentum=0.9, weight_decay=0.01),
    "SGD": lambda p: nn.SGD(p, learning_rate=0.5),
    "Adam": lambda p: nn.Adam(p, learning_rate=0.05, betas=(0.8, 0.95)),
}
CASES = {
    "momentum": (nn.MLP(2, [4, 1], seed=1), moons().two_classes()[:30], nn.hinge, ""),
    "SGD": (nn.MLP(1, [3, 2], seed=1), [([i / 4], [i * 1.0, -i / 3]) for i in range(19)], nn.mse, ""),
    "Adam": (nn.MLP(4, [3, 4, 3], seed=2), iris().standardized().examples[::5], nn.cross_entropy, "sigmoid"),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_is_explained_by_the_numbers_of_the_engine(playground, name):
    model, data, loss, activation = CASES[name]
    tab = playground(model, data, loss=loss, optimizer=OPTIMIZERS[name](model.parameters()), batch_size=7)
    if activation:
        tab.get_by_label("activation").select_option(activation)
        model = nn.MLP(model.n_inputs, model.sizes, hidden=activation)
    train(tab, "one step", 9)
    after, before = weights_of(tab, 9), weights_of(tab, 8)
    optimizer = OPTIMIZERS[name](model.parameters())
    optimizer.steps, optimizer.state = 8, [*zip(*tab.evaluate("training.state.map((x) => [...x])"), strict=True)]
    go_to(tab, 9)
    set_weights(model, before)
    button(tab, "look into this step").click()
    batch = [int(example) - 1 for example in tab.locator("#play-zoom-batch tbody button").all_text_contents()]
    assert len(batch) in {7, len(data) % 7}
    (sum(loss(model(x), r) for x, r in (data[i] for i in batch)) / len(batch)).backward()
    gradients = [w.grad for w in model.parameters()]
    assert tab.evaluate("[...training.gradients]") == close(gradients)
    decayed = [w.grad + optimizer.weight_decay * w.data for w in model.parameters()]
    optimizer.step()
    assert [w.data for w in model.parameters()] == close(after)
    set_weights(model, before)
    first, last = model.layers[0].neurons[1].weights, model.layers[-1].neurons[0].weights
    for weight, bias in [(first[1], first[0]), (last[1], last[0]), (last[0], last[0])]:
        i = model.parameters().index(weight)
        label = tab.evaluate(
            "(i) => { const { source, receiver } = stepData.ends(i); return `${source} → ${receiver}` }", i
        )
        choose(tab, f"weight {label}")
        expected = terms_by_hand(model, loss, data, batch, weight, bias)
        shown = rows(tab, "terms")
        assert [*shown] == [*expected]
        for example, numbers in expected.items():
            assert shown[example] == pytest.approx(numbers, rel=1e-3, abs=1e-9)
        exact = tab.evaluate("(i) => stepData.terms(stepData.take(), i).flatMap((term) => Object.values(term))", i)
        assert exact == close([x for term in expected.values() for x in term])
        mean = sum(product for _, _, product, _ in expected.values()) / len(batch)
        assert gradients[i] == close(mean)
        text = spoken(tab, "weight")
        assert text[0] == f"w = {format_number(before[i])} → {format_number(after[i])}"
        assert text[1].endswith(f"/{len(batch)} = {format_number(gradients[i])}")
        assert name != "momentum" or text[2].endswith(f"= {format_number(decayed[i])}")
        assert text[-1].endswith(f"= {format_number(after[i])}")
        for line in text[1:]:  # both sides of every equation in numbers are equal
            sides = [eval(side) for side in re.split(" [=←] ", line) if not re.search("[a-df-z]", side)]
            assert sides == pytest.approx([sides[-1]] * len(sides), rel=1e-3) if sides else line == "g = dL/dw"
        tab.keyboard.press("Escape")
        expect(tab.locator("#play-zoom-weights")).to_be_visible()


def test_a_step_is_explained_by_the_examples_that_it_had(playground):
    tab = playground(nn.MLP(2, [4, 1], seed=1), moons().two_classes()[:50], batch_size=8, loss=nn.hinge)
    train(tab, "one epoch", 2)
    before = tab.evaluate("training.data.train")
    tab.get_by_role("slider", name="test part", exact=True).fill("30")
    button(tab, "look into this step").click()
    gradient, mean = tab.evaluate("""() => {
        const step = stepData.take(), terms = stepData.terms(step, 4);
        return [step.gradients[4], terms.reduce((sum, { product }) => sum + product, 0) / terms.length];
    }""")
    assert mean == close(gradient)
    assert tab.evaluate("stepData.take().rows") == before
    inputs = tab.locator("#play-zoom-batch tbody tr").first.locator("td").nth(1).text_content().replace("−", "-")
    example = int(tab.locator("#play-zoom-batch tbody button").first.text_content())
    assert [float(x) for x in inputs.split(", ")] == pytest.approx(before[example - 1][:2], rel=1e-2)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_an_example_opens_its_network_at_the_update_of_the_weight(playground, activation):
    model, data = nn.MLP(2, [3, 1], seed=1), moons().two_classes()[:20]
    tab = playground(model, data, batch_size=5, optimizer=nn.SGD(model.parameters(), learning_rate=0.25), loss=nn.hinge)
    if activation != "tanh":
        tab.get_by_label("activation").select_option(activation)
        tab.wait_for_timeout(200)
    train(tab, "one step", 6)
    before = weights_of(tab, 3)
    go_to(tab, 4)
    button(tab, "look into this step").click()
    choose(tab, "weight x2 → z2")
    row = tab.locator("#play-zoom-terms tbody button").nth(2)
    example = int(row.text_content())
    delta, signal, product, loss = rows(tab, "terms")[str(example)]
    row.click()
    net = tab.frame_locator("#play-zoom-frame iframe")
    expect(net.locator("#page-lines h2")).to_contain_text("Update 2 of 4")
    page = next(frame for frame in tab.frames if frame != tab.main_frame)
    other = nn.MLP(2, [3, 1], hidden=activation)
    set_weights(other, before)
    x, r = data[example - 1]
    result = nn.hinge(other(x), r)
    result.backward()
    (a1, z1), (a2, _) = other.trace([Value(value) for value in x])
    numbers = page.evaluate("""() => {
        const { layers, weights } = page.data.network, end = page.momentAt(page.last), start = page.momentAt(0);
        const back = page.steps.findLastIndex(({ phase }) => phase === "backward"), moment = page.momentAt(back);
        return {
            a: layers.flat().map(({ sum }) => moment.data[sum]),
            z: layers.flat().map(({ output }) => moment.data[output]),
            deltas: layers.flat().map(({ sum }) => moment.grad[sum]), loss: moment.data[page.tape.root],
            weights: weights.map((i) => start.data[i]).sort((x, y) => x - y),
            moved: weights.map((i) => end.data[i]).sort((x, y) => x - y),
        }
    }""")
    biases = [neuron.weights[0].grad for layer in other.layers for neuron in layer.neurons]
    assert numbers["a"] == close([node.data for node in (*a1, *a2)])
    assert numbers["z"][:3] == close([node.data for node in z1])
    assert numbers["deltas"] == close(biases)
    assert numbers["loss"] == close(result.data)
    assert numbers["weights"] == close(sorted(before))
    assert numbers["moved"] == close(sorted(w.data - 0.25 * w.grad for w in other.parameters()))
    assert biases[1] == pytest.approx(delta, rel=1e-3, abs=1e-9)
    assert product == pytest.approx(delta * signal, rel=2e-3, abs=1e-9)
    assert loss == pytest.approx(result.data, rel=1e-3)
    net.get_by_role("button", name="reset", exact=True).click()
    assert page.evaluate("Object.keys(page.state.numbers).length") > 0  # the example's numbers, not those of the file


def test_back_escape_and_focus_return_level_by_level(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), XOR, loss=nn.hinge)
    assert button(tab, "look into this step").is_disabled()
    train(tab, "one epoch", 3)
    line = tab.locator("#play-lines line").first
    line.focus()
    tab.keyboard.press("ArrowDown")
    name = tab.evaluate("document.activeElement.getAttribute('aria-label')")
    assert name.startswith("weight ")
    assert not line.evaluate("(line) => line === document.activeElement")
    tab.keyboard.press("Enter")
    dialog = tab.get_by_role("dialog")
    expect(dialog.get_by_role("heading", level=2)).to_contain_text(name.removeprefix("weight "))
    button(tab, "example 2").focus()
    tab.keyboard.press("Enter")
    expect(tab.frame_locator("#play-zoom-frame iframe").locator("#page-lines h2")).to_contain_text("Update")
    tab.go_back()
    expect(button(tab, "example 2")).to_be_focused()
    tab.keyboard.press("ArrowLeft")
    expect(button(tab, "step 2")).to_be_visible()
    choose(tab, "step 2")
    choose(tab, "step after")
    expect(dialog.get_by_role("heading", level=2)).to_contain_text("Step 3")
    tab.keyboard.press("Escape")
    expect(tab.locator("#play-zoom-terms")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert tab.evaluate("document.activeElement.getAttribute('aria-label')") == name
    tab.go_forward()
    expect(dialog).to_be_visible()
    choose(tab, "close")
    expect(dialog).to_be_hidden()


def test_tab_reaches_controls_alone(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), XOR, loss=nn.hinge)
    train(tab, "one step", 2)

    def focused(n):
        for _ in range(n):
            tab.keyboard.press("Tab")
            yield tab.evaluate("document.activeElement.localName")

    assert {*focused(45)} <= {"body", "summary", "button", "input", "select", "line"}
    tab.locator("#play-lines line").first.press("Enter")
    assert {*focused(12)} <= {"body", "button"}


def test_back_from_the_close_up_keeps_the_training_whatever_the_link_says(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), XOR, loss=nn.hinge)
    train(tab, "one step", 3)
    tab.get_by_role("spinbutton", name="learning rate", exact=True).fill("0.5")
    train(tab, "one step", 3)
    expect(tab).to_have_url(re.compile("#"))
    address = tab.url
    button(tab, "look into this step").click()
    for _ in range(4):
        choose(tab, "step before")  # at the first learning rate, which is that of a link without anything
    expect(tab).not_to_have_url(address)
    tab.keyboard.press("Escape")
    expect(tab.locator("#play-zoom")).to_be_hidden()
    tab.wait_for_timeout(100)
    assert tab.evaluate("[training.time, training.history.last]") == [2, 6]


def test_escape_in_the_network_of_an_example_leaves_it(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), XOR, loss=nn.hinge)
    train(tab, "one step")
    button(tab, "look into this step").click()
    choose(tab, "example 3")
    net = tab.frame_locator("#play-zoom-frame iframe")
    expect(net.locator("#page-lines h2")).to_contain_text("inputs")
    net.locator("#page-next").click()
    tab.keyboard.press("Escape")
    expect(tab.locator("#play-zoom-batch")).to_be_visible()


def test_without_a_network_page_the_chain_rule_goes_from_neuron_to_neuron(playground):
    data = moons().two_classes()[:20]
    tab = playground(nn.MLP(2, [3, 1], seed=1), data, loss=nn.hinge)
    button(tab, "add a layer").click()  # the network is now another than that of the file
    button(tab, "add a neuron to layer 2").click()
    train(tab, "one step", 2)
    model = nn.MLP(2, [3, 4, 1])
    set_weights(model, weights_of(tab, 1))
    go_to(tab, 2)
    button(tab, "look into this step").click()
    choose(tab, "weight x1 → z⁽¹⁾2")
    example = int(tab.locator("#play-zoom-terms tbody button").first.text_content())
    choose(tab, f"example {example}")
    assert "undo their changes" in tab.locator("#play-zoom [data-note]:visible").text_content()
    x, r = data[example - 1]
    nn.hinge(model(x), r).backward()
    deltas = [[neuron.weights[0].grad for neuron in layer.neurons] for layer in model.layers]
    back = [neuron.weights[2].data for neuron in model.layers[1].neurons]
    expected = {f"z⁽²⁾{k + 1}": [w, delta, w * delta] for k, (w, delta) in enumerate(zip(back, deltas[1], strict=True))}
    shown = rows(tab, "receivers")
    assert [*shown] == [*expected]
    for name, numbers in expected.items():
        assert shown[name] == pytest.approx(numbers, rel=1e-3, abs=1e-9)
    _, z = model.trace(x)[0]
    total, slope = sum(product for _, _, product in expected.values()), 1 - z[1].data ** 2
    assert total != 0
    assert total * slope == close(deltas[0][1])
    assert f"{slope:.5g}" in spoken(tab, "example")[-1]
    choose(tab, "neuron z⁽²⁾3")
    expect(tab.locator("#play-zoom nav")).to_contain_text("z⁽¹⁾2 → z⁽²⁾3")
    choose(tab, "neuron y")
    expect(tab.get_by_text("here the chain rule begins")).to_be_visible()
    tab.go_back()
    tab.go_back()
    expect(tab.locator("#play-zoom nav")).to_contain_text("x1 → z⁽¹⁾2")
    assert rows(tab, "receivers") == shown


def test_a_weight_that_neurons_share_is_not_shown_as_products(playground):
    model = nn.MLP(2, [2, 1], seed=1)
    first, second = model.layers[0].neurons
    second.weights = (second.weights[0], first.weights[1], second.weights[2])
    tab = playground(model, XOR, loss=nn.hinge)
    train(tab, "one step")
    button(tab, "look into this step").click()
    choose(tab, "weight x1 → z1")
    expect(tab.get_by_text("Several neurons share this weight")).to_be_visible()
    expect(tab.locator("#play-zoom-terms")).to_be_hidden()


def test_a_large_network_keeps_its_table_and_a_sentence_says_why(playground):
    tab = playground(nn.MLP(2, [40, 24, 1], seed=1), [([0.0, 1.0], 1.0), ([1.0, 0.5], 0.0)], loss=nn.mse)
    train(tab, "one step")
    button(tab, "look into this step").click()
    tab.locator("#play-zoom-weights tbody button").first.click()
    choose(tab, "example 1")
    assert "1,000 weights" in tab.locator("#play-zoom [data-note]:visible").text_content()
    assert tab.locator("#play-zoom iframe").count() == 0


def test_a_network_whose_numbers_overflow_is_not_shown(playground):
    model = nn.MLP(1, [1], seed=1)
    sgd = nn.SGD(model.parameters(), learning_rate=1e-300)
    tab = playground(model, [([1.0], 0.0)], loss=nn.mse, optimizer=sgd)
    train(tab, "one step")
    button(tab, "look into this step").click()
    tab.evaluate("const step = stepData.take(); step.rows[0][0] = 1e160; frame.show(step, { weight: 1, example: 0 })")
    expect(tab.locator('[data-note="trouble"]')).not_to_have_attribute("hidden", "")
