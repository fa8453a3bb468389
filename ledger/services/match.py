"""Following the journal with open eyes: which feeds speak, which legs are one transfer, what looks like a twin.

The cursor moves in the transaction that stores what was found, so a matcher that dies begins where it was. A doubt
becomes a review item; only what is plain is matched without asking.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ledger.domain.account import CASH_KINDS
from ledger.domain.company import CompanyNotFound
from ledger.domain.counterparty import telling_words
from ledger.domain.transfer_matching import EARLIEST_ARRIVAL, LATEST_ARRIVAL, leg_name
from ledger.domain.twins import NEAR, Sighting, suspected_twins
from ledger.models.account import Account
from ledger.models.review import ReviewKind
from ledger.selectors.journal import journal_position
from ledger.services.announce import announce_advance
from ledger.services.matches import KEEP_LEG, MATCHER
from ledger.services.pairing import end_matches, pair_legs
from ledger.services.questions import Question, ask, settle_about
from ledger.services.transient import try_again

POSITIONS_PER_STEP = 50_000
# A leg whose other side may still be on its way is no question yet.
OVERDUE = LATEST_ARRIVAL
MAX_OVERDUE = 5000

_LOCK = """
    SELECT m.position, c.timezone, coalesce(h.position, 0)
    FROM ledger_matchcursor m JOIN ledger_company c ON c.id = m.company_id
    LEFT JOIN ledger_journalhead h ON h.company_id = m.company_id
    WHERE m.company_id = %s FOR UPDATE OF m
"""
_BEGIN = """
    INSERT INTO ledger_matchcursor (company_id, position)
    SELECT id, 0 FROM ledger_company WHERE id = %s ON CONFLICT DO NOTHING
"""
# A month of a daily feed's days, and more than half a year of a weekly one's, tell its habits.
_DAYS_KEPT = 32
_FEEDS = f"""
    INSERT INTO ledger_accountfeed AS f (
        company_id, account_id, source, events, first_occurred_at, last_occurred_at, last_recorded_at, days
    )
    SELECT company_id, account_id, source, count(*), min(occurred_at), max(occurred_at), max(recorded_at),
        (array_agg(DISTINCT (occurred_at AT TIME ZONE %(timezone)s)::date
            ORDER BY (occurred_at AT TIME ZONE %(timezone)s)::date DESC))[1:{_DAYS_KEPT}]
    FROM ledger_journal_between(%(company)s, %(after)s, %(until)s)
    WHERE reverses IS NULL GROUP BY 1, 2, 3
    ON CONFLICT (company_id, account_id, source) DO UPDATE SET
        events = f.events + excluded.events,
        first_occurred_at = least(f.first_occurred_at, excluded.first_occurred_at),
        last_occurred_at = greatest(f.last_occurred_at, excluded.last_occurred_at),
        last_recorded_at = greatest(f.last_recorded_at, excluded.last_recorded_at),
        days = ARRAY(
            SELECT DISTINCT day FROM unnest(f.days || excluded.days) AS day ORDER BY day DESC LIMIT {_DAYS_KEPT}
        )
"""  # noqa: S608 - made of constants
# A contract's money is a sale, whatever else has its amount.
_MAY_BE_A_LEG = """
    e.reverses IS NULL AND e.event_type IN ('income', 'expense') AND NOT e.metadata ? 'contract'
    AND a.kind IN ('bank', 'card', 'processor')
"""
_WAITING_FOR = """
    l.company_id = e.company_id AND l.event_type = 'transfer' AND l.match_id IS NULL AND NOT l.reversed
    AND NOT l.is_split AND l.currency = e.currency AND l.direction <> e.direction AND l.account_id <> e.account_id
    AND CASE l.direction
        WHEN 'out' THEN e.occurred_at BETWEEN l.occurred_at + %(earliest)s AND l.occurred_at + %(latest)s
        ELSE e.occurred_at BETWEEN l.occurred_at - %(latest)s AND l.occurred_at - %(earliest)s
    END
"""
# What an event is the other side of: a leg of its amount, by a join on it; or, with others, one whose account its
# text names. Two statements, since an OR between them would keep PostgreSQL from either plan.
_FITS = f"{_WAITING_FOR} AND l.amount = e.amount"
_NAMES = f"""
    {_WAITING_FOR} AND e.counterparty ILIKE ANY (
        SELECT w.pattern FROM unnest(%(named)s::bigint[], %(patterns)s::text[]) AS w (account_id, pattern)
        WHERE w.account_id = l.account_id
    )
