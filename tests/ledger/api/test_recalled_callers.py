"""A caller may be remembered for a minute; what changed in that minute counts all the same."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from ledger.domain.company import CompanyRef
from ledger.models.account import Account
from ledger.models.company import Company
from ledger.models.token import ApiToken
from ledger.selectors.books import read_books
from ledger.selectors.journal import find_event, journal_position
from ledger.services.record import BooksInsufficient, record, record_one
from ledger.services.tokens import revoke_token
from tests.ledger.api.conftest import EVENTS, INGEST, ApiClient, problem
from tests.ledger.conftest import NOW, make_draft

pytestmark = pytest.mark.django_db


def event(reference: str, **changes: Any) -> dict[str, Any]:
    return {
        "source": "card",
        "event_type": "expense",
        "amount": "4.50",
        "currency": "USD",
        "occurred_at": "2026-06-01T10:00:00Z",
        "external_ref": reference,
        **changes,
    }


FOUNDING = {"source": "a", "event_type": "income", "amount_usd": 3, "occurred_at": "2026-06-02T00:00:00Z"}


@pytest.fixture
def known(api: ApiClient) -> ApiClient:
    """Has called before."""
    assert api.post(EVENTS, event("0")).status_code == 201
    return api


def test_a_new_event_of_a_known_caller_takes_one_statement(
    known: ApiClient, django_assert_num_queries: Any
) -> None:
    statements: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        assert known.post(EVENTS, event("1")).status_code == 201
    assert not [sql for sql in statements if "SAVEPOINT" not in sql], "the prepared statement did it all"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (EVENTS, event("1")),
        (EVENTS, event("0")),
        (EVENTS, event("0", amount="9")),
        (EVENTS, event("2", amount="-1")),
        (EVENTS, event("2", account="nowhere")),
        (EVENTS, "{"),
        (EVENTS, event("2", metadata="x" * 70_000)),
        (INGEST, FOUNDING),
        (INGEST, {}),
    ],
)
def test_a_revoked_token_is_refused_at_once_whatever_it_sends(
    known: ApiClient, company: CompanyRef, path: str, body: Any
) -> None:
    revoke_token(token_id=ApiToken.objects.get().pk, now=NOW)
    problem(known.post(path, body), 401)
    problem(known.post(path, body, **{"Idempotency-Key": "k"}), 401)
    assert journal_position(company_id=company.id) == 1


def test_a_token_that_lost_its_scope_is_refused_at_once(known: ApiClient, company: CompanyRef) -> None:
    ApiToken.objects.update(scopes=["read"])
    problem(known.post(EVENTS, event("1")), 403)
    problem(known.post(EVENTS, event("0")), 403)
    assert journal_position(company_id=company.id) == 1


def test_a_deleted_token_is_refused_at_once(known: ApiClient) -> None:
    ApiToken.objects.all().delete()
    problem(known.post(EVENTS, event("1")), 401)


def test_a_new_account_is_known_at_once(known: ApiClient, company: CompanyRef) -> None:
    problem(known.post(EVENTS, event("1", account="card")), 422)
    Account.objects.create(
        company_id=company.id, name="card", kind="card", currency="USD", timezone="UTC", created_at=NOW
    )
    answer = json.loads(known.post(EVENTS, event("1", account="card")).content)
    assert answer["event"]["account"] == "card"


def test_a_renamed_account_is_known_by_its_new_name_at_once(known: ApiClient, company: CompanyRef) -> None:
    Account.objects.update(name="main")
    problem(known.post(EVENTS, event("1", account="bank")), 422)
    answer = json.loads(known.post(EVENTS, event("1")).content)
    assert answer["event"]["account"] == "main"


def test_another_book_currency_counts_at_once(api: ApiClient, company: CompanyRef) -> None:
    problem(api.post(EVENTS, event("1", amount="0")), 422)
    Company.objects.filter(id=company.id).update(base_currency="EUR")
    answer = json.loads(api.post(EVENTS, event("1")).content)
    assert answer["event"]["fx_source"] == "ecb"


def test_only_new_events_are_answered_from_memory(known: ApiClient) -> None:
    assert known.post(EVENTS, event("0")).status_code == 200
    problem(known.post(EVENTS, event("0", amount="5")), 409)
    problem(known.post(EVENTS, event("1", amount="0")), 422)
    assert known.post(EVENTS, event("1")).status_code == 201


def test_the_short_way_writes_what_the_long_way_writes(company: CompanyRef) -> None:
    books = read_books(company_id=company.id)
    drafts = [
        make_draft(external_ref="1", currency="EUR", metadata={"a": ["\\", "\t", 1.5]}, category="é☕"),
        make_draft(external_ref=None, event_type="transfer", direction="in"),
        make_draft(external_ref="3", occurred_at=None),
    ]
    for draft in drafts:
        _, short = record_one(company_id=company.id, draft=draft, actor="t", now=NOW, books=books)
        assert short is not None
        stored = find_event(company_id=company.id, event_id=short.event_id)
        assert stored is not None
        assert json.loads(short.metadata) == json.loads(stored.metadata)
        assert replace(short, metadata="") == replace(stored, metadata="")
        (again,) = record(company_id=company.id, drafts=[draft], actor="t", now=NOW)
        assert (again.status, again.event_id) == ("duplicate", short.event_id)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_company SET timezone = 'UTC'",
        "UPDATE ledger_company SET base_currency = 'EUR'",
        "UPDATE ledger_account SET name = 'main'",
        "INSERT INTO ledger_account (company_id, name, kind, currency, timezone, created_at)"
        " SELECT id, 'card', 'card', 'USD', 'UTC', now() FROM ledger_company",
        "DELETE FROM ledger_account",
        "DELETE FROM ledger_company",
    ],
)
def test_books_that_changed_refuse_a_write_that_relies_on_them(company: CompanyRef, change: str) -> None:
    books = read_books(company_id=company.id)
    with connection.cursor() as cursor:
        if change == "DELETE FROM ledger_company":
            cursor.execute("DELETE FROM ledger_account")
            cursor.execute("DELETE FROM ledger_journalhead")
        cursor.execute(change)
    with pytest.raises(BooksInsufficient):
        record_one(company_id=company.id, draft=make_draft(), actor="t", now=NOW, books=books)
    assert journal_position(company_id=company.id) == 0


def test_the_use_of_a_token_does_not_change_the_books(company: CompanyRef, api: ApiClient) -> None:
    before = read_books(company_id=company.id)
    ApiToken.objects.update(last_used_at=NOW)
    assert read_books(company_id=company.id) == before
