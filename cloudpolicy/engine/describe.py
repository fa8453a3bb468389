"""Groups as AWS describes them, read into the policy's nouns. Pure: mappings in, nouns out."""

import re
from collections.abc import Mapping
from typing import Any

from cloudpolicy.engine.capacity import Capacity
from cloudpolicy.engine.cloud import tags_of
from cloudpolicy.engine.group import Group, Instance
from cloudpolicy.engine.market import LaunchTemplate, Market, MixedInstances, UnknownMarket
from cloudpolicy.engine.policy import OptInTag

ENVIRONMENT_TAG = "capstack:environment"


def group_of(
    described: Mapping[str, Any], *, region: str, group_name: str, opt_in: OptInTag, account: str = ""
) -> Group:
    """Read one entry of DescribeAutoScalingGroups.

    Args:
        group_name: the policy's naming, with `{environment}` in it.

    Returns:
        The group; where it uses a plain launch template, that template is not read yet (`with_template`).
    """
    tags = tags_of(described)
    name = described["AutoScalingGroupName"]
    return Group(
        name=name,
        environment=environment_in(tags, name, group_name=group_name),
        region=region,
        capacity=Capacity(
            min=int(described["MinSize"]), max=int(described["MaxSize"]), desired=int(described["DesiredCapacity"])
        ),
        market=_market(described),
        opted_in=tags.get(opt_in.key) == opt_in.value,
        suspended=frozenset(each["ProcessName"] for each in described.get("SuspendedProcesses", [])),
        account=account,
        instances=tuple(
            Instance(each["InstanceId"], each.get("InstanceType") or "") for each in described.get("Instances", [])
        ),
    )


def environment_in(tags: Mapping[str, str], name: str, *, group_name: str) -> str:
    """The environment of anything that is tagged and named; empty when neither tells."""
    return tags.get(ENVIRONMENT_TAG) or environment_of(name, group_name=group_name)


def environment_of(name: str, *, group_name: str) -> str:
    """Read the environment out of a group's name; empty when the name is not built that way."""
    before, after = group_name.split("{environment}")
    match = re.fullmatch(f"{re.escape(before)}(.+){re.escape(after)}", name)
    return match.group(1) if match else ""


def with_template(market: LaunchTemplate, version: Mapping[str, Any]) -> LaunchTemplate:
    """Add what one entry of DescribeLaunchTemplateVersions says about the version that the group follows."""
    return LaunchTemplate(
        template_id=market.template_id,
        name=version.get("LaunchTemplateName", market.name),
        follows=market.follows,
        version=int(version["VersionNumber"]),
        market_options=version.get("LaunchTemplateData", {}).get("InstanceMarketOptions") or {},
        instance_type=version.get("LaunchTemplateData", {}).get("InstanceType") or "",
    )


def _market(described: Mapping[str, Any]) -> Market:
    mixed = described.get("MixedInstancesPolicy")
    if mixed:
        distribution = mixed.get("InstancesDistribution") or {}
        if distribution.get("DistributionSegments"):
            return UnknownMarket("its mixed-instances policy uses distribution segments")
        return MixedInstances(distribution)
    template = described.get("LaunchTemplate")
    if template:
        return LaunchTemplate(
            template_id=template.get("LaunchTemplateId", ""),
            name=template.get("LaunchTemplateName", ""),
            # A group without a version follows the default one.
            follows=template.get("Version") or "$Default",
            version=None,
        )
    configuration = described.get("LaunchConfigurationName")
    if configuration:
        return UnknownMarket(f"it uses launch configuration {configuration}, which cannot be changed")
    return UnknownMarket("it has neither a launch template nor a mixed-instances policy")
