"""Who may compute a company's next forecast: one worker at a time, decided by one conditional UPDATE.

Time is the database's own, since workers on several machines compare it. A lease that ran out may be claimed by
somebody else; publishing then refuses the slow worker (`services/publish.py`), so a short lease is safe.
"""

from forecasting.models.cursor import ForecastCursor
from ledger.services.derived import derive

# A forecast takes well under a second; a worker killed with -9 blocks its company for this long at most.
LEASE_SECONDS = 15.0

_CLAIM = """
    UPDATE forecasting_forecastcursor
    SET lease_owner = %(owner)s, lease_until = statement_timestamp() + make_interval(secs => %(seconds)s),
        claimed_at = statement_timestamp()
    WHERE company_id = %(company)s
      AND (lease_until IS NULL OR lease_until < statement_timestamp() OR lease_owner = %(owner)s)
"""


class LeaseBusy(Exception):
    """Another worker is computing this company's forecast."""


class LeaseLost(Exception):
    """The lease ran out and another worker claimed it; what was computed is dropped."""


def claim_lease(*, company_id: int, owner: str, lease_seconds: float = LEASE_SECONDS) -> None:
    """Claim the company for `owner`, who may hold it already (an attempt after one that failed half-way).

    Raises:
        LeaseBusy: somebody holds a lease that has not run out.
    """
    if _claimed(company_id, owner, lease_seconds):
        return
    # A company's first forecast makes the row; everybody after finds it.
    ForecastCursor.objects.bulk_create([ForecastCursor(company_id=company_id)], ignore_conflicts=True)
    if _claimed(company_id, owner, lease_seconds):
        return
    raise LeaseBusy(f"company {company_id} is being computed")


def _claimed(company_id: int, owner: str, lease_seconds: float) -> bool:
    return derive(_CLAIM, {"company": company_id, "owner": owner, "seconds": lease_seconds}) == 1


def release_lease(*, company_id: int, owner: str) -> None:
    """Give the lease back, if `owner` still holds it."""
    ForecastCursor.objects.filter(company_id=company_id, lease_owner=owner).update(
        lease_owner="", lease_until=None
    )
