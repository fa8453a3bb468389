"""Dwell, cooldown and quiet hours through the data base: what is remembered from one forecast to the next."""

from datetime import timedelta
from typing import Any

import pytest

from capstack.demo.cloud import seed_groups
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.models.cursor import PlanningCursor
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.standing import LadderStanding
from cloudpolicy.selectors.memory import read_history
from cloudpolicy.selectors.plans import StoredPlan
from cloudpolicy.selectors.unplanned import unplanned_companies
from cloudpolicy.services.planning import replan_scaling
from cloudpolicy.services.policies import enable_policy
from forecasting.services.publish import publish_forecast
from ledger.domain.company import CompanyRef
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW, steer, steered_company

pytestmark = pytest.mark.django_db
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
def cloud(aws: RecordingProxy) -> RecordingProxy:
    seed_groups(endpoint=aws.url, region="us-east-1")
    aws.actions.clear()
    return aws


def company_under(**changes: Any) -> CompanyRef:
    company = steered_company(days=200)
    enable_policy(
        company_id=company.id, document={**FOUNDING_LADDER, **changes}, actor="test", because="test", now=NOW
    )
    return company


def forecast(company: CompanyRef, *, days: int, after: timedelta) -> StoredPlan | None:
    steer(company, days=days)
    publish_forecast(company_id=company.id, now=NOW + after)
    return replan_scaling(company_id=company.id, now=NOW + after)


def test_forecasts_that_change_nothing_yet_are_counted_without_a_plan_or_a_call(cloud: RecordingProxy) -> None:
    company = company_under(pace={"dwell_forecasts": 3})
    first = forecast(company, days=200, after=SECOND)
    assert first is not None
    cloud.actions.clear()
    assert forecast(company, days=80, after=2 * SECOND) is None
    assert forecast(company, days=79, after=3 * SECOND) is None
    # The same forecast again is not another one.
    assert replan_scaling(company_id=company.id, now=NOW + 4 * SECOND) is None
    assert LadderStanding.objects.get().waiting == {"production below 90": 2}
    assert not cloud.actions
    third = forecast(company, days=78, after=5 * SECOND)
    assert third is not None
    assert third.band == "below 90"
    assert ScalingPlan.objects.count() == 2


def test_a_company_planned_for_before_standings_were_kept_goes_on_from_its_last_plan(
    cloud: RecordingProxy,
) -> None:
    company = company_under()
    forecast(company, days=80, after=SECOND)
    LadderStanding.objects.all().delete()
    assert read_history(company_id=company.id, now=NOW).standing.rows_in_force == {"production below 90"}


def test_the_end_of_a_cooldown_asks_for_a_plan_of_its_own(cloud: RecordingProxy) -> None:
    company = company_under(pace={"cooldown_minutes": 60})
    forecast(company, days=80, after=SECOND)
    held = forecast(company, days=200, after=10 * SECOND)
    assert held is None
    assert unplanned_companies(now=NOW + 30 * SECOND) == ()
    ends = NOW + HOUR + SECOND
    assert PlanningCursor.objects.get().look_again_at == ends
    assert unplanned_companies(now=ends) == (company.id,)
    plan = replan_scaling(company_id=company.id, now=ends)
    assert plan is not None
    assert plan.band == "above the ladder"
    assert unplanned_companies(now=ends) == ()


def test_quiet_hours_hold_a_plan_back_and_their_end_lets_it_go(cloud: RecordingProxy) -> None:
    company = company_under(quiet={"hours": [{"from": "11:00", "until": "13:00"}]})
    quiet = forecast(company, days=50, after=SECOND)
    assert quiet is not None
    assert quiet.read_only_text == "these are quiet hours, until 2026-04-01 13:00"
    assert quiet.calls
    assert read_history(company_id=company.id, now=NOW).standing.rows_in_force == frozenset()
    assert unplanned_companies(now=NOW + HOUR - SECOND) == ()
    assert unplanned_companies(now=NOW + HOUR) == (company.id,)
    plan = replan_scaling(company_id=company.id, now=NOW + HOUR)
    assert plan is not None
    assert plan.read_only_because == ()
    assert read_history(company_id=company.id, now=NOW).standing.rows_in_force != frozenset()
