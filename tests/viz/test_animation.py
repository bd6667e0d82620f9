"""Animation: a training as a GIF."""

import re
import sys

import numpy as np
import pytest
from PIL import Image, ImageSequence

import engine
import nn
import viz
from viz.animation import _spread

XOR = [((0, 0), -1), ((0, 1), 1), ((1, 0), 1), ((1, 1), -1)]


def frames(path):
    """The pictures of a GIF, and the duration of each in milliseconds."""
    with Image.open(path) as film:
        shots = [(np.asarray(f.convert("RGB"), int), f.info["duration"]) for f in ImageSequence.Iterator(film)]
    return zip(*shots, strict=True)


def share(picture, blue):
    """The share of a picture that is a shade of the blue (or else the orange) class."""
    red_less_blue = picture[:, :, 0] - picture[:, :, 2]
    return np.mean(red_less_blue < -8 if blue else red_less_blue > 8)


@pytest.fixture(scope="module")
def trained():
    model = nn.MLP(2, [4, 1], seed=1)
    animation = viz.Animation(model, XOR)
    history = nn.train(model, nn.hinge, XOR, callback=animation, seed=1)
    return model, animation, history


def test_every_epoch_is_stored(trained):
    _, animation, history = trained
    assert animation.epochs == history.epochs
    assert repr(animation) == f"Animation of {history.epochs} epochs: {history.latest}"


def test_the_first_frame_is_before_the_training_and_the_last_after_it(trained, tmp_path):
    model, animation, _ = trained
    pictures, durations = frames(animation.save(tmp_path / "xor.gif", frames=6))
    assert len(pictures) == 6
    assert durations[-1] > 5 * durations[0], "the last frame is shown longer"
    plot = {}
    for name, weights in (("first", nn.MLP(2, [4, 1], seed=1).state_dict()), ("last", model.state_dict())):
        still = nn.MLP(2, [4, 1])
        still.load_state_dict(weights)
        (plot[name],), _ = frames(viz.Animation(still, XOR).save(tmp_path / f"{name}.gif"))
    inside = np.s_[60:300, 80:360]  # without title and ticks
    for blue in (True, False):
        assert share(pictures[-1][inside], blue) == pytest.approx(share(plot["last"][inside], blue), abs=0.02)
    assert np.abs(pictures[-1][inside] - plot["last"][inside]).mean() < 2
    assert np.abs(pictures[0][inside] - pictures[-1][inside]).mean() > 10


def test_titles_show_epoch_and_loss(trained, tmp_path, monkeypatch):
    from matplotlib.animation import PillowWriter

    titles = []
    grab = PillowWriter.grab_frame
    monkeypatch.setattr(
        PillowWriter, "grab_frame", lambda self: (titles.append(self.fig.axes[0].get_title()), grab(self))
    )
    _, animation, history = trained
    animation.save(tmp_path / "xor.gif", frames=5)
    titles = list(dict.fromkeys(titles))
    assert titles[0] == "before the training"
    assert titles[-1] == f"epoch {history.epochs}: {history.latest}"
    epochs = [int(re.match(r"epoch (\d+): loss", title)[1]) for title in titles[1:]]
    assert titles[1:] == [f"epoch {k}: {nn.History(history.loss[:k], history.accuracy[:k]).latest}" for k in epochs]


def test_all_frames_have_the_same_shades(trained, tmp_path, monkeypatch):
    from matplotlib.animation import PillowWriter

    levels = set()
    grab = PillowWriter.grab_frame

    def watched(self):
        levels.update(tuple(c.levels) for c in self.fig.axes[0].collections if len(getattr(c, "levels", [])) > 1)
        grab(self)

    monkeypatch.setattr(PillowWriter, "grab_frame", watched)
    trained[1].save(tmp_path / "xor.gif", frames=4)
    assert len(levels) == 1


def test_thirty_frames_are_less_than_one_and_a_half_megabytes(tmp_path):
    from sklearn.datasets import load_iris

    flowers = load_iris()
    data = [(x[2:], k) for x, k in zip(flowers.data.tolist(), flowers.target.tolist(), strict=True)]
    model = nn.MLP(2, [8, 3], seed=1)
    animation = viz.Animation(model, data, names=list(flowers.target_names))
    nn.train(model, nn.cross_entropy, data, callback=animation, epochs=60, seed=1)
    path = animation.save(tmp_path / "iris.gif")
    assert path.stat().st_size < 1_500_000
    pictures, _ = frames(path)
    assert 20 <= len(pictures) <= 30


