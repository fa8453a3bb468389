"""Payments and the days over which they are earned, as stated and as contracts imply: read from the journal."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from ledger.domain.customer_balance import share
from ledger.domain.recognition import ServiceTerm, months_later
from ledger.selectors.payment_refunds import Payment

ZERO = Decimal(0)

type _Values = Mapping[str, Any]

# Income whose metadata tells of a contract over months, and that is not taken back: a reversal deletes its row.
_CONTRACTS = """
    SELECT encode(r.event_id, 'hex'), e.source, e.external_ref, r.day, r.customer, r.term_months,
           e.amount, e.currency, e.base_amount
    FROM ledger_contractreceipt r
    JOIN ledger_capitalevent e
      ON e.company_id = r.company_id AND e.event_id = r.event_id
     AND e.occurred_at >= r.day::timestamp AT TIME ZONE %(timezone)s
     AND e.occurred_at < (r.day + 1)::timestamp AT TIME ZONE %(timezone)s
    WHERE r.company_id = %(company)s AND r.deferred AND r.day < %(before)s
    ORDER BY r.day, r.event_id
"""
# Payments of which somebody tells more than over which days they are earned. What is taken back of them and what
# goes through a balance is looked at payment by payment, and so is what a contract implies something of as well.
TOLD_OF_MORE = """
        SELECT source, unnest(ARRAY[payment, overpaid_by]) AS external_ref FROM ledger_settledinvoice
        WHERE company_id = %(company)s AND (used > 0 OR overpaid > 0)
        UNION SELECT p.source, p.external_ref
        FROM ledger_creditnote n JOIN ledger_serviceperiod p USING (company_id, source, document)
        WHERE n.company_id = %(company)s AND n.document <> ''
        UNION SELECT source, metadata ->> 'refund_of' FROM ledger_capitalevent
        WHERE company_id = %(company)s AND metadata ? 'refund_of'
          AND occurred_at < %(before)s::timestamp AT TIME ZONE %(timezone)s
        UNION SELECT * FROM unnest(%(contract_sources)s::text[], %(contract_references)s::text[])
"""
# Service periods as they were said last, each with the income it is a part of: an event that stands, whose object
# has that source and external reference. A payment is looked at as a whole or not at all.
SAID_LAST = """
        SELECT DISTINCT ON (source, external_ref, line)
               source, external_ref, line, document, amount, currency, "start", "end"
        FROM ledger_serviceperiod p
        WHERE company_id = %(company)s AND {wanted}
        ORDER BY source, external_ref, line, revision DESC
"""
INCOME = """
    JOIN ledger_account a ON a.company_id = %(company)s
    JOIN ledger_externalobject o
      ON o.company_id = a.company_id AND o.account_id = a.id AND o.source = said.source
     AND o.event_type = 'income' AND o.direction = 'in' AND o.external_ref = said.external_ref AND o.twin = ''
     AND NOT o.reversed
    JOIN ledger_capitalevent e
      ON e.company_id = o.company_id AND e.event_id = o.event_id AND e.occurred_at = o.occurred_at
    WHERE said.amount > 0 AND said.currency = e.currency
      AND a.kind IN ('bank', 'card', 'processor')
      AND e.occurred_at < %(before)s::timestamp AT TIME ZONE %(timezone)s
"""
_PERIODS = """
    SELECT encode(e.event_id, 'hex'), e.source, e.external_ref, (e.occurred_at AT TIME ZONE %(timezone)s)::date,
           e.counterparty, said.line, said.document, said."start", said."end", said.amount,
           e.amount, e.currency, e.base_amount
    FROM said
"""
_IN_ORDER = " ORDER BY e.occurred_at, e.source, e.external_ref, said.line"
_ALL_PERIODS = f"WITH said AS ({SAID_LAST.format(wanted='true')}) {_PERIODS} {INCOME} {_IN_ORDER}"
_OF_MORE = f"""
    WITH more AS MATERIALIZED ({TOLD_OF_MORE}), said AS (
        {SAID_LAST.format(wanted="(source, external_ref) IN (SELECT source, external_ref FROM more)")}
    ) {_PERIODS} {INCOME} {_IN_ORDER}
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class EarningPeriod:
    """A service period of a payment, before anything was taken back of it.

    Attributes:
        part: what of the payment it earns, in the payment's currency.
        since: the day on which it was paid: the payment came, or an invoice used it out of a balance.
        brought: what of the payment it is, in base currency; more than the term where a refund came before.
        document, line: the invoice and its line; empty for a contract.
        from_balance: what was taken back before `since` was taken from the balance.
    """

    payment: Payment
    term: ServiceTerm
    part: Decimal
    since: date
    brought: Decimal
    document: str = ""
    line: str = ""
    from_balance: bool = False


def contract_periods(values: _Values) -> list[EarningPeriod]:
    """Return what contracts imply for their payments of before a day, by day; values as `stated_periods`."""
    with connection.cursor() as cursor:
        cursor.execute(_CONTRACTS, values)
        rows = cursor.fetchall()
    return [
        EarningPeriod(
            payment=Payment(event_id, source, external_ref, day, customer, amount, currency, base_amount),
            term=ServiceTerm(base_amount, day, months_later(day, term_months)),
            part=amount,
            since=day,
            brought=base_amount,
        )
        for event_id, source, external_ref, day, customer, term_months, amount, currency, base_amount in rows
    ]


def stated_periods(values: _Values) -> list[EarningPeriod]:
    """Return the periods that were stated for payments that stand, by time of payment.

    Args:
        values: `company`, its `timezone`, and the day `before` which the payments came.
    """
    return _periods(_ALL_PERIODS, values)


def periods_told_of_more(values: _Values, *, contracts: Iterable[EarningPeriod]) -> list[EarningPeriod]:
    """Return those of payments about which anything else is said too, as `stated_periods` does: the rare ones.

    Args:
        contracts: what is stated of their payments goes before what they imply.
    """
    return _periods(_OF_MORE, {**values, **named(contracts)})


def named(contracts: Iterable[EarningPeriod]) -> dict[str, list[str]]:
    """Return the payments of contracts as `TOLD_OF_MORE` takes them."""
    payments = [period.payment for period in contracts]
    return {
        "contract_sources": [payment.source for payment in payments],
        "contract_references": [payment.external_ref for payment in payments],
    }


def _periods(asked: str, values: _Values) -> list[EarningPeriod]:
    with connection.cursor() as cursor:
        cursor.execute(asked, values)
        rows = cursor.fetchall()
    found = []
    stated: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for event_id, source, external_ref, day, customer, line, document, start, end, part, *paid in rows:
        stated[event_id] += part
        payment = Payment(event_id, source, external_ref, day, customer, *paid)
        found.append((payment, line, document, start, end, part))
    periods = []
    for payment, line, document, start, end, part in found:
        # Periods that claim more than was paid share what was paid.
        claimed = max(payment.amount, stated[payment.event_id])
        worth = share(payment.base_amount, part, claimed)
        own = share(payment.amount, part, claimed)
        term = ServiceTerm(worth, start, end)
        periods.append(EarningPeriod(payment, term, own, payment.received_on, worth, document, line))
    return periods
