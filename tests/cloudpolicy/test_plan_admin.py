"""Plans in the admin: read by finance, approved, applied and rolled back by admins through the services."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from capstack.demo.cloud import seed_groups
from cloudpolicy.models.approval import PlanApproval
from cloudpolicy.models.kill_switch import KillSwitchTurn
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunKind, RunState, ScalingRun
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.running import work_on
from ledger.models.company import Company, Membership, Role
from ledger.models.user import User
from tests.cloudpolicy.groups_of_five import FakeClock
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW, steered_company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]
LATER = NOW + timedelta(minutes=1)
SWITCH = "/admin/cloudpolicy/killswitchturn/"


@pytest.fixture
def plan(aws: RecordingProxy, monkeypatch: pytest.MonkeyPatch) -> ScalingPlan:
    """A plan made a moment ago, by the clock of the pages."""
    seed_groups(endpoint=aws.url, region="us-east-1")
    company = steered_company(days=80)
    monkeypatch.setattr("django.utils.timezone.now", lambda: LATER)
    made = plan_scaling(company_id=company.id, now=LATER)
    aws.actions.clear()
    return ScalingPlan.objects.get(pk=made.plan_id)


def sign_in(client: Client, role: Role, company: Company, name: str = "") -> Client:
    user = User.objects.create_user(f"{name or role}@example.com", "correct horse battery staple", is_staff=True)
    Membership.objects.create(company=company, user=user, role=role)
    client.force_login(user)
    return client


def act(client: Client, plan: ScalingPlan, what: str, **changes: str) -> Any:
    address = reverse("admin:cloudpolicy_scalingplan_act", args=(plan.pk,))
    return client.post(address, {"act": what, "reason": "read it", "digest": plan.digest} | changes, follow=True)


def test_an_admin_approves_applies_and_rolls_back(client: Client, plan: ScalingPlan) -> None:
    admin = sign_in(client, Role.ADMIN, plan.company)
    page = admin.get(reverse("admin:cloudpolicy_scalingplan_change", args=(plan.pk,))).content.decode()
    assert "Approve, apply or roll back" in page
    assert "capstack-production-asg" in page
    early = act(admin, plan, "apply")
    assert (early.status_code, "it is not approved" in early.content.decode()) == (422, True)
    assert "is approved" in act(admin, plan, "approve").content.decode()
    approval = PlanApproval.objects.get()
    assert (approval.actor, approval.reason, approval.digest) == (
        "admin:admin@example.com",
        "read it",
        plan.digest,
    )
    assert "is being applied" in act(admin, plan, "apply").content.decode()
    run = ScalingRun.objects.get()
    assert (run.state, run.kind, run.actor) == (RunState.OPEN, RunKind.APPLY, "admin:admin@example.com")
    assert work_on(run_id=run.pk, clock=FakeClock(LATER).as_clock()).state == RunState.DONE
    page = admin.get(reverse("admin:cloudpolicy_scalingrun_change", args=(run.pk,))).content.decode()
    assert "About to ask" in page
    assert "is being rolled back" in act(admin, plan, "roll_back").content.decode()
    assert ScalingRun.objects.filter(kind=RunKind.ROLLBACK).count() == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"digest": "0" * 64}, "digest is not that of plan"),
        ({"reason": " "}, "This field is required"),
        ({"act": "delete"}, "Select a valid choice"),
        ({"act": "roll_back"}, "it was never applied"),
    ],
)
def test_what_cannot_be_done_is_said_and_not_done(
    client: Client, plan: ScalingPlan, changes: dict[str, str], says: str
) -> None:
    answer = act(sign_in(client, Role.ADMIN, plan.company), plan, "approve", **changes)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not PlanApproval.objects.exists()


def test_finance_reads_and_a_stranger_does_not(client: Client, plan: ScalingPlan) -> None:
    finance = sign_in(client, Role.FINANCE, plan.company)
    address = reverse("admin:cloudpolicy_scalingplan_change", args=(plan.pk,))
    page = finance.get(address)
    assert page.status_code == 200
    assert "Approve, apply or roll back" not in page.content.decode()
    assert act(finance, plan, "approve").status_code == 403
    assert finance.post(address, {"digest": "x"}).status_code == 403
    assert finance.get(f"{SWITCH}add/").status_code == 403
    other = steered_company(days=30, slug="other")
    stranger = sign_in(Client(), Role.ADMIN, Company.objects.get(pk=other.id), "stranger")
    assert act(stranger, plan, "approve").status_code == 403
    assert f"/{plan.pk}/change/" not in stranger.get("/admin/cloudpolicy/scalingplan/").content.decode()
    assert not PlanApproval.objects.exists()


def test_an_admin_turns_the_kill_switch_with_a_reason(client: Client, plan: ScalingPlan) -> None:
    admin = sign_in(client, Role.ADMIN, plan.company)
    values = {"company": plan.company_id, "turn": "on", "reason": "audit"}
    assert admin.post(f"{SWITCH}add/", values | {"reason": ""}).status_code == 422
    assert "the kill switch is on" in admin.post(f"{SWITCH}add/", values, follow=True).content.decode().lower()
    assert "kill switch is on" in act(admin, plan, "approve").content.decode()
    admin.post(f"{SWITCH}add/", values | {"turn": "off"})
    assert list(KillSwitchTurn.objects.values_list("on", flat=True).order_by("id")) == [True, False]
    assert "is approved" in act(admin, plan, "approve").content.decode()
