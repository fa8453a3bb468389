"""The journal as a person reads it: a month at a time, the latest first, however many events there are."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from ledger.domain.event import EVENT_TYPES
from ledger.domain.month import months_after
from ledger.domain.outcome import JournalEntry
from ledger.models.matching import EventPart, EventReading
from ledger.models.source import Source
from ledger.selectors.journal import COLUMNS, journal_position

ROWS_PER_PAGE = 50
# The index by source gives the latest rows of each in order; sorting a month once is cheaper than a
# look at each of more sources than these.
MAX_SOURCES = 40
# Which months there are is a look per month into an index; how many events each has, a sum over all days.
MAX_COUNTED = 1_000_000
LIKE_ESCAPES = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})

_BOUNDS = """
    e.company_id = %(company)s AND e.occurred_at >= %(from)s AND e.occurred_at < %(to)s
    AND e.occurred_at <= %(before_at)s AND (e.occurred_at < %(before_at)s OR e.position < %(before_position)s)
"""
_ORDER = "ORDER BY e.occurred_at DESC, e.position DESC LIMIT %(rows)s"


@dataclass(frozen=True, slots=True)
class JournalSearch:
    """Which events of a month to show; '' means any.

    Attributes:
        month: its first day, in the company's calendar.
        text: part of counterparty, category or reference, whatever the case; a number finds that very amount too.
    """

    month: date
    text: str = ""
    account: str = ""
    source: str = ""
    event_type: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class PlaceInJournal:
    """Where a page begins: below the event of this time and position."""

    occurred_at: datetime
    position: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How an event counts where that is not as recorded; None: as recorded."""

    event_type: str | None
    category: str | None
    counterparty: str | None


