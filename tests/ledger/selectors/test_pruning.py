"""The queries that pages and the API run read the months they ask for and no others: shown by EXPLAIN."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.selectors.balances import cash_by_currency
from ledger.selectors.cash_days import cash_days
from ledger.selectors.flows import daily_flows
from ledger.selectors.journal import EventFilter, find_event, last_event_day, list_events
from ledger.selectors.payment_refunds import Payment, payment_refunds
from ledger.selectors.restricted_cash import restricted_cash
from ledger.services.record import record
from ledger.services.reverse import reverse
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db

JUNE_1 = date(2026, 6, 1)
MAY_AND_JUNE = EventFilter(
    occurred_from=datetime(2026, 5, 1, tzinfo=UTC), occurred_before=datetime(2026, 7, 1, tzinfo=UTC)
)


def read_leaves(query: Callable[[], Any]) -> set[str]:
    """Run something and return the partitions of the journal that the plans of its statements read."""
    found = _named(query, "Relation Name")
    return {
        table.removeprefix("ledger_capitalevent_") for table in found if table.startswith("ledger_capitalevent")
    }


def read_indexes(query: Callable[[], Any]) -> set[str]:
    return _named(query, "Index Name")


def _named(query: Callable[[], Any], what: str) -> set[str]:
    """Run something and return the names of one kind in the plans of its statements."""
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        query()
    found: set[str] = set()
    assert statements
    for sql, params in statements:
        if not sql.lstrip().upper().startswith(("SELECT", "WITH")):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
            plan = cursor.fetchone()[0]
        found |= set(_names(plan if isinstance(plan, list) else json.loads(plan), what))
    return found


def _names(plan: Any, what: str) -> list[str]:
    if isinstance(plan, list):
        return [name for part in plan for name in _names(part, what)]
    own = [plan[what]] if what in plan else []
    return own + [name for below in ("Plan", "Plans") if below in plan for name in _names(plan[below], what)]


@pytest.fixture
def entry(company: CompanyRef) -> str:
    (outcome,) = record(company_id=company.id, drafts=[make_draft()], actor="t", now=NOW)
    return outcome.event_id


def test_without_a_period_every_month_is_read(company: CompanyRef) -> None:
    """The measure of the others: a filter that says nothing of time looks everywhere."""
    assert len(read_leaves(lambda: list_events(company_id=company.id, where=EventFilter(source="card")))) > 40


def test_a_list_of_a_period_reads_its_months(company: CompanyRef, entry: str) -> None:
    read = read_leaves(lambda: list_events(company_id=company.id, where=MAY_AND_JUNE))
    assert read == {"y2026m05", "y2026m06"}


@pytest.mark.parametrize("more", [{"source": "card"}, {"event_type": "expense"}, {"external_ref": "txn-1"}])
def test_a_filtered_list_of_a_period_reads_its_months(company: CompanyRef, more: dict[str, str]) -> None:
    where = EventFilter(
        occurred_from=MAY_AND_JUNE.occurred_from, occurred_before=MAY_AND_JUNE.occurred_before, **more
    )
    assert read_leaves(lambda: list_events(company_id=company.id, where=where)) == {"y2026m05", "y2026m06"}


def test_the_admins_list_of_a_month_reads_that_month(company: CompanyRef, entry: str) -> None:
    of_june = CapitalEvent.objects.filter(
        company_id=company.id,
        occurred_at__gte=datetime(2026, 6, 1, tzinfo=UTC),
        occurred_at__lt=datetime(2026, 7, 1, tzinfo=UTC),
    )
    assert read_leaves(lambda: list(of_june.order_by("-company_id", "-position")[:100])) == {"y2026m06"}


def test_an_event_whose_time_is_known_is_looked_for_in_its_month(company: CompanyRef, entry: str) -> None:
    occurred_at = datetime(2026, 6, 1, 14, 0, tzinfo=UTC)
    assert read_leaves(lambda: find_event(company_id=company.id, event_id=entry, occurred_at=occurred_at)) == {
        "y2026m06"
    }


def test_daily_flows_cash_days_and_balances_do_not_touch_the_journal(company: CompanyRef) -> None:
    for query in (
        lambda: daily_flows(company_id=company.id, until=date(2026, 6, 30)),
        lambda: cash_by_currency(company_id=company.id, at=date(2026, 6, 30)),
        lambda: cash_days(company_id=company.id, start=date(2026, 6, 1), before=date(2026, 7, 1)),
        lambda: last_event_day(company_id=company.id),
    ):
        assert read_leaves(query) == set()


@pytest.mark.parametrize(
    ("more", "query", "index"),
    [
        (
            {"metadata": {"refund_of": "ch_1"}},
            lambda company: payment_refunds(
                company_id=company.id,
                timezone=company.timezone,
                payments=[Payment("", "bank-feed", "ch_1", JUNE_1, "", Decimal(1), "USD", Decimal(1))],
                first=date(2026, 5, 1),
                before=date(2026, 7, 1),
            ),
            "company_id_source_occurred_at_idx",
        ),
        (
            {"category": "payroll_tax", "metadata": {"check_date": "2026-05-30"}},
            lambda company: restricted_cash(
                company_id=company.id, timezone=company.timezone, at=date(2026, 5, 31)
            ),
            "company_id_occurred_at_idx",
        ),
    ],
)
def test_what_is_rare_in_the_journal_is_found_by_an_index_of_its_own(
    company: CompanyRef, more: dict[str, Any], query: Callable[[CompanyRef], Any], index: str
) -> None:
    rare = [make_draft(external_ref=f"rare-{number}", **more) for number in range(20)]
    usual = [make_draft(external_ref=f"usual-{number}") for number in range(1500)]
    record(company_id=company.id, drafts=[*rare, *usual], actor="t", now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ledger_capitalevent, ledger_externalobject")
    read = read_indexes(lambda: query(company))
    assert f"ledger_capitalevent_y2026m06_{index}" in read


def test_a_reversal_is_written_from_the_month_of_its_event(company: CompanyRef, entry: str) -> None:
    arguments = {"company_id": company.id, "event_id": entry, "reason": "wrong", "actor": "t", "now": NOW}
    assert reverse(**arguments).status == "recorded"
    occurred_at = CapitalEvent.objects.values_list("occurred_at", flat=True)[0]
    assert {"y2026m06"} == read_leaves(
        lambda: find_event(company_id=company.id, event_id=entry, occurred_at=occurred_at)
    )
