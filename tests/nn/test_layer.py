"""Layer: outputs, names and labels."""

import pytest

import nn
from tests.nn.helpers import ACTIVATIONS, close, matrices


def test_a_layer_is_perceptrons_side_by_side():
    for size in (1, 3):
        layer = nn.Layer(2, size, "silu", seed=1)
        ((w),) = matrices(layer, 2, size)
        outputs = layer((0.5, -3))
        assert isinstance(outputs, list)
        assert [y.data for y in outputs] == close(ACTIVATIONS["silu"](w @ [1, 0.5, -3]))
        assert [y.label for y in outputs] == ["z1", "z2", "z3"][:size]
        assert [y.parents[0].label for y in outputs] == ["a1", "a2", "a3"][:size]
    assert nn.Layer(2, 1, label="out")([1, 2])[0].label == "out.z1"
    assert nn.Layer(1, 2, "linear", init="micrograd")(0)[1].data == 0.0


def test_labels():
    layer = nn.Layer(2, 2, label="hidden")
    assert [name for name, _ in layer.named_parameters()] == ["w10", "w11", "w12", "w20", "w21", "w22"]
    (y, _), x = layer([1.0, 2.0]), ["x0", "x1", "x2"]
    assert (y.label, y.parents[0].label) == ("hidden.z1", "hidden.a1")
    assert [p.label for p in y.parents[0].parents] == ["hidden.w10", "hidden.w11", "hidden.w12", *x]
    assert nn.Layer(1, 1, "linear")([1.0])[0].label == "z1"


def test_names_beyond_nine_have_a_comma():
    assert [name for name, _ in nn.Layer(9, 9).named_parameters()][::89] == ["w10", "w99"]
    assert list(nn.Layer(10, 2).state_dict())[::10] == ["w1,0", "w1,10", "w2,9"]
    assert list(nn.Layer(1, 10).state_dict())[-3:] == ["w9,1", "w10,0", "w10,1"]


def test_repr_has_the_defaults():
    assert repr(nn.Layer(2, 3)) == "Layer(2, 3, 'sigmoid')"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Layer(0, 1), "n_inputs .*1.* got 0"),
        (lambda: nn.Layer(1, 0), "n_outputs .*1.* got 0"),
        (lambda: nn.Layer(2, 3)("12"), "2 inputs for Layer.*got str"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
