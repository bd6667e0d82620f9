"""The page of a network: its frames have the numbers of the model, in the lecture's order."""

import pytest

import engine
import nn
import viz
from tests.viz.pages.browsing import frames


@pytest.fixture
def model():
    return nn.MLP(2, [3, 2], hidden="tanh", output="sigmoid", seed=1)


def test_outputs_then_deltas_then_updates(model, tmp_path):
    x, r, rate = [0.5, -1.0], [1.0, 0.0], 0.25
    steps = frames(viz.network_page(model, tmp_path / "net.html", x, r, learning_rate=rate, precision=12))
    assert [frame["part"] for frame in steps] == ["forward"] * 6 + ["backward"] * 5 + ["update"] * 5
    order = [frame["node"] for frame in steps if frame["node"]]
    hidden, output = ["layer1.z1", "layer1.z2", "layer1.z3"], ["layer2.z1", "layer2.z2"]
    assert order == [*hidden, *output, *output, *hidden, *hidden, *output]

    ys = model(x)
    nodes = {node.label: node for node in engine.topological_order(*ys)}
    engine.sum([(y - t) ** 2 / 2 for y, t in zip(ys, r, strict=True)]).backward()
    shown = {}
    for frame in steps:
        shown |= frame["texts"]
    for key in (*hidden, *output):
        a = nodes[key.replace("z", "a")]
        assert float(shown[f"{key}-output"]) == pytest.approx(nodes[key].data, rel=1e-10, abs=0.0)
        assert float(shown[f"{key}-delta"].removeprefix("δ = ")) == pytest.approx(a.grad, rel=1e-10, abs=0.0)
    for name, weight in model.named_parameters():
        new = float(shown[f"{name}-weight"].split()[-1])
        assert new == pytest.approx(weight.data - rate * weight.grad, rel=1e-10, abs=0.0)


def test_the_lines_show_each_formula_in_symbols_and_numbers(tmp_path):
    neuron = nn.Perceptron(2, "sigmoid", init=[-3.0, 2.0, -3.0])
    forward, backward, update = frames(viz.network_page(neuron, tmp_path / "n.html", [-1.0, -2.0], 1.0))[1:]
    assert forward["lines"] == ["a = w0 x0 + w1 x1 + w2 x2", "  = -3.0*1.0 + 2.0*-1.0 + -3.0*-2.0 = 1.0",
                                "y = sigmoid(a) = 0.7311"]  # fmt: skip
    assert "y, output layer" in backward["title"]
    assert backward["lines"] == ["delta = dl/dz f'(a)", "      = -0.2689 * 0.1966 = -0.05288"]
    assert update["lines"][1] == "w0' = -3.0 - 0.5 * -0.05288 * 1.0 = -2.974"


def test_the_card_shows_a_neuron_under_its_point(tmp_path, open_page):
    tab = open_page(viz.network_page(nn.Perceptron(2, "sigmoid", seed=1), tmp_path / "n.html", [-1.0, -2.0], 1.0))
    tab.keyboard.press("End")
    point = tab.locator(".point").bounding_box()
    tab.mouse.move(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    assert "y, a neuron with sigmoid" in tab.get_by_role("tooltip").text_content()


def test_the_model_does_not_change(model, tmp_path):
    for p in model.parameters():
        p.grad = 7.0
    before = model.state_dict()
    viz.network_page(model, tmp_path / "net.html", [0.5, -1.0], [1.0, 0.0])
    assert model.state_dict() == before
    assert {p.grad for p in model.parameters()} == {7.0}


def test_long_sums_and_updates_are_shortened(tmp_path):
    model = nn.MLP(20, [12, 1], seed=1)
    steps = frames(viz.network_page(model, tmp_path / "net.html", [0.1] * 20, 1.0))
    assert " + ... + w1,20 x20" in steps[1]["lines"][0]
    assert steps[-1]["lines"][-1] == "and 9 more"
    assert max(len(frame["lines"]) for frame in steps) <= 6


def test_another_loss_and_a_neuron_of_slope_zero(tmp_path):
    model = nn.MLP(1, [1, 2], hidden="relu", init="micrograd", seed=1)
    model.load_state_dict(model.state_dict() | {"layer1.w10": -5.0})
    steps = frames(viz.network_page(model, tmp_path / "net.html", 0.5, 1, loss=nn.cross_entropy))
    assert steps[-4]["texts"]["layer1.z1-delta"] == "δ = 0.0"


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
        viz.network_page(model, tmp_path / path, *others)
    assert not (tmp_path / path).exists()
