"""Training on arrays gives the same numbers and errors as training on Values, in corner cases too."""

import math
import random
from collections import namedtuple
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

import engine
import nn
from engine import Value
from nn.optimizers import UpdateRule
from nn.training.compiled import CompiledSteps
from nn.training.compiled_update import CompiledFit, compiled_step


def line(**changes):
    return nn.Perceptron(1, "linear", **{"init": [0.0, 1.0], **changes})


def rate_of(weight, epoch):
    return 0.1 / (1 + abs(weight.data)) if epoch < 3 else 0.05


class Clock:
    def __init__(self, model):
        self.model = model

    def rate(self, epoch):
        return rate_of(self.model.weights[0], epoch)

    def reset(self, epoch):
        if epoch in (1.25, 2.0):
            self.model.weights[1].data = epoch
        return 0.1


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
            (1, nn.mse, [([1.0], [1.0])], 0, r"mse .*as many outputs as targets, got Value\("),
            (1, nn.mse, [([1.0, 2.0], 1.0)], 0, r"1 input for Perceptron\(1, 'linear'\), got 2: list \[1.0, 2.0\]"),
            (1, nn.mse, [([1.0], 1.0), ([1.0, 2.0], 1.0)], 1, r"1 input for Perceptron\(1, 'linear'\), got 2"),
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
            (1, nn.cross_entropy, [([1.0], 0)], 0, "logits of cross_entropy .*list, .*got"),
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
            ([(1e200, 0.0)], OverflowError, r"\(y - 0\)\*\*2 overflows .*1e\+200 \(y = 1e\+200\)"),
            ([(1.0, 1.0), (1.0, 1e200)], OverflowError, r"\(y - .*\)\*\*2 overflows .*-1e\+200 .*y = "),
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
        """And the first of every graph twice."""
        calls = 0

        def model(x):
            nonlocal calls
            calls += 1
            return w * engine.sum(x) if isinstance(x, list) else w * x

        w = Value(1.0, "w")
        for data, most in [
            ([(Value(x), Value(1.0)) for x in (1.0, 2.0, 3.0, 4.0)], 3),
            ([([Value(x), Value(2.0)], Value(1.0)) for x in (1.0, 2.0, 3.0, 4.0)], 3),
            ([([Value(x)] * 2, Value(1.0)) for x in (1.0, 2.0, 3.0, 4.0)], 6),
            ([(x, 1.0) for x in (1.0, 2.0, 3.0, 4.0)], 6),
            ([(Value(1.0), Value(1.0))], 2),
        ]:
            calls = 0
            nn.train(model, nn.mse, data, optimizer=nn.SGD([w]), epochs=3, compiled=True)
            assert calls <= most

    @pytest.mark.parametrize("kind", ["noise", "dropout", "a state", "a state of numbers"])
    @pytest.mark.parametrize("values", [False, True], ids=["numbers", "Values"])
    def test_models_that_are_never_the_same_are_refused(self, kind, values):
        rng, w = random.Random(2), Value(0.5, "w")
        states = [w * 0.0]

        def model(x):
            if kind == "noise":
                return w * x + rng.gauss(0.0, 0.1)
            if kind == "dropout":
                return w * x if rng.random() < 0.5 else 0.0 * w
            states.append(states[-1] + x)
            return w * (states[-1] if kind == "a state" else states[-1].data)

        data = [(Value(x), Value(x)) if values else (float(x), 1.0 * x) for x in range(8)]
        with pytest.raises(ValueError, match=r"^epoch 1, data\[\d\]: .*compiled=False"):
            nn.train(model, nn.mse, data, optimizer=nn.SGD([w], 0.001), epochs=2, compiled=True)
        nn.train(model, nn.mse, data, optimizer=nn.SGD([w], 0.001), epochs=2, compiled=False)

    @pytest.mark.parametrize("kind", ["a number", "a branch", "an attribute", "a leaf"])
    @pytest.mark.parametrize("values", [False, True], ids=["numbers", "Values"])
    def test_what_a_callback_changes_in_model_and_loss_counts(self, kind, values):
        class Penalized(nn.Module):
            def __init__(self):
                self.w, self.slope = Value(0.5, "w"), 1.0

            def __call__(self, x):
                return self.slope * self.w * x

        results = []
        for compiled in (False, True):
            model, strength, shift = Penalized(), 0.0, Value(0.0)

            def loss(y, r):
                if kind == "branch" and strength:  # noqa: B023
                    return abs(y - r)
                return (y - r) ** 2 + strength * model.w**2 + shift  # noqa: B023

            def callback(history):
                nonlocal strength
                if history.epochs in (2, 4):
                    strength += kind in ("a number", "a branch")
                    model.slope += kind == "an attribute"  # noqa: B023
                    shift.data += kind == "a leaf"  # noqa: B023

            wrapped = Value if values else float
            history = nn.train(
                model, loss, [(wrapped(x), wrapped(2 * x)) for x in (1.0, -1.0, 0.5)], seed=1, epochs=6,
                optimizer=nn.SGD([model.w], 0.1), callback=callback, until=lambda h: False, compiled=compiled,
            )  # fmt: skip
            results.append([*history.loss, model.w.data])
        assert results[1] == pytest.approx(results[0], rel=1e-9)
        assert results[0][2] != pytest.approx(results[0][1], rel=0.01)

    def test_what_a_callback_changes_in_a_dict_counts(self):
        results = []
        for compiled in (False, True):
            w, data = Value(0.5, "w"), [({"distance": Value(x)}, 2.0) for x in (1.0, -1.0)]
            history = nn.train(
                lambda x: w * x["distance"],  # noqa: B023
                nn.mse, data, optimizer=nn.SGD([w], 0.1), epochs=4, compiled=compiled,
                callback=lambda history: setattr(data[1][0]["distance"], "data", 3.0),  # noqa: B023
            )  # fmt: skip
            results.append([*history.loss, w.data])
        assert results[1] == pytest.approx(results[0], rel=1e-12)

    def test_inputs_that_are_equal_by_chance_may_change_one_by_one(self):
        results = []
        for compiled in (False, True):
            w, inputs = Value(0.5, "w"), [Value(1.0), Value(1.0)]
            history = nn.train(
                lambda x: w * x[0],  # noqa: B023
                nn.mse, [([x], -1.0) for x in inputs], optimizer=nn.SGD([w], 0.1), epochs=4, compiled=compiled,
                callback=lambda history: setattr(inputs[0], "data", 0.5 + history.epochs),  # noqa: B023
            )  # fmt: skip
            results.append([*history.loss, w.data])
        assert results[1] == pytest.approx(results[0], rel=1e-12)

    def test_a_callback_that_leaves_no_value_ends_with_the_error_of_the_model(self, compiled):
        w = Value(1.0, "w")
        with pytest.raises(ArithmeticError, match=r"^epoch 3, .*log\(w\) has no value at w = -1"):
            nn.train(
                lambda x: x * w.log(), nn.mse, [(1.0, 2.0)], optimizer=nn.SGD([w]), epochs=4, compiled=compiled,
                callback=lambda history: setattr(w, "data", 1.0 if history.epochs < 2 else -1.0),
            )  # fmt: skip

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


