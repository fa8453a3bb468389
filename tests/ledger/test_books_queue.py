"""Matches and rules follow the journal by a queue of their own, soon and without haste."""

import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from capstack.health.queues import queues_without_worker
from ledger import jobs
from ledger.domain.company import CompanyRef
from ledger.importers.csv_mapping import CsvChoices
from ledger.models.category import CategoryAssignment, CategoryRule
from ledger.models.import_file import ImportFile
from ledger.models.matching import MatchCursor, TransferMatch
from ledger.services.import_file import receive_file
from ledger.services.record import record
from tests.ledger.conftest import NOW, make_draft

SAMPLE = Path(__file__).parent / "importers" / "samples" / "ndjson.ndjson"
# What a busy machine may take; how soon it is on an idle one, `bench/matches.py` says.
PATIENCE_SECONDS = 60.0


@pytest.fixture
def queue(empty_redis: Redis) -> Queue:
    return Queue("books", connection=empty_redis, serializer=JSONSerializer)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    jobs._last_kept.clear()
    yield
    jobs._last_kept.clear()


def until(found: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.02)


def write(company: CompanyRef, ref: str, **changes: Any) -> None:
    draft = make_draft(external_ref=ref, **changes)
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="t", now=NOW, create_accounts=True)
    assert outcome.status == "recorded"


def transfer(company: CompanyRef) -> None:
    write(company, "o", event_type="transfer", direction="out", amount="100", account="stripe")
    write(company, "i", event_type="income", amount="100", account="bank", counterparty="STRIPE PAYOUT")


def test_a_match_appears_while_an_import_holds_its_worker(
    committed_company: CompanyRef, committed_db: str, queue: Queue, start_worker: Callable[[str], Any]
) -> None:
    CategoryRule.objects.create(
        company_id=committed_company.id,
        test="contains",
        pattern="stripe",
        category="payouts",
        actor="t",
        changed_at=NOW,
    )
    file_id = receive_file(
        company_id=committed_company.id,
        name="long.ndjson",
        stream=BytesIO(SAMPLE.read_bytes()),
        format_name="auto",
        account=None,
        choices=CsvChoices(),
        actor="t",
        now=NOW,
    )
    with psycopg.connect(committed_db) as holder:
        holder.execute("SELECT FROM ledger_importfile WHERE id = %s FOR UPDATE", [file_id])
        jobs.wake_import(file_id=file_id)
        start_worker("imports")
        start_worker("books")
        until(
            lambda: queues_without_worker(redis_url=settings.REDIS_QUEUE_URL, names=["imports", "books"]) == (),
            seconds=PATIENCE_SECONDS,
        )
        until(lambda: Queue("imports", connection=queue.connection).count == 0, seconds=PATIENCE_SECONDS)
        transfer(committed_company)
        until(lambda: TransferMatch.objects.exists(), seconds=PATIENCE_SECONDS)
        until(lambda: CategoryAssignment.objects.exists(), seconds=PATIENCE_SECONDS)
        assert ImportFile.objects.get().state == "checking"


def test_many_events_wait_in_one_job(committed_company: CompanyRef, queue: Queue) -> None:
    for n in range(20):
        write(committed_company, f"{n}")
    assert queue.count == 1
    assert jobs.keep_books(company_id=committed_company.id) == "followed to 20, 0 assigned"
    write(committed_company, "next")
    assert queue.count == 2


def test_an_event_that_arrives_while_the_books_are_kept_is_not_lost(
    committed_company: CompanyRef, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PACE_SECONDS", 0.0)
    write(committed_company, "before")
    real = jobs.follow_journal

    def interrupted(**kwargs: Any) -> int:
        position = real(**kwargs)
        write(committed_company, "meanwhile")
        return position

    monkeypatch.setattr(jobs, "follow_journal", interrupted)
    jobs.keep_books(company_id=committed_company.id)
    assert queue.count == 2
    monkeypatch.setattr(jobs, "follow_journal", real)
    jobs.keep_books(company_id=committed_company.id)
    assert MatchCursor.objects.get().position == 2


class Clock:
    """A clock that only sleeping moves, so that nothing depends on how fast the machine is."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_company_without_a_pause_lets_another_go_first(
    committed_company: CompanyRef, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(jobs, "time", clock)
    assert jobs.keep_books(company_id=committed_company.id).startswith("followed")
    assert clock.now == 1000.0, "the first look waits for nobody"
    assert jobs.keep_books(company_id=committed_company.id).startswith("followed")
    assert clock.now == pytest.approx(1000.0 + jobs.PACE_SECONDS)
    queue.enqueue("ledger.jobs.keep_books", company_id=0)
    assert jobs.keep_books(company_id=committed_company.id) == "paced"
    assert clock.now < 1000.0 + 2 * jobs.PACE_SECONDS
    assert queue.count == 2
    assert jobs.keep_books(company_id=0) == "gone"


def test_the_sweep_wakes_whom_nobody_woke(committed_company: CompanyRef, queue: Queue) -> None:
    write(committed_company, "1")
    queue.connection.flushdb()
    assert jobs.sweep_books(now=NOW) == 1
    assert jobs.sweep_books(now=NOW) == 1
    assert queue.count == 1
    jobs.keep_books(company_id=committed_company.id)
    assert jobs.sweep_books(now=NOW) == 0
