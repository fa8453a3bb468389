"""Groups without the opt-in tag are left alone."""

from datetime import datetime

from cloudpolicy.engine.filter import Filter, Left
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.reason import Reason


def judge(group: Group, policy: Policy, _local_now: datetime) -> Left | None:
    if group.opted_in:
        return None
    tag = f"{policy.opt_in.key}={policy.opt_in.value}"
    return Left(Reason("not_opted_in", f"{group.name} is left alone: it does not carry the tag {tag}"))


FILTER = Filter(name="opted_in", order=10, permissions=("autoscaling:DescribeAutoScalingGroups",), judge=judge)
