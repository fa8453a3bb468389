"""Policies in the admin: read by staff, put in force by admins of the company, never changed."""

from typing import Any

import pytest
from django.test import Client

from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.policy_text import write_yaml
from cloudpolicy.models.policy import PolicyVersion
from cloudpolicy.services.policies import stored_policy
from ledger.models.company import Company, Membership, Role
from ledger.models.user import User
from ledger.services.companies import create_company
from tests.cloudpolicy.steered_company import NOW

pytestmark = pytest.mark.django_db
LIST = "/admin/cloudpolicy/policyversion/"


@pytest.fixture
def acme() -> Company:
    company = create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=NOW)
    stored_policy(company_id=company.pk, now=NOW)
    return company


def sign_in(client: Client, company: Company, role: Role) -> Client:
    user = User.objects.create_user(f"{role}@example.com", "correct horse battery staple", is_staff=True)
    Membership.objects.create(company=company, user=user, role=role)
    client.force_login(user)
    return client


def values(company: Company, **changes: Any) -> dict[str, Any]:
    text = write_yaml({**FOUNDING_LADDER, "name": "from the admin"})
    return {"company": company.pk, "text": text, "because": "tried it", **changes}


def test_an_admin_puts_a_policy_in_force_and_says_why(client: Client, acme: Company) -> None:
    admin = sign_in(client, acme, Role.ADMIN)
    assert "name: founding ladder" in admin.get(f"{LIST}add/").content.decode()
    answer = admin.post(f"{LIST}add/", values(acme), follow=True)
    assert "Version 2 is in force." in answer.content.decode()
    row = PolicyVersion.objects.get(company=acme, version=2)
    assert (row.name, row.actor, row.because) == ("from the admin", "admin:admin@example.com", "tried it")
    assert "capstack-{environment}-asg" in admin.get(f"{LIST}{row.pk}/change/").content.decode()


def test_a_fault_is_named_by_path_and_line(client: Client, acme: Company) -> None:
    text = values(acme)["text"].replace("max: 4", "max: lots")
    line = text[: text.index("lots")].count("\n") + 1
    answer = sign_in(client, acme, Role.ADMIN).post(f"{LIST}add/", values(acme, text=text))
    assert answer.status_code == 422
    assert f"rows[1].capacity.max, line {line}: must be a whole number" in answer.content.decode()
    assert PolicyVersion.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"text": ""}, {"text": "a: ["}, {"because": " "}, {"company": 0}])
def test_a_policy_needs_a_company_a_text_and_a_reason(
    client: Client, acme: Company, wrong: dict[str, Any]
) -> None:
    assert sign_in(client, acme, Role.ADMIN).post(f"{LIST}add/", values(acme) | wrong).status_code == 422


def test_nobody_changes_a_version_and_strangers_see_none(client: Client, acme: Company) -> None:
    (row,) = PolicyVersion.objects.all()
    admin = sign_in(client, acme, Role.ADMIN)
    assert admin.post(f"{LIST}{row.pk}/change/", {"name": "x"}).status_code == 403
    assert admin.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    other = create_company(slug="other", name="Other", currency="USD", timezone="UTC", now=NOW)
    assert admin.post(f"{LIST}add/", values(other)).status_code == 422
    finance = sign_in(client, other, Role.FINANCE)
    assert finance.post(f"{LIST}add/", values(other)).status_code == 403
    assert "founding ladder" not in finance.get(LIST).content.decode()
