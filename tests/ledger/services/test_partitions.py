"""Partitions: made in time, and the net below them emptied."""

from datetime import date

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from ledger.domain.company import CompanyRef
from ledger.domain.month import months_after
from ledger.models.event import CapitalEvent
from ledger.services import partitions
from ledger.services.partitions import MONTHS_AHEAD, MONTHS_BACK, maintain_partitions, make_missing_months
from ledger.services.record import record
from tests.ledger.conftest import NOW, make_draft


def held(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        (count,) = cursor.fetchone()
    return count


def test_months_count_on_over_years() -> None:
    assert months_after(date(2026, 11, 1), 2) == date(2027, 1, 1)
    assert months_after(date(2026, 1, 1), -1) == date(2025, 12, 1)
    assert months_after(date(2026, 1, 1), -13) == date(2024, 12, 1)


def test_maintenance_covers_24_months_back_and_18_ahead_and_is_idempotent(committed_company: CompanyRef) -> None:
    far = NOW.replace(year=2035)
    first = maintain_partitions(now=far)
    assert len(first.made) == MONTHS_BACK + 1 + MONTHS_AHEAD
    assert (first.made[0], first.made[-1]) == (date(2033, 6, 1), date(2036, 12, 1))
    assert maintain_partitions(now=far).made == ()


def test_a_month_is_made_once(committed_company: CompanyRef) -> None:
    month = date(2001, 5, 1)
    assert make_missing_months([month]) == (month,)
    assert make_missing_months([month]) == ()


def test_a_month_made_in_a_transaction_that_is_rolled_back_is_made_again(committed_company: CompanyRef) -> None:
    month = date(2001, 6, 1)
    with transaction.atomic():
        assert make_missing_months([month]) == (month,)
        assert make_missing_months([month]) == ()
        transaction.set_rollback(True)
    assert make_missing_months([month]) == (month,)


def test_a_long_read_makes_nobody_wait_for_months_again_and_again(
    committed_db: str, committed_company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.services.partitions.LOCK_TIMEOUT", "20ms")
    months = [date(2001, 7, 1), date(2001, 8, 1)]
    asked: list[date] = []
    monkeypatch.setattr(
        partitions, "_make", lambda month, make=partitions._make: asked.append(month) or make(month)
    )
    with psycopg.connect(committed_db) as reader:
        reader.execute("SELECT FROM ledger_capitalevent")
        assert make_missing_months(months) == ()
        assert make_missing_months(months) == ()
        assert asked == months[:1]
    monkeypatch.setattr("ledger.services.partitions._rest_until", {})
    assert make_missing_months(months) == tuple(months)


def test_it_refuses_a_month_that_begins_in_the_middle(committed_company: CompanyRef) -> None:
    with connection.cursor() as cursor, pytest.raises(Exception, match="first of a month"):
        cursor.execute("SELECT ledger_make_partition('2001-05-02')")


def test_events_in_the_net_are_recorded_all_the_same_and_moved_out(
    committed_company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.services.record.make_missing_months", lambda months: ())
    dates = ("2002-01-31T23:59:59Z", "2002-02-01T00:00:00Z", "2004-07-04T12:00:00Z")
    drafts = [make_draft(external_ref=day, occurred_at=day) for day in dates]
    outcomes = record(company_id=committed_company.id, drafts=drafts, actor="t", now=NOW)
    assert [outcome.status for outcome in outcomes] == ["recorded"] * 3
    assert held("ledger_capitalevent_default") == 3

    done = maintain_partitions(now=NOW)
    assert done.drained == 3
    assert held("ledger_capitalevent_default") == 0
    assert [held(f"ledger_capitalevent_{leaf}") for leaf in ("y2002m01", "y2002m02", "y2004m07")] == [1, 1, 1]
    assert CapitalEvent.objects.count() == 3
    assert maintain_partitions(now=NOW).drained == 0

    # The new net is a net, and as strict as the old one.
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="append-only"):
        cursor.execute("TRUNCATE ledger_capitalevent_default")


def test_draining_twice_in_a_row_finds_its_names_free(
    committed_company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.services.record.make_missing_months", lambda months: ())
    for year in (2005, 2006):
        draft = make_draft(external_ref=str(year), occurred_at=f"{year}-01-01T00:00:00Z")
        record(company_id=committed_company.id, drafts=[draft], actor="t", now=NOW)
        assert maintain_partitions(now=NOW).drained == 1


def test_a_month_that_lies_in_the_net_does_not_stop_recording(
    committed_company: CompanyRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("ledger.services.record.make_missing_months", lambda months: ())
        first = make_draft(external_ref="1", occurred_at="2007-01-01T00:00:00Z")
        record(company_id=committed_company.id, drafts=[first], actor="t", now=NOW)
    second = make_draft(external_ref="2", occurred_at="2007-01-02T00:00:00Z")
    (outcome,) = record(company_id=committed_company.id, drafts=[second], actor="t", now=NOW)
    assert outcome.status == "recorded"
    assert held("ledger_capitalevent_default") == 2
    assert maintain_partitions(now=NOW).drained == 2
