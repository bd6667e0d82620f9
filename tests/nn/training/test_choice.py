"""A small training does not wait for the compiler."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nn
from nn.training import choice
from tests.nn.helpers import XOR
from tests.nn.training.helpers import LINE, line

ROOT = Path(__file__).parents[3]
CODE = """
import sys
{before}
import nn
xor = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
model = nn.MLP(2, [4, 1], seed=1)
history = nn.train(model, nn.binary_cross_entropy, xor, seed=1)
print(history.epochs, history.converged, "llvmlite" in sys.modules)
"""


def run(before="", **environment):
    """Train XOR in a new process and return its epochs, and whether it converged and loaded llvmlite."""
    kept = {key: value for key, value in os.environ.items() if key not in ("HOME", "XDG_CACHE_HOME")}
    process = subprocess.run(
        [sys.executable, "-c", CODE.format(before=before)], cwd=ROOT, check=True, text=True, capture_output=True,
        env=kept | environment,
    )  # fmt: skip
    assert process.stderr == ""
    epochs, converged, loaded = process.stdout.split()
    return int(epochs), converged == "True", loaded == "True"


class TestAFreshMachine:
    def test_a_small_training_runs_on_values(self, tmp_path):
        assert run(XDG_CACHE_HOME=str(tmp_path)) == (872, True, False)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(os.name == "nt", reason="needs the users of Unix")
    def test_without_a_home_directory(self):
        """A user without an entry in the table of users, as in a container."""
        before = "import pwd\ndef nobody(uid): raise KeyError(uid)\npwd.getpwuid = nobody"
        assert run(before)[:2] == (872, True)


class TestChoice:
    @pytest.mark.parametrize(("epochs", "worth"), [(10, False), (1000, True)])
    def test_depends_on_the_size(self, epochs, worth):
        model, data = nn.MLP(2, [16, 16, 1], seed=1), [([0.0, 1.0], 1.0)] * 100
        assert choice.is_worth_compiling(model, nn.hinge, data, 100 * epochs, 7 * epochs) is worth

    def test_only_models_and_losses_of_the_package(self):
        assert not choice.is_worth_compiling(lambda x: x, nn.mse, LINE, 10**9, 10**9)
        assert not choice.is_worth_compiling(line(), lambda y, r: y, LINE, 10**9, 10**9)

    def test_the_same_results(self):
        results = []
        for compiled in (None, True):
            model = nn.MLP(2, [4, 1], seed=1)
            history = nn.train(model, nn.binary_cross_entropy, XOR, epochs=100, seed=1, compiled=compiled)
            results.append([*history.loss, *history.accuracy, *model.state_dict().values()])
        assert results[0] == pytest.approx(results[1], rel=1e-9)

    def test_a_bad_example_is_named(self):
        with pytest.raises(ValueError, match=r"^epoch 1, data\[0\]: .* 1 input"):
            nn.train(line(), nn.mse, [([1.0, 2.0], 1.0)])


class Bare:
    """A stream that can only write, as programs that redirect stderr have it."""

    def write(self, text):
        return len(text)

    def flush(self):
        pass


@pytest.mark.parametrize("stream", [Bare(), None, io.StringIO()])
@pytest.mark.parametrize("name", ["stderr", "stdout"])
def test_streams_that_are_not_terminals(stream, name, monkeypatch):
    if isinstance(stream, io.StringIO):
        stream.close()
    monkeypatch.setattr("nn.training.progress.DELAY", 0.0)
    monkeypatch.setattr(sys, name, stream)
    assert nn.train(line(), nn.mse, LINE, epochs=3, compiled=False).epochs == 3
