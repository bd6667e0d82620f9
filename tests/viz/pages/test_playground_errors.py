"""What `viz.playground` refuses: nothing is written, and the message names the culprit."""

import pytest

import nn
import viz
from demos._data import XOR


class Halving(nn.Optimizer):
    def update(self, data, grad):
        return (data / 2,)


def refused(tmp_path, model, data, match, error=ValueError, **options):
    with pytest.raises(error, match=match):
        viz.playground(model, data, tmp_path / "play.html", **{"loss": nn.hinge, **options})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def model():
    return nn.MLP(2, [2, 1], seed=1)


def test_the_model_must_be_one_of_three(tmp_path):
    refused(tmp_path, lambda x: x, XOR, "Perceptron, a Layer or an MLP", TypeError)


def test_an_example_that_does_not_fit_is_named(tmp_path, model):
    refused(tmp_path, model, [*XOR, ([1.0], 1)], r"data\[4\].*2 inputs")
    refused(tmp_path, model, [*XOR, ([1.0, 2.0], 3)], r"data\[4\].*1 or -1")
    refused(tmp_path, model, XOR, r"data\[0\].*2 inputs", test=[([1.0], 1)])


def test_the_optimizer_must_have_formulas_and_all_parameters(tmp_path, model):
    halving = Halving(model.parameters(), 0.1, 0.0, 0)
    refused(tmp_path, model, XOR, "formulas to translate, got Halving", optimizer=halving)
    refused(tmp_path, model, XOR, "all 9 parameters", optimizer=nn.SGD(model.parameters()[:3]))


def test_names_must_be_as_many_as_there_are_inputs_and_classes(tmp_path, model):
    refused(tmp_path, model, XOR, "2 names, got 1", inputs=["width"])
    refused(tmp_path, model, XOR, "2 names, got 3", classes=["a", "b", "c"])


def test_a_file_must_end_in_html(tmp_path, model):
    with pytest.raises(ValueError, match="html"):
        viz.playground(model, XOR, tmp_path / "play.txt", loss=nn.hinge)


def test_a_batch_has_one_example_or_more(tmp_path, model):
    refused(tmp_path, model, XOR, "batch_size must be at least 1", batch_size=0)


def test_the_model_and_the_optimizer_do_not_change(tmp_path, model):
    optimizer = nn.Adam(model.parameters())
    before = [(w.data, w.grad) for w in model.parameters()]
    viz.playground(model, XOR, tmp_path / "play.html", loss=nn.hinge, optimizer=optimizer)
    assert [(w.data, w.grad) for w in model.parameters()] == before
    assert [neuron.activation for layer in model.layers for neuron in layer.neurons] == ["tanh", "tanh", "linear"]
    assert (optimizer.steps, optimizer.state) == (0, [(0.0, 0.0)] * 9)


def test_a_loss_that_is_another_formula_for_other_examples_is_named(tmp_path, model):
    def branching(y, r):
        return (y - r) ** 2 if getattr(r, "data", r) > 0 else (y - r) ** 4

    refused(tmp_path, model, XOR, r"formula for all examples.* for data\[1\]", loss=branching)
    refused(tmp_path, model, XOR, r"formula for all examples.* for data\[1\]", loss=lambda y, r: y.detach() * r)


def test_arguments_of_another_type_are_named(tmp_path, model):
    refused(tmp_path, model, XOR, "classes must be a list of 2 names", TypeError, classes="no")
    refused(tmp_path, model, XOR, "inputs must be 2 names, got 1", inputs=["a"])
    refused(tmp_path, model, XOR, "optimizer must be one such as nn.Adam", TypeError, optimizer="adam")
    refused(tmp_path, model, XOR, "test", Exception, test=[([0, 0], 5)])


def test_the_seed_must_be_an_integer_of_javascript(tmp_path, model):
    refused(tmp_path, model, XOR, "seed must be at most 9007199254740991", seed=2**60 + 1)
    refused(tmp_path, model, XOR, "seed must be at least 0", seed=-1)
    refused(tmp_path, model, XOR, "seed must be an int", TypeError, seed=1.5)


def test_a_page_may_run_its_own_code_and_nothing_else(tmp_path, model):
    text = viz.playground(model, XOR, tmp_path / "play.html", loss=nn.hinge, title="<b>&").read_text(encoding="utf-8")
    policy = text.partition('Policy" content="')[2].partition('"')[0]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "'wasm-unsafe-eval'" in policy
    assert "'unsafe-eval'" not in policy
    assert "&lt;b&gt;&amp;" in text
    other = viz.network_page(model, tmp_path / "net.html", [0.0, 1.0], 1, loss=nn.hinge).read_text(encoding="utf-8")
    assert "wasm-unsafe-eval" not in other
