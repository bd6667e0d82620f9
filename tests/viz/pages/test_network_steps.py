"""The page of a network in a browser: every number is the model's, at every step and after every change."""

import html
import math
import random
import re
from itertools import pairwise
from types import SimpleNamespace

import pytest

import engine
import nn
import viz
from demos import error_propagation as lesson
from engine.formatting import format_number


def close(x):
    return pytest.approx(x, rel=1e-10, abs=1e-15)


@pytest.fixture
def model():
    return nn.MLP(2, [3, 2], hidden="tanh", output="sigmoid", seed=1)


def field(tab, name):
    return tab.get_by_role("spinbutton", name=name, exact=True)


def button(tab, name):
    return tab.get_by_role("button", name=name, exact=True)


def set_number(tab, name, x):
    field(tab, name).fill(repr(x))
    field(tab, name).press("Enter")


def title(tab):
    return tab.locator("#page-lines h2").text_content()


def lines(tab):
    """Return the formulas of the step as a screen reader hears them."""
    return tab.locator("#page-lines .spoken").evaluate_all(
        "all => all.filter((line) => !line.closest('[hidden]')).map((line) => line.textContent)"
    )


def all_steps(tab):
    """Yield the title and the lines of every step, by the right arrow key."""
    tab.keyboard.press("Home")
    yield title(tab), lines(tab)
    for _ in range(int(tab.get_by_role("slider", name="step").get_attribute("max"))):
        tab.keyboard.press("ArrowRight")
        yield title(tab), lines(tab)


def numbers_of(steps):
    """Return the numbers at the end of the lines, by the left side."""
    numbers = {}
    for line in (line for _, formulas in steps for line in formulas):
        left, number = line.split(" ")[0], line.split(" ")[-1]
        if re.fullmatch(r"-?[\d.]+(e[-+]\d+)?", number):
            numbers.setdefault(left, []).append(float(number))
    return numbers


def gradients(model, x, r, loss):
    model.zero_grad()
    error = loss(model(x), r)
    error.backward()
    return {name: weight.grad for name, weight in model.named_parameters()}, error


def updated(model, x, r, loss, rate):
    """Return a copy of a model after one step of gradient descent."""
    grads, _ = gradients(model, x, r, loss)
    other = type(model)(model.n_inputs, model.sizes, hidden=model.hidden, output=model.output)
    other.load_state_dict({name: w.data - rate * grads[name] for name, w in model.named_parameters()})
    return other


def test_every_step_of_a_training_step(model, tmp_path, open_page):
    x, r, rate = [0.5, -1.0], [1.0, 0.0], 0.25
    path = viz.network_page(model, tmp_path / "n.html", x, r, loss=nn.mse, learning_rate=rate, precision=13)
    steps = [*all_steps(open_page(path))]
    phases = [re.match(r"[A-Z]\w+( \w+)?", name)[0] for name, _ in steps]
    assert [(phase, phases.count(phase)) for phase in dict.fromkeys(phases)] == [
        ("The inputs", 1), ("Forward 1", 1), ("Forward 2", 1), ("Forward 3", 1), ("Forward 4", 1), ("Forward 5", 1),
        ("The loss", 2), ("The derivative", 1), ("Backward 1", 1), ("Backward 2", 1), ("Backward 3", 1),
        ("Backward 4", 1), ("Backward 5", 1), ("Update 1", 1), ("Update 2", 1), ("Update 3", 1), ("Update 4", 1),
        ("Update 5", 1), ("Forward again", 2),
    ]  # fmt: skip
    _, loss = gradients(model, x, r, nn.mse)
    nodes = {node.label: node for node in engine.topological_order(loss)}
    new = updated(model, x, r, nn.mse, rate)
    new_loss = nn.mse(new(x), r)
    new_nodes = {node.label: node for node in engine.topological_order(new_loss)}
    numbers = numbers_of(steps)
    for k, size in ((1, 3), (2, 2)):
        for j in range(1, size + 1):
            z, a = f"layer{k}.z{j}", f"layer{k}.a{j}"
            shown = f"y{j}" if k == 2 else z
            assert numbers[a] == [close(nodes[a].data)]
            assert numbers[shown] == [close(nodes[z].data), close(new_nodes[z].data)]
            assert numbers[f"layer{k}.delta{j}"][-1] == close(nodes[a].grad)
            assert numbers[f"dL/d{shown}"] == [close(nodes[z].grad)]
    for name, weight in new.named_parameters():
        assert numbers[name][-1] == close(weight.data)
    assert numbers["L"] == [close(loss.data), close(new_loss.data)]
    assert steps[-1][1][-1] == f"{format_number(loss.data, 13)} → {format_number(new_loss.data, 13)}"


