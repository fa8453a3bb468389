"""Superseded runs go, the last of a day and cited ones stay."""

from datetime import datetime, timedelta

import pytest

from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.policy import PolicyVersion
from forecasting.models.run import ForecastRun
from forecasting.services.publish import publish_forecast
from forecasting.services.retention import GRACE, prune_runs
from ledger.domain.company import CompanyRef
from tests.forecasting.small_company import NOW, small_company, spend

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_redis")]


def publish(company: CompanyRef, *, at: datetime, ref: str) -> int:
    spend(company, "1.00", ref=ref)
    return publish_forecast(company_id=company.id, now=at).free_run_id


def left() -> set[int]:
    return set(ForecastRun.objects.filter(basis="free").values_list("id", flat=True))


def test_of_a_day_only_the_last_run_stays_and_of_all_the_first() -> None:
    company = small_company()
    runs = [publish(company, at=NOW + timedelta(minutes=number), ref=f"r{number}") for number in range(4)]
    next_day = [
        publish(company, at=NOW + timedelta(days=1, minutes=number), ref=f"next{number}") for number in range(2)
    ]
    assert prune_runs(company_id=company.id, now=NOW + timedelta(days=1, hours=1)) == 2 * 3
    assert left() == {runs[0], runs[-1], next_day[-1]}


def test_a_run_just_superseded_stays_for_a_while() -> None:
    company = small_company()
    runs = {publish(company, at=NOW + timedelta(minutes=number), ref=f"r{number}") for number in range(2)}
    assert prune_runs(company_id=company.id, now=NOW + GRACE) == 0
    assert left() == runs


def test_another_company_s_runs_are_left_alone() -> None:
    company, other = small_company(), small_company("other")
    for number in range(2):
        publish(other, at=NOW + timedelta(minutes=number), ref=f"r{number}")
    assert prune_runs(company_id=company.id, now=NOW + timedelta(days=1)) == 0


def test_a_run_that_a_scaling_plan_was_made_from_stays_and_is_marked() -> None:
    company = small_company()
    first, cited, superseded, last = (
        publish(company, at=NOW + timedelta(minutes=number), ref=f"r{number}") for number in range(4)
    )
    policy = PolicyVersion.objects.create(
        company_id=company.id, version=1, name="x", document={}, digest="0" * 64, actor="test", created_at=NOW
    )
    ScalingPlan.objects.create(
        company_id=company.id, policy=policy, forecast_run_id=cited, p5_days=1, created_at=NOW, confirmed_at=NOW
    )
    later = NOW + timedelta(hours=1)
    assert prune_runs(company_id=company.id, now=later) == 3
    assert left() == {first, cited, last}
    assert superseded not in left()
    assert ForecastRun.objects.get(id=cited).cited
    assert prune_runs(company_id=company.id, now=later) == 0
