"""Training on arrays gives the same numbers and errors as training on Values, in corner cases too."""

from typing import NamedTuple

import numpy as np
import pytest

import engine
import nn
from engine import Value


def line(**changes):
    return nn.Perceptron(1, "linear", **{"init": [0.0, 1.0], **changes})


def still(model):
    return nn.SGD(model.parameters(), 0.0)


@pytest.fixture(params=[False, True], ids=["on Values", "on arrays"])
def compiled(request):
    return request.param


class TestAccuracy:
    @pytest.mark.parametrize(
        ("size", "loss", "targets", "accuracy"),
        [
            (1, nn.hinge, [1, -1, -1], 2 / 3),
            (1, nn.binary_cross_entropy, [0.5, 1, 0], 2 / 3),
            (1, nn.binary_cross_entropy, [0.25, 0.75, 0.5], 2 / 3),
            (3, nn.cross_entropy, [0, 2, 1], 1 / 3),
            (3, nn.cross_entropy, [[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]], 1 / 3),
            (2, nn.hinge, [[1, -1], [1, 1], [-1, -1]], 1 / 2),
        ],
    )
    @pytest.mark.parametrize("batch_size", [None, 2])
    def test_ties(self, size, loss, targets, accuracy, batch_size, compiled):
        """An output of 0.0 is not class 1; of equal outputs the first is the largest."""
        zeros = nn.Layer(1, size, "linear")
        zeros.load_state_dict(dict.fromkeys(zeros.state_dict(), 0.0))
        model = zeros if size > 1 else line(init=[0.0, 0.0])
        data = [([1.0], r) for r in targets]
        history = nn.train(
            model, loss, data, optimizer=still(model), epochs=1, batch_size=batch_size, compiled=compiled
        )
        assert history.accuracy == pytest.approx([accuracy])
        assert type(history.accuracy[0]) is float

    def test_a_custom_accuracy_gets_the_output_of_the_model(self, compiled):
        class Two(NamedTuple):
            first: Value
            rest: list[Value]

        class Split(nn.Module):
            def __init__(self):
                self.layer = nn.Layer(1, 3, "linear", seed=1)

            def __call__(self, x):
                first, *rest = self.layer(x)
                return Two(first, rest)

        seen = []

        def accuracy(output, r):
            y = [output.first, *output.rest] if isinstance(output, Two) else output
            seen.append([type(output), *(x.data for x in y)])
            return y[r].data > 0

        for model, loss in [
            (Split(), lambda output, r: nn.cross_entropy([output.first, *output.rest], r)),
            (nn.Layer(1, 3, "linear", seed=1), nn.cross_entropy),
        ]:
            expected = [[y.data for y in nn.Layer(1, 3, "linear", seed=1)(x)] for x in (1.0, -2.0)]
            seen.clear()
            nn.train(
                model, loss, [([1.0], 0), ([-2.0], 2)], optimizer=still(model), epochs=1, accuracy=accuracy,
                shuffle=False, compiled=compiled,
            )  # fmt: skip
            assert [x[0] for x in seen] == [Two if isinstance(model, Split) else list] * 2
            assert np.allclose([x[1:] for x in seen], expected, rtol=1e-14)

    def test_a_custom_model_with_a_loss_of_nn(self, compiled):
        w = Value(1.0, "w")
        history = nn.train(
            lambda x: w * x, nn.hinge, [(1.0, 1), (2.0, -1), (-3.0, -1)], optimizer=nn.SGD([w], 0.0), epochs=1,
            compiled=compiled,
        )  # fmt: skip
        assert history.accuracy == pytest.approx([2 / 3])


