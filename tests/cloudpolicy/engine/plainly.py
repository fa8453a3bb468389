"""What a policy wants, asked of one group after the other: slow, and plain to see."""

from collections.abc import Sequence
from dataclasses import replace

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.band import Band
from cloudpolicy.engine.call import ApiCall, place_of
from cloudpolicy.engine.followers import Followers
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.history import History
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.target import lifted, target_of
from cloudpolicy.filters.registry import all_filters
from tests.cloudpolicy.engine.samples import NOW


def plainly(
    policy: Policy, band: Band, groups: Sequence[Group], history: History
) -> tuple[tuple[ApiCall, ...], tuple[Reason, ...]]:
    """Calls and what is said of groups, in their order, of a policy in this band."""
    said: list[Reason] = []
    wanted: list[tuple[Group, Target]] = []
    for group in groups:
        target = _wanted(policy, band, group, history, said)
        if target is not None:
            wanted.append((group, target))
    in_order = sorted(
        wanted,
        key=lambda each: (each[1].capacity.desired <= each[0].capacity.desired, each[0].region, each[0].name),
    )
    calls: list[ApiCall] = []
    followers = Followers.of(groups)
    for group, target in in_order:
        for action in sorted(all_actions(), key=lambda each: each.order):
            proposal = action.propose(group, target, followers)
            calls += proposal.calls
            said += proposal.warnings
    most = policy.limits.groups_per_plan
    if most is None:
        return tuple(calls), tuple(said)
    places = list(dict.fromkeys(place_of(call) for call in calls))
    later = [name for _, _, name in places[most:]]
    if later:
        rest = f"{len(later)} more groups wait for the next plan, {later[0]} first"
        said.append(Reason("groups_wait", f"{rest}: one plan changes {most}"))
    return tuple(call for call in calls if place_of(call) in places[:most]), tuple(said)


def _wanted(policy: Policy, band: Band, group: Group, history: History, said: list[Reason]) -> Target | None:
    if not group.opted_in and group.environment not in policy.environments:
        return None
    for each in sorted(all_filters(), key=lambda each: each.order):
        left = each.judge(group, policy, NOW)
        if left is not None:
            said.append(left.reason)
            return None
    excluded = history.exclusion_at(group.key, now=NOW)
    if excluded is not None and not excluded.only_growth:
        said.append(excluded.reason)
        return None
    target = target_of(group=group, policy=policy, band=band, history=history)
    if isinstance(target, Reason):
        said.append(target)
        return None
    floor = policy.floor_of(group.environment, group.name)
    if target and excluded is not None and target.capacity.desired > max(group.capacity.desired, floor):
        said.append(excluded.reason)
        return replace(target, capacity=lifted(group.capacity, floor), spot=None)
    return target
