"""Reading groups from an AWS-compatible server over HTTP."""

from collections.abc import Iterator
from copy import copy
from typing import Any

import pytest
from moto.autoscaling.models import autoscaling_backends
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from pytest_django.fixtures import Settings

from capstack.demo.cloud import IMAGE, NotOurServer, seed_groups
from cloudpolicy.engine.document import parse_policy
from cloudpolicy.engine.group import Group
from cloudpolicy.engine.ladder import FOUNDING_LADDER
from cloudpolicy.engine.market import LaunchTemplate, MixedInstances, UnknownMarket
from cloudpolicy.services import inventory
from cloudpolicy.services.aws import CloudUnavailable, client
from cloudpolicy.services.inventory import read_groups
from tests.cloudpolicy.recording_proxy import RecordingProxy

POLICY = parse_policy(FOUNDING_LADDER)
REGION = "us-east-1"


def groups_by_environment() -> dict[str, Group]:
    return {group.environment: group for group in read_groups(policy=POLICY, region=REGION)}


def create_group(name: str, *, tags: dict[str, str] | None = None, **market: Any) -> None:
    client("autoscaling", region=REGION).create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=2,
        DesiredCapacity=0,
        AvailabilityZones=["us-east-1a"],
        Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": False} for key, value in (tags or {}).items()],
        **market,
    )


def create_template(name: str, *, spot: bool) -> str:
    data: dict[str, Any] = {"ImageId": IMAGE, "InstanceType": "t3.small"}
    if spot:
        data["InstanceMarketOptions"] = {"MarketType": "spot"}
    answer = client("ec2", region=REGION).create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    return str(answer["LaunchTemplate"]["LaunchTemplateId"])


def test_it_reads_the_demo_groups_with_size_tag_and_the_place_where_they_ask_for_spot(aws: RecordingProxy) -> None:
    made = seed_groups(endpoint=aws.url, region=REGION)
    assert made == ("capstack-dev-asg", "capstack-staging-asg", "capstack-production-asg")
    groups = groups_by_environment()
    assert {name: str(group.capacity) for name, group in groups.items()} == {
        "dev": "min 1, max 4, desired 3",
        "staging": "min 2, max 6, desired 4",
        "production": "min 3, max 12, desired 8",
    }
    assert all(group.opted_in for group in groups.values())
    dev, staging = groups["dev"].market, groups["staging"].market
    assert isinstance(dev, LaunchTemplate)
    assert (dev.spot, dev.version, dev.follows, dev.name) == (True, 1, "$Latest", "capstack-dev")
    assert isinstance(staging, MixedInstances)
    assert (staging.spot, staging.on_demand_percent, staging.on_demand_base) == (True, 25, 1)


def test_seeding_twice_makes_nothing_twice(aws: RecordingProxy) -> None:
    seed_groups(endpoint=aws.url, region=REGION)
    assert seed_groups(endpoint=aws.url, region=REGION) == ()


@pytest.mark.parametrize("endpoint", ["", "https://autoscaling.us-east-1.amazonaws.com", "http://10.0.0.7:5000"])
def test_demo_groups_are_never_made_anywhere_but_on_this_machine(endpoint: str) -> None:
    with pytest.raises(NotOurServer):
        seed_groups(endpoint=endpoint, region=REGION)


def test_reading_changes_nothing(aws: RecordingProxy) -> None:
    seed_groups(endpoint=aws.url, region=REGION)
    aws.actions.clear()
    read_groups(policy=POLICY, region=REGION)
    assert aws.actions == {"DescribeAutoScalingGroups": 1, "DescribeLaunchTemplateVersions": 1}
    assert not aws.mutating


