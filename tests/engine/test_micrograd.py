"""What micrograd does, glassgrad does: its README's example and its own two tests."""

from fractions import Fraction

import pytest

from demos.backprop import micrograd_example, micrograd_expression
from engine import Value, topological_order


def test_readme_example():
    g = micrograd_example()
    g.backward()
    a, b = (node for node in topological_order(g) if node.label in ("a", "b"))
    assert f"{g.data:.4f}" == "24.7041"
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


class Dual:
    """An exact number and its exact derivative: forward mode, to check reverse mode by."""

    def __init__(self, value, slope=0):
        self.value, self.slope = Fraction(value), Fraction(slope)

    def __add__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __pow__(self, n):
        return Dual(self.value**n, n * self.value ** (n - 1) * self.slope)

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __truediv__(self, other):
        return self * (other**-1 if isinstance(other, Dual) else Fraction(1) / Fraction(other))

    def __rtruediv__(self, other):
        return self**-1 * other

    def relu(self):
        return self if self.value > 0 else Dual(0)

    __radd__, __rmul__ = __add__, __mul__


def sanity_check(x):
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    return h + q + q * x


def more_ops(a, b):
    return micrograd_expression(a, b)[-1]


@pytest.mark.parametrize(("function", "point"), [(sanity_check, (-4.0,)), (more_ops, (-4.0, 2.0))])
def test_micrograds_own_tests(function, point):
    leaves = [Value(x) for x in point]
    root = function(*leaves)
    root.backward()
    for i, leaf in enumerate(leaves):
        exact = function(*[Dual(x, i == j) for j, x in enumerate(point)])
        assert root.data == pytest.approx(float(exact.value), rel=1e-15, abs=0.0)
        assert leaf.grad == pytest.approx(float(exact.slope), rel=1e-14, abs=0.0)