def lecture_model(activation="sigmoid"):
    """Return the network of P58-P77 with the weights of the lesson."""
    model = nn.MLP(2, [3, 2, 1], hidden=activation, output=activation)
    leaves = [w for layer in model.layers for neuron in layer.neurons for w in neuron.weights[1:]]
    for weight in model.parameters():
        weight.data = 0.0
    for leaf, x in zip(leaves, lesson.INITIAL.values(), strict=True):
        leaf.data = x
    return model


def test_the_example_of_the_lecture_has_the_numbers_of_the_lesson(tmp_path, open_page):
    f, df = lesson.ACTIVATIONS["sigmoid"]
    x, z, eta = {"x1": 1.0, "x2": 0.5}, 1.0, 0.5
    path = viz.network_page(
        lecture_model(), tmp_path / "n.html", [1.0, 0.5], z, loss=lesson.half_squared_error, learning_rate=eta,
        notation="P58", precision=13,
    )  # fmt: skip
    numbers = numbers_of(all_steps(open_page(path)))
    e, y = lesson.forward(lesson.INITIAL, x, f)
    deltas = lesson.propagate_error(lesson.INITIAL, e, z - y["6"], df)
    new = lesson.update_weights(lesson.INITIAL, e, y, deltas, df, eta)
    _, new_y = lesson.forward(new, x, f)
    for n in lesson.SOURCES:
        assert numbers[f"e{n}"] == [close(e[n])]
        assert numbers[f"y{n}"] == [close(y[n]), close(new_y[n])]
        assert numbers[f"delta{n}"] == [close(deltas[n])]
        assert numbers[f"f′(e{n})"] == [close(df(e[n]))]
    for link, name in lesson.WEIGHT_NAMES.items():
        assert numbers[name.replace("(x1)", "_x1,").replace("(x2)", "_x2,")][-1] == close(new[link])
    assert numbers["E"] == [close((z - y["6"]) ** 2 / 2), close((z - new_y["6"]) ** 2 / 2)]


def test_the_drawing_of_the_lecture_has_its_names_and_numbers(tmp_path, open_page):
    tab = open_page(NETWORKS["P58"](tmp_path / "n.html"))
    tab.get_by_role("slider", name="step").fill("13")
    f, df = lesson.ACTIVATIONS["sigmoid"]
    e, y = lesson.forward(lesson.INITIAL, {"x1": 1.0, "x2": 0.5}, f)
    for n, delta in lesson.propagate_error(lesson.INITIAL, e, 1.0 - y["6"], df).items():
        numbers = [format_number(x, 3).replace("-", "−") for x in (e[n], y[n], delta)]
        name = "neuron y{} , sum {} , output {} , delta {}".format(n, *numbers)
        assert button(tab, name).count() == 1, n
        picture = viz.network(
            lecture_model(), [1.0, 0.5], 1.0, loss=lesson.half_squared_error, notation="P58"
        ).pipe(encoding="utf-8")  # fmt: skip
        assert f"δ = {format_number(delta, 3)}<" in html.unescape(picture)
    for link, x in lesson.INITIAL.items():
        assert float(field(tab, f"weight {lesson.WEIGHT_NAMES[link]}").input_value()) == x
    assert tab.get_by_role("spinbutton", name="target z", exact=True).count() == 1


def test_the_formulas_of_a_neuron_in_symbols_and_numbers(tmp_path, open_page):
    neuron = nn.Perceptron(2, "sigmoid", init=[-3.0, 2.0, -3.0])
    tab = open_page(viz.network_page(neuron, tmp_path / "n.html", [-1.0, -2.0], 1.0, loss=nn.mse))
    steps = dict(all_steps(tab))
    assert steps["Forward 1 of 1: y"] == [
        "a = w0*x0 + w1*x1 + w2*x2 = -3.0*1 + 2.0*-1.0 + -3.0*-2.0 = 1.0",
        "y = sigmoid(a) = sigmoid(1.0) = 0.7311",
    ]
    assert steps["The loss"] == ["L = (y - r)**2 = (0.7311 - 1.0)**2 = 0.07233"]
    assert steps["The derivative of the loss"] == ["dL/dy = 2*(y - r) = 2*(0.7311 - 1.0) = -0.5379"]
    assert steps["Backward 1 of 1: δ"] == [
        "delta = dL/da = dL/dy*σ′(a)",
        "σ′(a) = y*(1 - y) = 0.7311*(1 - 0.7311) = 0.1966",
        "delta = -0.5379*0.1966 = -0.1058",
    ]
    assert steps["Update 1 of 1: the weights of y"] == [
        "w2 ← w2 - eta*delta*x2",
        "w0 ← -3.0 - 0.5*-0.1058*1 = -2.947",
        "w1 ← 2.0 - 0.5*-0.1058*-1.0 = 1.947",
        "w2 ← -3.0 - 0.5*-0.1058*-2.0 = -3.106",
    ]
    assert steps["The loss after the update"][-1] == "0.07233 → 0.04464"
    assert tab.get_by_text("The loss fell.").is_visible()
    assert tab.get_by_text("Case 1, output layer").count() == 0


