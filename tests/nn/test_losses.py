"""Losses: values, gradients and accuracies against mpmath, SciPy and scikit-learn."""

import math

import numpy as np
import pytest
import sklearn.metrics
from mpmath import mp
from scipy.special import expit, log_softmax, softmax

import nn
from engine import Value
from tests.nn.helpers import close, values

POINTS = [-1000.0, -37.5, -1.0, -0.3, 0.0, 0.7, 1.0, 2.5, 37.5, 1000.0]
LOSSES = {  # targets, value and derivative for one output
    nn.mse: ([-1.0, 0.0, 0.25, 3], lambda y, r: (y - r) ** 2, lambda y, r: 2 * (y - r)),
    nn.hinge: ([1, -1], lambda s, r: max(0, 1 - r * s), lambda s, r: -r if r * s < 1 else 0),
    nn.binary_cross_entropy: (
        [0, 1, 0.3],
        lambda o, r: -r * mp.log(1 / (1 + mp.exp(-o))) - (1 - r) * mp.log(1 / (1 + mp.exp(o))),
        lambda o, r: 1 / (1 + mp.exp(-o)) - r,
    ),
}
TWO_LOGITS = [Value(1.0), Value(2.0)]


class TestLosses:
    @pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
    def test_one_output_at_many_digits(self, loss):
        targets, value, slope = LOSSES[loss]
        for y, r in [(y, r) for y in POINTS for r in targets]:
            output = Value(y)
            result = loss(output, r)
            result.backward()
            with mp.workdps(900):
                assert result.data == close(float(value(mp.mpf(y), mp.mpf(r)))), (y, r)
                assert output.grad == close(float(slope(mp.mpf(y), mp.mpf(r)))), (y, r)

    @pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
    @pytest.mark.parametrize("shape", [(1,), (6,), (2, 3), (3, 1), (2, 2, 2)])
    @pytest.mark.parametrize("kind", [np.array, np.ndarray.tolist, lambda r: tuple(r.tolist())])
    def test_many_outputs_give_the_mean(self, loss, shape, kind):
        targets, value, slope = LOSSES[loss]
        rng = np.random.default_rng(1)
        y, r = rng.normal(size=shape) * 2, rng.choice(targets, size=shape)
        outputs = values(y)
        result = loss(outputs, kind(r))
        result.backward()
        assert result.data == close(float(np.mean([value(*pair) for pair in zip(y.flat, r.flat, strict=True)])))
        want = [float(slope(*pair)) / y.size for pair in zip(y.flat, r.flat, strict=True)]
        assert [v.grad for v in np.ravel(outputs)] == close(want)

    @pytest.mark.parametrize(
        ("function", "logits", "target", "loss", "slopes"),
        [
            (nn.binary_cross_entropy, [1000.0], [1], 0.0, [0.0]),
            (nn.binary_cross_entropy, [1000.0], [0], 1000.0, [1.0]),
            (nn.binary_cross_entropy, [-1000.0], [1], 1000.0, [-1.0]),
            (nn.binary_cross_entropy, [-1e300], [0], 0.0, [0.0]),
            (nn.cross_entropy, [1000.0, -1000.0], 0, 0.0, [0.0, 0.0]),
            (nn.cross_entropy, [1000.0, -1000.0], 1, 2000.0, [1.0, -1.0]),
            (nn.cross_entropy, [1000.0, -1000.0], [0.5, 0.5], 1000.0, [0.5, -0.5]),
            (nn.cross_entropy, [-1e300, 1e300, 0.0], 0, 2e300, [-1.0, 1.0, 0.0]),
        ],
    )
    def test_stable_and_exact_for_large_logits(self, function, logits, target, loss, slopes):
        o = values(logits)
        result = function(o, target)
        result.backward()
        assert (result.data, [v.grad for v in o]) == (loss, slopes)

    @pytest.mark.parametrize("classes", [2, 3, 7])
    @pytest.mark.parametrize("kind", ["index", "NumPy index", "one-hot", "NumPy one-hot", "soft", "NumPy soft"])
    def test_cross_entropy(self, classes, kind):
        rng = np.random.default_rng(classes)
        o, labels = rng.normal(size=(5, classes)) * 3, rng.integers(classes, size=5)
        r = rng.dirichlet(np.ones(classes), size=5) if "soft" in kind else np.eye(classes)[labels]
        targets = labels if "index" in kind else r
        if "NumPy" not in kind:
            targets = targets.tolist()
        each = -(r * log_softmax(o, axis=1)).sum(1)
        logits = values(o)
        result = nn.cross_entropy(logits, targets)
        result.backward()
        assert result.data == close(each.mean())
        assert np.array([[v.grad for v in row] for row in logits]) == close((softmax(o, axis=1) - r) / 5)
        assert nn.cross_entropy(logits[0], targets[0]).data == close(each[0])

    def test_agree_with_scikit_learn(self):
        rng = np.random.default_rng(2)
        o, labels = rng.normal(size=(20, 4)), np.r_[0, 1, 2, 3, rng.integers(4, size=16)]
        log_loss = sklearn.metrics.log_loss(labels, softmax(o, axis=1))
        assert nn.cross_entropy(values(o), labels).data == close(log_loss)
        s, r = rng.normal(size=20), np.where(labels > 1, 1, -1)
        assert nn.hinge(values(s), r).data == close(sklearn.metrics.hinge_loss(r, s))
        assert nn.binary_cross_entropy(values(s), (r + 1) / 2).data == close(sklearn.metrics.log_loss(r, expit(s)))

    @pytest.mark.parametrize(
        ("loss", "outputs", "targets", "accuracy"),
        [
            (nn.hinge, [-2, 0.0, 0.1, 3], [-1, 1, 1, -1], 0.5),
            (nn.binary_cross_entropy, [-2, 0.1, 0.1, 3], [0, 1, 0.2, 0.9], 0.75),
            (nn.cross_entropy, [[1, 3, 2], [0, -1, -2], [5, 4, 6], [1, 2, 3]], [1, 0, 2, 0], 0.75),
            (nn.cross_entropy, [[1, 3, 2], [0, -1, -2]], [[0, 0.9, 0.1], [0, 0, 1]], 0.5),
            (nn.mse, [1.0, 2.0], [1.0, 2.0], None),
        ],
    )
    def test_accuracy(self, loss, outputs, targets, accuracy):
        assert nn.evaluate(values, loss, [(outputs, targets)])[1] == accuracy

    @pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
    def test_wrong_shapes_and_types(self, loss):
        v = Value(1.0)
        for outputs, targets in [([v, v], [1]), ([v], [1, 1]), (v, [1]), ([v], 1), ([[v], [v]], [1, 1]), ([[]], [[]])]:
            with pytest.raises(ValueError, match=f"{loss.__name__} .*as many outputs as targets"):
                loss(outputs, targets)
        for target in ("1", None, True):
            with pytest.raises(TypeError, match=f"{loss.__name__} .*real number, got {type(target).__name__}"):
                loss([v, v], [1, target])
        with pytest.raises(TypeError, match="got str"):
            loss("1", 1)
        with pytest.raises(ValueError, match=r"finite.* got nan"):
            loss(v, math.nan)

    @pytest.mark.parametrize(
        ("loss", "logits", "target", "error", "words"),
        [
            *[(nn.hinge, [1, 1], [1, r], ValueError, f"1 or -1, got {r}") for r in (0, 2)],
            *[(nn.binary_cross_entropy, [1], [r], ValueError, f"in between, got {r}") for r in (-1, 1.1)],
            *[(nn.cross_entropy, o, [0] * len(o), ValueError, "binary_cross_entropy") for o in ([1], [[1], [1]])],
            *[(nn.cross_entropy, [1, 1], r, ValueError, f"cross_entropy .*0 to 1, got int {r}") for r in (2, -1)],
            *[(nn.cross_entropy, [1, 1], r, TypeError, f"got {type(r).__name__}") for r in (1.0, "1", None, True)],
            (nn.cross_entropy, [1, 1], [1, 0, 0], ValueError, "as many"),
            (nn.cross_entropy, [1, 1], [0.5, 0.4], ValueError, "sum 1"),
            (nn.cross_entropy, [1, 1], [-0.5, 1.5], ValueError, "got -0.5"),
            (nn.cross_entropy, [1, 1], ["1", 0], TypeError, "got str"),
            (nn.cross_entropy, [[1, 1], [1, 1]], [0], ValueError, r"one per example \(2\), got"),
            (nn.cross_entropy, [[1, 1]], 0, ValueError, "got .*int 0"),
        ],
    )
    def test_wrong_targets(self, loss, logits, target, error, words):
        with pytest.raises(error, match=words):
            loss(values(logits), target)

    def test_one_output_adds_no_division(self):
        assert nn.mse(Value(1.0), 2.0).op == "**"
        assert nn.mse([Value(1.0), Value(3.0)], [2.0, 3.0]).op == "/"

    def test_accuracy_at_the_boundary(self):
        data = [(0.0, 0), (1.0, 1), (-1.0, 1), (2.0, 1)]
        line = nn.Perceptron(1, "linear", init=[0.0, 1.0])
        assert nn.evaluate(line, nn.binary_cross_entropy, data)[1] == 0.75
        assert nn.evaluate(line, nn.hinge, [(x, 2 * r - 1) for x, r in data])[1] == 0.75
        assert nn.evaluate(line, nn.mse, data)[1] is None
        assert nn.evaluate(line, nn.binary_cross_entropy, [(0.0, 0.5)])[1] == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.mse(Value(1.0), "2"), "target of mse .*real number, got str '2'"),
        (lambda: nn.mse("1", 2), "mse .*real number, got str '1'"),
        (lambda: nn.mse([Value(1.0)], [1.0, 2.0]), r"mse .*as many .*1\.0.* and list \[1\.0, 2\.0\]"),
        (lambda: nn.hinge([Value(1.0)], [0]), "target of hinge .* 1 or -1, got 0.0"),
        (lambda: nn.binary_cross_entropy(Value(1.0), 2), "target of binary_cross_entropy .*1.*0.* got 2.0"),
        (lambda: nn.cross_entropy(TWO_LOGITS, 2), "cross_entropy .* 0 to 1, got int 2"),
        (lambda: nn.cross_entropy(TWO_LOGITS, 0.5), "target of cross_entropy .*int.* got float 0.5"),
        (lambda: nn.cross_entropy(TWO_LOGITS, [0.5, 0.25]), r"sum.* 1.* list \[0.5, 0.25\]"),
        (lambda: nn.cross_entropy(TWO_LOGITS, [1.5, -0.5]), "target of cross_entropy .*probability.* got -0.5"),
        (lambda: nn.cross_entropy(TWO_LOGITS, [1.0]), r"cross_entropy .*as many .*1\.0.* and list \[1\.0\]"),
        (lambda: nn.cross_entropy([Value(1.0)], 0), "logits of cross_entropy .*list.*1.0.*binary_cross_entropy"),
        (lambda: nn.cross_entropy(Value(1.0), 0), "logits of cross_entropy .*list.*1.0.*binary_cross_entropy"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
