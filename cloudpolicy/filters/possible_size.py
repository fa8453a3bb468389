"""Groups of a size that AWS could not have given them are left to a person."""

from datetime import datetime

from cloudpolicy.engine.capacity import capacity_problems
from cloudpolicy.engine.filter import Filter, Left
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.reason import Reason


def judge(group: Group, _policy: Policy, _local_now: datetime) -> Left | None:
    problems = capacity_problems(group.capacity)
    if not problems:
        return None
    return Left(Reason("impossible_size", f"{group.name} is left to a person: {problems[0]}"))


FILTER = Filter(
    name="possible_size", order=30, permissions=("autoscaling:DescribeAutoScalingGroups",), judge=judge
)
