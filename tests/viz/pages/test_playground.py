"""The playground in a browser: it trains as `nn.train` does, and every control works."""

import random
import re

import pytest

import nn
from demos._data import XOR, iris, moons
from tests.viz.pages.playing import button, close, data_of, field, number, point, saved, train_epochs, weights

pytestmark = pytest.mark.exhaustive
expect = pytest.importorskip("playwright.sync_api").expect


def wait_for_epochs(tab):
    """Wait until the page has trained for more than ten epochs."""
    expect(tab.get_by_role("status", name="epoch", exact=True)).to_have_text(re.compile(r"\d\d+"))


OPTIMIZERS = {
    "SGD": lambda p: nn.SGD(p, learning_rate=0.05),
    "momentum": lambda p: nn.SGD(p, learning_rate=0.02, momentum=0.9, weight_decay=1e-3),
    "Adam": lambda p: nn.Adam(p, learning_rate=0.01, weight_decay=1e-3),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("batch_size", "seed"), [(16, 0), (7, 2**40 + 3), (None, 1)])
def test_a_hundred_epochs_give_the_weights_of_nn_train(playground, optimizer, batch_size, seed):
    # 97 examples: with equally many in both classes, the gradient of the last bias weight is a rounding error, and Adam
    # scales it up.
    data, model = moons().two_classes()[:97], nn.MLP(2, [8, 8, 1], seed=1)
    options = {"batch_size": batch_size, "seed": seed}
    tab = playground(model, data, loss=nn.hinge, optimizer=OPTIMIZERS[optimizer](model.parameters()), **options)
    tab.get_by_label("stop at a plateau").uncheck()
    train_epochs(tab, 100)
    history = nn.train(
        model, nn.hinge, data, optimizer=OPTIMIZERS[optimizer](model.parameters()), epochs=100,
        until=lambda history: False, progress=False, **options,
    )  # fmt: skip
    assert weights(tab) == close(data_of(model))
    assert tab.evaluate("training.recent") == close(history.loss[-20:])
    loss, accuracy = nn.evaluate(model, nn.hinge, data)
    assert number(tab, "training loss") == pytest.approx(loss, rel=1e-3)
    assert number(tab, "accuracy") == pytest.approx(100 * accuracy, abs=0.05)


@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.mse, nn.binary_cross_entropy])
def test_every_loss_is_trained_as_in_python(playground, loss):
    table = iris().standardized()
    data = table.examples if loss is nn.cross_entropy else [(x, k / 2) for x, k in table.examples]
    sizes = [5, 3] if loss is nn.cross_entropy else [5, 1]
    model = nn.MLP(4, sizes, hidden="sigmoid", seed=2)
    tab = playground(model, data[::2], loss=loss, test=data[1::2])
    before = nn.evaluate(model, loss, data[1::2])
    assert number(tab, "test loss") == pytest.approx(before[0], rel=1e-3)
    train_epochs(tab, 20)
    nn.train(model, loss, data[::2], epochs=20, seed=0, progress=False)
    assert weights(tab) == close(data_of(model))
    test_loss, accuracy = nn.evaluate(model, loss, data[1::2])
    assert number(tab, "test loss") == pytest.approx(test_loss, rel=1e-3)
    if accuracy is not None:
        assert number(tab, "test accuracy") == pytest.approx(100 * accuracy, abs=0.05)


def test_training_stops_at_the_plateau_of_nn_train(playground):
    model = nn.MLP(2, [4, 1], output="tanh", seed=1)
    tab = playground(model, XOR, loss=nn.mse, optimizer=nn.Adam(model.parameters(), learning_rate=0.05))
    tab.get_by_label("speed").select_option("fast")
    button(tab, "play").click()
    tab.get_by_text("Converged").wait_for()
    history = nn.train(
        model, nn.mse, XOR, optimizer=nn.Adam(model.parameters(), learning_rate=0.05), seed=0, progress=False
    )
    assert history.converged
    assert number(tab, "epoch") == history.epochs
    assert weights(tab) == close(data_of(model))
    button(tab, "play").wait_for()  # no longer "pause"


