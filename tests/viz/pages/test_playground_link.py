"""The link of the playground, and undo and redo of changes."""

import pytest

import nn
import viz
from demos._data import XOR, iris, moons
from tests.viz.pages.playing import button, close, data_of, field, number, point, train_epochs, weights
from tests.viz.pages.test_sharing import HOSTILE, link_of

pytestmark = pytest.mark.exhaustive
pytest.importorskip("playwright.sync_api")

STATE = """() => ({
    sizes: shape.sizes, hidden: shape.hidden, weights: [...training.weights], train: training.data.train,
    settings: training.settings[training.optimizer], optimizer: training.optimizer, batch: training.batch,
    seed: training.data.seed, axes: space.axes, held: space.held,
    fields: [...document.querySelectorAll("input:not([type=range]), select")].map((x) => x.value + x.checked),
})"""


@pytest.fixture
def open_playground(tmp_path, open_page):
    path = viz.playground(
        nn.MLP(4, [3, 3], seed=1), iris().standardized().examples, tmp_path / "play.html", loss=nn.cross_entropy
    )

    def open_playground(link=""):
        tab = open_page(path, link=link)
        tab.wait_for_selector("body[data-ready]")
        return tab

    return open_playground


def copied_link(tab):
    button(tab, "copy link").click()
    tab.wait_for_function("() => document.querySelector('#page-link').dataset.done")
    return "#" + tab.url.partition("#")[2]


def test_a_link_brings_the_whole_state_and_trains_to_the_same_numbers(open_playground):
    tab = open_playground()
    button(tab, "add a neuron to layer 1").click()
    button(tab, "add a layer").click()
    tab.get_by_label("activation", exact=True).select_option("relu")
    tab.get_by_label("first weights").select_option("he")
    field(tab, "seed").fill("7")
    tab.get_by_label("optimizer").select_option("SGD")
    field(tab, "learning rate").fill("0.03125")
    field(tab, "momentum").fill("0.5")
    field(tab, "batch size").fill("20")
    tab.get_by_label("edit the examples").check()
    tab.mouse.click(*point(tab, 0.5, 0.5))
    tab.get_by_label("edit the examples").uncheck()
    tab.get_by_label("input across").select_option("2")
    tab.get_by_label("speed").select_option("fast")
    assert len(tab.evaluate("training.data.train")) == 151
    copied = open_playground(copied_link(tab))
    assert copied.evaluate(STATE) == tab.evaluate(STATE)
    assert button(copied, "undo").get_attribute("aria-disabled") == "true"
    for each in (tab, copied):
        button(each, "reset").click()
        train_epochs(each, 5)
    assert weights(copied) == weights(tab)
    model = nn.MLP(4, [4, 4, 3], hidden="relu", init="he", seed=7)
    rows = tab.evaluate("training.data.train")
    sgd = nn.SGD(model.parameters(), learning_rate=0.03125, momentum=0.5)
    data = [(row[:4], row[4:]) for row in rows]
    nn.train(model, nn.cross_entropy, data, optimizer=sgd, epochs=5, batch_size=20, seed=7, progress=False)
    assert weights(copied) == close(data_of(model))


def test_the_address_follows_the_page_and_is_bare_on_opening(open_playground):
    tab = open_playground()
    assert "#" not in tab.url
    button(tab, "add a layer").click()
    tab.wait_for_function("() => location.hash")
    button(tab, "undo").click()
    tab.wait_for_function("() => !location.hash")


@pytest.mark.parametrize(
    "state",
    [
        *HOSTILE,
        {"layers": {"sizes": [3, 1e9], "activation": "constructor"}, "weights": {"seed": "-1", "first-weights": "<b>"}},
        {
            "layers": {"sizes": ["3"]},
            "settings": {"learning-rate": "1e999", "batch-size": "0.5", "optimizer": {"a": 1}},
        },
        {"layers": [1], "settings": "text", "examples": {"rows": [[0, 0, None]], "share": "1"}, "view": {"held-0": []}},
        {"step": {"time": 1e15}},
        {"step": {"time": 3, "epochs": 1, "steps": 1, "weights": [1, 2], "state": []}},
        {"__proto__": {"save": 1}, "constructor": 1, "view": {"plateau": "no", "input-across": "99", "speed": "warp"}},
    ],
)
def test_a_hostile_link_changes_nothing(open_playground, state):
    opening = open_playground().evaluate(STATE)
    tab = open_playground(link_of(state))
    assert {**tab.evaluate(STATE), "fields": 0} == {**opening, "fields": 0}
    train_epochs(tab, 1)
    assert number(tab, "epoch") == 1


def test_a_damaged_link_says_so(open_playground):
    tab = open_playground("#AAAA")
    assert tab.get_by_text("The link must be complete").is_visible()


def test_a_link_that_is_too_long_says_so(open_playground):
    tab = open_playground()
    tab.evaluate("dataset.replace(Array.from({ length: 3000 }, () => Array.from({ length: 7 }, Math.random)), [], [])")
    button(tab, "copy link").click()
    tab.get_by_text("and these examples need more").wait_for()
    assert "#" not in tab.url


def progress(tab):
    return tab.evaluate("""() => ({
        time: training.time, epochs: training.epochs, steps: training.steps, weights: [...training.weights],
        state: training.state.map((numbers) => [...numbers]), loss: curves.scores(),
    })""")


