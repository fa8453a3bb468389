"""What the ladder asks of one group, within its floor and its step."""

from dataclasses import replace

from cloudpolicy.engine.band import Band
from cloudpolicy.engine.capacity import Capacity, capacity_problems
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.history import History
from cloudpolicy.engine.policy import Policy, Rule
from cloudpolicy.engine.reason import Reason
from cloudpolicy.engine.resources import rule_of

RESTORED = "size before the policy shrank it"
RESUMED = "processes that no row suspends any more"


def target_of(*, group: Group, policy: Policy, band: Band, history: History) -> Target | Reason | None:
    """Decide what a group should be: a row in force, else the environment's `otherwise`, else its journalled size.

    Returns:
        None when the policy has nothing to say about the group; a Reason when it has, but must leave it alone.
    """
    rule = rule_of(policy, band, group.environment)
    if rule is not None:
        return _target(group, policy, rule.capacity, rule.spot, rule.name, rule, history)
    size = history.size_of(group)
    if size is not None:
        problems = capacity_problems(size.capacity, floor=policy.floor_of(group.environment))
        if problems:
            return Reason("bad_journal", f"{group.name}: the journalled size cannot be restored: {problems[0]}")
        back = _target(group, policy, size.capacity, size.spot, RESTORED, None, history)
        return back if size.on_demand_percent is None else replace(back, on_demand_percent=size.on_demand_percent)
    if group.suspended & history.suspended_in(group):
        return _target(group, policy, group.capacity, None, RESUMED, None, history)
    return None


def _target(
    group: Group,
    policy: Policy,
    capacity: Capacity,
    spot: bool | None,
    because: str,
    rule: Rule | None,
    history: History,
) -> Target:
    suspend = rule.suspended if rule else frozenset()
    return Target(
        _within_step(group, policy, lifted(capacity, policy.floor_of(group.environment, group.name))),
        spot,
        policy.on_demand_percent_with_spot,
        because,
        suspend=suspend,
        resume=history.suspended_in(group) - suspend,
        may_stop_schedules=rule.may_stop_schedules if rule else False,
    )


def lifted(capacity: Capacity, floor: int) -> Capacity:
    """The size with nothing in it below the floor."""
    if capacity.min >= floor:
        return capacity
    return Capacity(floor, max(capacity.max, floor), max(capacity.desired, floor))


def _within_step(group: Group, policy: Policy, target: Capacity) -> Capacity:
    """As far towards the target as one plan may go. What is below its floor is lifted to it at once."""
    percent = policy.limits.step_percent
    now = group.capacity.desired
    if percent is None or target.desired == now:
        return target
    most = max(1, now * percent // 100)
    desired = min(max(target.desired, now - most), now + most)
    desired = max(desired, policy.floor_of(group.environment, group.name))
    return Capacity(min(target.min, desired), max(target.max, desired), desired)
