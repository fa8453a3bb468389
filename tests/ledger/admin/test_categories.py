"""Rules in the admin: finance staff edits them, a bad one is refused beside its field."""

import pytest
from django.test import Client

from ledger.models.account import Account
from ledger.models.category import CategoryRule
from ledger.models.company import Company, Membership
from ledger.models.user import User
from tests.ledger.conftest import open_company

pytestmark = pytest.mark.django_db
ADD = "/admin/ledger/categoryrule/add/"


@pytest.fixture
def acme(db: None) -> Company:
    return Company.objects.get(id=open_company().id)


def staff(client: Client, company: Company, role: str) -> Client:
    user = User.objects.create_user(f"{role}@example.com", "correct horse battery staple", is_staff=True)
    Membership.objects.create(company=company, user=user, role=role)
    client.force_login(user)
    return client


def form(company: Company, **changes: str) -> dict[str, str]:
    return {
        "company": f"{company.id}",
        "priority": "10",
        "test": "regex",
        "pattern": "aws|amazon",
        "account": "",
        "category": "cloud",
        "counterparty": "",
        "active": "on",
        **changes,
    }


def test_finance_adds_a_rule_under_its_name(client: Client, acme: Company) -> None:
    response = staff(client, acme, "finance").post(ADD, form(acme))
    assert response.status_code == 302
    assert CategoryRule.objects.get().actor == "admin:finance@example.com"


@pytest.mark.parametrize("company", ["", "0"])
def test_a_rule_of_no_company_is_refused_beside_its_field(client: Client, acme: Company, company: str) -> None:
    response = staff(client, acme, "finance").post(ADD, {**form(acme), "company": company})
    assert response.status_code == 200
    assert "company" in response.context["adminform"].form.errors


def test_a_founder_adds_none(client: Client, acme: Company) -> None:
    assert staff(client, acme, "founder").post(ADD, form(acme)).status_code == 403


@pytest.mark.parametrize("pattern", ["(", "x*", "(a|aa)+$!"])
def test_a_pattern_that_would_do_harm_is_refused(client: Client, acme: Company, pattern: str) -> None:
    response = staff(client, acme, "finance").post(ADD, form(acme, pattern=pattern))
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert not CategoryRule.objects.exists()


def test_an_account_of_another_company_is_refused(client: Client, acme: Company) -> None:
    other = Account.objects.get(company_id=open_company("globex").id)
    staff(client, acme, "finance").post(ADD, form(acme, test="account", pattern="", account=f"{other.id}"))
    assert not CategoryRule.objects.exists()


def test_a_rule_is_changed_and_another_companys_is_not_found(client: Client, acme: Company) -> None:
    client = staff(client, acme, "finance")
    client.post(ADD, form(acme))
    number = CategoryRule.objects.get().id
    changed = client.post(f"/admin/ledger/categoryrule/{number}/change/", form(acme, category="hosting"))
    assert changed.status_code == 302
    assert CategoryRule.objects.get().category == "hosting"
    globex = open_company("globex")
    CategoryRule.objects.update(company_id=globex.id)
    assert client.get(f"/admin/ledger/categoryrule/{number}/change/").status_code == 302
