"""Plans as rows: one for every decision, and one that is decided again is confirmed instead."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from cloudpolicy.engine import plan as engine_plan
from cloudpolicy.engine.document import canonical_digest
from cloudpolicy.engine.plan import decision_digest, plan_digest
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.services.policies import PolicyInForce

Same = Callable[[ScalingPlan, ScalingPlan], bool]


def same_plan(new: ScalingPlan, last: ScalingPlan) -> bool:
    return new.digest == last.digest


def plan_row(
    *,
    company_id: int,
    policy: PolicyInForce,
    plan: engine_plan.ScalingPlan,
    wanted_p5_days: int | None = None,
) -> ScalingPlan:
    """A plan, not saved yet.

    Args:
        wanted_p5_days: of a plan that a person asked for; its digests say so, as it is another decision than the
            policy's that happens to make the same calls.
    """
    digest = plan_digest(plan=plan, policy_digest=policy.digest)
    decision = decision_digest(plan=plan, policy_digest=policy.digest)
    if wanted_p5_days is not None:
        digest, decision = (
            canonical_digest({"plan": each, "wanted_p5_days": wanted_p5_days}) for each in (digest, decision)
        )
    return ScalingPlan(
        company_id=company_id,
        policy_id=policy.version_id,
        forecast_run_id=plan.forecast_run,
        # Days count down: 63.9 days of runway are 63 whole ones.
        p5_days=None if plan.p5_days is None else int(plan.p5_days),
        wanted_p5_days=wanted_p5_days,
        band=plan.band.name if plan.band else "",
        rows_in_force=list(plan.band.row_names) if plan.band else [],
        calls=[call.as_dict() for call in plan.calls],
        read_only_because=[asdict(reason) for reason in plan.read_only_because],
        warnings=[asdict(reason) for reason in plan.warnings],
        digest=digest,
        decision=decision,
        created_at=plan.made_at,
        confirmed_at=plan.made_at,
    )


def keep_plan(new: ScalingPlan, *, same: Same, now: datetime) -> ScalingPlan:
    """Save a plan, or confirm the last one of its kind where that says the same.

    Plans of the policy are one kind, and those that a person asked for another: neither takes the other's place.
    """
    last = (
        ScalingPlan.objects.filter(company_id=new.company_id, wanted_p5_days__isnull=new.wanted_p5_days is None)
        .select_related("policy")
        .order_by("-id")
        .first()
    )
    if last is None or not same(new, last):
        new.save()
        return new
    last.confirmed_at = max(now, last.confirmed_at)
    last.confirmations += 1
    last.save(update_fields=["confirmed_at", "confirmations"])
    return last
