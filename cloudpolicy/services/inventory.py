"""What a company has in its cloud, read from AWS in few requests. Reading only."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cloudpolicy.actions.registry import all_actions
from cloudpolicy.engine.action import Action
from cloudpolicy.engine.describe import group_of, with_template
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.market import LaunchTemplate, Market, UnknownMarket
from cloudpolicy.engine.policy import SCHEDULING_PROCESSES, Policy
from cloudpolicy.engine.resource import Resource
from cloudpolicy.selectors.own_budgets import own_budgets
from cloudpolicy.services.aws import one_line_errors
from cloudpolicy.services.clouds import CloudAccount, Clouds, cloud_accounts

GROUPS_PER_PAGE = 100
SCHEDULES_PER_PAGE = 100
VERSIONS_PER_PAGE = 200
# So many templates are asked for one by one; more are found among all templates of the region, 200 to a request.
FEW_TEMPLATES = 3
MOVING = ("$Latest", "$Default")
Version = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Inventory:
    """Groups, and what actions on single resources have found."""

    groups: tuple[Group, ...] = ()
    resources: tuple[Resource, ...] = ()


def read_inventory(*, company: str, policy: Policy, held: Collection[str] = ()) -> Inventory:
    """Describe all that a policy may have a say in, in every account and region of a company.

    Args:
        company: slug.
        held: names of actions that have stopped something, whether the policy still speaks of it or not.

    Raises:
        CloudUnavailable: something cannot be read. Half an inventory is none.
    """
    clouds = Clouds(company)
    groups: list[Group] = []
    resources: list[Resource] = []
    wanted = [
        action
        for action in all_actions()
        if action.resources is not None and (action.name in held or action.resources.wanted(policy))
    ]
    for account in cloud_accounts(company=company):
        of_account: list[Group] = []
        for region in account.regions:
            here = read_groups(policy=policy, region=region, account=account.name, clouds=clouds)
            of_account += here
            regional = [action for action in wanted if not _is_global(action)]
            resources += _discover(clouds, account, region, policy, here, regional)
        everywhere = [action for action in wanted if _is_global(action)]
        resources += _discover(clouds, account, account.regions[0], policy, of_account, everywhere)
        groups += of_account
    return Inventory(tuple(groups), tuple(resources))


def with_ours(*, company_id: int, inventory: Inventory) -> Inventory:
    """Opt in what carries no readable tag but was made by a plan of ours, as our journal says."""
    if not any(resource.tags_unread for resource in inventory.resources):
        return inventory
    ours = own_budgets(company_id=company_id)
    return replace(
        inventory,
        resources=tuple(
            replace(each, opted_in=True) if each.tags_unread and (each.account, each.name) in ours else each
            for each in inventory.resources
        ),
    )


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
    are read for opted-in groups only, and scheduled actions where the policy suspends what they need.

    Raises:
        CloudUnavailable: AWS cannot be read.
    """
    cloud = (clouds or Clouds("")).at(account=account, region=region)
    with one_line_errors():
        autoscaling = cloud.reading("autoscaling")
        described = _describe_groups(autoscaling)
        groups = [
            group_of(each, region=region, group_name=policy.group_name, opt_in=policy.opt_in, account=account)
            for each in described
        ]
        wanted = {key for group in groups if group.opted_in and (key := _version_of(group.market))}
        versions = _describe_versions(cloud.reading("ec2"), wanted) if wanted else {}
        scheduled = _scheduled(autoscaling) if _asks_for_schedules(policy, groups) else frozenset()
    groups = [
        replace(group, market=_known(group, versions), is_scheduled=group.name in scheduled)
        if group.opted_in
        else group
        for group in groups
    ]
    return tuple(sorted(groups, key=lambda group: group.name))


def _is_global(action: Action) -> bool:
    return action.resources is not None and action.resources.is_global


def _discover(
    clouds: Clouds,
    account: CloudAccount,
    region: str,
    policy: Policy,
    groups: Iterable[Group],
    actions: Iterable[Action],
) -> list[Resource]:
    cloud = clouds.at(account=account.name, region=region)
    found: list[Resource] = []
    for action in actions:
        assert action.resources is not None
        with one_line_errors():
            found += action.resources.discover(cloud, policy, tuple(groups))
    return found


def _describe_groups(autoscaling: Any) -> list[dict[str, Any]]:
    pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
        PaginationConfig={"PageSize": GROUPS_PER_PAGE}
    )
    return [group for page in pages for group in page["AutoScalingGroups"]]


def _asks_for_schedules(policy: Policy, groups: Iterable[Group]) -> bool:
    careful = {
        rule.environment
        for rule in policy.rules
        if rule.suspended & SCHEDULING_PROCESSES and not rule.may_stop_schedules
    }
    return any(group.opted_in and group.environment in careful for group in groups)


def _scheduled(autoscaling: Any) -> frozenset[str]:
    """Names of the groups that scheduled actions resize."""
    pages = autoscaling.get_paginator("describe_scheduled_actions").paginate(
        PaginationConfig={"PageSize": SCHEDULES_PER_PAGE}
    )
    return frozenset(
        each["AutoScalingGroupName"] for page in pages for each in page["ScheduledUpdateGroupActions"]
    )


def _describe_versions(ec2: Any, wanted: Collection[Version]) -> dict[Version, dict[str, Any]]:
    """Read each (template id, version); `$Latest` and `$Default` are resolved by AWS."""
    found: dict[Version, dict[str, Any]] = {}
    if len({template_id for template_id, _ in wanted}) > FEW_TEMPLATES:
        found |= _moving_versions(ec2, wanted)
    left: dict[str, list[str]] = {}
    for template_id, follows in sorted(set(wanted) - set(found)):
        left.setdefault(template_id, []).append(follows)
    for template_id, several in left.items():
        for follows in several if set(several) & set(MOVING) else ():
            # Asked for together, an answer would not tell which of them is the latest.
            (version,) = _versions(ec2, LaunchTemplateId=template_id, Versions=[follows])
            found[template_id, follows] = version
        numbers = [follows for follows in several if (template_id, follows) not in found]
        if numbers:
            for version in _versions(ec2, LaunchTemplateId=template_id, Versions=numbers):
                found[template_id, str(version["VersionNumber"])] = version
    return found


def _moving_versions(ec2: Any, wanted: Collection[Version]) -> dict[Version, dict[str, Any]]:
    """The latest and the default version of every template of the region, as far as they are wanted.

    Groups that follow a number mostly follow one of these.
    """
    found: dict[Version, dict[str, Any]] = {}
    pages = ec2.get_paginator("describe_launch_template_versions")
    for moving in MOVING:
        for page in pages.paginate(Versions=[moving], PaginationConfig={"PageSize": VERSIONS_PER_PAGE}):
            for version in page["LaunchTemplateVersions"]:
                for follows in (moving, str(version["VersionNumber"])):
                    key = (version["LaunchTemplateId"], follows)
                    if key in wanted:
                        found[key] = version
        if found.keys() >= set(wanted):
            break
    return found


def _versions(ec2: Any, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ec2.describe_launch_template_versions(**asked)["LaunchTemplateVersions"]
    return found


def _version_of(market: Market) -> Version | None:
    return (market.template_id, market.follows) if isinstance(market, LaunchTemplate) else None


def _known(group: Group, versions: Mapping[Version, dict[str, Any]]) -> Market:
    key = _version_of(group.market)
    if key is None or not isinstance(group.market, LaunchTemplate):
        return group.market
    if key not in versions:
        return UnknownMarket(f"version {group.market.follows} of launch template {group.market.name} is gone")
    return with_template(group.market, versions[key])
