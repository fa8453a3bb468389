"""The queue with a real Redis and a real worker: woken once, computed once, never lost."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from forecasting import giving_way, jobs, wake
from forecasting.fit.history import MissingInputs
from forecasting.giving_way import GivingWay
from forecasting.jobs import explain, recompute, sweep
from forecasting.metrics import WAKES
from forecasting.models.cursor import ForecastCursor
from forecasting.models.run import ForecastRun
from forecasting.selectors.explanations import companies_unexplained
from forecasting.selectors.freshness import companies_behind
from forecasting.services.lease import claim_lease
from forecasting.services.plans import record_plan
from forecasting.services.publish import publish_forecast
from ledger.breaker import CircuitBreaker
from ledger.domain.company import CompanyRef
from ledger.selectors.journal import journal_position
from ledger.services.companies import create_company
from tests.forecasting.conftest import RedisServer
from tests.forecasting.small_company import PLAN, small_company, spend

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of pace set it themselves; the others should not wait for it."""
    monkeypatch.setattr(jobs, "PACE_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "_giving_way", GivingWay())


@pytest.fixture
def queue(own_redis: RedisServer) -> Iterator[Queue]:
    with Redis.from_url(own_redis.url) as client:
        yield Queue("forecast", connection=client, serializer=JSONSerializer)


def work(queue: Queue, *, max_jobs: int | None = None) -> None:
    """Run a real worker until the queue is empty."""
    SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer).work(
        burst=True, logging_level="CRITICAL", max_jobs=max_jobs
    )


def wakes(result: str) -> float:
    """How many wake-ups have come to this, in this process."""
    return WAKES.labels(result)._value.get()


def position_of_forecast(company: CompanyRef) -> int:
    return ForecastCursor.objects.get(company_id=company.id).position


def up_to_date(company: CompanyRef, queue: Queue) -> CompanyRef:
    work(queue)
    assert companies_behind(now=timezone.now()) == ()
    return company


def test_an_event_becomes_a_forecast_through_the_queue(queue: Queue) -> None:
    company = up_to_date(small_company(), queue)
    position = spend(company, "40000.00")
    assert queue.count == 1
    work(queue)
    assert position_of_forecast(company) == position
    assert queue.count == 0
    assert queue.failed_job_registry.count == 0


def test_a_plan_becomes_a_forecast_through_the_queue(queue: Queue) -> None:
    company = up_to_date(small_company(), queue)
    record_plan(company_id=company.id, raw=PLAN | {"tranches": []}, actor="test", now=timezone.now())
    assert queue.count == 1
    work(queue)
    assert ForecastCursor.objects.get().plan_version == 2


def test_many_events_wait_in_one_job(queue: Queue) -> None:
    company = up_to_date(small_company(), queue)
    for number in range(25):
        last = spend(company, "1.00", ref=f"many-{number}")
    assert queue.count == 1
    work(queue)
    assert position_of_forecast(company) == last


def test_jobs_leave_nothing_behind_in_redis(queue: Queue) -> None:
    up_to_date(small_company(), queue)
    origins = [queue.connection.hget(key, "origin") for key in queue.connection.keys("rq:job:*")]
    assert b"forecast" not in origins


