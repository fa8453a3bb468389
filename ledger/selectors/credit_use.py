"""On which days vendor credits were used up, and whose they were."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection
from django.db.backends.utils import CursorWrapper

from ledger.domain.cloud_bill import CREDIT, SOURCE_PREFIX, BillKey
from ledger.domain.money import MICRO, MONEY
from ledger.models.cloud_bill import BillState

_CREDITS = """
    SELECT f.day, lower(f.counterparty), sum(f.base_amount)
    FROM ledger_dailyflow f
    WHERE f.company_id = %s AND f.event_type = 'credit' AND f.day < %s
    GROUP BY f.day, lower(f.counterparty) ORDER BY f.day
"""
_BILLS = """
    SELECT id, provider, billing_account, period_start, period_end FROM ledger_cloudbill
    WHERE company_id = %s AND state = %s ORDER BY id
"""
_CREDIT_OBJECTS = """
    SELECT split_part(o.external_ref, ':', 1), o.event_id, o.occurred_at
    FROM ledger_externalobject o
    WHERE o.company_id = %s AND o.event_type = 'credit' AND NOT o.reversed AND o.source LIKE %s
      AND o.account_id IN (SELECT id FROM ledger_account WHERE company_id = o.company_id AND kind = 'cloud')
"""
# Objects are not joined with the journal: planning a join over all its months took longer than anything else that
# a forecast asks the database. The instants, being values, leave out all months but the events' own.
_CREDIT_EVENTS = """
    SELECT event_id, occurred_at, base_amount FROM ledger_capitalevent
    WHERE company_id = %s AND event_id = ANY (%s) AND occurred_at = ANY (%s)
"""
_CREDIT_LINES = """
    SELECT bill_id, day, -sum(billed) FROM ledger_cloudbillline
    WHERE company_id = %s AND bill_id = ANY (%s) AND charge_type = %s GROUP BY bill_id, day ORDER BY bill_id, day
"""
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class CreditUse:
    """Attributes:
    counterparty: in lower case.
    amount: in the company's base currency; below zero where a credit was taken back.
    """

    day: date
    counterparty: str
    amount: Decimal


def credits_used(*, company_id: int, before: date) -> tuple[CreditUse, ...]:
    """Return the credits used on each day before `before`, by day.

    A credit event counts on its own day. The credits of an imported bill stand in the journal on the day the bill
    closed; its lines know the days of use, over which their amount is spread: grants draw down as they are used,
    also by bills that are still open, and one that expires within a month pays what it paid until then.

    Reads the daily sums: call `catch_up` first.
    """
    used: dict[tuple[date, str], Decimal] = defaultdict(lambda: _ZERO)
    with connection.cursor() as cursor:
        cursor.execute(_CREDITS, [company_id, before])
        for day, counterparty, amount in cursor.fetchall():
            used[day, counterparty] += amount
    for bill, amount, days in _bills_with_credits(company_id):
        counterparty = bill.provider.lower()
        if bill.period_end < before:
            used[bill.period_end, counterparty] -= amount
        for day, part in _spread(amount, days):
            if day < before:
                used[day, counterparty] += part
    return tuple(
        CreditUse(day, counterparty, amount) for (day, counterparty), amount in sorted(used.items()) if amount
    )


@dataclass(frozen=True, slots=True)
class _Bill:
    provider: str
    billing_account: str
    period_start: date
    period_end: date


def _bills_with_credits(company_id: int) -> Iterable[tuple[_Bill, Decimal, list[tuple[date, Decimal]]]]:
    """Bills in force, what their credit events say in base currency, and their credit lines by day."""
    with connection.cursor() as cursor:
        cursor.execute(_BILLS, [company_id, BillState.CURRENT.value])
        bills = {number: _Bill(*columns) for number, *columns in cursor.fetchall()}
        if not bills:
            return
        credited = _credited(cursor, company_id)
        if not credited:
            return
        cursor.execute(_CREDIT_LINES, [company_id, list(bills), CREDIT])
        days: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
        for bill_id, day, amount in cursor.fetchall():
            days[bill_id].append((day, amount))
    for bill_id, bill in bills.items():
        key = BillKey(bill.provider, bill.billing_account, bill.period_start)
        amount = credited.get(key.reference)
        if amount and days[bill_id]:
            yield bill, amount, days[bill_id]


def _credited(cursor: CursorWrapper, company_id: int) -> dict[str, Decimal]:
    """What the credit events of each bill say in base currency, by the bill's reference."""
    cursor.execute(_CREDIT_OBJECTS, [company_id, f"{SOURCE_PREFIX}%"])
    references = {(bytes(event), at): reference for reference, event, at in cursor.fetchall()}
    credited: dict[str, Decimal] = defaultdict(lambda: _ZERO)
    if references:
        events, instants = (list(column) for column in zip(*references, strict=True))
        cursor.execute(_CREDIT_EVENTS, [company_id, events, sorted(set(instants))])
        for event, at, amount in cursor.fetchall():
            reference = references.get((bytes(event), at))
            if reference is not None:
                credited[reference] += amount
    return credited


def _spread(amount: Decimal, days: list[tuple[date, Decimal]]) -> list[tuple[date, Decimal]]:
    """Share an amount out over days as their lines have it; the parts sum exactly to it."""
    total = sum((part for _, part in days), _ZERO)
    if total <= 0:
        return [(days[-1][0], amount)]
    shared, lines, parts = _ZERO, _ZERO, []
    for day, part in days:
        lines += part
        until = MONEY.divide(MONEY.multiply(amount, lines), total).quantize(MICRO, context=MONEY)
        parts.append((day, until - shared))
        shared = until
    return parts


def uses_of(provider: str, *, used: Iterable[CreditUse], single: bool) -> list[tuple[date, Decimal]]:
    """Return (day, amount) of the credits that a provider's grants pay.

    They are those whose counterparty begins with the provider's name, or the other way round: a grant of `AWS
    Activate` pays what `AWS` gives as credit.

    Args:
        single: it is the only provider with grants: then all are.
    """
    name = provider.lower()
    return [
        (use.day, use.amount)
        for use in used
        if single or use.counterparty.startswith(name) or name.startswith(f"{use.counterparty} ")
    ]
