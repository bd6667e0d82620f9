"""Every value, derivative and second derivative of the table against mpmath at 50 digits, the edges of floats among them.

`python -m tests.accuracy` prints what is measured here.
"""

import pytest

from tests.accuracy import ROWS, measure

POINTS = 10_000
LIMIT = 4.0  # ulp, where the condition number is small; elsewhere in units of what an ulp in the operands changes
CANCEL = {"gelu": 6.0, "silu": 7.0}  # whose derivatives are sums of terms that cancel each other in part


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.symbol)
def test_to_the_last_digits(rule):
    found = measure(rule, POINTS)
    limit = CANCEL.get(rule.symbol, LIMIT)
    assert found.value.ulps <= limit, found
    assert found.first.ulps <= limit, found
    assert found.second.ulps <= limit, found
    assert max(found.value.ill, found.first.ill) <= LIMIT, found
    assert min(found.value.compared, found.first.compared, found.second.compared) > 0.8 * POINTS
