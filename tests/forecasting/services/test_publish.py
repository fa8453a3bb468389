"""Publishing: what journal and plan imply now, stored once, in order, repeatable."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from forecasting.engine import ENGINE_VERSION
from forecasting.fit.history import MissingInputs
from forecasting.models.cursor import ForecastCursor
from forecasting.models.run import ForecastRun
from forecasting.selectors.forecasts import balance_in_force, latest_forecast, runways_in_force
from forecasting.services import publish
from forecasting.services.history import gather_history
from forecasting.services.lease import LeaseBusy, LeaseLost, claim_lease
from forecasting.services.plans import record_plan
from forecasting.services.publish import publish_forecast
from forecasting.signals import forecast_published
from ledger.services.companies import create_company
from ledger.services.statements import state_balance
from tests.forecasting.conftest import RedisServer
from tests.forecasting.small_company import AS_OF, NOW, PLAN, small_company, spend

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_redis")]


def test_it_stores_a_run_on_each_basis_and_moves_the_cursor() -> None:
    company = small_company()
    publication = publish_forecast(company_id=company.id, now=NOW)
    assert publication.created
    assert not publication.behind
    free, bank = ForecastRun.objects.order_by("-basis")
    assert [free.basis, bank.basis] == ["free", "bank"]
    for run in (free, bank):
        assert run.position == publication.position > 100
        assert (run.as_of, run.seed, run.paths, run.horizon_days) == (AS_OF, 42, 10_000, 365)
        assert run.engine_version == ENGINE_VERSION
        assert run.numpy_version
        assert run.cpu_features
        assert run.result["input_digest"] == run.input_digest
        assert (run.p5_days, run.p50_days, run.p95_days) == tuple(run.result[f"p{n}_days"] for n in (5, 50, 95))
    cursor = ForecastCursor.objects.get()
    assert (cursor.position, cursor.free_run, cursor.bank_run) == (publication.position, free, bank)
    assert (cursor.lease_owner, cursor.lease_until, cursor.checked_at) == ("", None, NOW)


def test_publishing_again_with_nothing_new_finds_the_same_runs() -> None:
    company = small_company()
    first = publish_forecast(company_id=company.id, now=NOW)
    later = NOW + timedelta(minutes=5)
    again = publish_forecast(company_id=company.id, now=later)
    assert not again.created
    assert (again.free_run_id, again.bank_run_id) == (first.free_run_id, first.bank_run_id)
    assert ForecastRun.objects.count() == 2
    assert ForecastCursor.objects.get().checked_at == later


def test_a_new_event_makes_a_new_run_with_a_shorter_runway() -> None:
    company = small_company()
    publish_forecast(company_id=company.id, now=NOW)
    before = latest_forecast(company_id=company.id)
    # The day after as_of, so that it comes on top of the balance that the plan states.
    spend(company, "40000.00", on=AS_OF + timedelta(days=1))
    assert publish_forecast(company_id=company.id, now=NOW).created
    after = latest_forecast(company_id=company.id)
    assert before is not None
    assert after is not None
    assert after.position == before.position + 1
    assert after.forecast["p5_days"] < before.forecast["p5_days"]


def test_a_balance_stated_without_any_event_makes_a_new_run() -> None:
    company = small_company()
    publish_forecast(company_id=company.id, now=NOW)
    state_balance(
        company_id=company.id,
        currency="USD",
        amount=Decimal(100_000),
        day=AS_OF,
        origin="bank feed",
        actor="t",
        now=NOW,
    )
    again = publish_forecast(company_id=company.id, now=NOW)
    assert again.created
    stored = latest_forecast(company_id=company.id, basis="bank")
    assert stored is not None
    assert stored.forecast["balance"] == "100000.00"


def test_the_balance_in_force_is_that_of_the_forecast_on_its_basis() -> None:
    company = small_company()
    assert balance_in_force(company_id=company.id, basis="free") is None
    publish_forecast(company_id=company.id, now=NOW)
    for basis in ("free", "bank"):
        stored = latest_forecast(company_id=company.id, basis=basis)
        assert stored is not None
        assert balance_in_force(company_id=company.id, basis=basis) == Decimal(stored.forecast["balance"])
    ForecastRun.objects.filter(basis="bank").update(result={"balance": "12.50"})
    assert balance_in_force(company_id=company.id, basis="bank") == Decimal("12.50")


def test_the_same_inputs_computed_anew_give_equal_numbers() -> None:
    company = small_company()
    publish_forecast(company_id=company.id, now=NOW)
    first = ForecastRun.objects.get(basis="free")
    ForecastCursor.objects.update(free_run=None, bank_run=None)
    publish_forecast(company_id=company.id, now=NOW + timedelta(days=1))
    # The unique key finds the first run instead of adding a twin, and it would have been equal to the bit.
    assert ForecastRun.objects.count() == 2
    assert ForecastCursor.objects.get().free_run == first


def test_going_back_to_an_earlier_plan_is_a_run_of_its_own() -> None:
    company = small_company()
    runs = [publish_forecast(company_id=company.id, now=NOW).free_run_id]
    for plan in (PLAN | {"tranches": []}, PLAN):
        record_plan(company_id=company.id, raw=plan, actor="test", now=NOW)
        runs.append(publish_forecast(company_id=company.id, now=NOW).free_run_id)
    assert len(set(runs)) == 3
    first, _, third = (ForecastRun.objects.get(id=run).result for run in runs)
    assert first == third


def test_it_is_refused_to_whoever_lost_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    company = small_company()
    real = publish._compute

    def slow(**kwargs: Any) -> Any:
        runs = real(**kwargs)
        ForecastCursor.objects.update(lease_until=NOW - timedelta(days=1))
        claim_lease(company_id=company.id, owner="the faster one")
        return runs

    monkeypatch.setattr(publish, "_compute", slow)
    with pytest.raises(LeaseLost):
        publish_forecast(company_id=company.id, now=NOW)
    assert not ForecastRun.objects.exists()
    assert ForecastCursor.objects.get().lease_owner == "the faster one"


def test_it_leaves_a_company_alone_that_somebody_else_computes() -> None:
    company = small_company()
    claim_lease(company_id=company.id, owner="somebody")
    with pytest.raises(LeaseBusy):
        publish_forecast(company_id=company.id, now=NOW)


def test_a_failure_gives_the_lease_back(monkeypatch: pytest.MonkeyPatch) -> None:
    company = small_company()

    def broken(**_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(publish, "_compute", broken)
    with pytest.raises(ZeroDivisionError):
        publish_forecast(company_id=company.id, now=NOW)
    claim_lease(company_id=company.id, owner="the next one")


def test_without_events_it_says_what_is_missing_and_remembers_it() -> None:
    company = create_company(slug="empty", name="Empty", currency="USD", timezone="UTC", now=NOW)
    with pytest.raises(MissingInputs, match="no events"):
        publish_forecast(company_id=company.id, now=NOW)
    cursor = ForecastCursor.objects.get()
    assert "no events" in cursor.refusal
    assert cursor.lease_until is None


def test_a_company_without_a_plan_has_a_forecast_too() -> None:
    company = small_company(plan=None)
    publish_forecast(company_id=company.id, now=NOW)
    stored = latest_forecast(company_id=company.id)
    assert stored is not None
    assert (stored.plan_version, stored.plan_digest) == (0, "")


def test_it_announces_a_new_forecast_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    company = small_company()
    heard: list[tuple[int, int]] = []

    def hear(*, company_id: int, run_id: int, **_: Any) -> None:
        heard.append((company_id, run_id))

    forecast_published.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            publication = publish_forecast(company_id=company.id, now=NOW)
            assert heard == []
        with django_capture_on_commit_callbacks(execute=True):
            publish_forecast(company_id=company.id, now=NOW)
    finally:
        forecast_published.disconnect(hear)
    assert heard == [(company.id, publication.free_run_id)]


def test_a_dead_redis_does_not_keep_a_forecast_from_being_published(
    own_redis: RedisServer, django_capture_on_commit_callbacks: Any
) -> None:
    company = small_company()
    own_redis.stop()
    with django_capture_on_commit_callbacks(execute=True):
        assert publish_forecast(company_id=company.id, now=NOW).created
    assert latest_forecast(company_id=company.id) is not None


def test_the_default_as_of_is_the_last_known_day_and_never_after_today() -> None:
    company = small_company()
    assert gather_history(company=company, now=NOW).history.as_of == AS_OF
    spend(company, "10.00", on=date(2026, 4, 20))
    assert gather_history(company=company, now=NOW).history.as_of == date(2026, 3, 31)
    assert gather_history(company=company, now=NOW + timedelta(days=30)).history.as_of == date(2026, 4, 20)


def test_a_past_as_of_knows_neither_later_events_nor_a_later_plan() -> None:
    company = small_company()
    gathered = gather_history(company=company, now=NOW, as_of=date(2026, 3, 1))
    assert gathered.plan is None
    assert gathered.history.plan.tranches == ()
    last_known = gathered.history.flows.day.max()
    assert last_known <= (date(2026, 3, 1) - date(1970, 1, 1)).days


def test_the_chart_ends_where_the_forecast_begins() -> None:
    company = small_company()
    publish_forecast(company_id=company.id, now=NOW)
    for basis in ("free", "bank"):
        stored = latest_forecast(company_id=company.id, basis=basis)
        assert stored is not None
        assert stored.history[-1].day == stored.as_of
        assert str(stored.history[-1].balance) == stored.forecast["balance"]


def test_what_was_in_force_a_week_ago_is_told() -> None:
    company = small_company()
    publish_forecast(company_id=company.id, now=NOW)
    spend(company, "30000.00", on=AS_OF + timedelta(days=1))
    publish_forecast(company_id=company.id, now=NOW + timedelta(days=8))
    stored = latest_forecast(company_id=company.id)
    assert stored is not None
    assert stored.last_week is not None
    assert stored.last_week.published_at == NOW
    assert stored.last_week.p50_days >= stored.forecast["p50_days"]


def test_every_runway_in_force_is_a_metric() -> None:
    company = small_company()
    publish_forecast(company_id=company.id, now=NOW)
    assert {(runway.company_slug, runway.basis) for runway in runways_in_force()} == {
        ("acme", "free"),
        ("acme", "bank"),
    }
