"""The chain sees every column of the table, in PostgreSQL and in Python alike, and its seals only grow."""

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.domain.chain import COLUMNS, row_digest
from ledger.domain.company import CompanyRef
from ledger.models.seal import Seal
from ledger.selectors.chain import chain_rows
from ledger.services.record import record
from ledger.services.reverse import reverse
from ledger.services.sealing import seal
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def odd_rows(company: CompanyRef) -> CompanyRef:
    """Rows with what is hard to spell: several bytes per character, numbers in JSON, parts of seconds."""
    drafts = [
        make_draft(external_ref="1", counterparty="Café 🙂", metadata={"b": 1, "aa": [1.50, None, "x:y"]}),
        make_draft(external_ref="2", amount="99999999999999.999999", metadata="12:text\n-"),
        make_draft(
            external_ref="3",
            amount="12.34",
            currency="EUR",
            occurred_at="2026-06-01T14:00:00.000001+05:30",
            category="7:food-3:",
        ),
        make_draft(external_ref="", occurred_at="1999-01-01T00:00:00Z", event_type="adjustment", direction="in"),
    ]
    outcomes = record(company_id=company.id, drafts=drafts, actor="token:feed", now=NOW)
    assert {outcome.status for outcome in outcomes} == {"recorded"}
    reverse(company_id=company.id, event_id=outcomes[0].event_id, reason="wrong", actor="admin:a", now=NOW)
    return company


def test_a_column_that_is_added_must_be_added_to_the_chain() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'ledger_capitalevent'::regclass"
            " AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        assert tuple(name for (name,) in cursor.fetchall()) == COLUMNS


def test_postgresql_and_python_compute_the_same_digests(odd_rows: CompanyRef) -> None:
    for zone in ("UTC", "Asia/Kolkata"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('timezone', %s, true)", [zone])
            cursor.execute("SELECT ledger_row_digest(e) FROM ledger_capitalevent e ORDER BY position")
            computed = [bytes(digest) for (digest,) in cursor.fetchall()]
        assert computed == [row_digest(values) for values in chain_rows(company_id=odd_rows.id)]
        assert len(set(computed)) == 5


OTHERS = {
    "bigint": "(e.{0} + 1)",
    "integer": "(e.{0} + 1)",
    "bytea": "sha256('another')",
    "timestamp with time zone": "(e.{0} + interval '1 microsecond')",
    "numeric": "(e.{0} / 2)",
    "character varying": "CASE e.{0} WHEN '' THEN '~' ELSE overlay(e.{0} placing '~' from 1) END",
    "jsonb": "'{{\"another\": 1}}'",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_no_column_can_change_without_another_digest(odd_rows: CompanyRef, column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT regexp_replace(format_type(atttypid, atttypmod), '\\(.*', '') FROM pg_attribute"
            " WHERE attrelid = 'ledger_capitalevent'::regclass AND attname = %s",
            [column],
        )
        ((kind,),) = cursor.fetchall()
        other = OTHERS[kind].format(column)
        changed = ", ".join(other if name == column else f"e.{name}" for name in COLUMNS)
        cursor.execute(
            f"SELECT bool_and(ledger_row_digest(e) <> ledger_row_digest(ROW({changed})::ledger_capitalevent))"
            " FROM ledger_capitalevent e"
        )
        assert cursor.fetchone() == (True,)


@pytest.mark.parametrize("replica", [False, True])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_seal SET head = head",
        "DELETE FROM ledger_seal",
        "TRUNCATE ledger_seal",
    ],
)
def test_nothing_changes_a_seal(odd_rows: CompanyRef, statement: str, replica: bool) -> None:
    seal(company_id=odd_rows.id, now=NOW)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = %s", ["replica" if replica else "origin"])
        with pytest.raises(IntegrityError, match="seals are append-only"), transaction.atomic():
            cursor.execute(statement)
    assert Seal.objects.count() == 1
