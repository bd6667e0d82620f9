"""The graph as a tree of text."""

import io
import sys

import pytest

import viz
from engine import Value


def example():
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    root = (a * b + c).tanh() * 2
    root.label = "L"
    root.backward()
    return root


def test_tree():
    assert viz.text(example(), precision=3).splitlines() == [
        "L = tanh(a*b + c)*2  data 2.0    grad 1.0",
        "├── tanh(a*b + c)    data 0.999  grad 2.0",
        "│   └── a*b + c      data 4.0    grad 0.00268",
        "│       ├── a*b      data -6.0   grad 0.00268",
        "│       │   ├── a    data 2.0    grad -0.00805",
        "│       │   └── b    data -3.0   grad 0.00536",
        "│       └── c        data 10.0   grad 0.00268",
        "└── 2",
    ]


def test_a_node_used_twice_is_expanded_once():
    a = Value(2.0, "a")
    square = a * a
    tree = viz.text(square + square)
    assert "└── a*a ...  data 4.0  grad 0.0" in tree
    assert tree.count("── a ") == 2


def test_columns_are_aligned_under_wide_characters():
    tree = viz.text(Value(1.0, "权重") * Value(2.0, "x"))
    assert tree.splitlines() == [
        "权重*x    data 2.0  grad 0.0",
        "├── 权重  data 1.0  grad 0.0",
        "└── x     data 2.0  grad 0.0",
    ]


def test_the_prompt_shows_it_without_quotes():
    tree = viz.text(example())
    assert repr(tree) == str(tree)
    assert isinstance(tree, str)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
def test_a_console_without_tree_characters_gets_ascii(encoding, monkeypatch):
    tree = viz.text(Value(1.0, "权重") * Value(2.0, "é"))
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding))
    print(tree)
    print(f"{tree}", repr(tree))
    sys.stdout.flush()
    lines = output.getvalue().decode(encoding).splitlines()
    accent = "\\xe9" if encoding == "ascii" else "é"
    assert lines[0].startswith(f"\\u6743\\u91cd*{accent}")
    assert lines[1].startswith("|-- \\u6743\\u91cd")
    assert lines[2].startswith(f"`-- {accent}")
    monkeypatch.setattr(sys, "stdout", None)
    assert "├── " in str(tree), "as in a program without a console"


def test_deep_graphs():
    x = Value(1.0)
    for _ in range(3000):
        x = x.tanh()
    assert len(viz.text(x, max_nodes=4000).splitlines()) == 3001
