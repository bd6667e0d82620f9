"""The price of an option and its sensitivities, by Monte Carlo and by Black and Scholes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import engine
from demos._lesson import PICTURES, command, figure, heading, report_agreement, save
from engine import Value
from viz.style import BLUE, ORANGE

if TYPE_CHECKING:
    from engine.compiler.program import CompiledFunction, Floats

# A call: the right to buy a share at the strike K in a year. S is its price today, r the interest rate, sigma the
# volatility, T the time in years.
MARKET = {"S": 100.0, "K": 105.0, "r": 0.03, "sigma": 0.2, "T": 1.0}
PATHS = 100_000
SPOTS = range(70, 141, 5)  # prices of the share in the picture
GREEKS = {"delta": ("S", 1), "vega": ("sigma", 1), "rho": ("r", 1), "theta": ("T", -1), "dual delta": ("K", 1)}


def payoff(S: Value, K: Value, r: Value, sigma: Value, T: Value, z: Value) -> Value:
    """Return today's value of the payoff if the standard normal number z drives the share."""
    S_T = S * ((r - sigma**2 / 2) * T + sigma * T.sqrt() * z).exp()
    return (-r * T).exp() * engine.relu(S_T - K)


def black_scholes(S: Value, K: Value, r: Value, sigma: Value, T: Value) -> Value:
    """Return the price of a call: the mean of `payoff` over z (Black and Scholes 1973)."""
    d1 = ((S / K).log() + (r + sigma**2 / 2) * T) / (sigma * T.sqrt())
    d2 = d1 - sigma * T.sqrt()
    return S * normal(d1) - K * (-r * T).exp() * normal(d2)


def normal(x: Value) -> Value:
    """Return the normal distribution function."""
    return engine.erfc(-x / math.sqrt(2)) / 2


def textbook(S: float, K: float, r: float, sigma: float, T: float) -> dict[str, float]:
    """Return the sensitivities as textbooks give them (Hull, "Options, Futures, and Other Derivatives")."""
    d1 = (math.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * math.sqrt(T))
    d2 = d1 - sigma * math.sqrt(T)
    density = math.exp(-(d1**2) / 2) / math.sqrt(2 * math.pi)
    N1, N2 = (math.erfc(-d / math.sqrt(2)) / 2 for d in (d1, d2))
    discount = math.exp(-r * T)
    return {
        "delta": N1,
        "vega": S * density * math.sqrt(T),
        "rho": K * T * discount * N2,
        "theta": -S * density * sigma / (2 * math.sqrt(T)) - r * K * discount * N2,
        "dual delta": -discount * N2,
        "gamma": density / (S * sigma * math.sqrt(T)),
    }


def differentiate(market: dict[str, float]) -> dict[str, float]:
    """Return the price of the formula and its derivatives, by the engine."""
    inputs = {name: Value(number, name) for name, number in market.items()}
    price = black_scholes(**inputs)
    slopes = dict(zip(inputs, engine.grad(price, inputs.values()), strict=True))
    greeks = {greek: sign * slopes[name] for greek, (name, sign) in GREEKS.items()}
    return {"price": price.data, **greeks, "gamma": engine.hessian(price, inputs["S"])}


def compile_payoff() -> CompiledFunction:
    """Return the payoff of one path as a compiled function of rows of S, K, r, sigma, T and z."""
    inputs = {name: Value(number, name) for name, number in (MARKET | {"z": 0.5}).items()}
    return engine.compile(payoff(**inputs), list(inputs.values()))


def simulate(f: CompiledFunction, market: dict[str, float], z: Floats) -> dict[str, tuple[float, float]]:
    """Return the means over paths of the payoff and its derivatives, each with its standard error."""
    import numpy as np

    rows = np.column_stack([*(np.full(len(z), number) for number in market.values()), z])
    gradients = dict(zip(market, f.gradient(rows).T, strict=False))
    samples = {"price": f(rows)} | {greek: sign * gradients[name] for greek, (name, sign) in GREEKS.items()}
    S, sigma, T = market["S"], market["sigma"], market["T"]
    samples["gamma"] = gradients["S"] * (z / (S * sigma * math.sqrt(T)) - 1 / S)  # likelihood ratio of the delta
    return {name: (float(x.mean()), float(x.std() / math.sqrt(len(x)))) for name, x in samples.items()}


@command
def main(*, seed: int = 1, output: Path = PICTURES) -> None:
    """Differentiate a pricing formula and a simulation, and compare both with the textbook."""
    import numpy as np

    picture = figure(16, 6)
    rng = np.random.default_rng(seed)
    heading("A call option: " + ", ".join(f"{name} = {number:g}" for name, number in MARKET.items()))
    print("Its price is the mean of exp(-r T) max(S_T - K, 0), where z is normal and")
    print("S_T = S exp((r - sigma**2/2) T + sigma sqrt(T) z).")

    heading("Black and Scholes: the engine differentiates the formula")
    exact = differentiate(MARKET)
    by_hand = textbook(**MARKET)
    for name, number in exact.items():
        print(f"{name:10} = {number:10.6f}")
    differences = [abs(exact[name] / number - 1) for name, number in by_hand.items()]
    report_agreement("sensitivities", differences, 1e-12, "the textbook's")

    heading(f"Monte Carlo: one payoff, recorded once, differentiated along {PATHS:,} paths")
    f = compile_payoff()
    estimates = simulate(f, MARKET, rng.standard_normal(PATHS))
    print("              formula    Monte Carlo  standard error")
    for name, (mean, error) in estimates.items():
        print(f"{name:10} {exact[name]:10.5f}   {mean:10.5f}   ± {error:.5f}")
    differences = [abs(mean - exact[name]) / error for name, (mean, error) in estimates.items()]
    report_agreement("estimates", differences, 4.5, "the formula, within 4.5 errors")

    heading("Gamma: the second derivative across a kink")
    S, *others = (Value(number, name) for name, number in (MARKET | {"z": 0.5}).items())
    along_path = engine.hessian(payoff(S, *others), S)
    print(f"Along a path the payoff is a line in S: its second derivative is {along_path:g},")
    print(f"and so is its mean, but gamma is {exact['gamma']:.5f}: it all comes from the kink.")
    print("So the gamma above averages delta * (z/(S sigma sqrt(T)) - 1/S) over the paths,")
    print("which differentiates the density of S_T instead of the payoff.")

    curves = [differentiate(MARKET | {"S": float(spot)}) for spot in SPOTS]
    points = [simulate(f, MARKET | {"S": float(spot)}, rng.standard_normal(PATHS // 10)) for spot in SPOTS]
    for ax, name in zip(picture.subplots(1, 3), ("price", "delta", "gamma"), strict=True):
        plot(ax, [curve[name] for curve in curves], [point[name] for point in points])
        ax.set(xlabel="price S of the share", title=name)
    picture.axes[0].legend(fontsize="small")
    save(picture, output, "greeks.png")


def plot(ax: Any, curve: list[float], points: list[tuple[float, float]]) -> None:
    """Plot a formula as a line, and estimates with two standard errors as points."""
    means, errors = zip(*points, strict=True)
    ax.plot(SPOTS, curve, color=BLUE, label="formula")
    ax.errorbar(SPOTS, means, [2 * error for error in errors], color=ORANGE, fmt=".", label="Monte Carlo")


if __name__ == "__main__":
    main()
