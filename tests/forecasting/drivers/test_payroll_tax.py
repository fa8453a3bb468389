import pytest

from forecasting.drivers.payroll_tax import DRIVER
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
