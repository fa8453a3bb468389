"""What `make run` says and does about the demo when there are companies already."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from capstack.demo import company as demo
from capstack.management.commands import prepare
from ledger.models.company import Company
from ledger.services.companies import create_company

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 7, 18, 15, 0, tzinfo=UTC)


def open_company(slug: str) -> None:
    create_company(slug=slug, name="Acme", currency="USD", timezone="UTC", now=NOW)


@pytest.fixture
def make_ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """Prepares and returns what is printed; `meanwhile` happens while static files are collected."""
    small = partial(demo.create_demo, months=3, sign_ins_path=tmp_path / "sign-ins.json")
    monkeypatch.setattr(demo, "create_demo", small)

    def run(meanwhile: Callable[[], object] = lambda: None) -> str:
        monkeypatch.setattr(prepare, "collect_when_changed", meanwhile)
        said = StringIO()
        call_command("prepare", demo=True, stdout=said)
        return said.getvalue()

    return run


def test_a_company_opened_during_the_first_start_does_not_take_the_demo_away(
    make_ready: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", lambda *_: ["django_migrations"])
    assert "the demo company: 18 months" in make_ready(meanwhile=lambda: open_company("acme"))
    assert set(Company.objects.values_list("slug", flat=True)) == {"acme", "demo"}
    # The next start finds it complete, and has nothing to say about it.
    monkeypatch.undo()
    assert "demo company" not in make_ready()


@pytest.mark.parametrize("slug", ["acme", "demo"])
def test_it_says_why_there_is_no_demo(make_ready: Callable[..., str], slug: str) -> None:
    open_company(slug)
    assert "no demo company: the database has companies of its own" in make_ready()
    assert list(Company.objects.values_list("slug", flat=True)) == [slug]


def test_it_says_so_when_the_name_of_the_demo_was_taken_during_the_first_start(
    make_ready: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", lambda *_: ["django_migrations"])
    said = make_ready(meanwhile=lambda: open_company("demo"))
    assert "no demo company: the company demo is Acme: no demo is made over it" in said


def test_a_demo_that_was_cut_short_is_completed_beside_other_companies(make_ready: Callable[..., str]) -> None:
    create_company(slug=demo.SLUG, name=demo.NAME, currency="USD", timezone=demo.TIMEZONE, now=NOW)
    open_company("acme")
    assert "the demo company: 18 months" in make_ready()
    assert not demo.is_wanted()
