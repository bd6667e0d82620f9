"""The picture of a network: its numbers are the model's, and its marks mean what they say."""

import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import engine
import nn
import viz
from engine.formatting import format_number

SVG = "{http://www.w3.org/2000/svg}"
BLUE, ORANGE = "#0072b2", "#d55e00"


def parts(drawing, kind):
    """Return the SVG groups of the nodes or edges by their titles."""
    tree = ET.fromstring(drawing.pipe())
    return {g.findtext(f"{SVG}title"): g for g in tree.iter(f"{SVG}g") if g.get("class") == kind}


def weight_lines(drawing):
    """Return the SVG groups of the lines between units; the curve of a neuron is an edge to itself."""
    return {title: g for title, g in parts(drawing, "edge").items() if len(set(title.split("->"))) == 2}


def texts(drawing):
    """Return the lines of text of each node by its title."""
    return {
        title: [t.text.replace("\u00a0", " ").strip() for t in g.iter(f"{SVG}text") if t.text.strip("\u00a0 ")]
        for title, g in parts(drawing, "node").items()
    }


def line_style(g):
    """Return the colour, the width and the dashes of an edge."""
    path = g.find(f".//{SVG}path")
    return path.get("stroke"), float(path.get("stroke-width", 1)), path.get("stroke-dasharray")


def three(x):
    return format_number(x, 3)


def forward(model, x):
    """The sums and outputs of every layer, by NumPy."""
    z, sums, outputs = np.array(x), [], []
    for layer in model.layers:
        w = np.array([[weight.data for weight in neuron.weights] for neuron in layer.neurons])
        sums.append(w @ np.concatenate([[1.0], z]))
        z = np.tanh(sums[-1]) if layer.activation == "tanh" else sums[-1]
        outputs.append(z)
    return sums, outputs


def test_a_perceptron_with_all_its_numbers():
    shown = texts(viz.network(nn.Perceptron(2, init=[-3.0, 2.0, -3.0]), [-1.0, -2.0], 1.0, loss=nn.mse))
    y = 1 / (1 + math.exp(-1))
    assert shown["x0"] == ["x0", "1"]
    assert shown["x1"] == ["x1", "-1.0"]
    assert shown["x2"] == ["x2", "-2.0"]
    assert shown["y"] == ["y", three(y), f"δ = {three(2 * (y - 1) * y * (1 - y))}"]
    assert [shown[f"w{i}"] for i in range(3)] == [["w0 = -3.0"], ["w1 = 2.0"], ["w2 = -3.0"]]
    assert shown["target y"] == ["target 1.0"]
    assert [f"L = mse = {three((y - 1) ** 2)} for target 1.0"] in shown.values()


def test_outputs_and_deltas_are_those_of_numpy():
    model, x, r = nn.MLP(2, [3, 2], seed=1), [0.5, -1.0], [1.0, -0.5]
    _, (z1, z2) = forward(model, x)
    delta2 = z2 - r  # of the mean of two squares
    v = np.array([[w.data for w in neuron.weights[1:]] for neuron in model.layers[1].neurons])
    delta1 = (1 - z1**2) * (v.T @ delta2)
    shown = texts(viz.network(model, x, r, loss=nn.mse))
    for layer, (zs, deltas) in enumerate([(z1, delta1), (z2, delta2)], start=1):
        for j, (z, delta) in enumerate(zip(zs, deltas, strict=True), start=1):
            assert shown[f"layer{layer}.z{j}"] == [f"{' zy'[layer]}{j}", three(z), f"δ = {three(delta)}"]
    for name, weight in model.named_parameters():
        assert shown[name] == [f"{name.split('.')[1]} = {three(weight.data)}"] or three(weight.data) in shown[name]


def test_without_inputs_there_are_no_outputs():
    shown = texts(viz.network(nn.MLP(2, [3, 1], seed=1)))
    assert shown["x1"] == ["x1"]
    assert shown["layer1.z0"] == ["z0", "1"]
    assert shown["layer1.z2"] == ["z2"]
    assert not any("δ" in line for lines in shown.values() for line in lines)