def test_play_pauses_and_reset_goes_back_to_the_first_weights(playground):
    model = nn.MLP(2, [8, 1], seed=1)
    tab = playground(model, moons().two_classes(), loss=nn.hinge)
    first_loss = number(tab, "training loss")
    button(tab, "play").click()
    wait_for_epochs(tab)
    button(tab, "pause").click()
    epochs = number(tab, "epoch")
    tab.wait_for_timeout(100)
    assert number(tab, "epoch") == epochs
    assert number(tab, "training loss") < first_loss
    button(tab, "reset").click()
    assert weights(tab) == data_of(model)
    assert (number(tab, "epoch"), number(tab, "training loss")) == (0, first_loss)


def test_steps_of_a_batch_and_of_an_example(playground):
    model, data = nn.MLP(2, [3, 1], seed=1), moons().two_classes()[:10]
    sgd = nn.SGD(model.parameters(), learning_rate=0.5)
    tab = playground(model, data, loss=nn.hinge, optimizer=sgd, batch_size=4, seed=3)
    order = list(range(10))
    random.Random(3).shuffle(order)
    for name, batch in [("one step", order[:4]), ("one example", order[4:5]), ("one step", order[5:9])]:
        button(tab, name).click()
        loss = sum(nn.hinge(model(data[i][0]), data[i][1]) for i in batch) / len(batch)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        assert weights(tab) == close(data_of(model))
    assert number(tab, "step") == 3
    button(tab, "one epoch").click()  # the rest of it
    assert number(tab, "epoch") == 1


def test_settings_count_from_the_next_step_on(playground):
    model, data = nn.MLP(2, [3, 1], seed=1), moons().two_classes()
    tab = playground(model, data, loss=nn.hinge, optimizer=nn.SGD(model.parameters(), learning_rate=0.1), seed=1)
    rng, sgd = random.Random(1), nn.SGD(model.parameters(), learning_rate=0.1)
    options = {"epochs": 2, "seed": rng, "until": lambda history: False, "progress": False}
    train_epochs(tab, 2)
    order = tab.evaluate("[...training.order]")
    field(tab, "learning rate").fill("0.01")
    field(tab, "momentum").fill("0.5")
    field(tab, "weight decay").fill("0.1")
    field(tab, "batch size").fill("100")
    nn.train(model, nn.hinge, data, optimizer=sgd, **options)
    train_epochs(tab, 2)
    assert tab.evaluate("[...training.order]") == order  # with one batch, the order does not matter
    sgd.learning_rate, sgd.momentum, sgd.weight_decay = 0.01, 0.5, 0.1
    nn.train(model, nn.hinge, data, optimizer=sgd, batch_size=100, **options)
    assert weights(tab) == close(data_of(model))
    tab.get_by_label("optimizer").select_option("Adam")
    assert field(tab, "learning rate").input_value() == "0.02"
    assert not field(tab, "momentum").is_visible()
    train_epochs(tab, 2)
    nn.train(model, nn.hinge, data, batch_size=100, **options)
    assert weights(tab) == close(data_of(model))


@pytest.mark.parametrize("entry", ["-1", "", "1e999"])
def test_a_wrong_number_is_marked_and_not_taken(playground, entry):
    tab = playground(nn.MLP(2, [3, 1], seed=1), XOR, loss=nn.hinge)
    field(tab, "learning rate").fill(entry) if entry != "1e999" else field(tab, "batch size").fill("0")
    wrong = tab.locator('[aria-invalid="true"]')
    assert wrong.count() == 1
    assert tab.evaluate("training.settings.Adam.learning_rate") == 0.02
    assert tab.evaluate("training.batch") == 16
    wrong.blur()
    assert tab.locator('[aria-invalid="true"]').count() == 0


@pytest.mark.parametrize("scheme", nn.SCHEMES)
def test_first_weights_are_drawn_as_by_the_model(playground, scheme):
    tab = playground(nn.MLP(3, [5, 4, 2], seed=1), [([0.0, 1.0, 2.0], [1.0, 2.0])], loss=nn.mse)
    tab.get_by_label("first weights").select_option(scheme)
    for seed in (0, 7, 2**35):
        field(tab, "seed").fill(str(seed))
        assert weights(tab) == pytest.approx(data_of(nn.MLP(3, [5, 4, 2], init=scheme, seed=seed)), rel=1e-15)
    tab.get_by_label("first weights").select_option("")
    assert weights(tab) == data_of(nn.MLP(3, [5, 4, 2], seed=1))


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "leaky_relu", "linear"])
def test_another_activation_trains_as_a_model_with_it(playground, activation):
    data = moons().two_classes()
    tab = playground(nn.MLP(2, [4, 4, 1], seed=1), data, loss=nn.hinge)
    tab.get_by_label("activation").select_option(activation)
    tab.wait_for_timeout(100)
    train_epochs(tab, 5)
    model = nn.MLP(2, [4, 4, 1], hidden=activation, init="xavier", seed=1)
    nn.train(model, nn.hinge, data, epochs=5, seed=0, progress=False)
    assert weights(tab) == close(data_of(model))


