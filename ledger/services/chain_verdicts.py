"""Verifying a company and keeping what was found."""

import logging
import time
from datetime import datetime

from django.conf import settings

from ledger.models.chain_verdict import ChainVerdict
from ledger.selectors.companies import company_ref
from ledger.services.chain_heads.places import place_of
from ledger.services.verify import Verification, verify_company

logger = logging.getLogger(__name__)


def verify_and_keep(*, company_id: int, now: datetime) -> Verification:
    """Hold a journal against its chain and the heads kept outside, and keep the verdict.

    Of two that verify at the same time, the one that began later is kept. A broken chain is logged as an error.

    Raises:
        CompanyNotFound: no such company.
        PlaceUnusable: the exported heads cannot be read; the verdict before stays, and grows old.
    """
    company = company_ref(company_id=company_id)
    begun = time.monotonic()
    found = verify_company(company=company, place=place_of(settings.CHAIN_HEADS_PATH))
    broken = found.verdict.broken
    said = {
        "verified_at": now,
        "took_seconds": time.monotonic() - begun,
        "position": found.position,
        "sealed": found.verdict.sealed,
        "exported": found.verdict.exported,
        "broken_at": None if broken is None else broken.position,
        "kind": "" if broken is None else broken.kind,
        "detail": "" if broken is None else broken.detail,
    }
    _, is_new = ChainVerdict.objects.get_or_create(company_id=company.id, defaults=said)
    if not is_new:
        ChainVerdict.objects.filter(company_id=company.id, verified_at__lte=now).update(**said)
    if broken is not None:
        logger.error(
            "chain_broken",
            extra={"company_id": company.id, "position": broken.position, "kind": broken.kind},
        )
    return found
