"""The lesson of the hidden layer: half planes, hidden space, regions."""

import re

import numpy as np
import pytest

from demos import hidden_layer
from tests.demos.helpers import run_once


def weights_of(text):
    """The weights of the two hidden neurons and of the output neuron, as printed."""
    term = r"(-?[\d.]+) ([+-]) ([\d.]+) [xz]1 ([+-]) ([\d.]+) [xz]2"
    found = re.findall(term, text)
    return [[float(a), float(s + b), float(t + c)] for a, s, b, t, c in found[:3]]


def test_the_hidden_outputs_and_the_line_against_numpy():
    text, _ = run_once("hidden_layer")
    *hidden, output = np.array(weights_of(text))
    rows = np.array(re.findall(r"^[A-D] +(\d) +(\d) +(\S+) +(\S+) +(\S+) +(-?1)$", text, re.MULTILINE), float)
    assert len(rows) == 4
    for x1, x2, z1, z2, y, r in rows:
        z = np.tanh(np.array(hidden) @ [1, x1, x2])
        assert z == pytest.approx([z1, z2], abs=0.01)
        assert output @ [1, *z] == pytest.approx(y, abs=0.05)
        assert np.sign(y) == r, "one line of hidden space divides the corners"


@pytest.mark.parametrize("name", hidden_layer.REGIONS)
def test_and_and_or_of_half_planes_are_the_region(name):
    region = hidden_layer.REGIONS[name]
    network = hidden_layer.network_of(region)
    rng = np.random.default_rng(1)
    for x in rng.uniform(0, 3, (500, 2)):
        inside = any(all(w[0] + w[1] * x[0] + w[2] * x[1] > 0 for w in convex) for convex in region)
        assert network(x.tolist()).data == (1.0 if inside else -1.0)
    assert network.sizes == [len({h for convex in region for h in convex}), len(region), 1]


def test_the_letter_is_not_convex():
    network = hidden_layer.network_of(hidden_layer.LETTER_L)
    assert [network(x).data for x in ((0.8, 2.2), (2.2, 0.8), (1.5, 1.5))] == [1.0, 1.0, -1.0]


def test_the_strip_shows_the_same_corners_in_both_planes():
    _, pictures = run_once("hidden_layer")
    axes = pictures["hidden_layer.png"].axes
    assert [ax.get_xlabel() for ax in axes] == ["x1"] * 4 + ["z1"] * 4
    for ax in axes:
        assert "".join(sorted("".join(text.get_text() for text in ax.texts))) == "ABCD"
    for ax in axes[:4]:
        assert [line.get_label() for line in ax.lines] == ["z1 = 0", "z2 = 0"]
    assert "layer1.z2" in pictures["hidden_layer.svg"].source


def test_the_line_of_a_hidden_neuron_is_where_its_sum_is_0():
    _, pictures = run_once("hidden_layer")
    text, _ = run_once("hidden_layer")
    for line, (w0, w1, w2) in zip(pictures["hidden_layer.png"].axes[3].lines, weights_of(text)[:2], strict=True):
        (x1, x2), (to_x1, to_x2) = line.get_xy1(), line.get_xy2()
        assert w0 + w1 * x1 + w2 * x2 == pytest.approx(0.0, abs=0.05)
        assert w0 + w1 * to_x1 + w2 * to_x2 == pytest.approx(0.0, abs=0.05)
