"""The progress bar."""

import io
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import nn

ROOT = Path(__file__).parents[3]


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestProgress:
    @pytest.fixture
    def shown(self, monkeypatch):
        """Return what a training writes to a terminal, without the patience of a second."""

        def shown(patience=0.0, **options):
            terminal = Terminal()
            monkeypatch.setattr("sys.stderr", terminal)
            monkeypatch.setattr("nn.training.progress.DELAY", patience)
            for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", "NO_COLOR": "1"}.items():
                monkeypatch.setenv(name, value)
            line = nn.Perceptron(1, "linear", init=[0.0, 0.0])
            nn.train(
                line, nn.mse, [([1.0], 2.0)] * 2, optimizer=nn.SGD(line.parameters(), 0.0), epochs=4, batch_size=1,
                compiled=False, until=lambda history: history.epochs == 3, **options,
            )  # fmt: skip
            return terminal.getvalue()

        return shown

    @pytest.mark.parametrize("options", [{}, {"progress": True}, {"progress": False}])
    def test_the_bar_shows_the_last_epoch(self, shown, options):
        written = shown(callback=lambda history: time.sleep(0.11), **options)
        bar = "training ━━━━━━━━━━━━╸         62% loss 4 0:00:0"
        assert (bar in written) == options.get("progress", True)
        assert ("\x1b[2K" in written.rpartition(bar)[2]) == (bar in written)  # at the end the line is wiped

    def test_not_in_a_short_training(self, shown):
        assert shown(patience=1.0) == ""

    @pytest.mark.parametrize("terminal", [False, True])
    def test_output_appears_above_it(self, shown, monkeypatch, terminal):
        stdout = Terminal() if terminal else io.StringIO()
        monkeypatch.setattr("sys.stdout", stdout)
        written = shown(callback=lambda history: print("epoch", history.epochs))
        assert ("epoch 3" in written) == terminal
        assert ("epoch 3" in stdout.getvalue()) == (not terminal)


class TestInATerminal:
    """The bar of a script: it leaves nothing in the terminal, and does not appear without one."""

    CODE = """
import time, nn
def loss(output, target):
    time.sleep(0.015)
    return nn.hinge(output, target)
def callback(history):
    if history.epochs % 25 == 0:
        print("epoch", history.epochs, flush=True)
data = [(x, 1 if x > 0.5 else -1) for x in (0.0, 1.0)]
right = lambda output, target: output * target > 0
nn.train(nn.MLP(1, [1], seed=1), loss, data, accuracy=right, callback=callback, until=lambda history: False, {options})
print("done", flush=True)
"""
    PRINTED = "epoch 25\nepoch 50\ndone\n"

    def run(self, options, **streams):
        return subprocess.Popen(
            [sys.executable, "-c", self.CODE.format(options=options)], cwd=ROOT, **streams,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "80", "PYTHONUTF8": "1"},
        )  # fmt: skip

    def in_terminal(self, options, stdout=None):
        """Return what the script writes to a terminal, and to a pipe that is its stdout."""
        pty = pytest.importorskip("pty")
        ours, theirs = pty.openpty()
        written = b""
        with self.run(options, stdin=theirs, stdout=stdout or theirs, stderr=theirs) as process:
            os.close(theirs)
            with suppress(OSError):  # at the end of a pty
                while some := os.read(ours, 4096):
                    written += some
            piped = process.stdout.read().decode() if process.stdout else ""
        os.close(ours)
        assert process.returncode == 0
        return written.decode(), piped

    @staticmethod
    def screen(written):
        """Return what the terminal shows at the end, and every line that it has shown before."""
        lines, row, column, shown = [""], 0, 0, []
        for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", written):
            if token == "\r":
                column = 0
            elif token == "\n":
                row += 1
                lines += [""] * (row == len(lines))
            elif token == "\x1b[2K":
                shown.append(lines[row])
                lines[row] = ""
            elif token == "\x1b[1A":
                row -= 1
            elif token[0] != "\x1b":
                lines[row] = lines[row].ljust(column)[:column] + token + lines[row][column + len(token) :]
                column += len(token)
        return "\n".join(lines), shown

    def test_it_appears_and_disappears(self):
        written, _ = self.in_terminal("epochs=55")
        left, shown = self.screen(written)
        assert left == self.PRINTED
        bars = [line for line in shown if line.startswith("training")]
        assert any(re.search(r"\d+%.* loss [\d.e-]+, accuracy \d+\.\d %.* \d:\d\d:\d\d", bar) for bar in bars), bars
        assert max(map(len, bars)) <= 80
        assert written.count("\x1b[?25l") == written.count("\x1b[?25h") > 0, "the cursor is back"

    @pytest.mark.parametrize(("options", "printed"), [("epochs=10", "done\n"), ("epochs=55, progress=False", PRINTED)])
    def test_not_within_a_second_or_with_progress_false(self, options, printed):
        written, _ = self.in_terminal(options)
        assert written.replace("\r", "") == printed

    def test_output_goes_to_a_pipe_without_it(self):
        """As in `python training.py > log`."""
        written, piped = self.in_terminal("epochs=55", stdout=subprocess.PIPE)
        assert piped == self.PRINTED
        assert "training" in written
        assert self.screen(written)[0].strip() == ""

    def test_none_without_a_terminal(self):
        with self.run("epochs=55", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, err = process.communicate()
        assert (out.decode(), err.decode()) == (self.PRINTED, "")
