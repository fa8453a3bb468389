"""Summing the journal by day, from a cursor that moves with the sums.

An event that `ledger.services.readings` takes for something else is summed as that, a split one part by part.
Money that came for a contract is never split.
"""

from django.db import connection

from ledger.domain.company import CompanyNotFound
from ledger.services.derived import derived_only
from ledger.services.transient import try_again

# Rows summed per statement, so that the first look at a large journal does not hold one transaction for minutes.
POSITIONS_PER_STEP = 100_000

_LOCK = """
    SELECT k.position, k.timezone, c.timezone, coalesce(h.position, 0)
    FROM ledger_dailyflowcursor k JOIN ledger_company c ON c.id = k.company_id
    LEFT JOIN ledger_journalhead h ON h.company_id = k.company_id
    WHERE k.company_id = %s FOR UPDATE OF k
"""
_IS_LEVEL = """
    SELECT k.position FROM ledger_dailyflowcursor k JOIN ledger_company c ON c.id = k.company_id
    LEFT JOIN ledger_journalhead h ON h.company_id = k.company_id
    WHERE k.company_id = %s AND k.timezone = c.timezone AND k.position >= coalesce(h.position, 0)
"""
_BEGIN = """
    INSERT INTO ledger_dailyflowcursor (company_id, position, timezone)
    SELECT id, 0, timezone FROM ledger_company WHERE id = %s ON CONFLICT DO NOTHING
"""
# One reading of what is new feeds all four: the sums, those of accounts, the contracts among it, and those that
# were taken back.
_PROJECT = """
    WITH news AS MATERIALIZED (
        SELECT e.*, (e.occurred_at AT TIME ZONE %(timezone)s)::date AS day,
               CASE WHEN e.reverses IS NULL THEN e.direction WHEN e.direction = 'in' THEN 'out' ELSE 'in' END
               AS booked_direction,
               CASE WHEN e.reverses IS NULL THEN 1 ELSE -1 END AS sign,
               coalesce(p.event_type, r.event_type, e.event_type) AS read_type,
               coalesce(p.category, r.category, e.category) AS read_category,
               coalesce(p.counterparty, r.counterparty, e.counterparty) AS read_counterparty,
               coalesce(p.amount, e.amount) AS read_amount, coalesce(p.base_amount, e.base_amount) AS read_base
        FROM ledger_journal_between(%(company)s, %(after)s, %(until)s) e
        LEFT JOIN ledger_eventreading r
               ON r.company_id = e.company_id AND r.event_id = coalesce(e.reverses, e.event_id)
        LEFT JOIN ledger_eventpart p
               ON p.company_id = e.company_id AND p.event_id = coalesce(e.reverses, e.event_id) AND p.in_force
    ), sums AS (
        INSERT INTO ledger_dailyflow AS f (
            company_id, day, account_id, currency, event_type, direction, category, counterparty,
            amount, base_amount, count
        )
        SELECT company_id, day, account_id, currency, read_type, booked_direction, read_category,
               read_counterparty, sum(sign * read_amount), sum(sign * read_base), sum(sign)
        FROM news GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
        ON CONFLICT (company_id, day, account_id, currency, event_type, direction, category, counterparty)
        DO UPDATE SET amount = f.amount + excluded.amount,
                      base_amount = f.base_amount + excluded.base_amount,
                      count = f.count + excluded.count
    ), account_days AS (
        INSERT INTO ledger_accountday AS f (
            company_id, account_id, currency, day, event_type, direction, amount, base_amount, count
        )
        SELECT company_id, account_id, currency, day, read_type, booked_direction, sum(sign * read_amount),
               sum(sign * read_base), sum(sign)
        FROM news GROUP BY 1, 2, 3, 4, 5, 6
        ON CONFLICT (company_id, account_id, currency, day, event_type, direction)
        DO UPDATE SET amount = f.amount + excluded.amount,
                      base_amount = f.base_amount + excluded.base_amount,
                      count = f.count + excluded.count
    ), contracts AS (
        INSERT INTO ledger_contractreceipt (
            company_id, event_id, day, customer, amount, currency, term_months, deferred, renewal
        )
        SELECT e.company_id, e.event_id, e.day, e.counterparty, e.amount, e.currency,
               (e.metadata ->> 'term_months')::integer,
               coalesce(e.metadata -> 'deferred' = 'true', false),
               coalesce(e.metadata -> 'renewal' = 'true', false)
        FROM news e JOIN ledger_account a ON a.id = e.account_id
        WHERE a.kind IN ('bank', 'card', 'processor') AND e.read_type = 'income' AND e.reverses IS NULL
          AND e.metadata ? 'contract' AND e.metadata ->> 'term_months' ~ '^[1-9][0-9]{0,2}$'
          AND jsonb_typeof(e.metadata -> 'term_months') = 'number'
          AND NOT EXISTS (SELECT FROM news later WHERE later.reverses = e.event_id)
        ON CONFLICT DO NOTHING
    )
    DELETE FROM ledger_contractreceipt r USING news e
    WHERE e.reverses IS NOT NULL AND r.company_id = e.company_id AND r.event_id = e.reverses
"""


def catch_up(*, company_id: int) -> int:
    """Sum the journal's rows after the cursor and return the position reached.

    The sums and the cursor move in one transaction, and a lock on the cursor lets one caller at a time through, so
    calling it twice or from two processes sums nothing twice. A company whose time zone changed is summed anew.

    Raises:
        CompanyNotFound: no such company.
    """
    level_at = _level_at(company_id)
    if level_at is not None:
        return level_at
    while True:
        position, head = try_again(lambda: _step(company_id))
        if position >= head:
            return position


def keep_up(*, company_id: int) -> bool:
    """Sum at most POSITIONS_PER_STEP rows, for somebody who waits for a page; return whether nothing is left.

    Raises:
        CompanyNotFound: no such company.
    """
    position, head = try_again(lambda: _step(company_id))
    return position >= head


def _level_at(company_id: int) -> int | None:
    """The position of a company of whose journal everything is summed: one look, and no lock; else None."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_LEVEL, [company_id])
        found = cursor.fetchone()
    return found[0] if found is not None else None


def _step(company_id: int) -> tuple[int, int]:
    """Sum at most POSITIONS_PER_STEP rows; return the cursor and the journal's head as it was seen."""
    with derived_only(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [company_id])
        found = cursor.fetchone()
        if found is None:
            cursor.execute(_BEGIN, [company_id])
            cursor.execute(_LOCK, [company_id])
            found = cursor.fetchone()
            if found is None:
                raise CompanyNotFound(f"there is no company {company_id}")
        after, summed_in, timezone, head = found
        if summed_in != timezone:
            cursor.execute("DELETE FROM ledger_dailyflow WHERE company_id = %s", [company_id])
            cursor.execute("DELETE FROM ledger_accountday WHERE company_id = %s", [company_id])
            cursor.execute("DELETE FROM ledger_contractreceipt WHERE company_id = %s", [company_id])
            after = 0
        elif after >= head:
            return after, head
        until = min(head, after + POSITIONS_PER_STEP)
        cursor.execute(_PROJECT, {"company": company_id, "timezone": timezone, "after": after, "until": until})
        cursor.execute(
            "UPDATE ledger_dailyflowcursor SET position = %s, timezone = %s, version = version + 1"
            " WHERE company_id = %s",
            [until, timezone, company_id],
        )
        return until, head
