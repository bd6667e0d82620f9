"""Every value, derivative and second derivative of the table against mpmath at 50 digits.

At a tenth of the points that `python -m tests.accuracy` takes, the edges of floats among them; of pairs of edges some.
"""

import pytest

from tests.accuracy import ROWS, measure

LIMIT = 4.0  # ulp, where the condition number is small; elsewhere in units of what an ulp in the operands changes
# A second derivative is computed in some steps more, and in those of gelu and silu terms cancel each other in part.
LIMIT_OF_SECOND = 5.0
CANCEL = {"gelu": 8.0, "silu": 8.0}
CANCEL_AT_0 = {"sigmoid"}  # whose second derivative is exact to 1e-16 there, and no further


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.symbol)
def test_to_the_last_digits(rule):
    found = measure(rule, 1000)
    assert found.value.ulps <= LIMIT, found
    assert found.first.ulps <= CANCEL.get(rule.symbol, LIMIT), found
    assert rule.symbol in CANCEL_AT_0 or found.second.ulps <= CANCEL.get(rule.symbol, LIMIT_OF_SECOND), found
    assert max(found.value.ill, found.first.ill) <= LIMIT, found
    assert min(found.value.compared, found.first.compared, found.second.compared) > 800
