"""The journal's table is made by SQL, its model by Django: this holds both, and every leaf, together."""

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, models, transaction

from ledger.domain.company import CompanyRef
from ledger.models.event import CapitalEvent
from ledger.services.partitions import make_missing_months
from ledger.services.record import record
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db

JOURNAL = "ledger_capitalevent"


def rows(sql: str, *values: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def leaves() -> list[str]:
    return [
        name
        for (name,) in rows(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", JOURNAL
        )
    ]


def test_model_and_table_have_the_same_columns_of_the_same_types() -> None:
    table = {
        name: (kind, nullable)
        for name, kind, nullable in rows(
            "SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            JOURNAL,
        )
    }
    model = {field.column: (_postgres_type(field), field.null) for field in CapitalEvent._meta.concrete_fields}
    assert model == table


def _postgres_type(field: models.Field) -> str:
    names = {"varchar": "character varying", "timestamp with time zone": "timestamp with time zone"}
    kind = field.rel_db_type(connection) if field.is_relation else field.db_type(connection)
    if field.is_relation:
        kind = field.target_field.rel_db_type(connection)
    return str(kind).replace("varchar", names["varchar"]).replace(", ", ",")


def test_the_key_is_that_of_the_design() -> None:
    ((definition,),) = rows(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'",
        JOURNAL,
    )
    assert definition == "PRIMARY KEY (company_id, event_id, occurred_at)"


def test_the_indexes_are_those_of_the_design() -> None:
    definitions = " | ".join(
        definition for (definition,) in rows("SELECT indexdef FROM pg_indexes WHERE tablename = %s", JOURNAL)
    )
    assert "(company_id, source, event_type, occurred_at) INCLUDE (direction, base_amount)" in definitions
    assert "USING brin (occurred_at)" in definitions
    assert '(company_id, "position")' in definitions
    assert "(company_id, reverses) WHERE (reverses IS NOT NULL)" in definitions


def test_months_from_24_back_to_18_ahead_and_a_default_are_there() -> None:
    assert len(leaves()) >= 24 + 1 + 18 + 1
    ((strategy,),) = rows("SELECT pg_get_partkeydef(%s::regclass)", JOURNAL)
    assert strategy == "RANGE (occurred_at)"
    assert "ledger_capitalevent_default" in leaves()


def test_a_month_is_a_month_in_utc() -> None:
    make_missing_months([NOW.date().replace(year=2010, month=3, day=1)])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'UTC'")
        cursor.execute(
            "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'ledger_capitalevent_y2010m03'"
        )
        assert cursor.fetchone() == ("FOR VALUES FROM ('2010-03-01 00:00:00+00') TO ('2010-04-01 00:00:00+00')",)


def test_every_leaf_refuses_change_and_truncation_always_and_is_vacuumed_early() -> None:
    make_missing_months([NOW.date().replace(year=2011, month=3, day=1)])
    triggers = {
        (table, name): enabled
        for table, name, enabled in rows(
            "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE tgname LIKE 'journal_%%'"
        )
    }
    for table in [JOURNAL, *leaves()]:
        assert triggers[table, "journal_refuses_change"] == "A", table
        assert triggers[table, "journal_refuses_truncate"] == "A", table
    for leaf in leaves():
        ((options,),) = rows("SELECT reloptions FROM pg_class WHERE oid = %s::regclass", leaf)
        assert "autovacuum_vacuum_scale_factor=0.05" in options, leaf


@pytest.fixture
def leaf_of_event(company: CompanyRef) -> Iterator[str]:
    record(company_id=company.id, drafts=[make_draft()], actor="t", now=NOW)
    yield "ledger_capitalevent_y2026m06"
    assert CapitalEvent.objects.count() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET amount = 1",
        "UPDATE {table} SET reason = reason",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "TRUNCATE {table} CASCADE",
    ],
)
@pytest.mark.parametrize("replica", [False, True])
def test_nothing_changes_a_recorded_event(leaf_of_event: str, statement: str, replica: bool) -> None:
    """Not on the parent, not on the leaf, and not in a session that switched ordinary triggers off."""
    for table in (JOURNAL, leaf_of_event):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = %s", ["replica" if replica else "origin"])
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                cursor.execute(statement.format(table=table))


@pytest.mark.parametrize(
    ("column", "value", "constraint"),
    [
        ("amount", "'NaN'", "event_amount_is_positive_and_finite"),
        ("amount", "0", "event_amount_is_positive_and_finite"),
        ("amount", "-1", "event_amount_is_positive_and_finite"),
        ("base_amount", "'NaN'", "event_base_amount_is_finite"),
        ("fx_rate", "'NaN'", "event_fx_rate_is_positive_and_finite"),
        ("event_type", "'refund'", "event_(type_is_known|direction_fits_type)"),
        ("direction", "'up'", "event_direction_(is_known|fits_type)"),
        ("direction", "'in'", "event_direction_fits_type"),
        ("currency", "'usd'", "event_currency_is_a_code"),
        ("metadata", "'[1]'", "event_metadata_is_object_or_text"),
        ("event_id", "'\\x00'", "event_id_is_a_sha256"),
        ("position", "0", "event_position_is_positive"),
        ("source", "''", "event_source_is_named"),
        ("occurred_at", "'1998-12-31 23:59:59+00'", "event_occurred_at_is_plausible"),
        ("revision", "-1", "event_revision_is_not_negative"),
    ],
)
def test_the_database_holds_the_rules_by_itself(
    company: CompanyRef, column: str, value: str, constraint: str
) -> None:
    record(company_id=company.id, drafts=[make_draft()], actor="t", now=NOW)
    columns = [field.column for field in CapitalEvent._meta.concrete_fields]
    changed = {"event_id": "sha256('another')", column: value}
    copies = ", ".join(changed.get(name, name) for name in columns)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {JOURNAL} ({', '.join(columns)}) SELECT {copies} FROM {JOURNAL}")


def test_a_company_or_account_with_events_stays(company: CompanyRef) -> None:
    record(company_id=company.id, drafts=[make_draft()], actor="t", now=NOW)
    for statement in (
        "DELETE FROM ledger_account WHERE company_id = %s",
        "UPDATE ledger_company SET base_currency = 'EUR' WHERE id = %s",
    ):
        with (
            pytest.raises(IntegrityError, match="has events"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, [company.id])


def test_a_company_without_events_can_still_change_its_currency(company: CompanyRef) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_company SET base_currency = 'EUR' WHERE id = %s", [company.id])
        assert cursor.rowcount == 1