def test_another_loss():
    model = nn.MLP(2, [3, 3], seed=2)
    _, (_, o) = forward(model, [1.0, 2.0])
    y = np.exp(o) / np.exp(o).sum()
    shown = texts(viz.network(model, [1.0, 2.0], 2, loss=nn.cross_entropy))
    for k in range(3):
        assert shown[f"layer2.z{k + 1}"][-1] == f"δ = {three(y[k] - (k == 2))}"
    assert any("cross_entropy" in line and three(-math.log(y[2])) in line for x in shown.values() for line in x)


def test_deltas_after_backward_are_summed_over_the_examples():
    model = nn.MLP(1, [2, 1], seed=3)
    data = [(1.0, 0.5), (-2.0, 1.0)]
    (engine.sum([(model(x) - r) ** 2 for x, r in data]) / 2).backward()
    wanted = {}
    for x, r in data:
        _, (z1, z2) = forward(model, [x])
        v = np.array([w.data for w in model.layers[1].neurons[0].weights[1:]])
        for j in range(2):
            wanted[f"layer1.z{j + 1}"] = wanted.get(f"layer1.z{j + 1}", 0.0) + (1 - z1[j] ** 2) * v[j] * (z2[0] - r)
        wanted["layer2.z1"] = wanted.get("layer2.z1", 0.0) + z2[0] - r
    shown = texts(viz.network(model))
    for key, delta in wanted.items():
        assert shown[key][-1] == f"δ = {three(delta)}"


def test_the_model_stays_as_it_was():
    model = nn.MLP(2, [3, 1], seed=1)
    model([1.0, 2.0]).backward()
    x = [engine.Value(0.3, "mine"), engine.Value(0.4)]
    before = [(w.data, w.grad, w.label) for w in model.parameters()]
    viz.network(model, x, 1.0, loss=nn.mse)
    with pytest.raises(ArithmeticError):
        viz.network(model, x, 1.0, loss=lambda y, r: (y * 0).sqrt())  # backward fails halfway
    assert [(w.data, w.grad, w.label) for w in model.parameters()] == before
    assert [(v.grad, v.label) for v in x] == [(0.0, "mine"), (0.0, "")]


def test_width_by_size_and_colour_and_dashes_by_sign():
    drawing = viz.network(nn.Perceptron(4, init=[0.0, 1.0, -2.0, 3.0, -4.0]))
    looks = {title: line_style(g) for title, g in parts(drawing, "edge").items()}
    colours, widths, dashes = zip(*[looks[f"x{i}->y"] for i in range(5)], strict=True)
    assert colours == ("#666666", BLUE, ORANGE, BLUE, ORANGE)
    assert list(widths) == sorted(set(widths)), "a larger weight is a wider line"
    assert dashes[1] is None
    assert dashes[3] is None
    assert dashes[2] == dashes[4] is not None, "the sign can be seen without colours"
    assert dashes[0] not in (None, dashes[2])


def test_every_weight_has_its_line():
    model = nn.MLP(3, [4, 2], seed=1)
    edges = weight_lines(viz.network(model))
    assert len(edges) == len(model.parameters())
    weight = model.layers[1].neurons[1].weights[3]
    tooltip = edges["layer1.z3->layer2.z2"].find(f".//{SVG}a").get("{http://www.w3.org/1999/xlink}title")
    assert tooltip == f"layer2.w23 = {three(weight.data)}, from z3 to y2"


@pytest.mark.parametrize("model", [nn.Perceptron(8), nn.Layer(2, 3), nn.MLP(2, [4, 1]), nn.MLP(5, [5, 1])], ids=repr)
def test_no_number_of_a_weight_touches_a_circle(model):
    for weight in model.parameters():
        weight.data = -0.00913
    nodes = parts(viz.network(model, [0.5] * model.n_inputs), "node")
    circles = [g.find(f".//{SVG}ellipse") for title, g in nodes.items() if re.search(r"[xyz]\d*$", title)]
    labels = [nodes[name].find(f".//{SVG}text") for name, _ in model.named_parameters()]
    assert len(labels) == len(model.parameters())
    for label in labels:
        x, y = float(label.get("x")), float(label.get("y"))
        half = 0.25 * len(label.text) * float(label.get("font-size"))
        for circle in circles:
            cx, cy, r = (float(circle.get(name)) for name in ("cx", "cy", "rx"))
            assert max(0.0, abs(x - cx) - half) > r or abs(y - cy) > r, label.text


