"""What a call on a single resource saves, and that its inverse costs as much."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.call_savings import call_savings
from cloudpolicy.engine.group import Group, Instance
from cloudpolicy.engine.mean_price import mean_price
from cloudpolicy.engine.price import Metered, PriceBook
from cloudpolicy.engine.resource import Resource
from cloudpolicy.engine.resource_saving import BILLED_AS, TYPE
from cloudpolicy.engine.saving import HOURS_PER_MONTH
from tests.cloudpolicy.engine.samples import ON_DEMAND, group

D = Decimal
ARN = "arn:aws:rds:us-east-1:200:db:dev-db"


def metered(per_hour: str, *, billed: str | None = None) -> Metered:
    each = D(per_hour)
    return Metered(D(100), D(billed or per_hour) * 100, each * 100, each, each)


def database(kind: str) -> Resource:
    details = {TYPE: kind, BILLED_AS: ARN}
    return Resource("power_database", "dev-db", "dev", "us-east-1", {"running": True}, True, details=details)


STOP = ApiCall("power_database", "dev-db", "dev", "us-east-1", "", {"running": True}, {"running": False}, {})
START = STOP._replace(before=STOP.after, after=STOP.before)
BOOK = PriceBook(
    by_type={
        ("200", "us-east-1", "db.t3.micro", "on_demand"): metered("1"),
        ("200", "us-east-1", "db.t3.micro.multi-az", "on_demand"): metered("2", billed="0.5"),
        ("200", "us-east-1", "t3.small", "spot"): metered("0.4"),
    }
)


@pytest.mark.parametrize(
    ("kind", "call", "likely", "low", "high"),
    [
        ("db.t3.micro", STOP, "1", "1", "1"),
        ("db.t3.micro", START, "-1", "-1", "-1"),
        # Three quarters are reserved, and paid on.
        ("db.t3.micro.multi-az", STOP, "2", "0.5", "2"),
        ("db.t3.micro.multi-az", START, "-2", "-2", "-0.5"),
    ],
)
def test_a_database_saves_its_hours_and_costs_them_again(
    kind: str, call: ApiCall, likely: str, low: str, high: str
) -> None:
    (worth,) = call_savings(calls=[call], groups=[], resources=[database(kind)], book=BOOK)
    expected = [(D(each) * HOURS_PER_MONTH).quantize(D("0.01")) for each in (likely, low, high)]
    assert [worth.monthly_saving, worth.low, worth.high] == expected
    assert worth.price.endswith("its storage is paid on")


def test_what_was_not_found_or_has_no_price_says_so() -> None:
    (gone,) = call_savings(calls=[STOP], groups=[], book=BOOK)
    assert (gone.monthly_saving, "was not found" in gone.because) == (None, True)
    (dear,) = call_savings(calls=[STOP], groups=[], resources=[database("db.r5.large")], book=BOOK)
    assert "no bill line and no entered price" in dear.because


def test_a_request_that_waits_saves_nothing_yet_and_its_inverse_may_cost() -> None:
    again = {"LaunchSpecification": {"InstanceType": "t3.small"}, "InstanceCount": 2, "tags": {}}
    cancel = ApiCall(
        "spot_request", "sir-1", "dev", "us-east-1", "", {"bids": True}, {"bids": False}, {"again": again}
    )
    ask = cancel._replace(before=cancel.after, after=cancel.before)
    filled = (D("0.8") * HOURS_PER_MONTH).quantize(D("0.01"))
    saves, costs = call_savings(calls=[cancel, ask], groups=[], book=BOOK)
    assert (saves.monthly_saving, saves.low, saves.high) == (0, 0, filled)
    assert (costs.monthly_saving, costs.low, costs.high) == (0, -filled, 0)
    (unknown,) = call_savings(calls=[cancel], groups=[], book=PriceBook())
    assert (unknown.monthly_saving, "is unknown" in unknown.price) == (0, True)


def typed(name: str, kind: str, count: int) -> Group:
    instances = tuple(Instance(f"{name}-{number}", kind) for number in range(count))
    return replace(group(name, size=(0, 9, count), market=ON_DEMAND), instances=instances)


def test_the_mean_price_is_weighed_by_instances_and_names_what_has_none() -> None:
    book = PriceBook(
        by_type={
            ("200", "us-east-1", "m6i.large", "on_demand"): metered("1"),
            ("200", "us-east-1", "m6i.xlarge", "on_demand"): metered("2"),
        }
    )
    groups = [typed("dev", "m6i.large", 3), typed("staging", "m6i.xlarge", 1)]
    assert mean_price(groups=groups, book=book).per_hour == D("1.25")
    partly = mean_price(groups=[*groups, typed("production", "x9.huge", 5)], book=book)
    assert partly.per_hour == D("1.25")
    assert "1 without a price" in partly.said
    none = mean_price(groups=groups, book=PriceBook())
    assert (none.per_hour, "no bill line" in none.said) == (None, True)
