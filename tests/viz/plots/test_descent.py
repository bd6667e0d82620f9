"""The plot of a descent."""

import numpy as np

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
