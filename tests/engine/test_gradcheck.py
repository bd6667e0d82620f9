"""check_gradients: what it lets pass and how exact it is, what it finds, and what it says about it."""

import functools
import math
import re

import numpy as np
import pytest

import engine
from engine import GradientError, Value, check_gradients

KINK = r"kink here, with slope -1\.0 on the left and 1\.0 on the right"


def times(factor):
    """A function with the slope 1, of which the graph has `factor`."""
    return lambda a: factor * a + (1 - factor) * a.data


class TestPasses:
    def test_the_error_is_small_and_the_bound_is_told(self):
        found = check_gradients(lambda a, b: (a * b).sin(), [0.5, 2.0], order=2)
        assert 0.0 <= found.error <= found.bound < 1e-6
        assert found.error < 1e-8

    @pytest.mark.parametrize("at", [-2.5, -0.3, 0.0, 1e-9, 0.7, 1.0, math.nextafter(2.0, 0.0), 3.0, 40.0])
    def test_a_smooth_function_is_told_to_a_billionth(self, at):
        for function, slope in [
            (lambda a: a - 2, 1.0),
            (lambda a: 3 * a + 1, 3.0),
            (engine.sin, math.cos(at)),
            (lambda a: (3 * a).cos() + 5 * a, 5 - 3 * math.sin(3 * at)),
        ]:
            found = check_gradients(function, at)
            assert found.error < 1e-11
            assert found.bound == pytest.approx(1e-9 * abs(slope), rel=0.1, abs=1e-12)

    @pytest.mark.parametrize("function", [lambda a: a**2, engine.cos, lambda a: a * 0 + 3, lambda a: a**3 - a**2])
    def test_a_slope_of_zero(self, function):
        assert check_gradients(function, 0.0).error < 1e-12
        assert check_gradients(lambda a: function(a * 0), 1e300).bound < 1e-9

    @pytest.mark.parametrize("at", [1e-310, -1e-200, 1e-20, 1e12, 1e300, 1.7e308])
    def test_tiny_and_huge_numbers(self, at):
        assert check_gradients(lambda a: 2 * (a / 4) + 1, at).bound < 1e-8
        assert check_gradients(engine.relu, at).error < 1e-9
        assert check_gradients(abs, at).error < 1e-9

    def test_the_tiniest_number(self):
        assert check_gradients(lambda a: 3 * a + 1, 5e-324).error < 1e-9

    def test_a_slope_that_rounding_hides(self):
        assert 1e-15 < check_gradients(lambda a: 1e-14 * a + 1, 1.0).bound < 1e-13
        assert check_gradients(lambda a: 1e-14 * times(10)(a) + 1, 1.0).error == pytest.approx(9e-14, rel=0.1)
        assert check_gradients(lambda a: a + 1e8 - 1e8, 1.0).error < 1e-6

    def test_where_the_function_has_no_value_at_a_step(self):
        assert check_gradients(lambda a: 1 / a, 0.125).error < 1e-6
        assert check_gradients(engine.log, 0.3).error < 1e-9

    def test_the_mean_of_both_slopes_of_a_kink(self):
        assert check_gradients(engine.maximum, [1.0, 1.0]).error < 1e-9

    def test_what_differences_cannot_tell(self):
        assert check_gradients(engine.sin, 1e16) == (0.0, math.inf)

    def test_takes_a_function_that_does_not_tell_its_arguments(self):
        assert check_gradients(max, [1.0, 2.0]).error < 1e-9

    @pytest.mark.parametrize("points", [[1.0, (2.0, 3.0)], (1.0, np.array([2.0, 3.0])), [1, iter([2, 3])]])
    def test_takes_any_lists(self, points):
        assert check_gradients(lambda x, ys: x * ys[0] * ys[1], points).error < 1e-9


