"""The track record is kept on the queue of forecasts, and lets every forecast go first."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from forecasting import giving_way, jobs, record_jobs
from forecasting.giving_way import GivingWay
from forecasting.models.record import Backtest, BacktestOrigin, CalibrationVersion
from forecasting.models.run import ForecastRun
from forecasting.record_jobs import keep_record, sweep_records
from forecasting.services import track_record
from forecasting.services.publish import publish_forecast
from ledger.domain.company import CompanyRef
from ledger.services.companies import create_company
from tests.forecasting.conftest import RedisServer
from tests.forecasting.long_company import live, long_company, receive_funding

pytestmark = pytest.mark.usefixtures("committed_db")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "PACE_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "_giving_way", GivingWay())
    monkeypatch.setattr(record_jobs, "_giving_way", GivingWay())


@pytest.fixture
def queue(own_redis: RedisServer) -> Iterator[Queue]:
    with Redis.from_url(own_redis.url) as client:
        yield Queue("forecast", connection=client, serializer=JSONSerializer)


def work(queue: Queue, *, max_jobs: int | None = None) -> None:
    SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer).work(
        burst=True, logging_level="CRITICAL", max_jobs=max_jobs
    )


def past_company(slug: str = "acme", *, days: int = 340) -> CompanyRef:
    """One whose events end yesterday by the real clock, published."""
    now = timezone.now()
    company = long_company(slug, days=days, last_day=now.date() - DAY, now=now)
    publish_forecast(company_id=company.id, now=now)
    return company


def test_a_company_gets_its_back_test_and_a_forecast_that_goes_by_it(queue: Queue) -> None:
    company = past_company()
    queue.empty()
    assert sweep_records(now=timezone.now()) == 1
    assert queue.count == 1
    work(queue)
    backtest = Backtest.objects.get()
    assert BacktestOrigin.objects.count() == len(backtest.as_of_days) > 5
    version = CalibrationVersion.objects.get()
    assert version.state == "calibrated"
    newest = ForecastRun.objects.filter(company_id=company.id, basis="free").latest("id")
    assert newest.result["calibration"]["dispersion"] == version.dispersion
    assert sweep_records(now=timezone.now()) == 0
    assert sweep_records(now=timezone.now() + 32 * DAY) == 1


def test_two_sweeps_enqueue_one_job(queue: Queue) -> None:
    past_company()
    queue.empty()
    sweep_records(now=timezone.now())
    sweep_records(now=timezone.now())
    assert queue.count == 1


def test_while_others_wait_a_turn_does_one_piece_and_goes_to_the_end(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = past_company()
    monkeypatch.setattr(record_jobs, "others_wait", lambda: True)
    queue.empty()
    assert keep_record(company_id=company.id) == "unfinished"
    assert BacktestOrigin.objects.count() == 1
    assert [job.func_name for job in queue.jobs] == ["forecasting.record_jobs.keep_record"]
    assert keep_record(company_id=company.id) == "unfinished"
    assert BacktestOrigin.objects.count() == 2


def test_a_turn_ends_after_its_time(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    company = past_company()
    queue.empty()
    monkeypatch.setattr(record_jobs, "TURN_SECONDS", 0.0)
    assert keep_record(company_id=company.id) == "unfinished"
    assert BacktestOrigin.objects.count() == 1


def test_a_forecast_that_waits_is_published_between_two_turns(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = past_company(), past_company("other", days=60)
    queue.connection.flushdb()
    order: list[tuple[str, int]] = []
    for module, name in ((record_jobs, "keep_record"), (jobs, "recompute")):
        real = getattr(module, name)

        def noted(*, company_id: int, real: Any = real, name: str = name) -> str:
            order.append((name, company_id))
            return real(company_id=company_id)

        monkeypatch.setattr(module, name, noted)
    record_jobs.record_again(company_id=first.id)
    # No `live`: on most weekend days nothing happens in it.
    receive_funding(second, day=timezone.now().date() - DAY, amount="1000.00", now=timezone.now())
    jobs.wake(company_id=second.id)
    work(queue, max_jobs=2)
    assert order == [("keep_record", first.id), ("recompute", second.id)]
    assert BacktestOrigin.objects.count() == 0
    work(queue, max_jobs=1)
    assert order[2:] == [("keep_record", first.id)]
    assert BacktestOrigin.objects.count() > 0


def test_a_forecast_that_comes_last_waits_for_one_piece_and_not_for_each_job_before_it(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = past_company()
    queue.connection.flushdb()
    record_jobs.record_again(company_id=company.id)
    for nobody in range(10_000, 10_030):
        jobs.wake_explanation(company_id=nobody)
        record_jobs.record_again(company_id=nobody)
    order: list[str] = []
    look_back = track_record._look_back

    def noted(*arguments: Any, **named: Any) -> None:
        look_back(*arguments, **named)
        order.append("piece")
        if len(order) == 1:
            jobs.wake(company_id=4711)

    monkeypatch.setattr(track_record, "_look_back", noted)
    monkeypatch.setattr(jobs, "recompute", lambda **_: order.append("forecast"))
    work(queue, max_jobs=2)
    assert order == ["piece", "forecast"]
    behind = [job_id.split("-")[0] for job_id in queue.get_job_ids()]
    assert behind.count("explain") == behind.count("record") - 1 == 30


def test_a_turn_looks_at_the_queue_before_each_piece(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    company = past_company()
    queue.empty()
    order: list[str] = []

    def note(module: Any, name: str, word: str) -> None:
        real = getattr(module, name)

        def noted(*arguments: Any, **named: Any) -> Any:
            order.append(word)
            return real(*arguments, **named)

        monkeypatch.setattr(module, name, noted)

    note(giving_way, "forecast_waits", "look")
    note(record_jobs, "others_wait", "look")
    note(record_jobs, "score_published", "piece")
    note(record_jobs, "due_backtest", "piece")
    note(track_record, "_look_back", "piece")
    monkeypatch.setattr(record_jobs, "TURN_SECONDS", 600.0)
    assert keep_record(company_id=company.id) == "done"
    assert order.count("piece") > 7
    assert order == ["look", "piece"] * (len(order) // 2)


def test_a_turn_that_gives_way_has_done_nothing_and_stands_behind_the_forecast(queue: Queue) -> None:
    company = past_company()
    queue.connection.flushdb()
    jobs.wake(company_id=company.id)
    assert keep_record(company_id=company.id) == "postponed"
    assert BacktestOrigin.objects.count() == 0
    assert [job.func_name for job in queue.jobs] == [
        "forecasting.jobs.recompute",
        "forecasting.record_jobs.keep_record",
    ]


def test_under_endless_load_a_turn_does_one_piece_now_and_then(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = past_company()
    queue.connection.flushdb()
    jobs.wake(company_id=company.id)
    assert keep_record(company_id=company.id) == "postponed"
    monkeypatch.setattr(giving_way, "GIVE_WAY_SECONDS", 0.0)
    assert keep_record(company_id=company.id) == "unfinished"
    assert BacktestOrigin.objects.count() == 1
    monkeypatch.setattr(giving_way, "GIVE_WAY_SECONDS", 60.0)
    assert keep_record(company_id=company.id) == "postponed"


def test_a_company_too_young_for_a_back_test_is_not_woken(queue: Queue) -> None:
    past_company(days=140)
    assert sweep_records(now=timezone.now()) == 0


def test_a_company_whose_past_cannot_be_read_is_left_alone_for_a_while(queue: Queue) -> None:
    company = create_company(slug="empty", name="Empty", currency="USD", timezone="UTC", now=timezone.now())
    assert keep_record(company_id=company.id) == "refused"
    assert keep_record(company_id=4711) == "refused"
    assert queue.count == 0


def test_a_published_forecast_is_found_when_its_days_have_come(queue: Queue) -> None:
    now = timezone.now()
    company = long_company(days=100, last_day=now.date() - 40 * DAY, now=now - 39 * DAY)
    publish_forecast(company_id=company.id, now=now - 39 * DAY)
    live(company, first=now.date() - 39 * DAY, last=now.date() - DAY, now=now)
    publish_forecast(company_id=company.id, now=now)
    assert sweep_records(now=now) == 1
    work(queue)
    assert ForecastRun.objects.filter(cash_scores__days_ahead=30).count() == 2
    assert sweep_records(now=now) == 0


def test_a_dead_redis_does_not_break_the_sweep(own_redis: RedisServer) -> None:
    past_company()
    own_redis.stop()
    assert sweep_records(now=timezone.now()) == 1
