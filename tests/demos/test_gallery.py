"""All demos at once, and the page of their pictures."""

import html
import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from demos import _gallery
from demos._lesson import figure, save

ROOT = Path(__file__).parents[2]
menu = importlib.import_module("demos.__main__")


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """The folder after `python -m demos all` with three quick demos and one that fails, and its exit message."""
    folder = tmp_path_factory.mktemp("gallery") / "new" / "pictures"
    folder.mkdir(parents=True)
    (folder / "old.png").write_bytes(b"of yesterday")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        some = ["backprop", "no_such_demo", "error_propagation", "forward_backward"]
        patch.setattr(menu, "catalogue", lambda: {name: f"What <{name}> does" for name in some})
        with pytest.raises(SystemExit) as stop:
            menu.main(["all", "--output", str(folder)])
    return folder, stop.value.code


def test_a_demo_that_fails_is_named_and_the_rest_is_there(gallery):
    folder, code = gallery
    assert code == "python -m demos all: failed: no_such_demo"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "backprop.svg", "error_propagation.html", "error_propagation.svg", "forward_backward.png",
        "forward_backward.svg", "gallery.html", "old.png",
    }  # fmt: skip
    page = (folder / "gallery.html").read_text(encoding="utf-8")
    assert re.findall(r'<section id="(\w+)">', page) == ["backprop", "error_propagation", "forward_backward"]
    assert "no_such_demo" not in page
    assert "old.png" not in page


def test_pictures_commands_and_alternative_texts(gallery):
    folder, _ = gallery
    page = (folder / "gallery.html").read_text(encoding="utf-8")
    assert "What &lt;backprop&gt; does." in page
    commands = [html.unescape(command) for command in re.findall(r"<p><code>(.*?)</code></p>", page)]
    assert commands == [
        "python -m demos.backprop", "python -m demos.error_propagation", "python -m demos.forward_backward",
    ]  # fmt: skip
    pictures = dict(re.findall(r'<img src="([^"]*)" alt="([^"]*)">', page))
    assert pictures["backprop.svg"] == "The graph of L = tanh(a*b + c)"
    assert pictures["error_propagation.svg"].startswith("The network MLP(2, [3, 2, 1]")
    assert pictures["forward_backward.png"] == "multiplications for all dL/dw by hidden layers of 3 neurons"
    assert '<a href="error_propagation.html">' in page
    addresses = set(re.findall(r'(?:href|src)="([^"#]+)"', page))
    assert addresses == {path.name for path in folder.iterdir()} - {"gallery.html", "old.png"}
    assert not re.search(r"https?://|<script|@import|url\(", page)


def test_the_committed_pictures_are_those_of_this_command(gallery):
    folder, _ = gallery
    committed = ROOT / "demos" / "pictures"
    for name in ("backprop.svg", "error_propagation.svg"):
        assert (folder / name).read_text(encoding="utf-8") == (committed / name).read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "demos").glob("*.py"))
    assert {path.name for path in committed.iterdir()} <= set(re.findall(r'"(\w+\.(?:png|svg|gif|webp))"', sources))


MOVING = ("live.webp", "live_dark.webp", "playground.webp")


def check_moving_picture(path):
    n_frames = {
        "live": 21,
        "live_dark": 21,
        "playground": 16,
    }  # 9 steps and 12 changes; 14 of a training and 2 of a step
    assert path.stat().st_size <= 400_000
    with Image.open(path) as picture:
        assert picture.width == 1000
        durations = []
        for i in range(picture.n_frames):
            picture.seek(i)
            picture.load()
            durations.append(picture.info["duration"])
    assert len(durations) == n_frames[path.stem]
    assert 8_000 < sum(durations) < 25_000, "milliseconds"


def test_the_moving_pictures_of_the_readme_are_small():
    for name in MOVING:
        check_moving_picture(ROOT / "demos" / "pictures" / name)


@pytest.mark.exhaustive
def test_the_moving_pictures_are_those_of_their_command(tmp_path):
    pytest.importorskip("playwright", reason="needs the extra `browser`")
    if not shutil.which("chromium"):
        pytest.skip("needs the program chromium")
    command = [sys.executable, "-m", "demos._live_picture", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.partition(": ")[0] for line in run.stdout.splitlines()] == [str(tmp_path / name) for name in MOVING]
    for path in tmp_path.iterdir():
        check_moving_picture(path)


def test_when_all_goes_well(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(menu, "catalogue", lambda: {"backprop": "Backwards"})
    menu.main(["all", "--output", str(tmp_path)])
    assert re.match(r"backprop +\d+\.\d s  backprop\.svg\n\nGallery: .*gallery\.html\n$", capsys.readouterr().out)


def test_errors_of_a_demo_are_shown(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "forward_backward.png").mkdir()
    run = _gallery.run("forward_backward", "Two passes", tmp_path)
    assert run.failed
    assert run.pictures == ["forward_backward.svg"], "the one that was written before"
    assert "python -m demos forward_backward: " in capfd.readouterr().err


def test_a_picture_without_alternative_text_takes_the_summary_of_its_demo(tmp_path):
    picture = figure(1, 1)
    picture.savefig(tmp_path / "a.png")
    assert _gallery.alt_text(tmp_path / "a.png") == ""
    run = _gallery.Run("a", 'All "of" it', 1.0, False, ["a.png"])
    page = _gallery.write([run], tmp_path).read_text(encoding="utf-8")
    assert 'alt="All &quot;of&quot; it"' in page


def test_alternative_text_of_a_figure(tmp_path, capsys):
    picture = figure(6, 4)
    left, right = picture.subplots(1, 2)
    left.set(title="Two\nlines", xlabel="x", ylabel="δ")
    right.set(xlabel="epoch")
    save(picture, tmp_path, "a.png")
    assert _gallery.alt_text(tmp_path / "a.png") == "Two lines: δ by x; epoch"


def test_in_a_browser(gallery, browser):
    folder, _ = gallery
    for width, scheme, media, paper in (
        (360, "light", "screen", "rgb(255, 255, 255)"),
        (1280, "dark", "screen", "rgb(20, 20, 20)"),
        (800, "dark", "print", "rgb(255, 255, 255)"),
    ):
        tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        complaints = []
        tab.on("console", lambda message, to=complaints: to.append(message.text))
        tab.on("requestfailed", lambda request, to=complaints: to.append(request.url))
        tab.emulate_media(media=media)
        tab.goto((folder / "gallery.html").as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert tab.evaluate("[...document.images].every((image) => image.naturalWidth > 0 && image.alt)")
        assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == paper
        assert complaints == []
        if media == "screen":
            tab.click("text=error_propagation.html")
            tab.wait_for_selector("#page-next")
