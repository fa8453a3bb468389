"""The verifier's latest verdicts, and which companies it should look at again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.models.chain_verdict import ChainVerdict
from ledger.models.company import Company

# A verification reads every row of a journal. It may take a hundredth of a worker's time.
LEAST_WAIT = timedelta(minutes=10)
MOST_WAIT = timedelta(hours=12)
WAIT_FACTOR = 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """See `ledger.models.chain_verdict.ChainVerdict`. `broken` is a sentence, empty while the chain holds."""

    verified_at: datetime
    position: int
    sealed: int
    exported: int
    broken_at: int | None
    broken: str


def chain_verdict(*, company_id: int) -> Verdict | None:
    """Return what was found last, None before the first verification."""
    row = ChainVerdict.objects.filter(company_id=company_id).first()
    if row is None:
        return None
    broken = "" if row.broken_at is None else f"{row.kind} at position {row.broken_at}: {row.detail}"
    return Verdict(row.verified_at, row.position, row.sealed, row.exported, row.broken_at, broken)


def companies_to_verify(*, now: datetime) -> tuple[int, ...]:
    """Return the numbers of companies whose verdict is missing or old, the oldest first."""
    known = {row.company_id: row for row in ChainVerdict.objects.all()}
    due = []
    for company_id in Company.objects.order_by("id").values_list("id", flat=True):
        verdict = known.get(company_id)
        if verdict is None:
            due.append((datetime.min.replace(tzinfo=now.tzinfo), company_id))
        elif now >= verdict.verified_at + _wait(verdict.took_seconds):
            due.append((verdict.verified_at, company_id))
    return tuple(company_id for _, company_id in sorted(due))


def _wait(took_seconds: float) -> timedelta:
    return min(MOST_WAIT, max(LEAST_WAIT, timedelta(seconds=took_seconds * WAIT_FACTOR)))
