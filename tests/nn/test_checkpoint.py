"""Checkpoints: exact to the last bit, complete or not written at all."""

import json
import math
import os
import random
import signal
import stat
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from engine import Value

ROOT = Path(__file__).parents[2]
PAIR = """\
{
  "format": "glassgrad model 1",
  "model": "Perceptron(1, 'linear')",
  "sha256": "4360583a389c510f2ecafa9d1bbcace9ba1574f4a576dbe7c0406b56f42ce481",
  "parameters": {
    "w0": 0.1,
    "w1": 2.0
  }
}
"""
BY_HAND = "".join(line for line in PAIR.splitlines(keepends=True) if "sha256" not in line)


def pair(w0=7.0, w1=8.0):
    return nn.Perceptron(1, "linear", init=[w0, w1])


def bits(model):
    return {name: struct.pack("d", x) for name, x in model.state_dict().items()}


def fail(*arguments, **options):
    raise OSError("no space left")


def interrupt(*arguments, **options):
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


class TestRoundTrip:
    @pytest.mark.parametrize(
        "x", [0.1, -0.0, 0.0, 5e-324, -2.2250738585072014e-308, 1.7976931348623157e308, 1 / 3, 2**53 + 2.0, 1e23]
    )
    def test_numbers_at_the_limits_of_floats(self, x, tmp_path):
        nn.save(pair(x, -x), tmp_path / "m.json")
        assert bits(nn.load(pair(), tmp_path / "m.json")) == bits(pair(x, -x))

    @given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=2))
    def test_any_bit_patterns(self, folder, patterns):
        numbers = [x if math.isfinite(x) else 0.0 for (x,) in struct.iter_unpack("d", struct.pack("2Q", *patterns))]
        nn.save(pair(*numbers), folder / "m.json")
        assert bits(nn.load(pair(), folder / "m.json")) == bits(pair(*numbers))

    @pytest.mark.parametrize(
        "make",
        [
            lambda seed: nn.Perceptron(3, "tanh", seed=seed),
            lambda seed: nn.Layer(11, 12, "relu", seed=seed),
            lambda seed: nn.MLP(2, [3, 4, 2], hidden="gelu", output="sigmoid", seed=seed),
        ],
    )
    def test_every_kind_of_model(self, make, tmp_path):
        path, model, other = tmp_path / "m.json", make(1), make(2)
        nn.save(model, str(path))
        assert nn.load(other, str(path)) is other
        assert bits(other) == bits(model)

    def test_a_custom_module(self, tmp_path):
        class Net(nn.Module):
            def __init__(self, shift):
                self.neurons = [nn.Perceptron(1, seed=1), nn.Perceptron(2, seed=2)]
                self.shifts = {'é "\n': Value(shift), "0": Value(-shift)}

        nn.save(Net(0.3), tmp_path / "m.json")
        assert bits(nn.load(Net(0.0), tmp_path / "m.json")) == bits(Net(0.3))

    def test_training_continues_as_before(self, tmp_path):
        xor = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
        model, other = nn.MLP(2, [4, 1], seed=1), nn.MLP(2, [4, 1], seed=2)
        nn.train(model, nn.binary_cross_entropy, xor, epochs=50, seed=1)
        nn.save(model, tmp_path / "m.json")
        nn.load(other, tmp_path / "m.json")
        assert [other(x).data for x, _ in xor] == [model(x).data for x, _ in xor]
        assert [p.label for p in other.parameters()] == [p.label for p in model.parameters()]


class TestText:
    def test_the_text_of_a_file(self, tmp_path):
        nn.save(pair(0.1, 2.0), tmp_path / "m.json")
        assert (tmp_path / "m.json").read_bytes() == PAIR.encode()

    def test_is_json(self, tmp_path):
        model = nn.MLP(2, [2, 1], hidden="relu", seed=1)
        nn.save(model, tmp_path / "m.json")
        content = json.loads((tmp_path / "m.json").read_text(encoding="ascii"))
        assert list(content) == ["format", "model", "sha256", "parameters"]
        assert content["model"] == "MLP(2, [2, 1], hidden='relu', output='linear')"
        assert list(content["parameters"].items()) == list(model.state_dict().items())

    def test_is_the_same_every_time(self, tmp_path):
        model, one, two = nn.MLP(3, [5, 2], seed=1), tmp_path / "1.json", tmp_path / "2.json"
        nn.save(model, one)
        text = one.read_bytes()
        nn.save(model, one)
        nn.save(nn.load(nn.MLP(3, [5, 2], seed=2), one), two)
        assert one.read_bytes() == two.read_bytes() == text