def test_an_event_that_arrives_while_a_forecast_is_computed_is_not_lost(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = up_to_date(small_company(), queue)
    spend(company, "1.00", ref="before")
    real = publish_forecast
    late: list[int] = []

    def interrupted(**kwargs: Any) -> Any:
        publication = real(**kwargs)
        if not late:
            late.append(spend(company, "2.00", ref="meanwhile"))
        return publication

    monkeypatch.setattr(jobs, "publish_forecast", interrupted)
    work(queue)
    assert position_of_forecast(company) == late[0] == journal_position(company_id=company.id)


def test_with_redis_stopped_recording_works_at_once_and_the_forecast_catches_up_later(
    own_redis: RedisServer, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "_breaker", CircuitBreaker(rest_seconds=0.1))
    company = up_to_date(small_company(), queue)
    own_redis.stop()
    started = time.perf_counter()
    for number in range(20):
        position = spend(company, "1.00", ref=f"dark-{number}")
    # Loose on purpose: twenty events that each waited for a dead server would take longer.
    assert time.perf_counter() - started < 4.0
    own_redis.start()
    assert queue.count == 0
    time.sleep(0.2)
    assert sweep(now=timezone.now()) == 1
    work(queue)
    assert position_of_forecast(company) == position


def test_what_was_queued_before_redis_was_stopped_is_still_queued_after(
    own_redis: RedisServer, queue: Queue
) -> None:
    company = up_to_date(small_company(), queue)
    position = spend(company, "1.00")
    own_redis.stop()
    own_redis.start()
    work(queue)
    assert position_of_forecast(company) == position


def test_a_hanging_redis_delays_one_event_in_a_while_and_not_each(own_redis: RedisServer, queue: Queue) -> None:
    company = up_to_date(small_company(), queue)
    queue.connection.execute_command("CLIENT", "PAUSE", "30000", "ALL")
    failed, skipped = wakes("failed"), wakes("skipped")
    for number in range(10):
        spend(company, "1.00", ref=f"hang-{number}")
    # One timeout of 100 ms, and after two seconds of rest perhaps another.
    assert wakes("failed") - failed in (1, 2)
    assert wakes("failed") - failed + wakes("skipped") - skipped == 10


def test_a_transient_error_of_the_database_is_tried_again(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    company = up_to_date(small_company(), queue)
    position = spend(company, "1.00")
    real = publish_forecast
    attempts: list[int] = []

    def flaky(**kwargs: Any) -> Any:
        attempts.append(1)
        if len(attempts) < 3:
            raise OperationalError("deadlock detected")
        return real(**kwargs)

    monkeypatch.setattr(jobs, "publish_forecast", flaky)
    work(queue)
    assert len(attempts) == 3
    assert position_of_forecast(company) == position


def test_a_connection_that_postgresql_cut_is_replaced(queue: Queue) -> None:
    company = up_to_date(small_company(), queue)
    position = spend(company, "1.00")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()
    work(queue)
    assert position_of_forecast(company) == position


def test_an_error_that_stays_fails_the_job_and_the_sweeper_wakes_it_again(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = up_to_date(small_company(), queue)
    position = spend(company, "1.00")
    real = publish_forecast

    def down(**_: Any) -> None:
        raise OperationalError("the database system is starting up")

    monkeypatch.setattr(jobs, "publish_forecast", down)
    monkeypatch.setattr(jobs, "ATTEMPTS", 2)
    work(queue)
    assert queue.failed_job_registry.count == 1
    monkeypatch.setattr(jobs, "publish_forecast", real)
    assert sweep(now=timezone.now()) == 1
    work(queue)
    assert position_of_forecast(company) == position


def test_a_company_that_another_worker_computes_is_left_to_it(queue: Queue) -> None:
    company = small_company()
    claim_lease(company_id=company.id, owner="somebody")
    assert recompute(company_id=company.id) == "busy"


def test_two_workers_at_once_publish_in_order(queue: Queue) -> None:
    company = up_to_date(small_company(), queue)
    spend(company, "1.00", ref="first")
    results: list[str] = []

    def run() -> None:
        try:
            results.append(recompute(company_id=company.id))
        finally:
            connection.close()

    workers = [threading.Thread(target=run) for _ in range(2)]
    for worker in workers:
        worker.start()
    position = spend(company, "2.00", ref="second")
    for worker in workers:
        worker.join()
    work(queue)
    assert position_of_forecast(company) == position
    positions = list(ForecastRun.objects.filter(basis="free").order_by("id").values_list("position", flat=True))
    assert positions == sorted(positions)


def test_nothing_to_forecast_is_an_answer_and_not_a_failure(queue: Queue) -> None:
    company = create_company(slug="empty", name="Empty", currency="USD", timezone="UTC", now=timezone.now())
    assert recompute(company_id=company.id) == "refused"


def test_a_job_for_a_company_that_is_not_there_does_not_fail_for_ever(queue: Queue) -> None:
    assert recompute(company_id=987_654) == "refused"


# --- Pace -------------------------------------------------------------------------------------------------


def test_an_idle_company_is_computed_at_once(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    company = up_to_date(small_company(), queue)
    ForecastCursor.objects.update(claimed_at=timezone.now() - timedelta(seconds=2))
    monkeypatch.setattr(jobs, "PACE_SECONDS", 1.0)
    slept: list[float] = []
    monkeypatch.setattr(jobs.time, "sleep", slept.append)
    spend(company, "1.00")
    assert recompute(company_id=company.id) == "published"
    assert slept == []


@pytest.mark.parametrize("looked", ["in vain", "for an engine"])
def test_an_event_does_not_wait_for_a_look_that_neither_events_nor_plans_have_caused(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, looked: str
) -> None:
    company = up_to_date(small_company(), queue)
    if looked == "for an engine":
        for module in ("forecasting.services.publish", "forecasting.engine"):
            monkeypatch.setattr(f"{module}.ENGINE_VERSION", "next")
    assert recompute(company_id=company.id) == ("unchanged" if looked == "in vain" else "published")
    monkeypatch.setattr(jobs, "PACE_SECONDS", 600.0)
    slept: list[float] = []
    monkeypatch.setattr(jobs.time, "sleep", slept.append)
    spend(company, "1.00")
    assert recompute(company_id=company.id) == "published"
    assert slept == []
    spend(company, "2.00", ref="another")
    monkeypatch.setattr(jobs, "forecast_waits", lambda: True)
    assert recompute(company_id=company.id) == "paced"


def test_a_company_under_load_is_computed_about_once_a_second(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = up_to_date(small_company(), queue)
    monkeypatch.setattr(jobs, "PACE_SECONDS", 1.0)
    stop = threading.Event()

    def load() -> None:
        number = 0
        while not stop.is_set():
            spend(company, "0.01", ref=f"load-{number}")
            number += 1
            time.sleep(0.02)
        connection.close()

    before = ForecastRun.objects.filter(basis="free").count()
    loader = threading.Thread(target=load)
    loader.start()
    deadline = time.monotonic() + 4.0
    while time.monotonic() < deadline:
        work(queue, max_jobs=1)
    stop.set()
    loader.join()
    computed = ForecastRun.objects.filter(basis="free").count() - before
    assert 2 <= computed <= 5
    work(queue)
    assert position_of_forecast(company) == journal_position(company_id=company.id)


def test_a_company_that_must_wait_lets_another_go_first(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = up_to_date(small_company("busy"), queue)
    idle = up_to_date(small_company("idle"), queue)
    ForecastCursor.objects.filter(company_id=idle.id).update(claimed_at=timezone.now() - timedelta(seconds=60))
    # Only the first claim counts as too recent: a minute's pace keeps the busy company waiting for sure.
    ForecastCursor.objects.filter(company_id=busy.id).update(claimed_at=timezone.now())
    monkeypatch.setattr(jobs, "PACE_SECONDS", 30.0)
    spend(busy, "1.00")
    spend(idle, "1.00")
    work(queue, max_jobs=2)
    assert companies_behind(now=timezone.now()) == (busy.id,)
    assert len([job_id for job_id in queue.get_job_ids() if not job_id.startswith("explain-")]) == 1


# --- Sweeping ---------------------------------------------------------------------------------------------


def test_a_company_that_is_up_to_date_is_not_woken(queue: Queue) -> None:
    up_to_date(small_company(), queue)
    assert sweep(now=timezone.now()) == 0
    assert queue.count == 0


def test_a_company_without_events_is_not_woken(queue: Queue) -> None:
    create_company(slug="empty", name="Empty", currency="USD", timezone="UTC", now=timezone.now())
    assert sweep(now=timezone.now()) == 0


@pytest.mark.parametrize("lost", ["event", "plan", "day", "hour", "engine"])
def test_the_sweeper_finds_whatever_went_unnoticed(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    company = up_to_date(small_company(), queue)
    now = timezone.now()
    if lost == "event":
        spend(company, "1.00")
    elif lost == "plan":
        record_plan(company_id=company.id, raw=PLAN | {"tranches": []}, actor="test", now=now)
    elif lost == "day":
        now += timedelta(days=1)
    elif lost == "hour":
        now += timedelta(hours=1)
    elif lost == "engine":
        ForecastRun.objects.update(engine_version="0")
    queue.empty()
    queue.connection.flushdb()
    assert sweep(now=now) == 1
    assert queue.count == 1


def test_a_refused_company_is_tried_again_when_its_journal_moves_and_not_before(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = small_company()

    def impossible(**_: Any) -> None:
        raise MissingInputs(("no exchange rate from XXX to USD",))

    monkeypatch.setattr("forecasting.services.publish.gather_history", impossible)
    work(queue)
    assert companies_behind(now=timezone.now()) == ()
    spend(company, "1.00")
    assert companies_behind(now=timezone.now()) == (company.id,)


def test_a_published_forecast_is_explained_by_the_next_job(queue: Queue) -> None:
    company = up_to_date(small_company(), queue)
    assert companies_unexplained() == ()
    spend(company, "40000.00")
    work(queue, max_jobs=1)
    assert companies_unexplained() == (company.id,)
    assert [job_id.startswith("explain-") for job_id in queue.get_job_ids()] == [True]
    work(queue)
    assert companies_unexplained() == ()
    assert queue.failed_job_registry.count == 0


def test_numbers_of_all_companies_come_before_any_explanation(queue: Queue) -> None:
    companies = [small_company(slug) for slug in ("one", "two", "three")]
    sweep(now=timezone.now())
    assert queue.count == 3
    work(queue, max_jobs=3)
    assert companies_behind(now=timezone.now()) == ()
    assert len(companies_unexplained()) == len(companies)
    work(queue)
    assert companies_unexplained() == ()


def test_an_explanation_gives_way_to_a_forecast_that_waits(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    first = small_company("one")
    work(queue, max_jobs=1)
    real = jobs.explain_forecasts
    second: list[CompanyRef] = []

    def interrupted(*, pause: Any, **arguments: Any) -> Any:
        if not second:
            second.append(small_company("two"))
        pause()
        return real(pause=pause, **arguments)

    monkeypatch.setattr(jobs, "explain_forecasts", interrupted)
    assert explain(company_id=first.id) == "postponed"
    assert first.id in companies_unexplained()
    work(queue)
    assert companies_unexplained() == ()
    assert companies_behind(now=timezone.now()) == ()


def test_under_endless_load_an_explanation_is_finished_now_and_then(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = small_company()
    work(queue, max_jobs=1)
    spend(company, "1.00", ref="never quiet")
    assert explain(company_id=company.id) == "postponed"
    assert explain(company_id=company.id) == "postponed"
    monkeypatch.setattr(giving_way, "GIVE_WAY_SECONDS", 0.0)
    assert explain(company_id=company.id) == "explained"
    spend(company, "1.00", ref="never quiet, again")
    publish_forecast(company_id=company.id, now=timezone.now())
    monkeypatch.setattr(giving_way, "GIVE_WAY_SECONDS", 60.0)
    assert explain(company_id=company.id) == "postponed"


def test_a_failed_explanation_leaves_the_forecast_and_is_tried_again_later(
    own_redis: RedisServer, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = up_to_date(small_company(), queue)
    position = spend(company, "40000.00")
    real = jobs.explain_forecasts

    def broken(**_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(jobs, "explain_forecasts", broken)
    work(queue)
    assert position_of_forecast(company) == position
    assert queue.failed_job_registry.count == 1
    monkeypatch.setattr(jobs, "explain_forecasts", real)
    sweep(now=timezone.now())
    assert queue.count == 0  # not at once: what is broken is mostly still broken
    queue.connection.delete(f"explain:wake:{company.id}")
    sweep(now=timezone.now())
    work(queue)
    assert companies_unexplained() == ()


def test_a_forecast_is_seen_to_wait_behind_any_number_of_explanations(queue: Queue) -> None:
    for company_id in range(1, 121):
        wake.wake_explanation(company_id=company_id)
    assert not wake.forecast_waits()
    wake.wake(company_id=1)
    assert wake.forecast_waits()
    assert queue.count == 121


def test_companies_that_fell_behind_together_share_a_job_and_one_that_fails_stops_no_other(
    queue: Queue, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    companies = [small_company(slug) for slug in ("one", "two", "three")]
    queue.connection.flushall()  # their wakes were lost
    sweep(now=timezone.now())
    assert queue.count == 1
    sweep(now=timezone.now())
    assert queue.count == 1
    real = publish_forecast

    def broken_for_two(*, company_id: int, **arguments: Any) -> Any:
        if company_id == companies[1].id:
            raise ZeroDivisionError
        return real(company_id=company_id, **arguments)

    monkeypatch.setattr(jobs, "publish_forecast", broken_for_two)
    work(queue, max_jobs=1)
    assert companies_behind(now=timezone.now()) == (companies[1].id,)
    assert queue.failed_job_registry.count == 1
    monkeypatch.setattr(jobs, "publish_forecast", real)
    sweep(now=timezone.now())
    work(queue)
    assert companies_behind(now=timezone.now()) == ()


def test_a_day_of_new_exchange_rates_wakes_everybody_once(
    queue: Queue, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = up_to_date(small_company(), queue)
    rates = jobs.euro_rates()
    monkeypatch.setattr(jobs, "_rates_until", None)
    sweep(now=timezone.now())
    assert queue.count == 0
    monkeypatch.setattr(jobs, "euro_rates", lambda: replace(rates, last_day=rates.last_day + timedelta(days=1)))
    sweep(now=timezone.now())
    assert [job.kwargs for job in queue.jobs] == [{"company_id": company.id}]
    work(queue)
    sweep(now=timezone.now())
    assert queue.count == 0
