"""Turn bidding for spot instances off or on, in the place where the group really asks for them.

A mixed-instances group has its on-demand share changed. A group on a plain launch template gets a new version of
that template, without or with a request for spot, and is pointed at it. Running instances stay until replaced.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cloudpolicy.engine.action import Action, Proposal
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.market import LaunchTemplate, MixedInstances
from cloudpolicy.engine.plan import ApiCall
from cloudpolicy.engine.reason import Reason

UPDATE_GROUP = "autoscaling:UpdateAutoScalingGroup"
CREATE_VERSION = "ec2:CreateLaunchTemplateVersion"
# The number of a version is known once it is created; whoever makes the calls puts it here.
NEW_VERSION = "{version created by the call before}"


def propose(group: Group, target: Target, groups: Sequence[Group]) -> Proposal:
    if target.spot is None or group.market.spot is target.spot:
        return Proposal()
    if isinstance(group.market, MixedInstances):
        return _change_share(group, group.market, target)
    if isinstance(group.market, LaunchTemplate):
        return _change_template(group, group.market, target, groups)
    wanted = "on" if target.spot else "off"
    doubt = f"{group.name}: turning spot {wanted} is left to a person: {group.market.reason}"
    return Proposal(warnings=(Reason("spot_unreadable", doubt),))


def _change_share(group: Group, market: MixedInstances, target: Target) -> Proposal:
    percent = target.on_demand_percent if target.spot else 100
    # AWS keeps what a request leaves out, but says so only for the group's own properties: send all of it.
    distribution = {**market.distribution, "OnDemandPercentageAboveBaseCapacity": percent}
    call = _call(
        group,
        target,
        permission=UPDATE_GROUP,
        before={"spot": market.spot, "on_demand_percent": market.on_demand_percent},
        after={"spot": target.spot, "on_demand_percent": percent},
        parameters={
            "AutoScalingGroupName": group.name,
            "MixedInstancesPolicy": {"InstancesDistribution": distribution},
        },
    )
    return Proposal(calls=(call,))


def _change_template(group: Group, market: LaunchTemplate, target: Target, groups: Sequence[Group]) -> Proposal:
    sharers = [other.name for other in groups if other is not group and _follows_latest(other, market)]
    if sharers:
        # A new version of the template reaches them too, whatever their environment.
        doubt = f"{group.name}: launch template {market.name} is shared with {', '.join(sorted(sharers)[:5])}"
        return Proposal(
            warnings=(Reason("template_shared", doubt + ", turning spot off or on is left to a person"),)
        )
    create = _call(
        group,
        target,
        permission=CREATE_VERSION,
        before={"spot": market.spot, "template": market.name, "version": market.version},
        after={"spot": target.spot, "template": market.name, "version": NEW_VERSION},
        parameters=_new_version(market, spot=bool(target.spot)),
    )
    if market.follows == "$Latest":
        return Proposal(calls=(create,))
    point = _call(
        group,
        target,
        permission=UPDATE_GROUP,
        before={"spot": market.spot, "template": market.name, "version": market.follows},
        after={"spot": target.spot, "template": market.name, "version": NEW_VERSION},
        parameters={
            "AutoScalingGroupName": group.name,
            "LaunchTemplate": {"LaunchTemplateId": market.template_id, "Version": NEW_VERSION},
        },
    )
    return Proposal(calls=(create, point))


def _new_version(market: LaunchTemplate, *, spot: bool) -> dict[str, Any]:
    version: dict[str, Any] = {
        "LaunchTemplateId": market.template_id,
        "VersionDescription": f"capstack: {'spot' if spot else 'on demand'}",
    }
    if spot:
        return version | {
            "SourceVersion": str(market.version),
            "LaunchTemplateData": {"InstanceMarketOptions": {"MarketType": "spot"}},
        }
    # SourceVersion merges: it can add a setting and never take one away. So the copy is made without it.
    return version | {"copy_without": {"version": market.version, "remove": ["InstanceMarketOptions"]}}


def _follows_latest(other: Group, market: LaunchTemplate) -> bool:
    theirs = other.market
    return (
        isinstance(theirs, LaunchTemplate)
        and theirs.template_id == market.template_id
        and theirs.follows == "$Latest"
    )


def _call(
    group: Group,
    target: Target,
    *,
    permission: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    parameters: Mapping[str, Any],
) -> ApiCall:
    return ApiCall(
        action=ACTION.name,
        group=group.name,
        environment=group.environment,
        region=group.region,
        permission=permission,
        before=before,
        after=after,
        parameters=parameters,
        because=target.because,
    )


ACTION = Action(
    name="spot_mode",
    order=10,
    permissions=(
        UPDATE_GROUP,
        CREATE_VERSION,
        "autoscaling:DescribeAutoScalingGroups",
        "ec2:DescribeLaunchTemplateVersions",
    ),
    propose=propose,
)
