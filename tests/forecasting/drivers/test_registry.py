"""Walks every driver there is: one more file in the folder is one more case here."""

import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from forecasting import drivers
from forecasting.drivers.assembly import assemble, contributions
from forecasting.drivers.contribution import Driver, Setting
from forecasting.drivers.registry import all_drivers
from forecasting.kernel.soundness import check_inputs
from tests.forecasting.drivers.settings import setting
from tests.forecasting.journal import every, monthly

PLAN = {
    "tranches": [
        {
            "date": "2025-09-01",
            "amount": "500000",
            "probability": 0.7,
            "delay": {"dist": "gamma", "mean_days": 18, "sd_days": 9},
            "milestone": "ARR",
        }
    ],
    "cloud_credits": [{"provider": "AWS", "remaining": "9000.00", "expires": "2025-12-31"}],
    "planned_hires": [{"start": "2025-08-01", "monthly_gross": "9000", "currency": "USD"}],
    "annual_renewals": [{"vendor": "CRM Inc", "date": "2025-10-01", "amount": "12000"}],
    "open_receivables": [{"customer": "Big Co", "amount": "30000", "due": "2025-07-15"}],
    "fx": {"EUR": 1.1},
}


def busy_company(**fields: object) -> Setting:
    """A little of everything."""
    text = every(14, start="2024-01-05", until="2025-06-20", line="-20000 payroll Gusto")
    text += every(14, start="2024-01-08", until="2025-06-23", line="-9000 payroll_tax IRS")
    text += every(1, start="2024-01-01", until="2025-06-30", line="900 sales Stripe")
    text += monthly(start="2024-01-03", months=18, line="-3000 cloud AWS")
    text += monthly(start="2024-01-12", months=18, line="-250 software CRM")
    text += monthly(start="2024-01-20", months=18, line="-400 EUR rent Berlin")
    text += "2024-09-16 -1500 tax State\n2025-03-17 -1500 tax State\n2024-11-05 -40000 legal Lawyers\n"
    return setting(text, plan=PLAN, **fields)


@pytest.mark.parametrize("driver", all_drivers(), ids=lambda driver: driver.name)
@pytest.mark.parametrize("basis", ["bank", "free"])
@pytest.mark.parametrize("days", [1, 31, 365, 730])
def test_every_driver_gives_sound_pieces_for_any_question(driver: Driver, basis: str, days: int):
    for view in (busy_company(basis=basis, days=days), setting(basis=basis, days=days)):
        part = driver.contribute(view)
        for factor in part.factors:
            assert factor.daily.shape == (days,)
            assert np.isfinite(factor.daily).all()
        assert part.fixed is None or part.fixed.shape == (days,)
        assert all(1 <= event.day <= days for event in driver.next_events(view) if event.day <= days)
        assert all(1 <= mark.day <= days for mark in driver.marks(view))
        assert all(event.day >= 1 for event in driver.next_events(view))


@pytest.mark.parametrize("basis", ["bank", "free"])
def test_the_sum_of_all_drivers_is_sound(basis: str):
    view = busy_company(basis=basis)
    check_inputs(assemble(view, contributions(view)))


def test_a_drivers_name_is_its_modules_and_its_label_is_for_people():
    for driver in all_drivers():
        assert import_module(f"forecasting.drivers.{driver.name}").DRIVER is driver
        assert driver.label[0].isupper()
        assert "_" not in driver.label


def test_every_driver_has_a_test_of_its_own():
    tests = Path(__file__).parent
    for driver in all_drivers():
        assert (tests / f"test_{driver.name}.py").is_file(), f"{driver.name} has no test file"


def test_a_driver_is_pure():
    for path in Path(inspect.getfile(drivers)).parent.glob("*.py"):
        assert "django" not in path.read_text(encoding="utf-8").lower()


def test_a_company_without_anything_has_few_drivers():
    assert [part.driver.name for part in contributions(setting())] == ["leak", "pool"]
