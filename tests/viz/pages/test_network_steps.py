"""The page of a network: its frames have the numbers of the model, in the lecture's order."""

import pytest

import engine
import nn
import viz
from tests.viz.pages.browsing import frames
from tests.viz.test_network_drawing import line_style, weight_lines


def close(x):
    return pytest.approx(x, rel=1e-10, abs=0.0)


@pytest.fixture
def model():
    return nn.MLP(2, [3, 2], hidden="tanh", output="sigmoid", seed=1)


def test_forward_the_loss_backward_update_and_forward_again(model, tmp_path):
    x, r, rate = [0.5, -1.0], [1.0, 0.0], 0.25
    path = viz.network_page(model, tmp_path / "net.html", x, r, loss=nn.mse, learning_rate=rate, precision=12)
    steps = frames(path)
    assert [frame["phase"] for frame in steps] == (
        ["forward"] * 7 + ["backward"] * 6 + ["update"] * 5 + ["again"] * 7
    ), "with the inputs and the loss before, between and after the neurons"
    order = [frame["node"] for frame in steps if frame["node"]]
    hidden, output = ["layer1.z1", "layer1.z2", "layer1.z3"], ["layer2.z1", "layer2.z2"]
    assert order == [*hidden, *output, *output, *hidden, *hidden, *output, *hidden, *output]

    updated = nn.MLP(2, [3, 2], hidden="tanh", output="sigmoid")
    loss = nn.mse(model(x), r)
    loss.backward()
    updated.load_state_dict({name: w.data - rate * w.grad for name, w in model.named_parameters()})
    new_loss = nn.mse(updated(x), r)
    assert loss.data > new_loss.data
    shown = {}
    for i, frame in enumerate(steps):
        shown |= frame["texts"]
        error = loss if i < 18 else new_loss
        if i in (6, 24):
            assert float(shown["loss-number"].removeprefix("L = ")) == close(error.data)
        if i in (17, 24):
            nodes = {node.label: node for node in engine.topological_order(error)}
            for key in (*hidden, *output):
                assert float(shown[f"{key}-output"]) == close(nodes[key].data)
                if i == 17:
                    delta = nodes[key.replace("z", "a")].grad
                    assert float(shown[f"{key}-delta"].removeprefix("δ = ")) == close(delta)
            for name, weight in updated.named_parameters():
                assert float(shown[f"{name}-weight"].split()[-1]) == close(weight.data)
    assert steps[-1]["lines"][-1].startswith("The loss fell: 0.")


def test_the_lines_show_each_formula_in_symbols_and_numbers(tmp_path):
    neuron = nn.Perceptron(2, "sigmoid", init=[-3.0, 2.0, -3.0])
    path = viz.network_page(neuron, tmp_path / "n.html", [-1.0, -2.0], 1.0, loss=nn.mse)
    start, forward, loss, gradient, backward, update, _, again, new_loss = frames(path)
    assert "weights: solid\u00a0=\u00a0positive" in start["lines"][1]
    assert forward["lines"] == ["a = w0 x0 + w1 x1 + w2 x2", "  = -3.0*1.0 + 2.0*-1.0 + -3.0*-2.0 = 1.0",
                                "y = sigmoid(a) = 0.7311"]  # fmt: skip
    assert loss["lines"] == ["L = mse(y, 1.0)", "  = mse(0.7311, 1.0) = 0.07233"]
    assert gradient["lines"] == ["dL/dy = -0.5379"]
    assert backward["lines"] == ["delta = dL/dy f'(a)", "      = -0.5379 * 0.1966 = -0.1058"]
    assert update["lines"][1] == "w0' = -3.0 - 0.5 * -0.1058 * 1.0 = -2.947"
    assert again["lines"][1] == "  = -2.947*1.0 + 1.947*-1.0 + -3.106*-2.0 = 1.317"
    assert new_loss["lines"] == [
        "L = mse(y, 1.0)",
        "  = mse(0.7887, 1.0) = 0.04464",
        "The loss fell: 0.07233 → 0.04464",
    ]


