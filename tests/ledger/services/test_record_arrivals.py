"""Batches of lines: all at once while they are new, event by event where not; the journal is the same."""

import json
import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.domain.event import parse_event
from ledger.domain.outcome import Outcome
from ledger.domain.strict_json import parse_json
from ledger.models.account import Account
from ledger.models.event import CapitalEvent, ExternalObject
from ledger.selectors.books import read_books
from ledger.selectors.journal import journal_position
from ledger.services import record_arrivals
from ledger.services.alongside import Alongside, Turn
from ledger.services.arrivals import Arrivals, LineReader
from ledger.services.record import record
from ledger.services.record_arrivals import ArrivalRecorder, _Unrecorded
from tests.ledger.conftest import NOW, open_company
from tests.ledger.services.test_concurrency import THREADS, at_once, positions


def raw(reference: str, **changes: Any) -> dict[str, Any]:
    return {
        "source": "card",
        "event_type": "expense",
        "amount": "4.50",
        "currency": "USD",
        "occurred_at": "2026-06-01T10:00:00Z",
        "external_ref": reference,
        **changes,
    }


class Stream:
    """Recorder and reader of one request."""

    def __init__(self, company: CompanyRef) -> None:
        books = read_books(company_id=company.id)
        self.reader = LineReader(company_id=company.id, books=books, now=NOW)
        self.recorder = ArrivalRecorder(
            company_id=company.id, base_currency=books.base_currency, actor="token:ci", now=NOW
        )

    def read(self, *events: dict[str, Any]) -> Arrivals:
        lines = [(number, json.dumps(event).encode()) for number, event in enumerate(events)]
        return self.reader.read(lines, too_long="")

    def record(self, *events: dict[str, Any]) -> list[str] | None:
        outcomes = self.recorder.record(self.read(*events))
        return None if outcomes is None else [outcome.status for outcome in outcomes]


MIXED = [
    raw("1"),
    raw("2", currency="EUR", metadata={"a": ["\\", "\t", 1.5]}, category="é\tx"),
    raw("", event_type="transfer", direction="in", amount=12.25),
    raw("4", occurred_at="2026-05-31T23:00:00-04:00", counterparty="Café"),
    raw("5", event_type="income", source="other"),
]


@pytest.mark.django_db
def test_new_events_are_recorded_as_the_slow_way_records_them(company: CompanyRef) -> None:
    twin = open_company("twin")
    assert Stream(company).record(*MIXED) is None
    drafts = [parse_event(parse_json(json.dumps(event)), now=NOW) for event in MIXED]
    record(company_id=twin.id, drafts=drafts, actor="token:ci", now=NOW)
    for model in (CapitalEvent, ExternalObject):
        fast, slow = (
            [
                {k: v for k, v in row.items() if k not in {"company_id", "account_id", "event_id", "twin"}}
                for row in model.objects.filter(company_id=of.id).order_by("external_ref").values()
            ]
            for of in (company, twin)
        )
        assert fast == slow
    assert journal_position(company_id=company.id) == len(MIXED)


@pytest.mark.django_db
def test_a_repeat_in_a_batch_writes_nothing_at_once(company: CompanyRef) -> None:
    stream = Stream(company)
    assert stream.recorder._attempt(stream.read(raw("1"), raw("2"), raw("1")), Turn()) == _Unrecorded([0, 1, 2])
    assert (journal_position(company_id=company.id), ExternalObject.objects.count()) == (0, 0)
    assert stream.record(raw("1"), raw("2"), raw("1")) == ["recorded", "recorded", "duplicate"]


@pytest.mark.django_db
def test_the_fast_way_is_left_at_a_repeat_and_found_again(
    company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow: list[int] = []

    def counted(**given: Any) -> Any:
        slow.append(len(given["drafts"]))
        return record(**given)

    monkeypatch.setattr(record_arrivals, "record", counted)
    stream = Stream(company)
    assert stream.record(raw("1"), raw("2")) is None
    assert stream.record(raw("2"), raw("3")) == ["duplicate", "recorded"]
    assert stream.record(raw("1"), raw("3")) == ["duplicate", "duplicate"]
    assert stream.record(raw("4")) is None
    assert stream.record(raw("5"), raw("5")) == ["recorded", "duplicate"]
    assert stream.record(raw("4", amount="9")) == ["conflict"]
    assert slow == [1, 2, 1]
    assert journal_position(company_id=company.id) == 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    ["DELETE FROM ledger_account", "UPDATE ledger_company SET base_currency = 'EUR'"],
)
def test_books_that_changed_meanwhile_are_read_again(company: CompanyRef, change: str) -> None:
    stream = Stream(company)
    arrivals = stream.read(raw("1"))
    with connection.cursor() as cursor:
        cursor.execute(change)
    (outcome,) = stream.recorder.record(arrivals)
    if "account" in change:
        assert (outcome.status, journal_position(company_id=company.id)) == ("rejected", 0)
        assert not Account.objects.exists()
    else:
        assert CapitalEvent.objects.get().fx_source == "ecb"


