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
    """Decide what a group should become next: what it should be, or as far towards that as one plan may go.

    Returns:
        None when the policy has nothing to say about the group; a Reason when it has, but must leave it alone.
    """
    goal = goal_of(group=group, policy=policy, band=band, history=history)
    if not isinstance(goal, Target):
        return goal
    floor = policy.floor_of(group.environment, group.name)
    percent = policy.limits.step_percent
    size = within_step(goal.capacity, desired_now=group.capacity.desired, percent=percent, floor=floor)
    return goal if size is goal.capacity else replace(goal, capacity=size)


def goal_of(*, group: Group, policy: Policy, band: Band, history: History) -> Target | Reason | None:
    """Decide what a group should be: a row in force, else the environment's `otherwise`, else its journalled size.

    How large the group is now is looked at only where the policy has suspended processes of it, so groups of which
    nothing is remembered and that are not named have a goal in common with their whole kind.
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
        lifted(capacity, policy.floor_of(group.environment, group.name)),
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


def within_step(goal: Capacity, *, desired_now: int, percent: int | None, floor: int) -> Capacity:
    """As far towards the goal as one plan may go. What is below its floor is lifted to it at once."""
    if percent is None or goal.desired == desired_now:
        return goal
    most = max(1, desired_now * percent // 100)
    desired = min(max(goal.desired, desired_now - most), desired_now + most)
    if desired < floor:
        desired = floor
    return Capacity(min(goal.min, desired), max(goal.max, desired), desired)
