"""Nothing goes into a closed month: not through the recorder, not past it, not at the very moment it closes."""

import threading
from datetime import UTC, date, datetime

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from ledger.domain.company import CompanyRef
from ledger.models.closed_month import ClosedMonthEntry, MonthClosing
from ledger.models.event import CapitalEvent, JournalHead
from ledger.selectors.audit import audit
from ledger.selectors.books import read_books
from ledger.services.closed_months import NotClosable, close_month, reopen_month
from ledger.services.record import BooksInsufficient, record, record_one
from ledger.services.reverse import reverse
from tests.ledger.conftest import NOW, make_draft, open_company

MAY = date(2026, 5, 1)
IN_MAY = "2026-05-20T12:00:00Z"


def close(company: CompanyRef, month: date = MAY) -> None:
    close_month(company_id=company.id, month=month, reason="reported", actor="admin:ann", now=NOW)


def record_in(company: CompanyRef, occurred_at: str, **options: object) -> tuple:
    draft = make_draft(external_ref=occurred_at, occurred_at=occurred_at)
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="t", now=NOW, **options)
    return outcome.status, [(problem.field, problem.message) for problem in outcome.problems]


def test_an_event_in_a_closed_month_is_rejected_with_the_month(committed_company: CompanyRef) -> None:
    close(committed_company)
    status, ((field, message),) = record_in(committed_company, IN_MAY)
    assert (status, field) == ("rejected", "occurred_at")
    assert "lies in 2026-05, which is closed" in message
    assert record_in(committed_company, "2026-06-01T12:00:00Z")[0] == "recorded"
    assert CapitalEvent.objects.count() == 1


def test_a_month_is_one_of_the_companys_calendar(committed_company: CompanyRef) -> None:
    """Acme is in New York: the first hours of June in UTC are May there."""
    close(committed_company)
    assert record_in(committed_company, "2026-06-01T03:59:59Z")[0] == "rejected"
    assert record_in(committed_company, "2026-06-01T04:00:00Z")[0] == "recorded"
    assert record_in(committed_company, "2026-05-01T03:59:59Z")[0] == "recorded"


def test_a_repeat_of_what_a_closed_month_holds_is_still_a_duplicate(committed_company: CompanyRef) -> None:
    assert record_in(committed_company, IN_MAY)[0] == "recorded"
    close(committed_company)
    assert record_in(committed_company, IN_MAY)[0] == "duplicate"
    other = make_draft(external_ref=IN_MAY, occurred_at=IN_MAY, amount="5.00")
    (outcome,) = record(company_id=committed_company.id, drafts=[other], actor="t", now=NOW)
    assert (outcome.status, [problem.field for problem in outcome.problems]) == ("conflict", ["amount"])


def test_one_event_in_a_closed_month_does_not_sink_the_others(committed_company: CompanyRef) -> None:
    close(committed_company)
    drafts = [
        make_draft(external_ref=str(number), occurred_at=f"2026-0{5 + number % 2}-10T00:00:00Z")
        for number in range(60)
    ]
    outcomes = record(company_id=committed_company.id, drafts=drafts, actor="t", now=NOW)
    assert [outcome.status for outcome in outcomes] == ["rejected", "recorded"] * 30


def test_an_admins_reason_lets_an_event_in_and_is_kept(committed_company: CompanyRef) -> None:
    close(committed_company)
    assert record_in(committed_company, IN_MAY, closed_month_reason="late invoice")[0] == "recorded"
    entry, event = ClosedMonthEntry.objects.get(), CapitalEvent.objects.get()
    assert bytes(entry.event_id) == bytes(event.event_id)
    assert (entry.month, entry.reason, entry.actor, entry.recorded_at) == (MAY, "late invoice", "t", NOW)
    assert [finding for finding in audit(companies=[committed_company]) if finding.difference] == []


def test_a_month_that_was_opened_again_takes_events_and_its_history_stays(committed_company: CompanyRef) -> None:
    close(committed_company)
    reopen_month(company_id=committed_company.id, month=MAY, reason="a mistake", actor="admin:bob", now=NOW)
    assert record_in(committed_company, IN_MAY)[0] == "recorded"
    close(committed_company)
    assert record_in(committed_company, "2026-05-21T12:00:00Z")[0] == "rejected"
    steps = MonthClosing.objects.order_by("id").values_list("closed", "reason", "actor")
    assert list(steps) == [
        (True, "reported", "admin:ann"),
        (False, "a mistake", "admin:bob"),
        (True, "reported", "admin:ann"),
    ]


def test_only_a_company_with_closed_months_is_looked_at(committed_company: CompanyRef) -> None:
    other = open_company("umbrella")
    close(committed_company)
    assert record_in(other, IN_MAY)[0] == "recorded"
    flags = dict(JournalHead.objects.values_list("company_id", "has_closed_months"))
    assert flags == {committed_company.id: True, other.id: False}
    reopen_month(company_id=committed_company.id, month=MAY, reason="x", actor="a", now=NOW)
    assert not JournalHead.objects.get(company_id=committed_company.id).has_closed_months


