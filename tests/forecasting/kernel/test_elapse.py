"""When nothing happens but time, the runway is as many days shorter as have passed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.kernel.elapse import elapse, expected_flow
from forecasting.kernel.inputs import CloudUsage, CreditGrant, DatedLump, Factor, LumpStream, Tranche
from forecasting.kernel.simulate import simulate
from tests.forecasting.kernel.samples import company, shocks

HORIZON = 120
FEW = {"paths": 16, "horizon_days": HORIZON}


def runway(inputs) -> int:
    (days,) = set(simulate(inputs, shocks(**FEW), with_bands=False).runway_days.tolist())
    return days


def test_a_flat_burn_loses_exactly_the_days_that_passed():
    flat = company(opening_balance=100_000, burn_per_day=1_000, horizon_days=HORIZON)
    assert [runway(elapse(flat, days=days)) for days in (0, 1, 7, 60)] == [100, 99, 93, 40]


@settings(max_examples=60, deadline=None)
@given(
    days=st.integers(0, 70),
    balance=st.integers(40_000, 90_000),
    usage=st.integers(0, 900),
    unbilled=st.integers(0, 5_000),
    invoice_day=st.integers(1, 31),
    grants=st.lists(st.tuples(st.integers(0, 40_000), st.integers(-5, 130)), max_size=3),
    payday=st.integers(1, 28),
    payable=st.sampled_from([1.0, 0.8]),
)
def test_certain_cash_with_bills_and_credits_loses_exactly_the_days_that_passed(
    days, balance, usage, unbilled, invoice_day, grants, payday, payable
):
    daily = np.where(np.arange(HORIZON) % 30 == payday, -9_000.0, -250.0)
    before = company(
        opening_balance=float(balance),
        horizon_days=HORIZON,
        factors=(Factor("pay", daily),),
        cloud=(
            CloudUsage(
                usage=Factor("cloud", np.full(HORIZON, float(usage))),
                invoice_day_of_month=invoice_day,
                unbilled=float(unbilled),
                grants=tuple(
                    CreditGrant(float(left), expires) for left, expires in sorted(grants, key=lambda g: g[1])
                ),
                payable=payable,
            ),
        ),
    )
    total = runway(before)
    if total > days:
        after = runway(elapse(before, days=days))
        assert after == total - days


def test_what_is_expected_of_the_days_is_in_the_balance_and_what_may_still_come_is_not():
    stream = LumpStream("lumps", rate_shape=2.0, rate_days=100.0, sizes=np.array([-500.0]), first_day=4)
    inputs = company(
        opening_balance=50_000,
        burn_per_day=100,
        horizon_days=HORIZON,
        lump_streams=(stream,),
        dated_lumps=(DatedLump("invoice", day=3, amount=7_000, probability=0.9, delay_exp_days=5),),
        tranches=(Tranche("round", day=5, amount=1e6, probability=0.5, delay_mean_days=9, delay_sd_days=3),),
    )
    assert expected_flow(inputs, days=10) == pytest.approx(-1_000 - 0.02 * 500 * 7)
    later = elapse(inputs, days=10)
    assert later.opening_balance == pytest.approx(50_000 + expected_flow(inputs, days=10))
    assert (later.dated_lumps[0].day, later.tranches[0].day, later.lump_streams[0].first_day) == (-7, -5, 1)
    assert later.as_of_day == inputs.as_of_day + 10
    assert later.horizon_days == HORIZON - 10
    simulate(later, shocks(**FEW))


@pytest.mark.parametrize("days", [-1, HORIZON])
def test_it_refuses_days_outside_the_horizon(days):
    with pytest.raises(ValueError, match="days"):
        elapse(company(opening_balance=1.0, burn_per_day=1.0, horizon_days=HORIZON), days=days)
