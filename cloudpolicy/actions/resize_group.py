"""Resize a group: always min, max and desired together, so that no step leaves desired outside its bounds."""

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any

from cloudpolicy.engine.action import NOTHING, Action, Observed, Proposal, Receipt
from cloudpolicy.engine.call import ApiCall, calls_from
from cloudpolicy.engine.capacity import Capacity, parse_capacity
from cloudpolicy.engine.cloud import Cloud, describe_group, request_id_of, tags_of
from cloudpolicy.engine.followers import Followers
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.kind import Becomes, Kind

NAME = "resize_group"
PERMISSION = "autoscaling:UpdateAutoScalingGroup"


def propose(group: Group, target: Target, _followers: Followers) -> Proposal:
    before, after = group.capacity, target.capacity
    if before == after:
        return NOTHING
    call = ApiCall(
        action=NAME,
        group=group.name,
        environment=group.environment,
        region=group.region,
        account=group.account,
        permission=PERMISSION,
        before=before.as_dict(),
        after=after.as_dict(),
        parameters=_parameters(group.name, after),
        because=target.because,
    )
    return Proposal((call,))


def propose_sizes(kind: Kind, becomes: Becomes, because: str) -> Sequence[tuple[ApiCall, ...]]:
    """What `propose` says of each group: column by column, as hardly two policies want the same."""
    settings = {now: size.as_dict() for now, size in becomes.items()}
    afters = [settings[now] for now in kind.desired]
    figures = {now: (size.min, size.max, size.desired) for now, size in becomes.items()}
    parameters = [
        {"AutoScalingGroupName": name, "MinSize": least, "MaxSize": most, "DesiredCapacity": wanted}
        for name, (least, most, wanted) in zip(kind.names, map(figures.__getitem__, kind.desired), strict=True)
    ]
    # Groups of a kind are of one environment.
    made = calls_from(
        zip(
            repeat(NAME),
            kind.names,
            repeat(kind.groups[0].environment),
            kind.regions,
            repeat(PERMISSION),
            kind.sizes,
            afters,
            parameters,
            repeat(because),
            kind.accounts,
        )
    )
    return [
        () if before == after else (call,) for call, before, after in zip(made, kind.sizes, afters, strict=True)
    ]


def observe(call: ApiCall, cloud: Cloud, _token: str) -> Observed | None:
    group = describe_group(cloud, call.group)
    if group is None:
        return None
    wanted = int(group["DesiredCapacity"])
    instances = [str(each.get("LifecycleState")) for each in group.get("Instances", [])]
    serving = instances.count("InService")
    return Observed(
        settings=Capacity(int(group["MinSize"]), int(group["MaxSize"]), wanted).as_dict(),
        tags=tags_of(group),
        # Instances that are still leaving cost money, so a group that shrinks is there when they are gone.
        arrived=serving == wanted == len(instances),
        progress=f"{serving} of {wanted} in service"
        + (f", {len(instances) - serving} coming or going" if len(instances) > serving else ""),
    )


def perform(call: ApiCall, cloud: Cloud, _token: str) -> Receipt:
    return Receipt(request_id_of(cloud.changing("autoscaling").update_auto_scaling_group(**call.parameters)))


def inverse(call: ApiCall, before: Mapping[str, Any]) -> ApiCall:
    size = parse_capacity(before)
    return call._replace(before=call.after, after=size.as_dict(), parameters=_parameters(call.group, size))


def _parameters(group: str, size: Capacity) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": group,
        "MinSize": size.min,
        "MaxSize": size.max,
        "DesiredCapacity": size.desired,
    }


def describe(call: ApiCall) -> str:
    before, after = call.before["desired"], call.after["desired"]
    return f"resize {call.group} from {before} to {after} instance{'' if after == 1 else 's'}"


ACTION = Action(
    name=NAME,
    order=20,
    permissions=(PERMISSION, "autoscaling:DescribeAutoScalingGroups"),
    describe=describe,
    propose=propose,
    observe=observe,
    perform=perform,
    inverse=inverse,
    propose_sizes=propose_sizes,
)
