"""Explanations: stored beside the run a moment later, from what each run knew, and never changed."""

import gc
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from forecasting.fit.company import FittedCompany, fit_company
from forecasting.models.explanation import ForecastExplanation
from forecasting.models.run import ForecastRun
from forecasting.selectors.explanations import companies_unexplained, explanation_of, runs_unexplained
from forecasting.selectors.feeds import feeds_of
from forecasting.services.explain import explain_forecasts
from forecasting.services.history import gather_history
from forecasting.services.known_then import known_to
from forecasting.services.plans import record_plan
from forecasting.services.publish import publish_forecast
from forecasting.services.retention import prune_runs
from forecasting.signals import forecast_explained
from ledger.domain.company import CompanyRef
from ledger.domain.event import parse_event
from ledger.models.event import CapitalEvent
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.statements import state_balance
from tests.forecasting.small_company import AS_OF, NOW, PLAN, small_company, spend

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_redis")]
WEEK = timedelta(days=7)


def publish(company: CompanyRef, *, now: datetime = NOW) -> ForecastRun:
    return ForecastRun.objects.get(id=publish_forecast(company_id=company.id, now=now).free_run_id)


def a_week_later(company: CompanyRef, *, amount: str = "20000.00") -> ForecastRun:
    """Publish, let a week pass with one large bill, publish again."""
    publish(company)
    spend(company, amount, on=AS_OF + timedelta(days=3), ref="lawyers", now=NOW + WEEK)
    spend(company, "1.00", on=AS_OF + WEEK, ref="a week later", now=NOW + WEEK)
    return publish(company, now=NOW + WEEK)


def content_of(run: ForecastRun) -> dict[str, Any]:
    stored = explanation_of(company_id=run.company_id, run_id=run.pk)
    assert stored is not None
    return stored.content


def test_both_runs_in_force_are_explained_once_free_cash_first() -> None:
    company = small_company()
    publish(company)
    assert companies_unexplained() == (company.id,)
    explained = explain_forecasts(company_id=company.id, now=NOW)
    assert [each.run.basis for each in explained] == ["free", "bank"]
    assert companies_unexplained() == ()
    assert explain_forecasts(company_id=company.id, now=NOW) == ()
    content = explained[0].content
    assert {"payroll", "sales", "tranches"} <= {driver["name"] for driver in content["drivers"]}
    effects = [abs(driver["p5_days"]) for driver in content["drivers"]]
    assert effects == sorted(effects, reverse=True)
    assert 1 <= len({lever["kind"] for lever in content["levers"]}) <= 3
    assert content["changes"] == {"yesterday": None, "last_week": None, "first_forecast": None}
    assert explained[0].duration_ms > 0


def test_what_was_fitted_is_let_go_of_without_the_collector() -> None:
    """A worker looks for cycles seldom: what one of them held would grow with each explanation."""
    company = small_company()
    a_week_later(company)
    gc.collect()
    gc.disable()
    try:
        # What other tests of this process keep for themselves stays out of the count.
        before = _fits_in_memory()
        assert len(explain_forecasts(company_id=company.id, now=NOW + WEEK)) == 2
        assert [each.as_of_day for each in _fits_in_memory() if all(each is not kept for kept in before)] == []
    finally:
        gc.enable()


def _fits_in_memory() -> list[FittedCompany]:
    return [each for each in gc.get_objects() if type(each) is FittedCompany]


def test_what_happened_in_a_week_is_told_in_days_that_add_up() -> None:
    company = small_company()
    run = a_week_later(company)
    explain_forecasts(company_id=company.id, now=NOW + WEEK)
    change = content_of(run)["changes"]["last_week"]
    then = ForecastRun.objects.get(id=change["run_id"])
    assert then.published_day == run.published_day - WEEK
    for name in ("p5_days", "p50_days"):
        assert change[name] == getattr(run, name) - getattr(then, name)
        assert sum(cause[name] for cause in change["causes"]) == change[name]
        (events,) = [cause for cause in change["causes"] if cause["key"] == "events"]
        assert sum(group[name] for group in change["events"]) == events[name]
    assert [cause["key"] for cause in change["causes"]] == ["time", "rates", "events", "refit", "plan"]
    (time,) = [cause for cause in change["causes"] if cause["key"] == "time"]
    # Of the quantiles p5 is the one that lies well inside a pay day here; the median is on the edge of two.
    assert time["p5_days"] == pytest.approx(-7, abs=2)
    spending = next(group for group in change["events"] if group["key"] == "spending")
    assert spending["payees"][0]["counterparty"] == "Furniture Inc"
    assert Decimal(spending["payees"][0]["amount"]) == Decimal("-20001.00")
    assert spending["p5_days"] < -5


