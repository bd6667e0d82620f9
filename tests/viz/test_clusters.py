"""Clusters in the graphs of models, and how they are folded."""

import random
import re
import xml.etree.ElementTree as ET

import pytest

import engine
import nn
import viz
from engine import Backprop, Value

SVG = "{http://www.w3.org/2000/svg}"


def lines(g):
    return [t.text.replace("\u00a0", " ").strip() for t in g.iter(f"{SVG}text")]


def groups(drawing, kind):
    return [g for g in ET.fromstring(drawing.pipe()).iter(f"{SVG}g") if g.get("class") == kind]


def nodes(drawing):
    return [lines(g) for g in groups(drawing, "node")]


def note(drawing):
    (graph,) = groups(drawing, "graph")
    return " ".join(t.text for t in graph.findall(f"{SVG}text"))


def bounds(g):
    path = g.find(f"{SVG}path") if g.find(f"{SVG}path") is not None else g.find(f".//{SVG}polygon")
    shape = path.get("d") or path.get("points")
    xs, ys = zip(*[map(float, pair) for pair in re.findall(r"(-?[\d.]+),(-?[\d.]+)", shape)], strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def nodes_by_cluster(drawing):
    """For each cluster, by its title, the first lines of the nodes that are drawn within its frame."""
    result = {}
    for cluster in groups(drawing, "cluster"):
        left, top, right, bottom = bounds(cluster)
        inside = []
        for g in groups(drawing, "node"):
            x, y = (float(g.find(f".//{SVG}text").get(c)) for c in "xy")
            if left <= x <= right and top <= y <= bottom:
                inside.append(lines(g)[0])
        result.setdefault(lines(cluster)[0], []).append(sorted(inside))
    return result


def edges(drawing):
    names = {g.findtext(f"{SVG}title"): lines(g)[0] for g in groups(drawing, "node")}
    return [tuple(names[end] for end in g.findtext(f"{SVG}title").split("->")) for g in groups(drawing, "edge")]


def loss(sizes, rows=1, n_inputs=2):
    rng, model = random.Random(1), nn.MLP(n_inputs, sizes, seed=1)
    xs = [[rng.uniform(-1, 1) for _ in range(n_inputs)] for _ in range(rows)]
    error = nn.mse([model(x) for x in xs], [rng.choice([-1, 1]) for _ in xs])
    error.label = "L"
    error.backward()
    return error, model


def test_layers_and_neurons_are_clusters():
    error, _ = loss([3, 1])
    boxes = nodes_by_cluster(viz.draw(error))
    (layer1,), (layer2,) = boxes["layer1"], boxes["layer2"]
    assert set(layer1) >= {"x0 = 1", "w10", "w32", "a1", "z3", "dot", "tanh"}
    assert set(layer2) == {"x0 = 1", "w10", "w11", "w12", "w13", "dot", "z1"}
    assert len(boxes["neuron 1"]) == 2, "one in each layer"
    assert boxes["neuron 3"] == [sorted(["w30", "w31", "w32", "dot", "a3", "tanh", "z3"])]
    assert not any(name in layer1 + layer2 for name in ("L", "x1", "v1"))


def test_numbers_are_those_of_the_graph():
    error, model = loss([3, 1])
    shown = nodes(viz.draw(error))
    for name, weight in model.named_parameters():
        numbers = [name.split(".")[1], f"data {weight.data:.6g}", f"grad {weight.grad:.6g}"]
        assert [re.sub(r" 0$", " 0.0", line) for line in numbers] in shown


def test_layers_are_side_by_side():
    error, _ = loss([3, 2, 1])
    frames = {lines(g)[0]: bounds(g) for g in groups(viz.draw(error), "cluster") if lines(g)[0].startswith("layer")}
    lefts_and_rights = [x for i in (1, 2, 3) for x in frames[f"layer{i}"][::2]]
    assert lefts_and_rights == sorted(lefts_and_rights)


def test_an_index_of_two_digits():
    error, _ = loss([12, 1])
    boxes = nodes_by_cluster(viz.draw(error, depth=5))
    assert boxes["neuron 12"] == [sorted(["w12,0", "w12,1", "w12,2", "dot", "a12", "tanh", "z12"])]
    assert "w2,1" in boxes["neuron 2"][0]
    assert "w1,12" in boxes["neuron 1"][0] + boxes["neuron 1"][1]


def test_a_labelled_perceptron_is_a_cluster():
    hidden = nn.Perceptron(12, "tanh", label="hidden", seed=1)
    y = hidden([float(i) for i in range(12)])
    boxes = nodes_by_cluster(viz.draw(y * 2))
    assert set(boxes) == {"hidden"}
    assert {"w0", "w11", "w12", "a", "y", "tanh"} <= set(boxes["hidden"][0])


def test_unlabelled_values_join_the_cluster_of_their_users():
    w, b, x = Value(2.0, "line.w"), Value(1.0, "line.b"), Value(3.0, "x")
    product = w * x
    y = (product + b).tanh()
    y.label = "line.y"
    boxes = nodes_by_cluster(viz.draw((y - x * 2) ** 2))
    assert boxes["line"] == [sorted(["b", "w", "y", "line.w*x", "v1", "*", "+", "tanh"])]


def test_inputs_of_a_cluster_lie_outside():
    x = Value(3.0, "x")
    boxes = nodes_by_cluster(viz.draw(nn.Perceptron(1, label="p", seed=1)([x * 2]) ** 2))
    assert boxes["p"] == [sorted(["w0", "w1", "x0 = 1", "dot", "a", "sigmoid", "y"])]


def test_without_dotted_labels_there_are_no_clusters():
    for label in ("3.14", "Dr. No", "a..b", ".a", "a.", "e.g. this", "w.1 x"):
        drawing = viz.draw(Value(1.0, label) * Value(2.0, label))
        assert "cluster" not in drawing.source
        assert label in drawing.pipe(encoding="utf-8")
    drawing = viz.draw(Value(1.0, "alone.w") * Value(2.0, "single.w"))
    assert "cluster" not in drawing.source, "a cluster of one node is dropped"
    assert {"alone.w", "single.w"} < {box[0] for box in nodes(drawing)}


@pytest.mark.parametrize("label", ["权.重", "a.b,c", "layer1.w<b>", 'x."', "x.\\N", "x.&amp;", "_.{|}"])
def test_labels_with_special_characters_stay_text(label):
    root = Value(1.0, label) * Value(2.0, label)
    root.label = label
    for depth in (None, 0):
        drawing = viz.draw(root, depth=depth)
        text = " ".join(line for box in nodes(drawing) for line in box) + str(nodes_by_cluster(drawing))
        last = label.split(".")[-1]
        assert (last if depth is None else label.split(".")[0]) in text
        assert not list(ET.fromstring(drawing.pipe()).iter(f"{SVG}b"))


def test_depth_0_folds_layers():
    error, _ = loss([3, 1])
    drawing = viz.draw(error, depth=0)
    assert ["layer1", "x1, x2 → z1, z2, z3", "15 nodes, 9 parameters"] in nodes(drawing)
    (layer2,) = (box for box in nodes(drawing) if box[0] == "layer2")
    assert layer2[1] == "z1, z2, z3 → z1"
    assert layer2[2].startswith("data ")
    assert layer2[-1] == "5 nodes, 4 parameters"
    assert edges(drawing).count(("layer1", "layer2")) == 1
    assert "cluster" not in drawing.source
    assert "folded into" in note(drawing)


def test_depth_1_folds_neurons():
    error, _ = loss([3, 1])
    drawing = viz.draw(error, depth=1)
    z2 = next(v for v in engine.topological_order(error) if v.label == "layer1.z2")
    box = ["neuron 2", "x1, x2 → z2", f"data {z2.data:.6g}", f"grad {z2.grad:.6g}", "5 nodes, 3 parameters"]
    assert box in nodes(drawing)
    assert nodes_by_cluster(drawing)["layer1"] == [["neuron 1", "neuron 2", "neuron 3"]]
    (x1,) = (box[0] for box in nodes(drawing) if box[0].startswith("x1"))
    assert [edge for edge in edges(drawing) if edge[0] == x1] == [(x1, f"neuron {j}") for j in (1, 2, 3)]


def test_a_large_depth_opens_everything():
    error, _ = loss([3, 1])
    assert viz.draw(error, depth=9).source == viz.draw(error).source


def test_folded_neurons_are_in_order():
    error, _ = loss([16, 16, 1])
    for rankdir, side in (("LR", "y"), ("TB", "x")):
        drawing = viz.draw(error, depth=1, rankdir=rankdir)
        column = {}
        for g in groups(drawing, "node"):
            if lines(g)[0].startswith("neuron") and "x1, x2" in lines(g)[1]:
                column[lines(g)[0]] = float(g.find(f".//{SVG}text").get(side))
        assert sorted(column, key=column.get) == [f"neuron {i}" for i in range(1, 17)]


def test_values_of_many_rows_are_drawn_once():
    error, _ = loss([16, 16, 1], rows=100)
    assert {box[0] for box in nodes(viz.draw(error)) if "layer" in box[0]} == {f"layer{i} × 100" for i in (1, 2, 3)}
    drawing = viz.draw(error, depth=1)
    shown = nodes(drawing)
    assert len(shown) < 60
    (first,) = (box for box in shown if box[0] == "neuron 1 × 100" and "x1, x2" in box[1])
    z = [v.data for v in engine.topological_order(error) if v.label == "layer1.z1"]
    assert first[2] == f"data {min(z):.3g} … {max(z):.3g}"
    assert first[-1] == "203 nodes, 3 parameters"
    text = note(drawing)
    assert f"{len(engine.topological_order(error)):,} nodes, folded into" in text
    assert "× n" in text
    assert sum(box[0] == "× 100" for box in shown) == 2, "the differences and their squares"


def test_few_rows_are_drawn_separately():
    error, _ = loss([2, 1], rows=3)
    drawing = viz.draw(error)
    assert sum(box[0] == "z2" for box in nodes(drawing)) == 3
    assert note(drawing) == ""


def test_merged_values_have_the_same_operation_label_and_operands():
    model = nn.Perceptron(2, "tanh", label="p", seed=1)
    xs = [(0.1 * i, 1.0) for i in range(400)]
    error = engine.sum([(model(x) - 1) ** 2 for x in xs[:200]] + [model(x) * 3 for x in xs[200:]])
    drawing = viz.draw(error)
    shown = nodes(drawing)
    assert ["y", "× 400"] in [box[:2] for box in shown]
    assert sorted(box[0] for box in shown if box[0].startswith("×")) == ["× 200"] * 3
    assert [edge for edge in edges(drawing) if edge[1] == "sum"] == [("× 200", "sum")] * 2


def test_a_penalty_over_all_parameters_and_long_sums_fold():
    error, model = loss([16, 16, 1], rows=20)
    total = error + 0.01 * sum(p * p for p in model.parameters())
    shown = nodes(viz.draw(total))
    assert len(shown) < 60
    assert sorted(box[0] for box in shown if box[0] in ("× 48", "× 272", "× 17")) == ["× 17", "× 272", "× 48"]


def test_a_single_neuron_over_many_rows_is_merged():
    model = nn.Perceptron(2, seed=1)
    error = nn.mse([model([0.01 * i, 1.0]) for i in range(1000)], [0.5] * 1000)
    shown = nodes(viz.draw(error))
    assert ["a", "× 1,000"] in [box[:2] for box in shown]
    w0 = model.weights[0]
    assert ["w0", f"data {w0.data:.6g}" + ".0" * (w0.data == 0), "grad 0.0"] in shown


def test_many_inputs_fold_beside_folded_layers():
    model = nn.MLP(64, [32, 10], seed=1)
    drawing = viz.draw(nn.cross_entropy(model([i / 64 for i in range(64)]), 3))
    shown = nodes(drawing)
    (inputs,) = (box for box in shown if box[0] == "64 inputs")
    assert inputs[1] == "x1, ..., x64"
    assert ["layer1", "x1, ..., x64 → z1, ..., z32", "2,144 nodes, 2,080 parameters"] in shown
    assert edges(drawing).count(("64 inputs", "layer1")) == 1


def test_highlight_of_a_folded_cluster():
    error, _ = loss([3, 1])
    walk = Backprop(error)
    step = walk.step()
    while not step.node.label.startswith("layer1.z2"):
        step = walk.step()
    source = viz.draw(error, highlight=step, depth=0).source
    assert [line for line in source.splitlines() if "ffc58f" in line and "layer1" in line]
    full = viz.draw(error, highlight=step).source
    assert len([line for line in full.splitlines() if "ffc58f" in line]) == 1
    assert len([line for line in full.splitlines() if "fff1e2" in line]) == 1


def test_expand_in_clusters():
    error, _ = loss([2, 1])
    shown = nodes(viz.draw(error, expand=True))
    assert sum(box == ["*"] for box in shown) == 2 * 3 + 3
    assert not [box for box in shown if box == ["dot"]]
    pairs = edges(viz.draw(error, expand=True))
    assert sorted((a, b) for a, b in pairs if b == "*" and a in ("w21", "w22")) == [("w21", "*"), ("w22", "*")]
    assert sum(b == "*" and a.startswith("x0") for a, b in pairs) == 3


def test_recurrent_layers_fold():
    cell = nn.Layer(2, 1, "tanh", label="cell", seed=1)
    h = Value(0.0, "h")
    for i in range(50):
        (h,) = cell([h, float(i)])
    shown = nodes(viz.draw(h, depth=0))
    assert "cell × 50" in [box[0] for box in shown]


def test_errors_name_what_is_wrong():
    error, _ = loss([3, 1])
    with pytest.raises(ValueError, match=r"depth .* at least 0"):
        viz.draw(error, depth=-1)
    with pytest.raises(TypeError, match=r"depth .* int"):
        viz.draw(error, depth=1.5)
    with pytest.raises(ValueError, match=r"max_nodes=2.* 27 nodes"):
        viz.draw(error, max_nodes=2)
    large, _ = loss([40, 40, 1])
    with pytest.raises(ValueError, match=r"max_nodes=1,000.* 1,969 nodes.*depth=0"):
        viz.draw(large, depth=2)


def test_the_same_bytes_every_time():
    for depth in (None, 0, 1):
        assert len({viz.draw(loss([4, 1], rows=2)[0], depth=depth).pipe() for _ in range(3)}) == 1
