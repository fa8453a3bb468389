"""Resize a group: always min, max and desired together, so that no step leaves desired outside its bounds."""

from collections.abc import Sequence

from cloudpolicy.engine.action import Action, Proposal
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.plan import ApiCall

PERMISSION = "autoscaling:UpdateAutoScalingGroup"


def propose(group: Group, target: Target, _groups: Sequence[Group]) -> Proposal:
    if group.capacity == target.capacity:
        return Proposal()
    size = target.capacity
    call = ApiCall(
        action=ACTION.name,
        group=group.name,
        environment=group.environment,
        region=group.region,
        permission=PERMISSION,
        before=group.capacity.as_dict(),
        after=size.as_dict(),
        parameters={
            "AutoScalingGroupName": group.name,
            "MinSize": size.min,
            "MaxSize": size.max,
            "DesiredCapacity": size.desired,
        },
        because=target.because,
    )
    return Proposal(calls=(call,))


ACTION = Action(
    name="resize_group",
    order=20,
    permissions=(PERMISSION, "autoscaling:DescribeAutoScalingGroups"),
    propose=propose,
)