CASES = [
    (lambda: nn.MLP(2, [4, 1], seed=3), [0.5, -1.0], 1.0, nn.binary_cross_entropy),
    (lambda: nn.MLP(3, [8, 8, 2], hidden="relu", seed=1), [0.5, -1.0, 2.0], [1.0, -0.5], nn.mse),
    (lambda: nn.MLP(2, [3, 2, 1], hidden="sigmoid", output="sigmoid", seed=2), [1.0, 0.5], 1.0, nn.mse),
]


@pytest.mark.parametrize(("make_model", "x", "r", "loss"), CASES)
def test_random_changes_give_the_numbers_of_the_engine(make_model, x, r, loss, tmp_path, open_page):
    rng, model, rate = random.Random(1), make_model(), 0.5
    tab = open_page(viz.network_page(model, tmp_path / "n.html", x, r, loss=loss, precision=13))
    tab.keyboard.press("End")
    for step in range(6):
        tab.keyboard.press("Home")
        i = rng.randrange(len(x))
        x[i] = round(rng.uniform(-2, 2), 3)
        set_number(tab, f"value of x{i + 1}", x[i])
        j, k = rng.randrange(len(model.layers[0].neurons)), rng.randrange(len(x) + 1)
        tab.get_by_role("slider", name="step").fill(str(j + 1))  # in a dense network, its weights are shown there
        weight = model.layers[0].neurons[j].weights[k]
        weight.data = round(rng.uniform(-2, 2), 3)
        set_number(tab, f"weight layer1.w{j + 1}{k}", weight.data)
        rate = round(rng.uniform(0.01, 0.2), 3)
        set_number(tab, "learning rate", rate)
        if loss is nn.mse and isinstance(r, float):
            r = round(rng.uniform(-1, 1), 3)
            set_number(tab, "target r", r)
        tab.keyboard.press("End")
        before, after = map(float, lines(tab)[-1].split(" → "))
        new = updated(model, x, r, loss, rate)
        assert before == close(loss(model(x), r).data), step
        assert after == close(loss(new(x), r).data), step
        shown = [pair for pair in new.named_parameters() if field(tab, f"weight {pair[0]}").is_visible()]
        for name, weight in shown:
            assert float(field(tab, f"weight {name}").input_value()) == pytest.approx(weight.data, rel=6e-3), name


def test_a_change_keeps_the_step_and_can_be_undone(tmp_path, open_page):
    model = nn.MLP(2, [4, 1], seed=1)
    tab = open_page(viz.network_page(model, tmp_path / "n.html", [0.0, 1.0], 1, loss=nn.binary_cross_entropy))
    for _ in range(3):
        tab.keyboard.press("ArrowRight")
    step, before = title(tab), lines(tab)
    set_number(tab, "value of x1", 2.0)
    assert title(tab) == step
    assert lines(tab) != before
    button(tab, "undo").click()
    assert lines(tab) == before
    set_number(tab, "weight layer1.w31", -1.5)
    tab.get_by_role("combobox", name="activation of layer 1").select_option("relu")
    assert "relu" in lines(tab)[1]
    button(tab, "reset").click()
    assert lines(tab) == before
    assert field(tab, "weight layer1.w31").input_value() != "-1.5"


@pytest.mark.parametrize("activation", ["linear", "sigmoid", "relu", "leaky_relu"])
def test_another_activation(activation, tmp_path, open_page):
    model, x = nn.MLP(2, [3, 1], seed=1), [0.5, -1.0]
    tab = open_page(viz.network_page(model, tmp_path / "n.html", x, 1.0, loss=nn.mse, precision=13))
    tab.get_by_role("combobox", name="activation of layer 1").select_option(activation)
    other = nn.MLP(2, [3, 1], hidden=activation)
    other.load_state_dict(model.state_dict())
    tab.keyboard.press("End")
    before, after = map(float, lines(tab)[-1].split(" → "))
    assert before == close(nn.mse(other(x), 1.0).data)
    assert after == close(nn.mse(updated(other, x, 1.0, nn.mse, 0.5)(x), 1.0).data)
    numbers = numbers_of(all_steps(tab))
    grads, _ = gradients(other, x, 1.0, nn.mse)
    for j in (1, 2, 3):
        assert numbers[f"layer1.delta{j}"][-1] == close(grads[f"layer1.w{j}0"])


