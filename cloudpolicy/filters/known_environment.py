"""Groups of an environment that the policy does not know are left alone."""

from datetime import datetime

from cloudpolicy.engine.filter import Filter, Left
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.reason import Reason


def judge(group: Group, policy: Policy, _local_now: datetime) -> Left | None:
    if group.environment in policy.environments:
        return None
    known = ", ".join(policy.environments)
    text = f"{group.name} is left alone: its environment is none of {known}"
    return Left(Reason("unknown_environment", text))


FILTER = Filter(
    name="known_environment", order=20, permissions=("autoscaling:DescribeAutoScalingGroups",), judge=judge
)
