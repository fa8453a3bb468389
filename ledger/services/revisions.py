"""Statements that are corrected by a further revision: what they say is what their newest one says."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, models, transaction

from ledger.selectors.journal import journal_position
from ledger.services.announce import announce_advance

MAX_ATTEMPTS = 5


def state_revision(
    model: type[models.Model], *, key: Mapping[str, Any], content: Mapping[str, Any], actor: str, now: datetime
) -> bool:
    """Keep what a statement says as its next revision; false when its newest one says so already.

    Args:
        model: with the fields of key and content, `revision`, `actor` and `recorded_at`.
        key: of the statement, `company_id` among it.
    """
    company_id = int(key["company_id"])
    rows = model._default_manager
    for attempt in range(1, MAX_ATTEMPTS + 1):
        last: Any = rows.filter(**key).order_by("-revision").first()
        if last is not None and all(getattr(last, name) == value for name, value in content.items()):
            return False
        revision = 0 if last is None else last.revision + 1
        try:
            with transaction.atomic():
                rows.create(**key, **content, revision=revision, actor=actor, recorded_at=now)
        except IntegrityError:
            # Two at once race for the revision's number; one of them looks again.
            if attempt == MAX_ATTEMPTS:
                raise
        else:
            # No event moved, but whoever reads the books should look at them again.
            announce_advance(company_id=company_id, position=journal_position(company_id=company_id))
            return True
    raise AssertionError("the loop returns or raises")