"""  # noqa: S608 - made of constants
_HAS_A_NAME = "e.counterparty ILIKE ANY (%(patterns)s::text[])"
_TRANSFERS = f"""
    {KEEP_LEG} FROM ledger_journal_between(%(company)s, %(after)s, %(until)s) e
    JOIN ledger_account a ON a.id = e.account_id
    WHERE e.event_type = 'transfer' AND e.reverses IS NULL AND a.kind IN ('bank', 'card', 'processor')
    ON CONFLICT DO NOTHING RETURNING occurred_at
"""
# Among the new events, what fits a leg that waits.
_NEW = f"""
    {KEEP_LEG} FROM ledger_journal_between(%(company)s, %(after)s, %(until)s) e
    JOIN ledger_account a ON a.id = e.account_id
    WHERE {_MAY_BE_A_LEG}
"""
# Among the events before, what fits a leg that is new. The bounds in time let PostgreSQL leave months out.
_EARLIER = f"""
    {KEEP_LEG} FROM ledger_capitalevent e JOIN ledger_account a ON a.id = e.account_id
    WHERE e.company_id = %(company)s AND e.position <= %(after)s
      AND e.occurred_at BETWEEN %(from)s AND %(to)s AND {_MAY_BE_A_LEG}
      AND NOT EXISTS (
          SELECT FROM ledger_capitalevent b
          WHERE b.company_id = e.company_id AND b.source = e.source AND b.event_type = e.event_type
            AND b.occurred_at = e.occurred_at AND b.reverses = e.event_id
      )
"""
_ONCE = "ON CONFLICT DO NOTHING RETURNING occurred_at"
_NEW_CANDIDATES = (
    f"{_NEW} AND EXISTS (SELECT FROM ledger_transferleg l WHERE {_FITS}) {_ONCE}",
    f"{_NEW} AND {_HAS_A_NAME} AND EXISTS (SELECT FROM ledger_transferleg l WHERE {_NAMES}) {_ONCE}",
)
_EARLIER_CANDIDATES = (
    f"{_EARLIER} AND EXISTS (SELECT FROM ledger_transferleg l WHERE {_FITS} AND l.position > %(after)s) {_ONCE}",
    f"{_EARLIER} AND {_HAS_A_NAME}"
    f" AND EXISTS (SELECT FROM ledger_transferleg l WHERE {_NAMES} AND l.position > %(after)s) {_ONCE}",
)
_TAKEN_BACK = """
    SELECT e.position FROM ledger_journal_between(%(company)s, %(after)s, %(until)s) b
    CROSS JOIN LATERAL (
        SELECT position FROM ledger_capitalevent e
        WHERE e.company_id = b.company_id AND e.event_id = b.reverses AND e.occurred_at = b.occurred_at
    ) e
    WHERE b.reverses IS NOT NULL
"""
_SHARED_ACCOUNTS = """
    SELECT account_id FROM ledger_accountfeed WHERE company_id = %s GROUP BY account_id HAVING count(*) > 1
"""
_SIGHTINGS = """
    WITH news AS MATERIALIZED (
        SELECT * FROM ledger_journal_between(%(company)s, %(after)s, %(until)s)
        WHERE reverses IS NULL AND event_type <> 'credit' AND account_id = ANY(%(accounts)s)
    ), span AS (
        SELECT min(occurred_at) - %(near)s AS first, max(occurred_at) + %(near)s AS last FROM news
    )
    SELECT o.position, o.account_id, o.source, o.event_type, o.direction, o.amount, o.currency, o.occurred_at,
           o.counterparty
    FROM ledger_capitalevent o
    WHERE o.company_id = %(company)s AND o.position <= %(until)s AND o.reverses IS NULL
      AND o.event_type <> 'credit' AND o.account_id = ANY(%(accounts)s)
      AND o.occurred_at BETWEEN (SELECT first FROM span) AND (SELECT last FROM span)
      AND EXISTS (
          SELECT FROM news n
          WHERE n.account_id = o.account_id AND n.direction = o.direction AND n.currency = o.currency
            AND n.amount = o.amount AND n.occurred_at BETWEEN o.occurred_at - %(near)s AND o.occurred_at + %(near)s
      )
      AND NOT EXISTS (
          SELECT FROM ledger_capitalevent b
          WHERE b.company_id = o.company_id AND b.source = o.source AND b.event_type = o.event_type
            AND b.occurred_at = o.occurred_at AND b.reverses = o.event_id
      )
