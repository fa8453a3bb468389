"""Instances, databases and requests for spot, priced by their own lines, by their types, or by people."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cloudpolicy.engine.saving import HOURS_PER_MONTH
from cloudpolicy.selectors.plans import StoredPlan
from cloudpolicy.services.aws import client
from cloudpolicy.services.planning import plan_scaling
from cloudpolicy.services.policies import enable_policy
from cloudpolicy.services.prices import PriceRefused, enter_price
from ledger.domain.company import CompanyRef
from tests.cloudpolicy.billed_cloud import Hours, days, import_bill, pay_aws
from tests.cloudpolicy.steered_company import NOW, steered_company
from tests.cloudpolicy.strict_proxy import StrictProxy
from tests.cloudpolicy.things_of_dev import REGION, Things, make_things, policy_document

pytestmark = pytest.mark.django_db
MARCH = days(date(2026, 3, 2), 30)


@pytest.fixture
def things(strict_aws: StrictProxy) -> Things:
    return make_things()


@pytest.fixture
def company(things: Things) -> CompanyRef:
    company = steered_company(days=60)
    document = policy_document(budget=None, suspended_processes=[])
    enable_policy(company_id=company.id, document=document, actor="test", because="the test wants it", now=NOW)
    pay_aws(company)
    return company


def month(per_hour: str) -> str:
    return f"{Decimal(per_hour) * HOURS_PER_MONTH:.2f}"


def calls_of(plan: StoredPlan) -> dict[str, dict[str, Any]]:
    return {call["action"]: call for call in plan.to_json()["calls"]}


def described() -> tuple[str, str]:
    """The type that the server gave the instance, and the whole name of the database."""
    (database,) = client("rds", region=REGION).describe_db_instances()["DBInstances"]
    (found, *_) = client("ec2", region=REGION).describe_instances()["Reservations"]
    return found["Instances"][0]["InstanceType"], database["DBInstanceArn"]


def test_bills_price_them_and_storage_is_paid_on(company: CompanyRef, things: Things) -> None:
    _, arn = described()
    elsewhere = arn.replace(REGION, "eu-west-1")
    lines = [
        Hours(day, usage, hours, cost, resource=resource, unit=unit)
        for day in MARCH
        for usage, hours, cost, resource, unit in (
            ("BoxUsage:t3.small", 24, "24", "", "Hrs"),
            ("SpotUsage:t3.small", 24, "9.6", "", "Hrs"),
            ("BoxUsage:m6i.large", 24, "72", things.instance, "Hrs"),
            ("InstanceUsage:db.t3.micro", 24, "12", arn, "Hrs"),
            # Of the same name, and not it.
            ("InstanceUsage:db.t3.micro", 24, "240", elsewhere, "Hrs"),
            ("Multi-AZUsage:db.t3.micro", 24, "48", "", "Hrs"),
            ("RDS:GP3-Storage", 100, "500", arn, "GB-Mo"),
            ("EBS:VolumeUsage.gp3", 100, "500", things.instance, "GB-Mo"),
        )
    ]
    import_bill(company, lines)
    plan = plan_scaling(company_id=company.id, now=NOW)
    calls = calls_of(plan)
    assert calls["power_instance"]["monthly_saving"] == month("3")
    assert calls["power_database"]["monthly_saving"] == month("0.5")
    for action in ("power_instance", "power_database"):
        assert calls[action]["price"] == "bill lines of its instances, 30 days; its storage is paid on"
        assert calls[action]["days_of_p5"] is not None
    request = calls["spot_request"]
    assert (request["monthly_saving"], request["monthly_saving_high"]) == ("0.00", month("0.4"))
    assert "nothing runs for it while it waits" in request["price"]
    assert plan.worth is not None
    assert plan.worth.monthly_saving == Decimal(month("1")) + Decimal(month("3")) + Decimal(month("0.5"))
    assert plan.worth.p5_days is not None


def test_where_no_bill_names_them_their_type_or_a_person_does(company: CompanyRef, things: Things) -> None:
    before = calls_of(plan_scaling(company_id=company.id, now=NOW))
    assert "an on-demand hour of db.t3.micro in us-east-1" in before["power_database"]["unknown_because"]
    assert before["spot_request"]["monthly_saving"] == "0.00"
    for priced, per_hour in ({"instance_type": "db.t3.micro"}, "0.25"), ({"group": things.instance}, "2"):
        enter_price(
            company=company,
            region=REGION,
            **priced,  # type: ignore[arg-type]
            per_hour=per_hour,
            actor="ada",
            because="the price list",
            now=NOW,
        )
    entered = calls_of(plan_scaling(company_id=company.id, now=NOW))
    assert entered["power_database"]["monthly_saving"] == month("0.25")
    assert entered["power_instance"]["monthly_saving"] == month("2")
    other = "arn:aws:rds:us-east-1:200:db:other"
    import_bill(company, [Hours(day, "InstanceUsage:db.t3.micro", 24, "24", resource=other) for day in MARCH])
    billed = calls_of(plan_scaling(company_id=company.id, now=NOW))
    assert billed["power_database"]["monthly_saving"] == month("1"), "a bill goes before what somebody entered"
    with pytest.raises(PriceRefused):
        enter_price(
            company=company, region=REGION, instance_type="db", per_hour="1", actor="a", because="b", now=NOW
        )
