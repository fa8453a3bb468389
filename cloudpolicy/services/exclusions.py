"""Leaving alone what a person has decided about: for a while, with the reason, and until somebody lifts it.

A roll-back says that the policy was wrong about these groups. Planned again at once, or in non-production even
applied again, the same steps would undo what the operator did; so its groups stay as they are for a week. Sizes
that somebody chose for a wanted runway are not made larger by the ladder for a month, but smaller they may become.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models, transaction

from cloudpolicy.engine.call import ApiCall, place_of
from cloudpolicy.engine.exclusion import makes_smaller
from cloudpolicy.models.exclusion import Exclusion
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunKind, ScalingRun
from cloudpolicy.services.next_look import look_again
from cloudpolicy.services.refusals import NotAllowed, need_reason

AFTER_ROLLBACK = timedelta(days=7)
AFTER_CHOICE = timedelta(days=30)
REASON_LENGTH = 500


def exclude_after_rollback(
    *, plan: ScalingPlan, calls: Iterable[ApiCall], actor: str, reason: str, now: datetime
) -> None:
    """Leave alone all that a plan has changed which somebody takes back."""
    because = f"plan {plan.pk} was rolled back: {reason}"
    _exclude(plan, calls, actor=actor, because=because, now=now, ends_at=now + AFTER_ROLLBACK, only_growth=False)


def exclude_after_choice(*, run: ScalingRun, calls: Iterable[ApiCall], now: datetime) -> None:
    """Keep the ladder from bringing back what a person's wish for runway has made smaller, and only that."""
    wanted = run.plan.wanted_p5_days
    if run.kind != RunKind.APPLY or wanted is None:
        return
    because = f"plan {run.plan_id} made it smaller for a cautious runway of {wanted} days"
    smaller = [call for call in calls if makes_smaller(call)]
    _exclude(
        run.plan, smaller, actor=run.actor, because=because, now=now, ends_at=now + AFTER_CHOICE, only_growth=True
    )


def lift_exclusion(*, company_id: int, exclusion_id: int, actor: str, reason: str, now: datetime) -> None:
    """Let the policy decide about a group or resource again.

    Raises:
        NotAllowed: without a reason, or there is no such exclusion that counts.
    """
    reason = need_reason(reason)
    lifted = _open(company_id).filter(pk=exclusion_id, ends_at__gt=now) if 0 < exclusion_id < 2**63 else None
    by = f"{actor[:255]}: {reason}"
    if lifted is None or not lifted.update(lifted_at=now, lifted_by=by):
        raise NotAllowed(f"there is no exclusion {exclusion_id} that counts")
    look_again(company_id=company_id, now=now)


def _exclude(
    plan: ScalingPlan,
    calls: Iterable[ApiCall],
    *,
    actor: str,
    because: str,
    now: datetime,
    ends_at: datetime,
    only_growth: bool,
) -> None:
    """Whatever counted before for the same place is replaced."""
    for account, region, name in sorted({place_of(call) for call in calls}):
        place = {"account": account, "region": region, "name": name}
        with transaction.atomic():
            _open(plan.company_id).filter(**place).update(lifted_at=now, lifted_by=f"plan {plan.pk}")
            Exclusion.objects.create(
                company_id=plan.company_id,
                plan=plan,
                **place,
                only_growth=only_growth,
                actor=actor[:255],
                because=because[:REASON_LENGTH],
                made_at=now,
                ends_at=ends_at,
            )


def _open(company_id: int) -> "models.QuerySet[Exclusion]":
    return Exclusion.objects.filter(company_id=company_id, lifted_at__isnull=True)
