"""A plan is data: the calls that would be made, in their order, and why they may or may not be."""

from dataclasses import dataclass
from datetime import datetime

from cloudpolicy.engine.band import Band
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.document import canonical_digest
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.resource import Held
from cloudpolicy.engine.standing import Standing


@dataclass(frozen=True, slots=True)
class ScalingPlan:
    """What the policy would do about today's runway.

    Attributes:
        p5_days: None when the forecast has no usable figure; then there are no calls.
        forecast_run: None when no forecast is published.
        band: None when there is no usable figure.
        calls: in the order in which they would be made; what grows comes before what shrinks.
        read_only_because: when not empty, the calls only show what the figure would imply. Nothing may make them.
        warnings: what a reader should know although it stops nothing.
        standing: what to remember of the ladder; None when there is no usable figure.
        look_again_at: when time alone may lead to another plan: quiet hours, a cooldown or an exclusion ends.
        back: resources that were held and are found as they were before: nothing has to be taken back.
    """

    policy_name: str
    made_at: datetime
    p5_days: int | float | None
    forecast_run: int | None
    band: Band | None
    calls: tuple[ApiCall, ...]
    read_only_because: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    standing: Standing | None = None
    look_again_at: datetime | None = None
    back: tuple[Held, ...] = ()

    @property
    def trusted(self) -> bool:
        return not self.read_only_because


def plan_digest(*, plan: ScalingPlan, policy_digest: str) -> str:
    """Identify exactly this plan, as an approval does: calls, p5, forecast run and policy."""
    return canonical_digest(
        {
            "calls": [call.as_dict() for call in plan.calls],
            "p5_days": plan.p5_days,
            "forecast_run": plan.forecast_run,
            "policy": policy_digest,
            "read_only_because": [reason.code for reason in plan.read_only_because],
        }
    )


def decision_digest(*, plan: ScalingPlan, policy_digest: str) -> str:
    """Identify what was decided and why, not by which figure: it stays the same while nothing else is decided."""
    return canonical_digest(
        {
            "calls": [call.as_dict() for call in plan.calls],
            "rows": list(plan.band.row_names) if plan.band else None,
            "policy": policy_digest,
            "read_only_because": sorted({reason.code for reason in plan.read_only_because}),
            "warnings": sorted({reason.code for reason in plan.warnings}),
        }
    )
