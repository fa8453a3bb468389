"""Payments that follow the sales of certain days, as a marketplace pays its sellers."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.drivers.sales import DRIVER
from forecasting.fit.company import fit_company
from forecasting.fit.cost_of_sales import FittedCost
from forecasting.fit.held_back import MOST_DAYS, fit_held_back
from tests.forecasting.drivers.settings import setting
from tests.forecasting.journal import every, history

AS_OF = date(2025, 6, 30)  # a Monday
FIRST = date(2024, 3, 1)
DAYS = (AS_OF - FIRST).days + 1
RENT = every(30, start=str(FIRST), until=str(AS_OF), line="-3000 rent Landlord")


def sold_by_day(*, growth: float = 0.0, seed: int = 3) -> np.ndarray:
    """float64 [DAYS]: about 1,000 a day, each day by chance half of it or one and a half."""
    rng = np.random.default_rng(seed)
    return np.round(1000 * np.exp(growth * np.arange(DAYS) / 30.4) * rng.uniform(0.5, 1.5, DAYS), 2)


def payouts(sold: np.ndarray, *, every_days: int, held: int, share: float, until: int = DAYS) -> dict[int, float]:
    """Amount by index of the day: of all that was sold `held` days before it or earlier, and not paid for yet."""
    paid, upto = {}, 0
    for n in range(held + 3, until, every_days):
        paid[n] = share * float(sold[upto : n - held + 1].sum())
        upto = n - held + 1
    return paid


def books(sold: np.ndarray, paid: dict[int, float]) -> str:
    lines = []
    for n, amount in enumerate(sold.tolist()):
        day = FIRST + timedelta(days=n)
        lines.append(f"{day} {amount:.2f} sales Stripe")
        if n in paid:
            lines.append(f"{day} {-paid[n]:.2f} seller_payout Sellers")
    return "\n".join(lines) + "\n" + RENT


def cost_of(sold: np.ndarray, paid: dict[int, float]) -> FittedCost:
    (cost,) = fit_company(history(books(sold, paid), as_of=str(AS_OF))).costs
    return cost


@settings(max_examples=60, deadline=None)
@given(
    every_days=st.sampled_from([1, 2, 7, 14]),
    held=st.integers(0, MOST_DAYS),
    share=st.floats(0.05, 0.97),
    seed=st.integers(0, 1000),
)
def test_how_long_is_read_to_the_day_and_the_share_to_the_cent(every_days, held, share, seed):
    sold = sold_by_day(growth=0.05, seed=seed)
    paid = payouts(sold, every_days=every_days, held=held, share=share)
    day = np.array(sorted(paid))
    found = fit_held_back(day=day, paid=np.array([paid[n] for n in day.tolist()]), sold=sold, first_day=0)
    assert found is not None
    assert (found.days, found.share) == (held, pytest.approx(share, rel=1e-9))
    # What is sold since the last day that has been paid for is all that is still to be paid for.
    unpaid = share * float(sold[int(day[-1]) - held + 1 :].sum())
    assert found.share * float(found.sold.sum()) == pytest.approx(unpaid)


def test_what_somebody_chooses_to_pay_follows_no_day():
    rng = np.random.default_rng(5)
    sold, day = sold_by_day(), np.arange(30, DAYS, 7)
    paid = 6000 * rng.uniform(0.7, 1.4, len(day))
    assert fit_held_back(day=day, paid=paid, sold=sold, first_day=0) is None
    # Nor do too few payments, nor those before there were sales.
    exact = payouts(sold, every_days=80, held=3, share=0.8)
    few = np.array(sorted(exact))
    assert fit_held_back(day=few, paid=np.array(list(exact.values())), sold=sold, first_day=0) is None
    assert fit_held_back(day=day - DAYS, paid=paid, sold=sold, first_day=0) is None


@pytest.mark.parametrize("sold_days", [DAYS, 300])
@pytest.mark.parametrize("luck", [0.0, 0.02])
def test_a_bill_that_is_always_the_same_follows_no_sales_however_level_they_are(sold_days, luck):
    rng = np.random.default_rng(6)
    sold = 1000 * (1 + luck * rng.standard_normal(sold_days))
    day = np.array([(date(2024, month, 5) - FIRST).days for month in range(3, 13)]) + DAYS - 330
    found = fit_held_back(day=day, paid=np.full(len(day), 2200.0), sold=sold, first_day=DAYS - sold_days)
    assert found is None


@pytest.mark.parametrize(("silent_days", "follows"), [(12, True), (30, False)])
def test_payments_that_have_ended_are_owed_no_more(silent_days, follows):
    sold = sold_by_day()
    paid = payouts(sold, every_days=7, held=4, share=0.85, until=DAYS - silent_days)
    day = np.array(sorted(paid))
    found = fit_held_back(day=day, paid=np.array(list(paid.values())), sold=sold, first_day=0)
    assert (found is not None) is follows


def test_a_payment_that_was_left_out_is_part_of_the_next():
    sold = sold_by_day()
    paid = payouts(sold, every_days=7, held=4, share=0.85)
    skipped = sorted(paid)[-9]
    paid[skipped + 7] += paid.pop(skipped)
    cost = cost_of(sold, paid)
    assert cost.held is not None
    assert (cost.held.days, cost.share) == (4, pytest.approx(0.85, rel=1e-4))


def test_in_a_growing_marketplace_the_sellers_share_is_that_of_their_own_sales():
    """By the month it looks smaller, because what is paid for was sold when sales were lower."""
    sold = sold_by_day(growth=0.08)
    cost = cost_of(sold, payouts(sold, every_days=7, held=9, share=0.88))
    assert cost.share == pytest.approx(0.88, rel=1e-4)


def test_what_sellers_are_owed_is_paid_for_certain_and_what_they_will_be_follows_their_sales():
    sold = sold_by_day()
    sold[-5:] = 4000.0  # the last days were better, and are not paid out yet
    last = max(payouts(sold, every_days=7, held=6, share=0.8))
    view = setting(books(sold, payouts(sold, every_days=7, held=6, share=0.8)))
    (cost,) = view.company.costs
    certain = cost.certain(first_day=view.first_day, days=60)
    expected = cost.expected(view.company.sales, first_day=view.first_day, days=60)
    paid_on = np.flatnonzero(certain + expected).tolist()
    assert paid_on == list(range(last + 7 - DAYS, 60, 7))
    # The next payment is for days that are over; so is a part of the one after it, and of no later one.
    next_days = sold[last - 6 + 1 : last + 7 - 6 + 1]
    assert certain[paid_on[0]] == pytest.approx(0.8 * next_days.sum(), rel=1e-3)
    assert expected[paid_on[0]] == pytest.approx(0.0)
    assert certain.sum() == pytest.approx(0.8 * sold[last - 6 + 1 :].sum(), rel=1e-3)
    # From then on each pays for seven days.
    to_come = view.company.sales.expected(first_day=view.first_day, days=60)
    assert expected[paid_on[4]] == pytest.approx(0.8 * to_come[:7].sum(), rel=0.05)


def test_what_is_owed_to_sellers_is_certain_and_their_luck_is_hardly_ours():
    sold = sold_by_day()
    ours = setting(books(sold, payouts(sold, every_days=7, held=6, share=0.9)))
    part = DRIVER.contribute(ours)
    (cost,) = ours.company.costs
    assert part.fixed is not None
    assert -part.fixed.sum() == pytest.approx(cost.certain(first_day=ours.first_day, days=365).sum())
    assert cost.certain(first_day=ours.first_day, days=365).sum() > 0
    alone = DRIVER.contribute(setting(books(sold, {}))).shock_variance
    # 13 days of 120 are ours whole, of the rest a tenth: 0.108 + 0.892 x 0.01, and what shares differ by.
    assert np.mean(part.shock_variance) == pytest.approx(0.117 * np.mean(alone), rel=0.1)
