"""The playground's data sets, from the command line to the file."""

import math

import pytest

import nn
from demos._data import circles, spirals
from tests.viz.pages.browsing import data_of


def page_of(lesson, tmp_path, *arguments):
    text = lesson("playground", *arguments)
    assert "Interactive page: pictures/playground.html" in text
    assert max(map(len, text.splitlines())) <= 80
    return text, data_of(tmp_path / "pictures" / "playground.html")


@pytest.mark.parametrize(
    ("dataset", "sizes", "n_train", "n_test"),
    [("xor", [2, 4, 1], 4, 0), ("moons", [2, 8, 8, 1], 75, 25), ("circles", [2, 4, 1], 150, 50),
     ("spirals", [2, 12, 12, 1], 150, 50), ("iris", [4, 6, 3], 113, 37)],
)  # fmt: skip
def test_every_data_set_becomes_a_page(dataset, sizes, n_train, n_test, lesson, tmp_path):
    text, data = page_of(lesson, tmp_path, dataset)
    assert data["shape"]["sizes"] == sizes
    assert (len(data["training"]["train"]), len(data["training"]["test"])) == (n_train, n_test)
    assert f"{n_train} examples to train with, {n_test} to test" in text


def test_xor_is_the_default_and_the_seed_is_that_of_the_model(lesson, tmp_path):
    _, data = page_of(lesson, tmp_path, "--seed", "7")
    assert data["training"]["weights"] == [w.data for w in nn.MLP(2, [4, 1], seed=7).parameters()]
    assert data["training"]["seed"] == 7


def test_without_a_hidden_layer_it_is_a_perceptron(lesson, tmp_path):
    assert page_of(lesson, tmp_path, "xor", "--hidden")[1]["shape"]["sizes"] == [2, 1]


def test_a_file_of_one_s_own(lesson, tmp_path):
    (tmp_path / "own.csv").write_text("height,weight,kind\n1,2,cat\n2,1,dog\n3,3,cow\n1,1,cat\n4,2,dog\n5,5,cow\n")
    text, data = page_of(lesson, tmp_path, "--data", "own.csv", "--hidden", "5", "4")
    assert "3 classes: cat, cow, dog" in text
    assert data["shape"]["sizes"] == [2, 5, 4, 3]
    page = (tmp_path / "pictures" / "playground.html").read_text(encoding="utf-8")
    assert "<title>own: a network 2-5-4-3 learns</title>" in page
    assert data["classes"] == ["cat", "cow", "dog"]


def test_an_unknown_data_set_is_refused(lesson):
    with pytest.raises(SystemExit, match="must be one of xor, moons, circles, spirals, iris, got 'moon'"):
        lesson("playground", "moon")


def test_circles_and_spirals_have_their_shapes():
    table = circles()
    for (x, y), circle in zip(table.rows, table.targets, strict=True):
        assert math.hypot(x, y) == pytest.approx(0.4 if circle == "inner" else 1.0, abs=0.35)
    table = spirals()
    for i, (x, y) in enumerate(table.rows):
        assert math.hypot(x, y) == pytest.approx(0.3 + 2.7 * (i // 2) / 100, abs=0.3)


@pytest.mark.parametrize(("table", "hidden"), [(circles(), [4]), (spirals(), [12, 12])])
def test_the_network_of_a_data_set_learns_it(table, hidden):
    model = nn.MLP(2, [*hidden, 1], seed=1)
    nn.train(model, nn.binary_cross_entropy, table.examples, epochs=1000, seed=1, progress=False)
    assert nn.evaluate(model, nn.binary_cross_entropy, table.examples)[1] > 0.97
