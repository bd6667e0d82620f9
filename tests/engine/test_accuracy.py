"""Every value and every first and second derivative of the table, the edges of floats among them, against 50 digits.

`python -m tests.accuracy` prints what is measured here.
"""

import pytest

from tests.accuracy import ROWS, measure

POINTS = [300, pytest.param(10_000, marks=pytest.mark.exhaustive)]
LIMIT = 4.0  # ulp, where the condition number is small; elsewhere in units of what an ulp in the operands changes
CANCEL = {"gelu": 6.0, "silu": 7.0}  # sums of terms that cancel each other in part


@pytest.mark.parametrize("points", POINTS)
@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.symbol)
def test_errors_in_ulp(rule, points, tried):
    accuracy = measure(rule, points)
    limit = CANCEL.get(rule.symbol, LIMIT)
    for kind in ("value", "first", "second"):
        error = getattr(accuracy, kind)
        assert error.ulps <= limit, accuracy
        assert error.compared > 0.8 * points
        tried["values and derivatives of the table against 50 digits"] += error.compared
    assert max(accuracy.value.ill, accuracy.first.ill) <= LIMIT, accuracy
