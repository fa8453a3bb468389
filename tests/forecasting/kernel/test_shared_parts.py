"""Parts that simulations share change nothing but the time they take."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.kernel import shared_parts
from forecasting.kernel.shared_parts import SharedParts
from forecasting.kernel.shocks import shocks_for
from forecasting.kernel.simulate import simulate
from tests.forecasting.kernel.samples import company, shocks
from tests.forecasting.kernel.strategies import companies
from tests.forecasting.kernel.test_simulate import lively

PATHS, HORIZON_DAYS = 200, 200


def outcomes_agree(first, second):
    np.testing.assert_array_equal(first.runway_days, second.runway_days)
    for line in ("p5", "p25", "p50", "p75", "p95"):
        np.testing.assert_array_equal(getattr(first.bands, line), getattr(second.bands, line))
    assert first.burn == second.burn
    for name, days in first.turned.items():
        np.testing.assert_array_equal(days, second.turned[name])


@settings(max_examples=25, deadline=None)
@given(first=companies(), other=companies(), balance=st.floats(-10, 1e6))
def test_a_simulation_that_has_parts_of_others_comes_to_the_same_bits(first, other, balance):
    drawn = shocks_for(seed=7, paths=PATHS, horizon_days=HORIZON_DAYS)
    shared = SharedParts(drawn)
    # The same names with other laws, in another calendar, and the same laws in another company.
    again = replace(first, opening_balance=balance, tranches=())
    for inputs in (first, other, again, first):
        turned = [tranche.name for tranche in inputs.tranches]
        alone = simulate(inputs, drawn, turned=turned)
        outcomes_agree(simulate(inputs, drawn, turned=turned, shared=shared), alone)


def test_levels_and_lumps_are_worked_out_once(monkeypatch):
    drawn = shocks(paths=500)
    shared = SharedParts(drawn)
    before = simulate(lively(), drawn, shared=shared)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("worked out again")

    monkeypatch.setattr("forecasting.kernel.rows._write_level", never)
    monkeypatch.setattr("forecasting.kernel.poisson.PoissonArrivals.on_block", never)
    outcomes_agree(simulate(lively(), drawn, shared=shared), before)
    with pytest.raises(AssertionError, match="worked out again"):
        simulate(lively(), drawn)


def test_what_does_not_fit_is_worked_out_again(monkeypatch):
    monkeypatch.setattr(shared_parts, "MOST_BYTES", 100)
    shared = SharedParts(shocks(paths=10))
    made = []

    def part() -> bytes:
        made.append(1)
        return bytes(60)

    for key in ("a", "b", "a", "b"):
        shared.get(key, part, nbytes=len)
    assert len(made) == 3


def test_parts_of_other_shocks_are_refused():
    with pytest.raises(ValueError, match="other shocks"):
        simulate(company(opening_balance=1.0), shocks(paths=10), shared=SharedParts(shocks(paths=20)))
