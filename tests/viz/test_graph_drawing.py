"""Drawings of graphs: what they show, options, and labels with any characters."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
import nn
import viz
from engine import Backprop, ForwardMode, Value, dot
from viz.drawing import layout

SVG = "{http://www.w3.org/2000/svg}"


def example():
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    root = (a * b + c).tanh() * 2
    root.label = "L"
    root.backward()
    return root


def texts(drawing):
    """The texts of each node of a drawing, as a reader sees them."""
    tree = ET.fromstring(drawing.pipe())
    nodes = (g for g in tree.iter(f"{SVG}g") if g.get("class") == "node")
    lines = [[(t.text or "").replace("\u00a0", " ").strip() for t in g.iter(f"{SVG}text")] for g in nodes]
    return [[line for line in node if line] for node in lines]


def edges(drawing):
    """(from, to) for each edge of a drawing, by the first text of its nodes."""
    tree = ET.fromstring(drawing.pipe())
    names = {}
    pairs = []
    for g in tree.iter(f"{SVG}g"):
        title = g.findtext(f"{SVG}title")
        if g.get("class") == "node":
            names[title] = g.find(f"{SVG}text").text
        elif g.get("class") == "edge":
            pairs.append(title.split("->"))
    return [(names[a], names[b]) for a, b in pairs]


def test_values_gradients_and_operations():
    root = example()
    boxes = texts(viz.draw(root))
    slope = 2 * (1 - (root.data / 2) ** 2)
    assert ["a", "data 2.0", f"grad {-3 * slope:.6g}"] in boxes
    assert ["a*b", "data -6.0", f"grad {slope:.6g}"] in boxes
    assert ["L", f"data {root.data:.6g}", "grad 1.0"] in boxes
    assert ["2"] in boxes, "a constant is its number alone"
    assert [box for box in boxes if box in (["*"], ["+"], ["tanh"])] == [["*"], ["+"], ["tanh"], ["*"]]
    assert len(boxes) == 8 + 4


def test_pictures_of_a_stale_graph_warn(tmp_path):
    root = example()
    a = root.parents[0].parents[0].parents[0].parents[0]
    a.data = 5.0
    pictures = (viz.draw, viz.text, viz.tikz, lambda root: viz.latex(root, numbers=True))
    for picture in pictures:
        with pytest.warns(UserWarning, match=r"^the graph is stale: an operand of a\*b has changed .* forward\(\)"):
            picture(root)
    with pytest.raises(RuntimeError, match="has changed"):
        viz.page(root, tmp_path / "L.html")
    viz.latex(root)
    root.forward()
    for picture in pictures:
        picture(root)  # warnings are errors here


def test_inputs_of_a_network_are_shown_with_their_numbers():
    y = nn.Perceptron(2, init=[0.5, 2.0, -1.0])([1.5, -2.0])
    boxes = texts(viz.draw(y))
    assert all([box] in boxes for box in ("x0 = 1", "x1 = 1.5", "x2 = -2"))
    assert "x1 = 1.5" in str(viz.text(y))


def test_title_and_description_for_screen_readers():
    hostile = Value(2.0, '<a&"b">\x00')
    picture = ET.fromstring(viz.draw(hostile * 3).pipe())
    assert picture.findtext(f"{SVG}title") == 'The graph of <a&"b">\\x00*3'
    assert picture.get("aria-label") == picture.findtext(f"{SVG}title")
    assert '<a&"b">\\x00: data 2.0, gradient 0.0.' in picture.findtext(f"{SVG}desc")
    many = viz.draw(engine.sum([Value(float(i)) for i in range(50)])).pipe()
    assert ET.fromstring(many).findtext(f"{SVG}desc") == "51 values, each drawn after its operands."
    network = ET.fromstring(viz.network(nn.Perceptron(1, init=[0, 1]), [2.0]).pipe())
    assert network.findtext(f"{SVG}title") == "The network Perceptron(1, 'sigmoid')"
    assert "y = 0.881, a = 2.0, sigmoid" in network.findtext(f"{SVG}desc")


def test_an_edge_per_use_in_the_order_of_operands():
    a, b = Value(1.0, "a"), Value(2.0, "b")
    assert edges(viz.draw(b - a)) == [("b", "-"), ("a", "-"), ("-", "b - a")]
    assert edges(viz.draw(a + a)) == [("a", "+"), ("a", "+"), ("+", "a + a")]


def test_expand():
    w = [Value(0.5, "w0"), Value(2.0, "w1")]
    x = [1.0, Value(3.0, "x1")]
    y = dot(w, x)
    y.backward()
    assert ["dot"] in texts(viz.draw(y))
    boxes = texts(viz.draw(y, expand=True))
    assert ["w1*x1", "data 6.0", "grad 1.0"] in boxes
    assert boxes.count(["*"]) == 2
    assert ["+"] in boxes
    assert ["dot"] not in boxes
    assert ("w1*x1", "+") in edges(viz.draw(y, expand=True))
    assert edges(viz.draw(engine.sum(w), expand=True)) == [("w0", "+"), ("w1", "+"), ("+", "sum([w0, w1])")]


def line(drawing, start):
    """The line of the DOT source that begins like this."""
    return next(line.strip() for line in drawing.source.splitlines() if line.strip().startswith(start))


def test_a_step_of_backprop_shows_where_the_gradient_goes():
    root = example()
    walk = Backprop(root)
    walk.step()
    step = walk.step()
    plain, lit = viz.draw(root), viz.draw(root, highlight=step)
    assert "#d55e00" not in plain.source
    lit_edges = [x for x in lit.source.splitlines() if "#d55e00" in x and "->" in x]
    assert len(lit_edges) == 2
    assert all("dir=back" in x for x in lit_edges), "arrows point from the giver to the receiver"
    (local,) = [x for x in lit_edges if "label" in x]
    assert f'"× {1 - step.node.data**2:.6g}"' in local
    assert "transparent" not in local
    giver, receiver = (line(lit, key) for key in ("n5 ", "n4 "))
    assert "tanh" in giver
    assert "dashed" not in giver
    assert "tanh" not in receiver
    assert "dashed" in receiver


def test_a_gradient_that_is_not_reached_yet_is_unknown():
    root = example()
    walk = Backprop(root)
    pictures = [viz.draw(root, highlight=walk), *(viz.draw(root, highlight=step) for step in walk)]
    grads = [{box[0]: box[-1] for box in texts(picture) if len(box) == 3} for picture in pictures]
    assert [sum(grad == "grad ?" for grad in shown.values()) for shown in grads] == [6, 5, 4, 2, 0]
    assert grads[0]["L"] == "grad 1.0"
    assert grads[-1] == {box[0]: box[-1] for box in texts(viz.draw(root)) if len(box) == 3}


def test_a_true_zero_is_shown():
    x = Value(-1.0, "x")
    y = x.relu()
    assert ["x", "data -1.0", "grad 0.0"] in texts(viz.draw(y, highlight=Backprop(y).step()))


def test_a_step_shows_its_own_gradients_after_later_steps():
    x = Value(3.0, "x")
    y = x * x + x
    y.label = "y"
    walk = Backprop(y)
    first = walk.step()
    before = texts(viz.draw(y, highlight=first))
    assert ["x", "data 3.0", "grad 1.0"] in before
    walk.run()
    assert texts(viz.draw(y, highlight=first)) == before


def positions(drawing):
    """Where the nodes of a drawing are."""
    tree = ET.fromstring(drawing.pipe())
    groups = [g for g in tree.iter(f"{SVG}g") if g.get("class") == "node"]
    return [(g.findtext(f"{SVG}title"), [(x.get("x"), x.get("y")) for x in g.iter(f"{SVG}text")]) for g in groups]


def test_a_screen_reader_hears_the_step_and_what_is_not_known_yet():
    root = example()
    picture = ET.fromstring(viz.draw(root, highlight=Backprop(root).step()).pipe())
    description = picture.findtext(f"{SVG}desc")
    assert "a: data 2.0, gradient not known yet." in description
    assert "tanh(a*b + c): data 0.999329, gradient 2.0." in description
    assert description.endswith("Step: L = tanh(a*b + c)*2 passes back dL/dL = 1.0; dL/d(tanh(a*b + c)) += dL/dL * 2 "
                                "= 1.0 * 2.0 = 2.0.")  # fmt: skip


def test_nothing_moves_from_step_to_step():
    root = example()
    for walk in (Backprop(root), ForwardMode(root, engine.topological_order(root)[0])):
        pictures = [positions(viz.draw(root, highlight=walk))]
        pictures += [positions(viz.draw(root, highlight=step)) for step in walk]
        assert len(pictures) > 3
        assert all(picture == pictures[0] for picture in pictures)


def test_a_step_of_a_large_graph_has_local_derivatives_on_its_edges_only():
    x = Value(0.5, "x")
    for _ in range(110):
        x = x.tanh() + 1.0
    drawing = viz.draw(x, highlight=Backprop(x).step())
    assert re.findall('"(× [^"]*)"', drawing.source) == ["× 1.0"]


def test_local_derivatives_of_all_edges():
    root = example()
    drawing = viz.draw(root, local_derivatives=True)
    labels = re.findall('"(× [^"]*)"', drawing.source)
    assert labels == ["× -3.0", "× 2.0", "× 1.0", "× 1.0", f"× {1 - (root.data / 2) ** 2:.6g}", "× 2.0"]
    assert "transparent" not in drawing.source
    assert texts(drawing) == texts(viz.draw(root))


def test_local_derivatives_of_operations_on_lists():
    w, x = [Value(2.0, "w1"), Value(3.0, "w2")], [1.0, Value(7.0, "x2")]
    y = dot(w, x)
    for expand in (False, True):
        labels = re.findall(
            r'(n\d) -> \w+ \[.*label="× ([^"]*)"', viz.draw(y, local_derivatives=True, expand=expand).source
        )
        assert sorted(labels) == [("n0", "1.0"), ("n1", "7.0"), ("n3", "3.0")]


def test_a_local_derivative_without_a_value_is_left_out():
    x = Value(0.0, "x")
    assert "×" not in viz.draw(x.sqrt(), local_derivatives=True).source


def test_constants_receive_nothing():
    y = Value(2.0, "x") * 3.0
    lit = viz.draw(y, highlight=Backprop(y).step())
    assert "#d55e00" in line(lit, "n0 -> ")
    assert "#d55e00" not in line(lit, "n1 -> ")


def test_a_step_of_forward_mode_shows_tangents():
    root = example()
    walk = ForwardMode(root, root.parents[0].parents[0].parents[0].parents[0])
    step = walk.step()
    drawing = viz.draw(root, highlight=step)
    boxes = texts(drawing)
    assert ["a", "data 2.0", "tangent 1.0"] in boxes
    assert ["b", "data -3.0", "tangent 0.0"] in boxes
    assert ["a*b", "data -6.0", "tangent -3.0"] in boxes
    assert ["a*b + c", "data 4.0", "tangent ?"] in boxes
    assert "grad" not in drawing.source
    assert "a*b: data -6.0, tangent -3.0." in drawing.pipe(encoding="utf-8").replace("&#45;", "-")
    lit_lines = [line for line in drawing.source.splitlines() if "#d55e00" in line]
    assert len([line for line in lit_lines if "data" in line]) == 2
    walk.run()
    assert ["L", f"data {root.data:.6g}", f"tangent {walk.tangents[root]:.6g}"] in texts(viz.draw(root, highlight=step))


def test_tangents_of_the_products_of_a_dot():
    w, x = [Value(2.0, "w1"), Value(3.0, "w2")], [Value(5.0, "x1"), Value(7.0, "x2")]
    both = dot([*w, w[0]], [*x, w[0]])
    step = ForwardMode(both, w[0]).step()
    boxes = texts(viz.draw(both, highlight=step, expand=True))
    assert ["w1*x1", "data 10.0", "tangent 5.0"] in boxes
    assert ["w2*x2", "data 21.0", "tangent 0.0"] in boxes
    assert ["w1*w1", "data 4.0", "tangent 4.0"] in boxes
    later = dot([w[0].tanh().sin(), w[0]], [x[0], x[0]])
    boxes = texts(viz.draw(later, highlight=ForwardMode(later, w[0]).step(), expand=True))
    assert [box[-1] for box in boxes if box[0] in ("w1*x1", "sin(tanh(w1))*x1")] == ["tangent ?", "tangent 5.0"]


def test_the_prompt_says_what_a_drawing_is_and_how_to_see_it():
    assert repr(viz.draw(example())) == (
        '<The graph of L = tanh(a*b + c)*2: .render(outfile="L.svg") writes the picture, .view() shows it>'
    )


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
def test_the_weights_of_each_neuron_are_in_order(rankdir):
    model = nn.MLP(2, [4, 2, 1], seed=1)
    tree = ET.fromstring(viz.draw(nn.mse([model([1.0, 0.0])], [1.0]), rankdir=rankdir).pipe())
    groups = [g for g in tree.iter(f"{SVG}g") if g.get("class") == "node"]
    first_texts = [g.find(f"{SVG}text") for g in groups]
    weights = [
        (float(t.get("y" if rankdir == "LR" else "x")), t.text) for t in first_texts if re.match(r"w\d+$", t.text)
    ]
    stacked = [name for _, name in sorted(weights)]
    for row in ("w30", "w31", "w32"), ("w40", "w41", "w42"):
        assert [name for name in stacked if name in row] == list(row)


def test_options():
    root = example()
    assert "rankdir=TB" in viz.draw(root, rankdir="TB").source
    assert texts(viz.draw(root, rankdir="TB"))[0][0] == "a"
    assert ["L", "data 2.0", "grad 1.0"] in texts(viz.draw(root, precision=2))
    for wrong in ({"rankdir": "up"}, {"precision": 0}, {"max_nodes": 3}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            viz.draw(root, **wrong)
    for function in (viz.draw, viz.text):
        with pytest.raises(TypeError, match="got float"):
            function(3.0)
        with pytest.raises(ValueError, match="precision"):
            function(root, precision=0)


def test_a_graph_with_too_many_nodes_is_an_error_at_once():
    x = Value(1.0)
    for _ in range(1_000_000):
        x = x + 1.0
    for function in (viz.draw, viz.text):
        with pytest.raises(ValueError, match=r"2,000,001 nodes.*max_nodes"):
            function(x)


LABELS = [
    '"', "'", "{|}", "a|b\\", "\\", "\\N\\G", "<b>", "<i>bold</i>", "</svg><script>alert(1)</script>", "]]>", "-->",
    "&amp; &#65;", "a\nb", "  two  spaces", "\u3000", "中文 标签", "🎉👩\u200d🔬", "%s {0}", "\x00\x1b[31m", "\ud800",
]  # fmt: skip


def visible_lines(label):
    """The lines of a label that a reader should see: controls as escapes, without blanks at the ends."""
    keep = "\n\u00a0\u3000\u200d"
    text = "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in label)
    return [line.replace("\u00a0", " ").strip() for line in text.split("\n") if line.strip()]


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_shown_as_it_is(label, rankdir):
    root = Value(1.0, label) * 2
    root.label = label
    drawing = viz.draw(root, rankdir=rankdir)
    boxes = [box for box in texts(drawing) if "grad 0.0" in box]
    assert [box[:-2] for box in boxes] == [visible_lines(label)] * 2
    assert not list(ET.fromstring(drawing.pipe()).iter(f"{SVG}script"))
    assert label.split("\n")[0].strip()[:1] in str(viz.text(root)) or not label.isprintable()
    assert "\x1b" not in viz.text(root)


@settings(max_examples=200)
@given(st.text(min_size=1, max_size=30))
def test_any_label(label):
    boxes = texts(viz.draw(Value(1.0, label)))
    assert boxes == [[*visible_lines(label), "data 1.0", "grad 0.0"]]


def test_the_same_bytes_every_time():
    assert viz.draw(example()).pipe() == viz.draw(example()).pipe()


def test_labels_that_begin_with_an_empty_line():
    leaves = [Value(1.0, "\n\n" + "a" * i) for i in range(200)]
    assert len(texts(viz.draw(engine.sum(leaves)))) == 202


def test_the_terms_of_a_weighted_sum_are_named():
    ws, xs = ([Value(1.0, f"{letter}{i}") for i in (1, 2)] for letter in "wx")
    source = viz.draw(engine.dot(ws, xs), expand=True).source
    assert "w1*x1" in source
    assert "w2*x2" in source


def test_edges_of_a_product_with_a_shared_operand_do_not_cross():
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    L = (a * b + c).tanh() * a
    picture = layout(viz.draw(L, highlight=Backprop(L)).source)
    names = [node["name"] for node in picture["objects"]]
    starts, ends = {}, {}
    for edge in picture["edges"]:
        if names[edge["head"]] == "n2op":
            end, start, *_ = edge["pos"].removeprefix("e,").split()
            starts[edge["tail"]], ends[edge["tail"]] = (float(point.split(",")[1]) for point in (start, end))
    assert len(starts) == 2
    assert sorted(starts, key=starts.get) == sorted(ends, key=ends.get)
