"""Providers whose objects keep their ids: what they say anew about an object corrects what was recorded.

A correction is a reversal with its reason and a new event with the next revision, in one transaction. So 10, then
11, then 10 again ends at 10, and all three stay readable.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import connection, transaction

from ledger.domain.event import EventDraft
from ledger.domain.intake import ObjectKey
from ledger.domain.outcome import CONFLICT, DUPLICATE, RECORDED, REJECTED, Outcome
from ledger.selectors.books import read_books
from ledger.services.announce import announce_advance
from ledger.services.journal_rows import journal_row
from ledger.services.journal_table import write_rows
from ledger.services.record import record
from ledger.services.reverse import reverse

CORRECTED = "corrected"
MAX_ATTEMPTS = 3

_STANDING = """
    SELECT encode(event_id, 'hex') FROM ledger_externalobject
    WHERE company_id = %s AND account_id IN (SELECT id FROM ledger_account WHERE company_id = %s)
      AND source = %s AND event_type IN ('expense', 'income', 'credit', 'adjustment', 'transfer')
      AND direction IN ('in', 'out') AND external_ref = %s AND NOT reversed
    ORDER BY account_id, event_type, direction
"""
_TAKEN_BACK = """
    SELECT o.revision FROM ledger_externalobject o
    JOIN ledger_capitalevent r
      ON r.company_id = o.company_id AND r.occurred_at = o.occurred_at AND r.reverses = o.event_id
    WHERE o.company_id = %s AND o.account_id IN (SELECT id FROM ledger_account WHERE company_id = %s)
      AND o.source = %s AND o.event_type = %s AND o.direction = %s AND o.external_ref = %s
      AND o.event_id = decode(%s, 'hex') AND o.reversed AND r.reason = %s
"""
_SAY = """
    INSERT INTO ledger_objectstatement AS s (company_id, source, external_ref, said_at) VALUES (%s, %s, %s, %s)
    ON CONFLICT (company_id, source, external_ref) DO UPDATE SET said_at = excluded.said_at
    WHERE s.said_at <= excluded.said_at
"""


def record_or_correct(
    *, company_id: int, drafts: Sequence[EventDraft], said_by: str, actor: str, now: datetime
) -> tuple[Outcome, ...]:
    """Record events; where an object is there with other content, correct it. All or nothing.

    Returns:
        An outcome per draft, as `record` gives them, and `corrected` with the new event in place of a conflict.

    Args:
        said_by: for the reason of a reversal, such as `Stripe`.
    """
    with transaction.atomic():
        outcomes = list(record(company_id=company_id, drafts=drafts, actor=actor, now=now, create_accounts=True))
        for ordinal, outcome in enumerate(outcomes):
            if outcome.status == CONFLICT:
                outcomes[ordinal] = _correct(
                    drafts[ordinal], outcome, company_id=company_id, said_by=said_by, actor=actor, now=now
                )
            elif outcome.status == DUPLICATE:
                outcomes[ordinal] = _said_again(
                    drafts[ordinal], outcome, company_id=company_id, said_by=said_by, actor=actor, now=now
                )
    return tuple(outcomes)


def _correct(
    draft: EventDraft, conflict: Outcome, *, company_id: int, said_by: str, actor: str, now: datetime
) -> Outcome:
    outcome = conflict
    for _ in range(MAX_ATTEMPTS):
        fields = ", ".join(problem.field for problem in outcome.problems)
        reverse(
            company_id=company_id,
            event_id=outcome.event_id,
            reason=f"Corrected by {said_by}: other {fields}"[:255],
            actor=actor,
            now=now,
        )
        (outcome,) = record(company_id=company_id, drafts=[draft], actor=actor, now=now)
        if outcome.status == RECORDED:
            return replace(outcome, status=CORRECTED)
        if outcome.status != CONFLICT:
            return outcome
    # Somebody else corrects the same object at the same time; the whole is tried again.
    raise RuntimeError(f"object {draft.external_ref!r} keeps changing under the recorder")


def _said_again(
    draft: EventDraft, duplicate: Outcome, *, company_id: int, said_by: str, actor: str, now: datetime
) -> Outcome:
    """Let an event stand again that its provider took back, such as a payroll cancelled and then run as before.

    What a person took back stays so.
    """
    name = [draft.source, draft.event_type, draft.flow, draft.external_ref]
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKEN_BACK, [company_id, company_id, *name, duplicate.event_id, _reason_taken_back(said_by)]
        )
        found = cursor.fetchone()
    if found is None:
        return duplicate
    books = read_books(company_id=company_id)
    row = journal_row(draft, ordinal=0, company_id=company_id, books=books, now=now, revision=found[0] + 1)
    positions = write_rows([row], company_id=company_id, base_currency=books.base_currency, actor=actor, now=now)
    if not positions:
        return duplicate
    announce_advance(company_id=company_id, position=positions[0])
    return Outcome(CORRECTED, row.event_id.hex(), positions[0], (), row.occurred_at)


def _reason_taken_back(said_by: str) -> str:
    return f"Taken back by {said_by}"


def take_back(*, company_id: int, key: ObjectKey, said_by: str, actor: str, now: datetime) -> int:
    """Reverse every event that stands for an object; return how many there were."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_STANDING, [company_id, company_id, key.source, key.external_ref])
            standing = [event_id for (event_id,) in cursor.fetchall()]
        outcomes = [
            reverse(
                company_id=company_id,
                event_id=event_id,
                reason=_reason_taken_back(said_by),
                actor=actor,
                now=now,
            )
            for event_id in standing
        ]
    if any(outcome.status == REJECTED for outcome in outcomes):
        raise RuntimeError(f"an event of {key.external_ref!r} cannot be reversed")
    return sum(outcome.status == RECORDED for outcome in outcomes)


def newest_word(*, company_id: int, keys: Iterable[ObjectKey], said_at: datetime) -> frozenset[ObjectKey]:
    """Note when objects were spoken about; return those of which nothing newer is known.

    The notes are locked in the order of their keys until the commit, so two deliveries about one object wait for
    each other.
    """
    news = set()
    with connection.cursor() as cursor:
        for key in sorted(set(keys), key=lambda key: (key.source, key.external_ref)):
            cursor.execute(_SAY, [company_id, key.source, key.external_ref, said_at])
            if cursor.rowcount == 1:
                news.add(key)
    return frozenset(news)
