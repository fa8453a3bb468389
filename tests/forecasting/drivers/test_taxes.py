from forecasting.drivers.taxes import DRIVER
from tests.forecasting.drivers.settings import on, setting

TAXES = "2024-09-16 -1000 tax State\n2025-03-17 -1000 tax State\n"


def test_last_years_instalments_come_again_every_year():
    view = setting(TAXES, days=730)
    (factor,) = DRIVER.contribute(view).factors
    assert list(on(view, factor.daily)) == ["2025-09-16", "2026-03-17", "2026-09-16", "2027-03-17"]
    assert all(-1050 < amount <= -1000 for amount in on(view, factor.daily).values())


def test_they_are_told_ahead():
    assert [event.day for event in DRIVER.next_events(setting(TAXES))] == [78, 260]


def test_a_company_without_taxes_pays_none():
    assert DRIVER.contribute(setting()).is_empty