"""
_WAITS = "l.match_id IS NULL AND NOT l.reversed AND NOT l.is_split AND l.event_type = 'transfer'"
# As `leg_name` has it.
_NAME = "CASE l.part WHEN 0 THEN l.position::text ELSE l.position || '.' || l.part END"
# With a suggested other side there is one question already.
_SUGGESTED = f"""
    SELECT FROM ledger_reviewitem i
    WHERE i.company_id = l.company_id AND i.kind IN ('pair', 'batch') AND i.state = 'open'
      AND i.positions @> ARRAY[l.position] AND string_to_array(i.subject, '-') @> ARRAY[{_NAME}]
"""
_OVERDUE = f"""
    SELECT l.position, l.part, l.account_id, l.amount, l.currency, (l.occurred_at AT TIME ZONE c.timezone)::date
    FROM ledger_transferleg l JOIN ledger_company c ON c.id = l.company_id
    WHERE l.company_id = %(company)s AND {_WAITS}
      AND l.occurred_at < %(before)s
      AND NOT EXISTS (
          SELECT FROM ledger_reviewitem i
          WHERE i.company_id = l.company_id AND i.kind = 'leg' AND i.subject = {_NAME} AND i.state <> 'closed'
      )
      AND NOT EXISTS ({_SUGGESTED})
    ORDER BY l.position, l.part LIMIT %(rows)s
"""  # noqa: S608 - made of constants


def follow_journal(*, company_id: int, now: datetime) -> int:
    """Look at the journal's rows after the cursor, ask about what is overdue, and return the position reached.

    Calling it twice, or from two processes, finds nothing twice: a lock on the cursor lets one through at a time.

    Raises:
        CompanyNotFound: no such company.
    """
    while True:
        position, head, changed = try_again(lambda: _step(company_id, now))
        if changed:
            # No event moved, but cash flow was read otherwise: whoever reads the sums should look again.
            announce_advance(company_id=company_id, position=journal_position(company_id=company_id))
        if position >= head:
            ask_about_overdue_legs(company_id=company_id, now=now)
            return position


def _step(company_id: int, now: datetime) -> tuple[int, int, bool]:
    """Look at most at POSITIONS_PER_STEP rows; return cursor, head, and whether sums were moved."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [company_id])
        found = cursor.fetchone()
        if found is None:
            cursor.execute(_BEGIN, [company_id])
            cursor.execute(_LOCK, [company_id])
            found = cursor.fetchone()
            if found is None:
                raise CompanyNotFound(f"there is no company {company_id}")
        after, timezone, head = found
        if after >= head:
            return after, head, False
        until = min(head, after + POSITIONS_PER_STEP)
        bounds = {"company": company_id, "after": after, "until": until}
        cursor.execute(_FEEDS, bounds | {"timezone": timezone})
        around = _gather_legs(cursor, bounds)
        taken_back = _positions(cursor, _TAKEN_BACK, bounds)
        changed = _take_back(company_id, taken_back, now)
        if around:
            changed |= pair_legs(company_id=company_id, around=(min(around), max(around)), now=now)
        _suspect(cursor, bounds, timezone=timezone, now=now)
        cursor.execute("UPDATE ledger_matchcursor SET position = %s WHERE company_id = %s", [until, company_id])
        return until, head, changed


def _gather_legs(cursor: Any, bounds: dict[str, Any]) -> list[datetime]:
    """Keep new legs and what may be their other side; return when they happened."""
    named, patterns = _names_of_accounts(bounds["company"])
    values = {
        **bounds,
        "earliest": EARLIEST_ARRIVAL,
        "latest": LATEST_ARRIVAL,
        "named": named,
        "patterns": patterns,
    }
    cursor.execute(_TRANSFERS, values)
    transfers = [when for (when,) in cursor.fetchall()]
    candidates = _instants(cursor, _NEW_CANDIDATES, values)
    if transfers and bounds["after"]:
        reach = LATEST_ARRIVAL - EARLIEST_ARRIVAL
        span = {"from": min(transfers) - reach, "to": max(transfers) + reach}
        candidates += _instants(cursor, _EARLIER_CANDIDATES, {**values, **span})
    return transfers + candidates


