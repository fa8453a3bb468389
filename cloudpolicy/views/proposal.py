"""A plan with everything that stands between it and the cloud."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cloudpolicy.engine.document import InvalidPolicy
from cloudpolicy.models.plan import ScalingPlan
from cloudpolicy.models.run import RunKind, RunState
from cloudpolicy.selectors.approvals import StoredApproval, plan_approvals
from cloudpolicy.selectors.decisions import Decision
from cloudpolicy.selectors.savings import PlanWorth, plan_worth
from cloudpolicy.services.approving import Consent, consent_to
from cloudpolicy.services.standing_plans import find_plan, void_because
from cloudpolicy.views.call_words import CallRow, call_rows
from cloudpolicy.views.mending import Told, told
from cloudpolicy.views.worth_words import days_text, range_text
from ledger.templatetags.amounts import money_text


@dataclass(frozen=True, slots=True)
class Proposal:
    """One plan as the page shows it.

    Attributes:
        worth: as it was last found; None while nobody has priced it.
        void: why nothing may be done by it; '' while it stands.
        is_newest: no other plan has taken its place.
        has_agreed: the person who looks has an approval that counts.
        is_done: it was carried out, or is at this moment.
    """

    decision: Decision
    calls: tuple[CallRow, ...]
    worth: PlanWorth | None
    warnings: tuple[Told, ...]
    against: tuple[Told, ...]
    void: str
    consent: Consent
    approvals: tuple[StoredApproval, ...]
    is_newest: bool
    has_agreed: bool
    is_done: bool

    @property
    def stands(self) -> bool:
        return bool(self.calls) and self.is_newest and not self.void and not self.is_done

    @property
    def may_be_approved(self) -> bool:
        return self.stands and not self.has_agreed and self.consent.needed > 0

    @property
    def may_be_applied(self) -> bool:
        return self.stands and self.consent.is_enough

    @property
    def buys(self) -> str:
        """What all calls together add to p5; '' where that is not known."""
        return "" if self.worth is None else days_text(self.worth.days_of_p5)

    @property
    def saves(self) -> str:
        """What all calls together save a month; '' where that is not known."""
        if self.worth is None or self.worth.monthly_saving is None:
            return ""
        lows = [call.low for call in self.worth.calls if call.low is not None]
        highs = [call.high for call in self.worth.calls if call.high is not None]
        if len(lows) < len(self.worth.calls) or len(highs) < len(self.worth.calls):
            return money_text(self.worth.monthly_saving, self.worth.currency)
        return range_text(sum(lows, Decimal(0)), sum(highs, Decimal(0)), self.worth.currency)

    @property
    def unpriced(self) -> int:
        """How many of its calls nobody can price."""
        return 0 if self.worth is None else sum(call.monthly_saving is None for call in self.worth.calls)

    @property
    def saves_at_least(self) -> str:
        """What those calls save a month that are priced, where some are not; '' where none is."""
        if self.worth is None:
            return ""
        known = [call.monthly_saving for call in self.worth.calls if call.monthly_saving is not None]
        return money_text(sum(known, Decimal(0)), self.worth.currency) if any(known) else ""


def proposal_of(*, decision: Decision, company_id: int, user_id: int, is_newest: bool, now: datetime) -> Proposal:
    """Look at a plan as somebody who may agree to it would.

    Args:
        now: in the company's time zone.
    """
    plan = find_plan(company_id=company_id, plan_id=decision.plan.plan_id)
    worth = plan_worth(company_id=company_id, plan_id=plan.pk)
    approvals = plan_approvals(plan=plan, now=now).approvals
    return Proposal(
        decision=decision,
        calls=call_rows(decision.plan.calls, worth=worth),
        worth=worth,
        warnings=told(decision.plan.warnings, zone=now.tzinfo),
        against=told(decision.plan.read_only_because, zone=now.tzinfo),
        void=void_because(plan=plan, now=now),
        consent=_consent(plan, now),
        approvals=approvals,
        is_newest=is_newest,
        has_agreed=any(each.counts and each.user_id == user_id for each in approvals),
        is_done=is_done(decision),
    )


def _consent(plan: ScalingPlan, now: datetime) -> Consent:
    """Nobody's approval is enough while the policy that asks for it cannot be read."""
    try:
        return consent_to(plan=plan, now=now)
    except InvalidPolicy:
        return Consent(needed=1, given=0)


def is_done(decision: Decision) -> bool:
    """Whether the last that happened to a plan was to carry it out."""
    return any(
        run.kind == RunKind.APPLY and run.state in (RunState.OPEN, RunState.DONE) for run in decision.runs[:1]
    )