@dataclass(frozen=True, slots=True)
class JournalLine:
    """An event and how the read side takes it.

    Attributes:
        reading: None when it takes it as recorded.
        parts: how many things the event is; 0 while it is one.
    """

    entry: JournalEntry
    reading: Reading | None
    parts: int = 0

    @property
    def counterparty(self) -> str:
        return (self.reading.counterparty if self.reading else None) or self.entry.counterparty

    @property
    def category(self) -> str:
        return (self.reading.category if self.reading else None) or self.entry.category

    @property
    def event_type(self) -> str:
        return (self.reading.event_type if self.reading else None) or self.entry.event_type

    @property
    def signed(self) -> Decimal:
        """In the event's currency; money out is below zero."""
        return self.entry.amount if self.entry.direction == "in" else -self.entry.amount


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Attributes:
    lines: the latest first.
    next_before: where the page that follows begins; None at the end of the month.
    """

    lines: tuple[JournalLine, ...]
    next_before: PlaceInJournal | None


@dataclass(frozen=True, slots=True)
class MonthTotals:
    """What a month's events come to, in the company's currency. Reversed events are out."""

    money_in: Decimal
    money_out: Decimal
    transferred: Decimal
    adjusted: Decimal
    credited: Decimal
    events: int


@dataclass(frozen=True, slots=True)
class MonthCount:
    """`events` is None where counting them would keep the page waiting."""

    month: date
    events: int | None


def journal_page(
    *, company_id: int, timezone: str, search: JournalSearch, before: PlaceInJournal | None = None
) -> JournalPage:
    """Return a page of the month that a search names.

    The bounds in time leave out every other month's partition, and a page is found by where the last one ended,
    so the hundredth page costs what the first does.
    """
    first, end = _month_bounds(search.month, timezone)
    values: dict[str, Any] = {
        "company": company_id,
        "from": first,
        "to": end,
        "before_at": before.occurred_at if before else end,
        "before_position": before.position if before else 0,
        "rows": ROWS_PER_PAGE + 1,
        "sources": _sources(company_id, search),
        "types": [search.event_type] if search.event_type in EVENT_TYPES else sorted(EVENT_TYPES),
    }
    conditions, more = _conditions(search)
    with connection.cursor() as cursor:
        cursor.execute(_page_sql(values, conditions), {**values, **more})
        entries = [JournalEntry(*row) for row in cursor.fetchall()]
    shown = entries[:ROWS_PER_PAGE]
    lines = read_lines(company_id=company_id, entries=shown)
    last = shown[-1] if len(entries) > ROWS_PER_PAGE else None
    return JournalPage(lines, PlaceInJournal(last.occurred_at, last.position) if last else None)


def _page_sql(values: dict[str, Any], conditions: str) -> str:
    if len(values["sources"]) <= MAX_SOURCES:
        rows = f"""
            SELECT e.* FROM unnest(%(sources)s::text[]) AS s (source)
            CROSS JOIN unnest(%(types)s::text[]) AS t (event_type)
            CROSS JOIN LATERAL (
                SELECT e.* FROM ledger_capitalevent e {_READINGS}
                WHERE {_BOUNDS} AND e.source = s.source AND e.event_type = t.event_type {conditions} {_ORDER}
            ) e {_ORDER}
        """  # noqa: S608 - made of constants
    else:
        rows = f"""
            SELECT e.* FROM ledger_capitalevent e {_READINGS}
            WHERE {_BOUNDS} AND e.source = ANY(%(sources)s) AND e.event_type = ANY(%(types)s) {conditions} {_ORDER}
        """  # noqa: S608 - made of constants
    return f"""
        SELECT {COLUMNS} FROM ({rows}) e JOIN ledger_account a ON a.id = e.account_id
        ORDER BY e.occurred_at DESC, e.position DESC
    """  # noqa: S608 - made of constants


# Needed by the search for a text alone; PostgreSQL leaves it out of a plan that reads no column of it.
_READINGS = "LEFT JOIN ledger_eventreading r ON r.company_id = e.company_id AND r.event_id = e.event_id"


def _sources(company_id: int, search: JournalSearch) -> list[str]:
    if search.source:
        return [search.source]
    return list(Source.objects.filter(company_id=company_id).order_by("name").values_list("name", flat=True))


def _conditions(search: JournalSearch) -> tuple[str, dict[str, Any]]:
    clauses: list[str] = []
    values: dict[str, Any] = {}
    if search.account:
        clauses.append(
            "e.account_id = (SELECT id FROM ledger_account WHERE company_id = %(company)s AND name = %(account)s)"
        )
        values["account"] = search.account
    if search.currency:
        clauses.append("e.currency = %(currency)s")
        values["currency"] = search.currency
    if search.text:
        amount = _amount(search.text)
        clauses.append(
            "(coalesce(r.counterparty, e.counterparty) ILIKE %(like)s"
            " OR coalesce(r.category, e.category) ILIKE %(like)s OR e.counterparty ILIKE %(like)s"
            " OR e.external_ref ILIKE %(like)s"
            " OR EXISTS (SELECT FROM ledger_eventpart p WHERE p.company_id = e.company_id"
            " AND p.event_id = e.event_id AND p.in_force"
            " AND (p.category ILIKE %(like)s OR p.counterparty ILIKE %(like)s))"
            + (" OR e.amount = %(number)s)" if amount is not None else ")")
        )
        values |= {"like": f"%{search.text.translate(LIKE_ESCAPES)}%", "number": amount}
    return "".join(f" AND {clause}" for clause in clauses), values


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text.replace(",", "").lstrip("+-−$€£").strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _month_bounds(month: date, timezone: str) -> tuple[datetime, datetime]:
    zone = ZoneInfo(timezone)
    following = months_after(month, 1)
    return (
        datetime(month.year, month.month, 1, tzinfo=zone),
        datetime(following.year, following.month, 1, tzinfo=zone),
    )


def read_lines(*, company_id: int, entries: list[JournalEntry]) -> tuple[JournalLine, ...]:
    """Return events with how the read side takes them."""
    ids = [bytes.fromhex(entry.event_id) for entry in entries]
    rows = EventReading.objects.filter(company_id=company_id, event_id__in=ids).values_list(
        "event_id", "event_type", "category", "counterparty"
    )
    readings = {bytes(event_id).hex(): Reading(*row) for event_id, *row in rows}
    split = EventPart.objects.filter(company_id=company_id, event_id__in=ids, in_force=True)
    parts = Counter(bytes(event_id).hex() for event_id in split.values_list("event_id", flat=True))
    return tuple(JournalLine(entry, readings.get(entry.event_id), parts[entry.event_id]) for entry in entries)


_FLOWS = """
    FROM ledger_dailyflow f
    WHERE f.company_id = %(company)s AND f.day >= %(from)s AND f.day < %(to)s
