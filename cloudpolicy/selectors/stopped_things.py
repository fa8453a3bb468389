"""What stands still in a company's cloud because a plan stopped it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cloudpolicy.models.held_resource import HeldResource

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class StoppedThing:
    """One instance, database or request for spot.

    Attributes:
        action: that stopped it, which says what it is.
        plan_id: of the plan that did.
    """

    action: str
    name: str
    environment: str
    account: str
    region: str
    plan_id: int
    since: datetime


def stopped_things(*, company_id: int) -> Sequence[StoppedThing]:
    """What a plan has stopped and nobody has started since, the newest first; MOST_SHOWN at most."""
    rows = HeldResource.objects.filter(company_id=company_id, released_at__isnull=True).order_by("-id")
    return tuple(
        StoppedThing(
            action=row.action,
            name=row.resource,
            environment=row.call.get("environment", ""),
            account=row.account,
            region=row.region,
            plan_id=row.plan_id,
            since=row.held_at,
        )
        for row in rows[:MOST_SHOWN]
    )