class TestDamage:
    """Check that loading is an error that changes nothing, or gives exactly the same parameters."""

    def check(self, content, path):
        path.write_bytes(content)
        model = pair()
        try:
            nn.load(model, path)
        except ValueError as error:
            assert str(error).startswith(f"{path} does not load: ")  # noqa: PT017
            assert bits(model) == bits(pair())
            return False
        assert bits(model) == bits(pair(0.1, 2.0))
        return True

    def test_cut_off(self, tmp_path, tried):
        harmless = [n for n in range(len(PAIR)) if self.check(PAIR[:n].encode(), tmp_path / "m.json")]
        assert harmless == [len(PAIR) - 1], "only the end of the last line may be missing"
        tried["damaged files: an error or the same model"] += len(PAIR)

    def test_a_bit_flipped(self, tmp_path, tried):
        for i in range(len(PAIR)):
            for bit in range(8):
                damaged = bytearray(PAIR.encode())
                damaged[i] ^= 1 << bit
                if self.check(bytes(damaged), tmp_path / "m.json"):
                    assert PAIR[i].isspace(), (i, bit)
        tried["damaged files: an error or the same model"] += 8 * len(PAIR)

    @pytest.mark.parametrize(
        "content",
        [
            b"", b"\n", b"no JSON", b"[]", b"1", b"null", b'"format"', b"{}", b'{"format": "glassgrad model 1"}',
            b'{"format": []}', b"\xff\xfe", bytes(range(256)), b"\0" * 200, b"[" * 100_000, b'{"a":' * 100_000,
            PAIR.encode("utf-16"), PAIR.encode() * 2, PAIR.replace("model 1", "model 2").encode(),
            PAIR.replace('"format": "glassgrad model 1",', "").encode(),
            PAIR.replace('"format"', '"more": 1, "format"').encode(),
        ],
    )  # fmt: skip
    def test_a_file_that_is_not_a_model(self, content, tmp_path):
        assert not self.check(content, tmp_path / "m.json")

    @pytest.mark.parametrize(
        "w1",
        [
            "NaN", "Infinity", "-Infinity", "1e999", '"2.0"', "true", "null", "[2.0]", '{"w1": 2.0}', "1" + "0" * 400,
            "1" + "0" * 5000, "[" * 900 + "]" * 900, "0x1", "1.", "", '2.0, "w1": 2.0', '2.0, "w2": 2.0', '2.0, "": 0',
        ],
    )  # fmt: skip
    def test_an_entry_that_is_not_a_number(self, w1, tmp_path):
        assert not self.check(BY_HAND.replace("2.0", w1).encode(), tmp_path / "m.json")

    @pytest.mark.parametrize(("old", "new"), [('"w0": 0.1,', ""), ('"w0"', '"w2"'), ('"w0"', '"W0"')])
    def test_a_missing_parameter(self, old, new, tmp_path):
        assert not self.check(BY_HAND.replace(old, new).encode(), tmp_path / "m.json")

    def test_changed_by_hand(self, tmp_path):
        path = tmp_path / "m.json"
        path.write_text(PAIR.replace("0.1", "3"))
        with pytest.raises(ValueError, match=r"sha256.*by hand, delete that line"):
            nn.load(pair(), path)
        path.write_text(BY_HAND.replace("0.1", "3"))
        assert nn.load(pair(), path).state_dict() == {"w0": 3.0, "w1": 2.0}
        path.write_text(PAIR.replace('"w0": 0.1,', '"w1": 2.0,').replace('"w1": 2.0\n', '"w0": 0.1\n'))
        assert bits(nn.load(pair(), path)) == bits(pair(0.1, 2.0)), "their order does not matter"