class TestAgainstValues:
    def trained(self, compiled, loss, data, sizes, make, **options):
        model = nn.MLP(len(data[0][0]), sizes, seed=3)
        optimizer = make(model.parameters())
        history = nn.train(
            model, loss, data, optimizer=optimizer, epochs=20, until=lambda history: False, seed=5,
            compiled=compiled, progress=False, **options,
        )  # fmt: skip
        return [p.data for p in model.parameters()], [p.grad for p in model.parameters()], history, optimizer

    @pytest.mark.parametrize(
        "make",
        [
            lambda ps: nn.SGD(ps, 0.1, momentum=0.9, weight_decay=1e-3),
            lambda ps: nn.Adam(ps, 0.01, weight_decay=1e-3),
        ],
        ids=["SGD", "Adam"],
    )
    @pytest.mark.parametrize(
        ("loss", "sizes", "target"),
        [
            (nn.mse, [4, 1], lambda x: x[0] * x[1]),
            (nn.mse, [4, 2], lambda x: [x[0], x[1] ** 2]),
            (nn.hinge, [4, 1], lambda x: 1 if x[0] > x[1] else -1),
            (nn.binary_cross_entropy, [4, 1], lambda x: int(x[0] > x[1])),
            (nn.cross_entropy, [4, 3], lambda x: int(x[0] > x[1]) + int(x[0] > 0)),
            (nn.cross_entropy, [4, 2], lambda x: [0.0, 1.0] if x[0] > x[1] else [1.0, 0.0]),
        ],
    )
    def test_the_same_training_as_on_values(self, loss, sizes, target, make):
        rng = random.Random(1)
        xs = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(50)]
        data = [(x, target(x)) for x in xs]
        ours, eager = (self.trained(c, loss, data, sizes, make, batch_size=8) for c in (True, False))
        assert ours[0] == pytest.approx(eager[0], rel=1e-9)
        assert ours[1] == pytest.approx(eager[1], rel=1e-9, abs=1e-12)
        assert ours[2].loss == pytest.approx(eager[2].loss, rel=1e-9)
        assert ours[2].accuracy == eager[2].accuracy
        assert {type(x) for x in ours[2].loss + ours[2].accuracy + ours[0]} == {float}
        assert ours[3].steps == eager[3].steps == 20 * 7
        for state, theirs in zip(ours[3].state, eager[3].state, strict=True):
            assert state == pytest.approx(theirs, rel=1e-9, abs=1e-12)

    def test_sequences_of_different_lengths_train_together(self):
        class Recurrent(nn.Module):
            def __init__(self):
                self.cell = nn.Perceptron(2, "tanh", seed=1)

            def __call__(self, xs):
                state = Value(0.0)
                for x in xs:
                    state = self.cell([x, state])
                return state

        def trained(compiled):
            rng = random.Random(2)
            sequences = [[rng.uniform(-1, 1) for _ in range(rng.randrange(1, 6))] for _ in range(40)]
            data = [(xs, sum(xs) / 5) for xs in sequences]
            model = Recurrent()
            history = nn.train(
                model, lambda y, r: (y - r) ** 2, data, optimizer=nn.SGD(model.parameters(), 0.1), epochs=10,
                seed=1, compiled=compiled, until=lambda h: False, accuracy=lambda y, r: abs(y.data - r) < 0.1,
            )  # fmt: skip
            return [p.data for p in model.parameters()], history

        (ours, history), (theirs, eager) = trained(True), trained(False)
        assert ours == pytest.approx(theirs, rel=1e-9)
        assert history.loss == pytest.approx(eager.loss, rel=1e-9)
        assert history.accuracy == eager.accuracy

    @pytest.mark.parametrize("looks", ["", "branches", "computes"])
    def test_of_examples_of_values_one_per_shape_is_recorded(self, looks):
        """If the model uses the numbers, the first and the last of a shape differ, and all are recorded."""
        calls = []

        def trained(compiled):
            w = Value(0.5, "w")
            rng = random.Random(3)
            numbers = [[rng.uniform(0, 1) for _ in range(rng.choice([2, 3]))] for _ in range(30)]
            numbers[-1][0], numbers[0][0] = -1.0, 1.0
            data = [([Value(x) for x in xs], (Value(sum(xs)),)) for xs in numbers]

            def model(xs):
                calls.append(xs)
                total = engine.dot([w] * len(xs), xs)
                if looks == "computes":
                    total = total * xs[0].data
                return [total, [2 * total]] if looks != "branches" or xs[0] > 0 else [-total, [total.tanh()]]

            history = nn.train(
                model, lambda y, r: (y[0] + y[1][0] - r[0]) ** 2, data, optimizer=nn.SGD([w], 0.01), epochs=3,
                seed=1, batch_size=4, compiled=compiled, until=lambda h: False,
                accuracy=lambda y, r: (y[0] + y[1][0]).data > 0,
            )  # fmt: skip
            return history, w.data

        (ours, w), n_calls = trained(True), len(calls)
        eager, eager_w = trained(False)
        assert ours.steps == pytest.approx(eager.steps, rel=1e-9)
        assert w == pytest.approx(eager_w, rel=1e-9)
        assert ours.accuracy == eager.accuracy
        assert (n_calls >= 30) is bool(looks)

    @pytest.mark.parametrize(
        "model",
        [
            lambda w, xs: engine.dot([w, 3 * w], sorted(xs, key=lambda x: x.data)),
            lambda w, xs: w * xs[0] if (xs[0] - xs[1]).data < 0 else w * xs[1],
        ],
    )
    def test_a_model_that_reads_data(self, model):
        """The first and the last example have the same graph, those between have others."""

        def trained(compiled):
            w = Value(0.5, "w")
            data = [([Value(x) for x in xs], Value(1.0)) for xs in ([1.0, 2.0], [0.5, 0.25], [0.75, 0.5], [0.3, 0.4])]
            history = nn.train(
                lambda xs: model(w, xs), nn.mse, data, optimizer=nn.SGD([w], 0.01), epochs=3, batch_size=1,
                compiled=compiled, shuffle=False,
            )  # fmt: skip
            return [*history.steps, w.data]

        assert trained(True) == pytest.approx(trained(False), rel=1e-12)

    @pytest.mark.parametrize("length", [1, 9])
    def test_a_model_that_is_random_for_one_length_is_refused(self, length):
        rng, w = random.Random(2), Value(0.5, "w")
        data = [([Value(1.0) for _ in range(n)], Value(1.0)) for n in [*range(1, 10)] * 2]

        def model(xs):
            return w * engine.sum(xs) + (rng.gauss(0.0, 0.1) if len(xs) == length else 0.0)

        with pytest.raises(ValueError, match="compiled=False"):
            nn.train(model, nn.mse, data, optimizer=nn.SGD([w], 0.001), epochs=2, compiled=True)

    def test_callbacks_see_and_change_the_values(self):
        data = [((x, -x), 1 if x > 0.3 else -1) for x in (0.1, 0.2, 0.4, 0.9)]

        def trained(compiled):
            model, seen = nn.MLP(2, [3, 1], seed=1), []

            def callback(history):
                seen.append([p.data for p in model.parameters()])
                if history.epochs == 3:
                    model.parameters()[0].data = 7.0

            nn.train(model, nn.hinge, data, epochs=6, callback=callback, seed=1, compiled=compiled)
            return seen

        ours, theirs = trained(True), trained(False)
        assert ours[3][0] == pytest.approx(7.0, abs=0.1)
        for a, b in zip(ours, theirs, strict=True):
            assert a == pytest.approx(b, rel=1e-9)

    @pytest.mark.parametrize("ends", ["until", "error", "Ctrl-C"])
    def test_changes_to_the_values_in_the_last_epoch_stay(self, ends):
        for compiled in (True, False):
            model = nn.Perceptron(1, "linear", init=[0.0, 1.0])

            def callback(history, model=model):
                model.weights[0].data = 7.0
                if ends == "error" and history.epochs == 2:
                    raise KeyError
                if ends == "Ctrl-C" and history.epochs == 2:
                    raise KeyboardInterrupt

            with suppress(KeyError):
                nn.train(
                    model, nn.mse, [(1.0, 1.0)], callback=callback, until=lambda h: h.epochs == 2, compiled=compiled
                )
            assert model.weights[0].data == 7.0

    SCHEDULES = {  # noqa: RUF012
        "weights": lambda model, optimizer: lambda epoch: 0.1 / (1 + abs(model.weights[0].data)),
        "gradients": lambda model, optimizer: lambda epoch: 0.1 / (1 + sum(w.grad**2 for w in model.weights)),
        "the optimizer": lambda model, optimizer: (
            lambda epoch: 0.1 / (1 + optimizer.steps) + abs(optimizer.state[0][0]) / 10
        ),
        "a method": lambda model, optimizer: Clock(model).rate,
        "partial": lambda model, optimizer: partial(rate_of, model.weights[1]),
        "a default": lambda model, optimizer: lambda epoch, w=model.weights[1]: rate_of(w, epoch),
        "changes": lambda model, optimizer: Clock(model).reset,
    }

    @pytest.mark.parametrize("reads", SCHEDULES)
    def test_a_schedule_sees_and_changes_the_values(self, reads):
        data = [(x, 2 * x + 1) for x in (-1.0, 0.0, 0.5, 1.0)]
        results = []
        for compiled in (True, False):
            model = line()
            optimizer = nn.Adam(model.parameters())
            history = nn.train(
                model, nn.mse, data, optimizer=optimizer, epochs=5, batch_size=1, seed=1, compiled=compiled,
                schedule=self.SCHEDULES[reads](model, optimizer),
            )  # fmt: skip
            results.append([*history.steps, *(w.data for w in model.weights), *(w.grad for w in model.weights)])
        assert results[0] == pytest.approx(results[1], rel=1e-9)

    def test_an_accuracy_sees_the_values(self):
        results = []
        for compiled in (True, False):
            model = line()
            seen = []

            def accuracy(y, r, model=model, seen=seen):
                seen.append([*(w.data for w in model.weights), *(w.grad for w in model.weights), y.data])
                return abs(model(0.5).data - 2) < 0.5

            history = nn.train(
                model, nn.mse, [(x, 2 * x + 1) for x in (-1.0, 0.0, 1.0)], epochs=4, batch_size=1, seed=1,
                compiled=compiled, accuracy=accuracy, optimizer=nn.SGD(model.parameters(), 0.2),
            )  # fmt: skip
            results.append([*history.accuracy, *(x for row in seen for x in row)])
        assert 0.0 < sum(results[0][:4]) < 4.0
        assert results[0] == pytest.approx(results[1], rel=1e-9)

    def test_an_accuracy_must_not_change_the_values(self, compiled):
        model = line()

        def accuracy(y, r):
            model.weights[0].data += 1.0
            return True

        with pytest.raises(RuntimeError, match="change"):
            nn.train(model, nn.mse, [(1.0, 2.0)], epochs=2, compiled=compiled, accuracy=accuracy)

    @pytest.mark.parametrize(
        "schedule",
        [nn.linear_decay(0.1, 0.01, 3), nn.cosine_decay(0.1, 0.01, 3), nn.exponential_decay(0.1, 0.5), lambda e: 0.1],
    )
    def test_a_schedule_of_numbers_costs_nothing(self, schedule, monkeypatch):
        written = []
        monkeypatch.setattr(CompiledSteps, "write_back", lambda self: written.append(self))
        nn.train(line(), nn.mse, [(1.0, 2.0)] * 4, epochs=5, batch_size=1, compiled=True, schedule=schedule)
        assert len(written) == 1

    def test_classes_are_ints(self):
        for r in (np.array([1.7]), np.array([1]), 1.0, -1, 2):
            with pytest.raises((ValueError, TypeError)):
                nn.train(nn.MLP(2, [2], seed=1), nn.cross_entropy, [((1.0, 2.0), r)], epochs=2)

    @pytest.mark.parametrize(
        "given", [{"step": lambda: None}, {"update": lambda data, grad, *state: (data, *state)}], ids=list
    )
    def test_an_optimizer_with_a_replaced_method(self, given):
        for compiled in (True, False):
            model = nn.Perceptron(1, "linear", init=[0.0, 1.0])
            optimizer = nn.Adam(model.parameters())
            optimizer.betas = [0.5, 0.6]
            vars(optimizer).update(given)
            nn.train(model, nn.mse, [(1.0, 5.0)], optimizer=optimizer, epochs=2, compiled=compiled)
            assert [w.data for w in model.weights] == [0.0, 1.0]

    @pytest.mark.parametrize(
        "model",
        [
            lambda x, v, w: x * (v if x > 0 else w),
            lambda x, v, w: v - w if x > 0 else w - v,
            lambda x, v, w: (v + w) * (v if x > 0 else w),
            lambda x, v, w: (v + w) * ((v if x > 0 else w) / x),
            lambda x, v, w: engine.dot([v, w], [v, w] if x > 0 else [w, v]),
            lambda x, v, w: engine.sum([v, w, v] if x > 0 else [v, w]),
            lambda x, v, w: v.tanh() if x > 0 else v.sin(),
        ],
        ids=["leaf", "order", "second operand", "first operand", "order in a list", "length of a list", "operation"],
    )
    def test_graphs_that_differ_in_one_thing(self, model):
        def trained(compiled):
            v, w = Value(2.0), Value(3.0)
            history = nn.train(
                lambda x: model(x, v, w), nn.mse, [(1.5, 1.0), (-0.5, 2.0)], optimizer=nn.SGD([v, w], 0.01),
                epochs=3, compiled=compiled,
            )  # fmt: skip
            return [v.data, w.data, *history.loss]

        assert trained(compiled=True) == pytest.approx(trained(compiled=False), rel=1e-12, abs=0.0)

    def test_named_tuples(self):
        Pair = namedtuple("Pair", "left right")
        w = Value(0.5)
        for compiled in (True, False):
            history = nn.train(
                lambda x: Pair(w * x, 2 * w), lambda y, r: (y.left + y.right - r) ** 2, [(1.0, 1.5), (2.0, 2.0)],
                optimizer=nn.SGD([w], 0.0), epochs=1, accuracy=lambda y, r: y.left > 0.6, compiled=compiled,
            )  # fmt: skip
            assert history.accuracy == [0.5]

    def test_errors_name_epoch_and_example(self):
        model = nn.Perceptron(1, "exp", init=[0.0, 1.0])
        with pytest.raises(OverflowError, match=r"^epoch 1, data\[2\]: exp"):
            nn.train(model, nn.mse, [(1.0, 1.0), (2.0, 1.0), (1e6, 1.0)], compiled=True, shuffle=False, seed=1)
        assert all(math.isfinite(p.data) for p in model.parameters())
        with pytest.raises(OverflowError, match=r"^epoch 1, data\[0\]: exp"):
            nn.train(model, nn.mse, [(1e6, 1.0)])

    def test_an_output_that_the_loss_does_not_use(self):
        """It may have no derivative, and does not disturb that of another."""

        def train(data, compiled):
            w = Value(1.0, "w")
            nn.train(
                lambda x: [w * x, (0 * w * x).sqrt(), (0 * w).sqrt()], lambda y, r: y[0].sqrt(), data,
                optimizer=nn.SGD([w], 0.5), epochs=1, compiled=compiled,
            )  # fmt: skip
            return w.data

        for compiled in (True, False):
            assert train([(1.0, 0), (4.0, 0)], compiled) == 1.0 - 0.5 * (0.5 + 1.0) / 2
        with pytest.raises(ArithmeticError, match=r"^epoch 1, data\[1\]: the derivative of sqrt\("):
            train([(1.0, 0), (0.0, 0)], compiled=True)

    def test_custom_optimizers(self):
        """Compare one that defines `step`, and one whose `update` needs floats."""

        class Half(nn.SGD):
            def step(self):
                for p in self.parameters:
                    p.data = p.data / 2 - 0.01 * p.grad

        class Signs(nn.Optimizer):
            def update(self, data, grad, *state):
                return data - math.copysign(self.learning_rate, grad), state[0] + 1

        def trained(make, compiled):
            model = nn.MLP(2, [3, 1], seed=1)
            optimizer = make(model.parameters())
            data = [((x, 1.0), math.sin(x)) for x in range(5)]
            nn.train(
                model, nn.mse, data, optimizer=optimizer, epochs=3, batch_size=2, seed=1, compiled=compiled,
                until=lambda h: False,
            )  # fmt: skip
            return [p.data for p in model.parameters()], optimizer.state

        for make in (Half, lambda parameters: Signs(parameters, 0.01, 0.0, memory=1)):
            (ours, state), (theirs, eager) = trained(make, True), trained(make, False)
            assert ours == pytest.approx(theirs, rel=1e-9)
            assert state == eager


