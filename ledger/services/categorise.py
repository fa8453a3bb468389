"""Applying rules to the journal: each run assigns anew where the answer is another, and nothing is rewritten.

The cursor moves in the transaction that stores the assignments. With other rules it starts over; events whose
category stays the same get no new assignment then.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ledger.domain.category_rules import Rule, digest_of, rule_for
from ledger.domain.company import CompanyNotFound
from ledger.models.category import CategoryAssignment
from ledger.selectors.category_rules import active_rules
from ledger.selectors.journal import journal_position
from ledger.services.announce import announce_advance
from ledger.services.readings import NameReading, read_names
from ledger.services.transient import try_again

POSITIONS_PER_STEP = 10_000

_LOCK = """
    SELECT k.position, k.rules_digest, coalesce(h.position, 0)
    FROM ledger_assignmentcursor k LEFT JOIN ledger_journalhead h ON h.company_id = k.company_id
    WHERE k.company_id = %s FOR UPDATE OF k
"""
_BEGIN = """
    INSERT INTO ledger_assignmentcursor (company_id, position, rules_digest)
    SELECT id, 0, '' FROM ledger_company WHERE id = %s ON CONFLICT DO NOTHING
"""
# Credits keep their names: grants are told apart by them.
_EVENTS = """
    SELECT e.event_id, e.position, e.occurred_at, e.account_id, e.counterparty,
           coalesce(l.category, ''), coalesce(l.counterparty, ''), coalesce(l.revision, -1)
    FROM ledger_journal_between(%(company)s, %(after)s, %(until)s) e
    LEFT JOIN LATERAL (
        SELECT category, counterparty, revision FROM ledger_categoryassignment l
        WHERE l.company_id = e.company_id AND l.event_id = e.event_id ORDER BY revision DESC LIMIT 1
    ) l ON true
    WHERE e.reverses IS NULL AND e.event_type <> 'credit'
"""


def apply_rules(*, company_id: int, actor: str, now: datetime) -> int:
    """Assign categories to what the present rules have not seen; return how many assignments were made.

    Raises:
        CompanyNotFound: no such company.
    """
    made = 0
    while True:
        assigned, done = try_again(lambda: _step(company_id, actor, now))
        made += assigned
        if done:
            break
    if made:
        announce_advance(company_id=company_id, position=journal_position(company_id=company_id))
    return made


def _step(company_id: int, actor: str, now: datetime) -> tuple[int, bool]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [company_id])
        found = cursor.fetchone()
        if found is None:
            cursor.execute(_BEGIN, [company_id])
            cursor.execute(_LOCK, [company_id])
            found = cursor.fetchone()
            if found is None:
                raise CompanyNotFound(f"there is no company {company_id}")
        after, applied, head = found
        rules = active_rules(company_id=company_id)
        digest = digest_of(rules)
        if digest != applied:
            after = 0
        until = min(head, after + POSITIONS_PER_STEP)
        cursor.execute(_EVENTS, {"company": company_id, "after": after, "until": until})
        fresh = list(_fresh(cursor.fetchall(), rules, company_id=company_id, actor=actor, now=now))
        CategoryAssignment.objects.bulk_create([assignment for assignment, _ in fresh])
        read_names(company_id=company_id, readings=[reading for _, reading in fresh])
        cursor.execute(
            "UPDATE ledger_assignmentcursor SET position = %s, rules_digest = %s WHERE company_id = %s",
            [until, digest, company_id],
        )
        return len(fresh), until >= head


def _fresh(
    rows: list[tuple[Any, ...]], rules: tuple[Rule, ...], *, company_id: int, actor: str, now: datetime
) -> Iterator[tuple[CategoryAssignment, NameReading]]:
    """Give an assignment, and how the event is read with it, where the answer differs from the last one."""
    for event_id, position, occurred_at, account_id, name, category, counterparty, revision in rows:
        rule = rule_for(rules, counterparty=name, account_id=account_id)
        answer = (rule.category, rule.counterparty) if rule else ("", "")
        if answer == (category, counterparty):
            continue
        assignment = CategoryAssignment(
            company_id=company_id,
            event_id=event_id,
            position=position,
            revision=revision + 1,
            rule_id=rule.number if rule else None,
            category=answer[0],
            counterparty=answer[1],
            actor=actor,
            assigned_at=now,
        )
        yield assignment, NameReading(bytes(event_id), occurred_at, answer[0] or None, answer[1] or None)
