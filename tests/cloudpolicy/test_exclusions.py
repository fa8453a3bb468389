"""After a person's act the policy keeps away for a while: told with its reason, and liftable."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from cloudpolicy.models.exclusion import Exclusion
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState
from cloudpolicy.models.suspended_process import SuspendedProcess
from cloudpolicy.selectors.exclusions import standing_exclusions
from cloudpolicy.services.aws import client as aws_client
from cloudpolicy.services.exclusions import AFTER_ROLLBACK, lift_exclusion
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.refusals import NotAllowed
from cloudpolicy.services.runs import start_apply
from cloudpolicy.services.standing_plans import void_because
from ledger.services.companies import create_company
from ledger.services.tokens import create_token
from tests.cloudpolicy.groups_of_five import (
    BEFORE,
    FakeClock,
    begin_rollback,
    finish,
    make_five_groups,
    planned_company,
    sizes,
)
from tests.cloudpolicy.steered_company import NOW, steer
from tests.cloudpolicy.strict_proxy import StrictProxy
from tests.cloudpolicy.test_other_actions import applied
from tests.cloudpolicy.things_of_dev import GROUP, REGION, make_things, plan_of, planned, suspended

pytestmark = pytest.mark.django_db
AUTOMATIC = {
    "production": ["nothing"],
    "non_production": "automatic",
    "two_people_above_instances": None,
    "exact_run": False,
}


def apply_by_itself(plan: ScalingPlan) -> RunState:
    run = start_apply(
        company_id=plan.company_id, plan_id=plan.pk, actor="capstack", reason="x", now=NOW, only_if_automatic=True
    )
    assert run is not None
    return RunState(finish(run, FakeClock()).state)


def test_what_a_person_rolls_back_is_not_planned_again_before_the_end_or_a_lifting(
    strict_aws: StrictProxy, client: Client
) -> None:
    make_five_groups()
    company, plan = planned_company(approval=AUTOMATIC)
    assert apply_by_itself(plan) == RunState.DONE
    assert finish(begin_rollback(plan), FakeClock()).state == RunState.DONE
    assert sizes() == BEFORE
    found = standing_exclusions(company_id=company.id, now=NOW)
    assert len(found) == 5
    assert found[0].exclusion.because == f"plan {plan.pk} was rolled back: money came"
    again = plan_scaling(company_id=company.id, now=NOW)
    assert again.calls == ()
    assert [warning.code for warning in again.warnings].count("excluded") == 5
    assert "is left alone until 2026-04-08" in void_because(plan=plan, now=NOW)

    made = create_token(company_id=company.id, name="test", scopes=("policy",), now=timezone.now())
    token = {"Authorization": f"Bearer {made}"}
    Exclusion.objects.update(ends_at=timezone.now() + AFTER_ROLLBACK)
    shown = client.get("/api/v1/policy/exclusions", headers=token).json()["exclusions"]
    assert {each["exclusion_id"] for each in shown} == {each.exclusion_id for each in found}
    url = f"/api/v1/policy/exclusions/{found[0].exclusion_id}/lift"
    for content, status in (({}, 422), ({"reason": " "}, 422), ({"reason": "load is over"}, 200)):
        answer = client.post(url, json.dumps(content), content_type="application/json", headers=token)
        assert answer.status_code == status, answer.content
    gone = client.post(url, json.dumps({"reason": "twice"}), content_type="application/json", headers=token)
    assert gone.status_code == 404
    lifted = plan_scaling(company_id=company.id, now=NOW)
    assert {call["group"] for call in lifted.calls} == {found[0].exclusion.name}

    Exclusion.objects.update(ends_at=NOW + timedelta(seconds=1))
    after = plan_scaling(company_id=company.id, now=NOW + timedelta(seconds=1))
    assert {call["group"] for call in after.calls} == {call["group"] for call in plan.calls}


def test_nobody_lifts_what_is_another_companys(strict_aws: StrictProxy) -> None:
    make_five_groups()
    company, plan = planned_company(approval=AUTOMATIC)
    apply_by_itself(plan)
    begin_rollback(plan)
    (first, *_) = standing_exclusions(company_id=company.id, now=NOW)
    create_company(slug="other", name="Other", currency="USD", timezone="UTC", now=NOW)
    other = plan.company_id + 1
    for company_id, number in ((other, first.exclusion_id), (company.id, 0), (company.id, 2**64)):
        with pytest.raises(NotAllowed):
            lift_exclusion(company_id=company_id, exclusion_id=number, actor="x", reason="y", now=NOW)
    Exclusion.objects.update(ends_at=timezone.now() + AFTER_ROLLBACK)
    out = StringIO()
    call_command("lift_exclusion", first.exclusion_id, company="acme", reason="load is over", stdout=out)
    named = [line.partition(":")[0] for line in out.getvalue().splitlines()]
    assert str(first.exclusion_id) not in named
    assert out.getvalue().count("is left alone until") == 4
    with pytest.raises(CommandError, match="no exclusion"):
        call_command("lift_exclusion", first.exclusion_id, company="acme", reason="again")


def test_a_process_that_a_person_suspended_stays_suspended(strict_aws: StrictProxy) -> None:
    make_things()
    autoscaling = aws_client("autoscaling", region=REGION)
    # The policy asks for both of these; one stands still already, by somebody's hand.
    autoscaling.suspend_processes(AutoScalingGroupName=GROUP, ScalingProcesses=["AZRebalance"])
    company, plan = planned(stopped=[], budget=None)
    assert applied(plan) == RunState.DONE
    assert set(SuspendedProcess.objects.values_list("process", flat=True)) == {"AlarmNotification"}
    steer(company, days=300)
    again = plan_of(company)
    assert applied(again) == RunState.DONE
    assert suspended() == {"AZRebalance"}
    assert not SuspendedProcess.objects.filter(released_at__isnull=True).exists()
    assert finish(begin_rollback(again), FakeClock()).state == RunState.DONE
    assert suspended() == {"AZRebalance", "AlarmNotification"}
    (once_more,) = SuspendedProcess.objects.filter(released_at__isnull=True)
    assert once_more.process == "AlarmNotification", "a roll-back of the restore is ours to restore again"


def test_what_a_person_resumed_and_suspended_again_is_theirs(strict_aws: StrictProxy) -> None:
    make_things()
    company, plan = planned(stopped=[], budget=None)
    assert applied(plan) == RunState.DONE
    autoscaling = aws_client("autoscaling", region=REGION)
    autoscaling.resume_processes(AutoScalingGroupName=GROUP, ScalingProcesses=["AZRebalance"])
    plan_of(company)
    autoscaling.suspend_processes(AutoScalingGroupName=GROUP, ScalingProcesses=["AZRebalance"])
    steer(company, days=300)
    applied(plan_of(company))
    assert suspended() == {"AZRebalance"}
