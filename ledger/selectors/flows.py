"""What moved per day, as arrays for a forecast."""

from datetime import date
from itertools import starmap

from django.db import connection

from ledger.domain.flow_sums import flow_arrays
from ledger.domain.flows import ContractReceipt, DailyFlows
from ledger.models.daily_flow import ContractReceiptRow

# Cash flows on cash accounts; vendor credits wherever they were booked. Summed over accounts and directions
# here, so that Python gets the rows it hands out.
_ROWS = """
    SELECT day - date '1970-01-01',
           sum(CASE WHEN f.direction = 'in' THEN f.amount ELSE -f.amount END)::float8,
           sum(f.count)::integer,
           f.event_type, f.currency, f.category, f.counterparty
    FROM ledger_dailyflow f JOIN ledger_account a ON a.id = f.account_id
    WHERE f.company_id = %s AND f.day <= %s
      AND (f.event_type = 'credit' OR a.kind IN ('bank', 'card', 'processor'))
    GROUP BY f.day, f.event_type, f.currency, f.category, f.counterparty
    HAVING bool_or(f.count <> 0 OR f.amount <> 0)
    ORDER BY f.day, f.event_type, f.currency, f.category, f.counterparty
"""


def daily_flows(*, company_id: int, until: date) -> DailyFlows:
    """Return a company's daily flows up to and including a day of its calendar.

    Reads the daily sums: call `ledger.services.daily_flows.catch_up` first. A reversed event and its reversal
    leave no row. A row never mixes currencies; transfers are included.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [company_id, until])
        rows = cursor.fetchall()
    return flow_arrays(rows, _contracts(company_id, until))


def _contracts(company_id: int, until: date) -> tuple[ContractReceipt, ...]:
    rows = (
        ContractReceiptRow.objects.filter(company_id=company_id, day__lte=until)
        .order_by("day", "customer", "event_id")
        .values_list("day", "customer", "amount", "currency", "term_months", "deferred", "renewal")
    )
    return tuple(starmap(ContractReceipt, rows))
