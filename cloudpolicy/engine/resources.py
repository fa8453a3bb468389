"""What the ladder asks of single resources, and what runs again once it no longer asks for it to stand still."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cloudpolicy.engine.action import Action, Proposal
from cloudpolicy.engine.band import Band
from cloudpolicy.engine.call import ApiCall, place_of
from cloudpolicy.engine.history import History
from cloudpolicy.engine.policy import Policy, Rule
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.resource import Held, Resource, stops

RUNS_AGAIN = "it ran before the policy stopped it"


@dataclass(slots=True)
class ResourceCalls:
    """What is to be done. What starts comes before any group shrinks, what stops after.

    Attributes:
        back: what is held and found as it was before: whoever did it, nothing has to be taken back.
        ends: when what is left alone for a while no longer is.
    """

    starting: list[ApiCall] = field(default_factory=list)
    stopping: list[ApiCall] = field(default_factory=list)
    warnings: list[Reason] = field(default_factory=list)
    back: list[Held] = field(default_factory=list)
    ends: list[datetime | None] = field(default_factory=list)


def resource_calls(
    *,
    policy: Policy,
    band: Band,
    history: History,
    resources: Sequence[Resource],
    actions: Sequence[Action],
    now: datetime,
) -> ResourceCalls:
    """Plan for resources: for those with the opt-in tag alone, and none of production is ever stopped."""
    about = {action.name: action for action in actions if action.resources is not None}
    found = ResourceCalls()
    for resource in sorted(resources, key=lambda each: each.key):
        action, rule = about.get(resource.action), rule_of(policy, band, resource.environment)
        if action is not None and rule is not None and resource.tags_unread and not resource.opted_in:
            text = f"{resource.name} is not touched: its tags cannot be read, and no plan of ours has made it"
            found.warnings.append(Reason("tags_unread", text))
        if action is None or rule is None or not resource.opted_in:
            continue
        _propose(found, action, resource, rule, policy)
    by_key = {resource.key: resource for resource in resources}
    for held in history.held:
        action = about.get(held.call.action)
        if action is not None:
            rule = rule_of(policy, band, held.call.environment)
            _let_run(found, action, held, by_key.get(held.key), rule)
    _leave_excluded(found, history, now)
    return found


def _leave_excluded(found: ResourceCalls, history: History, now: datetime) -> None:
    """Take out what is left alone because of what a person did."""
    for calls in (found.starting, found.stopping):
        for call in tuple(calls):
            excluded = history.exclusion_at(place_of(call), now=now)
            if excluded is not None:
                calls.remove(call)
                found.warnings.append(excluded.reason)
                found.ends.append(excluded.until)


def rule_of(policy: Policy, band: Band, environment: str) -> Rule | None:
    """The row in force, or else what the environment is otherwise."""
    return band.row_of(environment) or policy.otherwise_of.get(environment)


def _propose(found: ResourceCalls, action: Action, resource: Resource, rule: Rule, policy: Policy) -> None:
    assert action.resources is not None
    word = action.resources.word
    if word and (word not in rule.stopped or resource.environment in policy.approval.production):
        return
    proposal: Proposal = action.resources.propose(resource, rule, policy)
    if resource.left and proposal.calls:
        found.warnings.append(Reason("resource_left", f"{resource.name} is left to a person: {resource.left}"))
        return
    found.warnings += proposal.warnings
    found.stopping += proposal.calls


def _let_run(
    found: ResourceCalls, action: Action, held: Held, resource: Resource | None, rule: Rule | None
) -> None:
    assert action.resources is not None
    if rule is not None and action.resources.word in rule.stopped:
        return
    if not action.resources.comes_back_new and (
        resource is None or not resource.opted_in or resource.settings == held.before
    ):
        found.back.append(held)
        return
    if resource is not None and resource.settings != held.call.after:
        text = f"{resource.name} is left alone: somebody has changed it since the policy stopped it"
        found.warnings.append(Reason("resource_changed", text))
        return
    back = action.inverse(held.call, held.before)
    if back is not None and not stops(back):
        found.starting.append(back._replace(because=RUNS_AGAIN))
