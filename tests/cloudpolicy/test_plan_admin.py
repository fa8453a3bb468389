"""Plans in the admin: read by staff, decided by admins of the company, with a reason."""

import pytest
from django.test import Client
from django.utils import timezone

from cloudpolicy.admin import plans as plans_admin
from cloudpolicy.models.approval import ApprovalKind, PlanApproval
from cloudpolicy.models.kill_switch import KillSwitchTurn
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunKind, ScalingRun
from cloudpolicy.services.policies import policy_in_force
from ledger.models.company import Company, Membership, Role
from ledger.models.user import User
from ledger.services.companies import create_company
from tests.cloudpolicy.groups_of_five import FakeClock, finish, make_five_groups, planned_company
from tests.cloudpolicy.steered_company import NOW
from tests.cloudpolicy.strict_proxy import StrictProxy

pytestmark = pytest.mark.django_db


def sign_in(client: Client, company: Company, role: Role) -> User:
    user = User.objects.create_user(f"{role}-{company.slug}@example.com", "correct horse battery", is_staff=True)
    Membership.objects.create(company=company, user=user, role=role)
    client.force_login(user)
    return user


@pytest.fixture
def plan(strict_aws: StrictProxy, monkeypatch: pytest.MonkeyPatch) -> ScalingPlan:
    """A plan of a fixed day, and an admin whose clock stands on it."""
    make_five_groups()
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    return planned_company()[1]


def test_an_admin_approves_applies_and_rolls_back_with_a_reason(client: Client, plan: ScalingPlan) -> None:
    user = sign_in(client, plan.company, Role.ADMIN)
    page = client.get(f"/admin/cloudpolicy/scalingplan/{plan.pk}/change/").content.decode()
    address = f"/admin/cloudpolicy/scalingplan/{plan.pk}/decide/"
    assert address in page
    assert "resize capstack-dev-asg from 3 to 1 instances" in page
    refused = client.post(address, {"decision": plans_admin.APPLY, "reason": "now"})
    assert (refused.status_code, "it is not approved" in refused.content.decode()) == (422, True)
    assert client.post(address, {"decision": plans_admin.APPROVE, "reason": ""}).status_code == 422
    client.post(address, {"decision": plans_admin.APPROVE, "reason": "read it"})
    approval = PlanApproval.objects.get()
    assert (approval.kind, approval.user, approval.reason) == (ApprovalKind.PERSON, user, "read it")
    assert client.post(address, {"decision": plans_admin.APPLY, "reason": "go"}).status_code == 302
    run = ScalingRun.objects.get()
    assert (run.actor, run.reason) == (f"admin:{user.email}", "go")
    finish(run, FakeClock())
    client.post(address, {"decision": plans_admin.ROLL_BACK, "reason": "money came"})
    assert ScalingRun.objects.filter(kind=RunKind.ROLLBACK).count() == 1
    for model in ("scalingrun", "stepentry", "planapproval", "scalingplan", "heldresource", "killswitchturn"):
        listing = client.get(f"/admin/cloudpolicy/{model}/")
        assert listing.status_code == 200
        if model != "killswitchturn":
            assert client.get(f"/admin/cloudpolicy/{model}/add/").status_code == 403


@pytest.mark.parametrize("role", [Role.FINANCE, Role.FOUNDER])
def test_others_than_admins_decide_nothing(client: Client, plan: ScalingPlan, role: Role) -> None:
    sign_in(client, plan.company, role)
    for decision in (plans_admin.APPROVE, plans_admin.APPLY, plans_admin.ROLL_BACK):
        address = f"/admin/cloudpolicy/scalingplan/{plan.pk}/decide/"
        assert client.post(address, {"decision": decision, "reason": "mine"}).status_code == 403
    assert client.get("/admin/cloudpolicy/killswitchturn/add/").status_code == 403
    assert not PlanApproval.objects.exists()
    assert not ScalingRun.objects.exists()


def test_an_admin_of_another_company_does_not_even_see_the_plan(client: Client, plan: ScalingPlan) -> None:
    other = create_company(slug="other", name="Other", currency="USD", timezone="UTC", now=NOW)
    sign_in(client, other, Role.ADMIN)
    assert f"scalingplan/{plan.pk}/" not in client.get("/admin/cloudpolicy/scalingplan/").content.decode()
    address = f"/admin/cloudpolicy/scalingplan/{plan.pk}/decide/"
    assert client.post(address, {"decision": plans_admin.APPROVE, "reason": "mine"}).status_code == 403


def test_an_admin_pauses_and_goes_on_with_a_reason(client: Client) -> None:
    company = create_company(slug="acme", name="Acme", currency="USD", timezone="UTC", now=NOW)
    policy_in_force(company_id=company.pk, now=NOW)
    sign_in(client, company, Role.ADMIN)
    add = "/admin/cloudpolicy/killswitchturn/add/"
    assert client.post(add, {"company": company.pk, "turn": "on", "reason": " "}).status_code == 422
    page = client.post(add, {"company": company.pk, "turn": "on", "reason": "an outage"}, follow=True)
    assert "The kill switch is on: an outage" in page.content.decode()
    client.post(add, {"company": company.pk, "turn": "off", "reason": "it is over"})
    assert list(KillSwitchTurn.objects.values_list("on", flat=True).order_by("id")) == [True, False]
