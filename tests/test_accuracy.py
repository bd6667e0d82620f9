"""Every value and every first and second derivative of the table, the edges of floats among them, against 50 digits.

`python -m tests.accuracy` prints what is measured here.
"""

import pytest

from tests.accuracy import ROWS, measure

A_FEW, MANY = 200, 10_000  # points; the edges are among the few
LIMIT = 4.0  # ulp, where the condition number is small; elsewhere in units of what an ulp in the operands changes
CANCEL = {"gelu": 6.0, "silu": 7.0}  # sums of terms that cancel each other in part


@pytest.mark.parametrize("n", [A_FEW, MANY])
@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.symbol)
def test_to_the_last_digits(rule, n, tried):
    found = measure(rule, n)
    limit = CANCEL.get(rule.symbol, LIMIT)
    for kind in ("value", "first", "second"):
        error = getattr(found, kind)
        assert error.ulps <= limit, found
        assert error.compared > 0.7 * n
        tried["values and derivatives of the table against 50 digits"] += error.compared
    assert max(found.value.ill, found.first.ill) <= LIMIT, found
