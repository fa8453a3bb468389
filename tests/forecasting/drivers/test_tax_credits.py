from statistics import NormalDist

import pytest

from forecasting.drivers.assembly import assemble, contributions
from forecasting.drivers.tax_credits import DRIVER
from forecasting.kernel.shocks import shocks_for
from forecasting.kernel.simulate import simulate
from tests.forecasting.drivers.settings import ahead, setting
from tests.forecasting.journal import every

ONCE = "2024-11-20 60000 research_tax_credit HMRC\n"
TWICE = "2023-11-10 50000 research_tax_credit HMRC\n" + ONCE


@pytest.mark.parametrize(("text", "probability"), [(ONCE, 0.65), (TWICE, 0.85)])
def test_what_the_tax_office_paid_back_comes_again_a_year_later_perhaps(text, probability):
    view = setting(text)
    (lump,) = DRIVER.contribute(view).dated_lumps
    assert (lump.day, lump.amount, lump.probability) == (ahead("2025-11-20"), 60000.0, probability)
    (event,) = DRIVER.next_events(view)
    assert (event.day, event.label, event.probability) == (lump.day, "Tax credit of HMRC", probability)


def test_it_pays_for_a_time_where_it_comes_in_time():
    """Cash for 100 days, and a credit around day 60 for as long again: who lives past day 150 was paid by then."""
    view = setting("2024-08-29 60000 research_tax_credit HMRC\n" + _spending(600), cash="60000")
    inputs = assemble(view, contributions(view))
    outcome = simulate(inputs, shocks_for(seed=42, paths=10_000, horizon_days=365), with_bands=False)
    in_time = NormalDist(60, 25).cdf(100)
    assert float((outcome.runway_days > 150).mean()) == pytest.approx(0.65 * in_time, abs=0.015)


def listed(day: str, field: str) -> dict[str, object]:
    if field == "open_receivables":
        return {field: [{"customer": "Finanzamt", "amount": "61000", "due": day}]}
    delay = {"dist": "gamma", "mean_days": 20, "sd_days": 9}
    credit = {"date": day, "amount": "61000", "probability": 0.9, "delay": delay, "milestone": "R&D tax credit"}
    return {field: [credit]}


@pytest.mark.parametrize("field", ["open_receivables", "tranches"])
def test_a_credit_that_the_plan_lists_comes_as_listed(field):
    text = "2024-11-20 60000 forschungszulage Finanzamt\n"
    view = setting(text, plan=listed("2025-12-15", field))
    assert DRIVER.contribute(view).is_empty
    assert view.company.pools[1] is None
    # What is listed for the year after is another one.
    assert len(DRIVER.contribute(setting(text, plan=listed("2026-06-29", field))).dated_lumps) == 1


def test_it_is_expected_once_and_by_nothing_else():
    company = setting(ONCE).company
    assert len(company.tax_credits) == 1
    assert company.invoiced is None
    assert company.pools[1] is None


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-20 60000 research_tax_credit HMRC\n",  # not claimed this year
        "2024-11-20 6000 vat_refund HMRC\n",  # of a period
        "".join(f"2024-{month:02}-20 600 tax_refund HMRC\n" for month in (3, 6, 9, 12)),
        "2024-11-20 60000 prize Foundation\n",
    ],
    ids=["long ago", "value added tax", "by the quarter", "no tax"],
)
def test_other_receipts_are_no_credit_of_a_year(text):
    assert DRIVER.contribute(setting(text)).is_empty


def _spending(amount: int) -> str:
    return every(1, start="2024-01-01", until="2025-06-30", line=f"-{amount} card Cafe")
