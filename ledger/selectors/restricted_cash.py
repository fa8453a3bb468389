"""Restricted cash: money in the accounts that is not the company's to spend."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

# Categories that say so. Whoever records such events, provider, importer or person, uses these words.
PAYROLL_TAX = "payroll_tax"
CUSTOMER_DEPOSIT = "customer_deposit"
# The line of a payroll that is the employer's own tax: owed as well, but never somebody else's money.
EMPLOYER_TAXES = "employer_taxes"
# How long after pay day a tax may be paid, at most: quarterly depositors, and the days of grace after that.
MOST_DAYS_HELD = 120

# A tax is recorded with the day it will be paid; its metadata names the pay day on which it was withheld. Whether
# it stands is asked of its object: looking for a reversal planned a look into every month, which took 5 ms.
_TAXES = """
    SELECT coalesce(e.metadata ->> 'line', '') = %(employer)s, sum(e.base_amount)
    FROM ledger_capitalevent e
    JOIN ledger_account a ON a.id = e.account_id
    WHERE e.company_id = %(company)s AND e.category = %(category)s AND e.event_type = 'expense'
      AND e.reverses IS NULL AND a.kind IN ('bank', 'card', 'processor')
      AND e.occurred_at >= (%(at)s::date + 1)::timestamp AT TIME ZONE %(timezone)s
      AND e.occurred_at < (%(at)s::date + 1 + %(days)s::integer)::timestamp AT TIME ZONE %(timezone)s
      AND e.metadata ->> 'check_date' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
      AND e.metadata ->> 'check_date' <= %(at)s::date::text
      AND EXISTS (
          SELECT FROM ledger_externalobject o
          WHERE o.company_id = e.company_id AND o.account_id = e.account_id AND o.source = e.source
            AND o.event_type = e.event_type AND o.direction = e.direction AND o.external_ref = e.external_ref
            AND o.twin = CASE e.external_ref WHEN '' THEN e.event_id ELSE ''::bytea END
            AND o.event_id = e.event_id AND NOT o.reversed
      )
    GROUP BY 1
"""
_DEPOSITS = """
    SELECT sum(CASE WHEN f.direction = 'in' THEN f.base_amount ELSE -f.base_amount END)
    FROM ledger_dailyflow f JOIN ledger_account a ON a.id = f.account_id
    WHERE f.company_id = %s AND f.category = %s AND f.day <= %s AND f.event_type <> 'credit'
      AND a.kind IN ('bank', 'card', 'processor')
"""
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class RestrictedCash:
    """What is not ours of the cash at the end of a day, in base currency.

    Attributes:
        withheld_tax: taken from employees' pay and not passed on yet.
        customer_deposits: received as a deposit and not given back.
        employer_tax: the company's own tax on payrolls paid already; it leaves with the withheld one. It is owed
            and not restricted, so it is no part of the total.
    """

    day: date
    withheld_tax: Decimal
    customer_deposits: Decimal
    employer_tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.withheld_tax + self.customer_deposits


def restricted_cash(*, company_id: int, timezone: str, at: date) -> RestrictedCash:
    """Return what of the cash at the end of a day is somebody else's.

    Tax: expenses of category `payroll_tax` that are dated later, whose metadata names a `check_date` up to that
    day; `line` tells the employer's own (`employer_taxes`) from what was withheld. Payments that say nothing of
    it, such as those of a bank feed, are not known before they are made: the forecast estimates those.

    Deposits: what came in and went out under the category `customer_deposit`, as adjustments. A deposit that turns
    into revenue is reversed and recorded as income.

    Reads the daily sums: call `catch_up` first.

    Args:
        timezone: of the company; decides what a day is.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _TAXES,
            {
                "company": company_id,
                "category": PAYROLL_TAX,
                "employer": EMPLOYER_TAXES,
                "at": at,
                "days": MOST_DAYS_HELD,
                "timezone": timezone,
            },
        )
        taxes = dict(cursor.fetchall())
        cursor.execute(_DEPOSITS, [company_id, CUSTOMER_DEPOSIT, at])
        (deposits,) = cursor.fetchone()
    return RestrictedCash(
        day=at,
        withheld_tax=taxes.get(False, _ZERO),
        customer_deposits=max(deposits or _ZERO, _ZERO),
        employer_tax=taxes.get(True, _ZERO),
    )
