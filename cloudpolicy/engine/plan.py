"""A plan is data: the calls that would be made, each with before and after, and why they may or may not be."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloudpolicy.engine.band import Band
from cloudpolicy.engine.document import canonical_digest
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.standing import Standing

if TYPE_CHECKING:
    from cloudpolicy.engine.resource import Held


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request to the cloud, planned and not made.

    Attributes:
        action: the registered action that planned it.
        permission: the IAM permission the request needs, which also names the request: `autoscaling:UpdateAuto…`.
        before, after: the settings that change, in the policy's words; equal keys on both sides.
        parameters: the request, as its action makes it. Where a value is settled by this call or by one before it,
            such as the number of a version that is created, a placeholder stands here (`resolved`). What may hold
            secrets, such as the rest of a version that is copied, is read when the call is made.
        account: the cloud account by its name in the settings; '' is the one that the environment names.
    """

    action: str
    group: str
    environment: str
    region: str
    permission: str
    before: Mapping[str, Any] = field(hash=False)
    after: Mapping[str, Any] = field(hash=False)
    parameters: Mapping[str, Any] = field(hash=False)
    because: str = ""
    account: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The call as JSON content."""
        return {
            "action": self.action,
            "group": self.group,
            "environment": self.environment,
            "region": self.region,
            "account": self.account,
            "before": dict(self.before),
            "after": dict(self.after),
            "permission": self.permission,
            "parameters": dict(self.parameters),
            "because": self.because,
        }


def parse_call(stored: Mapping[str, Any]) -> ApiCall:
    """Read `ApiCall.as_dict` back. Plans from before there were several accounts name none."""
    return ApiCall(**{"account": "", **stored})


def place_of(call: ApiCall) -> tuple[str, str, str]:
    """Account, region and name of what a call changes."""
    return call.account, call.region, call.group


def resolved(call: ApiCall, learned: Mapping[str, Any]) -> ApiCall:
    """The call with placeholders replaced by what they turned out to be."""
    return replace(call, after=_settled(call.after, learned), parameters=_settled(call.parameters, learned))


def _settled(content: Any, learned: Mapping[str, Any]) -> Any:
    if isinstance(content, Mapping):
        return {key: _settled(value, learned) for key, value in content.items()}
    return learned.get(content, content) if isinstance(content, str) else content


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
    back: tuple["Held", ...] = ()

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
