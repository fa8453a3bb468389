import pytest

from forecasting.drivers.contribution import Setting
from forecasting.drivers.vendors import DRIVER, RENEWED
from forecasting.kernel.inputs import Factor
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


def quarterly(category: str, who: str) -> str:
    return "".join(
        f"{month}-10 30000 {category} {who}\n" for month in ("2024-08", "2024-11", "2025-02", "2025-05")
    )


def income_of(view: Setting) -> Factor:
    return next(factor for factor in DRIVER.contribute(view).factors if factor.name == "recurring income")


def test_whoever_pays_regularly_may_stop_one_day_and_a_giver_sooner():
    rebate = income_of(setting(quarterly("other", "Landlord")))
    grant = income_of(setting(quarterly("grant", "Foundation")))
    assert grant.g < rebate.g < 0
    assert grant.rw > rebate.rw > 0.1


def test_a_payment_that_stands_among_the_open_invoices_is_not_expected_twice():
    plan = {"open_receivables": [{"customer": "Landlord", "amount": "30000", "due": "2025-08-10"}]}
    view = setting(quarterly("other", "Landlord"), plan=plan)
    assert list(on(view, income_of(view).daily)) == ["2025-11-10", "2026-02-10", "2026-05-10"]


def test_where_instalments_of_a_grant_are_listed_no_other_is_expected_of_any_giver():
    text = quarterly("grant", "Foundation") + quarterly("grant", "Fund")
    plan = {"open_receivables": [{"customer": "Foundation", "amount": "30000", "due": "2025-08-10"}]}
    assert income_of(setting(text)).daily.any()
    assert "recurring income" not in {
        factor.name for factor in DRIVER.contribute(setting(text, plan=plan)).factors
    }