def test_neither_weights_nor_gradients_change(trained, tmp_path):
    model, animation, _ = trained
    before = [(p.data, p.grad) for p in model.parameters()]
    animation.save(tmp_path / "xor.gif", frames=2)
    assert [(p.data, p.grad) for p in model.parameters()] == before


def test_the_weights_are_restored_after_an_error(trained, tmp_path, monkeypatch):
    model, _, _ = trained
    animation = viz.Animation(model, XOR)
    before = model.state_dict()
    for p in model.parameters():
        p.data = 1e308
    animation(nn.History([0.5]))
    model.load_state_dict(before)
    with pytest.raises(ArithmeticError):
        animation.save(tmp_path / "xor.gif")
    assert model.state_dict() == before
    assert not (tmp_path / "xor.gif").exists()


def test_a_second_training_continues_the_count(trained):
    model = nn.MLP(2, [2, 1], seed=1)
    animation = viz.Animation(model, XOR)
    for _ in range(2):
        nn.train(model, nn.hinge, XOR, callback=animation, epochs=3, seed=1)
    assert repr(animation).startswith("Animation of 6 epochs: loss")


def test_a_custom_module_with_logits(tmp_path):
    class Twice(nn.Module):
        def __init__(self):
            self.layer = nn.Layer(2, 2, "linear", seed=1)

        def __call__(self, x):
            return self.layer(x)

    data = [(x, max(r, 0)) for x, r in XOR]
    model = Twice()
    animation = viz.Animation(model, data, names=["no", "yes"])
    nn.train(model, nn.cross_entropy, data, callback=animation, epochs=2, seed=1)
    pictures, _ = frames(animation.save(tmp_path / "own.GIF"))
    assert len(pictures) == 3


def test_in_a_notebook_it_is_its_gif():
    fragment = viz.Animation(nn.Perceptron(2, seed=1), XOR)._repr_html_()
    assert fragment.startswith('<img alt="Animation of 0 epochs" src="data:image/gif;base64,R0lGOD')


def test_errors_name_what_is_wrong(tmp_path):
    with pytest.raises(TypeError, match=r"a Module.* got function"):
        viz.Animation(lambda x: x, XOR)
    with pytest.raises(ValueError, match=r"two inputs.* got 3"):
        viz.Animation(nn.Perceptron(3), [((1, 2, 3), 1)])
    with pytest.raises(ValueError, match="got none"):
        viz.Animation(nn.Perceptron(2), [])
    animation = viz.Animation(nn.Perceptron(2, seed=1), XOR)
    with pytest.raises(ValueError, match=r"end in \.gif, got 'xor.mp4'"):
        animation.save("xor.mp4")
    with pytest.raises(ValueError, match=r"frames .* at least 1"):
        animation.save(tmp_path / "xor.gif", frames=0)


def test_frames_are_close_together_at_the_start():
    assert _spread(100, 5) == [0, 6, 25, 56, 100]
    assert _spread(2, 30) == [0, 1, 2]
    assert _spread(0, 30) == [0]
    assert _spread(7, 1) == [7]


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"glassgrad\[demos\]"):
        viz.Animation(nn.Perceptron(2, seed=1), XOR).save("xor.gif")


def test_an_animation_inside_no_grad(tmp_path):
    model = nn.MLP(2, [2, 1], seed=1)
    animation = viz.Animation(model, [((0, 0), 0), ((1, 1), 1)], names=["a", "b"])
    animation(nn.History([0.5]))
    with engine.no_grad():
        assert animation.save(tmp_path / "a.gif", frames=2).stat().st_size > 0


def test_other_moments_than_epochs_are_frames_with_their_titles(tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    titles = []
    monkeypatch.setattr(Axes, "set_title", lambda ax, title: titles.append(title))
    neuron = nn.Perceptron(2, "linear", init=[0.0, 1.0, 1.0])
    animation = viz.Animation(neuron, [((0, 0), -1), ((1, 1), 1)])
    for name in ("mistake 1", "mistake 2"):
        neuron.weights[0].data -= 0.5
        animation.record(name)
    assert animation.epochs == 2
    animation.save(tmp_path / "mistakes.gif")
    assert titles == ["before the training", "mistake 1", "mistake 2"]