def test_large_layers_are_folded_in_the_middle():
    model = nn.MLP(64, [32, 10], seed=1)
    drawing = viz.network(model)
    shown = texts(drawing)
    assert ["... 48 more"] in shown.values()
    assert ["... 16 more"] in shown.values()
    inputs = [key for key in shown if re.fullmatch(r"x[1-9]\d*", key)]
    assert inputs == [f"x{i}" for i in [*range(1, 9), *range(57, 65)]]
    assert len([key for key in shown if re.fullmatch(r"layer2\.z\d+", key)]) == 10
    edges = weight_lines(drawing)
    assert len(edges) == 17 * 16 + 17 * 10
    tooltip = edges["x64->layer1.z32"].find(f".//{SVG}a").get("{http://www.w3.org/1999/xlink}title")
    weight = model.layers[0].neurons[31].weights[64]
    assert tooltip.startswith(f"layer1.w32,64 = {three(weight.data)},")
    assert line_style(edges["x64->layer1.z32"])[0] == (BLUE if weight.data > 0 else ORANGE)


def test_max_neurons():
    shown = texts(viz.network(nn.Layer(2, 10, seed=1), max_neurons=3))
    assert [key for key in shown if re.fullmatch(r"z\d+", key)] == ["z1", "z2", "z10"]
    assert ["... 7 more"] in shown.values()
    assert not any("more" in line for x in texts(viz.network(nn.Layer(2, 4), max_neurons=3)).values() for line in x)


@pytest.mark.parametrize(
    "activation", ["linear", "sign", "sigmoid", "tanh", "relu", "exp", "log", "tan", "sqrt", "gelu"]
)
def test_the_point_of_a_neuron_lies_in_its_circle(activation):
    drawing = viz.network(nn.Perceptron(1, activation, init=[0.5, 0.25]), 1.0)
    tree = ET.fromstring(drawing.pipe())
    circle = parts(drawing, "node")["y"].find(f".//{SVG}ellipse")
    (point,) = (e for e in tree.iter(f"{SVG}ellipse") if e.get("fill") == ORANGE)
    curve = parts(drawing, "edge")["y->y"].find(f".//{SVG}path").get("d")
    centre = float(circle.get("cx")), float(circle.get("cy"))
    for x, y in [(point.get("cx"), point.get("cy")), *re.findall(r"(-?[\d.]+),(-?[\d.]+)", curve)]:
        assert math.dist(centre, (float(x), float(y))) < float(circle.get("rx"))
    assert activation in [line for x in texts(drawing).values() for line in x]


def test_pictures_inside_no_grad():
    model = nn.MLP(2, [3, 1], seed=1)
    outside = viz.network(model, [1.0, 2.0], 1.0, loss=nn.mse).source
    with engine.no_grad():
        assert viz.network(model, [1.0, 2.0], 1.0, loss=nn.mse).source == outside
        assert "a = " in viz.network(model, [1.0, 2.0]).pipe(encoding="utf-8")


def curve(drawing):
    return parts(drawing, "edge")["y->y"].find(f".//{SVG}path").get("d")


