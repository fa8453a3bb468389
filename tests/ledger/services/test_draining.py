"""The DEFAULT partition is drained while others read and write: nobody fails, no row is missing for a moment."""

import threading
import time

import psycopg
import pytest
from django.db import OperationalError, connection, connections

from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.services.partitions import maintain_partitions
from ledger.services.record import record
from tests.ledger.conftest import NOW, make_draft

NET = "ledger_capitalevent_default"


def held(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        (count,) = cursor.fetchone()
    return count


@pytest.fixture(autouse=True)
def _no_month_is_made_by_recorders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.services.record.make_missing_months", lambda months: ())


def record_into(company: CompanyRef, year: int, numbers: range) -> None:
    drafts = [
        make_draft(external_ref=f"{year}-{number}", occurred_at=f"{year}-{number % 12 + 1:02d}-15T12:00:00Z")
        for number in numbers
    ]
    outcomes = record(company_id=company.id, drafts=drafts, actor="t", now=NOW)
    assert {outcome.status for outcome in outcomes} == {"recorded"}


def test_readers_and_writers_go_on_while_it_drains(committed_company: CompanyRef) -> None:
    record_into(committed_company, 2003, range(3000))
    stop = threading.Event()
    failures: list[BaseException] = []
    written = [0]
    longest = [0.0]

    def write() -> None:
        number = 10_000
        while not stop.is_set():
            begun = time.monotonic()
            # Into the net, also into a month that nobody copied yet, and into an ordinary month.
            record_into(committed_company, 2003 + number % 3, range(number, number + 5))
            longest[0] = max(longest[0], time.monotonic() - begun)
            written[0] += 5
            number += 5

    def read() -> None:
        least = 3000
        while not stop.is_set():
            seen = CapitalEvent.objects.filter(company_id=committed_company.id).count()
            assert seen >= least, f"{least - seen} rows were invisible"
            least = seen

    def guarded(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except BaseException as failure:
            failures.append(failure)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=guarded, args=(work,)) for work in (write, read, read)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.3)
        drained = [maintain_partitions(now=NOW).drained for _ in range(3)]
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
    assert failures == []
    assert drained[0] >= 3000
    maintain_partitions(now=NOW)
    assert held(NET) == 0
    assert CapitalEvent.objects.count() == 3000 + written[0]
    assert CapitalEvent.objects.values("event_id").distinct().count() == 3000 + written[0]


def test_it_waits_for_a_long_reader_without_making_others_wait_long(
    committed_company: CompanyRef, committed_db: str
) -> None:
    record_into(committed_company, 2003, range(5))
    drained: list[int] = []

    def drain() -> None:
        try:
            drained.append(maintain_partitions(now=NOW).drained)
        finally:
            connections.close_all()

    with psycopg.connect(committed_db) as reader:
        reader.execute("SELECT count(*) FROM ledger_capitalevent").fetchone()
        drainer = threading.Thread(target=drain)
        drainer.start()
        time.sleep(0.2)
        begun = time.monotonic()
        for number in range(10):
            record_into(committed_company, 2026, range(number, number + 1))
        # The lock is asked for half a second at a time; ten recordings cannot have waited for the reader's end.
        assert drainer.is_alive()
        assert time.monotonic() - begun < 8
        reader.rollback()
        drainer.join(timeout=60)
    assert drained == [5]


def test_a_failure_in_the_middle_leaves_everything_as_it_was(committed_company: CompanyRef) -> None:
    record_into(committed_company, 2003, range(24))
    with connection.cursor() as cursor:
        # The last step fails, after every other has been done.
        cursor.execute("CREATE VIEW holds_the_net AS SELECT * FROM ledger_capitalevent_default")
        with pytest.raises(Exception, match="depend"):
            maintain_partitions(now=NOW)
        assert held(NET) == 24
        assert CapitalEvent.objects.count() == 24
        cursor.execute("SELECT to_regclass('ledger_capitalevent_y2003m01')")
        assert cursor.fetchone() == (None,)
        cursor.execute("DROP VIEW holds_the_net")
    assert maintain_partitions(now=NOW).drained == 24


def test_it_gives_up_when_the_lock_is_never_granted(
    committed_company: CompanyRef, committed_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.services.transient.MAX_ATTEMPTS", 1)
    record_into(committed_company, 2003, range(5))
    with psycopg.connect(committed_db) as other:
        other.execute("SELECT ledger_lock_draining()")
        with pytest.raises(OperationalError, match="lock timeout"):
            maintain_partitions(now=NOW)
    assert held(NET) == 5


def test_drained_months_are_dressed_and_indexed_like_all_others(committed_company: CompanyRef) -> None:
    record_into(committed_company, 2003, range(1))
    maintain_partitions(now=NOW)
    with connection.cursor() as cursor:
        described = []
        for leaf in ("ledger_capitalevent_y2003m01", "ledger_capitalevent_y2026m06", NET):
            cursor.execute(
                "SELECT array_agg(tgname || tgenabled::text ORDER BY tgname) FROM pg_trigger"
                " WHERE tgrelid = %s::regclass",
                [leaf],
            )
            triggers = cursor.fetchone()
            cursor.execute(
                "SELECT array_agg(DISTINCT split_part(pg_get_indexdef(i.indexrelid), ' USING ', 2)), count(*),"
                " bool_and(p.inhparent IS NOT NULL)"
                " FROM pg_index i LEFT JOIN pg_inherits p ON p.inhrelid = i.indexrelid"
                " WHERE indrelid = %s::regclass",
                [leaf],
            )
            indexes = cursor.fetchone()
            cursor.execute(
                "SELECT array_agg(conname ORDER BY conname) FROM pg_constraint"
                " WHERE conrelid = %s::regclass AND contype = 'c'",
                [leaf],
            )
            described.append((triggers, indexes, cursor.fetchone()))
    assert described[0] == described[1] == described[2]
