"""Layers and neurons that are added and removed in the playground: it trains as the model of that shape in Python."""

import pytest

import nn
from demos._data import XOR, iris, moons
from tests.viz.pages.playing import button, close, data_of, saved, train_epochs, weights

pytestmark = pytest.mark.exhaustive
expect = pytest.importorskip("playwright.sync_api").expect


def change(tab, *names):
    for name in names:
        button(tab, name).click()


def neurons(layer, n):
    return [f"add a neuron to layer {layer}"] * n


@pytest.mark.parametrize(
    ("sizes", "activation", "changes", "changed_sizes"),
    [
        ([2, 1], "tanh", [*neurons(1, 3), "add a layer", "remove a neuron from layer 2"], [5, 4, 1]),
        ([1], "relu", ["add a layer", "add a layer", *neurons(2, 6)], [4, 10, 1]),
        ([8, 8, 1], "sigmoid", ["remove a layer", "remove a neuron from layer 1"], [7, 1]),
        ([3, 1], "tanh", ["remove a layer"], [1]),
    ],
)
def test_a_changed_network_trains_as_nn_train_does(playground, sizes, activation, changes, changed_sizes):
    data = moons().two_classes()[:97]
    tab = playground(nn.MLP(2, sizes, hidden=activation, seed=1), data, loss=nn.hinge, seed=5)
    change(tab, *changes)
    model = nn.MLP(2, changed_sizes, hidden=activation, seed=5)
    assert weights(tab) == pytest.approx(data_of(model), rel=1e-15)
    assert tab.locator("#play-sizes").text_content() == "-".join(map(str, [2, *changed_sizes]))
    tab.get_by_label("stop at a plateau").uncheck()
    train_epochs(tab, 100)
    nn.train(model, nn.hinge, data, epochs=100, seed=5, until=lambda history: False, progress=False)
    assert weights(tab) == close(data_of(model))


def test_several_outputs_keep_their_bits(playground):
    data = iris().standardized().examples[::3]
    tab = playground(nn.MLP(4, [3, 3], seed=2), data, loss=nn.cross_entropy, seed=2)
    change(tab, *neurons(1, 2), "add a layer")
    train_epochs(tab, 10)
    model = nn.MLP(4, [5, 5, 3], seed=2)
    nn.train(model, nn.cross_entropy, data, epochs=10, seed=2, progress=False)
    assert weights(tab) == close(data_of(model))


def test_a_perceptron_becomes_a_network_and_a_perceptron_again(playground):
    model = nn.Perceptron(2, "linear", seed=1)
    tab = playground(model, XOR, loss=nn.hinge, seed=3)
    assert not tab.get_by_label("activation", exact=True).is_visible()
    change(tab, "add a layer")
    tab.get_by_label("activation", exact=True).select_option("relu")
    network = nn.MLP(2, [4, 1], hidden="relu", seed=3)
    assert weights(tab) == pytest.approx(data_of(network), rel=1e-15)
    assert button(tab, "neuron z4 of layer 1").is_visible()
    change(tab, "remove a layer")
    assert weights(tab) == data_of(model)
    assert saved(tab, "weights, for nn.load").count('"w2"') == 1


def test_the_saved_files_are_those_of_the_changed_network(playground, tmp_path):
    data = moons().two_classes()
    tab = playground(nn.MLP(2, [3, 1], seed=1), data, loss=nn.hinge, seed=4)
    change(tab, *neurons(1, 7), "add a layer")
    tab.get_by_label("first weights").select_option("he")
    train_epochs(tab, 3)
    (tmp_path / "model.json").write_text(saved(tab, "weights, for nn.load"))
    assert data_of(nn.load(nn.MLP(2, [10, 10, 1]), tmp_path / "model.json")) == weights(tab)
    program = saved(tab, "training, a program in Python")
    assert "nn.MLP(2, [10, 10, 1], hidden='tanh', output='linear', init='he', seed=4)" in program
    names = {}
    exec(program, names)
    assert data_of(names["model"]) == close(weights(tab))


def test_the_buttons_work_by_keyboard_and_say_their_limits(playground):
    tab = playground(nn.MLP(2, [2, 1], seed=1), XOR, loss=nn.hinge)
    add, remove = button(tab, "add a neuron to layer 1"), button(tab, "remove a neuron from layer 1")
    add.focus()
    for _ in range(20):
        tab.keyboard.press("Enter")
    assert tab.evaluate("shape.sizes") == [2, 16, 1]
    expect(add).to_be_focused()
    assert add.get_attribute("aria-disabled") == "true"
    assert "16 neurons" in add.get_attribute("title")
    assert tab.locator("#play-columns .more").text_content() == "⋮ 8 more"
    remove.focus()
    for _ in range(20):
        tab.keyboard.press("Enter")
    assert tab.evaluate("shape.sizes") == [2, 1, 1]
    assert "at least one neuron" in remove.get_attribute("title")
    for _ in range(5):
        button(tab, "add a layer").click()
    assert tab.evaluate("shape.sizes") == [2, 1, 1, 1, 1, 1, 1, 1]
    assert "6 hidden layers" in button(tab, "add a layer").get_attribute("title")
    for _ in range(6):
        button(tab, "remove a layer").click()
    assert tab.evaluate("shape.sizes") == [2, 1]
    assert "must be a hidden layer" in button(tab, "remove a layer").get_attribute("title")


def test_a_model_that_is_no_stack_of_layers_keeps_its_shape(playground):
    model = nn.MLP(2, [3, 1], seed=1)
    first, second, _ = model.layers[0].neurons
    second.weights = (second.weights[0], *first.weights[1:])
    tab = playground(model, XOR, loss=nn.hinge)
    assert tab.get_by_role("button", name="layer 1").count() == 3  # the neurons
    assert not button(tab, "add a layer").is_visible()
    train_epochs(tab, 5)
    nn.train(model, nn.hinge, XOR, epochs=5, seed=0, progress=False)
    assert weights(tab) == close(data_of(model))


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_the_largest_network_fits_the_screen(playground, width, height):
    tab = playground(nn.MLP(2, [12] * 5 + [1], seed=1), XOR, width, height, loss=nn.hinge)
    change(tab, "add a layer")
    for box in [x.bounding_box() for x in tab.locator("#play-network :is(.unit, .change button)").all()]:
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert width < 701 or box["y"] + box["height"] <= height
        assert min(box["width"], box["height"]) >= 14


def test_first_weights_are_not_chosen_where_neurons_share_weights(playground):
    model = nn.MLP(2, [2, 1], seed=1)
    first, second = model.layers[0].neurons
    second.weights = first.weights
    tab = playground(model, XOR, loss=nn.hinge, batch_size=2)
    assert not tab.get_by_label("first weights").count()
    tab.get_by_label("seed").fill("7")
    assert weights(tab) == data_of(model)
    train_epochs(tab, 2)
    nn.train(model, nn.hinge, XOR, epochs=2, batch_size=2, seed=7, progress=False)
    assert weights(tab) == close(data_of(model))