def test_lines_and_points_follow_the_weights(tmp_path, open_page):
    neuron = nn.Perceptron(2, "tanh", init=[0.0, 0.5, -0.1])
    path = viz.network_page(neuron, tmp_path / "n.html", [1.0, -2.0], 1.0, loss=nn.mse, learning_rate=0.2)
    tab = open_page(path, reduced_motion="reduce")
    look = """() => [...document.querySelectorAll("#page-stage .edge")].slice(0, 3).map((edge) => {
        const [path, arrow] = [edge.querySelector("path"), edge.querySelector("polygon")];
        return ["stroke", "stroke-width", "stroke-dasharray"].map((name) => path.getAttribute(name) ?? "none")
            .concat(arrow.getAttribute("fill"));
    }).concat([["cx", "cy"].map((name) => document.querySelector(".point ellipse").getAttribute(name))])"""
    point = tab.locator(".point")
    assert not point.is_visible(), "no neuron is computed"
    tab.keyboard.press("ArrowRight")
    assert point.is_visible()
    before = tab.evaluate(look)
    assert [row[2] for row in before[:3]] == ["1,5", "none", "5,2"], "0 dotted, positive solid, negative dashed"
    tab.keyboard.press("End")
    after = tab.evaluate(look)
    new = nn.Perceptron(2, "tanh", init=[0.0, 0.5, -0.1])
    nn.mse(new([1.0, -2.0]), 1.0).backward()
    for weight in new.parameters():
        weight.data -= 0.2 * weight.grad
    alone = [line for title, line in weight_lines(viz.network(new)).items()]
    colours = [line_style(line)[0] for line in alone]
    assert [row[0] for row in after[:3]] == [row[3] for row in after[:3]] == colours
    assert [row[2] for row in after[:3]] == [line_style(line)[2] or "none" for line in alone]
    assert after[3] != before[3]
    widths = [float(row[1]) for row in after[:3]]
    assert sorted(widths) == [width for _, width in sorted(zip(map(abs_data, new.parameters()), widths, strict=True))]
    for _ in range(20):
        tab.keyboard.press("ArrowLeft")
    assert not point.is_visible()
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate(look) == before, "going back"


def abs_data(weight):
    return abs(weight.data)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (1024, 768), (3840, 2160)])
def test_the_whole_network_is_in_view_at_the_start(width, height, tmp_path, open_page):
    model = nn.MLP(2, [4, 1], seed=1)
    path = viz.network_page(model, tmp_path / "n.html", [0.0, 1.0], 1, loss=nn.binary_cross_entropy)
    tab = open_page(path, width, height)
    cropped = """() => {
        const stage = document.querySelector("#page-stage").getBoundingClientRect();
        return [...document.querySelectorAll("#page-stage text")].filter((text) => text.textContent.trim())
            .map((text) => text.getBoundingClientRect()).filter((box) => box.left < stage.left
                || box.right > stage.right || box.top < stage.top || box.bottom > stage.bottom).length;
    }"""
    assert tab.evaluate(cropped) == 0
    smallest = """() => Math.min(...[...document.querySelectorAll("#page-stage text")]
        .filter((text) => text.textContent.trim()).map((text) => text.getBoundingClientRect().height))"""
    assert tab.evaluate(smallest) > (9 if width < 1280 else 11)


def test_the_card_shows_a_neuron_under_its_point(tmp_path, open_page):
    tab = open_page(
        viz.network_page(nn.Perceptron(2, "sigmoid", seed=1), tmp_path / "n.html", [-1.0, -2.0], 1.0, loss=nn.mse)
    )
    tab.keyboard.press("End")
    point = tab.locator(".point").bounding_box()
    tab.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    assert "y, a neuron with sigmoid" in tab.get_by_role("tooltip").text_content()


def test_the_model_does_not_change(model, tmp_path):
    for p in model.parameters():
        p.grad = 7.0
    before = model.state_dict()
    viz.network_page(model, tmp_path / "net.html", [0.5, -1.0], [1.0, 0.0], loss=nn.mse)
    assert model.state_dict() == before
    assert {p.grad for p in model.parameters()} == {7.0}


