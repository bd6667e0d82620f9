"""The progress bar."""

import io
import time

import pytest

import nn


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestProgress:
    @pytest.fixture
    def shown(self, monkeypatch):
        """What a training shows in a terminal, of which a look takes no time but PAUSE."""

        def shown(patience=0.0, **options):
            terminal = Terminal()
            monkeypatch.setattr("sys.stderr", terminal)
            monkeypatch.setattr("nn.training.progress.PATIENCE", patience)
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
        told = shown(callback=lambda history: time.sleep(0.11), **options)
        bar = "training ━━━━━━━━━━━━╸         62% loss 4 0:00:0"
        assert (bar in told) == options.get("progress", True)
        assert ("\x1b[2K" in told.rpartition(bar)[2]) == (bar in told)  # at the end the line is wiped

    def test_a_short_training_shows_none(self, shown):
        assert shown(patience=1.0) == ""

    @pytest.mark.parametrize("terminal", [False, True])
    def test_what_is_printed_stays_above_it(self, shown, monkeypatch, terminal):
        stdout = Terminal() if terminal else io.StringIO()
        monkeypatch.setattr("sys.stdout", stdout)
        told = shown(callback=lambda history: print("epoch", history.epochs))
        assert ("epoch 3" in told) == terminal
        assert ("epoch 3" in stdout.getvalue()) == (not terminal)