def test_a_number_that_overflows_stops_the_training_before_that_step(playground):
    model = nn.MLP(2, [3, 1], hidden="linear", seed=1)
    tab = playground(model, XOR, loss=nn.mse, optimizer=nn.SGD(model.parameters(), learning_rate=1e3))
    button(tab, "play").click()
    tab.get_by_text("A number overflows").wait_for()
    assert all(abs(w) < float("inf") for w in weights(tab))
    button(tab, "reset").click()
    assert not tab.get_by_text("A number overflows").is_visible()
    assert weights(tab) == data_of(model)


def test_planes_show_the_numbers_of_the_neurons(playground):
    model = nn.MLP(2, [3, 1], seed=1)
    tab = playground(model, XOR, loss=nn.hinge)
    field(tab, "batch size").fill("2")
    button(tab, "one epoch").click()
    for w, x in zip(model.parameters(), weights(tab), strict=True):
        w.data = x
    rows = tab.evaluate("""() => {
        const part = training.place(1), out = training.reserve(training.signals);
        training.allocate();
        training.floats.set([0.25, -0.5], part.place);
        training.show(part, out);
        return [...training.floats.slice(out, out + training.signals)];
    }""")
    (a1, z1), (a2, z2) = model.trace([0.25, -0.5])
    assert rows == pytest.approx([x.data for x in (*a1, *a2, *z1, *z2)], rel=1e-12)


def test_the_curve_has_the_scores_at_the_end_of_each_epoch(playground):
    tabs = [playground(nn.MLP(2, [3, 1], seed=1), moons().two_classes(), loss=nn.hinge) for _ in range(2)]
    train_epochs(tabs[0], 3)
    train_epochs(tabs[1], 2)
    for _ in range(3):
        button(tabs[1], "one step").click()
    assert tabs[1].evaluate("shown.curve.at(-1).epoch") == 2 + 48 / 100
    tabs[1].get_by_role("slider", name="step", exact=True).fill("16")
    button(tabs[1], "one step").click()
    assert saved(tabs[1], "curves, as CSV") == "".join(saved(tabs[0], "curves, as CSV").splitlines(True)[:4])
    train_epochs(tabs[1], 1)
    assert saved(tabs[1], "curves, as CSV") == saved(tabs[0], "curves, as CSV")
    assert tabs[1].evaluate("shown.curve.map(({ epoch }) => epoch)") == [0, 1, 2, 3]


def test_the_curve_ends_at_the_step_from_which_later_ones_are_dropped(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), moons().two_classes(), loss=nn.hinge)
    for _ in range(2):
        button(tab, "one step").click()
    assert "to the end of epoch 1: the page shows step 2" in saved(tab, "training, a program in Python")
    tab.get_by_role("slider", name="noise", exact=True).fill("20")
    for _ in range(2):
        button(tab, "one step").click()
    tab.get_by_role("slider", name="step", exact=True).fill("1")
    field(tab, "learning rate").fill("0.5")
    assert tab.evaluate("shown.curve.at(-1)") == tab.evaluate("curves.scores()")


def test_a_neuron_is_shown_in_large_and_the_output_again(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), XOR, loss=nn.hinge)
    neuron = button(tab, "neuron z2 of layer 1")
    neuron.click()
    assert neuron.get_attribute("aria-pressed") == "true"
    assert tab.locator("#play-shown").text_content() == "neuron z2 of layer 1"
    neuron.click()
    assert tab.locator("#play-shown").text_content() == "output of the network"


