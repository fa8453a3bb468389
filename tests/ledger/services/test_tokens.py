"""Tokens: shown once, stored hashed, known again, revoked."""

import re
from datetime import timedelta
from typing import Any

import pytest

from ledger.domain.company import CompanyRef
from ledger.models.token import ApiToken
from ledger.services.tokens import InvalidToken, create_token, identify_token, revoke_token
from tests.ledger.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(company: CompanyRef) -> str:
    return create_token(company_id=company.id, name="ci", scopes=["ingest", "read", "read"], now=NOW)


def test_a_token_is_43_url_safe_characters_and_only_its_hash_is_kept(token: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43,}", token)
    row = ApiToken.objects.get()
    assert token not in str(vars(row))
    assert len(bytes(row.token_sha256)) == 32
    assert row.scopes == ["ingest", "read"]


def test_it_is_known_again_with_its_company(token: str, company: CompanyRef) -> None:
    identity = identify_token(token=token, now=NOW)
    assert identity is not None
    assert (identity.company, identity.scopes, identity.actor) == (company, {"ingest", "read"}, "token:ci")


@pytest.mark.parametrize("wrong", ["", "x", "x" * 43, "é" * 43, "x" * 200, "a b" * 20])
def test_others_are_not(token: str, wrong: str) -> None:
    assert identify_token(token=wrong, now=NOW) is None


def test_a_revoked_token_is_refused_from_now_on(token: str) -> None:
    token_id = ApiToken.objects.get().pk
    assert revoke_token(token_id=token_id, now=NOW)
    assert not revoke_token(token_id=token_id, now=NOW)
    assert identify_token(token=token, now=NOW) is None


def test_its_use_is_noted_once_a_minute(token: str, django_assert_num_queries: Any) -> None:
    def last_used() -> object:
        return ApiToken.objects.get().last_used_at

    with django_assert_num_queries(2):
        identify_token(token=token, now=NOW)
    assert last_used() == NOW
    with django_assert_num_queries(1):
        identify_token(token=token, now=NOW + timedelta(seconds=59))
    assert last_used() == NOW
    identify_token(token=token, now=NOW + timedelta(seconds=60))
    assert last_used() == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("name", "scopes", "reason"),
    [
        ("ci", [], "needs a scope"),
        ("ci", ["ingest", "root"], "root is not a scope"),
        ("  ", ["read"], "needs a name"),
        ("x" * 101, ["read"], "needs a name"),
    ],
)
def test_it_refuses_a_token_without_name_or_scope(
    company: CompanyRef, name: str, scopes: list, reason: str
) -> None:
    with pytest.raises(InvalidToken, match=reason):
        create_token(company_id=company.id, name=name, scopes=scopes, now=NOW)