def test_a_constant_activation_is_a_flat_line():
    engine.rule("always_seven", "7 + 0*a", "0")
    heights = {y for _, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", curve(viz.network(nn.Perceptron(1, "always_seven"))))}
    assert len(heights) == 1


def test_an_activation_that_is_undefined_around_0_has_no_curve():
    engine.rule("far_root", "sqrt(a - 10)", "0.5/sqrt(a - 10)")
    drawing = viz.network(nn.Perceptron(1, "far_root", init=[20.0, 1.0]), 1.0)
    assert texts(drawing)["y"] == ["y", three(math.sqrt(11))]
    assert "y->y" not in parts(drawing, "edge")


def test_a_redefined_activation_has_its_own_curve():
    engine.rule("redefined_curve", "a*a", "2*a")
    old = nn.Perceptron(1, "redefined_curve", init=[0.0, 1.0])
    before = curve(viz.network(old))
    engine.rule("redefined_curve", "-a", "-1")
    assert curve(viz.network(nn.Perceptron(1, "redefined_curve", init=[0.0, 1.0]))) != before
    assert curve(viz.network(old)) == before, "an old neuron computes by the old rule"


def test_errors():
    model = nn.MLP(2, [3, 1])
    for wrong in (3.0, None, lambda x: x, nn.Module()):
        with pytest.raises(TypeError, match="Perceptron, a Layer or an MLP, got"):
            viz.network(wrong)
    with pytest.raises(ValueError, match=r"2 inputs .*got 3"):
        viz.network(model, [1, 2, 3])
    with pytest.raises(TypeError, match="got str"):
        viz.network(model, ["a", 2])
    with pytest.raises(ValueError, match=r"inputs must be passed with a target"):
        viz.network(model, target=1.0)
    with pytest.raises(ValueError, match=r"target must be passed with a loss"):
        viz.network(model, [1, 2], loss=nn.mse)
    with pytest.raises(ValueError, match="as many outputs as targets"):
        viz.network(model, [1, 2], [1.0, 2.0], loss=nn.mse)
    with pytest.raises(ValueError, match=r"loss must .*target.* that the model learns"):
        viz.network(model, [1, 2], 1.0)
    with pytest.raises(TypeError, match="must return a Value, got float"):
        viz.network(model, [1, 2], 1.0, loss=lambda y, r: 0.5)
    with pytest.raises(ValueError, match="max_neurons"):
        viz.network(model, max_neurons=0)
    with pytest.raises(ValueError, match="precision"):
        viz.network(model, precision=0)


def test_the_same_bytes_every_time():
    pictures = {viz.network(nn.MLP(2, [16, 1], seed=1), [1, 2], 0.5, loss=nn.mse).pipe() for _ in range(3)}
    assert len(pictures) == 1


def test_fits_a_page_and_has_a_title():
    for model in (nn.MLP(64, [32, 10]), nn.MLP(2, [3, 3, 3, 3, 1]), nn.Perceptron(1)):
        root = ET.fromstring(viz.network(model).pipe())
        sides = sorted(float(root.get(side).removesuffix("pt")) for side in ("width", "height"))
        assert sides[0] <= 8.27 * 72
        assert sides[1] <= 11.69 * 72
        assert root.find(f"{SVG}g").findtext(f"{SVG}title") == repr(model)


def test_the_notation_of_p58_has_no_bias_units_and_the_error_of_the_output():
    model, x, r = nn.MLP(2, [2, 1], seed=1), [0.5, -1.0], 1.0
    for layer in model.layers:
        for neuron in layer.neurons:
            neuron.weights[0].data = 0.0
    drawing = viz.network(model, x, r, loss=nn.mse, notation="P58")
    shown = texts(drawing)
    _, (z1, z2) = forward(model, x)
    error = -2 * (z2[0] - r)
    v = [w.data for w in model.layers[1].neurons[0].weights[1:]]
    assert sorted(key for key in shown if re.fullmatch(r"[xyz]\d", key)) == ["x1", "x2", "y1", "y2", "y3"]
    assert shown["y3"] == ["y3", three(z2[0]), f"δ = {three(error)}"]
    assert shown["y1"] == ["y1", three(z1[0]), f"δ = {three(v[0] * error)}"]
    assert len(weight_lines(drawing)) == 6
    assert shown["w23"] == [f"w23 = {three(v[1])}"]
    assert shown["w(x1)2"] == [f"w(x1)2 = {three(model.layers[0].neurons[1].weights[1].data)}"]
    model.layers[0].neurons[0].weights[0].data = 0.25
    with pytest.raises(ValueError, match=r"bias weight must be 0 .* layer1\.w10 = 0\.25"):
        viz.network(model, notation="P58")
    with pytest.raises(ValueError, match=r"notation must be 'P57' or 'P58', got str 'p58'"):
        viz.network(model, notation="p58")
