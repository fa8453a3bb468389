"""Events that threads have ready together: one statement for all, and each is answered as if it had come alone."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.company import CompanyRef
from ledger.domain.outcome import RECORDED
from ledger.models.account import Account
from ledger.models.event import CapitalEvent
from ledger.selectors.books import Books, read_books
from ledger.selectors.journal import journal_position
from ledger.services import group_commit
from ledger.services.companies import create_company
from ledger.services.journal_rows import journal_row
from ledger.services.journal_table import write_few, write_one
from ledger.services.record import BooksInsufficient, record, record_one
from tests.ledger.conftest import NOW, make_draft


class Crowd:
    """Threads that record an event each, and what they were answered."""

    def __init__(self) -> None:
        self.answers: dict[int, Any] = {}
        self.threads: list[threading.Thread] = []

    def send(self, number: int, work: Callable[[], Any]) -> None:
        def run() -> None:
            try:
                self.answers[number] = work()
            except BooksInsufficient as error:
                self.answers[number] = error
            finally:
                connections.close_all()

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def join(self) -> dict[int, Any]:
        for thread in self.threads:
            thread.join(timeout=30)
            assert not thread.is_alive()
        return self.answers


@contextmanager
def held_journal(url: str, company: CompanyRef) -> Iterator[None]:
    """Keep everybody from the head of a journal, so that whoever writes is still writing when others come."""
    with psycopg.connect(url) as other:
        other.execute("SELECT FROM ledger_journalhead WHERE company_id = %s FOR UPDATE", [company.id])
        yield


def wait_for_line(company: CompanyRef, length: int) -> None:
    ends = time.monotonic() + 2.5
    while time.monotonic() < ends:
        line = group_commit._lines.get(company.id)
        if line is not None and len(line.waiting) == length:
            return
        time.sleep(0.005)
    pytest.fail(f"there are not {length} in the line")


def recorder(company: CompanyRef, books: Books, **changes: Any) -> Callable[[], Any]:
    actor = changes.pop("actor", "t")
    now = changes.pop("now", NOW)
    return lambda: record_one(
        company_id=company.id, draft=make_draft(**changes), actor=actor, now=now, books=books
    )


def together(url: str, company: CompanyRef, works: list[Callable[[], Any]]) -> dict[int, Any]:
    """Run works so that the first is writing while the others come, in their order."""
    crowd = Crowd()
    with held_journal(url, company):
        for number, work in enumerate(works):
            crowd.send(number, work)
            wait_for_line(company, number)
    return crowd.join()


def transactions(company: CompanyRef) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT xmin::text) FROM ledger_capitalevent WHERE company_id = %s", [company.id]
        )
        return int(cursor.fetchone()[0])


@pytest.fixture
def books(committed_company: CompanyRef) -> Books:
    record(company_id=committed_company.id, drafts=[make_draft(external_ref="was")], actor="t", now=NOW)
    return read_books(company_id=committed_company.id)


def test_who_comes_while_one_writes_is_written_with_the_others_in_one_transaction(
    committed_db: str, committed_company: CompanyRef, books: Books
) -> None:
    works = [
        recorder(
            committed_company,
            books,
            external_ref=f"txn-{n}",
            amount=f"{n + 1}.10",
            actor=f"token:{n}",
            now=NOW + timedelta(seconds=n),
            source=f"feed-{n % 2}",
        )
        for n in range(7)
    ]
    answers = together(committed_db, committed_company, works)

    assert [answers[n][0].status for n in range(7)] == [RECORDED] * 7
    # The one before the test, the first, and the six that waited.
    assert transactions(committed_company) == 3
    for n in range(7):
        outcome, entry = answers[n]
        stored = CapitalEvent.objects.get(external_ref=f"txn-{n}")
        # In the order in which they came.
        assert (outcome.position, stored.position, entry.position) == (n + 2, n + 2, n + 2)
        assert stored.event_id.hex() == outcome.event_id
        assert (str(stored.amount), stored.actor) == (f"{n + 1}.100000", f"token:{n}")
        assert stored.recorded_at == NOW + timedelta(seconds=n)
    assert group_commit._lines == {}


def test_one_that_is_not_new_spoils_nothing_for_the_others(
    committed_db: str, committed_company: CompanyRef, books: Books
) -> None:
    references = ["txn-0", "txn-1", "was", "txn-3", "txn-4"]
    works = [recorder(committed_company, books, external_ref=reference) for reference in references]
    answers = together(committed_db, committed_company, works)

    assert isinstance(answers.pop(2), BooksInsufficient)
    assert [outcome.status for outcome, _ in answers.values()] == [RECORDED] * 4
    assert journal_position(company_id=committed_company.id) == 5


def test_two_of_one_object_are_not_written_together(
    committed_db: str, committed_company: CompanyRef, books: Books
) -> None:
    works = [recorder(committed_company, books, external_ref="txn-0")]
    works += [recorder(committed_company, books, external_ref="txn-1", amount=amount) for amount in ("1", "2")]
    works += [recorder(committed_company, books, external_ref="txn-3")]
    answers = together(committed_db, committed_company, works)

    refused = [n for n, answer in answers.items() if isinstance(answer, BooksInsufficient)]
    assert refused == [2]
    assert CapitalEvent.objects.get(external_ref="txn-1").amount == 1
    assert journal_position(company_id=committed_company.id) == 4


def test_books_that_change_meanwhile_refuse_everybody(
    committed_db: str, committed_company: CompanyRef, books: Books
) -> None:
    crowd = Crowd()
    with psycopg.connect(committed_db) as other:
        other.execute("SELECT FROM ledger_journalhead WHERE company_id = %s FOR UPDATE", [committed_company.id])
        for n in range(4):
            crowd.send(n, recorder(committed_company, books, external_ref=f"txn-{n}"))
            wait_for_line(committed_company, n)
        other.execute("UPDATE ledger_company SET name = 'Acme & Co' WHERE id = %s", [committed_company.id])
    answers = crowd.join()

    assert all(isinstance(answer, BooksInsufficient) for answer in answers.values())
    assert journal_position(company_id=committed_company.id) == 1


def test_those_with_other_books_are_written_after_them(
    committed_db: str, committed_company: CompanyRef, books: Books
) -> None:
    Account.objects.create(
        company_id=committed_company.id, name="card", kind="card", currency="USD", timezone="UTC", created_at=NOW
    )
    newer = read_books(company_id=committed_company.id)
    works = [recorder(committed_company, newer if n % 2 else books, external_ref=f"txn-{n}") for n in range(5)]
    answers = together(committed_db, committed_company, works)

    assert [isinstance(answers[n], BooksInsufficient) for n in range(5)] == [True, False, True, False, True]
    assert journal_position(company_id=committed_company.id) == 3


def test_a_failure_of_the_common_statement_leaves_each_to_itself(
    committed_db: str, committed_company: CompanyRef, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **named: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr(group_commit, "write_few", fail)
    works = [recorder(committed_company, books, external_ref=f"txn-{n}") for n in range(4)]
    answers = together(committed_db, committed_company, works)

    assert [answers[n][0].status for n in range(4)] == [RECORDED] * 4
    assert journal_position(company_id=committed_company.id) == 5
    assert group_commit._lines == {}


def test_another_company_does_not_wait(committed_db: str, committed_company: CompanyRef, books: Books) -> None:
    other = create_company(slug="other", name="Other", currency="USD", timezone="UTC", now=NOW)
    record(company_id=other.id, drafts=[make_draft(external_ref="was")], actor="t", now=NOW)
    crowd = Crowd()
    with held_journal(committed_db, committed_company):
        crowd.send(0, recorder(committed_company, books, external_ref="txn-0"))
        wait_for_line(committed_company, 0)
        outcome, _ = recorder(other, read_books(company_id=other.id), external_ref="txn-0")()
        assert outcome.status == RECORDED
        assert 0 not in crowd.answers
    assert crowd.join()[0][0].status == RECORDED


def test_more_than_a_statement_takes_come_in_several(
    committed_db: str, committed_company: CompanyRef, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_TOGETHER", 3)
    works = [recorder(committed_company, books, external_ref=f"txn-{n}") for n in range(8)]
    answers = together(committed_db, committed_company, works)

    assert [answers[n][0].position for n in range(8)] == list(range(2, 10))
    # One before the test, the first, then three, three and one.
    assert transactions(committed_company) == 5


def test_singles_and_batches_of_the_same_objects_wait_and_never_deadlock(
    committed_company: CompanyRef, books: Books
) -> None:
    crowd = Crowd()
    for number in range(8):
        references = [f"txn-{n}" for n in range(30)][:: 1 if number % 2 else -1]
        if number % 4 == 0:
            drafts = [make_draft(external_ref=reference) for reference in references]
            crowd.send(
                number,
                lambda drafts=drafts: record(company_id=committed_company.id, drafts=drafts, actor="t", now=NOW),
            )
        else:

            def one_by_one(references: list[str] = references) -> None:
                for reference in references:
                    try:
                        recorder(committed_company, books, external_ref=reference)()
                    except BooksInsufficient:
                        continue

            crowd.send(number, one_by_one)
    crowd.join()

    assert len(crowd.answers) == 8
    assert CapitalEvent.objects.filter(company_id=committed_company.id).count() == 31
    assert journal_position(company_id=committed_company.id) == 31
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert cursor.fetchone() == (0,)


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
drafts = st.builds(
    make_draft,
    source=text.filter(str.strip).map(str.strip),
    event_type=st.sampled_from(["expense", "income", "credit"]),
    amount=st.decimals("0.000001", "9999999999999", places=6).map(lambda amount: f"{amount:f}"),
    currency=st.sampled_from(["USD", "EUR", "JPY"]),
    occurred_at=st.datetimes(NOW.replace(year=2025, tzinfo=None), NOW.replace(tzinfo=None)).map(
        lambda instant: f"{instant.isoformat(timespec='microseconds')}Z"
    ),
    category=text,
    counterparty=text,
    external_ref=text,
    metadata=st.dictionaries(text, text | st.integers() | st.booleans() | st.none(), max_size=3),
)


@pytest.mark.django_db
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    wanted=st.lists(drafts, min_size=1, max_size=4, unique_by=lambda d: (d.source, d.event_type, d.external_ref))
)
def test_together_they_are_stored_as_each_would_be_alone(company: CompanyRef, wanted: list) -> None:
    books = read_books(company_id=company.id)
    rows = [journal_row(draft, ordinal=0, company_id=company.id, books=books, now=NOW) for draft in wanted]

    def stored(write: Callable[[], Any]) -> tuple:
        with transaction.atomic():
            write()
            with connection.cursor() as cursor:
                cursor.execute("SELECT * FROM ledger_capitalevent ORDER BY position")
                events = cursor.fetchall()
                cursor.execute("SELECT * FROM ledger_externalobject ORDER BY event_id")
                objects = cursor.fetchall()
                cursor.execute("SELECT company_id, name, first_seen_at FROM ledger_source ORDER BY name")
                sources = cursor.fetchall()
            transaction.set_rollback(True)
        assert len(events) == len(wanted)
        return events, objects, sources

    alone = stored(
        lambda: [write_one(row, company_id=company.id, books=books, actor="t", now=NOW) for row in rows]
    )
    few = stored(
        lambda: write_few([(row, "t", NOW) for row in rows], company_id=company.id, books_version=books.version)
    )
    assert few == alone
