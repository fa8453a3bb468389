"""People at the door of the admin: an operator, three people of a company by role, and a stranger from another."""

from collections.abc import Callable

import pytest
from django.test import Client

from ledger.domain.company import CompanyRef
from ledger.models.user import User
from ledger.services.memberships import grant_membership
from ledger.services.record import record
from tests.ledger.conftest import NOW, make_draft, open_company

SignIn = Callable[[str], Client]


def person(email: str, company: CompanyRef | None = None, role: str = "") -> User:
    user = User.objects.create_user(email, "a long enough password")
    if company is not None:
        grant_membership(company_id=company.id, email=email, role=role)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def other(company: CompanyRef) -> CompanyRef:
    """A second company, whose rows nobody of the first may see."""
    return open_company("umbrella", currency="EUR", timezone="Europe/Berlin")


@pytest.fixture
def sign_in(company: CompanyRef, other: CompanyRef) -> SignIn:
    """Give a function that signs in an operator; admin, finance or founder of acme; or an admin of umbrella."""
    User.objects.create_superuser("operator@example.com", "a long enough password")
    for role in ("admin", "finance", "founder"):
        person(f"{role}@example.com", company, role)
    person("stranger@example.com", other, "admin")

    def client_of(name: str) -> Client:
        client = Client()
        client.force_login(User.objects.get(email=f"{name}@example.com"))
        return client

    return client_of


@pytest.fixture
def event_key(company: CompanyRef) -> str:
    """The key, in the admin, of one recorded event: a coffee of acme."""
    draft = make_draft(counterparty="Blue Bottle", metadata={"cups": 1})
    (outcome,) = record(company_id=company.id, drafts=[draft], actor="token:feed", now=NOW)
    return f"{company.id}-{outcome.position}"