def test_a_link_opens_at_its_step(open_playground):
    tab = open_playground()
    field(tab, "learning rate").fill("0.05")
    train_epochs(tab, 2)
    for _ in range(3):
        button(tab, "one step").click()
    copied = open_playground(copied_link(tab))
    assert progress(copied) == progress(tab)
    assert number(copied, "step") == number(tab, "step") == 23
    assert copied.evaluate("shown.curve") == tab.evaluate("shown.curve")
    for each in (tab, copied):
        each.get_by_role("slider", name="step", exact=True).fill("7")
    assert progress(copied) == progress(tab)
    earlier = open_playground(copied_link(copied))
    assert progress(earlier) == progress(tab)
    for each in (tab, earlier):
        train_epochs(each, 2)
    assert progress(earlier) == progress(tab)


def test_a_link_has_the_weights_of_a_training_that_cannot_be_repeated(open_playground):
    tab = open_playground()
    train_epochs(tab, 2)
    field(tab, "learning rate").fill("0.05")
    button(tab, "one example").click()
    copied = open_playground(copied_link(tab))
    here, there = progress(copied), progress(tab)
    assert here["loss"].pop("epoch") == 2
    assert there["loss"].pop("epoch") == 2 + 1 / 150
    assert here == there
    button(copied, "one step").click()
    copied.get_by_role("slider", name="step", exact=True).fill("21")
    assert progress(copied)["weights"] == there["weights"]


def test_a_link_that_is_too_short_for_the_weights_says_so(tmp_path, open_page):
    model, data = nn.MLP(4, [16, 16, 16, 3], seed=1), iris().standardized().examples
    path = viz.playground(model, data, tmp_path / "play.html", loss=nn.cross_entropy)
    tab = open_page(path)
    train_epochs(tab, 1)
    field(tab, "learning rate").fill("0.05")
    button(tab, "copy link").click()
    tab.get_by_text("The copied link opens at the first weights").wait_for()
    copied = open_page(path, link=copied_link(tab))
    copied.wait_for_selector("body[data-ready]")
    assert (number(copied, "step"), field(copied, "learning rate").input_value()) == (0, "0.05")


def test_undo_of_a_change_that_begins_the_training_again_brings_back_its_weights(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), moons().two_classes(), loss=nn.hinge)
    train_epochs(tab, 2)
    states = [progress(tab)]
    button(tab, "add a neuron to layer 1").click()
    train_epochs(tab, 1)
    field(tab, "learning rate").fill("0.5")
    field(tab, "learning rate").blur()
    button(tab, "one step").click()
    states.append(progress(tab))
    tab.get_by_label("first weights").select_option("he")
    button(tab, "one step").click()
    states.append(progress(tab))
    button(tab, "undo").click()
    assert progress(tab)["weights"] == states[1]["weights"]
    button(tab, "undo").click()
    assert progress(tab)["weights"] == states[1]["weights"]  # the learning rate
    button(tab, "undo").click()
    assert progress(tab) == states[0]
    assert tab.evaluate("shown.curve.length") == 3
    for _ in range(3):
        button(tab, "redo").click()
    assert progress(tab)["weights"] == states[2]["weights"]


def test_changes_are_undone_and_redone_one_by_one(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), moons().two_classes(), loss=nn.hinge)
    states = [tab.evaluate(STATE)]

    def changed():
        states.append(tab.evaluate(STATE))

    button(tab, "add a neuron to layer 1").click()
    changed()
    field(tab, "learning rate").fill("0.5")
    field(tab, "learning rate").blur()
    changed()
    tab.get_by_label("optimizer").select_option("SGD")
    changed()
    field(tab, "seed").fill("9")
    field(tab, "seed").blur()
    changed()
    tab.get_by_label("activation", exact=True).select_option("relu")
    changed()
    tab.get_by_label("edit the examples").check()
    tab.mouse.move(*point(tab, 0.5, 0.5))
    tab.mouse.down()
    tab.mouse.move(*point(tab, 0.5, 0.25), steps=3)
    tab.mouse.up()
    changed()
    tab.get_by_label("edit the examples").uncheck()

    def without_fields(state):
        return {name: x for name, x in state.items() if name not in ("fields", "held")}

    for state in states[-2::-1]:
        tab.keyboard.press("Control+z")
        assert without_fields(tab.evaluate(STATE)) == without_fields(state)
    assert button(tab, "undo").get_attribute("aria-disabled") == "true"
    assert tab.evaluate(STATE)["fields"] == states[0]["fields"]
    for state in states[1:-1]:
        tab.keyboard.press("Control+Shift+Z")
        assert without_fields(tab.evaluate(STATE)) == without_fields(state)
    button(tab, "redo").click()
    assert without_fields(tab.evaluate(STATE)) == without_fields(states[-1])
    button(tab, "undo").click()
    field(tab, "batch size").fill("5")
    field(tab, "batch size").blur()
    assert button(tab, "redo").get_attribute("aria-disabled") == "true"


def test_steps_of_the_training_are_no_change_to_undo(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), XOR, loss=nn.hinge)
    field(tab, "learning rate").fill("0.5")
    train_epochs(tab, 3)
    trained = weights(tab)
    tab.keyboard.press("Control+z")
    assert weights(tab) == trained
    assert field(tab, "learning rate").input_value() == "0.02"
