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


def test_several_paths_have_a_legend_arrows_and_stars_and_may_leave_the_area(ax):
    paths = {"creeps": [(2.0, 1.0), (1.9, 0.9)], "diverges": [(2.0, 1.0), (0.0, -2.0), (0.0, 9.0)]}
    viz.plot_descent(lambda a, b: a**2 + 10 * b**2, paths, area=((-1, 3), (-3, 3)), ax=ax)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 3), (-3, 3))
    by_name = {line.get_label(): line for line in ax.lines}
    for name, path in paths.items():
        assert by_name[name].get_xydata().tolist() == [list(point) for point in path]
    assert by_name["start"].get_xydata().tolist() == [[2.0, 1.0]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["creeps", "diverges", "start"]
    stars = [line.get_xydata().tolist()[0] for line in ax.lines if line.get_marker() == "*"]
    assert stars == [[1.9, 0.9], [0.0, 9.0]]
    tips = [text.xy for text in ax.texts]
    assert tips == [pytest.approx((0.8, -0.8)), pytest.approx((0.0, 4.6))], "an arrow on each long step"


def test_levels_are_shares_of_the_area_and_the_colour_bar_names_the_height(ax):
    viz.plot_descent(lambda a, b: a**4, [(0.0, 0.0)], area=((-1, 1), (0, 1)), scale="loss", ax=ax)
    (levels,) = {tuple(c.levels) for c in ax.collections if hasattr(c, "levels")}
    heights = np.linspace(-1, 1, 150) ** 4
    shares = [np.mean(heights <= level + 1e-12) for level in levels]
    assert shares[1:] == pytest.approx([(i / 16) ** 1.5 for i in range(1, 17)], abs=0.02)
    bar = next(other for other in ax.figure.axes if other is not ax)
    assert bar.get_ylabel() == "loss"