def test_a_compiled_step():
    """v <- momentum * v + gradient + weight_decay * theta, theta <- theta - learning_rate * v."""

    class Own(nn.SGD):
        pass

    w = Value(1.0)
    options = {"learning_rate": 0.5, "momentum": 0.5, "weight_decay": 0.25}
    numbers = np.array([1.0, 7.0]), np.array([2.0, 3.0]), np.array([[4.0]])
    data, state = compiled_step(nn.SGD([w], **options), *numbers)
    assert (data.tolist(), state.tolist()) == ([1.0 - 0.5 * 4.25, 7.0], [[4.25]])
    assert compiled_step(Own([w], **options), *numbers) is None
    assert compiled_step(nn.SGD([w], 1e308), *numbers[:2], np.array([[0.0]])) is None


class Warm(nn.SGD):
    """Gradient descent whose momentum grows with the steps, computed by a property."""

    rule = UpdateRule(
        state={"velocity": "warm_momentum*velocity + grad"}, data="data - learning_rate*velocity / steps**0.5"
    )

    @property
    def warm_momentum(self):
        return min(0.5, self.steps / 100)


class TestManyStepsInOneCall:
    SINES = tuple(((x / 10, 1.0), math.sin(x)) for x in range(23))

    def train(self, make, **options):
        model = nn.MLP(2, [3, 1], seed=1)
        optimizer = make(model.parameters())
        history = nn.train(
            model, nn.mse, self.SINES, optimizer=optimizer, epochs=5, batch_size=4, seed=1, until=lambda h: False,
            **{"compiled": True, **options},
        )  # fmt: skip
        return [p.data for p in model.parameters()], [p.grad for p in model.parameters()], optimizer.state, (
            optimizer.steps, optimizer.learning_rate, history.loss, history.steps,
        )  # fmt: skip

    @pytest.mark.parametrize("schedule", [None, lambda epoch: 0.05 / (1 + epoch)])
    @pytest.mark.parametrize("make", [nn.SGD, nn.Adam, lambda p: nn.SGD(p, 0.01, momentum=0.9, weight_decay=0.1), Warm])
    def test_are_what_single_steps_are(self, make, schedule, monkeypatch):
        at_once = self.train(make, schedule=schedule)
        monkeypatch.setattr(CompiledFit, "at_once", lambda *arguments: 1)
        assert self.train(make, schedule=schedule) == at_once
        eager = self.train(make, schedule=schedule, compiled=False)
        for ours, theirs in zip(at_once[:2], eager[:2], strict=True):
            assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)

    def test_are_done(self, monkeypatch):
        counts = []
        run = CompiledFit.run
        monkeypatch.setattr(CompiledFit, "run", lambda *given: counts.append(len(given[-1])) or run(*given))
        self.train(nn.Adam)
        assert counts == [6] * 5
        counts.clear()
        self.train(Warm)
        assert counts == [1] * 30, "a computed setting may change at every step"

    def test_end_before_a_number_that_is_not_finite(self):
        model = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [(0.5, 1.0), (0.25, 2.0), (1e200, 1.0), (0.0, 1.0)]
        before = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        nn.train(before, nn.mse, data[:2], optimizer=nn.SGD(before.parameters()), batch_size=1, epochs=1, shuffle=False)
        optimizer = nn.SGD(model.parameters())
        with pytest.raises(OverflowError, match=r"^epoch 1, data\[2\]: "):
            nn.train(
                model, nn.mse, data, optimizer=optimizer, batch_size=1, epochs=1, shuffle=False, compiled=True,
                schedule=lambda epoch: 0.1,
            )  # fmt: skip
        assert [w.data for w in model.weights] == pytest.approx([w.data for w in before.weights], rel=1e-12)
        assert optimizer.steps == 2

    def test_end_before_an_update_that_overflows(self):
        model = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        data = [(0.0, 1.0), (1e150, 1.0)]
        with pytest.raises(OverflowError, match=r"^epoch 1, the batch of data\[1\]: .*learning rate"):
            nn.train(
                model, nn.mse, data, optimizer=nn.SGD(model.parameters(), 1e10), batch_size=1, epochs=1,
                shuffle=False, compiled=True,
            )  # fmt: skip
        assert model.weights[1].data == 1.0
        assert model.weights[0].data > 1e9


