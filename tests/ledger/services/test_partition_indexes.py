"""Indexes on a journal that others write to: built month by month, and gone on with when cut off."""

import itertools
import threading
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, connections

from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.selectors.account_balances import closing_account_balances
from ledger.services.daily_flows import catch_up
from ledger.services.partition_indexes import JournalIndex, build, drop
from ledger.services.record import record
from tests.ledger.conftest import NOW, make_draft, open_company

INDEX = JournalIndex("ledger_capitalevent_for_a_test", "(company_id, counterparty) WHERE amount > 10")
SHAPE = """
    SELECT t.relname, i.relname, pg_get_indexdef(i.oid), x.indisvalid
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    WHERE t.relname IN ('ledger_capitalevent', 'ledger_accountday', 'ledger_dailyflow')
    ORDER BY 1, 2
"""
TABLE = """
    SELECT column_name, data_type, is_nullable, numeric_precision FROM information_schema.columns
    WHERE table_name = 'ledger_accountday'
"""
CONSTRAINTS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass('ledger_accountday')
"""
IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass"
NEXT_LEAF = """
    SELECT min(leaf.relname) FROM pg_class leaf JOIN pg_inherits ON inhrelid = leaf.oid
    WHERE inhparent = 'ledger_capitalevent'::regclass AND NOT EXISTS (
        SELECT FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid
        WHERE i.inhparent = %s::regclass AND x.indrelid = leaf.oid)
"""
LEAVES = "SELECT count(*) FROM pg_inherits WHERE inhparent = %s::regclass"


def book(company: CompanyRef, number: int) -> None:
    draft = make_draft(
        external_ref=f"n-{number}", occurred_at=(NOW - timedelta(days=number % 90)).isoformat(), amount="12.00"
    )
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="t", now=NOW, create_accounts=True)
    assert outcome.status == "recorded"


def rows(query: str, *values: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, list(values))
        return sorted(cursor.fetchall())


def shape() -> tuple[list[tuple[Any, ...]], ...]:
    return rows(SHAPE), rows(TABLE), rows(CONSTRAINTS)


def parts(name: str) -> tuple[int, int]:
    (of_index,), (of_journal,) = rows(LEAVES, name)[0], rows(LEAVES, "ledger_capitalevent")[0]
    return of_index, of_journal


def cut_off_on_the_next_leaf(other: psycopg.Connection) -> None:
    """Cancel what PostgreSQL is building: it leaves an index behind that is not valid."""
    ((leaf,),) = rows(NEXT_LEAF, INDEX.name)
    with other.transaction(), connection.cursor() as cursor:
        other.execute(f"LOCK TABLE {leaf} IN ROW EXCLUSIVE MODE")
        cursor.execute("SET statement_timeout = '300ms'")
        with pytest.raises(OperationalError, match="statement timeout"):
            cursor.execute(f"CREATE INDEX CONCURRENTLY {INDEX.of(leaf)} ON {leaf} {INDEX.definition}")
        cursor.execute("RESET statement_timeout")
    assert rows(IS_VALID, INDEX.of(leaf)) == [(False,)]


@pytest.fixture
def company(committed_db: str) -> CompanyRef:
    found = open_company("acme")
    for number in range(60):
        book(found, number)
    return found


def test_others_record_between_any_two_months_and_it_goes_on_where_it_was_cut_off(
    company: CompanyRef, committed_db: str
) -> None:
    done = 0
    with psycopg.connect(committed_db, autocommit=True) as other:
        other.execute("SET lock_timeout = '5s'")

        def another_records(leaf: str) -> None:
            nonlocal done
            # Locked like the recorder locks it: were the journal locked until the end, this would fail.
            with other.transaction():
                other.execute("LOCK TABLE ledger_capitalevent IN ROW EXCLUSIVE MODE")
                other.execute(f"LOCK TABLE {leaf} IN ROW EXCLUSIVE MODE")
            done += 1
            if done == 3:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            build(INDEX, on_built=another_records)
        assert parts(INDEX.name)[0] == 3
        cut_off_on_the_next_leaf(other)
        build(INDEX, on_built=another_records)
    of_index, of_journal = parts(INDEX.name)
    assert of_index == of_journal == done
    assert all(valid for *_, valid in rows(SHAPE))
    build(INDEX)
    drop(INDEX)
    assert INDEX.name not in {name for _, name, *_ in rows(SHAPE)}


def test_a_filled_database_is_migrated_while_another_connection_records(company: CompanyRef) -> None:
    catch_up(company_id=company.id)
    wanted, balances = shape(), closing_account_balances(company_id=company.id, day=NOW.date())
    call_command("migrate", "ledger", "0028", verbosity=0)
    assert shape() != wanted
    over, failed = threading.Event(), []
    numbers = itertools.count(1_000)

    def go_on_recording() -> None:
        try:
            while not over.is_set():
                book(company, next(numbers))
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    recorder = threading.Thread(target=go_on_recording)
    recorder.start()
    try:
        # Cut off once its first part was done: the table is there, and nobody wrote down that it is.
        call_command("migrate", "ledger", "0029", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'ledger' AND name LIKE '0029%'")
            cursor.execute("DROP INDEX ledger_capitalevent_payroll_tax")
        call_command("migrate", verbosity=0)
    finally:
        over.set()
        recorder.join()
    assert not failed
    recorded = next(numbers) - 1_000
    assert recorded > 0
    assert CapitalEvent.objects.count() == 60 + recorded
    assert shape() == wanted
    catch_up(company_id=company.id)
    after = closing_account_balances(company_id=company.id, day=NOW.date())
    assert {each.account for each in after} == {each.account for each in balances}
    assert call_command("audit_invariants") is None