class TestData:
    @pytest.mark.parametrize(
        "xs",
        [
            [[1, 2], [3, 4]],
            [(1, 2.0), [3.0, 4]],
            [np.array([1, 2], np.int8), np.array([3, 4], np.float32)],
            np.array([[1, 2], [3, 4]], np.uint8),
            [[Value(1.0), 2.0], [3.0, 4.0]],
            [range(1, 3), range(3, 5)],
        ],
    )
    def test_many_kinds_of_rows(self, xs, compiled):
        model = nn.Perceptron(2, "linear", init=[0.0, 1.0, -1.0])
        history = nn.train(
            model, nn.mse, zip(xs, [1, np.float32(2)], strict=True), epochs=1, optimizer=still(model), compiled=compiled
        )
        assert history.loss == pytest.approx([(4 + 9) / 2])

    @pytest.mark.parametrize(
        ("size", "loss", "data", "example", "message"),
        [
            (1, nn.mse, [([1.0], [1.0])], 0, r"mse .*as many outputs as targets, got Value Value\("),
            (1, nn.mse, [([1.0, 2.0], 1.0)], 0, r"Perceptron\(1, 'linear'\) .* 1 input, got 2: list \[1.0, 2.0\]"),
            (1, nn.mse, [([1.0], 1.0), ([1.0, 2.0], 1.0)], 1, r"Perceptron\(1, 'linear'\) .* 1 input, got 2"),
            (1, nn.mse, [([1.0], 1.0), (["1"], 1.0)], 1, "x1 .*real number, got str '1'"),
            (1, nn.mse, [([1.0], 1.0), ([True], 1.0)], 1, "x1 .*real number, got bool True"),
            (1, nn.mse, [([1.0], 1.0), ([1.0], True)], 1, "target of mse .*real number, got bool True"),
            (1, nn.mse, [([1.0], 1.0), ([1.0], np.True_)], 1, "target of mse .*real number, got "),
            (1, nn.mse, [(np.array([True]), 1.0)], 0, "x1 .*real number, got bool True"),
            (1, nn.mse, [([1.0], 1.0), ([np.nan], 1.0)], 1, "x1 .*finite.*, got nan"),
            (1, nn.mse, [([1.0], 1.0), ([[1.0]], 1.0)], 1, r"x1 .*real number, got list \[1.0\]"),
            (1, nn.mse, [([[1.0]], 1.0)], 0, r"x1 .*real number, got list \[1.0\]"),
            (1, nn.mse, [([1.0], 1.0), ([1.0], np.inf)], 1, "target of mse .*finite.*, got inf"),
            (1, nn.mse, [([1.0], 1.0), ([1.0], 10**400)], 1, "int 1000"),
            (1, nn.hinge, [([1.0], 1), ([1.0], 0.5)], 1, "target of hinge .* 1 or -1, got 0.5"),
            (1, nn.hinge, [([1.0], -1), ([1.0], 1.0), ([1.0], -2)], 2, "target of hinge .* 1 or -1, got -2.0"),
            (1, nn.binary_cross_entropy, [([1.0], 0), ([1.0], 1.1)], 1, "target of binary_cross_entropy .*got 1.1"),
            (1, nn.binary_cross_entropy, [([1.0], 1), ([1.0], -0.1)], 1, "target of binary_cross_entropy .*got -0.1"),
            (2, nn.cross_entropy, [([1.0], 1), ([1.0], 1.0)], 1, "target of cross_entropy .* class, an int"),
            (2, nn.cross_entropy, [([1.0], 1), ([1.0], True)], 1, "target of cross_entropy .* class, an int"),
            (2, nn.cross_entropy, [([1.0], 1), ([1.0], 2)], 1, "cross_entropy .* 0 to 1, got int 2"),
            (2, nn.cross_entropy, [([1.0], 0), ([1.0], -1)], 1, "cross_entropy .* 0 to 1, got int -"),
            (2, nn.cross_entropy, [([1.0], [0.5, 0.6])], 0, "probabilities .*sum 1,"),
            (2, nn.cross_entropy, [([1.0], [0, 1]), ([1.0], [-1, 2])], 1, "target of cross_entropy .* class"),
            (2, nn.cross_entropy, [([1.0], [0, 1, 0])], 0, "cross_entropy .*as many outputs as targets, got"),
            (2, nn.cross_entropy, [([1.0], [1])], 0, "cross_entropy .*as many outputs as targets, got list"),
            (1, nn.cross_entropy, [([1.0], 0)], 0, "cross_entropy .*list of logits, .*got"),
            (2, nn.mse, [([1.0], 1.0)], 0, "mse .*as many outputs as targets, got list"),
        ],
    )
    def test_unsuitable_examples(self, size, loss, data, example, message, compiled):
        model = nn.Layer(1, size, "linear") if size > 1 else line()
        words = rf"^epoch 1, data\[{example}\]: .*{message}"
        with pytest.raises((TypeError, ValueError, OverflowError), match=words):
            nn.train(model, loss, data, optimizer=still(model), epochs=1, shuffle=False, compiled=compiled)

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            ([(1e200, 0.0)], OverflowError, r"a\*\*2 overflows .*1e\+200 .*y - 0 .*y = 1e\+200"),
            ([(1.0, 1.0), (1.0, 1e200)], OverflowError, r"a\*\*2 overflows .*-1e\+200 .*y - "),
            ([(0.0, 0.0), (1e200, 1e150)], OverflowError, r"the gradient of Value\(data=0.0, grad=-inf"),
        ],
    )
    def test_examples_that_overflow(self, call, error, message, compiled):
        model, data = line(init=[0.0, float(call[-1][1] != 1e150)]), [([x], r) for x, r in call]
        with pytest.raises(error, match=rf"^epoch 1, (the batch of )?data\[{len(data) - 1}\]: {message}"):
            nn.train(model, nn.mse, data, optimizer=still(model), batch_size=1, shuffle=False, compiled=compiled)

    @pytest.mark.parametrize(
        ("example", "named"), [(([1.0, 1e200], 1e150), "x2 = 1e+200"), (([1.0, 1.0], 2e154), "r1 = 2e+154")]
    )
    def test_an_error_names_inputs_and_targets(self, example, named):
        model = nn.Perceptron(2, "linear", init=[0.0, 0.0, 0.0])
        with pytest.raises(OverflowError, match=r"^epoch 1, data\[1\]: ") as caught:
            nn.train(
                model, nn.mse, [([1.0, 1.0], 0.0), example], batch_size=1, shuffle=False, compiled=True,
            )  # fmt: skip
        assert named in str(caught.value)

    def test_losses_whose_sum_overflows(self, compiled):
        model = line()
        with pytest.raises(OverflowError, match=r"^epoch 1: the sum of the losses overflows$"):
            nn.train(
                model, lambda y, r: y * 1e308, [(1.0, 0.0)] * 2, optimizer=still(model), batch_size=1, compiled=compiled
            )