def test_repeating_the_step_is_gradient_descent(tmp_path, open_page):
    model, x, r = nn.MLP(2, [4, 1], seed=1), [0.5, -1.0], 1.0
    path = viz.network_page(model, tmp_path / "n.html", x, r, loss=nn.mse, learning_rate=0.05, precision=13)
    tab = open_page(path)
    tab.keyboard.press("End")
    for times in ("once", "10 times", "once"):
        button(tab, f"repeat the step {times}").click()
    losses = [nn.mse(model(x), r).data]
    for _ in range(13):
        model = updated(model, x, r, nn.mse, 0.05)
        losses.append(nn.mse(model(x), r).data)
    before, after = map(float, lines(tab)[-1].split(" → "))
    assert (before, after) == (close(losses[12]), close(losses[13]))
    assert tab.locator("#network-history").text_content().endswith("12")
    button(tab, "undo").click()
    assert tab.locator("#network-history").text_content().endswith("11")
    button(tab, "reset").click()
    assert float(lines(tab)[-1].split(" → ")[0]) == close(losses[0])
    assert tab.locator("#network-history").text_content().endswith("0")


def test_a_class_is_chosen_by_its_circle(tmp_path, open_page):
    model, x = nn.MLP(2, [3, 3], seed=1), [0.5, -1.0]
    tab = open_page(viz.network_page(model, tmp_path / "n.html", x, 2, loss=nn.cross_entropy, precision=13))
    assert tab.get_by_role("radio", name="target class 2").is_checked()
    for k in (0, 1):
        tab.get_by_role("radio", name=f"target class {k}").check()
        numbers = numbers_of(all_steps(tab))
        assert numbers["L"][0] == close(nn.cross_entropy(model(x), k).data)
        probabilities = [y.data for y in engine.softmax(model(x))]
        assert [numbers[f"P(C{i}"] for i in (1, 2, 3)] == [[close(p)] for p in probabilities]
        assert [numbers[f"dL/dy{i}"] for i in (1, 2, 3)] == [[close(p - (i == k))] for i, p in enumerate(probabilities)]


def test_numbers_stay_where_the_loss_and_the_update_are_defined(tmp_path, open_page):
    model = nn.Perceptron(1, "linear", seed=1)
    tab = open_page(viz.network_page(model, tmp_path / "n.html", 1.0, 1.0, loss=nn.binary_cross_entropy))
    for name, x, nearest in (("target r", 0.25, 0.25), ("target r", 2.0, 1.0), ("learning rate", -1.0, 0.0)):
        set_number(tab, name, x)
        assert float(field(tab, name).input_value()) == nearest


def test_a_loss_that_rises_says_so(tmp_path, open_page):
    neuron = nn.Perceptron(1, "linear", init=[0.0, 1.0])
    tab = open_page(viz.network_page(neuron, tmp_path / "n.html", 1.0, 0.0, loss=nn.mse, learning_rate=5.0))
    tab.keyboard.press("End")
    assert lines(tab)[-1] == "1.0 → 361.0"
    assert tab.get_by_text("The loss rose").is_visible()
    set_number(tab, "learning rate", 0.0)
    assert tab.get_by_text("The loss did not change.").is_visible()
    set_number(tab, "learning rate", 0.1)
    assert tab.get_by_text("The loss fell.").is_visible()


def test_repeating_stops_where_the_loss_overflows(tmp_path, open_page):
    neuron = nn.Perceptron(1, "linear", init=[0.0, 1.0])
    tab = open_page(viz.network_page(neuron, tmp_path / "n.html", 1.0, 0.0, loss=nn.mse, learning_rate=1e10))
    for _ in range(3):
        button(tab, "repeat the step 10 times").click()
    assert tab.get_by_role("alert").filter(has_text="y").is_visible()
    done = int(tab.locator("#network-history b").text_content())
    assert 10 < done < 20
    tab.keyboard.press("End")
    before, after = map(float, lines(tab)[-1].split(" → "))
    assert 1e200 < before < after


def test_a_number_without_a_value_is_refused_in_the_words_of_the_engine(tmp_path, open_page):
    neuron = nn.Perceptron(1, "log", init=[0.0, 1.0])
    tab = open_page(viz.network_page(neuron, tmp_path / "n.html", 2.0, 0.0, loss=nn.mse, learning_rate=0.1))
    tab.keyboard.press("End")
    before = lines(tab)
    field(tab, "value of x1").fill("-3")
    sentence = tab.get_by_role("alert").filter(has_text="log(a)").text_content()
    assert sentence.startswith("log(a) has no value at a = -3.0")
    assert lines(tab) == before
    field(tab, "value of x1").press("Escape")
    assert field(tab, "value of x1").input_value() == "2.0"


