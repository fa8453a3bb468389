"""Putting questions into the review queue, each once, and taking back those that settled themselves."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet

from ledger.domain.transfer_matching import read_leg_name
from ledger.models.review import ReviewItem, ReviewKind, ReviewState

_ASK = """
    INSERT INTO ledger_reviewitem (
        company_id, kind, subject, account_id, positions, day, amount, currency, state, opened_at, actor, reason
    )
    SELECT %(company)s, q.kind, q.subject, q.account_id, string_to_array(q.positions, ',')::bigint[], q.day,
           q.amount, q.currency, 'open', %(now)s, '', ''
    FROM unnest(
        %(kinds)s::text[], %(subjects)s::text[], %(accounts)s::bigint[], %(positions)s::text[],
        %(days)s::date[], %(amounts)s::numeric[], %(currencies)s::text[]
    ) AS q (kind, subject, account_id, positions, day, amount, currency)
    ON CONFLICT (company_id, kind, subject) DO UPDATE
        SET state = 'open', opened_at = excluded.opened_at, decided_at = NULL, actor = '', reason = ''
        WHERE ledger_reviewitem.state = 'closed'
"""


@dataclass(frozen=True, slots=True)
class Question:
    """See `ReviewItem`. `at` is a day, or an instant whose day the company's time zone tells."""

    kind: str
    subject: str
    account_id: int | None
    positions: tuple[int, ...]
    at: date | datetime
    amount: Decimal
    currency: str


def ask(questions: Sequence[Question], *, company_id: int, timezone: str, now: datetime) -> int:
    """Open questions that were not asked before, or had settled themselves; return how many were opened.

    What a person has decided stays decided.
    """
    if not questions:
        return 0
    zone = ZoneInfo(timezone)
    ordered = sorted(questions, key=lambda question: (question.kind, question.subject))
    with connection.cursor() as cursor:
        cursor.execute(
            _ASK,
            {
                "company": company_id,
                "now": now,
                "kinds": [str(each.kind) for each in ordered],
                "subjects": [each.subject for each in ordered],
                "accounts": [each.account_id for each in ordered],
                "positions": [",".join(map(str, each.positions)) for each in ordered],
                "days": [
                    each.at.astimezone(zone).date() if isinstance(each.at, datetime) else each.at
                    for each in ordered
                ],
                "amounts": [each.amount for each in ordered],
                "currencies": [each.currency for each in ordered],
            },
        )
        return int(cursor.rowcount)


def settle_about(*, company_id: int, positions: Sequence[int], now: datetime, reason: str) -> int:
    """Close the open questions about any of these events; return how many."""
    if not positions:
        return 0
    items = ReviewItem.objects.filter(
        company_id=company_id, state=ReviewState.OPEN, positions__overlap=list(positions)
    )
    return _settle(items, now=now, reason=reason)


LEG_KINDS = (ReviewKind.LEG, ReviewKind.PAIR, ReviewKind.BATCH)


def settle_legs(
    *, company_id: int, legs: Collection[str], now: datetime, reason: str, kinds: Sequence[str] = LEG_KINDS
) -> int:
    """Close the open questions about any of these legs, named as `leg_name` does; return how many.

    Other parts of the same event may be asked about still.
    """
    if not legs:
        return 0
    about = ReviewItem.objects.filter(
        company_id=company_id,
        state=ReviewState.OPEN,
        kind__in=kinds,
        positions__overlap=[read_leg_name(name)[0] for name in legs],
    ).values_list("id", "subject")
    settled = [number for number, subject in about if not set(subject.split("-")).isdisjoint(legs)]
    return _settle(ReviewItem.objects.filter(id__in=settled), now=now, reason=reason)


def _settle(items: QuerySet[ReviewItem], *, now: datetime, reason: str) -> int:
    return items.update(state=ReviewState.CLOSED, decided_at=now, actor="matcher", reason=reason)