@pytest.mark.parametrize(
    ("saved", "other"),
    [
        (nn.Perceptron(2), nn.Perceptron(3)), (nn.Perceptron(2), nn.Perceptron(2, "tanh")),
        (nn.Perceptron(2), nn.Layer(2, 1)), (nn.Layer(2, 1), nn.MLP(2, [1], output="sigmoid")),
        (nn.Layer(2, 3), nn.Layer(2, 4)), (nn.MLP(2, [3, 1]), nn.MLP(2, [4, 1])),
        (nn.MLP(2, [2, 2]), nn.MLP(2, [2, 2, 2])), (nn.MLP(2, [3, 1]), nn.MLP(2, [3, 1], hidden="relu")),
        (nn.MLP(2, [3, 1]), nn.MLP(2, [3, 1], output="sigmoid")),
    ],
    ids=repr,
)  # fmt: skip
def test_of_another_model(saved, other, tmp_path):
    before = bits(other)
    nn.save(saved, tmp_path / "m.json")
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        nn.load(other, tmp_path / "m.json")
    assert repr(saved) in str(caught.value)
    assert repr(other) in str(caught.value)
    assert bits(other) == before


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="none"):
        nn.load(pair(), tmp_path / "none.json")
    for use in (nn.load, nn.save):
        with pytest.raises(OSError, match=r"directory|Permission"):
            use(pair(), tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nn.save(pair(), tmp_path / "nowhere" / "m.json")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("thing", [3, None, Value(1.0), nn.MLP, {"w0": 0.1}])
def test_only_modules_have_checkpoints(thing, tmp_path):
    for use in (nn.save, nn.load):
        with pytest.raises(TypeError, match=r"Module.*, got "):
            use(thing, tmp_path / "m.json")
    assert os.listdir(tmp_path) == []


def test_the_number_of_an_open_file_is_no_path():
    output, target = os.pipe()
    try:
        with pytest.raises(TypeError, match="PathLike"):
            nn.save(pair(), target)
    finally:
        os.close(output)
        os.close(target)


class TestWholeOrNotAtAll:
    @pytest.mark.parametrize("old", [None, "old"])
    @pytest.mark.parametrize("function", ["os.fsync", "os.replace", "json.dumps"])
    @pytest.mark.parametrize("how", [fail, interrupt])
    def test_an_interrupted_save(self, old, function, how, tmp_path, monkeypatch):
        path = tmp_path / "m.json"
        if old:
            path.write_text(old)
        monkeypatch.setattr(function, how)
        with pytest.raises((OSError, KeyboardInterrupt)):
            nn.save(pair(), path)
        assert os.listdir(tmp_path) == ["m.json"] * bool(old)
        assert not old or path.read_text() == old

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_without_write_permission(self, tmp_path):
        path = tmp_path / "m.json"
        nn.save(pair(), path)
        tmp_path.chmod(0o500)
        with pytest.raises(PermissionError):
            nn.save(pair(1.0), path)
        tmp_path.chmod(0o700)
        assert bits(nn.load(pair(1.0), path)) == bits(pair())
        assert os.listdir(tmp_path) == ["m.json"]

    def test_the_file_is_synced_before_it_is_renamed(self, tmp_path, monkeypatch):
        calls, replace, fsync = [], os.replace, os.fsync
        monkeypatch.setattr(os, "fsync", lambda file: calls.append(os.fstat(file).st_size) or fsync(file))
        monkeypatch.setattr(os, "replace", lambda *names: calls.append([*map(Path, names)]) or replace(*names))
        nn.save(pair(0.1, 2.0), tmp_path / "m.json")
        size, (temporary, target) = calls
        assert size == len(PAIR)
        assert temporary.parent == target.parent == tmp_path, "on one disk"

    @pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
    @pytest.mark.exhaustive
    def test_killed_at_any_moment(self, tmp_path, tried):
        path = tmp_path / "m.json"
        code = f"""
import nn
one, two = nn.MLP(9, [60, 1], init="uniform_0.01", seed=1), nn.MLP(9, [60, 1], init="he", seed=2)
nn.save(one, {str(path)!r})
print("saving", flush=True)
for _ in range(10_000):
    nn.save(two, {str(path)!r})
    nn.save(one, {str(path)!r})
"""
        states = [bits(nn.MLP(9, [60, 1], init=init, seed=seed)) for init, seed in (("uniform_0.01", 1), ("he", 2))]
        rng = random.Random(1)
        for _ in range(20):
            with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as process:
                assert process.stdout.readline() == b"saving\n"
                time.sleep(rng.uniform(0.0, 0.03))
                process.send_signal(signal.SIGKILL)
            assert bits(nn.load(nn.MLP(9, [60, 1]), path)) in states
            tried["kills while a file was saved: one of the two models loads"] += 1
        assert [name for name in os.listdir(tmp_path) if not name.startswith(".")] == ["m.json"]


@pytest.mark.skipif(os.name == "nt", reason="needs the permissions and links of Unix")
class TestNames:
    @pytest.mark.parametrize("mode", [0o640, 0o600, 0o666])
    def test_permissions_are_kept(self, mode, tmp_path):
        path = tmp_path / "m.json"
        path.touch()
        path.chmod(mode)
        nn.save(pair(), path)
        assert path.stat().st_mode & 0o777 == mode

    def test_a_new_file_has_the_usual_permissions(self, tmp_path):
        (tmp_path / "usual").touch()
        nn.save(pair(), tmp_path / "m.json")
        assert (tmp_path / "m.json").stat().st_mode == (tmp_path / "usual").stat().st_mode

    @pytest.mark.parametrize("there", [True, False])
    def test_a_link_stays_and_its_target_changes(self, there, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        target, link = tmp_path / "elsewhere" / "m.json", tmp_path / "link.json"
        link.symlink_to(target)
        if there:
            target.touch()
        nn.save(pair(0.1, 2.0), link)
        assert link.is_symlink()
        assert target.read_text() == PAIR
        assert os.listdir(tmp_path / "elsewhere") == ["m.json"]

    @pytest.mark.parametrize("target", ["fifo", "link to a fifo"])
    def test_a_pipe_stays_a_pipe(self, target, tmp_path):
        path = tmp_path / "fifo"
        os.mkfifo(path)
        (tmp_path / "link to a fifo").symlink_to(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        nn.save(pair(0.1, 2.0), tmp_path / target)
        assert os.read(reader, 4096) == PAIR.encode()
        os.close(reader)
        assert path.is_fifo()
        assert sorted(os.listdir(tmp_path)) == ["fifo", "link to a fifo"]

    def test_a_device_stays_a_device(self):
        """As root, a rename would replace /dev/null for the whole machine: look at a terminal instead."""
        pty = pytest.importorskip("pty")
        ours, theirs = pty.openpty()
        name = os.ttyname(theirs)
        nn.save(pair(0.1, 2.0), name)
        assert os.read(ours, 4096).replace(b"\r", b"") == PAIR.encode()
        assert stat.S_ISCHR(os.stat(name).st_mode)
        os.close(ours)
        os.close(theirs)

    @pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="needs /dev/stdout")
    def test_the_output_of_a_process(self):
        code = "import nn; nn.save(nn.Perceptron(1, 'linear', init=[0.1, 2.0]), '/dev/stdout')"
        printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
        assert printed == PAIR.encode()

    def test_all_names_of_a_file_have_the_new_content(self, tmp_path):
        one, two = tmp_path / "1.json", tmp_path / "2.json"
        one.write_text("old " * 1000)
        two.hardlink_to(one)
        nn.save(pair(0.1, 2.0), two)
        assert one.read_text() == two.read_text() == PAIR
        assert one.samefile(two)

    def test_a_read_only_file_is_refused(self, tmp_path):
        """Root may write to any, so the process of root gives its rights up."""
        path = tmp_path / "m.json"
        path.write_text("old")
        path.chmod(0o444)
        tmp_path.chmod(0o777)
        for folder in tmp_path.parents[:2]:
            folder.chmod(0o711)
        code = f"""
import os, sys, nn
if os.geteuid() == 0:
    os.setuid(65534)
try:
    nn.save(nn.Perceptron(1), {str(path)!r})
except PermissionError as error:
    print(error.filename)
"""
        printed = subprocess.run(
            [sys.executable, "-B", "-c", code], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE
        ).stdout
        assert printed == f"{path}\n"
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["m.json"]

    @pytest.mark.parametrize("kind", [os.fsencode, str, Path])
    def test_any_kind_of_path(self, kind, tmp_path):
        path = kind(tmp_path / "m.json")
        nn.save(pair(0.1, 2.0), path)
        assert bits(nn.load(pair(), path)) == bits(pair(0.1, 2.0))
        with pytest.raises(FileNotFoundError):
            nn.save(pair(), kind(tmp_path / "nowhere" / "m.json"))
        with pytest.raises(ValueError, match=r"m\.json does not load"):
            nn.load(nn.Perceptron(2), path)

    def test_a_relative_path(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        nn.save(pair(0.1, 2.0), "m.json")
        assert os.listdir(tmp_path) == ["m.json"]
        assert bits(nn.load(pair(), "m.json")) == bits(pair(0.1, 2.0))


class TestFiles:
    def test_unknown_content_is_named(self, tmp_path):
        path = tmp_path / "model.json"
        model = nn.Perceptron(1, init=[1.0, 2.0])
        nn.save(model, path)
        path.write_text(path.read_text().replace('"model"', '"author": "me", "model"'))
        with pytest.raises(ValueError, match=r"does not load: .* model, .* parameters, got .*author"):
            nn.load(model, path)
        path.write_text("[]")
        with pytest.raises(ValueError, match=r"model\.json does not load: .*format.*glassgrad model 1"):
            nn.load(model, path)
        path.write_text('{"format": 1, "format": 2}')
        with pytest.raises(ValueError, match=r"model\.json does not load: .*name.* twice"):
            nn.load(model, path)

    def test_a_missing_folder(self, tmp_path):
        path = tmp_path / "gone" / "model.json"
        with pytest.raises(FileNotFoundError) as caught:
            nn.save(nn.Perceptron(1), path)
        assert caught.value.filename == str(path)
