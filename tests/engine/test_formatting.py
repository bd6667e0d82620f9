"""Numbers and labels as text."""

import math

import pytest

from engine import Value
from engine.formatting import format_number, printable
from engine.labels import Names


class TestNumbers:
    def test_precision(self):
        shown = [format_number(24.70408, precision) for precision in (1, 2, 3, 17)]
        assert shown == ["2e+01", "25.0", "24.7", "24.704080000000001"]
        with pytest.raises(ValueError, match=r"precision must be at least 1 .*got 0"):
            format_number(1.0, 0)


@pytest.mark.parametrize(
    ("x", "read"),
    [(3.0, "3.0"), (-0.0, "0.0"), (1234567.0, "1.23457e+06"), (1e16, "1e+16"), (-math.inf, "-inf"), (math.nan, "nan")],
)
def test_a_number(x, read):
    assert format_number(x) == read


class TestLabels:
    @pytest.mark.parametrize("label", ["it's", "a\\b", "a * b", "no\u00a0break", "全\u3000角", "👩\u200d🔬"])
    def test_are_shown_as_they_are(self, label):
        x = Value(1.0, label)
        assert Names(x)[x] == label

    def test_but_what_a_terminal_would_obey(self):
        x = Value(1.0, "a\tb\n\x1b[31m\x00")
        assert Names(x)[x] == r"a\tb\n\x1b[31m\x00"
        assert printable("a\tb\n", keep="\n") == "a\\tb\n"
