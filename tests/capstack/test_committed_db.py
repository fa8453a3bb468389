"""The test servers themselves: what a committing test writes is gone afterwards."""

from datetime import UTC, datetime

import psycopg
import pytest

from ledger.models.company import Company

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _write_and_read_from_outside(database_url: str) -> None:
    Company.objects.create(slug="acme", name="Acme", base_currency="USD", timezone="UTC", created_at=NOW)
    with psycopg.connect(database_url) as outside:
        assert outside.execute("select slug from ledger_company").fetchall() == [("acme",)]


@pytest.mark.parametrize("attempt", [1, 2])
def test_it_commits_and_leaves_nothing_behind(committed_db, attempt):
    _write_and_read_from_outside(committed_db)


@pytest.mark.django_db
def test_an_ordinary_test_sees_an_empty_database():
    assert not Company.objects.exists()
