"""Opening a company's books, and letting people in."""

import pytest
from django.contrib.auth.models import AnonymousUser

from ledger.domain.company import CompanyNotFound, CompanyRef
from ledger.models.account import Account
from ledger.models.user import User
from ledger.selectors.companies import all_companies, company_ref
from ledger.selectors.journal import journal_position
from ledger.selectors.memberships import companies_of
from ledger.services.companies import InvalidCompany, create_company
from ledger.services.memberships import UnknownPerson, grant_membership
from tests.ledger.conftest import NOW, open_company

pytestmark = pytest.mark.django_db


def test_a_company_begins_with_one_bank_account_and_an_empty_journal(company: CompanyRef) -> None:
    account = Account.objects.get(company_id=company.id)
    assert (account.name, account.kind, account.currency, account.timezone) == (
        "bank", "bank", "USD", "America/New_York"
    )  # fmt: skip
    assert journal_position(company_id=company.id) == 0


def test_it_is_found_by_slug_and_number(company: CompanyRef) -> None:
    assert company_ref(slug="acme") == company_ref(company_id=company.id) == company
    assert all_companies() == (company,)
    with pytest.raises(CompanyNotFound, match="globex"):
        company_ref(slug="globex")
    with pytest.raises(ValueError, match="slug or a company_id"):
        company_ref()


def test_it_names_every_problem(db: None) -> None:
    with pytest.raises(InvalidCompany) as refused:
        create_company(slug="Ac me", name=" ", currency="usd", timezone="Mars/Olympus", now=NOW)
    assert [problem.field for problem in refused.value.errors] == ["slug", "name", "currency", "timezone"]


def test_a_slug_is_taken_once(company: CompanyRef) -> None:
    with pytest.raises(InvalidCompany, match="is taken"):
        open_company("acme")
    assert Account.objects.count() == 1


def test_a_person_sees_the_companies_they_belong_to(company: CompanyRef) -> None:
    open_company("globex")
    user = User.objects.create_user("ann@acme.test", "a password of some length")
    assert companies_of(user) == ()
    grant_membership(company_id=company.id, email="ANN@acme.test", role="finance")
    grant_membership(company_id=company.id, email="ann@acme.test", role="founder")
    assert companies_of(user) == ((company, "founder"),)


def test_a_superuser_is_admin_of_all_and_a_stranger_of_none(company: CompanyRef) -> None:
    root = User.objects.create_superuser("root@capstack.test", "a password of some length")
    assert companies_of(root) == ((company, "admin"),)
    root.is_active = False
    assert companies_of(root) == ()
    assert companies_of(AnonymousUser()) == ()


def test_nobody_unknown_becomes_a_member(company: CompanyRef) -> None:
    with pytest.raises(UnknownPerson, match=r"nobody@acme\.test"):
        grant_membership(company_id=company.id, email="nobody@acme.test", role="admin")
