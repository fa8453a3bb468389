"""Who may compute a company's next forecast: one worker at a time, decided by one conditional UPDATE.

Time is the database's own, since workers on several machines compare it. A lease that ran out may be claimed by
somebody else; publishing then refuses the slow worker (`services/publish.py`), so a short lease is safe.
"""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from forecasting.models.cursor import ForecastCursor
from ledger.services.derived import derived_only

# A forecast takes well under a second; a worker killed with -9 blocks its company for this long at most.
LEASE_SECONDS = 15.0


class LeaseBusy(Exception):
    """Another worker is computing this company's forecast."""


class LeaseLost(Exception):
    """The lease ran out and another worker claimed it; what was computed is dropped."""


def claim_lease(*, company_id: int, owner: str, lease_seconds: float = LEASE_SECONDS) -> None:
    """Claim the company for `owner`, who may hold it already (an attempt after one that failed half-way).

    Raises:
        LeaseBusy: somebody holds a lease that has not run out.
    """
    with derived_only():
        if _claimed(company_id, owner, lease_seconds):
            return
        # A company's first forecast makes the row; everybody after finds it.
        ForecastCursor.objects.bulk_create([ForecastCursor(company_id=company_id)], ignore_conflicts=True)
        if _claimed(company_id, owner, lease_seconds):
            return
    raise LeaseBusy(f"company {company_id} is being computed")


def _claimed(company_id: int, owner: str, lease_seconds: float) -> bool:
    claimed = (
        ForecastCursor.objects.filter(company_id=company_id)
        .filter(Q(lease_until=None) | Q(lease_until__lt=Now()) | Q(lease_owner=owner))
        .update(lease_owner=owner, lease_until=Now() + timedelta(seconds=lease_seconds), claimed_at=Now())
    )
    return bool(claimed)


def release_lease(*, company_id: int, owner: str) -> None:
    """Give the lease back, if `owner` still holds it."""
    ForecastCursor.objects.filter(company_id=company_id, lease_owner=owner).update(
        lease_owner="", lease_until=None
    )
