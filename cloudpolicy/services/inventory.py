"""Which auto-scaling groups there are, read from AWS. Reading only."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cloudpolicy.engine.describe import group_of, with_template
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.market import LaunchTemplate, Market, UnknownMarket
from cloudpolicy.engine.policy import Policy
from cloudpolicy.services.aws import one_line_errors
from cloudpolicy.services.clouds import Clouds, cloud_accounts

GROUPS_PER_PAGE = 100
Version = tuple[str, str]


def read_company_groups(*, company: str, policy: Policy) -> tuple[Group, ...]:
    """Describe every group of every account and region that a company has, in the order in which they are named.

    Args:
        company: slug.

    Raises:
        CloudUnavailable: one of them cannot be read. Half an inventory is none.
    """
    clouds = Clouds(company)
    return tuple(
        group
        for account in cloud_accounts(company=company)
        for region in account.regions
        for group in read_groups(policy=policy, region=region, account=account.name, clouds=clouds)
    )


def read_groups(
    *, policy: Policy, region: str, account: str = "", clouds: Clouds | None = None
) -> tuple[Group, ...]:
    """Describe every group of a region, ordered by name.

    Groups without the opt-in tag are read too, in the same pages: a launch template may be shared with one of
    them, and a group that is named like one of the policy's but lacks the tag is worth a word. Launch templates
    are read for opted-in groups only.

    Raises:
        CloudUnavailable: AWS cannot be read.
    """
    cloud = (clouds or Clouds("")).at(account=account, region=region)
    with one_line_errors():
        described = _describe_groups(cloud.reading("autoscaling"))
        groups = [
            group_of(each, region=region, group_name=policy.group_name, opt_in=policy.opt_in, account=account)
            for each in described
        ]
        wanted = sorted({key for group in groups if group.opted_in and (key := _version_of(group.market))})
        versions = _describe_versions(cloud.reading("ec2"), wanted) if wanted else {}
    groups = [replace(group, market=_known(group, versions)) for group in groups]
    return tuple(sorted(groups, key=lambda group: group.name))


def _describe_groups(autoscaling: Any) -> list[dict[str, Any]]:
    pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
        PaginationConfig={"PageSize": GROUPS_PER_PAGE}
    )
    return [group for page in pages for group in page["AutoScalingGroups"]]


def _describe_versions(ec2: Any, wanted: Iterable[Version]) -> dict[Version, dict[str, Any]]:
    """Read each (template id, version) once; `$Latest` and `$Default` are resolved by AWS."""
    found = {}
    for template_id, follows in wanted:
        answer = ec2.describe_launch_template_versions(LaunchTemplateId=template_id, Versions=[follows])
        for version in answer["LaunchTemplateVersions"]:
            found[template_id, follows] = version
    return found


def _version_of(market: Market) -> Version | None:
    return (market.template_id, market.follows) if isinstance(market, LaunchTemplate) else None


def _known(group: Group, versions: dict[Version, dict[str, Any]]) -> Market:
    key = _version_of(group.market)
    if not group.opted_in or key is None or not isinstance(group.market, LaunchTemplate):
        return group.market
    if key not in versions:
        return UnknownMarket(f"version {group.market.follows} of launch template {group.market.name} is gone")
    return with_template(group.market, versions[key])
