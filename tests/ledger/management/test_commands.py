"""The commands: what they print, and how they refuse."""

import json
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ledger.domain.company import CompanyRef
from ledger.models.company import Company, Membership
from ledger.models.token import ApiToken
from ledger.models.user import User
from ledger.services.tokens import identify_token
from tests.ledger.conftest import NOW

pytestmark = pytest.mark.django_db


def output_of(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def test_create_company_opens_the_books() -> None:
    User.objects.create_user("ann@acme.test", "a password of some length")
    books = ("--name", "Acme Inc.", "--currency", "EUR", "--timezone", "Europe/Berlin")
    member = ("--member", "ann@acme.test", "--role", "finance")
    report = json.loads(output_of("create_company", "acme", *books, *member, "--json"))
    company = Company.objects.get()
    assert report == {
        "id": company.pk, "slug": "acme", "name": "Acme Inc.", "currency": "EUR", "timezone": "Europe/Berlin"
    }  # fmt: skip
    assert Membership.objects.get().role == "finance"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["Bad Slug"], "slug"),
        (["acme", "--currency", "XYZ"], "XYZ"),
        (["acme", "--timezone", "Mars"], "Mars"),
        (["acme", "--member", "nobody@acme.test"], "nobody@acme.test"),
    ],
)
def test_create_company_refuses_in_one_line_and_leaves_nothing(arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason) as refused:
        output_of("create_company", *arguments)
    assert "\n" not in str(refused.value)
    assert not Company.objects.exists()


def test_create_token_prints_the_token_alone_on_the_last_line(company: CompanyRef) -> None:
    lines = output_of("create_token", "acme", "--name", "ci", "--scopes", "ingest, read").splitlines()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43,}", lines[-1])
    identity = identify_token(token=lines[-1], now=NOW)
    assert identity is not None
    assert identity.scopes == {"ingest", "read"}


def test_create_token_can_answer_in_json(company: CompanyRef) -> None:
    report = json.loads(output_of("create_token", "acme", "--name", "ci", "--scopes", "policy", "--json"))
    assert identify_token(token=report.pop("token"), now=NOW)
    assert report == {"company": "acme", "name": "ci", "scopes": ["policy"]}


@pytest.mark.parametrize(
    ("slug", "scopes", "reason"),
    [("globex", "read", "globex"), ("acme", "root", "root is not a scope"), ("acme", ",", "needs a scope")],
)
def test_create_token_refuses(company: CompanyRef, slug: str, scopes: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        output_of("create_token", slug, "--name", "ci", "--scopes", scopes)
    assert not ApiToken.objects.exists()


def test_maintain_partitions_says_what_it_did() -> None:
    assert json.loads(output_of("maintain_partitions", "--json")) == {"made": [], "drained": 0}
    assert "none missing" in output_of("maintain_partitions")
