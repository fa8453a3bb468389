"""What moved per day, as arrays for a forecast."""

from datetime import date
from itertools import starmap

from django.db import connection

from ledger.domain.flow_sums import summed_flows
from ledger.domain.flows import ContractReceipt, DailyFlows

# Cash flows on cash accounts; vendor credits wherever they were booked. What was reversed leaves a row of nothing.
_ROWS = """
    SELECT f.day - date '1970-01-01', f.direction, f.amount::text, f.count, f.event_type, f.currency, f.category,
           f.counterparty
    FROM ledger_dailyflow f
    WHERE f.company_id = %(company)s AND f.day <= %(until)s AND (f.count <> 0 OR f.amount <> 0)
      AND (f.event_type = 'credit' OR f.account_id = ANY (ARRAY(
          SELECT id FROM ledger_account WHERE company_id = %(company)s AND kind IN ('bank', 'card', 'processor'))))
"""
_CONTRACTS = """
    SELECT day, customer, amount, currency, term_months, deferred, renewal FROM ledger_contractreceipt
    WHERE company_id = %s AND day <= %s ORDER BY day, customer, event_id
"""
_VERSION = """
    SELECT k.version, c.books_version FROM ledger_dailyflowcursor k JOIN ledger_company c ON c.id = k.company_id
    WHERE k.company_id = %s
"""


def flows_version(*, company_id: int) -> tuple[int, int] | None:
    """Return what moves with all that `daily_flows` is made of, sums and kinds of accounts; None without sums."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, [company_id])
        version: tuple[int, int] | None = cursor.fetchone()
    return version


def daily_flows(*, company_id: int, until: date) -> DailyFlows:
    """Return a company's daily flows up to and including a day of its calendar.

    Reads the daily sums: call `ledger.services.daily_flows.catch_up` first. A reversed event and its reversal
    leave no row. A row never mixes currencies; transfers are included.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, {"company": company_id, "until": until})
        rows = cursor.fetchall()
        cursor.execute(_CONTRACTS, [company_id, until])
        contracts = starmap(ContractReceipt, cursor.fetchall())
    return summed_flows(rows, contracts)
