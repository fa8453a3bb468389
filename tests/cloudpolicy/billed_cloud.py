"""A company that pays AWS every month, and bills of its instances, made up line by line and imported as a CUR."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from ledger.domain.company import CompanyRef
from ledger.domain.event import EventDraft
from ledger.services.import_events import import_events
from ledger.services.record import record
from tests.cloudpolicy.steered_company import AS_OF, NOW

PAID_PER_MONTH = Decimal(9000)
HEADER = (
    "bill/PayerAccountId,bill/BillingPeriodStartDate,bill/BillingPeriodEndDate,lineItem/UsageAccountId,"
    "lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/ProductCode,lineItem/UsageType,lineItem/UsageAmount,"
    "lineItem/CurrencyCode,lineItem/UnblendedCost,lineItem/ResourceId,product/regionCode,pricing/unit,"
    "reservation/EffectiveCost"
)


@dataclass(frozen=True)
class Hours:
    """Hours of one instance, or of many, on one day, or from then until another day."""

    day: date
    usage_type: str
    hours: Decimal | int
    cost: Decimal | str
    resource: str = ""
    kind: str = "Usage"
    effective: str = ""
    account: str = "200"
    currency: str = "USD"
    region: str = "us-east-1"
    unit: str = "Hrs"
    until: date | None = None


def pay_aws(company: CompanyRef, *, per_month: Decimal = PAID_PER_MONTH) -> None:
    """Eight monthly payments, the last one in the month of the as-of day."""
    record(company_id=company.id, drafts=list(_payments(per_month)), actor="test", now=NOW)


def import_bill(company: CompanyRef, lines: Iterable[Hours], *, now: datetime = NOW) -> None:
    text = "\n".join([HEADER, *(_line(line) for line in lines)]) + "\n"
    report = import_events(company=company, stream=io.BytesIO(text.encode()), actor="test", now=now)
    assert not report.rejected_lines, report


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=place) for place in range(count)]


def _payments(per_month: Decimal) -> Iterator[EventDraft]:
    for months_ago in range(8):
        month = AS_OF.month - months_ago
        day = date(AS_OF.year if month > 0 else AS_OF.year - 1, (month - 1) % 12 + 1, 5)
        yield EventDraft(
            source="bank",
            event_type="expense",
            amount=per_month,
            currency="USD",
            occurred_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            category="cloud",
            counterparty="AWS",
            external_ref=f"aws-{day}",
        )


def _line(line: Hours) -> str:
    first = line.day.replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    until = line.until or line.day + timedelta(days=1)
    cells = (
        "100", f"{first}T00:00:00Z", f"{after}T00:00:00Z", line.account, line.kind, f"{line.day}T00:00:00Z",
        f"{until}T00:00:00Z", "AmazonEC2", line.usage_type, str(line.hours), line.currency, str(line.cost),
        line.resource, line.region, line.unit, line.effective,
    )  # fmt: skip
    return ",".join(cells)
