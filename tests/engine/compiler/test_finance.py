"""The simulations of tests/benchmarks/finance.py against closed formulas and finite differences."""

import math

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import engine
from demos.greeks import textbook
from tests.benchmarks.finance import ARRAYS, Asian, Libor, glassgrad, random_rows


def normal(x):
    return math.erfc(-x / math.sqrt(2)) / 2


def compiled(problem, n_random):
    theta, z = [engine.Value(x) for x in problem.theta], [engine.Value(0.1) for _ in range(n_random)]
    return engine.compile(problem.price(theta, z), z), theta


@pytest.mark.parametrize("problem", [Libor(), Asian()], ids=["libor", "asian"])
def test_derivatives_are_those_of_finite_differences(problem):
    rows = random_rows(problem, 16)
    f, _ = compiled(problem, problem.n_random)
    mean, gradient = f.mean_gradient(rows)
    assert mean == pytest.approx(problem.price([*problem.theta], [*rows.T], ARRAYS).mean(), rel=1e-12)
    numbers = np.array([parameter.data for parameter in f.parameters])
    for step, slope in zip(np.diag(1e-6 * numbers), gradient, strict=True):
        up, down = (f.mean_gradient(rows, numbers + h)[0] for h in (step, -step))
        assert slope == pytest.approx((up - down) / (2 * step.sum()), rel=1e-6, abs=1e-6)


def test_rates_follow_the_scheme_of_giles():
    delta, sigma, L = 0.25, 0.2, [0.05 + 0.0002 * i for i in range(80)]
    z = random_rows(Libor(), 1)[0]
    expected = [*L]
    for n in range(40):
        drift = 0.0
        for i in range(n + 1, 80):
            drift += delta * sigma * expected[i] / (1 + delta * expected[i])
            expected[i] *= math.exp(delta * sigma * drift + sigma * (math.sqrt(delta) * z[n] - delta * sigma / 2))
    # The price of one caplet tells the last rate that is fixed, and all numeraires.
    problem = Libor()
    problem.swaptions = ((1, 0.0),)
    caplet = 100 * (1 - 1 / (1 + delta * expected[40])) / math.prod(1 + delta * x for x in expected[:40])
    assert problem.price([delta, *[sigma] * 80, *L], z, ARRAYS) == pytest.approx(caplet, rel=1e-12)


def test_a_caplet_costs_what_black_says():
    problem, strike, delta, L, sigma = Libor(), 0.055, 0.25, 0.05, 0.2
    problem.swaptions = ((1, strike),)
    f, theta = compiled(problem, 40)
    z = random_rows(problem, 4096)
    payoffs = f(np.concatenate([z, -z])).reshape(2, -1).mean(axis=0)  # antithetic paths
    _, gradient = f.mean_gradient(np.concatenate([z, -z]))
    slopes = dict(zip(f.parameters, gradient, strict=True))

    bond, deviation = (1 + delta * L) ** -41, sigma * math.sqrt(40 * delta)
    d1 = math.log(L / strike) / deviation + deviation / 2
    price = 100 * delta * bond * (L * normal(d1) - strike * normal(d1 - deviation))
    vega = 100 * delta * bond * L * math.exp(-(d1**2) / 2) / math.sqrt(2 * math.pi) * math.sqrt(40 * delta)
    assert payoffs.mean() == pytest.approx(price, abs=4 * payoffs.std() / 64)
    assert sum(slopes.get(volatility, 0.0) for volatility in theta[1:81]) == pytest.approx(vega, rel=0.05)


def test_without_volatility_the_portfolio_is_worth_its_intrinsic_value():
    problem = Libor()
    theta = [0.25, *[0.0] * 80, *[0.05] * 80]
    growth = 1 + 0.25 * 0.05
    discounts = growth ** -np.arange(1.0, 41.0)
    intrinsic = [max(1 - discounts[m - 1] - k * 0.25 * discounts[:m].sum(), 0) for m, k in problem.swaptions]
    expected = 100 * sum(intrinsic) / growth**40
    assert expected > 0
    assert problem.price(theta, random_rows(problem, 1)[0], ARRAYS) == pytest.approx(expected, rel=1e-12)


def test_an_asian_option_on_one_day_is_european():
    problem = Asian()
    f, theta = compiled(problem, 1)
    z = np.random.default_rng(2).standard_normal(200_000)
    _, gradient = f.mean_gradient(np.concatenate([z, -z])[:, None])
    S, K, r, sigma, T = problem.theta
    exact = textbook(S, K, r, sigma, T)
    slopes = dict(zip(f.parameters, gradient, strict=True))
    signs = [("delta", 1), ("dual delta", 1), ("rho", 1), ("vega", 1), ("theta", -1)]
    for parameter, (name, sign) in zip(theta, signs, strict=True):
        assert sign * slopes[parameter] == pytest.approx(exact[name], rel=0.01)


def test_an_asian_option_of_low_volatility_costs_what_the_geometric_mean_does():
    """The mean of log prices is normal (Kemna and Vorst 1990); arithmetic and geometric mean differ by sigma**2."""
    problem = Asian()
    problem.theta = np.array([100.0, 100.0, 0.03, 0.02, 1.0])
    S, K, r, sigma, T = problem.theta
    n = problem.n_random
    w = random_rows(problem, 10_000)
    mean, gradient = glassgrad(problem)(np.concatenate([w, -w]))
    variance = sigma**2 * T * (n + 1) * (2 * n + 1) / (6 * n**2)
    drift = (r - sigma**2 / 2) * T * (n + 1) / (2 * n)
    d2 = (math.log(S / K) + drift) / math.sqrt(variance)
    d1 = d2 + math.sqrt(variance)
    forward = S * math.exp(drift + variance / 2)
    assert mean == pytest.approx(math.exp(-r * T) * (forward * normal(d1) - K * normal(d2)), rel=0.01)
    assert gradient[0] == pytest.approx(math.exp(-r * T) * forward / S * normal(d1), rel=0.01)
