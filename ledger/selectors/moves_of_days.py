"""What moved on an account in the days in which a stated balance was broken."""

from datetime import datetime

from django.db import connection

from ledger.domain.outcome import JournalEntry
from ledger.selectors.journal import COLUMNS
from ledger.selectors.journal_page import JournalLine, read_lines

MAX_MOVES = 12

# The largest first: they explain a difference most often. One more than shown tells that there are more.
_MOVES = f"""
    SELECT {COLUMNS} FROM ledger_capitalevent e JOIN ledger_account a ON a.id = e.account_id
    WHERE e.company_id = %(company)s AND e.occurred_at >= %(start)s AND e.occurred_at < %(end)s
      AND e.currency = %(currency)s AND e.event_type <> 'credit'
      AND CASE WHEN %(account)s::bigint IS NULL THEN a.kind IN ('bank', 'card', 'processor')
          ELSE e.account_id = %(account)s END
    ORDER BY e.amount DESC, e.position LIMIT {MAX_MOVES + 1}
"""  # noqa: S608 - made of constants


def moves_of_days(
    *, company_id: int, account_id: int | None, currency: str, start: datetime, end: datetime
) -> tuple[JournalLine, ...]:
    """Return the largest moves in `[start, end)`, at most one more than MAX_MOVES.

    Args:
        account_id: None for all cash accounts together.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _MOVES,
            {"company": company_id, "account": account_id, "currency": currency, "start": start, "end": end},
        )
        entries = [JournalEntry(*row) for row in cursor.fetchall()]
    return read_lines(company_id=company_id, entries=entries)
