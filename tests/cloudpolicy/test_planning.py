"""From a company's journal to kept plans, against an AWS-compatible server over HTTP."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from capstack.demo.cloud import seed_groups
from cloudpolicy.models.cursor import PlanningCursor
from cloudpolicy.models.group_size import GroupSize
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.policy import PolicyVersion
from cloudpolicy.selectors.plans import StoredPlan, latest_plan, list_plans
from cloudpolicy.selectors.unplanned import LOOK_AGAIN_AFTER, is_resting, unplanned_companies
from cloudpolicy.services.aws import CloudUnavailable
from cloudpolicy.services.planning import plan_scaling, replan_scaling
from forecasting.services.publish import publish_forecast
from ledger.services.companies import create_company
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW, steer, steered_company

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def cloud(aws: RecordingProxy) -> RecordingProxy:
    """Give a server with the demo's groups; it counts from here on."""
    seed_groups(endpoint=aws.url, region="us-east-1")
    aws.actions.clear()
    return aws


def shrunk(plan: StoredPlan) -> set[str]:
    """Environments that the plan would resize."""
    return {str(call["environment"]) for call in plan.calls if call["action"] == "resize_group"}


def test_a_plan_names_figure_run_policy_band_and_calls(cloud: RecordingProxy) -> None:
    company = steered_company(days=80)
    plan = plan_scaling(company_id=company.id, now=NOW)
    assert plan.p5_days is not None
    assert 60 < plan.p5_days < 90
    assert plan.band == "below 90"
    assert plan.policy == "founding ladder v1"
    assert plan.read_only_because == ()
    assert shrunk(plan) == {"production"}
    row = ScalingPlan.objects.get(pk=plan.plan_id)
    assert row.forecast_run is not None
    assert row.forecast_run.position == 240
    assert row.forecast_run.p5_days == plan.p5_days


def test_planning_only_reads_the_cloud(cloud: RecordingProxy) -> None:
    company = steered_company(days=30)
    plan = plan_scaling(company_id=company.id, now=NOW)
    assert shrunk(plan) == {"dev", "staging", "production"}
    assert cloud.actions == {"DescribeAutoScalingGroups": 1, "DescribeLaunchTemplateVersions": 1}
    assert not cloud.mutating


def test_nothing_to_do_is_kept_with_its_cause(aws: RecordingProxy) -> None:
    company = steered_company(days=300)
    plan = plan_scaling(company_id=company.id, now=NOW)
    assert plan.calls == ()
    assert [warning.code for warning in plan.warnings] == [
        "chain_unverified",
        "no_groups",
    ]
    assert latest_plan(company_id=company.id) == plan


def test_asking_again_returns_the_same_plan(cloud: RecordingProxy) -> None:
    company = steered_company(days=80)
    first = plan_scaling(company_id=company.id, now=NOW)
    second = plan_scaling(company_id=company.id, now=NOW + MINUTE)
    assert second.plan_id == first.plan_id
    assert second.created_at == NOW
    assert second.confirmed_at == NOW + MINUTE


def test_another_figure_is_another_plan_on_demand_and_a_confirmation_after_a_forecast(
    cloud: RecordingProxy,
) -> None:
    company = steered_company(days=80)
    first = plan_scaling(company_id=company.id, now=NOW)
    steer(company, days=75)
    publish_forecast(company_id=company.id, now=NOW + MINUTE)
    confirmed = replan_scaling(company_id=company.id, now=NOW + LOOK_AGAIN_AFTER + MINUTE)
    assert confirmed is not None
    assert confirmed.plan_id == first.plan_id
    asked = plan_scaling(company_id=company.id, now=NOW + LOOK_AGAIN_AFTER + 2 * MINUTE)
    assert asked.plan_id != first.plan_id
    assert asked.digest != first.digest
    assert asked.decision == first.decision


def test_a_forecast_every_second_neither_adds_rows_nor_reads_the_cloud(cloud: RecordingProxy) -> None:
    company = steered_company(days=80)
    plan_scaling(company_id=company.id, now=NOW)
    cloud.actions.clear()
    for second in range(1, 6):
        steer(company, days=80 - second)
        publish_forecast(company_id=company.id, now=NOW + timedelta(seconds=second))
        assert replan_scaling(company_id=company.id, now=NOW + timedelta(seconds=second)) is None
    assert ScalingPlan.objects.count() == 1
    assert not cloud.actions
    assert unplanned_companies(now=NOW + timedelta(seconds=6)) == ()


def test_leaving_the_band_is_a_new_plan_at_once(cloud: RecordingProxy) -> None:
    company = steered_company(days=80)
    plan_scaling(company_id=company.id, now=NOW)
    steer(company, days=50)
    publish_forecast(company_id=company.id, now=NOW + timedelta(seconds=1))
    plan = replan_scaling(company_id=company.id, now=NOW + timedelta(seconds=1))
    assert plan is not None
    assert plan.band == "below 60"
    assert shrunk(plan) == {"dev", "staging", "production"}
    assert [each.band for each in list_plans(company_id=company.id)] == ["below 60", "below 90"]


