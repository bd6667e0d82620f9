"""Schedules: the learning rate by epoch."""

import math

import pytest

import nn
from tests.nn.training.helpers import LINE, line, never


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (nn.linear_decay(0.4, 0.1, 3), [0.4, 0.3, 0.2, 0.1, 0.1, 0.1]),
        (nn.linear_decay(0.0, 1.0, 4), [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]),
        (nn.cosine_decay(0.5, 0.1, 4), [0.5, 0.3 + math.sqrt(0.02), 0.3, 0.3 - math.sqrt(0.02), 0.1, 0.1]),
        (nn.exponential_decay(0.4, 0.5), [0.4, 0.2, 0.1, 0.05, 0.025, 0.0125]),
        (lambda epoch: 1 / (epoch + 1), [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6]),
    ],
)
def test_the_learning_rate_of_every_epoch(schedule, rates):
    assert [schedule(epoch) for epoch in range(6)] == pytest.approx(rates)
    model, seen = line(), []
    optimizer = nn.SGD(model.parameters(), learning_rate=99.0)
    nn.train(
        model, nn.mse, LINE, optimizer=optimizer, schedule=schedule, epochs=6, until=never, batch_size=None,
        callback=lambda history: seen.append(optimizer.learning_rate),
    )  # fmt: skip
    assert seen == pytest.approx(rates)
    assert max(schedule(10**4), 0.1) <= max(rates)


@pytest.mark.parametrize("compiled", [False, None])
def test_a_schedule_goes_on_within_an_epoch(compiled):
    model, epochs = line(), []

    def schedule(epoch):
        epochs.append(epoch)
        return 0.1

    nn.train(model, nn.mse, LINE, schedule=schedule, epochs=2, until=never, batch_size=2, compiled=compiled)
    assert epochs == pytest.approx([0.0, 0.4, 0.8, 1.0, 1.4, 1.8])
