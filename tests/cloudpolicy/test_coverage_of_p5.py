"""The policy is told how often outcomes came in below p5, once a company's record says it."""

import pytest

from capstack.demo.cloud import seed_groups
from cloudpolicy.engine.runway import Runway
from cloudpolicy.engine.trust import judge
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.policies import policy_in_force
from cloudpolicy.services.runway import runway_of
from forecasting.selectors.calibrations import newest_calibration
from forecasting.services.publish import publish_forecast
from tests.cloudpolicy.calibrated import calibrate
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW as STEERED
from tests.cloudpolicy.steered_company import steered_company
from tests.forecasting.small_company import NOW, small_company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]


@pytest.mark.parametrize(
    ("below_p5", "against", "warnings"),
    [(None, {"uncalibrated"}, set()), (0.06, set(), set()), (0.3, {"uncalibrated"}, set())],
)
def test_a_record_with_too_many_outcomes_below_p5_makes_the_policy_read_only(
    below_p5: float | None, against: set[str], warnings: set[str]
) -> None:
    company = small_company()
    if below_p5 is not None:
        calibrate(company_id=company.id, now=NOW, below_p5=below_p5)
    publish_forecast(company_id=company.id, now=NOW)
    runway = runway_of(company=company, now=NOW)
    assert isinstance(runway, Runway)
    limits = policy_in_force(company_id=company.id, now=NOW).policy.limits
    trust = judge(runway=runway, limits=limits, now=NOW)
    assert {reason.code for reason in trust.against} == against
    about_coverage = {reason.code for reason in trust.warnings if reason.code.startswith("coverage")}
    assert about_coverage == warnings


@pytest.fixture
def cloud(aws: RecordingProxy) -> RecordingProxy:
    seed_groups(endpoint=aws.url, region="us-east-1")
    return aws


@pytest.mark.usefixtures("cloud")
def test_a_plan_on_demand_looks_back_first_where_nobody_has() -> None:
    company = steered_company(days=80, history_days=480, calibrated=False)
    assert newest_calibration(company_id=company.id) is None
    plan = plan_scaling(company_id=company.id, now=STEERED)
    calibration = newest_calibration(company_id=company.id)
    assert calibration is not None
    assert calibration.state == "calibrated"
    assert not plan.read_only_because
    assert plan_scaling(company_id=company.id, now=STEERED).plan_id == plan.plan_id
    assert newest_calibration(company_id=company.id) == calibration


@pytest.mark.usefixtures("cloud")
def test_a_company_too_young_for_a_back_test_is_planned_for_read_only() -> None:
    company = steered_company(days=80, history_days=100, calibrated=False)
    plan = plan_scaling(company_id=company.id, now=STEERED)
    assert [reason.code for reason in plan.read_only_because] == ["uncalibrated"]
    assert plan.calls