class TestNames:
    @pytest.mark.parametrize(
        ("function", "point", "derivative"),
        [
            (lambda x, ys: x + ys[0] + ys[1] + ys[1].data, [1.0, [2.0, 3.0]], "df/dys[1] at x = 1.0, ys[0] = 2.0,"),
            (lambda xs: engine.sum(xs) + xs[5].data, [[1.0] * 6], "df/dxs[5] at xs[0] = 1.0, xs[1] = 1.0, xs[2] ="),
            (lambda xs: engine.sum(xs) + xs[6].data, [[1.0] * 7], "df/dxs[6] at xs[6] = 1.0: the graph gives 1.0"),
            (functools.partial(lambda k, a: k * a + a.data, 3.0), [1.0], "df/da at a = 1.0: the graph gives 3.0"),
            (lambda *xs: xs[0] * xs[1].data, [2.0, 3.0], "df/dx1 at x0 = 2.0, x1 = 3.0: the graph gives 0.0"),
            (lambda a: [a, 2 * a + a.data], 1.0, "df[1]/da at a = 1.0: the graph gives 2.0"),
        ],
    )
    def test_of_the_derivative_and_the_arguments(self, function, point, derivative):
        with pytest.raises(GradientError, match=re.escape(derivative)):
            check_gradients(function, point)

    def test_of_an_argument_where_there_is_no_value(self):
        with pytest.raises(ArithmeticError, match="rate"):
            check_gradients(lambda rate: engine.log(rate), [-1.0])

    def test_of_what_is_no_function(self):
        with pytest.raises(TypeError, match=r"function of Values, got int 3$"):
            check_gradients(3, [1.0])


class TestErrors:
    def test_has_ten_digits(self):
        text = r"df/da at a = 0\.5: the graph gives 1\.755165124, finite differences give 0\.8775825619: it is 2 times "
        with pytest.raises(GradientError, match=f"^{text}"):
            check_gradients(lambda a: 2 * a.sin() - a.sin().data, [0.5])

    @pytest.mark.parametrize(
        ("function", "told"),
        [
            (abs, "differences give no clear number: .* " + KINK),
            (lambda a: 5 + a * engine.sign(a), KINK),
            (lambda a: abs(a) * (1 + 250 * abs(a)), KINK),
            (engine.relu, r"differences give 0\.5: .* kink here, with slope 0\.0 on the left and 1\.0 on the right"),
            (engine.sign, r"differences give no clear number: .* jumps here, from -1\.0 to 1\.0"),
            (lambda a: engine.sign(a) * (1 + 250 * abs(a)), r"jumps here, from -1\.0 to 1\.0"),
            (lambda a: a**1.5, "differences give no clear number: .* no value to the left: .*edge of its domain"),
            (lambda a: (-a) ** 1.5, "no value to the right: .*edge of its domain"),
        ],
    )
    def test_why_there_is_none(self, function, told):
        with pytest.raises(GradientError, match=f" {told}$"):
            check_gradients(function, [0.0])

    def test_none_by_the_graph(self):
        with pytest.raises(ArithmeticError, match=r"derivative of sqrt\(a\) .*to a has no value at a = 0\.0$"):
            check_gradients(lambda a: engine.sqrt(a) * a, [0.0])

    @pytest.mark.parametrize("at", [1.5, 100.0])
    @pytest.mark.parametrize(
        ("function", "cause"),
        [
            (
                lambda a: Value(a.data) * 2 + a * 0,
                "no gradient arrives; is the graph cut by .data or no_grad()",
            ),
            (times(-1.0), "the sign is wrong"),
            (times(2.0), "it is 2 times the correct value"),
            (times(3.0), "it is 3 times the correct value"),
            (times(4.0), "it is 4 times the correct value"),
            (times(0.5), "it is 0.5 times the correct value"),
            (times(-2.0), "it is -2 times the correct value"),
            (times(-0.5), "it is -0.5 times the correct value"),
            (times(1.25), "it is off by 25 %; check the partial derivative"),
            (times(1 + 1e-6), "it is off by 0.0001 %; check the partial derivative"),
            (lambda a: a - a.data, "the function is constant here; is it a step function?"),
        ],
    )
    def test_the_likely_cause(self, function, cause, at):
        with pytest.raises(GradientError, match=rf"differences give [-.\de]+: {re.escape(cause)}"):
            check_gradients(function, [at])