class TestSeveralGraphsInOneCall:
    """The examples of a step have graphs for one, two or three numbers."""

    DATA = tuple(([math.sin(i + k) for k in range(i * i % 3 + 1)], math.cos(i)) for i in range(23))

    def train(self, batch_size, data=DATA, **options):
        w, b = Value(0.5, "w"), Value(0.1, "b")
        optimizer = nn.Adam([w, b], 0.1)
        try:
            history = nn.train(
                lambda xs: [engine.dot([w] * len(xs), xs).tanh() + b], lambda y, r: (y[0] - r) ** 2, data,
                optimizer=optimizer, epochs=5, seed=1, until=lambda h: False, batch_size=batch_size,
                **{"accuracy": lambda y, r: abs(y[0].data - r) < 0.5, "compiled": True, **options},
            )  # fmt: skip
            result = history.steps, history.accuracy
        except ArithmeticError as error:
            result = str(error)
        return result, [w.data, b.data, w.grad, b.grad], *optimizer.state, optimizer.steps

    @pytest.mark.parametrize("batch_size", [1, 4, 100])
    def test_is_what_single_steps_are(self, batch_size, monkeypatch):
        counts, run = [], CompiledFit.run
        monkeypatch.setattr(CompiledFit, "run", lambda *given: counts.append(len(given[-1])) or run(*given))
        at_once = self.train(batch_size)
        assert counts == [-(-23 // batch_size)] * 5
        monkeypatch.setattr(CompiledFit, "run", lambda *given: [])
        for single in (self.train(batch_size), self.train(batch_size, compiled=False)):
            assert at_once[0][1] == single[0][1]
            for ours, theirs in zip([at_once[0][0], *at_once[1:]], [single[0][0], *single[1:]], strict=True):
                assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)

    @pytest.mark.parametrize("batch_size", [1, 4])
    def test_ends_before_an_example_that_overflows(self, batch_size):
        numbers = [*self.DATA[:9], ([1.0, 1.0], 1e200), *self.DATA[9:]]
        data = [([*map(Value, xs)], Value(r)) for xs, r in numbers]  # one per length is recorded
        ours, theirs = (self.train(batch_size, data, shuffle=False, accuracy=None, compiled=c) for c in (True, False))
        assert ours[0].startswith("epoch 1, data[9]: ")
        assert (ours[0], ours[-1]) == (theirs[0], theirs[-1]) == (theirs[0], 9 // batch_size)
        assert ours[1][:2] == pytest.approx(theirs[1][:2], rel=1e-9)


class TestManyEpochsInOneCall:
    DATA = tuple(([math.sin(i), math.cos(3 * i)], 1 if math.sin(2 * i) > 0 else -1) for i in range(11))

    def train(self, make=nn.SGD, loss=nn.hinge, sizes=(4, 1), **options):
        """Everything that a training leaves behind, errors included."""
        model = nn.MLP(2, sizes, seed=1)
        optimizer = make(model.parameters())
        data = [(x, {nn.mse: r, nn.hinge: r, nn.cross_entropy: int(r > 0)}[loss]) for x, r in self.DATA]
        options = {"batch_size": None, "seed": 1, "compiled": True, **options}
        try:
            result = vars(nn.train(model, loss, data, optimizer=optimizer, **options))
        except OverflowError as error:
            result = str(error)
        numbers = [(p.data, p.grad) for p in model.parameters()]
        return result, numbers, optimizer.state, optimizer.steps

    def single(self, monkeypatch, **options):
        """The same, one epoch at a time."""
        with monkeypatch.context() as patch:
            patch.setattr(CompiledSteps, "run_epochs", lambda *arguments: ([], []))
            return self.train(**options)

    @pytest.mark.parametrize("size", [None, 1, 4, 100])
    @pytest.mark.parametrize(("loss", "sizes"), [(nn.mse, (4, 1)), (nn.hinge, (4, 1)), (nn.cross_entropy, (4, 2))])
    @pytest.mark.parametrize("make", [nn.SGD, nn.Adam, lambda p: nn.SGD(p, 0.01, momentum=0.9, weight_decay=0.1), Warm])
    def test_are_what_single_epochs_are(self, make, loss, sizes, size, monkeypatch):
        for epochs, tolerance, patience in [(1, 0.0, 1), (150, -math.inf, 20), (300, 0.01, 7), (300, 0.1, 1)]:
            options = {"make": make, "loss": loss, "sizes": sizes, "batch_size": size, "epochs": epochs}
            options["shuffle"] = size is None
            at_once = self.train(**options, until=nn.plateau(tolerance, patience))
            assert self.single(monkeypatch, **options, until=nn.plateau(tolerance, patience)) == at_once
            assert len(at_once[0]["accuracy"]) == (len(at_once[0]["loss"]) if loss is not nn.mse else 0)

    def test_are_done(self, monkeypatch):
        counts = []
        run = CompiledFit.run
        monkeypatch.setattr(CompiledFit, "run", lambda *given: counts.append(len(given[-1])) or run(*given))
        self.train(epochs=200, until=nn.plateau(-math.inf))
        assert counts == [64, 64, 64, 8]
        counts.clear()
        result, *_ = self.train(epochs=200, until=nn.plateau(math.inf, patience=70))
        assert result["converged"]
        assert counts == [64, 64, 71 - 64], "the epochs up to the stop are repeated"

    @pytest.mark.parametrize("rate", [1e3, 1e100, 1e160])
    def test_end_where_single_epochs_end(self, rate, monkeypatch):
        options = {"make": partial(nn.SGD, learning_rate=rate), "loss": nn.mse, "epochs": 100}
        for until in (partial(nn.plateau, -math.inf), partial(nn.plateau, 0.0, 1)):
            at_once = self.train(**options, until=until())
            assert self.single(monkeypatch, **options, until=until()) == at_once
            assert until.args == (-math.inf,) or rate > 1e3 or at_once[0]["converged"], "before the overflow"

    def test_are_whole_after_ctrl_c(self, monkeypatch):
        add = nn.History.add

        def interrupted_add(history, *numbers):
            if history.epochs == 99:
                raise KeyboardInterrupt
            add(history, *numbers)

        expected = self.train(make=nn.Adam, epochs=99, until=nn.plateau(-math.inf))[1:]
        monkeypatch.setattr(nn.History, "add", interrupted_add)
        result, *numbers = self.train(make=nn.Adam, epochs=200, until=nn.plateau(-math.inf))
        assert (result["interrupted"], len(result["loss"])) == (True, 99)
        assert tuple(numbers) == expected

    def test_end_with_the_epoch_whose_losses_overflow_in_their_sum(self):
        model = line(init=[0.0, 1.0])
        options = {"optimizer": nn.SGD(model.parameters(), 1e-160), "batch_size": 1, "shuffle": False}
        with pytest.raises(OverflowError, match=r"^epoch 1: the sum of the losses overflows"):
            nn.train(model, nn.mse, [(0.0, 1.2e154), (1.0, 1.2e154)], epochs=100, compiled=True, **options)
        assert model.weights[1].data == pytest.approx(1.0 + 2.4e-6, rel=1e-12)
        assert options["optimizer"].steps == 2

    def test_learn_nothing_from_an_epoch_after_the_stop(self):
        model = nn.Perceptron(1, "relu", init=[-1.0, 0.0])
        optimizer = nn.SGD(model.parameters(), 0.1, momentum=0.99)
        optimizer.state = [(-1.0,), (0.0,)]  # the bias rises, and the relu would pass a gradient from epoch 12 on
        history = nn.train(
            model, nn.mse, [(1.0, 2.0)], optimizer=optimizer, epochs=60, until=nn.plateau(0.01, 3), compiled=True
        )
        assert (history.epochs, history.converged) == (4, True)
        assert history.reason.startswith("no parameter learns")
        assert optimizer.state[0] == pytest.approx((-(0.99**4),))
