"""The lines of the last cloud bills, as AWS exports them in FOCUS: the demo's groups by type, and the rest.

A month's lines come to what its invoice says, so that bill, credit and payment agree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from capstack.demo.cloud_bill import usage_by_month
from capstack.demo.story import Story
from capstack.demo.workdays import next_month

BILLS = 3
ACCOUNT = "471112908834"
REGION = "us-east-1"
HEADER = (
    "ProviderName,BillingAccountId,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargeCategory,"
    "SubAccountId,ServiceName,RegionId,SkuId,x_UsageType,ConsumedQuantity,ConsumedUnit,BilledCost,EffectiveCost,"
    "BillingCurrency"
)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Instances of one type that run all day, bought in one way."""

    usage_type: str
    hours_per_day: int
    per_hour: float


# What DEMO_GROUPS run, at list prices and usual spot prices; the last one is a cluster that nobody scales.
FLEETS = (
    Fleet("BoxUsage:r6i.8xlarge", 5 * 24, 2.016),
    Fleet("SpotUsage:r6i.8xlarge", 3 * 24, 0.7412),
    Fleet("BoxUsage:m6i.4xlarge", 2 * 24, 0.768),
    Fleet("SpotUsage:m6i.4xlarge", 2 * 24, 0.3105),
    Fleet("BoxUsage:m6i.2xlarge", 2, 0.384),
    Fleet("SpotUsage:m6i.2xlarge", 3 * 24 - 2, 0.1544),
    Fleet("BoxUsage:c6i.4xlarge", 10 * 24, 0.68),
)
# Services that share what the instances leave of a month, and how.
SERVICES = (("Amazon Relational Database Service", 0.55), ("Amazon Simple Storage Service", 0.45))


def focus_file(story: Story) -> str:
    """The last BILLS bills as one file; the bill of today's month ends yesterday. Pure."""
    months = list(usage_by_month(story))[-BILLS:]
    lines = [line for month, usage in months for line in _bill(story, month, usage)]
    return "\n".join([HEADER, *lines]) + "\n"


def _bill(story: Story, month: date, usage: float) -> Iterator[str]:
    end = next_month(month)
    per_day = usage / (end - month).days
    instances = sum(fleet.hours_per_day * fleet.per_hour for fleet in FLEETS)
    for place in range((min(end, story.today) - month).days):
        day = month + timedelta(days=place)
        for fleet in FLEETS:
            cost = fleet.hours_per_day * fleet.per_hour
            hours = str(fleet.hours_per_day)
            yield _line(month, end, day, "Amazon Elastic Compute Cloud", fleet.usage_type, hours, "Hours", cost)
        for service, share in SERVICES:
            yield _line(month, end, day, service, "", "", "", share * (per_day - instances))


def _line(
    month: date, end: date, day: date, service: str, usage_type: str, hours: str, unit: str, cost: float
) -> str:
    money = f"{cost:.10f}"
    cells = (
        "AWS", ACCOUNT, f"{month}T00:00:00Z", f"{end}T00:00:00Z", f"{day}T00:00:00Z", "Usage", ACCOUNT, service,
        REGION, "", usage_type, hours, unit, money, money, "USD",
    )  # fmt: skip
    return ",".join(cells)
