"""History and the criterion of convergence."""

import random

import pytest

import nn
from nn.history import check_convergence


class TestPlateau:
    @pytest.mark.parametrize(
        ("losses", "stops"),
        [
            ([5.0, 5.0, 5.0], False), ([5.0, 5.0, 5.0, 5.0], True), ([5.0, 4.0, 3.0, 2.0], False),
            ([5.0, 4.95, 4.93, 4.91], True), ([5.0, 4.95, 4.93, 4.85], False), ([1.0, 5.0, 4.0, 3.0, 2.0], True),
            ([5.0, 2.0, 2.0, 2.0, 1.0], False), ([5.0, 2.0, 2.0, 1.0, 2.0, 2.0], False),
            ([5.0, 2.0, 2.0, 1.0, 2.0, 2.0, 2.0], True), ([1.0, 5.0, 4.0, 4.0, 4.0], True),
        ],
    )  # fmt: skip
    def test_stops_if_the_loss_has_not_fallen(self, losses, stops):
        assert nn.plateau(tolerance=0.1, patience=3)(nn.History(losses)) is stops

    def test_default_tolerance_and_patience(self):
        assert not nn.plateau()(nn.History([1.0] * 20))
        assert nn.plateau()(nn.History([1.0] * 21))
        assert not nn.plateau()(nn.History([1.0 - 6e-6 * i for i in range(40)]))
        assert nn.plateau()(nn.History([1.0 - 4e-6 * i for i in range(40)]))

    @pytest.mark.parametrize("seed", range(20))
    def test_the_plateau_reads_histories_as_they_come(self, seed):
        """Compare with the definition: losses with ties, epochs added and removed, two histories in turn."""
        rng = random.Random(seed)
        tolerance, patience = rng.choice([0.0, 1.0]), rng.randint(1, 4)
        stop = nn.plateau(tolerance, patience)
        histories = [nn.History(), nn.History()]
        for _ in range(60):
            history = histories[rng.random() < 0.1]
            for _ in range(rng.randint(1, 3)):
                history.add(float(rng.randint(0, 20)), None)
            if rng.random() < 0.1:
                del history.loss[rng.randint(0, history.epochs) :]
            before, last = history.loss[:-patience], history.loss[-patience:]
            assert stop(history) == (bool(before) and min(last) > min(before) - tolerance)

    def test_patience_must_be_positive(self):
        with pytest.raises(ValueError, match=r"patience .*1.* got 0"):
            nn.plateau(patience=0)

    def test_defaults(self):
        stop = nn.plateau()
        assert (stop.tolerance, stop.patience) == (1e-4, 20)


def test_a_new_history():
    history = nn.History()
    assert repr(history) == "History: 0 epochs, not converged"
    assert history.converged is history.interrupted is False


def test_a_plateau_is_called_a_plateau():
    history = nn.History([1.0] * 21)
    assert check_convergence(history, nn.plateau())
    assert repr(history) == "History: 21 epochs, the loss has not fallen for 20 epochs, loss 1"
    history.add(0.5, None)
    assert not check_convergence(history, nn.plateau())
    assert repr(history) == "History: 22 epochs, not converged, loss 0.5"
    assert check_convergence(history, lambda history: True)
    assert repr(history) == "History: 22 epochs, converged, loss 0.5"
    assert nn.plateau(patience=1).reason == "the loss has not fallen for 1 epoch"
