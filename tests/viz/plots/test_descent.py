"""The plot of a descent."""

import math

import numpy as np
import pytest

import viz


def test_the_path_and_an_area_around_it(ax):
    path = [(2.0, 1.0), (1.0, 0.2), (0.0, 0.0)]
    assert viz.plot_descent(lambda a, b: a**2 + 4 * b**2, path, ax=ax) is ax
    assert ax.lines[0].get_xydata().tolist() == [list(point) for point in path]
    assert ax.get_xlim()[0] < 0
    assert ax.get_xlim()[1] > 2


def test_a_chosen_area_in_which_the_function_is_partly_undefined(ax):
    def height(a, b):
        return np.log(a) if a > 0 else np.nan

    viz.plot_descent(height, [(2.0, 1.0), (1.0, 0.2)], area=((-1, 3), (-2, 2)), ax=ax)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 3), (-2, 2))


@pytest.mark.parametrize("height", [0.0, -3.5, 1e16, 1e-300])
def test_a_flat_surface(height, ax):
    viz.plot_descent(lambda a, b: height, [(2.0, 1.0), (1.0, 0.2)], ax=ax)
    viz.plot_descent(lambda a, b: height * (1 + 1e-12 * a), [(2.0, 1.0), (2.0, 1.0)], ax=ax)


@pytest.mark.parametrize(
    ("surface", "path", "options", "words"),
    [
        (lambda a, b: math.nan, [(0, 0)], {}, "surface must be finite somewhere"),
        (lambda a, b: a, [], {}, "path must have at least one point"),
        (lambda a, b: a, [(0.0, 0.0), (1.0, math.inf)], {}, r"w2 of path must be finite, got inf at index 1"),
        (lambda a, b: a, [(0, 0)], {"area": ((1, 1), (0, 2))}, r"area must be two ranges .*got \(\(1, 1\), \(0, 2\)\)"),
    ],
)
def test_errors_say_what_is_wrong(surface, path, options, words, ax):
    with pytest.raises(ValueError, match=words):
        viz.plot_descent(surface, path, ax=ax, **options)