def test_it_reads_every_page_once(aws: RecordingProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "GROUPS_PER_PAGE", 10)
    template = create_template("web", spot=False)
    for number in range(25):
        create_group(f"web-{number:03}", LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"})
    aws.actions.clear()
    assert len(read_groups(policy=POLICY, region=REGION)) == 25
    assert aws.actions == {"DescribeAutoScalingGroups": 3}


def test_a_thousand_groups_are_ten_calls(aws: RecordingProxy) -> None:
    create_group(
        "web-0000", tags={"capstack:managed": "true"}, MixedInstancesPolicy=mixed(create_template("a", spot=False))
    )
    # The server runs in this process: copies are put beside the first group, which saves a thousand requests.
    groups = autoscaling_backends[ACCOUNT_ID][REGION].autoscaling_groups
    for number in range(1, 1000):
        twin = copy(groups["web-0000"])
        twin.name = f"web-{number:04}"
        groups[twin.name] = twin
    aws.actions.clear()
    assert len(read_groups(policy=POLICY, region=REGION)) == 1000
    assert aws.actions == {"DescribeAutoScalingGroups": 10}


class ManyTemplates:
    """What DescribeLaunchTemplateVersions answers for a region of 450 templates; the server here needs a name."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, name: str) -> "ManyTemplates":
        assert name == "describe_launch_template_versions"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        numbers = {"$Latest": 3, "$Default": 1}
        size = asked["PaginationConfig"]["PageSize"]
        for start in range(0, 450, size):
            self.asked.append(asked)
            found = range(start, min(start + size, 450))
            yield {"LaunchTemplateVersions": [version(n, numbers[asked["Versions"][0]]) for n in found]}

    def describe_launch_template_versions(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        number = int(asked["LaunchTemplateId"].removeprefix("lt-"))
        return {"LaunchTemplateVersions": [version(number, int(each)) for each in asked["Versions"]]}


def version(template: int, number: int) -> dict[str, Any]:
    return {"LaunchTemplateId": f"lt-{template}", "VersionNumber": number, "LaunchTemplateData": {}}


def test_many_templates_are_found_in_pages_and_only_what_is_left_is_asked_for_singly() -> None:
    ec2 = ManyTemplates()
    wanted = {(f"lt-{number}", ("$Latest", "$Default", "3", "1")[number % 4]) for number in range(450)}
    wanted |= {("lt-7", "2")}
    found = inventory._describe_versions(ec2, wanted)
    assert set(found) == wanted
    assert {key[1]: found[key]["VersionNumber"] for key in wanted} == {
        "$Latest": 3, "$Default": 1, "3": 3, "1": 1, "2": 2,
    }  # fmt: skip
    assert len(ec2.asked) == 7


def test_a_suspended_process_is_seen(aws: RecordingProxy) -> None:
    create_group("web", LaunchTemplate={"LaunchTemplateId": create_template("a", spot=False)})
    client("autoscaling", region=REGION).suspend_processes(
        AutoScalingGroupName="web", ScalingProcesses=["AZRebalance"]
    )
    (group,) = read_groups(policy=POLICY, region=REGION)
    assert group.suspended == {"AZRebalance"}


def mixed(template_id: str) -> dict[str, Any]:
    return {
        "LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateId": template_id, "Version": "$Latest"}},
        "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 50},
    }


def test_templates_are_read_in_the_version_the_group_follows_and_only_for_groups_that_opted_in(
    aws: RecordingProxy,
) -> None:
    managed = {"capstack:managed": "true"}
    template = create_template("both", spot=True)
    client("ec2", region=REGION).create_launch_template_version(
        LaunchTemplateId=template, LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "t3.small"}
    )
    for name, version, tags in [("one", "1", managed), ("latest", "$Latest", managed), ("other", "1", None)]:
        create_group(name, tags=tags, LaunchTemplate={"LaunchTemplateId": template, "Version": version})
    markets = {group.name: group.market for group in read_groups(policy=POLICY, region=REGION)}
    assert markets["one"].spot is True
    assert markets["latest"].spot is False
    assert isinstance(markets["other"], LaunchTemplate)
    assert markets["other"].version is None


def test_a_tag_names_the_environment_of_a_group_with_another_name(aws: RecordingProxy) -> None:
    template = create_template("odd", spot=False)
    create_group(
        "blue",
        tags={"capstack:managed": "true", "capstack:environment": "staging"},
        LaunchTemplate={"LaunchTemplateId": template},
    )
    (group,) = read_groups(policy=POLICY, region=REGION)
    assert group.environment == "staging"


def test_a_launch_configuration_is_left_to_a_person(aws: RecordingProxy) -> None:
    client("autoscaling", region=REGION).create_launch_configuration(
        LaunchConfigurationName="old", ImageId=IMAGE, InstanceType="t3.small", SpotPrice="0.02"
    )
    create_group("capstack-dev-asg", tags={"capstack:managed": "true"}, LaunchConfigurationName="old")
    (group,) = read_groups(policy=POLICY, region=REGION)
    assert isinstance(group.market, UnknownMarket)
    assert "launch configuration old" in group.market.reason


def test_throttling_is_waited_out(aws: RecordingProxy) -> None:
    seed_groups(endpoint=aws.url, region=REGION)
    aws.refusals = [(400, refusal("Throttling", "Rate exceeded")), (503, b"")]
    assert len(read_groups(policy=POLICY, region=REGION)) == 3


def test_a_refusal_is_one_line_that_names_the_call(aws: RecordingProxy) -> None:
    aws.refusals = [(403, refusal("AccessDenied", "User is not authorized\nto do this"))]
    with pytest.raises(CloudUnavailable) as refused:
        read_groups(policy=POLICY, region=REGION)
    assert str(refused.value) == (
        "AWS refused DescribeAutoScalingGroups: AccessDenied, User is not authorized to do this"
    )


def test_a_server_that_is_not_there_is_one_line(settings: Settings) -> None:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    with pytest.raises(CloudUnavailable, match=r"^AWS cannot be reached: .*127\.0\.0\.1:9") as refused:
        read_groups(policy=POLICY, region=REGION)
    assert "\n" not in str(refused.value)


def test_an_endpoint_that_is_no_address_is_one_line(db: None, settings: Settings) -> None:
    settings.AWS_ENDPOINT_URL = "not an address"
    with pytest.raises(CloudUnavailable, match="AWS cannot be reached"):
        read_groups(policy=POLICY, region=REGION)


def test_without_credentials_it_says_so(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.AWS_ENDPOINT_URL = ""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(CloudUnavailable, match="no AWS credentials are configured"):
        read_groups(policy=POLICY, region=REGION)


def test_our_own_server_asks_for_no_credentials(aws: RecordingProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert read_groups(policy=POLICY, region=REGION) == ()


def refusal(code: str, message: str) -> bytes:
    """An error as AWS's query protocol sends it."""
    return (
        f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>".encode()
    )
