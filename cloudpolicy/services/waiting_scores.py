"""Savings whose window is over and of which no bill has told yet: what they wait for."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import Exists, OuterRef

from cloudpolicy.models.run import Phase, RunKind, ScalingRun, StepEntry
from cloudpolicy.models.saving_score import SavingScore
from cloudpolicy.services.scoring import GIVE_UP_AFTER, WINDOWS

MAX_WAITING = 12


@dataclass(frozen=True, slots=True)
class WaitingScore:
    """A run so many days on.

    Attributes:
        first, last: UTC days of which a bill has to speak.
        given_up_on: from that day on it is said that no bill did.
    """

    run_id: int
    plan_id: int
    after_days: int
    first: date
    last: date
    given_up_on: date


def waiting_scores(*, company_id: int, now: datetime) -> tuple[WaitingScore, ...]:
    """The newest first, at most MAX_WAITING. Two queries."""
    made = StepEntry.objects.filter(run=OuterRef("pk"), phase__in=[Phase.MADE, Phase.FOUND_MADE, Phase.THERE])
    since = now - GIVE_UP_AFTER - timedelta(days=max(WINDOWS) + 1)
    runs = ScalingRun.objects.filter(Exists(made), company_id=company_id, kind=RunKind.APPLY, ended_at__gte=since)
    rows = list(runs.order_by("-id").values_list("id", "plan_id", "ended_at")[:MAX_WAITING])
    scored = set(
        SavingScore.objects.filter(run_id__in=[run_id for run_id, *_ in rows]).values_list("run_id", "after_days")
    )
    today = now.astimezone(UTC).date()
    found = []
    for run_id, plan_id, ended_at in rows:
        assert ended_at is not None
        start = ended_at.astimezone(UTC).date() + timedelta(days=1)
        for days in WINDOWS:
            stop = start + timedelta(days=days)
            if (run_id, days) not in scored and stop <= today < stop + GIVE_UP_AFTER:
                last = stop - timedelta(days=1)
                found.append(WaitingScore(run_id, plan_id, days, start, last, stop + GIVE_UP_AFTER))
    return tuple(found[:MAX_WAITING])