def test_a_link_brings_back_numbers_activations_and_losses(tmp_path, open_page):
    path = viz.network_page(nn.MLP(2, [3, 1], seed=1), tmp_path / "n.html", [0.5, -1.0], 1.0, loss=nn.mse)
    tab = open_page(path)
    tab.keyboard.press("End")
    button(tab, "repeat the step 10 times").click()
    tab.get_by_role("combobox", name="activation of layer 1").select_option("relu")
    set_number(tab, "learning rate", 0.125)
    before = lines(tab)
    tab.wait_for_timeout(1_000)  # the link is written after a pause
    link = tab.url
    copy = open_page(SimpleNamespace(as_uri=lambda: link))
    copy.locator("#network-history b", has_text="10").wait_for()
    assert lines(copy) == before
    assert field(copy, "learning rate").input_value() == "0.125"
    damaged = open_page(SimpleNamespace(as_uri=lambda: link[:-9] + "x"))
    assert title(damaged) == "The inputs", "what is not understood is ignored"


def test_a_note_and_hidden_controls(tmp_path, open_page):
    model, note = nn.MLP(2, [3, 1], seed=1), "Which weight **moves** most?"
    path = viz.network_page(model, tmp_path / "n.html", [0.5, -1.0], 1.0, loss=nn.mse, text=note, hide=["play"])
    tab = open_page(path)
    assert tab.get_by_role("complementary", name="note").get_by_text("moves").is_visible()
    assert not button(tab, "play").is_visible()
    assert tab.evaluate(LAYOUT)["outside"] == []


def test_lines_follow_the_weights(tmp_path, open_page):
    neuron = nn.Perceptron(3, "tanh", init=[0.0, 0.5, -0.1, 2.0])
    tab = open_page(viz.network_page(neuron, tmp_path / "n.html", [1.0, -2.0, 0.5], 1.0, loss=nn.mse))
    look = """() => [...document.querySelectorAll("#network .gap:not(.compare) line")].map((line) => {
        const { stroke, strokeWidth, strokeDasharray } = getComputedStyle(line);
        return [stroke, parseFloat(strokeWidth), strokeDasharray === "none" ? "solid" : strokeDasharray];
    })"""
    zero, positive, negative, large = tab.evaluate(look)
    assert len({zero[0], positive[0], negative[0]}) == 3
    assert positive[0] == large[0]
    assert len({zero[2], positive[2], negative[2]}) == 3, "the sign can be seen without colours"
    assert zero[1] < negative[1] < positive[1] < large[1]
    set_number(tab, "weight w1", -2.0)
    changed = tab.evaluate(look)[1]
    assert changed[0] == negative[0]
    assert changed[1] == large[1]


def test_the_point_is_on_the_curve(tmp_path, open_page):
    neuron = nn.Perceptron(1, "tanh", init=[0.0, 1.0])
    tab = open_page(viz.network_page(neuron, tmp_path / "n.html", 1.0, 0.0, loss=nn.mse))
    point = tab.locator("#network .curve circle")
    assert not point.is_visible(), "no neuron is computed"
    tab.keyboard.press("ArrowRight")
    for x in (1.0, -0.5, 100.0):
        set_number(tab, "value of x1", x)
        a, y = float(point.get_attribute("cx")), float(point.get_attribute("cy"))
        assert a == pytest.approx(min(x, 4.0))
        assert y == pytest.approx(-2.1 * math.tanh(x) / math.tanh(4.0), abs=0.03)


def test_controls_by_keyboard(model, tmp_path, open_page):
    tab = open_page(viz.network_page(model, tmp_path / "n.html", [0.5, -1.0], [1.0, 0.0], loss=nn.mse))
    field(tab, "value of x1").focus()
    tab.keyboard.press("ArrowUp")
    assert float(field(tab, "value of x1").input_value()) > 0.5
    assert title(tab) == "The inputs", "arrow keys in a field do not step"
    tab.keyboard.press("Escape")
    tab.keyboard.press("ArrowRight")
    assert title(tab).startswith("Forward 1 of 5")
    tab.get_by_role("button", name="neuron y2").focus()
    tab.keyboard.press("Enter")
    assert title(tab).startswith("Forward 5 of 5")
    names = tab.locator("#network :is(button, input, select), #network-training :is(button, input)").evaluate_all(
        "all => all.map((one) => one.getAttribute('aria-label') ?? one.textContent)"
    )
    assert all(name.strip() for name in names)
    assert len(set(names)) == len(names)


