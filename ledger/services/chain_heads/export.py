"""Carrying heads of the chain out of the database, so that rewriting the whole chain does not go unseen."""

import logging
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from ledger.domain.chain_check import Span
from ledger.domain.company import CompanyRef
from ledger.domain.exported_head import head_line
from ledger.models.seal import Seal
from ledger.selectors.companies import all_companies
from ledger.services.chain_heads.place import Place, PlaceUnusable
from ledger.services.chain_heads.places import place_of

logger = logging.getLogger(__name__)

ROWS_PER_EXPORT = 10_000
# One exporter of a company at a time; the first number is arbitrary and only ours.
_CLAIM = "SELECT pg_try_advisory_xact_lock(1397049677, %s)"


class ChainRewritten(RuntimeError):
    """The chain is not the one that was exported before; nothing more is exported. The message says where."""


def export_heads(*, company: CompanyRef, place: Place, now: datetime) -> int:
    """Export what was sealed since the last export; return the position exported up to.

    Raises:
        ChainRewritten: the seals do not go on from what was exported.
        PlaceUnusable: the place cannot be read or written.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM, [company.id])
        (is_ours,) = cursor.fetchone()
        last = place.last(company_id=company.id)
        reached = 0 if last is None else last.last
        if not is_ours:
            return reached
        if last is not None:
            _check_goes_on(company, last)
        for span in _new_spans(company.id, reached):
            line = head_line(span, company_id=company.id, slug=company.slug, now=now)
            place.add(line, last=span.last, company_id=company.id)
            reached = span.last
        return reached


def _check_goes_on(company: CompanyRef, last: Span) -> None:
    head = (
        Seal.objects.filter(company_id=company.id, last_position=last.last, first_position__lte=last.last)
        .values_list("head", flat=True)
        .first()
    )
    if head is None or bytes(head) != last.head:
        raise ChainRewritten(
            f"the chain of {company.slug} at {last.last} is not the one that was exported; verify_ledger says more"
        )


def _new_spans(company_id: int, after: int) -> Iterator[Span]:
    """Yield what was sealed after a position, several seals together while they are small."""
    waiting: list[Seal] = []
    for seal in Seal.objects.filter(company_id=company_id, first_position__gt=after).order_by("first_position"):
        waiting.append(seal)
        if seal.last_position - waiting[0].first_position + 1 >= ROWS_PER_EXPORT:
            yield _together(waiting)
            waiting = []
    if waiting:
        yield _together(waiting)


def _together(seals: list[Seal]) -> Span:
    digests = b"".join(bytes(seal.digests) for seal in seals)
    return Span(seals[0].first_position, seals[-1].last_position, digests, bytes(seals[-1].head))


def export_all_heads(*, now: datetime) -> int:
    """Export the heads of every company to the place of the settings; return how many companies failed.

    A failure is logged and does not keep the others waiting.
    """
    failed = 0
    place = place_of(settings.CHAIN_HEADS_PATH)
    for company in all_companies():
        try:
            export_heads(company=company, place=place, now=now)
        except (ChainRewritten, PlaceUnusable):
            failed += 1
            logger.exception("heads_not_exported", extra={"company_id": company.id})
    return failed
