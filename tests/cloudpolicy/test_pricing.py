"""Plans priced from bills: money a month, and days of p5 from a re-run of the forecast."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from cloudpolicy.engine.saving import HOURS_PER_MONTH
from cloudpolicy.models.group_instance import GroupInstance
from cloudpolicy.models.plan_price import PlanPrice
from cloudpolicy.selectors.plans import StoredPlan, latest_plan
from cloudpolicy.services import pricing
from cloudpolicy.services.cheapest_steps import UnreachableTarget, cheapest_steps
from cloudpolicy.services.p5_by_saving import NoCurve, p5_by_saving
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.prices import enter_price
from ledger.domain.company import CompanyRef
from tests.cloudpolicy.billed_cloud import Hours, days, import_bill, pay_aws
from tests.cloudpolicy.groups_of_five import make_five_groups
from tests.cloudpolicy.recording_proxy import RecordingProxy
from tests.cloudpolicy.steered_company import NOW, steered_company

pytestmark = pytest.mark.django_db
D = Decimal
MARCH = days(date(2026, 3, 2), 30)


@pytest.fixture
def company(aws: RecordingProxy) -> CompanyRef:
    """Give a company below 60 days with five groups of t3.small, which pays AWS 9,000 a month."""
    make_five_groups()
    company = steered_company(days=76)
    pay_aws(company)
    return company


def bill_t3(company: CompanyRef, **options: Any) -> None:
    """On demand for 1.00 an hour, on spot for 0.40."""
    lines = [Hours(day, "BoxUsage:t3.small", 240, "240", **options) for day in MARCH]
    lines += [Hours(day, "SpotUsage:t3.small", 240, "96", **options) for day in MARCH]
    import_bill(company, lines)


def calls_of(plan: StoredPlan) -> dict[tuple[str, str], dict[str, Any]]:
    return {(call["action"], call["group"]): call for call in plan.to_json()["calls"]}


def test_a_plan_carries_saving_and_days_of_every_call(company: CompanyRef) -> None:
    bill_t3(company)
    plan = plan_scaling(company_id=company.id, now=NOW)
    calls = calls_of(plan)
    # Three on spot become one on demand: first dearer by three times 0.60, then cheaper by two.
    assert calls["spot_mode", "capstack-dev-asg"]["monthly_saving"] == f"{-D('1.8') * HOURS_PER_MONTH:.2f}"
    resize = calls["resize_group", "capstack-dev-asg"]
    assert resize["monthly_saving"] == f"{2 * HOURS_PER_MONTH:.2f}"
    assert resize["price"] == "bill lines of t3.small in us-east-1, 30 days"
    assert all(call["days_of_p5"] is not None for call in calls.values())
    assert plan.worth is not None
    total = sum(D(call["monthly_saving"]) for call in calls.values())
    assert plan.worth.monthly_saving == total > 0
    assert plan.worth.base_p5_days == plan.p5_days
    assert plan.worth.days_of_p5 == sum(call["days_of_p5_together"] for call in calls.values()) > 0
    assert latest_plan(company_id=company.id) == plan


def test_the_days_are_those_of_the_scenario_that_saves_as_much(company: CompanyRef) -> None:
    bill_t3(company)
    plan = plan_scaling(company_id=company.id, now=NOW)
    curve = p5_by_saving(company=company, now=NOW)
    assert plan.worth is not None
    assert plan.worth.monthly_saving is not None
    assert plan.worth.p5_days == curve.at(plan.worth.monthly_saving).days
    dear = max(plan.worth.calls, key=lambda call: call.monthly_saving or 0)
    assert dear.monthly_saving is not None
    assert dear.days_of_p5 == curve.at(dear.monthly_saving).days - curve.at(D(0)).days
    assert curve.at(D(8000)).days >= curve.at(D(4000)).days > curve.at(D(0)).days > curve.at(D(-20_000)).days


def test_a_large_plan_is_read_off_fewer_points(company: CompanyRef, monkeypatch: pytest.MonkeyPatch) -> None:
    bill_t3(company)
    whole = plan_scaling(company_id=company.id, now=NOW)
    monkeypatch.setattr(pricing, "MOST_SIMULATIONS", 6)
    thin = plan_scaling(company_id=company.id, now=NOW + timedelta(hours=25))
    assert whole.worth is not None
    assert thin.worth is not None
    assert len(PlanPrice.objects.latest("id").curve) <= 6
    assert thin.worth.p5_days == pytest.approx(whole.worth.p5_days, abs=1)
    for one, other in zip(whole.worth.calls, thin.worth.calls, strict=True):
        assert one.days_of_p5 == pytest.approx(other.days_of_p5, abs=1)


def test_without_any_price_plan_and_cheapest_steps_say_so(company: CompanyRef) -> None:
    plan = plan_scaling(company_id=company.id, now=NOW)
    call = calls_of(plan)["resize_group", "capstack-staging2-asg"]
    assert call["monthly_saving"] is None
    assert "no bill line and no entered price" in call["unknown_because"]
    assert plan.worth is not None
    assert plan.worth.because == "no step has a price"
    found = cheapest_steps(company=company, wanted_p5_days=364, now=NOW)
    assert found.steps == ()
    assert len(found.left_out) == 4, "the group that is at its floor cannot give anything"


def test_the_forecast_may_know_no_bill_of_aws(aws: RecordingProxy) -> None:
    make_five_groups()
    company = steered_company(days=50)
    bill_t3(company)
    plan = plan_scaling(company_id=company.id, now=NOW)
    assert plan.worth is not None
    assert plan.worth.monthly_saving is not None
    assert plan.worth.p5_days is None
    assert "knows no bill of AWS" in plan.worth.because
    with pytest.raises(NoCurve):
        p5_by_saving(company=company, now=NOW)


def test_a_pricing_holds_until_a_price_changes_or_a_day_is_over(company: CompanyRef) -> None:
    plan = plan_scaling(company_id=company.id, now=NOW)
    plan_scaling(company_id=company.id, now=NOW + timedelta(minutes=1))
    assert PlanPrice.objects.count() == 1
    enter_price(
        company=company,
        region="us-east-1",
        instance_type="t3.small",
        per_hour="1",
        actor="ada",
        because="the price list",
        now=NOW,
    )
    again = plan_scaling(company_id=company.id, now=NOW + timedelta(minutes=2))
    assert PlanPrice.objects.count() == 2
    assert (again.plan_id, again.digest) == (plan.plan_id, plan.digest), "a price does not void a plan"
    assert again.worth is not None
    assert any(call.price.startswith("entered by ada") for call in again.worth.calls)
    plan_scaling(company_id=company.id, now=NOW + timedelta(hours=24, minutes=3))
    assert PlanPrice.objects.count() == 3


def test_instances_of_opted_in_groups_are_noted_once_and_stay(company: CompanyRef) -> None:
    plan_scaling(company_id=company.id, now=NOW)
    assert GroupInstance.objects.count() == 18
    plan_scaling(company_id=company.id, now=NOW + timedelta(minutes=1))
    assert GroupInstance.objects.count() == 18
    assert set(GroupInstance.objects.values_list("instance_type", flat=True)) == {"t3.small"}
    for table in ("planprice", "groupinstance"):
        for change in ("UPDATE cloudpolicy_{0} SET company_id = company_id", "DELETE FROM cloudpolicy_{0}"):
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                connection.cursor().execute(change.format(table))


def test_lines_that_name_an_instance_price_its_group(company: CompanyRef) -> None:
    plan_scaling(company_id=company.id, now=NOW)
    mine = GroupInstance.objects.filter(group="capstack-staging2-asg").first()
    assert mine is not None
    arn = f"arn:aws:ec2:us-east-1:200:instance/{mine.instance}"
    import_bill(company, [Hours(day, "BoxUsage:t3.small", 24, "72", resource=arn) for day in MARCH])
    calls = calls_of(plan_scaling(company_id=company.id, now=NOW + timedelta(minutes=1)))
    assert calls["resize_group", "capstack-staging2-asg"]["monthly_saving"] == f"{3 * HOURS_PER_MONTH:.2f}"


def test_the_cheapest_steps_reach_the_wanted_p5_and_one_instance_less_does_not(company: CompanyRef) -> None:
    bill_t3(company)
    curve = p5_by_saving(company=company, now=NOW)
    wanted = curve.at(D(2500)).days
    assert wanted > curve.at(D(0)).days
    found = cheapest_steps(company=company, wanted_p5_days=wanted, now=NOW)
    assert found.reaches
    assert found.is_exact
    assert found.p5_days >= wanted > found.base_p5_days
    assert all(step.call.environment != "production" for step in found.steps)
    smallest = min(step.worth.low or D(0) for step in found.steps)
    assert curve.at(found.monthly_saving - smallest).days < wanted
    assert found.monthly_saving == sum((step.worth.low or D(0) for step in found.steps), D(0))
    for step in found.steps:
        assert step.call.after["min"] <= step.call.after["desired"] <= step.call.after["max"]


def test_the_cheapest_steps_leave_floors_and_say_when_all_of_them_are_not_enough(company: CompanyRef) -> None:
    bill_t3(company)
    found = cheapest_steps(company=company, wanted_p5_days=364, now=NOW)
    assert not found.reaches
    assert found.p5_days < 364
    production = next(step for step in found.steps if step.call.environment == "production")
    assert production.call.after["desired"] == 2
    nothing = cheapest_steps(company=company, wanted_p5_days=1, now=NOW)
    assert (nothing.steps, nothing.reaches) == ((), True)
    for wanted in (0, 365):
        with pytest.raises(UnreachableTarget):
            cheapest_steps(company=company, wanted_p5_days=wanted, now=NOW)
