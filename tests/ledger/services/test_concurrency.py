"""Many recorders at once, on a database that commits: nothing twice, no gap, no deadlock that reaches a caller."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection, connections

from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.selectors.journal import journal_position
from ledger.services.daily_flows import catch_up
from ledger.services.partitions import make_missing_months
from ledger.services.record import record
from ledger.services.reverse import reverse
from tests.ledger.conftest import NOW, make_draft

THREADS = 8


def at_once(work: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """Run `work(0) … work(threads - 1)` in threads that start together; return what they return."""
    gate = threading.Barrier(threads)

    def run(number: int) -> Any:
        try:
            gate.wait(timeout=30)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def positions(company: CompanyRef) -> list[int]:
    return list(
        CapitalEvent.objects.filter(company_id=company.id).order_by("position").values_list("position", flat=True)
    )


def test_one_event_sent_by_all_at_once_is_recorded_once(committed_company: CompanyRef) -> None:
    outcomes = at_once(
        lambda _: record(company_id=committed_company.id, drafts=[make_draft()], actor="t", now=NOW)[0]
    )
    assert Counter(outcome.status for outcome in outcomes) == {"recorded": 1, "duplicate": THREADS - 1}
    assert len({outcome.event_id for outcome in outcomes}) == 1
    assert positions(committed_company) == [1]


def test_different_content_for_one_object_has_one_winner(committed_company: CompanyRef) -> None:
    outcomes = at_once(
        lambda n: record(
            company_id=committed_company.id, drafts=[make_draft(amount=f"{n + 1}")], actor="t", now=NOW
        )[0]
    )
    assert Counter(outcome.status for outcome in outcomes) == {"recorded": 1, "conflict": THREADS - 1}


def test_the_same_objects_in_any_order_wait_and_never_deadlock(committed_company: CompanyRef) -> None:
    def work(number: int) -> tuple:
        drafts = [make_draft(external_ref=f"txn-{n}") for n in range(300)]
        random.Random(number).shuffle(drafts)
        return record(company_id=committed_company.id, drafts=drafts, actor="t", now=NOW)

    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (before,) = cursor.fetchone()
    outcomes = at_once(work)
    counts = Counter(outcome.status for batch in outcomes for outcome in batch)
    assert counts == {"recorded": 300, "duplicate": 300 * (THREADS - 1)}
    assert positions(committed_company) == list(range(1, 301))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert cursor.fetchone() == (before,)


def test_positions_have_no_gap_and_no_twin_under_load(committed_company: CompanyRef) -> None:
    def work(number: int) -> int:
        recorded = 0
        for n in range(15):
            size = 1 if n % 3 else 40
            drafts = [make_draft(external_ref=f"{number}-{n}-{k}") for k in range(size)]
            outcomes = record(company_id=committed_company.id, drafts=drafts, actor="t", now=NOW)
            recorded += sum(outcome.status == "recorded" for outcome in outcomes)
        return recorded

    total = sum(at_once(work))
    assert positions(committed_company) == list(range(1, total + 1))
    assert journal_position(company_id=committed_company.id) == total


def test_a_reader_that_follows_positions_misses_nothing(committed_company: CompanyRef) -> None:
    """Position order is commit order: once a position is seen, no smaller one can appear later."""
    stop = threading.Event()
    gaps: list[list[int]] = []

    def read() -> None:
        seen = 0
        try:
            while not stop.is_set():
                new = list(
                    CapitalEvent.objects.filter(company_id=committed_company.id, position__gt=seen)
                    .order_by("position")
                    .values_list("position", flat=True)
                )
                if new and new != list(range(seen + 1, new[-1] + 1)):
                    gaps.append(new)
                seen = new[-1] if new else seen
        finally:
            connections.close_all()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        at_once(
            lambda number: [
                record(
                    company_id=committed_company.id,
                    drafts=[make_draft(external_ref=f"{number}-{n}")],
                    actor="t",
                    now=NOW,
                )
                for n in range(25)
            ]
        )
    finally:
        stop.set()
        reader.join(timeout=30)
    assert gaps == []


def test_a_month_missing_for_all_is_made_once(committed_company: CompanyRef) -> None:
    outcomes = at_once(
        lambda n: record(
            company_id=committed_company.id,
            drafts=[make_draft(external_ref=f"old-{n}", occurred_at="2003-02-10T00:00:00Z", currency="USD")],
            actor="t",
            now=NOW,
        )[0]
    )
    assert Counter(outcome.status for outcome in outcomes) == {"recorded": THREADS}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_capitalevent_y2003m02")
        assert cursor.fetchone() == (THREADS,)
        cursor.execute("SELECT count(*) FROM ledger_capitalevent_default")
        assert cursor.fetchone() == (0,)
    assert make_missing_months([NOW.date().replace(year=2003, month=2, day=1)]) == ()


def test_one_event_reversed_by_all_at_once_is_reversed_once(committed_company: CompanyRef) -> None:
    (first,) = record(company_id=committed_company.id, drafts=[make_draft()], actor="t", now=NOW)
    outcomes = at_once(
        lambda n: reverse(
            company_id=committed_company.id, event_id=first.event_id, reason=f"by {n}", actor="t", now=NOW
        )
    )
    assert Counter(outcome.status for outcome in outcomes) == {"recorded": 1, "duplicate": THREADS - 1}
    assert positions(committed_company) == [1, 2]


def test_summing_at_once_sums_once(committed_company: CompanyRef) -> None:
    drafts = [make_draft(external_ref=f"{n}", amount="1") for n in range(200)]
    record(company_id=committed_company.id, drafts=drafts, actor="t", now=NOW)
    reached = at_once(lambda _: catch_up(company_id=committed_company.id))
    assert reached == [200] * THREADS
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(amount), sum(count) FROM ledger_dailyflow")
        assert cursor.fetchone() == (200, 200)


def test_two_imports_that_make_the_same_accounts_both_succeed(committed_company: CompanyRef) -> None:
    outcomes = at_once(
        lambda n: record(
            company_id=committed_company.id,
            drafts=[make_draft(external_ref=f"{n}-{k}", account=f"bank-{k}") for k in range(5)],
            actor="t",
            now=NOW,
            create_accounts=True,
        )
    )
    assert {outcome.status for batch in outcomes for outcome in batch} == {"recorded"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_account")
        assert cursor.fetchone() == (6,)