class TestCustomModels:
    def test_examples_of_leaves_are_recorded_once_per_shape(self):
        calls = 0

        def model(x):
            nonlocal calls
            calls += 1
            return w * engine.sum(x) if isinstance(x, list) else w * x

        w = Value(1.0, "w")
        for data, most in [
            ([(Value(x), Value(1.0)) for x in (1.0, 2.0, 3.0, 4.0)], 2),
            ([([Value(x), Value(2.0)], Value(1.0)) for x in (1.0, 2.0, 3.0, 4.0)], 2),
            ([([Value(x)] * 2, Value(1.0)) for x in (1.0, 2.0, 3.0, 4.0)], 4),
            ([(x, 1.0) for x in (1.0, 2.0, 3.0, 4.0)], 4),
            ([(Value(1.0), Value(1.0))], 1),
        ]:
            calls = 0
            nn.train(model, nn.mse, data, optimizer=nn.SGD([w]), epochs=3, compiled=True)
            assert calls <= most

    def data(self, kind):
        a, w = Value(2.0, "a"), Value(0.5, "w")
        return w, {
            "numbers": [(1.0, 2.0), (-1.0, 0.5), (3.0, 1.0)],
            "the last like the first": [(1.0, 2.0), (-1.0, 0.5), (1.0, 2.0)],
            "one leaf twice": [(a, a), (Value(1.0), Value(2.0)), (a, a)],
            "one leaf in all": [(a, 1.0), (a, 2.0), (a, 3.0)],
            "a parameter": [(w, Value(1.0)), (Value(2.0), Value(3.0)), (w, Value(1.0))],
            "results": [(a * a, Value(1.0)), (a + 1, Value(2.0)), (a * a, Value(3.0))],
            "leaves": [(Value(1.0), Value(2.0)), (Value(-1.0), Value(0.5)), (Value(3.0), Value(1.0))],
            "leaves and numbers": [(Value(1.0), 2.0), (Value(-1.0), 0.5), (3.0, Value(1.0))],
            "one alone": [(Value(1.0), Value(2.0))],
        }[kind]

    @pytest.mark.parametrize("batch_size", [None, 1, 2])
    @pytest.mark.parametrize(
        "kind",
        [
            "numbers", "the last like the first", "one leaf twice", "one leaf in all", "a parameter", "results",
            "leaves", "leaves and numbers", "one alone",
        ],
    )  # fmt: skip
    def test_compiled_learns_the_same(self, kind, batch_size):
        results = []
        for compiled in (False, True):
            w, data = self.data(kind)
            history = nn.train(
                lambda x: (w * x).tanh() + w,  # noqa: B023
                nn.mse, data, optimizer=nn.SGD([w]), epochs=3, batch_size=batch_size, seed=1, compiled=compiled,
            )  # fmt: skip
            results.append([*history.loss, w.data, w.grad])
        assert results[1] == pytest.approx(results[0], rel=1e-13, abs=0.0)

    def test_leaves_outside_the_optimizer_have_gradients(self, compiled):
        class Two(nn.Module):
            def __init__(self):
                self.w, self.fixed, self.unused = Value(1.0, "w"), Value(2.0, "fixed"), Value(3.0, "unused")

            def __call__(self, x):
                return self.w * x + self.fixed + shift

        model, shift = Two(), Value(1.0, "shift")
        model.unused.grad = 5.0
        nn.train(model, nn.mse, [(1.0, 2.0), (2.0, 2.0)], optimizer=nn.SGD([model.w]), epochs=1, compiled=compiled)
        grads = [leaf.grad for leaf in (model.w, model.fixed, model.unused, shift)]
        assert grads == pytest.approx([((4 - 2) * 2 + (5 - 2) * 2 * 2) / 2, 5.0, 0.0, 5.0])

    def test_an_error_while_recording_names_the_example(self, compiled):
        w = Value(1.0, "w")
        with pytest.raises(ArithmeticError, match=r"data\[1\]: .*log"):
            nn.train(
                lambda x: (w * x).log(), nn.mse, [(1.0, 0.0), (-1.0, 0.0)], optimizer=nn.SGD([w]), shuffle=False,
                compiled=compiled,
            )  # fmt: skip
