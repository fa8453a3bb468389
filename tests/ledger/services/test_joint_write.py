"""Requests that meet share a commit, and each still gets its own answer."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.selectors.books import Books, read_books
from ledger.selectors.journal import find_event
from ledger.services import joint_write, journal_table
from ledger.services.record import BooksInsufficient, record_one
from tests.ledger.conftest import NOW, make_draft
from tests.ledger.services.test_concurrency import THREADS, at_once, positions


@pytest.fixture
def books(committed_company: CompanyRef) -> Books:
    return read_books(company_id=committed_company.id)


@pytest.fixture
def held_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Hold the first writer until all others wait; returns a function that releases it."""
    first, released = threading.Event(), threading.Event()
    write_one = journal_table.write_one

    def slow(*arguments: Any, **options: Any) -> int | None:
        if not first.is_set():
            first.set()
            released.wait(timeout=30)
        return write_one(*arguments, **options)

    monkeypatch.setattr(joint_write, "write_one", slow)
    yield released.set
    released.set()


def release_when_waiting(count: int, release: Callable[[], None]) -> None:
    def watch() -> None:
        while sum(map(len, joint_write._waiting.values())) < count:
            threading.Event().wait(0.002)
        release()

    threading.Thread(target=watch, daemon=True).start()


def send(company: CompanyRef, books: Books, **changes: Any) -> str:
    try:
        outcome, entry = record_one(
            company_id=company.id, draft=make_draft(**changes), actor="t", now=NOW, books=books
        )
    except BooksInsufficient:
        return "insufficient"
    stored = find_event(company_id=company.id, event_id=outcome.event_id)
    assert entry is not None
    assert stored is not None
    assert stored.position == entry.position == outcome.position
    return outcome.status


def transactions() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM ledger_capitalevent")
        (count,) = cursor.fetchone()
    return count


def test_those_that_come_meanwhile_share_one_commit(
    committed_company: CompanyRef, books: Books, held_up: Callable[[], None]
) -> None:
    release_when_waiting(THREADS - 1, held_up)
    answers = at_once(lambda n: send(committed_company, books, external_ref=f"{n}", amount=f"{n + 1}"))
    assert answers == ["recorded"] * THREADS
    assert positions(committed_company) == list(range(1, THREADS + 1))
    assert transactions() == 2


def test_every_one_is_recorded_under_load(committed_company: CompanyRef, books: Books) -> None:
    answers = at_once(
        lambda n: [send(committed_company, books, external_ref=f"{n}-{k}", category=f"{n}") for k in range(25)]
    )
    assert {answer for answers_of_one in answers for answer in answers_of_one} == {"recorded"}
    assert positions(committed_company) == list(range(1, 25 * THREADS + 1))
    assert joint_write._waiting == {}


def test_one_event_sent_by_all_at_once_is_recorded_once(
    committed_company: CompanyRef, books: Books, held_up: Callable[[], None]
) -> None:
    release_when_waiting(THREADS - 1, held_up)
    answers = at_once(lambda _: send(committed_company, books))
    assert Counter(answers) == {"recorded": 1, "insufficient": THREADS - 1}
    assert positions(committed_company) == [1]


def test_books_that_change_meanwhile_stop_all_of_them(
    committed_company: CompanyRef, books: Books, held_up: Callable[[], None]
) -> None:
    def change_and_release() -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE ledger_company SET timezone = 'UTC'")
        connection.close()
        held_up()

    release_when_waiting(THREADS - 1, change_and_release)
    answers = at_once(lambda n: send(committed_company, books, external_ref=f"{n}"))
    assert answers == ["insufficient"] * THREADS
    assert CapitalEvent.objects.count() == 0
    assert joint_write._waiting == {}


def test_when_writing_together_fails_each_writes_for_itself(
    committed_company: CompanyRef, books: Books, held_up: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> dict[int, int]:
        raise OperationalError("a lock was not granted")

    monkeypatch.setattr(joint_write, "write_few", fail)
    release_when_waiting(THREADS - 1, held_up)
    answers = at_once(lambda n: send(committed_company, books, external_ref=f"{n}"))
    assert answers == ["recorded"] * THREADS
    assert transactions() == THREADS
    assert joint_write._waiting == {}


def test_awkward_texts_survive_sharing(
    committed_company: CompanyRef, books: Books, held_up: Callable[[], None]
) -> None:
    texts = ["{a,b}", 'quote " and \\', "NULL", "", "é☕", "tab\t", "(x)", "'"]
    release_when_waiting(THREADS - 1, held_up)
    at_once(
        lambda n: send(
            committed_company,
            books,
            external_ref=f"{n}",
            category=texts[n],
            metadata={"a": texts[n]},
            currency="EUR",
        )
    )
    stored = CapitalEvent.objects.values_list("external_ref", "category", "metadata", "fx_source")
    assert {(ref, category, metadata["a"], source) for ref, category, metadata, source in stored} == {
        (f"{n}", text, text, "ecb") for n, text in enumerate(texts)
    }


def test_inside_a_transaction_it_is_written_alone_and_leaves_with_it(
    committed_company: CompanyRef, books: Books
) -> None:
    with transaction.atomic():
        record_one(company_id=committed_company.id, draft=make_draft(), actor="t", now=NOW, books=books)
        transaction.set_rollback(True)
    assert CapitalEvent.objects.count() == 0