def test_long_sums_and_updates_are_shortened(tmp_path):
    model = nn.MLP(20, [12, 1], seed=1)
    steps = frames(viz.network_page(model, tmp_path / "net.html", [0.1] * 20, 1.0, loss=nn.mse))
    assert " + ... + w1,20 x20" in steps[1]["lines"][0]
    updates = [frame for frame in steps if frame["phase"] == "update"]
    assert updates[-1]["lines"][-1] == "and 9 more"
    assert max(len(frame["lines"]) for frame in steps) <= 6


def test_another_loss_and_a_neuron_of_slope_zero(tmp_path):
    model = nn.MLP(1, [1, 2], hidden="relu", init="micrograd", seed=1)
    model.load_state_dict(model.state_dict() | {"layer1.w10": -5.0})
    steps = frames(viz.network_page(model, tmp_path / "net.html", 0.5, 1, loss=nn.cross_entropy))
    backward = [frame for frame in steps if frame["phase"] == "backward"]
    assert backward[0]["lines"] == ["dL/d(layer2.z1) = 0.5", "dL/d(layer2.z2) = -0.5"]
    assert backward[-1]["texts"]["layer1.z1-delta"] == "δ = 0.0"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("net.txt", [1.0, 2.0], [1.0, 0.0]), ValueError, "path must end in .html"),
        (("net.html", None, [1.0, 0.0]), ValueError, "inputs and target .* got None: pass both"),
        (("net.html", [1.0, 2.0], None), ValueError, "inputs and target .* got None: pass both"),
        (("net.html", [1.0], [1.0, 0.0]), ValueError, "2 inputs .*got 1"),
        (("net.html", [1.0, 2.0], [1.0]), ValueError, "as many outputs as targets"),
    ],
)
def test_wrong_arguments_write_no_file(arguments, error, words, model, tmp_path):
    path, *others = arguments
    with pytest.raises(error, match=words):
        viz.network_page(model, tmp_path / path, *others, loss=nn.mse)
    assert not (tmp_path / path).exists()


def test_the_loss_must_be_passed_and_its_name_is_shown(model, tmp_path):
    with pytest.raises(ValueError, match=r"loss must .* that the model learns"):
        viz.network_page(model, tmp_path / "net.html", [1.0, 2.0], [1.0, 0.0])
    error = lambda ys, rs: (ys[0] - rs["{}"]) ** 2  # noqa: E731
    steps = frames(viz.network_page(model, tmp_path / "net.html", [1.0, 2.0], {"{}": 1.0}, loss=error))
    assert steps[6]["lines"][0] == "L = loss([layer2.z1, layer2.z2], {'{}': 1.0})"


def test_a_loss_that_rises_says_so_and_one_that_overflows_is_an_error(tmp_path):
    neuron = nn.Perceptron(1, "linear", init=[0.0, 1.0])
    steps = frames(viz.network_page(neuron, tmp_path / "n.html", 1.0, 0.0, loss=nn.mse, learning_rate=5.0))
    assert steps[-1]["lines"][-1] == "The loss rose: 1.0 → 361.0"
    steps = frames(viz.network_page(neuron, tmp_path / "n.html", 1.0, 0.0, loss=nn.mse, learning_rate=0.0))
    assert steps[-1]["lines"][-1] == "The loss did not move: 1.0 → 1.0"
    with pytest.raises(ArithmeticError, match="after the update"):
        viz.network_page(neuron, tmp_path / "no.html", 1.0, 0.0, loss=nn.mse, learning_rate=1e300)
    with pytest.raises(ValueError, match=r"learning_rate .* finite"):
        viz.network_page(neuron, tmp_path / "no.html", 1.0, 0.0, loss=nn.mse, learning_rate=float("nan"))
    assert not (tmp_path / "no.html").exists()
    assert neuron.state_dict() == {"w0": 0.0, "w1": 1.0}


def test_the_page_inside_no_grad(model, tmp_path):
    arguments = ([1.0, 2.0], [1.0, 0.0])
    outside = viz.network_page(model, tmp_path / "a.html", *arguments, loss=nn.mse).read_text()
    with engine.no_grad():
        assert viz.network_page(model, tmp_path / "a.html", *arguments, loss=nn.mse).read_text() == outside
