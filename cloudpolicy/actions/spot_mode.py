"""Turn bidding for spot instances off or on, in the place where the group really asks for them.

A mixed-instances group has its on-demand share changed. A group on a plain launch template gets a new version of
that template, without or with a request for spot, and is pointed at it. Running instances stay until replaced.

A template gets a whole copy of the version in use: `SourceVersion` merges, so it can add a setting and never take
one away. The copy is made when the call is, because a template may hold secrets that belong into no plan.
"""

from collections.abc import Mapping
from typing import Any

from cloudpolicy.engine.action import NOTHING, Action, Observed, Proposal, Receipt
from cloudpolicy.engine.call import ApiCall
from cloudpolicy.engine.cloud import (
    Cloud,
    as_request,
    describe_group,
    mixed_policy_as_request,
    request_id_of,
    tags_of,
)
from cloudpolicy.engine.followers import Followers
from cloudpolicy.engine.group import Group, Target
from cloudpolicy.engine.kind import Kind
from cloudpolicy.engine.market import LaunchTemplate, MixedInstances
from cloudpolicy.engine.reason import Reason

NAME = "spot_mode"
UPDATE_GROUP = "autoscaling:UpdateAutoScalingGroup"
CREATE_VERSION = "ec2:CreateLaunchTemplateVersion"
# The number of a version is known once it is created; whoever makes the calls puts it in the place of this.
NEW_VERSION = "{number of the created version}"
NAMED_SHARERS = 5
ON_DEMAND = 100  # percent
SPOT = {"MarketType": "spot"}


def propose(group: Group, target: Target, followers: Followers) -> Proposal:
    market = group.market
    if isinstance(market, MixedInstances):
        return _change_share(group, market, target)
    if target.spot is None or market.spot is target.spot:
        return NOTHING
    if isinstance(market, LaunchTemplate):
        return _change_template(group, market, target, followers)
    wanted = "on" if target.spot else "off"
    doubt = f"{group.name}: turning spot {wanted} is left to a person: {market.reason}"
    return Proposal(warnings=(Reason("spot_unreadable", doubt),))


def heeds(kind: Kind, target: Target) -> tuple[bool | None, int | None]:
    """What proposals depend on: the share of on-demand instances only where groups have one that spot needs."""
    is_shared = target.spot and isinstance(kind.groups[0].market, MixedInstances)
    return target.spot, target.on_demand_percent if is_shared else None


def _change_share(group: Group, market: MixedInstances, target: Target) -> Proposal:
    share = market.on_demand_percent
    spot, wanted = share < ON_DEMAND, target.spot
    if wanted is None or spot is wanted:
        return NOTHING
    percent = target.on_demand_percent if wanted else ON_DEMAND
    # By place and not by name, which takes twice as long: this is asked of every group for every policy.
    call = ApiCall(
        NAME, group.name, group.environment, group.region, UPDATE_GROUP,
        {"spot": spot, "on_demand_percent": share},
        {"spot": wanted, "on_demand_percent": percent},
        {"AutoScalingGroupName": group.name, "OnDemandPercentageAboveBaseCapacity": percent},
        target.because, group.account,
    )  # fmt: skip
    return Proposal((call,))


def _change_template(group: Group, market: LaunchTemplate, target: Target, followers: Followers) -> Proposal:
    sharers = followers.others(group, market.template_id, most=NAMED_SHARERS)
    if sharers:
        # A new version of the template reaches them too, whatever their environment.
        doubt = f"{group.name}: launch template {market.name} is shared with {', '.join(sharers)}"
        return Proposal(
            warnings=(Reason("template_shared", doubt + ", turning spot off or on is left to a person"),)
        )
    create = _call(
        group,
        target,
        permission=CREATE_VERSION,
        before={"spot": market.spot, "template": market.name, "version": str(market.version)},
        after={"spot": target.spot, "template": market.name, "version": NEW_VERSION},
        parameters=_copy(
            market.template_id, version=str(market.version), follows=market.follows, spot=target.spot
        ),
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


def _copy(template_id: str, *, version: str, follows: str, spot: bool | None) -> dict[str, Any]:
    """A new version as a copy of another: asking for spot, asking not to, or, with None, exactly as that one."""
    return {
        "LaunchTemplateId": template_id,
        "copy": {"version": version, "spot": spot},
        # A group that follows the latest version follows the new one at once.
        "follows": follows,
    }


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
        action=NAME,
        group=group.name,
        environment=group.environment,
        region=group.region,
        account=group.account,
        permission=permission,
        before=before,
        after=after,
        parameters=parameters,
        because=target.because,
    )


def observe(call: ApiCall, cloud: Cloud, token: str) -> Observed | None:
    group = describe_group(cloud, call.group)
    if group is None:
        return None
    if "on_demand_percent" in call.before:
        if not group.get("MixedInstancesPolicy"):
            return Observed(dict.fromkeys(call.before), tags_of(group))  # Somebody has taken it away.
        share = MixedInstances(group["MixedInstancesPolicy"].get("InstancesDistribution") or {})
        return Observed({"spot": share.spot, "on_demand_percent": share.on_demand_percent}, tags_of(group))
    return _observe_template(call, cloud, token, group)


