"""What another policy would change today. Nothing is stored or changed."""

from dataclasses import dataclass
from datetime import datetime

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.evaluate import evaluate
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.plan import ScalingPlan
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.reason import Reason
from cloudpolicy.filters.registry import all_filters
from cloudpolicy.selectors.memory import read_history
from cloudpolicy.services.inventory import read_company_groups
from cloudpolicy.services.runway import runway_of
from ledger.domain.company import CompanyRef

AS_IT_IS = "as it is"


@dataclass(frozen=True, slots=True)
class GroupPreview:
    """One group: what it is, and what either policy asks for."""

    group: str
    environment: str
    now: str
    in_force: str
    proposed: str

    @property
    def differs(self) -> bool:
        return self.in_force != self.proposed


@dataclass(frozen=True, slots=True)
class Preview:
    """Attributes:
    p5_days, band: today, and on the proposed ladder; None without a usable figure.
    groups: those that either policy has a say in.
    read_only_because, warnings: of the proposed policy.
    """

    p5_days: int | None
    band: str | None
    groups: tuple[GroupPreview, ...]
    read_only_because: tuple[Reason, ...]
    warnings: tuple[Reason, ...]


def preview_policy(*, company: CompanyRef, in_force: Policy | None, proposed: Policy, now: datetime) -> Preview:
    """Put today's forecast and groups to both policies.

    Args:
        in_force: None where what is kept is no policy; then the groups stay as they are.

    Raises:
        CloudUnavailable: the groups cannot be read.
    """
    runway, history = runway_of(company=company, now=now), read_history(company_id=company.id)

    def plan(policy: Policy, groups: tuple[Group, ...]) -> ScalingPlan:
        return evaluate(
            policy=policy,
            groups=groups,
            runway=runway,
            history=history,
            now=now,
            actions=all_actions(),
            filters=all_filters(),
        )

    groups = read_company_groups(company=company.slug, policy=proposed)
    other = plan(proposed, groups)
    wanted, known = _wanted(other), {}
    if in_force is not None:
        # Name and tag say how a group is read.
        read_alike = (in_force.group_name, in_force.opt_in) == (proposed.group_name, proposed.opt_in)
        theirs = groups if read_alike else read_company_groups(company=company.slug, policy=in_force)
        known = _wanted(plan(in_force, theirs))
    shown = [
        GroupPreview(
            group=group.name,
            environment=group.environment,
            now=str(group.capacity),
            in_force=known.get((group.account, group.region, group.name), AS_IT_IS),
            proposed=wanted.get((group.account, group.region, group.name), AS_IT_IS),
        )
        for group in groups
        if group.opted_in or (group.account, group.region, group.name) in known
    ]
    return Preview(
        p5_days=None if other.p5_days is None else int(other.p5_days),
        band=other.band.name if other.band else None,
        groups=tuple(shown),
        read_only_because=other.read_only_because,
        warnings=other.warnings,
    )


def _wanted(plan: ScalingPlan) -> dict[tuple[str, str, str], str]:
    """What each group would become, in words."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for call in plan.calls:
        words = said.setdefault((call.account, call.region, call.group), [])
        for name, value in call.after.items():
            if value != call.before.get(name):
                shown = {True: "on", False: "off"}[value] if isinstance(value, bool) else value
                word = f"{name.replace('_', ' ')} {shown}"
                if word not in words:
                    words.append(word)
    return {key: ", ".join(words) for key, words in said.items()}