def test_the_day_before_is_compared_with_the_last_run_of_that_day() -> None:
    company = small_company()
    publish(company)
    spend(company, "5.00", on=AS_OF + timedelta(days=1), ref="later that day", now=NOW + timedelta(hours=2))
    last = publish(company, now=NOW + timedelta(hours=2))
    spend(company, "5.00", on=AS_OF + timedelta(days=2), ref="next day", now=NOW + timedelta(days=1))
    run = publish(company, now=NOW + timedelta(days=1))
    explain_forecasts(company_id=company.id, now=NOW + timedelta(days=1))
    changes = content_of(run)["changes"]
    assert changes["yesterday"]["run_id"] == last.pk
    assert changes["last_week"] is None
    assert changes["first_forecast"] is None


def test_an_edit_of_the_plan_is_told_from_what_happened() -> None:
    company = small_company()
    publish(company)
    record_plan(company_id=company.id, raw=PLAN | {"tranches": []}, actor="test", now=NOW + timedelta(days=1))
    run = publish(company, now=NOW + timedelta(days=1))
    explain_forecasts(company_id=company.id, now=NOW + timedelta(days=1))
    causes = {cause["key"]: cause for cause in content_of(run)["changes"]["yesterday"]["causes"]}
    assert causes["plan"]["p50_days"] < -10
    assert causes["events"]["p50_days"] == 0


def test_an_edit_of_the_plan_on_a_company_s_first_day_is_told_from_its_first_forecast() -> None:
    company = small_company()
    first = publish(company)
    for minutes, ref in ((1, "a"), (2, "b")):
        spend(company, "1.00", ref=ref)
        publish(company, now=NOW + timedelta(minutes=minutes))
    later = NOW + timedelta(hours=1)
    record_plan(company_id=company.id, raw=PLAN | {"tranches": []}, actor="test", now=later)
    prune_runs(company_id=company.id, now=later)
    run = publish(company, now=later)
    assert run.published_day == first.published_day
    explain_forecasts(company_id=company.id, now=later)
    changes = content_of(run)["changes"]
    assert (changes["yesterday"], changes["first_forecast"]["run_id"]) == (None, first.pk)
    causes = {cause["key"]: cause["p50_days"] for cause in changes["first_forecast"]["causes"]}
    assert causes["plan"] < -10
    assert causes["time"] == 0
    assert sum(causes.values()) == run.p50_days - first.p50_days


def test_what_a_run_knew_is_what_it_was_computed_from() -> None:
    company = small_company()
    run = publish(company)
    then = gather_history(company=company, now=NOW).history
    spend(company, "7000.00", on=AS_OF - timedelta(days=20), ref="entered late", now=NOW + WEEK)
    position = spend(company, "1.00", on=AS_OF + WEEK, ref="a week later", now=NOW + WEEK)
    assert position == run.position + 2
    publish(company, now=NOW + WEEK)
    again = known_to(run=run, company=company)
    assert again is not None
    for name in ("as_of", "base_currency", "rates", "plan", "grants", "timezone", "company"):
        assert getattr(again, name) == getattr(then, name), name
    for name in ("day", "amount", "count", "event_type", "category", "counterparty"):
        assert getattr(again.flows, name).tolist() == getattr(then.flows, name).tolist(), name
    assert again.cash["USD"] == Decimal(
        ForecastRun.objects.get(basis="bank", position=run.position).result["balance"]
    )
    assert fit_company(again).cash == pytest.approx(fit_company(then).cash)


def test_what_was_taken_back_since_was_known_then() -> None:
    company = small_company()
    spend(company, "7000.00", on=AS_OF - timedelta(days=20), ref="wrong")
    run = publish(company)
    then = gather_history(company=company, now=NOW).history
    wrong = CapitalEvent.objects.get(company_id=company.id, external_ref="wrong")
    reverse(
        company_id=company.id, event_id=bytes(wrong.event_id).hex(), reason="typo", actor="test", now=NOW + WEEK
    )
    publish(company, now=NOW + WEEK)
    again = known_to(run=run, company=company)
    assert again is not None
    assert again.flows.amount.tolist() == then.flows.amount.tolist()


