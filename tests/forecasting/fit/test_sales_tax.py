"""Taxes that are a share of what was taken: the next one is known, and all follow sales."""

from datetime import date, timedelta

import numpy as np
import pytest

from forecasting.drivers.contribution import Setting
from forecasting.drivers.taxes import DRIVER
from forecasting.fit.company import FittedCompany, fit_company
from forecasting.fit.history import CompanyHistory
from ledger.domain.flows import day_number
from tests.forecasting.journal import every, history

RATE = 0.1
FIRST, AS_OF = date(2024, 1, 1), date(2025, 5, 15)
SPENDING = every(1, start="2024-01-01", until="2025-05-15", line="-900 card Cafe")


def taken(day: date) -> int:
    """Sales of a day: they wander by the month."""
    return 1000 + 200 * ((day.month * 7 + day.year) % 4)


def shop(*, months: int, lag: int, day: int = 7, rate: float = RATE) -> CompanyHistory:
    """A shop that pays `rate` of the sales of each `months` months, `lag` months after their end."""
    days = [FIRST + timedelta(days=n) for n in range((AS_OF - FIRST).days + 1)]
    lines = [f"{one} {taken(one)} sales Till" for one in days]
    for end in range(months, 17, months):  # the first month that a payment does not count
        covered = [one for one in days if end - months <= (one.year - 2024) * 12 + one.month - 1 < end]
        month = end - 1 + lag
        due = date(2024 + month // 12, month % 12 + 1, day)
        if due <= AS_OF:
            lines.append(f"{due} -{rate * sum(map(taken, covered)):.2f} vat TaxOffice")
    return history("\n".join(lines) + "\n" + SPENDING, as_of=str(AS_OF))


def of(company: FittedCompany) -> tuple[float, list[str]]:
    (tax,) = company.sales_taxes
    return tax.share, [str(np.datetime64(int(day), "D")) for day in tax.day[:2]]


@pytest.mark.parametrize(
    ("months", "lag", "next_two"),
    [
        (3, 2, ["2025-08-07", "2025-11-07"]),
        (3, 1, ["2025-07-07", "2025-10-07"]),
        (1, 1, ["2025-06-09", "2025-07-07"]),
        (1, 2, ["2025-06-09", "2025-07-07"]),
        (2, 1, ["2025-07-07", "2025-09-08"]),
    ],
)
def test_the_rate_the_period_and_the_days_are_read_back(months, lag, next_two):
    share, days = of(fit_company(shop(months=months, lag=lag)))
    assert share == pytest.approx(RATE, rel=0.001)
    assert days == next_two


def test_a_payment_for_what_was_taken_already_is_certain():
    company = fit_company(shop(months=1, lag=2))
    (tax,) = company.sales_taxes
    april = sum(taken(date(2025, 4, day)) for day in range(1, 31))
    half_of_may = sum(taken(date(2025, 5, day)) for day in range(1, 16))
    assert tax.owed()[:2] == pytest.approx([RATE * april, RATE * half_of_may])
    assert company.sales is not None
    expected = tax.expected(company.sales, first_day=company.as_of_day + 1)
    rest_of_may = company.sales.expected(first_day=company.as_of_day + 1, days=16)
    assert expected[0] == 0.0
    assert expected[1] == pytest.approx(RATE * rest_of_may.sum(), rel=0.05)  # growth of two months taken off


def test_what_is_due_is_told_ahead_with_what_will_be_taken():
    past = shop(months=3, lag=2)
    setting = Setting(history=past, company=fit_company(past), basis="bank", horizon_days=365)
    events = [event for event in DRIVER.next_events(setting) if event.label == "Tax on sales"]
    assert [event.day for event in events] == [84, 176, 270, 357]
    # Half of the first is of sales to come; all of them are a quarter's tax.
    assert all(event.amount == pytest.approx(-RATE * 91 * 1300, rel=0.2) for event in events)
    (factor,) = DRIVER.contribute(setting).factors
    assert np.flatnonzero(factor.daily).tolist() == [84 - 1]  # the rest falls and rises with sales


@pytest.mark.parametrize(("spread", "follows"), [(1.6, True), (3.0, False)])
def test_what_is_left_after_a_tax_on_purchases_follows_a_season_all_the_same(spread, follows):
    """A marketplace owes tax on its commission: a share that moves by the quarter, less than the season."""
    days = [FIRST + timedelta(days=n) for n in range((AS_OF - FIRST).days + 1)]
    lines = [f"{one} {1000 * (1 + 5 * (one.month in (5, 6, 7)))} sales Till" for one in days]
    dues = ("2024-04-28", "2024-07-28", "2024-10-28", "2025-01-28", "2025-04-28")
    for quarter, due in enumerate(dues):
        first = date(2024 + quarter // 4, quarter % 4 * 3 + 1, 1)
        covered = [one for one in days if 0 <= (one.year - first.year) * 12 + one.month - first.month < 3]
        sold = sum(1000 * (1 + 5 * (one.month in (5, 6, 7))) for one in covered)
        share = 0.02 * spread if quarter % 2 else 0.02
        lines.append(f"{due} -{share * sold:.2f} vat TaxOffice")
    company = fit_company(history("\n".join(lines) + "\n" + SPENDING, as_of=str(AS_OF)))
    assert bool(company.sales_taxes) == follows


def test_instalments_that_never_change_follow_nothing():
    past = shop(months=3, lag=2)
    lines = "".join(
        f"{day} -9000 vat TaxOffice\n"
        for day in ("2024-05-07", "2024-08-07", "2024-11-07", "2025-02-07", "2025-05-07")
    )
    sales = "".join(
        f"{FIRST + timedelta(days=n)} {taken(FIRST + timedelta(days=n))} sales Till\n"
        for n in range((AS_OF - FIRST).days + 1)
    )
    company = fit_company(history(sales + SPENDING + lines, as_of=str(past.as_of)))
    assert not company.sales_taxes
    assert company.taxes is not None
    assert len(company.taxes.day) == 4


def test_a_tax_that_was_paid_long_ago_is_over():
    past = shop(months=1, lag=1)
    text = "\n".join(
        [f"{FIRST + timedelta(days=n)} {taken(FIRST + timedelta(days=n))} sales Till" for n in range(500)]
    )
    old = "".join(
        f"2024-{month + 1:02}-07 -{RATE * 30 * taken(date(2024, month, 1))} vat TaxOffice\n"
        for month in range(1, 9)
    )
    assert not fit_company(history(text + "\n" + SPENDING + old, as_of=str(past.as_of))).sales_taxes


def test_days_are_counted_from_the_as_of_day():
    (tax,) = fit_company(shop(months=1, lag=1)).sales_taxes
    assert int(tax.day[0]) > day_number(AS_OF)
    assert (np.diff(tax.day) > 25).all()
