from datetime import date
from decimal import Decimal

import pytest

from forecasting.drivers.payroll_tax import DRIVER
from ledger.domain.liabilities import Liabilities, TaxDue
from tests.forecasting.drivers.settings import on, setting
from tests.forecasting.journal import every

# A run every other Friday, its tax the Wednesday after; the last run was on the 27th of June.
RUNS = every(14, start="2024-06-14", until="2025-06-27", line="-10000 payroll Gusto")
TAXES = every(14, start="2024-06-19", until="2025-06-18", line="-4000 payroll_tax IRS")


def test_the_tax_of_the_last_run_lies_in_the_bank_and_is_paid_on_its_day():
    view = setting(RUNS + TAXES)
    part = DRIVER.contribute(view)
    assert part.fixed is not None
    assert on(view, part.fixed) == {"2025-07-02": -4000.0}
    assert part.opening == 0.0


def test_on_the_free_basis_it_is_not_ours_already():
    part = DRIVER.contribute(setting(RUNS + TAXES, basis="free"))
    assert part.opening == pytest.approx(-4000)
    assert part.fixed is None


def test_a_remitted_run_owes_nothing():
    paid = TAXES + "2025-06-30 -4000 payroll_tax IRS\n"
    assert DRIVER.contribute(setting(RUNS + paid)).is_empty


def announced(currency: str = "USD") -> Liabilities:
    taxes = (
        TaxDue(date(2025, 7, 3), currency, Decimal(3100), is_withheld=True),
        TaxDue(date(2025, 7, 3), currency, Decimal(700), is_withheld=False),
    )
    return Liabilities(None, Decimal(0), Decimal(0), taxes, (Decimal(0),))


def test_what_a_provider_announced_goes_before_the_habit():
    view = setting(RUNS + TAXES, liabilities=announced())
    part = DRIVER.contribute(view)
    assert part.fixed is not None
    assert on(view, part.fixed) == {"2025-07-03": -3800.0}
    assert part.opening == 0.0
    assert [(event.day, event.amount) for event in DRIVER.next_events(view)] == [(3, -3100.0), (3, -700.0)]


def test_the_companys_own_tax_is_owed_and_still_ours_on_the_free_basis():
    view = setting(RUNS + TAXES, liabilities=announced(), basis="free")
    part = DRIVER.contribute(view)
    assert part.opening == -3100.0
    assert part.fixed is not None
    assert on(view, part.fixed) == {"2025-07-03": -700.0}


def test_the_habit_still_speaks_for_a_currency_in_which_nothing_is_announced():
    view = setting(RUNS + TAXES, liabilities=announced("EUR"))
    part = DRIVER.contribute(view)
    assert part.fixed is not None
    assert on(view, part.fixed) == {"2025-07-02": -4000.0, "2025-07-03": -3800.0}
