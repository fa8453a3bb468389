"""A shop of subscriptions: what is paid ahead is earned over its term, in the past and in the future alike."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from forecasting.drivers import deferred_revenue, sales
from forecasting.drivers.contribution import Setting
from forecasting.drivers.prepaid import Prepaid, prepaid
from ledger.domain.flows import ContractReceipt
from ledger.domain.liabilities import Liabilities
from tests.forecasting.drivers.settings import setting
from tests.forecasting.journal import every

SALES = every(1, start="2023-07-01", until="2025-06-30", line="1000 sales Stripe")


def steady(*, share: float, term: int) -> Liabilities:
    """Of 1,000 a day, `share` is paid ahead for `term` days, and has been for longer than that."""
    release = tuple(Decimal(str(round(share * 1000 * (term - day) / term, 6))) for day in range(1, term))
    return Liabilities(release, Decimal(0), Decimal(0), (), (sum(release, Decimal(0)),))


def free(liabilities: Liabilities | None, **fields: object) -> Setting:
    return setting(SALES, basis="free", liabilities=liabilities, **fields)


@pytest.mark.parametrize(("share", "term"), [(1.0, 365), (0.5, 365), (0.8, 30)])
def test_a_steady_business_earns_each_day_what_it_is_paid(share, term):
    view = free(steady(share=share, term=term))
    (factor,) = sales.DRIVER.contribute(view).factors
    (paid,) = sales.DRIVER.contribute(setting(SALES)).factors
    released = deferred_revenue.DRIVER.contribute(view).fixed
    assert released is not None
    earned = factor.daily + released
    # The ledger's days have a weekday, the release has none.
    weekly = [days[: 52 * 7].reshape(52, 7).sum(axis=1) for days in (earned, paid.daily)]
    assert weekly[0] == pytest.approx(weekly[1], rel=0.02)


def test_what_is_unearned_stays_owed_as_long_as_customers_go_on_paying_ahead():
    """Without that, a year later all of it would be the company's own."""
    liabilities = steady(share=1.0, term=365)
    view = free(liabilities)
    part, sold = deferred_revenue.DRIVER.contribute(view), sales.DRIVER.contribute(view).factors[0]
    (paid,) = sales.DRIVER.contribute(setting(SALES)).factors
    assert part.fixed is not None
    still_owed = -(part.opening + float((part.fixed + sold.daily - paid.daily).sum()))
    assert still_owed == pytest.approx(float(liabilities.unearned), rel=0.05)


def test_what_is_paid_ahead_is_earned_evenly_and_none_of_it_before():
    one = np.zeros(12)
    one[2] = 40.0
    assert Prepaid(share=0.5, term_days=4.0).earned(one) == pytest.approx(
        [0, 0, 20 + 2.5, 5, 5, 5, 2.5, 0, 0, 0, 0, 0]
    )


def test_what_was_paid_once_for_a_year_is_read_as_a_year():
    release = tuple([Decimal(10)] * 364)
    stated = Liabilities(release, Decimal(0), Decimal(0), (), (sum(release, Decimal(0)),))
    told = prepaid(free(stated))
    assert told is not None
    assert (told.share, told.term_days) == (pytest.approx(0.01, rel=0.03), 365.0)


def test_contracts_have_a_driver_of_their_own():
    receipt = ContractReceipt(date(2025, 6, 30), "Big Co", Decimal(36500), "USD", 12, True, False)
    release = tuple([Decimal(100)] * 364)
    stated = Liabilities(release, Decimal(0), Decimal(0), (), (sum(release, Decimal(0)),))
    assert prepaid(free(stated, contracts=[receipt])) is None
    assert prepaid(free(stated)) is not None


@pytest.mark.parametrize(
    "liabilities",
    [
        None,
        Liabilities(None, Decimal(0), Decimal(7), (), (Decimal(7),)),
        Liabilities((), Decimal(5), Decimal(0), (), (Decimal(5),)),
    ],
)
def test_where_no_period_is_stated_money_is_earned_when_it_comes(liabilities):
    assert prepaid(free(liabilities)) is None


def test_in_the_bank_it_is_cash_like_any_other():
    assert prepaid(setting(SALES, liabilities=steady(share=1.0, term=365))) is None
    assert prepaid(setting(basis="free", liabilities=steady(share=1.0, term=365))) is None
