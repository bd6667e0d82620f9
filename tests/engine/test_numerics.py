"""The table of engine/numerics.md against what the engine, PyTorch and JAX compute."""

import math
import re
from pathlib import Path

import pytest

import engine
from engine import Value

PAGE = (Path(__file__).parents[2] / "engine" / "numerics.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in PAGE.splitlines()
    if line.startswith("| `")
]
COLUMNS = {"engine": 2, "torch": 3, "jax": 4}


def cell(numbers):
    """The value, then the derivatives: `0; 0.5, 0.5`."""
    value, *slopes = [x if isinstance(x, str) else f"{x + 0.0:.6g}" for x in numbers]
    return f"{value}; {', '.join(slopes)}" if slopes else value


def of_engine(text, operands):
    leaves = {name: Value(x) for name, x in operands.items()}
    try:
        y = eval(text, vars(engine) | {"abs": abs}, leaves)
    except ArithmeticError:
        return cell(["error"])
    slopes = []
    for leaf in leaves.values():
        try:
            slopes.append(engine.grad(y, leaf))
        except ArithmeticError:
            slopes.append("error")
    return cell([y.data, *slopes])


def of_torch(text, operands):
    torch = pytest.importorskip("torch")
    leaves = {name: torch.tensor(x, dtype=torch.float64, requires_grad=True) for name, x in operands.items()}
    names = vars(torch.nn.functional) | vars(torch)
    names["logsumexp"] = lambda xs: torch.logsumexp(torch.stack(xs), 0)
    names["softmax"] = lambda xs: torch.softmax(torch.stack(xs), 0)
    y = eval(text, names, leaves)
    y.backward()
    return cell([y.item(), *[leaf.grad.item() for leaf in leaves.values()]])


def of_jax(text, operands):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    names = vars(jax.numpy) | vars(jax.nn)
    names["logsumexp"] = lambda xs: jax.nn.logsumexp(jax.numpy.stack(xs))
    names["softmax"] = lambda xs: jax.nn.softmax(jax.numpy.stack(xs))

    def function(*numbers):
        return eval(text, names, dict(zip(operands, numbers, strict=True)))

    numbers = [jax.numpy.float64(x) for x in operands.values()]
    slopes = jax.grad(function, argnums=range(len(numbers)))(*numbers)
    return cell([float(x) for x in (function(*numbers), *slopes)])


def test_is_a_table():
    assert len(ROWS) > 25
    assert {len(row) for row in ROWS} == {6}
    assert all(row[5] for row in ROWS)


@pytest.mark.parametrize("of", [of_engine, of_torch, of_jax])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} at {row[1]}")
def test_says_what_is(row, of):
    text, at = row[:2]
    operands = {name: float(x) for name, x in (pair.split(" = ") for pair in at.split(", "))}
    assert of(text, operands) == row[COLUMNS[of.__name__.removeprefix("of_")]]


def test_a_number_that_is_none_is_an_error_at_once():
    """No nan and no infinity comes out of the engine."""
    for row in ROWS:
        here = row[COLUMNS["engine"]]
        assert "nan" not in here
        assert "inf" not in here
        assert all(math.isfinite(float(x)) for x in re.findall(r"-?\d[\d.e+-]*", here))
