"""The price and all first derivatives of two Monte Carlo simulations, by glassgrad and by its peers, on one core.

LIBOR is the portfolio of 15 swaptions of Giles and Glasserman ("Smoking adjoints", Risk, 2006; Giles, "Monte Carlo
evaluation of sensitivities in computational finance", HERCMA 2007), which many libraries for finance measure: 80
forward rates, 40 steps, and derivatives with respect to all 80 rates, 80 volatilities and the accrual period. Asian is
a call on the arithmetic mean of 252 daily prices, with respect to spot, strike, rate, volatility and maturity.

Random numbers are drawn in advance, in float64. Everybody must agree on the price and all derivatives. Times are those
of the processor, so that other programs on the machine disturb them little.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np

import engine

Matrix = np.ndarray[Any, Any]
Evaluate = Callable[[Matrix], tuple[float, Matrix]]  # rows of random numbers: the mean price and its gradient

# Functions of the numbers that a path is computed with; those of Values are in `engine`.
ARRAYS: Any = SimpleNamespace(exp=np.exp, relu=lambda x: np.maximum(x, 0), sum=sum)


class Libor:
    """A portfolio of swaptions in the LIBOR market model: maturities after the last step, strikes, and the market."""

    title = "LIBOR swaptions, 161 derivatives"
    swaptions = tuple((maturity, strike) for maturity in (4, 8, 20, 28, 40) for strike in (0.045, 0.05, 0.055))
    theta = np.array([0.25, *[0.2] * 80, *[0.05] * 80])  # accrual period, volatilities, forward rates
    n_random = 40
    paths = 8192

    def price(self, theta: Sequence[Any], z: Sequence[Any], numbers: Any = engine) -> Any:
        """The value of the portfolio today if the standard normal numbers z drive the rates."""
        n_rates = len(theta) // 2
        delta, volatilities, L = theta[0], theta[1 : n_rates + 1], [*theta[n_rates + 1 :]]
        for n, z_n in enumerate(z):
            shift = delta**0.5 * z_n  # the increment of the Brownian motion, with the drift of the spot measure
            for i in range(n + 1, n_rates):
                v = volatilities[i - n - 1]
                shift = shift + delta * v * (delta * L[i]) / (1 + delta * L[i])
                L[i] = L[i] * numbers.exp(v * shift - delta * v**2 / 2)

        discount, annuity, exercise = 1.0, 0.0, {}
        for maturity, rate in enumerate(L[len(z) :], start=1):
            discount = discount / (1 + delta * rate)
            annuity = annuity + delta * discount
            exercise[maturity] = discount, annuity
        payoffs = [numbers.relu(1 - exercise[m][0] - strike * exercise[m][1]) for m, strike in self.swaptions]
        value = 100 * numbers.sum(payoffs)
        for rate in L[: len(z)]:
            value = value / (1 + delta * rate)
        return value

    def jax(self, theta: Any, z: Any) -> Any:
        """The mean price over paths; `scan` goes over steps, and inside over rates, which the cache then holds."""
        import jax
        import jax.numpy as jnp

        delta, volatilities, rates = theta[0], theta[1:81, None], theta[81:]
        L, fixed = jnp.broadcast_to(rates[:, None], (80, len(z))), []

        def step(L: Any, z_n: Any) -> Any:
            """One step; the rates that are fixed leave at the front, and zeros follow at the end."""
            first, L = L[0], jnp.concatenate([L[1:], jnp.zeros_like(L[:1])])
            v = volatilities[: len(L)]

            def add(shift: Any, term: Any) -> Any:
                return shift + term, shift + term

            _, shift = jax.lax.scan(add, delta**0.5 * z_n, delta * v * (delta * L) / (1 + delta * L))
            return L * jnp.exp(v * shift - delta * v**2 / 2), first

        for ten in range(0, 40, 10):
            L, first = jax.lax.scan(step, L, z.T[ten : ten + 10])
            L = L[:-10]
            fixed.append(first)
        discounts = jnp.cumprod(1 / (1 + delta * L), axis=0)
        return self.mean(jax.nn.relu, discounts, delta * jnp.cumsum(discounts, axis=0), delta, jnp.concatenate(fixed))

    def torch(self, theta: Any, z: Any) -> Any:
        import torch

        delta, volatilities, rates = theta[0], theta[1:81, None], theta[81:]
        L, fixed = rates[:, None].expand(80, len(z)), []
        for z_n in z.T:
            fixed.append(L[0])
            L = L[1:]
            v = volatilities[: len(L)]
            shift = delta**0.5 * z_n + torch.cumsum(delta * v * (delta * L) / (1 + delta * L), 0)
            L = L * torch.exp(v * shift - delta * v**2 / 2)
        discounts = torch.cumprod(1 / (1 + delta * L), 0)
        return self.mean(torch.relu, discounts, delta * torch.cumsum(discounts, 0), delta, torch.stack(fixed))

    def mean(self, relu: Any, discounts: Any, annuities: Any, delta: Any, fixed: Any) -> Any:
        payoffs = sum(relu(1 - discounts[m - 1] - strike * annuities[m - 1]) for m, strike in self.swaptions)
        return (100 * payoffs / (1 + delta * fixed).prod(0)).mean()


class Asian:
    """A call on the arithmetic mean of prices at the end of each of 252 days."""

    title = "Asian option, 252 steps, 5 derivatives"
    theta = np.array([100.0, 105.0, 0.03, 0.2, 1.0])  # spot, strike, rate, volatility, maturity
    n_random = 252
    paths = 100_000

    def price(self, theta: Sequence[Any], w: Sequence[Any], numbers: Any = engine) -> Any:
        """The value today if the Brownian motion w, on times from 0 to 1, drives the share."""
        S, K, r, sigma, T = theta
        times = [T * (day / len(w)) for day in range(1, len(w) + 1)]
        growth = [numbers.exp((r - sigma**2 / 2) * t + sigma * T**0.5 * w_t) for t, w_t in zip(times, w, strict=True)]
        return numbers.exp(-r * T) * numbers.relu(S * numbers.sum(growth) / len(w) - K)

    def jax(self, theta: Any, w: Any) -> Any:
        import jax

        return self.mean(jax.numpy.exp, jax.nn.relu, theta, np.arange(1, 253) / 252, w)

    def torch(self, theta: Any, w: Any) -> Any:
        import torch

        return self.mean(torch.exp, torch.relu, theta, torch.arange(1, 253, dtype=torch.float64) / 252, w)

    def mean(self, exp: Any, relu: Any, theta: Any, times: Any, w: Any) -> Any:
        S, K, r, sigma, T = theta
        growth = exp((r - sigma**2 / 2) * T * times + sigma * T**0.5 * w)
        return (exp(-r * T) * relu(S * growth.mean(1) - K)).mean()


Problem = Libor | Asian


def random_rows(problem: Problem, n: int) -> Matrix:
    """Standard normal numbers for LIBOR; for the Asian option a Brownian motion from 0 to 1."""
    z = np.random.default_rng(1).standard_normal((n, problem.n_random))
    return z if isinstance(problem, Libor) else z.cumsum(axis=1) / problem.n_random**0.5


def glassgrad(problem: Problem) -> Evaluate:
    theta = [engine.Value(x) for x in problem.theta]
    z = [engine.Value(0.1) for _ in range(problem.n_random)]
    f = engine.compile(problem.price(theta, z), z)
    places = [theta.index(p) for p in f.parameters]  # the last volatility is not in the graph

    def evaluate(rows: Matrix) -> tuple[float, Matrix]:
        mean, parts = f.mean_gradient(rows)
        gradient = np.zeros(len(theta))
        gradient[places] = parts
        return mean, gradient

    return evaluate


def jax(problem: Problem) -> Evaluate:
    """A jitted loop over groups of paths, as many as were fastest here."""
    import jax
    import jax.numpy as jnp

    group = 32 if isinstance(problem, Libor) else 250
    value_and_grad = jax.value_and_grad(problem.jax)

    @jax.jit
    def evaluate(theta: Any, rows: Any) -> Any:
        def add(total: Any, group: Any) -> Any:
            return jax.tree.map(jnp.add, total, value_and_grad(theta, group)), None

        groups = rows.reshape(-1, group, problem.n_random)
        total, _ = jax.lax.scan(add, (0.0, jnp.zeros_like(theta)), groups)
        return jax.tree.map(lambda x: x / len(groups), total)

    def on_arrays(rows: Matrix) -> tuple[float, Matrix]:
        if len(rows) % group:
            rows = np.concatenate([rows] * group)  # the same mean
        mean, gradient = evaluate(problem.theta, rows)
        return float(mean), np.asarray(gradient)

    return on_arrays


def torch(problem: Problem) -> Evaluate:
    """Eager, in groups of paths, as many as were fastest here."""
    import torch

    torch.set_num_threads(1)

    def evaluate(rows: Matrix) -> tuple[float, Matrix]:
        theta = torch.tensor(problem.theta, requires_grad=True)
        total = 0.0
        for group in torch.tensor(rows).split(256):
            mean = problem.torch(theta, group) * (len(group) / len(rows))
            mean.backward()
            total += mean.item()
        assert theta.grad is not None
        return total, theta.grad.numpy()

    return evaluate


def casadi(problem: Problem) -> Evaluate:
    """A graph of SX, its gradient as another, mapped over paths; mapped outputs are sums."""
    import casadi

    theta, z = casadi.SX.sym("theta", len(problem.theta)), casadi.SX.sym("z", problem.n_random)
    numbers = SimpleNamespace(exp=casadi.exp, relu=lambda x: casadi.fmax(x, 0), sum=sum)
    price = problem.price(casadi.vertsplit(theta), casadi.vertsplit(z), numbers)
    path = casadi.Function("path", [theta, z], [price, casadi.gradient(price, theta)])

    def evaluate(rows: Matrix) -> tuple[float, Matrix]:
        total, gradient = path.map("paths", "serial", len(rows), [0], [0, 1])(problem.theta, rows.T)
        return float(total) / len(rows), np.asarray(gradient).ravel() / len(rows)

    return evaluate


def xad(problem: Problem) -> Evaluate:
    """A tape per path, recorded from Python."""
    import xad.adj_1st
    import xad.math

    numbers = SimpleNamespace(exp=xad.math.exp, relu=lambda x: x if x > 0 else 0.0 * x, sum=sum)

    def evaluate(rows: Matrix) -> tuple[float, Matrix]:
        total, gradient = 0.0, np.zeros(len(problem.theta))
        for row in rows.tolist():
            with xad.adj_1st.Tape() as tape:
                theta = [xad.adj_1st.Real(x) for x in problem.theta.tolist()]
                for x in theta:
                    tape.registerInput(x)
                tape.newRecording()
                price = problem.price(theta, row, numbers)
                tape.registerOutput(price)
                price.derivative = 1.0
                tape.computeAdjoints()
                total += price.value
                gradient += [x.derivative for x in theta]
        return total / len(rows), gradient / len(rows)

    return evaluate


def finite_differences(problem: Problem) -> Evaluate:
    """Central differences, each price by NumPy on all paths at once."""

    def mean(theta: Matrix, rows: Matrix) -> float:
        return float(np.mean(problem.price([*theta], [*rows.T], ARRAYS)))

    def evaluate(rows: Matrix) -> tuple[float, Matrix]:
        steps = np.diag(1e-6 * problem.theta)
        pairs = [(mean(problem.theta + h, rows), mean(problem.theta - h, rows)) for h in steps]
        gradient = [(up - down) / (2 * h) for (up, down), h in zip(pairs, steps.diagonal(), strict=True)]
        return mean(problem.theta, rows), np.array(gradient)

    return evaluate


# By name: what prepares an evaluation, the package that it needs, and the number of paths per measurement of LIBOR
# and of the Asian option, where 0 means all paths.
CONTENDERS: dict[str, tuple[Callable[[Problem], Evaluate], str, tuple[int, int]]] = {
    "XAD, recorded from Python": (xad, "xad", (8, 128)),
    "finite differences by NumPy": (finite_differences, "numpy", (512, 10_000)),
    "CasADi SX, mapped over paths": (casadi, "casadi", (512, 10_000)),
    "PyTorch eager": (torch, "torch", (1024, 10_000)),
    "JAX, jitted": (jax, "jax", (1024, 0)),
    "glassgrad": (glassgrad, "numpy", (0, 0)),
}


def measure(problem: Problem, repeats: int) -> dict[str, tuple[float, float]]:
    """For each contender the seconds until its first result on eight paths, and the median seconds per path."""
    evaluations, first, times = {}, {}, {}
    rows = random_rows(problem, problem.paths)
    _, expected = reference = glassgrad(problem)(rows[:8])
    for name, (prepare, package, few) in CONTENDERS.items():
        if not find_spec(package):
            continue
        begin = time.process_time()
        evaluate = prepare(problem)
        mean, gradient = evaluate(rows[:8])
        first[name] = time.process_time() - begin
        tolerance = 1e-6 if prepare is finite_differences else 1e-10
        if not np.allclose([mean, *gradient], [reference[0], *expected], rtol=tolerance, atol=tolerance):
            raise SystemExit(f"{name} computes other derivatives: they differ by {abs(gradient - expected).max():.1e}")
        n = few[isinstance(problem, Asian)] or problem.paths
        evaluations[name], times[name] = (evaluate, n), []
        evaluate(rows[:n])  # JAX compiles for every number of paths
    for _ in range(repeats):
        for name, (evaluate, n) in evaluations.items():
            gc.collect()
            begin = time.process_time()
            evaluate(rows[:n])
            times[name].append((time.process_time() - begin) / n)
    return {name: (first[name], statistics.median(seconds)) for name, seconds in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.finance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repeats", type=int, default=7, help="measurements of each (default: %(default)s)")
    repeats = parser.parse_args().repeats
    from rich.console import Console
    from rich.table import Table

    os.environ["JAX_ENABLE_X64"] = "1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # one core for all
    for problem in (Libor(), Asian()):
        results = measure(problem, repeats)
        table = Table(title=f"{problem.title}; medians of {repeats}")
        for head in ("", "seconds until ready", "microseconds per path", "relative to glassgrad"):
            table.add_column(head, justify="right" if head else "left")
        ours = results["glassgrad"][1]
        for name, (first, seconds) in sorted(results.items(), key=lambda item: -item[1][1]):
            table.add_row(name, f"{first:,.2f}", f"{seconds * 1e6:,.2f}", f"{seconds / ours:,.2f}")
        Console().print(table)


if __name__ == "__main__":
    main()
