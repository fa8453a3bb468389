"""`/api/v1/policy/plans/{id}/…` and the commands, as machines and operators use them."""

import json
from io import StringIO
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from cloudpolicy import jobs
from cloudpolicy.management import plan_at_work
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import ScalingRun
from cloudpolicy.services import standing_plans
from ledger.services.tokens import create_token
from tests.cloudpolicy.groups_of_five import AFTER, BEFORE, make_five_groups, planned_company, sizes
from tests.cloudpolicy.strict_proxy import StrictProxy

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(strict_aws: StrictProxy, monkeypatch: pytest.MonkeyPatch) -> ScalingPlan:
    """Give a plan of fixed days that the clock of this machine does not call old."""
    make_five_groups()
    _, plan = planned_company()
    monkeypatch.setattr(standing_plans, "_forecast_moved", lambda *_: "")
    ScalingPlan.objects.filter(pk=plan.pk).update(confirmed_at=timezone.now())
    plan.refresh_from_db()
    strict_aws.forget()
    return plan


def headers(company_id: int, *scopes: str) -> dict[str, str]:
    token = create_token(company_id=company_id, name="test", scopes=scopes, now=timezone.now())
    return {"Authorization": f"Bearer {token}"}


def post(client: Client, plan: ScalingPlan, verb: str, token: dict[str, str], **body: Any) -> Any:
    return client.post(
        f"/api/v1/policy/plans/{plan.pk}/{verb}", data=body or None, content_type="application/json", headers=token
    )


def test_a_plan_is_approved_applied_watched_and_rolled_back(
    client: Client, plan: ScalingPlan, empty_redis: "redis.Redis"
) -> None:
    token = headers(plan.company_id, "policy")
    refused = post(client, plan, "apply", token)
    assert (refused.status_code, "it is not approved" in refused.json()["detail"]) == (409, True)
    other = post(client, plan, "approve", token, digest="0" * 64)
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "digest")
    agreed = post(client, plan, "approve", token, digest=plan.digest, reason="read it")
    assert agreed.status_code == 200, agreed.content
    assert (agreed.json()["needed"], agreed.json()["given"]) == (1, 1)
    begun = post(client, plan, "apply", token)
    assert begun.status_code == 202, begun.content
    assert empty_redis.llen("rq:queue:scaling") == 1
    assert jobs.work_on_run(run_id=begun.json()["run_id"]) == "done"
    assert sizes() == AFTER
    seen = client.get(f"/api/v1/policy/plans/{plan.pk}", headers=token).json()
    (run,) = seen["runs"]
    assert (run["said"], run["done"], seen["applied_at"] is not None) == ("applied", len(plan.calls), True)
    assert all(step["request_ids"] for step in run["steps"])
    assert post(client, plan, "apply", token).status_code == 200
    back = post(client, plan, "rollback", token, reason="money came")
    assert back.status_code == 202
    assert jobs.work_on_run(run_id=back.json()["run_id"]) == "done"
    assert sizes() == BEFORE


def test_plans_of_others_are_not_found_and_the_scope_is_needed(client: Client, plan: ScalingPlan) -> None:
    other, _ = planned_company_of_another()
    for verb in ("approve", "apply", "rollback"):
        assert post(client, plan, verb, headers(other, "policy")).status_code == 404
        assert post(client, plan, verb, headers(plan.company_id, "read", "ingest")).status_code == 403
        assert client.post(f"/api/v1/policy/plans/{plan.pk}/{verb}").status_code == 401
    assert client.get(f"/api/v1/policy/plans/{plan.pk}", headers=headers(other, "policy")).status_code == 404
    unknown = client.get(f"/api/v1/policy/plans/{10**30}", headers=headers(other, "policy"))
    assert unknown.status_code == 404
    assert not ScalingRun.objects.exists()


def planned_company_of_another() -> tuple[int, str]:
    from ledger.services.companies import create_company

    company = create_company(slug="other", name="Other", currency="USD", timezone="UTC", now=timezone.now())
    return company.pk, company.slug


@pytest.mark.parametrize("body", [{"reason": ""}, {"reason": "x" * 501}, {"reason": 1}, {"why": "x"}])
def test_a_bad_body_is_refused_by_field(client: Client, plan: ScalingPlan, body: dict[str, Any]) -> None:
    answer = post(client, plan, "approve", headers(plan.company_id, "policy"), **body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].endswith(next(iter(body)))


def test_the_kill_switch_is_turned_over_http(client: Client, plan: ScalingPlan) -> None:
    token = headers(plan.company_id, "policy")
    url = "/api/v1/policy/kill-switch"
    assert client.get(url, headers=token).json()["on"] is False
    turned = client.put(url, {"on": True, "reason": "an outage"}, content_type="application/json", headers=token)
    assert turned.json()["because"] == "the kill switch is on: an outage (token:test)"
    assert post(client, plan, "approve", token).status_code == 409


def test_the_commands_refuse_in_one_line_apply_and_roll_back(plan: ScalingPlan, strict_aws: StrictProxy) -> None:
    with pytest.raises(CommandError, match="it is not approved"):
        call_command("apply_scaling", str(plan.pk))
    with pytest.raises(CommandError, match="there is no plan 999999"):
        call_command("apply_scaling", "999999")
    with pytest.raises(CommandError, match="it was never applied"):
        call_command("rollback_scaling", str(plan.pk))
    with pytest.raises(CommandError, match="is no admin of the plan's company"):
        call_command("apply_scaling", str(plan.pk), approve_as="nobody@example.com")
    assert not strict_aws.mutating
    create_admin(plan)
    output = StringIO()
    call_command("apply_scaling", str(plan.pk), "--json", approve_as="ada@example.com", stdout=output)
    assert json.loads(output.getvalue())["said"] == "applied"
    assert sizes() == AFTER
    output = StringIO()
    call_command("rollback_scaling", str(plan.pk), stdout=output)
    assert "rolled back" in output.getvalue()
    assert sizes() == BEFORE


def test_a_database_that_goes_away_in_the_middle_is_told_in_one_line_and_the_run_goes_on(
    plan: ScalingPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_admin(plan)

    def lost(**_: Any) -> None:
        raise OperationalError("the connection is closed")

    with monkeypatch.context() as broken:
        broken.setattr(plan_at_work, "work_on", lost)
        with pytest.raises(CommandError, match="database went away; the run is resumed"):
            call_command("apply_scaling", str(plan.pk), approve_as="ada@example.com")
    call_command("apply_scaling", str(plan.pk), stdout=StringIO())
    assert sizes() == AFTER


def create_admin(plan: ScalingPlan) -> None:
    from django.contrib.auth import get_user_model

    from ledger.models.company import Membership, Role

    user = get_user_model().objects.create_user("ada@example.com")
    Membership.objects.create(company_id=plan.company_id, user=user, role=Role.ADMIN)
