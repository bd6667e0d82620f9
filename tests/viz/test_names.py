"""Names that viz does not have."""

import pytest

import viz


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("draw_dot", "draw"), ("trace", "topological_order"), ("plot_boundary", "plot_decision_boundary"),
        ("netwrok", "network"), ("texts", "text"), ("animation_", ""), ("xyz", ""),
    ],
)  # fmt: skip
def test_an_unknown_name_says_what_it_is_here(name, ours):
    with pytest.raises(AttributeError, match=f"no attribute '{name}'" + (f".* use .*{ours}" if ours else "")):
        getattr(viz, name)
    assert not hasattr(viz, name)
