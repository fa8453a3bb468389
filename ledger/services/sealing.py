"""Sealing: following the journal and chaining the hashes of its rows, behind the recorder and never in its way."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction

from ledger.domain.chain import chained, genesis
from ledger.models.seal import Seal
from ledger.selectors.journal import journal_position

logger = logging.getLogger(__name__)

# Rows per block: a block is read whole to name a row of it.
ROWS_PER_SEAL = 1000
ROWS_PER_STEP = 20_000

_BEHIND = """
    SELECT h.company_id FROM ledger_journalhead h
    WHERE h.position > coalesce(
        (SELECT s.last_position FROM ledger_seal s WHERE s.company_id = h.company_id
         ORDER BY s.first_position DESC LIMIT 1), 0)
    ORDER BY h.company_id
"""
_DIGESTS = "SELECT first_position, last_position, rows, digests FROM ledger_row_digests(%s, %s, %s, %s)"


# One sealer of a company at a time; the first number is arbitrary and only ours.
_CLAIM = "SELECT pg_try_advisory_xact_lock(1397049676, %s)"


class NotSealable(RuntimeError):
    """The journal has a hole behind its head; the message names the position. `verify_ledger` says more."""


def companies_to_seal() -> list[int]:
    """Return the numbers of the companies whose journal is ahead of its seals."""
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND)
        return [company_id for (company_id,) in cursor.fetchall()]


def seal(*, company_id: int, now: datetime, go_on: Callable[[], bool] = lambda: True) -> int:
    """Chain what was recorded since the last seal and return the position sealed up to.

    While another one seals the company, nothing is done.

    Args:
        go_on: asked before every further step of 20,000 rows; what is left when it says no is for the next call.

    Raises:
        NotSealable: a position is missing, or there twice.
    """
    while True:
        sealed, is_all = _step(company_id, now)
        if is_all or not go_on():
            return sealed


def _step(company_id: int, now: datetime) -> tuple[int, bool]:
    """Seal at most ROWS_PER_STEP rows; return the position reached and whether there is nothing more to do."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM, [company_id])
        (is_ours,) = cursor.fetchone()
        sealed, head = last_seal(company_id=company_id)
        position = journal_position(company_id=company_id)
        if not is_ours or sealed >= position:
            return sealed, True
        until = min(position, sealed + ROWS_PER_STEP)
        Seal.objects.bulk_create(_blocks(company_id, after=sealed, until=until, head=head, now=now))
        return until, until == position


def last_seal(*, company_id: int) -> tuple[int, bytes]:
    """Return the position sealed up to and the chain's head there."""
    last = (
        Seal.objects.filter(company_id=company_id)
        .order_by("-first_position")
        .only("last_position", "head")
        .first()
    )
    return (0, genesis(company_id=company_id)) if last is None else (last.last_position, bytes(last.head))


def _blocks(company_id: int, *, after: int, until: int, head: bytes, now: datetime) -> list[Seal]:
    with connection.cursor() as cursor:
        cursor.execute(_DIGESTS, [company_id, after, until, ROWS_PER_SEAL])
        found = cursor.fetchall()
    blocks = []
    for first, last, rows, digests in found:
        if first != after + 1 or rows != last - after:
            raise NotSealable(f"the journal of company {company_id} has a hole or a repeat after position {after}")
        head = chained(head, bytes(digests))
        blocks.append(
            Seal(
                company_id=company_id,
                first_position=first,
                last_position=last,
                digests=bytes(digests),
                head=head,
                sealed_at=now,
            )
        )
        after = last
    if after != until:
        raise NotSealable(f"the journal of company {company_id} ends at {after}, its head says {until}")
    return blocks


def seal_all(*, now: datetime, within_seconds: float) -> int:
    """Seal every company that has something new, for at most so long; return how many were looked at.

    A company that cannot be sealed is logged and does not keep the others waiting.
    """
    deadline = time.monotonic() + within_seconds
    companies = companies_to_seal()
    for company_id in companies:
        try:
            seal(company_id=company_id, now=now, go_on=lambda: time.monotonic() < deadline)
        except NotSealable:
            logger.exception("journal_not_sealable", extra={"company_id": company_id})
    return len(companies)