def test_a_neuron_says_its_numbers(model, tmp_path, open_page):
    tab = open_page(viz.network_page(model, tmp_path / "n.html", [0.5, -1.0], [1.0, 0.0], loss=nn.mse))
    _, loss = gradients(model, [0.5, -1.0], [1.0, 0.0], nn.mse)
    nodes = {node.label: node for node in engine.topological_order(loss)}
    tab.get_by_role("slider", name="step").fill("12")
    numbers = [nodes["layer1.a2"].data, nodes["layer1.z2"].data, nodes["layer1.a2"].grad]
    a, z, delta = (format_number(x, 3).replace("-", "−") for x in numbers)
    assert button(tab, f"neuron layer1.z2 , sum {a} , output {z} , delta {delta}").count() == 1


def test_the_second_forward_pass_begins_with_nothing_known(model, tmp_path, open_page):
    tab = open_page(viz.network_page(model, tmp_path / "n.html", [0.5, -1.0], [1.0, 0.0], loss=nn.mse))
    tab.keyboard.press("End")
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")
    assert title(tab) == "Forward again: layer 1"
    assert re.search(r"output −?\d", tab.get_by_role("button", name="neuron layer1.z1").aria_snapshot())
    assert not re.search(r"output −?\d", tab.get_by_role("button", name="neuron y1").aria_snapshot())
    assert not re.search(r"delta −?\d", tab.get_by_role("button", name="neuron layer1.z1").aria_snapshot())


