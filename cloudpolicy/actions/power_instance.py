"""Stop single instances, and start them again. Their disks stay; what is only in memory is lost.

An instance of an auto-scaling group is the group's: stopped, it would be replaced. It is never one of these.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cloudpolicy.engine.action import Action, Observed, Receipt, for_no_group
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.cloud import Cloud, request_id_of, tags_of
from cloudpolicy.engine.describe import environment_in
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.policy import Policy
from cloudpolicy.engine.power import Power
from cloudpolicy.engine.resource import Resource
from cloudpolicy.engine.resource_saving import BILLED_AS, TYPE

POWER = Power(
    noun="instance",
    word="instances",
    stop="ec2:StopInstances",
    start="ec2:StartInstances",
    parameters=lambda name: {"InstanceIds": [name]},
)
INSTANCES_PER_PAGE = 1000
_OF_A_GROUP = "aws:autoscaling:groupName"
_RUNNING, _STOPPED = ("pending", "running"), ("stopping", "stopped")


def discover(cloud: Cloud, policy: Policy, _groups: Sequence[Group]) -> Sequence[Resource]:
    pages = (
        cloud.reading("ec2")
        .get_paginator("describe_instances")
        .paginate(
            Filters=[
                {"Name": f"tag:{policy.opt_in.key}", "Values": [policy.opt_in.value]},
                {"Name": "instance-state-name", "Values": [*_RUNNING, *_STOPPED]},
            ],
            PaginationConfig={"PageSize": INSTANCES_PER_PAGE},
        )
    )
    return tuple(
        _resource(instance, policy, cloud)
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        if _OF_A_GROUP not in tags_of(instance)
    )


def _resource(instance: Mapping[str, Any], policy: Policy, cloud: Cloud) -> Resource:
    tags = tags_of(instance)
    return Resource(
        action=ACTION.name,
        name=instance["InstanceId"],
        environment=environment_in(tags, tags.get("Name", ""), group_name=policy.group_name),
        region=cloud.region,
        account=cloud.account,
        settings={"running": _runs(instance)},
        opted_in=tags.get(policy.opt_in.key) == policy.opt_in.value,
        left=_left(instance),
        details={TYPE: instance.get("InstanceType", ""), BILLED_AS: instance["InstanceId"]},
    )


def _left(instance: Mapping[str, Any]) -> str:
    if instance.get("InstanceLifecycle") == "spot":
        return "it is a spot instance, which its request brings back"
    if instance.get("RootDeviceType", "ebs") != "ebs":
        return "its root disk would be lost"
    return ""


def _runs(instance: Mapping[str, Any]) -> bool | None:
    """None while it is being terminated."""
    state = instance["State"]["Name"]
    if state in _STOPPED:
        return False
    return True if state in _RUNNING else None


def observe(call: ApiCall, cloud: Cloud, _token: str) -> Observed | None:
    answer = cloud.reading("ec2").describe_instances(
        Filters=[
            {"Name": "instance-id", "Values": [call.group]}
        ]  # A filter finds nothing where an id is an error.
    )
    found = [instance for each in answer["Reservations"] for instance in each["Instances"]]
    if not found:
        return None
    state = found[0]["State"]["Name"]
    return Observed(
        settings={"running": _runs(found[0])},
        tags=tags_of(found[0]),
        arrived=state in ("running", "stopped"),
        progress=state,
    )


def perform(call: ApiCall, cloud: Cloud, _token: str) -> Receipt:
    ec2 = cloud.changing("ec2")
    ask = ec2.stop_instances if call.permission == POWER.stop else ec2.start_instances
    return Receipt(request_id_of(ask(**call.parameters)))


ACTION = Action(
    name="power_instance",
    order=40,
    permissions=(POWER.stop, POWER.start, "ec2:DescribeInstances"),
    describe=POWER.describe,
    propose=for_no_group,
    observe=observe,
    perform=perform,
    inverse=POWER.inverse,
    resources=POWER.resources(discover),
)