def test_books_that_were_read_before_the_closing_are_out_of_date(committed_company: CompanyRef) -> None:
    books = read_books(company_id=committed_company.id)
    close(committed_company)
    draft = make_draft(occurred_at=IN_MAY)
    arguments = {"company_id": committed_company.id, "draft": draft, "actor": "t", "now": NOW}
    for known in (books, read_books(company_id=committed_company.id)):
        with pytest.raises(BooksInsufficient):
            record_one(**arguments, books=known)
    outcome, entry = record_one(**arguments)
    assert (outcome.status, entry) == ("rejected", None)
    assert not CapitalEvent.objects.exists()


def test_a_reversal_belongs_to_the_month_of_its_event(committed_company: CompanyRef) -> None:
    record_in(committed_company, IN_MAY)
    event_id = bytes(CapitalEvent.objects.get().event_id).hex()
    close(committed_company)
    arguments = {
        "company_id": committed_company.id,
        "event_id": event_id,
        "reason": "wrong",
        "actor": "t",
        "now": NOW,
    }
    refused = reverse(**arguments)
    assert (refused.status, refused.problems[0].field) == ("rejected", "occurred_at")
    assert reverse(**arguments, into_closed_month=True).status == "recorded"
    assert ClosedMonthEntry.objects.get().reason == "wrong"
    assert reverse(**arguments).status == "duplicate"


def test_the_database_refuses_what_comes_past_the_recorder(
    committed_company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(committed_company)
    monkeypatch.setattr("ledger.services.record.closed_month", lambda *_, **__: None)
    monkeypatch.setattr("ledger.services.transient.FIRST_PAUSE_SECONDS", 0.0)
    for drafts in ([IN_MAY], [f"2026-05-{day:02d}T12:00:00Z" for day in range(2, 28)]):
        with pytest.raises(OperationalError, match=r"month 2026-05 of company .* is closed"):
            record(
                company_id=committed_company.id,
                drafts=[make_draft(external_ref=day, occurred_at=day) for day in drafts],
                actor="t",
                now=NOW,
            )
    assert not CapitalEvent.objects.exists()


def test_a_recorder_that_waits_for_the_closing_learns_of_it(
    committed_company: CompanyRef, committed_db: str
) -> None:
    """Its books say open, the closing commits while it waits for the head row, and it tries again."""
    answers = []

    def record_meanwhile() -> None:
        try:
            answers.append(record_in(committed_company, IN_MAY)[0])
        finally:
            connection.close()

    with psycopg.connect(committed_db) as closer:
        closer.execute(
            "INSERT INTO ledger_monthclosing (company_id, month, closed, reason, actor, recorded_at)"
            " VALUES (%s, %s, true, 'r', 'a', now())",
            [committed_company.id, MAY],
        )
        recorder = threading.Thread(target=record_meanwhile)
        recorder.start()
        recorder.join(timeout=1.0)
        assert recorder.is_alive()
        closer.commit()
        recorder.join(timeout=30)
    assert answers == ["rejected"]
    assert not CapitalEvent.objects.exists()


@pytest.mark.parametrize(
    ("month", "reason", "message"),
    [
        (date(2026, 6, 1), "r", "month is not over yet"),
        (date(2026, 5, 2), "r", "month must be the first day"),
        (MAY, "  ", "reason must have 1 to 255 characters"),
        (MAY, "x" * 256, "reason must have 1 to 255 characters"),
        (date(2026, 4, 1), "r", "month is closed already"),
    ],
)
def test_what_cannot_be_closed_is_refused_with_its_field(
    committed_company: CompanyRef, month: date, reason: str, message: str
) -> None:
    close(committed_company, date(2026, 4, 1))
    with pytest.raises(NotClosable, match=message):
        close_month(company_id=committed_company.id, month=month, reason=reason, actor="a", now=NOW)
    assert MonthClosing.objects.count() == 1


def test_the_last_hours_of_a_month_elsewhere_are_not_over_here(committed_company: CompanyRef) -> None:
    first_of_june_in_utc = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
    with pytest.raises(NotClosable, match="not over yet"):
        close_month(company_id=committed_company.id, month=MAY, reason="r", actor="a", now=first_of_june_in_utc)


def test_an_open_month_cannot_be_opened(committed_company: CompanyRef) -> None:
    with pytest.raises(NotClosable, match="is not closed"):
        reopen_month(company_id=committed_company.id, month=MAY, reason="r", actor="a", now=NOW)


@pytest.mark.parametrize("table", ["ledger_monthclosing", "ledger_closedmonthentry"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_closings_are_append_only(committed_company: CompanyRef, table: str, statement: str) -> None:
    close(committed_company)
    record_in(committed_company, IN_MAY, closed_month_reason="r")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))