def test_keys_train_too(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), XOR, loss=nn.hinge, batch_size=2)
    tab.keyboard.press("e")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("x")
    assert (number(tab, "epoch"), number(tab, "step")) == (1, 4)
    tab.keyboard.press("r")
    assert number(tab, "step") == 0
    tab.keyboard.press(" ")
    wait_for_epochs(tab)
    tab.keyboard.press(" ")
    assert button(tab, "play").is_visible()


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (390, 844)])
@pytest.mark.parametrize("sizes", [[1], [8, 8, 1], [20, 12, 12, 12, 1]])
def test_the_page_fits_the_screen(playground, width, height, sizes):
    tab = playground(nn.MLP(2, sizes, seed=1), moons().two_classes(), width, height, loss=nn.hinge)
    assert tab.evaluate("document.scrollingElement.scrollWidth") <= width
    for box in [x.bounding_box() for x in tab.locator("#play-network .unit, #play-canvas, #play-curves svg").all()]:
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert width < 701 or box["y"] + box["height"] <= height
        assert min(box["width"], box["height"]) >= 14


def test_saved_weights_are_those_that_nn_load_reads(playground, tmp_path):
    tab = playground(nn.MLP(2, [4, 1], seed=1), XOR, loss=nn.hinge)
    train_epochs(tab, 3)
    (tmp_path / "model.json").write_text(saved(tab, "weights, for nn.load"))
    assert data_of(nn.load(nn.MLP(2, [4, 1]), tmp_path / "model.json")) == weights(tab)
    tab.get_by_label("activation").select_option("relu")
    expect(field(tab, "learning rate")).to_be_visible()
    tab.wait_for_timeout(200)
    (tmp_path / "model.json").write_text(saved(tab, "weights, for nn.load"))
    assert data_of(nn.load(nn.MLP(2, [4, 1], hidden="relu"), tmp_path / "model.json")) == weights(tab)


@pytest.mark.parametrize("task", ["hinge", "classes", "number"])
def test_the_saved_program_makes_the_training_of_the_page(playground, task):
    if task == "classes":
        model, data, loss = nn.MLP(4, [3, 3], seed=1), iris().standardized().examples[::3], nn.cross_entropy
    elif task == "hinge":
        model, data, loss = nn.Perceptron(2, "linear", seed=1), moons().two_classes(), nn.hinge
    else:
        model, data, loss = nn.MLP(1, [3, 2], seed=1), [(i / 4, [i * 1.0, -i / 3]) for i in range(9)], nn.mse
    tab = playground(model, data, loss=loss, batch_size=8, seed=5)
    tab.get_by_label("optimizer").select_option("SGD")
    field(tab, "momentum").fill("0.25")
    train_epochs(tab, 4)
    program = saved(tab, "training, a program in Python")
    assert program.startswith("# The training of the page, from the same first weights")
    names = {}
    exec(program, names)
    assert data_of(names["model"]) == close(weights(tab))
    assert names["history"].epochs == 4
    field(tab, "learning rate").fill("0.2")
    assert "were changed while it trained" in saved(tab, "training, a program in Python")
    button(tab, "reset").click()
    assert "changed" not in saved(tab, "training, a program in Python").partition("import")[0]


def test_only_a_loss_of_nn_has_a_program(playground):
    tab = playground(nn.MLP(2, [3, 1], seed=1), XOR, loss=lambda y, r: (y - r) ** 4)
    tab.get_by_text("save", exact=True).click()
    assert button(tab, "weights, for nn.load").is_visible()
    expect(button(tab, "training, a program in Python")).to_be_hidden()  # at the event that opens the menu


def test_saved_curves_are_the_losses_of_every_epoch(playground):
    data, model = moons().two_classes(), nn.MLP(2, [3, 1], seed=1)
    tab = playground(model, data[:70], test=data[70:], loss=nn.hinge)
    train_epochs(tab, 2)
    header, *rows = [line.split(",") for line in saved(tab, "curves, as CSV").splitlines()]
    assert header == ["epoch", "training loss", "test loss", "accuracy", "test accuracy"]
    parts = (data[:70], data[70:])
    for epoch, row in enumerate(rows):
        (loss, accuracy), (test_loss, test_accuracy) = (nn.evaluate(model, nn.hinge, part) for part in parts)
        assert [float(x) for x in row] == close([epoch, loss, test_loss, accuracy, test_accuracy])
        if epoch == 0:
            nn.train(model, nn.hinge, data[:70], epochs=1, seed=0, progress=False)
        elif epoch == 1:
            break
    assert len(rows) == 3


def examples(tab):
    return tab.evaluate("training.data.train")