def test_a_statement_between_two_forecasts_is_what_no_event_explains() -> None:
    company = small_company()
    publish(company)
    state_balance(
        company_id=company.id,
        currency="USD",
        amount=Decimal(90_000),
        day=AS_OF,
        origin="bank feed",
        actor="t",
        now=NOW + timedelta(days=1),
    )
    run = publish(company, now=NOW + timedelta(days=1))
    explain_forecasts(company_id=company.id, now=NOW + timedelta(days=1))
    change = content_of(run)["changes"]["yesterday"]
    rest = next(group for group in change["events"] if group["key"] == "rest")
    assert rest["p50_days"] < -10
    assert sum(cause["p50_days"] for cause in change["causes"]) == change["p50_days"]


def test_explanations_can_be_neither_changed_nor_removed_while_their_run_stands() -> None:
    company = small_company()
    publish(company)
    explain_forecasts(company_id=company.id, now=NOW)
    with connection.cursor() as cursor:
        # What this transaction has inserted waits for its foreign keys, and TRUNCATE would wait for them too.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for attempt in (
        lambda: ForecastExplanation.objects.update(duration_ms=0.0),
        lambda: ForecastExplanation.objects.all().delete(),
        lambda: connection.cursor().execute("TRUNCATE forecasting_forecastexplanation"),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            attempt()


def test_a_pruned_run_takes_its_explanation_with_it() -> None:
    company = small_company()
    publish(company)
    runs = []
    for minutes in (1, 2):
        spend(company, "10.00", on=AS_OF, ref=f"more {minutes}")
        runs.append(publish(company, now=NOW + timedelta(minutes=minutes)))
        explain_forecasts(company_id=company.id, now=NOW + timedelta(minutes=minutes))
    pruned, last = runs
    assert prune_runs(company_id=company.id, now=NOW + timedelta(hours=1)) == 2
    assert explanation_of(company_id=company.id, run_id=pruned.pk) is None
    assert explanation_of(company_id=company.id, run_id=last.pk) is not None


def test_somebody_who_gives_up_in_the_middle_stores_nothing() -> None:
    company = small_company()
    publish(company)
    looked = []

    def urgent() -> None:
        looked.append(1)
        if len(looked) > 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        explain_forecasts(company_id=company.id, now=NOW, pause=urgent)
    assert len(runs_unexplained(company_id=company.id)) == 2


def test_a_run_that_newer_facts_have_overtaken_is_left_to_the_next_forecast() -> None:
    company = small_company()
    run = publish(company)
    ForecastRun.objects.filter(pk=run.pk).update(p5_days=1)
    assert [each.run.basis for each in explain_forecasts(company_id=company.id, now=NOW)] == ["bank"]


def test_it_says_so_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    company = small_company()
    run = publish(company)
    heard: list[int] = []

    def hear(*, run_id: int, **_: Any) -> None:
        heard.append(run_id)

    forecast_explained.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            explain_forecasts(company_id=company.id, now=NOW)
            assert heard == []
    finally:
        forecast_explained.disconnect(hear)
    assert heard[0] == run.pk
    assert len(heard) == 2


def test_another_company_s_explanation_does_not_exist() -> None:
    company, other = small_company(), small_company("globex")
    run = publish(company)
    explain_forecasts(company_id=company.id, now=NOW)
    assert explanation_of(company_id=other.id, run_id=run.pk) is None


def test_a_feed_has_the_rhythm_of_its_account() -> None:
    company = small_company()
    publish(company)
    (feed,) = feeds_of(company_id=company.id, until=AS_OF)
    assert (feed.name, feed.last_day) == ("bank", AS_OF)
    assert feed.usual_gap_days in (2, 3)
    assert feeds_of(company_id=company.id, until=date(2025, 11, 3)) == ()


def test_a_company_with_a_debt_to_its_past_can_be_explained() -> None:
    company = small_company()
    raw = {
        "source": "bank",
        "event_type": "expense",
        "amount": "500000.00",
        "currency": "USD",
        "occurred_at": f"{AS_OF + timedelta(days=1)}T12:00:00-05:00",
        "external_ref": "ruin",
    }
    later = NOW + timedelta(days=1)
    publish(company)
    record(company_id=company.id, drafts=[parse_event(raw, now=later)], actor="test", now=later)
    run = publish(company, now=later)
    assert run.p50_days == 1
    explain_forecasts(company_id=company.id, now=later)
    change = content_of(run)["changes"]["yesterday"]
    assert sum(cause["p50_days"] for cause in change["causes"]) == change["p50_days"] < -20
