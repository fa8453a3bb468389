"""Runs that ended before they should: how long a policy that approves by itself waits before it tries again.

Every run is followed by a look at the groups, and a look may lead to the same plan. A person who reads why a run
ended may apply that at once; nobody reads it where the policy agrees by itself, and a cloud that refuses would be
asked again without an end.
"""

from datetime import datetime, timedelta

from cloudpolicy.models.run import RunKind, RunState, ScalingRun

FIRST_REST = timedelta(minutes=5)
LONGEST_REST = timedelta(hours=6)
# So many early ends in a row lead to the longest rest; more need not be read.
_COUNTED = 8
_EARLY = (RunState.PARTLY, RunState.STOPPED)


def rests_until(*, company_id: int, now: datetime) -> datetime | None:
    """Until when the policy begins nothing by itself, because its last runs ended early; None when it may.

    The first rest is five minutes; each that follows without a run that is done is twice as long.
    """
    runs = ScalingRun.objects.filter(company_id=company_id, kind=RunKind.APPLY).exclude(state=RunState.OPEN)
    ends = list(runs.order_by("-id").values_list("state", "ended_at")[:_COUNTED])
    in_a_row = next((place for place, (state, _) in enumerate(ends) if state not in _EARLY), len(ends))
    if not in_a_row:
        return None
    until: datetime = ends[0][1] + min(LONGEST_REST, FIRST_REST * 2 ** (in_a_row - 1))
    return until if until > now else None
