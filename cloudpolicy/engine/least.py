"""How small a group may be made on a person's wish, beyond what the ladder asks of it."""

from cloudpolicy.engine.band import Band
from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.resources import rule_of


def least_instances(*, group: Group, policy: Policy, band: Band) -> int:
    """The fewest instances that one plan may leave a group with.

    Never below its floor, nor below the least that the policy gives the environment at this runway; where the
    policy says nothing of it, not below the group's own min, which is its owner's. No further than one step.
    """
    rule = rule_of(policy, band, group.environment)
    least = rule.capacity.min if rule is not None else group.capacity.min
    bound = max(least, policy.floor_of(group.environment, group.name), 0)
    percent, now = policy.limits.step_percent, group.capacity.desired
    return bound if percent is None else max(bound, now - max(1, now * percent // 100))


def made_smaller(*, group: Group, policy: Policy, desired: int) -> Capacity:
    """The size of a group that runs fewer instances; its min gives way as far as the floor."""
    floor = policy.floor_of(group.environment, group.name)
    return Capacity(max(floor, min(group.capacity.min, desired)), max(group.capacity.max, floor), desired)
