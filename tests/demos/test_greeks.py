"""The lesson on the price of an option and its sensitivities."""

import numpy as np
import pytest
from mpmath import mp

from demos import greeks


def price(S, K, r, sigma, T):
    """The price by its definition, the mean of the payoff over the normal distribution, at 30 digits."""

    def integrand(z):
        S_T = S * mp.exp((r - sigma**2 / 2) * T + sigma * mp.sqrt(T) * z)
        return mp.exp(-r * T) * (S_T - K) * mp.npdf(z)

    kink = (mp.log(K / S) - (r - sigma**2 / 2) * T) / (sigma * mp.sqrt(T))
    return mp.quad(integrand, [kink, kink + 2, kink + 5, kink + 20])


def test_the_formula_is_the_mean_of_the_payoff_and_its_derivatives_are_those_of_the_mean():
    exact = greeks.differentiate(greeks.MARKET)
    with mp.workdps(30):
        market = {name: mp.mpf(number) for name, number in greeks.MARKET.items()}
        assert exact["price"] == pytest.approx(float(price(**market)), rel=1e-12)
        for greek, (name, sign) in greeks.GREEKS.items():
            slope = mp.diff(lambda x, name=name: price(**(market | {name: x})), market[name], h=mp.mpf("1e-8"))
            assert exact[greek] == pytest.approx(sign * float(slope), rel=1e-9), greek
        gamma = mp.diff(lambda x: price(**(market | {"S": x})), market["S"], 2, h=mp.mpf("1e-6"))
        assert exact["gamma"] == pytest.approx(float(gamma), rel=1e-8)


def test_the_derivatives_of_a_path_are_those_of_its_payoff():
    f = greeks.compile_payoff()
    z = np.linspace(-3, 3, 41)
    S, K, r, sigma, T = greeks.MARKET.values()
    rows = np.column_stack([np.full((41, 5), [S, K, r, sigma, T]), z])
    S_T = S * np.exp((r - sigma**2 / 2) * T + sigma * np.sqrt(T) * z)
    discount, paid = np.exp(-r * T), S_T > K
    assert f(rows) == pytest.approx(discount * np.maximum(S_T - K, 0), rel=1e-12, abs=1e-12)
    by_hand = {
        0: discount * paid * S_T / S,
        1: -discount * paid,
        2: T * discount * paid * K,
        3: discount * paid * S_T * (np.sqrt(T) * z - sigma * T),
    }
    for i, want in by_hand.items():
        assert f.gradient(rows)[:, i] == pytest.approx(want, rel=1e-12, abs=1e-12)


def test_the_lesson(lesson):
    text = lesson("greeks")
    assert "All 6 sensitivities match the textbook's" in text
    assert "All 7 estimates match the formula" in text
    assert "its second derivative is 0,\n" in text


def test_a_wrong_formula_is_detected(lesson, monkeypatch):
    monkeypatch.setattr(greeks, "textbook", lambda **market: {"delta": 0.5})
    with pytest.raises(SystemExit, match="sensitivities must match the textbook's"):
        lesson("greeks")


def test_a_wrong_simulation_is_detected(lesson, monkeypatch):
    right = greeks.payoff
    monkeypatch.setattr(greeks, "payoff", lambda *inputs, **market: right(*inputs, **market) * 1.05)
    with pytest.raises(SystemExit, match="estimates must match the formula"):
        lesson("greeks")
