"""The policy is told how often outcomes came in below p5, once a company's record says it."""

import pytest

from cloudpolicy.engine.runway import Runway
from cloudpolicy.engine.trust import judge
from cloudpolicy.services.policies import policy_in_force
from cloudpolicy.services.runway import runway_of
from forecasting.models.record import CalibrationVersion
from forecasting.services.publish import publish_forecast
from tests.forecasting.small_company import NOW, small_company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_redis")]


@pytest.mark.parametrize(
    ("below_p5", "against", "warnings"),
    [(None, set(), {"coverage_unknown"}), (0.06, set(), set()), (0.3, {"uncalibrated"}, set())],
)
def test_a_record_with_too_many_outcomes_below_p5_makes_the_policy_read_only(
    below_p5: float | None, against: set[str], warnings: set[str]
) -> None:
    company = small_company()
    if below_p5 is not None:
        CalibrationVersion.objects.create(
            company_id=company.id,
            state="calibrated",
            dispersion=1.0,
            windows=12,
            stretch=1.0,
            below_p5=below_p5,
            outcomes=40,
            made_at=NOW,
        )
    publish_forecast(company_id=company.id, now=NOW)
    runway = runway_of(company=company, now=NOW)
    assert isinstance(runway, Runway)
    limits = policy_in_force(company_id=company.id, now=NOW).policy.limits
    trust = judge(runway=runway, limits=limits, now=NOW)
    assert {reason.code for reason in trust.against} == against
    about_coverage = {reason.code for reason in trust.warnings if reason.code.startswith("coverage")}
    assert about_coverage == warnings