def test_rows_stay_in_force_until_their_upper_threshold(cloud: RecordingProxy) -> None:
    company = steered_company(days=50)
    bands = []
    for minutes, days in enumerate([50, 110, 170, 110]):
        steer(company, days=days)
        bands.append(plan_scaling(company_id=company.id, now=NOW + minutes * MINUTE).band)
    assert bands == ["below 60", "below 60", "above the ladder", "above the ladder"]


def test_a_silent_feed_makes_the_plan_read_only_and_does_not_move_the_ladder(cloud: RecordingProxy) -> None:
    company = steered_company(days=200)
    assert plan_scaling(company_id=company.id, now=NOW).band == "above the ladder"
    steer(company, days=50)
    silent = plan_scaling(company_id=company.id, now=NOW + timedelta(days=9))
    assert [reason.code for reason in silent.read_only_because] == ["feed_silent"]
    assert silent.read_only_text is not None
    assert "2026-03-31" in silent.read_only_text
    assert shrunk(silent) == {"dev", "staging", "production"}
    steer(company, days=110)
    # Had the doubtful figure moved the ladder, staging would be held below 60 now.
    assert plan_scaling(company_id=company.id, now=NOW).band == "above the ladder"


def test_without_a_forecast_the_plan_says_what_is_missing(cloud: RecordingProxy) -> None:
    company = create_company(slug="empty", name="Empty", currency="USD", timezone="UTC", now=NOW)
    plan = plan_scaling(company_id=company.pk, now=NOW)
    assert (plan.p5_days, plan.forecast_run, plan.band, plan.calls) == (None, None, None, ())
    assert plan.read_only_text is not None
    assert plan.read_only_text.startswith("no forecast is published: no events are recorded yet")


def test_an_old_forecast_is_not_acted_on(cloud: RecordingProxy) -> None:
    company = steered_company(days=80)
    publish_forecast(company_id=company.id, now=NOW)
    plan = replan_scaling(company_id=company.id, now=NOW + timedelta(hours=27))
    assert plan is not None
    assert [reason.code for reason in plan.read_only_because] == ["forecast_stale"]


def test_a_shrunk_group_returns_to_its_journalled_size(cloud: RecordingProxy) -> None:
    company = steered_company(days=50)
    shrinking = ScalingPlan.objects.get(pk=plan_scaling(company_id=company.id, now=NOW).plan_id)
    GroupSize.objects.create(
        company_id=company.id,
        plan=shrinking,
        region="us-east-1",
        group="capstack-staging-asg",
        min=3,
        max=6,
        desired=5,
        spot=True,
        journalled_at=NOW,
    )
    steer(company, days=170)
    plan = plan_scaling(company_id=company.id, now=NOW + MINUTE)
    (call,) = (call for call in plan.calls if call["environment"] == "staging")
    assert call["after"] == {"min": 3, "max": 6, "desired": 5}


def test_plans_of_other_companies_stay_apart(cloud: RecordingProxy) -> None:
    acme, other = steered_company(days=30), steered_company(days=300, slug="other")
    plan_scaling(company_id=acme.id, now=NOW)
    plan = plan_scaling(company_id=other.id, now=NOW)
    assert plan.band == "above the ladder"
    assert [each.plan_id for each in list_plans(company_id=other.id)] == [plan.plan_id]
    assert PolicyVersion.objects.count() == 2


def test_a_cloud_that_does_not_answer_is_remembered_and_left_alone_for_a_minute(cloud: RecordingProxy) -> None:
    company = steered_company(days=80)
    publish_forecast(company_id=company.id, now=NOW)
    assert unplanned_companies(now=NOW) == (company.id,)
    denied = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    cloud.refusals = [(403, denied)]
    with pytest.raises(CloudUnavailable, match="AccessDenied"):
        replan_scaling(company_id=company.id, now=NOW)
    assert PlanningCursor.objects.get().refusal == "AWS refused DescribeAutoScalingGroups: AccessDenied, no"
    assert is_resting(company_id=company.id, now=NOW + timedelta(seconds=59))
    assert unplanned_companies(now=NOW + timedelta(seconds=59)) == ()
    assert unplanned_companies(now=NOW + timedelta(seconds=61)) == (company.id,)
    assert replan_scaling(company_id=company.id, now=NOW + 2 * MINUTE) is not None
    assert PlanningCursor.objects.get().refusal == ""
    assert unplanned_companies(now=NOW + 2 * MINUTE) == ()


def test_the_database_refuses_calls_without_a_figure(cloud: RecordingProxy) -> None:
    company = steered_company(days=80)
    plan = ScalingPlan.objects.get(pk=plan_scaling(company_id=company.id, now=NOW).plan_id)
    for change in (
        {"p5_days": None},
        {"calls": [], "p5_days": None},
        {"read_only_because": [{"code": "x", "text": "x"}], "applied_at": NOW},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ScalingPlan.objects.filter(pk=plan.pk).update(**change)
