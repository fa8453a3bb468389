"""The statements behind the journal's pages look at the months they show and at no others."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.selectors import journal_page as pages
from ledger.selectors.journal_page import JournalSearch, PlaceInJournal, journal_page, months_with
from ledger.selectors.moves_of_days import moves_of_days
from ledger.services.daily_flows import catch_up
from ledger.services.record import record
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def months_of(company: CompanyRef) -> Callable[[Callable[[], Any]], set[str]]:
    """Give a function that returns the partitions which the statements of a selector plan to read."""
    drafts = [
        make_draft(external_ref=f"{m}", occurred_at=f"2026-0{m}-15T14:00:00Z", source=f"feed-{m}")
        for m in range(1, 7)
    ]
    record(company_id=company.id, drafts=drafts, actor="t", now=NOW)

    def months(read: Callable[[], Any]) -> set[str]:
        found: set[str] = set()

        def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if "ledger_capitalevent" in sql:
                with connection.cursor() as cursor:
                    cursor.cursor.execute(f"EXPLAIN {sql}", params)
                    plan = "\n".join(line for (line,) in cursor.fetchall())
                found.update(re.findall(r"ledger_capitalevent_(y\d+m\d+|default)", plan))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(explain):
            read()
        return found

    return months


@pytest.mark.parametrize("counted", [1_000_000, 1])
def test_the_months_are_the_same_whether_counted_or_not(
    company: CompanyRef, months_of: Callable, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MAX_COUNTED", counted)
    catch_up(company_id=company.id)
    found = months_with(company_id=company.id, search=JournalSearch(month=date(2026, 4, 1)))
    assert [each.month for each in found] == [date(2026, m, 1) for m in range(6, 0, -1)]
    assert {each.events for each in found} == {1 if counted > 1 else None}
    searched = months_with(company_id=company.id, search=JournalSearch(month=date(2026, 4, 1), account="bank"))
    assert {each.events for each in searched} == {1}


@pytest.mark.parametrize("limit", [40, 1])
def test_a_page_reads_its_month_and_the_one_its_time_zone_reaches_into(
    company: CompanyRef, months_of: Callable, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MAX_SOURCES", limit)
    for search in (
        JournalSearch(month=date(2026, 4, 1)),
        JournalSearch(month=date(2026, 4, 1), text="coffee", account="bank", currency="USD"),
    ):
        place = PlaceInJournal(datetime(2026, 4, 20, tzinfo=UTC), 4)
        for before in (None, place):
            read = months_of(
                lambda search=search, before=before: journal_page(
                    company_id=company.id, timezone=company.timezone, search=search, before=before
                )
            )
            assert {"y2026m04"} <= read <= {"y2026m04", "y2026m05"}


def test_the_days_of_a_break_read_their_months_alone(company: CompanyRef, months_of: Callable) -> None:
    read = months_of(
        lambda: moves_of_days(
            company_id=company.id,
            account_id=None,
            currency="USD",
            start=datetime(2026, 2, 3, tzinfo=UTC),
            end=datetime(2026, 2, 9, tzinfo=UTC),
        )
    )
    assert read == {"y2026m02"}