def test_controls_by_touch_and_dragging(model, tmp_path, open_page):
    path = viz.network_page(model, tmp_path / "n.html", [0.5, -1.0], [1.0, 0.0], loss=nn.mse)
    phone = open_page(path, 390, 844, has_touch=True, is_mobile=True)
    button(phone, "next step").tap()
    button(phone, "next step").tap()
    assert title(phone).startswith("Forward 2 of 5")
    button(phone, "repeat the step once").tap()
    assert phone.locator("#network-history").text_content().endswith("1")
    tab = open_page(path)
    box = field(tab, "weight layer1.w11").bounding_box()
    before = float(field(tab, "weight layer1.w11").input_value())
    tab.mouse.move(box["x"] + 10, box["y"] + box["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2, steps=5)
    tab.mouse.up()
    assert float(field(tab, "weight layer1.w11").input_value()) > before


NETWORKS = {
    "2-4-1": lambda path: viz.network_page(
        nn.MLP(2, [4, 1], seed=1), path, [0.0, 1.0], 1, loss=nn.binary_cross_entropy
    ),
    "3-8-8-2": lambda path: viz.network_page(
        nn.MLP(3, [8, 8, 2], seed=1), path, [0.5, -1.0, 2.0], 1, loss=nn.cross_entropy
    ),
    "P58": lambda path: viz.network_page(
        lecture_model(), path, [1.0, 0.5], 1.0, loss=lesson.half_squared_error, notation="P58"
    ),
    "64-32-10": lambda path: viz.network_page(
        nn.MLP(64, [32, 10], seed=1), path, [i % 5 / 4 for i in range(64)], 3, loss=nn.cross_entropy
    ),
}
LAYOUT = """() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const box = (element) => element.getBoundingClientRect();
    const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && box(element).width;
    const inside = (outer, inner) => inner.left >= outer.left - 1 && inner.right <= outer.right + 1
        && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
    const overlap = (one, other) => Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1
        && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 1;
    const stage = box(document.querySelector("#page-stage"));
    const texts = all("#network :is(b, .name, .heading > span, input, select)").filter(shown);
    const units = all("#network :is(.capsule, .pill, .unit input, .more span)").filter(shown).map(box);
    const labels = all("#network .weight").filter(shown).map(box);
    const touching = (one, others) => others.filter((other) => other !== one && overlap(one, other));
    const pairs = (ones, others) => ones.flatMap((one) => touching(one, others));
    const root = document.documentElement;
    return {
        outside: texts.filter((text) => !inside(stage, box(text))).map((text) => text.outerHTML),
        overlapping: pairs(units, units).length + pairs(labels, units).length + pairs(labels, labels).length,
        cut: all("#network :is(.sum, .output)").filter((part) => part.scrollWidth > part.clientWidth + 1)
            .map((part) => part.textContent),
        smallest: parseFloat(getComputedStyle(document.querySelector("#network .neuron")).fontSize),
        scrolls: root.scrollWidth > innerWidth || root.scrollHeight > innerHeight,
        words: document.querySelector("#page-lines").scrollWidth - document.querySelector("#page-lines").clientWidth,
    };
}"""


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("width", "height", "size"), [(1280, 720, 14), (1920, 1080, 21), (390, 844, 11)])
def test_the_drawing_fills_the_screen_and_can_be_read(network, width, height, size, tmp_path, open_page):
    tab = open_page(NETWORKS[network](tmp_path / "n.html"), width, height, reduced_motion="reduce")
    for key in ["Home", *["ArrowRight"] * 4, "End", *["ArrowLeft"] * 12]:
        tab.keyboard.press(key)
        layout = tab.evaluate(LAYOUT)
        assert layout["cut"] == []
        assert layout["overlapping"] == 0
        assert layout["smallest"] >= size
        assert not layout["scrolls"]
        assert layout["words"] <= 0, title(tab)
        if width > 390:
            assert layout["outside"] == []


@pytest.mark.parametrize(("width", "height", "least"), [(1280, 720, 11), (390, 844, 10)])
def test_the_labels_of_weights_can_be_read(width, height, least, tmp_path, open_page):
    model = nn.MLP(3, [4, 3], seed=1)
    for w in model.parameters():
        w.data = 0.0 if w.label.endswith("0") else w.data
    model.layers[0].neurons[1].weights[2].data = -0.00845
    path = viz.network_page(
        model, tmp_path / "n.html", [0.5, 1.0, -1.0], [1.0, 0.0, 0.0], loss=nn.mse, notation="P58"
    )  # fmt: skip
    tab = open_page(path, width, height)
    labels = tab.locator("#network .weight:visible")
    sizes = labels.locator("mi, mn, input").evaluate_all(
        "all => all.map((x) => parseFloat(getComputedStyle(x).fontSize))"
    )
    assert min(sizes) >= least
    small = (
        tab.get_by_role("spinbutton")
        .filter(visible=True)
        .evaluate_all("all => all.filter((x) => x.value === '-0.00845').map((x) => [x.scrollWidth, x.clientWidth])")
    )
    assert len(small) == 1
    assert small[0][0] <= small[0][1], "the number is not cut off"
    layout = tab.evaluate(LAYOUT)
    assert layout["overlapping"] == 0
    assert layout["cut"] == []


@pytest.mark.parametrize("sizes", [[2, 3, 2], [3, 4, 3], [2, 1, 1], [4, 2, 3]])
def test_the_labels_of_weights_are_evenly_spaced(sizes, tmp_path):
    inputs, *layers = sizes
    model = nn.MLP(inputs, layers, seed=1)
    target = [0.5] * layers[-1] if layers[-1] > 1 else 0.5
    page = viz.network_page(model, tmp_path / "n.html", [0.5] * inputs, target, loss=nn.mse).read_text(encoding="utf-8")
    gaps = page.split('<div class="gap numbered"')[1:]
    assert len(gaps) == len(layers)
    for gap in gaps:
        heights = sorted(map(float, re.findall(r'class="weight" data-x="[^"]*" data-y="([^"]*)"', gap)))
        steps = [b - a for a, b in pairwise(heights)]
        assert min(steps) == pytest.approx(max(steps), abs=2e-4)


def test_large_layers_are_folded_with_a_count(tmp_path, open_page):
    tab = open_page(NETWORKS["64-32-10"](tmp_path / "n.html"))
    assert tab.get_by_text("56 more").is_visible()
    assert tab.get_by_text("24 more").is_visible()
    steps = dict(all_steps(tab))
    assert "Forward 5 of 18" in steps
    assert len(steps) < 70
    assert steps["Forward 1 of 18: z1(1)"][0].startswith("layer1.a1 = layer1.w1,0*x0 + layer1.w1,1*x1 + ")
    assert " + ... + layer1.w1,64*x64 = " in steps["Forward 1 of 18: z1(1)"][0]
    tab.keyboard.press("End")
    model = nn.MLP(64, [32, 10], seed=1)
    x = [i % 5 / 4 for i in range(64)]
    before, after = map(float, lines(tab)[-1].split(" → "))
    assert before == pytest.approx(nn.cross_entropy(model(x), 3).data, rel=1e-3)
    assert after == pytest.approx(nn.cross_entropy(updated(model, x, 3, nn.cross_entropy, 0.5)(x), 3).data, rel=1e-3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_enough_contrast(scheme, tmp_path, open_page):
    tab = open_page(NETWORKS["2-4-1"](tmp_path / "n.html"), color_scheme=scheme)
    contrast = """() => {
        const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const scale = (colour) => (colour.startsWith("color(") ? 1 : 255);
        const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
        const light = (colour) => channels(colour).map((x) => linear(x / scale(colour)))
            .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
        const ground = (element) => {
            const { backgroundColor } = getComputedStyle(element);
            return /, 0\\)|transparent/.test(backgroundColor) ? ground(element.parentElement) : backgroundColor;
        };
        const texts = [...document.querySelectorAll("#network :is(b, input, select, .name, .delta, .heading span)")];
        return texts.map((text) => {
            const [a, b] = [getComputedStyle(text).color, ground(text)].map(light);
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        });
    }"""
    for _ in range(10):
        assert min(tab.evaluate(contrast)) > 4.5
        tab.keyboard.press("ArrowRight")
        tab.keyboard.press("ArrowRight")


def test_the_model_does_not_change(model, tmp_path):
    for p in model.parameters():
        p.grad = 7.0
    before = model.state_dict()
    viz.network_page(model, tmp_path / "net.html", [0.5, -1.0], [1.0, 0.0], loss=nn.mse)
    assert model.state_dict() == before
    assert {p.grad for p in model.parameters()} == {7.0}


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (("net.txt", [1.0, 2.0], [1.0, 0.0]), {}, ValueError, "path must end in .html"),
        (("net.html", None, [1.0, 0.0]), {}, ValueError, "inputs and target .* got None: pass both"),
        (("net.html", [1.0, 2.0], None), {}, ValueError, "inputs and target .* got None: pass both"),
        (("net.html", [1.0], [1.0, 0.0]), {}, ValueError, "2 inputs .*got 1"),
        (("net.html", [1.0, 2.0], [1.0]), {}, ValueError, "as many outputs as targets"),
        (("net.html", [1.0, 2.0], [1.0, 0.0]), {"loss": None}, ValueError, "loss must .* that the model learns"),
        (("net.html", [1.0, 2.0], [1.0, 0.0]), {"notation": "P1"}, ValueError, "notation must be 'P57' or 'P58'"),
        (("net.html", [1.0, 2.0], [1.0, 0.0]), {"max_neurons": 0}, ValueError, "max_neurons"),
        (("net.html", [1.0, 2.0], [1.0, 0.0]), {"learning_rate": math.nan}, ValueError, "learning_rate .* finite"),
        (("net.html", [1.0, 2.0], [1.0, 0.0]), {"learning_rate": -1}, ValueError, "learning_rate .* least 0, got -1"),
        (
            ("net.html", [1.0, 2.0], [1.0, 0.0]),
            {"loss": lambda ys, rs: ys[0] * 1.0},
            ValueError,
            "loss must depend on the target, got function",
        ),
        (("net.html", [1.0, 2.0], [1.0, 0.0]), {"quiz": "no"}, TypeError, "quiz must be True or False, got str 'no'"),
    ],
)
def test_wrong_arguments_write_no_file(arguments, options, error, words, model, tmp_path):
    path, *others = arguments
    with pytest.raises(error, match=words):
        viz.network_page(model, tmp_path / path, *others, **{"loss": nn.mse, **options})
    assert not (tmp_path / path).exists()


