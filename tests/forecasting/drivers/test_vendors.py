import pytest

from forecasting.drivers.vendors import DRIVER, RENEWED
from tests.forecasting.drivers.settings import on, setting
from tests.forecasting.journal import monthly

BILL = monthly(start="2024-07-12", months=12, line="-250 software CRM")


def test_a_bill_comes_on_its_day_at_its_price():
    view = setting(BILL, days=62)
    (factor,) = DRIVER.contribute(view).factors
    assert on(view, factor.daily) == {"2025-07-12": -250, "2025-08-12": -250}


def test_a_renewal_of_the_plan_counts_with_the_chance_that_the_vendor_is_kept():
    plan = {"annual_renewals": [{"vendor": "ERP", "date": "2025-10-01", "amount": "12000"}]}
    view = setting(plan=plan, days=730)
    (factor,) = DRIVER.contribute(view).factors
    assert on(view, factor.daily) == {
        "2025-10-01": -12000 * RENEWED,
        "2026-10-01": round(-12000 * RENEWED**2, 2),
    }


def test_what_is_paid_abroad_drifts_with_its_currency():
    rent = monthly(start="2024-07-20", months=12, line="-1000 EUR rent Berlin")
    view = setting(BILL + rent, plan={"fx": {"EUR": 1.1}}, days=31)
    home, abroad = DRIVER.contribute(view).factors
    assert abroad.daily.sum() == pytest.approx(-1100)
    assert abroad.rw > home.rw


def test_bills_and_renewals_are_told_ahead():
    plan = {"annual_renewals": [{"vendor": "ERP", "date": "2025-07-02", "amount": "12000"}]}
    events = DRIVER.next_events(setting(BILL, plan=plan, days=31))
    assert sorted((event.day, event.kind, event.label, event.amount, event.probability) for event in events) == [
        (2, "renewal", "ERP, yearly renewal", -12000.0, RENEWED),
        (12, "bill", "CRM", -250.0, 1.0),
    ]
