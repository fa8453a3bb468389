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
# Service periods as they were said last, each with the income it is a part of: an event that stands, whose object
# has that source and external reference. A payment is looked at as a whole or not at all; those that anything else
# is said about are looked at however old they are.
_PERIODS = """
    WITH said AS (
        SELECT DISTINCT ON (source, external_ref, line)
               source, external_ref, line, document, amount, currency, "start", "end"
        FROM ledger_serviceperiod WHERE company_id = %(company)s
        ORDER BY source, external_ref, line, revision DESC
    ), wanted AS MATERIALIZED (
        SELECT source, external_ref FROM said WHERE amount > 0 AND "end" > %(ending_after)s
        UNION SELECT source, external_ref FROM said WHERE external_ref = ANY (%(contracts)s)
        UNION SELECT source, unnest(ARRAY[payment, overpaid_by]) FROM ledger_settledinvoice
              WHERE company_id = %(company)s AND (used > 0 OR overpaid > 0)
        UNION SELECT n.source, s.external_ref FROM ledger_creditnote n JOIN said s USING (source, document)
              WHERE n.company_id = %(company)s
    )
    SELECT encode(e.event_id, 'hex'), e.source, e.external_ref, (e.occurred_at AT TIME ZONE %(timezone)s)::date,
           e.counterparty, said.line, said.document, said."start", said."end", said.amount,
           e.amount, e.currency, e.base_amount
    FROM wanted JOIN said USING (source, external_ref)
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
    ORDER BY e.occurred_at, e.source, e.external_ref, said.line
"""


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


def stated_periods(values: _Values, *, contracts: Iterable[EarningPeriod]) -> list[EarningPeriod]:
    """Return the periods that were stated for payments that stand, by time of payment.

    Args:
        values: `company`, its `timezone`, the day `before` which the payments came, and `ending_after`: a day by
            whose end payments may be left out that are earned altogether; None leaves out none.
        contracts: whose payments are not left out either: what is stated of them goes before what they imply.
    """
    asked = {
        "ending_after": values["ending_after"] or "-infinity",
        "contracts": [period.payment.external_ref for period in contracts],
    }
    with connection.cursor() as cursor:
        cursor.execute(_PERIODS, {**values, **asked})
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