def test_the_same_lines_from_all_at_once_are_recorded_once(committed_company: CompanyRef) -> None:
    def work(number: int) -> Counter[str]:
        stream = Stream(committed_company)
        counts: Counter[str] = Counter()
        for first in range(0, 300, 100):
            batch = [raw(f"{n}") for n in range(first, first + 100)]
            if number % 2:
                batch.reverse()
            statuses = stream.record(*batch)
            counts.update(["recorded"] * len(batch) if statuses is None else statuses)
        return counts

    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (before,) = cursor.fetchone()
    assert sum(at_once(work), Counter()) == {"recorded": 300, "duplicate": 300 * (THREADS - 1)}
    assert positions(committed_company) == list(range(1, 301))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert cursor.fetchone() == (before,)


@pytest.mark.django_db
def test_an_event_that_was_taken_back_is_told_by_the_strict_way(company: CompanyRef) -> None:
    stream = Stream(company)
    stream.record(raw("1"), raw("2"))
    ExternalObject.objects.filter(external_ref="1").update(reversed=True)
    assert stream.recorder._attempt(stream.read(raw("1"), raw("2")), Turn()) == _Unrecorded([0])
    assert stream.record(raw("1", amount="9"), raw("1"), raw("2")) == ["recorded", "conflict", "duplicate"]


def overlapping(company: CompanyRef, batches: list[list[dict[str, Any]]]) -> list[list[str] | None]:
    """Record batches two at once, as a request does."""
    stream = Stream(company)
    given = [stream.read(*batch) for batch in batches]
    made: list[list[Outcome] | None] = []
    with Alongside(stream.recorder.record) as writing:
        for number, arrivals in enumerate(given, start=1):
            made += writing.hand_over(arrivals, is_last=number == len(given))
    return [None if outcomes is None else [outcome.status for outcome in outcomes] for outcomes in made]


def test_of_two_batches_at_once_the_earlier_one_has_its_object(committed_company: CompanyRef) -> None:
    batches = [[raw(f"{n}", amount=f"{n % 7 + 1}"), raw("same", amount=f"{n + 1}")] for n in range(20)]
    first, *rest = overlapping(committed_company, batches)
    assert first is None
    assert rest == [["recorded", "conflict"]] * 19
    assert CapitalEvent.objects.get(external_ref="same").amount == 1
    recorded = CapitalEvent.objects.exclude(external_ref="same").order_by("position")
    assert [event.external_ref for event in recorded] == [f"{n}" for n in range(20)]
    assert positions(committed_company) == list(range(1, 22))


def test_a_batch_that_begins_again_gets_what_the_next_one_had_locked(
    committed_company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its source is there: the first to name a new one has the second wait.
    assert Stream(committed_company).record(raw("0")) is None
    prepared, refused = threading.Event(), threading.Event()
    comes = Turn.comes

    def refuse_once(turn: Turn) -> bool:
        if turn._before is None and not refused.is_set():
            refused.set()
            assert prepared.wait(timeout=30)
            with connection.cursor() as cursor:
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40P01'; END $$")
        if turn._before is not None:
            prepared.set()
        return comes(turn)

    monkeypatch.setattr(Turn, "comes", refuse_once)
    # The second one has its objects by then; it lets go of them, so that the first one cannot wait for it.
    assert overlapping(committed_company, [[raw("1")], [raw("2")], [raw("3")]]) == [None, None, None]
    assert refused.is_set()
    recorded = CapitalEvent.objects.order_by("position")
    assert [event.external_ref for event in recorded] == ["0", "1", "2", "3"]
    assert positions(committed_company) == [1, 2, 3, 4]
