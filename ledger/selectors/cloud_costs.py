"""What cloud providers charged, and how it was paid, per provider and month."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection

from ledger.domain.month import months_after
from ledger.models.cloud_bill import BillState, CloudBill
from ledger.selectors.credit_use import CreditUse

ZERO = Decimal(0)
MAX_BILLS = 60
MONTHS_SHOWN = 12

# What imported bills say stands on accounts of kind cloud; what was paid has left a cash account under a category
# of the cloud. Both are kept apart: a bill and its payment are one cost. Credits only give their provider's name.
# The first half is what the index of rare flows holds; the other is read where there are accounts of the cloud.
_COSTS = """
    WITH cloud AS MATERIALIZED (
        SELECT id FROM ledger_account WHERE company_id = %(company)s AND kind = 'cloud'
    )
    SELECT date_trunc('month', f.day)::date, f.counterparty,
           CASE WHEN f.event_type = 'credit' THEN NULL ELSE f.account_id IN (SELECT id FROM cloud) END,
           sum(CASE WHEN f.direction = 'out' THEN f.base_amount ELSE -f.base_amount END)
    FROM (
        SELECT day, counterparty, event_type, account_id, direction, base_amount FROM ledger_dailyflow
        WHERE company_id = %(company)s AND day >= %(start)s AND day < %(before)s
          AND (event_type = 'credit' OR category ILIKE 'cloud%%')
          AND event_type IN ('expense', 'adjustment', 'credit')
        UNION ALL
        SELECT day, counterparty, event_type, account_id, direction, base_amount FROM ledger_dailyflow
        WHERE company_id = %(company)s AND day >= %(start)s AND day < %(before)s
          AND category NOT ILIKE 'cloud%%' AND event_type IN ('expense', 'adjustment')
          AND account_id IN (SELECT id FROM cloud) AND EXISTS (SELECT FROM cloud)
    ) f
    GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class CloudMonth:
    """One provider in one month, in base currency.

    Attributes:
        month: its first day.
        charged: by imported bills, before credits; zero where no bill was imported.
        credited: paid by vendor credits, on the days of use.
        paid: in cash.
    """

    provider: str
    month: date
    charged: Decimal
    credited: Decimal
    paid: Decimal


@dataclass(frozen=True, slots=True)
class CloudBillRow:
    """A bill in force. `billed` is what its lines sum to, credits taken off, unrounded."""

    provider: str
    billing_account: str
    period_start: date
    period_end: date
    billed: Decimal
    currency: str
    lines: int
    version: int
    format: str
    imported_at: datetime


def first_cloud_month(day: date) -> date:
    """Return the first day of the earliest month that a page shows beside a day."""
    return months_after(day.replace(day=1), 1 - MONTHS_SHOWN)


def cloud_months(
    *, company_id: int, start: date, before: date, used: Iterable[CreditUse]
) -> tuple[CloudMonth, ...]:
    """Return the months of `[start, before)` in which a provider charged or was paid, the latest first.

    Reads the daily sums: call `ledger.services.daily_flows.catch_up` first.

    Args:
        used: as `credits_used` tells.
    """
    sums: dict[tuple[str, date], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    names: dict[str, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COSTS, {"company": company_id, "start": start, "before": before})
        for month, provider, is_bill, amount in cursor.fetchall():
            names.setdefault(provider.lower(), provider)
            if is_bill is not None:
                sums[provider.lower(), month][0 if is_bill else 2] += amount
    for use in used:
        if start <= use.day < before:
            sums[use.counterparty, use.day.replace(day=1)][1] += use.amount
    return tuple(
        CloudMonth(names.get(provider, provider), month, *amounts)
        for (provider, month), amounts in sorted(
            sums.items(), key=lambda each: (-each[0][1].toordinal(), each[0][0])
        )
        if any(amounts)
    )


def cloud_bills(*, company_id: int, until: date) -> tuple[CloudBillRow, ...]:
    """Return the latest bills in force whose period began by a day, the latest first, at most MAX_BILLS."""
    bills = CloudBill.objects.filter(company_id=company_id, state=BillState.CURRENT, period_start__lte=until)
    return tuple(
        CloudBillRow(
            provider=bill.provider,
            billing_account=bill.billing_account,
            period_start=bill.period_start,
            period_end=bill.period_end,
            billed=bill.billed,
            currency=bill.currency,
            lines=bill.lines,
            version=bill.version or 0,
            format=bill.format,
            imported_at=bill.imported_at,
        )
        for bill in bills.order_by("-period_start", "provider", "billing_account")[:MAX_BILLS]
    )
