"""Agreeing to exactly one plan."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from cloudpolicy.engine.limits import approvals_needed
from cloudpolicy.models.approval import ApprovalKind, PlanApproval
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunKind, ScalingRun
from cloudpolicy.selectors.approvals import plan_approvals
from cloudpolicy.services.planning_lock import lock_planning
from cloudpolicy.services.policies import policy_in_force
from cloudpolicy.services.refusals import NotAllowed, need_reason
from cloudpolicy.services.standing_plans import calls_of, find_plan, void_because

APPROVAL_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Approver:
    """Who agrees. Whoever lets them in has checked that they may: an admin of the company, or a token with the
    scope `policy`, which an admin made.

    Attributes:
        user_id: of a person; None for a token.
    """

    actor: str
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """How many approvals a plan needs, and how many it has at this moment."""

    needed: int
    given: int

    @property
    def is_enough(self) -> bool:
        return self.given >= self.needed

    @property
    def missing(self) -> str:
        """One line for people; '' when nothing is missing."""
        if self.is_enough:
            return ""
        if self.given:
            return "a second person has to approve it: it moves more instances than one may decide about"
        return "it is not approved" if self.needed == 1 else "it is not approved, and two people have to"


def approve_plan(
    *, company_id: int, plan_id: int, approver: Approver, reason: str, now: datetime, digest: str = ""
) -> Consent:
    """Keep an approval of exactly this plan. The same person again renews theirs.

    Args:
        digest: of the plan that was read; '' when its number alone is meant, which names one digest as well.

    Raises:
        NotAllowed: the plan asks for nothing, no longer stands, or is not the one that was read.
        PlanNotFound: the company has no such plan.
        InvalidPolicy: the stored policy is broken.
    """
    plan = find_plan(company_id=company_id, plan_id=plan_id)
    reason = need_reason(reason)
    if digest and digest != plan.digest:
        raise NotAllowed(f"the digest is not that of plan {plan.pk}", field="digest")
    if not plan.calls:
        raise NotAllowed(f"plan {plan.pk} has nothing to approve: it makes no calls")
    void = void_because(plan=plan, now=now)
    if void:
        raise NotAllowed(f"plan {plan.pk} cannot be approved: {void}")
    PlanApproval.objects.create(
        company_id=company_id,
        plan=plan,
        digest=plan.digest,
        kind=ApprovalKind.TOKEN if approver.user_id is None else ApprovalKind.PERSON,
        user_id=approver.user_id,
        actor=approver.actor[:255],
        reason=reason,
        approved_at=now,
        expires_at=now + APPROVAL_LIFETIME,
    )
    return consent_to(plan=plan, now=now)


def consent_to(*, plan: ScalingPlan, now: datetime) -> Consent:
    """What the policy in force asks for, and what is there."""
    policy = policy_in_force(company_id=plan.company_id, now=now)
    needed = approvals_needed(calls=calls_of(plan), approval=policy.policy.approval)
    if needed == 0 and (plan.wanted_p5_days is not None or _was_taken_back(plan)):
        # The policy agrees beforehand to what it asks for itself, and to nothing else.
        needed = 1
    return Consent(needed, plan_approvals(plan=plan, now=now).given)


def note_approval_by_policy(*, plan: ScalingPlan, now: datetime) -> None:
    """Keep that nobody was asked, because the policy says so. Once per plan."""
    with transaction.atomic():
        lock_planning(plan.company_id)
        if PlanApproval.objects.filter(plan=plan, kind=ApprovalKind.POLICY, expires_at__gt=now).exists():
            return
        PlanApproval.objects.create(
            company_id=plan.company_id,
            plan=plan,
            digest=plan.digest,
            kind=ApprovalKind.POLICY,
            actor=f"policy:{plan.policy}"[:255],
            reason="the policy approves what touches no production environment",
            approved_at=now,
            expires_at=now + APPROVAL_LIFETIME,
        )


def _was_taken_back(plan: ScalingPlan) -> bool:
    """Whether the last thing done was to take back what this plan decides: then it is for a person again."""
    last = ScalingRun.objects.filter(company_id=plan.company_id).select_related("plan").order_by("-id").first()
    return last is not None and last.kind == RunKind.ROLLBACK and last.plan.decision == plan.decision