def _observe_template(call: ApiCall, cloud: Cloud, token: str, group: Mapping[str, Any]) -> Observed:
    creates = call.permission == CREATE_VERSION
    template_id = _template_id(call)
    follows = group.get("LaunchTemplate", {})
    if follows.get("LaunchTemplateId") != template_id:
        # Somebody has given the group another template, or a policy of its own.
        return Observed(dict.fromkeys(call.before), tags_of(group))
    made = _made_by(cloud, template_id, token) if creates else None
    if made is not None:
        number = str(made["VersionNumber"])
        settings = {**call.after, "spot": _asks_for_spot(made), "version": number}
        return Observed(settings, tags_of(group), learned={NEW_VERSION: number})
    asked_for = follows.get("Version") or "$Default"  # A group without a version follows the default one.
    followed = _versions(cloud, template_id, asked_for)[asked_for]
    return Observed(
        {
            "spot": _asks_for_spot(followed),
            "template": followed.get("LaunchTemplateName", call.before.get("template")),
            "version": str(followed["VersionNumber"]) if creates else asked_for,
        },
        tags_of(group),
    )


def perform(call: ApiCall, cloud: Cloud, token: str) -> Receipt:
    if call.permission == CREATE_VERSION:
        return _create_version(call, cloud, token)
    autoscaling = cloud.changing("autoscaling")
    if "on_demand_percent" not in call.before:
        return Receipt(request_id_of(autoscaling.update_auto_scaling_group(**call.parameters)))
    # AWS keeps what a request leaves out, but says so only for the group's own properties: send all of it.
    mixed = mixed_policy_as_request(autoscaling, describe_group(cloud, call.group) or {}) or {}
    percent = call.parameters["OnDemandPercentageAboveBaseCapacity"]
    mixed["InstancesDistribution"] = {
        **(mixed.get("InstancesDistribution") or {}),
        "OnDemandPercentageAboveBaseCapacity": percent,
    }
    answer = autoscaling.update_auto_scaling_group(AutoScalingGroupName=call.group, MixedInstancesPolicy=mixed)
    return Receipt(request_id_of(answer))


def inverse(call: ApiCall, before: Mapping[str, Any]) -> ApiCall | None:
    if "on_demand_percent" in before:
        percent = before["on_demand_percent"]
        parameters = {**call.parameters, "OnDemandPercentageAboveBaseCapacity": percent}
        return call._replace(before=call.after, after=before, parameters=parameters)
    if call.permission == UPDATE_GROUP:
        template = {**call.parameters["LaunchTemplate"], "Version": str(before["version"])}
        parameters = {**call.parameters, "LaunchTemplate": template}
        return call._replace(before=call.after, after=before, parameters=parameters)
    if call.parameters["follows"] != "$Latest":
        return None  # A version that no group follows does nothing.
    return call._replace(
        before=call.after,
        after={**before, "version": NEW_VERSION},
        parameters=_copy(_template_id(call), version=before["version"], follows="$Latest", spot=None),
    )


def _create_version(call: ApiCall, cloud: Cloud, token: str) -> Receipt:
    ec2 = cloud.changing("ec2")
    template_id, copied = _template_id(call), call.parameters["copy"]
    wanted = copied["version"]
    source = _versions(cloud, template_id, wanted)[wanted]["LaunchTemplateData"]
    data = as_request(ec2, "CreateLaunchTemplateVersion", "LaunchTemplateData", source)
    if copied["spot"] is not None:
        data.pop("InstanceMarketOptions", None)
    if copied["spot"]:
        data["InstanceMarketOptions"] = SPOT
    answer = ec2.create_launch_template_version(
        LaunchTemplateId=template_id,
        ClientToken=token,
        VersionDescription=_description(token),
        LaunchTemplateData=data,
    )
    return Receipt(request_id_of(answer), {NEW_VERSION: str(answer["LaunchTemplateVersion"]["VersionNumber"])})


def _description(token: str) -> str:
    """Written on a version that is created, so that it is recognised when the answer got lost."""
    return f"capstack {token}"


def _template_id(call: ApiCall) -> str:
    return str((call.parameters.get("LaunchTemplate") or call.parameters)["LaunchTemplateId"])


def _versions(cloud: Cloud, template_id: str, *wanted: str) -> dict[str, Mapping[str, Any]]:
    """Versions by what they are asked for as: a number, `$Latest` or `$Default`."""
    ec2 = cloud.reading("ec2")
    found = {}
    for each in dict.fromkeys(wanted):
        answer = ec2.describe_launch_template_versions(LaunchTemplateId=template_id, Versions=[each])
        found[each] = answer["LaunchTemplateVersions"][0]
    return found


def _made_by(cloud: Cloud, template_id: str, token: str) -> Mapping[str, Any] | None:
    pages = cloud.reading("ec2").get_paginator("describe_launch_template_versions")
    for page in pages.paginate(LaunchTemplateId=template_id):
        for version in page["LaunchTemplateVersions"]:
            if version.get("VersionDescription") == _description(token):
                found: Mapping[str, Any] = version
                return found
    return None


def _asks_for_spot(version: Mapping[str, Any]) -> bool:
    options = version["LaunchTemplateData"].get("InstanceMarketOptions") or {}
    return bool(options.get("MarketType") == "spot")


def describe(call: ApiCall) -> str:
    spot = "on" if call.after["spot"] else "off"
    if "on_demand_percent" in call.after:
        return f"turn spot {spot} for {call.group}: {call.after['on_demand_percent']} % on demand"
    if call.permission == CREATE_VERSION:
        return f"make a version of template {call.after['template']} with spot {spot}, for {call.group}"
    return f"point {call.group} at that version of template {call.after['template']}"


ACTION = Action(
    name=NAME,
    order=10,
    permissions=(
        UPDATE_GROUP,
        CREATE_VERSION,
        "autoscaling:DescribeAutoScalingGroups",
        "ec2:DescribeLaunchTemplateVersions",
    ),
    describe=describe,
    propose=propose,
    observe=observe,
    perform=perform,
    inverse=inverse,
    untagged=(CREATE_VERSION,),
    speaks=lambda target: target.spot is not None,
    heeds=heeds,
)
