"""A journal in a database of its own, and somebody with an administrator's hands on it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from capstack.embedded.postgres import ADMIN_ROLE, APPLICATION_ROLE
from ledger.domain.company import CompanyRef
from ledger.services.record import record
from ledger.services.sealing import seal
from tests.ledger.conftest import NOW, make_draft

Tamper = Callable[..., None]
_GUARDED = """
    SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger
    WHERE tgname ~ '^(journal|seal|closing|provenance)_refuses_'
"""


def record_numbered(company: CompanyRef, numbers: range) -> list[str]:
    """Record an event per number, on days of two months; return their ids."""
    drafts = [
        make_draft(external_ref=f"txn-{number}", amount=f"{number + 1}.25", occurred_at=_day(number))
        for number in numbers
    ]
    return [outcome.event_id for outcome in record(company_id=company.id, drafts=drafts, actor="t", now=NOW)]


def _day(number: int) -> str:
    return f"2026-{5 + number % 2:02d}-{number % 28 + 1:02d}T12:00:00Z"


@pytest.fixture
def sealed_company(committed_company: CompanyRef) -> CompanyRef:
    """A company with ten sealed events."""
    record_numbered(committed_company, range(1, 11))
    assert seal(company_id=committed_company.id, now=NOW) == 10
    return committed_company


@pytest.fixture
def heads(tmp_path: Path) -> str:
    return str(tmp_path / "heads")


@pytest.fixture
def tamper(committed_db: str) -> Iterator[Tamper]:
    """Give a function that runs SQL as the administrator of the database, with every trigger switched off."""
    has_password = urlsplit(committed_db).password
    as_admin = committed_db if has_password else committed_db.replace(f"{APPLICATION_ROLE}@", f"{ADMIN_ROLE}@", 1)
    with psycopg.connect(as_admin, autocommit=True) as session:
        pid = session.info.backend_pid
        guarded = [table for (table,) in session.execute(_GUARDED).fetchall()]

        def run(*statements: str) -> None:
            with session.transaction():
                for table in guarded:
                    session.execute(f"ALTER TABLE IF EXISTS {table} DISABLE TRIGGER USER")
                for statement in statements:
                    session.execute(statement)

        yield run
    # The database cannot be dropped by its owner while an administrator's session is still leaving.
    with connection.cursor() as cursor:
        for _ in range(200):
            cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid])
            if cursor.fetchone() is None:
                break
            time.sleep(0.02)