"""


def _flow_conditions(search: JournalSearch) -> tuple[str, dict[str, Any]]:
    clauses, values = [], {}
    if search.account:
        clauses.append(
            "f.account_id = (SELECT id FROM ledger_account WHERE company_id = %(company)s AND name = %(account)s)"
        )
        values["account"] = search.account
    for name in ("currency", "event_type"):
        if getattr(search, name):
            clauses.append(f"f.{name} = %({name})s")
            values[name] = getattr(search, name)
    if search.text:
        clauses.append("(f.counterparty ILIKE %(like)s OR f.category ILIKE %(like)s)")
        values["like"] = f"%{search.text.translate(LIKE_ESCAPES)}%"
    return "".join(f" AND {clause}" for clause in clauses), values


def month_totals(*, company_id: int, search: JournalSearch) -> MonthTotals:
    """Return what the found events of the month come to; `source` is not looked at, since sums know no source.

    A text finds counterparties and categories here, not references. Reads the daily sums: call `catch_up` first.
    """
    conditions, values = _flow_conditions(search)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.event_type, sum(CASE WHEN f.direction = 'in' THEN f.base_amount ELSE -f.base_amount END),"
            f" sum(f.count) {_FLOWS} {conditions} GROUP BY f.event_type",
            {
                "company": company_id,
                "from": search.month,
                "to": months_after(search.month, 1),
                **values,
            },
        )
        sums = {event_type: (amount, count) for event_type, amount, count in cursor.fetchall()}

    def of(event_type: str) -> Decimal:
        return sums.get(event_type, (Decimal(0), 0))[0]

    return MonthTotals(
        money_in=of("income"),
        money_out=-of("expense"),
        transferred=of("transfer"),
        adjusted=of("adjustment"),
        credited=of("credit"),
        events=sum(count for _, count in sums.values()),
    )


def months_with(*, company_id: int, search: JournalSearch) -> tuple[MonthCount, ...]:
    """Return the months that have such events, the latest first; `source` is not looked at.

    Without a search, a very large journal's months come without counts, also those whose events were all reversed.
    Reads the daily sums: call `catch_up` first.
    """
    conditions, values = _flow_conditions(replace(search, source=""))
    if not conditions and journal_position(company_id=company_id) > MAX_COUNTED:
        return _months(company_id)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT date_trunc('month', f.day)::date, sum(f.count) {_FLOWS} {conditions}"
            " GROUP BY 1 HAVING sum(f.count) > 0 ORDER BY 1 DESC",
            {"company": company_id, "from": date(1999, 1, 1), "to": date(2200, 1, 1), **values},
        )
        return tuple(MonthCount(month, count) for month, count in cursor.fetchall())


_MONTHS = """
    WITH RECURSIVE months AS (
        (SELECT date_trunc('month', day)::date AS month FROM ledger_dailyflow
         WHERE company_id = %(company)s ORDER BY day DESC LIMIT 1)
        UNION ALL
        SELECT (SELECT date_trunc('month', day)::date FROM ledger_dailyflow
                WHERE company_id = %(company)s AND day < m.month ORDER BY day DESC LIMIT 1)
        FROM months m WHERE m.month IS NOT NULL
    )
    SELECT month FROM months WHERE month IS NOT NULL
"""


def _months(company_id: int) -> tuple[MonthCount, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS, {"company": company_id})
        return tuple(MonthCount(month, None) for (month,) in cursor.fetchall())