def test_bias_weights_must_be_0_without_bias_units(tmp_path):
    model = lecture_model()
    model.layers[1].neurons[0].weights[0].data = 0.5
    with pytest.raises(ValueError, match=r"every bias weight must be 0 .* got layer2\.w10 = 0\.5"):
        viz.network_page(model, tmp_path / "n.html", [1.0, 0.5], 1.0, loss=nn.mse, notation="P58")


def test_a_loss_that_overflows_after_the_update_is_an_error(tmp_path):
    neuron = nn.Perceptron(1, "linear", init=[0.0, 1.0])
    with pytest.raises(ArithmeticError, match="after the update"):
        viz.network_page(neuron, tmp_path / "no.html", 1.0, 0.0, loss=nn.mse, learning_rate=1e300)
    assert not (tmp_path / "no.html").exists()
    assert neuron.state_dict() == {"w0": 0.0, "w1": 1.0}


def test_a_loss_of_ones_own_and_a_target_of_any_kind(model, tmp_path, open_page):
    error = lambda ys, rs: (ys[0] - rs["</script>"]) ** 2  # noqa: E731
    path = viz.network_page(model, tmp_path / "n.html", [1.0, 2.0], {"</script>": 1.0}, loss=error, precision=13)
    numbers = numbers_of(all_steps(open_page(path)))
    assert numbers["L"][0] == close((model([1.0, 2.0])[0].data - 1.0) ** 2)


def test_the_page_inside_no_grad(model, tmp_path):
    arguments = ([1.0, 2.0], [1.0, 0.0])
    outside = viz.network_page(model, tmp_path / "a.html", *arguments, loss=nn.mse).read_text()
    with engine.no_grad():
        assert viz.network_page(model, tmp_path / "a.html", *arguments, loss=nn.mse).read_text() == outside


def test_a_layer_and_the_size_of_the_file(tmp_path):
    viz.network_page(nn.Layer(2, 3, "tanh", seed=1), tmp_path / "l.html", [1.0, 2.0], [0.0, 1.0, 0.0], loss=nn.mse)
    for network, size in (("2-4-1", 250_000), ("3-8-8-2", 680_000), ("64-32-10", 1_000_000)):
        assert NETWORKS[network](tmp_path / "n.html").stat().st_size < size, network
