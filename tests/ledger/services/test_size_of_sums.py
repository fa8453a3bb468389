"""Daily sums take the place of what they were before: who reads them does not go through what is dead."""

from datetime import date, timedelta

from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.models.daily_flow import AccountDay, DailyFlow
from ledger.services.daily_flows import catch_up
from ledger.services.record import record
from tests.ledger.conftest import NOW, make_draft

DAYS = 300
STEPS = 12


def pages(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::integer", [table])
        (found,) = cursor.fetchone()
    return int(found)


def test_sums_do_not_grow_with_the_steps_that_they_are_made_in(committed_company: CompanyRef) -> None:
    tables = [model._meta.db_table for model in (DailyFlow, AccountDay)]
    grown: list[list[int]] = []
    for step in range(STEPS):
        days = [date(2025, 1, 1) + timedelta(days=number) for number in range(DAYS)]
        drafts = [make_draft(external_ref=f"{day}-{step}", occurred_at=f"{day}T14:00:00Z") for day in days]
        record(company_id=committed_company.id, drafts=drafts, actor="t", now=NOW, create_accounts=True)
        catch_up(company_id=committed_company.id)
        grown.append([pages(table) for table in tables])
    assert DailyFlow.objects.count() == AccountDay.objects.count() == DAYS
    for before, after in zip(grown[1], grown[-1], strict=True):
        assert after <= 2 * before, grown