def test_examples_are_added_moved_and_removed_and_the_training_goes_on_with_them(playground):
    model = nn.MLP(2, [3, 1], seed=1)
    tab = playground(model, [([0.0, 0.0], -1), ([1.0, 1.0], 1)], loss=nn.hinge)
    tab.mouse.click(*point(tab, 0.5, 0.5))
    assert len(examples(tab)) == 2  # not without the check mark
    tab.get_by_label("edit the examples").check()
    tab.get_by_role("radio", name="1", exact=True).check()
    tab.mouse.click(*point(tab, 0.5, 0.5))
    assert examples(tab)[2] == pytest.approx([0.5, 0.5, 1.0], abs=0.01)
    tab.mouse.move(*point(tab, 0.5, 0.5))
    tab.mouse.down()
    tab.mouse.move(*point(tab, 0.5, 0.25), steps=3)
    tab.mouse.up()
    assert examples(tab)[2] == pytest.approx([0.5, 0.5 - 0.25 * 1.24, 1.0], abs=0.01)
    assert number(tab, "number of examples") == 3
    train_epochs(tab, 3)
    data = [(row[:2], row[2]) for row in examples(tab)]
    nn.train(model, nn.hinge, data, epochs=3, seed=0, progress=False)
    assert weights(tab) == close(data_of(model))
    assert number(tab, "training loss") == pytest.approx(nn.evaluate(model, nn.hinge, data)[0], rel=1e-3)
    tab.mouse.click(*point(tab, 0.5, 0.25), button="right")
    assert examples(tab) == [[0.0, 0.0, -1.0], [1.0, 1.0, 1.0]]


def test_examples_are_edited_by_keys_too(playground):
    tab = playground(nn.MLP(2, [3, 3], seed=1), [([0.0, 0.0], 0), ([1.0, 1.0], 2)], loss=nn.cross_entropy)
    tab.get_by_label("edit the examples").check()
    tab.get_by_role("radio", name="1", exact=True).check()
    tab.locator("#play-canvas").focus()
    for _ in range(4):
        tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Enter")
    assert examples(tab)[2] == pytest.approx([0.5, 0.5 + 0.1 * 1.24, 0.0, 1.0, 0.0])
    tab.keyboard.press("Delete")
    assert len(examples(tab)) == 2
    tab.keyboard.press("ArrowRight")
    assert number(tab, "step") == 0  # the arrow moved the mark and did not train


def test_the_last_example_cannot_be_removed(playground):
    tab = playground(nn.MLP(1, [2, 1], seed=1), [(0.5, 2.0)], loss=nn.mse)
    tab.get_by_label("edit the examples").check()
    tab.mouse.click(*point(tab, 0.5, 0.5), button="right")
    assert examples(tab) == [[0.5, 2.0]]
    tab.mouse.click(*point(tab, 0.75, 0.25))  # with one input, the height is the target
    assert examples(tab)[1] == pytest.approx([0.5 + 0.25 * 2.0, 2.0 - 0.25 * 2.0], abs=0.02)


def test_examples_with_several_numbers_as_target_are_not_edited(playground):
    tab = playground(nn.MLP(2, [2], seed=1), [([0.0, 1.0], [1.0, 2.0])], loss=nn.mse)
    assert tab.get_by_label("edit the examples").count() == 0
    button(tab, "one step").click()
    assert number(tab, "step") == 1


@pytest.mark.parametrize(
    ("activation", "bias", "mark"),
    [("relu", -10.0, "dead"), ("tanh", 20.0, "saturated"), ("sigmoid", -9.0, "saturated")],
)
def test_neurons_that_do_not_learn_are_marked_and_explained(playground, activation, bias, mark):
    model = nn.MLP(2, [3, 1], hidden=activation, seed=1)
    model.layers[0].neurons[1].weights[0].data = bias
    tab = playground(model, XOR, loss=nn.hinge, optimizer=nn.SGD(model.parameters(), learning_rate=0.01))
    marked = tab.locator("[data-mark]:visible")
    assert marked.all_text_contents() == [f" {mark}"]
    assert tab.locator("[data-explains]:visible").count() == 0
    button(tab, f"neuron z2 of layer 1 {mark}").click()
    assert tab.locator("[data-explains]:visible").text_content().startswith(f"{mark}: ")
    before = weights(tab)
    train_epochs(tab, 3)
    assert weights(tab)[3:6] == pytest.approx(before[3:6], abs=1e-4)  # those of the second neuron
    tab.get_by_label("activation").select_option("linear")
    expect(marked).to_have_count(0)
