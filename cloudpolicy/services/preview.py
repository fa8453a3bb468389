"""What another policy would change today. Nothing is stored or changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.call import place_of
from cloudpolicy.engine.evaluate import evaluate
from cloudpolicy.engine.fleet import Fleet
from cloudpolicy.engine.plan import ScalingPlan
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.setting import setting_name, setting_value
from cloudpolicy.filters.registry import all_filters
from cloudpolicy.selectors.memory import read_history
from cloudpolicy.services.inventory import Inventory, read_inventory, with_ours
from cloudpolicy.services.runway import runway_of
from ledger.domain.company import CompanyRef

AS_IT_IS = "as it is"


@dataclass(frozen=True, slots=True)
class GroupPreview:
    """One group, or one resource that either policy would change: what it is, where, and what either asks for."""

    group: str
    account: str
    region: str
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
    runway, history = runway_of(company=company, now=now), read_history(company_id=company.id, now=now)

    def plan(policy: Policy, found: Inventory, fleet: Fleet) -> ScalingPlan:
        return evaluate(
            policy=policy,
            groups=fleet,
            resources=found.resources,
            runway=runway,
            history=history,
            now=now,
            actions=all_actions(),
            filters=all_filters(),
        )

    held = {each.call.action for each in history.held}
    found = _inventory(company, proposed, held)
    fleet = Fleet.of(found.groups)
    other = plan(proposed, found, fleet)
    wanted, known = _wanted(other), {}
    if in_force is not None:
        # Name, tag and what the rules speak of say what is read.
        read_alike = _reading(in_force) == _reading(proposed)
        if read_alike:
            known = _wanted(plan(in_force, found, fleet))
        else:
            theirs = _inventory(company, in_force, held)
            known = _wanted(plan(in_force, theirs, Fleet.of(theirs.groups)))
    shown = [
        GroupPreview(
            group=group.name,
            account=group.account,
            region=group.region,
            environment=group.environment,
            now=str(group.capacity),
            in_force=known.get(group.key, AS_IT_IS),
            proposed=wanted.get(group.key, AS_IT_IS),
        )
        for group in found.groups
        if group.opted_in or group.key in known
    ]
    shown += [
        GroupPreview(
            group=resource.name,
            account=resource.account,
            region=resource.region,
            environment=resource.environment,
            now=_words(resource.settings),
            in_force=known.get(resource.key[1:], AS_IT_IS),
            proposed=wanted.get(resource.key[1:], AS_IT_IS),
        )
        for resource in found.resources
        if resource.key[1:] in known or resource.key[1:] in wanted
    ]
    return Preview(
        p5_days=None if other.p5_days is None else int(other.p5_days),
        band=other.band.name if other.band else None,
        groups=tuple(shown),
        read_only_because=other.read_only_because,
        warnings=other.warnings,
    )


def _inventory(company: CompanyRef, policy: Policy, held: set[str]) -> Inventory:
    found = read_inventory(company=company.slug, policy=policy, held=held)
    return with_ours(company_id=company.id, inventory=found)


def _reading(policy: Policy) -> tuple[object, ...]:
    spoken_of = {(word, rule.budget is not None) for rule in policy.rules for word in (*rule.stopped, "")}
    careful = {rule.suspended for rule in policy.rules if not rule.may_stop_schedules}
    return policy.group_name, policy.opt_in, frozenset(spoken_of), frozenset(careful)


def _words(settings: Mapping[str, Any]) -> str:
    return ", ".join(_word(name, value) for name, value in settings.items())


def _word(name: str, value: object) -> str:
    return f"{setting_name(name)} {setting_value(name, value)}"


def _wanted(plan: ScalingPlan) -> dict[tuple[str, str, str], str]:
    """What each group or resource would become, in words."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for call in plan.calls:
        words = said.setdefault(place_of(call), [])
        for name, value in call.after.items():
            if value != call.before.get(name):
                word = _word(name, value)
                if word not in words:
                    words.append(word)
    return {key: ", ".join(words) for key, words in said.items()}
