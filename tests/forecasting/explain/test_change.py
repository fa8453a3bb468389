"""Why the runway changed: days per cause, against arithmetic, and never a day left over."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.explain.change import EarlierForecast, RunwayChange, runway_change
from forecasting.fit.company import fit_company
from forecasting.fit.history import CompanyHistory
from forecasting.fit.plan import parse_plan
from forecasting.outcome import Calibration, RunwayCase
from tests.forecasting.explain.stages import AS_OF, FLAT, stage_of
from tests.forecasting.journal import every, flows, history, monthly

DAY = date.fromisoformat(AS_OF)
LATER = DAY + timedelta(days=7)
WEEK = every(1, start="2025-07-01", until="2025-07-07", line="-1000 card Cafe")
TRANCHE = {
    "date": "2025-09-01",
    "amount": "200000",
    "probability": 0.7,
    "delay": {"dist": "gamma", "mean_days": 18, "sd_days": 9},
}


def changed(then: CompanyHistory, now: CompanyHistory, *, basis: str = "bank", **earlier: object) -> RunwayChange:
    before, after = stage_of(then, basis=basis), stage_of(now, basis=basis)
    change = runway_change(
        earlier=EarlierForecast(
            run_id=7,
            published_day=then.as_of,
            runway=earlier.pop("runway", before.runway(before.inputs)),  # type: ignore[arg-type]
            history=then,
            fitted=before.setting.company,
        ),
        now=after,
        runway=after.runway(after.inputs),
    )
    assert change is not None
    _adds_up(change)
    return change


def _adds_up(change: RunwayChange) -> None:
    tenths = [round(10 * cause.mean_days) for cause in change.causes]
    assert sum(tenths) == round(10 * change.mean_days)
    of_events = next(round(10 * cause.mean_days) for cause in change.causes if cause.key == "events")
    assert sum(round(10 * part.mean_days) for part in change.events) == of_events
    for name in ("p5_days", "p50_days"):
        whole = getattr(change.now, name) - getattr(change.then, name)
        assert sum(getattr(cause, name) for cause in change.causes) == whole
        events = next(cause for cause in change.causes if cause.key == "events")
        assert sum(getattr(part, name) for part in change.events) == getattr(events, name)


def days_of(change: RunwayChange) -> dict[str, int]:
    return {cause.key: cause.p50_days for cause in change.causes}


def test_a_week_that_went_as_expected_costs_a_week():
    then = history(FLAT, as_of=AS_OF, cash="100000")
    now = history(FLAT + WEEK, as_of=str(LATER), cash="93000")
    assert days_of(changed(then, now)) == {"time": -7, "rates": 0, "events": 0, "refit": 0, "plan": 0}


def test_one_bill_costs_the_days_that_it_would_have_paid_for():
    then = history(FLAT, as_of=AS_OF, cash="100000")
    now = history(FLAT + WEEK + "2025-07-03 -20000 legal Lawyers LLP\n", as_of=str(LATER), cash="73000")
    change = changed(then, now)
    days = days_of(change)
    assert (days["time"], days["events"], days["plan"]) == (-7, -20, 0)
    spending = change.events[0]
    assert (spending.key, spending.p50_days, spending.amount, spending.expected) == (
        "spending",
        -20,
        "-27000.00",
        "-7024.90",  # a week's, and of a lump that nobody has seen yet
    )
    assert spending.payees[0].counterparty == "Lawyers LLP"
    assert spending.payees[0].amount == Decimal("-20000.00")
    assert change.events[-1].key == "rest"
    assert change.events[-1].p50_days == 0


def test_money_of_investors_is_named_for_what_it_is():
    then = history(FLAT, as_of=AS_OF, cash="100000")
    now = history(FLAT + WEEK + "2025-07-02 +50000 investment Angel\n", as_of=str(LATER), cash="143000")
    change = changed(then, now)
    assert (change.events[0].key, change.events[0].p50_days) == ("funding", 50)


def test_an_entry_for_a_day_long_past_counts_as_what_happened():
    then = history(FLAT, as_of=AS_OF, cash="100000")
    now = history("2025-03-03 -10000 legal Late Bill GmbH\n" + FLAT, as_of=AS_OF, cash="90000")
    change = changed(then, now)
    assert days_of(change)["time"] == 0
    assert days_of(change)["events"] == -10
    assert change.events[0].payees[0].counterparty == "Late Bill GmbH"


def test_a_balance_stated_anew_is_what_no_event_explains():
    then = history(FLAT, as_of=AS_OF, cash="100000")
    now = history(FLAT + WEEK, as_of=str(LATER), cash="83000")
    change = changed(then, now)
    assert (change.events[-1].key, change.events[-1].p50_days) == ("rest", -10)


def test_an_edit_of_the_plan_is_the_plan_s():
    then = history(FLAT, as_of=AS_OF, cash="100000")
    now = replace(then, plan=parse_plan({"tranches": [TRANCHE]}))
    days = days_of(changed(then, now))
    assert {key for key, count in days.items() if count} == {"plan"}
    assert days["plan"] > 50


def test_rates_are_told_from_what_happened():
    then = history(
        FLAT, as_of=AS_OF, balances={"USD": Decimal(50_000), "EUR": Decimal(50_000)}, rates={"EUR": Decimal(1)}
    )
    now = replace(then, rates={"EUR": Decimal("1.20")})
    change = changed(then, now)
    assert days_of(change) == {"time": 0, "rates": pytest.approx(10, abs=1), "events": 0, "refit": 0, "plan": 0}


def test_a_new_cloud_provider_brings_its_own_usage():
    one = monthly(start="2024-01-03", months=18, line="-9000 cloud AWS")
    two = monthly(start="2024-01-02", months=18, line="-900 cloud AAA Hosting")
    then = history(FLAT + one, as_of=AS_OF, cash="100000")
    changed(then, replace(then, flows=flows(FLAT + one + two)))


def test_a_hire_of_the_old_plan_in_a_currency_of_its_own_stays_comparable():
    hire = {"start": "2025-08-01", "monthly_gross": "9000", "currency": "GBP", "confirmed": True}
    then = history(FLAT, as_of=AS_OF, plan={"planned_hires": [hire]}, rates={"GBP": Decimal("1.3")})
    change = changed(then, replace(then, plan=parse_plan({}), rates={}))
    assert days_of(change)["plan"] > 0


def test_what_an_older_engine_said_is_restated_first():
    then = history(FLAT, as_of=AS_OF, cash="100000")
    stored = RunwayCase(p5_days=80, p50_days=90, p95_days=95, beyond_horizon=(False, False, False))
    days = days_of(changed(then, then, runway=stored))
    assert {key for key, count in days.items() if count} == {"restated"}


def test_a_wider_interval_is_the_record_s_and_neither_the_past_s_nor_the_plan_s():
    """The record says so a moment after the first forecast, or once a month: nothing else has happened."""
    then = history(FLAT, as_of=AS_OF, cash="100000", plan={"tranches": [TRANCHE]})
    wider = replace(then, calibration=Calibration(state="calibrated", dispersion=1.8, windows=10))
    change = changed(then, wider)
    (calibration,) = [cause for cause in change.causes if cause.p5_days or cause.p50_days]
    assert calibration.key == "calibration"
    assert (calibration.p5_days, calibration.p50_days) == (change.now.p5_days - change.then.p5_days, 0)
    assert calibration.p5_days < 0
    without = replace(wider, plan=parse_plan({"tranches": []}))
    keys = [cause.key for cause in changed(then, without).causes]
    assert keys == ["calibration", "time", "rates", "events", "refit", "plan"]


def test_a_dearer_payroll_is_first_a_surprise_and_then_an_expectation():
    ledger = monthly(start="2024-01-15", months=18, line="-30000 payroll Gusto") + FLAT
    then = history(ledger, as_of="2025-07-14", cash="300000")
    now = history(ledger + "2025-07-15 -36000 payroll Gusto\n", as_of="2025-07-15", cash="264000")
    change = changed(then, now)
    causes = {cause.key: cause for cause in change.causes}
    assert change.events[0].key == "payroll"
    assert (change.events[0].amount, change.events[0].expected) == ("-36000.00", "-30000.00")
    assert causes["time"].mean_days == pytest.approx(-1.0, abs=0.05)
    assert change.events[0].p5_days < 0
    assert causes["refit"].p5_days < causes["events"].p5_days < 0


def test_a_tax_on_sales_that_comes_as_it_was_due_is_no_surprise():
    """VAT of what was sold since the last look: expected by the income that it follows, and paid as a tax."""
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(547)]
    sold = {day: 1000 + 300 * (day.month * 7 % 4) for day in days}
    lines = [f"{day} {amount} sales Till" for day, amount in sold.items()]
    for month in range(1, 18):
        due = date(2024 + month // 12, month % 12 + 1, 20)
        owed = sum(
            amount for day, amount in sold.items() if (due.year - day.year) * 12 + due.month - day.month == 1
        )
        lines.append(f"{due} -{0.2 * owed:.2f} vat TaxOffice")
    ledger = "\n".join(lines) + "\n" + every(1, start="2024-01-01", until="2025-07-31", line="-2000 card Cafe")
    then = history(ledger, as_of="2025-05-22", cash="300000")
    now = history(ledger, as_of="2025-06-25", cash="300000")
    assert fit_company(then).sales_taxes
    taxes = next(event for event in changed(then, now).events if event.key == "payroll")
    assert float(taxes.amount) == pytest.approx(float(taxes.expected), rel=0.1)


def test_it_compares_with_nothing_that_looks_back_from_a_later_day():
    now = stage_of(history(FLAT, as_of=AS_OF))
    later = history(FLAT + WEEK, as_of=str(LATER))
    earlier = EarlierForecast(
        run_id=1,
        published_day=LATER,
        runway=now.runway(now.inputs),
        history=later,
        fitted=fit_company(later),
    )
    assert runway_change(earlier=earlier, now=now, runway=now.runway(now.inputs)) is None


RICH = (
    monthly(start="2024-06-28", months=12, line="-20000 payroll Gusto")
    + monthly(start="2024-06-03", months=13, line="-4000 cloud AWS")
    + monthly(start="2024-06-05", months=13, line="-2500 software Tools Inc")
    + monthly(start="2024-06-09", months=12, line="-900 EUR contractor Anna")
    + every(1, start="2024-06-01", until=AS_OF, line="+500 revenue Stripe")
    + every(3, start="2024-06-01", until=AS_OF, line="-700 card Cafe")
)
NEWS = st.lists(
    st.tuples(
        st.integers(0, 20),
        st.integers(-60_000, 60_000).filter(bool),
        st.sampled_from(
            ["payroll Gusto", "cloud AWS", "revenue Stripe", "investment Angel", "legal Somebody New"]
        ),
    ),
    max_size=5,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    news=NEWS,
    days=st.integers(0, 20),
    cash=st.integers(-20_000, 600_000),
    rate=st.sampled_from(["1.00", "1.10", "0.80"]),
    plans=st.tuples(*[st.sampled_from([{}, {"tranches": [TRANCHE]}])] * 2),
    basis=st.sampled_from(["bank", "free"]),
)
def test_whatever_changed_the_days_of_the_causes_sum_to_the_change(news, days, cash, rate, plans, basis):
    later = DAY + timedelta(days=days)
    text = "".join(f"{DAY + timedelta(days=min(after, days))} {amount} {who}\n" for after, amount, who in news)
    then = history(RICH, as_of=AS_OF, balances={"USD": Decimal(200_000)}, rates={"EUR": Decimal(1)}, plan=plans[0])
    now = replace(
        then,
        as_of=later,
        flows=flows(RICH + text),
        cash={"USD": Decimal(cash)},
        rates={"EUR": Decimal(rate)},
        plan=parse_plan(plans[1]),
    )
    changed(then, now, basis=basis)
