"""Who has to agree to a plan, and what makes an agreement worthless."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.jobs import replan
from cloudpolicy.models.approval import ApprovalKind, PlanApproval
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunState, ScalingRun
from cloudpolicy.selectors.approvals import plan_approvals
from cloudpolicy.services.approving import Approver, consent_to
from cloudpolicy.services.planning import plan_scaling, replan_scaling
from cloudpolicy.services.policies import enable_policy
from cloudpolicy.services.refusals import EngineBusy, NotAllowed, PlanNotFound
from cloudpolicy.services.runs import start_apply
from cloudpolicy.services.standing_plans import PLAN_LIFETIME
from forecasting.services.publish import publish_forecast
from ledger.domain.company import CompanyRef
from ledger.domain.event import EventDraft
from ledger.services.record import record
from tests.cloudpolicy.groups_of_five import (
    FakeClock,
    approve,
    begin,
    begin_rollback,
    finish,
    make_five_groups,
    planned_company,
)
from tests.cloudpolicy.steered_company import NOW, steer
from tests.cloudpolicy.strict_proxy import StrictProxy

pytestmark = pytest.mark.django_db
TOKEN = Approver("token:ci")
TWO_ABOVE_3 = {"production": ["production"], "non_production": "person", "two_people_above_instances": 3}
AUTOMATIC = {"production": ["production"], "non_production": "automatic", "two_people_above_instances": None}


@pytest.fixture
def cloud(strict_aws: StrictProxy) -> StrictProxy:
    make_five_groups()
    return strict_aws


def person(name: str) -> Approver:
    user = get_user_model().objects.create_user(f"{name}@example.com")
    return Approver(f"admin:{name}", user.pk)


def refused(plan: ScalingPlan, why: str, **options: Any) -> None:
    with pytest.raises(NotAllowed, match=why):
        begin(plan, **options)
    assert not ScalingRun.objects.filter(plan=plan).exists()


def test_a_plan_that_nobody_approved_is_not_applied(cloud: StrictProxy) -> None:
    _, plan = planned_company()
    refused(plan, "it is not approved")


def test_above_the_limit_two_different_people_have_to_agree(cloud: StrictProxy) -> None:
    _, plan = planned_company(approval=TWO_ABOVE_3)
    ada, ben = person("ada"), person("ben")
    refused(plan, "two people have to")
    approve(plan, ada)
    approve(plan, ada)
    refused(plan, "a second person has to approve it")
    approve(plan, ben)
    assert begin(plan).state == RunState.OPEN


def test_all_tokens_together_are_one_person(cloud: StrictProxy) -> None:
    _, plan = planned_company(approval=TWO_ABOVE_3)
    approve(plan, TOKEN)
    approve(plan, Approver("token:other"))
    refused(plan, "a second person has to approve it")
    approve(plan, person("ada"))
    assert begin(plan).state == RunState.OPEN


def test_who_approves_again_renews_the_approval_and_is_listed_once(cloud: StrictProxy) -> None:
    _, plan = planned_company(approval=TWO_ABOVE_3)
    ada, later = person("ada"), NOW + timedelta(hours=1)
    for approver, moment in ((ada, NOW), (TOKEN, NOW), (Approver("token:other"), NOW), (ada, later)):
        approve(plan, approver, now=moment)
    listed = plan_approvals(plan=plan, now=later)
    assert [(each.actor, each.approved_at) for each in listed.approvals] == [
        ("token:ci", NOW),
        ("token:other", NOW),
        ("admin:ada", later),
    ]
    assert listed.given == 2
    assert PlanApproval.objects.count() == 4, "what was approved is kept, renewed or not"


def test_a_policy_that_approves_by_itself_still_leaves_production_to_a_person(cloud: StrictProxy) -> None:
    _, plan = planned_company(approval=AUTOMATIC)
    refused(plan, "it is not approved")


def test_what_touches_no_production_is_applied_by_the_policy_and_kept_as_its_approval(cloud: StrictProxy) -> None:
    company, plan = planned_company(approval=AUTOMATIC)
    ScalingPlan.objects.filter(pk=plan.pk).update(
        calls=[call for call in plan.calls if call["environment"] != "production"]
    )
    plan.refresh_from_db()
    assert consent_to(plan=plan, now=NOW).needed == 0
    run = start_apply(
        company_id=company.id, plan_id=plan.pk, actor="capstack", reason="x", now=NOW, only_if_automatic=True
    )
    assert run is not None
    assert PlanApproval.objects.get().kind == ApprovalKind.POLICY
    assert finish(run, FakeClock()).state == RunState.DONE
    assert finish(begin_rollback(plan), FakeClock()).state == RunState.DONE
    # A person has taken it back: the policy does not do it again by itself.
    assert consent_to(plan=plan, now=NOW).needed == 1


def test_an_approval_of_another_digest_is_refused(cloud: StrictProxy) -> None:
    _, plan = planned_company()
    approve(plan)
    ScalingPlan.objects.filter(pk=plan.pk).update(digest="0" * 64)
    refused(plan, "it is not approved")


def test_an_approval_and_a_plan_expire(cloud: StrictProxy) -> None:
    _, plan = planned_company()
    approve(plan)
    late = NOW + PLAN_LIFETIME + timedelta(seconds=1)
    refused(plan, "it has expired", now=late)
    ScalingPlan.objects.filter(pk=plan.pk).update(confirmed_at=late)
    refused(plan, "it is not approved", now=late)


def test_another_policy_voids_it(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    document = {**FOUNDING_LADDER, "name": "another"}
    enable_policy(company_id=company.id, document=document, actor="test", because="it is better", now=NOW)
    refused(plan, "the policy has changed since")


def test_another_forecast_voids_it_and_one_that_says_the_same_does_not(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    steer(company, days=49)
    steer(company, days=50)
    same = plan_scaling(company_id=company.id, now=NOW)
    assert same.p5_days == plan.p5_days
    steer(company, days=30)
    plan_scaling(company_id=company.id, now=NOW)
    refused(plan, "the forecast has moved since: the cautious runway was")


def test_a_silent_feed_voids_it(cloud: StrictProxy) -> None:
    _, plan = planned_company()
    approve(plan)
    ScalingPlan.objects.filter(pk=plan.pk).update(confirmed_at=NOW + timedelta(days=9))
    refused(plan, "nothing may act on today's forecast: .*silent", now=NOW + timedelta(days=9))


def test_limits_are_looked_at_again_where_a_plan_is_applied(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    limits = {**FOUNDING_LADDER["limits"], "groups_per_plan": 2}
    document = {**FOUNDING_LADDER, "limits": limits}
    enable_policy(company_id=company.id, document=document, actor="test", because="careful", now=NOW)
    ScalingPlan.objects.filter(pk=plan.pk).update(policy_id=company_policy(company.id))
    refused(plan, "it changes 5 groups, more than the 2")


def company_policy(company_id: int) -> int:
    from cloudpolicy.services.policies import policy_in_force

    return policy_in_force(company_id=company_id, now=NOW).version_id


def test_a_second_run_of_a_company_waits_for_the_first(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    run = begin(plan)
    assert begin(plan).pk == run.pk
    steer(company, days=30)
    other = ScalingPlan.objects.get(pk=plan_scaling(company_id=company.id, now=NOW).plan_id)
    approve(other)
    with pytest.raises(EngineBusy, match=f"run {run.pk} of plan {plan.pk} is under way"):
        begin(other)


def test_the_plan_of_another_company_is_not_found(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    with pytest.raises(PlanNotFound):
        start_apply(company_id=company.id + 1, plan_id=plan.pk, actor="x", reason="x", now=NOW)


def test_a_reason_is_needed(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    approve(plan)
    with pytest.raises(NotAllowed, match="a reason"):
        start_apply(company_id=company.id, plan_id=plan.pk, actor="x", reason=" ", now=NOW)


def test_a_plan_without_calls_is_done(cloud: StrictProxy) -> None:
    company, plan = planned_company()
    ScalingPlan.objects.filter(pk=plan.pk).update(calls=[])
    assert start_apply(company_id=company.id, plan_id=plan.pk, actor="x", reason="x", now=NOW) is None


def test_the_job_does_not_apply_what_a_person_has_to_approve(cloud: StrictProxy) -> None:
    company, _ = planned_company(approval=AUTOMATIC)
    replan(company_id=company.id)
    assert not ScalingRun.objects.exists()
    assert not cloud.sets


def forecast_that_says_the_same(company: CompanyRef) -> None:
    """A fee of yesterday that moves p5 by less than a day."""
    draft = EventDraft(
        source="card",
        event_type="expense",
        amount=Decimal("0.01"),
        currency="USD",
        occurred_at=NOW - timedelta(hours=20),
        external_ref="a fee",
    )
    record(company_id=company.id, drafts=[draft], actor="test", now=NOW)
    publish_forecast(company_id=company.id, now=NOW)


@pytest.mark.parametrize("exact", [False, True], ids=["while forecasts say the same", "for its own run"])
def test_an_approval_holds_while_forecasts_say_the_same_or_for_its_own_run_as_the_policy_has_it(
    cloud: StrictProxy, exact: bool
) -> None:
    company, plan = planned_company(approval={"exact_run": exact})
    approve(plan)
    forecast_that_says_the_same(company)
    if not exact:
        assert begin(plan).state == RunState.OPEN
        return
    refused(plan, "there is a newer forecast, run")
    newer = replan_scaling(company_id=company.id, now=NOW)
    assert newer is not None
    assert newer.plan_id != plan.pk
    assert newer.forecast_run != plan.forecast_run