def _instants(cursor: Any, statements: Sequence[str], values: dict[str, Any]) -> list[datetime]:
    return [when for sql in statements for (when,) in _rows(cursor, sql, values)]


def _names_of_accounts(company_id: int) -> tuple[list[int], list[str]]:
    """Return what a bank's text may call each cash account by, for a search with ILIKE: numbers and patterns."""
    accounts = Account.objects.filter(company_id=company_id, kind__in=CASH_KINDS).values_list("id", "name")
    words = [(number, word) for number, name in accounts for word in sorted(telling_words(name))]
    escaped = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
    return [number for number, _ in words], [f"%{word.translate(escaped)}%" for _, word in words]


def _positions(cursor: Any, sql: str, values: dict[str, Any]) -> list[int]:
    cursor.execute(sql, values)
    return [position for (position,) in cursor.fetchall()]


def _take_back(company_id: int, positions: list[int], now: datetime) -> bool:
    """Forget legs whose event was reversed, and release their other sides; whether sums were moved."""
    if not positions:
        return False
    settle_about(company_id=company_id, positions=positions, now=now, reason="the event was reversed")
    changed = end_matches(
        company_id=company_id, positions=positions, actor=MATCHER, reason="the event was reversed", now=now
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_transferleg SET reversed = true WHERE company_id = %s AND position = ANY(%s)",
            [company_id, positions],
        )
    return changed


def _suspect(cursor: Any, bounds: dict[str, Any], *, timezone: str, now: datetime) -> None:
    """Ask about events that another source seems to have recorded as well."""
    accounts = [account_id for (account_id,) in _rows(cursor, _SHARED_ACCOUNTS, [bounds["company"]])]
    if not accounts:
        return
    rows = _rows(cursor, _SIGHTINGS, {**bounds, "accounts": accounts, "near": NEAR})
    twins = suspected_twins(Sighting(*row) for row in rows)
    ask(
        [
            Question(
                kind=ReviewKind.TWINS,
                subject=f"{each.first.key}-{each.second.key}",
                account_id=each.first.account_id,
                positions=(each.first.key, each.second.key),
                at=max(each.first.occurred_at, each.second.occurred_at),
                amount=each.first.amount,
                currency=each.first.currency,
            )
            for each in twins
        ],
        company_id=bounds["company"],
        timezone=timezone,
        now=now,
    )


def _rows(cursor: Any, sql: str, values: Any) -> list[tuple]:
    cursor.execute(sql, values)
    return list(cursor.fetchall())


def ask_about_overdue_legs(*, company_id: int, now: datetime) -> int:
    """Ask about transfers whose other side should have arrived; return about how many."""
    with connection.cursor() as cursor:
        rows = _rows(cursor, _OVERDUE, {"company": company_id, "before": now - OVERDUE, "rows": MAX_OVERDUE})
    return ask(
        [
            Question(
                kind=ReviewKind.LEG,
                subject=leg_name(position, part),
                account_id=account_id,
                positions=(position,),
                at=day,
                amount=amount,
                currency=currency,
            )
            for position, part, account_id, amount, currency, day in rows
        ],
        company_id=company_id,
        timezone="UTC",
        now=now,
    )


def companies_to_match(*, now: datetime) -> tuple[int, ...]:
    """Numbers of the companies whose journal is ahead of the matcher, or that have a leg newly overdue."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT h.company_id FROM ledger_journalhead h
            LEFT JOIN ledger_matchcursor m ON m.company_id = h.company_id
            WHERE h.position > coalesce(m.position, 0)
            UNION
            SELECT l.company_id FROM ledger_transferleg l
            WHERE {_WAITS}
              AND l.occurred_at BETWEEN %(before)s - interval '2 days' AND %(before)s
              AND NOT EXISTS (
                  SELECT FROM ledger_reviewitem i
                  WHERE i.company_id = l.company_id AND i.kind = 'leg' AND i.subject = {_NAME}
              )
              AND NOT EXISTS ({_SUGGESTED})
            ORDER BY 1
            """,  # noqa: S608 - made of constants
            {"before": now - OVERDUE},
        )
        return tuple(company_id for (company_id,) in cursor.fetchall())
