"""Looking at the groups again although no forecast has come: something else may lead to another plan."""

from datetime import datetime

from django.db import transaction

from cloudpolicy.models.cursor import PlanningCursor
from cloudpolicy.wake import wake


def look_again(*, company_id: int, now: datetime) -> None:
    """Have the groups looked at again at once: a wake-up, and a mark for the sweep in case it is lost.

    A plan that went a step, or as many groups as one plan may change, is followed by the next.
    """
    with transaction.atomic():
        PlanningCursor.objects.update_or_create(company_id=company_id, defaults={"look_again_at": now})
        transaction.on_commit(lambda: wake(company_id=company_id), robust=True)
